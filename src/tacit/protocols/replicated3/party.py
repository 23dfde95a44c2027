"""A party of ``replicated3``: its keys and its primitives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count

from tacit import kernels
from tacit.encoding.ring import RING64, Ring
from tacit.errors import InternalError, UsageError
from tacit.protocols.interface import Rounding
from tacit.protocols.replicated3 import (
    arithmetic,
    boolean,
    conversion,
    costs,
    io,
    local,
    shuffle,
    sign,
    truncation,
)
from tacit.protocols.replicated3.roles import RoleNonces

__all__ = ["Replicated3Party"]


class Replicated3Party:
    """One of three parties.

    Parameters
    ----------
    names : sequence of str
        The three parties' names.
    index : int
        Which one this is, 0 to 2.
    seeds : mapping of int to bytes
        For each peer's index, the 16-byte seed shared with it alone.
    session_id : bytes
        What hashes at openings are bound to; equal at all parties.
    rounding : {"probabilistic", "nearest", "exact"}
        How truncations round; equal at all parties.
    ring : Ring
        What arithmetic shares are elements of; equal at all parties.

    Notes
    -----
    Pairwise keys stand for the PRSS keys of Araki et al. 2016, section 3.3: party i holds k_i,
    shared with the previous party, and k_{i+1}, shared with the next one. Masks for one
    operation come from the streams of these keys at that operation's nonce (one for each third
    where roles differ), each kind of mask from a lane of its own; nonces count up and are never
    reused in a session.
    """

    costs = costs.COSTS
    checks_inputs = False
    threads = 1

    def __init__(
        self,
        names: Sequence[str],
        index: int,
        seeds: Mapping[int, bytes],
        session_id: bytes = b"",
        rounding: Rounding = "probabilistic",
        ring: Ring = RING64,
    ) -> None:
        if len(names) != 3 or len(set(names)) != 3:
            raise UsageError(
                f"replicated3 needs three parties with different names, not {len(names)}.",
                next_step="name three parties, for instance parties=['alice', 'bob', 'carol'].",
                case=2,
            )
        self.names = tuple(names)
        self.index = index
        self.session_id = session_id
        self.rounding = rounding
        self.ring = ring
        self.next = (index + 1) % 3
        self.previous = (index - 1) % 3
        self.key_own = kernels.StreamKey(seeds[self.previous])
        self.key_next = kernels.StreamKey(seeds[self.next])
        self._nonces = count(1)

    def __repr__(self) -> str:
        return f"Replicated3Party({self.names[self.index]!r})"

    @property
    def size(self) -> int:
        """How many parties compute."""
        return 3

    def nonce(self) -> int:
        """A fresh nonce for one operation; every party draws the same ones in the same order."""
        nonce = next(self._nonces)
        if nonce >= 1 << 63:
            raise InternalError("the nonces of this session are used up")
        return nonce

    def role_nonces(self) -> RoleNonces:
        """Fresh nonces for a step with roles, one for each third of the elements.

        A key is CA on one third, AB on the next and BC on the last. With one nonce for all, a
        lane that serves two of these would mask two messages alike; with one for each third a
        key plays one role at each nonce (``docs/decisions/0002``).
        """
        by_third = (self.nonce(), self.nonce(), self.nonce())
        return RoleNonces(by_third[self.index], by_third[self.previous], by_third[self.next])

    # The primitives, each in the file of its kind.
    public = local.public
    public_bits = boolean.public_bits
    add = local.add
    subtract = local.subtract
    negate = local.negate
    add_public = local.add_public
    multiply_public = local.multiply_public
    linear_combination = local.linear_combination
    sum = local.sum_
    broadcast = local.broadcast
    concatenate = local.concatenate
    xor = boolean.xor
    xor_public = boolean.xor_public
    invert = boolean.invert
    concatenate_bits = boolean.concatenate_bits
    stack_planes = boolean.stack_planes
    random = local.random
    random_bits = boolean.random_bits
    permutation = shuffle.permutation
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
    lookup = conversion.lookup
    select = conversion.select
    permute = shuffle.permute
    permute_bits = shuffle.permute_bits
