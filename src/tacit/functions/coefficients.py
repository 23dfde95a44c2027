"""Coefficient tables (provisional)."""

from __future__ import annotations

from tacit.functions.approximation import PiecewisePolynomial

_c = (0.24942299, -0.01943972, 0.00118836)
_o = (0.43430249, 3.1165665, -7.0993085, 8.25443797, -4.8507443, 1.14432886)
SIGMOID = PiecewisePolynomial(
    (-8.80142059676218, -1.915096340621308, 1.915096340621308, 8.80142059676218),
    (
        (0.0,),
        (1 - _o[0], _o[1], -_o[2], _o[3], -_o[4], _o[5]),
        (0.5, _c[0] * 8, 0.0, _c[1] * 512, 0.0, _c[2] * 32768),
        _o,
        (1.0,),
    ),
    3,
    1.505e-4,
)
TANH = PiecewisePolynomial(
    tuple(t / 2 for t in SIGMOID.breakpoints),
    tuple((2 * p[0] - 1, *(2 * c for c in p[1:])) for p in SIGMOID.pieces),
    2,
    3.01e-4,
)
