"""Every operation of the table: its results lie within their bounds, and nothing accepted wraps.

Operands are declared to lie in random intervals, from a unit to the ends of the encoding, and hold
their ends. An operation is refused (TC-1373), or gives what NumPy gives and stays within the bounds
that it stated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import tacit
from tacit import Computation, SecretArray
from tacit.errors import RangeError
from tacit.operations import OPERATIONS
from tacit.operations.bit_chains import BitStep
from tacit.operations.bounds import RULES, WITHOUT_RULE

UNIT = 2.0**-18
SHAPE = (2, 3)
EXAMPLES = 8
"""Of each operation; 300 were drawn when the rules were written."""


@pytest.fixture(scope="module")
def mpc() -> Iterator[Computation]:
    with tacit.local("replicated3", seed=2) as opened:
        yield opened


@dataclass(frozen=True)
class Case:
    """An operation on up to two arrays: ours, NumPy's, and where and how closely they agree.

    Without `numpys` only the bounds are tested. `within` says where the documented domain is;
    the error is relative to the largest number under way, `loose` times 1e-3.
    """

    ours: Callable[..., Any]
    numpys: Callable[..., Any] | None = None
    kinds: str = "fi"
    within: Callable[..., Any] = lambda *_: True
    loose: float = 1.0


def logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-np.clip(x, -700, 700)))


def positive(x: Any, *_: Any) -> Any:
    return x > 0


def below_exp(x: Any, *_: Any) -> Any:
    return x < 20


C = np.array([0.3, -2.7, 1.1])
EDGES = np.array([-5.0, 0.0, 7.0])


def applied(name: str, *operands: SecretArray, **attributes: Any) -> Any:
    return tacit.arrays.array.applied(name, *operands, **attributes)


def image(x: Any) -> Any:
    return x[None, None]


def laid(x: Any, kernel: Any, padding: int) -> Any:
    parameters = {"stride": (1, 1), "padding": (padding, padding), "dilation": (1, 1)}
    return applied("convolution", image(x), image(kernel), **parameters)


def pooled(name: str, x: Any, kernel: Any, padding: Any) -> Any:
    return applied(name, image(x), kernel=kernel, stride=(1, 1), padding=padding)


def softplus(x: Any) -> Any:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def stable_softmax(x: Any) -> Any:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


CASES: dict[str, list[Case]] = {
    "add": [Case(lambda x, y: x + y, np.add), Case(lambda x, y: x + C, lambda x, y: x + C)],
    "subtract": [Case(lambda x, y: x - y, np.subtract)],
    "negative": [Case(lambda x, y: -x, lambda x, y: -x)],
    "multiply": [
        Case(lambda x, y: x * y, np.multiply),
        Case(lambda x, y: x * C, lambda x, y: x * C),
        Case(lambda x, y: x * 0.001, lambda x, y: x * 0.001),
        Case(lambda x, y: (y > 0) * x, lambda x, y: (y > 0) * x),
    ],
    "square": [Case(lambda x, y: tacit.square(x), lambda x, y: x * x)],
    "sum_of_products": [
        Case(lambda x, y: applied("sum_of_products", x, y, y, y), lambda x, y: x * y + y * y, "f",
             loose=8),
    ],
    "matmul": [
        Case(lambda x, y: x @ y.T, lambda x, y: x @ y.T, loose=8),
        Case(lambda x, y: x @ C, lambda x, y: x @ C, loose=8),
    ],
    "divide": [
        Case(lambda x, y: x / y, np.true_divide, within=lambda x, y: np.abs(y) >= UNIT),
        Case(lambda x, y: x / C, lambda x, y: x / C),
        Case(lambda x, y: x / 7000, lambda x, y: x / 7000),
        Case(lambda x, y: 5 / y, lambda x, y: 5 / y, within=lambda x, y: np.abs(y) >= UNIT),
    ],
    "floor_divide": [
        Case(lambda x, y: x // y, np.floor_divide, within=lambda x, y: y != 0),
        Case(lambda x, y: x // 7, lambda x, y: x // 7),
        Case(lambda x, y: x // (2.5 * UNIT), None, "f"),
    ],
    "remainder": [
        Case(lambda x, y: x % y, np.remainder, within=lambda x, y: y != 0),
        Case(lambda x, y: x % -7, lambda x, y: x % -7),
    ],
    "divmod": [Case(lambda x, y: divmod(x, 9)[0], lambda x, y: x // 9)],
    "where": [Case(lambda x, y: tacit.where(x > 0, x, y), lambda x, y: np.where(x > 0, x, y))],
    "copysign": [Case(lambda x, y: tacit.copysign(x, y), None)],
    "maximum": [Case(tacit.maximum, np.maximum)],
    "minimum": [Case(tacit.minimum, np.minimum)],
    "abs": [Case(lambda x, y: abs(x), lambda x, y: np.abs(x))],
    "relu": [Case(lambda x, y: tacit.relu(x), lambda x, y: np.maximum(x, 0))],
    "sign": [Case(lambda x, y: tacit.sign(x), lambda x, y: np.sign(x))],
    "clip": [Case(lambda x, y: tacit.clip(x, -2, 3), lambda x, y: np.clip(x, -2, 3))],
    **{
        name: [Case(getattr(tacit, name), getattr(np, name))]
        for name in ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
    },
    "any": [Case(lambda x, y: tacit.any(x > y), lambda x, y: (x > y).any())],
    "all": [Case(lambda x, y: tacit.all(x > y), lambda x, y: (x > y).all())],
    "bitwise_and": [Case(lambda x, y: x & 3, lambda x, y: x & 3, "i")],
    "bitwise_or": [Case(lambda x, y: x | 3, lambda x, y: x | 3, "i")],
    "bitwise_xor": [Case(lambda x, y: x ^ y, np.bitwise_xor, "i")],
    "bitwise_invert": [Case(lambda x, y: ~x, lambda x, y: ~x, "i")],
    "bitwise_left_shift": [Case(lambda x, y: x << 3, lambda x, y: x << 3, "i")],
    "bitwise_right_shift": [
        Case(lambda x, y: x >> 3, lambda x, y: x >> 3, "i"),
        Case(lambda x, y: x >> (y & 31), lambda x, y: x >> (y & 31), "i"),
    ],
    "floor": [Case(lambda x, y: tacit.floor(x), lambda x, y: np.floor(x), "f")],
    "ceil": [Case(lambda x, y: tacit.ceil(x), lambda x, y: np.ceil(x), "f")],
    "trunc": [Case(lambda x, y: tacit.trunc(x), lambda x, y: np.trunc(x), "f")],
    "round": [Case(lambda x, y: tacit.round(x), lambda x, y: np.round(x), "f")],
    "astype": [
        Case(lambda x, y: x.astype(tacit.fixed_point(9)), lambda x, y: x),
        Case(lambda x, y: x.astype(tacit.int64), lambda x, y: np.trunc(x)),
    ],
    "reshape": [Case(lambda x, y: x.reshape(-1), lambda x, y: x.reshape(-1))],
    "transpose": [Case(lambda x, y: x.T, lambda x, y: x.T)],
    "broadcast_to": [Case(lambda x, y: tacit.broadcast_to(x, (2, *SHAPE)), None)],
    "getitem": [Case(lambda x, y: x[0, ::2], lambda x, y: x[0, ::2])],
    "concatenate": [Case(lambda x, y: tacit.concat([x, y]), lambda x, y: np.concat([x, y]))],
    "stack": [Case(lambda x, y: tacit.stack([x, y]), lambda x, y: np.stack([x, y]))],
    "roll": [Case(lambda x, y: tacit.roll(x, 1), lambda x, y: np.roll(x, 1))],
    "repeat": [Case(lambda x, y: tacit.repeat(x, 2), lambda x, y: np.repeat(x, 2))],
    "tile": [Case(lambda x, y: tacit.tile(x, (2, 2)), lambda x, y: np.tile(x, (2, 2)))],
    "pad": [
        Case(lambda x, y: tacit.pad(x, (1, 2)), lambda x, y: np.pad(x, (1, 2))),
        Case(lambda x, y: tacit.pad(x, 1, mode="edge"), lambda x, y: np.pad(x, 1, "edge")),
    ],
    "tril": [Case(lambda x, y: tacit.tril(x), lambda x, y: np.tril(x))],
    "triu": [Case(lambda x, y: tacit.triu(x), lambda x, y: np.triu(x))],
    "diagonal": [Case(lambda x, y: tacit.diagonal(x), lambda x, y: np.diagonal(x))],
    "bit_chain": [Case(lambda x, y: applied("bit_chain", x, y, steps=(BitStep("xor", 0, 1),)),
                       np.bitwise_xor, "i")],
    "dynamic_slice": [Case(lambda x, y: tacit.dynamic_slice(x, [0, 1], (1, 2)),
                           lambda x, y: x[:1, 1:3])],
    "dynamic_update_slice": [Case(lambda x, y: tacit.dynamic_update_slice(x, y[:1, :2], [0, 1]),
                                  None)],
    "take": [Case(lambda x, y: applied("take", x, np.array([1, 0]), axis=0),
                  lambda x, y: x[[1, 0]])],
    "shuffle": [Case(lambda x, y: tacit.shuffle(x), None)],
    "sum": [Case(lambda x, y: x.sum(axis=1), lambda x, y: x.sum(axis=1))],
    "prod": [Case(lambda x, y: tacit.prod(x, axis=1), lambda x, y: x.prod(axis=1), loose=8)],
    "mean": [Case(lambda x, y: x.mean(axis=1), lambda x, y: x.mean(axis=1))],
    "var": [
        Case(lambda x, y: tacit.var(x), lambda x, y: x.var(), loose=4),
        Case(lambda x, y: tacit.var(x, correction=5.5), lambda x, y: x.var() * 12, loose=30),
    ],
    "cumulative_sum": [
        Case(lambda x, y: tacit.cumulative_sum(x, axis=0), lambda x, y: x.cumsum(axis=0))
    ],
    "cumulative_prod": [
        Case(lambda x, y: tacit.cumulative_prod(x, axis=1), lambda x, y: x.cumprod(axis=1),
             loose=8)
    ],
    "diff": [Case(lambda x, y: tacit.diff(x, n=2), lambda x, y: np.diff(x, n=2))],
    "exp": [Case(lambda x, y: tacit.exp(x), lambda x, y: np.exp(x), "f", below_exp)],
    "expm1": [Case(lambda x, y: tacit.expm1(x), lambda x, y: np.expm1(x), "f", below_exp)],
    "log": [Case(lambda x, y: tacit.log(x), lambda x, y: np.log(x), "f", positive)],
    "log1p": [Case(lambda x, y: tacit.log1p(x), lambda x, y: np.log1p(x), "f",
                   lambda x, y: x >= UNIT - 1)],
    "log2": [Case(lambda x, y: tacit.log2(x), lambda x, y: np.log2(x), "f", positive)],
    "log10": [Case(lambda x, y: tacit.log10(x), lambda x, y: np.log10(x), "f", positive)],
    "sqrt": [Case(lambda x, y: tacit.sqrt(x), lambda x, y: np.sqrt(x), "f", positive)],
    "rsqrt": [Case(lambda x, y: tacit.rsqrt(x), lambda x, y: x**-0.5, "f", positive)],
    "reciprocal": [Case(lambda x, y: tacit.reciprocal(x), lambda x, y: 1 / x, "f",
                        lambda x, y: x != 0)],
    "sigmoid": [Case(lambda x, y: tacit.sigmoid(x), lambda x, y: logistic(x))],
    "tanh": [Case(lambda x, y: tacit.tanh(x), lambda x, y: np.tanh(x))],
    "sinh": [Case(lambda x, y: tacit.sinh(x), lambda x, y: np.sinh(x), "f",
                  lambda x, y: np.abs(x) < 20, 2)],
    "cosh": [Case(lambda x, y: tacit.cosh(x), lambda x, y: np.cosh(x), "f",
                  lambda x, y: np.abs(x) < 20, 2)],
    "sin": [Case(lambda x, y: tacit.sin(x), lambda x, y: np.sin(x))],
    "cos": [Case(lambda x, y: tacit.cos(x), lambda x, y: np.cos(x))],
    "tan": [Case(lambda x, y: tacit.tan(x), None)],
    "asin": [Case(lambda x, y: tacit.asin(x), lambda x, y: np.arcsin(np.clip(x, -1, 1)))],
    "acos": [Case(lambda x, y: tacit.acos(x), lambda x, y: np.arccos(np.clip(x, -1, 1)))],
    "atan": [Case(lambda x, y: tacit.atan(x), lambda x, y: np.arctan(x))],
    "atan2": [Case(lambda x, y: tacit.atan2(x, y), None)],
    "hypot": [Case(lambda x, y: tacit.hypot(x, y), lambda x, y: np.hypot(x, y))],
    "logaddexp": [Case(lambda x, y: tacit.logaddexp(x, y), np.logaddexp)],
    "erf": [Case(lambda x, y: tacit.erf(x), None)],
    "softplus": [Case(lambda x, y: tacit.softplus(x), lambda x, y: softplus(x))],
    "silu": [Case(lambda x, y: tacit.silu(x), lambda x, y: x * logistic(x))],
    "gelu": [Case(lambda x, y: tacit.gelu(x), None)],
    "elu": [
        Case(lambda x, y, a=a: tacit.elu(x, a),
             lambda x, y, a=a: np.where(x > 0, x, a * np.expm1(np.minimum(x, 0))), loose=8)
        for a in (1.0, -3.0)
    ],
    "leaky_relu": [
        Case(lambda x, y, a=a: tacit.leaky_relu(x, a), lambda x, y, a=a: np.where(x > 0, x, a * x))
        for a in (0.01, -7.3)
    ],
    "pow": [
        Case(lambda x, y: x**3, lambda x, y: x**3, loose=8),
        Case(lambda x, y: x ** np.array([0, 2, 5]), lambda x, y: x ** np.array([0, 2, 5]),
             loose=20),
        Case(lambda x, y: x**0.7, lambda x, y: np.abs(x) ** 0.7, "f", positive, 8),
        Case(lambda x, y: x**y, None, "f"),
        Case(lambda x, y: tacit.pow(1.5, x), lambda x, y: 1.5**x, "f",
             lambda x, y: x < 40, 8),
    ],
    "polyval": [
        Case(lambda x, y: tacit.polyval([0.5, -3.0, 2.0, 0.1], x),
             lambda x, y: np.polyval([0.5, -3.0, 2.0, 0.1], x), loose=30),
        Case(lambda x, y: tacit.polyval([2, -3], x), lambda x, y: 2 * x - 3),
    ],
    "interp": [Case(lambda x, y: tacit.interp(x, EDGES, C),
                    lambda x, y: np.interp(np.float64(x), EDGES, C))],
    "piecewise": [Case(lambda x, y: tacit.piecewise(x, [-1.0, 2.0], [[0.5], [1.0, -2.0, 0.3],
                                                                    [4.0]]), None)],
    "softmax": [Case(lambda x, y: tacit.softmax(x, axis=1), lambda x, y: stable_softmax(x))],
    "log_softmax": [Case(lambda x, y: tacit.log_softmax(x, axis=1), None)],
    "logsumexp": [Case(lambda x, y: tacit.logsumexp(x, axis=1),
                       lambda x, y: np.logaddexp.reduce(x, axis=1))],
    "convolution": [
        Case(lambda x, y: laid(x, y[:, :2], 1), None),
        Case(lambda x, y: laid(x, np.array([[0.3, 2.0]]), 0),
             lambda x, y: image(0.3 * x[:, :-1] + 2 * x[:, 1:]), loose=4),
    ],
    "max_pool": [
        Case(lambda x, y: pooled("max_pool", x, (1, 2), (0, 0)),
             lambda x, y: image(np.maximum(x[:, :-1], x[:, 1:]))),
        Case(lambda x, y: pooled("max_pool", x, (2, 2), (1, 1)), None),
    ],
    "avg_pool": [
        Case(lambda x, y: pooled("avg_pool", x, (1, 3), (0, 0)),
             lambda x, y: image(x.mean(axis=1, keepdims=True))),
        Case(lambda x, y: pooled("avg_pool", x, (2, 2), (1, 1)), None),
    ],
    "mlp_forward": [
        Case(lambda x, y, a=a: applied("mlp_forward", x, y.T, x[:, 0], x[:, :2], y[0, :2],
                                       activation=a, output="identity"),
             None, "f")
        for a in ("relu", "tanh")
    ],
    "class_of_largest": [
        Case(lambda x, y: applied("class_of_largest", x, np.array([4, -9, 7])),
             lambda x, y: np.array([4, -9, 7])[x.argmax(axis=1)]),
    ],
    "sort": [Case(lambda x, y: tacit.sort(x), lambda x, y: np.sort(x))],
    "argsort": [Case(lambda x, y: tacit.argsort(x), lambda x, y: np.argsort(x, stable=True))],
    "lexsort": [Case(lambda x, y: tacit.lexsort([x[0], y[0]]),
                     lambda x, y: np.lexsort([x[0], y[0]]))],
    "sort_by": [Case(lambda x, y: tacit.sort_by([x[0], y[0]], [y[1]]),
                     lambda x, y: [a[0][np.argsort(y[1], stable=True)] for a in (x, y)])],
    "topk": [Case(lambda x, y: tacit.topk(x, 2), None)],
    "max": [Case(lambda x, y: x.max(axis=1), lambda x, y: x.max(axis=1))],
    "min": [Case(lambda x, y: x.min(axis=1), lambda x, y: x.min(axis=1))],
    "argmax": [Case(lambda x, y: tacit.argmax(x), lambda x, y: np.argmax(x))],
    "argmin": [Case(lambda x, y: tacit.argmin(x, axis=1), lambda x, y: np.argmin(x, axis=1))],
    "median": [Case(lambda x, y: tacit.median(x), lambda x, y: np.median(x))],
    "quantile": [Case(lambda x, y: tacit.quantile(x, 0.3, axis=1),
                      lambda x, y: np.quantile(x, 0.3, axis=1))],
    "searchsorted": [Case(lambda x, y: tacit.searchsorted(EDGES, x),
                          lambda x, y: np.searchsorted(EDGES, x))],
    "isin": [Case(lambda x, y: tacit.isin(x, np.array([0, 1])),
                  lambda x, y: np.isin(x, [0, 1]))],
    "one_hot": [Case(lambda x, y: tacit.one_hot(x, 3), None, "i")],
    "take_secret": [Case(lambda x, y: tacit.take(x, y[0].astype(tacit.int64) * 0, axis=1), None)],
    "totals_between": [
        Case(lambda x, y: tacit.histogram(x[0], EDGES)[0],
             lambda x, y: np.histogram(x[0], EDGES)[0]),
        Case(lambda x, y: tacit.histogram(x[0], EDGES, weights=y[0])[0],
             lambda x, y: np.histogram(x[0], EDGES, weights=y[0])[0]),
    ],
    "group_by": [
        Case(lambda x, y: [*(g := tacit.group_by([x[0]], [y[0]])).keys, *g.sums, g.counts, g.valid],
             None)
    ],
}  # fmt: skip


def test_every_operation_has_a_rule_or_a_reason() -> None:
    assert set(RULES) | set(WITHOUT_RULE) == set(OPERATIONS)
    assert not set(RULES) & set(WITHOUT_RULE)
    assert all(len(reason) > 20 for reason in WITHOUT_RULE.values())
    # A constant has no bounds but those of its public values.
    assert set(CASES) == set(RULES) - {"constant"}


@st.composite
def intervals(draw: st.DrawFn, kind: str) -> tuple[float, float]:
    """From a unit to the end of the encoding, around 0 or beside it."""
    exponent = draw(st.integers(0, 60 if kind == "i" else 59) | st.integers(10, 35))
    high = draw(st.integers(1 << exponent, (2 << exponent) - 1))
    low = draw(st.sampled_from([-high, high // 2, high, 0, -high // 3, 1]))
    ends = sorted((low, high))
    if draw(st.booleans()):
        ends = [-end for end in ends[::-1]]
    if kind == "i":
        return ends[0], ends[1]
    # Exact as float64: 52 bits.
    low, high = (float(np.float64(end >> 9 << 9 if exponent > 50 else end)) for end in ends)
    return low * UNIT, high * UNIT


def filled(rng: np.random.Generator, bounds: tuple[float, float], kind: str) -> NDArray[Any]:
    """Numbers of an interval, its ends among them."""
    low, high = bounds
    if kind == "i":
        values = rng.integers(low, high, SHAPE, endpoint=True)
    else:
        values = np.clip(np.rint(rng.uniform(low, high, SHAPE) / UNIT) * UNIT, low, high)
    return np.where(rng.random(SHAPE) < 0.5, rng.choice([low, high], SHAPE), values)


def judge(case: Case, x: Any, y: Any, found: Any, place: int | None) -> None:
    assert case.numpys is not None
    with np.errstate(all="ignore"):
        a, b = (v.astype(np.longdouble) if v.dtype.kind == "f" else v for v in (x, y))
        expected = case.numpys(a, b)
        expected = np.asarray(expected if place is None else expected[place])
        inside = case.within(x, y) & np.ones(x.shape, np.bool_)
        inside = inside if expected.shape == x.shape else np.bool_(inside.all())
        error = np.abs(found.astype(np.longdouble) - expected)
        scale = np.abs(expected) + (np.abs(a).max() if case.loose > 1 else 0)
        tolerance = case.loose * (1e-3 * scale + 2e-3)
        right = (error <= tolerance) | ~np.isfinite(expected)
    assert right[np.broadcast_to(inside, right.shape)].all()


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.data())
def test_results_lie_within_their_bounds_and_do_not_wrap(
    mpc: Computation, name: str, data: st.DataObject
) -> None:
    case = data.draw(st.sampled_from(CASES[name]))
    kind = data.draw(st.sampled_from(case.kinds))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    ends = [data.draw(intervals(kind)) for _ in range(2)]
    arrays = [filled(rng, bounds, kind) for bounds in ends]
    x, y = (
        mpc.share(values, owner="alice", bounds=bounds)
        for values, bounds in zip(arrays, ends, strict=True)
    )
    try:
        found = case.ours(x, y)
    except RangeError as error:
        refused = error.code
    else:
        refused = ""
    assert refused in ("", "TC-1373")
    assume(not refused)
    results = [found] if isinstance(found, SecretArray) else list(found)
    for place, result in enumerate(results):
        values = np.asarray(result.reveal(to="all"))
        if result.bounds is not None:
            low, high = result.bounds
            assert low <= values.min(), name
            assert values.max() <= high, name
        if case.numpys is not None:
            judge(case, *arrays, values, None if isinstance(found, SecretArray) else place)
