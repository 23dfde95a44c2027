"""A party of ``replicated3_active``: its keys and its primitives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tacit.encoding.ring import RING64, Ring
from tacit.errors import UsageError
from tacit.protocols.interface import Rounding
from tacit.protocols.replicated3.party import Replicated3Party
from tacit.protocols.replicated3_active import (
    arithmetic,
    boolean,
    conversion,
    costs,
    io,
    shuffle,
    sign,
    truncation,
)

__all__ = ["Replicated3ActiveParty"]


class Replicated3ActiveParty(Replicated3Party):
    """One of three parties, one of which may do anything.

    Parameters
    ----------
    names, index, seeds, session_id, rounding
        As for :class:`~tacit.protocols.replicated3.Replicated3Party`.
    ring : Ring
        Z_2^64: proofs need 64 bits above it.

    Notes
    -----
    Sharings, keys, nonces and local steps are those of ``replicated3``. Every step that
    communicates is set here anew (``tests/unit/protocols`` compares the two lists). Pairwise keys
    suffice: each has two holders, who agree on it over their own link.
    """

    costs = costs.COSTS
    checks_inputs = True

    def __init__(
        self,
        names: Sequence[str],
        index: int,
        seeds: Mapping[int, bytes],
        session_id: bytes = b"",
        rounding: Rounding = "probabilistic",
        ring: Ring = RING64,
    ) -> None:
        if ring.bits != RING64.bits:
            raise UsageError(
                f"replicated3_active computes in a ring of 64 bits, not {ring.bits}: its proofs"
                " take place in the one of 128.",
                next_step="use ring=64, or the protocol replicated3 for 128 bits.",
                case=2,
            )
        super().__init__(names, index, seeds, session_id, rounding, ring)

    def __repr__(self) -> str:
        return f"Replicated3ActiveParty({self.names[self.index]!r})"

    # The primitives that communicate, each in the file of its kind.
    input = io.input_
    input_bits = io.input_bits
    reveal = io.reveal
    reveal_bits = io.reveal_bits
    multiply = arithmetic.multiply
    matmul = arithmetic.matmul
    truncate = truncation.truncate
    multiply_truncate = truncation.multiply_truncate
    matmul_truncate = truncation.matmul_truncate
    sum_products_truncate = truncation.sum_products_truncate
    bitwise_and = boolean.bitwise_and
    most_significant_bit = sign.most_significant_bit
    to_bits = conversion.to_bits
    from_bits = conversion.from_bits
    bit_to_arithmetic = conversion.bit_to_arithmetic
    inject = conversion.inject
    select = conversion.select
    permutation = shuffle.permutation
    permute = shuffle.permute
    permute_bits = shuffle.permute_bits
