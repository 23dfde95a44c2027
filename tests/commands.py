"""The command line, called in this process."""

from __future__ import annotations

import contextlib
import io
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from tacit.cli import main


def tacit_here(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``tacit ARGUMENTS`` in this process, which spares its start, and give what it printed.

    Parties still are processes of their own.
    """
    given = [str(argument) for argument in arguments]
    out, errors = io.StringIO(), io.StringIO()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    status = 0
    try:
        with (
            patch.object(sys, "argv", ["tacit", *given]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(errors),
        ):
            main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return subprocess.CompletedProcess(given, status, out.getvalue(), errors.getvalue())
