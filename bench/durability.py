"""Kill -9 the whole process tree at random instants under ingest load: every acknowledged event is there exactly once.

`python -m bench.durability 500` does it five hundred times; the test suite does it a few.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from rich.progress import track

from bench.server import COMMAND, free_port

ADMIN_KEY = "kill"
WRITERS = 8
CONNECTION_ERRORS = (OSError, HTTPException)


@dataclass
class Ledger:
    """What was acknowledged, and what was sent without an answer."""

    acknowledged: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, ids: list[str], *, is_acknowledged: bool) -> None:
        with self.lock:
            (self.acknowledged if is_acknowledged else self.unanswered).update(ids)


def start(port: int, data: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start a server and wait until it answers."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(COMMAND), "up", "--port", str(port), "--data-dir", str(data)],
            env=os.environ | {"TALLYMARK_ADMIN_API_KEY": ADMIN_KEY},
            stdout=output,
            stderr=output,
        )
    for _ in range(600):
        if process.poll() is not None:
            raise AssertionError(f"the server ended while starting:\n{log.read_text()[-3000:]}")
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return process
        except CONNECTION_ERRORS:
            time.sleep(0.05)
    raise AssertionError("the server is not ready")


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """End the server, its database and everything below at once, without a chance to say good-bye."""
    parent = psutil.Process(process.pid)
    for member in [parent, *parent.children(recursive=True)]:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()


def write(port: int, key: str, ledger: Ledger, stop: threading.Event) -> None:
    """Send singles and batches until the server is gone."""
    chance = random.Random()
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    while not stop.is_set():
        ids = [uuid.uuid4().hex for _ in range(chance.choice((1, 1, 1, 20)))]
        events = [{"transaction_id": name, "external_subscription_id": "s", "code": "c"} for name in ids]
        path = "/api/v1/events" if len(ids) == 1 else "/api/v1/events/batch"
        body = json.dumps({"event": events[0]} if len(ids) == 1 else {"events": events})
        try:
            connection.request("POST", path, body, {"Authorization": f"Bearer {key}"})
            answer = connection.getresponse()
            answer.read()
        except CONNECTION_ERRORS:
            ledger.note(ids, is_acknowledged=False)
            return
        ledger.note(ids, is_acknowledged=answer.status == 200)


def organization(port: int) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(
        "POST",
        "/admin/organizations",
        json.dumps({"name": "Kill"}),
        {"X-Admin-API-Key": ADMIN_KEY, "Content-Type": "application/json"},
    )
    key: str = json.loads(connection.getresponse().read())["api_key"]
    return key


def run(kills: int, *, is_shown: bool = False) -> tuple[int, int]:
    """Kill so many times; return (events acknowledged, events stored). Raises `AssertionError` on any loss."""
    chance = random.Random(7)
    ledger = Ledger()
    with tempfile.TemporaryDirectory(prefix="tm-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        data, log, port = Path(folder) / "data", Path(folder) / "log", free_port()
        process = start(port, data, log)
        key = organization(port)
        rounds = range(kills)
        for _ in track(rounds, "Killing") if is_shown else rounds:
            stop = threading.Event()
            writers = [threading.Thread(target=write, args=(port, key, ledger, stop)) for _ in range(WRITERS)]
            for writer in writers:
                writer.start()
            time.sleep(chance.uniform(0.05, 0.8))
            kill_tree(process)
            stop.set()
            for writer in writers:
                writer.join()
            process = start(port, data, log)
        stored = _stored(data)
        kill_tree(process)
    lost = ledger.acknowledged - stored.keys()
    assert not lost, f"{len(lost)} acknowledged events are lost"
    doubled = [name for name, count in stored.items() if count != 1]
    assert not doubled, f"{len(doubled)} events are stored more than once"
    unknown = stored.keys() - ledger.acknowledged - ledger.unanswered
    assert not unknown, f"{len(unknown)} events were never sent"
    return len(ledger.acknowledged), len(stored)


def _stored(data: Path) -> dict[str, int]:
    url = f"postgresql://tallymark@/tallymark?host={quote(str(data / 'run'))}"
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT transaction_id, count(*) FROM events GROUP BY 1").fetchall()
    return dict(rows)


if __name__ == "__main__":
    acknowledged, stored = run(int(sys.argv[1]) if len(sys.argv) > 1 else 20, is_shown=True)
    print(f"{acknowledged:,} events acknowledged, {stored:,} stored, none lost, none twice")  # noqa: T201
