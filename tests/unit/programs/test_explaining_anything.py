"""Programs with unusual bounds, shapes and numbers are explained like all others."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tacit
from tacit import ArraySpec
from tacit.operations.types import ArrayType
from tacit.programs.explaining import trying
from tacit.programs.explaining.samples import drawn, is_whole, range_of

SPECS = {
    "without an end": ArraySpec((3, 2), owner="alice", bounds=(1.0, np.inf)),
    "without a beginning": ArraySpec((3, 2), owner="alice", bounds=(-np.inf, -1e6)),
    "without either": ArraySpec((3, 2), owner="alice", bounds=(-np.inf, np.inf)),
    "far away": ArraySpec((3, 2), owner="alice", bounds=(1e12, 2e12)),
    "large integers": ArraySpec((3, 2), tacit.int64, owner="alice", bounds=(2.0**40, 2.0**41)),
    "integers without an end": ArraySpec((3, 2), tacit.int64, owner="alice", bounds=(0, np.inf)),
    "no elements": ArraySpec((0, 3), dtype=tacit.int8, owner="alice"),
}

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "compared": lambda x: {"a": x < 3, "b": x > 5},
    "bent": lambda x: tacit.exp(tacit.clip(x, 0, 2)),
    "least": lambda x: tacit.minimum(x, 50),
}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.filterwarnings("error")
def test_any_bounds_can_be_explained(spec: str, function: str) -> None:
    program = tacit.trace(FUNCTIONS[function], SPECS[spec], to="carol")
    found = program.explain()
    assert found.findings
    assert program.digest in str(found)


FURTHER = ArraySpec((), owner="alice", bounds=(0.0, 1e308))


@pytest.mark.parametrize("one", [*SPECS.values(), FURTHER], ids=[*SPECS, "beyond all numbers"])
def test_samples_lie_within_bounds(one: ArraySpec) -> None:
    kind, bounds = ArrayType(one.dtype, one.shape), one.bounds or (-128, 127)
    for numbers in (range_of(kind, bounds), drawn(kind, bounds, 50, 1)):
        assert len(np.unique(numbers)) > 20
        assert np.isfinite(numbers).all()
        assert (numbers >= bounds[0]).all()
        assert (numbers <= bounds[1]).all()
    assert is_whole(kind, bounds) == (one.dtype is tacit.int8)


def test_a_long_tile_takes_no_memory() -> None:
    program = tacit.trace(lambda x: tacit.tile(x, (3, 1 << 20, 3)), ArraySpec((2, 8), owner="a"))
    tracemalloc.start()
    found = program.explain()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 26
    assert found.findings[0].kind == "reveals-input"


@pytest.mark.filterwarnings("error")
def test_factors_that_grow_beyond_all_numbers_are_no_coefficients() -> None:
    def program(x: Any) -> dict[str, Any]:
        shifted = x[:3]
        for _ in range(20):
            shifted = shifted << 60
        return {"shifted": shifted, "rest": x[2:]}

    traced = tacit.trace(program, ArraySpec((5,), dtype=tacit.int64, owner="a"), to="b")
    assert ("high", "reveals-input") in {(f.severity, f.kind) for f in traced.explain().findings}


@pytest.mark.parametrize(
    ("function", "spec"),
    [
        (lambda x: tacit.pad(x, ((1, 0), (2, 3))), ArraySpec((0, 4), owner="alice")),
        (lambda x: tacit.maximum(x, 0), ArraySpec((1,) * 32, owner="alice", bounds=(0, 1))),
    ],
    ids=["padded nothing", "of many axes"],
)
def test_any_shape_can_be_explained(function: Callable[[Any], Any], spec: ArraySpec) -> None:
    assert tacit.trace(function, spec, to="carol").explain().gives


@pytest.mark.parametrize("wrong", [ValueError, OverflowError, TypeError, AttributeError])
def test_a_function_that_takes_no_such_numbers_is_not_tried(
    wrong: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def meaning(*_: object) -> None:
        raise wrong

    monkeypatch.setattr(trying, "meaning", meaning)
    spec = ArraySpec((4,), owner="alice", bounds=(0, 1))
    assert tacit.trace(lambda x: tacit.exp(x), spec, to="carol").explain().findings
