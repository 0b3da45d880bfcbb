"""Power cuts at every write of what usage makes happen: charges in advance, thresholds, corrections, backfills."""

from __future__ import annotations

import pytest
from tests import kit
from tests.faults.words import (
    advance,
    charge,
    coupon,
    delete,
    find,
    give,
    plan,
    post,
    put,
    shop,
    subscribe,
    use,
)

from tallymark.jobs.agenda import Kind
from tallymark.jobs.queue import BUILD_ROLLUPS


class TestInAdvance:
    @pytest.mark.cuts(
        "POST /events/batch",
        "PUT /fees/{lago_id}",
        "DELETE /fees/{lago_id}",
        Kind.BILL_PERIOD,
        Kind.STORE_LAST_DAY,
    )
    async def test_events_are_invoiced_or_paid_and_regrouped(self, lives):
        paid_first = charge("3", pay_in_advance=True, invoiceable=False, regroup_paid_fees="invoice")
        await lives.live(
            shop, coupon(100), give(), plan("bill", charge(pay_in_advance=True)), plan("fee", paid_first),
            subscribe("bill"), subscribe("fee", "r"),
        )  # fmt: skip
        await lives.cut(use(5), use(5, 7, of="r"))
        fees = {"external_subscription_id": "r"}
        await lives.live(find("one", "/fees", "fees", 0, **fees), find("two", "/fees", "fees", 1, **fees))
        await lives.cut(
            put("/fees/{one}", {"fee": {"payment_status": "succeeded"}}), delete("/fees/{two}"),
        )  # fmt: skip
        await lives.live(advance("2026-01-31T23:00"))
        await lives.cut(advance("2026-02-01T01:00"))


class TestThresholds:
    @pytest.mark.cuts(Kind.CHECK_THRESHOLDS, Kind.BILL_PERIOD)
    async def test_are_invoiced_credited_and_over_billed_with_a_note(self, lives):
        """50.00 and 100.00 are passed; in the end 20 units of the 110 that were billed are gone again."""
        marks = [{"amount_cents": 5000}, {"amount_cents": 10000}]
        await lives.live(
            shop, plan("p", charge("1"), amount_cents=3000, usage_thresholds=marks), subscribe("p")
        )
        await lives.cut(use(52), use(58))
        await lives.live(use(-20), advance("2026-01-31T23:00"))
        await lives.cut(advance("2026-02-01T01:00"))


class TestCorrections:
    @pytest.mark.cuts("POST /events/{transaction_id}/amend", "POST /events/{transaction_id}/void")
    async def test_amended_and_void(self, lives):
        await lives.live(shop, plan("p", charge()), subscribe("p"))
        sent = {
            "transaction_id": "t",
            "external_subscription_id": "s",
            "code": "m",
            "properties": {"value": 3},
        }
        await lives.live(post("/events", {"event": sent}))
        why = {"external_subscription_id": "s", "reason": "r"}
        await lives.cut(
            post("/events/t/amend", {"event": {**why, "properties": {"value": 9}}}), post("/events/t/void", {"event": why}),
        )  # fmt: skip

    @pytest.mark.parametrize("value", [9, 1])
    @pytest.mark.cuts("POST /events/{transaction_id}/amend")
    async def test_amended_when_they_are_billed(self, lives, value):
        """4 is 9, for which an invoice is due, and less lacks of a commitment; or 1, for which a note is, and more lacks."""
        now = {"metering": {"event_correction_policy": "document_now"}}
        sent = {
            "transaction_id": "t", "external_subscription_id": "s", "code": "m", "properties": {"value": 4},
        }  # fmt: skip
        await lives.live(
            shop, plan("p", charge(), amount_cents=3100, minimum_commitment={"amount_cents": 5000}), subscribe("p"),
            post("/events", {"event": sent}), advance("2026-02-02"), put("/organizations", {"organization": now}),
        )  # fmt: skip
        other = {"external_subscription_id": "s", "reason": "r", "properties": {"value": value}}
        await lives.cut(post("/events/t/amend", {"event": other}))

    @pytest.mark.cuts("POST /events/{transaction_id}/amend", Kind.BILL_PERIOD)
    async def test_amended_for_the_next_invoice(self, lives):
        """4 is 90, and the renewal bills the difference."""
        later = {"metering": {"event_correction_policy": "next_invoice"}}
        sent = {
            "transaction_id": "t", "external_subscription_id": "s", "code": "m", "properties": {"value": 4},
        }  # fmt: skip
        await lives.live(
            shop, plan("p", charge(), amount_cents=3100), subscribe("p"), post("/events", {"event": sent}),
            advance("2026-02-02"), put("/organizations", {"organization": later}),
        )  # fmt: skip
        other = {"external_subscription_id": "s", "reason": "r", "properties": {"value": 90}}
        await lives.cut(post("/events/t/amend", {"event": other}))
        await lives.live(advance("2026-02-28T23:00"))
        await lives.cut(advance("2026-03-01T01:00"))

    @pytest.mark.cuts("DELETE /subscriptions/{external_id}", Kind.BILL_TERMINATION)
    async def test_amended_before_an_end_without_an_invoice(self, lives):
        """4 is 90: what waits for the next invoice is billed as there is none."""
        later = {"metering": {"event_correction_policy": "next_invoice"}}
        sent = {
            "transaction_id": "t", "external_subscription_id": "s", "code": "m", "properties": {"value": 4},
        }  # fmt: skip
        other = {"external_subscription_id": "s", "reason": "r", "properties": {"value": 90}}
        await lives.live(
            shop, plan("p", charge()), subscribe("p"), post("/events", {"event": sent}), advance("2026-02-02"),
            put("/organizations", {"organization": later}), post("/events/t/amend", {"event": other}),
        )  # fmt: skip
        await lives.cut(delete("/subscriptions/s", on_termination_invoice="skip"))

    @pytest.mark.cuts("POST /events/{transaction_id}/amend")
    async def test_amended_when_they_are_billed_progressively(self, lives):
        """Of 40.00 and 20.00 the last invoice billed a third: both give back."""
        now = {"metering": {"event_correction_policy": "document_now"}}
        sent = {
            "transaction_id": "t", "external_subscription_id": "s", "code": "m", "properties": {"value": 20},
        }  # fmt: skip
        other = {"external_subscription_id": "s", "reason": "r", "properties": {"value": 1}}
        await lives.live(
            shop, plan("p", charge(), usage_thresholds=[{"amount_cents": 3000}]), subscribe("p"),
            post("/events", {"event": sent}), advance("2026-01-15"), use(10), advance("2026-02-02"),
            put("/organizations", {"organization": now}),
        )  # fmt: skip
        await lives.cut(post("/events/t/amend", {"event": other}))

    @pytest.mark.cuts("POST /events/{transaction_id}/amend")
    async def test_amended_when_their_fees_are_on_no_invoice(self, lives):
        """4 is 1: a fee below zero."""
        now = {"metering": {"event_correction_policy": "document_now"}}
        sent = {
            "transaction_id": "t", "external_subscription_id": "s", "code": "m", "properties": {"value": 4},
        }  # fmt: skip
        other = {"external_subscription_id": "s", "reason": "r", "properties": {"value": 1}}
        await lives.live(
            shop, plan("p", charge(pay_in_advance=True, invoiceable=False)), subscribe("p"),
            post("/events", {"event": sent}), put("/organizations", {"organization": now}),
        )  # fmt: skip
        await lives.cut(post("/events/t/amend", {"event": other}))

    @pytest.mark.cuts("POST /event_backfills/{lago_id}/close", "POST /event_backfills/{lago_id}/revert")
    async def test_backfills_of_what_was_billed_in_advance_and_renewed(self, lives):
        """5 seats of January, which February has as well, are 2 and, priced by itself, one more."""
        now = {"metering": {"event_correction_policy": "document_now"}}
        seats = {
            "name": "seats",
            "code": "seats",
            "aggregation_type": "sum_agg",
            "field_name": "value",
            "recurring": True,
        }
        sent = {
            "transaction_id": "t", "external_subscription_id": "s", "code": "seats", "properties": {"value": 5},
        }  # fmt: skip
        asked = {
            "external_subscription_id": "s", "code": "seats", "from": "2026-01-01T00:00:00Z", "to": "2026-01-31", "reason": "r",
        }  # fmt: skip
        events = [
            {"transaction_id": name, "properties": {"value": value}, "timestamp": kit.epoch("2026-01-15")}
            for name, value in (("t", 2), ("new", 1))
        ]
        await lives.live(
            shop, post("/billable_metrics", {"billable_metric": seats}, keep="m"),
            plan("p", charge(pay_in_advance=True)), subscribe("p"), post("/events", {"event": sent}), advance("2026-02-02"),
            put("/organizations", {"organization": now}), post("/event_backfills", {"event_backfill": asked}, keep="b"),
            post("/event_backfills/{b}/events", {"events": events}),
        )  # fmt: skip
        await lives.cut(post("/event_backfills/{b}/close"), post("/event_backfills/{b}/revert"))

    @pytest.mark.cuts(
        "POST /event_backfills", "POST /event_backfills/{lago_id}/events", "POST /event_backfills/{lago_id}/close",
        "POST /event_backfills/{lago_id}/revert", "DELETE /event_backfills/{lago_id}",
    )  # fmt: skip
    async def test_backfills_closed_reverted_and_dropped(self, lives):
        await lives.live(shop, plan("p", charge()), subscribe("p"), use(3, 4))
        asked = {
            "external_subscription_id": "s",
            "code": "m",
            "from": "2026-01-01T00:00:00Z",
            "to": "2026-02-01",
            "reason": "r",
        }
        event = {"transaction_id": "new", "properties": {"value": 9}, "timestamp": kit.epoch("2026-01-15")}
        begin, fill = (
            post("/event_backfills", {"event_backfill": asked}, keep="b"),
            post("/event_backfills/{b}/events", {"events": [event]}),
        )
        await lives.cut(begin, fill, post("/event_backfills/{b}/close"), post("/event_backfills/{b}/revert"))
        await lives.live(begin, fill)
        await lives.cut(delete("/event_backfills/{b}"))

    @pytest.mark.cuts("PUT /organizations", "POST /events/batch")
    async def test_late_events_are_judged(self, lives):
        late = {"late_event_window_days": 5, "late_event_policy": "open_period"}
        await lives.live(shop, plan("p", charge()), subscribe("p"), advance("2026-01-20"))
        await lives.cut(
            put("/organizations", {"organization": {"metering": late}}), use(5, timestamp=kit.epoch("2026-01-12")),
        )  # fmt: skip

    @pytest.mark.cuts("POST /billable_metrics", Kind.LOOK_AT_EVENTS, Kind.TELL_EVENT_ERRORS)
    async def test_events_that_came_before_their_metric(self, lives):
        sent = {
            "transaction_id": "t",
            "external_subscription_id": "s",
            "code": "later",
            "properties": {"value": 3},
        }
        later = {"name": "later", "code": "later", "aggregation_type": "sum_agg", "field_name": "value"}
        await lives.live(
            shop,
            plan("p", charge()),
            subscribe("p"),
            post("/events", {"event": sent}),
            advance("2026-01-01T01:00"),
        )
        await lives.cut(advance("2026-01-01T02:00"), post("/billable_metrics", {"billable_metric": later}))

    @pytest.mark.cuts(BUILD_ROLLUPS, is_live=True)
    async def test_usage_that_is_added_up_in_advance(self, lives):
        async def build(world):
            world.called.add(BUILD_ROLLUPS)
            await kit.want_rollups(world.database, world.organization_id)
            await world.tasks.build_rollups()

        await lives.live(shop, plan("p", charge()), subscribe("p"), use(3, 4))
        await lives.cut(build)
