"""The array API standard's functions on secret arrays against NumPy's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import tacit
import tacit.arrays.functions
from tacit import Computation, SecretArray
from tacit.errors import (
    RangeError,
    SecretMisuseError,
    ShapeError,
    TacitError,
    TypeMismatchError,
    UsageError,
)

UNIT = 2.0**-18
X: NDArray[Any] = np.arange(24).reshape(2, 3, 4) / 4 - 2
MATRIX: NDArray[Any] = np.arange(12).reshape(3, 4) / 2 - 3
VECTOR: NDArray[Any] = np.array([1.5, -2.0, 0.25])


@pytest.fixture
def mpc() -> Iterator[Computation]:
    with tacit.local("replicated3") as computation:
        yield computation


def opened(x: Any) -> Any:
    return x.reveal(to="all") if isinstance(x, SecretArray) else x


Pair = tuple[Callable[[Any], Any], Callable[[Any], Any]]

LOCAL: dict[str, Pair] = {
    "reshape": (lambda x: tacit.reshape(x, (4, -1)), lambda x: x.reshape(4, -1)),
    "permute_dims": (lambda x: tacit.permute_dims(x, (2, 0, 1)), lambda x: x.transpose(2, 0, 1)),
    "matrix_transpose": (tacit.matrix_transpose, lambda x: x.swapaxes(-1, -2)),
    "swapaxes": (lambda x: tacit.swapaxes(x, 0, -1), lambda x: x.swapaxes(0, -1)),
    "moveaxis": (lambda x: tacit.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, 0, -1)),
    "moveaxis several": (
        lambda x: tacit.moveaxis(x, (0, 1), (-1, 0)), lambda x: np.moveaxis(x, (0, 1), (-1, 0))),
    "expand_dims": (
        lambda x: tacit.expand_dims(x, axis=(0, -1)), lambda x: np.expand_dims(x, (0, -1))),
    "squeeze": (lambda x: tacit.squeeze(x[:1], 0), lambda x: x[:1].squeeze(0)),
    "squeeze all": (lambda x: x[:1, :, :1].squeeze(), lambda x: x[:1, :, :1].squeeze()),
    "broadcast_to": (
        lambda x: tacit.broadcast_to(x, (5, 2, 3, 4)), lambda x: np.broadcast_to(x, (5, 2, 3, 4))),
    "flip": (tacit.flip, np.flip),
    "flip axes": (lambda x: tacit.flip(x, axis=(0, -1)), lambda x: np.flip(x, (0, -1))),
    "roll": (lambda x: tacit.roll(x, 5), lambda x: np.roll(x, 5)),
    "roll axes": (
        lambda x: tacit.roll(x, (1, -1), axis=(0, 2)), lambda x: np.roll(x, (1, -1), (0, 2))),
    "roll one shift": (lambda x: tacit.roll(x, 1, axis=(0, 2)), lambda x: np.roll(x, 1, (0, 2))),
    "repeat": (lambda x: tacit.repeat(x, 2), lambda x: np.repeat(x, 2)),
    "repeat counts": (
        lambda x: tacit.repeat(x, [0, 2, 1], axis=1), lambda x: np.repeat(x, [0, 2, 1], 1)),
    "tile": (lambda x: tacit.tile(x, (2, 1, 1, 3)), lambda x: np.tile(x, (2, 1, 1, 3))),
    "tile short": (lambda x: tacit.tile(x, 2), lambda x: np.tile(x, 2)),
    "tril": (lambda x: tacit.tril(x, k=1), lambda x: np.tril(x, 1)),
    "triu": (lambda x: tacit.triu(x, k=-1), lambda x: np.triu(x, -1)),
    "diagonal": (
        lambda x: tacit.diagonal(x, offset=1), lambda x: np.diagonal(x, 1, -2, -1)),
    "diagonal beyond": (
        lambda x: tacit.diagonal(x, offset=-5), lambda x: np.diagonal(x, -5, -2, -1)),
    "diag": (lambda x: tacit.diag(x[0, 0]), lambda x: np.diag(x[0, 0])),
    "diag above": (lambda x: tacit.diag(x[0, 0], k=2), lambda x: np.diag(x[0, 0], 2)),
    "diag below": (lambda x: tacit.diag(x[0, 0], k=-1), lambda x: np.diag(x[0, 0], -1)),
    "diag of a matrix": (lambda x: tacit.diag(x[0], k=1), lambda x: np.diag(x[0], 1)),
    "pad": (lambda x: tacit.pad(x, 1), lambda x: np.pad(x, 1)),
    "pad one": (
        lambda x: tacit.pad(x, ((0, 1), (2, 0), (1, 1)), constant_values=1),
        lambda x: np.pad(x, ((0, 1), (2, 0), (1, 1)), constant_values=1)),
    "pad edge": (lambda x: tacit.pad(x, 2, "edge"), lambda x: np.pad(x, 2, "edge")),
    "pad wrap": (lambda x: tacit.pad(x, 1, "wrap"), lambda x: np.pad(x, 1, "wrap")),
    "pad reflect": (
        lambda x: tacit.pad(x, (1, 0), "reflect"), lambda x: np.pad(x, (1, 0), "reflect")),
    "unstack": (
        lambda x: tacit.stack(tacit.unstack(x, axis=1)), lambda x: np.moveaxis(x, 1, 0)),
    "split": (
        lambda x: tacit.concat(tacit.split(x, [1, 3], axis=2)[::-1], axis=2),
        lambda x: np.concatenate(np.split(x, [1, 3], axis=2)[::-1], axis=2)),
    "split evenly": (
        lambda x: tacit.stack(tacit.hsplit(x, 3)), lambda x: np.stack(np.hsplit(x, 3))),
    "vsplit": (lambda x: tacit.vsplit(x, 2)[1], lambda x: np.vsplit(x, 2)[1]),
    "concat": (lambda x: tacit.concat([x, x], axis=1), lambda x: np.concatenate([x, x], 1)),
    "concat flat": (
        lambda x: tacit.concat([x, x[0]], axis=None), lambda x: np.concatenate([x, x[0]], None)),
    "take": (lambda x: tacit.take(x, [2, 0, 2], axis=1), lambda x: np.take(x, [2, 0, 2], 1)),
    "take flat": (lambda x: tacit.take(x, [[5, -1]]), lambda x: np.take(x, [[5, -1]])),
    "take_along_axis": (
        lambda x: tacit.take_along_axis(x, np.argsort(-X, axis=1), axis=1),
        lambda x: np.take_along_axis(x, np.argsort(-X, axis=1), axis=1)),
    "meshgrid": (
        lambda x: tacit.stack(tacit.meshgrid(x[0, 0], x[0, 1], x[0, 2])),
        lambda x: np.stack(np.meshgrid(x[0, 0], x[0, 1], x[0, 2]))),
    "meshgrid ij": (
        lambda x: tacit.meshgrid(x[0, 0], x[0, 1, :2], indexing="ij")[1],
        lambda x: np.meshgrid(x[0, 0], x[0, 1, :2], indexing="ij")[1]),
    "broadcast_arrays": (
        lambda x: tacit.broadcast_arrays(x, np.ones((1, 1)))[0], lambda x: x),
    "positive": (lambda x: +x, lambda x: x),
    "rows": (lambda x: tacit.stack(list(x)[::-1]), lambda x: x[::-1]),
    "ravel": (lambda x: x.ravel(), lambda x: x.ravel()),
    "method swapaxes": (lambda x: x.swapaxes(0, 1), lambda x: x.swapaxes(0, 1)),
    "method repeat": (lambda x: x.repeat(2, axis=0), lambda x: x.repeat(2, axis=0)),
    "method take": (lambda x: x.take([1], axis=0), lambda x: x.take([1], axis=0)),
    "method diagonal": (lambda x: x[0].diagonal(1), lambda x: x[0].diagonal(1)),
}  # fmt: skip

NUMBERS: dict[str, Pair] = {
    "cumulative_sum": (lambda x: tacit.cumulative_sum(x, axis=1), lambda x: np.cumsum(x, 1)),
    "cumulative_sum initial": (
        lambda x: tacit.cumulative_sum(x, axis=-1, include_initial=True),
        lambda x: np.cumulative_sum(x, axis=-1, include_initial=True)),
    "diff": (lambda x: tacit.diff(x, axis=0), lambda x: np.diff(x, axis=0)),
    "diff twice": (lambda x: tacit.diff(x, n=2), lambda x: np.diff(x, n=2)),
    "diff joined": (
        lambda x: tacit.diff(x, prepend=x[..., :1], append=x[..., :2]),
        lambda x: np.diff(x, prepend=x[..., :1], append=x[..., :2])),
    "trace": (lambda x: tacit.linalg.trace(x, offset=1), lambda x: np.trace(x, 1, -2, -1)),
    "cumsum": (lambda x: x.cumsum(), lambda x: x.cumsum()),
}  # fmt: skip


def kinds(values: NDArray[Any]) -> list[NDArray[Any]]:
    return [values, (values * 4).astype(np.int64), values > 0]


def check_local(mpc: Computation, pair: Pair, values: NDArray[Any]) -> None:
    secret = mpc.share(values, owner="alice")
    with mpc.measure() as cost:
        found = pair[0](secret)
    assert cost.rounds == 0
    assert cost.total_bytes == 0
    plain, expected = opened(found), np.asarray(pair[1](values))
    assert found.shape == plain.shape == expected.shape
    np.testing.assert_array_equal(plain, expected)


@pytest.mark.parametrize("name", LOCAL)
def test_rearranging_is_local_and_exact_for_every_type(mpc: Computation, name: str) -> None:
    for values in kinds(X):
        check_local(mpc, LOCAL[name], values)


@pytest.mark.parametrize("name", NUMBERS)
def test_sums_and_differences_are_local_and_exact(mpc: Computation, name: str) -> None:
    for values in kinds(X)[:2]:
        check_local(mpc, NUMBERS[name], values)


def test_integers_wrap_in_running_sums(mpc: Computation) -> None:
    values = np.array([2**62, 2**62, 2**62, -5])
    found = tacit.cumulative_sum(mpc.share(values, owner="alice")).reveal(to="all")
    np.testing.assert_array_equal(found, np.cumsum(values))


def test_booleans_are_counted(mpc: Computation) -> None:
    values = X > 0
    secret = mpc.share(values, owner="alice")
    for found, expected in [
        (tacit.cumulative_sum(secret, axis=0), np.cumsum(values, 0)),
        (tacit.prod(secret, axis=1), np.prod(values, 1)),
        (tacit.cumulative_prod(secret, axis=2), np.cumprod(values, 2)),
    ]:
        assert found.dtype == tacit.int64
        np.testing.assert_array_equal(found.reveal(to="all"), expected)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 13])
def test_products_of_many(mpc: Computation, count: int) -> None:
    rng = np.random.default_rng(count)
    values = rng.uniform(-1.5, 1.5, (count, 3))
    whole = rng.integers(-3, 4, (2, count))
    secret, integers = mpc.share(values, owner="alice"), mpc.share(whole, owner="bob")
    error = (count + 1) * UNIT * 1.5**count
    for found, expected in [
        (tacit.prod(secret, axis=0), np.prod(values, 0)),
        (tacit.prod(secret), np.prod(values)),
        (tacit.prod(secret, axis=(0, 1), keepdims=True), np.prod(values, keepdims=True)),
        (tacit.cumulative_prod(secret, axis=0), np.cumprod(values, 0)),
        (tacit.cumulative_prod(secret, axis=0, include_initial=True),
         np.cumulative_prod(values, axis=0, include_initial=True)),
    ]:  # fmt: skip
        np.testing.assert_allclose(found.reveal(to="all"), expected, rtol=0, atol=3 * error)
        assert found.shape == np.shape(expected)
    for found, expected in [
        (integers.prod(axis=1), np.prod(whole, 1)),
        (tacit.cumulative_prod(integers, axis=1), np.cumprod(whole, 1)),
    ]:
        np.testing.assert_array_equal(found.reveal(to="all"), expected)


@pytest.mark.parametrize("correction", [0, 1, 0.5])
@pytest.mark.parametrize("axis", [None, 0, (0, 2), -1])
def test_variances(mpc: Computation, axis: Any, correction: float) -> None:
    secret = mpc.share(X, owner="alice")
    for keepdims in (False, True):
        expected = X.var(axis=axis, ddof=correction, keepdims=keepdims)
        found = tacit.var(secret, axis=axis, correction=correction, keepdims=keepdims)
        assert found.shape == expected.shape
        bound = 4 * UNIT + expected * UNIT
        assert (np.abs(found.reveal(to="all") - expected) <= bound).all()
    found = secret.std(axis=axis, correction=correction).reveal(to="all")
    np.testing.assert_allclose(found, X.std(axis=axis, ddof=correction), rtol=2e-4, atol=3e-5)
    integers = mpc.share((X * 4).astype(int), owner="bob").var(axis=axis, correction=correction)
    expected = (X * 4).var(axis=axis, ddof=correction)
    assert (np.abs(integers.reveal(to="all") - expected) <= 4 * UNIT + expected * UNIT).all()


def test_the_variance_of_many_numbers_keeps_its_headroom(mpc: Computation) -> None:
    """Σ (x - mean)^2 alone would be beyond 2^26."""
    x = np.random.default_rng(5).normal(1000.0, 100.0, 20_001)
    found = float(mpc.share(x, owner="alice").var(correction=1).reveal(to="all"))
    assert abs(found - x.var(ddof=1)) <= 4 * UNIT + x.var(ddof=1) * UNIT
    nothing = mpc.share(np.full(9, 0.1), owner="alice").var().reveal(to="all")
    assert abs(float(nothing)) <= 4 * UNIT


def test_element_by_element(mpc: Computation) -> None:
    whole = (X * 4).astype(np.int64)
    for values in (X, whole):
        x = mpc.share(values, owner="alice")
        y = mpc.share(values[::-1] - 1, owner="bob")
        plain = values[::-1] - 1
        for found, expected in [
            (tacit.sign(x), np.sign(values)),
            (tacit.clip(x, -1, 2), np.clip(values, -1, 2)),
            (tacit.clip(x, 2, -1), np.clip(values, 2, -1)),
            (tacit.clip(x, min=1), np.clip(values, 1, None)),
            (tacit.clip(x, max=y), np.clip(values, None, plain)),
            (tacit.clip(x, y, y + 1), np.clip(values, plain, plain + 1)),
            (tacit.copysign(x, y), np.copysign(values, plain)),
            (tacit.copysign(x, plain + 0.5), np.copysign(values, plain + 0.5)),
            (tacit.copysign(3.0, y), np.copysign(3.0, plain)),
            (tacit.signbit(x), values < 0),
            (tacit.square(x), np.square(values)),
            (tacit.isnan(x), np.isnan(values)),
            (tacit.conj(x), values),
            (tacit.real(x), values),
            (tacit.imag(x), np.zeros_like(values)),
            (tacit.isinf(x), np.isinf(values)),
            (tacit.isfinite(x), np.isfinite(values)),
        ]:
            shown = opened(found)
            assert found.shape == expected.shape
            np.testing.assert_allclose(shown, expected, rtol=0, atol=1.1 * UNIT)
    assert tacit.sign(mpc.share(whole, owner="bob")).dtype == tacit.int64


def test_reflected_and_rebinding_operators(mpc: Computation) -> None:
    x = first = mpc.share(VECTOR, owner="alice")
    x += 1
    x -= 0.5
    x *= 2
    x /= 4.0
    assert x is not first
    np.testing.assert_allclose(x.reveal(to="all"), (VECTOR + 0.5) / 2, atol=2 * UNIT)
    b = mpc.share(VECTOR > 0, owner="bob")
    b ^= True
    b |= VECTOR > 1
    b &= np.array([True, True, False])
    np.testing.assert_array_equal(b.reveal(to="all"), [True, True, False])
    m = mpc.share(np.eye(3), owner="carol")
    m @= MATRIX[:, :3]
    np.testing.assert_allclose(m.reveal(to="all"), MATRIX[:, :3], atol=2 * UNIT)
    plain = VECTOR.copy()
    plain = plain - first
    assert isinstance(plain, SecretArray)
    with pytest.raises(SecretMisuseError, match=r"TC-1408"):
        VECTOR.copy().__iadd__(first)


# Linear algebra.

A, B = np.arange(60).reshape(3, 4, 5) / 16 - 1, np.arange(60, 0, -1).reshape(4, 3, 5) / 16 - 2

PRODUCTS: dict[str, tuple[Callable[..., Any], Callable[..., Any], NDArray[Any], NDArray[Any]]] = {
    "vecdot": (tacit.vecdot, np.vecdot, A, A[:1] - 1),
    "vecdot axis": (lambda x, y: tacit.vecdot(x, y, axis=-2),
                    lambda x, y: np.vecdot(x, y, axis=-2), A, A[0]),
    "tensordot": (lambda x, y: tacit.tensordot(x, y, axes=((1, 0), (0, 1))),
                  lambda x, y: np.tensordot(x, y, axes=((1, 0), (0, 1))), A, B),
    "tensordot 0": (lambda x, y: tacit.tensordot(x, y, axes=0),
                    lambda x, y: np.tensordot(x, y, axes=0), VECTOR, MATRIX),
    "tensordot 1": (lambda x, y: tacit.tensordot(x, y, axes=1),
                    lambda x, y: np.tensordot(x, y, axes=1), A, A[0].T),
    "tensordot all": (tacit.tensordot, np.tensordot, MATRIX, MATRIX - 1),
    "outer": (tacit.outer, np.outer, VECTOR, MATRIX[0]),
    "kron": (tacit.kron, np.kron, MATRIX, A[:, :2, :2]),
    "cross": (tacit.cross, np.cross, VECTOR, MATRIX[:, :3]),
    "cross axis": (lambda x, y: tacit.cross(x, y, axis=-2),
                   lambda x, y: np.cross(x, y, axis=-2), MATRIX, MATRIX[::-1] + 1),
    "dot": (tacit.dot, np.dot, A, B.transpose(0, 2, 1)),
    "dot matrix": (tacit.dot, np.dot, A, np.ones((5, 2))),
    "inner": (tacit.inner, np.inner, A, B),
    "inner number": (tacit.inner, np.inner, A, np.array(2.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_of_arrays(mpc: Computation, name: str) -> None:
    ours, numpys, left, right = PRODUCTS[name]
    expected = numpys(left, right)
    x, y = mpc.share(left, owner="alice"), mpc.share(right, owner="bob")
    for found in (ours(x, y), ours(x, right), ours(left, y)):
        assert found.shape == np.shape(expected)
        error = 2 * UNIT + np.abs(expected).max() * 2**-17
        np.testing.assert_allclose(found.reveal(to="all"), expected, rtol=0, atol=error)
    whole = ours(mpc.share((left * 16).astype(int), owner="alice"), (right * 16).astype(int))
    assert whole.dtype == tacit.int64
    np.testing.assert_array_equal(
        whole.reveal(to="all"), numpys((left * 16).astype(int), (right * 16).astype(int))
    )


def test_products_that_do_not_fit(mpc: Computation) -> None:
    x, m = mpc.share(VECTOR, owner="alice"), mpc.share(MATRIX, owner="bob")
    refused: list[Callable[[], Any]] = [
        lambda: tacit.vecdot(x, m), lambda: tacit.vecdot(x, 1.0), lambda: tacit.tensordot(x, m),
        lambda: tacit.vecdot(x, m, axis=0), lambda: tacit.tensordot(m, x, axes=1),
        lambda: tacit.tensordot(m, m, axes=((0,), (1,))), lambda: tacit.cross(m, m),
        lambda: tacit.linalg.matrix_norm(x), lambda: tacit.linalg.matrix_power(m, 2),
        lambda: x.mT, lambda: tacit.linalg.trace(x), lambda: tacit.tril(x),
    ]  # fmt: skip
    for call in refused:
        with pytest.raises(ShapeError) as caught:
            call()
        assert caught.value.next_step


def test_norms_and_powers(mpc: Computation) -> None:
    m = mpc.share(MATRIX, owner="alice")
    linalg = tacit.linalg
    for found, expected in [
        (linalg.vector_norm(m), np.linalg.norm(MATRIX)),
        (linalg.vector_norm(m, axis=1), np.linalg.norm(MATRIX, axis=1)),
        (linalg.vector_norm(m, axis=0, ord=1, keepdims=True),
         np.linalg.norm(MATRIX, axis=0, ord=1, keepdims=True)),
        (linalg.vector_norm(m, axis=1, ord=0), np.linalg.norm(MATRIX, axis=1, ord=0)),
        (linalg.matrix_norm(m), np.linalg.norm(MATRIX)),
        (linalg.norm(m), np.linalg.norm(MATRIX)),
        (np.linalg.norm(m, axis=0), np.linalg.norm(MATRIX, axis=0)),
        (linalg.matrix_power(m[:, :3], 5), np.linalg.matrix_power(MATRIX[:, :3], 5)),
        (linalg.matrix_power(m[:, :3], 0), np.eye(3)),
    ]:  # fmt: skip
        np.testing.assert_allclose(found.reveal(to="all"), expected, rtol=2e-4, atol=1e-3)
        assert found.shape == np.shape(expected)
    for call in (lambda: linalg.vector_norm(m, ord=3), lambda: linalg.matrix_norm(m, ord="nuc")):
        with pytest.raises(UsageError, match=r"TC-1062"):
            call()


CONTRACTIONS = [
    ("ij,jk->ik", (3, 4), (4, 2)), ("ij,jk", (3, 4), (4, 2)), ("ij,ij->", (3, 4), (3, 4)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)), ("ij,kj->jik", (3, 4), (2, 4)), ("i,j->ji", (3,), (2,)),
    ("ii->i", (3, 3)), ("ii", (3, 3)), ("ijk->ki", (2, 3, 4)), ("iij->j", (3, 3, 2)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)), ("ab,a,b->", (3, 2), (3,), (2,)), ("i->", (4,)),
    ("ij,j->ij", (3, 4), (4,)), ("iji,j->i", (3, 2, 3), (2,)), ("ij,k->j", (2, 3), (4,)),
]  # fmt: skip


@pytest.mark.parametrize("case", CONTRACTIONS, ids=lambda case: case[0])
def test_sums_of_products_by_subscripts(mpc: Computation, case: Any) -> None:
    subscripts, *shapes = case
    rng = np.random.default_rng(3)
    plain = [np.rint(rng.uniform(-2, 2, shape) * 64) / 64 for shape in shapes]
    secret = [mpc.share(x, owner="alice") for x in plain]
    expected = np.einsum(subscripts, *plain)
    for operands in (secret, [secret[0], *plain[1:]], [*plain[:-1], secret[-1]]):
        found = tacit.einsum(subscripts, *operands)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found.reveal(to="all"), expected, rtol=0, atol=40 * UNIT)


def test_subscripts_that_do_not_fit(mpc: Computation) -> None:
    m = mpc.share(MATRIX, owner="alice")
    for subscripts in ("i", "ij,jk", "ij->ijk", "ij->ii", "...j"):
        with pytest.raises(UsageError, match=r"TC-1064"):
            tacit.einsum(subscripts, m)
    with pytest.raises(ShapeError, match=r"TC-1111"):
        tacit.einsum("ij,ij", m, m.T)
    with pytest.raises(UsageError, match=r"TC-1030"):
        tacit.einsum("ij", MATRIX)


# Creation, devices, namespaces.


def test_creation(mpc: Computation) -> None:
    x = mpc.share(MATRIX, owner="alice")
    made: list[tuple[SecretArray, NDArray[Any]]] = [
        (mpc.zeros((2, 3)), np.zeros((2, 3))),
        (tacit.zeros(4, device=mpc), np.zeros(4)),
        (tacit.ones((2, 1), device=x.device), np.ones((2, 1))),
        (mpc.ones(()), np.ones(())),
        (mpc.empty(3, dtype=tacit.bool), np.zeros(3, bool)),
        (mpc.full((2, 2), -1.5), np.full((2, 2), -1.5)),
        (mpc.full(2, True), np.array([True, True])),
        (mpc.full(2, 7), np.array([7, 7])),
        (mpc.arange(5), np.arange(5)),
        (mpc.arange(1, 2, 0.25), np.arange(1, 2, 0.25)),
        (mpc.linspace(0, 1, 5, endpoint=False), np.linspace(0, 1, 5, endpoint=False)),
        (mpc.eye(2, 3, k=1), np.eye(2, 3, k=1)),
        (tacit.zeros_like(x), np.zeros_like(MATRIX)),
        (tacit.ones_like(x, dtype=tacit.int64), np.ones_like(MATRIX, np.int64)),
        (tacit.full_like(x, 2.5), np.full_like(MATRIX, 2.5)),
        (tacit.empty_like(x > 0), np.zeros(MATRIX.shape, bool)),
        (mpc.asarray([1, 2]), np.array([1, 2])),
        (mpc.asarray(x), MATRIX),
        (tacit.asarray(mpc.arange(3), dtype=tacit.fixed), np.arange(3.0)),
    ]
    for found, expected in made:
        shown = found.reveal(to="all")
        assert shown.dtype == expected.dtype
        np.testing.assert_allclose(shown, expected, rtol=0, atol=UNIT)
        assert shown.shape == expected.shape
    assert mpc.zeros(2, dtype=tacit.fixed_point(30)).dtype == tacit.fixed_point(30)
    added = mpc.ones((3, 4)) + x
    np.testing.assert_array_equal(added.reveal(to="all"), MATRIX + 1)


def test_creation_is_local_and_names_its_computation(mpc: Computation) -> None:
    with mpc.measure() as cost:
        mpc.eye(3), mpc.zeros((1000, 1000))
    assert cost.rounds == 0
    for call in (lambda: tacit.zeros(3), lambda: tacit.asarray([1.0]), lambda: tacit.arange(3)):
        with pytest.raises(UsageError, match=r"TC-1063.*device=mpc"):
            call()
    with pytest.raises(UsageError, match=r"TC-1030"):
        tacit.zeros_like(np.ones(3))  # type: ignore[arg-type]
    with pytest.raises(RangeError):
        mpc.full(3, np.nan)


def test_devices_and_the_namespace(mpc: Computation) -> None:
    x = mpc.share(VECTOR, owner="alice")
    assert x.device is mpc.session
    assert x.to_device(mpc) is x
    assert x.to_device(x.device) is x
    with tacit.local() as other, pytest.raises(SecretMisuseError, match=r"TC-1462"):
        x.to_device(other)
    xp = x.__array_namespace__()
    assert xp is tacit
    assert x.__array_namespace__(api_version="2024.12") is tacit
    with pytest.raises(UsageError, match=r"TC-1061"):
        x.__array_namespace__(api_version="1999.01")
    y = xp.add(x, xp.ones(x.shape, dtype=x.dtype, device=x.device))
    np.testing.assert_array_equal(y.reveal(to="all"), VECTOR + 1)
    info = xp.__array_namespace_info__()
    assert info.capabilities()["data-dependent shapes"] is False
    assert info.default_device() is None
    assert info.devices() == []
    assert info.default_dtypes()["real floating"] == tacit.fixed
    assert info.dtypes(kind="bool") == {"bool": tacit.bool}
    assert set(info.dtypes()) >= {"bool", "int64", "fixed"}
    assert set(info.dtypes(kind=("integral", "real floating"))) >= {"int64", "fixed"}
    assert x[xp.newaxis].shape == (1, 3)
    assert (xp.pi, xp.e, xp.inf) == (np.pi, np.e, np.inf)
    assert np.isnan(xp.nan)


def test_types(mpc: Computation) -> None:
    x, n = mpc.share(VECTOR, owner="alice"), mpc.share([1, 2], owner="bob")
    assert tacit.result_type(x, n) == tacit.fixed
    assert tacit.result_type(n, 2) == tacit.int64
    assert tacit.result_type(tacit.uint8, 1) == tacit.uint8
    assert tacit.result_type(tacit.uint8, 1.5) == tacit.fixed
    assert tacit.result_type(n, 2.5, tacit.fixed_point(26)) == tacit.fixed_point(26)
    assert tacit.result_type(tacit.bool, True) == tacit.bool
    with pytest.raises(TypeMismatchError):
        tacit.result_type(x, tacit.bool)
    assert tacit.can_cast(n, tacit.fixed)
    assert tacit.can_cast(tacit.fixed, tacit.fixed_point(20))
    assert tacit.can_cast(x, tacit.fixed)
    assert not tacit.can_cast(tacit.fixed, tacit.int64)
    assert not tacit.can_cast(tacit.bool, tacit.int64)
    assert not tacit.can_cast(tacit.fixed_point(20), tacit.fixed)
    assert tacit.isdtype(tacit.fixed, "real floating")
    assert tacit.isdtype(tacit.int64, ("bool", "integral"))
    assert tacit.isdtype(tacit.bool, tacit.bool)
    assert tacit.isdtype(tacit.uint8, "unsigned integer")
    assert not tacit.isdtype(tacit.uint8, "signed integer")
    assert tacit.can_cast(tacit.uint8, tacit.int16)
    assert not tacit.can_cast(tacit.int16, tacit.uint32)
    assert (tacit.iinfo(tacit.int8).min, tacit.iinfo(tacit.uint16).max) == (-128, 65535)
    assert not tacit.isdtype(tacit.bool, "numeric")
    with pytest.raises(TypeMismatchError):
        tacit.isdtype(tacit.bool, "floating")
    limits = tacit.finfo(x)
    assert limits.eps == limits.smallest_normal == UNIT
    edge = mpc.share([limits.max, limits.min], owner="alice").reveal(to="all")
    np.testing.assert_array_equal(edge, [limits.max, limits.min])
    with pytest.raises(RangeError):
        mpc.share([limits.max + 1], owner="alice")
    assert (tacit.iinfo(tacit.int64).min, tacit.iinfo(n).max) == (-(2**63), 2**63 - 1)
    for call in (lambda: tacit.finfo(tacit.int64), lambda: tacit.iinfo(x)):
        with pytest.raises(TypeMismatchError, match=r"TC-1260"):
            call()


# What a secret rules out.


def test_refusals_show_the_idiom(mpc: Computation) -> None:
    x = mpc.share(VECTOR, owner="alice")
    refused: list[tuple[str, Callable[[], Any]]] = [
        ("TC-1460", lambda: x[x > 0]),
        ("TC-1460", lambda: x[..., mpc.share(1, owner="bob")]),
        ("TC-1461", lambda: tacit.take_along_axis(x, mpc.share([1], owner="bob"))),
        ("TC-1463", lambda: tacit.nonzero(x)),
        ("TC-1463", lambda: tacit.unique_values(x)),
        ("TC-1463", lambda: tacit.unique_all(x)),
        ("TC-1463", lambda: tacit.unique_counts(x)),
        ("TC-1463", lambda: tacit.unique_inverse(x)),
        ("TC-1463", lambda: tacit.from_dlpack(x)),
        ("TC-1463", lambda: np.unique(x)),
        ("TC-1463", lambda: np.array_equal(x, x)),
        ("TC-1463", lambda: np.allclose(x, VECTOR)),
        ("TC-1405", lambda: x.__setitem__(0, 1.0)),
        ("TC-1403", lambda: x.item()),
        ("TC-1403", lambda: x.tolist()),
        ("TC-1403", lambda: float(x[0])),
        ("TC-1400", lambda: bool(x[0] > 0)),
    ]
    for code, call in refused:
        with pytest.raises(SecretMisuseError) as caught:
            call()
        assert caught.value.code == code
        assert any(word in caught.value.next_step for word in ("tacit.", "reveal", "s[1:]"))
    with pytest.raises(TypeMismatchError, match=r"TC-1211"):
        x["name"]


def test_shapes_that_do_not_fit(mpc: Computation) -> None:
    x = mpc.share(X, owner="alice")
    refused: list[Callable[[], Any]] = [
        lambda: tacit.squeeze(x, 0), lambda: tacit.expand_dims(x, axis=(0, 0)),
        lambda: tacit.moveaxis(x, (0, 0), (1, 2)), lambda: tacit.moveaxis(x, 0, (1, 2)),
        lambda: tacit.roll(x, (1, 2), axis=(0, 1, 2)), lambda: tacit.repeat(x, [1, 2, 3], axis=0),
        lambda: tacit.repeat(x, -1), lambda: tacit.tile(x, -1), lambda: tacit.split(x, 5),
        lambda: tacit.diagonal(x, axis1=0, axis2=0), lambda: tacit.take(x, [7], axis=0),
        lambda: tacit.pad(x, -1), lambda: tacit.pad(x[:0], 1, "edge"),
        lambda: tacit.meshgrid(x), lambda: tacit.cumulative_sum(x), lambda: tacit.diff(x, n=-1),
        lambda: tacit.var(x[:0]), lambda: tacit.unstack(x, axis=3),
        lambda: tacit.broadcast_arrays(x, np.ones(3)),
    ]  # fmt: skip
    for call in refused:
        with pytest.raises(ShapeError) as caught:
            call()
        assert caught.value.next_step
    with pytest.raises(RangeError, match=r"TC-1360"):
        tacit.var(x, axis=0, correction=2)


# NumPy's own functions.


def test_numpy_functions_take_secrets_from_both_sides(mpc: Computation) -> None:
    x = mpc.share(MATRIX, owner="alice")
    calls: list[Callable[[Any], Any]] = [
        lambda m: np.add(m, 1), lambda m: np.subtract(2.0, m), lambda m: MATRIX.T @ m,
        lambda m: np.exp(m / 4), lambda m: np.where(m > 0, m, 0.0), lambda m: np.sign(m),
        lambda m: np.concatenate([m, MATRIX, m], axis=1), lambda m: np.stack([m, m], 1),
        lambda m: np.sum(m, 0), lambda m: np.mean(m, axis=1, keepdims=True),
        lambda m: np.var(m, axis=0, ddof=1), lambda m: np.std(m), lambda m: np.prod(m[:, :2]),
        lambda m: np.cumsum(m), lambda m: np.cumsum(m, 1), lambda m: np.cumprod(m, axis=0),
        lambda m: np.diff(m), lambda m: np.clip(m, -1, 1), lambda m: np.clip(m, 0, None),
        lambda m: np.tile(m, 2), lambda m: np.repeat(m, 2, axis=1), lambda m: np.roll(m, 1, 0),
        lambda m: np.flip(m, 1), lambda m: np.expand_dims(m, 0), lambda m: np.squeeze(m[:1]),
        lambda m: np.moveaxis(m, 0, 1), lambda m: np.swapaxes(m, 0, 1), lambda m: np.transpose(m),
        lambda m: np.transpose(m, (1, 0)), lambda m: np.reshape(m, (2, 6)), lambda m: np.ravel(m),
        lambda m: np.broadcast_to(m, (2, 3, 4)), lambda m: np.tril(m), lambda m: np.triu(m, 1),
        lambda m: np.diag(m), lambda m: np.diag(m[0]), lambda m: np.diagonal(m, 1),
        lambda m: np.trace(m), lambda m: np.pad(m, 1), lambda m: np.pad(m, 1, mode="edge"),
        lambda m: np.pad(m, 1, constant_values=2.0), lambda m: np.take(m, [1, 0], axis=1),
        lambda m: np.outer(m, m[0]), lambda m: np.tensordot(m, m, axes=2), lambda m: np.kron(m, m),
        lambda m: np.vecdot(m, m), lambda m: np.dot(m, m.T), lambda m: np.inner(m, m),
        lambda m: np.cross(m[:, :3], m[:, 1:]), lambda m: np.zeros_like(m),
        lambda m: np.ones_like(m), lambda m: np.full_like(m, 3.0), lambda m: np.vstack([m, MATRIX]),
        lambda m: np.hstack([m, m[:, :1]]), lambda m: np.hstack([m[0], m[1]]),
        lambda m: np.column_stack([m[:, 0], m]), lambda m: np.atleast_2d(m[0]),
        lambda m: np.atleast_1d(m[0, 0]), lambda m: np.stack(np.split(m, 3)),
        lambda m: np.stack(np.meshgrid(m[0], m[1])), lambda m: np.add.reduce(m, axis=0),
        lambda m: np.multiply.outer(m[0], m), lambda m: np.subtract.outer(MATRIX[0], m),
        lambda m: np.linalg.norm(m), lambda m: np.absolute(m), lambda m: np.square(m),
        lambda m: np.copysign(m, -1.0), lambda m: np.signbit(m), lambda m: np.isnan(m),
        lambda m: np.logical_not(m > 0), lambda m: np.maximum(m, MATRIX + 1), lambda m: np.shape(m),
        lambda m: np.matrix_transpose(m), lambda m: np.permute_dims(m, (1, 0)),
        lambda m: np.concat([MATRIX, m]), lambda m: np.unstack(m)[1],
        lambda m: np.cumulative_sum(m, axis=1), lambda m: np.positive(m),
        lambda m: np.linalg.matrix_power(m[:, :3], 3), lambda m: np.iscomplexobj(m),
        lambda m: np.take_along_axis(m, np.array([[0], [1], [2]]), axis=1),
        lambda m: np.max(m), lambda m: np.min(m, axis=0), lambda m: np.argmax(m, axis=1),
        lambda m: np.any(m > 2, axis=0), lambda m: np.all(m > -9), lambda m: np.sort(m, axis=0),
        lambda m: np.argsort(m), lambda m: np.count_nonzero(m, axis=1), lambda m: np.floor(m / 3),
        lambda m: np.maximum.reduce(m, axis=0), lambda m: m.max(axis=1), lambda m: m.argmin(axis=0),
        lambda m: (m > 0).any(axis=0), lambda m: (m > 0).all(), lambda m: m.min(),
        lambda m: m.argsort(axis=0), lambda m: m.cumsum(axis=1), lambda m: m.clip(-1, 1),
        lambda m: np.einsum("ij,kj->ik", m, m), lambda m: np.einsum("ii", m[:, :3]),
        lambda m: np.sin(m), lambda m: np.linalg.norm(m, np.inf), lambda m: np.linalg.norm(m, 1),
    ]  # fmt: skip
    for place, call in enumerate(calls):
        found, expected = call(x), call(MATRIX)
        np.testing.assert_allclose(
            opened(found), expected, rtol=3e-4, atol=1e-3, err_msg=f"call {place}"
        )
        assert np.shape(opened(found)) == np.shape(expected)


def test_numpy_functions_with_options_that_are_not_ours(mpc: Computation) -> None:
    x = mpc.share(MATRIX, owner="alice")
    refused: list[Callable[[], Any]] = [
        lambda: np.sum(x, where=MATRIX > 0), lambda: np.mean(x, dtype=np.float32),
        lambda: np.where(x > 0), lambda: np.fft.fft(x), lambda: np.add(x, 1, where=MATRIX > 0),
        lambda: np.add.accumulate(x), lambda: np.linalg.eig(x),
        lambda: np.sum(x, out=MATRIX.copy()),
    ]  # fmt: skip
    for call in refused:
        with pytest.raises(TacitError) as caught:
            call()
        assert caught.value.code in ("TC-1407", "TC-1408")


def test_no_two_modules_have_a_function_of_the_same_name() -> None:
    names = tacit.arrays.functions.__all__
    assert len(set(names)) == len(names)
