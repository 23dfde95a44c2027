"""Random operations on random arrays: equal to NumPy's within the documented error, or refused.

Shapes from empty to zero-dimensional, every type, values up to the edge of the ring. What an
example raises must be an error of tacit's tree, with a number and a next step, and nothing must
have been computed by then: the session goes on. NumPy's own refusal counts as one too, and then
tacit must refuse as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from judging import by_numpy, judge
from numpy.typing import NDArray
from operations import COMPARING, OPERATIONS, UNIT, WRAPPING

import tacit
from tacit import Computation, SecretArray
from tacit.errors import UsageError

EXAMPLES = 2000
"""Drawn in continuous integration; ``--fuzz-examples`` draws others."""

EDGE = 1 << 61
FIXED = st.one_of(
    st.integers(-(1 << 21), 1 << 21),
    st.sampled_from([0, 1, -1, 1 << 18, -(1 << 18), 3 << 17, EDGE - 512, 512 - EDGE, 1 << 43]),
    st.integers(0, 60).map(lambda k: 1 << k),
    st.integers(-(1 << 52), 1 << 52),
).map(lambda n: float(n * UNIT))
"""Numbers that fixed point holds exactly, and float64 too."""

INTEGERS = ("int64", "int8", "int16", "int32", "uint8", "uint16", "uint32")


@st.composite
def arrays(draw: st.DrawFn, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
    if kind == "b":
        return draw(hnp.arrays(np.bool_, shape))
    if kind == "f":
        return draw(hnp.arrays(np.float64, shape, elements=FIXED))
    dtype = np.dtype(draw(st.sampled_from(INTEGERS)))
    info = np.iinfo(dtype)
    edges = st.sampled_from([int(info.min), int(info.max), 0, 1, int(info.max) // 2 + 1])
    small = st.integers(max(int(info.min), -100), 100)
    return draw(hnp.arrays(dtype, shape, elements=small | edges | st.integers(info.min, info.max)))


@st.composite
def examples(draw: st.DrawFn) -> tuple[str, list[NDArray[Any]], dict[str, Any], str, bool]:
    name = draw(st.sampled_from(sorted(OPERATIONS)))
    fuzzed = OPERATIONS[name]
    kind = draw(st.sampled_from(fuzzed.kinds))
    shapes = draw(
        hnp.mutually_broadcastable_shapes(
            num_shapes=fuzzed.operands, max_dims=3, min_side=0, max_side=3
        )
    ).input_shapes
    operands = [draw(arrays(kind, shape)) for shape in shapes]
    side = draw(st.sampled_from(["secret", "left", "right"])) if fuzzed.public else "secret"
    options = dict(draw(st.sampled_from(fuzzed.options)))
    checked = draw(st.integers(0, 3)) == 0
    return name, operands, options, side, checked


def compute(mpc: Computation, example: Any) -> Any:
    name, operands, options, side, _ = example
    fuzzed = OPERATIONS[name]
    given_as = [
        x
        if len(operands) == 2 and side == ("right", "left")[place]
        else mpc.share(x, owner=mpc.parties[place])
        for place, x in enumerate(operands)
    ]
    return fuzzed.ours(*given_as, **options)


def judged(example: Any, found: Any) -> None:
    name, operands, options, side, checked = example
    anywhere = name in WRAPPING or (name in COMPARING and far(operands, side))
    judge(OPERATIONS[name], operands, options, found, anywhere=anywhere, checked=checked)


def far(operands: list[NDArray[Any]], side: str) -> bool:
    """Whether a public operand holds an integer of 2^62 or more in magnitude."""
    public = {"right": operands[:1], "left": operands[1:]}.get(side, [])
    return any(abs(int(n)) >= 1 << 62 for x in public for n in x.reshape(-1))


def refused_by_numpy(example: Any) -> bool:
    name, operands, options, _, _ = example
    try:
        by_numpy(OPERATIONS[name], operands, options)
    except (ValueError, TypeError, IndexError, ZeroDivisionError):
        return True
    return False


def roomy(name: str, operands: list[NDArray[Any]], options: Any) -> bool:
    """Whether an operation is inside of its domain with operands 2 % larger too.

    A checked session estimates products, to a hundredth of their limit.
    """
    plain = [x * 1.02 if x.dtype.kind != "b" else x for x in operands]
    if any(np.abs(x).max(initial=0) >= 2.0**43 for x in plain if x.dtype.kind != "b"):
        return False
    with np.errstate(all="ignore"):
        return bool(np.all(OPERATIONS[name].fits(*plain, **options)))


def documented(example: Any, code: str) -> bool:
    """Refusals that are documented, where NumPy gives something."""
    name, operands, options, _, checked = example
    match code:
        case "TC-1374":  # out of range, or within a hundredth of its end
            return checked and not roomy(name, operands, options)
        case "TC-1375":
            return checked and any(
                np.abs(x.astype(np.float64)).max(initial=0) >= 2.0**61 for x in operands
            )
        case "TC-1118":  # the mean of no elements; NumPy's is NaN
            return name in ("mean", "var")
        case "TC-1360":  # no degrees of freedom
            return name == "var"
        case "TC-1160":  # NumPy takes a vector for a matrix of one row
            return name in ("tril", "triu") and operands[0].ndim < 2
        case "TC-1112":  # an axis of a number without axes
            return operands[0].ndim == 0
        case "TC-1300" | "TC-1310":  # a public operand that the encoding cannot hold
            return any(np.abs(x.astype(np.float64)).max(initial=0) >= 2.0**20 for x in operands)
    return False


def test_any_operation_on_any_arrays(pytestconfig: pytest.Config) -> None:
    asked = pytestconfig.getoption("--fuzz-examples", default=None)
    sessions = {checked: tacit.local("replicated3", checked=checked) for checked in (False, True)}

    @settings(
        max_examples=asked or EXAMPLES,
        derandomize=asked is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(examples())
    def check(example: Any) -> None:
        name, checked = example[0], example[-1]
        refusal: UsageError | None = None
        try:
            found = compute(sessions[checked], example)
            assert isinstance(found, SecretArray)
            opened = found.reveal(to="all")
        except UsageError as error:
            refusal = error
        except BaseException:
            sessions[checked] = tacit.local("replicated3", checked=checked)
            raise
        if refusal is None:
            judged(example, opened)
            return
        event(f"refused: {refusal.code}")
        assert refusal.next_step
        assert refusal.code != "TC-1033", "the session did not survive"
        allowed = documented(example, refusal.code) or refused_by_numpy(example)
        assert allowed, f"{name} refused: {refusal}"

    check()
