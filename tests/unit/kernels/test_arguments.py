"""What Python may pass: wrong arguments are errors with a clear text, never more."""

from __future__ import annotations

import ast
import inspect
from typing import Any

import numpy as np
import pytest
from thinning import EVERYTHING

import tacit.kernels as kernels
from tacit import _native
from tacit.kernels import reference

GOOD = np.zeros(8, np.uint64)


def out() -> Any:
    return np.zeros(8, np.uint64)


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [0] * 8,
        b"bytes",
        np.zeros(8, np.int64),
        np.zeros(8, np.float64),
        np.zeros(8, np.uint32),
        np.zeros(8, ">u8"),
        np.zeros(8, object),
        np.zeros(8, bool),
        np.zeros(8, "M8[s]"),
    ],
    ids=repr,
)
def test_types(wrong: Any) -> None:
    with pytest.raises(TypeError):
        _native.add(wrong, GOOD, out())
    with pytest.raises(TypeError):
        _native.add(GOOD, GOOD, wrong)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (np.zeros(16, np.uint64)[::2], "C-contiguous"),
        (np.zeros(8, np.uint64)[::-1], "C-contiguous"),
        (np.zeros((2, 4), np.uint64), "one dimension"),
        (np.zeros((), np.uint64), "one dimension"),
        (np.zeros(7, np.uint64), "length"),
        (np.zeros(9, np.uint64), "length"),
        (np.frombuffer(bytes(65), np.uint64, 8, offset=1), "aligned"),
    ],
)
def test_layouts(wrong: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        _native.add(wrong, GOOD, out())
    with pytest.raises(ValueError, match=f"{text}|read-only"):
        _native.add(GOOD, GOOD, wrong)


def test_read_only_outputs() -> None:
    wrong = out()
    wrong.flags.writeable = False
    _native.add(wrong, wrong, out())
    with pytest.raises(ValueError, match="read-only"):
        _native.add(GOOD, GOOD, wrong)
    with pytest.raises(ValueError, match="read-only"):
        _native.fill(_native.StreamKey(bytes(16)), 0, 0, np.frombuffer(bytes(8), np.uint64))


def test_overlaps() -> None:
    memory = np.zeros(24, np.uint64)
    with pytest.raises(ValueError, match="overlaps"):
        _native.add(memory[:8], GOOD, memory[:8])
    with pytest.raises(ValueError, match="overlaps"):
        _native.add(GOOD, memory[:8], memory[7:15])
    _native.add(memory[:8], memory[:8], memory[8:16])
    key = _native.StreamKey(bytes(16))
    with pytest.raises(ValueError, match="overlaps"):
        _native.truncation_mask(
            "B", None, None, None, None, GOOD, key, 0, 3, memory[:8], memory[4:12]
        )
    _native.add(memory[:0], memory[:0], memory[:0])


@pytest.mark.parametrize("number", [-1, 2**64, 2**70])
def test_nonces(number: int) -> None:
    with pytest.raises(ValueError, match=r"0 to 2\^64") as caught:
        _native.fill(_native.StreamKey(bytes(16)), number, 0, out())
    assert str(number) not in str(caught.value)


@pytest.mark.parametrize("number", [-1, 2**16])
def test_lanes(number: int) -> None:
    with pytest.raises(ValueError, match=r"0 to 2\^16"):
        _native.fill(_native.StreamKey(bytes(16)), 0, number, out())


@pytest.mark.parametrize("wrong", ["1", None, 1.0])
def test_numbers_are_integers(wrong: Any) -> None:
    with pytest.raises(TypeError):
        _native.fill(_native.StreamKey(bytes(16)), wrong, 0, out())


@pytest.mark.parametrize("wrong", ["A", "", "b", "BC"])
def test_roles(wrong: Any) -> None:
    with pytest.raises(ValueError, match="role"):
        _native.bits_combine(
            wrong, out(), None, _native.StreamKey(bytes(16)), 0, np.zeros(512, np.uint64), out()
        )


@pytest.mark.parametrize("wrong", [np.float64, np.int8, np.uint8, object])
def test_fill_takes_integers_alone(wrong: Any) -> None:
    key = _native.StreamKey(bytes(16))
    if wrong in (np.int8, np.uint8):
        _native.fill(key, 0, 0, np.zeros(8, wrong))
    else:
        with pytest.raises(TypeError, match="integers"):
            _native.fill(key, 0, 0, np.zeros(8, wrong))


def test_paths() -> None:
    assert _native.path() in ("portable", "avx2", "avx512")
    with pytest.raises(ValueError, match="path"):
        _native.set_path("fast")  # type: ignore[arg-type]


def _argument(name: str, annotation: str, rng: np.random.Generator) -> Any:
    """Something for this parameter, of a fitting or unfitting kind and size."""
    if annotation == "StreamKey":
        return _native.StreamKey(bytes(16))
    if name == "role":
        return rng.choice(["B", "C"])
    if annotation in ("int", "bool"):
        return int(rng.choice([0, 1, 2, 8, 39, 62, 63, 64, 2**31, 2**48, 2**63, -1]))
    if "None" in annotation and rng.random() < 0.3:
        return None
    blocks = int(rng.choice([0, 1, 2, 3]))
    shape = [
        (64 * blocks,),
        (blocks,),
        (blocks, int(rng.choice([1, 3, 5, 41, 147, 148])), int(rng.choice([1, 8]))),
        (64, blocks),
        (8, 8),
        (1, 0),
        (),
    ][rng.integers(7)]
    kinds = [np.uint16, np.uint32] if "Field" in annotation else [np.uint64] * 20 + [np.int64]
    array: Any = np.zeros(shape, rng.choice(kinds))  # type: ignore[arg-type]
    return array.T if rng.random() < 0.1 else array


@pytest.mark.parametrize("name", [n for n in kernels.__all__ if n != "StreamKey"])
def test_whatever_is_passed_is_accepted_or_refused(name: str) -> None:
    """No panic, no crash: a kernel returns, or raises ValueError or TypeError."""
    parameters = inspect.signature(getattr(reference, name)).parameters.values()
    positional = [p for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(3000 if EVERYTHING else 800):
        arguments = [_argument(p.name, str(p.annotation), rng) for p in positional]
        try:
            getattr(_native, name)(*arguments)
        except (ValueError, TypeError):
            refused += 1
    assert refused > 0


def test_the_same_kernels_everywhere() -> None:
    """Package, extension and reference have the same names and parameters."""
    assert set(kernels.__all__) == set(reference.__all__)
    for name in kernels.__all__:
        assert getattr(kernels, name) is getattr(_native, name)
        ours, theirs = getattr(_native, name), getattr(reference, name)
        if inspect.isfunction(theirs):
            native_parameters = inspect.signature(ours).parameters
            assert list(native_parameters) == list(inspect.signature(theirs).parameters)
            assert ours.__doc__, name


def test_the_reference_imports_nothing_native() -> None:
    tree = ast.parse(inspect.getsource(reference))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not any(module and module.startswith("tacit") for module in modules)
