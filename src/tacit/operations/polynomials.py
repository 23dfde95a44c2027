"""Polynomials, interpolation and piecewise functions with public coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit import functions
from tacit.encoding.ring import Ring
from tacit.encoding.types import DType, fixed
from tacit.errors import RangeError, ShapeError
from tacit.functions.approximation import PiecewisePolynomial
from tacit.functions.domains import MOST_FRACTION_BITS, require_least_bits
from tacit.functions.piecewise import piecewise
from tacit.functions.public_polynomials import interpolation_table, public_table
from tacit.operations.operation import Attributes, Operation, ResultValues
from tacit.operations.precision import of_functions, of_products
from tacit.operations.promotion import numeric, rescaled_up
from tacit.operations.scaling import scaled_constant
from tacit.operations.types import ArrayType, Operand, PublicArray, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["POLYNOMIALS", "Coefficients", "Grid", "Pieces"]


class Coefficients(Attributes, frozen=True):
    """Of a polynomial, the highest power first, as NumPy's ``polyval`` has them."""

    coefficients: tuple[int | float, ...]


class Grid(Attributes, frozen=True):
    """Points to interpolate between, and what to give beyond them."""

    xp: tuple[float, ...]
    fp: tuple[float, ...]
    left: float | None = None
    right: float | None = None


class Pieces(Attributes, frozen=True):
    """Breakpoints, and the coefficients of each piece, the highest power first."""

    breakpoints: tuple[float, ...]
    pieces: tuple[tuple[float, ...], ...]


# Polynomials.


def _polyval_type(dtype: DType, attributes: Coefficients) -> DType:
    whole = all(isinstance(c, int) for c in attributes.coefficients)
    return dtype if dtype.kind == "fixed" or whole else fixed


def _polyval_rule(types: Sequence[ArrayType], attributes: Coefficients) -> ArrayType:
    numeric("polyval", types)
    if not attributes.coefficients:
        raise ShapeError(
            "polyval: there are no coefficients.",
            next_step="give at least one.",
            case=41,
            stage="polyval",
        )
    return ArrayType(_polyval_type(types[0].dtype, attributes), types[0].shape)


def _polyval_check(
    types: Sequence[ArrayType],
    values: Sequence[PublicArray | None],
    attributes: Coefficients,
    ring: Ring,
) -> None:
    scaled_constant(*_constants(types[0].dtype, attributes), 0, ring)


def _constants(dtype: DType, attributes: Coefficients) -> tuple[PublicArray, int]:
    """Coefficients, the lowest power first, and how many fractional bits they want."""
    values = np.asarray(attributes.coefficients[::-1])
    if values.dtype.kind not in "if":
        raise RangeError(
            "polyval: a coefficient is an integer of 2^63 or more.",
            next_step="use smaller ones.",
            case=47,
            stage="polyval",
        )
    return values, _polyval_type(dtype, attributes).fraction_bits


def _polyval(
    party: Party, operands: Sequence[Operand], attributes: Coefficients
) -> Step[ResultValues]:
    """A polynomial: integers in the ring if all is whole, else fixed point."""
    value = operands[0]
    assert isinstance(value, SecretValue)
    dtype = _polyval_type(value.dtype, attributes)
    values, wanted = _constants(value.dtype, attributes)
    constants, bits = scaled_constant(values, wanted, 0, party.ring)
    share = yield from functions.polyval(
        party,
        rescaled_up(party, value, dtype),
        party.ring.integers(constants),
        bits,
        dtype.fraction_bits,
    )
    return SecretValue(dtype, share)


# Pieces.


def _table(name: str, attributes: Any, fraction_bits: int) -> PiecewisePolynomial:
    if name == "piecewise":
        pieces = [piece[::-1] for piece in attributes.pieces]
        return public_table(name, attributes.breakpoints, pieces, fraction_bits)
    points = attributes
    if len(points.xp) != len(points.fp):
        raise ShapeError(
            f"interp: {len(points.xp)} places and {len(points.fp)} values do not fit.",
            next_step="give one value for each place.",
            case=42,
            stage="interp",
        )
    return interpolation_table(points.xp, points.fp, points.left, points.right, fraction_bits)


def _of_pieces(name: str, attributes: type[Attributes]) -> Operation:
    def rule(types: Sequence[ArrayType], given: Any) -> ArrayType:
        numeric(name, types)
        dtype = types[0].dtype if types[0].dtype.kind == "fixed" else fixed
        require_least_bits(name, dtype.fraction_bits)
        _table(name, given, min(dtype.fraction_bits, MOST_FRACTION_BITS))
        return ArrayType(dtype, types[0].shape)

    def meaning(party: Party, operands: Sequence[Operand], given: Any) -> Step[ResultValues]:
        """A public piecewise polynomial; integers become ``tacit.fixed`` first."""
        value = operands[0]
        assert isinstance(value, SecretValue)
        dtype = value.dtype if value.dtype.kind == "fixed" else fixed
        table = _table(name, given, dtype.fraction_bits)
        share = rescaled_up(party, value, dtype)
        return SecretValue(dtype, (yield from piecewise(party, share, table, dtype.fraction_bits)))

    return Operation(name, rule, meaning, attributes, elementwise=True, finest=of_functions)


POLYNOMIALS: Any = (
    Operation(
        "polyval",
        _polyval_rule,
        _polyval,
        Coefficients,
        check=_polyval_check,
        elementwise=True,
        finest=of_products,
    ),
    _of_pieces("interp", Grid),
    _of_pieces("piecewise", Pieces),
)
