"""Sharings: what a party holds of a secret, and the local maths on it.

No communication here. May import ``errors``, ``kernels`` and ``encoding``. Start with
``replicated.py``.
"""

from tacit.sharing.bits import ReplicatedBits, pack_bits, unpack_bits, word_count
from tacit.sharing.replicated import Replicated, reconstruct, reconstruct_bits, split, split_bits

__all__ = [
    "Replicated",
    "ReplicatedBits",
    "pack_bits",
    "reconstruct",
    "reconstruct_bits",
    "split",
    "split_bits",
    "unpack_bits",
    "word_count",
]
