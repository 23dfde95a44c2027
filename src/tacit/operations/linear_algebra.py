"""Linear systems, factorizations and eigenvectors as operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from tacit.encoding.types import DType, fixed
from tacit.errors import RangeError, ShapeError, UsageError
from tacit.functions.domains import require_least_bits
from tacit.functions.eigenvectors import leading_eigenvectors
from tacit.functions.factorization import cholesky, determinant
from tacit.functions.linear_systems import inverse, least_squares, solve
from tacit.operations.operation import (
    Attributes,
    Meaning,
    Operation,
    ResultValues,
    Rule,
)
from tacit.operations.precision import of_functions
from tacit.operations.promotion import check_encodable, common_type, secret_share
from tacit.operations.types import ArrayType, Operand, SecretValue, operand_types, reshaped
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["LINEAR_ALGEBRA", "Eigenvectors", "Penalty", "System"]


class System(Attributes, frozen=True):
    """What is known of the matrix: symmetric positive definite, or nothing ("gen")."""

    assume_a: Literal["gen", "pos"] = "gen"


class Penalty(Attributes, frozen=True):
    """The ridge penalty: one number, or one for each column."""

    penalty: float | tuple[float, ...] = 0.0


class Eigenvectors(Attributes, frozen=True):
    """How many eigenvectors, and how many squarings of the matrix for each."""

    count: int = 1
    squarings: int = 8


def _matrix_type(name: str, types: Sequence[ArrayType]) -> DType:
    """The fixed-point type to compute in."""
    dtype = common_type(name, types)
    dtype = dtype if dtype.kind == "fixed" else fixed
    require_least_bits(name, dtype.fraction_bits)
    return dtype


def _square(name: str, shape: tuple[int, ...]) -> int:
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ShapeError(
            f"{name}: an array of shape {shape} is not one square matrix.",
            next_step="give one matrix (n, n) at a time.",
            case=83,
            stage=name,
        )
    return shape[0]


def _known(name: str, choice: str) -> None:
    if choice not in ("gen", "pos"):
        raise UsageError(
            f"{name}: assume_a={choice!r} is not known.",
            next_step='use "pos" for a symmetric positive definite matrix, else "gen".',
            case=80,
            stage=name,
        )


def _fits(name: str, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    if len(left) != 2 or len(right) not in (1, 2) or right[0] != left[0]:
        raise ShapeError(
            f"{name}: the shapes {left} and {right} do not fit.",
            next_step="give a matrix with as many rows as the right-hand side, (n,) or (n, m).",
            case=84,
            stage=name,
        )


# One matrix: inverse, factor, determinant.


def _one_matrix_rule(name: str, reduced: bool = False) -> Rule:
    def rule(types: Sequence[ArrayType], attributes: Any) -> ArrayType:
        size = _square(name, types[0].shape)
        if name == "inv":
            _known(name, attributes.assume_a)
        return ArrayType(_matrix_type(name, types), () if reduced else (size, size))

    return rule


def _one_matrix(name: str, function: Callable[[Party, Any, int], Step[Any]]) -> Meaning:
    def meaning(party: Party, operands: Sequence[Operand], attributes: Any) -> Step[ResultValues]:
        """A function of one matrix in fixed point; integers become ``tacit.fixed`` first."""
        dtype = _matrix_type(name, operand_types(operands))
        share = secret_share(party, operands[0], dtype)
        result = yield from function(party, share, dtype.fraction_bits)
        return SecretValue(dtype, reshaped(result, ()) if result.ndim == 1 else result)

    return meaning


def _inverse(party: Party, operands: Sequence[Operand], attributes: System) -> Step[ResultValues]:
    """The inverse; of a general matrix A by the normal equations, from Aᵀ A X = Aᵀ."""
    if attributes.assume_a == "pos":
        return (yield from _one_matrix("inv", inverse)(party, operands, attributes))
    size = operands[0].shape[0]
    return (yield from _least_squares(party, [operands[0], np.eye(size)], Penalty()))


# Systems.


def _solve_rule(types: Sequence[ArrayType], attributes: System) -> ArrayType:
    _fits("solve", types[0].shape, types[1].shape)
    _square("solve", types[0].shape)
    _known("solve", attributes.assume_a)
    return ArrayType(_matrix_type("solve", types), types[1].shape)


def _solve(party: Party, operands: Sequence[Operand], attributes: System) -> Step[ResultValues]:
    """x with A x = b; of a general matrix by the normal equations."""
    if attributes.assume_a == "gen":
        return (yield from _least_squares(party, operands, Penalty()))
    dtype = _matrix_type("solve", operand_types(operands))
    matrix, right = (secret_share(party, operand, dtype) for operand in operands)
    columns = right.reshape(right.shape[0], -1) if right.ndim == 1 else right
    share = yield from solve(party, matrix, columns, dtype.fraction_bits)
    return SecretValue(dtype, share.reshape(*right.shape))


def _lstsq_rule(types: Sequence[ArrayType], attributes: Penalty) -> ArrayType:
    x, y = types[0].shape, types[1].shape
    _fits("lstsq", x, y)
    penalty = np.asarray(attributes.penalty)
    if x[0] == 0 or (penalty.ndim and penalty.shape != x[1:]):
        raise ShapeError(
            f"lstsq: {x[0]} rows of {x[1]} columns, and {penalty.size} penalties.",
            next_step="give at least one row, and one penalty for all columns or one for each.",
            case=85,
            stage="lstsq",
        )
    if not (np.isfinite(penalty) & (penalty >= 0)).all():
        raise RangeError(
            "lstsq: a penalty is negative, infinite or no number.",
            next_step="give penalties of 0 or more.",
            case=81,
            stage="lstsq",
        )
    return ArrayType(_matrix_type("lstsq", types), (*x[1:], *y[1:]))


def _least_squares(
    party: Party, operands: Sequence[Operand], attributes: Penalty
) -> Step[ResultValues]:
    """w that minimises ‖x w - y‖² + penalty ‖w‖²."""
    dtype = _matrix_type("lstsq", operand_types(operands))
    x, y = (secret_share(party, operand, dtype) for operand in operands)
    shape = (x.shape[1], *y.shape[1:])
    if x.shape[1] == 0 or y.size == 0:
        return SecretValue(dtype, party.public(np.zeros(shape, np.int64)))
    columns = y.reshape(y.shape[0], 1) if y.ndim == 1 else y
    share = yield from least_squares(party, x, columns, dtype.fraction_bits, attributes.penalty)
    return SecretValue(dtype, share.reshape(*shape))


# Eigenvectors.


def _eigenvectors_rule(
    types: Sequence[ArrayType], attributes: Eigenvectors
) -> tuple[ArrayType, ArrayType]:
    name = "leading_eigenvectors"
    size = _square(name, types[0].shape)
    if size < 2 or not 1 <= attributes.count <= size or not 1 <= attributes.squarings <= 20:
        raise UsageError(
            f"{name}: {attributes.count} vectors of a matrix ({size}, {size}) by"
            f" {attributes.squarings} squarings.",
            next_step="give a matrix of at least two rows, ask for 1 to n vectors, and for 1 to 20"
            " squarings.",
            case=81,
            stage=name,
        )
    dtype = _matrix_type(name, types)
    return ArrayType(dtype, (attributes.count,)), ArrayType(dtype, (size, attributes.count))


def _eigenvectors(
    party: Party, operands: Sequence[Operand], attributes: Eigenvectors
) -> Step[ResultValues]:
    """The largest eigenvalues and their eigenvectors."""
    dtype = _matrix_type("leading_eigenvectors", operand_types(operands))
    values, vectors = yield from leading_eigenvectors(
        party,
        secret_share(party, operands[0], dtype),
        attributes.count,
        attributes.squarings,
        dtype.fraction_bits,
    )
    return SecretValue(dtype, values), SecretValue(dtype, vectors)


LINEAR_ALGEBRA: Any = (
    Operation("inv", _one_matrix_rule("inv"), _inverse, System, finest=of_functions),
    Operation(
        "cholesky",
        _one_matrix_rule("cholesky"),
        _one_matrix("cholesky", cholesky),
        finest=of_functions,
    ),
    Operation(
        "det",
        _one_matrix_rule("det", reduced=True),
        _one_matrix("det", determinant),
        finest=of_functions,
    ),
    Operation("solve", _solve_rule, _solve, System, check=check_encodable, finest=of_functions),
    Operation(
        "lstsq", _lstsq_rule, _least_squares, Penalty, check=check_encodable, finest=of_functions
    ),
    Operation(
        "leading_eigenvectors", _eigenvectors_rule, _eigenvectors, Eigenvectors, finest=of_functions
    ),
)
