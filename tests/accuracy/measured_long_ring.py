"""The functions over 128 bits: with 18 fractional bits, and with 32 what 24 do not reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from measured_accuracy import RULES, Measurement, Reals
from numpy.typing import NDArray
from simulation import Simulation

from tacit import functions
from tacit.encoding import RING128
from tacit.functions.accuracy import ACCURACY, FINE, Accuracy
from tacit.functions.division import quotient_limit_bits
from tacit.functions.domains import is_fine
from tacit.functions.exponential import exp_domain

ELSEWHERE = {"acos", "asin", "cosh", "sinh", "expm1", "power", "logaddexp", "leaky_relu"} | {
    "elu",
    "gelu",
    "silu",
    "softplus",
}
"""Functions whose domains are those of Z_2^64, or whose results float64 cannot tell."""

DEFAULT, FINE_DEFAULT, POINTS = 18, 32, 4000
LIMIT = 125
"""Magnitudes below 2^125 in the ring are what the encoding holds."""

Numbers = NDArray[Any]
"""Python's integers in an array of objects, all of them exact as float64."""


def promise(name: str, f: int) -> Accuracy:
    """What a function of f fractional bits promises over 128 bits."""
    return (FINE if is_fine(f) else ACCURACY)[name]


def names(f: int) -> list[str]:
    """The functions that compute with f fractional bits over 128 bits."""
    return sorted(FINE if is_fine(f) else ACCURACY)


def _exact(values: Reals) -> Numbers:
    """Whole numbers that float64 holds, as Python's integers."""
    return np.array([int(v) for v in np.rint(values)], object)


def _positive(f: int, count: int, rng: np.random.Generator, limit: int = LIMIT) -> Numbers:
    spread = np.floor(2.0 ** rng.uniform(0, limit, count))
    near_one = np.rint(2.0**f * (1 + rng.uniform(-0.02, 0.02, count // 5)))
    powers = 2.0 ** np.arange(limit)
    below = powers[1:53] - 1
    values = np.concatenate([spread, near_one, powers, below, np.arange(1.0, 300.0)])
    return _exact(values[(values > 0) & (values < 2.0**limit)])


def _signed(values: Numbers, rng: np.random.Generator) -> Numbers:
    return values * rng.choice(np.array([-1, 1]), len(values)).astype(object)


def _line(f: int, low: float, high: float, count: int) -> Numbers:
    return _exact(np.linspace(low, high, count) * 2.0**f)


def _of_limited(f: int, count: int, rng: np.random.Generator) -> tuple[Numbers, ...]:
    high = exp_domain(f)[1]
    return (np.concatenate([_line(f, exp_domain(f)[0] - 1, high, count), _line(f, -3, 3, count)]),)


def _quotients(f: int, count: int, rng: np.random.Generator) -> tuple[Numbers, ...]:
    limit = quotient_limit_bits(f, RING128.bits)
    x = _signed(_positive(f, 2 * count, rng), rng)
    y = _exact(x.astype(np.float64) * 2.0 ** rng.uniform(-f, limit, len(x)))
    kept = (abs(y) < 1 << LIMIT) & (abs(y) < abs(x) * (1 << limit))
    return y[kept.astype(bool)], x[kept.astype(bool)]


def _pairs(f: int, count: int, rng: np.random.Generator, squares: bool) -> tuple[Numbers, ...]:
    x = _signed(_positive(f, count * (4 if squares else 1), rng, LIMIT - 1), rng)
    y = rng.permutation(x)
    kept = (x * x + y * y < 1 << LIMIT).astype(bool) if squares else slice(None)
    return x[kept], y[kept]


def _rows(f: int, count: int, rng: np.random.Generator) -> tuple[Numbers, ...]:
    shape = (count // 10, 10)
    close = rng.normal(size=shape) * 2.0 ** rng.uniform(-6, 5, (shape[0], 1))
    values = np.rint(close * 2.0**f) + np.rint(rng.normal(size=(shape[0], 1)) * 2.0**40)
    return (_exact(values.reshape(-1)).reshape(shape),)


def _sources(name: str) -> Callable[[int, int, np.random.Generator], tuple[Numbers, ...]]:
    everywhere = {"sigmoid", "tanh", "erf", "sin", "cos", "atan", "reciprocal"}
    if name in everywhere:
        return lambda f, n, rng: (
            np.concatenate([_signed(_positive(f, n, rng, LIMIT - 1), rng), _line(f, -9, 9.1, n)]),
        )
    if name in ("exp", "expm1"):
        return _of_limited
    if name == "divide":
        return _quotients
    if name in ("atan2", "hypot"):
        return lambda f, n, rng: _pairs(f, n, rng, name == "hypot")
    if name == "tan":
        return lambda f, n, rng: (_line(f, -1.55, 1.55, n),)
    if name in ("softmax", "log_softmax", "logsumexp"):
        return _rows
    if name == "log1p":
        return lambda f, n, rng: (_positive(f, n, rng, 52) - (1 << f),)
    return lambda f, n, rng: (_positive(f, n, rng),)


def measure(name: str, f: int, count: int = POINTS) -> Measurement:
    """Evaluate one function over 128 bits and compare with float64."""
    operands = _sources(name)(f, count, np.random.default_rng(3))
    simulation = Simulation(5, over=RING128)
    function: Any = getattr(functions, name)
    parts = simulation.run(
        lambda party, *shares: function(party, *shares, f),
        *(simulation.share(values) for values in operands),
    )
    found = simulation.open(parts).astype(np.float64) * 2.0**-f
    expected = RULES[name](*(values.astype(np.float64) * 2.0**-f for values in operands))
    error = np.abs(found - expected)
    size = np.abs(expected) * 2.0**f
    large, small = size > 2**20, size < 2**9
    cost = simulation.driver.cost()
    # float64 has no more digits than these.
    precision = 2.0**-51 * np.abs(expected)
    return Measurement(
        points=operands[0].size,
        worst=float((error / (promise(name, f).bound(expected, f) + precision)).max()),
        relative=float((error[large] / np.abs(expected[large])).max(initial=0.0)),
        units=float(error[small].max(initial=0.0)) * 2.0**f,
        absolute=float(error.max()),
        rounds=cost.rounds,
        bytes_per_element=cost.total_bytes / operands[0].size,
    )


CASES = [
    *((name, DEFAULT) for name in ("log", "sqrt", "rsqrt", "reciprocal", "divide", "sin", "atan2")),
    *((name, FINE_DEFAULT) for name in names(FINE_DEFAULT)),
]
"""What the page shows: with 18 bits the functions whose domain grows with the ring."""


def row(name: str, f: int, found: Measurement) -> str:
    """One line of the section's table."""
    entry = promise(name, f)
    cells = (
        f"`{name}`",
        str(f),
        _domain(name, f, entry),
        entry.text,
        f"{found.worst:.0%}",
        str(found.rounds),
        f"{found.bytes_per_element:.0f}",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _domain(name: str, f: int, entry: Accuracy) -> str:
    if is_fine(f) or name not in ("divide", "reciprocal", "atan2"):
        return entry.domain
    limit = quotient_limit_bits(f, RING128.bits)
    return {
        "divide": f"x ≠ 0, |y / x| < 2^{limit}",
        "reciprocal": "x ≠ 0",
        "atan2": "|x|, |y| < 2^(124 - f)",
    }[name]


SECTION = """
## Over 128 bits

In sessions with `ring=128` the domains of all functions grow with the ring: where a domain above
says 2^(61 - f), it is 2^(125 - f), and 2^(125 - 2f) for 2^(61 - 2f); "every number of the
encoding" is below 2^(125 - f). Bounds for f up to 24 are those above. For f from 25 to 40 the
functions of this table compute with all f fractional bits, those that are not in it with 24 (see
[encodings](encodings.md)); above 40 they compute with 40. Bytes and rounds are those of
`replicated3`.

| function | f | domain | largest error | of the bound | rounds | bytes an element |
|---|---|---|---|---|---|---|
"""


def section() -> str:
    """The section of the page."""
    return SECTION + "\n".join(row(name, f, measure(name, f)) for name, f in CASES) + "\n"
