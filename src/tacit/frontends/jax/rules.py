"""What the primitives of JAX mean on secret arrays: a register, filled by the modules beside it.

A rule takes a :class:`Call` and its operands: secret arrays, or public ones (NumPy's, or JAX's
keys); at least one is secret. It is written in functions of ``tacit``, so the same text computes at
once in a session and records a program when traced. It gives one result, or a list of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from tacit.errors import ProgramError
from tacit.frontends.jax.body import Body, Equation

__all__ = ["REFUSED", "RULES", "Call", "Rule", "advised", "rule"]


@dataclass(frozen=True, slots=True)
class Call:
    """An equation in the body that it stands in."""

    equation: Equation
    body: Body
    known: Any = None
    """The varying values that a loop inside a loop needs."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its first result."""
        return self.equation.results[0].shape

    @property
    def dtype(self) -> Any:
        """JAX's type of its first result."""
        return self.equation.results[0].dtype

    @property
    def place(self) -> str:
        """The primitive and its line, for errors."""
        source = self.equation.source
        return f"{self.equation.primitive} ({source})" if source else self.equation.primitive

    def __getitem__(self, name: str) -> Any:
        return self.equation.parameters[name]


Rule: TypeAlias = Callable[..., Any]

RULES: dict[str, Rule] = {}
"""The rules by name of the primitive."""

REFUSED: dict[str, str] = {
    "while": "how often a loop with a secret condition runs would show; loop a public number of"
    " times and keep what shall stay with jnp.where",
    "bitcast_convert_type": "secret numbers are fixed point: there are no bits of a float",
    "nextafter": "secret numbers are fixed point: their neighbours are not those of a float",
    "complex": "there are no complex secrets; keep real and imaginary parts apart",
    "fft": "there are no complex secrets; multiply by a public matrix of cosines and sines",
    "eig": "eigenvalues of a general matrix are complex",
    "all_gather": "a program runs on one logical device",
    "all_to_all": "a program runs on one logical device",
    "axis_index": "a program runs on one logical device",
    "pmax": "a program runs on one logical device",
    "pmin": "a program runs on one logical device",
    "ppermute": "a program runs on one logical device",
    "psum": "a program runs on one logical device",
    "ragged_all_to_all": "a program runs on one logical device",
    "conj": "there are no complex secrets; keep real and imaginary parts apart",
    "real": "there are no complex secrets; keep real and imaginary parts apart",
    "imag": "there are no complex secrets; keep real and imaginary parts apart",
    "get": "references that change; carry arrays through loops instead",
    "swap": "references that change; carry arrays through loops instead",
    "pure_callback": "a program is data: it cannot call Python",
    "io_callback": "a program is data: it cannot call Python",
    "debug_callback": "a program is data: it cannot call Python, and a secret is not printed",
    "random_seed": "a secret cannot seed a public generator; use a public key",
    "random_wrap": "a secret cannot seed a public generator; use a public key",
    "random_bits": "a secret cannot seed a public generator; use a public key",
    "random_gamma": "its parameter is secret, and how often it draws depends on that",
    "random_split": "a secret cannot seed a public generator; use a public key",
    "random_fold_in": "a secret cannot seed a public generator; use a public key",
    "threefry2x32": "a secret cannot seed a public generator; use a public key",
    "rng_bit_generator": "a secret cannot seed a public generator; use a public key",
    "rng_uniform": "its bounds are secret: draw in [0, 1) and scale",
}
"""Why some primitives have no meaning on secrets, whatever is built."""


def rule(*primitives: str) -> Callable[[Rule], Rule]:
    """Register the meaning of primitives."""

    def register(function: Rule) -> Rule:
        for primitive in primitives:
            RULES[primitive] = function
        return function

    return register


def advised(call: Call, message: str, next_step: str) -> ProgramError:
    """The error of a primitive that is supported, but not in this use (TC-1522)."""
    return ProgramError(
        f"{call.place}: {message}", next_step=next_step, case=22, stage=call.equation.primitive
    )
