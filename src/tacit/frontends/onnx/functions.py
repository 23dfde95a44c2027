"""Operators that ONNX itself defines as functions of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tacit.frontends.onnx.values import element_type

if TYPE_CHECKING:
    from onnx import FunctionProto, NodeProto

__all__ = ["FunctionBody", "function_of", "has_function"]


@dataclass(frozen=True, slots=True)
class FunctionBody:
    """A function and the versions of the operator sets that its nodes are of."""

    body: FunctionProto
    versions: Mapping[str, int]


def _schema(domain: str, name: str, version: int) -> Any:
    from onnx import defs

    try:
        return defs.get_schema(name, version, domain)
    except defs.SchemaError:
        return None


def has_function(domain: str, name: str, version: int) -> bool:
    """Whether ONNX defines this operator as a function."""
    schema = _schema(domain, name, version)
    return schema is not None and (schema.has_function or schema.has_context_dependent_function)


def function_of(
    node: NodeProto,
    domain: str,
    around: Mapping[str, int],
    attributes: Mapping[str, Any],
    inputs: Sequence[Any],
) -> FunctionBody | None:
    """The function that defines an operator, for inputs of these types; None if none does.

    `around` has the versions of the operator sets where the node stands.
    """
    from onnx import FunctionProto

    version = around.get(domain, 1)
    schema = _schema(domain, node.op_type, version)
    if schema is None:
        return None
    data = b""
    if schema.has_function:
        at = _latest(schema.function_opset_versions, version)
        data = schema.get_function_with_opset_version(at)
    elif schema.has_context_dependent_function:
        at = _latest(schema.context_dependent_function_opset_versions, version)
        types = [_type(value).SerializeToString() for value in inputs]
        plain = _resolved(node, attributes)
        data = schema.get_context_dependent_function_with_opset_version(
            at, plain.SerializeToString(), types
        )
    if not data:
        return None
    body = FunctionProto()
    body.ParseFromString(data)
    versions = {entry.domain: entry.version for entry in body.opset_import}
    return FunctionBody(body, {**around, **versions})


def _latest(versions: Sequence[int], version: int) -> int:
    fitting = [each for each in versions if each <= version]
    return max(fitting) if fitting else min(versions)


def _type(value: Any) -> Any:
    from onnx import TypeProto, helper

    if value is None:
        return TypeProto()
    if isinstance(value, list):
        inner = _type(value[0]) if value else helper.make_tensor_type_proto(1, None)
        return helper.make_sequence_type_proto(inner)
    return helper.make_tensor_type_proto(element_type(value), list(value.shape))


def _resolved(node: NodeProto, attributes: Mapping[str, Any]) -> NodeProto:
    """The node with all its attributes as values, and only those that the operator has."""
    import numpy as np
    from onnx import NodeProto, helper, numpy_helper

    if not any(attribute.ref_attr_name for attribute in node.attribute):
        return node
    plain = NodeProto()
    plain.CopyFrom(node)
    del plain.attribute[:]
    for name, value in attributes.items():
        tensor = numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
        plain.attribute.append(helper.make_attribute(name, tensor))
    return plain
