"""Several processes that answer on the same port: each does the whole work of one, and a dead one is replaced."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

import structlog

from tallymark.db.errors import StartupError

OURS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGCHLD})
_PAUSE_SECONDS = 1.0

log = structlog.get_logger(__name__)

Work = Callable[[Callable[[], None]], None]
"""What one process does until SIGTERM; it calls what it is given once it is ready."""


def run_crew(
    count: int, work: Work, announce: Callable[[], None], forget: Callable[[int], None] = lambda _: None
) -> None:
    """Do `work` in so many processes until SIGTERM or SIGINT, and announce once when all are ready.

    A process that dies afterwards is replaced; `forget` hears of each that has ended. Raises `StartupError` where one ends
    before all are ready: then none is left.
    """
    crew = _Crew(work, forget)
    # Signals are taken one at a time, in the loop below: none is lost, and none comes at the wrong moment.
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, OURS)
    try:
        for _ in range(count):
            crew.start_one()
        if crew.all_get_ready():
            announce()
            crew.replace_until_stopped()
    finally:
        crew.stop()
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


class _Crew:
    def __init__(self, work: Work, forget: Callable[[int], None]) -> None:
        self._work, self._forget = work, forget
        self._ready: dict[int, int] = {}
        """The end of a pipe by which each process tells that it is ready."""
        self._life = os.pipe()
        """Nothing is ever written to it: it ends with the parent, however that ends."""

    def start_one(self) -> None:
        mine, theirs = os.pipe()
        child = os.fork()
        if child:
            os.close(theirs)
            self._ready[child] = mine
            return
        code = 1
        try:
            os.close(mine)
            os.close(self._life[1])
            os.setpgid(0, 0)  # Ctrl-C is for the parent, which tells its children once
            Thread(target=_end_with, args=(self._life[0],), daemon=True).start()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, OURS)
            self._work(lambda: _tell_ready(theirs))
            code = 0
        except StartupError as error:
            print(f"tallymark: {error}", file=sys.stderr)  # noqa: T201 - whoever started it reads the terminal
        except (SystemExit, KeyboardInterrupt):
            pass  # told to stop a second time, or while starting
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)  # what the parent would do at its end is not for its children to do

    def all_get_ready(self) -> bool:
        """Wait until every process is ready. False where it is told to stop meanwhile."""
        waiting = dict(self._ready)
        while waiting:
            told, _, _ = select.select(list(waiting.values()), [], [], 0.2)
            for child, pipe in list(waiting.items()):
                if pipe in told and os.read(pipe, 1):
                    del waiting[child]
            if self._is_told_to_stop():
                return False
            if self._bury():
                raise StartupError("a process of the api ended while starting")
        return True

    def replace_until_stopped(self) -> None:
        while signal.sigwait(OURS) == signal.SIGCHLD:
            for child, code in self._bury():
                log.error("a process of the api ended and is replaced", process=child, code=code)
                time.sleep(_PAUSE_SECONDS)
                self.start_one()

    def stop(self) -> None:
        """Have all end in order; a second signal ends them at once."""
        self._tell(signal.SIGTERM)
        while self._ready:
            if signal.sigtimedwait(OURS - {signal.SIGCHLD}, 0.05) is not None:
                self._tell(signal.SIGKILL)
            self._bury()

    def _tell(self, number: signal.Signals) -> None:
        for child in self._ready:
            with suppress(ProcessLookupError):
                os.kill(child, number)

    @staticmethod
    def _is_told_to_stop() -> bool:
        return signal.sigtimedwait(OURS - {signal.SIGCHLD}, 0) is not None

    def _bury(self) -> list[tuple[int, int]]:
        """The processes that have ended, with their exit codes; they are no longer part of the crew."""
        ended = []
        for child, pipe in list(self._ready.items()):
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                os.close(pipe)
                del self._ready[child]
                self._forget(child)
                ended.append((child, os.waitstatus_to_exitcode(status)))
        return ended


def _tell_ready(pipe: int) -> None:
    os.write(pipe, b"1")


def _end_with(life: int) -> None:
    """End this process in order when its parent is gone."""
    os.read(life, 1)
    os.kill(os.getpid(), signal.SIGTERM)
