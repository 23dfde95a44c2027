"""``tacit`` and something that happens in the middle of a program's loop: EVENT, then arguments.

EVENT is a signal to this process, or the name of a party whose process is killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from tacit.cli.app import main
from tacit.cli.progress import PhaseBars

EVENT, FOLDER = sys.argv.pop(1), Path(sys.argv[-1])
MOMENT = 100
shown = PhaseBars.__call__
done: list[Any] = []


def watched(self: PhaseBars, party: str, message: Any) -> None:
    shown(self, party, message)
    if message.unit != "rounds" or message.done < MOMENT or done:
        return
    done.append(message)
    lines = [json.loads(line) for line in (FOLDER / "log.jsonl").read_text().splitlines()]
    (processes,) = (line["processes"] for line in lines if "processes" in line)
    print("processes", *processes.values(), flush=True)
    if EVENT in processes:
        os.kill(processes[EVENT], signal.SIGKILL)
    else:
        os.kill(os.getpid(), getattr(signal, EVENT))


PhaseBars.__call__ = watched  # type: ignore[method-assign]
main()
