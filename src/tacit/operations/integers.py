"""Integers: whole quotients and remainders, bits, shifts. Quotients also of fixed point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit import functions
from tacit.encoding.ring import Ring
from tacit.encoding.types import DType
from tacit.errors import RangeError, TypeMismatchError
from tacit.functions.integers import (
    extended,
    from_planes,
    power_of_two,
    public_planes,
    shifted_down,
)
from tacit.operations.operation import Operation, ResultValues, Rule
from tacit.operations.promotion import (
    broadcast_shape,
    broadcasted,
    common_type,
    encoded,
    extremes,
    ring_constant,
    secret_share,
)
from tacit.operations.types import ArrayType, Operand, PublicArray, SecretValue, operand_types
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step

__all__ = ["INTEGER", "integer_bits", "integer_type"]

_FIXED_BOUND = 1 << 62
_DIVISOR_BITS = 32
"""Secret dividends and divisors lie below 2^32 in the ring."""


# Quotients and remainders.


def _rule(name: str) -> Rule:
    def rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
        dtype = _short(name, common_type(name, types))
        return ArrayType(dtype, broadcast_shape(name, *(t.shape for t in types)))

    return rule


def _short(name: str, dtype: DType) -> DType:
    """The type, if it is no integer of 128 bits: quotients and shifts read 64 bits.

    Raises
    ------
    TypeMismatchError
        It is one (TC-1272).
    """
    if dtype.bits > 64:
        raise TypeMismatchError(
            f"{name}: quotients, remainders and shifts are built for integers of up to 64 bits.",
            next_step="convert with x.astype(tacit.int64) if the numbers are below 2^63; a product"
            " with a public power of two shifts to the left.",
            case=72,
            stage=name,
        )
    return dtype


def _division_rule(types: Sequence[ArrayType], attributes: Any) -> tuple[ArrayType, ArrayType]:
    result = _rule("divmod")(types, attributes)
    assert isinstance(result, ArrayType)
    return result, result


def _divided(party: Party, operands: Sequence[Operand]) -> Step[tuple[SecretValue, SecretValue]]:
    """⌊x / y⌋ and x - y ⌊x / y⌋. Exact; see ``functions/quotients.py``."""
    types = operand_types(operands)
    dtype = common_type("floor_divide", types)
    shape = broadcast_shape("floor_divide", *(t.shape for t in types))
    x, y = operands
    dividend = broadcasted(party, secret_share(party, x, dtype), shape)
    if isinstance(y, SecretValue):
        divisor = broadcasted(party, secret_share(party, y, dtype), shape)
        quotient, remainder = yield from functions.floor_divide(
            party, dividend, divisor, min(dtype.bits, _DIVISOR_BITS)
        )
    else:
        constant = party.ring.low_words(ring_constant(party, y, dtype))
        quotient, remainder = yield from functions.floor_divide_public(
            party, dividend, constant, _bound(dtype)
        )
    if dtype.kind == "fixed":
        quotient = party.multiply_public(quotient, 1 << dtype.fraction_bits)
    return SecretValue(dtype, quotient), SecretValue(dtype, remainder)


def _bound(dtype: DType) -> int | None:
    if dtype.kind == "fixed":
        return _FIXED_BOUND
    return 1 << dtype.bits if dtype.narrow else None


def _floor_divide(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """x // y, rounded down; for secret y of 0 it is 0."""
    quotient, _ = yield from _divided(party, operands)
    return quotient


def _remainder(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """x % y with the sign of y; for secret y of 0 it is x."""
    _, remainder = yield from _divided(party, operands)
    return remainder


def _divmod(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """Both, for the price of one."""
    return (yield from _divided(party, operands))


def _check_division(
    types: Sequence[ArrayType], values: Sequence[PublicArray | None], attributes: Any, ring: Ring
) -> None:
    dtype = common_type("floor_divide", types)
    for public in values:
        if public is not None:
            encoded(extremes(public), dtype, ring=ring)
    divisor = values[1]
    if divisor is not None and not ring.to_floats(encoded(divisor, dtype, ring=ring)).all():
        raise RangeError(
            f"Division by a public zero, as {dtype!r} holds it.",
            next_step="remove the zeros from the public divisor, and fractions that round to 0.",
            case=11,
            stage="floor_divide",
        )


# Bits.


def integer_type(name: str, types: Sequence[ArrayType]) -> DType:
    """The common type of integers.

    Raises
    ------
    TypeMismatchError
        One is no integer (TC-1270).
    """
    for place, array_type in enumerate(types):
        if array_type.dtype.kind != "int":
            raise TypeMismatchError(
                f"{name}: operand {place + 1} is {array_type.dtype!r}, not an integer.",
                next_step="convert it, for instance with x.astype(tacit.int64).",
                case=70,
                stage=name,
            )
    return common_type(name, types)


def integer_bits(party: Party, name: str, operands: Sequence[Operand]) -> Step[SecretValue]:
    """AND, OR and XOR of integers, bit by bit.

    All bits of the secret operands, the operation on the planes of the result's type, and the
    planes summed: 10 rounds for `replicated3`, 11 where both are secret for AND and OR.
    """
    types = operand_types(operands)
    dtype = common_type(name, types)
    shape = broadcast_shape(name, *(t.shape for t in types))

    def bits(operand: Operand) -> Step[Any]:
        if not isinstance(operand, SecretValue):
            values = np.broadcast_to(operand, shape).astype(np.int64)
            return public_planes(party, values, dtype.bits)
        planes = yield from party.to_bits(broadcasted(party, operand.share, shape))
        return extended(party, planes, operand.dtype, dtype)

    x, y = operands
    if not isinstance(x, SecretValue):
        x, y = y, x
    a, b = yield from together(bits(x), bits(y))
    if name == "bitwise_xor":
        planes = party.xor(a, b)
    else:
        flip = name == "bitwise_or"  # a OR b = NOT (NOT a AND NOT b)
        left, right = (party.invert(a), party.invert(b)) if flip else (a, b)
        if isinstance(y, SecretValue):
            planes = yield from party.bitwise_and(left, right)
        else:
            mask = np.broadcast_to(y, shape).astype(np.int64)
            planes = _masked(party, left, ~mask if flip else mask, dtype.bits)
        planes = party.invert(planes) if flip else planes
    return SecretValue(dtype, (yield from from_planes(party, planes, dtype)))


def _masked(party: Party, planes: Any, mask: NDArray[np.int64], bits: int) -> Any:
    def plane(k: int) -> Any:
        chosen = ((mask >> k) & 1).astype(np.uint8)
        return planes.plane(k).map(lambda plain: plain & chosen)

    return party.stack_planes([plane(k) for k in range(bits)])


# Shifts.


def _shift_rule(name: str) -> Rule:
    def rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
        dtype = _short(name, integer_type(name, types))
        return ArrayType(dtype, broadcast_shape(name, *(t.shape for t in types)))

    return rule


def _left_shift(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """x · 2^k, wrapping; local for public k. Secret k lie in 0 to 63."""
    result = _shift_rule("bitwise_left_shift")(operand_types(operands), attributes)
    assert isinstance(result, ArrayType)
    x, k = operands
    if isinstance(k, SecretValue):
        power = yield from power_of_two(party, k.share)
        power = broadcasted(party, power, result.shape)
        if not isinstance(x, SecretValue):
            factor = x.astype(np.int64)
            return SecretValue(result.dtype, party.multiply_public(power, factor))
        share = broadcasted(party, x.share, result.shape)
        return SecretValue(result.dtype, (yield from party.multiply(share, power)))
    assert isinstance(x, SecretValue)
    amounts = k.astype(np.int64)
    powers = np.where(amounts < 64, np.int64(1) << amounts.clip(0, 63), 0)
    share = broadcasted(party, x.share, result.shape)
    return SecretValue(result.dtype, party.multiply_public(share, powers))


def _right_shift(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """⌊x / 2^k⌋; exact for every number. Secret k lie in 0 to 63."""
    result = _shift_rule("bitwise_right_shift")(operand_types(operands), attributes)
    assert isinstance(result, ArrayType)
    x, k = operands
    if isinstance(k, SecretValue):
        return (yield from _shifted_by_secret(party, x, k, result))
    assert isinstance(x, SecretValue)
    share = broadcasted(party, x.share, result.shape)
    shifted = yield from functions.shift_right(
        party, share, k.astype(np.int64), _bound(result.dtype)
    )
    return SecretValue(result.dtype, shifted)


def _shifted_by_secret(
    party: Party, x: Operand, k: SecretValue, result: ArrayType
) -> Step[SecretValue]:
    dtype = result.dtype
    if isinstance(x, SecretValue):
        bits = yield from party.to_bits(broadcasted(party, x.share, result.shape))
        planes = extended(party, bits, x.dtype, dtype)
    else:
        planes = public_planes(party, np.broadcast_to(x, result.shape).astype(np.int64), dtype.bits)
    amounts = broadcasted(party, k.share, result.shape)
    planes = yield from shifted_down(party, planes, amounts, signed=dtype.signed)
    return SecretValue(dtype, (yield from from_planes(party, planes, dtype)))


def _check_shift(
    types: Sequence[ArrayType], values: Sequence[PublicArray | None], attributes: Any, ring: Ring
) -> None:
    amounts = values[1]
    if amounts is not None and amounts.size and amounts.min() < 0:
        raise RangeError(
            "A shift by a negative amount.",
            next_step="shift the other way by the positive amount.",
            case=72,
            stage="bitwise_left_shift",
        )


# Whole numbers from fixed point.


def _whole_rule(name: str) -> Rule:
    def rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
        return ArrayType(common_type(name, types), types[0].shape)

    return rule


def _whole(name: str, function: Any) -> Operation:
    def meaning(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
        """A whole number, in the operand's type. Exact; integers stay as they are."""
        value = operands[0]
        assert isinstance(value, SecretValue)
        if value.dtype.kind == "int":
            return value
        bits = value.dtype.fraction_bits
        whole = yield from function(party, value.share, bits)
        return SecretValue(value.dtype, party.multiply_public(whole, 1 << bits))

    return Operation(name, _whole_rule(name), meaning, elementwise=True)


INTEGER = (
    Operation(
        "floor_divide",
        _rule("floor_divide"),
        _floor_divide,
        check=_check_division,
        elementwise=True,
        integers="typed",
    ),
    Operation(
        "remainder",
        _rule("remainder"),
        _remainder,
        check=_check_division,
        elementwise=True,
        integers="typed",
    ),
    Operation("divmod", _division_rule, _divmod, check=_check_division, integers="typed"),
    Operation(
        "bitwise_left_shift",
        _shift_rule("bitwise_left_shift"),
        _left_shift,
        check=_check_shift,
        elementwise=True,
        integers="typed",
    ),
    Operation(
        "bitwise_right_shift",
        _shift_rule("bitwise_right_shift"),
        _right_shift,
        check=_check_shift,
        elementwise=True,
        integers="typed",
    ),
    _whole("floor", functions.floor),
    _whole("ceil", functions.ceil),
    _whole("trunc", functions.trunc),
    _whole("round", functions.round_half_even),
)
