"""Write docs/arrays.md: every function of the array API standard, and what tacit does with it.

Run `python scripts/array_functions.py`; `tests/array_api/test_page.py` compares the page with what
this module gives.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import tacit
from tacit.arrays.refusals import REFUSED

PAGE = Path(__file__).parents[1] / "docs" / "arrays.md"

STANDARD: dict[str, tuple[str, ...]] = {
    "Creation": (
        "arange", "asarray", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like",
        "linspace", "meshgrid", "ones", "ones_like", "tril", "triu", "zeros", "zeros_like",
    ),
    "Data types": ("astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type"),
    "Element-wise": (
        "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and",
        "bitwise_invert", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift",
        "bitwise_xor", "ceil", "clip", "conj", "copysign", "cos", "cosh", "divide", "equal",
        "exp", "expm1", "floor", "floor_divide", "greater", "greater_equal", "hypot", "imag",
        "isfinite", "isinf", "isnan", "less", "less_equal", "log", "log10", "log1p", "log2",
        "logaddexp", "logical_and", "logical_not", "logical_or", "logical_xor", "maximum",
        "minimum", "multiply", "negative", "nextafter", "not_equal", "positive", "pow", "real",
        "reciprocal", "remainder", "round", "sign", "signbit", "sin", "sinh", "sqrt", "square",
        "subtract", "tan", "tanh", "trunc",
    ),
    "Indexing": ("take", "take_along_axis"),
    "Linear algebra": ("matmul", "matrix_transpose", "tensordot", "vecdot"),
    "Manipulation": (
        "broadcast_arrays", "broadcast_to", "concat", "expand_dims", "flip", "moveaxis",
        "permute_dims", "repeat", "reshape", "roll", "squeeze", "stack", "tile", "unstack",
    ),
    "Searching": ("argmax", "argmin", "count_nonzero", "nonzero", "searchsorted", "where"),
    "Sets": ("unique_all", "unique_counts", "unique_inverse", "unique_values"),
    "Sorting": ("argsort", "sort"),
    "Statistics": (
        "cumulative_prod", "cumulative_sum", "max", "mean", "min", "prod", "std", "sum", "var",
    ),
    "Utilities": ("all", "any", "diff"),
    "Inspection": ("__array_namespace_info__",),
    "linalg": (
        "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul",
        "matrix_norm", "matrix_power", "matrix_rank", "matrix_transpose", "outer", "pinv", "qr",
        "slogdet", "solve", "svd", "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
    ),
    "fft": (
        "fft", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft",
        "irfft", "irfftn", "rfft", "rfftfreq", "rfftn",
    ),
}  # fmt: skip
"""The functions of the Python array API standard 2024.12, by its own headings."""

_COMPLEX = "there are no complex numbers; a transform is `x @ matrix` with public cos and sin"

REASONS: dict[str, str] = {
    "nextafter": "fixed point is an even grid: the next number is `x + 2**-18`",
    "acosh": "not yet: `log(x + sqrt(x * x - 1))`",
    "asinh": "not yet: `log(x + sqrt(x * x + 1))`",
    "atanh": "not yet: `log((1 + x) / (1 - x)) / 2`",
    "argmax": "not yet",
    "argmin": "not yet",
    "count_nonzero": "not yet: `(x != 0).sum(axis)`",
    "searchsorted": "not yet: `(edges[:, None] < x).sum(0)`",
    "max": "not yet",
    "min": "not yet",
    "all": "not yet: `(~b).sum(axis) == 0`",
    "any": "not yet: `b.sum(axis) > 0`",
    "logaddexp": "not yet: `m + log1p(exp(-abs(x - y)))` with `m = maximum(x, y)`",
    "linalg.matrix_rank": "a rank is a count of what is nearly zero, which fixed point cannot tell",
    "linalg.pinv": "for full rank: `tacit.linalg.lstsq`; of `svd` with a cut that is yours",
    **{f"fft.{name}": _COMPLEX for name in STANDARD["fft"]},
}
"""Why a function is missing, and what to write instead."""

NOTES: dict[str, str] = {
    "asarray": "values that everybody knows; an owner's data come in by `mpc.share`",
    "astype": "`copy` and `device` have no effect",
    "broadcast_arrays": "public arrays stay public",
    "clip": "limits may be secret; two public numbers are one comparison deep",
    "copysign": "zero counts as positive: there is no -0.0",
    "divide": "domain and error in [accuracy](accuracy.md)",
    "empty": "zeros",
    "empty_like": "zeros",
    "finfo": "of fixed point: `eps` and `smallest_normal` are one unit in the last place",
    "isfinite": "public",
    "isinf": "public",
    "isnan": "public",
    "matmul": "fixed-point sums stay below 2^26 for 18 fractional bits",
    "mean": "of no elements: refused (TC-1118), not NaN",
    "prod": "of booleans: counted as integers",
    "reshape": "`copy` has no effect",
    "std": "near 0 the root magnifies the error of `var`",
    "sum": "booleans are counted",
    "take": "public positions are local; secret ones are not",
    "take_along_axis": "public positions",
    "tensordot": "one matrix product",
    "var": "no degrees of freedom: refused (TC-1360), not NaN; within 4 units and 2^-18 relative",
    "vecdot": "one matrix product",
    "__array_namespace_info__": "devices are computations, so there is no default one",
    "linalg.matrix_norm": "no norms of singular values",
    "linalg.vector_norm": "`ord` 2, 1, 0, inf, -inf",
    "linalg.matrix_power": "exponents from 0 up",
    "linalg.qr": "of one matrix; R has a positive diagonal; no `mode`",
    "linalg.svd": "of one matrix; no columns that the matrix does not have",
    "linalg.eigh": "of one matrix, with a public number of sweeps",
    "linalg.det": "of symmetric positive definite matrices, unless said otherwise",
}

HEAD = """\
# Arrays

Secret arrays follow the Python array API standard 2024.12 as far as a secret can be kept:
`x.__array_namespace__()` is the module `tacit`, so a program that is written to the standard runs
on them. Generated by `python scripts/array_functions.py`; a test compares this page with the code.

**Devices are computations.** A secret array lives in the computation that it was shared in:
`x.device` is its session, and there is no other place to move it to. Functions that make arrays
out of nothing are told where: `mpc.zeros(3)`, `tacit.zeros(3, device=mpc)`, or
`tacit.zeros(3, device=x.device)` as the standard has it.

**Types.** `tacit.fixed` is the real floating-point type (there is no float32 or float64, no
complex number and no uint64); integers of 8 to 64 bits wrap as NumPy's do; `tacit.bool` is a bit.
Python numbers take the type of the array that they meet.

**Tolerance.** Rearranging, comparing, choosing, sums, and everything on integers and booleans are
exact. A fixed-point product is off by at most one unit in the last place (2^-18), a product with
a public fraction by 2^-18 relative in addition; a mean by two units and 2^-18 relative.
Functions keep what [accuracy](accuracy.md) promises. There is no NaN, no infinity and no
negative zero: where NumPy would give one, tacit refuses, or says on that page what comes instead.

**NumPy's own functions** take secret arrays from both sides: `array @ secret`, `np.exp(secret)`,
`np.concatenate([array, secret])`, `np.linalg.norm(secret)`. Each is the function below of the same
name; options that tacit does not have are refused (TC-1407).

## What a secret cannot do

Nothing may depend on a secret that others see: no branch, no shape, no index, no Python number.
Each of these raises `SecretMisuseError`, and the message shows the idiom.

| instead of | write |
|---|---|
| `if x > 0: y = a` | `y = tacit.where(x > 0, a, y)` |
| `x[x > 0]`, `nonzero(x)` | `tacit.where(x > 0, x, 0)`, which keeps the shape; `(x > 0).sum()` |
| `x[i] = v` | `x = tacit.where(mask, v, x)`, local for a public mask; `x += v` binds x anew |
| `float(x)`, `x.item()`, `for v in x` | operations on whole arrays; `x.reveal(to="alice")` |
| `v in x` | `(x == v).sum()` |
| `x == y` as a Python boolean | `(x == y)` is a secret array; reveal what was agreed |
| `unique_values(x)` | compare with public candidates: `(x[:, None] == c).sum(0)` |

## Attributes and operators

Supported: `dtype`, `device`, `shape`, `ndim`, `size`, `T`, `mT`, `to_device` (the same session),
`__array_namespace__`; `+ - * / // % ** @ == != < <= > >= & | ^ ~ << >> abs`, with numbers and NumPy
arrays on either side; `x += y` and its like bind a new array. Indices are public: integers, slices,
`...`, `None`, arrays of integers or booleans, combined as in NumPy. Refused: `bool`, `int`,
`float`, `complex`, `index`, `__setitem__`, `__dlpack__`, and secret indices.

## Functions

*Local* means that nothing is sent.
"""

SUITE = """\
## The standard's own suite

[array-api-tests](https://github.com/data-apis/array-api-tests) is not on the package index, so
continuous integration has no copy of it. There every supported function is compared with
[array-api-strict](https://pypi.org/project/array-api-strict/) instead, through the same revealing
adapter (`tests/array_api`): it shares plain arrays in a computation of one process, applies
tacit's function and reveals the result; fixed point is presented as float64.

The suite was run by hand once, at commit 55fcc60 with the standard's text at 8884c40, 3 to 10
examples a test, floats drawn within 256 on the grid of fixed point, without complex numbers,
float32 and uint64 (which it had to be taught may be missing). All tests of creation, manipulation,
indexing, searching, sorting, statistics, utilities, array objects and element-wise functions
passed, except these:

| tests | why |
|---|---|
| functions called missing above, and `__dlpack__` | not there, or refused |
| secret amounts of `bitwise_right_shift` | refused (TC-1271): shift by a public amount |
| secret integer exponents of `pow` | the result is fixed point |
| `divide` by the Python number 0 | refused (TC-1311): there is no infinity |
| `var`, `std` without degrees of freedom | refused (TC-1360): there is no NaN |
| `asarray` of scalars | the test asks for float32 |
| dtypes by `__array_namespace_info__` | the test draws from the complex kinds, which are empty |
| `vecdot` of complex numbers | there are none |
| `linalg.det`, `linalg.cholesky` | need positive definite matrices, declared for `det` |
"""


def _found(name: str) -> Any:
    place: Any = tacit
    for part in name.split("."):
        place = getattr(place, part, None)
        if place is None:
            return None
    return place


def _names() -> list[str]:
    return [
        f"{heading}.{name}" if heading in ("linalg", "fft") else name
        for heading, names in STANDARD.items()
        for name in names
    ]


def supported() -> set[str]:
    """What tacit has."""
    return {name for name in _names() if _found(name) is not None and name not in REFUSED}


def missing() -> set[str]:
    """What tacit neither has nor refuses."""
    return {name for name in _names() if _found(name) is None}


def _cells(name: str) -> tuple[str, str]:
    if name in REFUSED:
        refused = REFUSED[name]
        return "refused", f"{refused.reason}; {_code(refused.idiom)}"
    found = _found(name)
    if found is None:
        return "missing", REASONS.get(name, "")
    first = (inspect.getdoc(found) or "").split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
    note = NOTES.get(name)
    return "supported", f"{first} *{note}*" if note else first


def _code(idiom: str) -> str:
    return idiom.replace("|", "\\|").replace("[:", "\\[:")


def page() -> str:
    """The page in Markdown."""
    parts = [HEAD]
    for heading, names in STANDARD.items():
        prefix = f"{heading}." if heading in ("linalg", "fft") else ""
        title = f"Extension `{heading}`" if prefix else heading
        rows = [f"\n### {title}\n", "| function | status | what it does |", "|---|---|---|"]
        for name in names:
            status, what = _cells(prefix + name)
            rows.append(f"| `{prefix}{name}` | {status} | {what} |")
        parts.append("\n".join(rows) + "\n")
    parts.append("\n" + SUITE)
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
