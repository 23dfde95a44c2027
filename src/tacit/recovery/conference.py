"""The conference: everybody's statement to everybody, although one of them lies."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeAlias, TypeVar

from tacit.recovery.statements import Keys, SeenDispute, Signed, Signer
from tacit.recovery.verdict import Verdict

__all__ = ["Conference", "Kept", "confer"]

T = TypeVar("T")

Conference: TypeAlias = Generator[dict[str, bytes], dict[str, bytes], T]
"""Yields what goes to each peer, is sent what came from each in time; nothing came, no entry."""

Kept: TypeAlias = tuple[bool, bytes | None]
"""Whether digests were kept, and the one of an exchange; None: it never came to it."""


def confer(
    own: Signed,
    members: tuple[str, ...],
    signer: Signer,
    keys: Keys,
    answer: Callable[[SeenDispute], Kept],
    *,
    base: int,
    evidence: bool,
) -> Conference[Verdict]:
    """Exchange statements, then answers to a dispute, and judge. 2 or 4 rounds.

    Parameters
    ----------
    own : Signed
        This party's statement (``Witness.signed``).
    members : tuple of str
        All that confer, in the order of the session.
    answer : callable
        This party's digest for a dispute in which it was the sender or the backup.
    base : int
        The barrier at which this attempt began.
    evidence : bool
        Whether senders kept digests in this attempt (``stage.evidence``).

    Raises
    ------
    RecoveryError
        No single party explains all that was said: more than one is at fault (TC-5401).
    """
    raise NotImplementedError
    yield {}
