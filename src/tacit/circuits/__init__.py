"""Circuits: schedules of gates that several protocols follow.

Plain index arithmetic, no shares and no communication. Start with ``prefix.py``.
"""

from tacit.circuits.prefix import sklansky

__all__ = ["sklansky"]
