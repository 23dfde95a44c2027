"""A sealed-bid auction: the highest bidder wins and pays the second-highest bid.

Run it with ``python examples/vickrey_auction.py``. Three firms bid for ten lots. Everybody learns
each lot's winner and price; no losing bid is shown to anybody, and the winning one neither: the
price is the second-highest. Ties go to the firm that is named first.
"""

from __future__ import annotations

import numpy as np

import tacit

FIRMS = ("acme", "bell", "cone")
LOTS = 10
BIDS = tacit.ArraySpec((LOTS,), tacit.int64, bounds=(0, 1_000_000))


def auction(*bids: tacit.SecretArray) -> dict[str, tacit.SecretArray]:
    """For each lot the winner's place and the price."""
    table = tacit.stack(bids)
    highest = table.max(axis=0)
    # Every firm's place if it bids the most, and one that is no firm's if it does not.
    places = np.arange(len(bids))[:, None]
    winner = tacit.where(table == highest, places, len(bids)).min(axis=0)
    others = tacit.where(places == winner, 0, table)
    return {"winner": winner, "price": others.max(axis=0)}


def program() -> tacit.Program:
    """The auction as a program that the firms can approve."""
    specs = [
        tacit.ArraySpec(BIDS.shape, BIDS.dtype, owner=firm, bounds=BIDS.bounds, name=firm)
        for firm in FIRMS
    ]
    return tacit.trace(auction, *specs, to="all")


def main() -> None:
    """Three firms with made-up bids."""
    rng = np.random.default_rng(1)
    bids = {firm: rng.integers(1_000, 50_000, LOTS) for firm in FIRMS}
    with tacit.local("replicated3", parties=FIRMS) as mpc:
        found = mpc.run(program(), bids)
    for lot, (winner, price) in enumerate(zip(found["winner"], found["price"], strict=True), 1):
        print(f"lot {lot}: {FIRMS[int(winner)]} for {price}")


if __name__ == "__main__":
    main()
