"""Limits of clients: who, how fast, how much at a time and altogether, and on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tacit.errors import PolicyDeniedError, StorageError, UsageError
from tacit.serving.desk import Desk
from tacit.serving.limits import Budget, Limits
from tacit.serving.messages import Ask
from tacit.serving.settings import ServiceSettings

MODEL = bytes(32)


def code(limits: Limits, client: str, rows: int, open_rows: int = 0, now: float = 0.0) -> str:
    """The number of the refusal, or nothing."""
    try:
        limits.admit(client, rows, open_rows, now)
    except PolicyDeniedError as error:
        return error.code
    return ""


def test_who_may_ask() -> None:
    anybody = Limits(ServiceSettings(), MODEL, None, ("alice",))
    assert code(anybody, "ann", 1) == ""
    assert code(anybody, "alice", 1) == "TC-4010"
    named = Limits(ServiceSettings(clients=("ann",)), MODEL)
    assert code(named, "ann", 1) == ""
    assert code(named, "ben", 1) == "TC-4010"


def test_how_fast() -> None:
    limits = Limits(ServiceSettings(rate=10.0, burst=256), MODEL)
    assert code(limits, "ann", 256) == ""
    assert code(limits, "ann", 1) == "TC-4012"
    assert code(limits, "ben", 1) == ""  # each its own
    assert code(limits, "ann", 10, now=0.9) == "TC-4012"
    assert code(limits, "ann", 10, now=1.1) == ""
    assert code(limits, "ann", 11, now=1.0) == "TC-4012"  # a clock that goes back grants nothing


def test_how_much_at_a_time() -> None:
    limits = Limits(ServiceSettings(open_rows=300), MODEL)
    assert code(limits, "ann", 100, 200) == ""
    assert code(limits, "ann", 100, 201) == "TC-4011"


def test_a_budget_outlives_its_process(tmp_path: Path) -> None:
    file, settings = tmp_path / "deep" / "budget.sqlite", ServiceSettings(budget=10)
    limits = Limits(settings, MODEL, Budget(file))
    assert code(limits, "ann", 10) == ""
    assert code(limits, "ann", 6, open_rows=5) == "TC-4013"
    limits.spend({"ann": 4, "ben": 1})
    limits.spend({"ann": 3})
    again = Limits(settings, MODEL, Budget(file))
    assert (again.left("ann"), again.left("ben"), again.left("cat")) == (3, 9, 10)
    assert code(again, "ann", 4) == "TC-4013"
    assert code(again, "ann", 3) == ""
    other = Limits(settings, bytes([1]) * 32, Budget(file))
    assert other.left("ann") == 10  # of another model


def test_a_budget_that_cannot_be_kept_answers_nothing(tmp_path: Path) -> None:
    (tmp_path / "budget.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageError) as error:
        Budget(tmp_path / "budget.sqlite")
    assert error.value.code == "TC-2302"
    budget = Budget(tmp_path / "other.sqlite")
    budget.close()
    with pytest.raises(StorageError):
        budget.spend(MODEL, {"ann": 1})


def test_rows_under_way_count_against_the_budget() -> None:
    settings = ServiceSettings(budget=10)
    desk = Desk(settings, 3, Limits(settings, MODEL))
    desk.ask("ann", Ask(bytes(16), 6))
    desk.ask("ann", Ask(bytes(16), 6))  # the same once more
    with pytest.raises(PolicyDeniedError) as error:
        desk.ask("ann", Ask(bytes([1]) * 16, 6))
    assert error.value.code == "TC-4013"
    desk.ask("ben", Ask(bytes([1]) * 16, 6))


@pytest.mark.parametrize(
    "wrong",
    [
        {"digits": 0},
        {"digits": 9},
        {"request_rows": 0},
        {"batch_rows": 10},
        {"open_rows": 1},
        {"keep_seconds": 0.0},
        {"rate": -1.0},
        {"rate": 1.0, "burst": 3},
        {"budget": -1},
        {"tick": 0.0},
    ],
)
def test_settings_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError) as error:
        ServiceSettings(**wrong)  # type: ignore[arg-type]
    assert error.value.code == "TC-1095"
