"""Input and reveal.

Active, t = 1, abort. *Input.* Sharing as in ``replicated3``: the owner o sends one message, to
o+1; the other shares come from a pairwise stream or are 0. So whatever the owner sends is a
consistent sharing of one number, its input. But o+2 awaits nothing from the owner: left alone, it
would run ahead into the next openings and show a corrupt owner their results before the owner
has chosen. So o+1 tells o+2 that it has the message, and o+2 awaits that: when an honest
party's input ends, the number is fixed.

*Reveal.* That of ``replicated3``: the recipient compares the share that one party sends with the
hash that the other sends; one of the two is honest. Every step proves what it gives before it
ends, so what is opened is right.

Rounds and bytes: input 2 rounds, one ring element each (8 bytes a word for bits) by the owner and
32 check bytes by its successor; reveal as in ``replicated3/io.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tacit.encoding.digest import DIGEST_BYTES
from tacit.encoding.ring import Elements
from tacit.errors import VerificationError
from tacit.protocols.replicated3 import io as passive
from tacit.protocols.replicated3.io import reveal, reveal_bits
from tacit.protocols.replicated3_active.openings import digest_of
from tacit.rounds.contract import Round, Step
from tacit.sharing.bits import ReplicatedBits
from tacit.sharing.replicated import Replicated

if TYPE_CHECKING:
    from tacit.protocols.replicated3_active.party import Replicated3ActiveParty

__all__ = ["input_", "input_bits", "reveal", "reveal_bits"]


def input_(
    party: Replicated3ActiveParty,
    owner: int,
    values: Elements | None,
    shape: tuple[int, ...],
) -> Step[Replicated]:
    """Share ring elements that the owner knows, fixed when the step ends at an honest party.

    2 rounds, one ring element each from the owner, 32 check bytes from its successor.

    Raises
    ------
    VerificationError
        The acknowledgement is not that of this step (TC-5200).
    """
    shared = yield from passive.input_(party, owner, values, shape)
    yield from acknowledge(party, owner)
    return shared


def input_bits(
    party: Replicated3ActiveParty,
    owner: int,
    values: NDArray[Any] | None,
    shape: tuple[int, ...],
) -> Step[ReplicatedBits]:
    """Share bits that the owner knows, fixed when the step ends at an honest party.

    2 rounds, 8 bytes for every 64 bits from the owner, 32 check bytes from its successor.

    Raises
    ------
    VerificationError
        The acknowledgement is not that of this step (TC-5200).
    """
    shared = yield from passive.input_bits(party, owner, values, shape)
    yield from acknowledge(party, owner)
    return shared


def acknowledge(party: Replicated3ActiveParty, owner: int) -> Step[None]:
    """The owner's successor tells the third party that it has the input. 1 round, 32 check bytes.

    The link says who speaks, the hash of session and nonce which step is meant; there is nothing
    secret in it.
    """
    expected = digest_of("input received", party, party.nonce().to_bytes(8, "little"), ())
    if party.previous == owner:
        yield Round(check={party.next: (expected,)})
        return
    if party.index == owner:
        yield Round()
        return
    found = np.empty(DIGEST_BYTES, np.uint8)
    yield Round(check_receive={party.previous: (found,)})
    if not np.array_equal(expected, found):
        holder = party.names[party.previous]
        raise VerificationError(
            f"What {holder} sent {party.names[party.index]} to say that it has the input of"
            f" {party.names[owner]} does not belong to this step, so nothing was opened.",
            next_step=f"{holder} deviated or is faulty; compare versions and logs, and do not use"
            " the session further.",
            parties=[holder],
            stage="input",
        )
