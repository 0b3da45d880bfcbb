"""Power cuts at every write of subscriptions: begun, renewed, changed, ended in each way."""

from __future__ import annotations

import pytest
from tests.faults.words import (
    advance,
    charge,
    coupon,
    customer,
    delete,
    find,
    give,
    newest,
    pay,
    plan,
    post,
    put,
    shop,
    subscribe,
    use,
)

from tallymark.jobs.agenda import Kind

IN_ADVANCE = {"pay_in_advance": True}
SEATS = {
    "add_on_code": "a", "code": "seats", "charge_model": "standard", "properties": {"amount": "10"}, "units": "2",
    "pay_in_advance": True, "prorated": False,
}  # fmt: skip


def fixed(**more):
    return {"fixed_charges": [{**SEATS, "add_on_id": "{seat}"} | more]}


class TestLives:
    @pytest.mark.cuts(
        "POST /subscriptions", "POST /events/batch", "POST /test_clock/advance", "DELETE /subscriptions/{external_id}", Kind.BILL_START, Kind.BILL_PERIOD,
        Kind.STORE_DAILY_USAGE, Kind.BILL_CHANGE, Kind.BILL_TERMINATION,
    )  # fmt: skip
    async def test_begun_renewed_upgraded_and_ended(self, lives):
        """A coupon is used, unused time is given back by notes that the next invoice uses."""
        commitment = {"minimum_commitment": {"amount_cents": 5000}}
        await lives.live(
            shop, plan("first", charge(), amount_cents=3100, **IN_ADVANCE, **commitment),
            plan("second", amount_cents=6200, **IN_ADVANCE), coupon(), give(),
        )  # fmt: skip
        await lives.cut(subscribe("first"), use(3, 4), advance("2026-01-02T01:00"))
        await lives.live(advance("2026-01-31T23:00"))
        await lives.cut(advance("2026-02-01T01:00"), subscribe("second"))
        await lives.live(advance("2026-02-10"))
        await lives.cut(delete("/subscriptions/s"))

    @pytest.mark.cuts("DELETE /subscriptions/{external_id}", Kind.BILL_TERMINATION)
    async def test_ended_with_a_refund_an_offset_or_nothing(self, lives):
        await lives.live(
            shop, plan("p", charge(), amount_cents=3100, **IN_ADVANCE),
            subscribe("p", "paid"), find("sold", "/invoices", *newest), pay(3720), subscribe("p", "owed"), subscribe("p", "left"),
            use(3, of="owed"),
        )  # fmt: skip
        await lives.cut(
            delete("/subscriptions/paid", on_termination_credit_note="refund"),
            delete("/subscriptions/owed", on_termination_credit_note="offset"),
            delete("/subscriptions/left", on_termination_credit_note="skip", on_termination_invoice="skip"),
        )

    @pytest.mark.cuts(
        "PUT /subscriptions/{external_id}", "DELETE /subscriptions/{external_id}", Kind.ACTIVATE_SUBSCRIPTION,
        Kind.ALERT_TERMINATION, Kind.TERMINATE_SUBSCRIPTION, Kind.SWITCH_PLAN, Kind.BILL_CHANGE,
    )  # fmt: skip
    async def test_that_wait_begin_switch_and_end_by_the_clock(self, lives):
        await lives.live(
            shop,
            plan("high", amount_cents=6200, **IN_ADVANCE),
            plan("low", charge(), amount_cents=3100, **IN_ADVANCE),
        )
        await lives.cut(
            subscribe("high", subscription_at="2026-01-05T00:00:00Z"), advance("2026-01-05T01:00"),
            subscribe("low"), delete("/subscriptions/s", status="pending"),
        )  # fmt: skip
        await lives.live(subscribe("low"), advance("2026-01-31T23:00"))
        await lives.cut(
            advance("2026-02-01T01:00"),
            put("/subscriptions/s", {"subscription": {"ending_at": "2026-04-10T00:00:00Z"}}),
        )
        await lives.live(advance("2026-03-25T12:00"))
        await lives.cut(advance("2026-03-26T01:00"))
        await lives.live(advance("2026-04-09T23:00"))
        await lives.cut(advance("2026-04-10T01:00"))

    @pytest.mark.cuts(Kind.END_TRIAL)
    async def test_whose_trial_ends(self, lives):
        await lives.live(
            shop,
            plan("p", amount_cents=3100, trial_period=10, **IN_ADVANCE),
            subscribe("p"),
            advance("2026-01-10"),
        )
        await lives.cut(advance("2026-01-11T01:00"))


class TestPrices:
    @pytest.mark.cuts(
        "PUT /plans/{code}/fixed_charges/{fixed_charge_code}", "POST /plans/{code}/fixed_charges",
        "DELETE /plans/{code}/fixed_charges/{fixed_charge_code}", "PUT /subscriptions/{external_id}/fixed_charges/{code}",
        Kind.BILL_FIXED_START, Kind.FIXED_UNITS,
    )  # fmt: skip
    async def test_units_of_fixed_charges(self, lives):
        """Two seats at the start; four of the plan at once; five of one's own."""
        await lives.live(shop, find("seat", "/add_ons/a", "add_on"), plan("p", **fixed()))
        now = {"apply_units_immediately": True}
        await lives.cut(
            subscribe("p"),
            put("/plans/p/fixed_charges/seats", {"fixed_charge": {"units": "4", **now}}),
            put("/subscriptions/s/fixed_charges/seats", {"fixed_charge": {"units": "5", **now}}),
            post(
                "/plans/p/fixed_charges",
                {"fixed_charge": {**SEATS, "add_on_id": "{seat}", "code": "more", **now}},
            ),
            delete("/plans/p/fixed_charges/more"),
        )

    @pytest.mark.cuts(
        "PUT /subscriptions/{external_id}/charges/{code}", "POST /subscriptions/{external_id}/charges/{code}/filters",
        "PUT /subscriptions/{external_id}/charges/{code}/filters/{lago_id}",
        "DELETE /subscriptions/{external_id}/charges/{code}/filters/{lago_id}", "PUT /subscriptions/{external_id}",
        "PUT /subscriptions/{external_id}/lifetime_usage",
    )  # fmt: skip
    async def test_of_ones_own(self, lives):
        await lives.live(
            shop, put("/billable_metrics/m", {"billable_metric": {"filters": [{"key": "region", "values": ["eu", "us"]}]}}),
            plan("p", charge()), subscribe("p"),
        )  # fmt: skip
        only = {"properties": {"amount": "3"}, "values": {"region": ["eu"]}}
        filters = "/subscriptions/s/charges/m/filters"
        await lives.cut(
            put("/subscriptions/s/charges/m", {"charge": {"properties": {"amount": "5"}}}),
            post(filters, {"filter": only}, keep="filter"),
            put(f"{filters}/{{filter}}", {"filter": {**only, "properties": {"amount": "4"}}}),
            delete(f"{filters}/{{filter}}"),
            put("/subscriptions/s", {"subscription": {"plan_overrides": {"amount_cents": 900}}}),
            put(
                "/subscriptions/s/lifetime_usage",
                {"lifetime_usage": {"external_historical_usage_amount_cents": 7}},
            ),
        )


class TestTogether:
    @pytest.mark.cuts(
        "PUT /plans/{code}", "DELETE /plans/{code}", Kind.CANCEL_DOWNGRADE, Kind.END_WITH_PLAN, Kind.BILL_TERMINATION, Kind.DELETE_PLAN,
    )  # fmt: skip
    async def test_a_plan_that_gets_cheaper_or_is_deleted(self, lives):
        await lives.live(
            shop, plan("high", amount_cents=6200, **IN_ADVANCE), plan("low", charge(), amount_cents=3100, **IN_ADVANCE),
            subscribe("high"), subscribe("low"), subscribe("low", "other"), use(3, of="other"),
        )  # fmt: skip
        await lives.cut(put("/plans/high", {"plan": {"amount_cents": 2000}}))
        await lives.live(put("/plans/high", {"plan": {"amount_cents": 9000}}), subscribe("low"))
        await lives.cut(delete("/plans/low"))

    @pytest.mark.cuts("DELETE /customers/{external_id}", Kind.TERMINATE_SUBSCRIPTION, Kind.BILL_TERMINATION)
    async def test_a_customer_who_is_deleted(self, lives):
        """With a draft, credits, a coupon and subscriptions."""
        wallet = {
            "wallet": {
                "external_customer_id": "c",
                "rate_amount": "1",
                "currency": "EUR",
                "granted_credits": "5",
            }
        }
        await lives.live(
            shop, customer(billing_configuration={"invoice_grace_period": 3}), plan("p", charge(), amount_cents=3100), coupon(),
            give(), post("/wallets", wallet), subscribe("p"), subscribe("p", "other"), use(3), advance("2026-02-01T01:00"),
        )  # fmt: skip
        await lives.cut(delete("/customers/c"))

    @pytest.mark.cuts("POST /customers", Kind.RESCHEDULE)
    async def test_a_customer_who_moves_to_another_zone(self, lives):
        await lives.live(shop, plan("p", amount_cents=3100), subscribe("p"))
        await lives.cut(customer(timezone="America/New_York"))
