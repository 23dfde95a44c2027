"""How values enter and leave a session: input and reveal of typed values, as steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from tacit.encoding.limits import Limits
from tacit.encoding.ring import Ring
from tacit.encoding.types import DType
from tacit.functions.costs import Costs, in_sequence
from tacit.functions.inputs import all_within, all_within_cost, refusal
from tacit.operations.chunks import CHUNK_SIZE, IN_FLIGHT, chunked_cost
from tacit.operations.operation import lift
from tacit.operations.types import SecretValue, reshaped
from tacit.protocols.interface import Party
from tacit.rounds.combine import pipelined
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "accepted",
    "checked_within",
    "from_opened",
    "input_cost",
    "input_step",
    "reveal_step",
    "to_open",
]


def input_step(
    party: Party,
    owner: int,
    elements: NDArray[Any] | None,
    dtype: DType,
    shape: tuple[int, ...],
    limits: Limits,
) -> Step[SecretValue | None]:
    """The owner's encoded array becomes a secret value; the others pass None.

    Where parties may deviate, numbers are compared with their public limits on shares
    (``functions/inputs.py``), long arrays in chunks. Booleans are bits whatever the owner sends.

    Returns
    -------
    SecretValue or None
        None at all parties alike where a number is outside `limits`: the input is dropped.
    """
    axes = shape or (1,)
    if elements is not None:
        elements = elements.reshape(axes)
    share = yield from (party.input_bits if dtype.kind == "bool" else party.input)(
        owner, elements, axes
    )
    return (yield from checked_within(party, share, dtype, shape, limits))


def checked_within(
    party: Party, share: Any, dtype: DType, shape: tuple[int, ...], limits: Limits
) -> Step[SecretValue | None]:
    """The secret value of a sharing that an owner put in, of one axis at least.

    None at all parties alike where parties may deviate and a number is outside `limits`.
    """
    if party.checks_inputs and dtype.kind != "bool":
        inside = yield from _all_within(party, share, limits)
        if not inside:
            return None
    return SecretValue(dtype, share if shape else reshaped(share, ()))


def _all_within(party: Party, share: Any, limits: Limits) -> Step[bool]:
    """`all_within` of an array of any length: in chunks, which stay in the cache and in memory."""
    size = share.size
    if size <= CHUNK_SIZE:
        return (yield from all_within(party, share, limits))

    def step(start: int) -> Step[bool]:
        part = share.section(start, min(start + CHUNK_SIZE, size))
        return (yield from all_within(party, part, limits))

    return all((yield from pipelined(step, range(0, size, CHUNK_SIZE), IN_FLIGHT)))


def input_cost(
    costs: Costs, dtype: DType, size: int, owner: int, limits: Limits, *, checked: bool
) -> Declaration:
    """Of `input_step`; `checked` where the protocol's parties check inputs."""
    if dtype.kind == "bool":
        return costs["input_bits"](size, owner)
    shared = costs["input"](size, owner)
    if not checked:
        return shared
    check = chunked_cost(
        lambda n: all_within_cost(costs, n, limits),
        size,
        largest_whole=CHUNK_SIZE,
        chunk_size=CHUNK_SIZE,
    )
    return in_sequence(shared, check)


def accepted(value: SecretValue | None, owner: str) -> SecretValue:
    """An input that all parties accepted.

    Raises
    ------
    InputRefusedError
        They did not (TC-5400).
    """
    if value is None:
        raise refusal(owner)
    return value


def reveal_step(party: Party, value: SecretValue, to: Sequence[int]) -> Step[NDArray[Any] | None]:
    """Open a secret value to the parties in `to`: ring elements or bits; None at the others."""
    reveal = party.reveal_bits if value.dtype.kind == "bool" else party.reveal
    opened: NDArray[Any] | None = yield from reveal(to_open(party, value), to)
    return None if opened is None else from_opened(opened, value.dtype, value.shape, party.ring)


def to_open(party: Party, value: SecretValue) -> Any:
    """The sharing that is opened for a secret value, of one axis at least.

    Of an integer of N bits only the N lowest bits are opened: in a ring of k bits the sharing is
    multiplied by 2^(k-N), and recipients shift the opened elements back. What earlier operations
    left in the upper bits (such as the product of two numbers before it wrapped) stays secret.
    """
    share = lift(value).share
    above = _above(value.dtype, party.ring)
    return party.multiply_public(share, 1 << above) if above else share


def from_opened(
    opened: NDArray[Any], dtype: DType, shape: tuple[int, ...], ring: Ring
) -> NDArray[Any]:
    """The elements or bits of a value from what was opened of it."""
    above = _above(dtype, ring)
    if above:
        opened = ring.shift_right(opened, above)
    return opened.reshape(shape)


def _above(dtype: DType, ring: Ring) -> int:
    return ring.bits - dtype.bits if dtype.kind == "int" else 0
