"""Combinators: run steps side by side, or several chunks of one step in flight."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from tacit.errors import InternalError
from tacit.rounds.contract import Arrays, Outbox, Round, Step

__all__ = ["merged", "pipelined", "together"]

T = TypeVar("T")
C = TypeVar("C")


def _add(merged: dict[int, Arrays], box: Outbox) -> None:
    for peer, arrays in box.items():
        merged[peer] = merged[peer] + arrays if peer in merged else arrays


def together(*steps: Step[Any]) -> Step[tuple[Any, ...]]:
    """Run independent steps side by side; their rounds merge into one message a peer.

    Parameters
    ----------
    *steps : Step
        Independent steps, in the same order at every party.

    Returns
    -------
    tuple
        The results, in order.

    Notes
    -----
    Rounds: the maximum over the steps. Bytes: the sum. A pipelined step has messages of its own
    under way while it waits, so it cannot run beside other steps: pipeline around `together`.

    Raises
    ------
    InternalError
        A pipelined step runs beside another one.
    """
    results: list[Any] = [None] * len(steps)
    waiting: list[tuple[int, Step[Any]]] = list(enumerate(steps))
    try:
        while waiting:
            still: list[tuple[int, Step[Any]]] = []
            rounds: list[Round] = []
            for position, step in waiting:
                try:
                    rounds.append(next(step))
                except StopIteration as stop:
                    results[position] = stop.value
                else:
                    still.append((position, step))
            if rounds:
                yield (rounds[0] if len(rounds) == 1 else merged(rounds))
            waiting = still
    finally:
        for step in steps:
            step.close()
    return tuple(results)


def merged(rounds: list[Round]) -> Round:
    """Several rounds as one, whose messages hold theirs in order."""
    first = rounds[0]
    whole = Round(
        dict(first.send),
        dict(first.receive),
        dict(first.check) if first.check else {},
        dict(first.check_receive) if first.check_receive else {},
        first.depth,
    )
    split = first.split
    for part in rounds[1:]:
        split |= part.split
        _add(whole.send, part.send)  # type: ignore[arg-type]
        _add(whole.receive, part.receive)  # type: ignore[arg-type]
        if part.check:
            _add(whole.check, part.check)  # type: ignore[arg-type]
        if part.check_receive:
            _add(whole.check_receive, part.check_receive)  # type: ignore[arg-type]
        if part.depth > whole.depth:
            whole.depth = part.depth
    if split:
        raise InternalError("a pipelined step cannot run beside others inside together")
    return whole


def pipelined(
    step: Callable[[C], Step[T]], chunks: Iterable[C], in_flight: int = 4
) -> Step[list[T]]:
    """Run one step on many chunks, several in flight, and keep the results' order.

    The messages of one chunk travel while the next one computes: each round is split into a
    half that only sends and a half that waits, and the halves of different chunks interleave.
    Messages between two parties stay in the same order at both ends, because every party
    follows the same schedule.

    Parameters
    ----------
    step : callable
        Makes the step of one chunk.
    chunks : iterable
        What each step works on. Read lazily.
    in_flight : int
        How many chunks are open at a time, at least 1. Bounds the memory.

    Returns
    -------
    list
        One result a chunk.

    Notes
    -----
    Rounds counted: the waiting that no other chunk hides, that is R for up to `in_flight`
    chunks of R rounds each, and R more for every further `in_flight` chunks. Bytes: the sum.
    """
    if in_flight < 1:
        raise ValueError("in_flight is at least 1")
    results: list[T] = []
    source = iter(chunks)
    exhausted = False
    while not exhausted:
        group: list[Step[T]] = []
        while len(group) < in_flight:
            try:
                group.append(step(next(source)))
            except StopIteration:
                exhausted = True
                break
        if group:
            results.extend((yield from _group_in_flight(group)))
    return results


def _group_in_flight(steps: list[Step[T]]) -> Step[list[T]]:
    results: list[Any] = [None] * len(steps)
    pending: dict[int, Round] = {}
    try:
        for position, step in enumerate(steps):
            yield from _advance(position, step, pending, results)
        while pending:
            new_depth = 1
            for position in sorted(pending):
                arrived = pending.pop(position)
                yield Round(
                    receive=arrived.receive,
                    check_receive=arrived.check_receive,
                    depth=new_depth,
                    split=True,
                )
                new_depth = 0
                yield from _advance(position, steps[position], pending, results)
    finally:
        for step in steps:
            step.close()
    return results


def _advance(
    position: int, step: Step[T], pending: dict[int, Round], results: list[Any]
) -> Step[None]:
    try:
        current = next(step)
    except StopIteration as stop:
        results[position] = stop.value
        return
    pending[position] = current
    yield Round(send=current.send, check=current.check, depth=0, split=True)
