"""Four real processes of which one dies or hangs: the others confer and go on without it."""

from __future__ import annotations

import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from linked import QUICK, Grounds

pytestmark = pytest.mark.processes

NAMES = Grounds.names
SETTINGS = replace(QUICK, heartbeat_timeout=4.0, close_timeout=0.5)
GENERATOR = random.Random(20261129)
# Who is in the fourth round of the ring of four has heard that all are connected. Before that, one
# that still connects may lose the first links, and there is nothing yet to go on with.
FIRST = 4
ROUNDS = [(GENERATOR.choice(NAMES), "round", GENERATOR.randrange(FIRST, 300)) for _ in range(2)]
MOMENTS = [("alice", "round", FIRST), ("dave", "round", FIRST), *ROUNDS]


def others(of: str) -> list[str]:
    return [name for name in NAMES if name != of]


@pytest.mark.parametrize(("who", "where", "at"), MOMENTS)
def test_three_go_on_when_one_kills_itself(tmp_path: Path, who: str, where: str, at: int) -> None:
    arguments = {"who": who, "where": where, "at": at, "seconds": 40.0}
    with Grounds(tmp_path, arguments, SETTINGS) as parties:
        died = parties.until(who, "dying")[0]["dying"]
        for name in others(who):
            done, before = parties.until(name, "done")
            assert done["done"] == others(who)
            stages = {line["connected"]: line["at"] for line in before if "connected" in line}
            assert stages[1] - died < 40.0  # not even one round; 1.1 alone on the machine
            fault = next(line["fault"] for line in before if "fault" in line)
            # Who was told by another one before it saw for itself names that one.
            assert who in fault["parties"] or fault["code"] in ("TC-3406", "TC-3408")
            assert parties.ended(name) == 0
        assert parties.ended(who) == -signal.SIGKILL


@pytest.mark.parametrize(("where", "at"), [("conference", 0), ("conference", 1), ("connect", 1)])
def test_one_dies_while_the_four_confer_or_connect(tmp_path: Path, where: str, at: int) -> None:
    """Bob interrupts the ring; carol dies in the conference that follows or just after it."""
    arguments = {"who": "carol", "where": where, "at": at, "seconds": 20.0}
    with Grounds(tmp_path, arguments, SETTINGS) as parties:
        for name in NAMES:
            parties.until(name, "connected")
        time.sleep(0.3)
        parties.processes["bob"].send_signal(signal.SIGUSR1)
        for name in others("carol"):
            done, _ = parties.until(name, "done")
            assert done["done"] == others("carol")
            assert parties.ended(name) == 0
        assert parties.ended("carol") == -signal.SIGKILL


def test_one_hangs_and_wakes_up_later(tmp_path: Path) -> None:
    arguments = {"seconds": 4.0, "rounds": 3000}
    with Grounds(tmp_path, arguments, SETTINGS) as parties:
        for name in NAMES:
            parties.until(name, "connected")
        time.sleep(0.3)
        parties.processes["dave"].send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        for name in others("dave"):
            connected, _ = parties.until(name, "connected")
            assert connected["connected"] > 0
            assert connected["at"] - stopped < 60.0
            if name == "alice":
                parties.processes["dave"].send_signal(signal.SIGCONT)
        for name in others("dave"):
            assert parties.until(name, "done")[0]["done"] == others("dave")
            assert parties.ended(name) == 0


@pytest.mark.parametrize("seed", range(2))
def test_killed_from_outside_at_any_time(tmp_path: Path, seed: int) -> None:
    generator = random.Random(seed)
    who = generator.choice(NAMES)
    with Grounds(tmp_path, {"seconds": 40.0}, SETTINGS) as parties:
        for name in NAMES:
            parties.until(name, "connected")
        time.sleep(generator.random() * 0.5)
        parties.processes[who].kill()
        for name in others(who):
            assert parties.until(name, "done")[0]["done"] == others(who)
            assert parties.ended(name) == 0
