"""Measure linear algebra against NumPy: the section of ``docs/accuracy.md`` about it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from numpy.typing import NDArray
from simulation import Simulation

from tacit.functions import eigenvectors, factorization, linear_systems

BITS = 18
SIZES = (2, 10, 50)
SMALLEST = 0.01
"""The smallest eigenvalue of the matrices measured; the largest is 1."""

Reals = NDArray[np.float64]

HEAD = """
## Linear algebra

`tacit.linalg` on symmetric positive definite matrices, f = 18, against NumPy; u is the unit in the
last place. κ is the condition number, for `solve`, `inv` and `lstsq` that of the matrix scaled to
a unit diagonal, whose smallest eigenvalue must be at least 2^-10. Measured on matrices with
eigenvalues from 0.01 to 1 and two right-hand sides. Outside of their domains the results are
meaningless, and nobody sees that: whether a matrix is singular is a secret.

| function | largest error | n | of the bound | rounds | bytes |
|---|---|---|---|---|---|
"""

BOUNDS = {
    "solve": "of x_i: 2 u + κ 2^-21 max(1, \\|x_j\\| √a_jj) / √a_ii",
    "inv": "of an element: 2 u + κ 2^-21 max \\|x_kl\\| √(a_kk a_ll) / √(a_ii a_jj)",
    "cholesky": "2 u + κ 2^-20 of the largest element",
    "det": "2 u + n κ 2^-19 max(1, det)",
    "leading_eigenvectors": "of a vector, ratio q of eigenvalues: 4 u + n 2^-20 / (1 - q) + q^256",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A measurement: the largest share of the bound, and the exact cost."""

    share: float
    rounds: int
    bytes: int


def definite(size: int) -> Reals:
    """A matrix with eigenvalues from SMALLEST to 1, rounded as sharing rounds it."""
    q = np.linalg.qr(np.random.default_rng(size).normal(size=(size, size)))[0]
    matrix = (q * np.geomspace(SMALLEST, 1.0, size)) @ q.T
    return np.round((matrix + matrix.T) / 2 * 2**BITS) / 2**BITS


def run(step: Callable[..., Any], *arrays: Reals) -> tuple[Any, Simulation]:
    """Results in float64, and the simulation that gave them."""
    simulation = Simulation(7)
    shared = [simulation.share(np.round(a * 2**BITS).astype(np.int64)) for a in arrays]
    parts = simulation.run(lambda party, *shares: step(party, *shares, BITS), *shared)
    if isinstance(parts[0], tuple):
        return [simulation.open(list(p)) / 2**BITS for p in zip(*parts, strict=True)], simulation
    return simulation.open(parts) / 2**BITS, simulation


def measure(name: str, size: int) -> Found:
    """One function on one matrix."""
    matrix, unit = definite(size), 2.0**-BITS
    roots = np.sqrt(matrix.diagonal())
    scaled = float(np.linalg.cond(matrix / np.outer(roots, roots)))
    kappa = float(np.linalg.cond(matrix))
    exact: Any
    bound: Any
    if name == "solve":
        right = np.round(matrix @ np.random.default_rng(1).normal(size=(size, 2)) / unit) * unit
        found, simulation = run(linear_systems.solve, matrix, right)
        exact = np.linalg.solve(matrix, right)
        largest = max(1.0, np.abs(exact * roots[:, None]).max())
        bound = 2 * unit + scaled * 2.0**-21 * largest / roots[:, None]
    elif name == "inv":
        found, simulation = run(linear_systems.inverse, matrix)
        exact, outer = np.linalg.inv(matrix), np.outer(roots, roots)
        bound = 2 * unit + scaled * 2.0**-21 * np.abs(exact * outer).max() / outer
    elif name == "cholesky":
        found, simulation = run(factorization.cholesky, matrix)
        exact = np.linalg.cholesky(matrix)
        bound = 2 * unit + kappa * 2.0**-20 * np.abs(exact).max()
    elif name == "det":
        found, simulation = run(factorization.determinant, matrix)
        exact = np.linalg.det(matrix)
        bound = 2 * unit + size * kappa * 2.0**-19 * max(1.0, exact)
    else:
        (_, found), simulation = run(
            lambda party, a, f: eigenvectors.leading_eigenvectors(party, a, 1, 8, f), matrix
        )
        values, vectors = np.linalg.eigh(matrix)
        exact = vectors[:, -1:] * np.sign(vectors[:, -1] @ found[:, 0])
        ratio = values[-2] / values[-1]
        bound = 4 * unit + size * 2.0**-20 / (1 - ratio) + ratio**256
    cost = simulation.driver.cost()
    return Found(float((np.abs(found - exact) / bound).max()), cost.rounds, cost.total_bytes)


def row(name: str, size: int, found: Found) -> str:
    """One line of the table."""
    return (
        f"| `{name}` | {BOUNDS[name]} | {size} | {found.share:.0%} | {found.rounds} |"
        f" {found.bytes:,} |\n"
    )


def cases() -> list[tuple[str, int]]:
    """What is measured. Factors take rounds for each column, so they stop at 10."""
    few = ("cholesky", "det")
    return [(name, size) for name in BOUNDS for size in SIZES if name not in few or size <= 10]


def section() -> str:
    """The whole section."""
    return HEAD + "".join(row(name, size, measure(name, size)) for name, size in cases())
