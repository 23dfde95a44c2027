"""Element-wise operations on long arrays, a chunk at a time.

An operation on n elements has masks, bit planes and messages of several times n elements under
way. In chunks these are there for a few chunks only, and what remains of size n is the shares
that go in and the shares that come out. Chunks of `CHUNK_SIZE` elements write into a result that
is made once; `IN_FLIGHT` of them run at a time, so that one's messages travel while the next one
computes. The rounds grow with the number of chunks, which is why shorter arrays go through whole.

How an array is cut is decided by its size alone, the same at every party.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, prod
from typing import Any, Final

import numpy as np

from tacit.encoding.ring import Ring
from tacit.operations.types import Operand, SecretValue, reshaped
from tacit.protocols.interface import Party
from tacit.rounds.combine import pipelined
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "CHUNK_SIZE",
    "IN_FLIGHT",
    "LARGEST_WHOLE",
    "chunk_size",
    "chunked_cost",
    "in_chunks",
    "is_long",
]

LARGEST_WHOLE: Final = 1 << 20
"""Arrays of up to this many elements are not cut."""

CHUNK_SIZE: Final = 1 << 17
"""Elements of a chunk: a multiple of 64, so that packed bits are cut between words."""

IN_FLIGHT: Final = 2
"""Chunks that run at a time."""


def chunk_size(ring: Ring, width: int = 1) -> int:
    """Elements of a chunk, so that it takes as much memory in every ring.

    Parameters
    ----------
    ring : Ring
        What shares are elements of.
    width : int
        How many times more an operation has under way for an element than others, a power of two
        up to 64.
    """
    return CHUNK_SIZE * 64 // (ring.bits * width)


def is_long(operands: Sequence[Operand]) -> bool:
    """Whether the common shape of operands that broadcast can have over `LARGEST_WHOLE` elements.

    Never false for those that have; a cheap test made before every operation.
    """
    return prod(_size(operand) for operand in operands) > LARGEST_WHOLE


def in_chunks(
    meaning: Callable[[Party, Sequence[Operand], Any], Step[Any]],
    party: Party,
    operands: Sequence[Operand],
    attributes: Any,
    shape: tuple[int, ...],
    *,
    chunk_size: int = CHUNK_SIZE,
    in_flight: int = IN_FLIGHT,
) -> Step[SecretValue]:
    """The meaning of an element-wise operation, evaluated chunk by chunk.

    Parameters
    ----------
    meaning : callable
        The operation's meaning: one result, each element of which depends on the elements at
        its place alone.
    party, operands, attributes
        What the meaning takes; every secret operand has at least one axis.
    shape : tuple of int
        The result's shape, to which the operands broadcast; not empty.
    chunk_size : int
        Elements a chunk, a multiple of 64.
    in_flight : int
        Chunks that run at a time.

    Returns
    -------
    SecretValue
        The result.

    Notes
    -----
    Memory beside operands and result: `in_flight` times what a chunk needs. Cost: see
    :func:`chunked_cost`.
    """
    size = prod(shape)
    flat = [_spread(operand, shape) for operand in operands]
    made: list[SecretValue] = []

    def step(start: int) -> Step[None]:
        parts = [_section(operand, start, min(start + chunk_size, size)) for operand in flat]
        value = yield from meaning(party, parts, attributes)
        if not made:
            made.append(SecretValue(value.dtype, value.share.blank(size)))
        made[0].share.write(start, value.share)

    yield from pipelined(step, range(0, size, chunk_size), in_flight)
    (result,) = made
    return SecretValue(result.dtype, reshaped(result.share, shape))


def chunked_cost(
    declare: Callable[[int], Declaration],
    size: int,
    *,
    largest_whole: int = LARGEST_WHOLE,
    chunk_size: int = CHUNK_SIZE,
    in_flight: int = IN_FLIGHT,
) -> Declaration:
    """What an element-wise operation costs on an array of any size.

    Parameters
    ----------
    declare : callable
        The cost of the operation on n elements, whole.
    size : int
        Elements.

    Returns
    -------
    Declaration
        Bytes: the sum over the chunks. Rounds: those of one chunk for every `in_flight` chunks.
    """
    if size <= largest_whole:
        return declare(size)
    whole_chunks, rest = divmod(size, chunk_size)
    counted = [(declare(chunk_size), whole_chunks)]
    if rest:
        counted.append((declare(rest), 1))
    groups = ceil((whole_chunks + bool(rest)) / in_flight)
    rounds = max(declared.rounds for declared, _ in counted)
    return Declaration(
        groups * rounds,
        _times([(declared.bytes_sent, times) for declared, times in counted]),
        _times([(declared.check_bytes, times) for declared, times in counted]),
    )


def _times(counted: Sequence[tuple[Sequence[int], int]]) -> tuple[int, ...]:
    by_party = [[times * sent for sent in bytes_sent] for bytes_sent, times in counted]
    return tuple(map(sum, zip(*by_party, strict=True)))


def _size(operand: Operand) -> int:
    return operand.share.size if isinstance(operand, SecretValue) else operand.size


def _spread(operand: Operand, shape: tuple[int, ...]) -> Operand:
    """An operand at the common shape, without a copy of its elements; single ones stay alone."""
    if _size(operand) == 1:
        return operand
    if not isinstance(operand, SecretValue):
        return np.broadcast_to(operand, shape)
    if operand.shape == shape:
        return operand
    # Booleans are packed, so that repeating them copies: an eighth of a byte an element.
    return SecretValue(operand.dtype, operand.share.map(lambda part: np.broadcast_to(part, shape)))


def _section(operand: Operand, start: int, stop: int) -> Operand:
    """Elements `start` to `stop` in C order, as a vector."""
    if _size(operand) == 1:
        return operand if isinstance(operand, SecretValue) else operand.reshape(1)
    if isinstance(operand, SecretValue):
        return SecretValue(operand.dtype, operand.share.section(start, stop))
    if operand.flags.c_contiguous:
        return operand.reshape(-1)[start:stop]
    return np.asarray(operand.flat[start:stop])
