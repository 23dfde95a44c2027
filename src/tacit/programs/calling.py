"""A whole program as one row of the operation table, so that every kind of session runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from tacit.operations.operation import Attributes, Operation, ResultValues
from tacit.operations.types import ArrayType, Operand, SecretValue
from tacit.programs.frames import Schedule, schedule_of
from tacit.programs.program import Program
from tacit.programs.running import graph_step
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["PROGRAM", "Code", "scheduled", "watched_program"]


class Code(Attributes, frozen=True):
    """The canonical bytes of a program."""

    program: bytes


@lru_cache(64)
def scheduled(data: bytes) -> tuple[Program, Schedule]:
    """A program from its bytes, checked, with its schedule."""
    program = Program.from_bytes(data)
    return program, schedule_of(program.main, program.bodies)


def _rule(types: Sequence[ArrayType], attributes: Code) -> tuple[ArrayType, ...]:
    program, _ = scheduled(attributes.program)
    return tuple(one for one in program.output_types if not one.public)


def _meaning(party: Party, operands: Sequence[Operand], attributes: Code) -> Step[ResultValues]:
    """The graph's step; its secret results."""
    _, schedule = scheduled(attributes.program)
    results = yield from graph_step(party, schedule, operands)
    return tuple(one for one in results if isinstance(one, SecretValue))


class _Program(Operation):
    """Operands reach the graph as they are: its nodes see to numbers without axes themselves."""

    __slots__ = ()

    def evaluate(
        self, party: Party, operands: Sequence[Operand], attributes: Any
    ) -> Step[tuple[SecretValue, ...]]:
        return self.meaning(party, operands, attributes)  # type: ignore[return-value]


PROGRAM = _Program("program", _rule, _meaning, Code, integers="bits")


def watched_program(over: Callable[[Step[Any]], Step[Any]]) -> Operation:
    """The same row with something around every step, such as a count of its rounds."""

    def meaning(party: Party, operands: Sequence[Operand], attributes: Code) -> Step[ResultValues]:
        return over(_meaning(party, operands, attributes))

    return _Program(PROGRAM.name, _rule, meaning, Code, integers="bits")
