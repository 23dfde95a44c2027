"""Inputs that are checked on shares before anything else is computed from them.

An owner's encoder keeps its numbers within what it declared, or within what their type holds. A
corrupt owner has no such encoder: it can share any element of the ring, and a number out of
range makes a truncation leak a comparison of high bits, or a sort open an order that is not a
random one. So where parties may deviate (``party.checks_inputs``), every input is compared with
its public limits on shares, and the parties open which elements are outside: none, for an honest
owner.
Argued in ``docs/decisions/0052-range-checks-of-inputs.md``.

The comparison is right for every element of the ring. x lies in low … high, as a signed number,
if and only if x - low, modulo 2^N and read without a sign, is at most w = high - low. For
w < 2^(N-1) that is so if and only if neither x - low nor high - x has its top bit set: if
u = x - low mod 2^N has it, u > w; else w - u mod 2^N does not wrap and has it where u > w. For
larger w the complement is tested instead, which is as short. The top bits are exact for every
element in every protocol (a carry over shared bits).

Source of the public comparison by top bits: Catrina, de Hoogh 2010; the argument above replaces
their condition on the size of x.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.limits import Limits
from tacit.encoding.ring import Elements, Ring
from tacit.encoding.rings import ring_of
from tacit.errors import InputRefusedError
from tacit.functions.costs import NOTHING, Costs, in_sequence, ring_bits
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.rounds.cost import Declaration

__all__ = [
    "all_within",
    "all_within_cost",
    "checked_input",
    "checked_labels",
    "checked_rows",
    "refusal",
    "sign_bits",
    "within",
]


def checked_input(
    party: Party,
    owner: int,
    elements: Elements | None,
    shape: tuple[int, ...],
    limits: Limits,
) -> Step[Any]:
    """Share ring elements of an owner, refused if one is outside public limits.

    Parameters
    ----------
    party : Party
    owner : int
        Whose input it is.
    elements : ring elements or None
        The owner's; the others pass None.
    shape : tuple of int
        Public.
    limits : (low, high)
        Public integers, both allowed, as the elements are encoded.

    Returns
    -------
    arithmetic sharing or None
        None at all parties alike if an element is outside: then the sharing is dropped.

    Notes
    -----
    Under a passive protocol the owner's own check is all there is, and nothing is added. Who
    learns what: all parties learn for each element whether it is outside, which for an honest
    owner is known beforehand. Cost: ``input``, then :func:`all_within_cost`.
    """
    x = yield from party.input(owner, elements, shape)
    if party.checks_inputs and not (yield from all_within(party, x, limits)):
        return None
    return x


def checked_labels(
    party: Party, owner: int, labels: NDArray[Any] | None, shape: tuple[int, ...]
) -> Step[Any]:
    """Share an owner's labels 0 and 1 as integers; nothing else can be shared, where it matters.

    Where parties may deviate labels are shared as bits, whatever the owner sends, and converted:
    there is nothing to refuse. Cost: ``input_bits`` and ``bit_to_arithmetic``; else ``input``.
    """
    if not party.checks_inputs:
        elements = None if labels is None else party.ring.elements(labels.astype(np.int64))
        return (yield from party.input(owner, elements, shape))
    bits = yield from party.input_bits(owner, labels, shape)
    return (yield from party.bit_to_arithmetic(bits))


def checked_rows(
    party: Party,
    owner: int,
    elements: Elements | None,
    shape: tuple[int, ...],
    limits: Sequence[Limits],
) -> Step[Any]:
    """`checked_input` of an array whose rows have limits of their own, or the error of a refusal.

    Raises
    ------
    InputRefusedError
        An element is outside, as all parties found (TC-5400).
    """
    x = yield from party.input(owner, elements, shape)
    if party.checks_inputs:
        inside = yield from together(
            *(all_within(party, x[row], limit) for row, limit in enumerate(limits))
        )
        if not all(inside):
            raise refusal(party.names[owner])
    return x


def refusal(owner: str) -> InputRefusedError:
    """The error of an input that was found outside its limits on shares. Names the owner alone."""
    return InputRefusedError(
        f"The input of {owner} is out of its declared bounds or its type, as all parties found on"
        " its shares; it was dropped, and nothing was computed from it.",
        next_step=f"ask {owner} to check its program: tacit's own refuses such data before it"
        " sends any. The session can be used further, without this input.",
        parties=[owner],
        stage="share",
    )


def all_within(party: Party, x: Any, limits: Limits) -> Step[bool]:
    """Whether all elements of a sharing lie within public limits: opened to all parties.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any elements of the ring.
    limits : (low, high)
        Signed integers, both allowed.

    Returns
    -------
    bool
        The same at all honest parties, as far as the protocol opens the same to all.

    Notes
    -----
    Opened is what :func:`within` opens.
    """
    inside = yield from within(party, x, limits)
    return bool(np.all(inside))


def within(party: Party, x: Any, limits: Limits) -> Step[NDArray[np.bool_]]:
    """Which elements of a sharing lie within public limits: opened to all parties.

    Parameters
    ----------
    party : Party
    x : arithmetic sharing
        Any elements of the ring.
    limits : (low, high)
        Signed integers, both allowed.

    Returns
    -------
    ndarray of bool, x.shape
        The same at all honest parties, as far as the protocol opens the same to all.

    Notes
    -----
    Opened are top bits, one or two an element, that are 0 where it is inside; not where they come
    from an owner whose numbers must stay secret even if they are out of range. Cost:
    :func:`all_within_cost`.
    """
    low, high = limits
    signs, both = sign_bits(party.ring, limits)
    if not signs or not x.size:
        return np.full(x.shape, low <= high)
    # The interval itself, or what lies outside it.
    first, last = (high + 1, low - 1) if both else (low, high)
    moved = [party.add_public(x, -first), party.add_public(party.negate(x), last)][:signs]
    top = yield from party.most_significant_bit(
        party.concatenate([row.reshape(1, *x.shape) for row in moved])
    )
    if both:
        one, other = (party.invert(top.map(lambda bits, k=k: bits[k])) for k in (0, 1))
        top = yield from party.bitwise_and(one, other)
    opened = yield from party.reveal_bits(top, tuple(range(party.size)))
    assert opened is not None
    inside: NDArray[np.bool_] = opened == 0
    return inside if both else np.asarray(inside.all(axis=0))


def sign_bits(ring: Ring, limits: Limits) -> tuple[int, bool]:
    """How many top bits an element's test takes, and whether it tests the complement.

    None where every element is inside, or none is; one where the interval is half of the ring.
    """
    low, high = limits
    width, half = high - low, 1 << ring.top_bit
    if low > high or width >= 2 * half - 1:
        return 0, False
    if width == half - 1:
        return 1, False
    return 2, width >= half


def all_within_cost(costs: Costs, size: int, limits: Limits) -> Declaration:
    """Of `all_within` on `size` elements: their top bits, an AND for wide limits, an opening."""
    signs, both = sign_bits(ring_of(ring_bits(costs)), limits)
    if not signs or not size:
        return NOTHING
    tops = costs["most_significant_bit"](signs * size)
    parties = tuple(range(len(tops.bytes_sent)))
    return in_sequence(
        tops,
        costs["bitwise_and"](size) if both else NOTHING,
        costs["reveal_bits"]((1 if both else signs) * size, parties),
    )
