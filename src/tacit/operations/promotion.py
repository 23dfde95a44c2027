"""Bringing operands to one type and one shape.

Fixed point meets fixed point at the finer of the two for sums (the coarser one is shifted up,
exactly) and at the coarser one for products. Integers become fixed point by a shift. A public
float is encoded at the fraction bits of the secret that it meets. Secret booleans are never
converted silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tacit.encoding.fixed import encode, magnitude_limit, natural_type
from tacit.encoding.ring import RING64, Elements, Ring
from tacit.encoding.types import DType, fixed, int64, promoted_integer
from tacit.errors import RangeError, ShapeError, TypeMismatchError
from tacit.operations.types import ArrayType, Operand, PublicArray, SecretValue
from tacit.protocols.interface import Party

__all__ = [
    "boolean_share",
    "broadcast_shape",
    "broadcasted",
    "broadcasted_bits",
    "check_encodable",
    "common_type",
    "counted_type",
    "encoded",
    "extremes",
    "is_far",
    "numeric",
    "product_type",
    "public_array",
    "require_comparable",
    "rescaled_up",
    "ring_constant",
    "secret_share",
]


def public_array(values: ArrayLike) -> PublicArray:
    """A public operand in a form that operations take: float64, a type of integers, bool.

    Raises
    ------
    TypeMismatchError
        Complex numbers, strings, objects: nothing that a secret type could hold.
    RangeError
        An integer of 2^63 or more in magnitude.
    """
    array = np.asarray(values)
    dtype = natural_type(array)
    if dtype.bits > 64:
        raise RangeError(
            "A public integer needs more than 64 bits.",
            next_step="share it as tacit.int128 in a session over the 128-bit ring, or convert it"
            " to float.",
            case=10,
        )
    if array.dtype.kind == "u" and array.size and int(array.max()) >= 1 << 63:
        raise RangeError(
            "A public integer is 2^63 or more, which no secret type holds.",
            next_step="scale the data down, or convert it to float.",
            case=10,
        )
    return array.astype(dtype.numpy, copy=False)


# Shapes.


def broadcast_shape(name: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape, by NumPy's rules.

    Raises
    ------
    ShapeError
        There is none.
    """
    if all(shape == shapes[0] for shape in shapes):
        return shapes[0]
    result: list[int] = [1] * max(map(len, shapes))
    for shape in shapes:
        for place, extent in enumerate(reversed(shape), 1):
            if extent != 1:
                if result[-place] not in (1, extent):
                    raise ShapeError(
                        f"{name}: the shapes {' and '.join(map(str, shapes))} do not broadcast.",
                        next_step="reshape one of them, or insert axes of length one.",
                        case=10,
                        stage=name,
                    )
                result[-place] = extent
    return tuple(result)


def broadcasted(party: Party, share: Any, shape: tuple[int, ...]) -> Any:
    """An arithmetic sharing repeated to a shape; itself where it has that shape already."""
    return share if share.shape == shape else party.broadcast(share, shape)


def broadcasted_bits(share: Any, shape: tuple[int, ...]) -> Any:
    """A Boolean sharing repeated to a shape; itself where it has that shape already."""
    if share.shape == shape:
        return share
    return share.map(lambda bits: np.broadcast_to(bits, shape))


# Types.


def numeric(name: str, types: Sequence[ArrayType]) -> None:
    """Refuse secret booleans where numbers are needed."""
    for place, array_type in enumerate(types):
        if array_type.dtype.kind == "bool" and not array_type.public:
            raise TypeMismatchError(
                f"{name}: operand {place + 1} is a secret tacit.bool, not a number.",
                next_step="convert it with x.astype(tacit.int64), or combine booleans with & | ^.",
                case=10,
                stage=name,
            )


def common_type(name: str, types: Sequence[ArrayType]) -> DType:
    """The type in which operands are added or compared: the finest fixed point, or integers."""
    numeric(name, types)
    secrets = [t.dtype for t in types if not t.public]
    bits = [dtype.fraction_bits for dtype in secrets if dtype.kind == "fixed"]
    if bits:
        return DType("fixed", max(bits))
    return _integer_or_fixed(types)


def _integer_or_fixed(types: Sequence[ArrayType]) -> DType:
    """The type without secret fixed point: fixed where a public fraction is, else integers."""
    if any(t.dtype.kind == "fixed" for t in types):
        return fixed
    integers = [t.dtype for t in types if t.dtype.kind == "int"]
    return reduce(promoted_integer, integers) if integers else int64


def product_type(name: str, types: Sequence[ArrayType]) -> DType:
    """The type of a product: the coarsest fixed point among the operands, or integers."""
    numeric(name, types)
    secrets = [t.dtype for t in types if not t.public]
    bits = [dtype.fraction_bits for dtype in secrets if dtype.kind == "fixed"]
    if bits:
        return DType("fixed", min(bits))
    return _integer_or_fixed(types)


def counted_type(dtype: DType) -> DType:
    """The type of sums of many: booleans and small integers become ``tacit.int64``."""
    return dtype if dtype.kind == "fixed" or dtype.bits > 64 else int64


# Values.


def encoded(
    values: ArrayLike,
    dtype: DType,
    bounds: tuple[float, float] | None = None,
    ring: Ring = RING64,
) -> Elements:
    """An array of any shape, the empty one included, as ring elements or bits of that shape."""
    array = np.asarray(values)
    return encode(array.reshape(-1), dtype, bounds, ring).reshape(array.shape)


def extremes(values: PublicArray) -> PublicArray:
    """The least and the greatest value, which are encodable if all are; NaN if one is."""
    return np.array([values.min(), values.max()]) if values.size else values


def is_far(values: PublicArray, dtype: DType, ring: Ring) -> bool:
    """Whether a public operand holds integers of 2^62 or more in magnitude (2^126 in Z_2^128).

    Their difference from a secret within ±2^62 may wrap, so they are compared by
    ``functions.less_far``. Fixed point is never encoded so far out.
    """
    if dtype.kind != "int" or not values.size:
        return False
    limit = 1 << ring.magnitude_bits
    return int(values.max()) >= limit or int(values.min()) <= -limit


def require_comparable(values: PublicArray, dtype: DType, ring: Ring) -> None:
    """Refuse public keys whose differences from each other may wrap.

    Raises
    ------
    RangeError
        One is 2^62 or more in magnitude (TC-1352).
    """
    if is_far(values, dtype, ring):
        raise RangeError(
            f"A public key is 2^{ring.magnitude_bits} or more in magnitude, where differences of"
            " keys wrap.",
            next_step="use smaller keys, such as their ranks: np.argsort(np.argsort(keys)).",
            case=52,
        )


def check_encodable(
    types: Sequence[ArrayType], values: Sequence[PublicArray | None], attributes: Any, ring: Ring
) -> None:
    """Refuse public operands that the common type cannot hold, NaN and infinity among them."""
    if all(t.dtype.kind == "bool" for t in types):
        return
    dtype = common_type("", types)
    limit = magnitude_limit(dtype, ring) / 2 if dtype.kind == "fixed" else 2.0**31
    for public in values:
        if public is not None and public.size:
            if -limit < public.min() and public.max() < limit:
                continue  # far inside; NaN is not
            encoded(extremes(public), dtype, ring=ring)


def ring_constant(party: Party, values: PublicArray, dtype: DType) -> Elements:
    """A public operand as elements of the party's ring, in a numeric type."""
    return encoded(values, dtype, ring=party.ring)


def rescaled_up(party: Party, value: SecretValue, dtype: DType) -> Any:
    """The share of a number in a type of at least as many fraction bits: an exact shift."""
    shift = dtype.fraction_bits - value.dtype.fraction_bits
    return party.multiply_public(value.share, 1 << shift) if shift else value.share


def secret_share(party: Party, operand: Operand, dtype: DType) -> Any:
    """An operand as an arithmetic sharing in `dtype`; public ones become constant sharings."""
    if isinstance(operand, SecretValue):
        return rescaled_up(party, operand, dtype)
    return party.public(ring_constant(party, operand, dtype))


def boolean_share(party: Party, operand: Operand) -> Any:
    """A boolean operand as a Boolean sharing; public ones become constant sharings."""
    if isinstance(operand, SecretValue):
        return operand.share
    return party.public_bits(np.atleast_1d(operand))
