"""Running a model: its nodes in order, each by a rule, in the clear, or as its function.

A node whose inputs are all public is computed in the clear, as every party could. A node with a
rule is computed by it. What has no rule but is defined by ONNX as a function of other operators, or
by the model itself, is computed as that function. Shapes are public and known, so what a model
computes of them is computed here and never becomes part of a program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tacit.arrays.array import SecretArray
from tacit.errors import ProgramError, TacitError
from tacit.frontends.onnx.clear import evaluated
from tacit.frontends.onnx.functions import FunctionBody, function_of
from tacit.frontends.onnx.loading import array_of
from tacit.frontends.onnx.refusals import Problem, Refused, unsupported
from tacit.frontends.onnx.registry import Call, Rule, rule_for
from tacit.frontends.onnx.values import is_secret, operand, session_of

if TYPE_CHECKING:
    from onnx import FunctionProto, GraphProto, ModelProto, NodeProto

__all__ = ["Interpreter", "domain_of", "name_of"]


class _Missing:
    """What a node that was refused gives; those that need it are passed over."""


_MISSING: Final = _Missing()

_MOST_NODES: Final = 200_000
"""Nodes run in all, those of loops once a round: a model that needs more is no model."""

_DEEPEST: Final = 40
"""Functions within functions."""


def domain_of(node: NodeProto) -> str:
    """The domain of its operator; ONNX's main one is the empty string."""
    return "" if node.domain == "ai.onnx" else node.domain


def name_of(node: NodeProto) -> str:
    """What people find it by: its name, or that of its first output."""
    return node.name or next((name for name in node.output if name), node.op_type)


@dataclass(slots=True)
class _Scope:
    """The values by name in a graph or a function."""

    versions: Mapping[str, int]
    outer: _Scope | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.values:
                return scope.values[name]
            scope = scope.outer
        raise Refused(f"nothing gives its input {name!r}")


class Interpreter:
    """Runs one model, as often as wanted.

    Parameters
    ----------
    model : ModelProto
        Checked (``loading.py``).
    watch : callable, optional
        ``watch(node, values)`` is called with what every node of the main graph gave.
    """

    def __init__(
        self,
        model: ModelProto,
        watch: Callable[[NodeProto, Sequence[Any]], None] | None = None,
    ) -> None:
        self._model = model
        self._watch = watch
        self._functions: dict[tuple[str, str], FunctionProto] = {
            (function.domain, function.name): function for function in model.functions
        }
        self._versions = {
            "" if entry.domain == "ai.onnx" else entry.domain: entry.version
            for entry in model.opset_import
        }
        self._constants: dict[str, Any] = {}
        self._problems: list[Problem] = []
        self._nodes = 0
        self._depth = 0
        self._label = ""

    def run(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The model's outputs for inputs by name, secret or public.

        Raises
        ------
        ProgramError
            Nodes cannot run on secrets; all are named (TC-1535). An output is given by no node
            (TC-1537).
        """
        self._problems, self._nodes, self._depth = [], 0, 0
        scope = _Scope(self._versions)
        graph = self._model.graph
        for tensor in graph.initializer:
            if tensor.name not in inputs:
                if tensor.name not in self._constants:
                    self._constants[tensor.name] = array_of(tensor)
                scope.values[tensor.name] = self._constants[tensor.name]
        scope.values.update(inputs)
        self._run_nodes(graph.node, scope, watched=True)
        if self._problems:
            raise unsupported(self._problems)
        missing = [output.name for output in graph.output if output.name not in scope.values]
        if missing:
            raise ProgramError(
                f"Nothing in the model gives its output {missing[0]!r}.",
                next_step="export it again, and check it with onnx.checker.check_model.",
                case=37,
                stage="from_onnx",
            )
        return {output.name: scope[output.name] for output in graph.output}

    # One node.

    def _run_nodes(
        self, nodes: Sequence[NodeProto], scope: _Scope, *, watched: bool = False
    ) -> None:
        for node in nodes:
            self._nodes += 1
            if watched:
                self._label = f"{name_of(node)} ({node.op_type})"
            try:
                if self._nodes > _MOST_NODES:
                    raise Refused(f"the model runs more than {_MOST_NODES} nodes, loops unrolled")
                results = self._node(node, scope)
            except Refused as refused:
                results = self._refused(node, str(refused))
            except TacitError as error:
                if not getattr(error, "__notes__", ()):
                    error.add_note(f"In the model's node {name_of(node)!r} ({node.op_type}).")
                raise
            except Exception as error:
                # A rule meets whatever a broken model says; what it raises then names the node.
                found = f"{type(error).__name__}: {str(error)[:200]}"
                reason = f"its attributes or inputs are not what it takes ({found})"
                results = self._refused(node, reason)
            for name, value in zip(node.output, results, strict=False):
                if name:
                    scope.values[name] = value
            if watched and self._watch is not None:
                self._watch(node, results)

    def _refused(self, node: NodeProto, reason: str) -> list[Any]:
        """Note a node that cannot run, and what it gives instead."""
        domain = domain_of(node)
        title = f"{domain}.{node.op_type}" if domain else node.op_type
        self._problems.append(Problem(title, name_of(node), reason))
        return [_MISSING] * len(node.output)

    def _node(self, node: NodeProto, scope: _Scope) -> Sequence[Any]:
        raw = [scope[name] if name else None for name in node.input]
        if any(value is _MISSING for value in raw):
            return [_MISSING] * len(node.output)
        attributes = _attributes(node, scope.attributes)
        domain = domain_of(node)
        body = self._functions.get((node.domain, node.op_type))
        if body is not None:
            versions = {e.domain.removeprefix("ai.onnx") if e.domain == "ai.onnx" else e.domain:
                        e.version for e in body.opset_import}  # fmt: skip
            return self._function(FunctionBody(body, versions), attributes, raw)
        version = scope.versions.get(domain, 1)
        rule = rule_for(domain, node.op_type, version)
        secret = any(map(is_secret, raw))
        if not secret and (rule is None or not rule.always):
            return evaluated(node, attributes, raw, domain, version)
        if rule is not None:
            return self._by_rule(rule, node, scope, attributes, raw, version)
        function = function_of(node, domain, scope.versions, attributes, raw)
        if function is None:
            raise Refused("there is no rule for this operator on secrets")
        return self._function(function, attributes, raw)

    def _by_rule(
        self,
        rule: Rule,
        node: NodeProto,
        scope: _Scope,
        attributes: Mapping[str, Any],
        raw: Sequence[Any],
        version: int,
    ) -> Sequence[Any]:
        for place in rule.public:
            if place < len(raw) and is_secret(raw[place]):
                raise Refused(
                    f"its input {place} ({node.input[place]!r}) is secret and must be public"
                )

        def run(graph: GraphProto, inputs: Sequence[Any], trial: bool = False) -> list[Any]:
            return self._subgraph(graph, inputs, scope, trial=trial)

        outputs = list(node.output)
        call = Call(rule.operator, version, attributes, outputs, raw, run, scope.__getitem__)
        given = raw
        if any(isinstance(value, SecretArray) for value in raw):
            session: Any = session_of(*raw)
            if hasattr(session, "note"):  # of a program that is being made: where it comes from
                session.note = self._label
            given = [operand(value, session) for value in raw]
        results = rule.apply(call, *given)
        return results if isinstance(results, tuple) else (results,)

    # Graphs within.

    def _subgraph(
        self, graph: GraphProto, inputs: Sequence[Any], outer: _Scope, *, trial: bool
    ) -> list[Any]:
        scope = _Scope(outer.versions, outer, outer.attributes)
        for tensor in graph.initializer:
            scope.values[tensor.name] = array_of(tensor)
        for declared, value in zip(graph.input, inputs, strict=False):
            scope.values[declared.name] = value
        before = len(self._problems)
        self._run_nodes(graph.node, scope)
        if len(self._problems) > before:
            if trial:
                del self._problems[before:]
            raise Refused("its subgraph holds nodes that cannot run on secrets")
        return [scope[output.name] for output in graph.output]

    def _function(
        self, function: FunctionBody, attributes: Mapping[str, Any], raw: Sequence[Any]
    ) -> Sequence[Any]:
        defaults = {entry.name: _plain(entry) for entry in function.body.attribute_proto}
        scope = _Scope(function.versions, attributes={**defaults, **attributes})
        padded = [*raw, *[None] * (len(function.body.input) - len(raw))]
        scope.values.update(zip(function.body.input, padded, strict=False))
        before = len(self._problems)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Refused("it is a function within functions, too deep")
        self._run_nodes(function.body.node, scope)
        self._depth -= 1
        if len(self._problems) > before:
            reasons = "; ".join(map(str, self._problems[before:]))
            del self._problems[before:]
            raise Refused(
                f"it is a function of other operators, of which one is refused: {reasons}"
            )
        # What the node does not ask for, the function may leave out.
        return [scope.values.get(name) for name in function.body.output]


def _attributes(node: NodeProto, around: Mapping[str, Any]) -> dict[str, Any]:
    """By name; those that refer to an attribute of the function around are looked up there."""
    found = {}
    for attribute in node.attribute:
        if attribute.ref_attr_name:
            if attribute.ref_attr_name in around:
                found[attribute.name] = around[attribute.ref_attr_name]
        else:
            found[attribute.name] = _plain(attribute)
    return found


def _plain(attribute: Any) -> Any:
    """An attribute as a Python value; tensors as NumPy arrays."""
    from onnx import AttributeProto, helper, numpy_helper

    value = helper.get_attribute_value(attribute)
    if attribute.type == AttributeProto.TENSOR:
        return numpy_helper.to_array(value)
    if attribute.type == AttributeProto.STRINGS:
        return [np.bytes_(text) for text in value]
    return list(value) if not isinstance(value, int | float | bytes) and _is_many(value) else value


def _is_many(value: Any) -> bool:
    return hasattr(value, "__len__") and not hasattr(value, "DESCRIPTOR")
