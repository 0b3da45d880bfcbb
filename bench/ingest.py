"""Ingest: single events and batches, beside a bare COPY of the same rows into an unindexed table on the same server."""

from __future__ import annotations

import time
import uuid
from typing import Any

import psycopg

from bench.load import Job, Outcome, generate
from bench.server import Server

COPIED_ROWS = 400_000


def measure(server: Server, *, seconds: float) -> dict[str, Any]:
    """Requests and events a second, latencies, and both as shares of what a bare COPY reaches."""
    plain, rolled, computing = (
        server.new_organization(),
        server.new_organization(),
        _computing_organization(server),
    )

    def job(connections: int, batch: int, duration: float, key: str = plain) -> Outcome:
        return generate(
            Job(
                host=server.host,
                port=server.port,
                key=key,
                connections=connections,
                batch=batch,
                seconds=duration,
                prefix=uuid.uuid4().hex[:8],
            )
        )

    job(8, 1, 1.0)  # warm up: connections, caches, prepared statements
    single = job(64, 1, seconds)
    batches = job(16, 100, seconds)
    job(8, 100, 1.0, rolled)
    roll_up(server, rolled)
    added_up = job(16, 100, seconds, rolled)
    computed = job(16, 100, seconds, computing)
    copied = _bare_copy(server.database_url)
    return {
        "single_requests_per_second": round(single.requests / single.seconds),
        "single_p50_ms": round(single.p50, 2),
        "single_p99_ms": round(single.p99, 2),
        "batch_events_per_second": round(batches.events / batches.seconds),
        "batch_p99_ms": round(batches.p99, 2),
        "rolled_up_events_per_second": round(added_up.events / added_up.seconds),
        "computed_events_per_second": round(computed.events / computed.seconds),
        "failed_requests": single.failed + batches.failed + added_up.failed + computed.failed,
        "bare_copy_rows_per_second": round(copied),
        "single_share_of_copy": round(single.requests / single.seconds / copied, 4),
        "batch_share_of_copy": round(batches.events / batches.seconds / copied, 4),
    }


def roll_up(server: Server, key: str) -> None:
    """Have every stream of an organization added up by the hour, as reads would ask for once they are large."""
    with psycopg.connect(server.database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO rollups (organization_id, stream_id, aggregation_type, field_name, dimensions)"
            " SELECT s.organization_id, s.id, 'sum_agg', 'tokens', '{}' FROM event_streams s"
            " JOIN api_keys k ON k.organization_id = s.organization_id WHERE k.key_hash = sha256(convert_to(%s, 'UTF8'))",
            [key],
        )
    wait_for_rollups(server.database_url)


def wait_for_rollups(url: str) -> None:
    """Return when all that are asked for are built."""
    waiting = "SELECT count(*) FROM rollups WHERE built_at IS NULL AND declined_at IS NULL"
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(6_000):
            if connection.execute(waiting).fetchone() == (0,):
                return
            time.sleep(0.1)
    raise RuntimeError("the roll-ups are not built")


def _computing_organization(server: Server) -> str:
    """The key of one whose metric computes a value of each event by an expression (metering §3)."""
    key = server.new_organization()
    metric = {
        "name": "tokens",
        "code": "tokens",
        "aggregation_type": "sum_agg",
        "field_name": "billed",
        "expression": "ceil(event.properties.tokens * 1.25, -1)",
    }
    headers = {"Authorization": f"Bearer {key}"}
    server.call("POST", "/api/v1/billable_metrics", {"billable_metric": metric}, **headers)
    return key


def _bare_copy(url: str) -> float:
    """Rows a second of a COPY of events' columns without any index: the limit of this server."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE bench_copy (LIKE events)")
        began = time.perf_counter()
        with (
            connection.cursor() as cursor,
            cursor.copy(
                "COPY bench_copy (id, stream_id, timestamp, created_at, organization_id, transaction_id, properties)"
                " FROM STDIN"
            ) as copy,
        ):
            tail = (
                "\t7\t2026-01-01T00:00:00Z\t2026-01-01T00:00:00Z\t00000000-0000-7000-8000-000000000000\tt"
                '\t{"tokens":137,"model":"large","region":"eu"}\n'
            )
            for start in range(0, COPIED_ROWS, 10_000):
                lines = (f"00000000-0000-7000-8000-{row:012d}{tail}" for row in range(start, start + 10_000))
                copy.write("".join(lines))
        elapsed = time.perf_counter() - began
        connection.execute("DROP TABLE bench_copy")
    return COPIED_ROWS / elapsed
