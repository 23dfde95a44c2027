"""What the parties of a four-party session do about a fault: confer, judge, go on with fewer.

Statements and their signatures, a broadcast, the verdict on who is at fault, the stages that
follow, and the evidence that stays. Nothing here opens a socket, reads a clock or sees a share:
the broadcast is a generator, like protocol steps. May import ``network`` (certificates) and below.
Start with ``statements.py``, then ``conference.py`` and ``verdict.py``; why it is sound stands in
``docs/decisions/0050-guaranteed-output.md``.
"""

from tacit.recovery.conference import Conference, confer
from tacit.recovery.course import Stage, after, after_pair, first
from tacit.recovery.statements import (
    Answer,
    Exhibit,
    Keys,
    Occasion,
    Position,
    Seen,
    SeenDispute,
    Signed,
    Signer,
    Statement,
)
from tacit.recovery.testimony import Witness, seen_from_error
from tacit.recovery.verdict import Verdict

__all__ = [
    "Answer",
    "Conference",
    "Exhibit",
    "Keys",
    "Occasion",
    "Position",
    "Seen",
    "SeenDispute",
    "Signed",
    "Signer",
    "Stage",
    "Statement",
    "Verdict",
    "Witness",
    "after",
    "after_pair",
    "confer",
    "first",
    "seen_from_error",
]
