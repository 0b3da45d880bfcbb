"""Power cuts at every write of what changes invoices that are there: taxes, prices, days of grace."""

from __future__ import annotations

from typing import Any

import pytest
from tests.faults.words import (
    advance,
    charge,
    customer,
    delete,
    plan,
    post,
    put,
    sell,
    shop,
    subscribe,
    use,
)

from tallymark.integrations.vies import ViesRegister
from tallymark.jobs.agenda import Kind
from tallymark.rooms.customers.ports import RegisterUnavailable

GRACE: Any = {"billing_configuration": {"invoice_grace_period": 3}}
DRAFT = (
    shop, customer(**GRACE), plan("p", charge(), amount_cents=3100), subscribe("p"), use(3), advance("2026-02-01T01:00"),
)  # fmt: skip


class TestDrafts:
    @pytest.mark.cuts("POST /taxes", "PUT /taxes/{code}", "DELETE /taxes/{code}", Kind.REFRESH_DRAFT)
    async def test_follow_taxes(self, lives):
        await lives.live(*DRAFT)
        another = {"name": "u", "code": "u", "rate": "5", "applied_to_organization": True}
        await lives.cut(
            put("/taxes/t", {"tax": {"rate": "10"}}), advance("2026-02-01T02:00"), post("/taxes", {"tax": another}), delete("/taxes/t"),
        )  # fmt: skip

    @pytest.mark.cuts(
        "POST /plans", "PUT /plans/{code}", "POST /plans/{code}/charges/{charge_code}/filters",
        "PUT /plans/{code}/charges/{charge_code}/filters/{lago_id}", "DELETE /plans/{code}/charges/{charge_code}/filters/{lago_id}",
        "PUT /billable_metrics/{code}", "PUT /plans/{code}/charges/{charge_code}", "POST /plans/{code}/charges",
        "DELETE /plans/{code}/charges/{charge_code}", "DELETE /billable_metrics/{code}",
    )  # fmt: skip
    async def test_follow_prices(self, lives):
        """Of their plan, and of one that a subscription has of its own."""
        await lives.live(*DRAFT, subscribe("p", "own", plan_overrides={"name": "own"}))
        more = {**charge("7"), "code": "more"}
        only = {"properties": {"amount": "3"}, "values": {"region": ["eu"]}, "cascade_updates": True}
        filters = "/plans/p/charges/m/filters"
        await lives.cut(
            plan("q", charge()),
            put(
                "/billable_metrics/m",
                {"billable_metric": {"filters": [{"key": "region", "values": ["eu", "us"]}]}},
            ),
            post(filters, {"filter": only}, keep="filter"),
            put(f"{filters}/{{filter}}", {"filter": {**only, "properties": {"amount": "4"}}}),
            delete(f"{filters}/{{filter}}"),
            put("/plans/p", {"plan": {"amount_cents": 4200, "cascade_updates": True}}),
            put("/plans/p/charges/m", {"charge": {"properties": {"amount": "5"}, "cascade_updates": True}}),
            post("/plans/p/charges", {"charge": {**more, "cascade_updates": True}}),
            delete("/plans/p/charges/more", cascade_updates="true"),
        )
        await lives.live(advance("2026-02-01T02:00"))
        await lives.cut(delete("/billable_metrics/m"))

    @pytest.mark.cuts("POST /customers", "PUT /billing_entities/{code}", Kind.FINALIZE_INVOICE)
    async def test_follow_days_of_grace(self, lives):
        await lives.live(*DRAFT)
        await lives.cut(
            put(
                "/billing_entities/acme",
                {"billing_entity": {"net_payment_term": 10, "document_numbering": "per_billing_entity"}},
            ),
            customer(billing_configuration={"invoice_grace_period": 0}),
        )


class TestTaxesOfTheUnion:
    @pytest.mark.cuts("POST /customers", "POST /invoices", Kind.CHECK_VAT, Kind.FINALIZE_INVOICE)
    async def test_an_invoice_waits_for_them(self, lives, monkeypatch):
        """The number is looked up between two transactions, and the invoice issued when the answer is there."""

        async def look_up(_self, number):
            return {"valid": True, "countryCode": number.prefix}

        async def nobody_answers(_self, _number):
            raise RegisterUnavailable("TIMEOUT")

        monkeypatch.setattr(ViesRegister, "look_up", look_up)
        entity = {"country": "FR", "eu_tax_management": True}
        await lives.live(shop, put("/billing_entities/acme", {"billing_entity": entity}))
        await lives.cut(customer(country="DE", tax_identification_number="DE129273398"))
        monkeypatch.setattr(ViesRegister, "look_up", nobody_answers)
        await lives.live(customer(country="DE", tax_identification_number="DE111111111"))
        await lives.cut(sell())
        monkeypatch.setattr(ViesRegister, "look_up", look_up)
        await lives.cut(advance("2026-01-01T01:00"))
