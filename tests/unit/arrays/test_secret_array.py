"""The face of a secret array: what is public, NumPy's functions, and what it refuses."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import Computation, SecretArray
from tacit.errors import SecretMisuseError, UsageError

X = np.array([[1.5, -2.0, 0.25], [4.0, 0.0, -1.0]])


@pytest.fixture(scope="module")
def mpc() -> Iterator[Computation]:
    with tacit.local("replicated3") as computation:
        yield computation


@pytest.fixture
def x(mpc: Computation) -> SecretArray:
    return mpc.share(X, owner="alice")


def test_what_is_public(x: SecretArray) -> None:
    assert (x.shape, x.ndim, x.size, len(x), x.dtype) == ((2, 3), 2, 6, 2, tacit.fixed)
    assert x.T.shape == (3, 2)
    assert (x[None] @ x.mT).shape == (1, 2, 2)
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 3), 2, 6)


def test_repr_shows_no_value(x: SecretArray) -> None:
    for text in (repr(x), str(x), f"{x}"):
        assert text == (
            "SecretArray(tacit.fixed, shape=(2, 3), session=replicated3[alice, bob, carol])"
        )
    reference: Any = x.reference
    shown = [repr(reference), repr(reference.parts[0]), repr(reference.parts[0].share)]
    assert not any(digits in text for text in shown for digits in ("1.5", "array(", "uint64"))


def test_natural_types(mpc: Computation) -> None:
    for values, dtype in [
        ([1.5], tacit.fixed), (np.float32([1]), tacit.fixed), ([1], tacit.int64),
        (np.uint8([1]), tacit.uint8), (np.uint64([1]), tacit.int64),
        ([True], tacit.bool), (3, tacit.int64),
    ]:  # fmt: skip
        assert mpc.share(values, owner="bob").dtype == dtype


UFUNCS: list[Callable[[Any, Any], Any]] = [
    np.add, np.subtract, np.multiply, np.maximum, np.minimum, np.less, np.less_equal, np.greater,
    np.greater_equal, np.equal, np.not_equal,
]  # fmt: skip


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda ufunc: ufunc.__name__)
def test_numpy_functions_from_both_sides(x: SecretArray, ufunc: Callable[[Any, Any], Any]) -> None:
    other = np.array([1.0, -2.0, 0.5])
    for found, expected in [
        (ufunc(x, other), ufunc(X, other)),
        (ufunc(other, x), ufunc(other, X)),
        (ufunc(np.float64(0.5), x), ufunc(0.5, X)),
        (ufunc(x, x), ufunc(X, X)),
    ]:
        assert isinstance(found, SecretArray)
        np.testing.assert_allclose(found.reveal(to="all"), expected, atol=1e-4)


def test_numpy_arrays_on_the_left(x: SecretArray) -> None:
    matrix = np.array([[0.5, -1.0]])
    np.testing.assert_allclose((matrix @ x).reveal(to="all"), matrix @ X, atol=1e-4)
    np.testing.assert_allclose((X - x).reveal(to="all"), 0 * X, atol=1e-4)
    np.testing.assert_array_equal((x < X).reveal(to="all"), np.zeros(X.shape, bool))
    np.testing.assert_allclose((1 - x).reveal(to="all"), 1 - X, atol=1e-4)
    np.testing.assert_allclose(([1, 2, 3] * x).reveal(to="all"), [1, 2, 3] * X, atol=1e-4)


def test_numpy_functions_that_are_not_universal(x: SecretArray) -> None:
    cases: list[tuple[Any, Any]] = [
        (np.concatenate([x, X]), np.concatenate([X, X])),
        (np.stack([X, x], axis=1), np.stack([X, X], axis=1)),
        (np.where(x > 0, x, 0.0), np.where(X > 0, X, 0.0)),
        (np.sum(x, axis=0), np.sum(X, axis=0)),
        (np.mean(x, axis=1, keepdims=True), np.mean(X, axis=1, keepdims=True)),
        (np.transpose(x), np.transpose(X)),
        (np.reshape(x, (3, 2)), np.reshape(X, (3, 2))),
        (np.tanh(x), np.tanh(X)),
        (np.negative(x), -X),
        (abs(x), np.abs(X)),
    ]
    for found, expected in cases:
        assert isinstance(found, SecretArray)
        np.testing.assert_allclose(found.reveal(to="all"), expected, atol=2e-3)


def test_rows_can_be_iterated(x: SecretArray) -> None:
    for row, expected in zip(x, X, strict=True):
        np.testing.assert_array_equal(row.reveal(to="all"), expected)


def write(x: SecretArray) -> None:
    x[0] = 1.0  # type: ignore[index]


def into(x: SecretArray) -> None:
    array = X.copy()
    array += x


MISUSES: list[tuple[Callable[[SecretArray], object], str, str]] = [
    (lambda x: bool(x.sum() > 0), "TC-1400", "tacit.where"),
    (lambda x: 1 if x[0, 0] > 0 else 0, "TC-1400", "reveal"),
    (lambda x: x.sum() > 0 and x.sum() < 1, "TC-1400", "&"),
    (lambda x: max(x[0, 0], x[0, 1]), "TC-1400", "tacit.where"),
    (lambda x: list(x[0]), "TC-1401", "whole arrays"),
    (lambda x: sum(x.sum()), "TC-1401", "x.sum()"),
    (np.asarray, "TC-1402", "x.reveal(to="),
    (lambda x: float(x.sum()), "TC-1403", "reveal"),
    (lambda x: int(x.sum()), "TC-1403", "reveal"),
    (lambda x: [1, 2][x.sum()], "TC-1403", "reveal"),  # type: ignore[call-overload]
    (lambda x: round(x.sum()), "TC-1403", "reveal"),  # type: ignore[call-overload]
    (lambda x: 1.5 in x, "TC-1404", "(x == item).sum()"),
    (write, "TC-1405", "tacit.where"),
    (pickle.dumps, "TC-1406", "session"),
    (np.sinc, "TC-1407", "docs/arrays.md"),
    (np.nancumsum, "TC-1407", "docs/arrays.md"),
    (np.add.accumulate, "TC-1407", "tacit"),
    (into, "TC-1408", "x = x + secret"),
]


@pytest.mark.parametrize(("misuse", "code", "idiom"), MISUSES)
def test_misuse_shows_the_idiom(x: SecretArray, misuse: Any, code: str, idiom: str) -> None:
    with pytest.raises(SecretMisuseError) as caught:
        misuse(x)
    assert caught.value.code == code
    assert idiom in str(caught.value)
    assert "1.5" not in str(caught.value)


def test_reveal_needs_recipients(x: SecretArray) -> None:
    with pytest.raises(TypeError, match="'to'"):
        x.reveal()  # type: ignore[call-overload]
    with pytest.raises(UsageError, match="alice, bob, carol"):
        x.reveal(to="mallory")
    with pytest.raises(UsageError, match="no recipient"):
        x.reveal(to=[])


def test_reveal_gives_to_recipients_alone(x: SecretArray) -> None:
    assert list(x.reveal(to="bob")) == ["bob"]
    revealed = x.reveal(to=["carol", "alice"])
    assert list(revealed) == ["alice", "carol"]
    for array in revealed.values():
        np.testing.assert_array_equal(array, X)


def test_arrays_of_different_sessions_do_not_meet(x: SecretArray) -> None:
    with tacit.local("replicated3") as other:
        y = other.share(X, owner="bob")
        with pytest.raises(UsageError, match="different sessions"):
            x + y


def test_functions_want_a_secret_array() -> None:
    with pytest.raises(UsageError, match=r"np\.exp"):
        tacit.exp(X)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="none of the arrays is secret"):
        tacit.where(X > 0, X, X)
    with pytest.raises(UsageError, match="none of the arrays is secret"):
        tacit.reshape(X, (3, 2))  # type: ignore[arg-type]


def test_copies_are_the_same_array(x: SecretArray) -> None:
    assert copy.copy(x) is x
    assert copy.deepcopy(x) is x
    assert +x is x
    with pytest.raises(TypeError):
        hash(x)


def test_standard_names(x: SecretArray) -> None:
    b = x > 0
    for found, expected in [
        (tacit.add(x, 1), X + 1), (tacit.subtract(1, x), 1 - X), (tacit.multiply(x, x), X * X),
        (tacit.divide(x, 4), X / 4), (tacit.matmul(x, x.T), X @ X.T),
        (tacit.equal(x, 0), X == 0), (tacit.not_equal(x, 0), X != 0), (tacit.less(x, 0), X < 0),
        (tacit.less_equal(x, 0), X <= 0), (tacit.greater(x, 0), X > 0),
        (tacit.greater_equal(x, 0), X >= 0), (tacit.logical_and(b, ~b), X > 9),
        (tacit.logical_or(b, ~b), X < 9), (tacit.logical_xor(b, b), X > 9),
        (tacit.logical_not(b), ~(X > 0)), (tacit.sum(x, axis=1), X.sum(1)),
        (tacit.mean(x, axis=0), X.mean(0)), (tacit.permute_dims(x, (1, 0)), X.T),
        (tacit.matrix_transpose(x), X.T), (tacit.broadcast_to(x, (2, 2, 3)), np.stack([X, X])),
        (tacit.concat([x, x], axis=None), np.concatenate([X, X], None)),
        (tacit.stack([x, x], axis=-1), np.stack([X, X], -1)), (tacit.reshape(x, -1), X.ravel()),
        (tacit.astype(b, tacit.fixed), 1.0 * (X > 0)), (tacit.negative(x), -X),
        (tacit.sigmoid(x), 1 / (1 + np.exp(-X))),
    ]:  # fmt: skip
        np.testing.assert_allclose(found.reveal(to="all"), expected, atol=2e-3)
