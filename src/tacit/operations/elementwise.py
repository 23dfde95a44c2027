"""Functions of fixed-point numbers: exponential, logarithm, roots, sigmoid, and their like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tacit import functions
from tacit.encoding.types import DType, fixed
from tacit.functions.activations import require_slope
from tacit.functions.domains import require_least_bits
from tacit.operations.operation import (
    Attributes,
    Meaning,
    Operation,
    ResultTypes,
    ResultValues,
    Rule,
)
from tacit.operations.precision import finest_of, of_functions, of_products
from tacit.operations.promotion import (
    broadcast_shape,
    broadcasted,
    check_encodable,
    common_type,
    numeric,
    rescaled_up,
    secret_share,
)
from tacit.operations.types import ArrayType, Operand, SecretValue, operand_types
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["ELEMENTWISE"]


def _fixed_type(dtype: DType) -> DType:
    return dtype if dtype.kind == "fixed" else fixed


def _rule(name: str) -> Rule:
    def rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
        numeric(name, types)
        dtype = _fixed_type(types[0].dtype)
        require_least_bits(name, dtype.fraction_bits)
        return ArrayType(dtype, types[0].shape)

    return rule


def _meaning(function: Callable[[Party, Any, int], Step[Any]]) -> Meaning:
    def meaning(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
        """A function in fixed point; integers become ``tacit.fixed`` first."""
        value = operands[0]
        assert isinstance(value, SecretValue)
        dtype = _fixed_type(value.dtype)
        share = rescaled_up(party, value, dtype)
        return SecretValue(dtype, (yield from function(party, share, dtype.fraction_bits)))

    return meaning


def _of_two(name: str, function: Callable[[Party, Any, Any, int], Step[Any]]) -> Operation:
    """A function of two fixed-point numbers, one of which may be public."""

    def rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
        dtype = _fixed_type(common_type(name, types))
        require_least_bits(name, dtype.fraction_bits)
        return ArrayType(dtype, broadcast_shape(name, *(t.shape for t in types)))

    def meaning(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
        """A function in fixed point; integers and public numbers become fixed point first."""
        result = rule(operand_types(operands), attributes)
        x, y = (
            broadcasted(party, secret_share(party, operand, result.dtype), result.shape)
            for operand in operands
        )
        share = yield from function(party, x, y, result.dtype.fraction_bits)
        return SecretValue(result.dtype, share)

    return Operation(
        name, rule, meaning, check=check_encodable, elementwise=True, finest=finest_of(name)
    )


class Slope(Attributes, frozen=True):
    """The public factor of an activation function below 0."""

    slope: float


def _sloped(name: str, function: Callable[[Party, Any, int, float], Step[Any]]) -> Operation:
    """A function with a public factor below 0."""
    plain = _rule(name)

    def rule(types: Sequence[ArrayType], attributes: Slope) -> ResultTypes:
        require_slope(name, attributes.slope)
        return plain(types, attributes)

    def meaning(party: Party, operands: Sequence[Operand], attributes: Slope) -> Step[ResultValues]:
        """A function in fixed point; integers become ``tacit.fixed`` first."""

        def with_slope(party: Party, x: Any, fraction_bits: int) -> Step[Any]:
            return function(party, x, fraction_bits, attributes.slope)

        return _meaning(with_slope)(party, operands, attributes)

    return Operation(name, rule, meaning, Slope, elementwise=True, finest=of_functions)


def _square_rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
    numeric("square", types)
    return types[0]


def _square(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """x^2: one product, in the ring for integers."""
    value = operands[0]
    assert isinstance(value, SecretValue)
    share = yield from functions.square(party, value.share, value.dtype.fraction_bits)
    return SecretValue(value.dtype, share)


_OF_ONE = tuple(
    Operation(name, _rule(name), _meaning(function), elementwise=True, finest=finest_of(name))
    for name, function in (
        ("exp", functions.exp),
        ("log", functions.log),
        ("sqrt", functions.sqrt),
        ("reciprocal", functions.reciprocal),
        ("sigmoid", functions.sigmoid),
        ("tanh", functions.tanh),
        ("expm1", functions.expm1),
        ("log1p", functions.log1p),
        ("log2", functions.log2),
        ("log10", functions.log10),
        ("rsqrt", functions.rsqrt),
        ("sin", functions.sin),
        ("cos", functions.cos),
        ("tan", functions.tan),
        ("asin", functions.asin),
        ("acos", functions.acos),
        ("atan", functions.atan),
        ("erf", functions.erf),
        ("softplus", functions.softplus),
        ("silu", functions.silu),
        ("gelu", functions.gelu),
    )
)

_OF_TWO_EXPONENTIALS = tuple(
    Operation(
        name,
        _rule(name),
        _meaning(function),
        elementwise=True,
        finest=of_functions,
        width=lambda types: 2,
    )
    for name, function in (("sinh", functions.sinh), ("cosh", functions.cosh))
)

ELEMENTWISE = (
    *_OF_ONE,
    *_OF_TWO_EXPONENTIALS,
    Operation("square", _square_rule, _square, elementwise=True, finest=of_products),
    _of_two("hypot", functions.hypot),
    _of_two("atan2", functions.atan2),
    _of_two("logaddexp", functions.logaddexp),
    _sloped("elu", functions.elu),
    _sloped("leaky_relu", functions.leaky_relu),
)
