"""Current usage of a subscription with five charges, by the number of events in its period.

By itself, `python -m bench.usage 1000 10000 100000 1000000 10000000` takes these sizes.
"""

from __future__ import annotations

import sys
import time
from statistics import median
from typing import Any

import psycopg
from rich.console import Console

from bench.ingest import wait_for_rollups
from bench.server import Server, running_server

SIZES = (10_000, 1_000_000)
READS = 31

METRICS = (
    ("requests", "count_agg", None),
    ("tokens", "sum_agg", "tokens"),
    ("peak", "max_agg", "tokens"),
    ("users", "unique_count_agg", "user"),
    ("regions", "sum_agg", "tokens"),
)
"""Code, aggregation and property of each charge's metric; the last one's prices go by region."""

# Events of a whole month, spread evenly; a thousand users, three regions.
_FILL = """
    WITH filled AS (
    INSERT INTO events (id, stream_id, timestamp, created_at, organization_id, transaction_id, properties)
    SELECT gen_random_uuid(), s.id, '2026-01-01T00:00:00Z'::timestamptz + n * (interval '30 days' / %(count)s::bigint),
           now(), s.organization_id, 'fill-' || n,
           jsonb_build_object('tokens', n %% 1000, 'user', 'user-' || n %% 1009, 'region', (ARRAY['eu', 'us', 'asia'])[1 + n %% 3])
    FROM event_streams s, generate_series(1, %(count)s::bigint) n WHERE s.external_subscription_id = %(subscription)s
    RETURNING id, organization_id, stream_id, timestamp
    )
    INSERT INTO event_keys (id, organization_id, stream_id, timestamp) SELECT * FROM filled
"""


def measure(server: Server, *, quick: bool) -> dict[str, Any]:
    """Median milliseconds of the call at each size, and how they compare."""
    sizes = SIZES[:1] if quick else SIZES
    found: dict[str, Any] = {}
    for size in sizes:
        found |= {f"{name}_at_{size}": value for name, value in run(server, events=size).items()}
    if not quick:
        small, large = (found[f"current_usage_ms_at_{size}"] for size in SIZES)
        found["current_usage_large_to_small"] = round(large / small, 1)
    return found


def run(server: Server, *, events: int) -> dict[str, float]:
    """Milliseconds of a first read of so many events, and of the ones after roll-ups were built."""
    key = server.new_organization("2026-01-01T00:00:00Z")
    headers = {"Authorization": f"Bearer {key}"}
    subscription = f"usage-{events}"
    _sell(server, headers, subscription)
    _fill(server.database_url, subscription, events // len(METRICS))
    first = _time_read(server, headers, subscription)
    wait_for_rollups(server.database_url)
    times = []
    for number in range(READS):
        _send(server, headers, subscription, f"more-{number}")  # a read right after an event sees it
        times.append(_time_read(server, headers, subscription))
    return {"first_usage_ms": round(first, 1), "current_usage_ms": round(median(times), 1)}


def _sell(server: Server, headers: dict[str, str], subscription: str) -> None:
    charges = []
    for code, aggregation, field in METRICS:
        metric: dict[str, Any] = {"name": code, "code": code, "aggregation_type": aggregation}
        if field:
            metric["field_name"] = field
        if code == "regions":
            metric["filters"] = [{"key": "region", "values": ["eu", "us", "asia"]}]
        made: Any = server.call("POST", "/api/v1/billable_metrics", {"billable_metric": metric}, **headers)
        charge: dict[str, Any] = {
            "billable_metric_id": made["billable_metric"]["lago_id"],
            "charge_model": "standard",
            "properties": {"amount": "0.001"},
        }
        if code == "regions":
            charge["filters"] = [
                {"properties": {"amount": "0.002"}, "values": {"region": [region]}} for region in ("eu", "us")
            ]
        charges.append(charge)
    plan = {
        "name": "p", "code": "p", "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR",
        "pay_in_advance": False, "charges": charges,
    }  # fmt: skip
    server.call("POST", "/api/v1/plans", {"plan": plan}, **headers)
    body = {"external_customer_id": "c", "plan_code": "p", "external_id": subscription}
    server.call("POST", "/api/v1/subscriptions", {"subscription": body}, **headers)
    _send(server, headers, subscription, "first")
    server.call(
        "POST", "/api/v1/test_clock/advance", {"test_clock": {"to": "2026-01-25T10:20:30Z"}}, **headers
    )


def _send(server: Server, headers: dict[str, str], subscription: str, name: str) -> None:
    events = [
        {
            "transaction_id": f"{name}-{code}",
            "external_subscription_id": subscription,
            "code": code,
            "properties": {"tokens": 1, "user": "user-1", "region": "eu"},
        }
        for code, _, _ in METRICS
    ]
    server.call("POST", "/api/v1/events/batch", {"events": events}, **headers)


def _fill(url: str, subscription: str, count: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_FILL, {"count": count, "subscription": subscription})
        connection.execute("VACUUM ANALYZE events")


def _time_read(server: Server, headers: dict[str, str], subscription: str) -> float:
    path = f"/api/v1/customers/c/current_usage?external_subscription_id={subscription}"
    began = time.perf_counter()
    server.call("GET", path, None, **headers)
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Print what a read costs at several sizes, on one server."""
    console = Console()
    sizes = [int(size) for size in sys.argv[1:]] or list(SIZES)
    with running_server() as server:
        run(server, events=1_000)  # what is compiled and cached once is, from here on
        for size in sizes:
            with console.status(f"{size:,} events ..."):
                found = run(server, events=size)
            console.print(
                f"{size:,} events: {found['current_usage_ms']} ms, {found['first_usage_ms']} ms the first time"
            )


if __name__ == "__main__":
    main()
