"""The promise of ``replicated3``."""

from __future__ import annotations

from tacit.protocols.security import SecurityModel

__all__ = ["SECURITY"]

SECURITY = SecurityModel(
    parties=3,
    threshold=1,
    adversary="passive",
    outcome="none",
    statistical_bits=None,
    computational_bits=128,
    assumptions=(
        "at most one of the three parties is corrupted, and it follows the protocol",
        "links are authenticated and encrypted (mutual TLS 1.3)",
        "AES-128 is a pseudorandom function",
    ),
    leakage=(
        "probabilistic truncation: the rounding of the last bit depends on a value that one"
        " party (or two) knows; use rounding='exact' or 'nearest' where that matters",
        "shapes, types, the program and the number of rows are public",
    ),
    papers=("AFLNO16", "MR18", "DEK20", "LDHHZS23", "AFOPRT21"),
)
