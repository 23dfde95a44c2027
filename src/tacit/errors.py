"""The error tree: everything tacit raises on purpose, each with a stable number.

::

    TacitError                        TC-0000
    ├── UsageError                    TC-1000  the call itself is wrong        (CLI exit status 2)
    │   ├── ShapeError                TC-1100
    │   ├── TypeMismatchError         TC-1200
    │   ├── RangeError                TC-1300  a value the encoding cannot hold
    │   ├── SecretMisuseError         TC-1400  what a secret cannot do
    │   └── ProgramError              TC-1500  a program that cannot be read, made, proved or run
    ├── ConfigurationError            TC-2000  files, schemas, settings        (3)
    │   ├── DataError                 TC-2100  an owner's file breaks its schema
    │   ├── SchemaError               TC-2200
    │   ├── StorageError              TC-2300  disk full, no permission
    │   └── EvidenceError             TC-2400  evidence of a fault that does not hold
    ├── TransportError                TC-3000  links and handshakes            (4)
    │   ├── AddressError              TC-3100  a port is busy, a host unknown
    │   ├── CertificateError          TC-3200
    │   ├── HandshakeError            TC-3300  the parties disagree before the start
    │   ├── PartyLostError            TC-3400  names the lost party
    │   └── DeadlineError             TC-3500  names the party and the stage
    ├── PolicyDeniedError             TC-4000  not agreed                      (5)
    ├── PeerFaultError                TC-5000  a party deviated; names it      (6)
    │   ├── MessageError              TC-5100  wrong length, order or frame
    │   ├── VerificationError         TC-5200  a hash or a check did not match
    │   │   └── DisputeError          TC-5300  two parties contradict each other
    │   ├── InputRefusedError         TC-5400  an owner's input is out of its range
    │   └── RecoveryError             TC-5500  a fault that the parties cannot go on after
    ├── ServiceError                  TC-6000  a service does not answer       (8)
    └── InternalError                 TC-9000  a bug in tacit                  (7)

Every error says who, where, why and what to do next. No error holds a share, a key or a
value. Numbers are stable: the last two digits name the case, and ``docs/errors.md`` has an
entry for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "AddressError",
    "CertificateError",
    "ConfigurationError",
    "DataError",
    "DeadlineError",
    "Dispute",
    "DisputeError",
    "EvidenceError",
    "HandshakeError",
    "IncidentWarning",
    "InputRefusedError",
    "InternalError",
    "MessageError",
    "PartyLostError",
    "PeerFaultError",
    "PolicyDeniedError",
    "ProgramError",
    "RangeError",
    "RecoveryError",
    "SchemaError",
    "SecretMisuseError",
    "ServiceError",
    "ShapeError",
    "StorageError",
    "TacitError",
    "TransportError",
    "TypeMismatchError",
    "UsageError",
    "VerificationError",
]


class TacitError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    message : str
        What happened and where, without any secret value.
    next_step : str
        What the reader should do now.
    case : int
        The last two digits of the number, 0 to 99.
    parties : sequence of str
        The parties concerned: the owner, the lost party, the culprits.
    stage : str, optional
        The phase of the work (``"handshake"``, ``"multiply"``, ``"training"``).

    Attributes
    ----------
    reporter : str or None
        The party that told it; None for what was noticed here.
    statement : bytes
        What that party signed about it, as it came; empty if nothing.
    """

    base: ClassVar[int] = 0
    exit_status: ClassVar[int] = 1
    reporter: str | None = None
    statement: bytes = b""

    def __init__(
        self,
        message: str,
        *,
        next_step: str = "",
        case: int = 0,
        parties: Sequence[str] = (),
        stage: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.case = case
        self.parties = tuple(parties)
        self.stage = stage

    @property
    def code(self) -> str:
        """The stable number, such as ``TC-1203``."""
        return f"TC-{self.base + self.case:04d}"

    def __str__(self) -> str:
        text = f"[{self.code}] {self.message}"
        if self.next_step:
            text += f" What to do: {self.next_step}"
        return text

    def as_dict(self) -> dict[str, object]:
        """The error as plain data: what ``--json`` prints and what goes to other processes."""
        return {
            "code": self.code,
            "kind": type(self).__name__,
            "message": self.message,
            "next_step": self.next_step,
            "case": self.case,
            "parties": list(self.parties),
            "stage": self.stage,
        }

    @staticmethod
    def from_dict(data: dict[str, object]) -> TacitError:
        """Rebuild an error that another process reported; unknown kinds become TransportError."""
        kind = _KINDS.get(str(data.get("kind")), TransportError)
        parties = data.get("parties") or ()
        case = data.get("case", 0)
        stage = data.get("stage")
        error = kind(
            str(data.get("message", "")),
            next_step=str(data.get("next_step", "")),
            case=case if isinstance(case, int) and 0 <= case < 100 else 0,
            parties=[str(p) for p in parties] if isinstance(parties, list | tuple) else (),
            stage=None if stage is None else str(stage),
        )
        dispute = data.get("dispute")
        if isinstance(error, DisputeError) and isinstance(dispute, Mapping):
            error.dispute = Dispute.from_dict(dispute)
        return error


class UsageError(TacitError, ValueError):
    """The call is wrong: an unknown name, a missing argument, an option that does not exist."""

    base = 1000
    exit_status = 2


class ShapeError(UsageError):
    """Shapes do not fit each other or the operation."""

    base = 1100


class TypeMismatchError(UsageError, TypeError):
    """An operation is not defined for these types."""

    base = 1200


class RangeError(UsageError):
    """A value lies outside what its encoding or its declared bounds can hold; NaN, infinity."""

    base = 1300


class SecretMisuseError(UsageError, TypeError):
    """Something that a secret cannot do, such as deciding an ``if``."""

    base = 1400


class ProgramError(UsageError):
    """A program that cannot be read, made from a function or a model, proved or run."""

    base = 1500


class ConfigurationError(TacitError):
    """Files, schemas and settings that cannot work."""

    base = 2000
    exit_status = 3


class DataError(ConfigurationError):
    """An owner's file cannot be read or breaks its schema. Shown to that owner alone."""

    base = 2100


class SchemaError(ConfigurationError):
    """A schema is malformed, or the parties' schemas differ."""

    base = 2200


class StorageError(ConfigurationError):
    """The disk is full, or a path cannot be written."""

    base = 2300


class EvidenceError(ConfigurationError):
    """A folder of evidence is incomplete, was changed, or is another authority's."""

    base = 2400


class TransportError(TacitError):
    """The links between the parties."""

    base = 3000
    exit_status = 4


class AddressError(TransportError):
    """A port is busy, a host is unknown, a connection is refused."""

    base = 3100


class CertificateError(TransportError):
    """A certificate is expired, from another authority, or for another name."""

    base = 3200


class HandshakeError(TransportError):
    """The parties disagree on version, protocol, participants, parameters or job."""

    base = 3300


class PartyLostError(TransportError):
    """A party's process or connection is gone. ``parties`` names it."""

    base = 3400


class DeadlineError(TransportError):
    """A party is alive but did not finish a stage in time. ``parties`` names it."""

    base = 3500


class PolicyDeniedError(TacitError):
    """What was asked for was not agreed to."""

    base = 4000
    exit_status = 5


class PeerFaultError(TacitError):
    """A party sent what an honest party never sends. ``parties`` names the suspects."""

    base = 5000
    exit_status = 6


class MessageError(PeerFaultError):
    """A message has the wrong length, comes out of order or is no valid frame."""

    base = 5100


class VerificationError(PeerFaultError):
    """A hash, a second copy or a consistency check did not match."""

    base = 5200


@dataclass(frozen=True, slots=True)
class Dispute:
    """What a receiver noticed when a message and the digest of its backup did not match.

    Attributes
    ----------
    session : str
        The session's id, in hexadecimal digits.
    nonce : int
        Names the exchange within the session.
    sender, backup : str
        The two parties that contradict each other: one of them deviated, or the receiver lies.
    receiver : str
        Who compared.
    other : str
        The fourth party.
    """

    session: str
    nonce: int
    sender: str
    backup: str
    receiver: str
    other: str

    @property
    def suspects(self) -> tuple[str, str]:
        """The sender and the backup, one of which deviated if the receiver is honest."""
        return self.sender, self.backup

    def as_dict(self) -> dict[str, object]:
        """The dispute as plain data."""
        return {name: getattr(self, name) for name in self.__slots__}

    @staticmethod
    def from_dict(data: Mapping[str, object]) -> Dispute:
        """Rebuild a dispute that another process reported."""
        nonce = data.get("nonce")
        session, sender, backup, receiver, other = (
            str(data.get(name, "")) for name in ("session", "sender", "backup", "receiver", "other")
        )
        number = nonce if isinstance(nonce, int) else 0
        return Dispute(session, number, sender, backup, receiver, other)


class DisputeError(VerificationError):
    """A message and its backup's digest contradict each other.

    Attributes
    ----------
    dispute : Dispute or None
        Who said what to whom, for a recovery; None where only the text of the error arrived.
    """

    base = 5300
    dispute: Dispute | None = None

    def as_dict(self) -> dict[str, object]:
        """As every error, and the dispute."""
        data = super().as_dict()
        if self.dispute is not None:
            data["dispute"] = self.dispute.as_dict()
        return data


class InputRefusedError(PeerFaultError):
    """An owner shared what its encoder refuses; found on shares, and not used. Names the owner.

    All honest parties raise it alike, and none of them goes wrong: their session can go on.
    """

    base = 5400


class RecoveryError(PeerFaultError):
    """A fault after which the parties cannot go on: a second one, or more than one at once."""

    base = 5500


class ServiceError(TacitError):
    """A service did not answer a request, for a reason that concerns this request alone."""

    base = 6000
    exit_status = 8


class IncidentWarning(UserWarning):
    """A party was lost or deviated, and the session went on with the right result."""


class InternalError(TacitError):
    """A bug in tacit: please report it."""

    base = 9000
    exit_status = 7


def _subclasses(cls: type[TacitError]) -> dict[str, type[TacitError]]:
    found = {cls.__name__: cls}
    for child in cls.__subclasses__():
        found.update(_subclasses(child))
    return found


_KINDS = _subclasses(TacitError)
