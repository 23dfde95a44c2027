"""Structured logs: events with names, times and costs, never values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tacit.errors import StorageError

__all__ = ["open_log"]


@contextmanager
def open_log(path: Path) -> Iterator[Any]:
    """A structlog logger that writes one JSON object a line to a file, as a context manager.

    Raises
    ------
    StorageError
        The file cannot be written (TC-2302).
    """
    import structlog  # with its tracebacks and event loops a fifth of a start

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("w", encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"The log cannot be written to {path}: {error.strerror}.",
            next_step="choose another folder with --out, or free some space.",
            case=2,
        ) from None
    with stream:
        yield structlog.wrap_logger(
            structlog.WriteLogger(stream),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(),
            ],
        )
