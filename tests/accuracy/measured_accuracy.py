"""Measure every approximated function on the lockstep driver, and write ``docs/accuracy.md``.

Run ``python tests/accuracy/measured_accuracy.py`` after a change that moves an error or a cost.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import measured_linear_algebra as linear_algebra
import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, log_softmax, logsumexp, softmax
from simulation import Simulation

from tacit import functions
from tacit.functions.accuracy import ACCURACY
from tacit.functions.division import quotient_limit_bits
from tacit.functions.exponential import exp_domain

PAGE = Path(__file__).parents[2] / "docs" / "accuracy.md"
DEFAULT = 18
POINTS = 100_000
LIMIT = 61
"""Magnitudes below 2^61 in the ring are what the encoding holds."""

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]

RULES: dict[str, Callable[..., Reals]] = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-np.clip(x, -60, 60))),
    "tanh": np.tanh,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "reciprocal": lambda x: 1 / x,
    "divide": lambda y, x: y / x,
    "expm1": np.expm1,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "log1p": np.log1p,
    "log2": np.log2,
    "log10": np.log10,
    "power": np.power,
    "hypot": np.hypot,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "asin": np.arcsin,
    "acos": np.arccos,
    "erf": erf,
    "softplus": lambda x: np.logaddexp(0, x),
    "silu": lambda x: x / (1 + np.exp(-np.clip(x, -60, 60))),
    "gelu": lambda x: x * (1 + erf(x / np.sqrt(2))) / 2,
    "elu": lambda x: np.where(x < 0, np.expm1(np.minimum(x, 0)), x),
    "leaky_relu": lambda x: np.where(x < 0, x * 0.01, x),
    "logaddexp": np.logaddexp,
    "softmax": lambda x: softmax(x, axis=-1),
    "log_softmax": lambda x: log_softmax(x, axis=-1),
    "logsumexp": lambda x: logsumexp(x, axis=-1),
}
"""The same functions of float64."""


def positive(f: int, count: int, rng: np.random.Generator) -> Integers:
    """Positive numbers: all small ones, powers of two and neighbours, near 1, all magnitudes."""
    powers = 1 << np.arange(LIMIT, dtype=np.int64)
    near_one = np.rint(2.0**f * (1 + rng.uniform(-0.02, 0.02, count // 5))).astype(np.int64)
    spread = np.floor(2.0 ** rng.uniform(0, LIMIT, count)).astype(np.int64)
    everything = [np.arange(1, 2000), powers, powers - 1, powers + 1, near_one, spread]
    joined = np.concatenate(everything)
    return joined[(joined > 0) & (joined < 1 << LIMIT)]


def line(f: int, low: float, high: float, count: int) -> Integers:
    """An even grid, ends included."""
    return np.rint(np.linspace(low, high, count) * 2.0**f).astype(np.int64)


def signs(values: Integers, rng: np.random.Generator) -> Integers:
    return values * rng.choice(np.array([-1, 1]), len(values))


def inputs(name: str, f: int, count: int, rng: np.random.Generator) -> tuple[Integers, ...]:
    """Operands of a function as ring integers: `count` and more, edges of the domain included."""
    if name in ("sigmoid", "tanh", "erf", "softplus", "silu", "gelu", "elu"):
        huge = signs(positive(f, count // 10, rng), rng)
        return (np.concatenate([line(f, -13, 13, count), huge, [0]]),)
    if name in ("exp", "expm1"):
        low, high = exp_domain(f)
        return (np.concatenate([line(f, low - 1, high, count), line(f, -6, 2, count // 2), [0]]),)
    if name == "reciprocal":
        x = signs(positive(f, count, rng), rng)
        return (x[np.abs(x) >= 1 << max(f - 18, 0)],)
    if name == "divide":
        x = signs(positive(f, count + count // 4, rng), rng)
        quotients = signs(np.ones(len(x), np.int64), rng) * 2.0 ** rng.uniform(
            -f, quotient_limit_bits(f), len(x)
        )
        y = quotients * x
        kept = (np.abs(y) < 2.0**LIMIT) & (np.abs(np.rint(y) / x) < 2 ** quotient_limit_bits(f))
        return np.rint(y[kept]).astype(np.int64), x[kept]
    if ACCURACY[name].rows:
        return (rows(f, count, rng),)
    if name in ("sinh", "cosh"):
        high = exp_domain(f)[1] + np.log(2.0) - 2.0**-f
        return (np.concatenate([line(f, -high, high, count), line(f, -2, 2, count // 2), [0]]),)
    if name in ("sin", "cos", "tan"):
        x = held(signs(positive(f, count, rng), rng))
        angles = np.concatenate([line(f, -8, 8, count // 4), x, quarter_turns(f), [0]])
        near_pole = np.abs(np.tan(angles * 2.0**-f)) > 64
        return (angles[~near_pole] if name == "tan" else angles,)
    if name in ("asin", "acos"):
        near_end = (1 << f) - positive(f, count // 5, rng)
        inside = np.concatenate([line(f, -1, 1, count), near_end, -near_end, [0]])
        return (inside[np.abs(inside) <= 1 << f],)
    if name == "atan":
        return (np.append(signs(positive(f, count, rng), rng), 0),)
    if name == "atan2":
        return points(f, count, rng)
    if name == "logaddexp":
        y = signs(positive(f, 2 * count, rng), rng)
        y = y[np.abs(y) < 1 << 50]  # float64 has no digits after the point much further up
        x = y + np.rint(rng.uniform(-12, 12, len(y)) * 2.0**f).astype(np.int64)
        return np.concatenate([x, y[:1000], y[1000:]]), np.concatenate([y, y[1000:], y[:1000]])
    if name == "leaky_relu":
        x = signs(positive(f, 2 * count, rng), rng)
        return (np.append(x[x > -(1 << 44)], 0),)
    if name == "log1p":
        return (positive(f, count, rng) - (1 << f),)
    if name == "power":
        return powers(f, count, rng)
    if name == "hypot":
        x, y = (signs(positive(f, 3 * count, rng), rng) for _ in range(2))
        rng.shuffle(y)
        kept = x.astype(np.float64) ** 2 + y.astype(np.float64) ** 2 < 2.0**LIMIT
        return np.append(x[kept], 0), np.append(y[kept], 0)
    x = positive(f, count, rng)
    return (np.append(x, 0),) if name == "sqrt" else (x,)


def rows(f: int, count: int, rng: np.random.Generator) -> Integers:
    """Rows of 10 numbers, close together, far apart, with ties, and of all magnitudes."""
    shape = (count // 10 + 4, 10)
    spread = 2.0 ** rng.uniform(-6, 9, (shape[0], 1))
    offset = np.rint(rng.normal(size=(shape[0], 1)) * 2.0 ** rng.uniform(f, 45, (shape[0], 1)))
    close = np.rint(rng.normal(size=shape) * spread * 2.0**f)
    close[: shape[0] // 10, 3:] = close[: shape[0] // 10, :1]
    return (close + offset).astype(np.int64)


def held(values: Integers) -> Integers:
    """Integers that float64 holds exactly, so that a function of them can be compared."""
    return values.astype(np.float64).astype(np.int64)


def quarter_turns(f: int) -> Integers:
    """The numbers nearest to multiples of a quarter turn, of all magnitudes, and neighbours."""
    turns = np.concatenate([np.arange(200), np.floor(2.0 ** np.arange(8, 50 - f, 0.25))])
    nearest = np.rint(turns * (np.pi / 2) * 2.0**f).astype(np.int64)
    return np.concatenate([nearest - 1, nearest, nearest + 1])


def points(f: int, count: int, rng: np.random.Generator) -> tuple[Integers, Integers]:
    """y and x of points of all magnitudes, on the axes and diagonals among them."""
    y, x = (signs(positive(f, count, rng), rng) for _ in range(2))
    rng.shuffle(y)
    some = y[:500]
    zero = np.zeros_like(some)
    y = np.concatenate([y, some, zero, some, some, [0]])
    x = np.concatenate([x, zero, some, some, -some, [0]])
    kept = (np.abs(y) < 1 << (LIMIT - 1)) & (np.abs(x) < 1 << (LIMIT - 1))
    return y[kept], x[kept]


def powers(f: int, count: int, rng: np.random.Generator) -> tuple[Integers, Integers]:
    """Bases and exponents with results from below half a unit to the largest."""
    low, high = exp_domain(f)
    y = signs(np.rint(2.0 ** rng.uniform(0, f + 5, 4 * count)).astype(np.int64), rng)
    with np.errstate(over="ignore"):
        bases = np.exp(rng.uniform(low - 1, high, 4 * count) / (y * 2.0**-f)) * 2.0**f
    x = np.rint(np.where((bases >= 1) & (bases < 2.0**LIMIT), bases, 1)).astype(np.int64)
    exponents = y * 2.0**-f * np.log(x * 2.0**-f)
    kept = (bases >= 1) & (bases < 2.0**LIMIT) & (exponents < high)
    return x[kept], y[kept]


@dataclass(frozen=True)
class Measurement:
    """Errors and cost of one function.

    Attributes
    ----------
    points : int
    worst : float
        The largest error as a fraction of what is allowed; more than 1 breaks the promise.
    relative : float
        The largest relative error among results above 2^20 units in the last place.
    units : float
        The largest error, in units in the last place, among results below 2^9 units.
    absolute : float
        The largest error.
    rounds : int
    bytes_per_element : float
        All parties together.
    """

    points: int
    worst: float
    relative: float
    units: float
    absolute: float
    rounds: int
    bytes_per_element: float


def evaluate(name: str, f: int, *operands: Integers) -> tuple[Reals, Simulation]:
    """A function's results by `replicated3`, and the simulation that gave them."""
    simulation = Simulation(5)
    function: Any = getattr(functions, name)
    parts = simulation.run(
        lambda party, *shares: function(party, *shares, f),
        *(simulation.share(values) for values in operands),
    )
    return simulation.open(parts) * 2.0**-f, simulation


def measure(name: str, f: int = DEFAULT, count: int = POINTS) -> Measurement:
    """Evaluate one function on its inputs and compare with float64."""
    rng = np.random.default_rng(3)
    operands = inputs(name, f, count, rng)
    found, simulation = evaluate(name, f, *operands)
    expected = RULES[name](*(values * 2.0**-f for values in operands))
    error = np.abs(found - expected)
    size = np.abs(expected) * 2.0**f
    large, small = size > 2**20, size < 2**9
    cost = simulation.driver.cost()
    return Measurement(
        points=operands[0].size,
        worst=float((error / ACCURACY[name].bound(expected, f)).max()),
        relative=float((error[large] / np.abs(expected[large])).max(initial=0.0)),
        units=float(error[small].max(initial=0.0)) * 2.0**f,
        absolute=float(error.max()),
        rounds=cost.rounds,
        bytes_per_element=cost.total_bytes / operands[0].size,
    )


HEAD = """# Accuracy

What every function promises, and what was measured. Generated by
`python tests/accuracy/measured_accuracy.py`; the tests compare this page with fresh measurements.

Secret numbers of type `tacit.fixed` have f = 18 fractional bits: one *unit in the last place* is
2^-18 ≈ 3.8e-6, and magnitudes stay below 2^43. The functions work for f from 12 to 24
(`tacit.fixed_point`), with the same bounds; finer ones compute with 24, but for those
[over 128 bits](#over-128-bits). Errors are against the
real function at the number that the encoding holds, so the half unit by which sharing rounds an
input comes on top.

Exact, for all operands whose difference fits the ring: `<`, `<=`, `>`, `>=`, `==`, `!=`,
`maximum`, `minimum`, `where`, `clip`, `relu`, `abs`, `sign`. A product of two fixed-point
numbers is off by at most one unit in the last place as long as it stays below 2^26 for f = 18
(2^62 in the ring, before truncation), and so is `square`; an entry of a matrix product below 2^25.
A public integer power n is off by at most (n - 1) max(1, |x|)^(n - 1) units for n > 0; for n < 0
the error of `reciprocal` counts n times. `interp` and `piecewise` with public pieces are off by 2
units and the rounding of their breakpoints; `polyval` states its error where it is defined.

## Bounds

"""

MIDDLE = """
Where a bound reads max(relative, units), the larger one counts.

## Measured

For f = 18 on `replicated3`, over at least 100,000 points each: even grids, all magnitudes, both
ends of the domain, powers of two and their neighbours. *Error*: the largest absolute error, or
the largest relative one among results above 2^20 units (4.0). *Units*: the largest error among
results below 2^9 units in the last place. *Of the bound*: how much of what is allowed the worst
point took. Bytes are those of all parties together; rows have 10 numbers.

"""

TAIL = """
Outside of a domain nothing wraps into a plausible number, except where a product would:
quotients beyond the limit of `divide` (divide both operands by a common public number first, or
multiply the divisor), sums of squares in `hypot`, exponents y log x of 2^(38 - f) and more in
`power`, `leaky_relu` far below 0, and linear algebra, as stated there.
"""


def bounds_table() -> str:
    """The promises, as they stand in the code."""
    rows = ["| function | computes | domain | largest error | elsewhere |", "|---|---|---|---|---|"]
    for name, entry in ACCURACY.items():
        cells = (f"`{name}`", entry.formula, entry.domain, entry.text, entry.outside)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def measured_row(name: str, found: Measurement) -> str:
    """One line of the second table."""
    bounded = not ACCURACY[name].relative
    error = f"{found.absolute:.1e} absolute" if bounded else f"{found.relative:.1e} relative"
    units = "" if bounded else f"{found.units:.1f}"
    return (
        f"| `{name}` | {error} | {units} | {found.worst:.0%} | {found.rounds} |"
        f" {found.bytes_per_element:.0f} |\n"
    )


def measured_table() -> str:
    """The measurements."""
    rows = "| function | error | units | of the bound | rounds | bytes an element |\n"
    rows += "|---|---|---|---|---|---|\n"
    return rows + "".join(measured_row(name, measure(name)) for name in ACCURACY)


def page() -> str:
    """The whole page."""
    import measured_long_ring as long_ring  # which needs this module

    tables = bounds_table() + MIDDLE + measured_table()
    return HEAD + tables + linear_algebra.section() + long_ring.section() + TAIL


if __name__ == "__main__":
    # As a module of its own name, for those that import it.
    sys.modules["measured_accuracy"] = sys.modules["__main__"]
    PAGE.write_text(page())
    print(f"wrote {PAGE}")
