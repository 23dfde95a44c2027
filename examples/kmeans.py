"""k-means over three owners' points: the centres are revealed, no point and no cluster is.

Run it with ``python examples/kmeans.py``. Ten rounds of Lloyd's algorithm are one loop of the
program, whatever their number. The first centres are public: here corners of the square.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tacit

OWNERS = ("north", "south", "west")
POINTS = 60
ROUNDS = 10
START = np.array([[-0.5, -0.5], [0.5, -0.5], [0.0, 0.5]])


def kmeans(*shares: tacit.SecretArray) -> dict[str, tacit.SecretArray]:
    """Centres after some rounds, and how many points each has."""
    points = tacit.concat(shares)

    def one_round(_: Any, carry: list[Any]) -> list[Any]:
        centres, _ = carry
        # Squared distances without the part that is the same for all centres of a point.
        distance = tacit.sum(centres * centres, axis=1) - 2.0 * (points @ centres.T)
        mine = tacit.one_hot(tacit.argmin(distance, axis=1), len(START)).astype(tacit.fixed)
        count = tacit.sum(mine, axis=0)
        moved = (mine.T @ points) / tacit.maximum(count, 1.0)[:, None]
        return [tacit.where((count > 0)[:, None], moved, centres), count]

    centres, count = tacit.fori_loop(0, ROUNDS, one_round, [START, np.zeros(len(START))])
    return {"centres": centres, "points": count}


def program() -> tacit.Program:
    """The rounds as a program."""
    specs = [
        tacit.ArraySpec((POINTS, 2), owner=owner, bounds=(-1, 1), name=owner) for owner in OWNERS
    ]
    return tacit.trace(kmeans, *specs, to="all")


def made_up() -> dict[str, np.ndarray]:
    """Points around three centres, spread over the owners."""
    rng = np.random.default_rng(4)
    true = np.array([[-0.6, -0.2], [0.5, -0.4], [0.1, 0.6]])
    drawn = {owner: true[rng.integers(0, 3, POINTS)] for owner in OWNERS}
    return {
        owner: (around + rng.normal(0, 0.08, around.shape)).clip(-1, 1)
        for owner, around in drawn.items()
    }


def main() -> None:
    """Three owners with made-up points."""
    with tacit.local("replicated3", parties=OWNERS) as mpc:
        found = mpc.run(program(), made_up())
    for centre, count in zip(found["centres"], found["points"], strict=True):
        print(f"({centre[0]:.3f}, {centre[1]:.3f}): {count:.0f} points")


if __name__ == "__main__":
    main()
