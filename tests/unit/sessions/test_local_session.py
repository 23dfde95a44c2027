"""The session with all parties in one process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tacit.errors import UsageError, VerificationError
from tacit.operations import NoAttributes, Operation, SecretValue
from tacit.operations.types import ArrayType
from tacit.protocols import protocol_named
from tacit.rounds import LAN, VirtualTime
from tacit.rounds.randomness import SystemRandomness
from tacit.sessions import LocalSession

NAMES = ("alice", "bob", "carol")
REPLICATED3 = protocol_named("replicated3")


def test_an_error_between_the_parties_ends_the_session() -> None:
    """Parties that no longer draw the same masks must not compute on."""

    def meaning(party: Any, operands: Any, attributes: Any) -> Any:
        party.random((3,))
        if party.index == 1:
            raise MemoryError
        return operands[0]
        yield

    failing = Operation("failing", lambda types, attributes: types[0], meaning)
    session = LocalSession(REPLICATED3, NAMES)
    x = session.share(np.ones(3), "alice")
    with pytest.raises(MemoryError):
        session.execute(failing, [x], NoAttributes(), (ArrayType(x.dtype, x.shape),))
    for use in (lambda: session.apply("add", [x, x]), lambda: session.reveal(x, "all")):
        with pytest.raises(UsageError, match="MemoryError") as caught:
            use()
        assert caught.value.code == "TC-1033"
    session.close()


def test_an_operation_with_several_results() -> None:
    def meaning(party: Any, operands: Any, attributes: Any) -> Any:
        x = operands[0]
        return x, SecretValue(x.dtype, party.negate(x.share))
        yield

    both = Operation("both", lambda types, attributes: (types[0], types[0]), meaning)
    with LocalSession(REPLICATED3, NAMES) as session:
        for values in (np.arange(3.0), np.array(2.0)):
            x = session.share(values, "bob")
            kind = ArrayType(x.dtype, x.shape)
            same, opposite = session.execute(both, [x], NoAttributes(), (kind, kind))
            np.testing.assert_array_equal(session.reveal_to_all(same), values)
            np.testing.assert_array_equal(session.reveal_to_all(opposite), -values)


def test_other_drivers() -> None:
    driver = VirtualTime(NAMES, LAN)
    with LocalSession(REPLICATED3, NAMES, SystemRandomness(), driver) as session:
        x = session.share(np.ones(3), "alice")
        session.apply("multiply", [x, x])
        assert session.total_cost.rounds == driver.cost().rounds > 1


def test_a_wrong_share_is_noticed_at_the_opening() -> None:
    with LocalSession(REPLICATED3, NAMES) as session:
        x: Any = session.share(np.ones(3), "alice")
        x.parts[0].share.own[0] += np.uint64(1)
        with pytest.raises(VerificationError):
            session.reveal(x, "all")


def test_operations_check_their_parameters() -> None:
    with LocalSession(REPLICATED3, NAMES) as session:
        x = session.share(np.ones(3), "alice")
        for name, attributes in [("sum", {"axes": 0}), ("add", {"axis": 0}), ("reshape", {})]:
            with pytest.raises(UsageError) as caught:
                session.apply(name, [x, x], **attributes)  # type: ignore[arg-type]
            assert caught.value.code == "TC-1028"
