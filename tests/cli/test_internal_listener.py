"""The internal listener of real processes: a socket of its own, and all of a crew in one answer."""

from __future__ import annotations

import socket
import subprocess
import time

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.cli.conftest import COMMAND, Server, environment, free_port

pytestmark = pytest.mark.timeout(300)


def sample(url, name, **labels):
    """The sum of the samples with a name and some labels."""
    families = text_string_to_metric_families(httpx.get(f"{url}/metrics").text)
    return sum(
        one.value
        for family in families
        for one in family.samples
        if one.name == name and labels.items() <= one.labels.items()
    )


def until(holds, seconds=60):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def listeners_of(process):
    return {one.laddr for one in process.net_connections() if one.status == psutil.CONN_LISTEN}


def test_everything_in_one_process(start, run, folder):
    port = free_port()
    server = start("--internal-port", str(port), TALLYMARK_STAFF="ann@acme.test")
    inside = f"http://127.0.0.1:{port}"
    assert httpx.get(f"{inside}/health").json()["message"] == "Success"
    assert httpx.get(f"{server.url}/metrics").status_code == 404
    assert httpx.get(f"{inside}/api/v1/customers").status_code == 404
    assert sample(inside, "tallymark_http_requests_total", route="/health") >= 1
    tailnet = {"Tailscale-User-Login": "ann@acme.test", "X-Forwarded-For": "100.64.0.7"}
    of_host = {**tailnet, "Host": "office.cat-dog.ts.net"}
    assert httpx.get(f"{inside}/office/").status_code == 303
    assert httpx.get(f"{inside}/office/", headers=tailnet).status_code == 403, "for a host of no tailnet"
    assert "ann@acme.test" in httpx.get(f"{inside}/office/", headers=of_host).text
    assert httpx.get(f"{server.url}/office/", headers={**of_host, "Accept": "*/*"}).status_code == 404
    link = run("staff", "link", "bob@acme.test", "--data-dir", server.data_dir, "--internal-port", port)
    address = link.stdout.partition("Link: ")[2].split()[0]
    assert address.startswith(f"{inside}/office/enter/")
    assert "bob@acme.test" in httpx.get(address).text
    assert "back office" in run("staff", "link", "bob@acme.test").stderr, "it says where it is to be told of"
    astray = run("staff", "link", "bob@acme.test", "--data-dir", folder / "another", "--internal-port", port)
    assert (astray.returncode, astray.stdout) == (1, "")
    assert f"{inside} runs on another database than {folder / 'another'}" in astray.stderr
    assert "made for another database" in httpx.get(f"{inside}/office/enter/x").text
    until(lambda: sample(inside, "tallymark_jobs_total", task="follow_events", outcome="succeeded") >= 1, 90)
    assert sample(inside, "tallymark_task_last_success_timestamp_seconds", task="follow_events") > 1.7e9
    assert {host for host, _ in listeners_of(psutil.Process(server.process.pid))} == {"127.0.0.1"}
    assert server.stop() == 0
    assert "Traceback" not in server.output
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{inside}/health")
    early = run("staff", "link", "bob@acme.test", "--data-dir", server.data_dir, "--internal-port", port)
    assert early.stdout.startswith(f"Link: {inside}/office/enter/")
    assert "nobody answers there" in early.stderr


def test_whoever_of_a_crew_answers_tells_of_all(database_url, folder):
    ports = free_port(), free_port()
    log = folder / "log"
    numbers = ["--port", str(ports[0]), "--internal-port", str(ports[1]), "--workers", "2"]
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(COMMAND), "api", *numbers, "--database-url", database_url],
            stdout=output,
            stderr=output,
            text=True,
            env=environment(),
        )
    server, inside = (
        Server(process, f"http://127.0.0.1:{ports[0]}", folder, log),
        f"http://127.0.0.1:{ports[1]}",
    )
    try:
        server.wait_until_ready()
        until(lambda: "URL: " in server.output)
        for _ in range(30):  # a connection each, so that both are asked
            assert httpx.get(f"{server.url}/ready").status_code == 200
        assert [sample(inside, "tallymark_http_requests_total", route="/ready") for _ in range(10)] == [
            30
        ] * 10
        until(lambda: sample(inside, "tallymark_database_connections_limit") == 20)
        first, second = psutil.Process(process.pid).children()
        first.kill()
        until(lambda: len(psutil.Process(process.pid).children()) == 2 and not first.is_running())
        assert second.is_running()
        until(lambda: sample(inside, "tallymark_database_connections_limit") == 20)
        assert sample(inside, "tallymark_http_requests_total", route="/ready") == 30, (
            "what was counted stays counted"
        )
        assert server.stop() == 0
    finally:
        process.kill()
        process.wait()


def test_a_port_that_is_taken_is_named_with_its_flag(run, folder):
    taken = free_port()
    with socket.socket() as other:
        other.bind(("127.0.0.1", taken))
        other.listen()
        found = run("up", "--port", free_port(), "--internal-port", taken, "--data-dir", folder / "data")
    assert found.returncode == 1
    assert "--internal-port" in found.stderr
