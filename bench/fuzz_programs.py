"""Hostile programs: ``python -m bench.fuzz_programs --count 1000000``.

Four kinds in turn: programs grown from random operations with random parameters, hostile ones
among them; good programs, at least one for every operation (``program_corpus.py``), with other
parameters and shapes; with some places of their structure replaced; and with damaged bytes. Each is
decoded. It must be refused with a ProgramError or be exactly the bytes that were read, in little
time and memory whatever its shapes say. Some that are accepted are analysed in all ways there are,
within the same time and memory, and small ones run: whatever comes of it, it is no error inside
tacit. Everything follows from ``--seed``.
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
from bench.program_corpus import corpus
from tacit.errors import InternalError, ProgramError, TacitError
from tacit.operations.arity import ARITY
from tacit.operations.table import OPERATIONS
from tacit.operations.types import ArrayType, public_type
from tacit.programs.control import CONTROL
from tacit.programs.form import MAGIC, ProgramForm
from tacit.programs.graph import Constant, Graph, Input, Node, Output, ValueType
from tacit.programs.inference import attributes_of, result_types
from tacit.programs.program import Program

__all__ = ["Finding", "Fuzzer"]

SLOW: Final = 1.0
"""Seconds of processor time after which a decoding counts as a hang."""

LONG: Final = 5.0
"""Seconds of processor time after which an analysis does."""

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
_LENGTHS: Final = (0, 0, 1, 2, 3, 4, 5, 7, 8, 1 << 20, 1 << 31, 1 << 40)
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
    analyse_every: int = 200
    outcomes: Counter[str] = field(default_factory=Counter)
    accepted_operations: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.corpus = [msgspec.msgpack.encode(program.form) for program in corpus()]
        self._accepted = 0

    def inputs(self, count: int) -> Iterator[bytes]:
        """Hostile bytes."""
        for number in range(count):
            match number % 5:
                case 0 | 1:
                    form = self._grown()
                case 2:
                    form = self._varied()
                case 3:
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
                print(f"{number}: {why}", file=sys.stderr, flush=True)
            if number % 10_000 == 0:
                report(number)
        return found

    def judge(self, data: bytes) -> str:
        """What is wrong with how an input was taken; empty if nothing is."""
        before, began = _memory(), time.process_time()
        program: Program | None = None
        try:
            signal.setitimer(signal.ITIMER_PROF, 10 * SLOW)
            program, why = self._decoded(data)
        except _Hang:
            why = "hangs"
        except Exception as error:
            why = f"{type(error).__name__} escapes: {_where(error)}"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        seconds, grew = time.process_time() - began, _memory() - before
        if not why and seconds > SLOW:
            why = f"takes {seconds:.1f} s"
        if not why and grew > GREW:
            why = f"takes {grew >> 20} MiB"
        if why or program is None:
            return why
        self._accepted += 1
        if self._accepted % self.analyse_every == 0:
            why = self._analysed(program)
        if not why and self._accepted % self.run_every == 0 and _is_small(program):
            why = self._run(program)
        return why

    def _analysed(self, program: Program) -> str:
        """Whatever is asked about an accepted program is answered, or refused, soon."""
        for name, analysis in _ANALYSES.items():
            if name == "plan" and not _is_planned_soon(program):
                continue
            before, began = _memory(), time.process_time()
            try:
                signal.setitimer(signal.ITIMER_PROF, 2 * LONG)
                analysis(program)
            except InternalError as error:
                return f"{name} runs into an internal error: {_where(error)}"
            except TacitError as error:
                self.outcomes[f"{name} {error.code}"] += 1
            except _Hang:
                return f"{name} hangs"
            except Exception as error:
                return f"{name} runs into {type(error).__name__}: {_where(error)}"
            else:
                self.outcomes[name] += 1
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            if time.process_time() - began > LONG:
                return f"{name} takes {time.process_time() - began:.1f} s"
            if _memory() - before > GREW:
                return f"{name} takes {_memory() - before >> 20} MiB"
        return ""

    def _decoded(self, data: bytes) -> tuple[Program | None, str]:
        try:
            program = Program.from_bytes(data)
        except ProgramError as error:
            self.outcomes[error.code] += 1
            return None, "" if error.next_step else "an error without a next step"
        self.outcomes["accepted"] += 1
        for name in program.operations:
            self.accepted_operations[name] += 1
        if program.canonical != data:
            return None, "accepted, and its bytes are others"
        repr(program)
        return program, ""

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

    def _varied(self) -> bytes:
        """A good program with another parameter, or another shape, that may still fit."""
        random = self.random
        version, name, main, *rest = msgspec.msgpack.decode(random.choice(self.corpus))
        inputs, constants, nodes, results = main
        for _ in range(random.choice((1, 1, 2, 3))):
            node = random.choice(nodes)
            if inputs and random.random() < 0.5:
                shape = random.choice(inputs)[1][4]
                self._vary(shape, _LENGTHS)
            else:
                fields = msgspec.msgpack.decode(node[2])
                self._vary(fields, (*_INTEGERS, *_HOSTILE))
                node[2] = msgspec.msgpack.encode(fields)
        return msgspec.msgpack.encode([version, name, [inputs, constants, nodes, results], *rest])

    def _vary(self, place: Any, numbers: Sequence[int]) -> None:
        """Change one number, flag or choice anywhere inside; or the length of a list."""
        random = self.random
        keys = list(place) if isinstance(place, dict) else range(len(place))
        if isinstance(place, list) and (not place or random.random() < 0.1):
            place.insert(0, random.choice(numbers))
            return
        if not keys:
            return
        key = random.choice(list(keys))
        old = place[key]
        if isinstance(old, list | dict) and old:
            self._vary(old, numbers)
        elif isinstance(old, bool):
            place[key] = not old
        elif isinstance(old, int):
            near = (old + 1, old - 1, 2 * old) if abs(old) < 1 << 60 else ()
            place[key] = random.choice((*near, *numbers))
        elif isinstance(old, float):
            place[key] = random.choice((*_FLOATS, *_HOSTILE_FLOATS))
        elif old is None:
            place[key] = random.choice((0, 1, -1, [0], [0, 1], True))
        elif isinstance(place, list) and len(place) > 1:
            del place[key]

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


def _is_small(program: Program) -> bool:
    if {"fori", "scan", "while"} & program.operations:
        return False
    return all(prod(t.shape) <= 1000 for graph in program.graphs() for t in graph.types)


_ANALYSES: Final[dict[str, Callable[[Program], Any]]] = {
    "text": lambda program: program.text(),
    "draw": lambda program: program.draw(),
    "explain": lambda program: str(program.explain()),
    "bounds": lambda program: str(program.bounds()),
    "check": lambda program: program.check(strict=False),
    "optimize": lambda program: program.optimize(),
    "plan": lambda program: program.plan("replicated3", seconds=False),
}


def _is_planned_soon(program: Program) -> bool:
    """A plan goes through the orders of a sort, of as many elements as there are."""
    return all(prod(t.shape) <= 1 << 16 for graph in program.graphs() for t in graph.types)


class _Hang(BaseException):
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
    parser.add_argument("--analyse-every", type=int, default=200, help="analyse each so-manieth")
    arguments = parser.parse_args()
    limit = arguments.memory << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGPROF, _alarm)
    fuzzer = Fuzzer(arguments.seed, arguments.run_every, arguments.analyse_every)
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
