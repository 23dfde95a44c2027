"""INSECURE, for tests alone: a conference whose statements are not forwarded."""

from __future__ import annotations

from typing import Any

from tacit.recovery import Conference, Verdict
from tacit.recovery import conference as secure

__all__ = ["confer_in_one_round"]


class _Hall(secure._Hall):
    def _forwarded(self, *_: Any) -> None:
        """Nobody believes what another one heard: the second round is gone."""
        return


def confer_in_one_round(*args: Any, **keywords: Any) -> Conference[Verdict]:
    """`confer`, but accepted is only what came from the author itself."""
    kept = secure._Hall
    secure._Hall = _Hall  # type: ignore[misc]
    try:
        talk = secure.confer(*args, **keywords)
        first = next(talk)
    finally:
        secure._Hall = kept  # type: ignore[misc]

    def rest() -> Conference[Verdict]:
        said = yield first
        while True:
            try:
                said = yield talk.send(said)
            except StopIteration as stop:
                verdict: Verdict = stop.value
                return verdict

    return rest()
