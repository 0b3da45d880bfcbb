"""`tallymark up`: everything in one command, from the first start to the last request."""

import re
import signal
import socket
import threading
import time

import httpx
import psutil
import pytest
from tests.cli.conftest import starting

# Whole starts and stops, each of which reads the whole application first.
pytestmark = pytest.mark.timeout(300)

KEY = re.compile(r"API key: ([0-9a-f-]{36})")


def test_the_first_start_tells_where_everything_is_and_a_key_that_works(folder):
    """With a database that it makes itself; servers of other tests begin with a copy of one."""
    with starting(folder, is_prepared=False) as start:
        server = start(is_warm=False)
        assert f"URL: {server.url}" in server.output
        assert f"Data: {server.data_dir}" in server.output
        (key,) = KEY.findall(server.output)
        headers = {"Authorization": f"Bearer {key}"}
        answer = httpx.get(f"{server.url}/api/v1/organizations", headers=headers)
        assert answer.status_code == 200
        assert answer.json()["organization"]["name"] == "My organization"


def test_the_first_start_tells_where_the_first_user_comes_in(start):
    server = start()
    (token,) = re.findall(rf"First user: {server.url}/welcome/([0-9a-f]{{40}})", server.output)
    body = {"token": token, "email": "first@acme.test", "password": "secret"}
    with httpx.Client(base_url=f"{server.url}/app/v1") as browser:
        assert browser.post("/welcome", json=body).status_code == 200
        (membership,) = browser.get("/session").json()["user"]["memberships"]
    assert membership["organization"]["name"] == "My organization"


def test_a_later_start_keeps_what_was_there_and_shows_no_key(start):
    first = start()
    (key,) = KEY.findall(first.output)
    assert first.stop() == 0
    second = start()
    assert "API key" not in second.output
    assert "First user" not in second.output
    headers = {"Authorization": f"Bearer {key}"}
    assert httpx.get(f"{second.url}/api/v1/organizations", headers=headers).status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_every_process_and_exits_with_0(start, number):
    server = start(is_warm=False)
    family = [server.process.pid, *(child.pid for child in psutil.Process(server.process.pid).children())]
    assert len(family) > 1, "the database is a child"
    assert server.stop(number) == 0
    assert [pid for pid in family if psutil.pid_exists(pid)] == []


def test_a_signal_during_the_start_ends_it_cleanly_too(start):
    start().stop()
    server = start(is_awaited=False, is_warm=False)
    note = server.data_dir / "postgres" / "postmaster.pid"
    deadline = time.monotonic() + 30
    while not note.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.stop() == 0
    assert "Traceback" not in server.output
    assert not note.exists(), "the database was stopped in order"


def test_a_request_under_way_is_answered_before_the_end(start):
    """The server has read half of a request when it is told to stop; the other half still gets its answer."""
    server = start(TALLYMARK_ADMIN_API_KEY="adm")
    body = b'{"name": "Hooli Inc"}'
    head = (
        b"POST /admin/organizations HTTP/1.1\r\nHost: x\r\nX-Admin-API-Key: adm\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    port = int(server.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(head + body[:5])
        time.sleep(0.5)
        ended: list[int] = []
        stopping = threading.Thread(target=lambda: ended.append(server.stop()))
        stopping.start()
        time.sleep(1)
        connection.sendall(body[5:])
        answer = connection.recv(65536)
        stopping.join()
    assert answer.startswith(b"HTTP/1.1 200")
    assert ended == [0]


def test_after_a_kill_the_next_start_works_on_the_same_data(start):
    first = start()
    (key,) = KEY.findall(first.output)
    first.stop(signal.SIGKILL)
    second = start()
    headers = {"Authorization": f"Bearer {key}"}
    assert httpx.get(f"{second.url}/api/v1/organizations", headers=headers).status_code == 200


def test_it_ends_with_an_error_in_one_line_when_its_database_dies(start):
    server = start()
    note = server.data_dir / "postgres" / "postmaster.pid"
    psutil.Process(int(note.read_text().split()[0])).kill()
    assert server.process.wait(30) == 1
    assert "tallymark: the embedded PostgreSQL ended by itself" in server.output


def test_idle_it_takes_less_than_300_mb(start):
    """Of all its processes; pages that PostgreSQL's share are counted once."""
    server = start(is_warm=False)
    parent = psutil.Process(server.process.pid)
    family = [parent, *parent.children(recursive=True)]
    assert sum(member.memory_full_info().pss for member in family) < 300_000_000


def test_a_drain_answers_for_a_while_and_says_that_it_ends(start):
    """Load balancers notice some seconds later that nothing should be sent here any more."""
    server = start(TALLYMARK_DRAIN_SECONDS="2")
    assert httpx.get(f"{server.url}/ready").status_code == 200
    server.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 10
    while httpx.get(f"{server.url}/ready").status_code != 503:
        assert time.monotonic() < deadline
    assert httpx.get(f"{server.url}/health").status_code == 200, "on a new connection"
    assert server.process.wait(25) == 0
