"""What in a model is not supported, found before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from tacit.frontends.onnx.clear import RANDOM
from tacit.frontends.onnx.functions import has_function
from tacit.frontends.onnx.publicity import OF_SHAPES, PUBLIC_ONLY, subgraphs
from tacit.frontends.onnx.refusals import Problem
from tacit.frontends.onnx.registry import RULES, rule_for

if TYPE_CHECKING:
    from onnx import FunctionProto, ModelProto, NodeProto

__all__ = ["problems"]

_NONE = "there is no rule for this operator on secrets"


def problems(model: ModelProto, secret: Collection[str]) -> list[Problem]:
    """The nodes that cannot run where some of the inputs are secret, all of them."""
    functions = {(each.domain, each.name): each for each in model.functions}
    versions = {_plain(entry.domain): entry.version for entry in model.opset_import}
    search = _Search(functions, versions)
    search.nodes(model.graph.node, set(secret))
    return search.found


def _plain(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain


class _Search:
    """Follows what is secret through a model."""

    def __init__(
        self, functions: Mapping[tuple[str, str], FunctionProto], versions: Mapping[str, int]
    ) -> None:
        self.functions = functions
        self.versions = versions
        self.found: list[Problem] = []
        self._depth = 0

    def nodes(self, nodes: Any, secret: set[str], *, within: bool = False) -> None:
        """Look at nodes in order; `secret` grows by what they give.

        Within loops and branches it is not known here what of what they carry is secret, so only
        operators that are unknown on any secret are found.
        """
        for node in nodes:
            inner = list(subgraphs(node))
            captured = any(_reads(graph, secret) for graph in inner)
            touched = captured or any(name in secret for name in node.input)
            domain = _plain(node.domain)
            body = self.functions.get((node.domain, node.op_type))
            if body is not None and touched and self._depth < 50:
                inside = {
                    name
                    for name, given in zip(body.input, node.input, strict=False)
                    if given in secret
                }
                self._depth += 1
                self.nodes(body.node, inside, within=True)
                self._depth -= 1
            elif body is None and touched:
                self._judge(node, domain, secret, within)
            elif node.op_type in RANDOM and not domain:
                self._add(node, domain, "it draws random numbers; make them an input")
            for graph in inner:
                carried = {value.name for value in graph.input} if touched else set()
                self.nodes(graph.node, secret | carried, within=True)
            if touched and not (node.op_type in OF_SHAPES and not domain):
                secret.update(name for name in node.output if name)

    def _judge(self, node: NodeProto, domain: str, secret: set[str], within: bool) -> None:
        version = self.versions.get(domain, 1)
        rule = rule_for(domain, node.op_type, version)
        if rule is not None:
            for place in () if within else rule.public:
                if place < len(node.input) and node.input[place] in secret:
                    reason = f"its input {place} ({node.input[place]!r}) must be public"
                    self._add(node, domain, reason)
            return
        if has_function(domain, node.op_type, version):
            return
        if node.op_type in PUBLIC_ONLY:
            if not within:
                self._add(node, domain, "the shape of what it gives depends on its inputs' values,"
                          " which must be public")  # fmt: skip
            return
        known = RULES.get((domain, node.op_type))
        if known is not None:
            self._add(node, domain, f"it is supported from version {known.since} of its operator"
                      f" set on, and the model uses {version}")  # fmt: skip
            return
        self._add(node, domain, _NONE)

    def _add(self, node: NodeProto, domain: str, reason: str) -> None:
        title = f"{domain}.{node.op_type}" if domain else node.op_type
        name = node.name or next((each for each in node.output if each), node.op_type)
        problem = Problem(title, name, reason)
        if problem not in self.found:
            self.found.append(problem)


def _reads(graph: Any, names: set[str]) -> bool:
    return any(
        any(name in names for name in node.input) or any(_reads(g, names) for g in subgraphs(node))
        for node in graph.node
    )
