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


@pytest.mark.parametrize("in_advance", [True, False])
async def test_months_of_a_year_touch_there_and_back(seller_at, in_advance):
    """Of 1 May in Tokyo, 30 April in New York, is an event of May's; all months of a year have one window of the base price."""
    seller = await seller_at("2024-12-31T15:00:00Z")
    of = await kit.metric(seller, "count_agg")
    yearly = {"interval": "yearly", "bill_charges_monthly": True, "pay_in_advance": in_advance}
    who = await kit.customer(seller, timezone=TOKYO)
    subscription = await kit.subscribe(
        seller, who, await kit.plan(seller, kit.charge(of, amount="7"), **yearly)
    )
    await kit.advance(seller, "2025-04-30T20:00")
    await kit.send(seller, subscription, of, 1)
    await kit.advance(seller, "2025-05-10")
    await move(seller, who, NEW_YORK)
    await kit.advance(seller, "2025-07-10")
    await move(seller, who, TOKYO)
    await kit.advance(seller, "2025-08-02")
    assert periods(await kit.invoices(seller, who))[3:] == [
        ("2025-03-31T15:00:00Z", "2025-04-30T14:59:59Z", []),
        ("2025-04-30T15:00:00Z", "2025-06-01T03:59:59Z", [700]),
        ("2025-06-01T04:00:00Z", "2025-07-01T03:59:59Z", []),
        ("2025-07-01T04:00:00Z", "2025-07-31T14:59:59Z", []),
    ]


async def test_the_end_of_a_trial_opens_no_gap(seller_at):
    """The invoice of a trial's end bills no usage: what is used on 1 June in Tokyo counts in June, of which 22 days are left."""
    seller = await seller_at("2025-04-30T15:00:00Z")
    of = await kit.metric(seller, "count_agg")
    tried = {"amount_cents": 3000, "pay_in_advance": True, "trial_period": 40}
    who = await kit.customer(seller, timezone=TOKYO)
    subscription = await kit.subscribe(
        seller, who, await kit.plan(seller, kit.charge(of, amount="7"), **tried)
    )
    await kit.advance(seller, "2025-05-31T20:00")
    await kit.send(seller, subscription, of, 1)
    await kit.advance(seller, "2025-06-03")
    await move(seller, who, NEW_YORK)
    await kit.advance(seller, "2025-07-02")
    billed = await kit.invoices(seller, who)
    assert [invoice["fees_amount_cents"] for invoice in billed] == [0, 2200, 3700]
    assert periods(billed)[1:] == [("2025-05-31T15:00:00Z", "2025-07-01T03:59:59Z", [700, 3000])]


async def test_units_that_were_paid_for_before_a_move_are_paid_for_once(seller_at):
    """Ten seats at 10.00 are paid for July in Tokyo, which begins in New York's June: two more are 20.00 (pricing §13.3)."""
    seller = await seller_at("2025-06-30T15:00:00Z")
    body = {"name": "Seats", "code": "seats", "amount_cents": 1, "amount_currency": "EUR"}
    add_on = (await kit.post(seller, "/add_ons", {"add_on": body}))["add_on"]
    seats = {"add_on_id": add_on["lago_id"], "code": "seats", "charge_model": "standard", "units": "10"}
    seats |= {"properties": {"amount": "10"}, "pay_in_advance": True}
    who = await kit.customer(seller, timezone=TOKYO)
    subscription = await kit.subscribe(seller, who, await kit.plan(seller, fixed_charges=[seats]))
    await kit.advance(seller, "2025-07-05")
    await move(seller, who, NEW_YORK)
    await kit.advance(seller, "2025-07-10")
    path = f"/subscriptions/{subscription['external_id']}/fixed_charges/seats"
    await kit.call(seller, "PUT", path, {"fixed_charge": {"units": "12", "apply_units_immediately": True}})
    await kit.advance(seller, "2025-08-02")
    billed = [invoice["fees_amount_cents"] for invoice in await kit.invoices(seller, who)]
    assert [cents for cents in billed if cents] == [10000, 2000, 12000]


@pytest.mark.parametrize(("here", "there"), [(TOKYO, NEW_YORK), (NEW_YORK, TOKYO)])
async def test_what_was_paid_before_a_move_and_is_not_used_comes_back(seller_at, here, there):
    """Of July, 31.00 in advance, ten days are used: 21.00 come back, and all of it as money (subscriptions §4.6)."""
    seller = await seller_at("2025-05-10")
    who = await kit.customer(seller, timezone=here)
    subscription = await kit.subscribe(
        seller, who, await kit.plan(seller, amount_cents=3100, pay_in_advance=True)
    )
    await kit.advance(seller, "2025-07-05")
    july = (await kit.invoices(seller, who))[-1]
    paid = {"invoice_id": july["lago_id"], "amount_cents": 3100, "reference": "r"}
    await kit.post(seller, "/payments", {"payment": paid})
    await move(seller, who, there)
    await kit.advance(seller, "2025-07-10T12:00")
    path = f"/subscriptions/{subscription['external_id']}"
    await kit.call(seller, "DELETE", path, on_termination_credit_note="refund")
    (note,) = (await kit.get(seller, "/credit_notes"))["credit_notes"]
    assert (note["total_amount_cents"], note["refund_amount_cents"]) == (2100, 2100)


@pytest.mark.parametrize(
    ("here", "there", "moves", "ends"),
    [
        (TOKYO, NEW_YORK, "2025-06-30T20:00", "2025-07-01T06:00"),
        (NEW_YORK, TOKYO, "2025-07-01T05:00", "2025-07-01T06:00"),
    ],
)
async def test_an_end_on_the_first_of_the_month_bills_what_was_billed_elsewhere_no_more(
    seller_at, here, there, moves, ends
):
    """June is billed; of July there is one day of 31: 31.00 for June, 1.00 for it (subscriptions §3.6)."""
    seller = await seller_at("2025-05-10")
    who = await kit.customer(seller, timezone=here)
    subscription = await kit.subscribe(seller, who, await kit.plan(seller, amount_cents=3100))
    await kit.advance(seller, moves)
    await move(seller, who, there)
    await kit.advance(seller, ends)
    await kit.call(seller, "DELETE", f"/subscriptions/{subscription['external_id']}")
    assert [one["fees_amount_cents"] for one in await kit.invoices(seller, who)][1:] == [3100, 100]


async def test_the_hours_until_a_billed_period_ends_here_too_are_of_the_next(seller_at):
    """April is billed in Tokyo when it is still 30 April in New York: what is used then counts in May, and pays its first tier."""
    seller = await seller_at("2025-03-31T15:00:00Z")
    counted, tiered = await kit.metric(seller, "count_agg"), await kit.metric(seller, "count_agg")
    tiers = [
        {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "5"},
        {"from_value": 10, "to_value": None, "per_unit_amount": "1", "flat_amount": "0"},
    ]
    at_once = kit.charge(tiered, "graduated", graduated_ranges=tiers) | {"pay_in_advance": True}
    plan = await kit.plan(seller, kit.charge(counted, amount="7"), at_once)
    who = await kit.customer(seller, timezone=TOKYO)
    subscription = await kit.subscribe(seller, who, plan)
    await kit.send(seller, subscription, counted, 1)
    await kit.send(seller, subscription, tiered, 1)
    await kit.advance(seller, "2025-04-30T20:00")
    await move(seller, who, NEW_YORK)
    path, which = f"/customers/{who['external_id']}/current_usage", subscription["external_id"]
    usage = (await kit.get(seller, path, external_subscription_id=which))["customer_usage"]
    assert (usage["from_datetime"], usage["to_datetime"], usage["amount_cents"]) == (
        "2025-04-30T15:00:00Z", "2025-06-01T03:59:59Z", 0,
    )  # fmt: skip
    await kit.send(seller, subscription, tiered, 1)
    await kit.advance(seller, "2025-05-02")
    await kit.send(seller, subscription, tiered, 1)
    of_events = [
        invoice["fees_amount_cents"]
        for invoice in await kit.invoices(seller, who)
        if invoice["billing_periods"][0]["invoicing_reason"] == "in_advance_charge"
    ]
    assert of_events == [600, 600, 100]


@pytest.mark.parametrize(("in_advance", "last", "back"), [(False, [0, 100], []), (True, [100], [3100])])
async def test_an_end_before_a_billed_period_ends_here_too_bills_it_no_more(
    seller_at, in_advance, last, back
):
    """June, or July in advance, is billed in Tokyo: an end on 30 June in New York bills one event, and gives July back."""
    seller = await seller_at("2025-05-10")
    of = await kit.metric(seller, "count_agg")
    plan = await kit.plan(seller, kit.charge(of), amount_cents=3100, pay_in_advance=in_advance)
    who = await kit.customer(seller, timezone=TOKYO)
    subscription = await kit.subscribe(seller, who, plan)
    await kit.advance(seller, "2025-06-10")
    await kit.send(seller, subscription, of, 1)
    await kit.advance(seller, "2025-06-30T20:00")
    await move(seller, who, NEW_YORK)
    await kit.send(seller, subscription, of, 1)
    await kit.advance(seller, "2025-06-30T22:00")
    await kit.call(seller, "DELETE", f"/subscriptions/{subscription['external_id']}")
    *_, june, end = await kit.invoices(seller, who)
    assert june["fees_amount_cents"] == 3200
    assert sorted(fee["amount_cents"] for fee in end["fees"]) == last
    notes = (await kit.get(seller, "/credit_notes"))["credit_notes"]
    assert [note["total_amount_cents"] for note in notes] == back


async def test_the_hours_between_both_zones_are_no_day_of_the_period(seller_at):
    """July has 31 days in New York, though its window begins on 30 June: units, seats and a minimum of 31.00 are 31.00.

    Units in advance that are added in these hours pay for July, and then for August.
    """
    seller = await seller_at("2025-05-10")
    held, early = [await kit.metric(seller, recurring=True) for _ in range(2)]
    body = {"name": "Seats", "code": "seats", "amount_cents": 1, "amount_currency": "EUR"}
    add_on = (await kit.post(seller, "/add_ons", {"add_on": body}))["add_on"]
    seats = {"add_on_id": add_on["lago_id"], "code": "seats", "charge_model": "standard", "units": "1"}
    plan = await kit.plan(
        seller,
        kit.charge(held, amount="31") | {"prorated": True},
        kit.charge(await kit.metric(seller, "count_agg")) | {"min_amount_cents": 3100},
        kit.charge(early, amount="31") | {"prorated": True, "pay_in_advance": True},
        fixed_charges=[{**seats, "properties": {"amount": "31"}, "prorated": True}],
    )
    who = await kit.customer(seller, timezone=TOKYO)
    subscription = await kit.subscribe(seller, who, plan)
    await kit.send(seller, subscription, held, 1)
    await kit.advance(seller, "2025-06-30T20:00")
    await move(seller, who, NEW_YORK)
    await kit.send(seller, subscription, early, 1)
    await kit.advance(seller, "2025-08-02")
    *_, added, july = await kit.invoices(seller, who)
    assert added["fees_amount_cents"] == 3100
    assert sorted(fee["amount_cents"] for fee in july["fees"] if fee["amount_cents"]) == [3100] * 4


async def test_a_day_that_a_move_across_the_date_line_takes_away_is_paid_for(seller_at):
    """From Pago Pago to Kiritimati 1 July is over when June is: of July, units, seats and a minimum of 31.00 are 31.00, not 30.00."""
    seller = await seller_at("2025-05-10")
    held = await kit.metric(seller, recurring=True)
    body = {"name": "Seats", "code": "seats", "amount_cents": 1, "amount_currency": "EUR"}
    add_on = (await kit.post(seller, "/add_ons", {"add_on": body}))["add_on"]
    seats = {"add_on_id": add_on["lago_id"], "code": "seats", "charge_model": "standard", "units": "1"}
    plan = await kit.plan(
        seller,
        kit.charge(held, amount="31") | {"prorated": True},
        kit.charge(await kit.metric(seller, "count_agg")) | {"min_amount_cents": 3100},
        fixed_charges=[{**seats, "properties": {"amount": "31"}, "prorated": True}],
    )
    who = await kit.customer(seller, timezone="Pacific/Pago_Pago")
    subscription = await kit.subscribe(seller, who, plan)
    await kit.send(seller, subscription, held, 1)
    await kit.advance(seller, "2025-07-01T12:00")
    await move(seller, who, "Pacific/Kiritimati")
    await kit.advance(seller, "2025-08-02")
    *_, july = await kit.invoices(seller, who)
    assert july["billing_periods"][0]["charges_from_datetime"] == "2025-07-01T11:00:00Z"
    assert sorted(fee["amount_cents"] for fee in july["fees"] if fee["amount_cents"]) == [3100] * 3
