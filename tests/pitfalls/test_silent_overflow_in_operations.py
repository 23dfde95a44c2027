"""Pitfall: a wrapped product, sum or quotient is a plausible wrong answer.

Each case wraps without an error in an ordinary session and gives a wrong number; in checked mode
it is an error that names the operation. Just inside the limit there is no alarm, and what
functions do inside (overflow under exact zeros) raises none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tacit
from tacit import Computation
from tacit.errors import RangeError, UsageError

LIMIT = 1 << 62


@pytest.fixture(scope="module")
def checked() -> Iterator[Computation]:
    with tacit.local("replicated3", checked=True, seed=1) as mpc:
        yield mpc


@pytest.fixture(scope="module")
def plain() -> Iterator[Computation]:
    with tacit.local("replicated3", seed=1) as mpc:
        yield mpc


def share(mpc: Computation, values: Any) -> Any:
    return mpc.share(np.asarray(values), owner="alice")


WRAPS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "multiply": (lambda x: x * x, [2.0**20]),
    "multiply far": (lambda x: x * x, [1.0, -(2.0**42)]),
    "multiply by a public fraction": (lambda x: x * 3.3, [2.0**40]),
    "multiply integers": (lambda x: x * x, [1 << 40]),
    "square": (tacit.square, [2.0**14, 1.0]),
    "matmul": (lambda x: x @ x, np.full(4096, 2.0**6.5 * 1.01)),
    "matmul of matrices": (lambda x: x @ x, np.full((3, 3), 2.0**30)),
    "matmul with public": (lambda x: x @ np.full(3, 1e4 + 0.3), np.full(3, 2.0**30)),
    "add": (lambda x: x + x + x + x, [2.0**42]),
    "subtract": (lambda x: -x - x - x - x - x, [2.0**42]),
    "sum": (lambda x: x.sum(), np.full(16, 2.0**42)),
    "cumulative_sum": (lambda x: tacit.cumulative_sum(x), np.full(16, 2.0**42)),
    "mean": (lambda x: x.mean(), np.full(3, 2.0**30)),
    "add integers and fractions": (lambda x: x + 0.5, [1 << 50]),
    "astype": (lambda x: x.astype(tacit.fixed), [1 << 50]),
    "divide": (lambda x: x / x[:1], [2.0**-18, 2.0**30]),
    "divide by zero": (lambda x: x / (x - x), [1.0]),
    "divide by a public number": (lambda x: x / 3e-5, [2.0**30]),
    "floor_divide": (lambda x: x // x, [2.0**30]),
    "exp": (tacit.exp, [25.0]),
    "log": (tacit.log, [1.0, -1.0]),
    "log of 0": (tacit.log, [0.0]),
    "sqrt": (tacit.sqrt, [-1.0]),
    "prod": (lambda x: tacit.prod(x), [2.0**20, 2.0**-20, 2.0**20, 2.0**-20]),
    "cumulative_prod": (lambda x: tacit.cumulative_prod(x), [2.0**20, 2.0**20, 0.0]),
    "var": (tacit.var, [2.0**15, -(2.0**15)]),
    "polyval": (lambda x: tacit.polyval([1.0, -3.0, 2.0], x), [2.0**14]),
    "pow": (lambda x: x**4, [2.0**9]),
    "convolution": (lambda x: tacit.conv1d(x, x), np.full((1, 1, 4), 2.0**15)),
    "avg_pool": (lambda x: tacit.avg_pool1d(x, 3), np.full((1, 1, 3), 2.0**42)),
    "hypot": (lambda x: tacit.hypot(x, x), [2.0**14]),
    "atan2": (lambda x: tacit.atan2(x, x), [2.0**42.5]),
    "leaky_relu": (lambda x: tacit.leaky_relu(x, -1.0), [-(2.0**30)]),
    "softmax": (lambda x: tacit.softmax(x + x), [2.0**42.5, -(2.0**42.5)]),
    "median": (lambda x: tacit.median(x + x), [2.0**42.5, -(2.0**42.5)]),
    "matmul of integers": (lambda x: x @ x, [1 << 31]),
    "bitwise_left_shift": (lambda x: x << 60, [16]),
    "bitwise_left_shift by secrets": (lambda x: x << (x + 52), [9]),
    "log of a sum": (lambda x: tacit.log(x + x), [2.0**42.5]),
    "reciprocal of a sum": (lambda x: tacit.reciprocal(x + x), [2.0**42.5]),
    "reciprocal": (tacit.reciprocal, [0.0, 1.0]),
}


@pytest.mark.parametrize("name", WRAPS)
def test_checked_mode_names_the_operation(
    checked: Computation, plain: Computation, name: str
) -> None:
    compute, values = WRAPS[name]
    compute(share(plain, values)).reveal(to="all")  # an ordinary session says nothing
    with pytest.raises(RangeError) as caught:
        compute(share(checked, values))
    assert caught.value.code == "TC-1374"
    assert str(np.asarray(values).shape) in caught.value.message
    assert caught.value.stage is not None
    assert caught.value.stage.split("_")[0] in name or name.startswith(caught.value.stage[:3])
    for value in np.asarray(values).reshape(-1)[:1]:
        assert str(value) not in caught.value.message
    # The session goes on: the parties agree that an operation failed.
    assert share(checked, [1.0]).reveal(to="all")[0] == 1


SYMMETRIC = np.array([[2.0, 0.5], [0.5, 1.0]])
FINE: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "multiply": (lambda x: x * x, [2.0**13 * 0.995, -1.0, 0.0]),
    "multiply large with small": (lambda x: x * x[::-1], [2.0**42, 2.0**-18]),
    "multiply by a public fraction": (lambda x: x * 3.3, [2.0**22]),
    "matmul": (lambda x: x @ x, np.full(4096, 2.0**6.5 * 0.98)),
    "a product that cancels": (lambda x: x @ (x * [1, -1, 1, -1]), np.full(4, 2.0**12.9)),
    "add": (lambda x: x + x, [2.0**42]),
    "sum": (lambda x: x.sum(), np.full(4, 2.0**41.9)),
    "mean": (lambda x: x.mean(), np.full(3, 2.0**24)),
    "divide": (lambda x: x / x[::-1], [1.0, 2.0**19]),
    "floor_divide": (lambda x: x // x, [2.0**13, -5.5]),
    "comparisons": (lambda x: tacit.where(x > 1, x, -x), [2.0**42, -(2.0**42)]),
    "sigmoid": (tacit.sigmoid, [2.0**42, -(2.0**42), 0.0]),
    "tanh": (tacit.tanh, [2.0**42, -3.0]),
    "exp": (tacit.exp, [20.0, -(2.0**42), 1.0]),
    "log": (tacit.log, [2.0**42, 2.0**-18]),
    "sqrt": (tacit.sqrt, [0.0, 2.0**42]),
    "reciprocal": (tacit.reciprocal, [2.0**-18, -(2.0**40)]),
    "small integers": (lambda x: (x * x + x).sum(), np.full(9, 127, np.int8)),
    "booleans": (lambda x: (x & ~x).sum(), [True, False]),
    "prod": (lambda x: tacit.prod(x), [2.0**12, 2.0**-12, 2.0**12, -3.0]),
    "var": (tacit.var, [2.0**11, -(2.0**11)]),
    "pow": (lambda x: x**3, [2.0**8, -1.0]),
    "power of small integers": (lambda x: x**5, np.full(3, 120, np.int8)),
    "matmul of integers": (lambda x: x @ x, [1 << 30, 1 << 30, 1 << 30]),
    "leaky_relu": (lambda x: tacit.leaky_relu(x, -1.0), [2.0**42, -(2.0**24)]),
    "leading_eigenvectors": (lambda x: tacit.linalg.leading_eigenvectors(x, 1), SYMMETRIC),
    "shifts": (lambda x: (x << x) >> x, [3, 0, 7]),
    "nothing": (lambda x: (x * x).sum(), np.zeros((0, 3))),
    "a number": (lambda x: x * x + 1, 3.0),
    "integers": (lambda x: (x * 7 // 3) % 5, np.arange(-4, 5) << 40),
    "rearranging": (lambda x: tacit.sort(x.reshape(2, 2).T[0]), np.arange(4.0)),
}


@pytest.mark.parametrize("name", FINE)
def test_there_is_no_alarm_inside_the_range(checked: Computation, name: str) -> None:
    compute, values = FINE[name]
    found = compute(share(checked, values))
    for result in found if isinstance(found, tuple) else (found,):
        result.reveal(to="all")


def test_the_same_over_128_bits() -> None:
    with tacit.local("replicated3", checked=True, ring=128) as mpc:
        x = mpc.share([2.0**30, -3.0], owner="alice")
        assert np.allclose((x * x + x.sum()).reveal(to="all"), [2.0**60, 2.0**30], rtol=1e-6)
        y = mpc.share([2.0**50], owner="bob")
        with pytest.raises(RangeError, match="multiply"):
            y * y


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.integers(-LIMIT, LIMIT - 1), st.integers(-LIMIT, LIMIT - 1)),
        min_size=1, max_size=6,
    ),
    st.integers(0, 61), st.integers(0, 61), st.booleans(),
)  # fmt: skip
def test_products_have_no_false_negatives(
    checked: Computation, pairs: list[tuple[int, int]], a: int, b: int, summed: bool
) -> None:
    """Integers of every magnitude: an alarm if a product is 2^62 or more, none below 99 % of it."""
    x = np.array([p[0] >> a for p in pairs])
    y = np.array([p[1] >> b for p in pairs])
    products = [int(u) * int(v) for u, v in zip(x, y, strict=True)]
    largest = abs(sum(products)) if summed else max(map(abs, products))
    quiet = max(map(abs, products)) < 1 << 100  # beyond, terms that cancel may alarm
    left, right = share(checked, x), share(checked, y)
    try:
        left @ right if summed else left * right
        alarm = False
    except RangeError:
        alarm = True
    if largest >= LIMIT:
        assert alarm
    elif quiet and largest < 0.99 * LIMIT:
        assert not alarm


@pytest.mark.parametrize("kind", ["integers", "fixed point", "a public matrix"])
def test_matrix_products_to_both_sides_of_their_limit(checked: Computation, kind: str) -> None:
    """2^62 where nothing is truncated or one side is public, 2^61 for two secrets in fixed point.

    The estimate is off by less than 4 units of 2^52, and the threshold lies 4 units below.
    """
    limit = LIMIT >> 1 if kind == "fixed point" else LIMIT
    scale = 1 if kind == "integers" else 2.0**18
    x = (1 << 31) - 1
    factor = 1.0 + 2.0**-18  # not a power of two: the public matrix is truncated by 18 bits
    for sum_of, alarm in ((limit + x, True), (limit, True), (limit - 9 * (1 << 52), False)):
        for sign in (1, -1):
            if kind == "a public matrix":
                numbers = [sign * (sum_of // int(factor * scale) + 1)]
                right: Any = np.array([factor])
            else:
                numbers = [sign * x, sign * (sum_of % x)]
                right = share(checked, np.array([sum_of // x, 1]) / scale)
            left = share(checked, np.array(numbers) / scale)
            if kind == "integers":
                left = share(checked, np.array(numbers))
                right = share(checked, np.array([sum_of // x, 1]))
            if alarm:
                with pytest.raises(RangeError, match="matmul"):
                    left @ right
            else:
                left @ right


def applied(name: str, *operands: Any, **attributes: Any) -> Any:
    return tacit.arrays.array.applied_all(name, *operands, **attributes)


RNG = np.random.default_rng(3)
ROWS = RNG.normal(size=(8, 5))
LAYERS = [RNG.normal(size=size) / 2 for size in ((5, 4), (4,), (4, 3), (3,))]
CLASSES = np.eye(3)[RNG.integers(0, 3, 8)]
STATE = [np.zeros_like(array) for array in LAYERS]
STEPS: dict[str, tuple[str, list[Any], dict[str, Any]]] = {
    "logistic": ("logistic_step", [ROWS, CLASSES[:, 0], LAYERS[0][:, 0]],
                 {"learning_rate": 0.5, "decay": 0.01}),
    "forward": ("mlp_forward", [ROWS, *LAYERS], {"activation": "tanh", "output": "softmax"}),
    "sgd": ("mlp_step", [ROWS, CLASSES, *LAYERS], {"learning_rate": 0.1, "alpha": 0.01}),
    "nesterov": ("mlp_step", [ROWS, CLASSES, *LAYERS, *STATE],
                 {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    "adam": ("mlp_step", [ROWS, CLASSES, *LAYERS, *STATE, *STATE],
             {"learning_rate": 0.001, "solver": "adam", "activation": "logistic"}),
    "solve": ("solve", [ROWS.T @ ROWS, ROWS[0, :5]], {"assume_a": "pos"}),
    "lstsq": ("lstsq", [ROWS, CLASSES[:, 0]], {}),
}  # fmt: skip


ROWS_ONLY = (2.0**30,)
LARGE = {"solve": (2.0**-9, 2.0**30), "lstsq": (2.0**22,)}
"""How much larger the first operands are than what the steps inside hold."""


@pytest.mark.parametrize("name", STEPS)
def test_checked_mode_looks_inside_operations_of_many_steps(
    checked: Computation, plain: Computation, name: str
) -> None:
    operation, operands, attributes = STEPS[name]
    applied(operation, *(share(checked, x) for x in operands), **attributes)
    # Too large for the products inside: an ordinary session says nothing.
    large = [x * factor for x, factor in zip(operands, LARGE.get(name, ROWS_ONLY), strict=False)]
    large += operands[len(large) :]
    applied(operation, *(share(plain, x) for x in large), **attributes)
    with pytest.raises(RangeError, match="TC-1374") as caught:
        applied(operation, *(share(checked, x) for x in large), **attributes)
    assert caught.value.stage == operation


def test_the_first_step_inside_is_named(checked: Computation) -> None:
    w1, b1, w2, b2 = (share(checked, x) for x in LAYERS)
    rows, classes = share(checked, ROWS), share(checked, CLASSES)
    huge = share(checked, np.full((5, 4), 2.0**30))
    with pytest.raises(RangeError, match=r"first in it: a matrix product of \(8, 5\) and \(5, 4\)"):
        applied("mlp_step", rows, classes, huge, b1, w2, b2, learning_rate=0.1)
    # The first layer's sums are in range, the second's are not.
    huge = share(checked, np.full((4, 3), 2.0**40))
    with pytest.raises(RangeError, match=r"first in it: a matrix product of \(8, 4\) and \(4, 3\)"):
        applied("mlp_step", rows, classes, w1, b1, huge, b2, learning_rate=0.1)


def test_one_bit_is_opened_and_nothing_else(
    checked: Computation, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    party = type(checked.session.members[0])  # type: ignore[attr-defined]
    real = party.reveal_bits

    def watched(member: Any, bits: Any, to: Any) -> Any:
        result = yield from real(member, bits, to)
        opened.append(np.asarray(result).copy())
        return result

    monkeypatch.setattr(party, "reveal_bits", watched)
    monkeypatch.setattr(party, "reveal", lambda *_: pytest.fail("a value is opened"))
    x = share(checked, np.arange(9.0))
    x * x
    assert [array.size for array in opened] == [1, 1, 1]


def test_inputs_and_places() -> None:
    with tacit.local("replicated3", checked=True) as mpc:
        with pytest.raises(RangeError) as caught:
            mpc.share([1 << 62], owner="alice")
        assert caught.value.code == "TC-1375"
    with pytest.raises(UsageError) as refused:
        tacit.local("replicated3", processes=True, checked=True)
    assert refused.value.code == "TC-1071"
