"""tacit.histogram, bincount and group-by against NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import Computation
from tacit.errors import RangeError, ShapeError, TypeMismatchError

RNG = np.random.default_rng(0)
N = RNG.integers(-2, 9, 50)
V = RNG.normal(size=(50, 2)).round(2)


@pytest.fixture(scope="module")
def mpc() -> Iterator[Computation]:
    with tacit.local() as opened:
        yield opened


def close(found: Any, expected: Any, tolerance: float = 1e-3) -> None:
    values = found.reveal(to="all")
    assert values.shape == np.shape(expected)
    np.testing.assert_allclose(
        values.astype(float), np.asarray(expected).astype(float), atol=tolerance
    )


@pytest.mark.parametrize("weighted", ["no", "public", "secret"])
@pytest.mark.parametrize("edges", [[-1, -0.5, 0, 0, 0.7, 2.0], [0, 0.5], [-9, 9, 10]])
def test_histogram_of_fixed_point(mpc: Computation, edges: list[float], weighted: str) -> None:
    """Elements equal to edges too: bins are closed below, and the last one above as well."""
    x, w = RNG.normal(size=(6, 7)).round(1), RNG.normal(size=(6, 7)).round(2)
    x[0, :2] = edges[0], edges[-1]
    options: dict[str, Any] = {"public": {"weights": w}, "no": {}}.get(
        weighted, {"weights": mpc.share(w, owner="bob")}
    )
    found, given = tacit.histogram(mpc.share(x, owner="alice"), edges, **options)
    expected, _ = np.histogram(x, edges, weights=None if weighted == "no" else w)
    close(found, expected)
    np.testing.assert_array_equal(given, edges)


@pytest.mark.parametrize("edges", [[-1.5, 0, 2.5, 4], [0, 1, 3, 8], [2.5, 2.7]])
@pytest.mark.parametrize("dtype", [np.int64, np.int8])
def test_histogram_of_integers(mpc: Computation, edges: list[float], dtype: Any) -> None:
    found, _ = tacit.histogram(mpc.share(N.astype(dtype), owner="alice"), edges)
    close(found, np.histogram(N, edges)[0])


def test_bincount(mpc: Computation) -> None:
    shared = mpc.share(N, owner="carol")
    inside = (N >= 0) & (N < 7)
    close(tacit.bincount(shared, minlength=7), np.bincount(N[inside], minlength=7))
    found = tacit.bincount(shared, mpc.share(V[:, 0], owner="alice"), minlength=7)
    close(found, np.bincount(N[inside], V[inside, 0], minlength=7))
    found = tacit.bincount(shared, V[:, 0] > 0, minlength=7)
    assert found.dtype == tacit.int64
    close(found, np.bincount(N[inside], V[inside, 0] > 0, minlength=7))


GROUPS = [3, -1, 100, 2.5, 3, 0]


@pytest.mark.parametrize("kind", ["int", "fixed"])
def test_public_groups(mpc: Computation, kind: str) -> None:
    keys = N if kind == "int" else N * 0.5
    shared, values = mpc.share(keys, owner="alice"), mpc.share(V, owner="bob")
    masks = [keys == g for g in GROUPS]
    close(tacit.group_count(shared, GROUPS), [m.sum() for m in masks])
    close(tacit.group_sum(shared, values, GROUPS), [V[m].sum(axis=0) for m in masks])
    means = [V[m].mean(axis=0) if m.any() else np.zeros(2) for m in masks]
    close(tacit.group_mean(shared, values, GROUPS), means)
    close(tacit.group_mean(shared, values[:, 0], GROUPS), [m[0] for m in means])
    close(tacit.group_sum(shared, V[:, 1] > 0, GROUPS), [(V[m, 1] > 0).sum() for m in masks])


def test_no_integer_is_a_fraction(mpc: Computation) -> None:
    close(tacit.group_count(mpc.share(N, owner="alice"), [0.5, 1.5]), [0, 0])


@pytest.mark.parametrize("kind", ["int", "fixed", "bool", "int8"])
def test_secret_groups(mpc: Computation, kind: str) -> None:
    keys = {"int": N, "fixed": N * 0.5, "bool": N > 3, "int8": N.astype(np.int8)}[kind]
    found = tacit.group_by(mpc.share(keys, owner="alice"), mpc.share(V[:, 0], owner="bob"))
    groups, counts = np.unique(keys, return_counts=True)
    padding = np.zeros(50 - len(groups))
    sums = np.array([V[keys == g, 0].sum() for g in groups])
    close(found.keys, np.concatenate([groups, padding]))
    close(found.counts, np.concatenate([counts, padding]))
    close(found.sums, np.concatenate([sums, padding]))
    close(found.means(), np.concatenate([sums / counts, padding]))
    close(found.valid, np.arange(50) < len(groups))


def test_several_keys_and_values(mpc: Computation) -> None:
    other = RNG.integers(0, 2, 50).astype(bool)
    keys = (mpc.share(N, owner="alice"), mpc.share(other, owner="bob"))
    found = tacit.group_by(keys, (mpc.share(V[:, 1], owner="carol"), other))
    pairs = np.unique(np.stack([N, other]), axis=1)
    padding = np.zeros(50 - pairs.shape[1])
    for got, expected in zip(found.keys, pairs, strict=True):
        close(got, np.concatenate([expected, padding]))
    masks = [(a == N) & (other == b) for a, b in pairs.T]
    close(found.sums[0], np.concatenate([[V[m, 1].sum() for m in masks], padding]))
    close(found.sums[1], np.concatenate([[other[m].sum() for m in masks], padding]))
    alone = tacit.group_by(keys)
    assert alone.sums == ()
    close(alone.counts, np.concatenate([[m.sum() for m in masks], padding]))


def test_no_rows(mpc: Computation) -> None:
    empty = mpc.share(np.zeros(0, np.int64), owner="alice")
    found = tacit.group_by(empty, empty)
    close(found.keys, np.zeros(0))
    close(found.valid, np.zeros(0))
    close(tacit.bincount(empty, minlength=3), np.zeros(3))
    close(tacit.histogram(empty, [0, 1])[0], np.zeros(1))


def test_what_does_not_fit(mpc: Computation) -> None:
    n, matrix = mpc.share(N, owner="alice"), mpc.share(V, owner="bob")
    with pytest.raises(RangeError, match="TC-1351"):
        tacit.histogram(n, [2, 1])
    with pytest.raises(ShapeError, match="TC-1157"):
        tacit.histogram(n, [2])
    with pytest.raises(ShapeError, match="TC-1157"):
        tacit.bincount(n, minlength=0)
    with pytest.raises(ShapeError, match="TC-1153"):
        tacit.group_sum(n, matrix[:3], [1])
    with pytest.raises(ShapeError, match="TC-1156"):
        tacit.group_count(matrix, [1])
    with pytest.raises(ShapeError, match="TC-1152"):
        tacit.group_by(n, matrix)
    with pytest.raises(ShapeError, match="TC-1156"):
        tacit.group_by(matrix)
    with pytest.raises(TypeMismatchError, match="TC-1252"):
        tacit.group_count(N, n)  # type: ignore[arg-type]


@pytest.mark.processes
def test_between_processes() -> None:
    with tacit.local(processes=True) as mpc:
        found = tacit.group_by(mpc.share(N, owner="alice"), mpc.share(V[:, 0], owner="bob"))
        groups, counts = np.unique(N, return_counts=True)
        close(found.counts, np.concatenate([counts, np.zeros(50 - len(groups))]))
