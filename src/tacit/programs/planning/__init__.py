"""What a program will cost before it runs: rounds, bytes, memory, seconds.

A program is run on a party that counts (``party.py``), by the real schedule; every primitive it
calls is then run once on this machine (``profile.py``). Start with ``making.py``.
"""

from tacit.programs.planning.networks import NETWORKS, network_of
from tacit.programs.planning.plan import Phase, Plan, Work

__all__ = ["NETWORKS", "Phase", "Plan", "Work", "network_of"]
