"""The job of one party of a service: open or share the model, start the endpoint, serve."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tacit.consortium import Kit
from tacit.errors import UsageError
from tacit.models import ClearModel, ModelForm, load, share_model
from tacit.network import Address, Listener
from tacit.serving.desk import Desk
from tacit.serving.engine import Engine
from tacit.serving.limits import Budget, Limits
from tacit.serving.messages import Described
from tacit.serving.settings import ServiceSettings
from tacit.serving.trust import FreshTrust
from tacit.sessions import PartyContext, PartySession
from tacit.sessions.handles import Reference
from tacit.storage import Place

__all__ = ["ServedModel", "ServiceJob", "run_party"]


class ServedModel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which model is served.

    Attributes
    ----------
    name : str
        Of a secret model in the parties' storage; empty if an owner shares one in.
    version : int or None
        Of the secret model; the newest by default.
    owner : str
        The party that shares its model in.
    file : str
        At the owner, the model (``ClearModel.save``).
    """

    name: str = ""
    version: int | None = None
    owner: str = ""
    file: str = ""


class ServiceJob(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One party's settings.

    Attributes
    ----------
    model : ServedModel
    service : ServiceSettings
        The same at all parties.
    kit : str
        The folder of this party's kit.
    listen : tuple of (str, int)
        Where clients reach this party.
    operations : tuple of (str, int) or None
        Where health and metrics are, in plain HTTP.
    storage : Place or None
        Where this party's shares are.
    state : str
        A folder for the query budget; empty keeps count in memory.
    """

    model: ServedModel
    service: ServiceSettings
    kit: str
    listen: tuple[str, int]
    operations: tuple[str, int] | None = None
    storage: Place | None = None
    state: str = ""


class _FormNotice(Struct, frozen=True, forbid_unknown_fields=True):
    form: bytes = b""
    digest: bytes = b""


def run_party(context: PartyContext) -> dict[str, Any]:
    """Serve until all are told to end."""
    # What serving needs is loaded by parties that serve alone, not by every command.
    import structlog

    from tacit.serving.endpoint import Endpoint
    from tacit.serving.metrics import Metrics

    job = msgspec.msgpack.decode(context.configuration, type=ServiceJob)
    kit, session = Kit.load(job.kit), context.session
    log = structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
    ).bind(party=context.name)
    with _listening(job) as (clients, operations):
        form, parameters = _model(session, job)
        budget = Budget(Path(job.state) / "budget.sqlite" if job.state else None)
        limits = Limits(job.service, form.digest(), budget, session.parties)
        desk = Desk(job.service, form.widths[0], limits)
        metrics = Metrics()
        engine = Engine(session, form, parameters, job.service, desk, limits, metrics)

        def describe(client: str) -> Described:
            stage, members, security = engine.standing
            return Described(
                party=context.name,
                parties=session.parties,
                protocol=session.protocol.name,
                members=members,
                stage=stage,
                security=security,
                form=form.to_bytes(),
                digits=job.service.digits,
                rows=job.service.request_rows,
                budget=limits.left(client),
            )

        endpoint = Endpoint(
            kit.credentials,
            desk,
            form.digest(),
            describe,
            metrics,
            clients.socket,
            None if operations is None else operations.socket,
            log,
            FreshTrust(kit, log),
        )
        with _stopping(desk, log):
            endpoint.start()
            log.info("serving", model=form.title, clients=str(clients.address))
            context.progress("serving", clients.address.port)
            try:
                engine.run()
            finally:
                endpoint.stop()
                budget.close()
                log.info("ended", incidents=len(session.incidents))
    return {"party": context.name, "rows": metrics.rows}


def _model(session: PartySession, job: ServiceJob) -> tuple[ModelForm, list[Reference]]:
    """The secret model, and that all parties mean the same service."""
    session.hold_inputs()
    model = job.model
    own: ClearModel | None = None
    if model.name:
        if job.storage is None:
            raise UsageError(
                "A secret model is named, and this party has no folder with shares.",
                next_step="name the folder of this party's shares with --store.",
                case=96,
                stage="serving",
            )
        session.attach(job.storage)
    elif session.name == model.owner:
        own = ClearModel.load(model.file)
    notice = _FormNotice(own.form.to_bytes() if own else b"", job.service.digest())
    heard = session.gather(notice, _FormNotice, stage="service settings")
    differing = [name for name in heard if heard[name].digest != notice.digest]
    if differing:
        raise UsageError(
            f"{session.name} and {', '.join(differing)} were started with other settings of the"
            " service.",
            next_step="start all parties with the same options for scores, limits and clients.",
            case=97,
            parties=differing,
            stage="serving",
        )
    if model.name:
        form, references = load(session, model.name, model.version)
    else:
        form = ModelForm.from_bytes(heard[model.owner].form)
        references = share_model(session, model.owner, form, own)
    session.inputs_complete()
    return form, references


@contextmanager
def _listening(job: ServiceJob) -> Iterator[tuple[Listener, Listener | None]]:
    with Listener(Address(*job.listen)) as clients:
        if job.operations is None:
            yield clients, None
            return
        with Listener(Address(*job.operations)) as operations:
            yield clients, operations


@contextmanager
def _stopping(desk: Desk, log: Any) -> Iterator[None]:
    """Ctrl-C and SIGTERM close the service; a second one stops this party at once."""

    def close(number: int, frame: Any) -> None:
        if desk.closing:
            raise KeyboardInterrupt
        log.info("closing", signal=signal.Signals(number).name)
        # The handler may interrupt this very thread inside the desk.
        threading.Thread(target=desk.close, daemon=True).start()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {n: signal.signal(n, close) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
