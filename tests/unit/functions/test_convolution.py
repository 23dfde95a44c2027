"""Convolution and pooling against direct sums; gradients as adjoints; exactly the declared cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from simulation import Simulation

import tacit
from tacit import Computation
from tacit.functions.convolution import (
    Geometry,
    convolution,
    convolution_cost,
    input_gradient,
    input_gradient_cost,
    max_pool,
    max_pool_cost,
    weight_gradient,
    weight_gradient_cost,
)
from tacit.protocols import PROTOCOLS
from tacit.rounds import Declaration

Integers = NDArray[np.int64]
UNIT = 2.0**-18

CASES: list[tuple[tuple[int, ...], int, Geometry]] = [
    ((2, 3, 7), 4, Geometry((3,), (1,), (0,), (1,))),
    ((1, 4, 9), 6, Geometry((2,), (2,), (1,), (3,), 2)),
    ((2, 2, 5, 6), 3, Geometry((3, 2), (1, 2), (1, 0), (1, 1))),
    ((1, 4, 6, 5), 4, Geometry((2, 2), (2, 1), (1, 1), (2, 1), 4)),
    ((3, 1, 4, 4), 2, Geometry((4, 4), (1, 1), (0, 0), (1, 1))),
    ((1, 2, 3, 3, 3), 2, Geometry((2, 2, 2), (1, 1, 1), (0, 1, 0), (1, 1, 1))),
]


def direct(x: NDArray[Any], w: NDArray[Any], g: Geometry) -> NDArray[Any]:
    """A convolution entry by entry, as its definition says."""
    padded = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in g.padding)])
    places = g.places(x.shape[2:])
    result = np.zeros((x.shape[0], w.shape[0], *places), x.dtype)
    inputs, outputs = w.shape[1], w.shape[0] // g.groups
    for o, place in product(range(w.shape[0]), product(*map(range, places))):
        first = o // outputs * inputs
        at = tuple(
            slice(p * s, p * s + (k - 1) * d + 1, d)
            for p, s, k, d in zip(place, g.stride, g.kernel, g.dilation, strict=True)
        )
        window = padded[(slice(None), slice(first, first + inputs), *at)]
        result[(slice(None), o, *place)] = (window * w[o]).reshape(x.shape[0], -1).sum(axis=1)
    return result


def check_cost(simulation: Simulation, declared: Declaration) -> None:
    cost = simulation.driver.cost()
    assert cost.rounds == declared.rounds
    assert tuple(cost.bytes_sent[n] for n in simulation.names) == tuple(declared.bytes_sent)


def operands(case: tuple[tuple[int, ...], int, Geometry]) -> tuple[Integers, Integers, Integers]:
    """An array, kernels, and slopes of the result, small integers."""
    shape, outputs, g = case
    rng = np.random.default_rng(sum(shape))
    x = rng.integers(-9, 10, shape)
    w = rng.integers(-9, 10, (outputs, shape[1] // g.groups, *g.kernel))
    slopes = rng.integers(-9, 10, (shape[0], outputs, *g.places(shape[2:])))
    return x, w, slopes


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize("bits", [0, 18])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_convolution(case: Any, bits: int, protocol: str) -> None:
    x, w, _ = operands(case)
    shape, outputs, g = case
    simulation = Simulation(protocol=protocol)
    parts = simulation.run(
        lambda p, a, b: convolution(p, a, b, g, bits),
        simulation.share(x << bits),
        simulation.share(w << bits),
    )
    found = simulation.open(parts)
    assert np.abs(found - (direct(x, w, g) << bits)).max() <= (1 if bits else 0)
    check_cost(simulation, convolution_cost(PROTOCOLS[protocol].costs, shape, outputs, g, bits))


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize("case", CASES, ids=str)
def test_gradients_are_adjoints(case: Any, protocol: str) -> None:
    """<conv(x, w), s> is linear in x and in w: the gradients are its coefficients."""
    x, w, slopes = operands(case)
    shape, outputs, g = case
    costs = PROTOCOLS[protocol].costs
    total = int((direct(x, w, g) * slopes).sum())
    simulation = Simulation(protocol=protocol)
    parts = simulation.run(
        lambda p, a, s: weight_gradient(p, a, s, g, 0),
        simulation.share(x),
        simulation.share(slopes),
    )
    by_weight = simulation.open(parts)
    assert by_weight.shape == w.shape
    assert int((by_weight * w).sum()) == total
    check_cost(simulation, weight_gradient_cost(costs, shape, outputs, g, 0))
    simulation = Simulation(protocol=protocol)
    parts = simulation.run(
        lambda p, s, b: input_gradient(p, s, b, shape, g, 0),
        simulation.share(slopes),
        simulation.share(w),
    )
    by_input = simulation.open(parts)
    assert by_input.shape == x.shape
    assert int((by_input * x).sum()) == total
    check_cost(simulation, input_gradient_cost(costs, shape, outputs, g, 0))
    # One entry of each, by a difference.
    other = w.copy()
    other.flat[-1] += 1
    assert by_weight.flat[-1] == int((direct(x, other, g) * slopes).sum()) - total
    moved = x.copy()
    moved.flat[0] += 1
    assert by_input.flat[0] == int((direct(moved, w, g) * slopes).sum()) - total


def test_truncated_gradients() -> None:
    x, w, slopes = operands(CASES[2])
    shape, outputs, g = CASES[2]
    costs = PROTOCOLS["replicated3"].costs
    simulation = Simulation()
    parts = simulation.run(
        lambda p, a, s: weight_gradient(p, a, s, g, 18),
        simulation.share(x << 18),
        simulation.share(slopes << 18),
    )
    check_cost(simulation, weight_gradient_cost(costs, shape, outputs, g))
    exact = simulation.open(parts) / 2.0**18
    assert abs((exact * w).sum() - (direct(x, w, g) * slopes).sum()) <= w.size * 9 * UNIT
    simulation = Simulation()
    simulation.run(
        lambda p, s, b: input_gradient(p, s, b, shape, g, 18),
        simulation.share(slopes << 18),
        simulation.share(w << 18),
    )
    check_cost(simulation, input_gradient_cost(costs, shape, outputs, g))


def largest(x: NDArray[Any], g: Geometry) -> NDArray[Any]:
    low = np.iinfo(np.int64).min
    padded = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in g.padding)], constant_values=low)
    places = g.places(x.shape[2:])
    result = np.zeros((*x.shape[:2], *places), x.dtype)
    for place in product(*map(range, places)):
        at = tuple(
            slice(p * s, p * s + k) for p, s, k in zip(place, g.stride, g.kernel, strict=True)
        )
        window = padded[(slice(None), slice(None), *at)]
        result[(slice(None), slice(None), *place)] = window.reshape(*x.shape[:2], -1).max(axis=-1)
    return result


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize(
    "g",
    [
        Geometry((2, 2), (2, 2), (0, 0), (1, 1)),
        Geometry((3, 3), (2, 2), (1, 1), (1, 1)),
        Geometry((5, 6), (1, 1), (0, 0), (1, 1)),
        Geometry((1, 4), (1, 3), (0, 2), (1, 1)),
    ],
    ids=str,
)
def test_max_pool_is_exact_and_padding_never_wins(g: Geometry, protocol: str) -> None:
    rng = np.random.default_rng(6)
    x = rng.integers(-(1 << 60), -1, (2, 3, 5, 6))
    simulation = Simulation(protocol=protocol)
    parts = simulation.run(lambda p, a: max_pool(p, a, g), simulation.share(x))
    np.testing.assert_array_equal(simulation.open(parts), largest(x, g))
    check_cost(simulation, max_pool_cost(PROTOCOLS[protocol].costs, x.shape, g))


# The public face.


@pytest.fixture(scope="module")
def mpc() -> Iterator[Computation]:
    with tacit.local("replicated3") as computation:
        yield computation


@pytest.mark.parametrize("given", ["both", "array", "kernels"])
@pytest.mark.parametrize("groups", [1, 2])
def test_conv2d(mpc: Computation, given: str, groups: int) -> None:
    rng = np.random.default_rng(3)
    x, w, b = (
        rng.normal(size=(2, 4, 6, 5)),
        rng.normal(size=(4, 4 // groups, 3, 2)),
        rng.normal(size=4),
    )
    g = Geometry((3, 2), (2, 1), (1, 0), (1, 2), groups)
    expected = direct(x, w, g) + b[:, None, None]
    left = mpc.share(x, owner="alice") if given != "kernels" else x
    right = mpc.share(w, owner="bob") if given != "array" else w
    found = tacit.conv2d(
        left, right, b, stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=groups
    )
    np.testing.assert_allclose(found.reveal(to="all"), expected, rtol=0, atol=1e-4)


def test_only_the_result_is_communicated(mpc: Computation) -> None:
    x = mpc.share(np.ones((1, 8, 16)), owner="alice")
    sent = []
    for length in (2, 9):
        w = mpc.share(np.ones((3, 8, length)), owner="bob")
        with mpc.measure() as cost:
            found = tacit.conv1d(x, w, padding=length - 2)[:, :, :8]
            assert found.shape == (1, 3, 8)
        places = 16 + 2 * (length - 2) - (length - 1)
        sent.append(sum(cost.bytes_sent.values()) / places)
    assert sent[0] == pytest.approx(sent[1], rel=0.05)


def test_conv1d_of_integers(mpc: Computation) -> None:
    x, w = np.arange(12).reshape(1, 2, 6), np.array([[[1, -2], [3, 5]]])
    found = tacit.conv1d(mpc.share(x, owner="alice"), mpc.share(w, owner="bob"))
    assert found.dtype == tacit.int64
    expected = direct(x, w, Geometry((2,), (1,), (0,), (1,)))
    np.testing.assert_array_equal(found.reveal(to="all"), expected)


def test_pooling(mpc: Computation) -> None:
    values = np.random.default_rng(5).normal(size=(2, 3, 4, 6))
    x = mpc.share(values, owner="alice")
    blocks = values.reshape(2, 3, 2, 2, 3, 2)
    cases: list[tuple[Callable[[], Any], NDArray[Any]]] = [
        (lambda: tacit.max_pool2d(x, 2), blocks.max(axis=(3, 5))),
        (lambda: tacit.avg_pool2d(x, 2), blocks.mean(axis=(3, 5))),
        (lambda: tacit.global_max_pool(x), values.max(axis=(2, 3))),
        (lambda: tacit.global_avg_pool(x), values.mean(axis=(2, 3))),
        (lambda: tacit.max_pool1d(x[:, :, 0], 3), values[:, :, 0].reshape(2, 3, 2, 3).max(axis=3)),
        (lambda: tacit.avg_pool1d(x[:, :, 0], 3), values[:, :, 0].reshape(2, 3, 2, 3).mean(axis=3)),
    ]
    for call, expected in cases:
        found = call().reveal(to="all")
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("secret", [False, True])
def test_batch_norm(mpc: Computation, secret: bool) -> None:
    rng = np.random.default_rng(7)
    x, mean, weight, bias = rng.normal(size=(2, 3, 4)), *rng.normal(size=(3, 3))
    var = rng.uniform(0.5, 3, 3)
    parameters = [mean, var, weight, bias]
    if secret:
        parameters = [mpc.share(p, owner="bob") for p in parameters]
    found = tacit.batch_norm(mpc.share(x, owner="alice"), *parameters).reveal(to="all")
    column = [p[:, None] for p in (mean, var, weight, bias)]
    expected = (x - column[0]) / np.sqrt(column[1] + 1e-5) * column[2] + column[3]
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-3)
