"""Sharings: what a party holds of a secret, and the local maths on it.

No communication here. May import ``errors``, ``kernels`` and ``encoding``. Start with
``replicated.py``.
"""

from tacit.sharing.additive import AdditiveForm, Parts
from tacit.sharing.bits import ReplicatedBits, pack_bits, unpack_bits, word_count
from tacit.sharing.replicated import (
    REPLICATED_FORM,
    Replicated,
    reconstruct,
    reconstruct_bits,
    split,
    split_bits,
)
from tacit.sharing.replicated4 import (
    REPLICATED4_FORM,
    Replicated4,
    Replicated4Bits,
    reconstruct4,
    reconstruct4_bits,
    split4,
    split4_bits,
)

__all__ = [
    "REPLICATED4_FORM",
    "REPLICATED_FORM",
    "AdditiveForm",
    "Parts",
    "Replicated",
    "Replicated4",
    "Replicated4Bits",
    "ReplicatedBits",
    "pack_bits",
    "reconstruct",
    "reconstruct4",
    "reconstruct4_bits",
    "reconstruct_bits",
    "split",
    "split4",
    "split4_bits",
    "split_bits",
    "unpack_bits",
    "word_count",
]
