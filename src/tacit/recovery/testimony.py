"""From the error that stopped a party to the statement it signs, and to what its abort carries."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tacit.recovery.statements import Keys, Occasion, Seen, SeenDispute, Signed, Signer

__all__ = ["Witness", "seen_from_error"]

Compared = Callable[[int, str, str, str], tuple[bytes, bytes] | None]
"""The receiver's journal: nonce, sender, backup, receiver to (received, vouched)."""


def seen_from_error(error: BaseException, own: str, names: Sequence[str]) -> Seen:
    """What a party saw itself, by its error. Not for what another party told.

    Parameters
    ----------
    error : BaseException
        What stopped the step.
    own : str
        This party.
    names : sequence of str
        All parties.
    """
    raise NotImplementedError


class Witness:
    """One party's voice in one attempt of a stage: signs positions and a single statement.

    Set ``mesh.driver.testify = witness.testify``: the driver calls it with the error that stops a
    step and puts what it returns into the abort frame, so that whoever hears it can prove that it
    was told. The first call decides what this party states; later ones return the same.

    Parameters
    ----------
    occasion : Occasion
        Job, stage and attempt.
    members : tuple of str
        Who computes, in the order of the session.
    signer : Signer
        This party's key.
    keys : Keys
        The members' keys.
    base : int
        The barrier at which the attempt begins.
    compared : callable, optional
        Looks a dispute's two digests up.
    """

    def __init__(
        self,
        occasion: Occasion,
        members: tuple[str, ...],
        signer: Signer,
        keys: Keys,
        *,
        base: int = 0,
        compared: Callable[[SeenDispute], tuple[bytes, bytes] | None] | None = None,
    ) -> None:
        raise NotImplementedError

    operation: str
    """What this party is doing; set before each operation."""
    passed: int
    reached: int

    def announce(self, operations: int, transcript: bytes) -> Signed:
        """Sign the position at the next barrier, to be told to all; `reached` grows by one.

        Called once for a barrier. The same is to be sent again if sending is repeated.
        """
        raise NotImplementedError

    def heard(self, positions: dict[str, Signed]) -> None:
        """Check all others' positions for the barrier that was announced; `passed` grows by one.

        Raises
        ------
        MessageError
            A position is malformed, for another barrier or has a wrong signature; names its party.
        VerificationError
            A party went another way than this one: its transcript differs; names it.
        """
        raise NotImplementedError

    def testify(self, error: BaseException) -> bytes:
        """The signed statement that an abort frame carries: one's own, or the one heard."""
        raise NotImplementedError

    def signed(self, error: BaseException) -> Signed:
        """This party's own statement, for the conference."""
        raise NotImplementedError
