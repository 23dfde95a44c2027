"""Hostile programs: ``python -m bench.fuzz_programs --count 1000000``.

Three kinds in turn: programs grown from random operations with random parameters, hostile ones
among them; programs with some places of their structure replaced; and programs with damaged bytes.
Each is decoded. It must be refused with a ProgramError or be exactly the bytes that were read, in
little time and memory whatever its shapes say. Small ones that are accepted are also run now and
then: whatever comes of it, it is no error inside tacit. Everything follows from ``--seed``.
"""

from __future__ import annotations

import argparse
import re
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from random import Random
from typing import Any, Final

import msgspec
import numpy as np

import tacit
from tacit.errors import InternalError, ProgramError, TacitError
from tacit.operations.arity import ARITY
from tacit.operations.table import OPERATIONS
from tacit.operations.types import ArrayType, public_type
from tacit.programs.control import CONTROL
from tacit.programs.graph import Constant, Graph, Input, Node, Output, ValueType
from tacit.programs.inference import attributes_of, result_types
from tacit.programs.program import MAGIC, Program, ProgramForm

__all__ = ["Finding", "Fuzzer"]

SLOW: Final = 1.0
"""Seconds after which a decoding counts as a hang."""

GREW: Final = 128 << 20
"""Bytes of memory more than before that count as an allocation."""

_INTEGERS: Final = (0, 1, 2, 3, -1, -2, 4, 5, 7, 18, 64, 100)
_HOSTILE: Final = (
    1 << 20, 1 << 31, (1 << 31) - 1, 1 << 40, (1 << 62) + 1, (1 << 63) - 1, -(1 << 63), -(1 << 31),
    -1000, 10_000,
)  # fmt: skip
_FLOATS: Final = (0.0, 1.0, -1.0, 0.5, 1e-9, 3.25)
_HOSTILE_FLOATS: Final = (float("nan"), float("inf"), -float("inf"), 1e308, -1e308, 5e-324, 1e19)
_SHAPES: Final = ((4, 3), (3,), (), (3, 2), (4, 3), (2, 3, 4, 4), (0, 3), (1,), (5, 5))
_HOSTILE_SHAPES: Final = ((1 << 40,), (1 << 20, 1 << 20), (0, 1 << 62), (1 << 21,) * 2, (1,) * 32)


@dataclass
class Finding:
    """An input that was not taken as it should be."""

    number: int
    why: str
    data: bytes


@dataclass
class Fuzzer:
    """Makes inputs and judges what becomes of them.

    Attributes
    ----------
    seed : int
        Everything follows from it.
    outcomes : Counter
        How often each error number was raised, inputs were accepted, and ran.
    """

    seed: int
    run_every: int = 50
    outcomes: Counter[str] = field(default_factory=Counter)
    accepted_operations: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.corpus = [msgspec.msgpack.encode(program.form) for program in _corpus()]
        self._accepted = 0

    def inputs(self, count: int) -> Iterator[bytes]:
        """Hostile bytes."""
        for number in range(count):
            match number % 4:
                case 0 | 1:
                    form = self._grown()
                case 2:
                    form = self._restructured()
                case _:
                    form = self._damaged()
            yield MAGIC + form if self.random.random() < 0.999 else form

    def findings(self, count: int, report: Callable[[int], None] = lambda _: None) -> list[Finding]:
        """Judge so many inputs; those that were not taken as they should be."""
        found: list[Finding] = []
        for number, data in enumerate(self.inputs(count)):
            why = self.judge(data)
            if why:
                found.append(Finding(number, why, data))
            if number % 10_000 == 0:
                report(number)
        return found

    def judge(self, data: bytes) -> str:
        """What is wrong with how an input was taken; empty if nothing is."""
        before, began = _memory(), time.perf_counter()
        try:
            signal.setitimer(signal.ITIMER_REAL, 10 * SLOW)
            why = self._decoded(data)
        except _Hang:
            why = "hangs"
        except Exception as error:
            why = f"{type(error).__name__} escapes: {_where(error)}"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        seconds, grew = time.perf_counter() - began, _memory() - before
        if not why and seconds > SLOW:
            why = f"takes {seconds:.1f} s"
        if not why and grew > GREW:
            why = f"takes {grew >> 20} MiB"
        return why

    def _decoded(self, data: bytes) -> str:
        try:
            program = Program.from_bytes(data)
        except ProgramError as error:
            self.outcomes[error.code] += 1
            return "" if error.next_step else "an error without a next step"
        self.outcomes["accepted"] += 1
        for name in program.operations:
            self.accepted_operations[name] += 1
        if program.canonical != data:
            return "accepted, and its bytes are others"
        repr(program)
        self._accepted += 1
        if self._accepted % self.run_every == 0 and _is_small(program):
            return self._run(program)
        return ""

    def _run(self, program: Program) -> str:
        """An accepted program gives results, or an error of its own."""
        given: dict[str, Any] = {}
        owners = dict.fromkeys(program.owners)
        if len(owners) > 3 or not all(owners):
            return ""
        if any(prod(t.shape) > 1000 or len(t.shape) > 8 for t in program.main.types):
            return ""
        parties = list(dict.fromkeys([*owners, "p", "q", "r"]))[:3]
        if not all(re.fullmatch(r"[A-Za-z0-9_]{1,60}", name) for name in parties):
            return ""
        with tacit.local(parties=parties, seed=1) as mpc:
            for one in program.inputs:
                values = np.zeros(one.type.shape, one.type.dtype.numpy)
                if not one.owner and not one.type.public:
                    given[one.name] = mpc.share(values, parties[0], dtype=one.type.dtype)
                else:
                    given[one.name] = values
            try:
                mpc.run(program, given)
            except InternalError as error:
                return f"runs into an internal error: {_where(error)}"
            except TacitError as error:
                self.outcomes[f"run {error.code}"] += 1
            except Exception as error:
                return f"runs into {type(error).__name__}: {_where(error)}"
            else:
                self.outcomes["ran"] += 1
        return ""

    # Programs grown from random operations.

    def _grown(self) -> bytes:
        random = self.random
        inputs = tuple(self._input(place) for place in range(random.randint(1, 4)))
        constants = tuple(self._constant() for _ in range(random.randint(0, 2)))
        nodes: list[Node] = []
        types = [one.type.array_type() for one in inputs]
        types += [public_type(one.array) for one in constants]
        for _ in range(random.randint(1, 4)):
            node = self._node(types)
            nodes.append(node)
            types += self._results(node, types)
        main = Graph(inputs, constants, tuple(nodes), (len(types) - 1,))
        form = ProgramForm(1, "", main, (Output("o"),), self._bodies())
        return msgspec.msgpack.encode(form)

    def _node(self, types: Sequence[ArrayType]) -> Node:
        """A node that fits if one is found soon, and else one that may not."""
        random = self.random
        name = random.choice(_NAMES)
        for attempt in range(random.choice((1, 6, 30))):
            least, most = ARITY.get(name, (1, 6))
            count = random.randint(least, min(most, least + 4))
            if not attempt and random.random() < 0.1:
                count = random.randint(0, 8)
            operands = tuple(random.randrange(len(types)) for _ in range(count))
            node = Node(name, operands, self._attributes(name))
            if self._results(node, types):
                break
        return node

    def _results(self, node: Node, types: Sequence[ArrayType]) -> tuple[ArrayType, ...]:
        operation = OPERATIONS.get(node.operation)
        if operation is None:
            return ()
        try:
            attributes = attributes_of(node)
            given = [types[value] for value in node.operands]
            return result_types(node.operation, operation, given, attributes)
        except Exception:  # whatever comes of it is what decoding is judged by
            return ()

    def _bodies(self) -> tuple[Graph, ...]:
        """Few programs have bodies, which refer to anything."""
        random = self.random
        if random.random() < 0.8:
            return ()
        found = []
        for _ in range(random.randint(1, 3)):
            inputs = tuple(self._input(place, "") for place in range(random.randint(0, 3)))
            name = random.choice([*CONTROL, "add"])
            operands = tuple(range(min(len(inputs), 2)))
            node = Node(name, operands, self._attributes(name))
            found.append(Graph(inputs, (), (node,) * random.randint(0, 2), operands[:1]))
        return tuple(found)

    def _input(self, place: int, owner: str = "a") -> Input:
        random = self.random
        kind = random.choice(_TYPES)
        shape = random.choice(_SHAPES if random.random() < 0.97 else _HOSTILE_SHAPES)
        bounds = None if random.random() < 0.7 else (self._number(), self._number())
        public = random.random() < 0.2
        return Input(f"x{place}", ValueType(*kind, shape, public), "" if public else owner, bounds)

    def _constant(self) -> Constant:
        plain = self.random.choice(("<f8", "<i8", "|b1", "|u1"))
        shape = self.random.choice(_SHAPES)
        return Constant(plain, shape, bytes(prod(shape) * int(plain[2:])))

    def _attributes(self, name: str) -> bytes:
        kind = CONTROL.get(name) or OPERATIONS[name].attributes
        fields = msgspec.structs.fields(kind)
        return msgspec.msgpack.encode({one.name: self._value(one.type) for one in fields})

    def _number(self) -> float:
        hostile = self.random.random() < 0.1
        return self.random.choice(_HOSTILE_FLOATS if hostile else _FLOATS)

    def _value(self, kind: Any) -> Any:
        """A value of a parameter's type, now and then a hostile one."""
        random, text = self.random, msgspec.inspect.type_info(kind)
        return self._of(random, text)

    def _of(self, random: Random, info: Any) -> Any:
        inspect = msgspec.inspect
        match info:
            case inspect.UnionType(types):
                return self._of(random, random.choice(types))
            case inspect.LiteralType(values):
                return random.choice(values)
            case inspect.IntType():
                return random.choice(_HOSTILE if random.random() < 0.1 else _INTEGERS)
            case inspect.FloatType():
                return self._number()
            case inspect.BoolType():
                return random.random() < 0.5
            case inspect.VarTupleType(item):
                length = random.choice((0, 1, 1, 2, 2, 2, 3, 4, 33) if random.random() < 0.99 else
                                       (500,))  # fmt: skip
                return [self._of(random, item) for _ in range(length)]
            case inspect.TupleType(items):
                return [self._of(random, item) for item in items]
            case inspect.StructType(cls):
                made: Any = {
                    f.encode_name: self._value(f.type) for f in msgspec.structs.fields(cls)
                }
                tag = cls.__struct_config__.tag
                if tag is not None:
                    made = {cls.__struct_config__.tag_field: tag, **made}
                return list(made.values()) if cls.__struct_config__.array_like else made
            case inspect.StrType():
                return random.choice(("", "a", "constant", "reflect", "edge"))
        return None

    # Programs that are changed.

    def _restructured(self) -> bytes:
        random = self.random
        tree = msgspec.msgpack.decode(random.choice(self.corpus))
        for _ in range(random.randint(1, 3)):
            self._change(tree)
        return msgspec.msgpack.encode(tree)

    def _change(self, tree: list[Any]) -> None:
        random = self.random
        place: Any = tree
        while True:
            if not place:
                return
            index = random.randrange(len(place))
            child = place[index]
            if isinstance(child, list) and child and random.random() < 0.85:
                place = child
                continue
            match random.randrange(6):
                case 0:
                    del place[index]
                case 1:
                    place.insert(index, child)
                case 2:
                    place[index] = random.choice(place)
                case 3 if isinstance(child, bytes):
                    place[index] = self._changed_parameters(child)
                case _:
                    place[index] = self._instead(child)
            return

    def _instead(self, old: Any) -> Any:
        random = self.random
        if isinstance(old, int) and not isinstance(old, bool) and random.random() < 0.9:
            return random.choice((*_HOSTILE, *_INTEGERS))
        if isinstance(old, str) and random.random() < 0.7:
            return random.choice((*_NAMES, "", "all", "x" * 10_000, "\0"))
        nest: Any = []
        for _ in range(random.choice((1, 10, 900))):
            nest = [nest]
        return random.choice((None, True, b"", "", {}, float("nan"), 2**64 - 1, nest, [], -1, [0]))

    def _changed_parameters(self, data: bytes) -> bytes:
        try:
            fields = msgspec.msgpack.decode(data)
        except msgspec.MsgspecError:
            return data[1:]
        if isinstance(fields, dict) and fields:
            name = self.random.choice(list(fields))
            fields[name] = self._instead(fields[name])
            return msgspec.msgpack.encode(fields)
        return data + b"\x00"

    def _damaged(self) -> bytes:
        random = self.random
        data = bytearray(random.choice(self.corpus))
        for _ in range(random.choice((1, 1, 1, 2, 8))):
            if not data:
                break
            place = random.randrange(len(data))
            match random.randrange(6):
                case 0 | 1:
                    data[place] ^= 1 << random.randrange(8)
                case 2:
                    data[place] = random.choice((0x00, 0x7F, 0x80, 0x90, 0xC0, 0xDD, 0xDF, 0xFF))
                case 3:
                    del data[place : place + random.randint(1, 8)]
                case 4:
                    data[place:place] = data[place : place + random.randint(1, 64)]
                case _:
                    del data[place + 1 :]
        return bytes(data)


_NAMES: Final = [*OPERATIONS, *CONTROL]
_TYPES: Final = (
    ("fixed", 18, 64, True), ("fixed", 18, 64, True), ("fixed", 18, 64, True),
    ("fixed", 10, 64, True), ("int", 0, 64, True), ("int", 0, 8, True), ("int", 0, 16, False),
    ("int", 0, 128, True), ("bool", 0, 64, True),
)  # fmt: skip


def _corpus() -> list[Program]:
    """Good programs with everything that programs have."""
    spec = tacit.ArraySpec((4, 3), owner="a", bounds=(-1, 1))
    flags = tacit.ArraySpec((4,), tacit.bool, owner="b")
    count = tacit.ArraySpec((), tacit.int64, public=True)

    def loops(x: Any, n: Any) -> Any:
        def body(i: Any, carry: list[Any]) -> list[Any]:
            row = tacit.dynamic_slice(x, [i, 0], (1, 3))
            (inner,) = tacit.fori_loop(0, n, lambda j, c: [c[0] * 0.5 + row], [carry[0]])
            return [inner]

        return tacit.fori_loop(0, 4, body, [x[:1]])[0]

    def branches(x: Any, n: Any) -> Any:
        def body(carry: list[Any]) -> list[Any]:
            i, value = carry
            (value,) = tacit.cond(i % 2 == 0, lambda v: [v + v], lambda v: [v - 0.25], value)
            return [i + 1, value]

        _, value = tacit.while_loop(lambda c: c[0] < n, body, [np.int64(0), x])
        _, (rows,) = tacit.scan(lambda c, r: ([c[0] + r[0]], [c[0]]), [np.zeros(3)], [value])
        return {"rows": rows, "value": value}

    def functions(x: Any, flags: Any) -> Any:
        y = tacit.exp(x) + tacit.sigmoid(x).sum(0)
        kept = tacit.where(flags[:, None], y, 0.0)
        return {
            "sorted": tacit.sort(kept, axis=0),
            "best": tacit.argmax(x, axis=1),
            "product": x @ np.ones((3, 2)),
            "part": tacit.concat([x[1:], x[:1]]).T.reshape(-1),
        }

    return [
        tacit.trace(loops, spec, count),
        tacit.trace(branches, spec, count, to={"rows": ("a", "c"), "value": None}),
        tacit.trace(functions, spec, flags),
        tacit.trace(lambda x: x.mean(), spec),
    ]


def _is_small(program: Program) -> bool:
    if {"fori", "scan", "while"} & program.operations:
        return False
    return all(prod(t.shape) <= 1000 for graph in program.graphs() for t in graph.types)


class _Hang(Exception):
    pass


def _alarm(number: int, frame: Any) -> None:
    raise _Hang


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _where(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename.rpartition('/')[2]}:{last.lineno} {str(error)[:120]}"


def main() -> int:
    """Fuzz, and say what was found."""
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz_programs", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--memory", type=int, default=3000, help="MiB that the process may have")
    parser.add_argument("--run-every", type=int, default=50, help="run each so-manieth accepted")
    arguments = parser.parse_args()
    limit = arguments.memory << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGALRM, _alarm)
    fuzzer = Fuzzer(arguments.seed, arguments.run_every)
    began = time.perf_counter()
    found = fuzzer.findings(
        arguments.count, lambda number: print(f"{number:,}", file=sys.stderr, flush=True)
    )
    print(f"{arguments.count:,} inputs, {time.perf_counter() - began:.0f} s: {fuzzer.outcomes}")
    never = sorted(set(_NAMES) - set(fuzzer.accepted_operations))
    print(f"accepted operations: {len(fuzzer.accepted_operations)}; never: {', '.join(never)}")
    for why, times in Counter(finding.why for finding in found).most_common(50):
        first = next(one for one in found if one.why == why)
        print(f"{times} × {why}; first is input {first.number}: {first.data[:2000].hex()[:4000]}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
