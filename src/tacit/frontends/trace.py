"""`tacit.trace`: a NumPy-style function over secret arrays becomes a program."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from tacit.arrays.array import SecretArray
from tacit.encoding.types import DType, fixed
from tacit.errors import ProgramError
from tacit.frontends.spec import ArraySpec, recipients
from tacit.frontends.tracing import TracingSession
from tacit.operations.promotion import public_array
from tacit.programs.program import Program
from tacit.sessions.handles import Handle
from tacit.sessions.recording import recording

__all__ = ["To", "outputs_of", "trace"]

To: TypeAlias = str | Sequence[str] | Mapping[str, str | Sequence[str] | None] | None


def trace(
    function: Callable[..., Any],
    /,
    *specs: ArraySpec,
    to: To = "all",
    name: str | None = None,
    fractions: DType | Literal["auto"] = fixed,
    ring: int | Literal["auto"] = 64,
    **named: ArraySpec,
) -> Program:
    """Make a program from a function, without any data.

    Parameters
    ----------
    function : callable
        Called once, with secret arrays that have shapes and types and no values. Returns an array,
        a sequence of arrays (``output0``, ``output1``, …) or a mapping of names to arrays.
    *specs, **named : ArraySpec
        Its arguments.
    to : str, sequence of str, None, or mapping of output names to those
        Who learns the outputs; None leaves them secret, in the session.
    name : str, optional
        The function's name by default.
    fractions : DType or "auto"
        The fixed point of floats inside; "auto" takes the finest that is shown to fit
        (:meth:`Program.fit`).
    ring : {64, 128, "auto"}
        The ring whose limits the declared bounds are held against. "auto" is the first of 64 and
        128 that holds the program, if `fractions` is, too.

    Returns
    -------
    Program

    Raises
    ------
    ProgramError
        Arguments that do not fit (TC-1517), an array of another session (TC-1513), an output that
        is no array (TC-1518).
    RangeError
        An operation could wrap within the declared bounds; the message names it.

    Notes
    -----
    Python's own ``if``, ``for`` and ``while`` run while the function is traced, on shapes and other
    public facts: a loop of 100 rounds becomes 100 copies. :func:`tacit.fori_loop`,
    :func:`tacit.scan`, :func:`tacit.while_loop` and :func:`tacit.cond` become one node each.

    Examples
    --------
    >>> program = tacit.trace(
    ...     lambda x, y: (x * y).sum(),
    ...     tacit.ArraySpec((3,), owner="alice", bounds=(-8, 8)),
    ...     tacit.ArraySpec((3,), owner="bob", bounds=(-8, 8)),
    ... )
    """
    if fractions == "auto":
        rings = (64, 128) if ring == "auto" else (ring,)
        plain = trace(function, *specs, to=to, name=name, fractions=fixed, ring=max(rings), **named)
        return plain.fit(rings=rings).program
    session = TracingSession(fractions, 128 if ring == "auto" else ring)
    arguments = _arguments(function, specs, named)
    with recording(session):
        given = {
            key: SecretArray(
                session, session.begin(spec.name or key, spec.type, spec.owner, spec.bounds)
            )
            for key, spec in arguments.items()
        }
        positional = [given[key] for key in list(given)[: len(specs)]]
        result = function(*positional, **{key: given[key] for key in named})
    label = getattr(function, "__name__", "") if name is None else name
    return session.program(outputs_of(result, to), "" if label == "<lambda>" else label)


def outputs_of(result: Any, to: To) -> list[tuple[str, Handle, tuple[str, ...]]]:
    """What a function gave, as named outputs with their recipients.

    Raises
    ------
    ProgramError
        Not arrays (TC-1518), or recipients of an output that is not there.
    """
    if isinstance(result, Mapping):
        arrays = {str(key): value for key, value in result.items()}
    elif isinstance(result, tuple | list):
        arrays = {f"output{place}": value for place, value in enumerate(result)}
    else:
        arrays = {"output": result}
    if isinstance(to, Mapping):
        missing = [key for key in arrays if key not in to] + [
            key for key in to if key not in arrays
        ]
        if missing:
            raise ProgramError(
                f"`to` and the outputs differ about {missing[0]!r}.",
                next_step=f"name recipients for each of: {', '.join(arrays)}.",
                case=18,
            )
        each = {key: recipients(to[key]) for key in arrays}
    else:
        each = dict.fromkeys(arrays, recipients(to))
    if not arrays:
        raise _no_array("nothing")
    return [(key, _handle(value), each[key]) for key, value in arrays.items()]


def _handle(value: Any) -> Handle:
    if isinstance(value, SecretArray):
        return value.reference
    if value is None or isinstance(value, str | bytes | Mapping):
        raise _no_array(type(value).__name__)
    return public_array(value)


def _no_array(what: str) -> ProgramError:
    return ProgramError(
        f"The function gives {what} where an array is expected.",
        next_step="return an array, a tuple of arrays, or a dictionary of arrays by name.",
        case=18,
    )


def _arguments(
    function: Callable[..., Any], specs: Sequence[ArraySpec], named: Mapping[str, ArraySpec]
) -> dict[str, ArraySpec]:
    for spec in (*specs, *named.values()):
        if not isinstance(spec, ArraySpec):
            raise ProgramError(
                f"An argument is described by a {type(spec).__name__}.",
                next_step="describe each by a tacit.ArraySpec: shape, dtype, owner, bounds.",
                case=17,
            )
    try:
        bound = inspect.signature(function).bind(*specs, **named)
    except TypeError as error:
        raise ProgramError(
            f"The arguments do not fit the function: {error}.",
            next_step="give one ArraySpec for each of its parameters.",
            case=17,
        ) from None
    except ValueError:  # no signature, as of some built-in functions
        return {f"x{place}": spec for place, spec in enumerate(specs)} | dict(named)
    flat: dict[str, ArraySpec] = {}
    for key, value in bound.arguments.items():
        if isinstance(value, ArraySpec):
            flat[key] = value
        elif isinstance(value, tuple):
            flat.update({f"{key}{place}": spec for place, spec in enumerate(value)})
        else:
            flat.update(value)
    return flat
