"""``replicated3``: three parties, one passively corrupted, replicated sharing over Z_2^64.

Araki, Furukawa, Lindell, Nof, Ohara (2016), with the wrap-free truncation of Dalskov,
Escudero and Keller (2020). Start with ``arithmetic.py`` beside the paper.
"""

from tacit.protocols.replicated3.party import Replicated3Party

__all__ = ["Replicated3Party"]
