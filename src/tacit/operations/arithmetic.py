"""Sums, differences, products, quotients and matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit import functions
from tacit.encoding.ring import Ring
from tacit.encoding.types import DType, fixed
from tacit.errors import RangeError, ShapeError
from tacit.functions.domains import require_least_bits
from tacit.operations.operation import Operation, ResultValues, local
from tacit.operations.precision import of_products, of_quotients
from tacit.operations.promotion import (
    broadcast_shape,
    broadcasted,
    broadcasted_bits,
    check_encodable,
    common_type,
    encoded,
    extremes,
    numeric,
    product_type,
    rescaled_up,
    ring_constant,
    secret_share,
)
from tacit.operations.scaling import scaled_constant, scaled_product
from tacit.operations.types import (
    ArrayType,
    Operand,
    PublicArray,
    SecretValue,
    operand_types,
    reshaped,
)
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["ARITHMETIC", "matmul_shape"]


# Sums and differences: local.


def _sum_rule(name: str) -> Any:
    def rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
        dtype = common_type(name, types)
        return ArrayType(dtype, broadcast_shape(name, *(t.shape for t in types)))

    return rule


def _add(party: Party, operands: Sequence[Operand], attributes: Any) -> SecretValue:
    """x + y. Local."""
    return _linear(party, operands, 1)


def _subtract(party: Party, operands: Sequence[Operand], attributes: Any) -> SecretValue:
    """x - y. Local."""
    return _linear(party, operands, -1)


def _linear(party: Party, operands: Sequence[Operand], sign: int) -> SecretValue:
    types = operand_types(operands)
    dtype = common_type("add", types)
    shape = broadcast_shape("add", types[0].shape, types[1].shape)
    x, y = operands
    if isinstance(x, SecretValue) and isinstance(y, SecretValue):
        left = broadcasted(party, rescaled_up(party, x, dtype), shape)
        right = broadcasted(party, rescaled_up(party, y, dtype), shape)
        return SecretValue(dtype, (party.add if sign > 0 else party.subtract)(left, right))
    if isinstance(x, SecretValue):
        assert not isinstance(y, SecretValue)
        left = broadcasted(party, rescaled_up(party, x, dtype), shape)
        constant = ring_constant(party, y, dtype)
        constant = constant if sign > 0 else party.ring.negate(constant)
        return SecretValue(dtype, party.add_public(left, constant))
    assert isinstance(y, SecretValue)
    right = broadcasted(party, rescaled_up(party, y, dtype), shape)
    right = right if sign > 0 else party.negate(right)
    return SecretValue(dtype, party.add_public(right, ring_constant(party, x, dtype)))


def _negative_rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
    numeric("negative", types)
    return types[0]


def _negative(party: Party, operands: Sequence[Operand], attributes: Any) -> SecretValue:
    """-x. Local."""
    x = operands[0]
    assert isinstance(x, SecretValue)
    return SecretValue(x.dtype, party.negate(x.share))


# Products.


def _multiply_rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
    shape = broadcast_shape("multiply", types[0].shape, types[1].shape)
    bits = [t for t in types if t.dtype.kind == "bool" and not t.public]
    if len(bits) == 1:
        other = types[1] if bits[0] is types[0] else types[0]
        if other.dtype.kind != "bool":
            return ArrayType(other.dtype, shape)
    return ArrayType(product_type("multiply", types), shape)


def _multiply(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """x · y: one truncated product where both are fixed point, else no truncation.

    A secret boolean times a number is the number or zero (bit injection).
    """
    types = operand_types(operands)
    shape = broadcast_shape("multiply", types[0].shape, types[1].shape)
    x, y = operands
    if not isinstance(x, SecretValue):
        x, y = y, x
    assert isinstance(x, SecretValue)
    if not isinstance(y, SecretValue):
        if x.dtype.kind == "bool":
            return (yield from _bits_times_public(party, x, y, shape))
        dtype = product_type("multiply", types)
        share = broadcasted(party, x.share, shape)
        bits = x.dtype.fraction_bits
        share = yield from scaled_product(party, share, bits, y, dtype.fraction_bits)
        return SecretValue(dtype, share)
    if y.dtype.kind == "bool":
        x, y = y, x
    if x.dtype.kind == "bool":
        chosen = broadcasted_bits(x.share, shape)
        share = yield from party.inject(chosen, broadcasted(party, y.share, shape))
        return SecretValue(y.dtype, share)
    return (yield from _secret_product(party, x, y, shape))


def _secret_product(
    party: Party, x: SecretValue, y: SecretValue, shape: tuple[int, ...]
) -> Step[SecretValue]:
    left = broadcasted(party, x.share, shape)
    right = broadcasted(party, y.share, shape)
    if x.dtype.kind == "fixed" and y.dtype.kind == "fixed":
        surplus = max(x.dtype.fraction_bits, y.dtype.fraction_bits)
        dtype = DType("fixed", min(x.dtype.fraction_bits, y.dtype.fraction_bits))
        return SecretValue(dtype, (yield from party.multiply_truncate(left, right, surplus)))
    dtype = x.dtype if x.dtype.kind == "fixed" else y.dtype
    return SecretValue(dtype, (yield from party.multiply(left, right)))


def _bits_times_public(
    party: Party, x: SecretValue, y: Any, shape: tuple[int, ...]
) -> Step[SecretValue]:
    dtype = fixed if y.dtype.kind == "f" else DType("int")
    share = yield from party.bit_to_arithmetic(x.share)
    share = broadcasted(party, share, shape)
    return SecretValue(dtype, party.multiply_public(share, ring_constant(party, y, dtype)))


# Quotients.


def _divide_rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
    dtype = common_type("divide", types)
    dtype = dtype if dtype.kind == "fixed" else fixed
    if not types[1].public:
        require_least_bits("divide", dtype.fraction_bits)
    return ArrayType(dtype, broadcast_shape("divide", types[0].shape, types[1].shape))


def _divide(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """x / y: a product with the encoded reciprocal where y is public."""
    result = _divide_rule(operand_types(operands), attributes)
    dtype, shape = result.dtype, result.shape
    x, y = operands
    if not isinstance(y, SecretValue):
        assert isinstance(x, SecretValue)
        share = broadcasted(party, x.share, shape)
        factor = _public_reciprocal(y)
        share = yield from scaled_product(
            party, share, x.dtype.fraction_bits, factor, dtype.fraction_bits
        )
        return SecretValue(dtype, share)
    divisor = broadcasted(party, rescaled_up(party, y, dtype), shape)
    if not isinstance(x, SecretValue) and (x == 1).all():
        share = yield from functions.reciprocal(party, divisor, dtype.fraction_bits)
    else:
        dividend = broadcasted(party, secret_share(party, x, dtype), shape)
        share = yield from functions.divide(party, dividend, divisor, dtype.fraction_bits)
    return SecretValue(dtype, share)


def _public_reciprocal(values: PublicArray) -> PublicArray:
    if values.size and not values.all():
        raise RangeError(
            "Division by a public zero.",
            next_step="remove the zeros from the public divisor.",
            case=11,
            stage="divide",
        )
    return np.asarray(1.0 / values.astype(np.float64))


# Matrix products.


def matmul_shape(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a matrix product, by NumPy's rules for ``@``.

    Raises
    ------
    ShapeError
        The shapes do not fit (TC-1111).
    """
    fits = bool(left) and bool(right)
    if fits:
        inner = right[0] if len(right) == 1 else right[-2]
        fits = left[-1] == inner
    if not fits:
        raise ShapeError(
            f"matmul: the shapes {left} and {right} do not fit.",
            next_step="the last axis of the first and the second-last of the second are summed"
            " over; use * for products with numbers.",
            case=11,
            stage="matmul",
        )
    batch = broadcast_shape("matmul", left[:-2], right[:-2])
    rows = left[-2:-1] if len(left) > 1 else ()
    columns = right[-1:] if len(right) > 1 else ()
    return (*batch, *rows, *columns)


def _matmul_rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
    dtype = product_type("matmul", types)
    return ArrayType(dtype, matmul_shape(types[0].shape, types[1].shape))


def _matmul(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """x @ y: communication of the result's size only; local where one side is public."""
    types = operand_types(operands)
    dtype = product_type("matmul", types)
    shape = matmul_shape(types[0].shape, types[1].shape)
    x, y = operands
    left = _as_matrix(x.share if isinstance(x, SecretValue) else x, types[0].shape, (1, -1))
    right = _as_matrix(y.share if isinstance(y, SecretValue) else y, types[1].shape, (-1, 1))
    if isinstance(x, SecretValue) and isinstance(y, SecretValue):
        if x.dtype.kind == "fixed" and y.dtype.kind == "fixed":
            surplus = max(x.dtype.fraction_bits, y.dtype.fraction_bits)
            share = yield from party.matmul_truncate(left, right, surplus)
        else:
            share = yield from party.matmul(left, right)
        return SecretValue(dtype, reshaped(share, shape))
    secret = x if isinstance(x, SecretValue) else y
    assert isinstance(secret, SecretValue)
    ring = party.ring
    to_bits, from_bits = dtype.fraction_bits, secret.dtype.fraction_bits
    if secret is x:
        matrix, bits = scaled_constant(right, to_bits, to_bits - from_bits, ring)
        share = left.map(lambda part: ring.matmul(part, matrix, threads=party.threads))
    else:
        matrix, bits = scaled_constant(left, to_bits, to_bits - from_bits, ring)
        share = right.map(lambda part: ring.matmul(matrix, part, threads=party.threads))
    surplus = from_bits + bits - to_bits
    if surplus:
        share = yield from party.truncate(share, surplus)
    return SecretValue(dtype, reshaped(share, shape))


def _as_matrix(array: Any, shape: tuple[int, ...], alone: tuple[int, int]) -> Any:
    """A vector as a matrix of one row or one column; matrices as they are."""
    return array.reshape(*alone) if len(shape) == 1 else array


def _check_factor(
    types: Sequence[ArrayType], values: Sequence[PublicArray | None], attributes: Any, ring: Ring
) -> None:
    for own, other, public in zip(types, types[::-1], values, strict=True):
        if public is not None and other.dtype.kind == "bool":
            encoded(extremes(public), own.dtype, ring=ring)
        elif public is not None:
            to_bits = product_type("multiply", types).fraction_bits
            least = to_bits - other.dtype.fraction_bits
            scaled_constant(extremes(public), to_bits, least, ring)


def _check_quotient(
    types: Sequence[ArrayType], values: Sequence[PublicArray | None], attributes: Any, ring: Ring
) -> None:
    dividend, divisor = values
    if divisor is not None:
        _check_factor(types, (None, _public_reciprocal(divisor)), attributes, ring)
    if dividend is not None:
        encoded(extremes(dividend), _divide_rule(types, attributes).dtype, ring=ring)


ARITHMETIC = (
    Operation("add", _sum_rule("add"), local(_add), check=check_encodable, elementwise=True),
    Operation(
        "subtract", _sum_rule("subtract"), local(_subtract), check=check_encodable, elementwise=True
    ),
    Operation("negative", _negative_rule, local(_negative), elementwise=True),
    Operation(
        "multiply",
        _multiply_rule,
        _multiply,
        check=_check_factor,
        elementwise=True,
        integers="modular",
        finest=of_products,
    ),
    Operation(
        "divide",
        _divide_rule,
        _divide,
        check=_check_quotient,
        elementwise=True,
        finest=of_quotients,
    ),
    Operation(
        "matmul",
        _matmul_rule,
        _matmul,
        check=_check_factor,
        integers="modular",
        finest=of_products,
    ),
)
