"""The coefficient tables are as good as they say, and the script still finds them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tacit.functions.approximation import Polynomial
from tacit.functions.coefficients import EXP, LOG, RECIPROCAL, RSQRT, SIGMOID, SQRT, TANH

SCRIPT = Path(__file__).parents[3] / "scripts" / "fit_functions.py"
UNIT_INTERVAL = np.linspace(0.5, 1, 200_001)


def at(polynomial: Polynomial) -> np.ndarray:
    return np.polynomial.Polynomial(polynomial.coefficients)(4 * UNIT_INTERVAL - 3)


@pytest.mark.parametrize(
    ("polynomial", "exact"), [(SQRT, np.sqrt), (RSQRT, lambda x: 1 / np.sqrt(x))]
)
def test_roots(polynomial: Polynomial, exact: np.ufunc) -> None:
    error = np.abs(at(polynomial) / exact(UNIT_INTERVAL) - 1).max()
    assert 0.9 * polynomial.error <= error <= polynomial.error


def test_logarithm_is_relative_near_both_ends() -> None:
    log = np.log(UNIT_INTERVAL)
    allowed = LOG.error * np.maximum(np.minimum(-log, np.log(2 * UNIT_INTERVAL)), 5e-3)
    assert (np.abs(at(LOG) - log) <= allowed).all()


def test_reciprocal() -> None:
    r = RECIPROCAL.slope * (UNIT_INTERVAL - RECIPROCAL.vertex) ** 2 + RECIPROCAL.intercept
    error = np.abs(r * UNIT_INTERVAL - 1).max()
    assert 0.9 * RECIPROCAL.error <= error <= RECIPROCAL.error
    assert RECIPROCAL.slope * 32 == round(RECIPROCAL.slope * 32)


def test_exponential() -> None:
    t = np.linspace(-EXP.reach, EXP.reach, 200_001) / 2
    (a, b), (d_3, d_2, d_1, d_0), (e_2, e_1, e_0) = EXP.inner, EXP.outer, EXP.rest
    y = t * t
    q = y * (y + a * t + b)
    found = q * (d_3 * q + d_2 * y + d_1 * t + d_0) + e_2 * y + e_1 * t + e_0
    assert np.abs(found / np.exp(2 * t) - 1).max() <= EXP.error
    for coefficient in EXP.outer[:3]:
        assert coefficient * 2**16 == round(coefficient * 2**16)


@pytest.mark.parametrize(
    ("table", "exact"), [(SIGMOID, lambda x: 1 / (1 + np.exp(-x))), (TANH, np.tanh)]
)
def test_pieces(table: object, exact: np.ufunc) -> None:
    x = np.linspace(-30, 30, 300_001)
    assert isinstance(table, type(SIGMOID))
    u = x / 2**table.range_bits
    values = [np.polynomial.Polynomial(piece)(u) for piece in table.pieces]
    found = np.choose(np.searchsorted(table.breakpoints, x, side="right"), values)
    error = np.abs(found - exact(x)).max()
    assert 0.9 * table.error <= error <= table.error
    inner = np.abs(u[np.abs(x) <= table.breakpoints[-1]])
    assert inner.max() <= 1.25
    assert list(table.breakpoints) == sorted(-t for t in table.breakpoints)


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fit_functions", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fit_functions"] = module
    spec.loader.exec_module(module)
    return module


def test_the_script_gives_these_tables() -> None:
    """Up to what another solver version may change."""
    fit = script()
    space: dict[str, object] = {}
    exec(compile(fit.table(), "coefficients", "exec"), space)  # noqa: S102 - our own text
    for fresh, table in (("SIGMOID", SIGMOID), ("LOG", LOG), ("RSQRT", RSQRT), ("SQRT", SQRT)):
        assert space[fresh].error == pytest.approx(table.error, rel=0.02)  # type: ignore[attr-defined]
    for name, polynomial in (("LOG", LOG), ("RSQRT", RSQRT), ("SQRT", SQRT)):
        found = space[name].coefficients  # type: ignore[attr-defined]
        np.testing.assert_allclose(found, polynomial.coefficients, rtol=0.02)
    assert space["EXP"].error == pytest.approx(EXP.error, rel=0.05)  # type: ignore[attr-defined]
    assert space["RECIPROCAL"].vertex == pytest.approx(RECIPROCAL.vertex, rel=1e-4)  # type: ignore[attr-defined]
