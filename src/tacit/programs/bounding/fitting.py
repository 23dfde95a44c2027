"""`program.fit()`: the finest fixed point, and the smaller ring, that bounds leave room for.

The rule: over 64 bits, if at least `least` fractional bits are shown to fit there, else over 128;
within the ring as many as are shown to fit, up to 24 (40 over 128 bits), where functions are at
their finest. Never more than that, because more bits would cost and not be more precise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from tacit.encoding.rings import ring_of
from tacit.encoding.types import DType
from tacit.errors import ProgramError, TacitError
from tacit.functions.domains import FINE_FRACTION_BITS, MOST_FRACTION_BITS
from tacit.operations.fractions import becoming_fractions
from tacit.operations.types import ArrayType
from tacit.programs.bounding.analysis import analysed
from tacit.programs.graph import Graph, Input, Node
from tacit.programs.inference import Checked, CheckedNode

if TYPE_CHECKING:
    from tacit.programs.program import Program

__all__ = ["Fit", "fitted", "with_fraction_bits"]

MOST_TRIED: Final = 24_000
"""A fit ends after its analyses have looked at so many nodes, and twenty times the program's."""

_FINEST: Final = {64: MOST_FRACTION_BITS, 128: FINE_FRACTION_BITS}


@dataclass(frozen=True, slots=True)
class Fit:
    """A program in the fixed point that its bounds leave room for.

    Attributes
    ----------
    program : Program
    ring : int
        Open the computation with it: ``tacit.local(ring=fit.ring)``.
    fraction_bits : int
        Of its fixed point.
    """

    program: Program
    ring: int
    fraction_bits: int

    def __str__(self) -> str:
        return (
            f"{self.fraction_bits} fractional bits over {self.ring} bits:"
            f" resolution {2.0**-self.fraction_bits:.2g}, and nothing wraps."
        )


def fitted(program: Program, rings: Sequence[int] = (64, 128), least: int = 18) -> Fit:
    """A program in the finest fixed point that is shown to fit; see :meth:`Program.fit`."""
    own = _own_bits(program)
    left = MOST_TRIED + 20 * sum(len(graph.nodes) for graph in program.graphs())
    for ring in rings:
        elements = ring_of(ring)
        if own is None:
            if not analysed(program, elements, strict=True).problems:
                return Fit(program, ring, 0)
            continue
        for bits in range(_FINEST[ring], least - 1, -1):
            if left <= 0:
                raise _too_long(ring, bits)
            try:
                found = program if bits == own else with_fraction_bits(program, own, bits)
                analysis = analysed(found, elements, strict=True)
            except TacitError:
                continue  # a function that needs more bits, or a type that does not fit
            if not analysis.problems:
                return Fit(found, ring, bits)
            left -= analysis.visited
    raise ProgramError(
        f"No fixed point of {least} or more fractional bits is shown to fit over"
        f" {' or '.join(map(str, rings))} bits.",
        next_step="program.check() names the operation, and which bounds would do;"
        " program.fit(least=12) accepts fewer fractional bits.",
        case=74,
    )


def _too_long(ring: int, bits: int) -> ProgramError:
    return ProgramError(
        f"The program takes too long to be tried in every fixed point: none finer than {bits}"
        f" fractional bits over {ring} bits is shown to fit.",
        next_step="program.check() names what cannot be shown. Declare loops' bounds, or trace it"
        " with the fixed point that you want.",
        case=74,
    )


def _own_bits(program: Program) -> int | None:
    """The fractional bits of most values; None where there is no fixed point."""
    counted = Counter(
        kind.dtype.fraction_bits
        for graph in program.graphs()
        for kind in graph.types
        if kind.dtype.kind == "fixed" and not kind.public
    )
    return max(counted, key=lambda bits: counted[bits]) if counted else None


def with_fraction_bits(program: Program, before: int, after: int) -> Program:
    """A program whose fixed point of so many fractional bits has others.

    Raises
    ------
    TacitError
        An operation does not take them.
    """
    from tacit.programs.program import Program

    main, hints = _rewritten(program.main, before, after)
    form = msgspec.structs.replace(
        program.form,
        main=main,
        bodies=tuple(_rewritten(body, before, after)[0] for body in program.bodies),
        hints=tuple(
            msgspec.structs.replace(hint, first=hints[hint.first], last=hints[hint.last])
            for hint in program.form.hints
        ),
    )
    return Program(form)


def _rewritten(checked: Checked, before: int, after: int) -> tuple[Graph, list[int]]:
    """A graph in another fixed point, and where its nodes are now.

    Integers that become fractions without meeting any get the type first, as in a session.
    """
    graph, wanted = checked.graph, DType("fixed", after)
    inputs = tuple(_input(one, before, after) for one in graph.inputs)
    place = list(range(len(graph.inputs) + len(graph.constants)))
    nodes: list[Node] = []
    places: list[int] = []
    count = len(place)
    for node in checked.nodes:
        operands = [place[value] for value in node.node.operands]
        types = [checked.types[value] for value in node.node.operands]
        name = node.node.operation
        if node.operation is not None and not node.public:
            for k in becoming_fractions(name, types, node.results, wanted):
                how = "constant" if types[k].public else "astype"
                data = msgspec.msgpack.encode(wanted.parameters)
                nodes.append(Node(how, (operands[k],), data, node.node.note))
                operands[k] = count
                count += 1
        places.append(len(nodes))
        data = _attributes(node, types, before, after)
        nodes.append(Node(name, tuple(operands), data, node.node.note))
        place += range(count, count + len(node.results))
        count += len(node.results)
    results = tuple(place[value] for value in graph.results)
    return Graph(inputs, graph.constants, tuple(nodes), results), places


def _input(one: Input, before: int, after: int) -> Input:
    kind = one.type
    if kind.public or kind.kind != "fixed" or kind.fraction_bits != before:
        return one
    return msgspec.structs.replace(one, type=msgspec.structs.replace(kind, fraction_bits=after))


def _attributes(node: CheckedNode, types: Sequence[ArrayType], before: int, after: int) -> bytes:
    """Parameters with the other fixed point: of conversions, and how wide keys of sorts are."""
    attributes = node.attributes
    kind, bits = (getattr(attributes, name, None) for name in ("kind", "fraction_bits"))
    if kind == "fixed" and bits == before:
        return msgspec.msgpack.encode(msgspec.structs.replace(attributes, fraction_bits=after))
    told = getattr(attributes, "key_bits", None)
    more = max(after - before, 0)
    if not told or not any(t.dtype.kind == "fixed" for t in types):
        return node.node.attributes
    wider = tuple(w and w + more for w in told) if isinstance(told, tuple) else told + more
    return msgspec.msgpack.encode(msgspec.structs.replace(attributes, key_bits=wider))
