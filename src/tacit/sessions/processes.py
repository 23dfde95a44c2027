"""Starting the parties' processes on this machine, hearing from them, and ending them.

Each party is a process of its own with a private control channel (an inherited socket pair).
Certificates come from an authority that lives in this process's memory for this run; keys
travel over the control channels and never touch a disk.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import subprocess
import sys
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Any, NoReturn, Self, TypeAlias, TypeVar

import msgspec
from msgspec import Raw

from tacit.encoding.digest import tagged_hash
from tacit.errors import PeerFaultError, TacitError, TransportError
from tacit.network import Authority, NetworkSettings, interruptible
from tacit.protocols import protocol_named
from tacit.sessions.channel import Buffer, Channel, ChannelClosed
from tacit.sessions.losses import late, lost, lost_early
from tacit.sessions.messages import (
    Failed,
    Finished,
    Incident,
    InputsComplete,
    Listening,
    Message,
    Peers,
    Progress,
    Ready,
    Start,
    encode,
)
from tacit.sessions.session import checked_parties
from tacit.sessions.threads import threads_a_party

__all__ = [
    "OnIncident",
    "OnInputsComplete",
    "OnProgress",
    "PartyProcesses",
    "launch",
]

OnProgress: TypeAlias = Callable[[str, Progress], None]
OnIncident: TypeAlias = Callable[[str, Incident], None]
OnInputsComplete: TypeAlias = Callable[[str], None]
M = TypeVar("M")

_DECODE = msgspec.msgpack.Decoder(Message).decode
_GRACE_SECONDS = 3.0
"""After one party failed, how long the others have to say why they stopped."""


def launch(
    parties: Sequence[str] | None,
    module: str,
    configs: Mapping[str, Any],
    *,
    protocol: str = "replicated3",
    parameters: Mapping[str, str] | None = None,
    on_progress: OnProgress | None = None,
    settings: NetworkSettings | None = None,
    threads: int | None = None,
    tolerate: int = 0,
    on_incident: OnIncident | None = None,
) -> dict[str, Any]:
    """Run a job with one process per party on this machine, to its end.

    Parameters
    ----------
    parties : sequence of str
        The parties' names, by index.
    module : str
        The importable module of the job. Its ``run_party(context)`` runs in every party's
        process (see :class:`~tacit.sessions.context.PartyContext`).
    configs : mapping of str to Struct or plain data
        For each party the job's settings; a party's process sees its own alone.
    protocol : str
        The protocol.
    parameters : mapping of str to str
        What the parties compare in their handshake beyond protocol and job. ``"rounding"`` is
        the session's rounding mode, ``"ring"`` the bits of its ring.
    on_progress : callable, optional
        ``on_progress(party, progress)`` is called here for every progress message.
    settings : NetworkSettings, optional
        Time limits.
    threads : int, optional
        Threads of each party for matrix products; by default the cores divided among them.
    tolerate : int
        So many parties may be lost or fail after the start while the others go on.
    on_incident : callable, optional
        ``on_incident(party, incident)`` is called here for every fault that a party reports
        as overcome.

    Returns
    -------
    dict of str to object
        What ``run_party`` returned, by party, as plain data; nothing of parties that were lost.

    Raises
    ------
    PartyLostError
        A party's process ended without a word; names it.
    TacitError
        What went wrong first in a party.
    """
    with PartyProcesses(
        parties,
        module,
        configs,
        protocol=protocol,
        parameters=parameters,
        settings=settings,
        threads=threads,
        tolerate=tolerate,
        on_incident=on_incident,
    ) as processes:
        return processes.results(on_progress)


class PartyProcesses:
    """One running process per party, connected with each other and with this process.

    Takes the parameters of :func:`launch`. A context manager: leaving it ends all processes.

    Parameters
    ----------
    shared_first : str
        What the parties share before they compute anything, such as ``"rows"``, in a job that says
        when that is complete (``PartySession.hold_inputs``): a loss before it has an error of its
        own (TC-3409), which says so. Empty for other jobs.
    on_inputs_complete : callable, optional
        ``on_inputs_complete(party)`` is called when a party says that it is complete everywhere.

    Attributes
    ----------
    names : tuple of str
        The parties' names, by index.
    parameters : dict of str to str
        What they compare in their handshake beyond protocol and job.
    threads : int
        Of each party, for matrix products.
    identifiers : dict of str to int
        The operating system's number of each party's process.
    lost : dict of str to TacitError
        The parties whose loss was tolerated, and why they are gone.
    incidents : list of tuple of str and Incident
        The faults that parties reported as overcome, each with the party that reports it.
    inputs_complete : set of str
        The parties that know of all others that they have all inputs.
    failure : TacitError, optional
        What ended the run.
    watch : callable, optional
        ``watch(party, progress)`` is called with words of progress as they come; without it
        :meth:`results` passes them on.
    """

    def __init__(
        self,
        parties: Sequence[str] | None,
        module: str,
        configs: Mapping[str, Any],
        *,
        protocol: str,
        parameters: Mapping[str, str] | None = None,
        settings: NetworkSettings | None = None,
        threads: int | None = None,
        tolerate: int = 0,
        on_incident: OnIncident | None = None,
        shared_first: str = "",
        on_inputs_complete: OnInputsComplete | None = None,
    ) -> None:
        self.names = checked_parties(protocol_named(protocol), parties)
        self.threads = threads_a_party(threads, len(self.names))
        self.parameters = dict(parameters or {})
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._channels: dict[str, Channel] = {}
        self._finished: set[str] = set()
        self._gone: set[str] = set()
        self._errors: dict[str, TacitError] = {}
        self._inboxes: dict[str, deque[tuple[Message, list[Buffer]]]] = {
            name: deque() for name in self.names
        }
        self.lost: dict[str, TacitError] = {}
        self.incidents: list[tuple[str, Incident]] = []
        self.inputs_complete: set[str] = set()
        self.failure: TacitError | None = None
        self.watch: OnProgress | None = None
        self._patience = (settings or NetworkSettings()).patience
        self._tolerate = 0
        self._on_incident = on_incident
        self._shared_first = shared_first
        self._on_inputs_complete = on_inputs_complete
        self._begun = False
        self._selector = selectors.DefaultSelector()
        self._finalizer = weakref.finalize(
            self, _end, self._children, self._channels, self._selector
        )
        try:
            self._start(module, configs, protocol, self.parameters, settings, tolerate)
        except BaseException:
            self.kill()
            raise

    @property
    def identifiers(self) -> dict[str, int]:
        """The operating system's number of each party's process."""
        return {name: child.pid for name, child in self._children.items()}

    @interruptible()
    def _start(
        self,
        module: str,
        configs: Mapping[str, Any],
        protocol: str,
        parameters: Mapping[str, str],
        settings: NetworkSettings | None,
        tolerate: int,
    ) -> None:
        for name in self.names:
            self._spawn(name)
        authority = Authority()
        job = tagged_hash("job", module.encode())
        limits = asdict(settings or NetworkSettings())
        for name in self.names:
            credentials = authority.issue(name)
            start = Start(
                name=name,
                participants=self.names,
                protocol=protocol,
                module=module,
                configuration=Raw(msgspec.msgpack.encode(configs.get(name))),
                job=job,
                parameters=dict(parameters),
                authority=credentials.authority,
                certificate=credentials.certificate,
                key=credentials.key,
                settings=limits,
                threads=self.threads,
                evidence_certificate=credentials.evidence_certificate,
                evidence_key=credentials.evidence_key,
                hold_inputs=bool(self._shared_first),
            )
            self.send(name, encode(start))
        ports = {name: self._expect(name, Listening) for name in self.names}
        peers = encode(Peers({name: (at.host, at.port) for name, at in ports.items()}))
        for name in self.names:
            self.send(name, peers)
        self._tolerate = tolerate  # who is there may be lost; all must have been there
        for name in self.names:
            while not self._inboxes[name]:
                if name in self.lost:
                    self._fail()
                self._wait()
            self._expect(name, Ready)
        self._begun = True

    def _spawn(self, name: str) -> None:
        here, there = socket.socketpair()
        with there:
            self._channels[name] = Channel(here)
            self._selector.register(self._channels[name], selectors.EVENT_READ, name)
            descriptor = there.fileno()
            self._children[name] = subprocess.Popen(
                [sys.executable, "-m", "tacit.sessions.worker", str(descriptor)],
                pass_fds=(descriptor,),
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches this process alone, which ends them
            )

    # Talking.

    @interruptible()
    def send(self, name: str, header: bytes, buffers: Sequence[Buffer] = ()) -> None:
        """Send one frame to a party's process; nothing to one that is lost.

        Raises
        ------
        TacitError
            The process is gone, or a party has failed, and that is not tolerated.
        """
        if name in self.lost:
            return
        try:
            self._channels[name].send(header, buffers)
        except ChannelClosed:
            while self._read(name):  # its last words, if it had any
                pass
            self._settle()
        except BaseException:
            self._interrupted()
            raise

    @interruptible()
    def receive(self, name: str) -> tuple[Message, list[Buffer]]:
        """Wait for the next message of one party while all are watched.

        Raises
        ------
        TacitError
            This party is lost, or any of them failed or is gone, and that is not tolerated.
        """
        inbox = self._inboxes[name]
        try:
            while not inbox:
                if name in self.lost:
                    raise self.lost[name]
                self._wait()
        except TacitError:
            raise
        except BaseException:
            self._interrupted()
            raise
        return inbox.popleft()

    def _wait(self, seconds: float | None = None) -> None:
        """Read what any party says next into its inbox; a failure not tolerated is raised."""
        self._hear(seconds)
        self._settle()

    def _hear(self, seconds: float | None) -> None:
        for key, _ in self._selector.select(seconds):
            name: str = key.data
            while self._read(name) and self._channels[name].buffered:
                pass

    def _read(self, name: str) -> bool:
        """Read one message; False after a failure was noted or the process was found dead."""
        try:
            header, buffers = self._channels[name].receive()
        except ChannelClosed:
            if self._watched(name):
                self._selector.unregister(self._channels[name])
            if name not in self._errors and name not in self._finished:
                self._gone.add(name)
            return False
        message = _DECODE(header)
        if isinstance(message, Failed):
            self._errors[name] = TacitError.from_dict(message.error)
            return False
        if isinstance(message, Incident):
            self.incidents.append((name, message))
            if self._on_incident is not None:
                self._on_incident(name, message)
            self._give_up(message.party)
            return True
        if isinstance(message, Progress) and self.watch is not None:
            self.watch(name, message)
            return True
        if isinstance(message, InputsComplete):
            self.inputs_complete.add(name)
            if self._on_inputs_complete is not None:
                self._on_inputs_complete(name)
            return True
        if isinstance(message, Finished):
            self._finished.add(name)
        self._inboxes[name].append((message, buffers))
        return True

    def _give_up(self, party: str | None) -> None:
        """End a process that two others went on without: one that hangs answers nothing."""
        told = {name for name, incident in self.incidents if incident.party == party}
        if party in self._children and len(told) > 1 and party not in self._finished:
            self._children[party].kill()

    def _watched(self, name: str) -> bool:
        return any(key.data == name for key in self._selector.get_map().values())

    def _settle(self) -> None:
        """Note losses that are tolerated; raise the cause if there are more."""
        fallen = {*self._gone, *self._errors}
        if len(fallen) > self._tolerate:
            self._fail()
        for name in fallen - self.lost.keys():
            self.lost[name] = self._errors.get(name) or lost(name, self._children[name])

    def _expect(self, name: str, kind: type[M]) -> M:
        message, _ = self.receive(name)
        if not isinstance(message, kind):
            raise TransportError(
                f"{name}'s process said {type(message).__name__}, expected {kind.__name__}.",
                next_step="report this: the processes run different versions of tacit.",
                case=10,
                parties=[name],
            )
        return message

    @interruptible()
    def results(self, on_progress: OnProgress | None = None) -> dict[str, Any]:
        """Wait until every party has finished, passing progress on."""
        found: dict[str, Any] = {}
        until: float | None = None
        while True:
            for name, inbox in self._inboxes.items():
                while inbox:
                    message, _ = inbox.popleft()
                    until = None  # whoever is at work says so
                    if isinstance(message, Finished):
                        found[name] = msgspec.msgpack.decode(message.result)
                    elif isinstance(message, Progress) and on_progress is not None:
                        on_progress(name, message)
            missing = [name for name in self.names if name not in found and name not in self.lost]
            if not missing:
                return {name: found[name] for name in self.names if name in found}
            if len(missing) + len(self.lost) > self._tolerate:
                self._wait()
                continue
            now = time.monotonic()
            until = now + self._grace(missing) if until is None else until
            if now >= until:
                self.lost.update((name, late(name)) for name in missing)
            self._wait(max(0.0, until - now))

    def _grace(self, missing: Sequence[str]) -> float:
        """How long the last parties have when all others have finished, in seconds."""
        known = {incident.party for _, incident in self.incidents}
        return _GRACE_SECONDS if known.issuperset(missing) else self._patience

    # Ending.

    def _fail(self) -> NoReturn:
        """Gather why the parties stopped, end them all and raise the cause.

        Raises
        ------
        TacitError
            Always.
        """
        deadline = time.monotonic() + _GRACE_SECONDS
        while not self._explained():
            left = deadline - time.monotonic()
            if left <= 0 or len({*self._errors, *self._gone}) == len(self.names):
                break
            self._hear(left)
        self.failure = self._cause()
        self.kill()
        raise self.failure

    def _interrupted(self) -> None:
        # Ctrl-C in the middle of a frame or an answer: what would follow is out of step.
        self.failure = TransportError(
            "The session was interrupted while it talked to the parties' processes.",
            next_step="open a new session.",
            case=12,
        )
        self.kill()

    def _fallen(self) -> list[str]:
        """Whose end is to be explained: not of those whom the others went on without."""
        fallen = {*self._gone, *self._errors}
        if self.incidents:
            fallen = fallen - self.lost.keys() or fallen
        return [name for name in self.names if name in fallen]

    def _explained(self) -> bool:
        """Whether a party met something of its own, or is gone without a word."""
        fallen = self._fallen()
        if any(name in self._errors and _definite(self._errors[name]) for name in fallen):
            return True
        # Whether a loss was early is what the parties that are left say: all that they still say.
        told = {*self._gone, *self._errors, *self._finished} >= set(self.names)
        awaited = self._begun and self._shared_first and not told
        return not awaited and any(name in self._gone for name in fallen)

    def _cause(self) -> TacitError:
        """The error that came first: what a party itself met, before what it saw of others."""
        fallen = self._fallen()
        errors = [error for name, error in self._errors.items() if name in fallen]
        for error in errors:
            if _definite(error):
                return error
        for name in fallen:
            if name in self._gone:
                return self._lost_error(name)
        return next((e for e in errors if isinstance(e, PeerFaultError)), errors[0])

    def _lost_error(self, name: str) -> TacitError:
        if self._lost_early():
            gone = {n: child for n, child in self._children.items() if n in self._gone}
            return lost_early(gone, self._shared_first)
        return lost(name, self._children[name])

    def _lost_early(self) -> bool:
        """Whether the parties that are left never had all inputs, and so have computed nothing."""
        if not self._shared_first:
            return False
        left = set(self.names) - self._gone
        return not (self.inputs_complete & left if left else self.inputs_complete)

    def kill(self) -> None:
        """End all processes at once. May be called again."""
        self._finalizer()

    def close(self, seconds: float = 5.0) -> None:
        """Let the processes end by themselves, and end those that do not in time."""
        deadline = time.monotonic() + seconds
        for name, child in self._children.items():
            if name in self.lost:
                continue
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=max(0.0, deadline - time.monotonic()))
        self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self.kill()


def _definite(error: TacitError) -> bool:
    """Whether an error is a party's own, not what it saw of another's end."""
    return not isinstance(error, TransportError | PeerFaultError)


def _end(
    children: dict[str, subprocess.Popen[bytes]],
    channels: dict[str, Channel],
    selector: selectors.BaseSelector,
) -> None:
    for child in children.values():
        if child.poll() is None:
            child.kill()
    for child in children.values():
        child.wait()
    selector.close()
    for channel in channels.values():
        channel.close()
