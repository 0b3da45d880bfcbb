"""A cheap load generator: keep-alive connections that each send the next request when the last is answered.

Run as a process of its own: `python -m bench.load` with a job as JSON on standard input; prints the result as JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from statistics import quantiles
from typing import cast

import uvloop


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to send: `batch` events a request over so many connections, for so many seconds."""

    host: str
    port: int
    key: str
    connections: int
    batch: int
    seconds: float
    prefix: str
    subscriptions: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it; latencies in milliseconds."""

    requests: int
    events: int
    failed: int
    seconds: float
    p50: float
    p99: float


class Connection(asyncio.Protocol):
    """One client: request, answer, next request."""

    def __init__(self, job: Job, number: int, deadline: float) -> None:
        self._job, self._number, self._deadline = job, number, deadline
        self._count = self.failed = 0
        self._sent_at = 0.0
        self._buffer = b""
        self.latencies: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        path = "/api/v1/events" if job.batch == 1 else "/api/v1/events/batch"
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench/1.0\r\nAuthorization: Bearer {job.key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        self._send()

    def _event(self, index: int) -> str:
        subscription = (self._number + index) % self._job.subscriptions
        return (
            f'{{"transaction_id":"{self._job.prefix}-{self._number}-{self._count}-{index}",'
            f'"external_subscription_id":"sub-{subscription}","code":"tokens",'
            f'"properties":{{"tokens":{137 + index},"model":"large","region":"eu"}}}}'
        )

    def _send(self) -> None:
        self._count += 1
        if self._job.batch == 1:
            body = f'{{"event":{self._event(0)}}}'
        else:
            body = f'{{"events":[{",".join(self._event(n) for n in range(self._job.batch))}]}}'
        self._sent_at = time.perf_counter()
        self._transport.write(self._head + f"{len(body)}\r\n\r\n{body}".encode())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self.latencies.append(time.perf_counter() - self._sent_at)
        self.failed += b" 200 " not in head[:16]
        self._buffer = b""
        if time.perf_counter() < self._deadline:
            self._send()
        else:
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        """Fail at once when the server goes away, instead of waiting for an answer for ever."""
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))


async def _connect(client: Connection, job: Job) -> None:
    await asyncio.get_running_loop().create_connection(lambda: client, job.host, job.port)


async def _run(job: Job) -> Outcome:
    began = time.perf_counter()
    clients = [Connection(job, number, began + job.seconds) for number in range(job.connections)]
    await asyncio.gather(*(_connect(client, job) for client in clients))
    await asyncio.gather(*(client.done for client in clients))
    elapsed = time.perf_counter() - began
    latencies = sorted(latency * 1000 for client in clients for latency in client.latencies)
    cuts = quantiles(latencies, n=100)
    return Outcome(
        requests=len(latencies),
        events=len(latencies) * job.batch,
        failed=sum(client.failed for client in clients),
        seconds=elapsed,
        p50=cuts[49],
        p99=cuts[98],
    )


def generate(job: Job) -> Outcome:
    """Run a job in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(asdict(job)),
        capture_output=True,
        text=True,
        check=True,
        timeout=job.seconds + 60,
    )
    return Outcome(**json.loads(done.stdout))


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(_run(Job(**json.loads(sys.stdin.read())))))))  # noqa: T201
