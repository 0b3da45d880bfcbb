"""Events that came too late count nowhere, or in the period that is open, as their organization wants (beyond.md §3)."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from tests import kit

from tallymark.metering import aggregation, rollups
from tallymark.rooms.billing.event_run import judge_all_late_events

JANUARY = {"timestamp": kit.epoch("2026-01-20")}


async def settings(client, *, expect=200, **metering):
    return await kit.call(
        client, "PUT", "/organizations", {"organization": {"metering": metering}}, expect=expect
    )


async def send(client, name, value, *, code="calls", subscription="sub", **more):
    event = {"transaction_id": name, "external_subscription_id": subscription, "code": code}
    await kit.post(client, "/events", {"event": {**event, "properties": {"value": value}, **more}})


async def correct(client, name, how="amend", *, expect=200, **changes):
    body = {"event": {"external_subscription_id": "sub", "reason": "a late meter", **changes}}
    return await kit.call(client, "POST", f"/events/{name}/{how}", body, expect=expect)


async def units(client, who, subscription):
    (charge,) = (await kit.usage(client, who, subscription))["charges_usage"]
    return charge["units"], charge["events_count"], charge["amount_cents"]


async def reasons(client):
    found = (await kit.get(client, "/events", unmatched="true"))["events"]
    return {event["transaction_id"]: event["unmatched_reason"] for event in found}


@pytest.fixture
async def world(make_organization):
    """One customer who pays 2 for each unit from 1 January on; it is 10 February, and January is invoiced."""
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    calls = await kit.metric(client, code="calls")
    who = await kit.customer(client, external_id="acme", currency="EUR")
    subscription = await kit.subscribe(
        client, who, await kit.plan(client, kit.charge(calls, amount="2")), external_id="sub"
    )
    await send(client, "in time", 5)
    await kit.advance(client, "2026-02-10T00:00")
    return organization, who, subscription


class TestSettings:
    async def test_are_none_at_first_and_what_is_not_sent_stays(self, make_organization):
        client = (await make_organization("2026-01-01T00:00:00Z")).client
        first = (await kit.get(client, "/organizations"))["organization"]["metering"]
        assert (first["late_event_window_days"], first["late_event_policy"]) == (None, "reject")
        await settings(client, late_event_window_days=30)
        changed = (await settings(client, late_event_policy="open_period"))["organization"]["metering"]
        assert (changed["late_event_window_days"], changed["late_event_policy"]) == (30, "open_period")
        await settings(client, late_event_window_days=None)
        found = (await kit.get(client, "/organizations"))["organization"]["metering"]
        assert (found["late_event_window_days"], found["late_event_policy"]) == (None, "open_period")

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({"late_event_window_days": 0}, "late_event_window_days"),
            ({"late_event_window_days": "soon"}, "late_event_window_days"),
            ({"late_event_policy": "forgive"}, "late_event_policy"),
            ({"late_event_policy": None}, "late_event_policy"),
        ],
    )
    async def test_that_make_no_sense_are_refused(self, make_organization, sent, field):
        client = (await make_organization("2026-01-01T00:00:00Z")).client
        found = await settings(client, expect=422, **sent)
        assert list(found["error_details"]) == [field]


class TestRejected:
    async def test_an_event_of_a_period_that_is_invoiced_counts_nowhere(self, world):
        organization, who, subscription = world
        await send(organization.client, "late", 7, **JANUARY)
        assert await units(organization.client, who, subscription) == ("0.0", 0, 0)
        assert await reasons(organization.client) == {"late": "too_late"}

    async def test_what_is_older_than_the_window_counts_nowhere_though_its_period_is_open(
        self, world, database
    ):
        """On 10 February with a window of 5 days, 4 February is too old and 5 February, to the instant, is not."""
        organization, who, subscription = world
        client = organization.client
        await settings(client, late_event_window_days=5)
        await send(client, "old", 7, timestamp=kit.epoch("2026-02-04"))
        await send(client, "young", 3, timestamp=kit.epoch("2026-02-05T00:01"))
        assert await units(client, who, subscription) == ("3.0", 1, 600)
        assert await reasons(client) == {"old": "too_late"}
        summary = (await kit.get(client, "/events/unmatched_summary"))["unmatched_summary"]
        assert [(line["unmatched_reason"], line["events_count"]) for line in summary] == [("too_late", 1)]
        shown = (await kit.get(client, "/events/old"))["event"]
        assert shown["timestamp"] == "2026-02-04T00:00:00.000Z"
        assert "billed_in" not in shown
        listed = (await kit.get(client, "/events", timestamp_from="2026-02-01"))["events"]
        assert [event["transaction_id"] for event in listed] == ["young", "old"]
        await kit.advance(client, "2026-03-01T12:00")
        (_, february) = await kit.invoices(client, who)
        assert february["fees_amount_cents"] == 600
        await kit.assert_audit_clean(database, organization.id)

    async def test_without_metric_or_subscription_that_is_the_reason(self, world):
        client = world[0].client
        await settings(client, late_event_window_days=5)
        await send(client, "no metric", 7, code="nothing", **JANUARY)
        await send(client, "no subscription", 7, subscription="nobody", **JANUARY)
        await send(client, "before", 7, timestamp=kit.epoch("2025-12-01"))
        assert await reasons(client) == {
            "no metric": "unknown_metric",
            "no subscription": "unknown_subscription",
            "before": "outside_subscription",
        }

    async def test_it_is_looked_at_again_and_told_to_be_odd_as_any_other(self, world, database):
        client = world[0].client
        await settings(client, late_event_window_days=5)
        await send(client, "old", 7, **JANUARY)
        await send(client, "odd", "x", **JANUARY)
        replayed = await kit.post(client, "/events/replay", {"replay": {"code": "calls"}})
        assert replayed["replay"] == {"examined": 3, "matched": 1}
        await kit.advance(client, "2026-02-10T01:10")
        async with database.system() as connection:
            payloads = (
                await connection.execute(
                    text(
                        "SELECT payload FROM outbox WHERE organization_id = :id AND webhook_type = 'events.errors'"
                    ),
                    {"id": world[0].id},
                )
            ).scalars()
            assert [payload["missing_aggregation_property"] for payload in payloads] == [["odd"]]

    async def test_a_new_metric_that_carries_over_has_it_after_all(self, world):
        organization, who, _ = world
        client = organization.client
        await settings(client, late_event_window_days=5)
        await send(client, "early", 7, code="seats", timestamp=kit.epoch("2026-02-01"))
        assert await reasons(client) == {"early": "unknown_metric"}
        seats = await kit.metric(client, code="seats", recurring=True)
        plan = await kit.plan(client, kit.charge(seats), amount_cents=100)
        later = await kit.subscribe(client, who, plan, external_id="sub")
        assert (await units(client, who, later))[0] == "7.0"

    async def test_a_correction_moves_it_into_the_window_and_voiding_leaves_nothing(self, world, database):
        organization, who, subscription = world
        client = organization.client
        await settings(client, late_event_window_days=5)
        await send(client, "old", 7, timestamp=kit.epoch("2026-02-04"))
        await correct(client, "old", properties={"value": 8})
        assert (await units(client, who, subscription))[0] == "0.0"
        assert await reasons(client) == {"old": "too_late"}
        await correct(client, "old", timestamp=kit.epoch("2026-02-09"))
        assert await units(client, who, subscription) == ("8.0", 1, 1600)
        await correct(client, "old", timestamp=kit.epoch("2026-02-04"))
        await correct(client, "old", "void")
        assert await reasons(client) == {}
        await kit.get(client, "/events/old", expect=404)
        await correct(client, "old")
        assert await reasons(client) == {"old": "too_late"}
        await kit.assert_audit_clean(database, organization.id)

    async def test_what_is_priced_at_once_gets_no_price(self, make_organization):
        organization = await make_organization("2026-01-10T00:00:00Z")
        client = organization.client
        at_once = {**kit.charge(await kit.metric(client, code="calls"), amount="2"), "pay_in_advance": True}
        who = await kit.customer(client, currency="EUR")
        await kit.subscribe(
            client, who, await kit.plan(client, at_once), external_id="sub", subscription_at="2026-01-01"
        )
        await settings(client, late_event_window_days=5)
        await send(client, "old", 7, timestamp=kit.epoch("2026-01-02"))
        await send(client, "young", 3)
        assert [
            fee["amount_cents"] for fee in (await kit.get(client, "/fees", fee_type="charge"))["fees"]
        ] == [600]
        assert await reasons(client) == {"old": "too_late"}


class TestInTheOpenPeriod:
    @pytest.fixture(autouse=True)
    async def policy(self, world):
        await settings(world[0].client, late_event_policy="open_period")

    async def test_it_counts_keeps_its_time_and_is_marked(self, world, database):
        organization, who, subscription = world
        client = organization.client
        await send(client, "late", 7, **JANUARY)
        await send(client, "now", 3)
        assert await units(client, who, subscription) == ("10.0", 2, 2000)
        assert await reasons(client) == {}
        shown = (await kit.get(client, "/events/late"))["event"]
        assert shown["timestamp"] == "2026-01-20T00:00:00.000Z"
        assert shown["billed_in"] == {
            "lago_subscription_id": subscription["lago_id"],
            "from_datetime": "2026-02-01T00:00:00Z",
        }
        by_time = await kit.get(client, "/events", timestamp_from="2026-01-15", timestamp_to="2026-01-31")
        assert [event["transaction_id"] for event in by_time["events"]] == ["late"]
        listed = (await kit.get(client, "/events"))["events"]
        assert [event["transaction_id"] for event in listed] == ["now", "late", "in time"]
        assert ["billed_in" in event for event in listed] == [False, True, False]
        await kit.advance(client, "2026-03-01T12:00")
        january, february = await kit.invoices(client, who)
        assert (january["fees_amount_cents"], february["fees_amount_cents"]) == (1000, 2000)
        await correct(client, "late", "void", expect=405)
        await kit.assert_audit_clean(database, organization.id)

    async def test_while_its_period_is_a_draft_it_counts_there(self, world):
        client = world[0].client
        who = await kit.customer(client, currency="EUR", billing_configuration={"invoice_grace_period": 20})
        plan = await kit.plan(
            client, kit.charge((await kit.get(client, "/billable_metrics/calls"))["billable_metric"])
        )
        await kit.subscribe(client, who, plan, external_id="draft", subscription_at="2026-02-01")
        await kit.advance(client, "2026-03-05T00:00")
        await send(client, "draft", 4, subscription="draft", timestamp=kit.epoch("2026-02-20"))
        (draft,) = await kit.invoices(client, who)
        await kit.call(client, "PUT", f"/invoices/{draft['lago_id']}/refresh")
        (draft,) = await kit.invoices(client, who)
        assert (draft["status"], draft["fees_amount_cents"]) == ("draft", 400)
        assert "billed_in" not in (await kit.get(client, "/events/draft"))["event"]

    async def test_older_than_the_window_it_counts_in_the_running_period_not_in_a_draft(self, world):
        client = world[0].client
        await settings(client, late_event_window_days=5)
        who = await kit.customer(client, currency="EUR", billing_configuration={"invoice_grace_period": 20})
        plan = await kit.plan(
            client, kit.charge((await kit.get(client, "/billable_metrics/calls"))["billable_metric"])
        )
        own = await kit.subscribe(client, who, plan, external_id="draft", subscription_at="2026-02-01")
        await kit.advance(client, "2026-03-05T00:00")
        await send(client, "old", 4, subscription="draft", timestamp=kit.epoch("2026-02-20"))
        await send(client, "old but running", 2, subscription="draft", timestamp=kit.epoch("2026-03-01"))
        assert (await units(client, who, own))[0] == "6.0"
        shown = {
            event["transaction_id"]: event.get("billed_in")
            for event in (await kit.get(client, "/events"))["events"]
        }
        assert shown["old"]["from_datetime"] == "2026-03-01T00:00:00Z"
        assert shown["old but running"] is None

    async def test_a_correction_leaves_it_there_or_moves_it(self, world, database):
        organization, who, subscription = world
        client = organization.client
        await send(client, "late", 7, **JANUARY)
        await correct(client, "late", properties={"value": 2})
        assert (await units(client, who, subscription))[0] == "2.0"
        versions = await kit.get(client, "/events/late/versions", external_subscription_id="sub")
        assert {one["timestamp"] for one in versions["versions"]} == {"2026-01-20T00:00:00.000Z"}
        await correct(client, "late", "void")
        assert (await units(client, who, subscription))[0] == "0.0"
        await correct(client, "late")
        assert (await units(client, who, subscription))[0] == "2.0"
        await correct(client, "late", timestamp=kit.epoch("2026-01-21"), expect=405)
        await correct(client, "late", timestamp=kit.epoch("2026-02-03"))
        assert (await units(client, who, subscription))[0] == "2.0"
        assert "billed_in" not in (await kit.get(client, "/events/late"))["event"]
        await kit.assert_audit_clean(database, organization.id)

    async def test_after_an_upgrade_it_counts_in_the_successors_period(self, world):
        organization, who, subscription = world
        client = organization.client
        metric = (await kit.get(client, "/billable_metrics/calls"))["billable_metric"]
        better = await kit.plan(client, kit.charge(metric, amount="5"), amount_cents=1000)
        later = await kit.subscribe(client, who, better, external_id="sub")
        assert later["lago_id"] != subscription["lago_id"]
        await send(client, "late", 7, **JANUARY)
        assert (await units(client, who, later))[2] == 3500
        assert (await kit.get(client, "/events/late"))["event"]["billed_in"]["lago_subscription_id"] == later[
            "lago_id"
        ]

    async def test_after_its_end_it_counts_on_the_last_bill_while_that_is_a_draft(self, world):
        """January is final, February ended on the 10th and is a draft for 20 days."""
        client, who = world[0].client, world[1]
        grace = {"external_id": "acme", "billing_configuration": {"invoice_grace_period": 20}}
        await kit.post(client, "/customers", {"customer": grace})
        await send(client, "own", 3)
        await kit.call(client, "DELETE", "/subscriptions/sub")
        await send(client, "late", 7, **JANUARY)
        await kit.advance(client, "2026-03-05T00:00")
        assert [invoice["fees_amount_cents"] for invoice in await kit.invoices(client, who)] == [1000, 2000]
        await send(client, "later", 7, **JANUARY)
        assert await reasons(client) == {"later": "too_late"}

    async def test_when_all_is_invoiced_it_is_too_late(self, world):
        organization, _, _ = world
        client = organization.client
        await kit.call(client, "DELETE", "/subscriptions/sub")
        await send(client, "late", 7, **JANUARY)
        assert await reasons(client) == {"late": "too_late"}

    async def test_what_carries_over_needs_no_moving(self, world):
        """A recurring sum has it in every later period anyway, once (metering §5.3)."""
        client = world[0].client
        seats = await kit.metric(client, code="seats", recurring=True)
        who = await kit.customer(client, currency="EUR")
        plan = await kit.plan(client, kit.charge(seats, amount="2"))
        own = await kit.subscribe(client, who, plan, external_id="seats", subscription_at="2026-02-10")
        await kit.advance(client, "2026-03-10T00:00")
        await settings(client, late_event_window_days=5)
        await send(client, "late", 7, code="seats", subscription="seats", timestamp=kit.epoch("2026-02-12"))
        assert (await units(client, who, own))[0] == "7.0"
        assert "billed_in" not in (await kit.get(client, "/events/late"))["event"]
        await settings(client, late_event_policy="reject")
        await send(
            client, "rejected?", 4, code="seats", subscription="seats", timestamp=kit.epoch("2026-02-12")
        )
        assert (await units(client, who, own))[0] == "11.0"
        assert await reasons(client) == {}

    async def test_what_has_a_fee_of_its_own_stays_in_its_period(self, world):
        client = world[0].client
        at_once = {**kit.charge(await kit.metric(client, code="once"), amount="2"), "pay_in_advance": True}
        who = await kit.customer(client, currency="EUR")
        await kit.subscribe(
            client, who, await kit.plan(client, at_once), external_id="once", subscription_at="2026-01-01"
        )
        await kit.advance(client, "2026-03-02T00:00")
        await send(client, "late", 7, code="once", subscription="once", timestamp=kit.epoch("2026-02-12"))
        (fee,) = (await kit.get(client, "/fees", fee_type="charge", external_customer_id=who["external_id"]))[
            "fees"
        ]
        assert (fee["amount_cents"], fee["from_date"][:10]) == (1400, "2026-02-01")
        assert "billed_in" not in (await kit.get(client, "/events/late"))["event"]

    async def test_wallets_and_lifetime_usage_follow(self, make_organization):
        organization = await make_organization("2026-01-01T00:00:00Z")
        client = organization.client
        await settings(client, late_event_policy="open_period")
        calls = await kit.metric(client, code="calls")
        who = await kit.customer(client, currency="EUR")
        plan = await kit.plan(
            client, kit.charge(calls, amount="2"), usage_thresholds=[{"amount_cents": 100_000}]
        )
        await kit.subscribe(client, who, plan, external_id="sub")
        await kit.advance(client, "2026-02-10T00:00")
        wallet = {"external_customer_id": who["external_id"], "rate_amount": "1", "currency": "EUR"}
        await kit.post(client, "/wallets", {"wallet": {**wallet, "granted_credits": "100"}})
        await send(client, "late", 7, **JANUARY)
        (found,) = (await kit.get(client, "/wallets"))["wallets"]
        lifetime = (await kit.get(client, "/subscriptions/sub/lifetime_usage"))["lifetime_usage"]
        assert (found["ongoing_balance_cents"], lifetime["current_usage_amount_cents"]) == (8600, 1400)


class TestLive:
    async def test_a_worker_judges_them(self, client, database):
        """Without a clock of its own, what is too old waits outside until a worker has looked; then it is as in any other."""
        await settings(client, late_event_window_days=5)
        now = datetime.now(UTC)
        calls = await kit.metric(client, code="calls")
        seats = await kit.metric(client, code="seats", recurring=True)
        who = await kit.customer(client, currency="EUR")
        plan = await kit.plan(client, kit.charge(calls, amount="2"), kit.charge(seats), interval="yearly")
        start = (now - timedelta(days=20)).isoformat()
        own = await kit.subscribe(
            client, who, plan, external_id="sub", subscription_at=start, billing_time="anniversary"
        )
        old = {"timestamp": (now - timedelta(days=6)).timestamp()}
        await send(client, "old", 7, **old)
        await send(client, "seat", 4, code="seats", **old)
        await send(client, "young", 3, timestamp=(now - timedelta(days=4)).timestamp())
        assert await usage_of(client, who, own) == {"calls": "3.0", "seats": "0.0"}
        await judge_all_late_events(database, clock=lambda: now)
        assert await usage_of(client, who, own) == {"calls": "3.0", "seats": "4.0"}
        assert await reasons(client) == {"old": "too_late"}
        await settings(client, late_event_policy="open_period")
        await send(client, "older", 1, **old)
        await judge_all_late_events(database, clock=lambda: now)
        assert (await usage_of(client, who, own))["calls"] == "4.0"


KINDS = ("count_agg", "sum_agg", "max_agg", "latest_agg", "unique_count_agg", "weighted_sum_agg")


async def test_each_aggregation_has_it_from_the_start_of_the_open_period(
    make_organization, database, monkeypatch
):
    """February, events of value 3 on the 11th at midnight, late ones of 9 and 8 of the 20th and 25th of January.

    Count 3; sum 20; greatest 9; the latest is February's own, though it is of the first instant of the month in one metric;
    3, 8 and 9 are 3 values; by seconds (17 × 28 + 3 × 18) / 28 = 18.928571428571…
    """
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    await settings(client, late_event_policy="open_period")
    metrics = {}
    for kind in KINDS:
        more = {"weighted_interval": "seconds"} if kind == "weighted_sum_agg" else {}
        metrics[kind] = await kit.metric(client, kind, code=kind, **more)
    who = await kit.customer(client, currency="EUR")
    plan = await kit.plan(client, *(kit.charge(metric, amount="1") for metric in metrics.values()))
    subscription = await kit.subscribe(client, who, plan, external_id="sub")
    await kit.advance(client, "2026-02-12T00:00")
    monkeypatch.setattr(rollups, "WORTH_IT", 1)
    for kind in KINDS:
        at = "2026-02-01" if kind == "latest_agg" else "2026-02-11"
        await send(client, f"own {kind}", 3, code=kind, timestamp=kit.epoch(at))
    await usage_of(client, who, subscription)
    assert await rollups.build_wanted(database) == 6
    for kind in KINDS:
        for day, value in ((25, 8), (20, 9)):
            await send(client, f"{day} {kind}", value, code=kind, timestamp=kit.epoch(f"2026-01-{day}"))
    expected = {
        "count_agg": "3.0",
        "sum_agg": "20.0",
        "max_agg": "9.0",
        "latest_agg": "3.0",
        "unique_count_agg": "3.0",
        "weighted_sum_agg": "18.9285714286",
    }
    for _ in range(2):
        assert await usage_of(client, who, subscription) == expected
        with monkeypatch.context() as patch:
            patch.setattr(aggregation, "choose", lambda *_: None)
            assert await usage_of(client, who, subscription) == expected
        await rollups.build_wanted(database)
    # Of late ones alone the latest is the one of the latest time, whichever came last: without February's own it is 8.
    await correct(client, "own latest_agg", "void")
    await rollups.build_wanted(database)
    for _ in range(2):
        assert (await usage_of(client, who, subscription))["latest_agg"] == "8.0"
        monkeypatch.setattr(aggregation, "choose", lambda *_: None)
    await kit.assert_audit_clean(database, organization.id)


async def usage_of(client, who, subscription):
    found = await kit.usage(client, who, subscription)
    return {charge["billable_metric"]["code"]: charge["units"] for charge in found["charges_usage"]}
