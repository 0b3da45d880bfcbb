"""The events of a stretch of time are replaced by others at once, and can be put back (beyond.md §3)."""

import asyncio
import random
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from tests import kit

from tallymark.metering import aggregation, rollups
from tallymark.rooms.event_backfills import changes, repository, service

WHY = "the meter was off"


@pytest.fixture
async def world(make_organization):
    """One customer who pays 2 for each unit from 1 January on; 5 on the 5th, 7 on the 10th, 11 on the 20th."""
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    calls = await kit.metric(client, code="calls")
    who = await kit.customer(client, external_id="acme", currency="EUR")
    subscription = await kit.subscribe(
        client, who, await kit.plan(client, kit.charge(calls, amount="2")), external_id="sub"
    )
    for day, value in ((5, 5), (10, 7), (20, 11)):
        await send(client, f"day {day}", value, f"2026-01-{day:02}")
    await kit.advance(client, "2026-01-25T00:00")
    return organization, who, subscription


def an_event(name, value, when, **more):
    return {"transaction_id": name, "properties": {"value": value}, "timestamp": kit.epoch(when), **more}


async def send(client, name, value, when, **more):
    event = an_event(name, value, when, external_subscription_id="sub", code="calls")
    await kit.post(client, "/events", {"event": {**event, **more}})


async def begin(client, starts="2026-01-08", ends="2026-01-15", *, expect=200, **more):
    body = {"external_subscription_id": "sub", "code": "calls", "from": starts, "to": ends, "reason": WHY}
    found = await kit.call(
        client, "POST", "/event_backfills", {"event_backfill": {**body, **more}}, expect=expect
    )
    return found.get("event_backfill", found)


async def add(client, backfill, *events, expect=200):
    path = f"/event_backfills/{backfill['lago_id']}/events"
    return await kit.call(client, "POST", path, {"events": list(events)}, expect=expect)


async def step(client, backfill, how, *, expect=200, body=None):
    found = await kit.call(
        client, "POST", f"/event_backfills/{backfill['lago_id']}/{how}", body, expect=expect
    )
    return found.get("event_backfill", found)


async def units(client, who, subscription):
    (charge,) = (await kit.usage(client, who, subscription))["charges_usage"]
    return charge["units"], charge["events_count"], charge["amount_cents"]


class TestClosing:
    async def test_replaces_all_events_of_the_stretch_and_no_other(self, world, database):
        """From the 8th to the 15th there were 7; now there are 1 and 2: 5 + 1 + 2 + 11 = 19 units at 2."""
        organization, who, subscription = world
        client = organization.client
        backfill = await begin(client)
        assert (backfill["status"], backfill["added_events_count"], backfill["periods"]) == ("open", 0, [])
        added = await add(
            client, backfill, an_event("new 1", 1, "2026-01-08"), an_event("new 2", 2, "2026-01-14T23:59:59")
        )
        assert [event["transaction_id"] for event in added["events"]] == ["new 1", "new 2"]
        assert (backfill["from"], backfill["to"]) == ("2026-01-08T00:00:00Z", "2026-01-15T00:00:00Z")
        assert await units(client, who, subscription) == ("23.0", 3, 4600)
        await kit.get(client, "/events/new 1", expect=404)
        closed = await step(client, backfill, "close")
        assert await units(client, who, subscription) == ("19.0", 4, 3800)
        assert (closed["status"], closed["closed_at"]) == ("closed", "2026-01-25T00:00:00Z")
        assert (closed["added_events_count"], closed["replaced_events_count"]) == (2, 1)
        (period,) = closed["periods"]
        assert (period["from_datetime"], period["to_datetime"]) == (
            "2026-01-01T00:00:00Z",
            "2026-02-01T00:00:00Z",
        )
        assert (period["amount_change_cents"], period["amount_currency"]) == (-800, "EUR")
        (change,) = period["charges"]
        assert (change["units_before"], change["units_after"], change["units_change"]) == (
            "23.0",
            "19.0",
            "-4.0",
        )
        assert (change["amount_before_cents"], change["amount_after_cents"]) == (4600, 3800)
        listed = {event["transaction_id"] for event in (await kit.get(client, "/events"))["events"]}
        assert listed == {"day 5", "new 1", "new 2", "day 20"}
        voided = await kit.get(client, "/events/day 10/versions", external_subscription_id="sub")
        assert [(one["status"], one["reason"]) for one in voided["versions"]] == [
            ("counted", None),
            ("voided", WHY),
        ]
        (brought,) = (await kit.get(client, "/events/new 1/versions", external_subscription_id="sub"))[
            "versions"
        ]
        assert (brought["reason"], brought["lago_api_key_id"]) == (WHY, closed["lago_api_key_id"])
        await kit.advance(client, "2026-02-01T12:00")
        (invoice,) = await kit.invoices(client, who)
        assert invoice["fees_amount_cents"] == 3800
        await kit.assert_audit_clean(database, organization.id)

    async def test_takes_over_transaction_ids_of_what_it_replaces_and_of_what_was_voided(
        self, world, database
    ):
        organization, who, subscription = world
        client = organization.client
        body = {"event": {"external_subscription_id": "sub", "reason": WHY}}
        await kit.post(client, "/events/day 20/void", body)
        backfill = await begin(client)
        await add(client, backfill, an_event("day 10", 3, "2026-01-11"), an_event("day 20", 4, "2026-01-12"))
        closed = await step(client, backfill, "close", body={"event_backfill": {"reason": "and checked"}})
        assert (closed["added_events_count"], closed["replaced_events_count"]) == (2, 1)
        assert await units(client, who, subscription) == ("12.0", 3, 2400)
        versions = (await kit.get(client, "/events/day 10/versions", external_subscription_id="sub"))[
            "versions"
        ]
        assert [(one["version"], one["timestamp"][:10], one["reason"]) for one in versions] == [
            (1, "2026-01-10", None),
            (2, "2026-01-11", "and checked"),
        ]
        await step(client, backfill, "revert")
        assert await units(client, who, subscription) == ("12.0", 2, 2400)
        shown = (await kit.get(client, "/events/day 10"))["event"]
        assert (shown["timestamp"], shown["properties"]) == ("2026-01-10T00:00:00.000Z", {"value": 7})
        await kit.get(client, "/events/day 20", expect=404)
        await kit.assert_audit_clean(database, organization.id)

    async def test_of_nothing_empties_the_stretch(self, world):
        organization, who, subscription = world
        await step(organization.client, await begin(organization.client), "close")
        assert await units(organization.client, who, subscription) == ("16.0", 2, 3200)

    async def test_an_event_that_came_meanwhile_is_replaced_and_one_with_the_id_of_another_refuses(
        self, world
    ):
        organization, who, subscription = world
        client = organization.client
        backfill = await begin(client)
        await add(client, backfill, an_event("new", 1, "2026-01-08"))
        await send(client, "meanwhile", 100, "2026-01-09")
        await step(client, backfill, "close")
        assert (await units(client, who, subscription))[0] == "17.0"
        other = await begin(client, "2026-01-16", "2026-01-18")
        await add(client, other, an_event("taken", 1, "2026-01-16"))
        await send(client, "taken", 100, "2026-01-21")
        refused = await step(client, other, "close", expect=422)
        assert refused["error_details"] == {"transaction_id": ["value_already_exist"]}
        assert (await units(client, who, subscription))[0] == "117.0"
        assert (await kit.get(client, f"/event_backfills/{other['lago_id']}"))["event_backfill"][
            "status"
        ] == "open"

    async def test_drafts_wallets_and_lifetime_usage_follow_at_once(self, make_organization):
        organization = await make_organization("2026-01-01T00:00:00Z")
        client = organization.client
        calls = await kit.metric(client, code="calls")
        who = await kit.customer(client, currency="EUR", billing_configuration={"invoice_grace_period": 20})
        plan = await kit.plan(
            client, kit.charge(calls, amount="2"), usage_thresholds=[{"amount_cents": 100_000}]
        )
        await kit.subscribe(client, who, plan, external_id="sub")
        wallet = {"external_customer_id": who["external_id"], "rate_amount": "1", "currency": "EUR"}
        await kit.post(client, "/wallets", {"wallet": {**wallet, "granted_credits": "100"}})
        await send(client, "one", 5, "2026-01-10")
        await kit.advance(client, "2026-02-10T00:00")
        await send(client, "two", 6, "2026-02-05")
        backfill = await begin(client, "2026-01-05", "2026-02-06")
        await add(
            client, backfill, an_event("more", 9, "2026-01-31T23:59"), an_event("less", 1, "2026-02-01")
        )
        closed = await step(client, backfill, "close")
        assert [period["amount_change_cents"] for period in closed["periods"]] == [800, -1000]
        lifetime = (await kit.get(client, "/subscriptions/sub/lifetime_usage"))["lifetime_usage"]
        assert lifetime["current_usage_amount_cents"] == 200
        (draft,) = await kit.invoices(client, who)
        await kit.call(client, "PUT", f"/invoices/{draft['lago_id']}/refresh")
        (draft,) = await kit.invoices(client, who)
        assert (draft["status"], draft["fees_amount_cents"]) == ("draft", 1800)
        (found,) = (await kit.get(client, "/wallets"))["wallets"]
        assert found["ongoing_balance_cents"] == 10_000 - 1800 - 200

    async def test_what_carries_over_changes_each_later_period(self, make_organization):
        organization = await make_organization("2026-01-01T00:00:00Z")
        client = organization.client
        calls = await kit.metric(client, code="calls", recurring=True)
        who = await kit.customer(client, currency="EUR", billing_configuration={"invoice_grace_period": 20})
        await kit.subscribe(client, who, await kit.plan(client, kit.charge(calls)), external_id="sub")
        await send(client, "one", 5, "2026-01-10")
        await kit.advance(client, "2026-02-10T00:00")
        backfill = await begin(client, "2026-01-05", "2026-01-20")
        await add(client, backfill, an_event("more", 9, "2026-01-10"))
        closed = await step(client, backfill, "close")
        assert [period["amount_change_cents"] for period in closed["periods"]] == [400, 400]

    async def test_events_of_a_charge_in_advance_get_their_price(self, make_organization, monkeypatch):
        organization = await make_organization("2026-01-01T00:00:00Z")
        client = organization.client
        at_once = {**kit.charge(await kit.metric(client, code="calls"), amount="2"), "pay_in_advance": True}
        who = await kit.customer(client, currency="EUR")
        await kit.subscribe(client, who, await kit.plan(client, at_once), external_id="sub")
        await kit.advance(client, "2026-01-20T00:00")
        backfill = await begin(client)
        await add(client, backfill, an_event("new", 3, "2026-01-08"))
        (period,) = (await step(client, backfill, "close"))["periods"]
        assert period["amount_change_cents"] == 600
        monkeypatch.setattr(changes, "PRICED_ONE_BY_ONE", 1)
        more = await begin(client, "2026-01-15", "2026-01-17")
        await add(client, more, an_event("a", 1, "2026-01-15"), an_event("b", 1, "2026-01-16"))
        (period,) = (await step(client, more, "close"))["periods"]
        assert period["charges"] == []
        fees = (await kit.get(client, "/fees", fee_type="charge"))["fees"]
        assert {fee["event_transaction_id"]: fee["amount_cents"] for fee in fees} == {
            "new": 600,
            "a": 200,
            "b": 200,
        }
        refused = await step(client, backfill, "revert", expect=405)
        assert refused["code"] == "period_already_invoiced"


class TestRefused:
    async def test_what_is_on_a_final_invoice(self, world):
        organization, who, subscription = world
        client = organization.client
        await kit.advance(client, "2026-02-10T00:00")
        backfill = await begin(client)
        await add(client, backfill, an_event("new", 1, "2026-01-08"))
        assert (await step(client, backfill, "close", expect=405))["code"] == "period_already_invoiced"
        open_one = await begin(client, "2026-02-01", "2026-02-05")
        await add(client, open_one, an_event("february", 1, "2026-02-01"))
        await step(client, open_one, "close")
        assert (await units(client, who, subscription))[0] == "1.0"
        await kit.advance(client, "2026-03-10T00:00")
        assert (await step(client, open_one, "revert", expect=405))["code"] == "period_already_invoiced"

    @pytest.mark.parametrize(
        ("sent", "details"),
        [
            ({"reason": " "}, {"reason": ["value_is_mandatory"]}),
            ({"from": "yesterday"}, {"from": ["invalid_date"]}),
            ({"from": "2025-12-31"}, {"from": ["outside_subscription"]}),
            ({"to": "2026-01-08"}, {"to": ["value_is_invalid"]}),
        ],
    )
    async def test_a_stretch_that_is_none(self, world, sent, details):
        assert (await begin(world[0].client, expect=422, **sent))["error_details"] == details

    async def test_a_stretch_beyond_the_end(self, world):
        client = world[0].client
        await kit.call(client, "DELETE", "/subscriptions/sub")
        found = await begin(client, "2026-01-08", "2026-01-27", expect=422)
        assert found["error_details"] == {"to": ["outside_subscription"]}

    async def test_what_is_unknown(self, world, other_client):
        client = world[0].client
        assert (await begin(client, code="nothing", expect=404))["code"] == "billable_metric_not_found"
        found = await begin(client, external_subscription_id="nobody", expect=404)
        assert found["code"] == "subscription_not_found"
        await kit.call(client, "POST", "/event_backfills", {}, expect=400)
        backfill = await begin(client)
        path = f"/event_backfills/{backfill['lago_id']}"
        assert (await kit.get(other_client, path, expect=404))["code"] == "event_backfill_not_found"
        await kit.call(other_client, "DELETE", path, expect=404)
        await add(other_client, backfill, an_event("new", 1, "2026-01-08"), expect=404)
        for how in ("close", "revert"):
            await step(other_client, backfill, how, expect=404)
        assert (await kit.get(other_client, "/event_backfills"))["event_backfills"] == []
        await kit.get(client, "/event_backfills/nothing", expect=404)

    async def test_events_by_the_rules_of_batches(self, world):
        client = world[0].client
        backfill = await begin(client)
        found = await add(
            client,
            backfill,
            an_event("fine", 1, "2026-01-08"),
            an_event("late", 1, "2026-01-15"),
            an_event("early", 1, "2026-01-07T23:59:59"),
            an_event("", 1, "2026-01-08"),
            an_event("other code", 1, "2026-01-08", code="other"),
            an_event("other subscription", 1, "2026-01-08", external_subscription_id="other"),
            {**an_event("no time", 1, "2026-01-08"), "timestamp": "soon"},
            {"transaction_id": "now"},
            expect=422,
        )
        out = {"timestamp": ["value_is_out_of_range"]}
        assert found["error_details"] == {
            "1": out,
            "2": out,
            "3": {"transaction_id": ["value_is_mandatory"]},
            "4": {"code": ["value_is_invalid"]},
            "5": {"external_subscription_id": ["value_is_invalid"]},
            "6": {"timestamp": ["invalid_format"]},
            "7": out,
        }
        taken = {"transaction_id": ["value_already_exist"]}
        fine = an_event("fine", 1, "2026-01-08")
        found = await add(client, backfill, fine, fine, an_event("day 20", 1, "2026-01-08"), expect=422)
        assert found["error_details"] == {"1": taken, "2": taken}
        await add(client, backfill, fine)
        assert (await add(client, backfill, fine, expect=422))["error_details"] == {"0": taken}
        assert (await add(client, backfill, expect=422))["error_details"] == {"events": ["no_events"]}
        many = [an_event(f"many {number}", 1, "2026-01-08") for number in range(1001)]
        found = await add(client, backfill, *many, expect=422)
        assert found["error_details"] == {"events": ["too_many_events"]}
        await add(client, backfill, *many[:1000])
        shown = (await kit.get(client, f"/event_backfills/{backfill['lago_id']}"))["event_backfill"]
        assert shown["added_events_count"] == 1001

    async def test_too_many_events(self, world, monkeypatch):
        client = world[0].client
        monkeypatch.setattr(service, "MOST_ADDED", 2)
        monkeypatch.setattr(service, "MOST_TOUCHED", 2)
        backfill = await begin(client)
        await add(client, backfill, *(an_event(f"new {number}", 1, "2026-01-08") for number in range(2)))
        found = await add(client, backfill, an_event("one more", 1, "2026-01-08"), expect=422)
        assert found["error_details"] == {"events": ["too_many_events"]}
        found = await step(client, backfill, "close", expect=422)
        assert found["error_details"] == {"event_backfill": ["too_many_events"]}

    async def test_an_expression_is_evaluated_as_they_are_added(self, make_organization):
        organization = await make_organization("2026-01-01T00:00:00Z")
        client = organization.client
        doubled = {"field_name": "billed", "expression": "event.properties.value * 2"}
        calls = await kit.metric(client, code="calls", **doubled)
        who = await kit.customer(client, currency="EUR")
        own = await kit.subscribe(client, who, await kit.plan(client, kit.charge(calls)), external_id="sub")
        backfill = await begin(client)
        found = await add(client, backfill, an_event("bad", "x", "2026-01-08"), expect=422)
        assert found["error_details"]["0"].startswith("expression_evaluation_failed: ")
        added = await add(client, backfill, an_event("good", 4, "2026-01-08"))
        assert added["events"][0]["properties"] == {"value": 4, "billed": "8.0"}
        await step(client, backfill, "close")
        assert (await units(client, who, own))[0] == "8.0"

    async def test_what_is_not_open_any_more(self, world):
        client = world[0].client
        backfill = await begin(client)
        assert (await step(client, backfill, "revert", expect=405))["code"] == "event_backfill_not_closed"
        await step(client, backfill, "close")
        assert (await step(client, backfill, "close", expect=405))["code"] == "event_backfill_not_open"
        refused = await add(client, backfill, an_event("new", 1, "2026-01-08"), expect=405)
        assert refused["code"] == "event_backfill_not_open"
        path = f"/event_backfills/{backfill['lago_id']}"
        assert (await kit.call(client, "DELETE", path, expect=405))["code"] == "event_backfill_not_open"


class TestReverting:
    async def test_is_refused_while_a_later_one_overlaps(self, world):
        client = world[0].client
        first, apart, later = (
            await begin(client),
            await begin(client, "2026-01-15", "2026-01-17"),
            await begin(client, "2026-01-14", "2026-01-15"),
        )
        for backfill in (first, apart, later):
            await step(client, backfill, "close")
        assert (await step(client, first, "revert", expect=405))["code"] == "overlapped_by_later_backfill"
        await step(client, apart, "revert")
        reverted = await step(client, later, "revert")
        assert (reverted["status"], reverted["reverted_at"][:10]) == ("reverted", "2026-01-25")
        await step(client, first, "revert")
        assert (await step(client, first, "revert", expect=405))["code"] == "event_backfill_not_closed"

    async def test_puts_back_what_came_too_late_where_it_was(self, world, database):
        """With a window of 5 days 4 came too late on the 12th; 3 of December's like count from January's start."""
        organization, who, subscription = world
        client = organization.client
        await kit.call(
            client, "PUT", "/organizations", {"organization": {"metering": {"late_event_window_days": 5}}}
        )
        await send(client, "rejected", 4, "2026-01-12")
        before = await units(client, who, subscription)
        backfill = await begin(client)
        await add(client, backfill, an_event("rejected", 50, "2026-01-12"))
        await step(client, backfill, "close")
        assert (await units(client, who, subscription))[0] == "66.0"
        await step(client, backfill, "revert")
        assert await units(client, who, subscription) == before
        unmatched = (await kit.get(client, "/events", unmatched="true"))["events"]
        assert [(one["transaction_id"], one["unmatched_reason"]) for one in unmatched] == [
            ("rejected", "too_late")
        ]
        await kit.assert_audit_clean(database, organization.id)

    async def test_puts_back_what_counts_in_a_later_period(self, make_organization, database):
        organization = await make_organization("2026-01-01T00:00:00Z")
        client = organization.client
        calls = await kit.metric(client, code="calls")
        who = await kit.customer(client, currency="EUR", billing_configuration={"invoice_grace_period": 40})
        own = await kit.subscribe(
            client, who, await kit.plan(client, kit.charge(calls, amount="2")), external_id="sub"
        )
        metering = {"late_event_window_days": 5, "late_event_policy": "open_period"}
        await kit.call(client, "PUT", "/organizations", {"organization": {"metering": metering}})
        await kit.advance(client, "2026-02-10T00:00")
        await send(client, "late", 4, "2026-01-12")
        before = await units(client, who, own)
        assert before == ("4.0", 1, 800)
        backfill = await begin(client)
        await add(client, backfill, an_event("late", 3, "2026-01-12"))
        closed = await step(client, backfill, "close")
        assert [period["amount_change_cents"] for period in closed["periods"]] == [600]
        assert "billed_in" not in (await kit.get(client, "/events/late"))["event"]
        assert (await units(client, who, own))[0] == "0.0"
        await step(client, backfill, "revert")
        assert await units(client, who, own) == before
        assert (await kit.get(client, "/events/late"))["event"]["billed_in"]["from_datetime"][
            :10
        ] == "2026-02-01"
        await kit.assert_audit_clean(database, organization.id)


class TestReading:
    async def test_lists_the_newest_first_by_subscription_code_and_status(self, world):
        client = world[0].client
        first, second = await begin(client), await begin(client)
        await step(client, first, "close")
        listed = await kit.get(client, "/event_backfills", external_subscription_id="sub", code="calls")
        ids = [one["lago_id"] for one in listed["event_backfills"]]
        assert (ids, listed["meta"]["total_count"]) == ([second["lago_id"], first["lago_id"]], 2)
        found = await kit.get(client, "/event_backfills", status="closed")
        assert [one["lago_id"] for one in found["event_backfills"]] == [first["lago_id"]]
        await kit.get(client, "/event_backfills", status="lost", expect=422)
        dropped = await kit.call(client, "DELETE", f"/event_backfills/{second['lago_id']}")
        assert dropped["event_backfill"]["status"] == "open"
        await kit.get(client, f"/event_backfills/{second['lago_id']}", expect=404)


async def test_closed_twice_at_once_while_events_come_in(world, database):
    """One closing is done, the other refused; every event that was acknowledged counts, or is a replaced one of the stretch."""
    organization, who, subscription = world
    client = organization.client
    backfill = await begin(client)
    await add(client, backfill, *(an_event(f"new {number}", 1, "2026-01-09") for number in range(50)))
    path = f"/event_backfills/{backfill['lago_id']}/close"
    sending = [send(client, f"meanwhile {number}", 1, "2026-01-22") for number in range(20)]
    first, second, *_ = await asyncio.gather(client.post(path), client.post(path), *sending)
    assert sorted((first.status_code, second.status_code)) == [200, 405]
    # 5 and 11 stay, 50 are new, and 20 came in outside of the stretch.
    assert (await units(client, who, subscription))[0] == "86.0"
    await kit.assert_audit_clean(database, organization.id)


async def test_begun_twice_at_once_of_a_code_without_events_is_of_one_stream(world, database):
    """One waits for the other to have made the stream: what is added to either counts."""
    organization, who, _ = world
    client = organization.client
    fresh = await kit.metric(client, code="fresh")
    subscription = await kit.subscribe(
        client, who, await kit.plan(client, kit.charge(fresh, amount="3"), code="p2"), external_id="sub2"
    )
    asked = {"external_subscription_id": "sub2", "code": "fresh"}
    async with database.tenant(organization.id) as tx:
        made = await repository.stream_of(tx, **asked)
        beginning = asyncio.create_task(begin(client, "2026-01-25", "2026-01-28", **asked))
        await is_waiting(database)
    backfill = await beginning
    async with database.tenant(organization.id) as tx:
        assert await repository.stream_of(tx, **asked) == made > 0
    await add(client, backfill, an_event("a", 4, "2026-01-26"))
    await step(client, backfill, "close")
    assert await units(client, who, subscription) == ("4.0", 1, 1200)


async def is_waiting(database):
    """Return once somebody waits for what another transaction does."""
    asking = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid')")
    async with asyncio.timeout(30):
        while True:
            async with database.system() as connection:
                if (await connection.execute(asking)).scalar_one():
                    return
            await asyncio.sleep(0.01)


KINDS = ("count_agg", "sum_agg", "max_agg", "latest_agg", "unique_count_agg", "weighted_sum_agg")


async def test_closed_and_reverted_usage_is_what_it_was_from_roll_ups_too(
    make_organization, database, monkeypatch
):
    """Six metrics, two backfills over each other for each, at random; roll-ups answer as the events do all the way."""
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    dice = random.Random(7)
    metrics = {}
    for kind in KINDS:
        more = {"weighted_interval": "seconds"} if kind == "weighted_sum_agg" else {}
        metrics[kind] = await kit.metric(client, kind, code=kind, **more)
    who = await kit.customer(client, currency="EUR")
    plan = await kit.plan(client, *(kit.charge(metric, amount="1") for metric in metrics.values()))
    subscription = await kit.subscribe(client, who, plan, external_id="sub")
    for number in range(48):
        await send(client, f"event {number}", dice.randrange(8), some_day(dice), code=KINDS[number % 6])
    await kit.advance(client, "2026-01-20T00:00")
    monkeypatch.setattr(rollups, "WORTH_IT", 1)
    seen = [await usage_of(client, who, subscription)]
    await rollups.build_wanted(database)
    closed: list[kit.Json] = []
    for kind in KINDS * 2:
        backfill = await begin(client, "2026-01-03", "2026-01-07", code=kind)
        names = [f"{kind} {len(closed)} {number}" for number in range(4)]
        await add(
            client,
            backfill,
            *(an_event(name, dice.randrange(8), some_day(dice, first=3, last=6)) for name in names),
        )
        await step(client, backfill, "close")
        closed.append(backfill)
        seen.append(await answers_alike(client, who, subscription, monkeypatch))
        if dice.random() < 0.4:
            await rollups.build_wanted(database)
    assert seen[-1] != seen[0]
    for backfill in reversed(closed):
        assert await answers_alike(client, who, subscription, monkeypatch) == seen.pop()
        await step(client, backfill, "revert")
    assert [await answers_alike(client, who, subscription, monkeypatch)] == seen
    await kit.assert_audit_clean(database, organization.id)


def some_day(dice, *, first=1, last=10):
    at = datetime(2026, 1, dice.randint(first, last), dice.randrange(24), dice.randrange(60), tzinfo=UTC)
    return at.strftime("%Y-%m-%dT%H:%M")


async def answers_alike(client, who, subscription, monkeypatch):
    rolled = await usage_of(client, who, subscription)
    with monkeypatch.context() as patch:
        patch.setattr(aggregation, "choose", lambda *_: None)
        assert rolled == await usage_of(client, who, subscription)
    return rolled


async def usage_of(client, who, subscription):
    found = await kit.usage(client, who, subscription)
    return sorted(
        (charge["billable_metric"]["code"], charge["units"], charge["amount_cents"], charge["events_count"])
        for charge in found["charges_usage"]
    )
