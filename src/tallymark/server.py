"""Starting and stopping: what each command of the command line runs, and in which order it ends again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import structlog
import uvicorn
import uvloop
from starlette.routing import Mount
from starlette.types import ASGIApp

from tallymark.collector import spare_the_collector
from tallymark.crew import run_crew
from tallymark.db.errors import StartupError
from tallymark.db.migrate import migrate
from tallymark.db.running import is_server_alive
from tallymark.db.schema import require_current_schema
from tallymark.health import Heartbeat
from tallymark.settings import Settings
from tallymark.which_database import (
    absolute,
    checked,
    own_or_given_database,
    stopped_by_sigterm,
    where_data_is,
)

if TYPE_CHECKING:
    from tallymark.app import Running
    from tallymark.db.engine import Database
    from tallymark.first_run import FirstRun
    from tallymark.monitoring.watching import Watch

DRAIN_SECONDS = 10
"""How long requests may take to finish once the server is told to stop."""

_KEEP_ALIVE_SECONDS = 65  # longer than what clients and load balancers keep idle connections for
_BACKLOG = 2048
_WATCH_SECONDS = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What to tell the operator once requests are answered. Key and welcome are known at the very first start only."""

    url: str
    data: str
    api_key: str | None = None
    welcome: str | None = None
    """Where the first user comes in."""


def up(settings: Settings, announce: Callable[[Ready], None]) -> None:
    """Run everything in this process until SIGTERM or SIGINT: database, api, worker, scheduler.

    Raises `StartupError` when the port is taken, the database can't be started or reached, or the embedded one dies.
    """
    first_run = _read_first_run(settings)
    listeners, internal = bind(settings.host, settings.port), _bind_internal(settings)
    with stopped_by_sigterm(), own_or_given_database(settings) as url:
        migrate(url)
        roles = _Roles(
            listeners=listeners,
            internal=internal,
            has_worker=True,
            makes_first_organization=True,
            first_run=first_run,
            embedded_in=None if settings.database_url else absolute(settings.data_dir),
            announce=announce,
        )
        _run(settings, url, roles)


def serve_api(settings: Settings, announce: Callable[[Ready], None], *, processes: int = 1) -> None:
    """Run the api alone, in so many processes. Raises `StartupError` also when the schema is not this release's."""
    url = _given_database(settings, "api")
    roles = _Roles(
        listeners=bind(settings.host, settings.port), internal=_bind_internal(settings), announce=announce
    )
    with stopped_by_sigterm():
        require_current_schema(url)
    if processes == 1:
        with stopped_by_sigterm():
            _run(settings, url, roles)
        return
    # Read before the processes part: they share its memory.
    import tallymark.app
    import tallymark.worker  # noqa: F401 - as above

    for listener in (*roles.listeners, *roles.internal):
        listener.listen(_BACKLOG)
    ready = Ready(url=settings.base_url, data=where_data_is(settings))
    with _counting_together(roles) as (folder, forget):

        def answer(tell_ready: Callable[[], None]) -> None:
            with stopped_by_sigterm():
                told = replace(roles, counted_in=folder, announce=lambda _: tell_ready())
                _run(settings, url, told)

        run_crew(processes, answer, lambda: announce(ready), forget)


def serve_worker(settings: Settings) -> None:
    """Run the worker and the scheduler alone. Raises `StartupError` also when the schema is not this release's."""
    url = _given_database(settings, "worker")
    internal = _bind_internal(settings)
    with stopped_by_sigterm():
        require_current_schema(url)
        _run(settings, url, _Roles(internal=internal, has_worker=True))


def bind(host: str, port: int, flag: str = "--port") -> list[socket.socket]:
    """Take the port on each address of the host; connections are refused until the server is ready.

    Raises `StartupError` when it is taken, not allowed, or the host is none of this machine's.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise StartupError(f"cannot listen on {host}: {error.strerror}") from None
    listeners: list[socket.socket] = []
    for family, kind, protocol, _, address in dict.fromkeys(found):
        listener = socket.socket(family, kind, protocol)
        listeners.append(listener)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            listener.bind(address)
        except OSError as error:
            for opened in listeners:
                opened.close()
            why = (error.strerror or str(error)).lower()
            raise StartupError(f"cannot listen on {host}:{port}: {why}; choose another {flag}") from None
    return listeners


def _bind_internal(settings: Settings) -> list[socket.socket]:
    """Take the internal port, where there is to be one."""
    if settings.internal_port is None:
        return []
    return bind(settings.internal_host, settings.internal_port, "--internal-port")


@contextmanager
def _counting_together(roles: _Roles) -> Iterator[tuple[Path | None, Callable[[int], None]]]:
    """Where the processes of a crew count together, and what forgets one that has died; nowhere, where nobody asks them."""
    if not roles.internal:
        yield None, lambda _: None
        return
    from tallymark.monitoring import FOLDER_VARIABLE

    with TemporaryDirectory(prefix="tallymark-metrics-") as folder:
        os.environ[FOLDER_VARIABLE] = folder  # the library looks for it when a process of the crew reads it

        def forget(process: int) -> None:
            from prometheus_client.multiprocess import mark_process_dead

            mark_process_dead(process, folder)  # type: ignore[no-untyped-call]  # the library has no types here

        yield Path(folder), forget


def _read_first_run(settings: Settings) -> FirstRun | None:
    if not settings.create_org:
        return None
    from tallymark.first_run import read_first_run

    return read_first_run(settings)


def _given_database(settings: Settings, command: str) -> str:
    if settings.database_url is None:
        raise StartupError(
            f"`tallymark {command}` needs --database-url (or DATABASE_URL); `tallymark up` brings its own database"
        )
    return checked(settings.database_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Roles:
    """What this process does; without listeners it answers no requests, without internal ones nobody watches it."""

    listeners: Sequence[socket.socket] = ()
    internal: Sequence[socket.socket] = ()
    counted_in: Path | None = None
    has_worker: bool = False
    makes_first_organization: bool = False
    first_run: FirstRun | None = None
    embedded_in: Path | None = None
    announce: Callable[[Ready], None] = lambda _: None

    @property
    def name(self) -> str:
        """The command that makes such a process."""
        if not self.listeners:
            return "worker"
        return "up" if self.has_worker else "api"


def _run(settings: Settings, url: str, roles: _Roles) -> None:
    try:
        uvloop.run(_main(settings, url, roles))
    except asyncio.CancelledError:
        raise SystemExit(1) from None  # a second signal: someone is in a hurry


async def _main(settings: Settings, url: str, roles: _Roles) -> None:
    # The application is read once port and database are there: what is wrong with them is told at once.
    from tallymark.app import running

    stop = asyncio.Event()
    _stop_on_signals(stop)
    async with running(settings, url) as parts:
        spare_the_collector()
        ready = Ready(url=settings.base_url, data=where_data_is(settings))
        if roles.first_run is not None:
            from tallymark.first_run import make_organization

            api_key = await make_organization(parts.database, roles.first_run, now=datetime.now(UTC))
            ready = replace(ready, api_key=api_key)
        elif roles.makes_first_organization:
            ready = await _make_first_organization(parts.database, settings, ready)
        with _watching(settings, parts, roles) as watch:
            is_database_gone = await _do_all(parts, watch, settings, roles, ready, stop)
    if is_database_gone:
        raise StartupError(
            f"the embedded PostgreSQL ended by itself ({roles.embedded_in}/postgres.log says why); start Tallymark again"
        )
    log.info("stopped")


async def _do_all(
    parts: Running, watch: Watch | None, settings: Settings, roles: _Roles, ready: Ready, stop: asyncio.Event
) -> bool:
    """Do what this process does until `stop` is set; True where it ended because the embedded database did."""
    from tallymark.worker import run_aside, run_worker

    looking: asyncio.Task[bool] | None = None
    heartbeats = _heartbeats(settings) if roles.has_worker else []
    async with asyncio.TaskGroup() as group:
        if watch is not None:
            group.create_task(watch.keep_looking(stop))
            if roles.internal:
                inside = watch.internal_app(await _make_office(settings, parts))
                group.create_task(_answer_inside(inside, settings, roles, stop))
        if roles.listeners:
            asgi = parts.asgi if watch is None else watch.measured(parts.asgi)
            group.create_task(_answer_requests(asgi, settings, roles, ready, stop))
        if roles.has_worker:
            worker = run_worker(
                parts.database,
                tasks=parts.tasks,
                concurrency=settings.worker_concurrency,
                stop=stop,
                beside=(parts.courier, parts.chronicler),
                around=() if watch is None else (watch.around_job,),
            )
            group.create_task(worker)
            for heartbeat in heartbeats:
                group.create_task(run_aside(heartbeat, stop))
        if roles.embedded_in is not None:
            looking = group.create_task(_watch_database(roles.embedded_in, stop))
    return looking is not None and looking.result()


async def _make_office(settings: Settings, parts: Running) -> list[Mount]:
    """The back office, in every process: what leads to an internal listener may lead to any."""
    from tallymark.office.making import make_office

    return [await make_office(settings, parts.database)]


def _heartbeats(settings: Settings) -> list[Heartbeat]:
    """What tells that the worker is alive, where the settings want to know. Raises `StartupError` where it can't be told."""
    if settings.worker_heartbeat is None:
        return []
    heartbeat = Heartbeat(settings.worker_heartbeat)
    heartbeat.begin()
    return [heartbeat]


def _watching(
    settings: Settings, parts: Running, roles: _Roles
) -> AbstractContextManager[Watch] | AbstractContextManager[None]:
    """What watches this process, where somebody wants to know."""
    if not (roles.internal or settings.sentry_dsn or settings.otlp_endpoint):
        return nullcontext()
    from tallymark.monitoring.watching import watching  # not before: what nobody asks for is not even read

    return watching(settings, parts, process=roles.name, folder=roles.counted_in)


async def _watch_database(data_dir: Path, stop: asyncio.Event) -> bool:
    """Look after the embedded server; when it is gone, stop everything else and return True.

    Nothing can be answered without it, and whoever supervises this process can start both anew.
    """
    while not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _WATCH_SECONDS)
        if not stop.is_set() and not is_server_alive(data_dir):
            log.error("the embedded PostgreSQL is gone")
            stop.set()
            return True
    return False


def _stop_on_signals(stop: asyncio.Event) -> None:
    """The first signal ends everything in order, a second one at once."""
    loop = asyncio.get_running_loop()
    everything = asyncio.current_task()
    assert everything is not None

    def on_signal() -> None:
        if stop.is_set():
            everything.cancel()
        log.info("stopping")
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)


async def _make_first_organization(database: Database, settings: Settings, ready: Ready) -> Ready:
    """Make an organization where there is none yet, and tell its key and the link of its first user."""
    from tallymark.rooms.organizations.census import create_first_organization
    from tallymark.rooms.users import service as users

    async with database.system() as connection:
        made = await create_first_organization(connection, now=datetime.now(UTC))
        if made is None:
            return ready
        token = await users.open_welcome(connection)
    return replace(ready, api_key=made.api_key, welcome=f"{settings.app_url}/welcome/{token}")


class Server(uvicorn.Server):
    """Uvicorn that tells when it listens, and leaves signals alone: stopping it is one step of several here."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]  # a generator there
        return nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


async def _answer_requests(
    asgi: ASGIApp, settings: Settings, roles: _Roles, ready: Ready, stop: asyncio.Event
) -> None:
    """Listen, tell that we do, and at the end let the requests under way finish, and those that are still sent here."""
    server = Server(_http_config(asgi, settings), partial(roles.announce, ready))

    def drain() -> None:
        asgi.state.is_draining = True  # type: ignore[attr-defined]  # `/ready` says so on connections that are open

    await _serve(server, roles.listeners, stop, drain, drain_seconds=settings.drain_seconds)


async def _answer_inside(asgi: ASGIApp, settings: Settings, roles: _Roles, stop: asyncio.Event) -> None:
    """Answer those who run this installation, for as long as it runs."""
    server = Server(internal_config(asgi, settings), lambda: None)
    await _serve(server, roles.internal, stop, lambda: None)


async def _serve(
    server: Server,
    listeners: Sequence[socket.socket],
    stop: asyncio.Event,
    at_end: Callable[[], None],
    *,
    drain_seconds: float = 0,
) -> None:
    serving = asyncio.create_task(server.serve(sockets=list(listeners)))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    at_end()
    await asyncio.wait({serving}, timeout=drain_seconds)
    server.should_exit = True
    try:
        await serving
    finally:
        stop.set()


def internal_config(asgi: ASGIApp, settings: Settings) -> uvicorn.Config:
    """How the internal listener is served: who calls is who is connected, whatever a header says of it."""
    return _http_config(asgi, settings, trusts_proxies=False)


def _http_config(asgi: ASGIApp, settings: Settings, *, trusts_proxies: bool = True) -> uvicorn.Config:
    return uvicorn.Config(
        asgi,
        proxy_headers=trusts_proxies,
        http="httptools",
        ws="none",
        interface="asgi3",
        lifespan="off",
        log_config=None,
        access_log=settings.log_level == "debug",
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
