"""What operations mean on plain float64 numbers, without shares or rounding.

What a private computation is compared with, and what explanations try functions with. May import
``operations`` and the program's own modules. Start with ``operations.py``.
"""
