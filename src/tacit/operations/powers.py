"""Powers: what is public decides between repeated squaring and exp(y log x)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit import functions
from tacit.encoding.ring import Ring
from tacit.encoding.types import DType, fixed
from tacit.errors import RangeError
from tacit.functions.domains import require_least_bits
from tacit.functions.parts import as_part
from tacit.functions.powers import require_bases, require_exponents
from tacit.operations.operation import Operation, ResultValues
from tacit.operations.precision import of_functions
from tacit.operations.promotion import (
    broadcast_shape,
    broadcasted,
    common_type,
    numeric,
    rescaled_up,
    secret_share,
)
from tacit.operations.types import (
    ArrayType,
    Operand,
    PublicArray,
    SecretValue,
    operand_types,
)
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["POWERS"]


def _dtype(types: Sequence[ArrayType]) -> DType:
    """Integers to public integers stay integers; everything else is fixed point."""
    base, exponent = types
    if not base.public and exponent.public:
        numeric("pow", types[:1])
        if base.dtype.kind != "fixed" and exponent.dtype.kind == "fixed":
            return fixed
        return base.dtype
    dtype = common_type("pow", types)
    return dtype if dtype.kind == "fixed" else fixed


def _rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
    dtype = _dtype(types)
    if dtype.kind == "fixed":
        require_least_bits("pow", dtype.fraction_bits)
    return ArrayType(dtype, broadcast_shape("pow", *(t.shape for t in types)))


def _pow(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """x^y: by repeated squaring where y is public and whole, else exp(y log x) for x > 0."""
    result = _rule(operand_types(operands), attributes)
    dtype, shape, bits = result.dtype, result.shape, result.dtype.fraction_bits
    x, y = operands
    if not isinstance(x, SecretValue):
        assert isinstance(y, SecretValue)
        exponent = broadcasted(party, rescaled_up(party, y, dtype), shape)
        bases = np.asarray(x, np.float64)
        return SecretValue(
            dtype, (yield from functions.power_of_public(as_part(party), bases, exponent, bits))
        )
    base = broadcasted(party, rescaled_up(party, x, dtype), shape)
    if isinstance(y, SecretValue):
        exponent = broadcasted(party, secret_share(party, y, dtype), shape)
        share = yield from functions.power(as_part(party), base, exponent, bits)
    elif _whole(y):
        exponents = np.asarray(y).astype(np.int64)
        share = yield from functions.integer_power(party, base, exponents, bits)
    else:
        share = yield from functions.public_power(
            as_part(party), base, np.asarray(y, np.float64), bits
        )
    return SecretValue(dtype, share)


def _whole(values: PublicArray) -> bool:
    return values.dtype.kind != "f" or bool((values == np.rint(values)).all())


def _check(
    types: Sequence[ArrayType], values: Sequence[PublicArray | None], attributes: Any, ring: Ring
) -> None:
    bases, exponents = values
    if bases is not None:
        require_bases(bases)
    if exponents is not None:
        require_exponents(exponents)
        if _dtype(types).kind != "fixed" and exponents.size and exponents.min() < 0:
            raise RangeError(
                "A secret integer to a negative power is not an integer.",
                next_step="convert it first: x.astype(tacit.fixed) ** n.",
                case=42,
                stage="pow",
            )


POWERS = (Operation("pow", _rule, _pow, check=_check, elementwise=True, finest=of_functions),)
"""The operation table's rows."""
