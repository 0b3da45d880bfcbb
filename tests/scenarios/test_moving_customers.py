"""A customer moves to another time zone: no day and no event is billed twice or never (subscriptions §3.7, §5.2, §7.8)."""

import pytest
from tests import kit

NEW_YORK, TOKYO = "America/New_York", "Asia/Tokyo"


@pytest.fixture
def seller_at(make_organization):
    async def make(frozen_time: str):
        return (await make_organization(frozen_time)).client

    return make


async def move(seller, who, zone):
    await kit.customer(seller, external_id=who["external_id"], timezone=zone)


def periods(invoices):
    """(charges window, fees) of each invoice of a period."""
    return [
        (
            period["charges_from_datetime"],
            period["charges_to_datetime"],
            sorted(fee["amount_cents"] for fee in invoice["fees"]),
        )
        for invoice in invoices
        for period in invoice["billing_periods"]
        if period["invoicing_reason"] == "subscription_periodic"
    ]


async def test_a_draft_stays_one_of_the_zone_in_which_it_was_made(seller_at):
    """Billed on 1 June in Tokyo, which is 31 May in New York: when it is issued there, it is still the invoice of May."""
    seller = await seller_at("2025-04-30T15:00:00Z")
    who = await kit.customer(seller, timezone=TOKYO, billing_configuration={"invoice_grace_period": 3})
    await kit.subscribe(seller, who, await kit.plan(seller, amount_cents=3100))
    await kit.advance(seller, "2025-06-01")
    await move(seller, who, NEW_YORK)
    await kit.advance(seller, "2025-06-05")
    (may,) = await kit.invoices(seller, who)
    assert (may["status"], may["fees_amount_cents"]) == ("finalized", 3100)
    assert periods([may]) == [("2025-04-30T15:00:00Z", "2025-05-31T14:59:59Z", [3100])]
    await kit.advance(seller, "2025-07-05")
    (_, june) = await kit.invoices(seller, who)
    assert periods([june]) == [("2025-05-31T15:00:00Z", "2025-07-01T03:59:59Z", [3100])]


async def test_an_invoice_within_the_period_opens_no_gap(seller_at):
    """An event of 1 June in Tokyo, 31 May in New York, counts in June, whatever was invoiced by itself meanwhile."""
    seller = await seller_at("2025-04-30T15:00:00Z")
    counted, sold = await kit.metric(seller, "count_agg"), await kit.metric(seller)
    at_once = kit.charge(sold, amount="4") | {"pay_in_advance": True}
    plan = await kit.plan(seller, kit.charge(counted, amount="7"), at_once)
    who = await kit.customer(seller, timezone=TOKYO)
    subscription = await kit.subscribe(seller, who, plan)
    await kit.advance(seller, "2025-05-31T20:00")
    await kit.send(seller, subscription, counted, 1)
    await kit.advance(seller, "2025-06-10")
    await kit.send(seller, subscription, sold, 2)
    await move(seller, who, NEW_YORK)
    await kit.advance(seller, "2025-07-02")
    billed = periods(await kit.invoices(seller, who))
    assert billed == [
        ("2025-04-30T15:00:00Z", "2025-05-31T14:59:59Z", [0]),
        ("2025-05-31T15:00:00Z", "2025-07-01T03:59:59Z", [0, 700]),
    ]


async def test_an_anniversary_that_falls_on_another_day_is_not_billed_again(seller_at):
    """From 31 May, 21:00 in New York, which is 1 June in Tokyo: 30 June is billed, so 1 July is not; then come 31 July's events."""
    seller = await seller_at("2025-06-01T01:00:00Z")
    who = await kit.customer(seller, timezone=NEW_YORK)
    plan = await kit.plan(seller, amount_cents=3000)
    await kit.subscribe(seller, who, plan, billing_time="anniversary")
    await kit.advance(seller, "2025-07-03")
    await move(seller, who, TOKYO)
    await kit.advance(seller, "2025-08-02")
    assert periods(await kit.invoices(seller, who)) == [
        ("2025-06-01T01:00:00Z", "2025-06-30T03:59:59Z", [3000]),
        ("2025-06-30T04:00:00Z", "2025-07-31T14:59:59Z", [3000]),
    ]


async def test_what_began_elsewhere_counts_towards_the_commitment(seller_at):
    """50.00 are committed; June's 10.00 and 20.00 of usage since 31 May, 15:00 UTC, leave 20.00 (pricing §15)."""
    seller = await seller_at("2025-04-30T15:00:00Z")
    of = await kit.metric(seller)
    plan = await kit.plan(
        seller, kit.charge(of, amount="10"), amount_cents=1000, minimum_commitment={"amount_cents": 5000}
    )
    who = await kit.customer(seller, timezone=TOKYO)
    subscription = await kit.subscribe(seller, who, plan)
    await kit.advance(seller, "2025-06-10")
    await kit.send(seller, subscription, of, 2)
    await move(seller, who, NEW_YORK)
    await kit.advance(seller, "2025-07-02")
    assert [fees for _, _, fees in periods(await kit.invoices(seller, who))] == [
        [1000, 4000],
        [1000, 2000, 2000],
    ]


async def test_a_queued_plan_takes_over_on_the_day_that_has_begun_there(seller_at):
    """§2.6: on 30 June, 16:00 in New York, it is 1 July in Tokyo, as of whose beginning the cheaper plan begins."""
    seller = await seller_at("2025-06-01T04:00:00Z")
    dear, cheap = await kit.plan(seller, amount_cents=3000), await kit.plan(seller, amount_cents=1000)
    who = await kit.customer(seller, timezone=NEW_YORK)
    subscription = await kit.subscribe(seller, who, dear)
    await kit.advance(seller, "2025-06-10")
    await kit.subscribe(seller, who, cheap, external_id=subscription["external_id"])
    await kit.advance(seller, "2025-06-30T20:00")
    await move(seller, who, TOKYO)
    found = (await kit.get(seller, f"/subscriptions/{subscription['external_id']}"))["subscription"]
    assert (found["plan_code"], found["started_at"]) == (cheap["code"], "2025-06-30T15:00:00.000Z")
    (june,) = await kit.invoices(seller, who)
    assert june["fees_amount_cents"] == 3000


async def test_base_prices_of_local_days_are_billed_once_though_days_begin_earlier_elsewhere(seller_at):
    """February begins 14 hours earlier in Tokyo, where the customer has moved, than January has ended in New York.

    The audit, which follows every test, tells the days apart by their own calendars.
    """
    seller = await seller_at("2025-01-01T05:00:00Z")
    who = await kit.customer(seller, timezone=NEW_YORK)
    await kit.subscribe(seller, who, await kit.plan(seller, amount_cents=3100))
    await kit.advance(seller, "2025-02-10")
    await move(seller, who, TOKYO)
    await kit.advance(seller, "2025-03-02")
    billed = [
        (period["subscription_from_datetime"], period["subscription_to_datetime"])
        for invoice in await kit.invoices(seller, who)
        for period in invoice["billing_periods"]
    ]
    assert billed == [
        ("2025-01-01T05:00:00Z", "2025-02-01T04:59:59Z"),
        ("2025-01-31T15:00:00Z", "2025-02-28T14:59:59Z"),
    ]
