"""The server under measurement, in a process of its own, and where its database listens."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import psutil

COMMAND = Path(sys.executable).with_name("tallymark")
ADMIN_KEY = "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running `tallymark up`."""

    host: str
    port: int
    pid: int
    database_url: str

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://{self.host}:{self.port}"

    def resident_megabytes(self) -> float:
        """Resident memory of the whole process tree, shared pages counted once."""
        process = psutil.Process(self.pid)
        tree = [process, *process.children(recursive=True)]
        return sum(member.memory_full_info().pss for member in tree) / 2**20

    def api_megabytes(self) -> float:
        """Resident memory of the process that answers requests alone, which takes events in too."""
        return float(psutil.Process(self.pid).memory_full_info().uss / 2**20)

    def call(self, method: str, path: str, body: object, **headers: str) -> dict[str, object]:
        """One JSON call."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(
            self.url + path, data, {"Content-Type": "application/json", **headers}, method=method
        )
        with urlopen(request, timeout=600) as answer:
            found: dict[str, object] = json.loads(answer.read())
        return found

    def new_organization(self, frozen_time: str | None = None) -> str:
        """Make an organization and return its key."""
        body: dict[str, object] = {"name": "Bench"}
        if frozen_time:
            body["test_clock"] = {"frozen_time": frozen_time}
        made = self.call("POST", "/admin/organizations", body, **{"X-Admin-API-Key": ADMIN_KEY})
        return str(made["api_key"])


@contextmanager
def running_server(**variables: str) -> Iterator[Server]:
    """Start a server on an empty data directory, with some settings; stop it and remove everything at the end."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="tm-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        data = Path(folder) / "data"
        log = (Path(folder) / "log").open("wb")
        process = subprocess.Popen(
            [str(COMMAND), "up", "--port", str(port), "--data-dir", str(data)],
            env=os.environ | {"TALLYMARK_ADMIN_API_KEY": ADMIN_KEY} | variables,
            stdout=log,
            stderr=log,
        )
        try:
            _wait(port, process)
            url = f"postgresql://tallymark@/tallymark?host={data / 'run'}"
            yield Server(host="127.0.0.1", port=port, pid=process.pid, database_url=url)
        finally:
            process.terminate()
            process.wait(30)
            log.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError("the server ended while starting")
        try:
            with urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server is not ready")
