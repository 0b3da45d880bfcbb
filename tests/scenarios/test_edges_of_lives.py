"""The instant at which a subscription ends and another begins: an event counts once, or is told to count nowhere (subscriptions §3.6, §3.9)."""

import pytest
from tests import kit


@pytest.fixture
async def seller(make_organization):
    """Units at 2.00, billed by the month from 20 June 2025 on."""
    client = (await make_organization("2025-06-20T00:00:00Z")).client
    client.metric = await kit.metric(client)
    client.plan = await kit.plan(client, kit.charge(client.metric, amount="2"))
    client.who = await kit.customer(client)
    return client


async def subscribe(seller, **more):
    return await kit.subscribe(seller, seller.who, seller.plan, external_id="s", **more)


async def use(seller, units, when):
    await kit.send(seller, {"external_id": "s"}, seller.metric, units, timestamp=kit.epoch(when))


async def billed(seller):
    """The cents of usage on each invoice, oldest first."""
    made = await kit.invoices(seller, seller.who)
    return [sum(fee["amount_cents"] for fee in invoice["fees"]) for invoice in made]


async def unmatched(seller):
    found = (await kit.get(seller, "/events", unmatched="true"))["events"]
    return [(event["properties"]["value"], event["unmatched_reason"]) for event in found]


async def test_the_midnight_at_which_an_ending_date_ends_a_period_is_told_as_unmatched(seller):
    """It ends as of 1 July, 00:00: June is billed, and nothing of 1 July (§2.9, §6.12)."""
    await subscribe(seller, ending_at="2025-07-01T18:00:00Z")
    await use(seller, 7, "2025-06-30T23:59:59")
    await use(seller, 100, "2025-07-01T00:00:00")
    await kit.advance(seller, "2025-07-01T00:10")
    assert await billed(seller) == [1400]
    assert await unmatched(seller) == [(100, "outside_subscription")]


async def test_a_new_subscription_begins_with_that_midnight(seller):
    """The next window begins where the last one ended, so the event counts in July, once (§3.9)."""
    await subscribe(seller, ending_at="2025-07-01T18:00:00Z")
    await use(seller, 7, "2025-06-30T23:59:59")
    await use(seller, 100, "2025-07-01T00:00:00")
    await kit.advance(seller, "2025-07-20")
    again = await subscribe(seller, subscription_at="2025-06-20T00:00:00Z")
    assert again["started_at"] == "2025-07-01T00:00:00.000Z"
    await kit.advance(seller, "2025-08-01T00:10")
    assert await billed(seller) == [1400, 20000]
    assert await unmatched(seller) == []


async def test_an_ending_date_within_a_period_has_its_midnight_inside(seller):
    """It ends as of 5 July, 00:00, and that instant is the last of its usage (§3.9)."""
    await subscribe(seller, ending_at="2025-07-05T18:00:00Z")
    await use(seller, 3, "2025-07-05T00:00:00")
    await use(seller, 100, "2025-07-05T00:00:01")
    await kit.advance(seller, "2025-07-05T00:10")
    assert await billed(seller) == [0, 600]
    assert await unmatched(seller) == [(100, "outside_subscription")]


async def test_an_end_by_hand_before_its_period_is_billed_leaves_the_rest_unmatched(seller):
    """At 00:05 on 1 July nobody has billed June: the last invoice does, and has nothing of July (§3.6)."""
    await subscribe(seller)
    await use(seller, 7, "2025-06-30T23:59:59")
    await kit.advance(seller, "2025-07-01T00:05")
    await use(seller, 100, "2025-07-01T00:03:00")
    assert await unmatched(seller) == []
    await kit.call(seller, "DELETE", "/subscriptions/s")
    await kit.advance(seller, "2025-08-01T00:10")
    assert await billed(seller) == [1400]
    assert await unmatched(seller) == [(100, "outside_subscription")]


async def test_an_end_by_hand_after_its_period_is_billed_bills_what_came_since(seller):
    """At 09:00 on 1 July June has its invoice: the last one has the nine hours, and the instant of the end (§3.9)."""
    await subscribe(seller)
    await use(seller, 7, "2025-06-30T23:59:59")
    await kit.advance(seller, "2025-07-01T09:00")
    await use(seller, 5, "2025-07-01T00:00:00")
    await kit.call(seller, "DELETE", "/subscriptions/s")
    assert await billed(seller) == [1400, 1000]
    assert await unmatched(seller) == []


async def test_usage_of_an_end_without_an_invoice_is_matched(seller):
    """Whoever waives the last invoice waives usage that there was (decision 10)."""
    await subscribe(seller)
    await kit.advance(seller, "2025-07-01T00:05")
    await use(seller, 100, "2025-07-01T00:03:00")
    await kit.call(seller, "DELETE", "/subscriptions/s", on_termination_invoice="skip")
    await kit.advance(seller, "2025-08-01T00:10")
    assert await unmatched(seller) == []


async def test_the_first_instant_of_a_cheaper_plan_that_lacks_the_charge_is_told(seller):
    """The old plan's last period ends with 31 July; 1 August, 00:00, is the new plan's, which bills no usage (§2.6, §3.9)."""
    dear = await kit.plan(seller, kit.charge(seller.metric, amount="2"), amount_cents=9300)
    bare = await kit.plan(seller, amount_cents=3100)
    await kit.subscribe(seller, seller.who, dear, external_id="s")
    await kit.subscribe(seller, seller.who, bare, external_id="s")
    await use(seller, 7, "2025-06-30T23:59:59")
    await use(seller, 100, "2025-07-01T00:00:00")
    await kit.advance(seller, "2025-07-01T00:10")
    assert await unmatched(seller) == [(100, "no_charge")]


async def test_an_end_within_a_year_bills_its_usage(seller):
    """7 units at 2.00 of a year of which fixed charges alone are billed monthly: what usage showed is billed (README 7)."""
    year = await kit.plan(
        seller,
        kit.charge(seller.metric, amount="2"),
        interval="yearly",
        bill_fixed_charges_monthly=True,
    )
    await kit.subscribe(seller, seller.who, year, external_id="s")
    await use(seller, 7, "2025-06-20T00:00:01")
    await kit.advance(seller, "2025-09-20T12:00")
    assert (await kit.usage(seller, seller.who, {"external_id": "s"}))["amount_cents"] == 1400
    await kit.call(seller, "DELETE", "/subscriptions/s")
    assert (await billed(seller))[-1] == 1400
