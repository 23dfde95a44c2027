"""Systems, factors and eigenvectors: within their stated error of NumPy, at their stated cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from simulation import Simulation

from tacit.functions import eigenvectors, factorization, linear_systems
from tacit.functions.linear_systems import SMALLEST_EIGENVALUE
from tacit.protocols import PROTOCOLS
from tacit.rounds import Declaration

Floats = NDArray[np.float64]
COSTS = PROTOCOLS["replicated3"].costs
SIZES = [1, 2, 5, 20]
BITS = [12, 18, 24]


def definite(rng: np.random.Generator, size: int, least: float, spread: float, bits: int) -> Floats:
    """Symmetric, eigenvalues from `least` to 1 before its rows and columns are scaled."""
    q = np.linalg.qr(rng.normal(size=(size, size)))[0]
    scale = np.exp(rng.uniform(-spread, spread, size))
    matrix = (q * np.geomspace(least, 1.0, size)) @ q.T * np.outer(scale, scale)
    matrix = (matrix + matrix.T) / 2
    result: Floats = np.round(matrix * 2**bits) / 2**bits
    return result


def matrices(bits: int) -> list[Floats]:
    """Of all sizes and of condition numbers up to some hundred, inside the stated domain."""
    rng = np.random.default_rng(bits)
    found = [
        definite(rng, size, least, spread, bits)
        for size in SIZES
        for least in (0.5, 0.05, 0.004)
        for spread in (0.0, 1.0, 3.0)
    ]
    return [m for m in found if m.diagonal().min() >= 2**-11 and condition(m)[1] <= 1000]


def condition(matrix: Floats) -> tuple[Floats, float]:
    """Roots of the diagonal; the condition number of the matrix scaled by them."""
    roots = np.sqrt(matrix.diagonal())
    values = np.linalg.eigvalsh(matrix / np.outer(roots, roots))
    smallest = float(values[0])
    if smallest < SMALLEST_EIGENVALUE:
        return roots, np.inf
    return roots, float(values[-1]) / smallest


def run(step: Any, bits: int, *arrays: Floats) -> tuple[Any, Simulation]:
    simulation = Simulation()
    shared = [simulation.share(np.round(a * 2**bits).astype(np.int64)) for a in arrays]
    parts = simulation.run(lambda party, *shares: step(party, *shares, bits), *shared)
    if isinstance(parts[0], tuple):
        opened: Any = [simulation.open(list(p)) / 2**bits for p in zip(*parts, strict=True)]
    else:
        opened = simulation.open(parts) / 2**bits
    return opened, simulation


def check_cost(simulation: Simulation, declared: Declaration) -> None:
    cost = simulation.driver.cost()
    assert cost.rounds == declared.rounds
    assert [cost.bytes_sent[n] for n in simulation.names] == list(declared.bytes_sent)


@pytest.mark.parametrize("bits", BITS)
def test_solve(bits: int) -> None:
    rng = np.random.default_rng(1)
    tried = matrices(bits)
    assert len(tried) > 12
    for matrix in tried:
        size = len(matrix)
        right = np.round(matrix @ rng.normal(size=(size, 2)) * 2**bits) / 2**bits
        found, simulation = run(linear_systems.solve, bits, matrix, right)
        exact = np.linalg.solve(matrix, right)
        roots, kappa = condition(matrix)
        largest = max(1.0, np.abs(exact * roots[:, None]).max())
        bound = 2 * 2.0**-bits + kappa * 2.0**-21 * largest / roots[:, None]
        assert (np.abs(found - exact) <= bound).all(), (size, kappa)
        check_cost(simulation, linear_systems.solve_cost(COSTS, size, 2, bits))


@pytest.mark.parametrize("bits", BITS)
def test_inverse(bits: int) -> None:
    for matrix in matrices(bits):
        found, simulation = run(linear_systems.inverse, bits, matrix)
        exact = np.linalg.inv(matrix)
        roots, kappa = condition(matrix)
        unit = np.outer(roots, roots)
        bound = 2 * 2.0**-bits + kappa * 2.0**-21 * np.abs(exact * unit).max() / unit
        assert (np.abs(found - exact) <= bound).all(), (len(matrix), kappa)
        check_cost(simulation, linear_systems.inverse_cost(COSTS, len(matrix), bits))


def test_rounds_hardly_grow_with_the_size() -> None:
    few, many = (linear_systems.solve_cost(COSTS, size, 1).rounds for size in (2, 200))
    assert many - few <= 30


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (50, 3, 2), (1000, 20, 1)])
def test_least_squares(shape: tuple[int, int, int], bits: int) -> None:
    rows, size, columns = shape
    rng = np.random.default_rng(rows)
    x = np.round(rng.normal(size=(rows, size)) * 2**bits) / 2**bits
    y = np.round(rng.normal(size=(rows, columns)) * 2**bits) / 2**bits
    for penalty in (0.0, 3.0):
        found, simulation = run(
            lambda party, a, b, f, penalty=penalty: linear_systems.least_squares(
                party, a, b, f, penalty
            ),
            bits, x, y,
        )  # fmt: skip
        exact = np.linalg.solve(x.T @ x + penalty * np.eye(size), x.T @ y)
        assert np.abs(found - exact).max() <= 3 * 2.0**-bits + 1e-4
        check_cost(simulation, linear_systems.least_squares_cost(COSTS, rows, size, columns, bits))


@pytest.mark.parametrize("bits", BITS)
def test_cholesky_and_determinant(bits: int) -> None:
    rng = np.random.default_rng(3)
    for size in (1, 2, 5, 12):
        for least in (0.5, 0.01):
            matrix = definite(rng, size, least, 0.5, bits)
            kappa = np.linalg.cond(matrix)
            factor, simulation = run(factorization.cholesky, bits, matrix)
            exact = np.linalg.cholesky(matrix)
            bound = 2 * 2.0**-bits + kappa * 2.0**-20 * np.abs(exact).max()
            assert np.abs(factor - exact).max() <= bound
            check_cost(simulation, factorization.cholesky_cost(COSTS, size, bits))
            found, simulation = run(factorization.determinant, bits, matrix)
            exact_det = np.linalg.det(matrix)
            bound = 2 * 2.0**-bits + size * kappa * 2.0**-19 * max(1.0, exact_det)
            assert abs(found[0] - exact_det) <= bound
            check_cost(simulation, factorization.determinant_cost(COSTS, size, bits))


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("size", [2, 5, 20])
def test_leading_eigenvectors(size: int, bits: int) -> None:
    rng = np.random.default_rng(size)
    count, ratio = min(2, size), 0.8
    q = np.linalg.qr(rng.normal(size=(size, size)))[0]
    matrix = np.round((q * (3 * ratio ** np.arange(size))) @ q.T * 2**bits) / 2**bits
    (values, vectors), simulation = run(
        lambda party, a, f: eigenvectors.leading_eigenvectors(party, a, count, 8, f), bits, matrix
    )
    exact_values, exact = (part[..., ::-1][..., :count] for part in np.linalg.eigh(matrix))
    signs = np.sign((exact * vectors).sum(axis=0))
    tolerance = 4 * 2.0**-bits + size * 2.0**-20 / (1 - ratio)
    assert np.abs(vectors * signs - exact).max() <= tolerance
    assert np.abs(values - exact_values).max() <= 4 * tolerance
    declared = eigenvectors.leading_eigenvectors_cost(COSTS, size, count, 8, bits)
    check_cost(simulation, declared)


def test_equal_eigenvalues_give_vectors_of_their_space() -> None:
    q = np.linalg.qr(np.random.default_rng(4).normal(size=(5, 5)))[0]
    matrix = np.round((q * [3, 3, 3, 1, 0.5]) @ q.T * 2**18) / 2**18
    (values, vectors), _ = run(
        lambda party, a, f: eigenvectors.leading_eigenvectors(party, a, 4, 8, f), 18, matrix
    )
    np.testing.assert_allclose(values, [3, 3, 3, 1], atol=1e-4)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(4), atol=1e-4)
    np.testing.assert_allclose(matrix @ vectors, vectors * values, atol=1e-3)


def test_nothing_of_nothing() -> None:
    empty = np.zeros((0, 0))
    for step in (linear_systems.inverse, factorization.cholesky):
        assert run(step, 18, empty)[0].shape == (0, 0)
    assert run(factorization.determinant, 18, empty)[0][0] == 1.0
