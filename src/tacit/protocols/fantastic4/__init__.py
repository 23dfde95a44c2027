"""``fantastic4``: four parties, one of them malicious, replicated sharing over Z_2^64 or Z_2^128.

Dalskov, Escudero, Keller (2021), with every message checked in the round in which it is sent.
Start with ``joint.py``, then ``arithmetic.py`` beside the paper.
"""

from tacit.protocols.fantastic4.party import Fantastic4Party

__all__ = ["Fantastic4Party"]
