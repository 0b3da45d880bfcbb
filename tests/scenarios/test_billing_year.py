"""A customer's year with a clock we move: what is billed, when, and for which windows."""

import pytest
from tests import kit


@pytest.fixture
async def seller(make_organization):
    made = await make_organization("2025-01-10T09:00:00Z")
    return made.client


def amounts(invoice):
    return [(fee["item"]["type"], fee["amount_cents"]) for fee in invoice["fees"]]


async def test_arrears_are_billed_when_the_month_is_over(seller):
    """22 of 31 days of 31.00 are 22.00; 3 units at 2.00; 20 % of 28.00 is 5.60 (subscriptions §4.4, pricing §2)."""
    await kit.tax(seller, "20")
    metric = await kit.metric(seller)
    plan = await kit.plan(seller, kit.charge(metric, amount="2"), amount_cents=3100)
    customer = await kit.customer(seller)
    subscription = await kit.subscribe(seller, customer, plan)
    await kit.send(seller, subscription, metric, 1, "2")
    assert await kit.invoices(seller, customer) == []
    await kit.advance(seller, "2025-02-01T00:10")
    (invoice,) = await kit.invoices(seller, customer)
    assert amounts(invoice) == [("subscription", 2200), ("charge", 600)]
    assert invoice["taxes_amount_cents"] == 560
    assert invoice["total_amount_cents"] == 3360
    assert invoice["status"] == "finalized"
    assert invoice["issuing_date"] == "2025-02-01"
    (period,) = invoice["billing_periods"]
    assert period["subscription_from_datetime"] == "2025-01-10T00:00:00Z"
    assert period["charges_from_datetime"] == "2025-01-10T09:00:00Z"
    assert period["charges_to_datetime"] == "2025-01-31T23:59:59Z"
    assert period["invoicing_reason"] == "subscription_periodic"


async def test_a_period_waits_ten_minutes_for_its_last_events(seller):
    """The invoice is computed as of midnight, ten minutes later (subscriptions §5.2)."""
    metric = await kit.metric(seller, "count_agg")
    plan = await kit.plan(seller, kit.charge(metric))
    customer = await kit.customer(seller)
    subscription = await kit.subscribe(seller, customer, plan)
    await kit.advance(seller, "2025-02-01T00:09")
    assert await kit.invoices(seller, customer) == []
    await kit.send(seller, subscription, metric, 0, timestamp=kit.epoch("2025-01-31T23:59:59"))
    await kit.advance(seller, "2025-02-01T00:10")
    (invoice,) = await kit.invoices(seller, customer)
    assert ("charge", 100) in amounts(invoice)


async def test_advance_plans_pay_the_period_that_begins_and_the_usage_that_ended(seller):
    """Started on 10 January, 22 of 31 days of 62.00 are 44.00; then 62.00 on each first (subscriptions §3.4)."""
    metric = await kit.metric(seller)
    plan = await kit.plan(seller, kit.charge(metric, amount="1"), amount_cents=6200, pay_in_advance=True)
    customer = await kit.customer(seller)
    subscription = await kit.subscribe(seller, customer, plan)
    (starting,) = await kit.invoices(seller, customer)
    assert amounts(starting) == [("subscription", 4400)]
    assert starting["billing_periods"][0]["invoicing_reason"] == "subscription_starting"
    await kit.send(seller, subscription, metric, 7)
    await kit.advance(seller, "2025-02-01T01:00")
    renewal = (await kit.invoices(seller, customer))[1]
    assert amounts(renewal) == [("subscription", 6200), ("charge", 700)]
    (period,) = renewal["billing_periods"]
    assert period["subscription_from_datetime"] == "2025-02-01T00:00:00Z"
    assert period["charges_to_datetime"] == "2025-01-31T23:59:59Z"


async def test_an_anniversary_in_advance_is_never_prorated_at_its_start(seller):
    plan = await kit.plan(seller, amount_cents=6200, pay_in_advance=True)
    customer = await kit.customer(seller)
    await kit.subscribe(seller, customer, plan, billing_time="anniversary")
    (starting,) = await kit.invoices(seller, customer)
    assert amounts(starting) == [("subscription", 6200)]


async def test_missed_months_are_caught_up_in_order_each_with_its_own_dates(seller):
    """README quirk 2: one invoice for each missed period."""
    plan = await kit.plan(seller, amount_cents=3100)
    customer = await kit.customer(seller)
    await kit.subscribe(seller, customer, plan)
    await kit.advance(seller, "2025-05-20")
    found = await kit.invoices(seller, customer)
    assert [invoice["issuing_date"] for invoice in found] == [
        "2025-02-01",
        "2025-03-01",
        "2025-04-01",
        "2025-05-01",
    ]
    assert [invoice["fees_amount_cents"] for invoice in found] == [2200, 3100, 3100, 3100]
    assert [invoice["sequential_id"] for invoice in found] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "stops", [[], ["2025-02-01T00:05", "2025-02-17"], ["2025-01-31", "2025-02-01T00:10", "2025-03-31"]]
)
async def test_cutting_an_advance_into_shorter_ones_changes_nothing(make_organization, stops):
    """test-clock.md: the same end state however the time passes."""
    seller = (await make_organization("2025-01-10T09:00:00Z")).client
    metric = await kit.metric(seller)
    plan = await kit.plan(seller, kit.charge(metric, amount="0.35"), amount_cents=999)
    customer = await kit.customer(seller, timezone="America/New_York")
    subscription = await kit.subscribe(seller, customer, plan)
    await kit.send(seller, subscription, metric, 5, timestamp=kit.epoch("2025-02-10"))
    for stop in [*stops, "2025-04-15"]:
        await kit.advance(seller, stop)
    found = await kit.invoices(seller, customer)
    # 22 of 31 days of 9.99: 7.0896… → 7.09; then 9.99 + 1.75; then 9.99.
    assert [invoice["total_amount_cents"] for invoice in found] == [709, 1174, 999]


async def test_the_zone_of_the_customer_decides_the_day(seller):
    """Midnight in Tokyo is 15:00 UTC of the day before (subscriptions §3.1)."""
    plan = await kit.plan(seller, amount_cents=3100)
    customer = await kit.customer(seller, timezone="Asia/Tokyo")
    await kit.subscribe(seller, customer, plan)
    await kit.advance(seller, "2025-01-31T15:09")
    assert await kit.invoices(seller, customer) == []
    await kit.advance(seller, "2025-01-31T15:10")
    (invoice,) = await kit.invoices(seller, customer)
    assert invoice["issuing_date"] == "2025-02-01"


async def test_a_grace_period_makes_a_draft_that_late_events_still_reach(seller):
    """Draft until 4 February, issued and due from then on (invoicing §3, §6)."""
    metric = await kit.metric(seller)
    plan = await kit.plan(seller, kit.charge(metric, amount="1"))
    customer = await kit.customer(
        seller, net_payment_term=10, billing_configuration={"invoice_grace_period": 3}
    )
    subscription = await kit.subscribe(seller, customer, plan)
    await kit.advance(seller, "2025-02-01T01:00")
    (draft,) = await kit.invoices(seller, customer)
    assert draft["status"] == "draft"
    assert draft["number"].endswith("-DRAFT")
    assert draft["sequential_id"] is None
    assert (draft["issuing_date"], draft["payment_due_date"]) == ("2025-02-04", "2025-02-14")
    await kit.send(seller, subscription, metric, 9, timestamp=kit.epoch("2025-01-20"))
    await kit.advance(seller, "2025-02-04")
    (final,) = await kit.invoices(seller, customer)
    assert (final["status"], final["total_amount_cents"]) == ("finalized", 900)
    assert (final["issuing_date"], final["payment_due_date"]) == ("2025-02-04", "2025-02-14")
    assert final["number"].endswith("-001-001")


async def test_a_draft_follows_a_changed_tax_and_a_final_invoice_does_not(seller):
    """subscriptions §5.6: drafts are refreshed before the call returns; issued documents keep their copy."""
    tax = await kit.tax(seller, "20")
    plan = await kit.plan(seller, amount_cents=3100)
    customer = await kit.customer(seller, billing_configuration={"invoice_grace_period": 3})
    await kit.subscribe(seller, customer, plan)
    await kit.advance(seller, "2025-02-01T01:00")
    assert (await kit.invoices(seller, customer))[0]["taxes_amount_cents"] == 440  # 20 % of 22.00
    await kit.call(seller, "PUT", f"/taxes/{tax['code']}", {"tax": {"rate": "10"}})
    assert (await kit.invoices(seller, customer))[0]["taxes_amount_cents"] == 220
    await kit.advance(seller, "2025-02-04")
    await kit.call(seller, "DELETE", f"/taxes/{tax['code']}")
    (final,) = await kit.invoices(seller, customer)
    assert (final["taxes_amount_cents"], final["applied_taxes"][0]["tax_rate"]) == (220, 10)


async def test_termination_in_arrears_counts_its_day(seller):
    """11 of 31 days of 93.00 are 33.00 (subscriptions §6.5)."""
    plan = await kit.plan(seller, amount_cents=9300)
    customer = await kit.customer(seller)
    subscription = await kit.subscribe(seller, customer, plan)
    await kit.advance(seller, "2025-07-11T10:00")
    ended = await kit.call(seller, "DELETE", f"/subscriptions/{subscription['external_id']}")
    assert ended["subscription"]["status"] == "terminated"
    assert ended["subscription"]["terminated_at"] == "2025-07-11T10:00:00Z"
    last = (await kit.invoices(seller, customer))[-1]
    assert amounts(last) == [("subscription", 3300)]
    assert last["billing_periods"][0]["invoicing_reason"] == "subscription_terminating"
    count = len(await kit.invoices(seller, customer))
    await kit.advance(seller, "2025-10-01T01:00")
    assert len(await kit.invoices(seller, customer)) == count


async def test_an_ending_date_bills_the_period_that_just_ended_and_nothing_more(seller):
    """subscriptions §6.12: ending on 1 June at 18:00 bills 1–31 May in full."""
    plan = await kit.plan(seller, amount_cents=3100)
    customer = await kit.customer(seller)
    await kit.subscribe(seller, customer, plan, ending_at="2025-06-01T18:00:00Z")
    await kit.advance(seller, "2025-07-02")
    last = (await kit.invoices(seller, customer))[-1]
    (period,) = last["billing_periods"]
    assert period["subscription_from_datetime"] == "2025-05-01T00:00:00Z"
    assert period["subscription_to_datetime"] == "2025-05-31T23:59:59Z"
    assert last["total_amount_cents"] == 3100
    assert period["invoicing_reason"] == "subscription_terminating"


async def test_a_future_start_waits_for_its_local_day(seller):
    plan = await kit.plan(seller, amount_cents=3100, pay_in_advance=True)
    customer = await kit.customer(seller, timezone="America/Bogota")  # UTC-5
    made = await kit.subscribe(seller, customer, plan, subscription_at="2025-01-20T12:00:00Z")
    assert (made["status"], made["started_at"]) == ("pending", None)
    await kit.advance(seller, "2025-01-20T04:59")
    assert await kit.invoices(seller, customer) == []
    await kit.advance(seller, "2025-01-20T05:00")
    (invoice,) = await kit.invoices(seller, customer)
    assert amounts(invoice) == [("subscription", 1200)]  # 12 of 31 days of 31.00


async def test_a_past_start_bills_no_period_before_its_creation(seller):
    """subscriptions §6.10: the first invoice is that of the next billing day, in full."""
    plan = await kit.plan(seller, amount_cents=3100)
    customer = await kit.customer(seller)
    await kit.subscribe(seller, customer, plan, subscription_at="2024-11-10T00:00:00Z")
    await kit.advance(seller, "2025-02-01T01:00")
    (invoice,) = await kit.invoices(seller, customer)
    assert amounts(invoice) == [("subscription", 3100)]


async def test_subscriptions_of_one_day_share_an_invoice_unless_they_want_their_own(seller):
    """subscriptions §5.2."""
    plan = await kit.plan(seller, amount_cents=3100)
    customer = await kit.customer(seller)
    for own in (True, True, False):
        await kit.subscribe(seller, customer, plan, consolidate_invoice=own)
    await kit.advance(seller, "2025-02-01T01:00")
    found = await kit.invoices(seller, customer)
    assert sorted(len(invoice["fees"]) for invoice in found) == [1, 2]


async def test_an_end_with_a_day_waits_ten_minutes_for_its_last_events(seller):
    """subscriptions §5.2: sent at 00:05, dated 23:59 of the last day."""
    sold = await kit.metric(seller)
    plan = await kit.plan(seller, kit.charge(sold))
    customer = await kit.customer(seller)
    subscription = await kit.subscribe(seller, customer, plan, ending_at="2025-02-01T12:00:00Z")
    await kit.advance(seller, "2025-02-01T00:05")
    assert await kit.invoices(seller, customer) == []
    await kit.send(seller, subscription, sold, 4, timestamp=kit.epoch("2025-01-31T23:59:00"))
    await kit.advance(seller, "2025-02-01T00:10")
    (invoice,) = await kit.invoices(seller, customer)
    assert amounts(invoice) == [("subscription", 0), ("charge", 400)]


async def test_starts_and_ends_of_one_instant_are_invoiced_one_by_one(seller):
    """subscriptions §5.1, rows 1 and 4: from 20 to 31 January 12 days of 31.00, then February's 10 days of 28.00."""
    advance = await kit.plan(seller, amount_cents=3100, pay_in_advance=True)
    arrears = await kit.plan(seller, amount_cents=2800)
    customer = await kit.customer(seller)
    for plan, count in ((advance, 2), (arrears, 2)):
        for _ in range(count):
            life = {"subscription_at": "2025-01-20T12:00:00Z", "ending_at": "2025-02-10T12:00:00Z"}
            await kit.subscribe(seller, customer, plan, **life)
    await kit.advance(seller, "2025-01-21")
    assert [amounts(invoice) for invoice in await kit.invoices(seller, customer)] == [
        [("subscription", 1200)]
    ] * 2
    await kit.advance(seller, "2025-02-09")
    await kit.advance(seller, "2025-02-11")
    ends = (await kit.invoices(seller, customer))[3:]
    assert sorted(amounts(invoice) for invoice in ends) == [[], [], *[[("subscription", 1000)]] * 2]


async def test_an_invoice_without_fees_is_closed_where_the_customer_wants_none(seller):
    """invoicing §5.8."""
    plan = await kit.plan(seller, amount_cents=0)
    shown = await kit.customer(seller)
    hidden = await kit.customer(seller, finalize_zero_amount_invoice="skip")
    for customer in (shown, hidden):
        await kit.subscribe(seller, customer, plan)
    await kit.advance(seller, "2025-02-01T01:00")
    assert [i["payment_status"] for i in await kit.invoices(seller, shown)] == ["succeeded"]
    assert await kit.invoices(seller, hidden) == []


async def test_an_unpaid_invoice_is_overdue_the_day_after_it_was_due(seller):
    """invoicing §12."""
    plan = await kit.plan(seller, amount_cents=3100)
    customer = await kit.customer(seller, net_payment_term=5)
    await kit.subscribe(seller, customer, plan)
    await kit.advance(seller, "2025-02-06T23:59")
    assert (await kit.invoices(seller, customer))[0]["payment_overdue"] is False
    await kit.advance(seller, "2025-02-07")
    assert (await kit.invoices(seller, customer))[0]["payment_overdue"] is True


async def test_current_usage_at_the_last_instant_is_what_the_invoice_bills(seller):
    """metering §13.13."""
    metric = await kit.metric(seller)
    tiers = [
        {"from_value": 0, "to_value": 10, "per_unit_amount": "1.115", "flat_amount": "0.5"},
        {"from_value": 11, "to_value": None, "per_unit_amount": "0.333", "flat_amount": "1"},
    ]
    plan = await kit.plan(seller, kit.charge(metric, "graduated", graduated_ranges=tiers))
    customer = await kit.customer(seller)
    subscription = await kit.subscribe(seller, customer, plan)
    await kit.send(seller, subscription, metric, "4.5", 9)
    await kit.advance(seller, "2025-01-31T23:59:59")
    usage = await kit.usage(seller, customer, subscription)
    # 10 × 1.115 + 0.5 + 3.5 × 0.333 + 1 = 13.8155 → 13.82
    assert usage["amount_cents"] == 1382
    await kit.advance(seller, "2025-02-01T01:00")
    (invoice,) = await kit.invoices(seller, customer)
    assert [fee for fee in amounts(invoice) if fee[0] == "charge"] == [("charge", 1382)]


async def test_a_moved_zone_neither_skips_nor_doubles_a_billing_day(seller):
    """subscriptions §5.2, §7.8."""
    metric = await kit.metric(seller, "count_agg")
    plan = await kit.plan(seller, kit.charge(metric))
    customer = await kit.customer(seller, timezone="Asia/Tokyo")
    subscription = await kit.subscribe(seller, customer, plan)
    await kit.advance(seller, "2025-02-10")
    for when in ("2025-02-28T16:00", "2025-03-01T03:00"):
        await kit.send(seller, subscription, metric, 0, timestamp=kit.epoch(when))
    await kit.call(
        seller,
        "POST",
        "/customers",
        {"customer": {"external_id": customer["external_id"], "timezone": "America/Los_Angeles"}},
    )
    await kit.advance(seller, "2025-05-01T12:00")
    found = await kit.invoices(seller, customer)
    assert [invoice["issuing_date"] for invoice in found] == [
        "2025-02-01",
        "2025-03-01",
        "2025-04-01",
        "2025-05-01",
    ]
    assert sum(invoice["fees_amount_cents"] for invoice in found) == 200


async def test_calls_side_by_side_settle_without_getting_in_each_others_way(seller):
    """Requests and the work that they leave take a customer's lock and agenda in the same order."""
    import asyncio

    plan = await kit.plan(seller, amount_cents=3100, pay_in_advance=True)
    customer = await kit.customer(seller)
    await asyncio.gather(*(kit.subscribe(seller, customer, plan, name=f"s{n}") for n in range(8)))
    found = await kit.invoices(seller, customer)
    assert [invoice["total_amount_cents"] for invoice in found] == [2200] * 8
    assert sorted(invoice["sequential_id"] for invoice in found) == list(range(1, 9))
