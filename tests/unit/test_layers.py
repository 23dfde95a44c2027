"""Rules on imports that the linter of layers cannot see: the extension and the package itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "tacit"
NATIVE = {"kernels", "network"}
"""The packages that may import the native extension."""


def imports() -> Iterator[tuple[Path, str, str]]:
    """File, module and name of every absolute import of tacit below the top level."""
    for file in sorted(SOURCE.rglob("*.py")):
        if file.parent == SOURCE:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file}: relative import"
                for alias in node.names:
                    yield file, node.module or "", alias.name
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    yield file, alias.name, ""


def test_only_kernels_and_network_import_the_extension() -> None:
    found = {
        file.relative_to(SOURCE).parts[0]
        for file, module, name in imports()
        if module.startswith("tacit._native") or (module, name) == ("tacit", "_native")
    }
    assert found
    assert found <= NATIVE


def test_nothing_below_the_top_takes_names_from_the_top() -> None:
    def is_module(name: str) -> bool:
        return name == "_native" or (SOURCE / name).is_dir() or (SOURCE / f"{name}.py").is_file()

    above = {
        f"{file.relative_to(SOURCE)}: {name or 'tacit'}"
        for file, module, name in imports()
        if module == "tacit" and not is_module(name)
    }
    assert not above


def test_every_package_says_what_it_is() -> None:
    silent = {
        str(package.relative_to(SOURCE))
        for package in sorted(SOURCE.rglob("__init__.py"))
        if not ast.get_docstring(ast.parse(package.read_text()))
    }
    assert not silent
