"""Running one case: whether tacit gives what it expects, and if not, for what kind of reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

import tacit
from bench.onnx_backend.cases import Case
from tacit.frontends.onnx.publicity import required_public
from tacit.frontends.onnx.values import secret_type

__all__ = ["CLASSES", "PASSED", "TOLERANCE", "judged"]

TOLERANCE: Final = 1e-3
"""Of floats: the error at most this, or this part of what is expected. Others are exact."""

PASSED: Final = "passed"

CLASSES: Final[Mapping[str, str]] = {
    "not finite": "NaN or infinity among inputs or expected outputs, which no secret type holds",
    "type": "types without a secret one: bfloat16, floats of 8 and 4 bits, integers of 4 and 2"
    " bits, complex numbers",
    "text": "texts",
    "sequence": "sequences and optional values as inputs or outputs of the whole model",
    "values decide": "values decide the shape of the result, or which elements are read, and would"
    " show",
    "random": "random numbers",
    "operator": "operators or forms of them that have no rule",
    "range": "numbers on the way that fixed point does not hold, such as e^60",
    "accuracy": "an error beyond the tolerance, mostly a rounding that ties decide",
    "other": "anything else",
}
"""Why a case fails."""


def judged(case: Case, mpc: tacit.Computation) -> tuple[str, str]:
    """``("passed", "")``, or the class of the reason and the reason."""
    try:
        for inputs, outputs in case.sets:
            problem = _run(case, inputs, outputs, mpc)
            if problem:
                return _of_difference(case, problem)
    except Exception as error:  # whatever goes wrong is a result
        return _of_error(case, error)
    return PASSED, ""


def _run(case: Case, inputs: Any, outputs: Any, mpc: tacit.Computation) -> str:
    needed = required_public(case.model)
    weights = {tensor.name for tensor in case.model.graph.initializer}
    free = [info for info in case.model.graph.input if info.name not in weights]
    named = zip(free, inputs, strict=False)
    given: dict[str, Any] = {}
    secret: dict[str, Any] = {}
    for info, value in named:
        element = info.type.tensor_type.elem_type
        if info.name in needed or secret_type(element) is None:
            given[info.name] = value
        else:
            secret[info.name] = _plain(value)
            given[info.name] = tacit.ArraySpec(np.shape(value), owner="alice")
    # Probabilities of 1 in 1,000 are compared as such.
    least = TOLERANCE / 100 if case.kind == "light" else TOLERANCE
    program = tacit.from_onnx(case.model, inputs=given)
    found = mpc.run(program, secret)
    for info, wanted in zip(case.model.graph.output, outputs, strict=False):
        problem = _difference(found[info.name], wanted, least)
        if problem:
            return f"{info.name}: {problem}"
    return ""


def _plain(value: Any) -> Any:
    if value.dtype == np.uint64:
        return value.astype(np.int64)
    return value.astype(np.float64) if value.dtype.kind not in "iub" else value


def _difference(found: Any, wanted: Any, least: float) -> str:
    got = np.asarray(found)
    if got.shape != wanted.shape:
        return f"shape {got.shape} instead of {wanted.shape}"
    if not wanted.size:
        return ""
    if wanted.dtype.kind in "iub":
        same = got.astype(wanted.dtype) == wanted if wanted.dtype.kind == "u" else got == wanted
        return "" if np.all(same) else f"{int(np.sum(~same))} of {wanted.size} elements differ"
    exact = wanted.astype(np.float64)
    error = np.abs(got.astype(np.float64) - exact)
    with np.errstate(invalid="ignore"):
        if (error <= least + TOLERANCE * np.abs(exact)).all():
            return ""
    return f"an error of {error.max():.2g} of {np.abs(exact).max():.2g}"


def _of_difference(case: Case, problem: str) -> tuple[str, str]:
    if not case.finite:
        return "not finite", problem
    far = any(
        np.asarray(x).dtype.kind == "f" and np.size(x) and np.abs(x.astype(np.float64)).max() > 40
        for _, outputs in case.sets
        for x in outputs
    )
    return ("range" if far else "accuracy"), problem


def _of_error(case: Case, error: Exception) -> tuple[str, str]:
    text = str(error).partition(" What to do:")[0]
    if not case.finite:
        return "not finite", text
    kinds = case.types
    if kinds & {"sequence_type", "optional_type", "map_type"}:
        return "sequence", text
    if "STRING" in kinds or "text" in text:
        return "text", text
    if "no secret type stands for" in text or "4 or 8 bits" in text or not case.numeric:
        return "type", text
    if "random" in text:
        return "random", text
    if "must be public" in text or "cannot be secret" in text:
        return "values decide", text
    if "TC-1535" in text:
        return "operator", text
    if "TC-13" in text:
        return "range", text
    return "other", text
