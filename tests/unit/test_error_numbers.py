"""Every error number in the code has an entry in docs/errors.md, and every entry a use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tacit import errors
from tacit.errors import TacitError

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "tacit"
KINDS: dict[str, type[TacitError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, TacitError)
}

PASSED_ON = {"tables/schema.py: error.case", "tables/problems.py: violation.problem.case"}
"""Cases that another error or the table of problems already has."""


def calls(tree: ast.AST) -> Iterator[tuple[type[TacitError], ast.expr | None, ast.AST]]:
    """Every construction of an error: its kind, its case and the function around it."""
    for scope in [tree, *ast.walk(tree)]:
        if not isinstance(scope, ast.Module | ast.FunctionDef):
            continue
        for node in _own_nodes(scope):
            if isinstance(node, ast.Call):
                function = node.func
                name = function.id if isinstance(function, ast.Name) else ""
                if name in KINDS:
                    case = [k.value for k in node.keywords if k.arg == "case"]
                    yield KINDS[name], case[0] if case else None, scope


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.FunctionDef):
            yield node
            waiting.extend(ast.iter_child_nodes(node))


def constants(value: ast.expr, scope: ast.AST, tree: ast.Module) -> set[int]:
    """The integers that an expression for a case can be."""
    match value:
        case ast.Constant(value=int() as number):
            return {number}
        case ast.IfExp(body=one, orelse=other):
            return constants(one, scope, tree) | constants(other, scope, tree)
        case ast.Name(id=name):
            return _assigned(name, scope, tree) | _passed(name, scope, tree)
    return set()


def _assigned(name: str, scope: ast.AST, tree: ast.Module) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(scope):
        if not isinstance(node, ast.Assign):
            continue
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id == name:
            found |= constants(node.value, scope, tree)
        elif isinstance(target, ast.Tuple):
            for place, part in enumerate(target.elts):
                if isinstance(part, ast.Name) and part.id == name:
                    found |= _element(node.value, place, scope, tree)
    return found


def _element(value: ast.expr, place: int, scope: ast.AST, tree: ast.Module) -> set[int]:
    """An element of a tuple, or of every tuple of a table at the top of the module."""
    if isinstance(value, ast.Tuple):
        return constants(value.elts[place], scope, tree)
    if isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name):
        for node in tree.body:
            target = node.target if isinstance(node, ast.AnnAssign) else None
            if isinstance(node, ast.Assign):
                target = node.targets[0]
            if isinstance(target, ast.Name) and target.id == value.value.id:
                rows = node.value  # type: ignore[attr-defined]
                assert isinstance(rows, ast.Dict)
                return set().union(
                    *(constants(r.elts[place], tree, tree) for r in rows.values)  # type: ignore[attr-defined]
                )
    return set()


def _passed(name: str, scope: ast.AST, tree: ast.Module) -> set[int]:
    """What the module passes for a parameter."""
    if not isinstance(scope, ast.FunctionDef):
        return set()
    parameters = [argument.arg for argument in scope.args.args]
    if name not in parameters:
        return set()
    place = parameters.index(name)
    found: set[int] = set()
    for caller in ast.walk(tree):
        if not isinstance(caller, ast.FunctionDef):
            continue
        for node in _own_nodes(caller):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == scope.name
            ):
                given = [k.value for k in node.keywords if k.arg == name] or [node.args[place]]
                found |= constants(given[0], caller, tree)
    return found


def numbers_in_the_code() -> dict[str, set[str]]:
    """Every number, with the files that use it."""
    from tacit.tables.problems import Problem

    found: dict[str, set[str]] = {}
    for problem in Problem:
        found.setdefault(f"TC-{errors.DataError.base + problem.case}", set()).add(
            "tables/problems.py"
        )
    for file in sorted(SOURCE.rglob("*.py")):
        name = str(file.relative_to(SOURCE))
        if name == "errors.py":
            continue
        tree = ast.parse(file.read_text())
        for kind, case, scope in calls(tree):
            cases = {0} if case is None else constants(case, scope, tree)
            if not cases:
                place = f"{name}: {ast.unparse(case)}" if case is not None else name
                assert place in PASSED_ON, f"{place}: which numbers can this be?"
            for number in cases:
                found.setdefault(f"TC-{kind.base + number:04d}", set()).add(name)
    return found


def entries() -> list[str]:
    """The numbers of docs/errors.md, in order."""
    return re.findall(
        r"^(TC-\d{4})$", (ROOT / "docs" / "errors.md").read_text(), flags=re.MULTILINE
    )


def test_every_number_has_an_entry_and_every_entry_a_use() -> None:
    used = numbers_in_the_code()
    documented = set(entries())
    assert {n: f for n, f in used.items() if n not in documented} == {}
    assert documented - set(used) == set()


def test_entries_are_in_order_and_appear_once() -> None:
    numbers = entries()
    assert numbers == sorted(set(numbers))


def test_every_kind_of_error_is_in_the_page() -> None:
    page = (ROOT / "docs" / "errors.md").read_text()
    for name, kind in KINDS.items():
        assert name in page
        assert kind.base % 100 == 0


def test_every_error_says_what_to_do_next() -> None:
    silent = [
        f"{file.relative_to(SOURCE)}:{node.lineno}"
        for file in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in KINDS
        and node.func.id != "InternalError"
        and not any(keyword.arg == "next_step" for keyword in node.keywords)
    ]
    assert silent == []
