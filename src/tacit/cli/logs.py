"""Structured logs: events with names, times and costs, never values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tacit.errors import StorageError, TacitError

__all__ = ["open_log"]


@contextmanager
def open_log(path: Path) -> Iterator[Any]:
    """A structlog logger that writes one JSON object a line to a file, as a context manager.

    Its last line says so if what it is about ended early, and with which error.

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
        log = structlog.wrap_logger(
            structlog.WriteLogger(stream),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(),
            ],
        )
        try:
            yield log
        except BaseException as error:
            name = error.code if isinstance(error, TacitError) else type(error).__name__
            log.error("ended early", error=name)
            raise
