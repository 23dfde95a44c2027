"""A function as JAX traced it, in the few terms that the rules need.

Jaxprs change their form between versions of JAX; everything behind ``reading.py`` sees these
classes only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Atom", "Body", "Equation", "Literal", "Variable", "atom_shape", "walk"]


@dataclass(eq=False, slots=True)
class Variable:
    """A value that an equation computes, or that comes in.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
        NumPy's, or one of JAX's own (keys of random number generators).
    secret : bool
        Whether it depends on a secret; see ``secrecy.py``.
    varying : bool
        Whether it is public, and another value in every iteration of a loop.
    """

    shape: tuple[int, ...]
    dtype: Any
    secret: bool = False
    varying: bool = False


@dataclass(eq=False, slots=True)
class Literal:
    """A public value that is written in the text of the function."""

    value: NDArray[Any]


Atom: TypeAlias = Variable | Literal
Evaluate: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]


@dataclass(eq=False, slots=True)
class Equation:
    """A primitive of JAX applied to values.

    Attributes
    ----------
    primitive : str
        Its name.
    operands : list of Variable or Literal
    results : list of Variable
    parameters : mapping
        As JAX has them.
    bodies : tuple of Body
        The functions that it calls: the body of a loop, the branches of a choice.
    evaluate : callable
        Computes the results in the clear from public operands; JAX can trace it.
    source : str
        The line of the function that it comes from; empty where JAX does not tell.
    function : str
        The function that it comes from, by name.
    """

    primitive: str
    operands: list[Atom]
    results: list[Variable]
    parameters: Mapping[str, Any]
    bodies: tuple[Body, ...] = ()
    evaluate: Evaluate | None = None
    source: str = ""
    function: str = ""

    @property
    def secret(self) -> bool:
        """Whether a secret goes in."""
        return any(isinstance(atom, Variable) and atom.secret for atom in self.operands)

    @property
    def varying(self) -> bool:
        """Whether it is public, and computes something else in every iteration of a loop."""
        return not self.secret and any(
            isinstance(atom, Variable) and atom.varying for atom in self.operands
        )


@dataclass(eq=False, slots=True)
class Body:
    """Equations in an order in which they can be computed."""

    inputs: list[Variable]
    constants: dict[Variable, Any]
    equations: list[Equation]
    outputs: list[Atom]
    producers: dict[Variable, Equation] = field(default_factory=dict)

    def index(self) -> None:
        """Note again which equation computes which variable."""
        self.producers = {v: eqn for eqn in self.equations for v in eqn.results}

    def producer(self, atom: Atom, primitive: str = "") -> Equation | None:
        """The equation that computes a value, if there is one, of this primitive where named."""
        found = self.producers.get(atom) if isinstance(atom, Variable) else None
        return found if found is not None and primitive in ("", found.primitive) else None

    def consumers(self, variable: Variable) -> list[Equation]:
        """The equations that a value goes into."""
        return [eqn for eqn in self.equations if any(atom is variable for atom in eqn.operands)]

    def leaves(self, variable: Variable) -> bool:
        """Whether a value is one of the results."""
        return any(atom is variable for atom in self.outputs)


def atom_shape(atom: Atom) -> tuple[int, ...]:
    """The shape of a value."""
    return atom.shape if isinstance(atom, Variable) else np.shape(atom.value)


def walk(body: Body) -> Iterator[tuple[Body, Equation]]:
    """All equations, those within loops and choices included, each with the body it stands in."""
    for equation in body.equations:
        yield body, equation
        for inner in equation.bodies:
            yield from walk(inner)
