"""What a preview shows is what is billed then (the specification's README, 7; invoicing §10.5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, note, settings
from tests import kit
from tests.oracle.engine import Engine
from tests.oracle.life import Life
from tests.oracle.lives import lives
from tests.oracle.telling import totals_of, wire
from tests.oracle.test_agreement import EXAMPLES, lived_by_both

pytestmark = pytest.mark.timeout(120 + 30 * EXAMPLES)
SHOWN = (
    "units",
    "amount_cents",
    "precise_amount",
    "precise_unit_amount",
    "events_count",
    "precise_coupons_amount_cents",
    "taxes_amount_cents",
)


def told(invoice: dict[str, Any]) -> Any:
    fees = [
        [fee["item"][name] for name in ("type", "code", "filters", "grouped_by")]
        + [fee[name] for name in SHOWN]
        for fee in invoice["fees"]
    ]
    return (
        sorted(map(repr, fees)),
        totals_of(invoice),
        invoice["credit_notes_amount_cents"],
        invoice["total_amount_cents"],
    )


async def subscription_invoices(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    found = await kit.invoices(client, {"external_id": "c"})
    return [invoice for invoice in found if invoice["invoice_type"] == "subscription"]


def without_waiting(life: Life) -> Life:
    """Without a grace period, in which more comes in."""
    return replace(life, grace_days=0)


def reasons(invoice: dict[str, Any]) -> list[str]:
    """Why it is made: a trial's end has an invoice of its own, before the one that is shown."""
    return [period["invoicing_reason"] for period in invoice["billing_periods"]]


@settings(lived_by_both, max_examples=max(EXAMPLES // 4, 1))
@given(life=lives().map(without_waiting))
async def test_a_preview_is_the_invoice_that_comes(make_organization, life: Life) -> None:
    """Of the one subscription that there is in the end."""
    organization = await make_organization(wire(life.begins))
    engine = Engine(organization.client, life)
    await engine.live()
    note(repr(life))
    active = await kit.get(organization.client, "/subscriptions", external_customer_id="c")
    if len(active["subscriptions"]) != 1:
        return
    asked = {
        "customer": {"external_id": "c"},
        "subscriptions": {"external_ids": [active["subscriptions"][0]["external_id"]]},
    }
    shown = (await kit.post(organization.client, "/invoices/preview", asked))["invoice"]
    before = {invoice["lago_id"] for invoice in await subscription_invoices(organization.client)}
    day = date.fromisoformat(shown["issuing_date"]) + timedelta(days=2)
    await engine.advance(life.ends, datetime(day.year, day.month, day.day, tzinfo=UTC))
    made = [
        invoice
        for invoice in await subscription_invoices(organization.client)
        if invoice["lago_id"] not in before and reasons(invoice) == reasons(shown)
    ]
    assert told(made[0]) == told(shown)
