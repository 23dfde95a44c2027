"""Between booleans, integers and fixed point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tacit.encoding.types import DType
from tacit.errors import TypeMismatchError
from tacit.programs.operation import Attributes, Operation, ResultValues, local
from tacit.programs.promotion import encoded, rescaled_up
from tacit.programs.types import ArrayType, Operand, PublicArray, SecretValue, public_type, reshaped
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["CONVERSION", "TargetType", "converted"]


class TargetType(Attributes, frozen=True):
    """The type to convert to."""

    kind: Literal["fixed", "int", "bool"]
    fraction_bits: int = 0

    @property
    def dtype(self) -> DType:
        """The same as a DType."""
        return DType(self.kind, self.fraction_bits)


def _astype_rule(types: Sequence[ArrayType], attributes: TargetType) -> ArrayType:
    source, target = types[0].dtype, attributes.dtype
    if source == target:
        return types[0]
    if target.kind == "bool":
        raise TypeMismatchError(
            f"astype: {source!r} does not become tacit.bool.",
            next_step="compare instead, for instance x != 0.",
            case=13,
            stage="astype",
        )
    if source.kind == "fixed" and target.kind == "int":
        raise TypeMismatchError(
            "astype: fixed point does not become tacit.int64.",
            next_step="keep it in fixed point; rounding functions come with a later version.",
            case=13,
            stage="astype",
        )
    return ArrayType(target, types[0].shape)


def converted(party: Party, value: SecretValue, dtype: DType) -> Step[SecretValue]:
    """A secret array in another type: exact except that fewer fraction bits truncate."""
    if value.dtype == dtype:
        return value
    if value.dtype.kind == "bool":
        value = SecretValue(DType("int"), (yield from party.bit_to_arithmetic(value.share)))
    surplus = value.dtype.fraction_bits - dtype.fraction_bits
    if surplus > 0:
        return SecretValue(dtype, (yield from party.truncate(value.share, surplus)))
    return SecretValue(dtype, rescaled_up(party, value, dtype))


def _astype(
    party: Party, operands: Sequence[Operand], attributes: TargetType
) -> Step[ResultValues]:
    """The same numbers in another type. Local except from bool and to fewer fraction bits."""
    value = operands[0]
    assert isinstance(value, SecretValue)
    return (yield from converted(party, value, attributes.dtype))


class ConstantType(Attributes, frozen=True):
    """The type of a constant, by default the natural one of its values."""

    kind: Literal["fixed", "int", "bool"] | None = None
    fraction_bits: int = 0


def _constant_type(array_type: ArrayType, attributes: ConstantType) -> DType:
    if attributes.kind is None:
        return array_type.dtype
    return DType(attributes.kind, attributes.fraction_bits)


def _constant_rule(types: Sequence[ArrayType], attributes: ConstantType) -> ArrayType:
    return ArrayType(_constant_type(types[0], attributes), types[0].shape)


def _constant(party: Party, operands: Sequence[Operand], attributes: ConstantType) -> SecretValue:
    """A sharing of values that all parties know. Local."""
    values = operands[0]
    assert not isinstance(values, SecretValue)
    dtype = _constant_type(public_type(values), attributes)
    elements = encoded(values, dtype)
    if dtype.kind == "bool":
        return SecretValue(dtype, party.public_bits(elements))
    return SecretValue(dtype, reshaped(party.public(elements), values.shape))


def _check_constant(
    types: Sequence[ArrayType], values: Sequence[PublicArray | None], attributes: ConstantType
) -> None:
    if values[0] is not None:
        encoded(values[0], _constant_type(types[0], attributes))


CONVERSION = (
    Operation("astype", _astype_rule, _astype, TargetType, elementwise=True),
    Operation("constant", _constant_rule, local(_constant), ConstantType, _check_constant),
)
