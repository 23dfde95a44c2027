"""Special functions by published recipes, in stated domains, with 24 fraction bits inside.

- ``erf_inv``: Giles, "Approximating the erfinv function", GPU Computing Gems 2, 2010.
- ``lgamma``, ``digamma``, ``polygamma``, ``zeta``: their recurrences up to where the asymptotic
  series are exact enough (Abramowitz and Stegun 6.1.41, 6.3.18, 6.4.11; Euler and Maclaurin for
  Hurwitz's zeta).
- ``bessel_i0e``, ``bessel_i1e``: Abramowitz and Stegun 9.8.1 to 9.8.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial, log, pi
from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays.elimination import fine_reciprocal, finer
from tacit.frontends.jax.rules import Call, advised, rule
from tacit.frontends.jax.shapes import repeated
from tacit.frontends.jax.values import is_secret, plain

__all__: list[str] = []


def _rescaled(coefficients: Sequence[float], width: float) -> list[float]:
    """Of a polynomial in w, the highest power first, those in w / width."""
    degree = len(coefficients) - 1
    return [c * width ** (degree - place) for place, c in enumerate(coefficients)]


# The inverse of the error function: x times a polynomial in w = -log(1 - x²).

_CENTRE = [2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
           -0.00125372503, -0.00417768164, 0.246640727, 1.50140941]  # fmt: skip
_TAIL = [-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
         -0.0076224613, 0.00943887047, 1.00167406, 2.83297682]  # fmt: skip


@rule("erf_inv")
def _erf_inv(call: Call, x: Any) -> Any:
    """|x| <= 1 - 2^-10; off by at most 1e-4 relative and 2^-18 over 1 - |x|."""
    wide, kind = finer(x)
    w = -tacit.log((1.0 - wide) * (1.0 + wide))
    near = tacit.polyval(_rescaled(_CENTRE, 2.5), (tacit.minimum(w, 5.0) - 2.5) * 0.4)
    far = tacit.polyval(_TAIL, tacit.sqrt(tacit.maximum(w, 5.0)) - 3.0)
    return (tacit.where(w < 5.0, near, far) * wide).astype(kind)


# The gamma function and its derivatives: f(x) from f(x + n), and series for the latter.


def _steps(x: Any, count: int) -> Any:
    """x, x + 1, …, along a new first axis."""
    return tacit.stack([x + float(k) for k in range(count)])


@rule("lgamma")
def _lgamma(call: Call, x: Any) -> Any:
    """2^-10 <= x <= 1000; off by at most 1e-4, and 1e-5 relative."""
    wide, kind = finer(x)
    z = wide + 7.0
    logarithms = tacit.log(_steps(wide, 8))
    series = (z - 0.5) * logarithms[7] - z + 0.5 * log(2 * pi)
    inverse = fine_reciprocal(z)
    series = series + inverse * (1 / 12 - tacit.square(inverse) * (1 / 360))
    return (series - tacit.sum(logarithms[:7], axis=0)).astype(kind)


@rule("digamma")
def _digamma(call: Call, x: Any) -> Any:
    """2^-10 <= x <= 1000; off by at most 1e-4, and 1e-5 relative."""
    wide, kind = finer(x)
    inverses = fine_reciprocal(_steps(wide, 7))
    last = inverses[6]
    square = tacit.square(last)
    series = tacit.log(wide + 6.0) - 0.5 * last
    series = series - square * (1 / 12 - square * (1 / 120 - square * (1 / 252)))
    return (series - tacit.sum(inverses[:6], axis=0)).astype(kind)


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30)


def _hurwitz(s: int, x: Any) -> Any:
    """Σ (x + k)^-s over k from 0, for a whole s >= 2 and a secret x."""
    inverses = fine_reciprocal(_steps(x, 9))
    powers = tacit.pow(inverses, s)
    last, inverse = powers[8], inverses[8]
    total = tacit.sum(powers[:8], axis=0) + last * 0.5
    total = total + (tacit.pow(inverse, s - 1) if s > 2 else inverse) * (1 / (s - 1))
    # B_2j / (2j)! · s (s + 1) … (s + 2j - 2) z^(-s - 2j + 1)
    factor, term = float(s), last * inverse
    for j, number in enumerate(_BERNOULLI, 1):
        total = total + term * (number / factorial(2 * j) * factor)
        factor *= (s + 2 * j - 1) * (s + 2 * j)
        term = term * tacit.square(inverse)
    return total


def _whole(call: Call, value: Any, least: int) -> int:
    """A public whole number that is the same everywhere."""
    numbers = np.zeros(0) if is_secret(value) else plain(value)
    if not numbers.size or np.ptp(numbers) or numbers.flat[0] % 1 or numbers.flat[0] < least:
        raise advised(
            call,
            f"its order is secret, or not one whole number from {least} up.",
            "give one public whole order.",
        )
    return int(numbers.flat[0])


@rule("polygamma")
def _polygamma(call: Call, order: Any, x: Any) -> Any:
    """x <= 1000, and from 2^-4 for the public orders 1 and 2, 2^-2 for 3 and 4; off by at most 1e-4
    and 1e-5 relative."""
    n = _whole(call, order, 0)
    if n == 0:
        return _digamma(call, x)
    wide, kind = finer(x)
    found = _hurwitz(n + 1, wide) * np.int64((-1) ** (n + 1) * factorial(n))
    return repeated(found.astype(kind), call.shape)


@rule("zeta")
def _zeta(call: Call, s: Any, x: Any) -> Any:
    """2^-2 <= x <= 1000, public orders 2 to 5; off by at most 1e-4 and 1e-5 relative."""
    order = _whole(call, s, 2)
    wide, kind = finer(x)
    return repeated(_hurwitz(order, wide).astype(kind), call.shape)


# Modified Bessel functions times e^-|x|: polynomials in (x / 3.75)², and in 3.75 / x.

_I0_NEAR = [0.0045813, 0.0360768, 0.2659732, 1.2067492, 3.0899424, 3.5156229, 1.0]
_I0_FAR = [0.00392377, -0.01647633, 0.02635537, -0.02057706, 0.00916281, -0.00157565, 0.00225319,
           0.01328592, 0.39894228]  # fmt: skip
_I1_NEAR = [0.00032411, 0.00301532, 0.02658733, 0.15084934, 0.51498869, 0.87890594, 0.5]
_I1_FAR = [-0.00420059, 0.01787654, -0.02895312, 0.02282967, -0.01031555, 0.00163801, -0.00362018,
           -0.03988024, 0.39894228]  # fmt: skip


def _bessel(wide: Any, near: Sequence[float], far: Sequence[float], odd: bool) -> Any:
    size = tacit.abs(wide)
    small = tacit.minimum(size, 3.75)
    large = tacit.maximum(size, 3.75)
    first = tacit.polyval(near, tacit.square(small * (1 / 3.75))) * tacit.exp(-small)
    first = first * small if odd else first
    second = tacit.polyval(far, 3.75 * fine_reciprocal(large)) * tacit.rsqrt(large)
    return tacit.where(size < 3.75, first, second)


@rule("bessel_i0e")
def _bessel_i0e(call: Call, x: Any) -> Any:
    """|x| <= 1000; off by at most 1e-4."""
    wide, kind = finer(x)
    return _bessel(wide, _I0_NEAR, _I0_FAR, odd=False).astype(kind)


@rule("bessel_i1e")
def _bessel_i1e(call: Call, x: Any) -> Any:
    """|x| <= 1000; off by at most 1e-4."""
    wide, kind = finer(x)
    return (_bessel(wide, _I1_NEAR, _I1_FAR, odd=True) * tacit.sign(wide)).astype(kind)
