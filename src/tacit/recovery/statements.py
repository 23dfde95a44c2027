"""What parties say to each other under their signatures when something went wrong, and before.

Every body is a small struct with one encoding (MessagePack, fields in order). What is signed is a
hash of the purpose, the version, the occasion and the body, so a signature says for which job,
stage and attempt it was given and as what: nothing that was signed on one occasion passes on
another. Ed25519 (RFC 8032) from pyca. The keys sign evidence and nothing else.

No body holds a share, a key or a value. Digests of messages are salted (decision 0035).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tacit.encoding.digest import tagged_hash
from tacit.errors import VerificationError

__all__ = [
    "Answer",
    "Exhibit",
    "Forwarded",
    "Keys",
    "Kind",
    "Letter",
    "Occasion",
    "Position",
    "Purpose",
    "Seen",
    "SeenDispute",
    "Signed",
    "Signer",
    "Standing",
    "Statement",
    "encoded",
    "read",
]

VERSION: Final = 1
"""Of what is signed; another version is another context for every signature."""

BODY_BYTES: Final = 1 << 16
"""The longest body."""

ORIGINAL_BYTES: Final = 4_096
"""The longest statement of what a party saw itself: it travels in abort frames."""

STATEMENT_BYTES: Final = 12_288
"""The longest statement or answer; four of them fit into one body."""

_NAME: Final = 256
_COUNT: Final = (1 << 63) - 1

Name = Annotated[str, msgspec.Meta(max_length=_NAME)]
Id = Annotated[bytes, msgspec.Meta(max_length=64)]
Digest = Annotated[bytes, msgspec.Meta(max_length=64)]
Count = Annotated[int, msgspec.Meta(ge=0, le=_COUNT)]
Small = Annotated[int, msgspec.Meta(ge=0, le=1 << 16)]
Text = Annotated[str, msgspec.Meta(max_length=_NAME)]
Code = Annotated[str, msgspec.Meta(pattern="^(TC-[0-9]{4})?$", max_length=7)]

Kind: TypeAlias = Literal[
    "silent", "malformed", "wrong", "dispute", "failed check", "stuck", "heard", "stopped"
]
"""What a party saw. `heard`: nothing itself; another one's signed statement reached it."""

Purpose: TypeAlias = Literal["position", "statement", "answer", "forwarded"]


class Occasion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """Which job, stage and attempt: all that is signed is signed for one of them.

    Attributes
    ----------
    session : bytes
        The id of the job's first mesh; stays through all stages.
    stage : int
        0 with all four parties.
    attempt : int
        Starts anew in the same stage.
    """

    session: Id
    stage: Small
    attempt: Small


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """A body and its signature; whose, is known from where it stands.

    Attributes
    ----------
    body : bytes
        What was signed, encoded.
    signature : bytes
        64 bytes.
    """

    body: Annotated[bytes, msgspec.Meta(max_length=BODY_BYTES)]
    signature: Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """A party has finished everything before a barrier.

    Attributes
    ----------
    occasion : Occasion
        When.
    party : str
        Who says so.
    barrier : int
        The barrier's number.
    operations : int
        Operations finished before it.
    transcript : bytes
        A chain of hashes of their public parts: names, operand numbers, shapes, attributes.
    """

    occasion: Occasion
    party: Name
    barrier: Count
    operations: Count
    transcript: Digest


class SeenDispute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a receiver compared: the digest of what it got, and what the backup said it should be.

    Attributes
    ----------
    nonce : int
        Of the exchange.
    sender, backup, receiver, other : str
        S, B, R and O.
    received : bytes
        Digest of what R got from S.
    vouched : bytes
        What R got from B.
    """

    nonce: Count
    sender: Name
    backup: Name
    receiver: Name
    other: Name
    received: Digest
    vouched: Digest


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """Where a party stands in the rounds of a mesh, as its heartbeats say.

    Attributes
    ----------
    round : int
        Its round; all earlier ones are done, and its messages of this one are sent if it waits.
    awaits : tuple of str
        Whose messages of this round it lacks, in the members' order; empty, it computes.
    steady : bool
        Of oneself: nothing of this changed for at least the patience.
    """

    round: Count
    awaits: Annotated[tuple[Name, ...], msgspec.Meta(max_length=8)]
    steady: bool = True


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a party saw itself, or whose statement stopped it.

    Attributes
    ----------
    kind : str
        What it was.
    peer : str
        The party that it is about; the author of `said` if it was heard; empty if nobody.
    code : str
        The error's number.
    dispute : SeenDispute or None
        For a dispute.
    said : Signed or None
        For `heard`: the statement of `peer` that came with an abort.
    settled : tuple of (str, Standing)
        For `stuck`: where each other one has stood for three times the patience.
    """

    kind: Kind
    peer: Name = ""
    code: Code = ""
    dispute: SeenDispute | None = None
    said: Signed | None = None
    settled: Annotated[tuple[tuple[Name, Standing], ...], msgspec.Meta(max_length=8)] = ()


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """A party's account of a fault. An honest party signs one for an occasion.

    Attributes
    ----------
    occasion : Occasion
        When.
    party : str
        Whose.
    passed : int
        The last barrier that it heard from all to have been reached.
    reached : int
        The last barrier that it announced: `passed` or the next.
    proofs : tuple of Signed
        The others' positions for `passed`, by the members' order; empty if this attempt began
        at `passed`.
    transcript : bytes
        As in its own position for `passed`.
    operation : str
        What it was doing.
    at : float
        Its clock, seconds since 1970; a claim.
    seen : Seen
        What happened.
    standing : Standing or None
        Where this party stood one and a half times the patience before it stopped.
    """

    occasion: Occasion
    party: Name
    passed: Count
    reached: Count
    proofs: Annotated[tuple[Signed, ...], msgspec.Meta(max_length=8)]
    transcript: Digest
    operation: Text
    at: float
    seen: Seen
    standing: Standing | None = None


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """What the sender or the backup of a disputed message says it should have been.

    Attributes
    ----------
    occasion : Occasion
        When.
    party : str
        Whose answer.
    nonce, sender, backup, receiver
        The dispute.
    known : bool
        Whether this party kept digests; a sender does only after an unclear verdict.
    digest : bytes or None
        The digest; None if it never came to this exchange, or is not known.
    """

    occasion: Occasion
    party: Name
    nonce: Count
    sender: Name
    backup: Name
    receiver: Name
    known: bool
    digest: Digest | None = None


class Forwarded(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """All that a party heard from the others in the first round of a broadcast.

    Attributes
    ----------
    occasion : Occasion
        When.
    party : str
        Who heard it.
    subject : str
        The purpose of what is forwarded: statements or answers.
    heard : tuple of (str, Signed)
        Author and what it signed, in the members' order.
    """

    occasion: Occasion
    party: Name
    subject: Literal["statement", "answer"]
    heard: Annotated[tuple[tuple[Name, Signed], ...], msgspec.Meta(max_length=8)]


class Exhibit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed body, with whose it is and what it was signed as.

    Attributes
    ----------
    party : str
        The author.
    purpose : str
        What it was signed as.
    signed : Signed
        Body and signature.
    """

    party: Name
    purpose: Purpose
    signed: Signed


class Letter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """What a party sends in a round of a conference.

    Attributes
    ----------
    round : int
        From 1.
    signed : Signed or None
        What it signed for this round; None, it has nothing to say.
    """

    round: Annotated[int, msgspec.Meta(ge=1, le=4)]
    signed: Signed | None


B = TypeVar("B", bound=msgspec.Struct)

_encoder: Final = msgspec.msgpack.Encoder()


def encoded(body: msgspec.Struct) -> bytes:
    """The one encoding of a body."""
    return _encoder.encode(body)


def read(data: bytes, kind: type[B]) -> B | None:
    """A struct of this kind in its one encoding; None if the bytes are anything else."""
    try:
        found = msgspec.msgpack.decode(data, type=kind)
        return found if _encoder.encode(found) == data else None
    except (msgspec.MsgspecError, UnicodeError, OverflowError, RecursionError):
        return None


def _message(purpose: Purpose, occasion: Occasion, party: str, body: bytes) -> bytes:
    version = VERSION.to_bytes(2, "little")
    return tagged_hash(
        "evidence signature", version, purpose.encode(), encoded(occasion), party.encode(), body
    )


class Signer:
    """A party's evidence key.

    Parameters
    ----------
    party : str
        Whose.
    key : Ed25519PrivateKey
        The key of its evidence certificate.
    """

    def __init__(self, party: str, key: Ed25519PrivateKey) -> None:
        self.party = party
        self._key = key

    def sign(self, purpose: Purpose, occasion: Occasion, body: bytes) -> Signed:
        """Sign encoded bytes for one purpose and occasion."""
        return Signed(body, self._key.sign(_message(purpose, occasion, self.party, body)))

    def __repr__(self) -> str:
        return f"Signer({self.party!r})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a signing key cannot be pickled: it stays in this process")


class Keys:
    """The parties' evidence keys, as the consortium's authority vouches for them.

    Parameters
    ----------
    keys : mapping of str to Ed25519PublicKey
        By party.
    """

    def __init__(self, keys: Mapping[str, Ed25519PublicKey]) -> None:
        self._keys = dict(keys)

    @property
    def parties(self) -> tuple[str, ...]:
        """Whose keys these are."""
        return tuple(self._keys)

    def verify(self, party: str, purpose: Purpose, occasion: Occasion, signed: Signed) -> bytes:
        """The body, if `party` signed it for this purpose and occasion.

        Raises
        ------
        VerificationError
            It did not (TC-5220).
        """
        key = self._keys.get(party)
        try:
            if key is None:
                raise InvalidSignature
            key.verify(signed.signature, _message(purpose, occasion, party, signed.body))
        except InvalidSignature:
            raise VerificationError(
                f"a {purpose} does not have the signature of {party} for this occasion.",
                next_step="whoever handed it on changed it, or took it from another session.",
                case=20,
                parties=[party],
                stage="conference",
            ) from None
        return signed.body
