"""The protocols there are, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tacit.encoding.ring import RING64, Ring
from tacit.errors import UsageError
from tacit.protocols.fantastic4 import Fantastic4Party
from tacit.protocols.fantastic4.model import SECURITY as FANTASTIC4_SECURITY
from tacit.protocols.interface import Party, Rounding
from tacit.protocols.replicated3 import Replicated3Party
from tacit.protocols.replicated3.model import SECURITY as REPLICATED3_SECURITY
from tacit.protocols.replicated3_active import Replicated3ActiveParty
from tacit.protocols.replicated3_active.model import SECURITY as REPLICATED3_ACTIVE_SECURITY
from tacit.protocols.security import SecurityModel
from tacit.rounds.contract import Step
from tacit.rounds.cost import CostTable, Declaration
from tacit.rounds.randomness import Randomness
from tacit.sharing.additive import AdditiveForm
from tacit.sharing.replicated import REPLICATED_FORM
from tacit.sharing.replicated4 import REPLICATED4_FORM

__all__ = ["DEFAULT_NAMES", "PROTOCOLS", "Protocol", "protocol_named"]

DEFAULT_NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace")
"""What parties are called where nobody names them."""

ROUNDED = frozenset({"truncate", "multiply_truncate", "matmul_truncate", "sum_products_truncate"})
"""The primitives that follow the party's rounding; their declarations take it."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol: its name, its promise, and how to make a party.

    Attributes
    ----------
    name : str
        What users type.
    security : SecurityModel
        What it promises.
    party : callable
        ``party(names, index, seeds, session_id=b"", rounding="probabilistic", ring=RING64)``
        makes one party; ``seeds`` maps each peer's index to the 16-byte seed shared with it;
        hashes are bound to the session id.
    costs : mapping of str to callable
        For each primitive, its declared cost as a function of its arguments' sizes, in Z_2^64;
        all take a ring, and those in `ROUNDED` a rounding.
    rings : tuple of int
        The bits of the rings that it runs over.
    setup : callable or None
        ``setup(party, randomness)`` is a step that all parties run once, before any other.
    form : AdditiveForm, optional
        How its shares split into additive parts; without one they cannot be stored.
    """

    name: str
    security: SecurityModel
    party: Callable[..., Party]
    costs: Mapping[str, Callable[..., Declaration]]
    rings: tuple[int, ...] = (64,)
    setup: Callable[[Any, Randomness], Step[None]] | None = None
    form: AdditiveForm | None = None

    def costs_with(self, rounding: Rounding = "probabilistic", ring: Ring = RING64) -> CostTable:
        """The declarations for parties that round in this way and compute in this ring."""
        rounded = {} if rounding == "probabilistic" else {"rounding": rounding}
        declared = {
            name: partial(declare, ring=ring, **(rounded if name in ROUNDED else {}))
            for name, declare in self.costs.items()
        }
        return CostTable(ring.bits, declared)


PROTOCOLS: Mapping[str, Protocol] = {
    "replicated3": Protocol(
        name="replicated3",
        security=REPLICATED3_SECURITY,
        party=Replicated3Party,
        costs=Replicated3Party.costs,
        rings=(64, 128),
        form=REPLICATED_FORM,
    ),
    "fantastic4": Protocol(
        name="fantastic4",
        security=FANTASTIC4_SECURITY,
        party=Fantastic4Party,
        costs=Fantastic4Party.costs,
        rings=(64, 128),
        setup=Fantastic4Party.set_up,
        form=REPLICATED4_FORM,
    ),
    "replicated3_active": Protocol(
        name="replicated3_active",
        security=REPLICATED3_ACTIVE_SECURITY,
        party=Replicated3ActiveParty,
        costs=Replicated3ActiveParty.costs,
        rings=(64,),
        form=REPLICATED_FORM,
    ),
}


def protocol_named(name: str) -> Protocol:
    """The protocol with this name.

    Raises
    ------
    UsageError
        There is none (TC-1001); the message lists what exists.
    """
    try:
        return PROTOCOLS[name]
    except KeyError:
        raise UsageError(
            f"There is no protocol named {name!r}.",
            next_step=f"choose one of: {', '.join(PROTOCOLS)}.",
            case=1,
        ) from None
