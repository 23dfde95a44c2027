"""The interface of a session: who takes part, and what can be asked of them together."""

from __future__ import annotations

import abc
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tacit.encoding.fixed import natural_type
from tacit.encoding.limits import Limits, input_limits, require_within
from tacit.encoding.ring import RING64, Ring
from tacit.encoding.types import DType, fixed, require_room
from tacit.errors import ShapeError, UsageError
from tacit.operations.promotion import encoded
from tacit.protocols import Protocol, SecurityModel
from tacit.protocols.interface import Rounding, checked_rounding
from tacit.protocols.registry import DEFAULT_NAMES
from tacit.rounds.cost import Cost
from tacit.sessions.applying import Applying
from tacit.sessions.handles import Reference
from tacit.sessions.running import Running
from tacit.sessions.storing import Storing
from tacit.sessions.turns import Turns, in_turn

__all__ = ["Session", "checked_parties"]

F = TypeVar("F", bound=Callable[..., Any])

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


def checked_parties(protocol: Protocol, parties: Sequence[str] | None) -> tuple[str, ...]:
    """The parties' names, by index; the usual first names if None.

    Raises
    ------
    UsageError
        Wrong number (TC-1021), a repeated name (TC-1022) or one that is not allowed (TC-1023).
    """
    count = protocol.security.parties
    if parties is None:
        return DEFAULT_NAMES[:count]
    names = (parties,) if isinstance(parties, str) else tuple(parties)
    if len(names) != count:
        raise UsageError(
            f"{protocol.name} runs with {count} parties, and {len(names)} are named.",
            next_step=f"name {count}, for instance parties={list(DEFAULT_NAMES[:count])}.",
            case=21,
        )
    for name in names:
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name == "all":
            raise UsageError(
                f"{name!r} cannot be a party's name.",
                next_step="use letters, digits, '_', '-' and '.', at most 63, and not 'all'.",
                case=23,
            )
    if len(set(names)) != len(names):
        raise UsageError(
            f"The parties' names {', '.join(names)} are not all different.",
            next_step="give every party a name of its own.",
            case=22,
        )
    return names


class Session(Applying, Storing, Running):
    """Parties that compute together.

    Parameters
    ----------
    protocol : Protocol
        The protocol they run.
    parties : tuple of str
        Their names, by index.
    rounding : {"probabilistic", "nearest", "exact"}
        How fixed-point products, sums and functions round.
    ring : Ring
        What shares are elements of.
    fractions : DType
        What float arrays become by default.

    Notes
    -----
    A context manager: leaving it closes the session. Calls from several threads take turns, so
    that every party sees one order; which one is up to the threads. The session of a single
    party refuses a second thread (:class:`~tacit.sessions.party.PartySession`). After a fork the
    child must open a session of its own.
    """

    place: str = ""
    """Where the parties are, in a few words, for people."""

    @property
    def in_one_process(self) -> bool:
        """Whether its seconds are those of all parties, one after the other."""
        return False

    @property
    def processors(self) -> int | None:
        """How many processors all parties share; None where each has its own."""
        return None

    def __init__(
        self,
        protocol: Protocol,
        parties: tuple[str, ...],
        rounding: Rounding = "probabilistic",
        ring: Ring = RING64,
        fractions: DType = fixed,
    ) -> None:
        if ring.bits not in protocol.rings:
            raise UsageError(
                f"{protocol.name} does not run over a ring of {ring.bits} bits.",
                next_step=f"choose one of: {', '.join(map(str, protocol.rings))}.",
                case=91,
            )
        self.protocol = protocol
        self.parties = parties
        self.ring = ring
        self.fractions = fractions
        self.check_room(fractions)
        self.rounding: Rounding = checked_rounding(rounding)
        self._turns = Turns()
        self._opened = time.perf_counter()
        self._closed = False

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.protocol.name}: {', '.join(self.parties)}; {self.place})"
        )

    @property
    def security(self) -> SecurityModel:
        """What the protocol promises."""
        return self.protocol.security

    @property
    def incidents(self) -> Sequence[Any]:
        """The faults that the session has overcome so far."""
        return ()

    @in_turn
    def share(
        self,
        values: ArrayLike | None,
        owner: str,
        *,
        dtype: DType | None = None,
        shape: tuple[int, ...] | None = None,
        bounds: tuple[float, float] | None = None,
    ) -> Reference:
        """Share an array that its owner knows.

        Parameters
        ----------
        values : array_like or None
            The plain array; None in the view from inside a party that is not the owner.
        owner : str
            The party whose input it is.
        dtype : DType, optional
            By default the session's fixed point for floats, ``tacit.int64`` for integers,
            ``tacit.bool`` for booleans.
        shape : tuple of int, optional
            Must be the array's where both are given.
        bounds : (low, high), optional
            Declared bounds; checked before anything is sent, and public. Operations that could
            wrap within them are refused. Where parties may deviate, all of them check on shares
            that the input is within them, or within its type.

        Returns
        -------
        Reference

        Raises
        ------
        RangeError
            A value outside the bounds or the encoding, NaN or infinity.
        ShapeError, TypeMismatchError, UsageError
            The array has another shape, no secret type, or the owner is unknown.
        InputRefusedError
            The parties found on shares that the input is out of its bounds (TC-5400).
        """
        position = self.position(owner)
        if values is None:
            raise UsageError(
                "share() needs the values here: this process acts for every party.",
                next_step="pass the owner's array; None is for a party that is not the owner.",
                case=24,
            )
        array = np.asarray(values)
        if shape is not None and array.shape != tuple(shape):
            raise ShapeError(
                f"The array of {owner} has shape {array.shape}, not {tuple(shape)}.",
                next_step="pass the shape that all parties agreed on.",
                case=19,
                parties=[owner],
                stage="share",
            )
        chosen = natural_type(array, self.fractions) if dtype is None else dtype
        self.check_room(chosen)
        elements = encoded(array, chosen, bounds, self.ring)
        limits = self.input_limits(chosen, bounds, elements)
        reference = self.input_elements(position, elements, chosen, array.shape, limits)
        reference.declare(bounds)
        return reference

    @in_turn
    def reveal(self, reference: Reference, to: str | Sequence[str]) -> dict[str, NDArray[Any]]:
        """Open a secret array to some parties, and to nobody else.

        Parameters
        ----------
        reference : Reference
            The secret array.
        to : str or sequence of str
            ``"all"``, a party's name or several.

        Returns
        -------
        dict of str to ndarray
            The plain array by recipient: float64, int64 or bool. In the view from inside a
            party, that party's alone.

        Raises
        ------
        PolicyDeniedError
            What was stored with limits may not be revealed to one of them (TC-4002).
        """
        recipients = self.recipients(to)
        reference.uses.check_recipients([self.parties[index] for index in recipients])
        return self.open(reference, recipients, recipients)

    @in_turn
    def reveal_to_all(self, reference: Reference) -> NDArray[Any]:
        """Open a secret array to every party; the plain array, from one of them."""
        reference.uses.check_recipients(self.parties)
        opened = self.open(reference, self.recipients("all"), (0,))
        return next(iter(opened.values()))

    @contextmanager
    def measure(self) -> Iterator[Cost]:
        """Measure the operations inside a ``with`` block.

        Yields
        ------
        Cost
            Zero inside the block, filled when it ends.
        """
        before = self.total_cost
        cost = Cost()
        yield cost
        spent = self.total_cost - before
        for name in Cost.__slots__:  # a frozen object, filled here once
            object.__setattr__(cost, name, getattr(spent, name))

    @property
    @in_turn
    def total_cost(self) -> Cost:
        """Everything since the session was opened. Waits for what is still being computed."""
        cost = self._cost()
        return Cost(cost.rounds, cost.bytes_sent, cost.check_bytes, self._seconds())

    def close(self) -> None:
        """End the session. May be called again."""
        with self.turn():
            if not self._closed:
                self._closed = True
                self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
            return
        with self.turn():
            if not self._closed:
                self._closed = True
                self._abandon(error)

    # Names.

    def position(self, name: str) -> int:
        """The index of a party.

        Raises
        ------
        UsageError
            No party has this name (TC-1025).
        """
        try:
            return self.parties.index(name)
        except ValueError:
            raise UsageError(
                f"No party is named {name!r}.",
                next_step=f"choose one of: {', '.join(self.parties)}.",
                case=25,
            ) from None

    def recipients(self, to: str | Sequence[str]) -> tuple[int, ...]:
        """The indices of the parties that `to` names, in party order."""
        if to == "all":
            return tuple(range(len(self.parties)))
        names = (to,) if isinstance(to, str) else tuple(to)
        if not names:
            raise UsageError(
                "reveal() names no recipient.",
                next_step='give to="all", a name or several names.',
                case=26,
            )
        return tuple(sorted({self.position(name) for name in names}))

    def agree_on_program(self, digest: bytes, *, patience: float | None = None) -> None:
        """Make sure that all parties run the same program on the same public inputs.

        Where one process acts for all there is nothing to do. `patience` is how many seconds to
        wait for a party that is alive; the session's by default.

        Raises
        ------
        HandshakeError
            Another party runs something else (TC-3311).
        """

    def turn(self) -> AbstractContextManager[None]:
        """The turn of one call, while which no other thread's call runs."""
        return self._turns.turn()

    def check_open(self) -> None:
        """Refuse to go on after :meth:`close`."""
        if self._closed:
            raise UsageError(
                "This session is closed.",
                next_step="open a new one; secret arrays do not outlive their session.",
                case=27,
            )

    def check_room(self, dtype: DType) -> None:
        """Refuse fixed point that is too fine for the session's ring (TC-1303)."""
        require_room(dtype, self.ring.most_fraction_bits, self.ring.bits)

    def input_limits(
        self,
        dtype: DType,
        bounds: tuple[float, float] | None,
        elements: NDArray[Any] | None,
    ) -> Limits:
        """What an input is checked for on shares, and its owner's elements beforehand."""
        limits = input_limits(dtype, bounds, self.ring)
        if elements is not None and self.protocol.security.adversary == "active":
            require_within(elements, limits, dtype, self.ring)
        return limits

    # What each kind of session does in its own way.

    @abc.abstractmethod
    def input_elements(
        self,
        owner: int,
        elements: NDArray[Any] | None,
        dtype: DType,
        shape: tuple[int, ...],
        limits: Limits,
    ) -> Reference:
        """Share encoded elements, given where this process acts for the owner.

        Raises
        ------
        InputRefusedError
            They are not within `limits`, as all parties found; the session goes on (TC-5400).
        """

    @abc.abstractmethod
    def open(
        self, reference: Reference, to: tuple[int, ...], answer: tuple[int, ...]
    ) -> dict[str, NDArray[Any]]:
        """Open to the parties in `to`; those in `answer` give the values to this process."""

    @abc.abstractmethod
    def _cost(self) -> Cost: ...

    def _seconds(self) -> float:
        """Since the session was opened."""
        return time.perf_counter() - self._opened

    @abc.abstractmethod
    def _close(self) -> None: ...

    def _abandon(self, error: BaseException) -> None:
        """End the session because of an error, without raising another."""
        self._close()
