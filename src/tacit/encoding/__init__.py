"""Encodings: what numbers become in the ring, and how messages are hashed.

Values become elements of a ring (two's complement, fixed point). May import ``errors`` and
``kernels`` only. Start with ``ring.py`` and ``types.py``, then ``fixed.py``.
"""

from tacit.encoding.digest import tagged_hash
from tacit.encoding.fixed import decode, encode, encode_public
from tacit.encoding.ring import RING64, Ring
from tacit.encoding.types import (
    INTEGERS,
    RING_BITS,
    DType,
    bool_,
    fixed,
    fixed_point,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
)

__all__ = [
    "INTEGERS",
    "RING64",
    "RING_BITS",
    "DType",
    "Ring",
    "bool_",
    "decode",
    "encode",
    "encode_public",
    "fixed",
    "fixed_point",
    "int8",
    "int16",
    "int32",
    "int64",
    "tagged_hash",
    "uint8",
    "uint16",
    "uint32",
]
