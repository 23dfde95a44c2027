"""Joint message passing: what two parties know goes to a third one, checked in the same round.

Dalskov, Escudero, Keller 2021 (ePrint 2020/1330), protocols "joint message passing" (section 3)
and Pi_INP (shared input). Active, t = 1, abort with two suspects.

Notation: INP(S, B, R, O; v), the four parties in some order: S (sender) and B (backup) know v;
s is drawn from the key of R's index, which all but R hold; share R takes s, share O takes v - s.
S sends v - s to R, B sends R a digest of it **in the same round**, and R compares before its
generator returns: nothing that depends on the value leaves R before. ``masked=False`` is the form
without a mask: R learns v itself, as in an opening.

The digest. One for each (S, B, R, O) of an exchange, over session, nonce, roles, a salt and
all payloads of these roles, each with its length (``tagged_hash``). The salt is 32 bytes of the
stream of O's index, which S, B and R hold, on a lane that no mask uses: an honest digest says
nothing about a value of few bits to anybody else, should it be published later. Of long payloads
their GMAC takes the place in the hash, under a key of the stream of S's index: B and R hold it and
S does not, so S cannot find another message of the same tag (McGrew, Viega 2004). With
``party.evidence`` it is always the payloads themselves: then S makes digests, too.

Rounds and bytes: 1 round; each message its payload once, from S to R; 32 check bytes from B to R
for each (S, B, R, O).

Failure: R raises DisputeError, which names S and B: one of them deviated (or R lies).

Deviation from the paper: the paper lets R compare later, once for many rounds; that reveals
secrets (ePrint 2026/234), so here every exchange is compared at once. See
``docs/decisions/0035-joint-message-passing.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tacit import kernels
from tacit.encoding.digest import DIGEST_BYTES, tagged_hash
from tacit.errors import Dispute, DisputeError, InternalError
from tacit.protocols.fantastic4.groups import Array, Group
from tacit.rounds.contract import Arrays, Round, Step

if TYPE_CHECKING:
    from tacit.protocols.fantastic4.party import Fantastic4Party

__all__ = [
    "Message",
    "Piece",
    "Roles",
    "compared",
    "digest_of",
    "disputed",
    "exchange",
    "learn",
    "note",
    "total",
]

Roles: TypeAlias = tuple[int, int, int, int]
"""Sender, backup, receiver and the other party."""

SALT_LANES: Final = 0x8000
"""Masks are drawn from lanes below, salts from here on."""

TAG_LANES: Final = 0x8040
"""Keys of tags are drawn from here on."""

TAGGED: Final = 1 << 12
"""Bytes from which on a payload is hashed by its tag."""

TAGGED_AT_ONCE: Final = 1 << 30
"""A longer payload has a tag for each piece of this length."""

TAG_KEY_BYTES: Final = 16


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Message:
    """One value on its way; equal at all parties but for `value`.

    Attributes
    ----------
    sender, backup, receiver : int
        S, B and R; O is the party that is left.
    group : Group
        What the value is made of.
    shape : tuple of int
        Its shape.
    value : ndarray of group.dtype or None
        v, at S and B; None at the others.
    masked : bool
        Whether it becomes a sharing (INP), or R learns it.
    fresh : bool
        Whether the value is this party's to overwrite; then it is C-contiguous.
    """

    sender: int
    backup: int
    receiver: int
    group: Group
    shape: tuple[int, ...]
    value: Array | None = None
    masked: bool = True
    fresh: bool = False

    def __repr__(self) -> str:
        return f"Message(roles={self.roles}, shape={self.shape})"

    @property
    def other(self) -> int:
        """O, the fourth party."""
        return 6 - self.sender - self.backup - self.receiver

    @property
    def roles(self) -> Roles:
        """S, B, R and O."""
        return self.sender, self.backup, self.receiver, self.other


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Piece:
    """What a party holds of one message after the exchange.

    Attributes
    ----------
    message : Message
        The message.
    mask : ndarray or None
        s, the part of share R; at S, B and O. None at R, and everywhere if it is not masked.
    rest : ndarray or None
        v - s, the part of share O (or v itself if it is not masked); at S, B and R. None at O.
    """

    message: Message
    mask: Array | None
    rest: Array | None

    def __repr__(self) -> str:
        return f"Piece({self.message!r})"


def exchange(party: Fantastic4Party, messages: Sequence[Message]) -> Step[list[Piece]]:
    """Send messages side by side and compare every one of them. 1 round, one digest a roles.

    Parameters
    ----------
    messages : sequence of Message
        In the same order at every party.

    Returns
    -------
    list of Piece
        In order.

    Raises
    ------
    DisputeError
        What S sent is not what B vouches for (TC-5300).
    """
    nonce = party.nonce()
    pieces = [_piece(party, message, nonce, lane) for lane, message in enumerate(messages)]
    send: dict[Roles, list[Array]] = {}
    vouch: dict[Roles, list[Array]] = {}
    receive: dict[Roles, list[Array]] = {}
    for piece in pieces:
        message, rest = piece.message, piece.rest
        if rest is None:
            continue
        box = {message.sender: send, message.backup: vouch, message.receiver: receive}
        box[party.index].setdefault(message.roles, []).append(rest)
    yield from compared(
        party,
        nonce,
        list(send.items()),
        list(vouch.items()),
        list(receive.items()),
    )
    return pieces


def compared(
    party: Fantastic4Party,
    nonce: int,
    send: Sequence[tuple[Roles, Sequence[Array]]],
    vouch: Sequence[tuple[Roles, Sequence[Array]]],
    receive: Sequence[tuple[Roles, Sequence[Array]]],
) -> Step[None]:
    """One round of messages whose receiver compares them with their backup's digest. 1 round.

    Parameters
    ----------
    nonce : int
        Of this exchange.
    send : sequence of (roles, arrays)
        Where this party is S.
    vouch : sequence of (roles, arrays)
        Where it is B: all that S sends R in these roles, in order.
    receive : sequence of (roles, arrays)
        Where it is R: what is to be filled. Of one sender all in the order in which it sends.

    Raises
    ------
    DisputeError
        What S sent is not what B vouches for (TC-5300).
    """
    sends: dict[int, Arrays] = {}
    for roles, payloads in send:
        sends[roles[2]] = (*sends.get(roles[2], ()), *payloads)
        if party.evidence:
            note(party, nonce, roles, digest_of(party, nonce, roles, roles[3], payloads))
    checks: dict[int, Arrays] = {}
    for roles, payloads in vouch:
        digest = digest_of(party, nonce, roles, roles[3], payloads)
        note(party, nonce, roles, digest)
        checks[roles[2]] = (*checks.get(roles[2], ()), np.frombuffer(digest, np.uint8))
    receives: dict[int, Arrays] = {}
    check_receives: dict[int, Arrays] = {}
    digests = []
    for roles, payloads in receive:
        sender, backup, _, _ = roles
        said = np.empty(DIGEST_BYTES, np.uint8)
        digests.append(said)
        receives[sender] = (*receives.get(sender, ()), *payloads)
        check_receives[backup] = (*check_receives.get(backup, ()), said)
    yield Round(sends, receives, checks, check_receives)
    for (roles, payloads), said in zip(receive, digests, strict=True):
        got = digest_of(party, nonce, roles, roles[3], payloads)
        if got != said.tobytes():
            raise disputed(party, nonce, roles, got, said.tobytes())


def learn(party: Fantastic4Party, messages: Sequence[Message]) -> Step[list[Array | None]]:
    """The values of messages that are not masked, at S, B and R; None at O. 1 round."""
    pieces = yield from exchange(party, messages)
    return [piece.rest for piece in pieces]


def total(
    party: Fantastic4Party, pieces: Sequence[Piece], shape: tuple[int, ...]
) -> Mapping[int, Array]:
    """The shares of the sum of masked messages of one group and shape: Σ INP(…)."""
    group = pieces[0].message.group
    shares: dict[int, Array] = {}
    for piece in pieces:
        message = piece.message
        for j, part in ((message.receiver, piece.mask), (message.other, piece.rest)):
            if part is not None:
                shares[j] = group.add(shares[j], part) if j in shares else part
    return {
        j: shares[j] if j in shares else group.zeros(shape) for j in range(4) if j != party.index
    }


def _piece(party: Fantastic4Party, message: Message, nonce: int, lane: int) -> Piece:
    group, shape = message.group, message.shape
    knows = party.index in (message.sender, message.backup)
    if knows and (message.value is None or message.value.shape != shape):
        raise InternalError("a sender or a backup does not have a value of the agreed shape")
    mask = None
    if message.masked and party.index != message.receiver:
        mask = group.empty(shape)
        group.fill(party.keys[message.receiver], nonce, lane, mask)
    if not knows:
        return Piece(message, mask, None if party.index == message.other else group.empty(shape))
    value: Any = message.value
    if message.fresh and mask is not None:
        return Piece(message, mask, group.subtract(value, mask, out=value))
    rest = np.asarray(value if mask is None else group.subtract(value, mask), order="C")
    return Piece(message, mask, rest)


def digest_of(
    party: Fantastic4Party, nonce: int, roles: Roles, key: int, payloads: Sequence[Array]
) -> bytes:
    """What a backup says about payloads, salted from the stream of a key that S, B and R hold.

    Parameters
    ----------
    nonce : int
        Of the exchange.
    roles : tuple of int
        S, B, R and O.
    key : int
        The index of a key that all who make or compare this digest hold.
    payloads : sequence of ndarray
        In the order in which they were sent; C-contiguous.
    """
    # Of fixed length, so one field: nonce, roles, salt.
    salt = _drawn(party, key, nonce, SALT_LANES, roles, DIGEST_BYTES)
    place = nonce.to_bytes(8, "little") + bytes(roles) + salt
    data = [payload.reshape(-1).view(np.uint8) for payload in payloads]
    if party.evidence or sum(payload.nbytes for payload in data) < TAGGED:
        return tagged_hash("joint message", party.session_id, place, *data)
    tags = _tags(_drawn(party, roles[0], nonce, TAG_LANES, roles, TAG_KEY_BYTES), data)
    return tagged_hash("joint message by tags", party.session_id, place, *tags)


def _drawn(
    party: Fantastic4Party, key: int, nonce: int, lanes: int, roles: Roles, count: int
) -> bytes:
    """Bytes of a key's stream that are for one message alone."""
    sender, backup, receiver, _ = roles
    drawn = np.empty(count, np.uint8)
    kernels.fill(party.keys[key], nonce, lanes | sender << 4 | backup << 2 | receiver, drawn)
    return drawn.tobytes()


def _tags(key: bytes, data: Sequence[Array]) -> Iterator[bytes]:
    """Length and GMAC of every payload, or of its pieces; the key is for these alone."""
    cipher = AESGCM(key)
    pieces = (
        (payload.nbytes, payload[start : start + TAGGED_AT_ONCE])
        for payload in data
        for start in range(0, max(1, payload.nbytes), TAGGED_AT_ONCE)
    )
    for place, (length, piece) in enumerate(pieces):
        # GMAC: nothing is encrypted, all is additional data.
        tag = cipher.encrypt(place.to_bytes(12, "little"), b"", piece.data)
        yield length.to_bytes(8, "little") + tag


def note(party: Fantastic4Party, nonce: int, roles: Roles, digest: bytes) -> None:
    """Keep a digest for a dispute, in sessions that go on after one."""
    if party.journal is not None:
        party.journal.vouched(nonce, roles, digest)


def disputed(
    party: Fantastic4Party, nonce: int, roles: Roles, got: bytes, said: bytes
) -> DisputeError:
    """The error of a receiver whose sender and backup contradict each other.

    Parameters
    ----------
    nonce : int
    roles : tuple of int
    got : bytes
        The digest of what S sent.
    said : bytes
        The digest that B sent.
    """
    if party.journal is not None:
        party.journal.received(nonce, roles, got, said)
    sender, backup, receiver, other = (party.names[i] for i in roles)
    error = DisputeError(
        f"What {sender} sent to {receiver} is not what {backup} vouches for, so {receiver} stopped"
        " before it used the value.",
        next_step="one of these two parties deviated or is faulty; compare their versions and"
        " logs, and do not use the session further.",
        parties=[sender, backup],
        stage="exchange",
    )
    error.dispute = Dispute(party.session_id.hex(), nonce, sender, backup, receiver, other)
    return error
