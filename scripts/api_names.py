"""Write the lists of names in docs/api.md: everything that people type, with a line about each.

Run `python scripts/api_names.py`; `tests/unit/test_api_page.py` compares the page with what this
module gives.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tacit
import tacit.ml

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
BEGIN, END = "<!-- names -->\n", "<!-- end of names -->"

STARTING = ("local", "Computation", "SecretArray", "Cost", "Uses", "SecurityModel")
PROGRAMS = ("trace", "from_jax", "from_onnx", "onnx_weights", "ArraySpec", "Program",
            "compare_plaintext", "NetworkSettings")  # fmt: skip
NO_OBJECTS = {
    "fixed, fixed_point(bits)": "fixed-point numbers with 18 fractional bits, or with others",
    "int8, int16, int32, int64, int128, uint8, uint16, uint32": "integers",
    "bool": "booleans",
    "DType": "what those are",
    "LOOPBACK, LAN, METRO, WAN": "networks for `Program.plan`",
    "e, pi, inf, nan, newaxis": "the constants of the array API standard; `inf` and `nan` are no"
    " secrets",
    "linalg, errors, ml": "below; `tacit.ml` is imported by its name",
}
"""Names of values: there is nothing to link."""

TITLES = {
    "contraction": "Einstein's sums",
    "control": "Loops and branches",
    "elementwise": "Functions of numbers",
    "linear_algebra": "Products of vectors and matrices",
    "neural": "Layers of networks",
    "refused": "Refused, with the reason",
}
"""Titles of groups whose modules are called otherwise than people would look for."""


def summary(thing: Any) -> str:
    """The first paragraph of a docstring, as Markdown."""
    text = inspect.getdoc(thing) or ""
    first = " ".join(text.split("\n\n")[0].split())
    plain = re.sub(r":\w+:`~?([^`<]+?)(?: <[^>]*>)?`", r"`\1`", first).replace("``", "`")
    return plain.replace("|", r"\|").replace("*", r"\*")


def place(thing: Any, name: str) -> str:
    """Where the reference describes it."""
    module = getattr(thing, "__module__", None) or "tacit"
    return f"{module}.{getattr(thing, '__qualname__', name)}"


def lines(things: Mapping[str, Any], prefix: str) -> list[str]:
    """A table of names."""
    rows = [
        f"| {{py:obj}}`{prefix}{name} <{place(thing, name)}>` | {summary(thing)} |"
        for name, thing in things.items()
    ]
    return ["| name | |", "|---|---|", *rows, ""]


def members(kind: type) -> dict[str, Any]:
    """The public methods and properties of a class, its own and those of its parents."""
    found = {}
    for name in dir(kind):
        thing = inspect.getattr_static(kind, name)
        if name.startswith("_") or not inspect.getdoc(getattr(kind, name)):
            continue
        if isinstance(thing, property):
            thing = thing.fget
        elif isinstance(thing, classmethod | staticmethod):
            thing = thing.__func__
        elif hasattr(thing, "func"):  # a cached property
            thing = thing.func
        if inspect.isfunction(thing):
            found[name] = thing
    return found


def groups() -> dict[str, dict[str, Any]]:
    """Array functions by the module that they are in."""
    found: dict[str, dict[str, Any]] = {}
    known = {*STARTING, *PROGRAMS}
    for name in tacit.__all__:
        thing = getattr(tacit, name)
        if name in known or name.startswith("_") or not callable(thing):
            continue
        module = getattr(thing, "__module__", "")
        if module.startswith("tacit.arrays"):
            found.setdefault(module.rpartition(".")[2], {})[name] = thing
    return dict(sorted(found.items()))


def named(names: Iterable[str], module: Any) -> dict[str, Any]:
    """Some of a module's names."""
    return {name: getattr(module, name) for name in names}


def listing() -> str:
    """All lists."""
    parts = ["## Start", "", *lines(named(STARTING, tacit), "tacit.")]
    parts += ["### Methods of a computation", "", *lines(members(tacit.Computation), "")]
    parts += ["### Methods of a secret array", "", *lines(members(tacit.SecretArray), "")]
    parts += ["## Programs and front-ends", "", *lines(named(PROGRAMS, tacit), "tacit.")]
    parts += ["### Methods of a program", "", *lines(members(tacit.Program), "")]
    parts += ["## Types and constants", "", "| name | |", "|---|---|"]
    parts += [*(f"| `{name}` | {what} |" for name, what in NO_OBJECTS.items()), ""]
    parts += ["## Array functions", ""]
    for module, things in groups().items():
        title = TITLES.get(module, module.replace("_", " ").capitalize())
        parts += [f"### {title}", "", *lines(things, "tacit.")]
    parts += ["## Linear algebra", ""]
    parts += lines(named(tacit.linalg.__all__, tacit.linalg), "tacit.linalg.")
    parts += ["## Estimators", "", *lines(named(tacit.ml.__all__, tacit.ml), "tacit.ml.")]
    parts += ["## Errors", "", *lines(named(tacit.errors.__all__, tacit.errors), "tacit.errors.")]
    return "\n".join(parts)


def page() -> str:
    """The page with the lists between its markers."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{listing()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page())
