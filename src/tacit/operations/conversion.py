"""Between booleans, integers and fixed point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tacit import functions
from tacit.encoding.ring import Ring
from tacit.encoding.types import DType, int64
from tacit.operations.operation import Attributes, NoAttributes, Operation, ResultValues, local
from tacit.operations.promotion import encoded, rescaled_up
from tacit.operations.types import (
    ArrayType,
    Operand,
    PublicArray,
    SecretValue,
    public_type,
    reshaped,
)
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["CONVERSION", "TargetType", "converted"]


class TargetType(Attributes, frozen=True):
    """The type to convert to."""

    kind: Literal["fixed", "int", "bool"]
    fraction_bits: int = 0
    bits: int = 64
    signed: bool = True

    @property
    def dtype(self) -> DType:
        """The same as a DType."""
        return DType(self.kind, self.fraction_bits, self.bits, self.signed)


def _astype_rule(types: Sequence[ArrayType], attributes: TargetType) -> ArrayType:
    source, target = types[0].dtype, attributes.dtype
    if source == target:
        return types[0]
    return ArrayType(target, types[0].shape)


def converted(party: Party, value: SecretValue, dtype: DType) -> Step[SecretValue]:
    """A secret array in another type, as NumPy converts.

    Exact, except that fixed point to fewer fraction bits rounds as the party does: fixed point
    becomes an integer by leaving the fraction away, everything that is not 0 becomes true, and
    integers wrap into a smaller type.
    """
    source = value.dtype
    if source == dtype:
        return value
    if source.kind == "bool":
        ones = yield from party.bit_to_arithmetic(value.share)
        return SecretValue(dtype, rescaled_up(party, SecretValue(int64, ones), dtype))
    if dtype.kind == "bool":
        zero = yield from functions.is_zero(party, value.share)
        return SecretValue(dtype, party.invert(zero))
    if dtype.kind == "int":
        share = value.share
        if source.kind == "fixed":
            share = yield from functions.trunc(party, share, source.fraction_bits)
        return SecretValue(dtype, share)
    surplus = source.fraction_bits - dtype.fraction_bits
    if surplus > 0:
        return SecretValue(dtype, (yield from party.truncate(value.share, surplus)))
    return SecretValue(dtype, rescaled_up(party, value, dtype))


def _astype(
    party: Party, operands: Sequence[Operand], attributes: TargetType
) -> Step[ResultValues]:
    """The same numbers in another type; local between integers and to more fraction bits."""
    value = operands[0]
    assert isinstance(value, SecretValue)
    return (yield from converted(party, value, attributes.dtype))


class ConstantType(Attributes, frozen=True):
    """The type of a constant, by default the natural one of its values."""

    kind: Literal["fixed", "int", "bool"] | None = None
    fraction_bits: int = 0
    bits: int = 64
    signed: bool = True


def _constant_type(array_type: ArrayType, attributes: ConstantType) -> DType:
    if attributes.kind is None:
        return array_type.dtype
    return DType(attributes.kind, attributes.fraction_bits, attributes.bits, attributes.signed)


def _constant_rule(types: Sequence[ArrayType], attributes: ConstantType) -> ArrayType:
    return ArrayType(_constant_type(types[0], attributes), types[0].shape)


def _constant(party: Party, operands: Sequence[Operand], attributes: ConstantType) -> SecretValue:
    """A sharing of values that all parties know. Local."""
    values = operands[0]
    assert not isinstance(values, SecretValue)
    dtype = _constant_type(public_type(values), attributes)
    elements = encoded(values, dtype, ring=party.ring)
    if dtype.kind == "bool":
        return SecretValue(dtype, party.public_bits(elements))
    return SecretValue(dtype, reshaped(party.public(elements), values.shape))


def _check_constant(
    types: Sequence[ArrayType],
    values: Sequence[PublicArray | None],
    attributes: ConstantType,
    ring: Ring,
) -> None:
    if values[0] is not None:
        encoded(values[0], _constant_type(types[0], attributes), ring=ring)


def _unbounded_rule(types: Sequence[ArrayType], attributes: NoAttributes) -> ArrayType:
    return types[0]


def _unbounded(party: Party, operands: Sequence[Operand], attributes: NoAttributes) -> SecretValue:
    """The array as it is, of which nothing is known from here on. Local.

    For functions that are right in a stated domain alone: intervals of their steps grow until what
    works would be refused.
    """
    value = operands[0]
    assert isinstance(value, SecretValue)
    return value


CONVERSION = (
    Operation("unbounded", _unbounded_rule, local(_unbounded)),
    Operation("astype", _astype_rule, _astype, TargetType, elementwise=True),
    Operation("constant", _constant_rule, local(_constant), ConstantType, _check_constant),
)
