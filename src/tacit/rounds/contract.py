"""The contract between a protocol step and whatever drives it.

A protocol step is a generator. It yields :class:`Round` objects and is resumed when everything
in ``receive`` has arrived; its return value is the step's result::

    def multiply(party, x, y):
        z = cross_terms(x, y) + zero_share(party, x.shape)
        z_next = np.empty_like(z)
        yield Round(send={party.previous: (z,)}, receive={party.next: (z_next,)})
        return Replicated(own=z, next=z_next)

Rules that every step keeps, at every party:

* What is sent in round *i* of a step is received in round *i* of the same step, and all
  parties' copies of a step yield the same number of rounds. A round may be empty for a party.
* Arrays to send are C-contiguous and are not written to until the generator is resumed.
* Arrays to receive into are C-contiguous, writable, allocated by the step, and their length is
  what the message must have: a driver refuses any other length before it writes a byte.
* Hashes and other check values go into ``check`` and ``check_receive``: they travel in the same
  message behind the payload and are counted apart.
* A step that works for long without a message yields an empty round of depth 0 now and then, at the
  same places at all parties: it costs nothing, and the driver looks whether time is up.
* No step looks at time, links, threads or anything else outside its arguments.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from numpy.typing import NDArray

__all__ = ["Arrays", "Outbox", "Round", "Step"]

Arrays: TypeAlias = tuple[NDArray[Any], ...]
Outbox: TypeAlias = Mapping[int, Arrays]

T = TypeVar("T")


@dataclass(slots=True, repr=False, eq=False)
class Round:
    """One round of one party: what leaves and what must arrive before the step goes on.

    Parameters
    ----------
    send : mapping of int to tuple of ndarray
        For each peer (its index) the arrays that leave, in order. Nothing goes to oneself.
    receive : mapping of int to tuple of ndarray
        For each peer the arrays that are filled with what it sent, in order.
    check, check_receive : mapping of int to tuple of ndarray
        The same for check values (hashes), which are counted as check bytes.
    depth : int
        How many rounds of waiting this adds, 1 unless a combinator knows better.
    split : bool
        Half a round, which only sends or only waits: what is sent now is received in a later
        half. Made by ``pipelined``; never merged with other rounds.

    Notes
    -----
    Not frozen, because thousands are made a second; nobody changes one that was yielded.
    """

    send: Outbox = field(default_factory=dict)
    receive: Outbox = field(default_factory=dict)
    check: Outbox = field(default_factory=dict)
    check_receive: Outbox = field(default_factory=dict)
    depth: int = 1
    split: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing leaves and nothing is awaited here."""
        return not (self.send or self.receive or self.check or self.check_receive)

    def __repr__(self) -> str:
        def sizes(box: Outbox) -> dict[int, int]:
            return {peer: sum(a.nbytes for a in arrays) for peer, arrays in box.items()}

        return f"Round(send bytes={sizes(self.send)}, receive bytes={sizes(self.receive)})"


Step: TypeAlias = Generator[Round, None, T]
"""A protocol step with a result of type ``T``."""
