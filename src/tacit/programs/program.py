"""A program: a checked graph with its outputs, its canonical bytes and its digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, overload

import msgspec

from tacit.encoding.digest import tagged_hash
from tacit.encoding.ring import RING64, Ring
from tacit.errors import ProgramError
from tacit.operations.types import ArrayType
from tacit.programs.control import bodies_of
from tacit.programs.form import MAGIC, MOST_BYTES, ProgramForm, decoded, require_form, unreadable
from tacit.programs.graph import Input, Output
from tacit.programs.inference import Checked, CheckedNode, check_constants, checked_graph
from tacit.programs.sizes import Sizes

if TYPE_CHECKING:
    from tacit.programs.bounding.checking import Assurance
    from tacit.programs.bounding.fitting import Fit
    from tacit.programs.bounding.listing import BoundsTable
    from tacit.programs.explaining.explanation import Explanation
    from tacit.programs.optimising.difference import Difference
    from tacit.programs.planning.choice import Plans
    from tacit.programs.planning.measured import Measured
    from tacit.programs.planning.plan import Plan
    from tacit.programs.showing.drawing import Drawing
    from tacit.rounds.virtual import Network

__all__ = ["LEAST_DIGITS", "Program"]

LEAST_DIGITS: Final = 32
"""The fewest digits of a digest that programs are approved by, and shown with.

Whoever makes a program can try many, and keep two that begin with the same digits: one to be
approved, one to be run. Among n digits that takes about 2^(2n) tries: 2^32 for 16, which is a
minute; 2^64 for 32, 2^128 for all 64.
"""


class Program:
    """What parties compute together, as data: typed, checked, with a digest.

    Parameters
    ----------
    form : ProgramForm
        Checked here: every program is well typed.

    Raises
    ------
    ProgramError
        It is not (TC-1500 to TC-1507).

    Notes
    -----
    Immutable; equal programs have equal bytes and equal digests.
    """

    def __init__(self, form: ProgramForm) -> None:
        self.form = form
        self._checked_rings: set[int] = set()
        require_form(form)
        self.bodies: tuple[Checked, ...] = ()
        """The bodies with the types of their values."""
        found: list[Checked] = []
        sizes = Sizes()
        for body in form.bodies:
            found.append(checked_graph(body, found))
            sizes.add(found[-1])
        self.bodies = tuple(found)
        self.main = checked_graph(form.main, self.bodies)
        """The main graph with the types of its values."""
        sizes.add(self.main)
        _require_outputs(self)

    # What is public about it.

    @property
    def name(self) -> str:
        """For people."""
        return self.form.name

    @property
    def inputs(self) -> tuple[Input, ...]:
        """What it begins with: owner, type, bounds."""
        return self.form.main.inputs

    @property
    def outputs(self) -> tuple[Output, ...]:
        """What comes out of it, and who learns it."""
        return self.form.outputs

    @property
    def output_types(self) -> tuple[ArrayType, ...]:
        """The types of the outputs."""
        return self.main.results

    @property
    def owners(self) -> tuple[str, ...]:
        """The parties that give inputs, in order of appearance."""
        return tuple(dict.fromkeys(one.owner for one in self.inputs if one.owner))

    @cached_property
    def operations(self) -> frozenset[str]:
        """The names of all operations that it may run, those in bodies included."""
        graphs = (self.form.main, *self.form.bodies)
        return frozenset(node.operation for graph in graphs for node in graph.nodes)

    @cached_property
    def ring_bits(self) -> int:
        """The bits of the smallest ring with room for all its types: 64 or 128."""
        types = [found for graph in self.graphs() for found in graph.types]
        room = RING64.most_fraction_bits
        wide = any(t.dtype.bits > 64 or t.dtype.fraction_bits > room for t in types)
        return 128 if wide else 64

    def check_constants(self, ring: Ring) -> None:
        """Refuse constants that an operation cannot take in a ring; found out once.

        Raises
        ------
        RangeError
            As the operation does for public operands.
        """
        if ring.bits not in self._checked_rings:
            for graph in self.graphs():
                check_constants(graph, ring)
            self._checked_rings.add(ring.bits)

    def graphs(self) -> Iterator[Checked]:
        """The bodies, then the main graph."""
        yield from self.bodies
        yield self.main

    def __repr__(self) -> str:
        gives = ", ".join(f"{one.name}: {one.type}" for one in self.inputs)
        named = f" {self.name!r}" if self.name else ""
        return f"Program{named}({gives}; {sum(len(g.nodes) for g in self.graphs())} operations)"

    def __str__(self) -> str:
        return self.text(most=1000)

    def text(self, most: int | None = None) -> str:
        """The program written out, one line a value, bodies indented.

        Parameters
        ----------
        most : int, optional
            The most lines; all by default.
        """
        from tacit.programs.showing.text import text

        return text(self, most)

    def draw(self, path: Path | str | None = None) -> Drawing:
        """A picture: owners in colours, what is public dashed, loops as boxes around their bodies.

        Parameters
        ----------
        path : path, optional
            Where it is written, too.

        Returns
        -------
        Drawing
            Notebooks show it; ``.svg`` is the text of an SVG that needs nothing else.
        """
        from tacit.programs.showing.drawing import drawn

        picture = drawn(self)
        if path is not None:
            picture.save(path)
        return picture

    def explain(self, minimum: int = 10) -> Explanation:
        """What the program does and tells: in words, as tables, with findings.

        Parameters
        ----------
        minimum : int
            How many rows a statistic goes over at least; fewer are findings.

        Returns
        -------
        Explanation
            Print it, or look at ``.findings``; ``.require("high")`` refuses the program if there
            are bad ones. See ``docs/explaining.md``.
        """
        from tacit.programs.explaining.explanation import explained

        return explained(self, minimum)

    def optimize(self, *, memory: int | None = None) -> Program:
        """A program with the same inputs and outputs that costs no more, usually less.

        Constants are folded, what is computed twice or in every round of a loop is computed once,
        what no output needs is left out, comparisons are reused, public factors in a row are one,
        bits of integers stay bits, sums of products are truncated once where bounds leave room for
        them, and rows of loops that do not wait for each other are computed at once. Results differ
        by rounding alone. A program that was accepted is accepted: where bounds leave no room for
        fewer operations, it stays as it is. See ``docs/optimiser.md``; ``.diff(program)`` of the
        result says what changed.

        Parameters
        ----------
        memory : int, optional
            The most bytes of shares and messages that a party may hold, as the plan has them
            (``memory_peak``): rows of loops go through in batches that are as large as that
            allows. 1 GiB by default; a program that holds more as it is written may go on to.
        """
        from tacit.programs.optimising.optimiser import MEMORY, optimised

        return optimised(self, MEMORY if memory is None else memory)

    def diff(self, before: Program) -> Difference:
        """What this program does otherwise than another, with what both would cost."""
        from tacit.programs.optimising.difference import difference

        return difference(before, self)

    # Bytes.

    @cached_property
    def canonical(self) -> bytes:
        """The canonical bytes: one encoding for one program."""
        return MAGIC + msgspec.msgpack.encode(self.form)

    @cached_property
    def digest(self) -> str:
        """The BLAKE3 digest of the canonical bytes, in hexadecimal."""
        return tagged_hash("program", self.canonical).hex()

    @property
    def short_digest(self) -> str:
        """The first 32 of the digest's 64 digits: enough to approve it by."""
        return self.digest[:LEAST_DIGITS]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and self.canonical == other.canonical

    def __hash__(self) -> int:
        return hash(self.digest)

    @classmethod
    def from_bytes(cls, data: bytes) -> Program:
        """Read a program.

        Raises
        ------
        ProgramError
            Not a program (TC-1500), of another version (TC-1501), or not well typed.
        """
        return cls(decoded(data))

    def save(self, path: Path | str) -> None:
        """Write the canonical bytes to a file, whole or not at all."""
        target = Path(path)
        draft = target.with_name(target.name + ".part")
        draft.write_bytes(self.canonical)
        draft.replace(target)

    @classmethod
    def load(cls, path: Path | str) -> Program:
        """Read a file that :meth:`save` wrote.

        Raises
        ------
        ProgramError
            As :meth:`from_bytes`; or there is no such file (TC-1507).
        """
        try:
            with Path(path).open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise ProgramError(
                f"The program {str(path)!r} cannot be read: {error.strerror}.",
                next_step="check the path and its permissions.",
                case=7,
            ) from None
        return cls.from_bytes(data)

    # What is shown about it.

    def bounds(self, ring: int = 64) -> BoundsTable:
        """What every value lies within, if inputs are within their bounds; prints as a table.

        Parameters
        ----------
        ring : {64, 128}
            The ring whose limits they are held against.
        """
        from tacit.programs.bounding.listing import listed

        return listed(self, ring)

    def check(self, ring: int = 64, *, strict: bool = True) -> Assurance:
        """Show that nothing wraps on inputs within their declared bounds.

        Parameters
        ----------
        ring : {64, 128}
        strict : bool
            Refuse what cannot be shown; else it is listed in the result.

        Raises
        ------
        ProgramError
            An operation could wrap, or nothing is known of its operands (TC-1572); a loop's carry
            grows (TC-1573). The message names it, and what bounds would do. A loop's declared
            bounds do not hold (TC-1570, TC-1571).
        RangeError
            The ring has no room for a type (TC-1303).
        """
        from tacit.programs.bounding.checking import checked

        return checked(self, ring, strict=strict)

    def fit(self, *, rings: Sequence[int] = (64, 128), least: int = 18) -> Fit:
        """The program in the finest fixed point that its bounds leave room for.

        Parameters
        ----------
        rings : sequence of int
            In order of preference: the first that is shown to hold at least `least` fractional
            bits, and in it as many as are shown to fit, up to 24 (40 over 128 bits).
        least : int

        Raises
        ------
        ProgramError
            None is shown to fit, or the program takes too long to try them all (TC-1574).
        """
        from tacit.programs.bounding.fitting import fitted

        return fitted(self, rings, least)

    # Parts.

    def called(self, node: CheckedNode) -> tuple[Checked, ...]:
        """The bodies that a node runs."""
        return tuple(self.bodies[body] for body in bodies_of(node.attributes))

    def named(self, values: Mapping[str, Any]) -> list[Any]:
        """Values of the inputs, in order, from values by name.

        Raises
        ------
        ProgramError
            One is missing or unknown (TC-1511).
        """
        names = [one.name for one in self.inputs]
        wrong = [name for name in values if name not in names]
        missing = [name for name in names if name not in values]
        if wrong or missing:
            what = f"has no input {wrong[0]!r}" if wrong else f"needs the input {missing[0]!r}"
            raise ProgramError(
                f"The program {what}.",
                next_step=f"give exactly: {', '.join(names) or 'nothing'}.",
                case=11,
            )
        return [values[name] for name in names]

    # What can be said before it runs.

    @overload
    def plan(
        self,
        protocol: str,
        network: Network | Measured | str | Mapping[str, Measured] = ...,
        *,
        parties: Sequence[str] | None = ...,
        rounding: str = ...,
        ring: int = ...,
        public: Mapping[str, Any] | None = ...,
        seconds: bool = ...,
        pace: Mapping[str, float] | None = ...,
    ) -> Plan: ...

    @overload
    def plan(
        self,
        protocol: None = None,
        network: Network | Measured | str | Mapping[str, Measured] = ...,
        *,
        parties: Sequence[str] | None = ...,
        adversary: str | None = ...,
        outcome: str | None = ...,
        rounding: str = ...,
        ring: int = ...,
        public: Mapping[str, Any] | None = ...,
        seconds: bool = ...,
        pace: Mapping[str, float] | None = ...,
    ) -> Plans: ...

    def plan(
        self,
        protocol: str | None = None,
        network: Network | Measured | str | Mapping[str, Measured] = "lan",
        *,
        parties: Sequence[str] | None = None,
        adversary: str | None = None,
        outcome: str | None = None,
        rounding: str = "probabilistic",
        ring: int = 64,
        public: Mapping[str, Any] | None = None,
        seconds: bool = True,
        pace: Mapping[str, float] | None = None,
    ) -> Plan | Plans:
        """What it will cost, before it runs: rounds, bytes, memory, seconds.

        Parameters
        ----------
        protocol : str, optional
            By default all that fit the parties and the threat model, with one recommended.
        network : Network, Measured, str, or mapping of str to Measured
            ``tacit.LAN``, ``METRO``, ``WAN``, ``LOOPBACK`` or one of your own; their names in
            lower case, or figures such as ``"rtt=20ms,bandwidth=100Mbit"``. Or what
            ``mpc.calibrate()`` measured; for several protocols, by their names.
        parties : sequence of str, optional
            The parties' names by index; by default owners, recipients and the usual names.
        adversary : {"passive", "active"}, optional
            What the protocol must hold against.
        outcome : str, optional
            What must become of a run in which a party deviates: ``"abort"``, ``"guaranteed"``.
        rounding : {"probabilistic", "nearest", "exact"}
            As of the session.
        ring : int
            As of the session: 64 or 128.
        public : mapping of str to array_like, optional
            Public inputs that are known already.
        seconds : bool
            Whether to time the primitives on this machine; without, the plan takes milliseconds
            and has no seconds and no bytes of single links.
        pace : mapping of str to float, optional
            What is known of the machines: ``compute_scale`` (a factor on this machine's
            computation), ``message_seconds`` and ``byte_seconds`` (processor time at either end of
            a message), as :class:`~tacit.rounds.VirtualTime` takes them.

        Returns
        -------
        Plan or Plans
            Print it, or see its attributes.

        Raises
        ------
        ProgramError
            No such network (TC-1560); the parties do not fit (TC-1561, TC-1564); it goes on for
            too long, or is too large, to be planned (TC-1567).
        RangeError
            The ring has no room for a type (TC-1303), or for a constant.

        Notes
        -----
        Rounds and bytes are exact; ``docs/planning.md`` says where not, and how seconds are found.
        """
        from tacit.encoding.rings import ring_of
        from tacit.encoding.types import require_room
        from tacit.programs.planning.choice import Threat, plans_of
        from tacit.programs.planning.making import Conditions, plan_of
        from tacit.programs.planning.measured import measured_for
        from tacit.programs.planning.networks import network_of
        from tacit.protocols import protocol_named
        from tacit.protocols.interface import checked_rounding

        elements = ring_of(ring)
        for graph in self.graphs():
            for kind in graph.types:
                require_room(kind.dtype, elements.most_fraction_bits, elements.bits)
        self.check_constants(elements)
        threat = Threat(adversary, outcome)
        measured = network if isinstance(network, Mapping) else None
        if isinstance(network, Mapping):
            network = "lan" if protocol is None else measured_for(protocol, network)
        conditions = Conditions(
            network_of(network), checked_rounding(rounding), ring, public, seconds, **pace or {}
        )
        try:
            if protocol is None:
                return plans_of(self, threat, parties, conditions, measured)
            return plan_of(self, protocol_named(protocol), parties, conditions)
        except MemoryError:
            raise ProgramError(
                "The program's arrays are too large for this machine to plan it.",
                next_step="plan it for fewer rows: bytes grow in proportion, rounds hardly.",
                case=67,
            ) from None


def _require_outputs(program: Program) -> None:
    if len(program.outputs) != len(program.main.results):
        raise unreadable("It has not as many outputs as results.")
    if any(one.public for one in program.output_types):
        raise unreadable("An output is a public number, which nobody has to open.")
