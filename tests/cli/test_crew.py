"""`tallymark api --workers N`: several processes behind one port."""

import os
import signal
import subprocess
import time

import httpx
import psutil
import pytest
from tests.cli.conftest import COMMAND, Server, environment, free_port

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def start_api(database_url, folder):
    """start_api("--workers", "2") -> a ready api on a migrated database; gone at the end."""
    started: list[Server] = []

    def start(*arguments, url=database_url, is_awaited=True):
        port, log = free_port(), folder / f"api-{len(started)}"
        command = [str(COMMAND), "api", "--port", str(port), "--database-url", url, *arguments]
        with log.open("w") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, text=True, env=environment())
        server = Server(process, f"http://127.0.0.1:{port}", folder, log)
        started.append(server)
        if is_awaited:
            server.wait_until_ready()
            until(lambda: "URL: " in server.output)
        return server

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


def until(holds, seconds=60):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def crew_of(server):
    return psutil.Process(server.process.pid).children()


def test_all_answer_and_all_end_with_a_signal(start_api):
    server = start_api("--workers", "3")
    crew = crew_of(server)
    assert len(crew) == 3
    assert server.output.count("URL: ") == 1
    for _ in range(20):
        assert httpx.get(f"{server.url}/health").status_code == 200
    assert server.stop() == 0
    assert not any(one.is_running() for one in crew)


def test_one_that_dies_is_replaced(start_api):
    server = start_api("--workers", "2")
    first, second = crew_of(server)
    first.kill()
    until(lambda: len(crew_of(server)) == 2 and first.pid not in {one.pid for one in crew_of(server)})
    assert second.is_running()
    assert httpx.get(f"{server.url}/health").status_code == 200
    assert server.stop() == 0


def test_they_end_with_their_parent(start_api):
    server = start_api("--workers", "2")
    crew = crew_of(server)
    os.kill(server.process.pid, signal.SIGKILL)
    psutil.wait_procs(crew, timeout=25)
    assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in crew)


def test_none_is_left_where_one_cannot_start(start_api):
    server = start_api("--workers", "2", url="postgresql://nobody@127.0.0.1:1/nowhere", is_awaited=False)
    assert server.process.wait(60) == 1
    assert "Traceback" not in server.output
