"""Encodings: what numbers become in the ring, and how messages are hashed.

Values become elements of a ring (two's complement, fixed point). May import ``errors`` and
``kernels`` only. Start with ``ring.py`` and ``types.py``, then ``fixed.py``.
"""

from tacit.encoding.digest import tagged_hash
from tacit.encoding.fixed import decode, encode
from tacit.encoding.ring import RING64, Ring
from tacit.encoding.rings import ring_of
from tacit.encoding.types import (
    INTEGERS,
    DType,
    bool_,
    fixed,
    fixed_point,
    int8,
    int16,
    int32,
    int64,
    int128,
    uint8,
    uint16,
    uint32,
)
from tacit.encoding.wide import RING128

__all__ = [
    "INTEGERS",
    "RING64",
    "RING128",
    "DType",
    "Ring",
    "bool_",
    "decode",
    "encode",
    "fixed",
    "fixed_point",
    "int8",
    "int16",
    "int32",
    "int64",
    "int128",
    "ring_of",
    "tagged_hash",
    "uint8",
    "uint16",
    "uint32",
]
