"""Triangular systems, L U, Q R, eigenvalues and singular values against SciPy, in stated errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import tacit
from tacit import Computation
from tacit.errors import ShapeError, UsageError

U = 2.0**-18
RNG = np.random.default_rng(8)


@pytest.fixture(scope="module")
def mpc() -> Iterator[Computation]:
    with tacit.local(seed=3) as computation:
        yield computation


def matrix(rows: int, columns: int, smallest: float = 0.05, largest: float = 4.0) -> Any:
    """With singular values between the two, rounded as sharing rounds them."""
    size = min(rows, columns)
    left = np.linalg.qr(RNG.normal(size=(rows, size)))[0]
    right = np.linalg.qr(RNG.normal(size=(columns, size)))[0]
    return np.round((left * np.geomspace(smallest, largest, size)) @ right.T / U) * U


def symmetric(size: int) -> Any:
    q = np.linalg.qr(RNG.normal(size=(size, size)))[0]
    values = np.geomspace(0.05, 4, size) * RNG.choice([-1, 1], size)
    found = np.round((q * values) @ q.T / U) * U
    return (found + found.T) / 2


def opened(values: Any) -> list[Any]:
    return [value.reveal(to="all") for value in values]


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (7, 3), (3, 6)])
def test_lu(mpc: Computation, shape: tuple[int, int]) -> None:
    a = matrix(*shape)
    p, lower, upper = opened(tacit.linalg.lu(mpc.share(a, "alice", bounds=(-8, 8))))
    assert p.dtype == np.bool_
    exact = scipy.linalg.lu(a)
    np.testing.assert_array_equal(p, exact[0])
    assert np.abs(p @ lower @ upper - a).max() <= 3 * U + shape[1] * 2**-20 * np.abs(a).max()
    np.testing.assert_allclose(lower, exact[1], atol=1e-4)
    np.testing.assert_allclose(upper, exact[2], atol=1e-4)


def test_signs_and_logarithms_of_determinants(mpc: Computation) -> None:
    for size in (1, 2, 5):
        a = matrix(size, size)
        for one in (a, a[::-1]):
            sign, logarithm = opened(tacit.linalg.slogdet(mpc.share(one, "alice")))
            exact = np.linalg.slogdet(one)
            assert sign == exact.sign
            limit = size * (2**-15 + np.linalg.cond(one) * 2**-20)
            assert abs(logarithm - exact.logabsdet) <= limit


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("trans", [False, True])
@pytest.mark.parametrize("unit", [False, True])
def test_triangular_systems(mpc: Computation, lower: bool, trans: bool, unit: bool) -> None:
    a = RNG.uniform(-1, 1, (5, 5)) + np.diag([2, -3, 4, 2, -2])
    b = RNG.uniform(-1, 1, (5, 2))
    how = {"lower": lower, "unit_diagonal": unit}
    exact = scipy.linalg.solve_triangular(a, b, trans=int(trans), **how)
    x, y = mpc.share(a, "alice", bounds=(-8, 8)), mpc.share(b, "bob")
    for left, right, wanted in ((x, y, exact), (x, y[:, 0], exact[:, 0]), (x, b, exact),
                                (a, y, exact)):  # fmt: skip
        found = tacit.linalg.solve_triangular(left, right, trans=trans, **how)
        np.testing.assert_allclose(found.reveal(to="all"), wanted, atol=2e-5)


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (6, 3), (3, 5)])
def test_qr(mpc: Computation, shape: tuple[int, int]) -> None:
    a = matrix(shape[0], min(shape))
    a = np.hstack([a, matrix(shape[0], shape[1] - shape[0])]) if shape[1] > shape[0] else a
    q, r = opened(tacit.linalg.qr(mpc.share(a, "alice", bounds=(-8, 8))))
    exact_q, exact_r = np.linalg.qr(a)
    signs = np.sign(np.diag(exact_r))
    limit = 4 * U + 80 * 2**-20 * np.abs(a).max()
    np.testing.assert_allclose(q, exact_q * signs, atol=limit)
    np.testing.assert_allclose(r, exact_r * signs[:, None], atol=limit)
    np.testing.assert_allclose(q.T @ q, np.eye(len(r)), atol=4 * U)
    assert not np.tril(r, -1).any()


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_eigenvalues(mpc: Computation, size: int) -> None:
    a = symmetric(size)
    values, vectors = opened(tacit.linalg.eigh(mpc.share(a, "alice", bounds=(-8, 8))))
    exact_values, exact = np.linalg.eigh(a)
    assert np.abs(values - exact_values).max() <= 2 * U + size * 2**-20 * 4
    gap = np.diff(exact_values).min() if size > 1 else 1.0
    signs = np.sign((vectors * exact).sum(0))
    assert np.abs(vectors * signs - exact).max() <= 4 * U + size * 2**-19 * 4 / gap
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(size), atol=4 * U)


def test_equal_eigenvalues_give_vectors_of_their_space(mpc: Computation) -> None:
    q = np.linalg.qr(RNG.normal(size=(4, 4)))[0]
    a = np.round((q * [2, 2, 1, 0]) @ q.T / U) * U
    values, vectors = opened(tacit.linalg.eigh(mpc.share(a, "alice")))
    np.testing.assert_allclose(values, [0, 1, 2, 2], atol=6 * U)
    np.testing.assert_allclose(a @ vectors, vectors * values, atol=20 * U)
    np.testing.assert_array_equal(tacit.linalg.eigvalsh(mpc.share(a * 0, "alice")).reveal(to="all"),
                                  np.zeros(4))  # fmt: skip


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (6, 3), (2, 5)])
def test_singular_values(mpc: Computation, shape: tuple[int, int]) -> None:
    a = matrix(*shape)
    size = min(shape)
    u, s, vh = opened(tacit.linalg.svd(mpc.share(a, "alice", bounds=(-8, 8))))
    exact = np.linalg.svd(a, compute_uv=False)
    assert np.abs(s - exact).max() <= 2 * U + size * 2**-20 * exact.max()
    assert np.abs(u * s @ vh - a).max() <= 4 * U + 2**-18 * exact.max()
    for one in (u.T @ u, vh @ vh.T):
        np.testing.assert_allclose(one, np.eye(size), atol=4 * U / exact.min())


def test_a_program_of_declared_bounds_is_a_loop_of_any_length(mpc: Computation) -> None:
    spec = tacit.ArraySpec((4, 4), owner="alice", bounds=(-4, 4))
    program = tacit.trace(lambda x: dict(zip("wv", tacit.linalg.eigh(x), strict=True)), spec)
    more = tacit.trace(lambda x: tacit.linalg.eigh(x, sweeps=20)[0], spec)
    assert len(more.main.nodes) <= len(program.main.nodes)
    a = symmetric(4)
    values = mpc.run(program, {"x": a})["w"]
    np.testing.assert_allclose(values, np.linalg.eigvalsh(a), atol=20 * U)


def test_finer_numbers_stay_fine() -> None:
    a = symmetric(3)
    with tacit.local(ring=128, fraction_bits=40, seed=1) as wide:
        values = tacit.linalg.eigvalsh(wide.share(a, "alice")).reveal(to="all")
    np.testing.assert_allclose(values, np.linalg.eigvalsh(a), atol=1e-9)


def test_integers_become_fixed_point(mpc: Computation) -> None:
    a = np.array([[2, 1], [1, 3]])
    found = tacit.linalg.eigvalsh(mpc.share(a, "alice"))
    assert found.dtype == tacit.fixed
    np.testing.assert_allclose(found.reveal(to="all"), np.linalg.eigvalsh(a), atol=1e-4)


def test_what_does_not_fit_is_refused(mpc: Computation) -> None:
    x = mpc.share(np.ones((2, 3)), "alice")
    for function in (tacit.linalg.eigh, tacit.linalg.slogdet):
        with pytest.raises(ShapeError, match="TC-1160"):
            function(x)
    for function in (tacit.linalg.qr, tacit.linalg.svd, tacit.linalg.lu):
        with pytest.raises(ShapeError, match="TC-1160"):
            function(x[0])
    with pytest.raises(ShapeError, match="TC-1160"):
        tacit.linalg.solve_triangular(x, x)
    with pytest.raises(UsageError, match="TC-1083"):
        tacit.linalg.svd(x, full_matrices=True)
    for sweeps in (0, 31):
        with pytest.raises(UsageError, match="TC-1083"):
            tacit.linalg.eigh(x[:, :2], sweeps=sweeps)
