"""Protocols: one folder per paper family, the same file names in each.

A protocol's party object gives the primitives of ``interface.py``; its frozen
:class:`SecurityModel` says what it promises. May import ``sharing``, ``rounds``, ``circuits``,
``encoding`` and below. Start with ``interface.py``, then ``replicated3/arithmetic.py``.
"""

from tacit.protocols.registry import PROTOCOLS, Protocol, protocol_named
from tacit.protocols.security import SecurityModel

__all__ = ["PROTOCOLS", "Protocol", "SecurityModel", "protocol_named"]
