"""Current usage of a subscription with five charges, at ten thousand and a million events in the period."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import psycopg

from bench.server import Server

SIZES = (10_000, 1_000_000)
READS = 15

_FILL = """
    INSERT INTO events (id, stream_id, timestamp, created_at, organization_id, transaction_id, properties)
    SELECT gen_random_uuid(), s.id, %(start)s::timestamptz + n * interval '2 seconds', now(), s.organization_id,
           'fill-' || n, jsonb_build_object('tokens', n %% 1000)
    FROM event_streams s, generate_series(%(first)s::bigint, %(last)s::bigint) n WHERE s.external_subscription_id = %(subscription)s
"""


def measure(server: Server, *, quick: bool) -> dict[str, Any]:
    """Median milliseconds of the call at each size, and how they compare."""
    key = server.new_organization("2026-01-01T00:00:00Z")
    headers = {"Authorization": f"Bearer {key}"}
    _sell(server, headers)
    found: dict[str, Any] = {}
    filled = 0
    for size in SIZES[:1] if quick else SIZES:
        _fill(server.database_url, first=filled + 1, last=size)
        filled = size
        found[f"current_usage_ms_at_{size}"] = round(_time_reads(server, headers), 1)
    if not quick:
        small, large = (found[f"current_usage_ms_at_{size}"] for size in SIZES)
        found["current_usage_large_to_small"] = round(large / small, 1)
    return found


def _sell(server: Server, headers: dict[str, str]) -> None:
    metric = {"name": "Tokens", "code": "tokens", "aggregation_type": "sum_agg", "field_name": "tokens"}
    made: Any = server.call("POST", "/api/v1/billable_metrics", {"billable_metric": metric}, **headers)
    charge = {
        "billable_metric_id": made["billable_metric"]["lago_id"],
        "charge_model": "standard",
        "properties": {"amount": "0.001"},
    }
    plan = {
        "name": "p", "code": "p", "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR",
        "pay_in_advance": False, "charges": [charge] * 5,
    }  # fmt: skip
    server.call("POST", "/api/v1/plans", {"plan": plan}, **headers)
    subscription = {"external_customer_id": "c", "plan_code": "p", "external_id": "usage"}
    server.call("POST", "/api/v1/subscriptions", {"subscription": subscription}, **headers)
    event = {"transaction_id": "first", "external_subscription_id": "usage", "code": "tokens"}
    server.call("POST", "/api/v1/events", {"event": {**event, "properties": {"tokens": 1}}}, **headers)
    server.call(
        "POST", "/api/v1/test_clock/advance", {"test_clock": {"to": "2026-01-25T00:00:00Z"}}, **headers
    )


def _fill(url: str, *, first: int, last: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        values = {"start": "2026-01-01T00:00:00Z", "first": first, "last": last, "subscription": "usage"}
        connection.execute(_FILL, values)
        connection.execute("VACUUM ANALYZE events")


def _time_reads(server: Server, headers: dict[str, str]) -> float:
    path = "/api/v1/customers/c/current_usage?external_subscription_id=usage"
    times = []
    for _ in range(READS):
        began = time.perf_counter()
        server.call("GET", path, None, **headers)
        times.append((time.perf_counter() - began) * 1000)
    return median(times)
