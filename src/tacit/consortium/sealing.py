"""An authority's private keys at rest: sealed under a key file or a passphrase.

AES-256-GCM (NIST SP 800-38D) under a fresh key, which lies beside it, wrapped by AES key wrap (RFC
3394) under the owner's key: that of a file, or one derived from a passphrase by scrypt (C.
Percival, S. Josefsson, RFC 7914) with N = 2^17, r = 8, p = 1: 128 MiB and about half a second a
guess.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap
from msgspec import Meta, Struct

from tacit.errors import ConfigurationError, UsageError
from tacit.storage import OwnerKey

__all__ = ["KEY_VARIABLE", "PASSPHRASE_VARIABLE", "Secret", "seal", "unseal"]

KEY_VARIABLE: Final = "TACIT_AUTHORITY_KEY"
PASSPHRASE_VARIABLE: Final = "TACIT_AUTHORITY_PASSPHRASE"  # noqa: S105 - a name
LEAST_PASSPHRASE: Final = 12
"""Characters: a passphrase is guessed offline by whoever copies the folder."""

_TYPE: Final = "tacit authority keys"
_FORMAT: Final = 1
_LOG_N: Final = 17
_MOST_LOG_N: Final = 20
_NONCE: Final = 12
_NUMBER: Final = 16

Hex = Annotated[str, Meta(pattern="^([0-9a-f]{2})*$", max_length=65_536)]


class _Sealed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    type: str
    format: int
    opened_by: Literal["key", "passphrase"]
    salt: Hex
    log_n: int
    mark: Hex
    number: Hex
    wrapped: Hex
    nonce: Hex
    sealed: Hex


class Secret:
    """What opens an authority's keys: a key, or a passphrase. Shows nothing of itself."""

    __slots__ = ("_key", "_passphrase")

    def __init__(self, *, key: OwnerKey | None = None, passphrase: str | None = None) -> None:
        if (key is None) == (passphrase is None):
            raise TypeError("one of key and passphrase")
        self._key = key
        self._passphrase = passphrase

    def __repr__(self) -> str:
        return "Secret()"

    def __reduce__(self) -> str:
        raise TypeError("secrets cannot be pickled")

    @classmethod
    def from_surroundings(cls, key_file: Path | None) -> Secret | None:
        """That of a key file, or of the environment; None if there is neither.

        Raises
        ------
        StorageError
            The file or the variable holds no key, or others can read it.
        """
        if key_file is not None:
            return cls(key=OwnerKey.from_file(key_file))
        if KEY_VARIABLE in os.environ:
            return cls(key=OwnerKey.from_environment(KEY_VARIABLE))
        if os.environ.get(PASSPHRASE_VARIABLE):
            return cls(passphrase=os.environ[PASSPHRASE_VARIABLE])
        return None

    @property
    def kind(self) -> Literal["key", "passphrase"]:
        """Which of the two it is."""
        return "passphrase" if self._key is None else "key"

    def check_strength(self) -> None:
        """Refuse a passphrase that is too short to seal anything with.

        Raises
        ------
        UsageError
            It has less than 12 characters (TC-1059).
        """
        if self._passphrase is not None and len(self._passphrase) < LEAST_PASSPHRASE:
            raise UsageError(
                f"The passphrase has less than {LEAST_PASSPHRASE} characters.",
                next_step="take several words, or --key-file FILE for a key of 256 bits.",
                case=59,
            )

    def owner_key(self, salt: bytes, log_n: int) -> OwnerKey:
        """The key that wraps."""
        if self._key is not None:
            return self._key
        assert self._passphrase is not None
        scrypt = Scrypt(salt=salt, length=32, n=1 << log_n, r=8, p=1)
        return OwnerKey(scrypt.derive(self._passphrase.encode()))


def seal(data: bytes, secret: Secret) -> bytes:
    """The sealed file's bytes."""
    secret.check_strength()
    salt, number, nonce = (secrets.token_bytes(n) for n in (16, _NUMBER, _NONCE))
    key = AESGCM.generate_key(256)
    owner = secret.owner_key(salt, _LOG_N)
    sealed = _Sealed(
        type=_TYPE,
        format=_FORMAT,
        opened_by=secret.kind,
        salt=salt.hex(),
        log_n=_LOG_N,
        mark=owner.mark.hex(),
        number=number.hex(),
        wrapped=owner.wrap(key, number).hex(),
        nonce=nonce.hex(),
        sealed=AESGCM(key).encrypt(nonce, data, _TYPE.encode()).hex(),
    )
    return msgspec.json.format(msgspec.json.encode(sealed), indent=2) + b"\n"


def unseal(data: bytes, secret: Secret, where: Path) -> bytes:
    """What was sealed.

    Raises
    ------
    ConfigurationError
        The file is damaged (TC-2028), or the secret is another one (TC-2029).
    """
    try:
        sealed = msgspec.json.decode(data, type=_Sealed)
        fits = sealed.type == _TYPE and sealed.format == _FORMAT and 0 < sealed.log_n <= _MOST_LOG_N
    except msgspec.MsgspecError:
        fits = False
    if not fits:
        raise _damaged(where)
    wrong = ConfigurationError(
        f"the {secret.kind} given does not open {where}, which"
        f" {'another' if sealed.opened_by == secret.kind else 'a'} {sealed.opened_by} opens.",
        next_step=f"give the right one: --key-file FILE, {KEY_VARIABLE} or {PASSPHRASE_VARIABLE},"
        " or type the passphrase. Without it nobody opens the authority again.",
        case=29,
    )
    if sealed.opened_by != secret.kind:
        raise wrong
    owner = secret.owner_key(bytes.fromhex(sealed.salt), sealed.log_n)
    if owner.mark.hex() != sealed.mark:
        raise wrong
    try:
        key = owner.unwrap(bytes.fromhex(sealed.wrapped), bytes.fromhex(sealed.number))
        nonce = bytes.fromhex(sealed.nonce)
        return AESGCM(key).decrypt(nonce, bytes.fromhex(sealed.sealed), _TYPE.encode())
    except (InvalidUnwrap, InvalidTag, ValueError):
        raise _damaged(where) from None


def _damaged(where: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{where} is damaged.",
        next_step="restore it from a copy; without it no certificate can be issued any more, and"
        " those that were issued stay valid.",
        case=28,
    )
