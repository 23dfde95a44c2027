"""What a program does and tells, in words: who gives what, who learns what, and what leaks.

May import ``operations`` and the program's own modules. Start with ``explanation.py``; ``walk.py``
is the analysis behind it.
"""
