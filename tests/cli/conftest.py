"""A Tallymark as a user starts it: a process of its own, talked to by signals, files and HTTP."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx
import pytest
from tests.cli import warm

from tallymark.db.embedded import embedded_postgres_server
from tallymark.db.migrate import migrate

COMMAND = Path(sys.executable).with_name("tallymark")
OURS = ("TALLYMARK_", "DATABASE_URL", "LAGO_", "ADMIN_API_KEY", "SECRET_KEY_BASE", "XDG_")


def environment(**more: str) -> dict[str, str]:
    """The machine's environment without settings of somebody else's Tallymark."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | more


def tallymark(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return warm.run([str(COMMAND), *map(str, arguments)], env=environment(**variables))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    """A running `tallymark up`."""

    process: subprocess.Popen[str] | warm.WarmCommand
    url: str
    data_dir: Path
    log: Path

    def wait_until_ready(self, *, seconds: float = 180) -> None:
        began = time.monotonic()
        # One client for all tries: each of its own would read the machine's certificates, of which none is needed.
        with httpx.Client(base_url=self.url, timeout=2, verify=False) as client:
            while time.monotonic() - began < seconds:
                assert self.process.poll() is None, f"ended while starting:\n{self.output}"
                with suppress(httpx.TransportError):
                    if client.get("/health").status_code == 200:
                        return
                time.sleep(0.05)
        raise AssertionError(f"not ready in time:\n{self.output}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(25)

    @property
    def output(self) -> str:
        return self.log.read_text()


@pytest.fixture
def port() -> int:
    """A port that nobody listens on."""
    return free_port()


@contextmanager
def short_folder() -> Iterator[Path]:
    """A short path (a socket's is limited) that the database's own user may pass through."""
    made = Path(tempfile.mkdtemp(prefix="tm-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@cache
def prepared() -> Path:
    """A data directory as the first start finds it once it has made a database and its schema; each server has a copy."""
    made = Path(tempfile.mkdtemp(prefix="tm-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    made.chmod(0o755)
    with embedded_postgres_server(made / "data") as url:
        migrate(url)
    return made / "data"


@contextmanager
def starting(folder: Path, *, is_prepared: bool = True) -> Iterator[Callable[..., Server]]:
    """Starts servers on the data directory `folder / "data"`; all are gone at the end."""
    started: list[Server] = []

    def up(*arguments: str, is_awaited: bool = True, is_warm: bool = True, **variables: str) -> Server:
        port, where = free_port(), folder / "data"
        if is_prepared and not where.exists():
            # With its owners: as root, the database is another user's.
            subprocess.run(["cp", "-a", prepared(), where], check=True)
        log = folder / f"log-{port}"
        command = [str(COMMAND), "up", "--port", str(port), "--data-dir", str(where), *arguments]
        env = environment(**variables)
        log.touch()
        process: subprocess.Popen[str] | warm.WarmCommand
        if is_warm:
            process = warm.start(command, out=log, err=log, env=env)
        else:
            with log.open("w") as output:
                process = subprocess.Popen(command, stdout=output, stderr=output, text=True, env=env)
        server = Server(process, f"http://127.0.0.1:{port}", where, log)
        started.append(server)
        if is_awaited:
            server.wait_until_ready()
        return server

    yield up
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder for a server's data."""
    with short_folder() as made:
        yield made


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Server]]:
    """start() -> a ready server on the data directory `folder / "data"`; all are gone at the end.

    `start(is_warm=False)` begins from nothing, as the shell does.
    """
    with starting(folder) as up:
        yield up


@pytest.fixture
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """run("orgs", "list", ...) -> what the command did."""
    return tallymark
