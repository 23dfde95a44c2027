"""``tacit.linalg``'s systems and eigenvectors on secret arrays."""

from __future__ import annotations

import numpy as np
import pytest

import tacit
from tacit.errors import UsageError

RNG = np.random.default_rng(9)
GENERAL = np.eye(4) * 2 + RNG.normal(size=(4, 4)) * 0.3
DEFINITE = GENERAL @ GENERAL.T
RIGHT = RNG.normal(size=4)


def test_against_numpy() -> None:
    with tacit.local() as mpc:
        a, g = mpc.share(DEFINITE, "alice"), mpc.share(GENERAL, "bob")
        b = mpc.share(RIGHT, "carol")
        pairs = [
            (tacit.linalg.solve(a, b, assume_a="pos"), np.linalg.solve(DEFINITE, RIGHT)),
            (tacit.linalg.solve(g, b), np.linalg.solve(GENERAL, RIGHT)),
            (tacit.linalg.solve(GENERAL, b), np.linalg.solve(GENERAL, RIGHT)),
            (np.linalg.solve(g, np.eye(4)), np.linalg.inv(GENERAL)),
            (tacit.linalg.inv(a, assume_a="pos"), np.linalg.inv(DEFINITE)),
            (np.linalg.inv(g), np.linalg.inv(GENERAL)),
            (np.linalg.cholesky(a), np.linalg.cholesky(DEFINITE)),
            (tacit.linalg.cholesky(a, upper=True), np.linalg.cholesky(DEFINITE).T),
            (tacit.linalg.lstsq(g[:, :2], b), np.linalg.lstsq(GENERAL[:, :2], RIGHT)[0]),
        ]
        for found, expected in pairs:
            assert found.shape == expected.shape
            np.testing.assert_allclose(found.reveal(to="all"), expected, atol=2e-4)
        small = tacit.linalg.det(a[:2, :2], assume_a="pos")
        assert small.shape == ()
        assert small.reveal(to="all") == pytest.approx(np.linalg.det(DEFINITE[:2, :2]), rel=1e-4)
        values, vectors = tacit.linalg.leading_eigenvectors(a, 2, squarings=6)
        opened = vectors.reveal(to="all")
        np.testing.assert_allclose(DEFINITE @ opened, opened * values.reveal(to="all"), atol=0.05)


def test_integers_become_fixed_point() -> None:
    with tacit.local() as mpc:
        a = mpc.share(np.array([[2, 1], [1, 3]]), "alice")
        found = tacit.linalg.inv(a, assume_a="pos").reveal(to="all")
        np.testing.assert_allclose(found, np.linalg.inv([[2, 1], [1, 3]]), atol=1e-4)


def test_a_determinant_needs_to_be_told() -> None:
    with tacit.local() as mpc, pytest.raises(UsageError, match="positive definite"):
        tacit.linalg.det(mpc.share(np.eye(2), "alice"))
