"""A conference: rounds of letters between parties of whom one may be dead, silent or corrupt.

Each party dials every other, sends its letters over the links it dialled and hears those that come
over links it accepted. So a party that is dead shows at once, because its port refuses connections;
one that is busy shows by a connection that stands and does not speak, and is waited for. What
anybody else does costs time at most: a wrong token, half a handshake, a certificate of another
authority, bytes that are no letter, letters of another conference, too many of anything.

**Time.** Round r ends when every party that is not dead has spoken in it and has been spoken to,
and at the latest r times `seconds` after the conference began at this party. Counted so, from the
beginning, a letter comes in time whenever the parties begin within `seconds`, less the time it
travels, of each other: an honest party sends its letter of round r at the end of round r - 1, at
the latest (r - 1) times `seconds` after *its* beginning. Were each round given `seconds` from its
own begin, a party that heard all of round 1 at once would end round 2 before one that had to wait
for a silent party has sent. This is the synchronous model that broadcast with signatures needs
(D. Dolev, H. R. Strong, *Authenticated algorithms for Byzantine agreement*, SIAM J. Comput. 12,
1983).
"""

from __future__ import annotations

import errno
import itertools
import selectors
import socket
import time
from collections.abc import Generator, Iterator
from typing import Annotated, Any, Final, TypeAlias, TypeVar

import msgspec

from tacit import _native
from tacit.errors import AddressError, CertificateError
from tacit.network.addresses import Address, resolve
from tacit.network.certificates import dns_name
from tacit.network.doors import HEARTBEAT, HERE, Caller, Door, conference_token, question_token

__all__ = ["Conference", "Line", "first_letter", "hold"]

T = TypeVar("T")

Conference: TypeAlias = Generator[dict[str, bytes], dict[str, bytes], T]
"""Yields what goes to each peer, is sent what came from each: who said nothing is not there."""

REFUSAL: Final = 1.0
"""A party whose port refuses connections for so many seconds is dead."""
MOST_ROUNDS: Final = 64
MOST_LETTERS: Final = 256
"""On one connection: a party sends at most one letter a round, and again on a new connection."""
_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 0.1
_CONNECTING: Final = 1.0
"""Seconds after which a connection that does not come to stand is tried anew."""
_ASK_AGAIN: Final = 1.0
_STOPPED: Final = 2.0
"""A longer gap between two looks at the clock means that this process itself was stopped."""
_LOOK: Final = 0.25
_UNDER_WAY: Final = (0, errno.EINPROGRESS)


class Letter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """What one party says to another in one round; `body` None: that it says nothing."""

    conference: Annotated[int, msgspec.Meta(ge=1)]
    round: Annotated[int, msgspec.Meta(ge=1, le=MOST_ROUNDS)]
    body: bytes | None


class Line:
    """This party's way to one peer, over a link that it dials.

    Attributes
    ----------
    dead : bool
        The peer's port refused connections, or nobody answered there, for long enough.
    """

    def __init__(self, peer: str, index: int, address: Address) -> None:
        self.peer = peer
        self.index = index
        self.address = address
        self.dead = False
        self.socket: socket.socket | None = None
        self.link: _native.Link | None = None
        self.links: _native.Links | None = None
        self.descriptor = -1
        self.letters: list[bytes] = []
        self.sent = 0
        self.most_sent = 0
        self.refused: float | None = None
        self.next_try = 0.0
        self.begun = 0.0
        self.question: _Question | None = None
        self.next_question = 0.0
        self.answered = time.monotonic()
        self._pause = _FIRST_PAUSE
        self._targets: Iterator[Any] | None = None

    def target(self) -> tuple[socket.AddressFamily, tuple[str, int]] | None:
        """The next of the peer's numeric addresses; None while its name is unknown."""
        if self._targets is None:
            try:
                self._targets = itertools.cycle(resolve(self.address))
            except AddressError:
                return None
        found: tuple[socket.AddressFamily, tuple[str, int]] = next(self._targets)
        return found

    def suspect(self) -> None:
        """It was found dead before: the first refusal is enough."""
        self.refused = time.monotonic() - REFUSAL

    @property
    def resting(self) -> bool:
        """Whether it is between two attempts."""
        return self.socket is None and self.link is None and self.links is None

    def later(self) -> None:
        """Give up this attempt; try again after a pause, from the first letter on."""
        self.drop()
        self.next_try = time.monotonic() + self._pause
        self._pause = min(self._pause * 1.6, _LONGEST_PAUSE)

    def drop(self) -> None:
        """Close what there is."""
        if self.socket is not None:
            self.socket.close()
        if self.link is not None:
            self.link.close()
        if self.links is not None:
            self.links.close(0.0)
        self.socket = self.link = self.links = None
        self.sent = 0


class _Question:
    """A connection that asks whether anybody is at a peer's door."""

    def __init__(self, line: Line, connection: socket.socket) -> None:
        self.line = line
        self.connection = connection
        self.asked = False


class _Hearing:
    """A link over which one peer's letters come."""

    def __init__(self, peer: str, index: int, links: _native.Links, descriptor: int) -> None:
        self.peer = peer
        self.index = index
        self.links = links
        self.descriptor = descriptor
        self.letters = 0


class _Hall:
    """The state of :func:`hold`."""

    def __init__(
        self,
        own: int,
        lines: list[Line],
        number: int,
        identity: _native.Identity,
        door: Door,
        seconds: float,
        stillness: float,
    ) -> None:
        self.own = own
        self.stillness = stillness
        self.lines = lines
        self.number = number
        self.identity = identity
        self.door = door
        self.seconds = seconds
        self.token = conference_token(number)
        self.round = 0
        self.begun = self.looked = time.monotonic()
        self.inbox: dict[int, dict[str, bytes | None]] = {}
        self.hearings: list[_Hearing] = []
        self.selector = selectors.DefaultSelector()
        self.selector.register(door, selectors.EVENT_READ, None)

    def run(self, conference: Conference[T]) -> T:
        try:
            letters = next(conference)
            while True:
                self.round += 1
                for line in self.lines:
                    letter = Letter(self.number, self.round, letters.get(line.peer))
                    line.letters.append(msgspec.msgpack.encode(letter))
                self._talk(self.begun + self.round * self.seconds)
                heard = self.inbox.pop(self.round, {})
                letters = conference.send({k: v for k, v in heard.items() if v is not None})
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            conference.close()

    def leave(self) -> list[_native.Links]:
        """Leave nothing open but what may still be on its way, which the caller closes later."""
        self.selector.close()
        left = [hearing.links for hearing in self.hearings]
        for line in self.lines:
            if line.links is not None:
                left.append(line.links)
                line.links = None
            line.drop()
            if line.question is not None:
                line.question.connection.close()
                line.question = None
        return left

    def _talk(self, until: float) -> None:
        """One round."""
        self._come_in()
        for line in self.lines:
            line.answered = time.monotonic()
            self._send(line)
        while not all(map(self._is_done, self.lines)):
            now = time.monotonic()
            if now >= until:
                return
            if now - self.looked > _STOPPED:
                for line in self.lines:
                    line.answered = now
            self.looked = now
            for line in self.lines:
                self._try(line, now)
                self._ask(line, now)
            for key, _ in self.selector.select(max(0.0, self._next_look(until, now) - now)):
                self._ready(key.data)
            self.door.sort()
            self._come_in()

    def _is_done(self, line: Line) -> bool:
        if line.dead:
            return True
        spoken_to = max(line.sent, line.most_sent) >= self.round
        return spoken_to and line.peer in self.inbox.get(self.round, {})

    def _next_look(self, until: float, now: float) -> float:
        times = [line.next_try for line in self.lines if line.resting and not line.dead]
        return min(until, now + _LOOK, *times)

    def _ready(self, subject: Line | _Hearing | _Question | None) -> None:
        if isinstance(subject, _Hearing):
            if subject in self.hearings:
                self._hear(subject)
        elif isinstance(subject, _Question):
            self._answer(subject)
        elif subject is None:
            pass  # the door, sorted in each turn
        elif subject.socket is not None:
            self._connected(subject, subject.socket)
        elif subject.link is not None:
            self._greet(subject, subject.link)
        elif subject.links is not None:
            self._look(subject, subject.links)

    # Whether anybody is there.

    def _ask(self, line: Line, now: float) -> None:
        """Ask at the door of a party that is silent; give it up when nobody answers for long."""
        if line.dead or line.peer in self.inbox.get(self.round, {}):
            return
        if now - line.answered >= self.stillness:
            line.dead = True
            self._forget(line)
            return
        target = line.target() if line.question is None and now >= line.next_question else None
        if target is None:
            return
        family, numeric = target
        line.next_question = now + min(_ASK_AGAIN, self.stillness / 5)
        try:
            connection = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            return
        connection.setblocking(False)
        if connection.connect_ex(numeric) not in _UNDER_WAY:
            connection.close()
            return
        line.question = _Question(line, connection)
        self.selector.register(connection, selectors.EVENT_WRITE, line.question)

    def _answer(self, question: _Question) -> None:
        line, connection = question.line, question.connection
        if question is not line.question:
            return
        try:
            if not question.asked:
                connection.sendall(question_token())
                question.asked = True
                self.selector.modify(connection, selectors.EVENT_READ, question)
                return
            if connection.recv(len(HERE)) == HERE:
                line.answered = time.monotonic()
        except OSError:
            pass
        self._forget(line)

    def _forget(self, line: Line) -> None:
        if line.question is not None:
            self.selector.unregister(line.question.connection)
            line.question.connection.close()
            line.question = None

    # Speaking.

    def _try(self, line: Line, now: float) -> None:
        if line.socket is not None and now - line.begun >= _CONNECTING:
            self.selector.unregister(line.socket)
            line.later()
        if not line.resting or line.dead or now < line.next_try:
            return
        target = line.target()
        if target is None:
            line.later()
            return
        family, numeric = target
        line.begun = now
        try:
            line.socket = socket.socket(family, socket.SOCK_STREAM)
            line.socket.setblocking(False)
            status = line.socket.connect_ex(numeric)
        except OSError:
            line.later()
            return
        if status in _UNDER_WAY:
            self.selector.register(line.socket, selectors.EVENT_WRITE, line)
        else:
            self._unreachable(line, status)

    def _unreachable(self, line: Line, status: int) -> None:
        now = time.monotonic()
        if status == errno.ECONNREFUSED:
            line.refused = now if line.refused is None else line.refused
            line.dead = now - line.refused >= REFUSAL
        line.later()

    def _connected(self, line: Line, connected: socket.socket) -> None:
        self.selector.unregister(connected)
        status = connected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if status:
            self._unreachable(line, status)
            return
        line.refused = None
        try:
            connected.sendall(self.token)
            line.socket = None
            name = dns_name(line.peer)
            line.link = _native.Link.dial(connected.detach(), self.identity, name)
        except (OSError, _native.LinkFailure):
            line.later()
            return
        self.selector.register(line.link.fileno(), selectors.EVENT_READ, line)
        self._greet(line, line.link)

    def _greet(self, line: Line, link: _native.Link) -> None:
        try:
            if not link.handshake():
                events = selectors.EVENT_READ
                if link.wants_write():
                    events |= selectors.EVENT_WRITE
                self.selector.modify(link.fileno(), events, line)
                return
            certified = self.door.trust.party(link.peer_certificate() or b"")
        except (_native.LinkFailure, CertificateError):
            certified = ""
        self.selector.unregister(link.fileno())
        if certified != line.peer:
            line.later()
            return
        line.descriptor = link.fileno()
        line.links = _native.Links(self.own, {line.index: link}, HEARTBEAT)
        line.link = None
        self.selector.register(line.descriptor, selectors.EVENT_READ, line)
        self._send(line)

    def _send(self, line: Line) -> None:
        """Encrypt and send all letters that are due; what a socket does not take follows."""
        links = line.links
        try:
            while links is not None and line.sent < len(line.letters):
                links.control({line.index: line.letters[line.sent]}, [], 0, None)
                line.sent += 1
                line.most_sent = max(line.most_sent, line.sent)
        except _native.LinkFailure:
            self._lose(line)

    def _look(self, line: Line, links: _native.Links) -> None:
        """Nothing comes on a dialled link but heartbeats and its end."""
        try:
            links.control({}, [line.index], 0, 0.0)
        except _native.LinkFailure as failure:
            if failure.args[0] == "deadline":
                return
        self._lose(line)

    def _lose(self, line: Line) -> None:
        self.selector.unregister(line.descriptor)
        line.later()

    # Hearing.

    def _come_in(self) -> None:
        mine = [caller for caller in self.door.callers if caller.number == self.number]
        for caller in mine:
            self.door.callers.remove(caller)
            line = next((line for line in self.lines if line.peer == caller.name), None)
            if line is None:  # not of this conference
                caller.close()
                continue
            line.dead = False
            line.refused = None
            line.answered = time.monotonic()
            same = [hearing for hearing in self.hearings if hearing.peer == caller.name]
            if len(same) >= 3:
                self._end(same[0])
            links = caller.listen(self.own, line.index)
            hearing = _Hearing(caller.name, line.index, links, caller.descriptor)
            self.hearings.append(hearing)
            self.selector.register(caller.descriptor, selectors.EVENT_READ, hearing)
            for letter in caller.letters:
                self._note(hearing, letter)
            self._hear(hearing)

    def _hear(self, hearing: _Hearing) -> None:
        limit = _native.LINK_CONTROL_BYTES
        try:
            while hearing.letters < MOST_LETTERS:
                arrived = hearing.links.control({}, [hearing.index], limit, 0.0)
                self._note(hearing, arrived[hearing.index])
        except _native.LinkFailure as failure:
            if failure.args[0] == "deadline":
                return
        except msgspec.MsgspecError:
            pass  # no letter
        self._end(hearing)

    def _note(self, hearing: _Hearing, data: bytes) -> None:
        letter = msgspec.msgpack.decode(data, type=Letter)
        hearing.letters += 1
        if letter.conference == self.number and letter.round >= self.round:
            self.inbox.setdefault(letter.round, {}).setdefault(hearing.peer, letter.body)

    def _end(self, hearing: _Hearing) -> None:
        self.selector.unregister(hearing.descriptor)
        self.hearings.remove(hearing)
        hearing.links.close(0.0)


def first_letter(caller: Caller, own: int, index: int, seconds: float) -> bytes:
    """What a party that calls for a conference says first, before the conference begins here.

    Parameters
    ----------
    caller : Caller
        Its connection, which stays as it is for the conference.
    own, index : int
        This party's index and the caller's.
    seconds : float
        How long to wait at most.

    Returns
    -------
    bytes
        Its letter; empty if none came in that time.
    """
    links = caller.listen(own, index)
    try:
        arrived = links.control({}, [index], _native.LINK_CONTROL_BYTES, seconds)[index]
        letter = msgspec.msgpack.decode(arrived, type=Letter)
    except (_native.LinkFailure, msgspec.MsgspecError):
        return b""
    caller.letters.append(arrived)
    if letter.conference != caller.number or letter.round != 1:
        return b""
    return letter.body or b""


def hold(
    own: int,
    lines: list[Line],
    number: int,
    identity: _native.Identity,
    door: Door,
    conference: Conference[T],
    seconds: float,
    stillness: float,
    left: list[_native.Links],
) -> T:
    """Drive one conference to its end.

    Parameters
    ----------
    own : int
        This party's index.
    lines : list of Line
        One for each other member.
    number : int
        The conference's number; letters of others are not heard.
    identity : Identity
        This party's certificate.
    door : Door
        Where the others connect.
    conference : Conference
        What to say, round by round.
    seconds : float
        How long a round may wait for a party that is not dead.
    stillness : float
        A party at whose door nobody answers for so many seconds is dead, or as good as dead.
    left : list of Links
        Gets the links on which the last letters may still be on their way. The caller closes
        them when it has had a sign that their readers went on.

    Returns
    -------
    object
        The conference's result.

    Raises
    ------
    Exception
        What the conference itself raises; never for what a peer does.
    """
    hall = _Hall(own, lines, number, identity, door, seconds, stillness)
    try:
        return hall.run(conference)
    finally:
        left.extend(hall.leave())
        door.end_conference(number)
