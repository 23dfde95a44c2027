"""The types of a program's values, derived from its inputs by the operations' rules.

Whatever comes from outside passes here before anything is done with it: a program with an unknown
operation, a wrong type or a body that does not fit is refused, with the node named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf, prod
from typing import Any, Final

import msgspec

from tacit.encoding.ring import Ring
from tacit.encoding.types import DType, fixed, int64
from tacit.encoding.wide import RING128
from tacit.errors import ProgramError, TacitError
from tacit.operations.arity import ARITY, MANY
from tacit.operations.operation import Attributes, Operation
from tacit.operations.table import OPERATIONS
from tacit.operations.types import ArrayType, public_type
from tacit.programs.control import CONTROL, Call, Choice, Loop, Over, Until, bodies_of
from tacit.programs.graph import Constant, Graph, Input, Node
from tacit.programs.public import PUBLIC, not_in_clear

__all__ = [
    "LARGEST",
    "Checked",
    "CheckedNode",
    "attributes_of",
    "check_constants",
    "checked_graph",
    "result_types",
]

LARGEST: Final = 1 << 36
"""The most elements of one array: half a TiB."""

LARGEST_EMPTY: Final = 1 << 22
"""The most elements that an array without elements would have with one row more.

Nothing of it is there, but positions along its axes are counted and listed: what costs little to
say must cost little to run."""

MOST_AXES: Final = 32

MOST_FRACTIONS: Final = 100


@dataclass(frozen=True, slots=True, eq=False)
class CheckedNode:
    """A node with what was found out about it.

    Attributes
    ----------
    operation : Operation or None
        The row of the table; None for control flow.
    attributes : Attributes
    results : tuple of ArrayType
    first : int
        The number of its first result's value.
    public : bool
        Whether it is computed in the clear.
    """

    node: Node
    operation: Operation | None
    attributes: Any
    results: tuple[ArrayType, ...]
    first: int
    public: bool


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """A graph whose every value has a type.

    Attributes
    ----------
    graph : Graph
    types : list of ArrayType
        By number of the value.
    nodes : list of CheckedNode
    """

    graph: Graph
    types: list[ArrayType]
    nodes: list[CheckedNode]

    @property
    def results(self) -> tuple[ArrayType, ...]:
        """The types of what it gives."""
        return tuple(self.types[value] for value in self.graph.results)

    @property
    def inputs(self) -> list[ArrayType]:
        """The types of what it takes."""
        return self.types[: len(self.graph.inputs)]


def checked_graph(graph: Graph, bodies: Sequence[Checked]) -> Checked:
    """Derive the types of all values of a graph.

    Parameters
    ----------
    graph : Graph
    bodies : sequence of Checked
        Those that its nodes may refer to.

    Raises
    ------
    ProgramError
        It is not a program: TC-1502 to TC-1506 say why, and name the node.
    """
    types = [_input_type(one) for one in graph.inputs]
    types += [_constant_type(one) for one in graph.constants]
    nodes: list[CheckedNode] = []
    for place, node in enumerate(graph.nodes):
        found = _checked_node(place, node, types, bodies)
        nodes.append(found)
        types.extend(found.results)
    if any(not 0 <= value < len(types) for value in graph.results):
        raise _dangling("A result is a value that the graph does not have.")
    return Checked(graph, types, nodes)


def check_constants(checked: Checked, ring: Ring) -> None:
    """Refuse constants that an operation cannot take in a ring, before it is run.

    Raises
    ------
    RangeError
        As the operation does for public operands.
    """
    graph = checked.graph
    first = len(graph.inputs)
    known = {first + k: one for k, one in enumerate(graph.constants)}
    for node in checked.nodes:
        if node.operation is None or node.operation.check is None or node.public:
            continue
        operands = node.node.operands
        if any(value in known for value in operands):
            types = [checked.types[value] for value in operands]
            values = [known[value].array if value in known else None for value in operands]
            node.operation.check(types, values, node.attributes, ring)


def attributes_of(node: Node) -> Attributes:
    """A node's parameters.

    Raises
    ------
    ProgramError
        There is no such operation (TC-1502), or they are not its parameters (TC-1504).
    """
    kind = _attribute_type(node.operation)
    if kind is None:
        raise ProgramError(
            f"There is no operation {node.operation[:80]!r}.",
            next_step="the program was made by another version, or is damaged: compare versions,"
            " and make it again.",
            case=2,
        )
    return _parsed(node.attributes, kind)


@lru_cache(4096)
def _parsed(data: bytes, kind: type[Attributes]) -> Attributes:
    try:
        attributes = msgspec.msgpack.decode(data, type=kind)
        canonical = msgspec.msgpack.encode(attributes) == data
    except (msgspec.MsgspecError, RecursionError, ValueError):
        canonical = False
    if not canonical:
        raise _garbled(f"The parameters of a node are not those of {kind.__name__}.")
    return attributes


def _attribute_type(name: str) -> type[Attributes] | None:
    if name in CONTROL:
        return CONTROL[name]
    operation = OPERATIONS.get(name)
    return None if operation is None else operation.attributes


def result_types(
    name: str, operation: Operation, types: Sequence[ArrayType], attributes: Attributes
) -> tuple[ArrayType, ...]:
    """The types of an operation's results: public where all operands are, but of ``constant``."""
    results = operation.result_types(types, attributes)
    if name == "constant" or not all(t.public for t in types):
        return results
    return tuple(ArrayType(_clear_dtype(t), t.shape, public=True) for t in results)


def _clear_dtype(found: ArrayType) -> Any:
    """The type of a public array of that kind: floats have no fraction bits of their own."""
    return fixed if found.dtype.kind == "fixed" else found.dtype


def _checked_node(
    place: int, node: Node, types: Sequence[ArrayType], bodies: Sequence[Checked]
) -> CheckedNode:
    where = f"Node {place} ({node.operation[:80]})"
    if any(not 0 <= value < len(types) for value in node.operands):
        raise _dangling(f"{where} takes a value that does not come before it.")
    operands = [types[value] for value in node.operands]
    attributes = attributes_of(node)
    try:
        operation = OPERATIONS.get(node.operation)
        if node.operation in CONTROL:
            operation = None
            results = _control(where, attributes, operands, bodies)
        else:
            assert operation is not None
            _require_operands(where, node.operation, operands)
            _require_bits(where, attributes)
            results = result_types(node.operation, operation, operands, attributes)
            if operation.check is not None:
                operation.check(operands, [None] * len(operands), attributes, RING128)
        for result in results:
            _require_size(where, result.shape)
            if not _exists(result.dtype):
                raise _unfit(f"{where} has a result of a type that does not exist.")
    except TacitError as error:
        if isinstance(error, ProgramError) and error.message.startswith("Node "):
            raise
        raise ProgramError(
            f"{where}: {error.message}", next_step=error.next_step, case=5, stage=node.operation
        ) from error
    except (
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
        MemoryError,
        RecursionError,
    ) as error:
        raise _unfit(f"{where} has operands or parameters that do not fit it.") from error
    public = operation is not None and all(t.public for t in results)
    if public and node.operation not in PUBLIC:
        raise not_in_clear(node.operation)
    return CheckedNode(node, operation, attributes, results, len(types), public)


def _input_type(one: Input) -> ArrayType:
    _require_size(f"Input {one.name[:80]!r}", one.type.shape)
    dtype = one.type.dtype
    good = _exists(dtype)
    if one.type.public:
        good = good and dtype.bits <= 64 and not one.owner
        good = good and (dtype.kind != "fixed" or dtype.fraction_bits == 18)
    if not good:
        raise _unfit(f"Input {one.name[:80]!r} has a type that does not exist.")
    low, high = one.bounds or (0, 0)
    if not low <= high or low == inf or high == -inf:
        raise _unfit(f"Input {one.name[:80]!r} has bounds that hold no number.")
    return one.type.array_type()


def _exists(dtype: DType) -> bool:
    """Whether there are numbers of this type."""
    if dtype.kind == "fixed":
        return 0 < dtype.fraction_bits <= MOST_FRACTIONS and (dtype.bits, dtype.signed) == (
            64,
            True,
        )
    if dtype.fraction_bits:
        return False
    if dtype.kind == "bool":
        return (dtype.bits, dtype.signed) == (64, True)
    return dtype.bits in (8, 16, 32, 64, 128) and (dtype.signed or dtype.bits < 64)


def _require_operands(where: str, name: str, operands: Sequence[ArrayType]) -> None:
    least, most = ARITY.get(name, (1, MANY))
    if not least <= len(operands) <= most:
        raise _unfit(f"{where} has {len(operands)} operands.")
    if name == "constant" and not operands[0].public:
        raise _unfit(f"{where} makes a constant of a secret.")


def _require_bits(where: str, attributes: Any) -> None:
    """What is said of the keys of a sort: how many bits they have at most."""
    said = getattr(attributes, "key_bits", None)
    for bits in said if isinstance(said, tuple) else (said,):
        if bits is not None and not 0 <= bits <= 128:
            raise _unfit(f"{where} has keys of {bits} bits.")


def _constant_type(one: Constant) -> ArrayType:
    _require_size("A constant", one.shape)
    if len(one.data) != prod(one.shape) * int(one.plain[2:]):
        raise _garbled("A constant's bytes are not those of its shape.")
    return public_type(one.array)


def _require_size(what: str, shape: tuple[int, ...]) -> None:
    size = prod(max(extent, 1) for extent in shape)
    most = LARGEST_EMPTY if 0 in shape else LARGEST
    if len(shape) > MOST_AXES or min(shape, default=0) < 0 or size > most:
        raise ProgramError(
            f"{what} has a shape that no array has here.",
            next_step=f"use at most {MOST_AXES} axes and 2^36 elements, and no long axes beside an"
            " empty one (2^22).",
            case=6,
        )


# Control flow.


def _control(
    where: str, attributes: Attributes, operands: Sequence[ArrayType], bodies: Sequence[Checked]
) -> tuple[ArrayType, ...]:
    if any(not 0 <= body < len(bodies) for body in bodies_of(attributes)):
        raise _dangling(f"{where} runs a body that does not come before it.")
    match attributes:
        case Call(body):
            _require_same(where, bodies[body].inputs, operands)
            return bodies[body].results
        case Choice(branches):
            return _choice(where, [bodies[b] for b in branches], operands)
        case Loop(body, carried):
            return _loop(where, bodies[body], carried, operands)
        case Over():
            return _over(where, bodies[attributes.body], attributes, operands)
        case Until():
            return _until(where, attributes, operands, bodies)
    raise AssertionError(attributes)


_INDEX = ArrayType(int64, (), public=True)


def _choice(
    where: str, branches: Sequence[Checked], operands: Sequence[ArrayType]
) -> tuple[ArrayType, ...]:
    if not branches or not operands or not _is_number(operands[0]):
        raise _unfit(f"{where} needs a public integer and at least one branch.")
    for branch in branches:
        _require_same(where, branch.inputs, operands[1:])
        _require_same(where, branch.results, branches[0].results)
    return branches[0].results


def _loop(
    where: str, body: Checked, carried: int, operands: Sequence[ArrayType]
) -> tuple[ArrayType, ...]:
    if len(operands) < 2 or any(o != _INDEX for o in operands[:2]):
        raise _unfit(f"{where} needs two public int64 numbers, its first and its end.")
    _require_same(where, body.inputs, [_INDEX, *operands[2:]])
    return _carried(where, body.results, operands[2:], carried)


def _over(
    where: str, body: Checked, a: Over, operands: Sequence[ArrayType]
) -> tuple[ArrayType, ...]:
    cut = operands[a.carried : a.carried + a.sliced]
    if (
        a.carried < 0
        or a.length < 0
        or len(cut) != a.sliced
        or any(not t.shape or t.shape[0] != a.length for t in cut)
    ):
        raise _unfit(f"{where} needs arrays of {a.length} rows.")
    rows = [ArrayType(t.dtype, t.shape[1:], t.public) for t in cut]
    rest = operands[a.carried + a.sliced :]
    _require_same(where, body.inputs, [*operands[: a.carried], *rows, *rest])
    kept = _carried(where, body.results[: a.carried], operands, a.carried)
    stacked = body.results[a.carried :]
    return (*kept, *(ArrayType(t.dtype, (a.length, *t.shape), t.public) for t in stacked))


def _until(
    where: str, a: Until, operands: Sequence[ArrayType], bodies: Sequence[Checked]
) -> tuple[ArrayType, ...]:
    condition, body = bodies[a.condition], bodies[a.body]
    if not 0 <= a.carried <= a.carried + a.captured <= len(operands) or a.captured < 0:
        raise _unfit(f"{where} has fewer operands than it says.")
    carries, rest = operands[: a.carried], operands[a.carried :]
    _require_same(where, condition.inputs, [*carries, *rest[: a.captured]])
    _require_same(where, body.inputs, [*carries, *rest[a.captured :]])
    found = condition.results
    if len(found) != 1 or found[0].shape or not found[0].public or found[0].dtype.kind != "bool":
        raise _unfit(f"{where} needs a condition that is one public boolean.")
    return _carried(where, body.results, carries, a.carried)


def _carried(
    where: str, found: Sequence[ArrayType], operands: Sequence[ArrayType], carried: int
) -> tuple[ArrayType, ...]:
    if not 0 <= carried <= len(operands):
        raise _unfit(f"{where} has fewer operands than it says.")
    _require_same(where, found, operands[:carried])
    return tuple(operands[:carried])


def _require_same(where: str, expected: Sequence[ArrayType], given: Sequence[ArrayType]) -> None:
    if list(expected) != list(given):
        raise _unfit(f"{where} and the body that it runs differ in their values' types.")


def _is_number(one: ArrayType) -> bool:
    return one.public and not one.shape and one.dtype.kind == "int"


_AGAIN: Final = "the file is damaged, or was made by another version: make the program again."


def _dangling(message: str) -> ProgramError:
    return ProgramError(message, next_step=_AGAIN, case=3)


def _garbled(message: str) -> ProgramError:
    return ProgramError(message, next_step=_AGAIN, case=4)


def _unfit(message: str) -> ProgramError:
    return ProgramError(message, next_step=_AGAIN, case=5)
