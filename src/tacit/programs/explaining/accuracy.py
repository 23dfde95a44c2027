"""The stated errors of a program's operations, as docs/accuracy.md has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tacit.functions.accuracy import ACCURACY, FINE
from tacit.operations.types import ArrayType
from tacit.programs.inference import CheckedNode
from tacit.programs.program import Program

__all__ = ["Approximation", "accuracy_of", "approximations_of"]

_FINE_BITS: Final = 25

_COMPOSED: Final = {
    "logistic_step": "its sigmoid",
    "mlp_step": "its activations",
    "mlp_forward": "its activations",
    "solve": "the products and roots inside",
    "lstsq": "the products and roots inside",
    "inv": "the products and roots inside",
    "cholesky": "the products and roots inside",
    "det": "the products and roots inside",
    "leading_eigenvectors": "the products and roots inside, and the rounds it is given",
    "var": "the products inside",
    "interp": "2 units in the last place, and the rounding of its breakpoints",
    "piecewise": "2 units in the last place, and the rounding of its breakpoints",
    "polyval": "a unit in the last place for each product",
}


class Approximation(Struct, frozen=True):
    """An operation whose results are not exact.

    Attributes
    ----------
    operation : str
    times : int
        In how many places of the program.
    computes, domain, error, outside : str
        What is computed, where the error holds, how large it is at most, and what happens
        elsewhere.
    """

    operation: str
    times: int
    computes: str
    domain: str
    error: str
    outside: str


def approximations_of(program: Program) -> tuple[Approximation, ...]:
    """The approximate operations of a program."""
    times: dict[tuple[str, int], int] = {}
    for checked in program.graphs():
        for node in checked.nodes:
            name = _name(node, [checked.types[v] for v in node.node.operands])
            if name:
                key = name, node.results[0].dtype.fraction_bits
                times[key] = times.get(key, 0) + 1
    return tuple(_stated(name, bits, often) for (name, bits), often in sorted(times.items()))


def accuracy_of(node: CheckedNode, operands: Sequence[ArrayType]) -> str:
    """The error of a node in words; empty where it is exact, or rounds by one unit at most."""
    name = _name(node, operands)
    return _stated(name, node.results[0].dtype.fraction_bits, 1).error if name else ""


def _name(node: CheckedNode, operands: Sequence[ArrayType]) -> str:
    """The approximate function that a node computes, if any."""
    name = node.node.operation
    if node.public or not operands:
        return ""
    if name == "divide":
        return name if not operands[1].public else ""
    if name == "pow":
        return "power" if not operands[1].public else "pow"
    return name if name in ACCURACY or name in _COMPOSED else ""


def _stated(name: str, bits: int, times: int) -> Approximation:
    table = FINE if bits >= _FINE_BITS and name in FINE else ACCURACY
    if name in table:
        one = table[name]
        return Approximation(name, times, one.formula, one.domain, one.text, one.outside)
    if name == "pow":
        error = "(n - 1) max(1, |x|)^(n - 1) units in the last place for a whole exponent n > 0"
        return Approximation(name, times, "x^n", "products stay in the encoding", error, "")
    return Approximation(name, times, name.replace("_", " "), "", f"that of {_COMPOSED[name]}", "")
