"""The rounding mode of a session: what it changes, and who refuses which name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tacit
from tacit.errors import UsageError
from tacit.functions import ACCURACY
from tacit.protocols import protocol_named
from tacit.sessions import LocalSession


def test_modes_that_do_not_exist_are_refused_before_anything_starts() -> None:
    for processes in (False, True):
        with pytest.raises(UsageError, match="exact") as caught:
            tacit.local("replicated3", processes=processes, rounding="up")  # type: ignore[arg-type]
        assert caught.value.code == "TC-1070"
    with pytest.raises(UsageError):
        LocalSession(protocol_named("replicated3"), ("a", "b", "c"), rounding="floor")  # type: ignore[arg-type]


def test_products_round_as_stated() -> None:
    unit = 2.0**-18
    x = np.array([3, -3, 5, -5, 1, -1, 0]) * unit
    expected = {
        "exact": np.floor(x / unit / 2) * unit,
        "nearest": np.floor(x / unit / 2 + 0.5) * unit,
    }
    for rounding, values in expected.items():
        with tacit.local("replicated3", rounding=rounding) as mpc:  # type: ignore[arg-type]
            secret, half = mpc.share(x, owner="alice"), mpc.share(0.5, owner="bob")
            for product in (secret * half, secret * 0.5, 0.5 * secret, secret / 2):
                np.testing.assert_array_equal(product.reveal(to="all"), values)
            rows = mpc.share(x[:, None], owner="alice")
            for matrix in (rows @ mpc.share(np.array([[0.5]]), owner="bob"), rows @ [[0.5]]):
                np.testing.assert_array_equal(matrix.reveal(to="all")[:, 0], values)


def test_a_view_from_inside_a_party_says_its_mode() -> None:
    with tacit.local("replicated3") as mpc:
        assert mpc.session.rounding == "probabilistic"


DOMAINS: dict[str, Any] = {
    "exp": np.linspace(-14, 16, 601),
    "log": np.geomspace(2e-5, 1e9, 601),
    "sqrt": np.geomspace(2e-5, 1e9, 601),
    "reciprocal": np.geomspace(1e-4, 1e9, 601),
    "sigmoid": np.linspace(-12, 12, 601),
    "tanh": np.linspace(-6, 6, 601),
}
ORACLES: dict[str, Any] = {
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "tanh": np.tanh,
    "reciprocal": lambda x: 1 / x, "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}  # fmt: skip


@pytest.mark.parametrize("rounding", ["nearest", "exact"])
@pytest.mark.parametrize("name", DOMAINS)
def test_functions_keep_their_accuracy(name: str, rounding: Any) -> None:
    x = np.round(DOMAINS[name] * 2.0**18) / 2.0**18
    with tacit.local("replicated3", rounding=rounding) as mpc:
        found = getattr(tacit, name)(mpc.share(x, owner="alice")).reveal(to="all")
    expected = ORACLES[name](x)
    assert (np.abs(found - expected) <= ACCURACY[name].bound(expected, 18)).all()
