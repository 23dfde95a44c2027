"""Outputs to and inputs from a party that does not compute, by two that are known to be honest.

Dalskov, Escudero, Keller 2021 (ePrint 2020/1330), section 4: when a message proves that one of A
and B is corrupt, the other two, C and D, are honest (at most one party is corrupt). B leaves the
computation but may be the honest one of the pair, so it still gets its outputs and puts in its
inputs. It takes both from C and D alone, over links of these three.

*Deliver*: x = x_A + x_C + x_D; C holds x_A and x_D, D holds x_A and x_C. C sends x_A + x_D - r, D
sends x_C + r, with r from a key that they alone hold: B learns x and nothing of how it is shared.
*Deposit*: B sends a uniform a to C and v - a to D. Each puts in what it got; the sum is v.

What a lie can do. B: nothing: any two messages are the input of some v. A: nothing, it is not
there. C and D are honest if at most one party is corrupt; so that a fault of a machine, or two
that are not at the same place, is seen all the same, B compares a digest of x_A from both.

Rounds and bytes: deliver 1 round, two elements and 64 check bytes; deposit 1 round, two elements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from numpy.typing import NDArray

from tacit import kernels
from tacit.encoding.ring import RING64, Ring
from tacit.errors import InternalError
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.randomness import Randomness
from tacit.sharing.fallback import OfThree

__all__ = ["ServiceParty", "deliver", "deposit", "put_in"]


class ServiceParty:
    """One of the three at the links between two that compute and the one they serve.

    Parameters
    ----------
    names : sequence of str
        The three parties' names.
    index : int
        Which one this is, 0 to 2.
    served : int
        Which one is served.
    seeds : mapping of int to bytes
        For each peer's index, the 16-byte seed shared with it alone.
    session_id : bytes
        Of these links; equal at all three.
    ring : Ring
    """

    def __init__(
        self,
        names: Sequence[str],
        index: int,
        served: int,
        seeds: Mapping[int, bytes],
        session_id: bytes = b"",
        ring: Ring = RING64,
    ) -> None:
        self.names = tuple(names)
        self.index = index
        self.served = served
        self.session_id = session_id
        self.ring = ring
        self.helpers = tuple(i for i in range(3) if i != served)
        other = [i for i in self.helpers if i != index]
        self.key = None if index == served else kernels.StreamKey(seeds[other[0]])
        self._nonces = count(1)

    def __repr__(self) -> str:
        return f"ServiceParty({self.names[self.index]!r})"

    def nonce(self) -> int:
        """A fresh nonce; the three draw the same ones in the same order."""
        nonce = next(self._nonces)
        if nonce >= 1 << 63:
            raise InternalError("the nonces of this session are used up")
        return nonce


def deliver(
    service: ServiceParty,
    share: OfThree | None,
    shape: tuple[int, ...],
    *,
    bits: bool,
    members: tuple[int, int, int],
    index: int,
) -> Step[NDArray[Any] | None]:
    """Open a sharing of the three that compute to the one that is served. 1 round, two elements.

    Parameters
    ----------
    service : ServiceParty
    share : Replicated or ReplicatedBits or None
        None at the one that is served.
    shape : tuple of int
        Of the secret.
    bits : bool
        Whether it is bits; plain ones.
    members : tuple of int
        The three that compute, by their index among four, ascending.
    index : int
        This party among four.

    Returns
    -------
    ndarray or None
        Ring elements, or 0 and 1, at the one that is served.
    """
    raise NotImplementedError
    yield


def deposit(
    service: ServiceParty,
    values: NDArray[Any] | None,
    shape: tuple[int, ...],
    randomness: Randomness | None = None,
    *,
    bits: bool,
) -> Step[NDArray[Any] | None]:
    """Hand an input to the two that serve: to each a summand. 1 round, two elements.

    Parameters
    ----------
    service : ServiceParty
    values : ndarray or None
        Ring elements, or 0 and 1; None at the others.
    shape : tuple of int
    randomness : Randomness
        Of the one that is served.
    bits : bool

    Returns
    -------
    ndarray or None
        What :func:`put_in` takes, at the two that serve.
    """
    raise NotImplementedError
    yield


def put_in(
    party: Party,
    summand: NDArray[Any] | None,
    shape: tuple[int, ...],
    *,
    bits: bool,
    helpers: tuple[int, int],
) -> Step[Any]:
    """Share what was deposited, among the three that compute: two inputs and their sum. 2 rounds.

    Parameters
    ----------
    party : Party
        Of ``replicated3_active``.
    summand : ndarray or None
        From :func:`deposit`; None at the third party.
    shape : tuple of int
    bits : bool
    helpers : tuple of int
        The two that serve, by their index in `party`.
    """
    raise NotImplementedError
    yield
