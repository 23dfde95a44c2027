"""`tacit.compare_plaintext`: is a program's fixed point good enough, and if not, where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.rings import ring_of
from tacit.errors import ProgramError
from tacit.frontends.comparing.comparison import Comparison, ProtocolErrors
from tacit.operations.promotion import public_array
from tacit.programs.graph import Input
from tacit.programs.program import Program
from tacit.protocols import protocol_named
from tacit.protocols.interface import Rounding
from tacit.rounds.randomness import SeededRandomness
from tacit.sessions.local import LocalSession
from tacit.sessions.session import checked_parties

__all__ = ["compare_plaintext"]


def compare_plaintext(
    program: Program,
    sample: Mapping[str, Any] | None = None,
    *,
    protocols: Sequence[str] | str = ("replicated3",),
    tolerance: float = 1e-3,
    ring: int | None = None,
    rounding: Rounding = "probabilistic",
    seed: int = 0,
) -> Comparison:
    """Run a program in float64 and under protocols' exact arithmetic, and compare every layer.

    Everything happens in this process, on shares that are opened after every operation: for data of
    one's own, or made up ones. It says nothing to anybody else.

    Parameters
    ----------
    program : Program
    sample : mapping of str to array_like, optional
        An array for each input. Without one, made-up numbers within each input's bounds; -1 to 1
        where there are none.
    protocols : str or sequence of str
        Whose arithmetic to compare.
    tolerance : float
        An error is above it where it is larger than ``tolerance * max(1, |float64|)``.
    ring : {64, 128}, optional
        By default the smallest with room for the program's types.
    rounding : {"probabilistic", "nearest", "exact"}
    seed : int
        Of the made-up numbers, and of the masks.

    Returns
    -------
    Comparison
        Print it: a table of layers, the first one above the tolerance, and what to do about it.

    Raises
    ------
    ProgramError
        A sample is missing or unknown (TC-1511), or has another shape than the input or none of its
        numbers (TC-1585); or the tolerance is no positive number (TC-1586).

    Notes
    -----
    A layer is an operation; in loops it is one row for all rounds. Its error against the run on
    float64 holds what the layers before it contributed; its error of its own does not. Booleans and
    integers count as numbers.

    Examples
    --------
    >>> program = tacit.trace(
    ...     lambda x: tacit.exp(x).sum(), tacit.ArraySpec((3,), owner="alice", bounds=(-1, 1))
    ... )
    >>> tacit.compare_plaintext(program).within
    True
    """
    if not 0 < tolerance < float("inf"):
        raise ProgramError(
            f"The tolerance {tolerance!r} is no positive number.",
            next_step="give the largest error that you accept, for instance 1e-3.",
            case=86,
        )
    rng = np.random.default_rng(seed)
    if sample is None:
        sample = {one.name: _made_up(one, rng) for one in program.inputs}
    given = [
        _fitting(one, value)
        for one, value in zip(program.inputs, program.named(sample), strict=True)
    ]
    names = (protocols,) if isinstance(protocols, str) else tuple(protocols)
    bits = ring or program.ring_bits
    exact: dict[str, Any] = {}
    found = []
    for name in names:
        errors, exact = _compared(program, given, name, tolerance, bits, rounding, seed)
        found.append(errors)
    return Comparison(program.name, tolerance, tuple(found), exact)


def _compared(
    program: Program,
    given: Sequence[NDArray[Any]],
    name: str,
    tolerance: float,
    bits: int,
    rounding: Rounding,
    seed: int,
) -> tuple[ProtocolErrors, dict[str, Any]]:
    # SciPy takes a while to import.
    from tacit.frontends.comparing.interpreting import Interpreter, Pair

    protocol, ring = protocol_named(name), ring_of(bits)
    session = LocalSession(
        protocol,
        checked_parties(protocol, None),
        SeededRandomness(seed),
        rounding=rounding,
        ring=ring,
    )
    with session:
        interpreter = Interpreter(session, program, tolerance)
        pairs = []
        for one, array in zip(program.inputs, given, strict=True):
            if one.type.public:
                pairs.append(Pair.known(public_array(array)))
                continue
            handle = session.share(
                array, session.parties[0], dtype=one.type.dtype, bounds=one.bounds
            )
            pairs.append(Pair(array, handle, interpreter.opened(handle)))
        results = interpreter.run(pairs)
    outputs, exact = {}, {}
    for output, pair in zip(program.outputs, results, strict=True):
        exact[output.name] = pair.exact
        apart = np.abs(pair.opened.astype(np.float64) - pair.exact.astype(np.float64))
        outputs[output.name] = float(np.nan_to_num(apart, nan=np.inf).max(initial=0.0))
    layers = tuple(interpreter.rows.values())
    errors = ProtocolErrors(name, layers, outputs, ring.most_fraction_bits, bits, tolerance)
    return errors, exact


def _made_up(one: Input, rng: np.random.Generator) -> NDArray[Any]:
    """Numbers within an input's bounds."""
    kind = one.type
    low, high = one.bounds or (-1, 1)
    if kind.dtype.kind == "bool":
        return rng.integers(0, 2, kind.shape).astype(np.bool_)
    if kind.dtype.kind == "int":
        least, most = kind.dtype.range or (-8, 8)
        low, high = one.bounds or (max(least, -8), min(most, 8))
        top = min(int(high), (1 << 62) - 1)
        return rng.integers(max(int(low), -(1 << 62)), top, kind.shape, endpoint=True)
    low, high = max(float(low), -(2.0**20)), min(float(high), 2.0**20)
    return rng.uniform(low, high, kind.shape)


def _fitting(one: Input, value: Any) -> NDArray[Any]:
    array = np.asarray(value)
    good = array.dtype.kind in "fiub" and array.shape == one.type.shape
    if not good:
        raise ProgramError(
            f"The sample for the input {one.name!r} has the shape {list(array.shape)} and the type"
            f" {array.dtype}; the program takes {one.type}.",
            next_step="give an array of numbers of that shape for each input, or no sample at all.",
            case=85,
        )
    if one.type.dtype.kind == "fixed":
        return array.astype(np.float64)
    return array if one.type.dtype.bits > 64 else array.astype(one.type.dtype.numpy)
