"""Power cuts at every write of wallets: bought, granted, spent, given back, filled by rules, watched, ended."""

from __future__ import annotations

import pytest
from tests.faults.words import (
    advance,
    charge,
    delete,
    fee_of,
    find,
    newest,
    note,
    pay,
    plan,
    post,
    put,
    shop,
    subscribe,
    transact,
    use,
    wallet,
)

from tallymark.jobs.agenda import Kind


def rule(**more):
    return {"recurring_transaction_rules": [more]}


class TestCredits:
    @pytest.mark.cuts(
        "POST /wallets", "POST /payments", "POST /wallet_transactions", "POST /credit_notes", "PUT /wallets/{lago_id}",
        "DELETE /wallets/{lago_id}", Kind.INVOICE_CREDITS,
    )  # fmt: skip
    async def test_bought_granted_taken_and_refunded(self, lives):
        await lives.live(shop)
        await lives.cut(wallet(paid_credits="10", granted_credits="3"))
        await lives.live(find("sold", "/invoices", *newest), fee_of("sold"))
        await lives.cut(
            pay(1000),
            transact(granted_credits="2", paid_credits="4"),
            transact(voided_credits="4"),
            note(cents=300, refund_amount_cents=300),
            put("/wallets/{w}", {"wallet": {"name": "W", "priority": 2}}),
            delete("/wallets/{w}"),
        )

    @pytest.mark.cuts(
        "PUT /invoices/{lago_id}", "POST /credit_notes", "POST /payments", "POST /invoices/{lago_id}/void"
    )
    async def test_of_purchases_that_fail_are_offset_or_void(self, lives):
        """The one that has to be paid first is issued when it is."""
        await lives.live(shop, wallet(), transact(paid_credits="10"), find("sold", "/invoices", *newest))
        await lives.cut(put("/invoices/{sold}", {"invoice": {"payment_status": "failed"}}), pay(1000))
        await lives.live(transact(paid_credits="20"), find("owed", "/invoices", *newest), fee_of("owed"))
        await lives.cut(note("owed", cents=2000, offset_amount_cents=2000))
        await lives.live(transact(paid_credits="30"), find("other", "/invoices", *newest))
        await lives.cut(post("/invoices/{other}/void", {}))
        await lives.cut(transact(paid_credits="5", invoice_requires_successful_payment=True, keep="first"))
        await lives.live(
            find("open", "/wallet_transactions/{first}", "wallet_transaction", "lago_invoice_id")
        )
        await lives.cut(pay(500, "open"))

    @pytest.mark.cuts(Kind.BILL_PERIOD, "POST /invoices/{lago_id}/void")
    async def test_that_pay_an_invoice_and_come_back(self, lives):
        await lives.live(
            shop, wallet(granted_credits="30"), wallet(code="v", granted_credits="50", priority=10),
            plan("p", amount_cents=6200), subscribe("p"), advance("2026-01-31T23:00"),
        )  # fmt: skip
        await lives.cut(advance("2026-02-01T01:00"))
        await lives.live(find("sold", "/invoices", *newest))
        await lives.cut(post("/invoices/{sold}/void", {}))


class TestRules:
    @pytest.mark.cuts(Kind.TOP_UP_WALLET, Kind.INVOICE_CREDITS, Kind.EXPIRE_RULE, Kind.EXPIRE_WALLET)
    async def test_of_intervals_and_ends_by_the_clock(self, lives):
        weekly = rule(
            trigger="interval",
            interval="weekly",
            paid_credits="5",
            granted_credits="1",
            expiration_at="2026-01-20T00:00:00Z",
        )
        await lives.live(shop, wallet(expiration_at="2026-01-25T00:00:00Z", **weekly), advance("2026-01-07"))
        await lives.cut(advance("2026-01-08T01:00"))
        await lives.live(advance("2026-01-19"))
        await lives.cut(advance("2026-01-20T01:00"))
        await lives.live(advance("2026-01-24"))
        await lives.cut(advance("2026-01-25T01:00"))

    @pytest.mark.cuts("POST /events/batch", Kind.FOLLOW_USAGE, Kind.TOP_UP_AT_THRESHOLD, Kind.INVOICE_CREDITS)
    async def test_of_a_threshold_that_usage_passes(self, lives):
        """Ten credits; six units at 2.00 with tax are 14.40: what is left falls below 5, and ten are bought."""
        below = rule(trigger="threshold", threshold_credits="5", paid_credits="10", granted_credits="0")
        await lives.live(shop, plan("p", charge()), subscribe("p"), wallet(granted_credits="10", **below))
        await lives.cut(use(6), advance("2026-01-01T01:00"))


class TestAlerts:
    @pytest.mark.cuts(
        "POST /subscriptions/{external_id}/alerts", "PUT /subscriptions/{external_id}/alerts/{code}",
        "DELETE /subscriptions/{external_id}/alerts/{code}", "DELETE /subscriptions/{external_id}/alerts", Kind.FOLLOW_USAGE,
    )  # fmt: skip
    async def test_of_usage(self, lives):
        alert = {
            "alert_type": "current_usage_amount",
            "code": "u",
            "thresholds": [{"value": 1000}, {"value": 500, "recurring": True}],
        }
        alerts = "/subscriptions/s/alerts"
        await lives.live(shop, plan("p", charge()), subscribe("p"))
        await lives.cut(
            post(alerts, {"alert": alert}), use(6), advance("2026-01-01T01:00"),
            put(f"{alerts}/u", {"alert": {"thresholds": [{"value": 1100}]}}), delete(f"{alerts}/u"),
        )  # fmt: skip
        await lives.live(post(alerts, {"alert": alert}))
        await lives.cut(delete(alerts))

    @pytest.mark.cuts(
        "POST /customers/{external_id}/wallets", "POST /customers/{external_id}/wallets/{wallet_code}/alerts",
        "PUT /customers/{external_id}/wallets/{wallet_code}/alerts/{code}",
        "DELETE /customers/{external_id}/wallets/{wallet_code}/alerts/{code}",
        "DELETE /customers/{external_id}/wallets/{wallet_code}/alerts", "POST /wallet_transactions",
        "PUT /customers/{external_id}/wallets/{code}", "DELETE /customers/{external_id}/wallets/{code}",
    )  # fmt: skip
    async def test_of_balances(self, lives):
        alert = {"alert_type": "wallet_balance_amount", "code": "b", "thresholds": [{"value": 800}]}
        alerts = "/customers/c/wallets/w/alerts"
        made = {"wallet": {"rate_amount": "1", "currency": "EUR", "code": "w", "granted_credits": "10"}}
        await lives.live(shop)
        await lives.cut(
            post("/customers/c/wallets", made, keep="w"), post(alerts, {"alert": alert}), transact(voided_credits="3"),
            put(f"{alerts}/b", {"alert": {"thresholds": [{"value": 100}]}}), delete(f"{alerts}/b"),
        )  # fmt: skip
        await lives.live(post(alerts, {"alert": alert}))
        await lives.cut(
            delete(alerts),
            put("/customers/c/wallets/w", {"wallet": {"name": "W"}}),
            delete("/customers/c/wallets/w"),
        )
