"""docs/jax.md lists what there is."""

from __future__ import annotations

import runpy
from pathlib import Path

from tests.unit.frontends.jax.loop_cases import LOOPS
from tests.unit.frontends.jax.primitive_cases import CASES

ROOT = Path(__file__).parents[4]


def test_page_is_current() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "jax_primitives.py"))
    assert (ROOT / "docs" / "jax.md").read_text() == script["page"](), (
        "run python scripts/jax_primitives.py"
    )


def test_reasons_are_of_primitives_that_are_not_supported() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "jax_primitives.py"))
    assert not set(script["MISSING"]) & set(script["RULES"])
    assert not set(script["REFUSED"]) & set(script["RULES"]) - {"while"}


def test_every_rule_is_used_by_a_case() -> None:
    """Every supported primitive appears in some test against JAX."""
    import jax

    from tacit.frontends.jax.body import walk
    from tacit.frontends.jax.reading import read, traced
    from tacit.frontends.jax.rules import RULES

    used: set[str] = set()
    for case in [*CASES, *LOOPS]:
        shapes = [jax.ShapeDtypeStruct(v.shape, v.dtype) for v in case.arguments]
        used |= {equation.primitive for _, equation in walk(read(traced(case.function, shapes)[0]))}
    assert not set(RULES) - used - _MADE_HERE - _OF_OTHER_VERSIONS


_MADE_HERE = {
    "copy", "fine_reciprocal", "land", "logaddexp", "softmax", "softplus", "take_either",
    "take_flat", "take_rows",
}  # fmt: skip
"""Equations of fusions and of positions in loops."""

_OF_OTHER_VERSIONS = {
    "eq_to", "expand_dims", "ge_to", "gt_to", "le_to", "lt_to", "ne_to",
    "log2", "one_minus_square", "scatter_add",
    "scatter_max", "scatter_min", "scatter_mul", "scatter_sub",
}  # fmt: skip
"""Names that other versions of JAX have, and total orders that sorts ask for."""
