"""``replicated3_active`` between processes over mutual TLS: the same text, the same results."""

from __future__ import annotations

import numpy as np
import pytest

import tacit
from tacit.errors import UsageError

pytestmark = pytest.mark.processes


def test_it_computes_over_links() -> None:
    x = np.linspace(-3, 3, 120)
    matrix = x.reshape(10, 12)
    with tacit.local("replicated3_active", processes=True) as mpc:
        a, b = mpc.share(x, "alice"), mpc.share(matrix, "bob")
        got = {
            "product": a * a,
            "matrix": b @ b.T,
            "less": a < 0.5,
            "relu": tacit.relu(a),
            "sorted": tacit.sort(-a),
            "sigmoid": tacit.sigmoid(a),
        }
        opened = {name: value.reveal(to="all") for name, value in got.items()}
        assert mpc.security.outcome == "abort"
    expected = {
        "product": x * x,
        "matrix": matrix @ matrix.T,
        "less": x < 0.5,
        "relu": np.maximum(x, 0),
        "sorted": np.sort(-x),
        "sigmoid": 1 / (1 + np.exp(-x)),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(opened[name], values, atol=1e-3, err_msg=name)


def test_the_ring_of_its_proofs_is_refused() -> None:
    with pytest.raises(UsageError, match="128 bits"):
        tacit.local("replicated3_active", ring=128)
