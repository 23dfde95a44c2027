"""Programs: typed graphs of operations, which every owner can read, price, check and approve.

What runs between organisations is data, never code. May import ``operations`` and below. Start
with ``graph.py``.
"""

from tacit.programs.program import Program

__all__ = ["Program"]
