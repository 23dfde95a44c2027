"""Bounds of programs: linear forms, loops, invariants, what is refused and what would do."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

import tacit
from tacit import ArraySpec, Program
from tacit.errors import InputRefusedError, ProgramError, RangeError
from tacit.protocols import PROTOCOLS

EIGHT = ArraySpec((4, 3), owner="alice", bounds=(-8, 8))
FREE = ArraySpec((4, 3), owner="alice")
UNIT = 2.0**-18


def bounds_of(function: Any, *specs: ArraySpec) -> tuple[float, float]:
    found = tacit.trace(function, *specs or (EIGHT,)).bounds()["output"]
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("function", "low", "high", "slack"),
    [
        (lambda x: x - x, 0, 0, 0),
        (lambda x: x.T - x.T, 0, 0, 0),
        (lambda x: (x + x).sum(axis=0) - 2 * x.sum(axis=0), 0, 0, 1e-3),
        (lambda x: x * x, 0, 64, 3 * UNIT),
        (lambda x: x * (8 - x), -128, 16, 4e-4),
        (lambda x: x - 0.5 * x, -4, 4, 1e-4),
        (lambda x: (x + 1) - x, 1, 1, UNIT),
        (lambda x: tacit.broadcast_to(x[0], (4, 3)) - x[0], 0, 0, 0),
        (lambda x: x @ np.array([[1.0], [-1], [0.5]]), -20, 20, 1e-2),
        (lambda x: x[0] - x[1], -16, 16, 0),
    ],
)
def test_what_is_correlated_cancels(function: Any, low: float, high: float, slack: float) -> None:
    found = bounds_of(function)
    assert low - slack <= found[0] <= low
    assert high <= found[1] <= high + slack


def descent(rounds: Any, momentum: float = 0.0, **named: Any) -> Any:
    def function(x: Any) -> Any:
        def body(i: Any, carry: list[Any]) -> list[Any]:
            w, v = carry
            v = momentum * v + x.T @ (tacit.sigmoid(x @ w) - 0.5)
            return [w - 0.1 * v, v]

        return tacit.fori_loop(0, rounds, body, [np.zeros((3, 1))] * 2, **named)[0]

    return function


@pytest.mark.parametrize(
    ("rounds", "momentum", "high"), [(5, 0.0, 8.02), (1000, 0.0, 1605), (1000, 0.9, 16040)]
)
def test_steps_of_a_descent_add_up(rounds: int, momentum: float, high: float) -> None:
    program = tacit.trace(descent(rounds, momentum), EIGHT)
    found = program.bounds()["output"]
    assert found is not None
    assert high * 0.98 < found[1] < high
    assert program.check().complete


def test_a_decay_needs_no_count() -> None:
    def function(x: Any) -> Any:
        def body(carry: list[Any]) -> list[Any]:
            return [carry[0] * 2, carry[1] * 0.5 + x]

        return tacit.while_loop(lambda c: c[0] < 1 << 40, body, [np.int64(1), x])[1]

    program = tacit.trace(function, EIGHT)
    found = program.bounds()["output"]
    assert found is not None
    assert 15.9 < found[1] < 16.1
    program.check()


def growing(**named: Any) -> Program:
    return tacit.trace(
        lambda x: tacit.fori_loop(0, 1000, lambda i, c: [c[0] * 1.5 + x], [x], **named)[0], EIGHT
    )


def test_a_carry_that_grows_needs_an_invariant() -> None:
    with pytest.raises(ProgramError, match="TC-1573") as caught:
        growing().check()
    assert "fori" in str(caught.value)
    assert "bounds=" in str(caught.value)
    with pytest.raises(ProgramError, match="TC-1571"):
        growing(bounds=[(-100, 100)])
    with pytest.raises(ProgramError, match="TC-1570"):
        growing(bounds=[(-1, 1)])
    held = growing(bounds=[(-100, 100)], enforce="clip")
    assert held.bounds()["output"] == (-100, 100)
    held.check()
    assert tacit.Program.from_bytes(held.canonical).check().complete


def test_invariants_that_are_proved_cost_nothing() -> None:
    def function(x: Any, **named: Any) -> Any:
        return tacit.scan(lambda c, r: ([c[0] * 0.5 + r[0]], []), [x[0]], [x], **named)[0][0]

    plain = tacit.trace(function, EIGHT)
    proved = tacit.trace(lambda x: function(x, bounds=[(-17, 17)]), EIGHT)
    assert proved.form.bodies[0].nodes == plain.form.bodies[0].nodes
    assert proved.bounds()["output"] is not None
    proved.check()


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({"bounds": [None, None]}, "TC-1575"),
        ({"bounds": [(3, 1)]}, "TC-1575"),
        ({"bounds": [(0, float("nan"))]}, "TC-1575"),
        ({"bounds": [(-8, 8)], "enforce": "hope"}, "TC-1575"),
    ],
)
def test_declarations_are_checked(named: Any, code: str) -> None:
    with pytest.raises(ProgramError, match=code):
        growing(**named)


def test_eager_loops_are_clipped_too() -> None:
    with tacit.local(seed=1) as mpc:
        x = mpc.share(np.full(2, 3.0), "alice")
        (found,) = tacit.fori_loop(
            0, 3, lambda i, c: [c[0] * 2], [x], bounds=[(-5, 5)], enforce="clip"
        )
        np.testing.assert_allclose(found.reveal(to="all"), 5, atol=1e-4)
        assert found.bounds == (-5, 5)


def test_what_is_refused_says_what_would_do() -> None:
    wide = ArraySpec((4, 3), owner="a", bounds=(-1e6, 1e6))
    with pytest.raises(RangeError, match=r"Node 0 \(multiply\)"):
        tacit.trace(lambda x: x * x, wide)
    program = tacit.trace(lambda x: tacit.exp(x) @ x.T, FREE)
    with pytest.raises(ProgramError, match="TC-1572") as caught:
        program.check()
    advice = caught.value.next_step or ""
    assert "x within (-8, 8)" in advice
    tacit.trace(lambda x: tacit.exp(x) @ x.T, EIGHT).check()
    listed = program.check(strict=False)
    assert not listed.complete
    assert "exp" in str(listed)
    assert "matmul" in str(program.bounds())


def test_a_larger_ring_shows_more() -> None:
    wide = ArraySpec((3,), owner="a", bounds=(-1e9, 1e9))
    program = tacit.trace(lambda x: x * x, wide, ring=128)
    assert program.check(128).complete
    with pytest.raises(ProgramError, match="TC-1572"):
        program.check(64)


def test_results_of_programs_keep_their_bounds() -> None:
    program = tacit.trace(lambda x: x * x, EIGHT, to=None)
    with tacit.local(seed=1) as mpc:
        found = mpc.run(program, {"x": np.ones((4, 3))})["output"]
        assert found.bounds is not None
        assert 64 <= found.bounds[1] < 64.001
        with pytest.raises(RangeError):
            _ = found * 2.0**39
        shared = mpc.share(np.ones((4, 3)), "alice")
        with pytest.raises(ProgramError, match="TC-1576"):
            mpc.run(program, {"x": shared})
        with pytest.raises(ProgramError, match="TC-1576"):
            mpc.run(program, {"x": shared + shared})
        kept = mpc.run(program, {"x": tacit.clip(shared, -2, 2)})["output"]
        assert kept.bounds[1] < 4.01


def test_a_program_from_a_file_is_checked_again() -> None:
    program = tacit.trace(lambda x: x * x, ArraySpec((3,), owner="alice", bounds=(-1e9, 1e9)),
                          ring=128)  # fmt: skip
    again = Program.from_bytes(program.canonical)
    with tacit.local(seed=1) as mpc, pytest.raises(RangeError, match="TC-1373"):
        mpc.run(again, {"x": np.ones(3)})
    with tacit.local(seed=1, ring=128) as mpc:
        np.testing.assert_allclose(mpc.run(again, {"x": np.full(3, 1e6)})["output"], 1e12)


def test_public_numbers_that_come_later() -> None:
    public = ArraySpec((), public=True, bounds=(0.5, 2.0))
    program = tacit.trace(lambda x, s: {"a": x * s, "b": x / s}, EIGHT, public)
    program.check()
    found = program.bounds()
    assert found["a"] is not None
    assert 16 <= found["a"][1] < 16.01
    assert 16 <= found["b"][1] < 16.01
    with tacit.local(seed=1) as mpc, pytest.raises(ProgramError, match="TC-1576"):
        mpc.run(program, {"x": np.ones((4, 3)), "s": 3.0})


def softmax(x: Any) -> Any:
    e = tacit.exp(x - tacit.max(x, axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def standard(x: Any) -> Any:
    d = x - x.mean(axis=1, keepdims=True)
    return d / tacit.sqrt((d * d).mean(axis=1, keepdims=True) + 0.05)


def layer_norm(x: Any) -> Any:
    d = x - x.mean(axis=1, keepdims=True)
    return d * tacit.rsqrt((d**2).mean(axis=1, keepdims=True) + 0.05)


@pytest.mark.parametrize(
    ("function", "high"), [(softmax, 1.02), (standard, 1.78), (layer_norm, 1.78)]
)
def test_what_is_normalised_stays_small(function: Any, high: float) -> None:
    found = bounds_of(function)
    assert -high < found[0]
    assert found[1] < high
    reshaped = bounds_of(lambda x: function(x)[:, :2] @ np.ones((2, 1)))
    assert reshaped[1] < 2.1 * high


def test_another_rows_divisor_normalises_nothing() -> None:
    def crossed(x: Any) -> Any:
        d = x - x.mean(axis=1, keepdims=True)
        roots = tacit.sqrt((d * d).mean(axis=1, keepdims=True) + 0.05)
        return d / tacit.reshape(roots, (1, 3))

    assert bounds_of(crossed, ArraySpec((3, 3), owner="a", bounds=(-8, 8)))[1] > 50
    assert bounds_of(lambda x: x - tacit.max(x, axis=0), ArraySpec(
        (3, 3), owner="a", bounds=(-8, 8)))[1] <= 16  # fmt: skip


@pytest.mark.parametrize(
    ("limit", "ring", "bits"), [(8, 64, 24), (1000, 64, 21), (1e5, 128, 40), (1e8, 128, 36)]
)
def test_the_finest_fixed_point_that_fits(limit: float, ring: int, bits: int) -> None:
    spec = ArraySpec((3,), owner="alice", bounds=(-limit, limit))
    program = tacit.trace(lambda x: {"a": x * x, "b": (x > 0).sum() / 3}, spec, ring=128)
    fit = program.fit()
    assert (fit.ring, fit.fraction_bits) == (ring, bits)
    with tacit.local(seed=1, ring=ring) as mpc:
        found = mpc.run(fit.program, {"x": np.full(3, limit / 3)})
    np.testing.assert_allclose(found["a"], (limit / 3) ** 2, rtol=2.0**-bits)
    np.testing.assert_allclose(found["b"], 1, atol=1e-5)


def test_what_fits_nowhere_is_refused() -> None:
    with pytest.raises(ProgramError, match="TC-1574"):
        tacit.trace(lambda x: x * x, FREE).fit()
    found = tacit.trace(lambda x: x * x, EIGHT, fractions="auto")
    assert found.inputs[0].type.fraction_bits == 24


@pytest.mark.parametrize("protocol", ["fantastic4", "replicated3_active"])
def test_an_owner_who_lies_about_bounds_is_found_out(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bob's process shares a number that his program's bounds exclude."""
    one = ArraySpec((2,), owner="bob", bounds=(-1, 1))
    program = tacit.trace(lambda x, y: x * y, ArraySpec((2,), owner="alice", bounds=(-8, 8)), one)
    values = {"x": np.ones(2), "y": np.ones(2)}

    def run(*, checked: bool) -> Any:
        with tacit.local(protocol, seed=1) as mpc:
            session: Any = mpc.session
            honest = session.input_elements

            def lying(owner: int, elements: Any, *rest: Any) -> Any:
                return honest(owner, elements << 20 if owner == 1 else elements, *rest)

            monkeypatch.setattr(session, "input_elements", lying)
            with monkeypatch.context() as weakened:
                weakened.setattr(PROTOCOLS[protocol].party, "checks_inputs", checked)
                return mpc.run(program, values)["output"]

    with pytest.raises(InputRefusedError, match="TC-5400") as caught:
        run(checked=True)
    assert caught.value.parties == ("bob",)
    assert np.abs(run(checked=False)).max() > 8  # without the check the lie goes through


def test_what_bounds_decide_needs_no_protocol() -> None:
    positive = ArraySpec((3,), owner="alice", bounds=(1, 2))
    negative = ArraySpec((3,), owner="bob", bounds=(-4, -1))

    def function(x: Any, y: Any) -> dict[str, Any]:
        return {
            "abs": abs(x) + abs(y),
            "most": tacit.maximum(x, y) - tacit.minimum(x, y),
            "clip": tacit.clip(x, 0, 3),
            "choice": tacit.where(x > y, x, y * y),
            "open": tacit.maximum(x, 1.5),
        }

    program = tacit.trace(function, positive, negative)
    better = program.optimize()
    names = [node.operation for node in better.form.main.nodes]
    assert not {"abs", "minimum", "clip", "greater"} & set(names)
    assert names.count("maximum") == 1
    values = {"x": np.array([1.0, 1.5, 2]), "y": np.array([-1.0, -2, -4])}
    with tacit.local(seed=1, rounding="nearest") as mpc:
        expected, found = mpc.run(program, values), mpc.run(better, values)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, atol=1e-5)


def test_a_program_that_lies_about_its_keys_is_refused() -> None:
    program = tacit.trace(lambda x: tacit.sort(x), ArraySpec((4,), owner="alice", bounds=(-8, 8)))
    lying = tacit.trace(lambda x: tacit.sort(x), ArraySpec((4,), owner="alice", bounds=(-1, 1)))
    main = msgspec.structs.replace(program.form.main, nodes=lying.form.main.nodes)
    forged = Program(msgspec.structs.replace(program.form, main=main))
    with pytest.raises(ProgramError, match="sort"):
        forged.check()
    with tacit.local(seed=1) as mpc, pytest.raises(RangeError, match="TC-1373"):
        mpc.run(forged, {"x": np.ones(4)})
    values = np.array([3.0, -2, 7.5, 0])
    fit = program.fit()
    with tacit.local(seed=1) as mpc:
        found = mpc.run(fit.program, {"x": values})["output"]
    np.testing.assert_allclose(found, np.sort(values), atol=1e-6)
