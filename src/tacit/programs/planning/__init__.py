"""What a program will cost before it runs: rounds, bytes, memory, seconds.

A program is run on a party that counts (``party.py``), by the real schedule; every different
operation is run on this machine (``pieces.py``). Start with ``making.py``.
"""

from tacit.programs.planning.measured import Measured
from tacit.programs.planning.networks import NETWORKS, network_of
from tacit.programs.planning.plan import Phase, Plan, Spent, Work

__all__ = ["NETWORKS", "Measured", "Phase", "Plan", "Spent", "Work", "network_of"]
