"""Events are corrected: the newest version counts, everywhere and at once, unless it is billed (beyond.md §3)."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from tests import kit
from tests.people import sign_up

from tallymark.metering import aggregation, rollups

WHY = "the meter was wrong"


@pytest.fixture
async def world(make_organization):
    """One customer who pays 2 for each unit from 1 January on."""
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    calls = await kit.metric(client, code="calls")
    plan = await kit.plan(client, kit.charge(calls, amount="2"), code="plan")
    who = await kit.customer(client, external_id="acme", currency="EUR")
    subscription = await kit.subscribe(client, who, plan, external_id="sub")
    return organization, who, subscription


async def send(client, transaction_id, value, **more):
    event = {"transaction_id": transaction_id, "external_subscription_id": "sub", "code": "calls"}
    await kit.post(client, "/events", {"event": {**event, "properties": {"value": value}, **more}})


async def correct(
    client, transaction_id, how="amend", *, expect=200, reason=WHY, subscription="sub", **changes
):
    body = {"event": {"external_subscription_id": subscription, "reason": reason, **changes}}
    path = f"/events/{transaction_id}/{how}"
    return (await kit.call(client, "POST", path, body, expect=expect)).get("event")


async def units(client, who, subscription):
    (charge,) = (await kit.usage(client, who, subscription))["charges_usage"]
    return charge["units"], charge["events_count"], charge["amount_cents"]


async def test_the_newest_version_counts_and_all_are_kept(world):
    organization, who, subscription = world
    client = organization.client
    await send(client, "one", 5)
    await send(client, "two", 7)
    assert await units(client, who, subscription) == ("12.0", 2, 2400)
    await kit.advance(client, "2026-01-02T00:00")
    corrected = await correct(client, "two", properties={"value": "3"})
    assert (corrected["version"], corrected["status"], corrected["properties"]) == (
        2,
        "counted",
        {"value": "3"},
    )
    assert await units(client, who, subscription) == ("8.0", 2, 1600)
    found = (await kit.get(client, "/events/two"))["event"]
    assert found["properties"] == {"value": "3"}
    assert found["created_at"] == "2026-01-01T00:00:00Z"
    versions = await kit.get(client, "/events/two/versions", external_subscription_id="sub")
    first, second = versions["versions"]
    assert (first["version"], first["properties"], first["reason"]) == (1, {"value": 7}, None)
    assert (first["lago_api_key_id"], first["created_at"]) == (None, "2026-01-01T00:00:00Z")
    assert (second["version"], second["properties"], second["reason"]) == (2, {"value": "3"}, WHY)
    assert second["lago_api_key_id"] is not None
    assert second["created_at"] == "2026-01-02T00:00:00Z"
    (only,) = (await kit.get(client, "/events/one/versions", external_subscription_id="sub"))["versions"]
    assert (only["version"], only["properties"], only["status"]) == (1, {"value": 5}, "counted")


async def test_a_voided_event_counts_nowhere_and_amending_brings_it_back(world):
    organization, who, subscription = world
    client = organization.client
    await send(client, "one", 5)
    await send(client, "two", 7)
    voided = await correct(client, "two", "void")
    assert (voided["version"], voided["status"]) == (2, "voided")
    assert await units(client, who, subscription) == ("5.0", 1, 1000)
    await kit.get(client, "/events/two", expect=404)
    assert [event["transaction_id"] for event in (await kit.get(client, "/events"))["events"]] == ["one"]
    unmatched = await kit.get(client, "/events", unmatched="true")
    assert unmatched["events"] == []
    # Its transaction id is taken for ever (metering §1.1).
    event = {"transaction_id": "two", "external_subscription_id": "sub", "code": "calls"}
    await kit.call(client, "POST", "/events", {"event": event}, expect=422)
    again = await kit.call(
        client,
        "POST",
        "/events/two/void",
        {"event": {"external_subscription_id": "sub", "reason": WHY}},
        expect=405,
    )
    assert again["code"] == "event_already_voided"
    await correct(client, "two")
    assert await units(client, who, subscription) == ("12.0", 2, 2400)
    versions = await kit.get(client, "/events/two/versions", external_subscription_id="sub")
    assert [(one["version"], one["status"]) for one in versions["versions"]] == [
        (1, "counted"),
        (2, "voided"),
        (3, "counted"),
    ]


async def test_only_what_is_sent_changes_and_expressions_are_evaluated_anew(make_organization):
    """ceil(7 × 1.5) is 11 and ceil(9 × 1.5) is 14; with the second of an hour added, 7 × 1.5 + 1 is 11.5."""
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    metric = await kit.metric(
        client, code="calls", field_name="billed", expression="ceil(event.properties.value * 1.5)"
    )
    plan = await kit.plan(client, kit.charge(metric, amount="2"))
    who = await kit.customer(client, currency="EUR")
    subscription = await kit.subscribe(client, who, plan, external_id="sub")
    await send(client, "one", 7, precise_total_amount_cents="12.5")
    assert (await units(client, who, subscription))[0] == "11.0"
    changed = await correct(client, "one", properties={"value": 9, "note": 1.10})
    assert changed["properties"]["billed"] == "14.0"
    assert changed["precise_total_amount_cents"] == "12.5"
    assert changed["timestamp"] == "2026-01-01T00:00:00.000Z"
    moved = await correct(client, "one", timestamp=1767225600 + 90.25)
    assert moved["timestamp"] == "2026-01-01T00:01:30.250Z"
    assert moved["properties"] == {"value": 9, "note": 1.1, "billed": "14.0"}
    failed = await kit.call(
        client,
        "POST",
        "/events/one/amend",
        {"event": {"external_subscription_id": "sub", "reason": WHY, "properties": {"value": "x"}}},
        expect=422,
    )
    assert failed["error_details"].startswith("expression_evaluation_failed: ")
    assert (await units(client, who, subscription))[0] == "14.0"


async def test_what_is_on_a_final_invoice_is_refused(world):
    """January is invoiced on 1 February; what is dated in it can be neither changed nor added to."""
    organization, who, subscription = world
    client = organization.client
    await send(client, "january", 5)
    await kit.advance(client, "2026-02-02T00:00")
    await send(client, "february", 7)
    (invoice,) = await kit.invoices(client, who)
    assert invoice["total_amount_cents"] == 1000
    for how, changes in (("amend", {"properties": {"value": 1}}), ("void", {})):
        body = {"event": {"external_subscription_id": "sub", "reason": WHY, **changes}}
        refused = await kit.call(client, "POST", f"/events/january/{how}", body, expect=405)
        assert refused["code"] == "period_already_invoiced"
    await correct(client, "february", timestamp="1768003200", expect=405)  # 10 January
    assert await units(client, who, subscription) == ("7.0", 1, 1400)
    (same,) = (await kit.get(client, "/events/january/versions", external_subscription_id="sub"))["versions"]
    assert same["version"] == 1


async def test_what_carries_over_is_on_every_later_invoice(make_organization):
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    seats = await kit.metric(client, code="calls", recurring=True)
    who = await kit.customer(client, currency="EUR")
    subscription = await kit.subscribe(
        client, who, await kit.plan(client, kit.charge(seats, amount="2")), external_id="sub"
    )
    await send(client, "before", 5, timestamp=1764547200)  # 1 December: carried into January
    await kit.advance(client, "2026-02-02T00:00")
    await send(client, "now", 4)
    await correct(client, "before", "void", expect=405)
    await correct(client, "now", properties={"value": 6})
    assert await units(client, who, subscription) == ("11.0", 2, 2200)


async def test_what_came_too_late_and_carried_over_is_billed_where_it_was_carried_to(make_organization):
    """It is on no bill of January, for which it was late, but on that of February."""
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    seats = await kit.metric(client, code="calls", recurring=True)
    who = await kit.customer(client, currency="EUR")
    await kit.subscribe(client, who, await kit.plan(client, kit.charge(seats, amount="2")), external_id="sub")
    await kit.advance(client, "2026-02-02T00:00")
    await send(client, "late", 5, timestamp=1768003200)  # 10 January
    await kit.advance(client, "2026-03-02T00:00")
    assert [invoice["fees_amount_cents"] for invoice in await kit.invoices(client, who)] == [0, 1000]
    refused = await kit.call(
        client,
        "POST",
        "/events/late/void",
        {"event": {"external_subscription_id": "sub", "reason": WHY}},
        expect=405,
    )
    assert refused["code"] == "period_already_invoiced"


async def test_an_event_with_a_fee_of_its_own_is_billed(make_organization):
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    calls = await kit.metric(client, code="calls")
    at_once = {**kit.charge(calls, amount="2"), "pay_in_advance": True}
    who = await kit.customer(client, currency="EUR")
    await kit.subscribe(client, who, await kit.plan(client, at_once), external_id="sub")
    await send(client, "one", 5)
    await correct(client, "one", "void", expect=405)
    # One without a usable value made no fee (metering §8.1); amended it makes one, once.
    await send(client, "two", "none")
    await correct(client, "two", properties={"value": 3})
    fees = (await kit.get(client, "/fees", fee_type="charge"))["fees"]
    assert sorted(fee["amount_cents"] for fee in fees) == [600, 1000]
    await correct(client, "two", properties={"value": 4}, expect=405)


async def test_unmatched_events_are_mended(world):
    """Without its property an event counts nowhere; one that came too late counts where it is moved to."""
    organization, who, subscription = world
    client = organization.client
    await send(client, "wrong", "many")
    assert await reasons(client) == {"wrong": "invalid_property"}
    await correct(client, "wrong", properties={"value": 4})
    assert await reasons(client) == {}
    await correct(client, "wrong", properties={})
    assert await reasons(client) == {"wrong": "missing_property"}
    await correct(client, "wrong", properties={"value": 4})
    await kit.advance(client, "2026-02-02T00:00")
    await send(client, "late", 3, timestamp="1768003200")  # 10 January
    assert await reasons(client) == {"late": "too_late"}
    await correct(client, "late", timestamp="1769990400")  # 2 February
    assert await reasons(client) == {}
    assert await units(client, who, subscription) == ("3.0", 1, 600)


async def reasons(client):
    found = (await kit.get(client, "/events", unmatched="true"))["events"]
    return {event["transaction_id"]: event["unmatched_reason"] for event in found}


async def test_drafts_wallets_and_lifetime_usage_follow_at_once(make_organization):
    """5 and 7 at 2 are 24.00; with 3 for 7 it is 16.00, of a wallet of 100 credits."""
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    calls = await kit.metric(client, code="calls")
    grace = {"invoice_grace_period": 5}
    who = await kit.customer(client, currency="EUR", billing_configuration=grace)
    plan = await kit.plan(client, kit.charge(calls, amount="2"), usage_thresholds=[{"amount_cents": 100_000}])
    await kit.subscribe(client, who, plan, external_id="sub")
    wallet = {"external_customer_id": who["external_id"], "rate_amount": "1", "currency": "EUR"}
    await kit.post(client, "/wallets", {"wallet": {**wallet, "granted_credits": "100"}})
    await send(client, "one", 5)
    await send(client, "two", 7)
    assert await follows(client) == (7600, 2400)
    await correct(client, "two", properties={"value": 3})
    assert await follows(client) == (8400, 1600)
    await kit.advance(client, "2026-02-02T00:00")
    (draft,) = await kit.invoices(client, who)
    assert (draft["status"], draft["fees_amount_cents"]) == ("draft", 1600)
    await correct(client, "one", "void")
    await kit.call(client, "PUT", f"/invoices/{draft['lago_id']}/refresh")
    (draft,) = await kit.invoices(client, who)
    assert draft["fees_amount_cents"] == 600
    await correct(client, "one", properties={"value": 1})
    await kit.advance(client, "2026-02-07T00:00")
    (final,) = await kit.invoices(client, who)
    assert (final["status"], final["fees_amount_cents"]) == ("finalized", 800)
    await correct(client, "one", "void", expect=405)


async def follows(client):
    """The ongoing balance of the wallet, and the lifetime usage."""
    (wallet,) = (await kit.get(client, "/wallets"))["wallets"]
    lifetime = (await kit.get(client, "/subscriptions/sub/lifetime_usage"))["lifetime_usage"]
    return wallet["ongoing_balance_cents"], lifetime["current_usage_amount_cents"]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"reason": " "}, "reason", "value_is_mandatory"),
        ({"external_subscription_id": None}, "external_subscription_id", "value_is_mandatory"),
        ({"timestamp": "yesterday"}, "timestamp", "invalid_format"),
        ({"properties": [1]}, "properties", "invalid_type"),
        ({"precise_total_amount_cents": "a lot"}, "precise_total_amount_cents", "invalid_amount"),
    ],
)
async def test_what_is_wrong_with_a_correction_is_told(world, changes, field, code):
    client = world[0].client
    await send(client, "one", 5)
    body = {"event": {"external_subscription_id": "sub", "reason": WHY, **changes}}
    found = await kit.call(client, "POST", "/events/one/amend", body, expect=422)
    assert found["error_details"] == {field: [code]}
    versions = await kit.get(client, "/events/one/versions", external_subscription_id="sub")
    assert len(versions["versions"]) == 1


async def test_nobody_corrects_what_is_not_theirs(world, other_client):
    client = world[0].client
    await send(client, "one", 5)
    for how in ("amend", "void"):
        body = {"event": {"external_subscription_id": "sub", "reason": WHY}}
        assert (await kit.call(other_client, "POST", f"/events/one/{how}", body, expect=404))[
            "code"
        ] == "event_not_found"
        body["event"]["external_subscription_id"] = "another"
        await kit.call(client, "POST", f"/events/one/{how}", body, expect=404)
    await kit.get(other_client, "/events/one/versions", external_subscription_id="sub", expect=404)
    await kit.call(client, "POST", "/events/one/amend", {}, expect=400)


KINDS = ("count_agg", "sum_agg", "max_agg", "latest_agg", "unique_count_agg", "weighted_sum_agg")


async def test_what_was_added_up_in_advance_follows(make_organization, database, monkeypatch):
    """Events of six metrics are amended, voided and brought back at random; roll-ups answer as the events do."""
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    dice = random.Random(11)
    metrics = {}
    for kind in KINDS:
        more = {"weighted_interval": "seconds"} if kind == "weighted_sum_agg" else {}
        metrics[kind] = await kit.metric(client, kind, code=kind, **more)
    who = await kit.customer(client, currency="EUR")
    plan = await kit.plan(client, *(kit.charge(metric, amount="1") for metric in metrics.values()))
    subscription = await kit.subscribe(client, who, plan, external_id="sub")
    names = []
    for number in range(60):
        kind = KINDS[number % 6]
        names.append(f"event-{number}")
        event: dict[str, object] = {
            "transaction_id": names[-1],
            "external_subscription_id": "sub",
            "code": kind,
        }
        event |= {"timestamp": some_instant(dice), "properties": {"value": dice.randrange(8)}}
        await kit.post(client, "/events", {"event": event})
    monkeypatch.setattr(rollups, "WORTH_IT", 1)
    start = await usage_of(client, who, subscription)
    assert await rollups.build_wanted(database) == 6
    undo = {}
    for name in dice.sample(names, 30):
        (version,) = (await kit.get(client, f"/events/{name}/versions", external_subscription_id="sub"))[
            "versions"
        ]
        undo[name] = version["properties"], version["timestamp"]
        if dice.random() < 0.4:
            await correct(client, name, "void")
        else:
            value = {"value": dice.choice([dice.randrange(8), "none"])}
            await correct(client, name, properties=value, timestamp=some_instant(dice))
        if dice.random() < 0.3:
            await rollups.build_wanted(database)
        rolled = await usage_of(client, who, subscription)
        with monkeypatch.context() as patch:
            patch.setattr(aggregation, "choose", lambda *_: None)
            assert rolled == await usage_of(client, who, subscription)
    assert rolled != start
    for name, (properties, timestamp) in undo.items():
        await correct(client, name, properties=properties, timestamp=seconds_of(timestamp))
    assert await usage_of(client, who, subscription) == start


def some_instant(dice):
    """Some second of four days of January."""
    return 1767225600 + dice.randrange(4 * 86400)


def seconds_of(text):
    return int(datetime.fromisoformat(text).timestamp())


async def usage_of(client, who, subscription):
    found = await kit.usage(client, who, subscription)
    return sorted(
        (charge["billable_metric"]["code"], charge["units"], charge["amount_cents"], charge["events_count"])
        for charge in found["charges_usage"]
    )


async def test_somebody_in_the_web_app_is_named(application):
    """Beyond §3: all versions with who, a key or a user; backfills too."""
    person = await sign_up(application)
    person.browser.headers["X-Lago-Organization"] = person.organization_id
    made = (await person.browser.post("/api_keys", json={"api_key": {"name": "k"}})).json()["api_key"]
    person.browser.base_url = "http://test/api/v1"
    plan = await kit.plan(person.browser, kit.charge(await kit.metric(person.browser, code="calls")))
    subscription = await kit.subscribe(
        person.browser, await kit.customer(person.browser), plan, external_id="s"
    )
    event = {
        "transaction_id": "one",
        "external_subscription_id": "s",
        "code": "calls",
        "properties": {"value": 1},
    }
    with_key = {"Authorization": f"Bearer {made['value']}"}
    assert (await person.browser.post("/events", json={"event": event}, headers=with_key)).status_code == 200
    await correct(person.browser, "one", subscription="s", properties={"value": 2})
    versions = await kit.get(person.browser, "/events/one/versions", external_subscription_id="s")
    assert [(one["user_email"], one["lago_api_key_id"]) for one in versions["versions"]] == [
        (None, None),
        (person.email, None),
    ]
    now = datetime.now(UTC)
    body = {
        "external_subscription_id": "s", "code": "calls", "reason": WHY,
        "from": subscription["started_at"], "to": (now + timedelta(hours=1)).isoformat(),
    }  # fmt: skip
    opened = (await kit.post(person.browser, "/event_backfills", {"event_backfill": body}))["event_backfill"]
    assert (opened["user_email"], opened["lago_api_key_id"]) == (person.email, None)
    path = f"/event_backfills/{opened['lago_id']}"
    await kit.post(person.browser, f"{path}/close", {})
    versions = await kit.get(person.browser, "/events/one/versions", external_subscription_id="s")
    assert [(one["status"], one["user_email"]) for one in versions["versions"]][2:] == [
        ("voided", person.email)
    ]
