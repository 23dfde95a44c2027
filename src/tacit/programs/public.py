"""Nodes whose operands all parties know: computed in the clear, the same bits at everybody.

Two machines that rounded a public number differently would hold shares of different numbers, and
one of them would look like a cheat. So nothing here depends on a machine's mathematical library:
sums, products, quotients and roots are correctly rounded by IEEE 754 wherever it is implemented,
sums run in one order, and other functions are computed in decimal arithmetic of 50 digits
(libmpdec, integers throughout) and rounded once. Those are for few numbers, such as a schedule of
learning rates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, DecimalException, localcontext
from functools import partial
from math import prod
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.types import DType
from tacit.errors import ProgramError
from tacit.operations.dynamic import clamped_starts
from tacit.operations.manipulation import numpy_index
from tacit.operations.operation import Attributes
from tacit.operations.types import ArrayType

__all__ = ["MOST_NUMBERS", "PUBLIC", "computed"]

Arrays: TypeAlias = Sequence[NDArray[Any]]
Clear: TypeAlias = Callable[[Arrays, Any], Any]

MOST_NUMBERS: Final = 10_000
"""How many numbers a function in decimal arithmetic takes."""

_DIGITS: Final = Context(prec=50)


def computed(
    operation: str, operands: Arrays, attributes: Attributes, results: Sequence[ArrayType]
) -> tuple[NDArray[Any], ...]:
    """The results of an operation on public arrays, in the types that its rule gives.

    Raises
    ------
    ProgramError
        It is not computed on public arrays (TC-1508), or not on so many (TC-1509), or it has no
        finite result (TC-1510).
    """
    try:
        clear = PUBLIC[operation]
    except KeyError:
        raise not_in_clear(operation) from None
    try:
        with np.errstate(all="ignore"):
            found = clear(operands, attributes)
    except ProgramError:
        raise
    except (TypeError, ValueError):  # not of such numbers, as the negative of booleans
        raise not_in_clear(operation) from None
    several = found if isinstance(found, tuple) else (found,)
    arrays = tuple(
        np.ascontiguousarray(array).astype(result.dtype.numpy, copy=False).reshape(result.shape)
        for array, result in zip(several, results, strict=True)
    )
    for array in arrays:
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise _not_finite(operation)
    # Whether an extreme of 0 and -0 has a sign is up to the machine: no zero has one.
    return tuple(array + 0.0 if array.dtype.kind == "f" else array for array in arrays)


def _not_finite(operation: str) -> ProgramError:
    return ProgramError(
        f"{operation} of public numbers has a result that is not finite, or too large.",
        next_step="look at the public numbers that the program computes with: a division by zero,"
        " or a number too large.",
        case=10,
        stage=operation,
    )


def not_in_clear(operation: str) -> ProgramError:
    """The error of an operation on public arrays alone that is not computed in the clear."""
    return ProgramError(
        f"{operation} is not computed on public arrays while a program runs.",
        next_step="compute it before tracing, with NumPy, or on a secret array"
        " (mpc.constant gives one that begins with public numbers).",
        case=8,
        stage=operation,
    )


def _decimal(name: str, function: Callable[[Decimal], Decimal]) -> Clear:
    def clear(operands: Arrays, attributes: Any) -> NDArray[Any]:
        (x,) = operands
        _require_few(name, x.size)
        with localcontext(_DIGITS):
            numbers = [_rounded(function, value) for value in x.ravel().tolist()]
        return np.array(numbers, np.float64).reshape(x.shape)

    return clear


def _require_few(name: str, count: int) -> None:
    if count > MOST_NUMBERS:
        raise ProgramError(
            f"{name} of {count} public numbers while a program runs: {MOST_NUMBERS} at most.",
            next_step="compute them before tracing, with NumPy.",
            case=9,
            stage=name,
        )


def _rounded(function: Callable[[Decimal], Decimal], value: float) -> float:
    try:
        return float(function(Decimal(value)))
    except (DecimalException, OverflowError):
        return float("nan")


def _power(operands: Arrays, attributes: Any) -> NDArray[Any]:
    x, y = np.broadcast_arrays(*operands)
    if x.dtype.kind in "iu" and y.dtype.kind in "iu" and (y < 0).any():
        raise not_in_clear("pow")  # of integers: 0, or an error, or a fraction
    _require_few("pow", x.size)
    pairs = zip(x.ravel().tolist(), y.ravel().tolist(), strict=True)
    with localcontext(_DIGITS):
        numbers = [_rounded(partial(_raised, Decimal(base)), end) for base, end in pairs]
    return np.array(numbers, np.float64).reshape(x.shape)


def _raised(base: Decimal, exponent: Decimal) -> Decimal:
    return Decimal(1) if not exponent else base**exponent


def _sine(x: Decimal) -> Decimal:
    """By Taylor's series after reduction to [-pi, pi]."""
    turn = 2 * _PI
    x = x % turn
    term = total = x
    step = 1
    while abs(term) > Decimal(10) ** -45:
        term *= -x * x / ((step + 1) * (step + 2))
        total += term
        step += 2
    return total


_PI: Final = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")


def _tanh(x: Decimal) -> Decimal:
    if abs(x) > 60:
        return Decimal(1).copy_sign(x)
    e = (2 * x).exp()
    return (e - 1) / (e + 1)


def _total(x: NDArray[Any], axis: Any, keepdims: bool) -> NDArray[Any]:
    """Sums in one order, element after element, whatever blocks NumPy's own sums have.

    Small integers and booleans are summed as int64.
    """
    axes = tuple(range(x.ndim)) if axis is None else axis
    axes = (axes,) if isinstance(axes, int) else axes
    places = sorted(a % x.ndim for a in axes)
    rest = [a for a in range(x.ndim) if a not in places]
    kept = [x.shape[a] for a in rest]
    rows = x.transpose(places + rest).reshape(prod(x.shape[a] for a in places), prod(kept))
    if rows.dtype.kind != "f":
        rows = rows.astype(np.int64)
    sums = np.cumsum(rows, 0, rows.dtype)[-1] if len(rows) else np.zeros(prod(kept), rows.dtype)
    shape = [1 if a in places else e for a, e in enumerate(x.shape)] if keepdims else kept
    return sums.reshape(shape)


def _mean(operands: Arrays, a: Any) -> Any:
    (x,) = operands
    total = _total(x.astype(np.float64), a.axis, a.keepdims)
    return total / (x.size // max(total.size, 1))


def _matmul(operands: Arrays, a: Any) -> Any:
    x, y = operands
    if x.dtype.kind == "f" or y.dtype.kind == "f":
        left = x[..., :, None] if y.ndim > 1 else x
        products = (x * y) if y.ndim == 1 else left * y[..., None, :, :]
        return _total(products, -1 if y.ndim == 1 else -2, False)
    return np.matmul(x, y)


def _dtype(a: Any) -> Any:
    return DType(a.kind, a.fraction_bits, a.bits, a.signed).numpy


def _astype(operands: Arrays, a: Any) -> Any:
    (x,) = operands
    if x.dtype.kind == "f" and a.kind == "int":
        if not (np.abs(x) < 2.0**63).all():  # machines differ about what such a number becomes
            raise _not_finite("astype")
        x = np.trunc(x).astype(np.int64)
    return x.astype(_dtype(a))


def _simple(function: Callable[..., Any]) -> Clear:
    return lambda operands, attributes: function(*operands)


def _update(operands: Arrays, a: Any) -> Any:
    array, part, *starts = operands
    changed = array.astype(np.result_type(array, part))
    changed[clamped_starts([s.item() for s in starts], part.shape, array.shape)] = part
    return changed


def _taken(operands: Arrays, a: Any) -> Any:
    x, positions = operands
    return np.take(x, np.clip(positions, 0, max(x.shape[a.axis] - 1, 0)), a.axis)


PUBLIC: Final[Mapping[str, Clear]] = {
    **{
        name: _simple(getattr(np, name))
        for name in (
            "add", "subtract", "multiply", "negative", "less", "less_equal", "greater",
            "greater_equal", "equal", "not_equal", "bitwise_and", "bitwise_or", "bitwise_xor",
            "bitwise_invert", "floor_divide", "remainder", "divmod", "bitwise_left_shift",
            "bitwise_right_shift", "floor", "ceil", "trunc", "where", "maximum", "minimum", "abs",
            "sign", "copysign", "square",
        )
    },
    "divide": _simple(np.true_divide),
    "reciprocal": _simple(lambda x: 1.0 / x),
    "sqrt": _simple(lambda x: np.sqrt(x.astype(np.float64))),  # of an int8 NumPy's has 11 bits
    "rsqrt": _simple(lambda x: 1.0 / np.sqrt(x.astype(np.float64))),
    "relu": _simple(lambda x: np.maximum(x, 0)),
    "round": _simple(lambda x: np.rint(x) if x.dtype.kind == "f" else x),
    "clip": lambda o, a: np.clip(o[0], a.low, a.high),
    "exp": _decimal("exp", lambda x: x.exp()),
    "log": _decimal("log", lambda x: x.ln()),
    "log10": _decimal("log10", lambda x: x.log10()),
    "log2": _decimal("log2", lambda x: x.ln() / Decimal(2).ln()),
    "log1p": _decimal("log1p", lambda x: (1 + x).ln()),
    "expm1": _decimal("expm1", lambda x: x.exp() - 1),
    "sin": _decimal("sin", _sine),
    "cos": _decimal("cos", lambda x: _sine(x + _PI / 2)),
    "tanh": _decimal("tanh", _tanh),
    "sigmoid": _decimal("sigmoid", lambda x: (1 + _tanh(x / 2)) / 2),
    "pow": _power,
    "astype": _astype,
    "unbounded": lambda o, a: o[0],
    "reshape": lambda o, a: o[0].reshape(a.shape),
    "transpose": lambda o, a: o[0].transpose(a.axes),
    "broadcast_to": lambda o, a: np.broadcast_to(o[0], a.shape),
    "getitem": lambda o, a: o[0][numpy_index(a.items)],
    "concatenate": lambda o, a: np.concatenate(o, a.axis),
    "stack": lambda o, a: np.stack(o, a.axis),
    "roll": lambda o, a: np.roll(o[0], a.shift, a.axis),
    "tile": lambda o, a: np.tile(o[0], a.repetitions),
    "tril": lambda o, a: np.tril(o[0], a.k),
    "triu": lambda o, a: np.triu(o[0], a.k),
    "diagonal": lambda o, a: np.diagonal(o[0], a.offset, a.axis1, a.axis2),
    "dynamic_slice": lambda o, a: o[0][
        clamped_starts([s.item() for s in o[1:]], a.sizes, o[0].shape)
    ],
    "dynamic_update_slice": _update,
    "take": _taken,
    "sum": lambda o, a: _total(o[0], a.axis, a.keepdims),
    "mean": _mean,
    "matmul": _matmul,
    "max": lambda o, a: np.max(o[0], a.axis, keepdims=a.keepdims),
    "min": lambda o, a: np.min(o[0], a.axis, keepdims=a.keepdims),
    "any": lambda o, a: np.any(o[0], a.axis, keepdims=a.keepdims),
    "all": lambda o, a: np.all(o[0], a.axis, keepdims=a.keepdims),
    "argmax": lambda o, a: np.argmax(o[0], a.axis, keepdims=a.keepdims),
    "argmin": lambda o, a: np.argmin(o[0], a.axis, keepdims=a.keepdims),
    "sort": lambda o, a: _sorted(o[0], a),
}  # fmt: skip
"""What is computed in the clear, by name of the operation: ``clear(operands, attributes)``."""


def _sorted(x: NDArray[Any], a: Any) -> NDArray[Any]:
    rows = np.sort(x, a.axis, kind="stable")
    return np.flip(rows, a.axis) if a.descending else rows
