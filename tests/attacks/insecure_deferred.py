"""INSECURE, for tests only: ``fantastic4`` with its checks deferred, as published code had it.

The text of ``protocols/fantastic4/joint.py`` with one change: a receiver puts its comparisons off
until :func:`settle` (an opening, the end of the run) and goes on with what it received. ePrint
2026/234 shows what that gives away; ``test_fantastic4_deferred.py`` carries the attack out.
Nothing of tacit imports this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tacit.protocols.fantastic4 import joint
from tacit.protocols.fantastic4.joint import Message, Piece, Roles, digest_of, disputed
from tacit.rounds import Step


def insecure_exchange(party: Any, messages: Sequence[Message]) -> Step[list[Piece]]:
    """As ``joint.exchange``; what was received is compared by :func:`settle`, some time later."""
    nonce = party.nonce()
    pieces = [joint._piece(party, message, nonce, lane) for lane, message in enumerate(messages)]
    send: dict[Roles, list[Any]] = {}
    vouch: dict[Roles, list[Any]] = {}
    receive: dict[Roles, list[Any]] = {}
    for piece in pieces:
        message, rest = piece.message, piece.rest
        if rest is not None:
            box = {message.sender: send, message.backup: vouch, message.receiver: receive}
            box[party.index].setdefault(message.roles, []).append(rest)
    # The comparing step's rounds without what it does after they have come in.
    step = joint.compared(
        party, nonce, list(send.items()), list(vouch.items()), list(receive.items())
    )
    current = next(step)
    yield current
    step.close()
    digests = {peer: list(arrays) for peer, arrays in current.check_receive.items()}
    put_off = [(nonce, roles, receive[roles], digests[roles[1]].pop(0)) for roles in receive]
    party.put_off = [*getattr(party, "put_off", []), *put_off]
    return pieces


def settle(party: Any) -> None:
    """The comparisons that were put off."""
    for nonce, roles, payloads, digest in getattr(party, "put_off", []):
        got = digest_of(party, nonce, roles, roles[3], payloads)
        if got != digest.tobytes():
            raise disputed(party, nonce, roles, got, digest.tobytes())
