"""A job whose parties work each on their own, and end in different ways."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import msgspec

from tacit.errors import InternalError, RecoveryError
from tacit.sessions import PartyContext
from tacit.sessions.messages import Incident, InputsComplete, encode


class Ending(msgspec.Struct):
    """How one party ends, and after how many seconds; what it says before.

    Whom it reports as lost, and whether it says that all inputs are complete.
    """

    how: str = "finish"
    seconds: float = 0.0
    reports: str = ""
    complete: bool = False


def run_party(context: PartyContext) -> Any:
    """Do as the configuration says."""
    ending = msgspec.msgpack.decode(context.configuration, type=Ending)
    if ending.complete:
        context.channel.send(encode(InputsComplete()))
    time.sleep(ending.seconds)
    if ending.reports:
        context.incident(
            Incident(
                stage=0,
                kind="lost",
                party=ending.reports,
                pair=None,
                dropped=(ending.reports,),
                reason="it is gone",
                protocol="replicated3_active",
                security="one more fault ends the job",
                evidence=None,
                at=1.0,
            )
        )
    if ending.how == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if ending.how == "hang":
        os.kill(os.getpid(), signal.SIGSTOP)
    if ending.how == "fail":
        raise InternalError("something of its own", case=9)
    if ending.how == "give up":
        raise RecoveryError("another one is gone", next_step="start again", case=8)
    return context.name
