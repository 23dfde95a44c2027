"""What is above the protocols runs over ``fantastic4`` unchanged: functions and an estimator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import Computation
from tacit.ml import LinearRegression

RNG = np.random.default_rng(14)
X = RNG.uniform(-4, 4, (6, 5))
Y = RNG.uniform(0.5, 4, (6, 5))


@pytest.fixture(scope="module", params=[64, 128])
def mpc(request: pytest.FixtureRequest) -> Iterator[Computation]:
    with tacit.local("fantastic4", ring=request.param) as computation:
        yield computation


FUNCTIONS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "product": (lambda x, y: x * y, lambda x, y: x * y),
    "matrix product": (lambda x, y: x @ y.T, lambda x, y: x @ y.T),
    "comparison": (lambda x, y: x < y, lambda x, y: x < y),
    "relu": (lambda x, y: tacit.maximum(x, 0), lambda x, y: np.maximum(x, 0)),
    "choice": (
        lambda x, y: tacit.where(x < y, x, y),
        lambda x, y: np.where(x < y, x, y),
    ),
    "quotient": (lambda x, y: x / y, lambda x, y: x / y),
    "exp": (lambda x, y: tacit.exp(x), lambda x, y: np.exp(x)),
    "log": (lambda x, y: tacit.log(y), lambda x, y: np.log(y)),
    "sqrt": (lambda x, y: tacit.sqrt(y), lambda x, y: np.sqrt(y)),
    "floor": (lambda x, y: tacit.floor(x), lambda x, y: np.floor(x)),
    "sort": (lambda x, y: tacit.sort(x), lambda x, y: np.sort(x)),
    "mean": (lambda x, y: tacit.mean(x, axis=0), lambda x, y: np.mean(x, axis=0)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_arrays(mpc: Computation, name: str) -> None:
    ours, numpys = FUNCTIONS[name]
    x, y = mpc.share(X, owner="alice"), mpc.share(Y, owner="dave")
    found = ours(x, y).reveal(to="all")
    np.testing.assert_allclose(found, numpys(X, Y), atol=2e-3, rtol=2e-3)


def test_an_estimator() -> None:
    features = RNG.uniform(-1, 1, (40, 3))
    target = features @ np.array([1.0, -2.0, 0.5]) + 0.25
    with tacit.local("fantastic4") as mpc:
        model = LinearRegression().fit(
            mpc.share(features, owner="alice"), mpc.share(target, owner="bob")
        )
        predicted = model.predict(mpc.share(features, owner="carol")).reveal(to="all")
    np.testing.assert_allclose(predicted, target, atol=2e-2)
