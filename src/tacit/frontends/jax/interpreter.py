"""Bodies computed equation by equation: at once in a session, or recorded when traced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tacit.errors import ProgramError, TacitError
from tacit.frontends.jax.body import Atom, Body, Equation, Literal, Variable
from tacit.frontends.jax.public import computed
from tacit.frontends.jax.rules import RULES, Call
from tacit.frontends.jax.values import is_secret

__all__ = ["Known", "evaluated"]


class Known:
    """The varying public values of one iteration of a loop, and those of the loops inside it.

    Attributes
    ----------
    values : mapping of Variable to array
    loops : mapping of Equation to Any
        What the loops inside need of theirs.
    """

    __slots__ = ("loops", "values")

    def __init__(self, values: Mapping[Variable, Any], loops: Mapping[Equation, Any]) -> None:
        self.values = values
        self.loops = loops


def evaluated(body: Body, arguments: Sequence[Any], known: Known | None = None) -> list[Any]:
    """The results of a body.

    Parameters
    ----------
    body : Body
        Its variables marked by ``find_secrets``.
    arguments : sequence
        Secret arrays and public ones; None for varying ones where `known` says what is needed.
    known : Known, optional
        Varying public values. Without it nothing varies, and all public values are there.

    Raises
    ------
    ProgramError
        A primitive is not supported, or not in this use (TC-1520 to TC-1523).
    """
    values: dict[Variable, Any] = dict(body.constants)
    values.update(zip(body.inputs, arguments, strict=True))
    if known is not None:
        values.update(known.values)

    def value(atom: Atom) -> Any:
        return atom.value if isinstance(atom, Literal) else values.get(atom)

    for equation in body.equations:
        if known is not None and equation.varying:
            continue
        operands = [value(atom) for atom in equation.operands]
        if any(map(is_secret, operands)) or (equation.primitive in _LOOPS and equation.secret):
            inner = None if known is None else known.loops.get(equation, ())
            found = _ruled(Call(equation, body, inner), operands)
        else:
            found = computed(equation, operands)
        values.update(zip(equation.results, found, strict=True))
    return [value(atom) for atom in body.outputs]


_LOOPS = frozenset({"scan", "while", "cond"})


def _ruled(call: Call, operands: Sequence[Any]) -> Sequence[Any]:
    equation = call.equation
    session = next((v.session for v in operands if is_secret(v)), None)
    if session is not None and hasattr(session, "note"):
        session.note = equation.function  # what a program says about its nodes
    try:
        found = RULES[equation.primitive](call, *operands)
    except ProgramError:
        raise
    except TacitError as error:
        if equation.source and equation.source not in error.message:
            error.message = f"{error.message} (JAX's {equation.primitive}, {equation.source})"
            error.args = (error.message,)
        raise
    return found if isinstance(found, list | tuple) else [found]
