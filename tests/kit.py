"""Small words to build worlds with, over the API: each returns the resource's object."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text
from tests.audits import breaches

from tallymark.api.links import Site
from tallymark.db.engine import Database
from tallymark.metering.rolled import READABLE
from tallymark.metering.rollups import build_wanted

Json = dict[str, Any]
_numbers = itertools.count(1)

SITE = Site(base_url="", app_url="", sign_file=lambda _, key: key)
"""An installation whose links nobody follows."""


@cache
def description() -> Json:
    """How the API describes itself; it takes two seconds to find words for all of it."""
    from tallymark.app import create_api

    described: Json = create_api().openapi()
    return described


async def call(
    client: httpx.AsyncClient, method: str, path: str, body: Any = None, *, expect: Any = 200, **query: Any
) -> Json:
    """One call, its status checked."""
    answer = await client.request(method, path, json=body, params=query or None)
    assert answer.status_code == expect, f"{method} {path} -> {answer.status_code}: {answer.text}"
    found: Json = answer.json() if answer.content else {}
    return found


async def get(client: httpx.AsyncClient, path: str, *, expect: Any = 200, **query: Any) -> Json:
    return await call(client, "GET", path, expect=expect, **query)


async def post(client: httpx.AsyncClient, path: str, body: Any, *, expect: int = 200) -> Json:
    return await call(client, "POST", path, body, expect=expect)


async def tax(client: httpx.AsyncClient, rate: str = "20", **more: Any) -> Json:
    code = f"tax_{next(_numbers)}"
    body = {"name": code, "code": code, "rate": rate, "applied_to_organization": True, **more}
    found: Json = (await post(client, "/taxes", {"tax": body}))["tax"]
    return found


async def metric(client: httpx.AsyncClient, aggregation_type: str = "sum_agg", **more: Any) -> Json:
    code = more.pop("code", f"metric_{next(_numbers)}")
    body = {"name": code, "code": code, "aggregation_type": aggregation_type, **more}
    if aggregation_type != "count_agg":
        body.setdefault("field_name", "value")
    found: Json = (await post(client, "/billable_metrics", {"billable_metric": body}))["billable_metric"]
    return found


def charge(of: Json, charge_model: str = "standard", **properties: Any) -> Json:
    """A charge for a plan's body; a standard one costs 1 unless `amount` says otherwise."""
    if charge_model == "standard":
        properties.setdefault("amount", "1")
    return {"billable_metric_id": of["lago_id"], "charge_model": charge_model, "properties": properties}


async def plan(client: httpx.AsyncClient, *charges: Json, amount_cents: Any = 0, **more: Any) -> Json:
    code = more.pop("code", f"plan_{next(_numbers)}")
    body = {
        "name": code,
        "code": code,
        "interval": "monthly",
        "amount_cents": amount_cents,
        "amount_currency": "EUR",
        "pay_in_advance": False,
        "charges": list(charges),
        **more,
    }
    found: Json = (await post(client, "/plans", {"plan": body}))["plan"]
    return found


async def customer(client: httpx.AsyncClient, **more: Any) -> Json:
    external_id = more.pop("external_id", f"customer_{next(_numbers)}")
    body = {"external_id": external_id, "name": external_id, **more}
    found: Json = (await post(client, "/customers", {"customer": body}))["customer"]
    return found


async def subscribe(client: httpx.AsyncClient, who: Json, to: Json, **more: Any) -> Json:
    body = {
        "external_customer_id": who["external_id"],
        "plan_code": to["code"],
        "external_id": f"subscription_{next(_numbers)}",
        **more,
    }
    found: Json = (await post(client, "/subscriptions", {"subscription": body}))["subscription"]
    return found


async def send(client: httpx.AsyncClient, to: Json, of: Json, *values: Any, **more: Any) -> None:
    """One event a value, in one batch for each hundred."""
    events = [
        {
            "transaction_id": f"transaction_{next(_numbers)}",
            "external_subscription_id": to["external_id"],
            "code": of["code"],
            "properties": {"value": value},
            **more,
        }
        for value in values
    ]
    for start in range(0, len(events), 100):
        await post(client, "/events/batch", {"events": events[start : start + 100]})


async def usage(client: httpx.AsyncClient, who: Json, of: Json, **query: Any) -> Json:
    path = f"/customers/{who['external_id']}/current_usage"
    query["external_subscription_id"] = of["external_id"]
    found: Json = (await get(client, path, **query))["customer_usage"]
    return found


async def advance(client: httpx.AsyncClient, to: str, *, fails: bool = False) -> Json:
    """Move the clock; "2026-02-01" or "2026-02-01T10:00" is UTC. Nothing on the way fails, unless it is meant to."""
    instant = datetime.fromisoformat(to).replace(tzinfo=UTC).isoformat()
    answer = await post(client, "/test_clock/advance", {"test_clock": {"to": instant}})
    assert bool(answer.get("errors")) == fails, f"on the way to {to}: {answer.get('errors')}"
    return answer


async def invoices(client: httpx.AsyncClient, who: Json) -> list[Json]:
    """A customer's invoices in full, oldest first."""
    listed = (await get(client, "/invoices", external_customer_id=who["external_id"]))["invoices"]
    full = [(await get(client, f"/invoices/{row['lago_id']}"))["invoice"] for row in listed]
    return sorted(full, key=lambda invoice: invoice["created_at"])


async def assert_audit_clean(database: Database, organization_id: UUID) -> None:
    """Every law of money holds for an organization, as `tallymark audit` holds them."""
    async with database.snapshot(organization_id) as tx:
        found = [str(breach) async for breach in breaches(tx)]
    assert not found, "\n".join(found)


def epoch(when: str) -> int:
    """Unix seconds of a UTC time."""
    return int(datetime.fromisoformat(when).replace(tzinfo=UTC).timestamp())


async def roll_up(database: Database, organization_id: UUID) -> None:
    """Have all of an organization's streams added up in advance in every way there is, few as their events are."""
    await want_rollups(database, organization_id)
    assert await build_wanted(database)


async def want_rollups(database: Database, organization_id: UUID) -> None:
    """Ask for every roll-up of an organization's streams that there is not."""
    async with database.system() as connection:
        await connection.execute(
            text(
                "INSERT INTO rollups (organization_id, stream_id, aggregation_type, field_name, dimensions, since, until)"
                " SELECT organization_id, id, kind, CASE kind WHEN 'count_agg' THEN '' ELSE 'value' END, '{}',"
                "        CASE kind WHEN 'unique_count_agg' THEN timestamptz '2000-01-01Z' ELSE '-infinity' END,"
                "        CASE kind WHEN 'unique_count_agg' THEN timestamptz '2100-01-01Z' ELSE 'infinity' END"
                " FROM event_streams CROSS JOIN unnest(CAST(:kinds AS text[])) AS kind"
                " WHERE organization_id = :id ON CONFLICT DO NOTHING"
            ),
            {"id": organization_id, "kinds": sorted(READABLE)},
        )
