"""Bounds of public numbers that are known only at the run: of what NumPy gives, not shares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec
from tacit.errors import ProgramError, RangeError
from tacit.operations import OPERATIONS
from tacit.operations.arity import ARITY
from tacit.operations.types import public_type
from tacit.programs.bounding.in_clear import clear_bounds
from tacit.programs.inference import CheckedNode, result_types
from tacit.programs.public import PUBLIC, computed

WIDE = ArraySpec((3,), owner="alice", bounds=(-(2.0**20), 2.0**20))

FUNCTIONS = {
    "exp": lambda s: tacit.exp(60 * s) * 1e-15,
    "reciprocal": lambda s: tacit.reciprocal(s) * 1e-6,
    "rsqrt": lambda s: tacit.rsqrt(s) * 1e-6,
    "pow": lambda s: tacit.pow(s, -0.5) * 1e-6,
    "floor_divide": lambda s: (1.0 // s) * 1e-6,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_table_of_shares_bounds_what_is_computed_in_the_clear(name: str) -> None:
    """Each was accepted, and wrapped: shares' exp and reciprocals end where floats' go on."""
    function = FUNCTIONS[name]
    near_zero = ArraySpec((), public=True, bounds=(0, 1))
    program = tacit.trace(lambda x, s: x * function(s), WIDE, near_zero)
    with pytest.raises(ProgramError, match="TC-1572"):
        program.check()
    apart = ArraySpec((), public=True, bounds=(0.2, 0.3))
    tacit.trace(lambda x, s: x * function(s), WIDE, apart).check()


def test_small_integers_wrap_in_the_clear() -> None:
    def function(x: Any, s: Any) -> Any:
        return x * (s - np.uint32(1)).astype(tacit.int64)

    few = ArraySpec((), tacit.uint32, public=True, bounds=(0, 3))
    with pytest.raises(RangeError, match="TC-1373"):
        tacit.trace(function, WIDE, few)


_FLOATS = [(-30.0, 45.0), (1e-12, 3.0), (-2.0, -1e-9), (0.5, 1.5), (-1e6, 1e6), (25.0, 45.0)]
_WHOLE = [(-3, 5), (0, 3), (1, 100), (-128, 127), (100, 127)]


def _numbers(rng: np.random.Generator, bounds: Any, kind: str, shape: Any) -> np.ndarray[Any, Any]:
    low, high = bounds
    if kind == "f":
        found = rng.uniform(low, high, shape)
        if low > 0:  # as many near the end as elsewhere
            found = np.exp(rng.uniform(np.log(low), np.log(high), shape))
        return np.where(rng.random(shape) < 0.3, np.array([low, high])[rng.integers(2)], found)
    return np.asarray(rng.integers(low, high, shape, endpoint=True)).astype(kind)


def _attributes(name: str, rng: np.random.Generator) -> dict[str, Any]:
    if name == "clip":
        return {"low": -1.5, "high": 2.25}
    if name == "astype":
        kinds = [("int", 64), ("int", 8), ("fixed", 64), ("bool", 64)]
        kind, bits = kinds[int(rng.integers(4))]
        return {"kind": kind, "bits": bits, **({"fraction_bits": 18} if kind == "fixed" else {})}
    return {}


_PLACED = ("all", "any", "reshape", "broadcast_to", "getitem", "roll", "tile", "dynamic_slice",
           "take", "dynamic_update_slice", "diagonal", "transpose")  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(PUBLIC) - set(_PLACED)))
def test_what_is_computed_lies_within_what_was_said(name: str) -> None:
    operation = OPERATIONS[name]
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(150):
        kinds = rng.choice(["f", "f", "int64", "int8", "uint8"], size=3)
        count = min(ARITY[name][1], 2) if name != "where" else 3
        ranges = [
            (_FLOATS if kind == "f" else _WHOLE)[int(rng.integers(len(_WHOLE)))] for kind in kinds
        ]
        ranges = [
            (max(low, 0), high) if kind == "uint8" else (low, high)
            for kind, (low, high) in zip(kinds, ranges, strict=True)
        ]
        arrays = [
            _numbers(rng, one, kind, (2, 2)) for kind, one in zip(kinds, ranges, strict=True)
        ][:count]
        bounds: list[Any] = ranges[:count]
        if name == "where":
            arrays[0], bounds[0] = arrays[0] > 0, (0, 1)
        try:
            parameters = operation.attributes(**_attributes(name, rng))
            types = [public_type(array) for array in arrays]
            results = result_types(name, operation, types, parameters)
            found = computed(name, arrays, parameters, results)
        except tacit.errors.TacitError:
            continue  # not of such numbers
        node: Any = type("Node", (), {"operation": name})
        checked = CheckedNode(node, operation, parameters, results, 0, True)
        for array, one in zip(
            found, clear_bounds(checked, types, bounds, [None] * count), strict=True
        ):
            if one is not None:
                held += 1
                assert one[0] <= array.min(), (arrays, one)
                assert array.max() <= one[1], (arrays, one)
    assert held > 5


@pytest.mark.parametrize("kind", ["int8", "uint8", "int32"])
def test_sums_and_means_of_small_public_integers_do_not_wrap(kind: str) -> None:
    """As on secret ones, and in NumPy: a sum of int8 is an int64."""
    most = np.iinfo(kind).max
    public = ArraySpec((3,), getattr(tacit, kind), public=True)
    program = tacit.trace(
        lambda x, s: {"sum": x + s.sum(), "mean": x + s.mean()},
        ArraySpec((), tacit.fixed, owner="alice", bounds=(0, 1)),
        public,
    )
    with tacit.local(seed=1) as mpc:
        found = mpc.run(program, {"x": 0.0, "s": np.full(3, most, kind)})
    np.testing.assert_allclose(found["sum"], 3 * most)
    np.testing.assert_allclose(found["mean"], most)


@pytest.mark.parametrize(
    ("name", "more", "exact"), [("sqrt", [], 3**0.5), ("rsqrt", [], 3**-0.5), ("pow", [9], 3.0**9)]
)
def test_roots_and_powers_of_small_public_integers_are_exact(
    name: str, more: list[int], exact: float
) -> None:
    """NumPy's own root of an int8 has 11 bits, and its powers wrap."""
    operation = OPERATIONS[name]
    numbers = [np.array([number], np.int8) for number in [3, *more]]
    types = result_types(name, operation, [public_type(n) for n in numbers], operation.attributes())
    (found,) = computed(name, numbers, operation.attributes(), types)
    assert found[0] == pytest.approx(exact, rel=1e-15)


def test_bounds_of_small_integers_are_those_of_the_numbers() -> None:
    """-128 of 8 bits has no negative: it is itself, and not 128."""
    program = tacit.trace(lambda x: {"a": -x, "b": x * 1}, ArraySpec((2,), tacit.int8, owner="a"))
    assert program.bounds()["a"] == (-128, 127)
    assert "128)" not in str(program.bounds())
