"""Large matrix products with truncation: opened, masked, to one pair, and checked by sketches.

Four local products for all parties together instead of the twelve of ``arithmetic.py``. With
t = x_2 + x_3 and v = y_2 + y_3 (decision 0010 with the three parts x_0, x_1, t),

    2 x y = -2 (x_0 - x_1)(y_0 - y_1)       parties 2 and 3
            + (2 x_0 + t)(2 y_0 + v)        party 1
            + (2 x_1 + t)(2 y_1 + v)        party 0

Parties 0 and 1 send their product, less a mask that both know, to parties 2 and 3. These then know
c = 2 x y - r, parties 0 and 1 know r, and ``shifting.py`` takes it from there, by m + 1 bits.

Nobody but the sender knows the whole of its product, so there is no backup; but it is the sum of
three terms of pairs of shares, and each is known to one of the receiver and two others. They check
it as Freivalds (1977) checks a product, in the same round: with R of a few random columns, from a
key that the sender lacks, the two send what their terms times R are, masked, and the receiver
compares the sum with the message times R. It compares before its generator returns.

Active, t = 1. A sender gets a wrong message past a receiver with probability 2^-COLUMNS; a failed
comparison has three suspects and names nobody, so where a party is to be named (``party.evidence``)
products go by ``arithmetic.py``. The argument is in ``docs/decisions/0053-four-party-matrices.md``.

Rounds and bytes for a result of m x n elements of Z_2^64: 1 round, four elements (32 bytes) each,
and COLUMNS · 64 check bytes for each of the m rows; then those of ``shifting.py``.

The sums of products must lie in [-2^(N-3), 2^(N-3)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tacit.encoding.ring import Elements, Ring
from tacit.errors import VerificationError
from tacit.protocols.fantastic4.pairs import knows_s
from tacit.protocols.fantastic4.shifting import field_of, shifted
from tacit.rounds.contract import Round, Step
from tacit.sharing.replicated4 import Replicated4

if TYPE_CHECKING:
    from tacit.protocols.fantastic4.party import Fantastic4Party

__all__ = ["COLUMNS", "is_large", "matmul_truncate"]

COLUMNS: Final = 48
"""Columns of a sketch: a wrong message is overlooked with probability 2^-COLUMNS."""

ENOUGH: Final = 5.0
"""Eight products of m x k x n must be worth more than their sketches; see `is_large`."""

SENDERS: Final = (0, 1)
RECEIVERS: Final = (2, 3)

# Lanes at a product's nonce. On the keys of the receivers' indices: masks of the messages of both
# senders, then masks of sketches about them. On the keys of the senders' indices: R.
_MASKS: Final = (0, 1)
_SKETCHES: Final = (2, 3)
_COLUMNS: Final = 4


def is_large(ring: Ring, x_shape: tuple[int, ...], y_shape: tuple[int, ...], bits: int) -> bool:
    """Whether a product goes this way: decided by public numbers alone.

    The products of sketches take COLUMNS · (10 k n + 10 m k + 8 m n) multiplications of all
    parties together, and eight products of m k n are saved. One more bit is truncated, which must
    not widen the carries' field.
    """
    if len(x_shape) != 2 or len(y_shape) != 2 or 0 in (*x_shape, *y_shape):
        return False
    (m, k), n = x_shape, y_shape[1]
    room = bits < ring.magnitude_bits and field_of(ring, bits) is field_of(ring, bits + 1)
    return room and COLUMNS * (10 / m + 10 / n + 8 / k) <= ENOUGH


def matmul_truncate(
    party: Fantastic4Party, x: Replicated4, y: Replicated4, bits: int
) -> Step[Replicated4]:
    """x @ y / 2^bits for matrices, sums of products in [-2^(N-3), 2^(N-3)). 3 rounds.

    Raises
    ------
    VerificationError
        A message is not what the others say it should be (TC-5206).
    DisputeError
        Two parties contradict each other (TC-5300).
    """
    step = _receive(party, x, y) if knows_s(party) else _send(party, x, y)
    known = yield from step
    shares = yield from shifted(party, known.reshape(-1), None, bits + 1)
    return Replicated4({j: share.reshape(known.shape) for j, share in shares.items()})


def _send(party: Fantastic4Party, x: Replicated4, y: Replicated4) -> Step[Elements]:
    """A sender's part: its product to both receivers, sketches about the other one's; r."""
    ring, me, nonce = party.ring, party.index, party.nonce()
    peer = 1 - me  # whose share this party holds, and about whose message it speaks
    shape = x.shape[0], y.shape[1]
    t, v = ring.add(x.shares[2], x.shares[3]), ring.add(y.shares[2], y.shares[3])
    message = _product(
        party,
        ring.linear_combination((x.shares[peer], t), (2, 1)),
        ring.linear_combination((y.shares[peer], v), (2, 1)),
    )
    columns = _columns(party, nonce, peer, shape[1])
    term = _product(party, t, _product(party, v, columns))
    total = ring.zeros(shape)
    checks = {}
    for receiver in RECEIVERS:
        mine, theirs = (_drawn(party, nonce, receiver, _MASKS[i], shape) for i in (me, peer))
        ring.subtract(message, mine, out=message)
        ring.add(ring.add(total, mine, out=total), theirs, out=total)
        said = ring.add(term, _drawn(party, nonce, receiver, _SKETCHES[peer], term.shape))
        checks[receiver] = (ring.subtract(said, _product(party, theirs, columns)),)
    yield Round(send=dict.fromkeys(RECEIVERS, (message,)), check=checks)
    return total


def _receive(party: Fantastic4Party, x: Replicated4, y: Replicated4) -> Step[Elements]:
    """A receiver's part: what it says about both messages, what it hears; c without its offset."""
    ring, me, nonce = party.ring, party.index, party.nonce()
    fellow = 5 - me
    shape = x.shape[0], y.shape[1]
    known = _product(
        party,
        ring.linear_combination((x.shares[0], x.shares[1]), (-2, 2)),
        ring.subtract(y.shares[0], y.shares[1]),
    )
    columns = [_columns(party, nonce, sender, shape[1]) for sender in SENDERS]
    terms = [_term(party, x, y, 1 - sender, columns[sender]) for sender in SENDERS]
    thin = terms[0].shape
    told = tuple(
        ring.subtract(terms[sender], _drawn(party, nonce, fellow, _SKETCHES[sender], thin))
        for sender in SENDERS
    )
    messages = [ring.empty(shape) for _ in SENDERS]
    heard = {peer: [ring.empty(thin) for _ in SENDERS] for peer in (fellow, *SENDERS)}
    yield Round(
        receive={sender: (messages[sender],) for sender in SENDERS},
        check={fellow: told},
        check_receive={
            fellow: tuple(heard[fellow]),
            # Each speaks about the other one's message.
            **{peer: (heard[peer][1 - peer],) for peer in SENDERS},
        },
    )
    for sender, message in enumerate(messages):
        ring.add(known, message, out=known)
        # The message less the mask that this party knows: what all terms are, less the other mask.
        mask = _drawn(party, nonce, fellow, _MASKS[sender], shape)
        found = _product(party, ring.add(message, mask, out=message), columns[sender])
        said = ring.add(ring.add(terms[sender], heard[fellow][sender]), heard[1 - sender][sender])
        if found.tobytes() != said.tobytes():
            raise _failed(party, sender)
    return known


def _term(
    party: Fantastic4Party, x: Replicated4, y: Replicated4, peer: int, columns: Elements
) -> Elements:
    """What a receiver knows of the sender's product that x_peer is in, times R.

    With f the other receiver's index, 2 x_p y_f + 2 x_f y_p, and at party 3 the 4 x_p y_p as well.
    """
    ring, fellow = party.ring, 5 - party.index
    right = y.shares[fellow]
    if party.index == RECEIVERS[1]:
        right = ring.linear_combination((y.shares[peer], right), (2, 1))
    left = _product(party, x.shares[peer], _product(party, right, columns))
    other = _product(party, x.shares[fellow], _product(party, y.shares[peer], columns))
    half = ring.add(left, other)
    return ring.add(half, half)


def _product(party: Fantastic4Party, a: Elements, b: Elements) -> Elements:
    return party.ring.matmul(a, b, threads=party.threads)


def _columns(party: Fantastic4Party, nonce: int, sender: int, rows: int) -> Elements:
    """R for a sender's message, from the key that it lacks."""
    return _drawn(party, nonce, sender, _COLUMNS, (rows, COLUMNS))


def _drawn(
    party: Fantastic4Party, nonce: int, key: int, lane: int, shape: tuple[int, ...]
) -> Elements:
    out = party.ring.empty(shape)
    party.ring.kernels.fill(party.keys[key], nonce, lane, out)
    return out


def _failed(party: Fantastic4Party, sender: int) -> VerificationError:
    name = party.names[sender]
    return VerificationError(
        f"The product that {name} sent {party.names[party.index]} does not agree with what the"
        " other two say about it; nothing that depends on it was used.",
        next_step="one of the other three parties deviated or is faulty; compare the parties'"
        " versions and logs.",
        case=6,
        stage="matmul_truncate",
    )
