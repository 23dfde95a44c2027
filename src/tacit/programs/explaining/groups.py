"""Which rows a statistic of a group goes over, so that a minimum is believed for those alone.

Every secret yes-or-no about rows is a selection of its own. A value goes over groups: for each of
its elements, which elements of which selections hold for a row that is inside. Where several
selections stand in one group a row has all of them; several groups are added up. Coefficients are
kept, so that a count times five is not taken for a count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, prod
from typing import Any, Final, TypeAlias

import numpy as np

from tacit.operations.table import OPERATIONS
from tacit.operations.types import ArrayType
from tacit.programs.explaining.forms import (
    Block,
    Form,
    Whole,
    added,
    broadcasted,
    dense,
    identity,
    summed,
)
from tacit.programs.explaining.linear import MOVES, linear_form
from tacit.programs.explaining.reaching import reduced_axes_of
from tacit.programs.explaining.values import Limit, Value

__all__ = [
    "Selecting",
    "counts_twice",
    "covered",
    "groups_of",
    "moved_limits",
    "rest_of",
    "rows_promised",
]

_MOST: Final = 16
"""The most groups of one value."""

_ROUNDED: Final = 1e-9

_LINEAR: Final = frozenset({"add", "subtract", "negative", "sum", "mean", "cumulative_sum", "diff"})
_REDUCING: Final = frozenset({"max", "min", "prod", "var", "any", "all", "median", "logsumexp"})

Shape: TypeAlias = tuple[int, ...]
Groups: TypeAlias = tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Selecting:
    """What the rules need of a walk.

    Attributes
    ----------
    shapes : mapping of int to tuple of int
        Of sources and selections.
    fresh : callable
        ``fresh(shape, key)``: the number of a selection, the same for the same key.
    """

    shapes: Mapping[int, Shape]
    fresh: Callable[[Shape, Any], int]

    def new(self, shape: Shape, key: Any) -> Groups:
        """A group of its own, which no count is known of."""
        return (identity(self.fresh(shape, key), shape),)

    def outside(self, selection: int) -> int:
        """The number of the selection of those that are not in another."""
        return self.fresh(self.shapes[selection], ("outside", selection))


def groups_of(
    name: str,
    attributes: Any,
    operands: Sequence[Value],
    kind: ArrayType,
    indicator: bool,
    key: Any,
    walk: Selecting,
) -> Groups:
    """The groups that the result of an operation goes over.

    Parameters
    ----------
    name, attributes, operands
        The operation.
    kind : ArrayType
        Of its result.
    indicator : bool
        Whether the result is a selection itself: 0 or 1.
    key : object
        What tells this result from others.
    walk : Selecting
    """
    secret = [one for one in operands if one.inputs]
    if name in ("totals_between", "group_by"):
        return walk.new(kind.shape, (name, kind.shape, tuple(map(id, operands))))
    if indicator and name in ("subtract", "bitwise_invert") and kind.shape == secret[0].shape:
        return _outside(secret[0].over, walk) or walk.new(kind.shape, key)
    if indicator and not (name in MOVES and len(secret) == 1):
        if name in ("bitwise_and", "multiply") and all(len(one.over) == 1 for one in secret):
            return _both([(one.over, one.shape) for one in secret], kind.shape, walk)
        return walk.new(kind.shape, key)
    if name in ("where", "multiply"):
        found = _chosen(name, operands, kind.shape, walk)
    elif name == "matmul" and len(secret) == 2:
        sides = [_contracted(operands, place, kind.shape, walk) for place in (0, 1)]
        found = _product(sides[0], sides[1], kind.shape, walk)
    else:
        found = _followed(name, attributes, operands, kind.shape, walk)
    if found is None or len(found) > _MOST:
        return walk.new(kind.shape, key)
    return found


def _outside(groups: Groups, walk: Selecting) -> Groups:
    """What is not in one selection, element by element; none where it is not one."""
    if len(groups) != 1 or len(groups[0]) != 1:
        return ()
    ((source, block),) = groups[0].items()
    if not isinstance(block, tuple) or len(block) != 1 or not block[0].is_selection:
        return ()
    return ({walk.outside(source): block},)


def rest_of(groups: Groups, walk: Selecting) -> tuple[Groups, int]:
    """The group of those that an exact count leaves out, and how many both are.

    Parameters
    ----------
    groups : tuple of Form
        What is counted.
    walk : Selecting

    Returns
    -------
    (groups, int)
        No groups where that is not known.
    """
    if len(groups) != 1 or len(groups[0]) != 1:
        return (), 0
    ((source, block),) = groups[0].items()
    if not isinstance(block, tuple) or len(block) != 1 or block[0].coefficient != 1:
        return (), 0
    count = prod(one.count for one in block[0].axes if isinstance(one, Whole))
    return ({walk.outside(source): block},), count


def _followed(
    name: str, attributes: Any, operands: Sequence[Value], shape: Shape, walk: Selecting
) -> Groups | None:
    grouped = [one for one in operands if one.over]
    if not grouped:
        return ()
    if name in _LINEAR or name in MOVES or len([o for o in operands if o.inputs]) == 1:
        found = _linearly(name, attributes, operands, shape, walk)
        if found is not None:
            return found
    if name in _REDUCING:
        axes = reduced_axes_of(attributes, operands[0].shape) or ()
        return _distinct(
            [summed(g, operands[0].shape, axes, attributes.keepdims) for g in operands[0].over],
            shape, walk,
        )  # fmt: skip
    return _spread(grouped, shape, walk) if OPERATIONS[name].elementwise else None


def _linearly(
    name: str, attributes: Any, operands: Sequence[Value], shape: Shape, walk: Selecting
) -> Groups | None:
    """Group by group, as if its members alone were numbers."""
    found: list[Form] = []
    for place, one in enumerate(operands):
        for group in one.over:
            shadows = [
                replace(o, form=group if k == place else {}, inputs=o.inputs)
                for k, o in enumerate(operands)
            ]
            form = linear_form(name, attributes, shadows, shape, walk.shapes)
            if form is None:
                return None
            found.append(form)
    return _distinct(found, shape, walk)


def _spread(several: Sequence[Value], shape: Shape, walk: Selecting) -> Groups | None:
    """Element by element: whatever any of the operands goes over."""
    found: list[Form] = []
    for one in several:
        for group in one.over:
            form = broadcasted(group, one.shape, shape, walk.shapes)
            if form is None:
                return None
            found.append(form)
    return _distinct(found, shape, walk)


def _chosen(name: str, operands: Sequence[Value], shape: Shape, walk: Selecting) -> Groups | None:
    """Elements taken or left out by a selection; what withholds small groups selects no rows."""
    if name == "where":
        return _where(operands, shape, walk)
    if not all(one.inputs for one in operands):
        found = _linearly(name, None, operands, shape, walk)
        return _spread(operands, shape, walk) if found is None else found
    masks = [one for one in operands if one.indicator and one.over]
    if not masks:
        return _spread([one for one in operands if not one.limits], shape, walk)
    total: Groups | None = ()
    for one in operands:
        total = total if one.limits else _product(total, _spread([one], shape, walk), shape, walk)
    return total


def _where(operands: Sequence[Value], shape: Shape, walk: Selecting) -> Groups | None:
    condition, *branches = operands
    if not condition.inputs or condition.limits:
        return _spread(branches, shape, walk)
    inside = _spread([condition], shape, walk)
    if not any(one.inputs for one in branches):
        return inside
    outside = walk.new(shape, ("outside", id(condition), shape))
    found: list[Form] = []
    for side, one in zip((inside, outside), branches, strict=True):
        if one.inputs:
            part = _product(side, _spread([one], shape, walk), shape, walk)
            if part is None:
                return None
            found += part
    return _distinct(found, shape, walk)


def _product(
    one: Groups | None, other: Groups | None, shape: Shape, walk: Selecting
) -> Groups | None:
    """Rows that are in a group of both."""
    if one is None or other is None:
        return None
    if not one or not other:
        return one or other
    if len(one) * len(other) > _MOST:
        return None
    pairs = [_joined([a, b], [shape, shape], shape, walk) for a in one for b in other]
    return _distinct([p for p in pairs if p is not None], shape, walk)


def _both(several: Sequence[tuple[Groups, Shape]], shape: Shape, walk: Selecting) -> Groups:
    found = _joined([g[0] for g, _ in several], [own for _, own in several], shape, walk)
    return () if found is None else (found,)


def _joined(
    groups: Sequence[Form], shapes: Sequence[Shape], shape: Shape, walk: Selecting
) -> Form | None:
    """All selections of several groups; one that is in two of them alike counts once."""
    total: Form = {}
    for group, own in zip(groups, shapes, strict=True):
        found = broadcasted(group, own, shape, walk.shapes)
        if found is None:
            return None
        for source, block in found.items():
            if source in total and not _alike(total[source], block, shape, walk.shapes[source]):
                both = added([{source: total[source]}, {source: block}], [shape, shape], shape,
                             walk.shapes)  # fmt: skip
                if both is None:
                    return None
                total.update(both)
            else:
                total[source] = block
    return total


def _contracted(
    operands: Sequence[Value], place: int, shape: Shape, walk: Selecting
) -> Groups | None:
    """A factor of a matrix product, added up along the axis that both share."""
    own, other = operands[place], operands[1 - place]
    if not own.over:
        return ()
    axis = len(own.shape) - 1 if place == 0 or len(own.shape) == 1 else len(own.shape) - 2
    kept = [*own.shape]
    kept[axis] = 1
    found: list[Form] = []
    for group in own.over:
        form: Form | None = summed(group, own.shape, [axis], True)
        middle = tuple(kept)
        if len(own.shape) == 1 and len(other.shape) > 1:
            form, middle = summed(group, own.shape, [0], False), ()
        elif len(other.shape) == 1 or len(own.shape) == 1:
            form = summed(group, own.shape, [axis], False)
            middle = tuple(e for k, e in enumerate(own.shape) if k != axis)
        form = broadcasted(form, middle, shape, walk.shapes) if form is not None else None
        if form is None:
            return None
        found.append(form)
    return _distinct(found, shape, walk)


def _distinct(groups: Sequence[Form], shape: Shape, walk: Selecting) -> Groups:
    found: list[Form] = []
    for group in groups:
        if group and not any(_same(group, other, shape, walk.shapes) for other in found):
            found.append(group)
    return tuple(found)


# Comparing.


def _same(one: Form, other: Form, shape: Shape, shapes: Mapping[int, Shape]) -> bool:
    return one.keys() == other.keys() and _within(one, other, shape, shapes)


def _within(less: Form, more: Form, shape: Shape, shapes: Mapping[int, Shape]) -> bool:
    """Whether all selections of the one are in the other, over the same rows."""
    return all(
        source in more and _alike(block, more[source], shape, shapes[source])
        for source, block in less.items()
    )


def _alike(one: Block, other: Block, shape: Shape, of: Shape) -> bool:
    """Whether two blocks go over the same elements."""
    if isinstance(one, tuple) and isinstance(other, tuple) and _places(one) == _places(other):
        return True
    first, second = dense(one, shape, of), dense(other, shape, of)
    if first is None or second is None:
        return False
    return bool(((first != 0) == (second != 0)).all())


def _places(block: Block) -> frozenset[Any]:
    return frozenset(
        (
            tuple(
                replace(one, step=1) if isinstance(one, Whole) and one.count == 1 else one
                for one in term.axes
            ),
            term.window,
        )
        for term in block
    )


def covered(
    groups: Groups, limits: Sequence[Limit], shape: Shape, shapes: Mapping[int, Shape]
) -> int | None:
    """The least number of rows that limits promise of groups; None if of one of them none.

    A limit is about the sum of its groups. It holds for a statistic that goes over all of them,
    each with the same selections or fewer.
    """
    if not groups:
        return None
    left = list(groups)
    least: list[int] = []
    for limit in sorted(limits, key=lambda one: -abs(one.least)):
        pairs = [
            [group for group in left if _within(group, counted, shape, shapes)]
            for counted in limit.groups
        ]
        if pairs and all(pairs):
            least.append(abs(limit.least))
            gone = {id(group) for several in pairs for group in several}
            left = [group for group in left if id(group) not in gone]
    return None if left else min(least, default=None)


def counts_twice(operands: Sequence[Value], walk: Selecting) -> bool:
    """Whether two counts that are added up go over one group: its rows are in the sum twice."""
    if len(operands) != 2:
        return False
    first, second = operands
    return any(
        _same(one, other, first.shape, walk.shapes) if first.shape == second.shape else True
        for one in first.over
        for other in second.over
        if one.keys() & other.keys()
    )


def rows_promised(threshold: float, strict: bool, groups: Groups) -> int:
    """How many rows there are at least if a count reaches a threshold; 0 if that is not known.

    Parameters
    ----------
    threshold : float
    strict : bool
        Whether the count is larger.
    groups : tuple of Form
        What is counted.
    """
    largest: dict[int, float] = {}  # of a selection, in all groups: they may overlap
    for group in groups:
        for source, block in group.items():
            if isinstance(block, np.ndarray):
                low, high = float(block.min(initial=0)), float(block.max(initial=0))
            else:
                low = min((term.coefficient for term in block), default=0.0)
                high = sum(max(term.coefficient, 0.0) for term in block)
            if low < 0:
                return 0
            largest[source] = largest.get(source, 0.0) + high
    if not any(largest.values()):
        return 0
    rows = threshold / max(largest.values())
    return max(floor(rows + _ROUNDED) + 1 if strict else ceil(rows - _ROUNDED), 0)


def moved_limits(
    name: str,
    attributes: Any,
    operands: Sequence[Value],
    shape: Shape,
    shapes: Mapping[int, Shape],
) -> tuple[Limit, ...]:
    """Limits of a value whose elements are moved or repeated."""
    first = operands[0]
    found: list[Limit] = []
    for limit in first.limits:
        groups: list[Form] = []
        for group in limit.groups:
            shadow = replace(first, form=group)
            moved = linear_form(name, attributes, [shadow, *operands[1:]], shape, shapes)
            if moved is None:
                return ()
            groups.append(moved)
        found.append(Limit(limit.least, tuple(groups)))
    return tuple(found)
