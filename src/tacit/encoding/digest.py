"""The one hash of tacit: BLAKE3 with a purpose tag and length-prefixed fields.

Everything that is hashed goes through :func:`tagged_hash`: an output made for one purpose never
passes for another, and two different lists of fields never have the same bytes.

Source: J. O'Connor, J.-P. Aumasson, S. Neves, Z. Wilcox-O'Hearn, *BLAKE3: one function, fast
everywhere*, 2020, section 2.3 (``derive_key`` mode) for the tag.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from blake3 import blake3
from numpy.typing import NDArray

__all__ = ["DIGEST_BYTES", "Field", "tagged_hash"]

Field: TypeAlias = bytes | bytearray | memoryview | NDArray[Any]

DIGEST_BYTES: Final = 32

_CONTEXT: Final = "tacit 2026 v1 "


def tagged_hash(purpose: str, *fields: Field) -> bytes:
    """Hash a list of fields for one purpose.

    Parameters
    ----------
    purpose : str
        What the hash is for, a constant in the code, such as ``"session id"``. Different
        purposes are independent hash functions.
    *fields : bytes-like or C-contiguous ndarray
        What is hashed. Each field is preceded by its length in bytes (8 bytes, little endian),
        so the list is encoded without ambiguity. Where a session exists, its id comes first.

    Returns
    -------
    bytes
        32 bytes.
    """
    digest = blake3(derive_key_context=_CONTEXT + purpose)
    for field in fields:
        view = memoryview(field)  # type: ignore[arg-type,unused-ignore]
        digest.update(view.nbytes.to_bytes(8, "little"))
        if view.nbytes:
            digest.update(view.cast("B"))
    return digest.digest(length=DIGEST_BYTES)
