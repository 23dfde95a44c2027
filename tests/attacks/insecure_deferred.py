"""INSECURE, for tests only: ``fantastic4`` with its checks deferred, as published code had it.

The text of ``protocols/fantastic4/joint.py`` with one change: a receiver puts its comparisons off
until :func:`settle` (an opening, the end of the run) and goes on with what it received. ePrint
2026/234 shows what that gives away; ``test_fantastic4_deferred.py`` carries the attack out.
Nothing of tacit imports this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tacit.encoding.digest import DIGEST_BYTES
from tacit.protocols.fantastic4 import joint
from tacit.protocols.fantastic4.joint import Message, Piece, Roles, digest_of, disputed
from tacit.rounds import Round, Step


def insecure_exchange(party: Any, messages: Sequence[Message]) -> Step[list[Piece]]:
    """As ``joint.exchange``; what was received is compared by :func:`settle`, some time later."""
    nonce = party.nonce()
    pieces = [joint._piece(party, message, nonce, lane) for lane, message in enumerate(messages)]
    send: dict[int, Any] = {}
    receive: dict[int, Any] = {}
    vouched: dict[Roles, list[Any]] = {}
    for piece in pieces:
        message, rest = piece.message, piece.rest
        if rest is None:
            continue
        if party.index == message.sender:
            send[message.receiver] = (*send.get(message.receiver, ()), rest)
            continue
        vouched.setdefault(message.roles, []).append(rest)
        if party.index == message.receiver:
            receive[message.sender] = (*receive.get(message.sender, ()), rest)
    check: dict[int, Any] = {}
    check_receive: dict[int, Any] = {}
    for roles in sorted(vouched):
        _, backup, receiver, _ = roles
        if party.index == backup:
            digest = digest_of(party, nonce, roles, roles[3], vouched[roles])
            check[receiver] = (*check.get(receiver, ()), digest)
        else:
            digest = np.empty(DIGEST_BYTES, np.uint8)
            check_receive[backup] = (*check_receive.get(backup, ()), digest)
            party.put_off = [
                *getattr(party, "put_off", []),
                (nonce, roles, vouched[roles], digest),
            ]
    yield Round(send=send, receive=receive, check=check, check_receive=check_receive)
    return pieces


def settle(party: Any) -> None:
    """The comparisons that were put off."""
    for nonce, roles, payloads, digest in getattr(party, "put_off", []):
        if not np.array_equal(digest_of(party, nonce, roles, roles[3], payloads), digest):
            raise disputed(party, nonce, roles)
