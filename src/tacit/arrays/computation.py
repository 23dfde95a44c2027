"""The ``mpc`` object: sharing, running programs, storing, measuring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from tacit.arrays import functions
from tacit.arrays.array import SecretArray
from tacit.arrays.progress import Progress, told_rounds
from tacit.arrays.running import agree, given_inputs, revealed_outputs, shared_inputs
from tacit.arrays.stored import described, rebuilt
from tacit.encoding.fixed import natural_type
from tacit.encoding.ring import RING64
from tacit.encoding.types import DType
from tacit.programs.explaining.finding import Severity
from tacit.programs.program import Program
from tacit.protocols import SecurityModel
from tacit.rounds.cost import Cost
from tacit.sessions import Session
from tacit.sessions.calibrating import calibrated
from tacit.sessions.handles import Reference
from tacit.storage import Header, Uses
from tacit.storage.records import Purpose

if TYPE_CHECKING:
    from tacit.programs.planning import Measured, Plan

__all__ = ["Computation"]


class Computation:
    """Parties that compute together on arrays that none of them shows to the others.

    Made by :func:`tacit.local`, or around the session of a party. A context manager: leaving it
    closes the session.

    Parameters
    ----------
    session : Session
        The session.
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    def __repr__(self) -> str:
        session = self.session
        ring = "" if session.ring == RING64 else f" over {session.ring.bits} bits"
        names = ", ".join(self.parties)
        return f"Computation({session.protocol.name}{ring}: {names}; {session.place})"

    @property
    def parties(self) -> tuple[str, ...]:
        """The parties' names, by index."""
        return self.session.parties

    @property
    def protocol(self) -> str:
        """The protocol's name."""
        return self.session.protocol.name

    @property
    def ring(self) -> int:
        """The bits of the ring that shares are elements of."""
        return self.session.ring.bits

    @property
    def fixed(self) -> DType:
        """What float arrays become when they are shared without a type."""
        return self.session.fractions

    @property
    def security(self) -> SecurityModel:
        """What the protocol promises, and what it assumes."""
        return self.session.security

    @property
    def total_cost(self) -> Cost:
        """Rounds and bytes since the start, and seconds. Waits until all is computed."""
        return self.session.total_cost

    @property
    def incidents(self) -> tuple[Any, ...]:
        """The faults of a party that this computation has overcome; see ``docs/failures.md``.

        Each says who is lost or deviated (``party``, ``pair``), who takes no part any more
        (``dropped``), what was seen (``reason``), and what the others go on with (``protocol``,
        ``security``). Always empty under protocols that end with the first fault.
        """
        return tuple(self.session.incidents)

    def share(
        self,
        values: ArrayLike | None,
        owner: str,
        *,
        dtype: DType | None = None,
        shape: tuple[int, ...] | None = None,
        bounds: tuple[float, float] | None = None,
    ) -> SecretArray:
        """Share an array that its owner knows; nobody else learns its values.

        Parameters
        ----------
        values : array_like
            Floats become the computation's fixed point, integers ``tacit.int64``, booleans
            ``tacit.bool``.
            None only inside a party that is not the owner.
        owner : str
            The party whose input it is.
        dtype : DType, optional
            Another type, such as ``tacit.fixed_point(26)``.
        shape : tuple of int, optional
            Must be the array's. Needed inside a party.
        bounds : (low, high), optional
            Declared bounds, checked before anything is sent.

        Returns
        -------
        SecretArray

        Raises
        ------
        RangeError
            A value outside the bounds or the encoding, NaN or infinity.
        ShapeError, TypeMismatchError, UsageError
            Another shape, no secret type, or an unknown owner.

        Notes
        -----
        1 round; the owner sends 8 bytes an element (16 over 128 bits), for booleans 1 bit.
        """
        reference = self.session.share(values, owner, dtype=dtype, shape=shape, bounds=bounds)
        return SecretArray(self.session, reference)

    def constant(self, values: ArrayLike, *, dtype: DType | None = None) -> SecretArray:
        """A secret array that begins with values everybody knows, such as initial weights."""
        if dtype is None:
            dtype = natural_type(np.asarray(values), self.session.fractions)
        attributes = dtype.parameters
        reference = self.session.apply("constant", [values], **attributes)
        assert isinstance(reference, Reference)
        return SecretArray(self.session, reference)

    def asarray(self, obj: Any, *, dtype: DType | None = None) -> SecretArray:
        """As :func:`tacit.asarray`, in this computation."""
        return functions.asarray(obj, dtype=dtype, device=self.session)

    def zeros(self, shape: int | Sequence[int], *, dtype: DType | None = None) -> SecretArray:
        """Zeros, of the computation's fixed point by default. Local."""
        return functions.zeros(shape, dtype=dtype, device=self.session)

    def ones(self, shape: int | Sequence[int], *, dtype: DType | None = None) -> SecretArray:
        """Ones, of the computation's fixed point by default. Local."""
        return functions.ones(shape, dtype=dtype, device=self.session)

    def empty(self, shape: int | Sequence[int], *, dtype: DType | None = None) -> SecretArray:
        """The same as :meth:`zeros`."""
        return functions.empty(shape, dtype=dtype, device=self.session)

    def full(
        self, shape: int | Sequence[int], fill_value: float, *, dtype: DType | None = None
    ) -> SecretArray:
        """A public number everywhere. Local."""
        return functions.full(shape, fill_value, dtype=dtype, device=self.session)

    def arange(
        self,
        start: float,
        /,
        stop: float | None = None,
        step: float = 1,
        *,
        dtype: DType | None = None,
    ) -> SecretArray:
        """Evenly spaced numbers from start up to and without stop. Local."""
        return functions.arange(start, stop, step, dtype=dtype, device=self.session)

    def linspace(
        self,
        start: float,
        stop: float,
        /,
        num: int,
        *,
        dtype: DType | None = None,
        endpoint: bool = True,
    ) -> SecretArray:
        """`num` evenly spaced numbers from start to stop. Local."""
        return functions.linspace(
            start, stop, num, dtype=dtype, device=self.session, endpoint=endpoint
        )

    def eye(
        self, n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: DType | None = None
    ) -> SecretArray:
        """Ones on a diagonal, zeros elsewhere. Local."""
        return functions.eye(n_rows, n_cols, k=k, dtype=dtype, device=self.session)

    def run(
        self,
        program: Program,
        inputs: Mapping[str, Any] | None = None,
        *,
        plan: Plan | None = None,
        refuse: Severity | None = None,
        progress: Progress = False,
    ) -> dict[str, Any]:
        """Run a program: share its inputs, compute, and reveal each output to its recipients.

        Parameters
        ----------
        program : Program
        inputs : mapping of str to array_like or SecretArray
            Every input by name: the owner's array, or one that is shared already. Inside a party
            None for what another one owns.
        plan : Plan, optional
            The program's plan: what the run costs is noted in it, beside what was expected.
        refuse : {"high", "medium", "low", "note"}, optional
            Refuse the program if :meth:`Program.explain` has findings of this severity or worse,
            before anything is shared.
        progress : bool or callable
            True shows a bar where standard error is a terminal. Or ``progress(done, total,
            words)``, called now and then with the rounds of the computation that are done and all
            of them, None where they are too many to count beforehand. It costs no round; what it
            raises ends the run.

        Returns
        -------
        dict
            By output: the plain array where all learn it, else what :meth:`SecretArray.reveal`
            gives, or the secret array where nobody does.

        Raises
        ------
        ProgramError
            An input is missing or unknown (TC-1511), or of another type (TC-1512); the plan is
            for another program, protocol or other parties (TC-1566); there are findings that are
            refused (TC-1550).
        HandshakeError
            Inside a party: another one has another program, other public inputs, or other inputs
            that are shared already (TC-3311). Nothing of an input was sent.
        RangeError, ShapeError, UsageError
            As :meth:`share`.

        Notes
        -----
        One round for each input, then the rounds of the program's longest chain, then one for each
        output; see :meth:`Program.plan`.
        """
        if refuse is not None:
            program.explain().require(refuse)
        if plan is not None:
            plan.require_for(program.digest, self.protocol, self.session.parties)
            with self.session.measure() as cost:
                found = self.run(program, inputs, progress=progress)
            plan.compare(cost, in_process=self.session.in_one_process)
            return found
        given = given_inputs(self.session, program, inputs or {})
        agree(self.session, program, given)
        handles = shared_inputs(self.session, program, given)
        with told_rounds(progress) as tell:
            references = self.session.run_program(program, handles, tell)
        return revealed_outputs(self.session, program, references)

    def calibrate(self, *, processors: int | None = None) -> Measured:
        """Measure links and processors between the parties, for plans of this session.

        A second of short programs on zeros. Inside a party all parties call it, like any
        computation. Everybody learns timings, and nothing else.

        Parameters
        ----------
        processors : int, optional
            How many all parties share, where they run on one machine and the session does not
            know: inside a party's process.

        Returns
        -------
        Measured
            The network for :meth:`Program.plan`: ``program.plan(mpc.protocol, mpc.calibrate())``.

        Raises
        ------
        ProgramError
            All parties compute in one process (TC-1569): a plan's ``in_process`` is for that.
        """
        return calibrated(self.session, processors)

    def save(self, value: Any, name: str, *, uses: Uses | None = None) -> Header:
        """Seal a secret array or a fitted estimator on the parties' own disks.

        Every party keeps its own shares, under its own key; nobody learns anything. Saving under
        the same name again makes the next version.

        Parameters
        ----------
        value : SecretArray or fitted estimator
        name : str
            Letters, digits, ``_``, ``-`` and ``.``.
        uses : Uses, optional
            What later sessions may do with it, and with what is computed from it; everything by
            default. Every party holds them to it.

        Returns
        -------
        Header
            What is public about it: version, types and shapes, uses.

        Raises
        ------
        UsageError
            This computation has no storage (TC-1088), or the value cannot be stored (TC-1076).
        StorageError
            A disk is full or cannot be written; what was saved before stays.

        Notes
        -----
        6 rounds of small public messages, whatever the size. See ``docs/storage.md``.
        """
        parts = described(value, self.session)
        return self.session.save(
            [array._reference for array in parts.arrays],
            name,
            names=parts.names,
            kind=parts.kind,
            public=parts.public,
            uses=uses,
        )

    def load(self, name: str, version: int | None = None) -> Any:
        """What was saved under a name: a secret array, or a fitted estimator.

        Parameters
        ----------
        name : str
        version : int, optional
            The newest by default.

        Raises
        ------
        UsageError
            Nothing is stored under this name (TC-1087).
        StorageError
            A party lacks the version (TC-2319); a file is damaged, of another key or party.
        VerificationError
            The parties' folders are not of one moment (TC-5213).

        Notes
        -----
        5 rounds of small public messages and hashes.
        """
        header, references = self.session.load(name, version)
        return rebuilt(header, self.session, references)

    def stored(self) -> list[Header]:
        """What is stored: names, versions, types, shapes and uses, without opening anything."""
        return self.session.stored()

    def delete(self, name: str, version: int | None = None, *, purpose: Purpose = "entry") -> int:
        """Destroy a version, or all of a name, and its keys, at every party; how many there were.

        Parameters
        ----------
        name : str
        version : int, optional
            All of them by default.
        purpose : {"entry", "checkpoint"}
            What ``save`` stored, or checkpoints of training.

        Raises
        ------
        UsageError
            Nothing is stored under this name (TC-1087).
        """
        return self.session.delete(name, version, purpose)

    def refresh(self) -> tuple[Header, ...]:
        """Replace everything that is stored by fresh shares of the same secrets, at every party.

        What was copied from one party's folder before is then of no use together with what is
        copied from another's later. 9 rounds; local work in proportion to what is stored.
        """
        return self.session.refresh()

    def measure(self) -> AbstractContextManager[Cost]:
        """Measure what happens in a ``with`` block: rounds, bytes per party, seconds.

        The :class:`Cost` it gives is filled when the block ends.
        """
        return self.session.measure()

    def close(self) -> None:
        """End the session. May be called again."""
        self.session.close()

    def __enter__(self) -> Self:
        self.session.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.session.__exit__(kind, error, trace)
