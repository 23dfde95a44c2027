"""``replicated3_active``: three parties, one actively corrupted, security with abort.

Replicated sharing over Z_2^64 as in ``replicated3``. Every step is made of local work, products
and ANDs whose only possible faults are additive, and each step proves its own before it ends
(``verification.py``), so nothing unproved is ever opened. Start with ``arithmetic.py``, then
``verification.py`` beside ``docs/decisions/0042-active-security-of-three.md``.
"""

from tacit.protocols.replicated3_active.party import Replicated3ActiveParty

__all__ = ["Replicated3ActiveParty"]
