"""Commands in processes that have read Tallymark before: what a test starts is there seconds sooner.

One process reads the whole application, and each command is a copy of it that is told its arguments, its environment and
its files: from there on all is as the shell has it, signals and exit codes too. What starting from nothing is like, the
tests with `COMMAND` hold.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_READ = ["tallymark.cli", "tallymark.commands", "tallymark.server", "tallymark.app", "tallymark.worker"]
_HERE = "tallymark that was told"
_context = multiprocessing.get_context("forkserver")


class WarmCommand:
    """A command that runs, with what `subprocess.Popen` has of it."""

    def __init__(self, process: ForkServerProcess, command: Sequence[str]) -> None:
        self._process, self._command = process, command
        assert process.pid is not None
        self.pid: int = process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(self._command, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()


def start(command: Sequence[str], *, out: Path, err: Path, env: dict[str, str]) -> WarmCommand:
    """Run `command`, whose first word is Tallymark's own path, with its output in files that may be one."""
    _context.set_forkserver_preload(_READ)
    # By path: which `tests` a process finds by name depends on who else has brought one.
    told = {"TOLD": (list(command), str(out), str(err), env)}
    process = _context.Process(target=runpy.run_path, args=(__file__, told, _HERE))
    process.start()
    return WarmCommand(process, command)


def run(
    command: Sequence[str], *, env: dict[str, str], timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run `command` to its end."""
    with tempfile.TemporaryDirectory(prefix="tm-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        running = start(command, out=out, err=err, env=env)
        try:
            code = running.wait(timeout)
        except BaseException:
            running.kill()
            raise
        return subprocess.CompletedProcess(command, code, out.read_text(), err.read_text())


def _become(command: Sequence[str], out: str, err: str, env: dict[str, str]) -> None:
    for number, path in ((1, out), (2, err)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = list(command)
    from tallymark.cli import main

    main()


if __name__ == _HERE:
    _become(*globals()["TOLD"])
