"""Every operation, counted by a plan, costs what is measured: rounds, bytes, check bytes.

Under ``replicated3`` every case of the operation table runs, under other protocols, roundings and
rings a fixed part of them; ``TACIT_TESTS=whole`` runs all.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from thinning import EVERYTHING

from tacit.encoding import RING64, Ring, ring_of
from tacit.operations import OPERATIONS
from tacit.operations.types import SecretValue
from tacit.programs.planning.party import CountingParty
from tacit.programs.planning.pieces import operand_of, piece_of
from tacit.programs.planning.profile import Profiler
from tacit.programs.planning.sharing import Bits, Numbers
from tacit.programs.planning.tally import tallied
from tacit.protocols import PROTOCOLS
from tacit.protocols.interface import Rounding
from tacit.sessions import LocalSession

_TABLE = Path(__file__).parents[1] / "unit" / "operations" / "test_operation_table.py"
_SPEC = importlib.util.spec_from_file_location("cases_of_the_operation_table", _TABLE)
assert _SPEC is not None
assert _SPEC.loader is not None
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)
CASES: list[Any] = _MODULE.CASES


def thinned(every: int, first: int = 0) -> list[Any]:
    return CASES if EVERYTHING else CASES[first::every]


def secret(party: CountingParty, shape: tuple[int, ...], dtype: Any) -> SecretValue:
    share: Any = (
        Bits(party.held, shape) if dtype.kind == "bool" else Numbers(party.ring, party.held, shape)
    )
    return SecretValue(dtype, share)


def agree(
    protocol: str,
    cases: list[Any],
    rounding: Rounding = "probabilistic",
    ring: Ring = RING64,
) -> None:
    chosen = PROTOCOLS[protocol]
    names = tuple("abcd"[: chosen.security.parties])
    with LocalSession(chosen, names, rounding=rounding, ring=ring) as session:
        for name, operands, attributes in cases:
            party: Any = CountingParty(chosen, rounding, ring)
            given: list[Any] = [
                array if dtype is None else session.share(array, "a", dtype=dtype)
                for array, dtype in operands
            ]
            counted: list[Any] = [
                array if dtype is None else secret(party, array.shape, dtype)
                for array, dtype in operands
            ]
            operation = OPERATIONS[name]
            parameters = operation.attributes(**attributes)
            with session.measure() as cost:
                session.apply(name, given, **attributes)
            tally, _ = tallied(party, operation.evaluate(party, counted, parameters))
            what = (name, [array.shape for array, _ in operands], attributes)
            assert tally.rounds == cost.rounds, what
            sent = [tally.sent(i) for i in range(party.size)]
            checks = [tally.checked(i) for i in range(party.size)]
            assert sent == list(cost.bytes_sent.values()), what
            assert checks == list(cost.check_bytes.values()), what
            assert party.held.now >= 0


def timed(protocol: str, cases: list[Any]) -> list[str]:
    """The operations that cannot be timed as a whole: their primitives stand for them."""
    chosen = PROTOCOLS[protocol]
    profiler = Profiler(chosen, RING64)
    refused = []
    for name, operands, attributes in cases:
        party: Any = CountingParty(chosen, "probabilistic", RING64)
        given: list[Any] = [
            array if dtype is None else secret(party, array.shape, dtype)
            for array, dtype in operands
        ]
        operation = OPERATIONS[name]
        parameters = operation.attributes(**attributes)
        tally, _ = tallied(party, operation.evaluate(party, given, parameters))

        def real(
            member: Any,
            operation: Any = operation,
            given: list[Any] = given,
            parameters: Any = parameters,
        ) -> Any:
            own = [operand_of(one, member) for one in given]
            return lambda: operation.evaluate(member, own, parameters)

        rounds = tally.events[:-1]
        piece = piece_of(name, rounds, profiler, "probabilistic", real)
        if piece is None:
            refused.append(name)
            assert party.drawn, (name, [array.shape for array, _ in operands], attributes)
        else:
            assert piece.profile.exact or party.drawn, name
            assert piece.calls == tally.calls
            assert len(piece.profile.compute) == piece.rounds + 1
    return refused


def test_operations_are_timed_as_a_whole_unless_an_order_is_drawn() -> None:
    timed("replicated3", thinned(11))
    timed("fantastic4", thinned(29, 3))
    timed("replicated3_active", thinned(61, 7))


def test_every_operation_under_replicated3() -> None:
    agree("replicated3", CASES)


@pytest.mark.parametrize(("protocol", "every"), [("fantastic4", 7), ("replicated3_active", 13)])
def test_operations_under_every_protocol(protocol: str, every: int) -> None:
    agree(protocol, thinned(every))


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_operations_that_round_exactly(protocol: str) -> None:
    agree(protocol, thinned(61, 2), "exact")


@pytest.mark.parametrize("protocol", ["replicated3", "fantastic4"])
def test_operations_over_128_bits(protocol: str) -> None:
    agree(protocol, thinned(31, 5), ring=ring_of(128))


def test_a_plan_that_forgets_a_round_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(self: Any, x: Any, y: Any) -> Any:
        return self._numbers(x.shape)
        yield

    monkeypatch.setattr(CountingParty, "multiply", forgetful)
    with pytest.raises(AssertionError):
        agree("replicated3", [case for case in CASES if case[0] == "multiply"])
