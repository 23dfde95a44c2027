"""Normalisation: what is known of values from how they were computed, beyond linear forms.

Three shapes, as people and importers write them:

- x - max(x) is at most 0, and 0 at one place of each row; x - min(x) at least 0;
- exp(x - max(x)) is 1 at that place, so its sum over a row is at least 1, and a share of a row's
  sum of numbers that are not negative is at most 1;
- d / sqrt(mean(d²) + c) is at most sqrt(n) in magnitude for rows of n numbers, since no square is
  more than the sum of all.

A row's maximum may be given its axes back by ``reshape`` and ``broadcast_to``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, prod, sqrt
from typing import Any, Final, TypeAlias

from tacit.functions.accuracy import ACCURACY
from tacit.operations.intervals import corners
from tacit.operations.reduction import reduced_axes, reduced_shape
from tacit.operations.types import Bounds
from tacit.programs.bounding.facts import Fact
from tacit.programs.inference import Checked, CheckedNode

__all__ = ["closer_bounds"]


def closer_bounds(checked: Checked, node: CheckedNode, facts: Sequence[Fact]) -> Bounds | None:
    """What is known of an operation's only result because of where its operands come from."""
    rule = _RULES.get(node.node.operation)
    if rule is None or node.results[0].dtype.kind == "bool":
        return None
    return rule(_View(checked, facts), node)


@dataclass(frozen=True, slots=True)
class _View:
    checked: Checked
    facts: Sequence[Fact]

    def made(self, value: int) -> CheckedNode | None:
        """The node that a value is the only result of."""
        nodes = self.checked.nodes
        place = bisect_right(nodes, value, key=lambda node: node.first) - 1
        if place < 0 or nodes[place].first != value or len(nodes[place].results) != 1:
            return None
        return nodes[place]

    def operand(self, node: CheckedNode, place: int = 0) -> int:
        return node.node.operands[place]

    def reduced(self, value: int, name: str) -> tuple[int, tuple[int, ...]] | None:
        """The array and the axes of which a value is the reduction, whatever its own axes are."""
        node = self.made(_unwrapped(self, value))
        if node is None:
            return None
        kept = node.results[0].shape
        if node.node.operation == "reshape":
            node = self.made(self.operand(node))
        if node is None or node.node.operation != name:
            return None
        source = self.operand(node)
        shape = self.checked.types[source].shape
        axes = reduced_axes(name, shape, node.attributes)
        whole = len(axes) == len(shape) and prod(kept) == 1
        return (source, axes) if whole or kept == reduced_shape(shape, axes, True) else None


def _subtract(view: _View, node: CheckedNode) -> Bounds | None:
    """x - max(x) and x - min(x)."""
    x, y = node.node.operands
    for name, bounds in (("max", (-inf, 0)), ("min", (0, inf))):
        found = view.reduced(y, name)
        if found is not None and found[0] == x and view.facts[x].bounds is not None:
            low, high = view.facts[x].bounds or (0, 0)
            width = high - low
            return (-width, 0) if bounds[1] == 0 else (0, width)
    return None


def _is_shifted(view: _View, value: int) -> tuple[int, ...] | None:
    """The axes of the maximum that was taken off a value."""
    node = view.made(value)
    if node is None or node.node.operation != "subtract":
        return None
    x, y = node.node.operands
    found = view.reduced(y, "max")
    if found is None or found[0] != x or node.results[0].shape != view.checked.types[x].shape:
        return None
    return found[1]


def _sum(view: _View, node: CheckedNode) -> Bounds | None:
    """Σ exp(x - max(x)): at one place it is 1."""
    source = view.operand(node)
    made = view.made(source)
    if made is None or made.node.operation != "exp":
        return None
    axes = _is_shifted(view, view.operand(made))
    if axes is None:
        return None
    shape = view.checked.types[source].shape
    if set(axes) != set(reduced_axes("sum", shape, node.attributes)):
        return None
    bounds = view.facts[source].bounds
    if bounds is None:
        return None
    stated, unit = ACCURACY["exp"], 2.0 ** -min(made.results[0].dtype.fraction_bits, 24)
    one = 1 - max(stated.relative, stated.units * unit) - stated.absolute
    count = prod(shape[axis] for axis in axes)
    return one + (count - 1) * bounds[0], count * max(bounds[1], one)


def _divide(view: _View, node: CheckedNode) -> Bounds | None:
    """x / Σ x of what is not negative, and d / sqrt(mean(d²) + c)."""
    x, y = node.node.operands
    found = view.reduced(y, "sum")
    bounds, divisor = view.facts[x].bounds, view.facts[y].bounds
    same = node.results[0].shape == view.checked.types[x].shape
    if same and found is not None and found[0] == x and bounds is not None and divisor is not None:
        unit = 2.0 ** -min(node.results[0].dtype.fraction_bits, 24)
        if divisor[0] > 0 and bounds[0] >= -unit * 4:
            count = prod(view.checked.types[x].shape[axis] for axis in found[1])
            # Numbers a little below 0 make the others' sum a little smaller than theirs.
            below = max(-bounds[0], 0.0) * (count + 1) / divisor[0]
            return _stated(-below, 1 + below, unit)
        return None
    root = view.made(_unwrapped(view, y))
    if root is None or root.node.operation != "sqrt":
        return None
    return _normal(view, node, x, view.operand(root))


def _multiply(view: _View, node: CheckedNode) -> Bounds | None:
    """d · rsqrt(mean(d²) + c)."""
    for place in (0, 1):
        root = view.made(_unwrapped(view, node.node.operands[place]))
        if root is not None and root.node.operation == "rsqrt":
            return _normal(view, node, node.node.operands[1 - place], view.operand(root))
    return None


def _matmul(view: _View, node: CheckedNode) -> Bounds | None:
    """Rows times themselves: sums of squares, as the optimiser writes them."""
    left, right = node.node.operands
    if view.checked.types[left].shape[-2:-1] not in ((), (1,)):
        return None
    if len(view.checked.types[right].shape) > 1 and view.checked.types[right].shape[-1] != 1:
        return None
    if _laid_out(view, left) != _laid_out(view, right):
        return None
    return _squares(view, node, [(left, left)], view.checked.types[left].shape[-1])


def _laid_out(view: _View, value: int) -> int:
    """A value under another shape."""
    node = view.made(value)
    while node is not None and node.node.operation == "reshape":
        value = view.operand(node)
        node = view.made(value)
    return value


def _sum_of_products(view: _View, node: CheckedNode) -> Bounds | None:
    """x · x + y · z, as the optimiser writes it."""
    operands = node.node.operands
    pairs = list(zip(operands[::2], operands[1::2], strict=True))
    return _squares(view, node, pairs, 1) if any(x == y for x, y in pairs) else None


def _squares(
    view: _View, node: CheckedNode, pairs: Sequence[tuple[int, int]], count: int
) -> Bounds | None:
    """A sum of `count` times these products: squares of a number are never negative."""
    low = high = 0.0
    for x, y in pairs:
        first, second = view.facts[x].bounds, view.facts[y].bounds
        if first is None or second is None:
            return None
        ends = corners(first, second)
        least = 0.0 if x == y and first[0] <= 0 <= first[1] else ends[0]
        if x == y:
            least = max(least, min(first[0] ** 2, first[1] ** 2) if least else 0.0)
        low, high = low + count * least, high + count * ends[1]
    unit = 2.0 ** -min(node.results[0].dtype.fraction_bits, 24)
    return low - unit, high + unit


def _unwrapped(view: _View, value: int) -> int:
    """A value before it was repeated along axes."""
    node = view.made(value)
    while node is not None and node.node.operation == "broadcast_to":
        value = view.operand(node)
        node = view.made(value)
    return value


def _normal(view: _View, node: CheckedNode, d: int, under: int) -> Bounds | None:
    """What d / sqrt(m) is within, m being the mean of d² and a public number that is positive.

    m as computed is at least d²/n + c - s, with s for its roundings: where c is 2 s or more the
    quotient is below sqrt(n); d's root, reciprocal and product are off as stated.
    """
    added = view.made(under)
    if added is None or added.node.operation != "add":
        return None
    for place in (0, 1):
        least, spread = view.facts[added.node.operands[1 - place]], added.node.operands[place]
        found = view.reduced(spread, "mean")
        if found is None or least.array is None or not least.array.size:
            continue
        squared = view.made(found[0])
        if squared is None or not _is_square(view, squared, d):
            continue
        shape = view.checked.types[found[0]].shape
        count = prod(shape[axis] for axis in found[1])
        bounds = view.facts[d].bounds
        if bounds is None or node.results[0].shape != view.checked.types[d].shape:
            continue
        unit = 2.0 ** -min(node.results[0].dtype.fraction_bits, 24)
        size = max(abs(bounds[0]), abs(bounds[1]))
        slack = unit * (8 + size * size * 2)
        if float(least.array.min()) < 2 * slack:
            continue
        return _stated(-sqrt(count), sqrt(count), unit * (1 + size))
    return None


def _is_square(view: _View, node: CheckedNode, d: int) -> bool:
    name, operands = node.node.operation, node.node.operands
    if name == "pow":
        exponents = view.facts[operands[1]].array
        return operands[0] == d and exponents is not None and bool((exponents == 2).all())
    if name == "square":
        return operands[0] == d
    return name == "multiply" and operands[0] == operands[1] == d


def _stated(low: float, high: float, slack: float) -> Bounds:
    """An interval with the errors of roots and quotients: 2^-7 of it and some units."""
    more = 2.0**-7 * max(abs(low), abs(high)) + 64 * slack
    return low - more, high + more


_Rule: TypeAlias = Callable[[Any, CheckedNode], Bounds | None]

_RULES: Final[Mapping[str, _Rule]] = {
    "subtract": _subtract,
    "sum": _sum,
    "divide": _divide,
    "matmul": _matmul,
    "multiply": _multiply,
    "sum_of_products": _sum_of_products,
}
