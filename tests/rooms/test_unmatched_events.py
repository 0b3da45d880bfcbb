"""Events that count nowhere, and why (beyond.md §2, docs/decisions/0010)."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from tests import kit

from tallymark.db.tables import outbox
from tallymark.rooms.events import follow

JANUARY = "2026-01-01T00:00:00Z"
_ids = itertools.count(1)


async def record(client, code: str, subscription: str | None, *, at: str | None = None, **properties) -> str:
    """One event; returns its transaction id."""
    found = f"event_{next(_ids)}"
    body: kit.Json = {
        "transaction_id": found,
        "code": code,
        "external_subscription_id": subscription,
        "properties": properties,
    }
    if at is not None:
        body["timestamp"] = kit.epoch(at)
    await kit.post(client, "/events", {"event": body})
    return found


async def unmatched(client, **query) -> dict[str, str]:
    """Reasons by transaction id."""
    listed = await kit.get(client, "/events", unmatched="true", **query)
    assert listed["meta"]["total_count"] == len(listed["events"])
    return {event["transaction_id"]: event["unmatched_reason"] for event in listed["events"]}


@pytest.fixture
async def client(make_organization):
    return (await make_organization(JANUARY)).client


@pytest.fixture
async def world(client):
    """A customer who pays for a sum, from 1 January on."""
    metric = await kit.metric(client, "sum_agg", code="tokens")
    plan = await kit.plan(client, kit.charge(metric), code="basic")
    who = await kit.customer(client)
    subscription = await kit.subscribe(client, who, plan, external_id="s")
    return {"metric": metric, "plan": plan, "customer": who, "subscription": subscription}


class TestReasons:
    async def test_what_counts_is_not_listed(self, client, world):
        await record(client, "tokens", "s", value=3)
        assert await unmatched(client) == {}

    async def test_unknown_metric(self, client, world):
        lost = await record(client, "nothing", "s")
        assert await unmatched(client) == {lost: "unknown_metric"}

    async def test_unknown_subscription(self, client, world):
        lost = await record(client, "tokens", "nobody", value=1)
        nameless = await record(client, "tokens", None, value=1)
        assert await unmatched(client) == {lost: "unknown_subscription", nameless: "unknown_subscription"}

    async def test_outside_subscription(self, client, world):
        lost = await record(client, "tokens", "s", at="2025-12-31T23:59", value=1)
        assert await unmatched(client) == {lost: "outside_subscription"}

    async def test_a_subscription_that_waits_to_begin(self, client, world):
        later = {"subscription_at": "2026-03-01T00:00:00Z", "external_id": "later"}
        await kit.subscribe(client, world["customer"], world["plan"], **later)
        lost = await record(client, "tokens", "later", value=1)
        assert await unmatched(client) == {lost: "outside_subscription"}

    async def test_after_the_end(self, client, world):
        await kit.advance(client, "2026-01-10T12:00")
        await kit.call(client, "DELETE", "/subscriptions/s")
        await kit.advance(client, "2026-01-11")
        lost = await record(client, "tokens", "s", value=1)
        late = await record(client, "tokens", "s", at="2026-01-10T11:00", value=1)
        assert await unmatched(client) == {lost: "outside_subscription", late: "too_late"}

    async def test_no_charge(self, client, world):
        await kit.metric(client, "count_agg", code="requests")
        lost = await record(client, "requests", "s")
        assert await unmatched(client) == {lost: "no_charge"}

    @pytest.mark.parametrize(
        ("kind", "sent", "reason"),
        [
            pytest.param("sum_agg", {}, "missing_property", id="a sum without its property"),
            pytest.param("sum_agg", {"value": None}, "missing_property", id="a sum of null"),
            pytest.param("sum_agg", {"value": "1e3"}, "invalid_property", id="a sum of an exponent as text"),
            pytest.param("max_agg", {"value": "many"}, "invalid_property", id="a maximum of words"),
            pytest.param("latest_agg", {"value": True}, "invalid_property", id="the latest of yes"),
            pytest.param(
                "unique_count_agg", {"value": "  "}, "missing_property", id="a blank distinct value"
            ),
            pytest.param("sum_agg", {"value": "-1.50"}, None, id="a negative decimal counts"),
            pytest.param("sum_agg", {"value": 1000.0}, None, id="a number of any notation counts"),
            pytest.param("unique_count_agg", {"value": "x"}, None, id="any distinct value counts"),
            pytest.param("count_agg", {}, None, id="a count needs nothing"),
        ],
    )
    async def test_properties(self, client, kind, sent, reason):
        metric = await kit.metric(client, kind, code="m")
        plan = await kit.plan(client, kit.charge(metric))
        await kit.subscribe(client, await kit.customer(client), plan, external_id="s")
        event = await record(client, "m", "s", **sent)
        assert await unmatched(client) == ({event: reason} if reason else {})

    async def test_too_late_for_an_invoice_that_is_final(self, client, world):
        counted = await record(client, "tokens", "s", at="2026-01-20", value=1)
        await kit.advance(client, "2026-02-02")
        late = await record(client, "tokens", "s", at="2026-01-20", value=1)
        assert counted != late
        assert await unmatched(client) == {late: "too_late"}

    async def test_in_time_for_a_draft(self, client):
        metric = await kit.metric(client, "sum_agg", code="tokens")
        plan = await kit.plan(client, kit.charge(metric))
        who = await kit.customer(client, billing_configuration={"invoice_grace_period": 3})
        await kit.subscribe(client, who, plan, external_id="s")
        await kit.advance(client, "2026-02-02")
        await record(client, "tokens", "s", at="2026-01-20", value=1)
        assert await unmatched(client) == {}
        await kit.advance(client, "2026-02-06")
        assert await unmatched(client) == {}
        late = await record(client, "tokens", "s", at="2026-01-20", value=1)
        assert await unmatched(client) == {late: "too_late"}

    async def test_in_time_after_an_invoice_in_the_middle_of_its_period(self, client):
        """The threshold of 10.00 makes a progressive invoice; the period stays open (invoicing §5.1)."""
        metric = await kit.metric(client, "sum_agg", code="tokens")
        marks = [{"amount_cents": 1000, "threshold_display_name": "ten"}]
        plan = await kit.plan(client, kit.charge(metric), usage_thresholds=marks)
        who = await kit.customer(client)
        await kit.subscribe(client, who, plan, external_id="s")
        await record(client, "tokens", "s", at="2026-01-01", value=12)
        await kit.advance(client, "2026-01-10")
        (made,) = await kit.invoices(client, who)
        assert (made["invoice_type"], made["status"]) == ("progressive_billing", "finalized")
        await record(client, "tokens", "s", at="2026-01-01", value=1)
        assert await unmatched(client) == {}

    async def test_too_late_for_an_invoice_though_it_is_made_anew(self, client, world):
        """The new one has the void one's fees: 3 units."""
        await record(client, "tokens", "s", value=3)
        await kit.advance(client, "2026-02-02")
        late = await record(client, "tokens", "s", at="2026-01-20", value=1)
        (first,) = await kit.invoices(client, world["customer"])
        await kit.post(client, f"/invoices/{first['lago_id']}/void", {})
        assert await unmatched(client) == {late: "too_late"}
        await kit.advance(client, "2026-02-03")
        fees = [{"id": fee["lago_id"]} for fee in first["fees"]]
        body = {"invoice": {"fees": fees}}
        made = (await kit.post(client, f"/invoices/{first['lago_id']}/regenerate", body))["invoice"]
        assert [fee["units"] for fee in made["fees"] if fee["item"]["type"] == "charge"] == ["3.0"]
        assert await unmatched(client) == {late: "too_late"}
        await kit.post(client, "/events/replay", {"replay": {}})
        assert await unmatched(client) == {late: "too_late"}

    async def test_a_recurring_metric_carries_it_into_open_periods(self, client):
        metric = await kit.metric(client, "sum_agg", code="seats", recurring=True)
        plan = await kit.plan(client, kit.charge(metric))
        await kit.subscribe(client, await kit.customer(client), plan, external_id="s")
        await record(client, "seats", "s", at="2025-06-01", value=1)
        await kit.advance(client, "2026-02-02")
        await record(client, "seats", "s", at="2026-01-20", value=1)
        assert await unmatched(client) == {}

    async def test_a_charge_in_advance_bills_it_at_once_however_late(self, client):
        metric = await kit.metric(client, "sum_agg", code="tokens")
        plan = await kit.plan(client, {**kit.charge(metric), "pay_in_advance": True, "invoiceable": False})
        await kit.subscribe(client, await kit.customer(client), plan, external_id="s")
        await kit.advance(client, "2026-02-02")
        late = await record(client, "tokens", "s", at="2026-01-20", value=1)
        assert (await kit.get(client, "/fees", event_transaction_id=late))["meta"]["total_count"] == 1
        assert await unmatched(client) == {}

    async def test_periods_that_were_over_when_the_subscription_was_made(self, client, world):
        await kit.advance(client, "2026-03-15")
        back = {"subscription_at": "2026-01-10T00:00:00Z", "external_id": "back"}
        await kit.subscribe(client, world["customer"], world["plan"], **back)
        never = await record(client, "tokens", "back", at="2026-02-10", value=1)
        await record(client, "tokens", "back", at="2026-03-10", value=1)
        assert await unmatched(client, external_subscription_id="back") == {never: "too_late"}


class TestLookingAgain:
    async def test_when_what_was_missing_comes(self, client):
        event = await record(client, "tokens", "s", value=1)
        bad = await record(client, "tokens", "s", value="x")
        assert await unmatched(client) == dict.fromkeys((event, bad), "unknown_metric")
        metric = await kit.metric(client, "sum_agg", code="tokens")
        assert await unmatched(client) == dict.fromkeys((event, bad), "unknown_subscription")
        plan = await kit.plan(client, code="p")
        await kit.subscribe(client, await kit.customer(client), plan, external_id="s")
        assert await unmatched(client) == dict.fromkeys((event, bad), "no_charge")
        await kit.post(client, "/plans/p/charges", {"charge": kit.charge(metric) | {"code": "c"}})
        assert await unmatched(client) == {bad: "invalid_property"}

    async def test_when_a_metric_reads_another_property(self, client):
        event = await record(client, "m", "s", other=1)
        await kit.metric(client, "sum_agg", code="m")
        await kit.call(client, "PUT", "/billable_metrics/m", {"billable_metric": {"field_name": "other"}})
        (metric,) = (await kit.get(client, "/billable_metrics"))["billable_metrics"]
        plan = await kit.plan(client, kit.charge(metric))
        assert await unmatched(client) == {event: "unknown_subscription"}
        await kit.subscribe(client, await kit.customer(client), plan, external_id="s")
        assert await unmatched(client) == {}

    async def test_replay_tells_how_many_count(self, client, world):
        await record(client, "tokens", "s", at="2026-01-01T00:00", value=1)
        await record(client, "tokens", "s", at="2026-01-05T00:00", value="x")
        await record(client, "nothing", "s", at="2026-01-05T00:00")

        async def replay(**asked):
            return (await kit.post(client, "/events/replay", {"replay": asked}))["replay"]

        assert await replay() == {"examined": 3, "matched": 1}
        assert await replay(code="tokens") == {"examined": 2, "matched": 1}
        assert await replay(external_subscription_id="nobody") == {"examined": 0, "matched": 0}
        range_ = {"from": "2026-01-02T00:00:00Z", "to": "2026-01-05T00:00:00Z"}
        assert await replay(**range_) == {"examined": 2, "matched": 0}

    async def test_replay_refuses_what_it_cannot_read(self, client):
        bad = await kit.post(client, "/events/replay", {"replay": {"from": "soon"}}, expect=422)
        assert bad["error_details"] == {"from": ["invalid_date"]}
        await kit.post(client, "/events/replay", {}, expect=400)


class TestBilledEventsAreNeverListed:
    async def test_after_their_metric_is_deleted(self, client, world):
        await record(client, "tokens", "s", value=1)
        await kit.advance(client, "2026-02-02")
        open_ = await record(client, "tokens", "s", value=1)
        await kit.call(client, "DELETE", "/billable_metrics/tokens")
        assert await unmatched(client) == {open_: "unknown_metric"}

    async def test_after_their_charge_is_deleted(self, client, world):
        await record(client, "tokens", "s", value=1)
        await kit.advance(client, "2026-02-02")
        (charge,) = world["plan"]["charges"]
        await kit.call(client, "DELETE", f"/plans/basic/charges/{charge['code']}")
        open_ = await record(client, "tokens", "s", value=1)
        assert await unmatched(client) == {open_: "no_charge"}

    async def test_nor_for_a_new_metric_that_cannot_read_them(self, client, world):
        await record(client, "tokens", "s", value=1)
        await kit.advance(client, "2026-02-02")
        await kit.call(client, "DELETE", "/billable_metrics/tokens")
        again = await kit.metric(client, "sum_agg", code="tokens", field_name="other")
        await kit.post(client, "/plans/basic/charges", {"charge": kit.charge(again) | {"code": "c"}})
        assert await unmatched(client) == {}

    async def test_after_a_charge_in_advance_is_deleted(self, client):
        metric = await kit.metric(client, "sum_agg", code="tokens")
        plan = await kit.plan(client, {**kit.charge(metric), "pay_in_advance": True, "invoiceable": False})
        await kit.subscribe(client, await kit.customer(client), plan, external_id="s")
        await record(client, "tokens", "s", value=1)
        await kit.call(client, "DELETE", "/billable_metrics/tokens")
        assert await unmatched(client) == {}

    async def test_a_charge_that_came_after_the_invoice_counts_nothing_of_it(self, client, world):
        more = await kit.metric(client, "count_agg", code="requests")
        closed = await record(client, "requests", "s")
        await kit.advance(client, "2026-02-02")
        open_ = await record(client, "requests", "s")
        assert set(await unmatched(client)) == {closed, open_}
        await kit.post(client, "/plans/basic/charges", {"charge": kit.charge(more) | {"code": "c"}})
        assert await unmatched(client) == {closed: "too_late"}

    async def test_at_one_instant_what_was_billed_stays_so(self, client, world):
        await record(client, "tokens", "s", value=1)
        await kit.call(client, "DELETE", "/subscriptions/s")
        await kit.call(client, "DELETE", "/billable_metrics/tokens")
        assert await unmatched(client) == {}
        await kit.post(client, "/events/replay", {"replay": {"code": "tokens"}})
        assert await unmatched(client) == {}


class TestList:
    async def test_filters_and_order(self, client, world):
        first = await record(client, "a", "s", at="2026-01-01T10:00")
        second = await record(client, "b", "s", at="2026-01-01T11:00")
        third = await record(client, "b", "other", at="2026-01-01T12:00")
        bad = await record(client, "tokens", "s", at="2026-01-01T13:00")
        assert list(await unmatched(client)) == [bad, third, second, first]
        assert list(await unmatched(client, code="b")) == [third, second]
        assert list(await unmatched(client, external_subscription_id="other")) == [third]
        bounds = {"timestamp_from": "2026-01-01T11:00:00Z", "timestamp_to": "2026-01-01T12:00:00Z"}
        assert list(await unmatched(client, **bounds)) == [third, second]
        assert list(await unmatched(client, unmatched_reason="missing_property")) == [bad]
        assert list(await unmatched(client, unmatched_reason="unknown_metric", code="a")) == [first]
        page = await kit.get(client, "/events", unmatched="true", per_page=3, page=2)
        assert [event["transaction_id"] for event in page["events"]] == [first]
        assert page["meta"]["total_count"] == 4

    async def test_an_unknown_reason_is_refused(self, client):
        bad = await kit.get(client, "/events", unmatched_reason="bad_luck", expect=422)
        assert bad["error_details"] == {"unmatched_reason": ["value_is_invalid"]}

    async def test_all_events_have_no_reason(self, client, world):
        await record(client, "a", "s")
        (event,) = (await kit.get(client, "/events"))["events"]
        assert "unmatched_reason" not in event
        (event,) = (await kit.get(client, "/events", unmatched="false"))["events"]
        assert "unmatched_reason" not in event

    async def test_summary(self, client, world):
        for code, subscription in (
            ("a", "s"),
            ("a", "s"),
            ("a", None),
            ("tokens", "s"),
            ("tokens", "nobody"),
        ):
            await record(client, code, subscription)
        found = await kit.get(client, "/events/unmatched_summary")
        lines = [tuple(line.values()) for line in found["unmatched_summary"]]
        assert lines == [
            ("unknown_metric", "a", "s", 2),
            ("missing_property", "tokens", "s", 1),
            ("unknown_metric", "a", None, 1),
            ("unknown_subscription", "tokens", "nobody", 1),
        ]
        assert found["meta"]["total_count"] == 4
        only = await kit.get(client, "/events/unmatched_summary", unmatched_reason="missing_property")
        assert [line["code"] for line in only["unmatched_summary"]] == ["tokens"]

    async def test_nobody_elses(self, client, other_client, world):
        await record(other_client, "theirs", "s")
        assert await unmatched(client) == {}
        assert await kit.post(client, "/events/replay", {"replay": {}}) == {
            "replay": {"examined": 0, "matched": 0}
        }


async def told(database, organization, webhook_type: str) -> list[dict]:
    """The payloads of an organization's messages of one type."""
    async with database.tenant(organization.id) as tx:
        rows = await tx.execute(
            select(outbox.c.payload).where(outbox.c.webhook_type == webhook_type).order_by(outbox.c.id)
        )
        return list(rows.scalars())


class TestErrorsOfTheHour:
    """metering §1.7: `events.errors`."""

    async def test_are_told_five_minutes_after_it(self, make_organization, database):
        organization = await make_organization(JANUARY)
        client = organization.client
        regions = [{"key": "region", "values": ["eu", "us"]}]
        await kit.metric(client, "sum_agg", code="tokens", filters=regions)
        await kit.metric(client, "unique_count_agg", code="users")
        unknown = await record(client, "nothing", "s")
        absent = await record(client, "tokens", "s", region="eu")
        words = await record(client, "tokens", "s", value="many")
        mars = await record(client, "tokens", "s", value=1, region="mars")
        await record(client, "tokens", "s", value=1, region="us")
        await record(client, "users", "s", value="anybody")
        await kit.advance(client, "2026-01-01T01:04")
        assert await told(database, organization, "events.errors") == []
        await kit.advance(client, "2026-01-01T01:05")
        assert await told(database, organization, "events.errors") == [
            {
                "invalid_code": [unknown],
                "missing_aggregation_property": sorted([absent, words]),
                "missing_group_key": None,
                "invalid_filter_values": [mars],
            }
        ]
        await kit.advance(client, "2026-01-01T05:00")
        assert len(await told(database, organization, "events.errors")) == 1

    async def test_nothing_odd_is_not_told(self, make_organization, database):
        organization = await make_organization(JANUARY)
        await kit.metric(organization.client, "count_agg", code="requests")
        await record(organization.client, "requests", "s")
        await kit.advance(organization.client, "2026-01-01T03:00")
        assert await told(database, organization, "events.errors") == []


class TestLiveOrganizations:
    """What the settling of a test clock does at once, a worker does soon after."""

    async def test_events_are_read_soon_after_they_came(self, make_organization, database):
        organization = await make_organization()
        client, now = organization.client, datetime.now(UTC)
        metric = await kit.metric(client, "sum_agg", code="tokens")
        plan = await kit.plan(client, kit.charge(metric))
        await kit.subscribe(client, await kit.customer(client), plan, external_id="s")
        bad = await record(client, "tokens", "s", value="x")
        await record(client, "tokens", "s", value=1)
        assert await unmatched(client) == {}
        assert await follow.note_received(database, now=now + timedelta(minutes=1)) >= 2
        assert await unmatched(client) == {bad: "invalid_property"}
        assert await follow.note_received(database, now=now + timedelta(minutes=1)) == 0

    async def test_each_hour_is_told_once_and_makes_up_for_what_was_missed(self, make_organization, database):
        organization = await make_organization()
        client = organization.client
        metric = await kit.metric(client, "sum_agg", code="tokens")
        plan = await kit.plan(client, kit.charge(metric))
        await kit.subscribe(client, await kit.customer(client), plan, external_id="s")
        await follow.note_received(database, now=datetime.now(UTC) + timedelta(minutes=2))
        missed = await record(client, "tokens", "s")
        later = datetime.now(UTC) + timedelta(hours=1, minutes=6)
        await follow.report_errors(database, now=later)
        await follow.report_errors(database, now=later)
        assert await unmatched(client) == {missed: "missing_property"}
        (payload,) = await told(database, organization, "events.errors")
        assert payload["missing_aggregation_property"] == [missed]
