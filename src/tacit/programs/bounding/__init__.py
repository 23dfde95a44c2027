"""Bounds through whole programs: what every value lies within, and that nothing wraps.

Over the operations' own interval rules (``operations/bounds.py``), ``programs`` and nothing above.
Start with ``analysis.py``.
"""
