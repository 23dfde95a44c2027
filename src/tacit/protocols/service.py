"""Outputs to and inputs from a party that does not compute, by two that are known to be honest.

Dalskov, Escudero, Keller 2021 (ePrint 2020/1330): when a message proves that one of A
and B is corrupt, the other two, C and D, are honest (at most one party is corrupt). B leaves the
computation but may be the honest one of the pair, so it still gets its outputs and puts in its
inputs. It takes both from C and D alone, over links of these three.

*Deliver*: x = x_A + x_C + x_D; C holds x_A and x_D, D holds x_A and x_C. C sends x_A + x_D - r, D
sends x_C + r, with r from a key that they alone hold: B learns x and nothing of how it is shared.
*Deposit*: B sends a uniform a to C and v - a to D. Each puts in what it got; the sum is v.

What a lie can do. B: nothing: any two messages are the input of some v. A: nothing, it is not
there. C and D are honest if at most one party is corrupt; so that a fault of a machine, or two
that are not at the same place, is seen all the same, B compares a digest of x_A from both.

Whether both C and D have an input, all three that compute must see alike, or they would go
different ways: so C and D tell each other, then A.

Rounds and bytes: deliver 1 round, two elements and 64 check bytes; deposit 1 round, two elements,
then (:func:`put_in`) 4 rounds among A, C and D, two elements, 4 + 64 check bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tacit import kernels
from tacit.encoding.digest import DIGEST_BYTES, tagged_hash
from tacit.encoding.ring import RING64, Ring
from tacit.errors import InternalError, VerificationError
from tacit.protocols.fallback import inputs_cost, put_in_part
from tacit.protocols.fantastic4.groups import BITS, Array, Group, elements_of
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Round, Step
from tacit.rounds.cost import Declaration, in_turn
from tacit.rounds.randomness import Randomness
from tacit.sharing.bits import pack_bits, unpack_bits, without_padding, word_count
from tacit.sharing.fallback import OfThree, parts_by_lacking

__all__ = [
    "ServiceParty",
    "deliver",
    "deliver_cost",
    "deposit",
    "deposit_cost",
    "put_in",
    "put_in_cost",
]

_MASK: Final = 0
_SALT: Final = 1


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
        first, second = (i for i in range(3) if i != served)
        self.helpers = (first, second)
        self._key = None
        if index != served:
            self._key = kernels.StreamKey(seeds[second if index == first else first])
        self._nonces = count(1)

    def __repr__(self) -> str:
        return f"ServiceParty({self.names[self.index]!r})"

    @property
    def key(self) -> kernels.StreamKey:
        """The key of the two that serve."""
        if self._key is None:
            raise InternalError("the served party has no key of the two that serve it")
        return self._key

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
    suspect: int,
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
    suspect : int
        The one of `members` that does not serve.

    Returns
    -------
    ndarray or None
        Ring elements, or 0 and 1, at the one that is served.

    Raises
    ------
    VerificationError
        The two that serve do not have the same (TC-5204).
    """
    group, size = _group(service, bits), _size(shape, bits)
    nonce = service.nonce()
    if service.index == service.served:
        value = yield from _take(service, group, size)
        return unpack_bits(value, shape) if bits else value
    if share is None:
        raise InternalError("a party that serves has no part of an output")
    parts = dict(parts_by_lacking(share, index, members))
    if bits:
        parts = {member: without_padding(part, prod(shape)) for member, part in parts.items()}
    common = parts.pop(suspect)
    (own,) = parts.values()
    mask, salt = group.empty(size), np.empty(DIGEST_BYTES, np.uint8)
    group.fill(service.key, nonce, _MASK, mask)
    kernels.fill(service.key, nonce, _SALT, salt)
    if service.index == service.helpers[0]:
        part = group.add(group.subtract(own, mask), common)
    else:
        part = group.add(own, mask)
    place = nonce.to_bytes(8, "little") + salt.tobytes()
    copy = np.ascontiguousarray(common).reshape(-1).view(np.uint8)
    digest = tagged_hash("delivered share", service.session_id, place, copy)
    yield Round(
        send={service.served: (np.asarray(part, order="C"),)},
        check={service.served: (np.frombuffer(digest, np.uint8),)},
    )
    return None


def _take(service: ServiceParty, group: Group, size: tuple[int, ...]) -> Step[Array]:
    """The served party's half of :func:`deliver`."""
    first, second = service.helpers
    parts = {helper: group.empty(size) for helper in service.helpers}
    digests = {helper: np.empty(DIGEST_BYTES, np.uint8) for helper in service.helpers}
    yield Round(
        receive={helper: (part,) for helper, part in parts.items()},
        check_receive={helper: (digest,) for helper, digest in digests.items()},
    )
    if not np.array_equal(digests[first], digests[second]):
        names = [service.names[helper] for helper in service.helpers]
        raise VerificationError(
            f"{names[0]} and {names[1]}, which deliver an output to"
            f" {service.names[service.served]}, do not have the same share of it, so it was not"
            " taken.",
            next_step="two machines are faulty or more than one party is corrupt; compare the"
            " parties' versions and logs, and run the job again.",
            case=4,
            parties=names,
            stage="reveal",
        )
    return group.add(parts[first], parts[second])


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
    group, size = _group(service, bits), _size(shape, bits)
    if service.index != service.served:
        summand = group.empty(size)
        yield Round(receive={service.served: (summand,)})
        return summand
    if values is None or values.shape != shape or randomness is None:
        raise InternalError("the served party's input does not have the agreed shape")
    value = pack_bits(values) if bits else values
    drawn = np.frombuffer(randomness.token(value.nbytes), group.dtype).reshape(size)
    rest = np.asarray(group.subtract(value, drawn), order="C")
    yield Round(send=dict(zip(service.helpers, ((drawn,), (rest,)), strict=True)))
    return None


def put_in(
    party: Party,
    summand: NDArray[Any] | None,
    shape: tuple[int, ...],
    *,
    bits: bool,
    helpers: tuple[int, int],
) -> Step[Any]:
    """Share what was deposited, among the three that compute: two inputs and their sum. 4 rounds.

    Parameters
    ----------
    party : Party
        Of ``replicated3_active``.
    summand : ndarray or None
        From :func:`deposit`; None at the third party, and at one that serves if nothing came.
    shape : tuple of int
    bits : bool
    helpers : tuple of int
        The two that serve, by their index in `party`.

    Returns
    -------
    Replicated or ReplicatedBits or None
        None at all three alike if one of the two that serve has nothing.

    Raises
    ------
    VerificationError
        The two that serve do not say the same about it (TC-5205).
    """
    if not (yield from _both_have(party, summand is not None, helpers)):
        return None
    inputs = []
    for helper in helpers:
        part = summand if party.index == helper else None
        inputs.append(put_in_part(party, helper, part, shape, bits=bits))
    first, second = yield from together(*inputs)
    return party.xor(first, second) if bits else party.add(first, second)


def _both_have(party: Party, mine: bool, helpers: tuple[int, int]) -> Step[bool]:
    """Whether both that serve have what was deposited; the third takes their common word.

    2 rounds, 2 check bytes from each of the two.
    """
    (third,) = set(range(3)) - set(helpers)
    if party.index == third:
        words = {helper: np.empty(1, np.uint8) for helper in helpers}
        yield Round()
        yield Round(check_receive={helper: (word,) for helper, word in words.items()})
        one, other = (int(words[helper][0]) for helper in helpers)
        if one != other or one > 1:
            names = [party.names[helper] for helper in helpers]
            raise VerificationError(
                f"{' and '.join(names)} do not say the same about an input of the party that they"
                " serve.",
                next_step="more than one party is faulty or corrupt; compare the parties' versions"
                " and logs, and run the job again.",
                case=5,
                parties=names,
                stage="input",
            )
        return one == 1
    other_helper = helpers[1] if party.index == helpers[0] else helpers[0]
    theirs = np.empty(1, np.uint8)
    yield Round(
        check={other_helper: (np.array([mine], np.uint8),)},
        check_receive={other_helper: (theirs,)},
    )
    both = mine and int(theirs[0]) == 1
    yield Round(check={third: (np.array([both], np.uint8),)})
    return both


def deliver_cost(size: int, served: int, *, bits: bool, ring: Ring = RING64) -> Declaration:
    """1 round; from each of the two that serve an element (8 bytes a word for bits), a digest."""
    payload = _payload(size, bits, ring)
    sent, check = ([0 if i == served else n for i in range(3)] for n in (payload, DIGEST_BYTES))
    return Declaration(1, tuple(sent), tuple(check))


def deposit_cost(size: int, served: int, *, bits: bool, ring: Ring = RING64) -> Declaration:
    """1 round; two elements (16 bytes a word for bits) from the one that is served."""
    payload = _payload(size, bits, ring)
    return Declaration(1, tuple(2 * payload if i == served else 0 for i in range(3)))


def put_in_cost(party: Party, size: int, helpers: tuple[int, int], *, bits: bool) -> Declaration:
    """2 rounds and 2 check bytes from each of the two that serve, then two inputs side by side."""
    words = Declaration(2, (0, 0, 0), tuple(2 if i in helpers else 0 for i in range(3)))
    return in_turn(words, inputs_cost(party, size, helpers, bits=bits))


def _payload(size: int, bits: bool, ring: Ring) -> int:
    return BITS.dtype.itemsize * word_count(size) if bits else ring.element_bytes * size


def _group(service: ServiceParty, bits: bool) -> Group:
    return BITS if bits else elements_of(service.ring)


def _size(shape: tuple[int, ...], bits: bool) -> tuple[int, ...]:
    return (word_count(prod(shape)),) if bits else shape
