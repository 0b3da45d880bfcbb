"""`tallymark health`: what a container's health check and Kubernetes' probes run."""

import asyncio
import os
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tallymark.db.errors import StartupError
from tallymark.health import STALE_SECONDS, Heartbeat, check_api, check_worker


@contextmanager
def answering(status):
    """A server on a port of its own that answers everything with one status; it yields the port and what was asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, asked
    server.shutdown()
    thread.join()
    server.server_close()


class TestTheApi:
    @pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
    def test_is_asked_on_this_machine(self, host):
        with answering(200) as (port, asked):
            check_api(host, port)
        assert asked == ["/health"]

    def test_that_does_not_reach_its_database_is_not_well(self):
        with answering(500) as (port, _), pytest.raises(StartupError, match="is not well: it answers 500"):
            check_api("127.0.0.1", port)

    def test_that_does_not_listen_is_not_well(self, port):
        with pytest.raises(StartupError, match=f"the api at 127.0.0.1:{port} does not answer"):
            check_api("127.0.0.1", port)


class TestTheWorker:
    async def test_beats_at_once_and_until_it_is_told_to_stop(self, tmp_path):
        path, stop = tmp_path / "worker", asyncio.Event()
        heartbeat = Heartbeat(path)
        heartbeat.begin()
        os.utime(path, (0, 0))
        beating = asyncio.create_task(heartbeat.run(stop))
        while path.stat().st_mtime == 0:
            await asyncio.sleep(0.01)
        stop.set()
        await beating
        check_worker(path, now=time.time())

    def test_is_well_while_its_heartbeat_is_young(self, tmp_path):
        path = tmp_path / "worker"
        path.touch()
        os.utime(path, (1000, 1000))
        check_worker(path, now=1000 + STALE_SECONDS)
        with pytest.raises(StartupError, match="the last heartbeat of the worker is 61 seconds old"):
            check_worker(path, now=1061)

    def test_without_a_heartbeat_is_not_well(self, tmp_path):
        with pytest.raises(StartupError, match=r"no heartbeat at .*/worker: no such file"):
            check_worker(tmp_path / "worker", now=0)

    def test_does_not_start_where_it_cannot_be_written(self, tmp_path):
        with pytest.raises(StartupError, match="cannot write the heartbeat"):
            Heartbeat(tmp_path / "missing" / "worker").begin()


def test_the_command_returns_what_supervisors_understand(run, port, tmp_path):
    done = run("health", "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert "does not answer" in done.stderr
    assert "TALLYMARK_WORKER_HEARTBEAT does not say" in run("health", "--worker").stderr
    (tmp_path / "worker").touch()
    done = run("health", "--worker", TALLYMARK_WORKER_HEARTBEAT=str(tmp_path / "worker"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
