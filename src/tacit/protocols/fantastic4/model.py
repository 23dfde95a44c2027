"""The promise of ``fantastic4``."""

from __future__ import annotations

from tacit.protocols.security import SecurityModel

__all__ = ["SECURITY"]

SECURITY = SecurityModel(
    parties=4,
    threshold=1,
    adversary="active",
    outcome="guaranteed output",
    statistical_bits=45,
    computational_bits=128,
    assumptions=(
        "at most one of the four parties is corrupted or lost; it may deviate in any way",
        "for guaranteed output: sessions over Z_2^64 between processes, from the end of the set-up"
        " on, in a synchronous network: an honest party answers within the session's patience, and"
        " messages between honest parties arrive within it; over Z_2^128 a fault ends in abort",
        "for guaranteed output: an authority that vouches for each party's key for evidence;"
        " Ed25519 signatures cannot be forged",
        "links are authenticated and encrypted (mutual TLS 1.3)",
        "AES-128 is a pseudorandom function; BLAKE3 is collision resistant and, for the keys'"
        " commitments, a random oracle",
    ),
    leakage=(
        "probabilistic truncation: the rounding of the last bit depends on a value that two"
        " parties know; use rounding='exact' or 'nearest' where that matters",
        "truncation, in every rounding mode, of a value outside its range, which products of"
        " inputs without declared bounds can reach: an opened result then tells two parties a"
        " comparison on high bits",
        "shapes, types, the program and the number of rows are public",
        "an abort names two suspects, one of which deviated if who reports it is honest",
    ),
    papers=("DEK21", "EP26", "Fre77", "ISN89", "MR18", "MV04", "LWZ11", "LDHHZS23"),
)
