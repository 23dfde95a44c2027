"""The pay gap by occupation over three employers, told only where enough people are behind it.

Run it with ``python examples/pay_gap.py``. Every employer has a row for each employee: occupation,
sex, wage. The means of women's and men's wages over all employers are opened for occupations with
at least ten of both; of the others nothing is told but that they are too few.
"""

from __future__ import annotations

import numpy as np

import tacit

EMPLOYERS = ("north", "south", "west")
ROWS = 120
OCCUPATIONS = 5
MINIMUM = 10


def means(occupation: tacit.SecretArray, woman: tacit.SecretArray, wage: tacit.SecretArray,
          minimum: int = MINIMUM) -> dict[str, tacit.SecretArray]:  # fmt: skip
    """Mean wages of women and men in each occupation; 0 where a group is too small."""
    member = tacit.one_hot(occupation, OCCUPATIONS)
    sums, counts = {}, {}
    for name, which in {"women": woman, "men": ~woman}.items():
        inside = member & which[:, None]
        counts[name] = inside.astype(tacit.int64).sum(axis=0)
        sums[name] = tacit.where(inside, wage[:, None], 0.0).sum(axis=0)
    shown = (counts["women"] >= minimum) & (counts["men"] >= minimum)
    found = {"shown": shown}
    for name, total in sums.items():
        people = tacit.maximum(counts[name], 1).astype(tacit.fixed)
        found[name] = tacit.where(shown, total / people, 0.0)
    return found


def gap(**columns: tacit.SecretArray) -> dict[str, tacit.SecretArray]:
    """The employers' columns one under another, then the means."""
    joined = [
        tacit.concat([columns[f"{column}_{employer}"] for employer in EMPLOYERS])
        for column in ("occupation", "woman", "wage")
    ]
    return means(*joined)


def program() -> tacit.Program:
    """Who gives what: all employers the same three columns."""
    specs = {}
    for employer in EMPLOYERS:
        whole = {"owner": employer, "bounds": (0, OCCUPATIONS - 1)}
        specs[f"occupation_{employer}"] = tacit.ArraySpec((ROWS,), tacit.int64, **whole)
        specs[f"woman_{employer}"] = tacit.ArraySpec((ROWS,), tacit.bool, owner=employer)
        specs[f"wage_{employer}"] = tacit.ArraySpec((ROWS,), owner=employer, bounds=(0, 500))
    return tacit.trace(gap, **specs, to="all")


def made_up(employer: str) -> dict[str, np.ndarray]:
    """One employer's table."""
    rng = np.random.default_rng(EMPLOYERS.index(employer))
    occupation = rng.choice(OCCUPATIONS, ROWS, p=[0.4, 0.3, 0.2, 0.09, 0.01])
    woman = rng.random(ROWS) < 0.5
    wage = 30 + 10 * occupation + rng.normal(0, 4, ROWS) - 3 * woman
    return {
        f"occupation_{employer}": occupation,
        f"woman_{employer}": woman,
        f"wage_{employer}": wage.round(2),
    }


def main() -> None:
    """Three employers with made-up tables."""
    tables = [made_up(employer) for employer in EMPLOYERS]
    with tacit.local("replicated3", parties=EMPLOYERS) as mpc:
        found = mpc.run(program(), {k: v for table in tables for k, v in table.items()})
    for place in range(OCCUPATIONS):
        if not found["shown"][place]:
            print(f"occupation {place}: too few people")
            continue
        women, men = found["women"][place], found["men"][place]
        print(f"occupation {place}: women {women:.2f}, men {men:.2f}, gap {1 - women / men:.1%}")


if __name__ == "__main__":
    main()
