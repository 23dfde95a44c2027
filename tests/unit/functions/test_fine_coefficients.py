"""Tables for more than 24 fractional bits: as good as they say, and found by the script."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tacit.functions import fine_coefficients
from tacit.functions.approximation import Polynomial

SCRIPT = Path(__file__).parents[3] / "scripts" / "fit_fine.py"
UNIT = np.linspace(-1, 1, 20_001)
X, U = (UNIT + 3) / 4, np.sqrt((UNIT[1:] + 1) / 2)


@pytest.mark.parametrize(
    ("name", "variable", "exact"),
    [
        ("LOG", UNIT, np.log(X)),
        ("LOG2", UNIT, np.log2(X)),
        ("LOG10", UNIT, np.log10(X)),
        ("SQRT", UNIT, np.sqrt(X)),
        ("RSQRT", UNIT, 1 / np.sqrt(X)),
        ("EXP", 1.04 * UNIT, np.exp(1.04 * UNIT)),
        ("SINE", UNIT[1:], np.sin(np.pi / 2 * U) / U),
        ("ATAN", UNIT[1:], np.arctan(U) / U),
    ],
)
def test_tables(name: str, variable: np.ndarray, exact: np.ndarray) -> None:
    table = getattr(fine_coefficients, name)
    assert isinstance(table, Polynomial)
    assert table.error < 1e-13
    found = np.polynomial.polynomial.polyval(variable, table.coefficients)
    assert np.abs(found - exact).max() <= table.error + 1e-14


def test_the_script_finds_them() -> None:
    spec = importlib.util.spec_from_file_location("fit_fine", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert sorted(module.TABLES) == sorted(fine_coefficients.__all__)
    for name, (function, (low, high), degree, _) in module.TABLES.items():
        coefficients, _ = module.fit(function, low, high, degree, name == "EXP")
        table = getattr(fine_coefficients, name).coefficients
        np.testing.assert_allclose(coefficients, table, rtol=0, atol=1e-8)
