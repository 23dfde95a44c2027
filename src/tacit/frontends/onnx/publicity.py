"""Which inputs of a model must be public: shapes, axes and positions, and what they come from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from tacit.frontends.onnx.registry import RULES, rule_for

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

__all__ = ["OF_SHAPES", "PUBLIC_ONLY", "required_public", "subgraphs"]

OF_SHAPES: Final = frozenset({"Shape", "Size", "EyeLike", "IsNaN", "IsInf"})
"""Operators whose results are public although their inputs are secret."""

PUBLIC_ONLY: Final[Mapping[str, Collection[int]]] = {
    "BlackmanWindow": (0,),
    "ConstantOfShape": (0,),
    "HammingWindow": (0,),
    "HannWindow": (0,),
    "MelWeightMatrix": (0, 1, 2, 3, 4),
    "NonMaxSuppression": (0, 1, 2, 3, 4),
    "NonZero": (0,),
    "Range": (0, 1, 2),
    "Unique": (0,),
}
"""Operators that run on public inputs only, mostly because values decide shapes."""

_OF_FUNCTIONS: Final[Mapping[str, Collection[int]]] = {"AffineGrid": (1,), "Attention": (6,)}
"""Operators that are computed as ONNX's functions: the places that must be public."""


def subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    """The graphs among a node's attributes."""
    from onnx import AttributeProto

    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            yield attribute.g
        elif attribute.type == AttributeProto.GRAPHS:
            yield from attribute.graphs


def required_public(model: ModelProto) -> dict[str, str]:
    """By name: values of the main graph that must be public, and the node that asks for it."""
    versions = {
        "" if entry.domain == "ai.onnx" else entry.domain: entry.version
        for entry in model.opset_import
    }
    needed: dict[str, str] = {}
    _walk(model.graph, versions, needed)
    return needed


def _walk(graph: Any, versions: Mapping[str, int], needed: dict[str, str]) -> None:
    for node in reversed(graph.node):
        title = f"{node.name or next(iter(node.output), '')} ({node.op_type})"
        asked = [needed[name] for name in node.output if name in needed]
        if asked and node.op_type not in OF_SHAPES:
            for name in node.input:
                if name:
                    needed.setdefault(name, asked[0])
            for inner in subgraphs(node):
                for output in inner.output:
                    needed.setdefault(output.name, asked[0])
        domain = "" if node.domain == "ai.onnx" else node.domain
        rule_for(domain, node.op_type, versions.get(domain, 1))
        rule = RULES.get((domain, node.op_type))
        places = rule.public if rule is not None else _places(node.op_type)
        for place in places:
            if place < len(node.input) and node.input[place]:
                needed.setdefault(node.input[place], title)
        for inner in subgraphs(node):
            _walk(inner, versions, needed)


def _places(name: str) -> Collection[int]:
    return PUBLIC_ONLY.get(name) or _OF_FUNCTIONS.get(name, ())
