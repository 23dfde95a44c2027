"""The demos: data that comes with tacit, and faults on order.

``fraud.py`` and ``hospitals.py`` hold one ``generate(directory, ...)`` each; what runs on their
files is the same as for anybody's. ``mishaps.py`` reads ``--kill`` and ``--cheat``, and
``staged.py`` is the job that the parties' processes run then. Start with ``fraud.py``, whose
docstring tells the story.
"""
