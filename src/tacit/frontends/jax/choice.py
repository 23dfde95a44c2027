"""Comparisons, choices, booleans, bits, and conversions between types."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.arrays.array import SecretArray
from tacit.encoding.types import DType
from tacit.errors import ProgramError
from tacit.frontends.jax.masks import FAR_DIVISOR, bounded, edge, only_divisor, only_mask
from tacit.frontends.jax.rules import Call, advised, rule
from tacit.frontends.jax.shapes import repeated
from tacit.frontends.jax.values import as_type, is_secret, plain, settled

__all__: list[str] = []


# Comparisons.

_COMPARISONS = {
    "eq": tacit.equal,
    "ne": tacit.not_equal,
    "lt": tacit.less,
    "le": tacit.less_equal,
    "gt": tacit.greater,
    "ge": tacit.greater_equal,
}
_NUMPY = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}


def _register(name: str) -> None:
    @rule(name, f"{name}_to")
    def compare(call: Call, x: Any, y: Any) -> Any:
        return _compared(call, name, x, y)


def _compared(call: Call, name: str, x: Any, y: Any) -> Any:
    booleans = [v.dtype.kind == "bool" if is_secret(v) else plain(v).dtype.kind == "b"
                for v in (x, y)]  # fmt: skip
    if all(booleans):
        return _booleans(name, x, y)
    if not is_secret(x) or not is_secret(y):
        public, secret = (y, x) if is_secret(x) else (x, y)
        values = plain(public)
        known = _decided(name, secret, values, first=secret is x)
        if known is not None:
            return np.full(call.shape, known)
        values = bounded(values, secret)
        x, y = (secret, values) if secret is x else (values, secret)
    return _COMPARISONS[name](x, y)


def _booleans(name: str, x: Any, y: Any) -> Any:
    if name in ("eq", "ne"):
        different = tacit.bitwise_xor(x, y)
        return different if name == "ne" else ~different
    if name in ("gt", "ge"):
        x, y, name = y, x, {"gt": "lt", "ge": "le"}[name]
    not_x = tacit.bitwise_invert(x) if is_secret(x) else ~plain(x)
    return tacit.bitwise_and(not_x, y) if name == "lt" else tacit.bitwise_or(not_x, y)


def _decided(name: str, secret: SecretArray, values: Any, *, first: bool) -> bool | None:
    """What a comparison gives, where bounds that everybody knows decide it."""
    if not values.size or np.isnan(values.astype(np.float64)).any():
        return None
    # Whatever is not declared lies within what the ring holds: infinity does not.
    reach = float(2 ** (secret.session.ring.bits - 1)) / secret.dtype.scale
    low, high = secret.bounds or (-reach, reach)
    least, most = values.min(), values.max()
    ends = [(low, most), (high, least)] if first else [(least, high), (most, low)]
    # Least against greatest and the other way round: the two extreme cases.
    found = {bool(_NUMPY[name](a, b)) for a, b in ends}
    if name in ("eq", "ne"):
        apart = high < least or most < low
        return (name == "ne") if apart else None
    return found.pop() if len(found) == 1 else None


for _name in _COMPARISONS:
    _register(_name)


# Choices.


@rule("select_n")
def _select(call: Call, which: Any, *cases: Any) -> Any:
    if not is_secret(which):
        return _public_choice(call, plain(which), cases)
    chosen = [_maskable(call, case, cases) for case in cases]
    if which.dtype.kind != "bool":
        result = chosen[0]
        for place, case in enumerate(chosen[1:], 1):
            result = _either(call, which == place, case, result)
        return result
    return _either(call, which, chosen[1], chosen[0])


def _either(call: Call, condition: Any, yes: Any, no: Any) -> Any:
    if not is_secret(yes) and not is_secret(no):
        yes, no = plain(yes), plain(no)
        if yes.dtype.kind == "b" and no.dtype.kind == "b":
            # Local: a public choice between public booleans is a negation or nothing.
            return tacit.bitwise_xor(tacit.bitwise_and(condition, yes ^ no), no)
    condition = repeated(condition, call.shape)
    return settled(tacit.where(condition, yes, no), call.dtype)


def _public_choice(call: Call, which: Any, cases: tuple[Any, ...]) -> Any:
    index = np.broadcast_to(which, call.shape).astype(np.int64)
    result = None
    for place, case in enumerate(cases):
        mask = index == place
        if not mask.any():
            continue
        if mask.all():
            return case
        if not is_secret(case):
            # What is not chosen does not matter, a NaN or infinity included.
            case = np.where(mask, plain(case), np.zeros((), plain(case).dtype))
            case = _maskable(call, case, cases)
        result = case if result is None else _merged(mask, case, result)
    return settled(result, call.dtype)


def _merged(mask: Any, case: Any, result: Any) -> Any:
    if not is_secret(case) and not is_secret(result):
        return np.where(mask, case, result)
    return tacit.where(mask, case, result)


def _maskable(call: Call, case: Any, cases: tuple[Any, ...]) -> Any:
    """A case, its infinities at the edge of the encoding where they are only a mask."""
    if is_secret(case):
        return case
    values = plain(case)
    if values.dtype.kind != "f" or not values.size:
        return values
    like = next((v for v in cases if is_secret(v)), None)
    limit = 2.0**42 if like is None or like.dtype.kind != "fixed" else edge(like)
    far = ~(np.abs(values) < limit)
    if not far.any():
        return values
    result = call.equation.results[0]
    low = bool((values[far] < 0).all())
    high = bool((values[far] > 0).all())
    if (low or high) and only_mask(call.body, result, low=low):
        return np.clip(values, -limit, limit)
    if (low or high) and only_divisor(call.body, result):
        return np.clip(values, -FAR_DIVISOR, FAR_DIVISOR)
    what = "NaN" if np.isnan(values).any() else "a number that no secret can hold"
    raise ProgramError(
        f"{call.place}: {what} is one of the choices, and the result is used otherwise than in a"
        " maximum, minimum or exponential.",
        next_step="put a number within the range of the data there, such as -1e6, or 0.",
        case=23,
        stage="select_n",
    )


# Booleans and bits.


@rule("and")
def _and(call: Call, x: Any, y: Any) -> Any:
    return settled(tacit.bitwise_and(plain(x), plain(y)), call.dtype)


@rule("or")
def _or(call: Call, x: Any, y: Any) -> Any:
    return settled(tacit.bitwise_or(plain(x), plain(y)), call.dtype)


@rule("xor")
def _xor(call: Call, x: Any, y: Any) -> Any:
    return settled(tacit.bitwise_xor(plain(x), plain(y)), call.dtype)


@rule("not")
def _not(call: Call, x: Any) -> Any:
    return settled(tacit.bitwise_invert(x), call.dtype)


@rule("shift_left")
def _shift_left(call: Call, x: Any, y: Any) -> Any:
    return settled(tacit.bitwise_left_shift(plain(x), plain(y)), call.dtype)


@rule("shift_right_arithmetic")
def _shift_right(call: Call, x: Any, y: Any) -> Any:
    return settled(tacit.bitwise_right_shift(plain(x), plain(y)), call.dtype)


@rule("shift_right_logical")
def _shift_right_logical(call: Call, x: Any, y: Any) -> Any:
    dtype = np.dtype(call.dtype)
    if dtype.kind == "u":
        return settled(tacit.bitwise_right_shift(plain(x), plain(y)), dtype)
    if dtype.itemsize > 4:
        raise advised(
            call,
            "there are no unsigned secrets of 64 bits.",
            "use lax.shift_right_arithmetic, or integers of 32 bits.",
        )
    unsigned = DType("int", bits=8 * dtype.itemsize, signed=False)
    source = x.astype(unsigned) if is_secret(x) else plain(x).astype(unsigned.numpy)
    return as_type(tacit.bitwise_right_shift(source, plain(y)), dtype)


@rule("population_count")
def _population_count(call: Call, x: Any) -> Any:
    bits = 8 * np.dtype(call.dtype).itemsize
    ones = [(x >> place) & 1 for place in range(bits)]
    total = ones[0]
    for one in ones[1:]:
        total = total + one
    return settled(total, call.dtype)


@rule("clz")
def _leading_zeros(call: Call, x: Any) -> Any:
    """What is left of the bits beside those up to the highest one."""
    bits = 8 * np.dtype(call.dtype).itemsize
    width, smeared = 1, x
    while width < bits:
        smeared = smeared | (smeared >> width)
        width *= 2
    return settled(tacit.where(x < 0, 0, bits - _population_count(call, smeared)), call.dtype)


# Types.


@rule("convert_element_type")
def _convert(call: Call, x: SecretArray) -> SecretArray:
    return as_type(x, call.dtype)
