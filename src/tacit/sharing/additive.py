"""How a protocol's shares split into additive parts: what storing and refreshing them rests on.

A secret is x = x_0 + … + x_{n-1} over a ring, or the same with XOR over Z_2, and every party
holds some of the parts. What else a protocol keeps with a share (a MAC, say) has no such form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

__all__ = ["AdditiveForm", "Parts"]

Parts: TypeAlias = Mapping[int, NDArray[Any]]
"""Additive parts by number."""


@dataclass(frozen=True, slots=True)
class AdditiveForm:
    """The additive parts of a protocol's sharings.

    Attributes
    ----------
    count : int
        Into how many parts a secret is split.
    held : callable
        ``held(index)``: the numbers of the parts that a party holds, in a fixed order.
    parts : callable
        ``parts(index, share)``: the parts of a party's sharing, arithmetic or Boolean, by
        number; packed words for bits. Views, not copies.
    numbers : callable
        ``numbers(index, parts)``: the arithmetic sharing that a party has with these parts.
    bits : callable
        ``bits(index, parts, shape)``: the sharing of plain bits of this shape.
    """

    count: int
    held: Callable[[int], tuple[int, ...]]
    parts: Callable[[int, Any], Parts]
    numbers: Callable[[int, Parts], Any]
    bits: Callable[[int, Parts, tuple[int, ...]], Any]

    def common(self, one: int, other: int) -> tuple[int, ...]:
        """The parts that two parties both hold."""
        return tuple(sorted({*self.held(one)} & {*self.held(other)}))
