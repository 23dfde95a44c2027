"""Rounds: the generator contract of protocol steps, and what drives and counts them.

A protocol step is a generator that yields :class:`Round` objects; a driver moves the bytes.
May import ``errors`` and ``kernels`` only. Start with ``contract.py``, then ``lockstep.py``.
"""

from tacit.rounds.adversary import Adversary, Message, Tamper
from tacit.rounds.combine import pipelined, together
from tacit.rounds.contract import Arrays, Outbox, Round, Step
from tacit.rounds.cost import Cost, Counter, Declaration
from tacit.rounds.lockstep import LockstepDriver
from tacit.rounds.virtual import LAN, LOOPBACK, METRO, WAN, Network, VirtualTime

__all__ = [
    "LAN",
    "LOOPBACK",
    "METRO",
    "WAN",
    "Adversary",
    "Arrays",
    "Cost",
    "Counter",
    "Declaration",
    "LockstepDriver",
    "Message",
    "Network",
    "Outbox",
    "Round",
    "Step",
    "Tamper",
    "VirtualTime",
    "pipelined",
    "together",
]
