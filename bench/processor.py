"""What work takes of the processors, whoever else uses them: the seconds of all processes of a server, PostgreSQL's apart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from bench.server import Server

QUIET_SHARE = 0.05
"""Of one core: with less than this a server does what it does when there is nothing to do."""

_LOOK_SECONDS = 1.0
_QUIET_LOOKS = 3
_LONGEST_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Seconds of processor time, in user code and in the kernel."""

    tallymark: float
    postgres: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.tallymark + self.postgres

    def __sub__(self, before: Spent) -> Spent:
        return Spent(
            tallymark=self.tallymark - before.tallymark,
            postgres=self.postgres - before.postgres,
        )

    def each(self, count: int) -> str:
        """Milliseconds for each of so many, as a text."""
        tallymark, postgres, total = (
            1000 * part / count for part in (self.tallymark, self.postgres, self.total)
        )
        return f"{total:.2f} ms (Tallymark {tallymark:.2f}, PostgreSQL {postgres:.2f})"


def spent_so_far(server: Server) -> Spent:
    """What a server's processes have taken since they started: helpers and backends that have ended included."""
    root = psutil.Process(server.pid)
    postmasters = [child for child in root.children() if child.name().startswith("postgres")]
    backends = {process.pid for master in postmasters for process in _tree(master)}
    seconds = {process.pid: _seconds(process) for process in _tree(root)}
    of_postgres = sum(taken for pid, taken in seconds.items() if pid in backends)
    return Spent(tallymark=sum(seconds.values()) - of_postgres, postgres=of_postgres)


def wait_until_quiet(server: Server) -> Spent:
    """Wait until a server does nothing any more of what it does in the background; what it has taken until then.

    A server that is kept waiting by others for its processors may look quiet for a moment, so that several looks have to agree.
    """
    last, quiet, until = spent_so_far(server), 0, time.monotonic() + _LONGEST_SECONDS
    while quiet < _QUIET_LOOKS:
        if time.monotonic() > until:
            raise RuntimeError("the server does not come to rest")
        time.sleep(_LOOK_SECONDS)
        now = spent_so_far(server)
        quiet = quiet + 1 if (now - last).total < QUIET_SHARE * _LOOK_SECONDS else 0
        last = now
    return last


def _tree(process: psutil.Process) -> Iterator[psutil.Process]:
    yield process
    yield from process.children(recursive=True)


def _seconds(process: psutil.Process) -> float:
    """Of a process, and of its children that have ended; those that live are in the tree themselves."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0  # ended between two looks: its parent has it from now on
    return float(times.user + times.system + times.children_user + times.children_system)
