"""Sums of a few products, element by element, truncated once.

``x · y + z · w`` is two products of fixed point, each truncated, and a sum; here it is one sum of
products and one truncation, which sends as much as one product. Programs are rewritten into this
form where bounds show that the sum does not wrap (``programs/optimising/summing.py``); nobody needs
to write it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tacit.errors import TypeMismatchError
from tacit.operations.operation import Operation, ResultValues
from tacit.operations.precision import of_products
from tacit.operations.promotion import broadcast_shape, broadcasted
from tacit.operations.types import ArrayType, Operand, SecretValue, operand_types
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["INNER_PRODUCTS"]

_NAME: Final = "sum_of_products"


def _rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
    """x, y, z, w, …: secret fixed-point arrays of one type that broadcast."""
    dtype = types[0].dtype
    alike = all(t.dtype == dtype and not t.public for t in types)
    if dtype.kind != "fixed" or len(types) % 2 or not alike:
        raise TypeMismatchError(
            f"{_NAME}: the operands are not pairs of secret fixed-point numbers of one type.",
            next_step="give x, y, z, w, … for x · y + z · w + …, all with the same fractional bits;"
            " for others, write products and sums.",
            case=76,
            stage=_NAME,
        )
    return ArrayType(dtype, broadcast_shape(_NAME, *(t.shape for t in types)))


def _meaning(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
    """Σ x · y over pairs, one truncation: rounds and bytes of one product."""
    shape = broadcast_shape(_NAME, *(t.shape for t in operand_types(operands)))
    shares = [
        broadcasted(party, one.share, shape) for one in operands if isinstance(one, SecretValue)
    ]
    first = operands[0]
    assert isinstance(first, SecretValue)
    pairs = list(zip(shares[::2], shares[1::2], strict=True))
    share = yield from party.sum_products_truncate(pairs, first.dtype.fraction_bits)
    return SecretValue(first.dtype, share)


INNER_PRODUCTS = (Operation(_NAME, _rule, _meaning, elementwise=True, finest=of_products),)
