"""A party of ``fantastic4``: its keys and its primitives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count

from tacit import kernels
from tacit.encoding.ring import RING64, Ring
from tacit.errors import InternalError, UsageError
from tacit.protocols.fantastic4 import (
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
from tacit.protocols.fantastic4.journal import Journal
from tacit.protocols.fantastic4.keys import set_up
from tacit.protocols.interface import Rounding

__all__ = ["Fantastic4Party"]


class Fantastic4Party:
    """One of four parties.

    Parameters
    ----------
    names : sequence of str
        The four parties' names.
    index : int
        Which one this is, 0 to 3.
    seeds : mapping of int to bytes
        Not used: the keys come from the set-up.
    session_id : bytes
        What hashes are bound to; equal at all parties.
    rounding : {"probabilistic", "nearest", "exact"}
        How truncations round; equal at all parties.
    ring : Ring
        What arithmetic shares are elements of; equal at all parties.

    Attributes
    ----------
    held : tuple of int
        The indices of the shares and keys that this party holds: all but its own.
    keys : mapping of int to StreamKey
        PRNG_j for each j in `held`: known to all parties but P_j. There once the party's set-up
        (``keys.py``) has run, which a session does before any other step.
    journal : Journal or None
        Where digests of messages are kept, in sessions that go on after a fault.
    evidence : bool
        Whether it keeps digests of what it sends, too.

    Notes
    -----
    Masks for one operation come from the streams of these keys at that operation's nonce, each
    from a lane of its own; nonces count up and are never reused in a session.
    """

    costs = costs.COSTS
    checks_inputs = True
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
        if len(names) != 4 or len(set(names)) != 4:
            raise UsageError(
                f"fantastic4 needs four parties with different names, not {len(names)}.",
                next_step="name four parties, for instance"
                " parties=['alice', 'bob', 'carol', 'dave'].",
                case=2,
            )
        self.names = tuple(names)
        self.index = index
        self.session_id = session_id
        self.rounding = rounding
        self.ring = ring
        self.held = tuple(j for j in range(4) if j != index)
        self.journal: Journal | None = None
        self.evidence = False
        self._keys: Mapping[int, kernels.StreamKey] | None = None
        self._nonces = count(1)

    def __repr__(self) -> str:
        return f"Fantastic4Party({self.names[self.index]!r})"

    @property
    def size(self) -> int:
        """How many parties compute."""
        return 4

    @property
    def keys(self) -> Mapping[int, kernels.StreamKey]:
        """PRNG_j by index, after the set-up."""
        if self._keys is None:
            raise InternalError("a party of fantastic4 computes before its set-up")
        return self._keys

    @keys.setter
    def keys(self, keys: Mapping[int, kernels.StreamKey]) -> None:
        self._keys = keys

    def nonce(self) -> int:
        """A fresh nonce for one operation; every party draws the same ones in the same order."""
        nonce = next(self._nonces)
        if nonce >= 1 << 63:
            raise InternalError("the nonces of this session are used up")
        return nonce

    set_up = set_up

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
    select = conversion.select
    permute = shuffle.permute
    permute_bits = shuffle.permute_bits
