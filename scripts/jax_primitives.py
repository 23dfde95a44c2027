"""Write the table of docs/jax.md: every primitive of JAX, and what becomes of it on secrets.

Run `python scripts/jax_primitives.py`; `tests/unit/frontends/jax/test_jax_page.py` compares the
page with what this module gives. The list is JAX's own registry, `jax.extend.core.primitives`.
"""

from __future__ import annotations

from pathlib import Path

from jax.extend.core import primitives

from tacit.frontends.jax import importing  # noqa: F401  all rules are registered
from tacit.frontends.jax.reading import CALLS, UNCHANGED
from tacit.frontends.jax.rules import REFUSED, RULES

PAGE = Path(__file__).parents[1] / "docs" / "jax.md"
BEGIN, END = "<!-- primitives -->\n", "<!-- end of primitives -->"

NOTES = {
    "approx_top_k": "exact",
    "bessel_i0e": "up to 1000 in magnitude, off by at most 1e-4",
    "bessel_i1e": "up to 1000 in magnitude, off by at most 1e-4",
    "cholesky": "pivots of at least 2^-10",
    "custom_linear_solve": "by elimination; of matrices that JAX takes Cholesky's factor of, by"
    " `tacit.linalg.solve`",
    "digamma": "from 2^-10 to 1000, off by at most 1e-4 and 1e-5 relative",
    "eigh": "a public number of Jacobi's sweeps; see `tacit.linalg.eigh`",
    "erf_inv": "up to 1 - 2^-10 in magnitude, off by at most 1e-4 relative, and 2^-18 over"
    " 1 - \\|x\\|",
    "lgamma": "from 2^-10 to 1000, off by at most 1e-4 and 1e-5 relative",
    "lu": "with secret exchanges of rows; see `tacit.linalg.lu`",
    "polygamma": "public orders 0 to 4, x from 2^-4 (orders 3 and 4: 2^-2) to 1000; off by at most"
    " 1e-4 and 1e-5 relative",
    "qr": "reduced, without exchanges; R has a positive diagonal; see `tacit.linalg.qr`",
    "reduce": "of any function, log2 n steps",
    "svd": "without columns beyond those of the matrix; see `tacit.linalg.svd`",
    "triangular_solve": "see `tacit.linalg.solve_triangular`",
    "tridiagonal_solve": "of matrices with a strong diagonal: row by row, without exchanges",
    "zeta": "public orders 2 to 5, x from 2^-2 to 1000; off by at most 1e-4 and 1e-5 relative",
    "cbrt": "by logarithm and exponential",
    "cond": "on a secret both branches run, and the results are chosen; on a public one a branch",
    "conv_general_dilated": "all dilations, paddings, groups",
    "cummax": "log2 n steps",
    "cummin": "log2 n steps",
    "cumlogsumexp": "log2 n steps",
    "convert_element_type": "`int32` and `int64` are both carried with 64 bits",
    "div": "integers are rounded to zero; a secret over a public 0 is refused",
    "dynamic_slice": "secret starts by one-hot products",
    "dynamic_update_slice": "secret starts by one-hot products",
    "gather": "secret positions by one-hot products: single elements or whole slices",
    "is_finite": "true, and public: no secret is infinite or NaN",
    "rng_bit_generator": "public keys only",
    "scan": "one loop, whatever its length",
    "scatter": "one secret position",
    "scatter-add": "secret positions by one-hot products",
    "scatter-max": "public positions",
    "scatter-min": "public positions",
    "scatter-mul": "public positions",
    "select_n": "infinities are moved to the edge of the encoding where they only mask",
    "shift_right_logical": "up to 32 bits",
    "sort": "several operands, several keys",
    "reduce_and": "booleans",
    "reduce_or": "booleans",
    "reduce_xor": "booleans",
    "while": "public conditions; a secret one is refused, as how often the loop runs would show",
}  # fmt: skip

UNREGISTERED = {"scatter-sub", "split", "stack", "tile", "unstack"}
"""Primitives that functions of jax.numpy give, and that the registry leaves out."""

NEVER = {
    "after_all": "orders effects, of which there are none",
    "create_token": "orders effects, of which there are none",
    "custom_lin": "within differentiation only",
    "empty2": "within JAX only",
    "iota": "takes no operand: always public",
}
"""Primitives that never see a secret."""

_SERIES = "a series or fraction that is as long as its secret operands make it"

MISSING = {
    "select_and_gather_add": "second derivatives of pooling",
    "igamma": _SERIES,
    "igamma_grad_a": _SERIES,
    "igammac": _SERIES,
    "random_gamma_grad": _SERIES,
    "regularized_incomplete_beta": _SERIES,
    "hessenberg": "a step towards the eigenvalues of general matrices, which are complex",
    "schur": "of general matrices, whose eigenvalues are complex",
    "householder_product": "reflections of LAPACK, which only LAPACK's own steps give; use `qr`",
    "tridiagonal": "reflections of LAPACK; use `eigh`",
    "reduce_window": "a function of one's own; use windows of sums, maxima or minima",
    "select_and_scatter": "a function of one's own; the gradient of pooling is"
    " select_and_scatter_add",
}


def names() -> list[str]:
    """The primitives that JAX registers, by name."""
    registered = {getattr(primitives, key).name for key in dir(primitives) if key.endswith("_p")}
    return sorted(registered | (set(RULES) & UNREGISTERED))


def row(name: str) -> tuple[str, str]:
    """What becomes of a primitive: a word, and more where there is more to say."""
    if name in RULES or name == "is_finite":
        return "supported", NOTES.get(name, "")
    if name in NEVER:
        return "public", NEVER[name]
    if name in CALLS:
        return "supported", "put in its place"
    if name == "custom_linear_solve":  # read as what solves it
        return "supported", NOTES[name]
    if name in UNCHANGED:
        return "supported", "nothing to do"
    if name in REFUSED:
        return "refused", REFUSED[name]
    return "missing", MISSING.get(name, "")


def table() -> str:
    """The table, with a count in front."""
    rows = [(name, *row(name)) for name in names()]
    counts = {word: sum(1 for _, found, _ in rows if found == word)
              for word in ("supported", "public", "refused", "missing")}  # fmt: skip
    lines = [
        f"Of {len(rows)} primitives {counts['supported']} are supported on secrets,"
        f" {counts['public']} never meet one, {counts['refused']} are refused,"
        f" {counts['missing']} missing.",
        "",
        "| primitive | on secrets | |",
        "|---|---|---|",
        *(f"| `{name}` | {word} | {note} |" for name, word, note in rows),
        "",
    ]
    return "\n".join(lines)


def page() -> str:
    """The page with the table between its markers."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page())
