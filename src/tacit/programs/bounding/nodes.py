"""What is known of the results of one operation, from what is known of its operands."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from math import ceil, floor, prod
from typing import Any, Final, TypeAlias

from tacit.encoding.ring import Ring
from tacit.errors import TacitError
from tacit.operations.bounds import operand_bounds
from tacit.operations.overflow import bounds_within, refuse_overflow
from tacit.operations.precision import PRODUCT_BITS
from tacit.operations.settling import settled_bounds
from tacit.operations.types import ArrayType, Bounds
from tacit.programs.bounding.facts import Fact, fresh, known_array, narrowed
from tacit.programs.bounding.forms import (
    MOST_TERMS,
    Form,
    difference,
    product_range,
    scaled,
    total,
)
from tacit.programs.bounding.in_clear import clear_bounds
from tacit.programs.bounding.keys import require_key_bits
from tacit.programs.inference import CheckedNode
from tacit.programs.public import computed

__all__ = ["Symbols", "is_unconditional", "public_facts", "secret_facts"]

_MOST_COMPUTED: Final = 1 << 16
"""Public arrays of up to so many elements are computed while a program is analysed."""

UNCONDITIONAL: Final = frozenset({
    "reshape", "transpose", "broadcast_to", "getitem", "roll", "repeat", "tile", "diagonal",
    "dynamic_slice", "dynamic_update_slice", "take", "concatenate", "stack", "tril", "triu", "pad",
    "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_invert", "bit_chain", "any", "all",
    "constant",
    "unbounded",
})  # fmt: skip
"""Operations that move elements, or work on bits: right whatever their operands are."""


def is_unconditional(node: CheckedNode) -> bool:
    """Whether a node is right whatever its operands are; of chains of bits those that drop none."""
    if node.node.operation == "bit_chain":
        return all(step.kind != "left" for step in node.attributes.steps)
    return node.node.operation in UNCONDITIONAL


class Symbols:
    """The symbols of an analysis: new ones, and views of others."""

    def __init__(self) -> None:
        self._count = 0
        self._views: dict[Hashable, Hashable] = {}

    def new(self) -> Hashable:
        """A symbol for a value of its own."""
        self._count += 1
        return self._count

    def view(self, *parts: Hashable) -> Hashable:
        """The symbol of an array that is looked at in one way: always the same one."""
        if parts not in self._views:
            self._views[parts] = self.new()
        return self._views[parts]


def public_facts(
    node: CheckedNode, types: Sequence[ArrayType], given: Sequence[Fact], symbols: Symbols
) -> list[Fact]:
    """What is known of results that all parties compute in the clear."""
    arrays = [fact.array for fact in given]
    small = all(prod(one.shape) <= _MOST_COMPUTED for one in node.results)
    known = [array for array in arrays if array is not None]
    if small and len(known) == len(arrays):
        try:
            found = computed(node.node.operation, known, node.attributes, node.results)
        except (TacitError, ArithmeticError, ValueError, LookupError, TypeError):
            return [Fact() for _ in node.results]  # it fails when the program runs
        return [known_array(symbols.new(), array) for array in found]
    bounds = [fact.bounds for fact in given]
    results = clear_bounds(node, types, bounds, arrays)
    return [
        fresh(symbols.new(), one, bound, False)
        for one, bound in zip(node.results, results, strict=True)
    ]


def secret_facts(
    node: CheckedNode,
    types: Sequence[ArrayType],
    given: Sequence[Fact],
    same: Sequence[int],
    ring: Ring,
    strict: bool,
    symbols: Symbols,
    closer: Bounds | None = None,
) -> list[Fact]:
    """What is known of results that parties compute on shares.

    Parameters
    ----------
    types : sequence of ArrayType
        Of the operands.
    given : sequence of Fact
        Of the operands.
    same : sequence of int
        The operands' numbers.
    strict : bool
        Whether what is known from types alone refuses, too.
    closer : (low, high), optional
        What is known of the only result besides.

    Raises
    ------
    RangeError
        It could wrap (TC-1373).
    """
    operation = node.operation
    assert operation is not None
    arrays = [fact.array for fact in given]
    known = [
        fact.bounds
        if t.public
        else operand_bounds(ArrayType(t.dtype, t.shape, False, fact.bounds), None)
        for t, fact in zip(types, given, strict=True)
    ]
    settled = settled_bounds(types, known, operation.integers, node.results)
    forms = [
        fact.form if before == after else None
        for fact, before, after in zip(given, known, settled, strict=True)
    ]
    require_key_bits(node, types, settled)
    linear = _linear_form(node, types, forms, arrays, settled, symbols)

    def refined(found: list[Bounds | None]) -> list[Bounds | None]:
        if len(found) != 1:
            return found
        bounds = narrowed(found[0], None if linear is None else linear.range)
        bounds = narrowed(bounds, closer)
        if node.node.operation in ("multiply", "square") and bounds is not None:
            squared = len(same) == 1 or same[0] == same[1]
            operand = settled[0] if squared else None
            bounds = narrowed(bounds, _product(node, forms, operand, bounds))
        return [bounds]

    declared = any(fact.declared for fact in given)
    track = refuse_overflow if declared or strict else bounds_within
    bounds = track(
        node.node.operation, types, arrays, settled, node.attributes, node.results, ring, refined
    )
    facts = []
    for one, bound in zip(node.results, bounds, strict=True):
        fact = fresh(symbols.new(), one, bound, declared or node.node.operation == "clip")
        if linear is not None and bound is not None:
            fact = Fact(fact.bounds, fact.declared, linear)
        facts.append(fact)
    return facts


def _product(
    node: CheckedNode, forms: Sequence[Form | None], squared: Bounds | None, found: Bounds
) -> Bounds | None:
    """Products of what is correlated: x (1 - x), and squares of what is within `squared`."""
    bounds: Bounds | None
    if squared is not None:
        sizes = sorted(abs(end) for end in squared)
        low = 0 if squared[0] <= 0 <= squared[1] else sizes[0]
        bounds = low * low, sizes[1] * sizes[1]
    else:
        x, y = forms[0], forms[-1]
        if x is None or y is None or not x.terms.keys() & y.terms.keys():
            return None
        bounds = product_range(x, y)
        if bounds is None:
            return None
    dtype = node.results[0].dtype
    if dtype.kind != "fixed":
        low, high = bounds
        return (low, high) if squared is not None else (floor(low), ceil(high))
    size = max(1.0, abs(found[0]), abs(found[1]))
    unit = 2.0 ** -min(dtype.fraction_bits, PRODUCT_BITS)
    slack = unit * (2 + (4 * size if dtype.fraction_bits > PRODUCT_BITS else 0))
    return bounds[0] - slack, bounds[1] + slack


# Linear operations.

_Linear: TypeAlias = Callable[..., Form | None]


def _linear_form(
    node: CheckedNode,
    types: Sequence[ArrayType],
    forms: Sequence[Form | None],
    arrays: Sequence[Any],
    bounds: Sequence[Bounds | None],
    symbols: Symbols,
) -> Form | None:
    rule = _LINEAR.get(node.node.operation)
    result = node.results[0]
    if rule is None or result.dtype.kind == "bool" or any(t.dtype.kind == "bool" for t in types):
        return None
    found = rule(node, types, forms, arrays, bounds, symbols)
    return found if found is None or len(found.terms) <= MOST_TERMS else None


def _unit(result: ArrayType) -> float:
    dtype = result.dtype
    return 2.0 ** -min(dtype.fraction_bits, PRODUCT_BITS) if dtype.kind == "fixed" else 0


def _encoding(node: CheckedNode, types: Sequence[ArrayType]) -> float:
    """A unit where a public fraction is rounded to the result's type."""
    return _unit(node.results[0]) if any(t.public and t.dtype.kind == "fixed" for t in types) else 0


def _add(node: CheckedNode, types: Any, forms: Any, *rest: Any) -> Form | None:
    x, y = forms
    return None if x is None or y is None else total(x, y, _encoding(node, types))


def _subtract(node: CheckedNode, types: Any, forms: Any, *rest: Any) -> Form | None:
    x, y = forms
    return None if x is None or y is None else difference(x, y, _encoding(node, types))


def _negative(node: CheckedNode, types: Any, forms: Any, *rest: Any) -> Form | None:
    return None if forms[0] is None else scaled(forms[0], -1)


def _number(array: Any) -> float | int | None:
    """The only number in a public array."""
    if array is None or not array.size or array.dtype.kind == "b":
        return None
    first = array.flat[0]
    found: float | int = first.item()
    return found if array.size == 1 or (array == first).all() else None


def _multiply(
    node: CheckedNode, types: Any, forms: Any, arrays: Any, bounds: Any, symbols: Any
) -> Form | None:
    for place in (0, 1):
        factor, form, interval = _number(arrays[place]), forms[1 - place], bounds[1 - place]
        if types[place].public and factor is not None and form is not None and interval:
            return _by(node, form, interval, factor)
    return None


def _by(node: CheckedNode, form: Form, interval: Bounds, factor: float) -> Form:
    """A product with a public number, within 2^-f of itself, relatively or absolutely."""
    unit = _unit(node.results[0])
    if not unit:
        return scaled(form, factor)
    size = max(abs(interval[0]), abs(interval[1]))
    error = unit + unit * max(1.0, abs(factor) * size)
    if node.results[0].dtype.fraction_bits > PRODUCT_BITS:
        error += 2 * unit * (1 + size + abs(factor))
    return scaled(form, factor, error)


def _divide(
    node: CheckedNode, types: Any, forms: Any, arrays: Any, bounds: Any, symbols: Any
) -> Form | None:
    divisor = _number(arrays[1])
    if not types[1].public or not divisor or forms[0] is None or not bounds[0]:
        return None
    found = _by(node, forms[0], bounds[0], 1.0 / divisor)
    return Form(found.constant, found.terms, 2 * found.error)


def _sum(
    node: CheckedNode, types: Any, forms: Any, arrays: Any, bounds: Any, symbols: Symbols
) -> Form | None:
    (form,) = forms
    if form is None:
        return None
    count = prod(types[0].shape) // max(prod(node.results[0].shape), 1)
    terms = {
        symbols.view(key, "sum", node.node.attributes, types[0].shape): (
            factor,
            (count * low, count * high),
        )
        for key, (factor, (low, high)) in form.terms.items()
    }
    return Form(form.constant * count, terms, form.error * count)


def _mean(
    node: CheckedNode, types: Any, forms: Any, arrays: Any, bounds: Any, symbols: Symbols
) -> Form | None:
    form, interval = forms[0], bounds[0]
    if form is None or interval is None:
        return None
    terms = {
        symbols.view(key, "mean", node.node.attributes, types[0].shape): term
        for key, term in form.terms.items()
    }
    slack = _unit(node.results[0]) * (3 + max(abs(interval[0]), abs(interval[1])))
    return Form(form.constant, terms, form.error + slack)


def _astype(
    node: CheckedNode, types: Any, forms: Any, arrays: Any, bounds: Any, symbols: Any
) -> Form | None:
    source, target = types[0].dtype, node.results[0].dtype
    if forms[0] is None or target.narrow or (source.kind == "fixed" and target.kind != "fixed"):
        return None
    coarser = source.kind == "fixed" and target.fraction_bits < source.fraction_bits
    return scaled(forms[0], 1, 2 * target.resolution if coarser else 0)


def _constant(node: CheckedNode, types: Any, forms: Any, *rest: Any) -> Form | None:
    result = node.results[0].dtype
    if forms[0] is None or result.narrow:
        return None
    return scaled(forms[0], 1, result.resolution if result.kind == "fixed" else 0)


def _view(
    node: CheckedNode, types: Any, forms: Any, arrays: Any, bounds: Any, symbols: Symbols
) -> Form | None:
    form = forms[0]
    if form is None or len(forms) > 1:
        return None
    name = node.node.operation
    if name == "broadcast_to":
        return form  # type: ignore[no-any-return]
    terms = {
        symbols.view(key, name, node.node.attributes, types[0].shape): term
        for key, term in form.terms.items()
    }
    return Form(form.constant, terms, form.error)


_LINEAR: Final[Mapping[str, _Linear]] = {
    "add": _add,
    "subtract": _subtract,
    "negative": _negative,
    "multiply": _multiply,
    "divide": _divide,
    "sum": _sum,
    "mean": _mean,
    "astype": _astype,
    "constant": _constant,
    **dict.fromkeys(
        ("reshape", "transpose", "broadcast_to", "getitem", "roll", "repeat", "tile", "diagonal"),
        _view,
    ),
}
