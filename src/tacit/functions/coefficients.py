"""Coefficients, written by ``scripts/fit_functions.py``; not to be edited."""

from __future__ import annotations

from tacit.functions.approximation import (
    ExpPolynomial,
    PiecewisePolynomial,
    Polynomial,
    ReciprocalQuadratic,
)

__all__ = ["EXP", "LOG", "RECIPROCAL", "RSQRT", "SIGMOID", "SQRT", "TANH"]

_CENTRE = (
    0.24942298827695605,
    -0.019439721957360913,
    0.0011883611549502167,
)
_OUTER = (
    0.43430248487466416,
    3.1165665349490634,
    -7.099308646805395,
    8.254438219001477,
    -4.850744512853127,
    1.1443289256862303,
)
_END_OF_CENTRE = 1.9150963056610448
_END_OF_OUTER = 8.801420357771777

SIGMOID = PiecewisePolynomial(
    breakpoints=(-_END_OF_OUTER, -_END_OF_CENTRE, _END_OF_CENTRE, _END_OF_OUTER),
    pieces=(
        (0.0,),
        (1.0 - _OUTER[0], *(c * (-1.0) ** k for k, c in enumerate(_OUTER[1:]))),
        (0.5, 8.0 * _CENTRE[0], 0.0, 8.0**3 * _CENTRE[1], 0.0, 8.0**5 * _CENTRE[2]),
        _OUTER,
        (1.0,),
    ),
    range_bits=3,
    error=0.000152,
)
"""1 / (1 + exp(-x)), in u = x / 8."""

TANH = PiecewisePolynomial(
    breakpoints=tuple(t / 2 for t in SIGMOID.breakpoints),
    pieces=tuple((2 * p[0] - 1, *(2 * c for c in p[1:])) for p in SIGMOID.pieces),
    range_bits=2,
    error=2 * SIGMOID.error,
)
"""2 sigmoid(2x) - 1, in u = x / 4."""

_LOG = (
    -0.28768403344774846,
    0.3333570593259921,
    -0.055555523750191634,
    0.01222843410374705,
    -0.00305938720703125,
    0.000988006591796875,
    -0.000274658203125,
)
LOG = Polynomial(_LOG, error=2.07e-05)
"""log x on [1/2, 1] in v = 4x - 3; error relative to max(5e-3, min(-log x, log 2x))."""

_RSQRT = (
    1.1547126270396928,
    -0.19203085362415764,
    0.04788731109928277,
    -0.014986588193753893,
    0.00449151483530343,
)
RSQRT = Polynomial(_RSQRT, error=7.48e-05)
"""1 / sqrt(x) on [1/2, 1] in v = 4x - 3; relative error."""

_SQRT = (
    0.8660224270263683,
    0.14430449544512486,
    -0.01199581063672037,
    0.0021349837317297554,
    -0.0004744491504209602,
)
SQRT = Polynomial(_SQRT, error=8.44e-06)
"""sqrt(x) on [1/2, 1] in v = 4x - 3; relative error."""

RECIPROCAL = ReciprocalQuadratic(
    slope=2.59375,
    vertex=1.124081523189955,
    intercept=0.9702723632962931,
    error=0.0103,
)
"""1 / x on [1/2, 1]; relative error."""

EXP = ExpPolynomial(
    inner=(2.5, -5.25),
    outer=(0.00567626953125, 0.115081787109375, 0.1259613037109375, 0.7980528643941727),
    rest=(6.1901285659316265, 1.999987040727327, 0.9999880875646568),
    reach=2.0805,
    error=1.24e-05,
)
"""exp(s) for |s| <= reach, in t = s / 2; relative error."""
