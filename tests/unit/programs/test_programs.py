"""Programs: traced, encoded, checked, run; the same numbers as the functions they come from."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import tacit
from tacit import ArraySpec, Computation, Program
from tacit.errors import ProgramError, RangeError, SecretMisuseError, ShapeError
from tacit.programs.form import MAGIC

RNG = np.random.default_rng(7)
X, Y = RNG.uniform(-1, 1, (4, 3)), RNG.uniform(-1, 1, (3, 2))
SPECS = (
    ArraySpec((4, 3), owner="alice", bounds=(-1, 1)),
    ArraySpec((3, 2), owner="bob", bounds=(-1, 1)),
)


@pytest.fixture(scope="module")
def mpc() -> Iterator[Computation]:
    with tacit.local(seed=5) as computation:
        yield computation


def mixed(x: Any, y: Any) -> dict[str, Any]:
    functions = tacit.exp(x) + tacit.sigmoid(x) + tacit.log(x + 2)
    return {"product": x @ y, "functions": functions.sum()}


def descent(x: Any, y: Any) -> Any:
    def body(i: Any, carry: list[Any]) -> list[Any]:
        (w,) = carry
        row = tacit.dynamic_slice(x, [i, 0], (1, 3))
        gradient = row.T @ (tacit.sigmoid(row @ w) - y[:1, :1])
        return [w - gradient * (0.5 / (1.0 + i))]

    (w,) = tacit.fori_loop(0, 4, body, [np.zeros((3, 1))])
    return w


def doubling(x: Any) -> Any:
    """While on a public counter; a branch on it."""

    def body(carry: list[Any]) -> list[Any]:
        i, value = carry
        (value,) = tacit.cond(i % 2 == 0, lambda v: [v + v], lambda v: [v - 0.25], value)
        return [i + 1, value]

    _, value = tacit.while_loop(lambda c: c[0] < 5, body, [np.int64(0), x])
    return value


def backwards(x: Any) -> Any:
    _, (rows,) = tacit.scan(
        lambda carry, row: ([carry[0] + row[0]], [carry[0]]), [np.zeros(3)], [x], reverse=True
    )
    return rows


FUNCTIONS = {
    "mixed": (mixed, SPECS),
    "descent": (descent, SPECS),
    "doubling": (doubling, SPECS[:1]),
    "backwards": (backwards, SPECS[:1]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_program_gives_what_its_function_gives(mpc: Computation, name: str) -> None:
    function, specs = FUNCTIONS[name]
    program = tacit.trace(function, *specs)
    arrays = {"x": X, "y": Y}
    given = {one.name: arrays[one.name] for one in program.inputs}
    found = mpc.run(program, given)
    secrets = [mpc.share(given[one.name], one.owner) for one in program.inputs]
    eager = function(*secrets)
    eager = eager if isinstance(eager, dict) else {"output": eager}
    assert found.keys() == eager.keys()
    for key, array in eager.items():
        np.testing.assert_allclose(found[key], array.reveal(to="all"), atol=2e-4)


def test_numbers_are_those_of_numpy(mpc: Computation) -> None:
    found = mpc.run(tacit.trace(doubling, SPECS[0]), {"x": X})["output"]
    np.testing.assert_allclose(found, (((X * 2 - 0.25) * 2) - 0.25) * 2, atol=1e-4)
    found = mpc.run(tacit.trace(backwards, SPECS[0]), {"x": X})["output"]
    sums = np.cumsum(X[::-1], 0)[::-1]
    np.testing.assert_allclose(found, sums - X, atol=1e-4)


def test_independent_operations_share_their_rounds() -> None:
    program = tacit.trace(mixed, *SPECS)
    with tacit.local(seed=5) as mpc:
        mpc.run(program, {"x": X, "y": Y})
        merged = mpc.total_cost.rounds
    with tacit.local(seed=5) as mpc:
        for array in mixed(mpc.share(X, "alice"), mpc.share(Y, "bob")).values():
            array.reveal(to="all")
        assert merged < 0.6 * mpc.total_cost.rounds


@pytest.mark.parametrize("protocol", ["fantastic4", "replicated3_active"])
def test_every_protocol_runs_programs(protocol: str) -> None:
    program = tacit.trace(descent, *SPECS)
    with tacit.local(protocol, seed=5) as mpc, tacit.local(seed=5) as plain:
        found = mpc.run(program, {"x": X, "y": Y})["output"]
        expected = plain.run(program, {"x": X, "y": Y})["output"]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_long_arrays_are_computed_in_chunks_beside_others() -> None:
    """Two pipelined operations and a short one in one graph."""
    n = 150_000
    program = tacit.trace(
        lambda x: {"a": (x > 0).sum(), "b": (x * x).sum(), "c": tacit.exp(x[:2])},
        x=ArraySpec((n,), owner="alice", bounds=(-1, 1)),
    )
    x = RNG.uniform(-1, 1, n)
    with tacit.local(seed=1) as mpc:
        found = mpc.run(program, {"x": x})
    assert found["a"] == (x > 0).sum()
    np.testing.assert_allclose(found["b"], (x * x).sum(), atol=0.5)
    np.testing.assert_allclose(found["c"], np.exp(x[:2]), atol=1e-3)


def test_a_loop_is_one_node_however_many_rounds() -> None:
    def loop(count: int) -> Program:
        return tacit.trace(
            lambda x: tacit.fori_loop(0, count, lambda i, c: [c[0] * 0.5 + i], [x])[0], SPECS[0]
        )

    assert len(loop(3).canonical) == len(loop(100).canonical)
    assert loop(3).digest != loop(100).digest


def test_recipients(mpc: Computation) -> None:
    program = tacit.trace(
        lambda x, y: {"a": x.sum(), "b": y.sum(), "c": x[0]},
        *SPECS,
        to={"a": "alice", "b": ("bob", "carol"), "c": None},
    )
    found = mpc.run(program, {"x": X, "y": Y})
    assert found["a"].keys() == {"alice"}
    assert found["b"].keys() == {"bob", "carol"}
    np.testing.assert_allclose(found["c"].reveal(to="all"), X[0], atol=1e-5)


def test_what_is_shared_already_is_an_input_too(mpc: Computation) -> None:
    program = tacit.trace(lambda x: x + 1, ArraySpec((4, 3)))
    shared = mpc.share(X, "bob")
    np.testing.assert_allclose(mpc.run(program, {"x": shared})["output"], X + 1, atol=1e-5)
    with pytest.raises(ProgramError, match="TC-1515"):
        mpc.run(program, {"x": X})
    with pytest.raises(ProgramError, match="TC-1512"):
        mpc.run(program, {"x": shared[:2]})


def test_inputs_are_held_to_their_bounds_and_names(mpc: Computation) -> None:
    program = tacit.trace(lambda x: x.sum(), SPECS[0])
    with pytest.raises(RangeError):
        mpc.run(program, {"x": X * 5})
    with pytest.raises(ShapeError):
        mpc.run(program, {"x": X[:2]})
    with pytest.raises(ProgramError, match="needs the input 'x'"):
        mpc.run(program)
    with pytest.raises(ProgramError, match="no input 'z'"):
        mpc.run(program, {"x": X, "z": X})


def test_public_arguments_and_constants(mpc: Computation) -> None:
    program = tacit.trace(
        lambda x, scale: x * (scale * 2) + np.arange(3),
        SPECS[0],
        ArraySpec((), public=True),
    )
    found = mpc.run(program, {"x": X, "scale": 1.5})["output"]
    np.testing.assert_allclose(found, X * 3 + np.arange(3), atol=1e-4)


def test_a_public_output_is_an_output(mpc: Computation) -> None:
    program = tacit.trace(lambda x: {"x": x.sum(), "one": np.float64(1.5)}, SPECS[0])
    assert mpc.run(program, {"x": X})["one"] == 1.5


def test_bytes_are_canonical_and_files_come_back(tmp_path: Path) -> None:
    program = tacit.trace(descent, *SPECS)
    program.save(tmp_path / "one.tacit")
    again = Program.load(tmp_path / "one.tacit")
    assert again == program
    assert again.digest == program.digest == tacit.trace(descent, *SPECS).digest
    assert again.canonical == program.canonical
    assert "descent" in repr(again)
    with pytest.raises(ProgramError, match="TC-1507"):
        Program.load(tmp_path / "none.tacit")


def test_what_is_damaged_is_refused() -> None:
    good = tacit.trace(descent, *SPECS).canonical
    generator = np.random.default_rng(1)
    refused = 0
    for _ in range(400):
        data = bytearray(good)
        place = int(generator.integers(len(data)))
        match generator.integers(3):
            case 0:
                data[place] ^= 1 << int(generator.integers(8))
            case 1:
                del data[place:]
            case _:
                data[place:place] = data[:place]
        try:
            found = Program.from_bytes(bytes(data))
        except ProgramError:
            refused += 1
        else:
            assert found.canonical == bytes(data)
    assert refused > 200


def _set(raw: Any, *path: Any) -> None:
    *places, last, value = path
    for place in places:
        raw = raw[place]
    raw[last] = value


def _listed(value: Any) -> Any:
    return [_listed(v) for v in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda raw: _set(raw, 0, 7), "TC-1501"),
        (lambda raw: _set(raw, 2, 2, 0, 0, "format_disk"), "TC-1502"),
        (lambda raw: _set(raw, 2, 2, 0, 1, [10_000]), "TC-1503"),
        (lambda raw: _set(raw, 2, 2, 0, 1, [-1]), "TC-1503"),
        (lambda raw: _set(raw, 2, 2, 0, 2, b"\x80\x80"), "TC-1504"),
        (lambda raw: _set(raw, 2, 0, 0, 1, 4, [1 << 60, 3]), "TC-1506"),
        (lambda raw: _set(raw, 2, 0, 0, 1, 4, [3, 3]), "TC-1505"),
        (lambda raw: _set(raw, 2, 3, [0, 0]), "TC-1500"),
        (lambda raw: _set(raw, 3, 0, 1, ["all", "bob"]), "TC-1500"),
    ],
)
def test_what_is_wrong_is_named(change: Any, code: str) -> None:
    form = tacit.trace(descent, *SPECS).form
    raw = _listed(msgspec.to_builtins(form, builtin_types=(bytes,)))
    change(raw)
    with pytest.raises(ProgramError) as caught:
        Program.from_bytes(MAGIC + msgspec.msgpack.encode(raw))
    assert caught.value.code == code


def test_bodies_cannot_go_round_in_a_circle() -> None:
    form = tacit.trace(descent, *SPECS).form
    loop = next(node for node in form.main.nodes if node.operation == "fori")
    inside = msgspec.structs.replace(form.bodies[0], nodes=(*form.bodies[0].nodes, loop))
    circular = msgspec.structs.replace(form, bodies=(inside,))
    with pytest.raises(ProgramError, match="TC-1503"):
        Program(circular)


def test_a_secret_decides_nothing_while_tracing() -> None:
    def asks(x: Any) -> Any:
        return tacit.while_loop(lambda c: c[0].sum() > 0, lambda c: [c[0] - 1], [x])[0]

    with pytest.raises(SecretMisuseError, match="TC-1464"):
        tacit.trace(asks, SPECS[0])
    with pytest.raises(SecretMisuseError, match="TC-1400"):
        tacit.trace(lambda x: x if x.sum() > 0 else -x, SPECS[0])
    with pytest.raises(SecretMisuseError, match="TC-1465"):
        tacit.trace(lambda x: x.reveal(to="all"), SPECS[0])


def test_what_could_wrap_is_refused_while_tracing() -> None:
    with pytest.raises(RangeError, match="multiply"):
        tacit.trace(lambda x: x * x, ArraySpec((3,), owner="a", bounds=(-1e12, 1e12)))


def test_arguments_and_results_are_checked(mpc: Computation) -> None:
    with pytest.raises(ProgramError, match="TC-1517"):
        tacit.trace(lambda x, y: x, SPECS[0])
    with pytest.raises(ProgramError, match="TC-1517"):
        tacit.trace(lambda x: x, np.zeros(3))
    with pytest.raises(ProgramError, match="TC-1518"):
        tacit.trace(lambda x: None, SPECS[0])
    with pytest.raises(ProgramError, match="TC-1518"):
        tacit.trace(lambda x: {"a": x}, SPECS[0], to={"b": "all"})
    with pytest.raises(ProgramError, match="TC-1516"):
        ArraySpec((3,), owner="alice", public=True)
    shared = mpc.share(X, "alice")
    with pytest.raises(tacit.errors.UsageError):
        tacit.trace(lambda x: x + shared, SPECS[0])
    with pytest.raises(ProgramError, match="TC-1513"):
        tacit.trace(lambda x: tacit.fori_loop(0, 2, lambda i, c: [c[0]], [shared])[0], SPECS[0])


def test_a_carry_that_changes_its_shape_is_refused() -> None:
    with pytest.raises(ShapeError, match="TC-1193"):
        tacit.trace(
            lambda x: tacit.fori_loop(0, 2, lambda i, c: [tacit.concat([c[0], c[0]])], [x])[0],
            SPECS[0],
        )


def test_public_operands_are_checked_whenever_they_become_known(mpc: Computation) -> None:
    """Constants before the run, and what is computed in the clear on the way."""
    whole = ArraySpec((3,), tacit.int64, owner="alice")
    by = ArraySpec((), tacit.int64, public=True)
    program = tacit.trace(lambda x, n: x // (n - 1), whole, by)
    assert mpc.run(program, {"x": [6, 7, 8], "n": 3})["output"].tolist() == [3, 3, 4]
    with tacit.local(seed=5) as other, pytest.raises(RangeError):
        other.run(program, {"x": [6, 7, 8], "n": 1})
    form = tacit.trace(lambda x: x // np.array([2, 2, 2]), whole).form
    zero = msgspec.structs.replace(form.main.constants[0], data=bytes(24))
    main = msgspec.structs.replace(form.main, constants=(zero,))
    with pytest.raises(RangeError):
        mpc.run(Program(msgspec.structs.replace(form, main=main)), {"x": [6, 7, 8]})


@pytest.mark.parametrize(
    ("operation", "operands"), [("negative", [0, 0]), ("add", [0]), ("where", [0, 0])]
)
def test_operations_take_as_many_operands_as_they_do(operation: str, operands: list[int]) -> None:
    raw = _listed(
        msgspec.to_builtins(tacit.trace(lambda x: -x, SPECS[0]).form, builtin_types=(bytes,))
    )
    _set(raw, 2, 2, 0, 0, operation)
    _set(raw, 2, 2, 0, 1, operands)
    with pytest.raises(ProgramError, match="TC-1505"):
        Program.from_bytes(MAGIC + msgspec.msgpack.encode(raw))


def test_tracing_is_linear_in_the_number_of_scans() -> None:
    def scans(x: Any, count: int) -> Any:
        for k in range(count):
            (x,), _ = tacit.scan(
                lambda c, r, k=k: ([c[0] * 0.5 + r[0] * (k + 1) / 64.0], []), [x], [np.ones(2)]
            )
        return x

    calls = []
    for count in (10, 20, 40):
        profile = cProfile.Profile(builtins=False)
        spec = ArraySpec((2,), owner="alice", bounds=(-1, 1))
        program = profile.runcall(tacit.trace, lambda x, n=count: scans(x, n), spec)
        assert len(program.bodies) == count
        calls.append(pstats.Stats(profile).total_calls)
    assert calls[2] - calls[1] < 2.2 * (calls[1] - calls[0])
