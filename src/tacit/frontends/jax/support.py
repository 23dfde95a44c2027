"""Which primitives are supported, and the error that names all that are not."""

from __future__ import annotations

from tacit.errors import ProgramError
from tacit.frontends.jax.body import Body, walk
from tacit.frontends.jax.rules import REFUSED, RULES

__all__ = ["require_supported"]


def require_supported(body: Body) -> None:
    """Refuse a function with primitives that have no meaning on secrets here.

    Raises
    ------
    ProgramError
        Names all of them, with their lines (TC-1520).
    """
    found: dict[str, list[str]] = {}
    for _, equation in walk(body):
        if equation.secret and equation.primitive not in RULES:
            found.setdefault(equation.primitive, []).append(equation.source)
    if not found:
        return
    lines = "; ".join(_line(name, sources) for name, sources in sorted(found.items()))
    raise ProgramError(
        f"The function uses {len(found)} of JAX's primitives that are not supported on secrets:"
        f" {lines}.",
        next_step="compute these parts on public values, or write them with primitives that"
        " docs/jax.md lists as supported.",
        case=20,
        stage="from_jax",
    )


def _line(name: str, sources: list[str]) -> str:
    places = [source for source in dict.fromkeys(sources) if source]
    where = f" at {', '.join(places[:3])}" if places else ""
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    why = f" ({REFUSED[name]})" if name in REFUSED else ""
    return f"{name}{where}{more}{why}"
