"""Programs as text and as pictures, for people.

``text`` writes a program in static single assignment, ``drawing`` makes an SVG of it. May import
``operations`` and the program's own modules. Start with ``text.py``.
"""
