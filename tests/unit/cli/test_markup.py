"""Names of files, columns and parties are printed as they are: rich takes ``[red]`` for a colour.

And ``[/]`` for an error, after which nothing is printed at all. So whatever a command puts into
text that rich reads goes through ``escape``, or is a number, or a digest.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import tacit.cli

SOURCES = sorted(Path(tacit.cli.__file__).parent.rglob("*.py"))
READ = {"print", "add_row", "add_column"}
"""Methods of rich whose texts are read as markup."""

SAFE = {
    "digest", "short_digest", "fingerprint", "hex", "code", "short", "len", "escape", "literal",
    "days", "days_left", "edition", "minimum", "teachers", "epochs", "port", "_metrics_port",
    "created", "at", "headline",
}  # fmt: skip
"""Names, attributes and functions that give digits, our own words, or what is escaped."""

MARKUP = {"named", "gives", "error", "colour", "style", "mark", "indent", "title", "left", "since",
          "people", "by", "shape", "WARNING_POOLED"}  # fmt: skip
"""Local names for texts that are markup themselves, escaped where they are made."""


def _texts(tree: ast.AST) -> Iterator[ast.expr]:
    """What rich reads of a source."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        plain = any(
            k.arg == "markup" and getattr(k.value, "value", 1) is False for k in node.keywords
        )
        if isinstance(node.func, ast.Attribute) and node.func.attr in READ and not plain:
            yield from node.args
        if isinstance(node.func, ast.Name) and node.func.id == "Table":
            yield from (k.value for k in node.keywords if k.arg in ("title", "caption"))


def _is_safe(value: ast.expr) -> bool:
    match value:
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return name in SAFE
        case ast.IfExp(body=first, orelse=second) | ast.BinOp(left=first, right=second):
            return _is_safe(first) and _is_safe(second)
        case ast.Attribute(value=ast.Attribute(attr="dtype"), attr="name"):
            return True
        case ast.Attribute(attr=name):
            return name in SAFE
        case ast.Name(id=name):
            return name in SAFE | MARKUP or name.isupper() or name.strip("_").isupper()
    return isinstance(value, ast.Constant)


def _unescaped(text: ast.expr) -> Iterator[ast.expr]:
    for node in ast.walk(text):
        if isinstance(node, ast.JoinedStr):
            for part in node.values:
                put_in = isinstance(part, ast.FormattedValue) and part.format_spec is None
                if put_in and not _is_safe(part.value):
                    yield part.value


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_what_is_put_into_markup_is_escaped(source: Path) -> None:
    tree = ast.parse(source.read_text())
    found = {
        f"{source.name}:{value.lineno}: {ast.unparse(value)}"
        for text in _texts(tree)
        for value in _unescaped(text)
    }
    assert not found, "\n".join(sorted(found))
