"""A network in this process for guarded sessions: threads that take turns, and no clock.

Every party's program runs in a thread of its own, one at a time, and gives its turn away where it
waits. Time-outs are virtual: they fire only when every party waits and nothing can arrive, in the
order of the waits' ends, those that end together in an order drawn from the seed. So a run is a
function of its seed, and a party that withholds a message costs no real second. Who waits in a
round complains only of whom the heartbeats' statuses permit it to (``network/driver.py``).

An adversary sees every message as it leaves, of whatever kind, and says what arrives instead: the
same, others, nothing, or that its sender crashes at this very message. The corrupt party's thread
has its turn last, so that what it sends is chosen after it has seen the others' messages. It may
run another program than the others as well.

Meant as ``network.Ground``, ``Mesh`` and ``LinkDriver``, with their errors.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Literal, TypeVar

import msgspec
import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tacit.encoding.digest import tagged_hash
from tacit.errors import DeadlineError, HandshakeError, PartyLostError, TacitError, TransportError
from tacit.network import Authority, Credentials, evidence_key, evidence_signer
from tacit.network.faults import Place, cause_of, cause_of_heard, error_from_failure
from tacit.network.handshake import decoded
from tacit.rounds.contract import Round, Step
from tacit.rounds.cost import Cost, Counter
from tacit.sessions.surroundings import Talk

__all__ = ["Crash", "Ground", "Hub", "HubMesh", "Hung", "Kind", "Late", "Outcome", "Sent"]

T = TypeVar("T")
M = TypeVar("M", bound=msgspec.Struct)

Kind = Literal["round", "control", "abort", "close", "conference"]

START = 30.0
PATIENCE = 60.0
TURNS = 2_000_000


class Crash(BaseException):
    """Raised in a party's thread when its process is to end here, without a word."""


class Hung(AssertionError):
    """All parties wait, and no wait has an end: a real session would hang for ever."""


class _Over(BaseException):
    """The run is over: threads that are left end."""


@dataclass(frozen=True, slots=True, repr=False)
class Sent:
    """One message as its sender made it.

    Attributes
    ----------
    kind : str
        A round's message, one outside rounds (barriers, orders), the cause of an abort, a goodbye,
        or one of a conference.
    sender, receiver : str
        Names.
    mesh : str
        Which links: members and how many such meshes there were before, ``"alice bob carol/0"``.
    payload : bytes
        Payload and, behind it, check values.
    check_bytes : int
        How many bytes at the end are check values.
    round : int
        The sender's round on these links, or of the conference.
    number : int
        How many messages its sender sent before, of any kind to anybody.
    """

    kind: Kind
    sender: str
    receiver: str
    mesh: str
    payload: bytes
    check_bytes: int
    round: int
    number: int

    def __repr__(self) -> str:
        return (
            f"Sent({self.kind} {self.number}, {self.sender} -> {self.receiver}, {self.mesh!r},"
            f" round {self.round}, {len(self.payload)} bytes)"
        )


Adversary = Callable[["Sent"], "Sequence[Any]"]
"""What arrives instead of a message: payloads, pairs of a kind and a payload, :class:`Late` ones.

May raise :class:`Crash` for its sender.
"""

Status = tuple[int, frozenset[str]]
"""What a party's heartbeats say on a mesh: its round, and whom it waits for."""


def honest(message: Sent) -> Sequence[bytes]:
    """Nothing is changed."""
    return (message.payload,)


@dataclass(frozen=True)
class Late:
    """A payload that arrives some virtual seconds later; what follows on its link, after it."""

    seconds: float
    payload: bytes


@dataclass
class Outcome:
    """What became of the parties.

    Attributes
    ----------
    results : dict of str to object
        What the programs returned.
    errors : dict of str to BaseException
        What they raised; :class:`Crash` where a process ended.
    """

    results: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, BaseException] = field(default_factory=dict)


@dataclass
class _Thread:
    """One party's thread; `baton` is held by whoever may not go on."""

    name: str
    baton: threading.Lock = field(default_factory=threading.Lock)
    ready: Callable[[], bool] = lambda: True
    complaint: Callable[[], str | None] | None = None
    until: float | None = None
    order: float = 0.0
    timed_out: bool = False
    over: bool = False
    stuck: float = 0.0

    def end(self) -> float | None:
        """When its waiting ends: later where it may not yet name anybody."""
        if self.until is None or self.complaint is None or self.complaint() is not None:
            return self.until
        return self.stuck


class Hub:
    """The network of one run.

    Parameters
    ----------
    names : sequence of str
        All parties.
    adversary : callable, optional
        See :data:`Adversary`.
    corrupt : str, optional
        Whose thread has its turn last.
    seed : int
        Of session ids, keys and the order of what happens together.
    claimed : callable, optional
        What the corrupt party's heartbeats say on a mesh, if it is not the truth.
    patience : float, optional
        Of rounds for which none is given; no limit by default.

    Attributes
    ----------
    sent : list of Sent
        Every message as its sender made it.
    clock : float
        Virtual seconds that were waited.
    """

    def __init__(
        self,
        names: Sequence[str],
        adversary: Adversary = honest,
        corrupt: str | None = None,
        seed: int = 0,
        claimed: Callable[[str, Status], Status] | None = None,
        patience: float | None = None,
    ) -> None:
        self.names = tuple(names)
        self.patience = patience
        self.claimed = claimed
        self.adversary = adversary
        self.corrupt = corrupt
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        self.sent: list[Sent] = []
        self.clock = 0.0
        self.dead: set[str] = set()
        self.outcome = Outcome()
        self._threads: dict[str, _Thread] = {}
        self._numbers: dict[str, int] = dict.fromkeys(self.names, 0)
        self._done = threading.Event()
        self._hung: Hung | None = None
        self._turns = 0
        self._meetings: dict[tuple[tuple[str, ...], int], dict[str, tuple[Any, ...]]] = {}
        self._meeting_numbers: dict[tuple[str, tuple[str, ...]], int] = {}
        self._talk_numbers: dict[tuple[str, tuple[str, ...]], int] = {}
        self._boxes: dict[tuple[str, str, str], deque[tuple[Kind, bytes]]] = {}
        self._said: dict[tuple[str, int, str, str], bytes] = {}
        self._late: dict[tuple[str, str, str], deque[tuple[float, Callable[[], None]]]] = {}
        self._gone: set[tuple[str, str]] = set()
        self._meshes: dict[tuple[str, str], HubMesh] = {}

    # Running.

    def run(self, programs: Mapping[str, Callable[[Ground], Any]]) -> Outcome:
        """Run one program a party to its end; nothing that a program raises is raised here.

        Raises
        ------
        Hung
            Everybody waits, without a time limit.
        """
        for order, name in enumerate(self.names):
            self._threads[name] = _Thread(name, order=float(order))
            self._threads[name].baton.acquire()
        threads = [
            threading.Thread(target=self._party, args=(name, programs[name]), daemon=True)
            for name in self.names
        ]
        for thread in threads:
            thread.start()
        self._pass_on()
        self._done.wait()
        for thread in self._threads.values():
            with suppress(RuntimeError):  # it has its turn
                thread.baton.release()
        for running in threads:
            running.join(60)
        if self._hung is not None:
            raise self._hung
        return self.outcome

    def _party(self, name: str, program: Callable[[Ground], Any]) -> None:
        thread = self._threads[name]
        thread.baton.acquire()
        if self._done.is_set():
            return
        try:
            self.outcome.results[name] = program(Ground(self, name))
        except _Over:
            return
        except BaseException as error:
            self.outcome.errors[name] = error
        self.dead.add(name)
        thread.over = True
        self._pass_on()

    def wait(
        self,
        name: str,
        ready: Callable[[], bool],
        seconds: float | None,
        complaint: Callable[[], str | None] | None = None,
    ) -> bool:
        """Give the turn away until something is ready; False when the time is over.

        With `complaint`, the time of this wait is over only if there is somebody to blame.
        """
        thread = self._threads[name]
        thread.ready = ready
        thread.complaint = complaint
        thread.until = None if seconds is None else self.clock + seconds
        thread.stuck = 0.0 if seconds is None else self.clock + 3 * seconds
        thread.order = float(self.rng.random())
        thread.timed_out = False
        self._pass_on()
        thread.baton.acquire()
        if self._done.is_set():
            raise _Over
        return not thread.timed_out

    def _pass_on(self) -> None:
        """Give the turn to a party that can go on; else let time pass."""
        self._turns += 1
        waiting = [thread for thread in self._threads.values() if not thread.over]
        if not waiting:
            self._done.set()
            return
        ready = [thread for thread in waiting if thread.ready()]
        if not ready:
            ends = [(end, thread) for thread in waiting if (end := thread.end()) is not None]
            coming = min((frames[0][0] for frames in self._late.values() if frames), default=None)
            if coming is not None and all(coming <= end for end, _ in ends):
                self.clock = max(self.clock, coming)
                for frames in self._late.values():
                    while frames and frames[0][0] <= self.clock:
                        frames.popleft()[1]()
                self._pass_on()
                return
            if not ends or self._turns > TURNS:
                left = [thread.name for thread in self._threads.values() if not thread.over]
                self._hung = Hung(f"all wait for ever: {', '.join(left)}")
                self._done.set()
                return
            end, chosen = min(ends, key=lambda found: (found[0], found[1].order))
            self.clock = max(self.clock, end)
            chosen.timed_out = True
        else:
            chosen = min(ready, key=lambda t: (t.name == self.corrupt, t.order))
        chosen.baton.release()

    # Messages.

    def send(
        self,
        kind: Kind,
        sender: str,
        receiver: str,
        mesh: str,
        payload: bytes,
        check_bytes: int = 0,
        round_number: int = 0,
    ) -> Sequence[Any]:
        """What arrives of one message, after the adversary."""
        number = self._numbers[sender]
        self._numbers[sender] = number + 1
        message = Sent(kind, sender, receiver, mesh, payload, check_bytes, round_number, number)
        self.sent.append(message)
        return self.adversary(message)

    def box(self, mesh: str, sender: str, receiver: str) -> deque[tuple[Kind, bytes]]:
        """What has arrived on one link and was not read."""
        return self._boxes.setdefault((mesh, sender, receiver), deque())

    def arrive(self, link: tuple[str, str, str], put: Callable[[], None], delay: float) -> None:
        """Put something into a link, now or later, behind what went before it."""
        late = self._late.setdefault(link, deque())
        if delay or late:
            before = late[-1][0] if late else 0.0
            late.append((max(before, self.clock + delay), put))
        else:
            put()

    def status(self, mesh: str, name: str) -> Status:
        """What a party's heartbeats say on these links."""
        here = self._meshes.get((mesh, name))
        true: Status = (0, frozenset()) if here is None else (here.exchanges, here.awaited())
        if name == self.corrupt and self.claimed is not None:
            return self.claimed(mesh, true)
        return true

    def leave(self, mesh: str, name: str) -> None:
        """A party's links of this mesh are closed."""
        self._gone.add((mesh, name))

    def has_left(self, mesh: str, name: str) -> bool:
        """Whether nothing more will come from a party on this mesh."""
        return name in self.dead or (mesh, name) in self._gone

    def view(self, name: str) -> Iterator[Sent]:
        """What was sent to one party, in order."""
        return (message for message in self.sent if message.receiver == name)


@lru_cache(maxsize=4)
def credentials(names: tuple[str, ...]) -> Mapping[str, Credentials]:
    """Everybody's keys, the same in all runs of a process."""
    authority = Authority()
    return {name: authority.issue(name) for name in names}


class RememberingKey:
    """A public key that verifies the same signature of the same once: runs repeat themselves."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self.key = key
        self._right = lru_cache(maxsize=20_000)(self._verified)

    def _verified(self, signature: bytes, data: bytes) -> bool:
        try:
            self.key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def verify(self, signature: bytes, data: bytes) -> None:
        """As ``Ed25519PublicKey.verify``."""
        if not self._right(bytes(signature), bytes(data)):
            raise InvalidSignature


@dataclass(frozen=True)
class Evidence:
    """What all parties know of the keys that sign evidence, and each of its own."""

    signing_keys: Mapping[str, Ed25519PrivateKey]
    certificates: Mapping[str, bytes]
    keys: Mapping[str, RememberingKey]


@lru_cache(maxsize=4)
def evidence_of(names: tuple[str, ...]) -> Evidence:
    """Made and checked once for all runs of a process."""
    made = credentials(names)
    signers = {name: evidence_signer(own) for name, own in made.items()}
    return Evidence(
        {name: key for name, (key, _) in signers.items()},
        {name: certificate for name, (_, certificate) in signers.items()},
        {
            name: RememberingKey(evidence_key(certificate, made[name].authority, name))
            for name, (_, certificate) in signers.items()
        },
    )


class Ground:
    """One party's place in a hub; as ``network.Ground``."""

    def __init__(self, hub: Hub, name: str) -> None:
        self.hub = hub
        self.name = name
        self.names = hub.names
        evidence = evidence_of(hub.names)
        self.signing_key = evidence.signing_keys[name]
        self.evidence_certificates = dict(evidence.certificates)
        self.evidence_keys: dict[str, Any] = dict(evidence.keys)
        self.authority = credentials(hub.names)[name].authority

    def connect(
        self,
        members: tuple[str, ...],
        protocol: str,
        job: bytes,
        parameters: Mapping[str, str],
        seconds: float | None = None,
    ) -> HubMesh:
        """Meet the other members, who say the same."""
        hub = self.hub
        key = (self.name, members)
        number = hub._meeting_numbers.get(key, 0)
        hub._meeting_numbers[key] = number + 1
        said = hub._meetings.setdefault((members, number), {})
        said[self.name] = (protocol, job, dict(parameters))

        def together() -> bool:
            return all(m in said or m in hub.dead for m in members)

        came = hub.wait(self.name, together, START if seconds is None else seconds)
        for member in members:
            if member not in said:
                kind = PartyLostError if came else DeadlineError
                raise kind(f"{member} did not come.", case=1, parties=[member], stage="handshake")
        for member in members:
            if said[member] != said[self.name]:
                raise HandshakeError(f"{member} has another job.", parties=[member])
        return HubMesh(hub, f"{' '.join(members)}/{number}", members, self.name)

    def confer(self, members: tuple[str, ...], conference: Talk[T], seconds: float) -> T:
        """Talk with the others; what does not come in time is left out."""
        hub = self.hub
        key = (self.name, members)
        number = hub._talk_numbers.get(key, 0)
        hub._talk_numbers[key] = number + 1
        talk = f"conference {' '.join(members)}/{number}"
        others = [m for m in members if m != self.name]
        turn, begun = 0, hub.clock
        try:
            outgoing = next(conference)
            while True:
                for peer in sorted(outgoing):
                    sent = hub.send("conference", self.name, peer, talk, outgoing[peer], 0, turn)
                    for data in sent[:1]:
                        late = isinstance(data, Late)
                        delay, payload = (data.seconds, data.payload) if late else (0.0, data)
                        place = (talk, turn, self.name, peer)
                        said = partial(hub._said.setdefault, place, payload)
                        hub.arrive((talk, self.name, peer), said, delay)

                def heard(turn: int = turn) -> bool:
                    return all(
                        (talk, turn, peer, self.name) in hub._said or peer in hub.dead
                        for peer in others
                    )

                # Every round ends at its place in time, however early the one before was over:
                # else a peer that had to wait there would come too late here.
                hub.wait(self.name, heard, begun + (turn + 1) * seconds - hub.clock)
                arrived = {
                    peer: hub._said[talk, turn, peer, self.name]
                    for peer in others
                    if (talk, turn, peer, self.name) in hub._said
                }
                turn += 1
                outgoing = conference.send(arrived)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def close(self) -> None:
        """Leave."""


class HubMesh:
    """One party's links of one stage; as ``network.Mesh`` with its driver."""

    def __init__(self, hub: Hub, key: str, names: tuple[str, ...], name: str) -> None:
        self.hub = hub
        self.key = key
        self.names = names
        self.name = name
        self.index = names.index(name)
        self.session_id = tagged_hash("hub session", str(hub.seed).encode(), key.encode())
        self.session = self.session_id.hex()
        self.counter = Counter()
        self.round_number = 0
        self.exchanges = 0
        self.patience = hub.patience
        self.testify: Callable[[BaseException], bytes] | None = None
        self._awaited: tuple[str, ...] = ()
        self._waits_since = 0.0
        self._stage = "handshake"
        self._over = False
        hub._meshes[key, name] = self

    @property
    def driver(self) -> HubMesh:
        """Runs steps over these links."""
        return self

    def pairwise_key(self, peer: int, purpose: str) -> bytes:
        """Of the two parties; not secret in tests."""
        pair = ",".join(map(str, sorted((self.index, peer)))).encode()
        return tagged_hash("hub key", self.session_id, pair, purpose.encode())[:16]

    def run(
        self,
        step: Step[T],
        *,
        stage: str = "",
        deadline: float | None = None,
        patience: float | None = None,
    ) -> T:
        """Run a step to its end."""
        self._stage = stage
        limits = [s for s in (deadline, patience or self.patience) if s is not None]
        try:
            while True:
                try:
                    current = next(step)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                self.round_number += 1
                self.exchanges += 1
                self._check_open()
                self.counter.count(current)
                self._send_round(current)
                self._receive_round(current, min(limits, default=None))
        except _Reported as report:
            raise report.error from None
        except (Crash, _Over):
            raise
        except BaseException as error:
            self.abort(error)
            raise
        finally:
            step.close()

    def gather(
        self,
        message: msgspec.Struct,
        kind: type[M],
        *,
        stage: str,
        deadline: float | None = None,
        patience: float | None = None,
    ) -> dict[str, M]:
        """One small message to and from all others."""
        limits = [s for s in (deadline, patience, self.patience) if s is not None]
        self._stage = stage
        data = msgspec.msgpack.encode(message)
        others = [name for name in self.names if name != self.name]
        try:
            self._check_open()
            self.exchanges += 1
            for peer in others:
                self._put("control", peer, data)
            arrived = {self.name: data}
            self._awaited = tuple(others)
            for peer in others:
                arrived[peer] = self._take(peer, "control", min(limits, default=None))
            self._awaited = ()
            return {name: decoded(arrived[name], kind, name, stage) for name in self.names}
        except _Reported as report:
            raise report.error from None
        except (Crash, _Over):
            raise
        except BaseException as error:
            self.abort(error)
            raise

    def cost(self) -> Cost:
        """What this party sent."""
        return Cost(
            self.counter.rounds,
            {self.name: self.counter.bytes_sent},
            {self.name: self.counter.check_bytes},
        )

    def abort(self, error: BaseException) -> None:
        """Tell the others why, and close."""
        if not self._over and not isinstance(error, Crash | _Over):
            statement = b"" if self.testify is None else self.testify(error)
            self._stop("abort", cause_of(error, self._place(), statement))

    def close(self) -> None:
        """Say goodbye."""
        self._stop("close", b"")

    def __enter__(self) -> HubMesh:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None:
            self.close()
        elif not isinstance(error, Crash | _Over):
            self.abort(error)

    # Moving bytes.

    def _send_round(self, current: Round) -> None:
        for peer in sorted({*current.send, *current.check}):
            payload = b"".join(a.tobytes() for a in current.send.get(peer, ()))
            checks = b"".join(a.tobytes() for a in current.check.get(peer, ()))
            self._put("round", self.names[peer], payload + checks, len(checks))

    def _receive_round(self, current: Round, seconds: float | None) -> None:
        peers = sorted({*current.receive, *current.check_receive})
        self._awaited = tuple(self.names[peer] for peer in peers)
        for peer in peers:
            targets = current.receive.get(peer, ()) + current.check_receive.get(peer, ())
            expected = sum(array.nbytes for array in targets)
            data = self._take(self.names[peer], "round", seconds)
            if len(data) != expected:
                raise self._failure("payload", self.names[peer], expected, len(data))
            start = 0
            for array in targets:
                flat = array.reshape(-1).view(np.uint8)
                flat[:] = np.frombuffer(data[start : start + array.nbytes], np.uint8)
                start += array.nbytes
        self._awaited = ()

    def _put(self, kind: Kind, peer: str, payload: bytes, check_bytes: int = 0) -> None:
        for data in self.hub.send(
            kind, self.name, peer, self.key, payload, check_bytes, self.round_number
        ):
            delay, data = (data.seconds, data.payload) if isinstance(data, Late) else (0.0, data)
            frame = data if isinstance(data, tuple) else (kind, data)
            link = (self.key, self.name, peer)
            self.hub.arrive(link, partial(self.hub.box(*link).append, frame), delay)

    def _take(self, peer: str, kind: Kind, seconds: float | None) -> bytes:
        """The next message of one peer, unless somebody stops or is lost meanwhile."""
        hub, box = self.hub, self.hub.box(self.key, peer, self.name)
        others = [name for name in self.names if name != self.name]

        def trouble() -> str | None:
            """A peer that stopped: of those that are not awaited, only a cause or a crash."""
            for name in others:
                waits = hub.box(self.key, name, self.name)
                if any(k == "abort" for k, _ in waits):
                    return name
                if name in hub.dead and not waits and (self.key, name) not in hub._gone:
                    return name
            return peer if hub.has_left(self.key, peer) else None

        self._waits_since = hub.clock
        came = hub.wait(
            self.name, lambda: bool(box) or trouble() is not None, seconds, self._to_blame
        )
        if not came:
            blamed = self._to_blame()
            raise DeadlineError(
                f"{blamed or 'somebody'} did not finish in time ({self._place().where()}).",
                next_step="give the stage more time, or find out what holds that party up.",
                case=5 if blamed is None else 3,
                parties=[] if blamed is None else [blamed],
                stage=self._stage,
            )
        if box and box[0][0] == kind:
            self._awaited = tuple(name for name in self._awaited if name != peer)
            return box.popleft()[1]
        if box and box[0][0] not in ("abort", "close"):
            raise self._failure("kind", peer, 0, 1)
        culprit = trouble()
        assert culprit is not None
        waits = hub.box(self.key, culprit, self.name)
        cause = next((data for k, data in waits if k == "abort"), None)
        if cause is None:
            raise self._failure("left" if waits else "reset", culprit)
        error = self._failure("aborted", culprit, detail=cause)
        statement = b"" if self.testify is None else self.testify(error)
        heard = cause_of_heard(error, self.names.index(culprit), self._place(), statement)
        self._stop("abort", heard)
        raise _Reported(error)

    def awaited(self) -> frozenset[str]:
        """Of whom nothing has arrived that this round waits for."""
        hub = self.hub
        return frozenset(peer for peer in self._awaited if not hub.box(self.key, peer, self.name))

    def standing(self) -> tuple[int, tuple[str, ...], bool]:
        """Round and awaited parties of this party, and whether that stayed for long."""
        steady = self.hub.clock - self._waits_since >= PATIENCE / 2
        return self.exchanges, tuple(sorted(self.awaited())), steady

    def settled(self) -> Mapping[str, tuple[int, tuple[str, ...]]]:
        """The same of every peer, by its heartbeats."""
        found = {peer: self.hub.status(self.key, peer) for peer in self.names if peer != self.name}
        return {peer: (number, tuple(sorted(waits))) for peer, (number, waits) in found.items()}

    def _to_blame(self) -> str | None:
        """A peer that this party may complain of, by what the heartbeats say."""
        mine = self.awaited()
        for peer in self.names:
            if peer == self.name:
                continue
            exchange, waits_for = self.hub.status(self.key, peer)
            claims_to_wait_for_me = self.name in waits_for and exchange <= self.exchanges
            idle = peer in mine and not waits_for - {self.name}
            ahead = peer in mine and exchange > self.exchanges
            if claims_to_wait_for_me or idle or ahead:
                return peer
        return None

    def _failure(
        self, word: str, peer: str, expected: int = 0, received: int = 0, detail: bytes = b""
    ) -> TacitError:
        failure: Any = TransportError("")
        failure.args = (word, self.names.index(peer), expected, received, detail)
        return error_from_failure(failure, self._place())

    def _place(self) -> Place:
        return Place(self.names, self.index, self._stage, self.round_number, self.session)

    def _check_open(self) -> None:
        if self._over:
            raise TransportError("these links are closed.", case=1)

    def _stop(self, kind: Kind, payload: bytes) -> None:
        if self._over:
            return
        self._over = True
        self._awaited = ()
        for peer in self.names:
            if peer != self.name:
                self._put(kind, peer, payload)
        self.hub.leave(self.key, self.name)


class _Reported(Exception):
    """An error that a peer told, and that was passed on."""

    def __init__(self, error: TacitError) -> None:
        super().__init__()
        self.error = error
