"""What was billed event by event, and what was renewed of it, follows corrections and backfills (pricing §8.2, beyond.md §3)."""

import random

import pytest
from tests import kit
from tests.rooms.test_corrections_of_what_is_billed import (
    NEXT,
    NOW,
    WHY,
    begin,
    billed,
    correct,
    graduated,
    notes,
    one_offs,
    send,
)


async def in_advance(client, *, recurring=False, names=("sub",), **charge):
    """Customers who pay for each call at once: 2.00 for the first five, 1.00 beyond."""
    calls = await kit.metric(client, code="calls", recurring=recurring)
    tiers = graduated((5, "2", "0"), (None, "1", "0"))
    at_once = {**kit.charge(calls, "graduated", graduated_ranges=tiers), "pay_in_advance": True, **charge}
    plan = await kit.plan(client, at_once, code="plan")
    for name in names:
        who = await kit.customer(client, external_id=f"of {name}", currency="EUR")
        await kit.subscribe(client, who, plan, external_id=name)
    return who


async def given(client):
    """What notes gave back before taxes, by the first day of the fee."""
    found: dict[str, int] = {}
    for note in await notes(client):
        for item in (await kit.get(client, f"/credit_notes/{note['lago_id']}"))["credit_note"]["items"]:
            day = item["fee"]["from_date"][:10]
            found[day] = found.get(day, 0) + item["amount_cents"]
    return found


async def replace(client, events, *, ends="2026-01-31", begins="2026-01-01"):
    """Replace all events of January by some; the path of the backfill, closed."""
    body = {"external_subscription_id": "sub", "code": "calls", "from": begins, "to": ends, "reason": WHY}
    made = await kit.post(client, "/event_backfills", {"event_backfill": body})
    path = f"/event_backfills/{made['event_backfill']['lago_id']}"
    sent = [
        {"transaction_id": name, "properties": {"value": value}, "timestamp": kit.epoch(day)}
        for name, value, day in events
    ]
    await kit.post(client, f"{path}/events", {"events": sent})
    return path, (await kit.post(client, f"{path}/close", {}))["event_backfill"]


async def used_cents(client):
    """What the running period's usage comes to by now, in all and by the groups of its charge that cost anything."""
    asked = {"external_subscription_id": "sub", "apply_taxes": "false"}
    found = (await kit.get(client, "/customers/of%20sub/current_usage", **asked))["customer_usage"]
    (charge,) = found["charges_usage"]
    assert charge["amount_cents"] == found["amount_cents"]
    groups = {
        tuple(one["grouped_by"].values()): one["amount_cents"]
        for one in charge["grouped_usage"]
        if one["amount_cents"]
    }
    return found["amount_cents"], groups


@pytest.mark.parametrize("charge", [{}, {"invoiceable": False}])
async def test_current_usage_has_renewals_as_they_are_now(make_organization, database, charge):
    """5 seats of January are 10.00 again for February, and 3 more 3.00. With 4 they are 8.00 and 4.00, with 5 for the 3 then 8.00 and 6.00.

    Without the first, nothing and 10.00; without both nothing.
    """
    organization, client = await begin(make_organization)
    await in_advance(client, recurring=True, **charge)
    await send(client, "one", 5)
    await kit.advance(client, "2026-02-10T00:00")
    await send(client, "two", 3)
    assert await used_cents(client) == (1300, {})
    await correct(client, "one", properties={"value": 4})
    assert await used_cents(client) == (1200, {})
    await correct(client, "two", properties={"value": 5})
    assert await used_cents(client) == (1400, {})
    await correct(client, "one", "void")
    assert await used_cents(client) == (1000, {})
    await correct(client, "two", "void")
    assert await used_cents(client) == (0, {})
    await kit.assert_audit_clean(database, organization.id)


async def test_current_usage_has_renewals_by_the_groups_they_are_of_now(make_organization, database):
    """5 seats of the east are 10.00 for February. Those of the west they are 10.00 there; of nowhere, too."""
    organization, client = await begin(make_organization, NEXT)
    tiers = graduated((5, "2", "0"), (None, "1", "0"))
    grouped = {"properties": {"graduated_ranges": tiers, "pricing_group_keys": ["side"]}}
    await in_advance(client, recurring=True, **grouped)
    await send(client, "one", 5, properties={"side": "east"})
    await kit.advance(client, "2026-02-10T00:00")
    assert await used_cents(client) == (1000, {("east",): 1000})
    await correct(client, "one", properties={"value": 5, "side": "west"})
    assert await used_cents(client) == (1000, {("west",): 1000})
    await correct(client, "one", properties={"value": 5})
    assert await used_cents(client) == (1000, {(None,): 1000})
    await kit.advance(client, "2026-02-12T00:00")
    await kit.assert_audit_clean(database, organization.id)


async def test_a_correction_goes_through_to_prices_of_ones_own(make_organization, database):
    """The same 5 seats of January and 3 more of February, which come after the subscription was given prices of its own.

    They are 10.00, again 10.00 and 3.00; March's eight are 13.00. With 4 of January: 8.00, 8.00 and 4.00, 12.00.
    """
    organization, client = await begin(make_organization)
    await in_advance(client, recurring=True)
    await send(client, "one", 5)
    await kit.advance(client, "2026-02-10T00:00")
    await kit.call(client, "PUT", "/subscriptions/sub", {"subscription": {"plan_overrides": {"name": "Own"}}})
    assert await used_cents(client) == (1000, {})
    await send(client, "two", 3)
    assert await used_cents(client) == (1300, {})
    await kit.advance(client, "2026-03-02T00:00")
    assert sum((await billed(client, "sub")).values()) == 1000 + 1000 + 300 + 1300
    await correct(client, "one", properties={"value": 4})
    assert sum((await billed(client, "sub")).values()) == 800 + 800 + 400 + 1200
    await kit.assert_audit_clean(database, organization.id)


async def test_what_was_renewed_follows_with_the_events_after_it(make_organization, database):
    """5 seats of January are 10.00, and 10.00 again for February; 3 more are 3.00, and March's eight 13.00.

    With 4 of January these are 8.00, 8.00, 4.00 (one at 2.00) and 12.00: 2.00 less, 2.00 less and 1.00 more, 1.00 less. Without any
    they are nothing, nothing, 6.00 and 6.00.
    """
    organization, client = await begin(make_organization)
    await in_advance(client, recurring=True)
    await send(client, "one", 5)
    await kit.advance(client, "2026-02-10T00:00")
    await send(client, "two", 3)
    await kit.advance(client, "2026-03-02T00:00")
    assert sum((await billed(client, "sub")).values()) == 1000 + 1000 + 300 + 1300
    await correct(client, "one", properties={"value": 4})
    assert await given(client) == {"2026-01-01": 200, "2026-02-01": 100, "2026-03-01": 100}
    await kit.assert_audit_clean(database, organization.id)
    await correct(client, "one", "void")
    assert await given(client) == {"2026-01-01": 1000, "2026-02-01": 700, "2026-03-01": 700}
    assert sum((await billed(client, "sub")).values()) == 600 + 600
    # What comes next is priced on top of that: the fourth and fifth at 2.00, the sixth at 1.00.
    await send(client, "three", 3)
    (fee,) = (await kit.get(client, "/fees", event_transaction_id="three"))["fees"]
    assert fee["amount_cents"] == 500
    await correct(client, "one", properties={"value": 5})
    # The ninth to eleventh call are 3.00 now, 2.00 less, in March, where 7.00 were given back.
    assert sum((await billed(client, "sub")).values()) == 1000 + 1000 + 300 + 1300 + 300
    await kit.assert_audit_clean(database, organization.id)


async def test_decreases_of_percentages_and_dynamic_prices(make_organization, database):
    """10 % and 1.00 an event of 10, −4 and 9 calls: 2.00, nothing, and of 15 the five above the mark: 0.50 + 1.00.

    Without the decrease, with 0 in its place, nine are above the mark: 0.40 more. With −12 in its place none is: 2.00 in all.
    What they bring themselves is 10.00, 3.00 and 2.00; with −12 less than nothing is left after the second, which then brings
    nothing, and with −20 after the third, too.
    """
    organization, client = await begin(make_organization)
    calls = await kit.metric(client, code="calls")
    who = await kit.customer(client, external_id="acme", currency="EUR")
    share = {
        **kit.charge(calls, "percentage", rate="10", fixed_amount="1"),
        "pay_in_advance": True,
        "code": "share",
    }
    own = {**kit.charge(calls, "dynamic"), "pay_in_advance": True, "code": "own"}
    await kit.subscribe(client, who, await kit.plan(client, share, own), external_id="sub")
    for name, value, cents in (("one", 10, "1000"), ("two", -4, "300"), ("three", 9, "200")):
        await send(client, name, value, precise_total_amount_cents=cents)
    await kit.advance(client, "2026-02-02T00:00")
    assert sum((await billed(client, "sub")).values()) == 200 + 150 + 1500
    for value, shares, owns in ((0, 200 + 190, 1500), (-12, 200, 1200), (-20, 200, 1000), (-4, 350, 1500)):
        await correct(client, "two", properties={"value": value}, precise_total_amount_cents="300")
        assert sum((await billed(client, "sub")).values()) == shares + owns
        await kit.assert_audit_clean(database, organization.id)


async def test_backfills_replace_events_with_fees_of_their_own(make_organization, database):
    """8 calls, 5 and 4 were 13.00, 5.00 and 4.00. 2 and 20 in their place are 4.00 and, priced by itself, 6.00 + 17.00.

    Reverted they cost what they did: nothing is left of what the backfill brought.
    """
    organization, client = await begin(make_organization)
    who = await in_advance(client)
    for name, value in (("one", 8), ("two", 5), ("three", 4)):
        await send(client, name, value)
    assert sum((await billed(client, "sub")).values()) == 1300 + 500 + 400
    await kit.advance(client, "2026-02-02T00:00")
    path, closed = await replace(client, [("one", 2, "2026-01-05"), ("new", 20, "2026-01-06")])
    (january,) = closed["periods"]
    # What is priced by itself soon after is told by then.
    assert january["from_datetime"][:10] == "2026-01-01"
    assert january["charges"][0]["amount_before_cents"] == 2200
    assert january["charges"][0]["amount_after_cents"] == 400
    await kit.advance(client, "2026-02-02T01:00")
    (fee,) = (await kit.get(client, "/fees", event_transaction_id="new"))["fees"]
    assert fee["amount_cents"] == 2300
    assert sum((await billed(client, "sub")).values()) == 400 + 2300
    await kit.assert_audit_clean(database, organization.id)
    await kit.post(client, f"{path}/revert", {})
    assert sum((await billed(client, "sub")).values()) == 2200
    assert await one_offs(client, who) == []
    await kit.assert_audit_clean(database, organization.id)
    await kit.call(
        client, "PUT", "/organizations", {"organization": {"metering": {"event_correction_policy": "refuse"}}}
    )
    body = {"external_subscription_id": "sub", "code": "calls", "from": "2026-01-01", "to": "2026-01-31"}
    made = await kit.post(client, "/event_backfills", {"event_backfill": {**body, "reason": WHY}})
    path = f"/event_backfills/{made['event_backfill']['lago_id']}/close"
    assert (await kit.post(client, path, {}, expect=405))["code"] == "period_already_invoiced"


async def test_a_backfill_of_what_carries_over_changes_what_was_renewed(make_organization, database):
    """2 seats for the 5 of January: 4.00 for 10.00, and 4.00 for February's 10.00; 4 new ones are 7.00 more for February."""
    organization, client = await begin(make_organization)
    await in_advance(client, recurring=True)
    await send(client, "one", 5)
    await kit.advance(client, "2026-02-02T00:00")
    await replace(client, [("one", 2, "2026-01-05"), ("new", 4, "2026-01-06")])
    await kit.advance(client, "2026-02-02T01:00")
    # January: 2 are 4.00, 4 more are 7.00. February: six are 11.00.
    assert await given(client) == {"2026-01-01": 600}
    assert sum((await billed(client, "sub")).values()) == 400 + 700 + 1100
    await kit.assert_audit_clean(database, organization.id)


@pytest.mark.parametrize(("seed", "policy"), [(0, NOW), (1, NEXT)])
async def test_what_was_billed_and_its_adjustments_are_what_the_corrected_events_cost(
    make_organization, database, seed, policy
):
    """Of distinct seats by the day, over three months: as a twin who sent what is right at first."""
    chance = random.Random(seed)
    organization, client = await begin(make_organization, policy)
    calls = await kit.metric(client, "unique_count_agg", code="calls", recurring=True)
    seats = {**kit.charge(calls, amount="31"), "pay_in_advance": True, "prorated": True}
    plan = await kit.plan(client, seats, code="plan")
    for name in ("sub", "twin"):
        who = await kit.customer(client, external_id=f"of {name}", currency="EUR")
        await kit.subscribe(client, who, plan, external_id=name)
    days = {"2026-01": (3, 9, 20), "2026-02": (5, 16), "2026-03": (2, 8)}
    sent = {
        f"{month}-{day:02}": {"value": f"seat {chance.randrange(4)}"}
        for month, of in days.items()
        for day in of
    }
    edits: dict[str, dict[str, str] | None] = {
        day: None if chance.random() < 0.4 else {"value": f"seat {chance.randrange(4)}"}
        for day in chance.sample(sorted(sent), 4)
    }
    for day, properties in sent.items():
        await kit.advance(client, f"{day}T00:00")
        await send(client, day, 0, properties=properties)
        meant = edits.get(day, properties)
        if meant is not None:
            event = {"transaction_id": day, "external_subscription_id": "twin", "code": "calls"}
            await kit.post(client, "/events", {"event": {**event, "properties": meant}})
    await kit.advance(client, "2026-03-10T00:00")
    before = await billed(client, "sub")
    for day, meant in edits.items():
        await (correct(client, day, "void") if meant is None else correct(client, day, properties=meant))
    if policy is NOW:
        assert await billed(client, "sub") == await billed(client, "twin") != before
        await kit.assert_audit_clean(database, organization.id)
        for day in reversed(edits):
            await correct(client, day, properties=sent[day])
        assert await billed(client, "sub") == before
    else:
        await kit.advance(client, "2026-04-02T00:00")
        assert await billed(client, "sub") == await billed(client, "twin")
    await kit.assert_audit_clean(database, organization.id)
