"""`tacit.from_jax`: a function of JAX becomes a program."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from tacit.arrays.array import SecretArray
from tacit.encoding.types import DType, fixed
from tacit.errors import ProgramError
from tacit.frontends.spec import recipients
from tacit.frontends.tracing import TracingSession
from tacit.operations.promotion import public_array
from tacit.programs.program import Program
from tacit.sessions.recording import recording

if TYPE_CHECKING:
    from tacit.frontends.jax.importing import Imported

__all__ = ["Recipients", "from_jax"]

Recipients: TypeAlias = str | Sequence[str] | Mapping[str, Any] | None


def from_jax(
    function: Callable[..., Any],
    /,
    *specs: Any,
    to: Recipients = "all",
    names: Sequence[str] | None = None,
    name: str | None = None,
    fractions: DType = fixed,
    ring: int = 64,
    **named: Any,
) -> Program:
    """Make a program from a function of JAX, without any data.

    Parameters
    ----------
    function : callable
        Whatever ``jax.make_jaxpr`` accepts: with ``jax.grad``, ``vmap``, ``lax.scan``, optimisers,
        models of Equinox or Flax inside. Returns an array or a tree of arrays.
    *specs, **named : ArraySpec, array_like, or trees of them
        Its arguments. An :class:`~tacit.ArraySpec` is an input of the program. Arrays and numbers
        are public, and become part of the program; anything else (functions, strings, None) is
        passed on as it is, as JAX treats static arguments.
    to : str, sequence of str, None, or mapping of output names to those
        Who learns the outputs; None leaves them secret, in the session. In a mapping the name of a
        part of the result stands for all that is in it.
    names : sequence of str, optional
        Names of the outputs, in the order of ``jax.tree.leaves``. By default the places in the
        result: ``output``, ``output0``, ``loss``, ``params.layers.0.weight``.
    name : str, optional
        The program's; the function's by default.
    fractions : DType
        The fixed point of floats inside.
    ring : {64, 128}
        The ring whose limits the declared bounds are held against.

    Returns
    -------
    Program

    Raises
    ------
    ProgramError
        JAX is not installed (TC-1524); primitives without a meaning on secrets, all of them named
        (TC-1520); one that is supported, but not so (TC-1521 to TC-1523); arguments or outputs that
        do not fit (TC-1517, TC-1518).
    RangeError
        An operation could wrap within the declared bounds; the message names it.

    Notes
    -----
    Everything that does not depend on an input is computed here, by JAX, loops included: random
    numbers from public keys, orders of batches, schedules. Loops stay loops, whatever their length.
    Floats are fixed point, with the accuracy that ``docs/accuracy.md`` states; ``int32`` is carried
    with 64 bits. ``docs/jax.md`` lists what each primitive becomes.

    Examples
    --------
    >>> import jax, tacit
    >>> program = tacit.from_jax(
    ...     lambda x, y: jax.nn.sigmoid(x @ y),
    ...     tacit.ArraySpec((5, 3), owner="alice", bounds=(-8, 8)),
    ...     tacit.ArraySpec((3,), owner="bob", bounds=(-8, 8)),
    ... )
    """
    _require_jax()
    from tacit.frontends.jax import arguments as given
    from tacit.frontends.jax.importing import imported

    bound = _bound(function, specs, named)
    call = given.described(function, bound)
    found = imported(call.function, call.shapes, [True] * len(call.inputs))
    session = TracingSession(fractions, ring)
    with recording(session):
        handles = [
            SecretArray(session, session.begin(key, spec.type, spec.owner, spec.bounds))
            for key, spec in call.inputs.items()
        ]
        results = _computed(found, handles)
    keys = _output_names(given.places(found.results), names)
    learn = _recipients(keys, to)
    label = getattr(function, "__name__", "") if name is None else name
    outputs = [
        (key, value.reference if isinstance(value, SecretArray) else public_array(value), who)
        for key, value, who in zip(keys, results, learn, strict=True)
    ]
    return session.program(outputs, "" if label == "<lambda>" else label)


def _computed(found: Imported, handles: Sequence[Any]) -> list[Any]:
    from tacit.frontends.jax.interpreter import evaluated
    from tacit.frontends.jax.values import plain

    return [plain(value) for value in evaluated(found.body, handles)]


def _require_jax() -> None:
    try:
        import jax  # noqa: F401
    except ImportError as error:
        raise ProgramError(
            "tacit.from_jax needs JAX, which is not installed here.",
            next_step="install it with pip install 'tacit[jax]'. Who only runs programs does not"
            " need it.",
            case=24,
        ) from error


def _bound(
    function: Callable[..., Any], specs: Sequence[Any], named: Mapping[str, Any]
) -> inspect.BoundArguments | None:
    """The arguments by the names of the function's parameters; None where it tells none."""
    try:
        signature = inspect.signature(function)
    except ValueError:
        return inspect.Signature(
            [inspect.Parameter(f"x{i}", inspect.Parameter.POSITIONAL_ONLY)
             for i in range(len(specs))]
        ).bind(*specs)  # fmt: skip
    try:
        return signature.bind(*specs, **named)
    except TypeError as error:
        raise ProgramError(
            f"The arguments do not fit the function: {error}.",
            next_step="give one ArraySpec, or one tree of them, for each of its parameters.",
            case=17,
        ) from None


def _output_names(places: Sequence[str], names: Sequence[str] | None) -> list[str]:
    if names is None:
        keys = list(places)
    else:
        keys = [names] if isinstance(names, str) else [str(each) for each in names]
    if not places or len(keys) != len(places) or len(set(keys)) != len(keys):
        raise ProgramError(
            f"The function gives {len(places)} arrays, and {len(set(keys))} different names stand"
            " for them.",
            next_step=f"return at least one array, and give one name for each: {', '.join(places)}."
            if places
            else "return at least one array.",
            case=18,
        )
    return keys


def _recipients(keys: Sequence[str], to: Recipients) -> list[tuple[str, ...]]:
    if not isinstance(to, Mapping):
        return [recipients(to)] * len(keys)
    used: set[str] = set()
    found = []
    for key in keys:
        parts = key.split(".")
        prefixes = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
        named = next((prefix for prefix in prefixes if prefix in to), None)
        if named is None:
            raise _unnamed(key, keys)
        used.add(named)
        found.append(recipients(to[named]))
    for key in to:
        if key not in used:
            raise _unnamed(key, keys)
    return found


def _unnamed(key: str, keys: Sequence[str]) -> ProgramError:
    return ProgramError(
        f"`to` and the outputs differ about {key!r}.",
        next_step=f"name recipients for each of: {', '.join(keys)}.",
        case=18,
    )
