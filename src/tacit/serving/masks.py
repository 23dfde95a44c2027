"""Rows and scores of a client that computes nothing: masked with what it alone knows.

Damgård, Damgård, Nielsen, Nordholt, Toft, *Confidential Benchmarking Based on Multiparty
Computation*, FC 2016 (ePrint 2015/1006), the clients' input and output: the parties make a sharing
of random numbers [r], give their parts of it to the client, which computes r and tells all parties
d = x - r; they go on with [x] = [r] + d. The other way round for a result y: with a random s that
the client knows as well, the parties open y + s.

Adversary and threshold
    t = 1 party, with what its protocol says of it (passive, active), and any number of clients,
    which may deviate and may be the party's.
Assumptions
    A TLS link from each party to the client; those of the protocol.
Steps
    1. [r], [s] from the protocol's ``random``: share j is a stream of the key that its holders
       have. No message. (The paper takes them from the preprocessing of SPDZ.)
    2. To the client: every share from every party that holds it.
    3. The client takes a share when two holders agree on it. *Deviation from the paper*, whose
       servers have a dishonest majority: there the client checks a triple
       [r], [v], [rv] to notice a wrong part. Here two holders of the same share are enough, as one
       of them is honest (t = 1). With four parties a share has three holders: whatever a corrupt
       one sends or withholds, two agree. With three it has two: a lie is noticed, not corrected.
    4. d = x - r to all parties, who compare what they got (``agreement.py``) and add it: share 0
       takes the constant.
    5. x is compared with its public limits on shares; rows outside are set to 0 and marked. Their
       client deviated: what is opened of them is about itself.
    6. y + s is opened to all parties by the protocol's ``reveal`` with its checks, and each tells
       it to the client, which takes what two of them say.
What the parties learn
    d and y + s, uniform as long as nobody but the client knows all of r and s: t = 1 party lacks a
    share of each. Whether a row is within its limits: 1 for a client that follows the protocol.
What the client learns
    y of its own rows. Its view besides is r, s: shares that are uniform and used for nothing else.
Single use
    A mask is made for one request of one client, and forgotten when it has been used or has
    expired (``desk.py``). d of another request says nothing: it is under another r.
Rounds and bytes
    None for the masks; ``within``, the model's and one opening of n (2 elements a row) for a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.ring import Elements
from tacit.encoding.types import int64
from tacit.functions.inputs import within
from tacit.functions.parts import as_part
from tacit.functions.sigmoid import sigmoid
from tacit.models import ModelForm, scores
from tacit.operations.types import SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step

__all__ = ["Portion", "decoded_scores", "masked_scores", "random_masks", "rounded_probabilities"]


@dataclass(frozen=True, slots=True)
class Portion:
    """The rows of one request: where their masks are.

    Attributes
    ----------
    source : int
        Which array of masks.
    start, stop : int
        Which rows of it.
    """

    source: int
    start: int
    stop: int

    @property
    def rows(self) -> int:
        """How many."""
        return self.stop - self.start


def random_masks(party: Party, rows: int, columns: int) -> Step[tuple[SecretValue, ...]]:
    """Masks of rows and of their scores: (rows, columns + 1), uniform, known to nobody.

    Steps 1 of the module. 0 rounds.
    """
    yield from ()
    return (SecretValue(int64, party.random((rows, columns + 1))),)


def masked_scores(
    party: Party,
    form: ModelForm,
    parameters: Sequence[Any],
    masks: Sequence[Any],
    portions: Sequence[Portion],
    corrections: Elements,
    digits: int | None,
) -> Step[tuple[SecretValue, ...]]:
    """Scores of a batch, each under its client's mask, and whether the row was within its limits.

    Steps 4 to 6, up to the opening.

    Parameters
    ----------
    party : Party
    form : ModelForm
    parameters : sequence of arithmetic sharings
        Of the model.
    masks : sequence of arithmetic sharings
        From :func:`random_masks`.
    portions : sequence of Portion
        Of the batch, in order; no row twice.
    corrections : (n, d) ring elements
        d = x - r of all rows, public among the parties.
    digits : int or None
        Round probabilities to so many decimal places; None: scores are log-odds.

    Returns
    -------
    tuple of one SecretValue, (n, 2)
        Score plus mask, and 1 or 0. To be opened to all parties.
    """
    columns = form.widths[0]
    mask = party.concatenate([masks[p.source][p.start : p.stop] for p in portions], 0)
    r = mask[:, :columns].map(np.ascontiguousarray)
    s = mask[:, columns].map(np.ascontiguousarray)
    x = party.add_public(r, corrections)
    inside = yield from within(party, x, form.limits)
    good = inside.all(axis=1).astype(np.int64)
    x = party.multiply_public(x, good.reshape(-1, 1)).map(np.ascontiguousarray)
    y = yield from scores(party, form, parameters, x)
    if digits is not None:
        y = yield from rounded_probabilities(party, y, form.fraction_bits, digits)
    masked = party.add(y.reshape(-1, 1), s.reshape(-1, 1))
    marks = party.public(good.reshape(-1, 1))
    return (SecretValue(int64, party.concatenate([masked, marks], 1)),)


def rounded_probabilities(party: Party, z: Any, fraction_bits: int, digits: int) -> Step[Any]:
    """The probability of each log-odds as an integer: round(10^digits σ(z)), (n,).

    Exact rounding on shares of the sigmoid's value: no more of it leaves the computation. Values
    within the sigmoid's error of half a step may be rounded to either neighbour.
    """
    p = yield from sigmoid(as_part(party), z, fraction_bits)
    scaled = party.multiply_public(p, 10**digits)
    half = party.add_public(scaled, 1 << (fraction_bits - 1))
    return (yield from party.truncate(half, fraction_bits, rounding="exact"))


def decoded_scores(
    opened: NDArray[np.int64], fraction_bits: int, digits: int | None
) -> NDArray[np.float64]:
    """Probabilities, from what a client's unmasked scores are as integers."""
    if digits is not None:
        return np.asarray(opened / 10.0**digits, np.float64)
    z = opened / float(1 << fraction_bits)
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * z)), np.float64)
