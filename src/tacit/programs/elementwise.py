"""Functions of fixed-point numbers: exponential, logarithm, roots, sigmoid, and their like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tacit import functions
from tacit.encoding.types import DType, fixed
from tacit.functions.domains import require_fraction_bits
from tacit.programs.operation import Meaning, Operation, ResultValues, Rule
from tacit.programs.promotion import numeric, rescaled_up
from tacit.programs.types import ArrayType, Operand, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["ELEMENTWISE"]


def _fixed_type(dtype: DType) -> DType:
    return dtype if dtype.kind == "fixed" else fixed


def _rule(name: str) -> Rule:
    def rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
        numeric(name, types)
        dtype = _fixed_type(types[0].dtype)
        require_fraction_bits(name, dtype.fraction_bits)
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


ELEMENTWISE = tuple(
    Operation(name, _rule(name), _meaning(function), elementwise=True)
    for name, function in (
        ("exp", functions.exp),
        ("log", functions.log),
        ("sqrt", functions.sqrt),
        ("reciprocal", functions.reciprocal),
        ("sigmoid", functions.sigmoid),
        ("tanh", functions.tanh),
    )
)
