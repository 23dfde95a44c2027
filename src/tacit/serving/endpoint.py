"""A party's HTTPS endpoint for clients, and a second one for whoever looks after the machine.

=======================  ==================================================================
``POST /v1/exchange``    a client asks for masks and gives d (MessagePack, ``messages.py``)
``GET /v1/service``      the model's form, who computes now, what is left of a budget
``GET /healthz``         whether this party answers (200, else 503)
``GET /metrics``         for Prometheus; only at the second endpoint, on this machine
=======================  ==================================================================

Who a client is says its certificate alone. Logs have names, numbers and times, never a value.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog
import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.requests import ClientDisconnect
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tacit.errors import CertificateError, TacitError, TransportError
from tacit.network import Credentials
from tacit.network.trust import Trust
from tacit.serving.desk import Desk
from tacit.serving.messages import Ask, Described, Exchange, Give, PartyAnswer, Reply
from tacit.serving.metrics import Metrics
from tacit.serving.requests import malformed_error, unknown_error
from tacit.serving.tls import server_context

__all__ = ["MEDIA_TYPE", "Endpoint"]

MEDIA_TYPE: Final = "application/msgpack"

_MOST_BYTES: Final = 2 << 20
_STOP_SECONDS: Final = 3.0
_REQUEST_SECONDS: Final = 60.0
"""From the first byte of a request to its last: else half requests would hold sockets for ever."""


class _WithCertificate(HttpToolsProtocol):
    """A connection that knows the certificate at its other end, and ends one that dawdles."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._hurry()
        # asyncio does so for sockets that name their protocol; else a body waits for the ACK of its
        # headers, 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tls = transport.get_extra_info("ssl_object")
        der = None if tls is None else tls.getpeercert(binary_form=True)
        self.app_state = {**self.app_state, "certificate": der}

    def data_received(self, data: bytes) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self._hurry()
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._hurry()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._calm()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._calm()
        super().connection_lost(exc)

    def _hurry(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(_REQUEST_SECONDS, self.transport.abort)

    def _calm(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


@dataclass(slots=True)
class _Waiters:
    """Who waits for the engine's next news, in the endpoint's thread."""

    event: asyncio.Event

    def wake(self) -> None:
        event, self.event = self.event, asyncio.Event()
        event.set()


class Endpoint:
    """One party's endpoints, in a thread of their own.

    Parameters
    ----------
    credentials : Credentials
        The party's.
    desk : Desk
    form_digest : bytes
        Of the model's form: clients encode their rows for it.
    describe : callable
        ``describe(client)`` says what the service is, and how it stands with this client.
    metrics : Metrics
    clients, operations : socket.socket
        Listening sockets of the two endpoints; the second one speaks plain HTTP.
    log : structlog logger, optional
    trust : callable, optional
        Gives what is accepted now; the credentials' own by default.
    """

    def __init__(
        self,
        credentials: Credentials,
        desk: Desk,
        form_digest: bytes,
        describe: Callable[[str], Described],
        metrics: Metrics,
        clients: socket.socket,
        operations: socket.socket | None = None,
        log: Any = None,
        trust: Callable[[], Trust] | None = None,
    ) -> None:
        self._trust = trust or (lambda: credentials.trust)
        self._known_by: Trust | None = None
        self._credentials = credentials
        self._desk = desk
        self._form = form_digest
        self._describe = describe
        self._metrics = metrics
        self._sockets = (clients, operations)
        self._log = log or structlog.get_logger()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiters: _Waiters | None = None
        self._servers: list[uvicorn.Server] = []
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="endpoint", daemon=True)
        self._names: dict[bytes, str] = {}

    def start(self) -> None:
        """PartyAnswer from now on.

        Raises
        ------
        TransportError
            The endpoint did not come up (TC-3005).
        """
        self._thread.start()
        if not self._started.wait(20) or self._failure is not None:
            reason = type(self._failure).__name__ if self._failure else "no answer in time"
            raise TransportError(
                f"The endpoint for clients did not start: {reason}.",
                next_step="see this party's log; check its certificates and its address.",
                case=5,
                stage="serving",
            )

    def stop(self) -> None:
        """Finish what is being answered, and close."""
        for server in self._servers:
            server.should_exit = True
        self._thread.join(2 * _STOP_SECONDS)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiters = _Waiters(asyncio.Event())
        self._desk.changed = self._changed
        context = server_context(self._credentials)
        clients, operations = self._sockets
        common: dict[str, Any] = {
            "log_config": None,
            "access_log": False,
            "ws": "none",
            "lifespan": "off",
            "server_header": False,
            "timeout_keep_alive": 120,
            "timeout_graceful_shutdown": int(_STOP_SECONDS),
        }
        config = uvicorn.Config(
            self._app(),
            http=_WithCertificate,
            ssl_context_factory=lambda config, default: context,
            **common,
        )
        found = [(uvicorn.Server(config), clients)]
        if operations is not None:
            found.append((uvicorn.Server(uvicorn.Config(self._operations(), **common)), operations))
        self._servers = [server for server, _ in found]
        tasks = [asyncio.create_task(s.serve(sockets=[at])) for s, at in found]
        while not all(s.started for s in self._servers) and not any(t.done() for t in tasks):
            await asyncio.sleep(0.005)
        self._started.set()
        await asyncio.gather(*tasks)

    def _changed(self) -> None:
        loop, waiters = self._loop, self._waiters
        if loop is not None and waiters is not None and not loop.is_closed():
            loop.call_soon_threadsafe(waiters.wake)

    # What is answered.

    def _app(self) -> FastAPI:
        app = FastAPI(openapi_url=None)

        @app.get("/v1/service")
        async def service(request: Request) -> Response:
            client = self._client(request)
            if isinstance(client, Response):
                return client
            return _packed(self._describe(client))

        @app.post("/v1/exchange")
        async def exchange(request: Request) -> Response:
            began = time.perf_counter()
            client = self._client(request)
            response = client if isinstance(client, Response) else await self._told(request, client)
            seconds = time.perf_counter() - began
            outcome = "answered" if response.status_code == 200 else "refused"
            self._metrics.answered(seconds, outcome)
            return response

        @app.get("/healthz")
        async def health() -> Response:
            return self._health()

        return app

    def _operations(self) -> FastAPI:
        app = FastAPI(openapi_url=None)

        @app.get("/healthz")
        async def health() -> Response:
            return self._health()

        @app.get("/metrics")
        async def metrics() -> Response:
            return Response(self._metrics.text(), media_type="text/plain; version=0.0.4")

        return app

    def _health(self) -> Response:
        word = "ended" if self._desk.ended else "closing" if self._desk.closing else "ok"
        body = {"status": word, "party": self._credentials.name, "waiting": self._desk.queued()}
        status = 200 if word == "ok" else 503
        return Response(msgspec.json.encode(body), status, media_type="application/json")

    def _client(self, request: Request) -> str | Response:
        """Whose certificate is at the other end, or what it is told."""
        der = request.scope["state"].get("certificate")
        if der is None:
            return _error(malformed_error("no certificate"), 403)
        trust = self._trust()
        if trust is not self._known_by:
            self._known_by = trust
            self._names.clear()
        name = self._names.get(der)
        if name is None:
            try:
                name = trust.client(der)
            except CertificateError as error:
                self._log.warning("client refused", code=error.code)
                return _error(error, 403)
            if len(self._names) < 10_000:
                self._names[der] = name
        return name

    async def _told(self, request: Request, client: str) -> Response:
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MOST_BYTES:
                    problem = f"it is longer than {_MOST_BYTES >> 20} MiB"
                    return _error(malformed_error(problem), 413)
        except ClientDisconnect:
            return _error(malformed_error("it ended early"), 400)  # nobody is there to read it
        try:
            said = msgspec.msgpack.decode(body, type=Exchange)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _error(malformed_error("it is no message of this version"), 400)
        if said.form != self._form:
            return _error(malformed_error("it is for another model than this service's"), 409)
        refused: dict[bytes, PartyAnswer] = {}
        messages: tuple[Ask | Give, ...] = (*said.asks, *said.gives)
        for message in messages:
            try:
                if isinstance(message, Ask):
                    self._desk.ask(client, message)
                else:
                    self._desk.give(client, message)
            except TacitError as error:
                refused[message.id] = PartyAnswer(message.id, "refused", error=error.as_dict())
                self._metrics.refused(error.code)
                self._log.info("request refused", client=client, code=error.code)
        until = time.monotonic() + said.seconds
        given = {give.id for give in said.gives}
        wanted = [*(ask.id for ask in said.asks), *given]
        while True:
            assert self._waiters is not None
            event = self._waiters.event
            answers = {id: refused.get(id) or self._answer(client, id) for id in wanted}
            left = until - time.monotonic()
            late = [
                id
                for id, answer in answers.items()
                if answer.state == "waiting" or (answer.state == "mask" and id in given)
            ]
            if not late or left <= 0:
                return _packed(Reply(tuple(answers.values())))
            try:
                await asyncio.wait_for(event.wait(), min(left, 1.0))
            except TimeoutError:
                if await request.is_disconnected():
                    return _packed(Reply())

    def _answer(self, client: str, id: bytes) -> PartyAnswer:
        found = self._desk.answer(client, id)
        return found or PartyAnswer(id, "refused", error=unknown_error().as_dict())


def _packed(message: Any, status: int = 200) -> Response:
    return Response(msgspec.msgpack.encode(message), status, media_type=MEDIA_TYPE)


def _error(error: TacitError, status: int) -> Response:
    return _packed({"error": error.as_dict()}, status)
