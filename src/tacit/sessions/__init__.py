"""Sessions: who takes part, and where the parties are.

One interface (``session.py``), three kinds: all parties in this process (``local.py``), one
operating-system process each over mutual TLS (``controlled.py``, ``processes.py``), and the view
from inside one party (``party.py``), guarded where the protocol guarantees output (``guard.py``),
also where the others run on machines of their own (``alone.py``). What all of them do with an
operation is in ``applying.py``, with a program in ``running.py``, with what is stored in
``storing.py``.
May import ``programs``, ``operations``, ``recovery``, ``protocols``, ``network`` and below. Start
with ``session.py``, then ``local.py``.
"""

from tacit.sessions.alone import party_session, run_alone
from tacit.sessions.context import PartyContext
from tacit.sessions.controlled import ProcessSession
from tacit.sessions.handles import Reference
from tacit.sessions.local import LocalSession
from tacit.sessions.messages import Progress
from tacit.sessions.party import PartySession
from tacit.sessions.processes import PartyProcesses, launch
from tacit.sessions.session import Session, checked_parties

__all__ = [
    "LocalSession",
    "PartyContext",
    "PartyProcesses",
    "PartySession",
    "ProcessSession",
    "Progress",
    "Reference",
    "Session",
    "checked_parties",
    "launch",
    "party_session",
    "run_alone",
]
