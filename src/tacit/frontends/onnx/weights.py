"""The weights of a model apart from it, so that they can be a party's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from numpy.typing import NDArray

from tacit.errors import ProgramError
from tacit.frontends.onnx.loading import array_of
from tacit.frontends.onnx.publicity import required_public, subgraphs
from tacit.frontends.onnx.registry import ML

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["private_names", "with_weights_apart"]

_HELD: Final = frozenset(
    {"LinearClassifier", "LinearRegressor", "SVMClassifier", "SVMRegressor", "Scaler", "Imputer",
     "TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor"}
)  # fmt: skip
"""Operators that keep what was learned in attributes."""


def with_weights_apart(proto: ModelProto) -> ModelProto:
    """The model with constant nodes of floats as weights; all others stay as they are.

    Raises
    ------
    ProgramError
        Nodes keep what was learned in their attributes, which stay public (TC-1540).
    """
    from onnx import ModelProto

    held = [
        f"{node.name or next(iter(node.output), '')} ({node.op_type})"
        for node in proto.graph.node
        if (node.domain == ML and node.op_type in _HELD)
        or any(_holds_weights(inner) for inner in subgraphs(node))
    ]
    if held:
        raise ProgramError(
            f"The weights of {', '.join(held)} are attributes of nodes, or inside of them, and so"
            " part of the program and public.",
            next_step="write the model with MatMul and Add instead, whose weights can be private,"
            " or leave private_weights out if all parties may see them.",
            case=40,
            stage="from_onnx",
        )
    apart = ModelProto()
    apart.CopyFrom(proto)
    kept = []
    for node in apart.graph.node:
        tensor = next((a.t for a in node.attribute if a.name == "value"), None)
        if node.op_type == "Constant" and not node.domain and tensor is not None:
            named = apart.graph.initializer.add()
            named.CopyFrom(tensor)
            named.name = node.output[0]
        else:
            kept.append(node)
    del apart.graph.node[:]
    apart.graph.node.extend(kept)
    return apart


def _holds_weights(graph: Any) -> bool:
    """Whether a graph within a node has weights of its own."""
    own = any(t.data_type in (1, 10, 11, 16) and len(t.dims) for t in graph.initializer)
    return own or any(_holds_weights(g) for node in graph.node for g in subgraphs(node))


def private_names(proto: ModelProto) -> dict[str, NDArray[Any]]:
    """The weights of floats by name, but for those that decide shapes or limits."""
    needed = required_public(proto)
    used = _weighing(proto.graph)
    return {
        tensor.name: array_of(tensor)
        for tensor in proto.graph.initializer
        if tensor.name in used
        and tensor.name not in needed
        and tensor.data_type in (1, 10, 11, 16)
        and len(tensor.dims)
    }


_PUBLIC_BY_USE: Final[dict[str, tuple[int, ...]]] = {"Pow": (1,), "Clip": (1, 2)}
"""Operators and the places of inputs that are no weights, although they may be secret."""


def _weighing(graph: Any) -> set[str]:
    """The names that are read at a place where weights stand, in graphs within too."""
    found: set[str] = set()
    for node in graph.node:
        spared = _PUBLIC_BY_USE.get(node.op_type, ())
        found.update(name for place, name in enumerate(node.input) if place not in spared)
        for inner in subgraphs(node):
            found |= _weighing(inner)
    return found
