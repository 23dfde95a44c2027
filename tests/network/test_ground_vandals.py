"""Whatever one party does to the ports of the others, these confer and connect."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from grounds import FOUR, Town, all_but, connected, talk
from linked import synchronously
from vandals import ACTS

from tacit.network import Ground

THREE = FOUR[:3]


@pytest.mark.parametrize("vandal", list(ACTS))
def test_the_honest_confer_and_go_on_whatever_one_does(vandal: str) -> None:
    synchronously(1.0, lambda seconds: confer_and_go_on(vandal, seconds))


def confer_and_go_on(vandal: str, seconds: float) -> None:
    """With rounds of so many seconds: they last that long where one says nothing."""
    town, over = Town(), threading.Event()
    left = threading.Semaphore(0)

    def body(ground: Ground) -> Any:
        began = time.monotonic()
        try:
            heard = ground.confer(FOUR, talk(ground.name, FOUR), seconds)
            conferred = time.monotonic() - began
            with connected(ground, THREE, "1") as mesh:
                session = mesh.session_id
            again = ground.confer(THREE, talk(ground.name, THREE), 60.0)
        finally:
            left.release()
            if ground.name == "alice":
                for _ in THREE:
                    left.acquire()
                over.set()
        return heard, conferred, session, again

    def vandalize() -> None:
        ACTS[vandal](town, "dave", over)
        over.wait()

    outcomes = town.run(body, others={"dave": vandalize})
    for name in THREE:
        assert not isinstance(outcomes[name], BaseException), outcomes[name]
        heard, conferred, session, again = outcomes[name]
        assert heard == [all_but(name, THREE)] * 2
        assert conferred < 4 * seconds
        assert session == outcomes["alice"][2]
        assert again == [all_but(name, THREE)] * 2
    if vandal == "closes_its_port":  # dead: nobody waits for it beyond the first refusals
        assert all(outcomes[name][1] < 1.9 * seconds for name in THREE)
