"""How the documentation is built: `make docs`. Warnings are errors."""

from __future__ import annotations

import re
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
myst_enable_extensions = ["deflist"]
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


_STARRED = re.compile(r"(?<=[(\s])\*(?=\w+[,)])")


def _as_plain_text(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Keep |x| a magnitude and (*planes, *shape) a shape: neither is markup here."""
    for number, line in enumerate(lines):
        if "``" not in line:
            lines[number] = _STARRED.sub(r"\\*", line).replace("|", r"\|")


def _skip(app: Any, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Leave out what scikit-learn adds to every estimator."""
    return True if re.fullmatch(r"set_\w+_request", name) else None


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _as_plain_text)
    app.connect("autodoc-skip-member", _skip)
