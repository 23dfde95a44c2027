"""``tacit evaluate``: one's model against another's rows; both learn the agreed metrics alone.

``job.py`` is what every party's process runs, ``rows.py`` what a data owner reads. May import
``models``, ``ml.measures`` and what lies below. Start with ``records.py``.
"""
