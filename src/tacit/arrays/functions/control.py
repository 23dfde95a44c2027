"""Loops and branches on public conditions, the same eagerly and in a function that is traced.

Eagerly they are Python's own loops. In :func:`tacit.trace` and the importers they become one node
each, whatever the number of rounds, so that a program stays small. Values are given and returned in
flat sequences of secret or public arrays; everything else that a body uses may come from around it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, TypeAlias

import numpy as np

from tacit.arrays.array import SecretArray, applied
from tacit.arrays.functions.invariants import Enforce, Invariants, invariants
from tacit.encoding.types import int64
from tacit.errors import ProgramError, SecretMisuseError, ShapeError
from tacit.operations.dynamic import clamped_starts
from tacit.operations.promotion import public_array
from tacit.programs.graph import GUESTS
from tacit.sessions.handles import Handle, Reference
from tacit.sessions.recording import Body, Recorder, current_recorder

__all__ = [
    "cond",
    "dynamic_slice",
    "dynamic_update_slice",
    "fori_loop",
    "hint",
    "scan",
    "switch",
    "while_loop",
]  # fmt: skip

Arrays: TypeAlias = Sequence[Any]


def fori_loop(
    lower: Any,
    upper: Any,
    body: Callable[[Any, list[Any]], Arrays],
    init: Arrays,
    *,
    bounds: Invariants = None,
    enforce: Enforce = "prove",
) -> list[Any]:
    """Repeat a body for each integer from `lower` to before `upper`.

    Parameters
    ----------
    lower, upper : int
        Public.
    body : callable
        ``body(i, carry)`` gives the next carry: as many arrays, of the same shapes.
    init : sequence of SecretArray or array_like
        The first carry.
    bounds : sequence of (low, high) or None, optional
        For each carry what it is within, before the first and after every round; None for those
        about which nothing is said.
    enforce : {"prove", "clip"}
        What stands behind them in a program: the program is refused unless a round that begins
        within them is shown to end there; or every round ends with :func:`tacit.clip`, which
        changes numbers that would leave them, and costs its comparisons.

    Returns
    -------
    list
        The last carry.

    Raises
    ------
    ShapeError
        The body gives another number of arrays, or another shape (TC-1193).
    ProgramError
        `bounds` are not one pair or None a carry (TC-1575); while tracing, they do not hold
        (TC-1570, TC-1571).

    Notes
    -----
    Costs what the body costs, so many times.
    """
    limits, ends = invariants("fori_loop", init, bounds, enforce)
    recorder = current_recorder()
    init = ends(init)
    if recorder is None:
        carry = list(init)
        for counter in range(_known(lower), _known(upper)):
            carry = ends(_next("fori_loop", body(np.int64(counter), carry), carry))
        return carry

    def recorded(handles: Sequence[Handle]) -> list[Handle]:
        counter, *carry = _arrays(recorder, handles)
        return _handles(ends(_next("fori_loop", body(counter, carry), carry)))

    first, end = (_handle(np.int64(one) if isinstance(one, int) else one) for one in (lower, upper))
    return _arrays(recorder, recorder.fori(first, end, recorded, _handles(init), limits))


def scan(
    body: Callable[[list[Any], list[Any]], tuple[Arrays, Arrays]],
    init: Arrays,
    xs: Arrays,
    length: int | None = None,
    reverse: bool = False,
    *,
    bounds: Invariants = None,
    enforce: Enforce = "prove",
) -> tuple[list[Any], list[Any]]:
    """Repeat a body over the first axis of arrays.

    Parameters
    ----------
    body : callable
        ``body(carry, row)`` gives the next carry and a row of results.
    init : sequence of SecretArray or array_like
        The first carry.
    xs : sequence of SecretArray or array_like
        Arrays of equal first axes; may be empty where `length` is given.
    length : int, optional
        How many rows.
    reverse : bool
        From the last row to the first; results keep the places of their rows.
    bounds, enforce
        What carries are within, and what stands behind that; see :func:`fori_loop`.

    Returns
    -------
    carry, results : list
        The last carry, and for each result its rows stacked.
    """
    rows = _length(xs, length)
    limits, ends = invariants("scan", init, bounds, enforce)
    recorder = current_recorder()
    init = ends(init)
    if recorder is None:
        carry, stacked = list(init), []
        for place in range(rows - 1, -1, -1) if reverse else range(rows):
            given, row = body(carry, [_row(x, place) for x in xs])
            carry = ends(_next("scan", given, carry))
            stacked.append(list(row))
        if reverse:
            stacked.reverse()
        return carry, [_stacked(list(column)) for column in zip(*stacked, strict=True)]

    count = len(init)

    def recorded(handles: Sequence[Handle]) -> list[Handle]:
        arrays = _arrays(recorder, handles)
        carry, row = body(arrays[:count], arrays[count:])
        return _handles([*ends(_next("scan", carry, arrays[:count])), *row])

    found = recorder.scan(recorded, _handles(init), _handles(xs), rows, reverse, limits)
    arrays = _arrays(recorder, found)
    return arrays[:count], arrays[count:]


def while_loop(
    condition: Callable[[list[Any]], Any],
    body: Callable[[list[Any]], Arrays],
    init: Arrays,
    *,
    bounds: Invariants = None,
    enforce: Enforce = "prove",
) -> list[Any]:
    """Repeat a body as long as a public condition holds.

    Parameters
    ----------
    condition : callable
        ``condition(carry)`` gives one public boolean.
    body : callable
        ``body(carry)`` gives the next carry.
    init : sequence of SecretArray or array_like
    bounds, enforce
        What carries are within, and what stands behind that; see :func:`fori_loop`.

    Raises
    ------
    SecretMisuseError
        The condition is secret (TC-1464): how often the loop runs would show it.
    """
    limits, ends = invariants("while_loop", init, bounds, enforce)
    recorder = current_recorder()
    init = ends(init)
    if recorder is None:
        carry = list(init)
        while _decided(condition(carry)):
            carry = ends(_next("while_loop", body(carry), carry))
        return carry

    def asked(handles: Sequence[Handle]) -> list[Handle]:
        found = condition(_arrays(recorder, handles))
        if isinstance(found, SecretArray) and not found.public:
            raise _secret_condition()
        return [_handle(found)]

    def recorded(handles: Sequence[Handle]) -> list[Handle]:
        carry = _arrays(recorder, handles)
        return _handles(ends(_next("while_loop", body(carry), carry)))

    return _arrays(recorder, recorder.until(asked, recorded, _handles(init), limits))


def switch(index: Any, branches: Sequence[Callable[..., Arrays]], *operands: Any) -> list[Any]:
    """The results of one of several branches, chosen by a public index.

    Parameters
    ----------
    index : int
        Public; outside, the nearest branch.
    branches : sequence of callable
        Each takes `operands` and gives equally many arrays of the same shapes.

    Raises
    ------
    SecretMisuseError
        The index is secret (TC-1464): which branch runs would show it.
    """
    if isinstance(index, SecretArray) and not index.public:
        raise _secret_condition()
    if not isinstance(index, SecretArray):
        place = min(max(int(index), 0), len(branches) - 1)
        return list(branches[place](*operands))
    recorder = current_recorder()
    if recorder is None:
        raise _secret_condition()

    def recorded(branch: Callable[..., Arrays]) -> Body:
        return lambda handles: _handles(branch(*_arrays(recorder, handles)))

    found = recorder.branch(_handle(index), [recorded(b) for b in branches], _handles(operands))
    return _arrays(recorder, found)


def cond(
    predicate: Any, true: Callable[..., Arrays], false: Callable[..., Arrays], *operands: Any
) -> list[Any]:
    """The results of one of two branches, chosen by a public boolean; see :func:`switch`."""
    if isinstance(predicate, SecretArray):
        if not predicate.public:
            raise _secret_condition()
        predicate = predicate.astype(int64)
    else:
        predicate = int(bool(predicate))
    return switch(predicate, [false, true], *operands)


@contextmanager
def hint(protocol: str) -> Iterator[None]:
    """Note that what is inside a ``with`` block would best run under another protocol.

    Parameters
    ----------
    protocol : str
        Such as ``"garbled"``.

    Raises
    ------
    ProgramError
        There is no such protocol, or the block is inside a loop's body (TC-1519).

    Notes
    -----
    A wish: results are the same without it. It becomes part of a traced program and of its digest,
    because owners approve what runs where. Sessions of this version run everything under their own
    protocol (decision 0088); eagerly nothing happens.
    """
    if protocol not in GUESTS:
        raise ProgramError(
            f"There is no protocol {protocol!r} to hint at.",
            next_step=f"choose one of: {', '.join(GUESTS)}.",
            case=19,
        )
    recorder = current_recorder()
    with nullcontext() if recorder is None else recorder.hint(protocol):
        yield


def dynamic_slice(x: Any, starts: Sequence[Any], sizes: Sequence[int]) -> Any:
    """A part of an array whose first position is public, such as a loop's counter.

    Parameters
    ----------
    x : SecretArray or array_like
    starts : sequence of int
        One an axis; moved inside where the part would reach over the end.
    sizes : sequence of int
        The part's shape.

    Notes
    -----
    Local.
    """
    if not any(isinstance(one, SecretArray) for one in (x, *starts)):
        return np.asarray(x)[clamped_starts(starts, tuple(sizes), np.shape(x))]
    return applied("dynamic_slice", x, *map(_integer, starts), sizes=tuple(map(int, sizes)))


def dynamic_update_slice(x: Any, part: Any, starts: Sequence[Any]) -> Any:
    """An array with a part of it replaced, from a public position on; see :func:`dynamic_slice`."""
    if not any(isinstance(one, SecretArray) for one in (x, part, *starts)):
        changed = np.array(x, dtype=np.result_type(x, part))
        changed[clamped_starts(starts, np.shape(part), np.shape(x))] = part
        return changed
    return applied("dynamic_update_slice", x, part, *map(_integer, starts))


def _integer(position: Any) -> Any:
    return position if isinstance(position, SecretArray) else np.asarray(position, np.int64)


# Between arrays and what sessions know them by.


def _handle(value: Any) -> Handle:
    return value.reference if isinstance(value, SecretArray) else public_array(value)


def _handles(values: Arrays) -> list[Handle]:
    return [_handle(value) for value in values]


def _arrays(recorder: Recorder, handles: Sequence[Handle]) -> list[Any]:
    session: Any = recorder
    return [SecretArray(session, h) if isinstance(h, Reference) else h for h in handles]


def _next(name: str, found: Arrays, carry: Arrays) -> list[Any]:
    shapes, before = [np.shape(one) for one in found], [np.shape(one) for one in carry]
    if shapes != before:
        raise ShapeError(
            f"{name}: the body takes arrays of shapes {before} and gives {shapes}.",
            next_step="give back as many arrays as were given, each of the same shape.",
            case=93,
            stage=name,
        )
    return list(found)


def _known(value: Any) -> int:
    return int(operator.index(value))


def _decided(value: Any) -> bool:
    if isinstance(value, SecretArray):
        raise _secret_condition()
    return bool(value)


def _secret_condition() -> SecretMisuseError:
    return SecretMisuseError(
        "A secret cannot decide which branch runs, or how often a loop does: both would show it.",
        next_step="compute both branches and choose with tacit.where, or run a public number of"
        " rounds.",
        case=64,
    )


def _length(xs: Arrays, length: int | None) -> int:
    extents = {np.shape(x)[0] if np.shape(x) else None for x in xs}
    if length is not None:
        extents.add(int(length))
    if len(extents) != 1 or None in extents:
        raise ShapeError(
            "scan: the arrays have different first axes, or there is none and no length.",
            next_step="give arrays of equally many rows, or a length.",
            case=93,
            stage="scan",
        )
    (rows,) = extents
    assert rows is not None
    return int(rows)


def _row(x: Any, place: int) -> Any:
    return x[place] if isinstance(x, SecretArray) else np.asarray(x)[place]


def _stacked(rows: list[Any]) -> Any:
    from tacit.arrays.functions.manipulation import stack

    if any(isinstance(row, SecretArray) for row in rows):
        return stack(rows)
    return np.stack([np.asarray(row) for row in rows])
