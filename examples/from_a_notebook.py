"""A notebook's function on plain arrays becomes private in three lines.

Run it with ``python examples/from_a_notebook.py``. ``score`` is what somebody wrote with NumPy
alone. NumPy's functions work on secret arrays, so it is not changed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tacit


def score(income: Any, debt: Any, weights: Any) -> Any:
    """As it stands in the notebook."""
    features = np.stack([income, debt, income * debt], axis=1)
    margin = features @ weights - 0.5
    return 1.0 / (1.0 + np.exp(-margin))


def main() -> None:
    """Before and after."""
    rng = np.random.default_rng(2)
    income, debt = rng.uniform(0, 2, 5), rng.uniform(0, 1, 5)
    weights = np.array([0.8, -1.5, 0.3])
    print("plain  ", score(income, debt, weights).round(3))

    def column(owner: str) -> tacit.ArraySpec:
        return tacit.ArraySpec((5,), owner=owner, bounds=(0, 2))

    # The three lines: say who has what, run it, with the result to one of them.
    model = tacit.ArraySpec((3,), owner="vendor", bounds=(-4, 4))
    program = tacit.trace(score, column("bank"), column("bureau"), model, to="bank")
    with tacit.local(parties=["bank", "bureau", "vendor"]) as mpc:
        found = mpc.run(program, {"income": income, "debt": debt, "weights": weights})
    print("private", found["output"]["bank"].round(3))


if __name__ == "__main__":
    main()
