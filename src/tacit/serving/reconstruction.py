"""What a client takes from the parties' answers: what two of them say, since one may be corrupt.

Steps 3 and 6 of ``masks.py``. Of t = 1 corrupt parties and any others that are silent, two that
say the same include an honest one. Every part of a mask is held by three of four parties, or by
two of three: so with all parties there four of them give the mask whatever one says, and three
give it or nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from tacit.errors import TacitError
from tacit.protocols import PROTOCOLS
from tacit.serving.messages import PartyAnswer

__all__ = ["AGREEING", "agreed_mask", "agreed_refusal", "agreed_score"]

AGREEING = 2
"""Parties that must say the same: t + 1."""

Words = NDArray[np.uint64]


def agreed_mask(answers: Mapping[str, PartyAnswer], rows: int, columns: int) -> Words | None:
    """r and s of a request, from parts of its parties: (rows, columns) ring elements.

    Parameters
    ----------
    answers : mapping of str to PartyAnswer
        By party, as the certificates at the other ends say.
    rows, columns : int
        Columns are features and one more for the score.

    Returns
    -------
    ndarray of uint64 or None
        None as long as not enough parties agree on all parts.
    """
    size = 8 * rows * columns
    claims: dict[tuple[str, tuple[str, ...]], list[tuple[str, PartyAnswer]]] = {}
    for party, answer in answers.items():
        place = answer.index
        if answer.state != "mask" or not 0 <= place < len(answer.members):
            continue
        if answer.members[place] == party and answer.protocol in PROTOCOLS:
            claims.setdefault((answer.protocol, answer.members), []).append((party, answer))
    for (protocol, members), found in claims.items():
        form = PROTOCOLS[protocol].form
        if form is None or len(found) < AGREEING or len(members) != form.count:
            continue
        parts = []
        for number in range(form.count):
            copies = Counter(
                answer.parts[number]
                for _, answer in found
                if number in form.held(answer.index) and len(answer.parts.get(number, b"")) == size
            )
            best = copies.most_common(1)
            if not best or best[0][1] < AGREEING:
                break
            parts.append(np.frombuffer(best[0][0], "<u8").astype(np.uint64))
        else:
            total: Words = reduce(np.add, parts)
            return total.reshape(rows, columns)
    return None


def agreed_score(
    answers: Mapping[str, PartyAnswer], rows: int
) -> tuple[Words, NDArray[np.bool_]] | None:
    """y + s of a request, (rows,), and which rows have a score; None until two parties agree."""
    said = Counter(
        (answer.masked, answer.good)
        for answer in answers.values()
        if answer.state == "score" and len(answer.masked) == 8 * rows and len(answer.good) == rows
    )
    for (masked, good), count in said.most_common(1):
        if count >= AGREEING:
            words = np.frombuffer(masked, "<u8").astype(np.uint64)
            return words, np.frombuffer(good, np.uint8) != 0
    return None


def agreed_refusal(answers: Mapping[str, PartyAnswer], needed: int = AGREEING) -> TacitError | None:
    """The error of a request that so many parties refuse: that of most of them."""
    errors = [a.error for a in answers.values() if a.state == "refused" and a.error is not None]
    if len(errors) < needed:
        return None
    codes = Counter(str(error.get("code")) for error in errors)
    most, _ = codes.most_common(1)[0]
    return TacitError.from_dict(next(e for e in errors if str(e.get("code")) == most))
