"""Circuits: schedules of gates that several protocols follow.

Plain index arithmetic, no shares and no communication. Start with ``prefix.py``.
"""

from tacit.circuits.carry import CarryTree, carry_tree
from tacit.circuits.prefix import sklansky

__all__ = ["CarryTree", "carry_tree", "sklansky"]
