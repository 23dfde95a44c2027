"""How the documentation is built: `make docs`. Warnings are errors."""

from __future__ import annotations

from importlib.metadata import version as installed_version
from typing import Any

project = "tacit"
author = "the tacit authors"
copyright = "the tacit authors, Apache-2.0"
release = version = installed_version("tacit")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
html_theme = "furo"
html_title = "tacit"
html_copy_source = False
myst_heading_anchors = 3

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
# Types in parameter lists are prose ("ndarray of uint64"), not names to link.
nitpicky = False


def _as_plain_text(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Keep |x| a magnitude: the docstrings use no substitutions."""
    lines[:] = [line.replace("|", "\\|") if "``" not in line else line for line in lines]


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _as_plain_text)
