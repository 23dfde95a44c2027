"""The promise of ``replicated3_active``."""

from __future__ import annotations

from tacit.protocols.security import SecurityModel

__all__ = ["SECURITY"]

SECURITY = SecurityModel(
    parties=3,
    threshold=1,
    adversary="active",
    outcome="abort",
    statistical_bits=40,
    computational_bits=128,
    assumptions=(
        "at most one of the three parties is corrupted; it may do anything",
        "links are authenticated and encrypted (mutual TLS 1.3)",
        "AES-128 is a pseudorandom function, BLAKE3 a random oracle",
    ),
    leakage=(
        "probabilistic truncation: the rounding of the last bit depends on shares of which each"
        " party knows two; use rounding='exact' or 'nearest' where that matters",
        "truncation, in every rounding mode, of a value outside its range, which products of"
        " inputs without declared bounds can reach: an opened result then depends on shares",
        "shapes, types, the program and the number of rows are public",
    ),
    papers=("AFLNO16", "EKOPPS20", "FLNW17", "MR18", "DEK20", "AHIKNPTT22"),
)
