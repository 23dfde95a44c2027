"""Trees and ensembles of trees of ai.onnx.ml.

Every node of every tree is compared once, in one batch; a leaf is reached where all comparisons on
its path agree; its values are then summed with public weights. Nobody learns which paths were
taken. Comparisons are exact on the encoded numbers: a feature within 2^-18 of a threshold may fall
on its other side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from tacit.arrays import functions as tacit
from tacit.encoding.types import int64
from tacit.frontends.onnx.registry import ML, Call, operator
from tacit.frontends.onnx.rules.scores import classes_of, labels_at, transformed
from tacit.frontends.onnx.values import joined, secretly

__all__: list[str] = []

_MODES: Final = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
_DEEPEST: Final = 1000


@dataclass(frozen=True, slots=True)
class _Leaf:
    """Which comparisons lead to a leaf, and with which outcome each."""

    tree: int
    node: int
    path: tuple[tuple[int, bool], ...]


@dataclass(frozen=True, slots=True)
class _Forest:
    """The comparisons of all trees, and their leaves.

    Attributes
    ----------
    features, thresholds, modes : sequence
        One of each a comparison.
    leaves : sequence of _Leaf
    """

    features: Sequence[int]
    thresholds: Sequence[float]
    modes: Sequence[str]
    leaves: Sequence[_Leaf]


def _forest(call: Call) -> _Forest:
    """The trees of the attributes ``nodes_*``, walked from their roots."""
    trees, numbers = call.get("nodes_treeids"), call.get("nodes_nodeids")
    modes = [_text(mode) for mode in call.get("nodes_modes")]
    values = call.get("nodes_values_as_tensor")
    values = call.get("nodes_values") if values is None else np.ravel(values).tolist()
    at = {(t, n): place for place, (t, n) in enumerate(zip(trees, numbers, strict=True))}
    roots: dict[int, int] = {}
    for place, tree in enumerate(trees):
        roots.setdefault(tree, place)
    compared: dict[int, int] = {}
    leaves: list[_Leaf] = []
    yes, no = call.get("nodes_truenodeids"), call.get("nodes_falsenodeids")

    def walk(tree: int, root: int) -> None:
        waiting: list[tuple[int, tuple[tuple[int, bool], ...]]] = [(root, ())]
        while waiting:
            place, path = waiting.pop()
            if len(path) > _DEEPEST:
                raise call.refuse(f"a tree is deeper than {_DEEPEST}, or goes in circles")
            if modes[place] == "LEAF":
                leaves.append(_Leaf(tree, numbers[place], path))
                continue
            if modes[place] not in _MODES:
                raise call.refuse(f"its nodes of mode {modes[place]!r} are not supported")
            turn = compared.setdefault(place, len(compared))
            for child, outcome in ((no[place], False), (yes[place], True)):
                if (tree, child) not in at:
                    raise call.refuse("a tree names a node that is not there")
                waiting.append((at[tree, child], (*path, (turn, outcome))))

    for tree, root in roots.items():
        walk(tree, root)
    order = sorted(compared, key=lambda place: compared[place])
    features = call.get("nodes_featureids")
    return _Forest(
        [features[place] for place in order],
        [float(values[place]) for place in order],
        [modes[place] for place in order],
        leaves,
    )


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _reached(x: Any, forest: _Forest) -> Any:
    """(rows, leaves): secret booleans, true where a row ends."""
    outcomes = _outcomes(x, forest)
    depth = max((len(leaf.path) for leaf in forest.leaves), default=0)
    if outcomes is None or not depth:
        return None
    count = len(forest.modes)
    # Behind the outcomes stand their opposites, and one that is always true for shorter paths.
    both = joined([outcomes, ~outcomes, np.ones((x.shape[0], 1), np.bool_)], 1)
    table = np.full((len(forest.leaves), depth), 2 * count)
    for row, leaf in enumerate(forest.leaves):
        for column, (turn, outcome) in enumerate(leaf.path):
            table[row, column] = turn if outcome else count + turn
    return tacit.all(both[:, table], axis=-1)


def _outcomes(x: Any, forest: _Forest) -> Any:
    """(rows, comparisons): which of them hold."""
    if not forest.modes:
        return None
    columns = x[:, np.array(forest.features, np.int64)]
    modes = np.array(forest.modes)
    thresholds = np.array(forest.thresholds)
    if x.dtype.kind == "int":
        # Whole numbers: what a fraction is compared with can be rounded.
        strict = np.isin(modes, ["BRANCH_LT", "BRANCH_GTE"])
        thresholds = np.where(strict, np.ceil(thresholds), np.floor(thresholds)).astype(np.int64)
    parts, order = [], []
    for mode in dict.fromkeys(forest.modes):
        places = np.nonzero(modes == mode)[0]
        order.extend(places.tolist())
        some, limits = columns[:, places], thresholds[places]
        match mode:
            case "BRANCH_LEQ":
                parts.append(some <= limits)
            case "BRANCH_LT":
                parts.append(some < limits)
            case "BRANCH_GTE":
                parts.append(some >= limits)
            case "BRANCH_GT":
                parts.append(some > limits)
            case "BRANCH_EQ":
                parts.append(some == limits)
            case _:
                parts.append(some != limits)
    return joined(parts, 1)[:, np.argsort(order)]


def _summed(
    call: Call,
    x: Any,
    forest: _Forest,
    values: dict[tuple[int, int], list[tuple[int, float]]],
    width: int,
    aggregate: str = "SUM",
) -> Any:
    """(rows, width): the values of the leaves that are reached, over all trees."""
    weights = np.zeros((len(forest.leaves), width))
    for row, leaf in enumerate(forest.leaves):
        for target, weight in values.get((leaf.tree, leaf.node), ()):
            weights[row, target] += weight
    trees = len({leaf.tree for leaf in forest.leaves})
    reached = _reached(x, forest)
    fractions = x.session.fractions
    if reached is None:
        return secretly(np.tile(weights.sum(axis=0), (x.shape[0], 1)), x.session)
    if aggregate in ("MIN", "MAX"):
        return _extreme(reached, forest, weights, aggregate, fractions)
    if aggregate == "AVERAGE":
        weights = weights / max(1, trees)
    return _weighed(reached, weights, fractions)


def _weighed(reached: Any, weights: Any, fractions: Any) -> Any:
    """Whole numbers times public fractions: exact on the encoded weights, nothing is truncated."""
    found = reached.astype(int64) @ weights
    return found if found.dtype == fractions else found.astype(fractions)


def _extreme(reached: Any, forest: _Forest, weights: Any, aggregate: str, fractions: Any) -> Any:
    trees = np.array([leaf.tree for leaf in forest.leaves])
    parts = [
        _weighed(reached[:, trees == tree], weights[trees == tree], fractions)[None]
        for tree in np.unique(trees)
    ]
    stacked = joined(parts, 0)
    return tacit.max(stacked, axis=0) if aggregate == "MAX" else tacit.min(stacked, axis=0)


def _values(call: Call, prefix: str, place: str) -> dict[tuple[int, int], list[tuple[int, float]]]:
    found: dict[tuple[int, int], list[tuple[int, float]]] = {}
    weights = call.get(f"{prefix}_weights_as_tensor")
    weights = call.get(f"{prefix}_weights") if weights is None else np.ravel(weights).tolist()
    entries = zip(
        call.get(f"{prefix}_treeids"), call.get(f"{prefix}_nodeids"), call.get(place), weights,
        strict=True,
    )  # fmt: skip
    for tree, node, target, weight in entries:
        found.setdefault((tree, node), []).append((target, float(weight)))
    return found


def _base(call: Call) -> Any:
    tensor = call.get("base_values_as_tensor")
    base = call.get("base_values") if tensor is None else np.ravel(tensor).tolist()
    return np.array(base, np.float64) if base else 0.0


@operator("TreeEnsembleRegressor", since=1, domain=ML)
def _regressor(call: Call, x: Any) -> Any:
    width = call.get("n_targets", 1)
    aggregate = call.text("aggregate_function", "SUM")
    values = _values(call, "target", "target_ids")
    return transformed(
        call, _summed(call, x, _forest(call), values, width, aggregate) + _base(call)
    )


@operator("TreeEnsembleClassifier", since=1, domain=ML)
def _classifier(call: Call, x: Any) -> Any:
    """The label, and the scores of all classes."""
    labels = classes_of(call)
    values = _values(call, "class", "class_ids")
    used = {target for entries in values.values() for target, _ in entries}
    base = _base(call)
    if len(labels) == 2 and len(used) == 1:
        return _binary(call, x, labels, values, base)
    scores = _summed(call, x, _forest(call), values, len(labels)) + base
    return labels_at(labels, tacit.argmax(scores, axis=-1)), transformed(call, scores)


def _binary(call: Call, x: Any, labels: list[Any], values: Any, base: Any) -> Any:
    """Leaves weigh one class only, and the other gets what is left."""
    moved = {key: [(0, weight) for _, weight in entries] for key, entries in values.items()}
    bias = np.ravel(base)
    scores = _summed(call, x, _forest(call), moved, 1) + (bias[-1] if bias.size else 0.0)
    weights = [weight for entries in moved.values() for _, weight in entries]
    transform = call.text("post_transform", "NONE")
    if transform == "LOGISTIC":
        found = tacit.sigmoid(scores)
        both, positive = joined([1 - found, found], 1), scores > 0
    elif transform == "NONE" and min(weights, default=0) >= 0:
        both, positive = joined([1 - scores, scores], 1), scores > 0.5
    else:
        both, positive = transformed(call, joined([-scores, scores], 1)), scores > 0
    return labels_at(labels, positive[:, 0].astype(int64)), both


# The form of version 5.

_AGGREGATES: Final = ("AVERAGE", "SUM", "MIN", "MAX")


@operator("TreeEnsemble", since=5, domain=ML)
def _ensemble(call: Call, x: Any) -> Any:
    """Nodes without ids, whose children are named by their places."""
    modes = np.ravel(call.get("nodes_modes")).tolist()
    splits = np.ravel(call.get("nodes_splits")).tolist()
    features = call.get("nodes_featureids")
    compared: dict[int, int] = {}
    leaves: list[_Leaf] = []
    for tree, root in enumerate(call.get("tree_roots")):
        alone = call.get("nodes_trueleafs")[root] and call.get("nodes_falseleafs")[root]
        same = call.get("nodes_truenodeids")[root] == call.get("nodes_falsenodeids")[root]
        if alone and same:
            leaves.append(_Leaf(tree, call.get("nodes_truenodeids")[root], ()))
            continue
        waiting: list[tuple[int, tuple[tuple[int, bool], ...]]] = [(root, ())]
        while waiting:
            place, path = waiting.pop()
            if not 0 <= place < len(modes) or len(path) > _DEEPEST:
                raise call.refuse("a tree names a node that is not there, or goes in circles")
            if not modes[place] < len(_MODES):
                raise call.refuse("its nodes that ask for membership in a set are not supported")
            turn = compared.setdefault(place, len(compared))
            for side, outcome in (("false", False), ("true", True)):
                child = call.get(f"nodes_{side}nodeids")[place]
                longer = (*path, (turn, outcome))
                if call.get(f"nodes_{side}leafs")[place]:
                    leaves.append(_Leaf(tree, child, longer))
                else:
                    waiting.append((child, longer))
    order = sorted(compared, key=lambda place: compared[place])
    forest = _Forest(
        [features[place] for place in order],
        [float(splits[place]) for place in order],
        [_MODES[modes[place]] for place in order],
        leaves,
    )
    weights = np.ravel(call.get("leaf_weights")).tolist()
    targets = call.get("leaf_targetids")
    values = {
        (leaf.tree, leaf.node): [(targets[leaf.node], float(weights[leaf.node]))] for leaf in leaves
    }
    aggregate = _AGGREGATES[call.get("aggregate_function", 1)]
    transform = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")[
        call.get("post_transform", 0)
    ]
    found = _summed(call, x, forest, values, call.get("n_targets", 1), aggregate)
    return transformed(_with_transform(call, transform), found)


def _with_transform(call: Call, name: str) -> Call:
    attributes = {**call.attributes, "post_transform": name.encode()}
    return replace(call, attributes=attributes)
