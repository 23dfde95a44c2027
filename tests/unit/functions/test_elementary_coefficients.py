"""The tables of ``scripts/fit_elementary.py`` are as good as they say, and it still finds them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import erf

from tacit.functions import elementary_coefficients as tables
from tacit.functions.approximation import OddPolynomial, PiecewisePolynomial, Polynomial

SCRIPTS = Path(__file__).parents[3] / "scripts"
UNIT_INTERVAL = np.linspace(0.5, 1, 200_001)
SYMMETRIC = np.linspace(-1, 1, 200_001)
POSITIVE = np.linspace(0, 1, 200_001)
LINE = np.linspace(-30, 30, 300_001)


@pytest.mark.parametrize(("table", "exact"), [(tables.LOG2, np.log2), (tables.LOG10, np.log10)])
def test_logarithms(table: Polynomial, exact: np.ufunc) -> None:
    log = np.log(UNIT_INTERVAL)
    allowed = table.error * np.maximum(np.minimum(-log, np.log(2 * UNIT_INTERVAL)), 5e-3)
    found = np.polynomial.Polynomial(table.coefficients)(4 * UNIT_INTERVAL - 3)
    assert (np.abs(found - exact(UNIT_INTERVAL)) <= allowed).all()


@pytest.mark.parametrize(("table", "exact"), [(tables.EXPM1, np.expm1), (tables.SINH, np.sinh)])
def test_near_zero_the_error_is_relative(table: Polynomial, exact: np.ufunc) -> None:
    assert table.coefficients[:2] == (0.0, 0.0)
    x = SYMMETRIC[SYMMETRIC != 0]
    found = x + np.polynomial.Polynomial(table.coefficients)(x)
    error = np.abs(found / exact(x) - 1).max()
    assert 0.9 * table.error <= error <= table.error


def test_arc_cosine() -> None:
    found = np.sqrt(1 - POSITIVE) * np.polynomial.Polynomial(tables.ACOS.coefficients)(POSITIVE)
    error = np.abs(found - np.arccos(POSITIVE)).max()
    assert 0.9 * tables.ACOS.error <= error <= tables.ACOS.error


@pytest.mark.parametrize(
    ("table", "exact"),
    [(tables.SINE, lambda u: np.sin(np.pi / 2 * u)), (tables.ATAN, np.arctan)],
)
def test_odd_polynomials(table: OddPolynomial, exact: Callable[[Any], Any]) -> None:
    found = sum(c * SYMMETRIC**k for c, k in zip(table.coefficients, (1, 3, 5, 7), strict=True))
    error = np.abs(found - exact(SYMMETRIC)).max()
    assert 0.9 * table.error <= error <= table.error
    for coefficient in table.coefficients[2:]:
        assert coefficient * 2**16 == round(coefficient * 2**16)


TAILED: dict[str, tuple[PiecewisePolynomial, bool, Callable[[Any], Any]]] = {
    "erf": (tables.ERF, False, erf),
    "softplus": (tables.SOFTPLUS, True, lambda x: np.logaddexp(0, x)),
    "silu": (tables.SILU, True, lambda x: x / (1 + np.exp(-x))),
    "gelu": (tables.GELU, True, lambda x: x * (1 + erf(x / np.sqrt(2))) / 2),
    "elu": (tables.ELU, True, lambda x: np.where(x < 0, np.expm1(np.minimum(x, 0)), x)),
}


@pytest.mark.parametrize("name", TAILED)
def test_pieces_and_tails(name: str) -> None:
    table, tail, exact = TAILED[name]
    values = [np.polynomial.Polynomial(p)(LINE / 2**table.range_bits) for p in table.pieces]
    found = np.choose(np.searchsorted(table.breakpoints, LINE, side="right"), values)
    if tail:
        found += np.where(table.breakpoints[-1] <= LINE, LINE, 0)
    error = np.abs(found - exact(LINE)).max()
    assert 0.9 * table.error <= error <= table.error
    assert list(table.breakpoints) == sorted(table.breakpoints)
    assert np.abs(table.breakpoints).max() <= 1.6 * 2**table.range_bits


def test_the_script_gives_these_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to what another solver version may change."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    spec = importlib.util.spec_from_file_location("fit_elementary", SCRIPTS / "fit_elementary.py")
    assert spec is not None
    assert spec.loader is not None
    fit = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fit_elementary", fit)
    spec.loader.exec_module(fit)
    space: dict[str, Any] = {}
    exec(compile(fit.table(), "coefficients", "exec"), space)  # noqa: S102 - our own text
    for name in tables.__all__:
        fresh, table = space[name], getattr(tables, name)
        assert fresh.error == pytest.approx(table.error, rel=0.05), name
        if isinstance(table, PiecewisePolynomial):
            np.testing.assert_allclose(fresh.breakpoints, table.breakpoints, rtol=1e-3)
