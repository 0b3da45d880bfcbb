"""The worked examples of subscriptions §6, from the subscription to its invoices; all times UTC unless told."""

import pytest
from tests import kit


async def begun(make_organization, at, *, customer=None, subscription=None, **plan):
    """A clock at the start, a customer, and their subscription to one plan."""
    client = (await make_organization(at)).client
    metric = await kit.metric(client)
    sold = await kit.plan(client, kit.charge(metric), **plan)
    who = await kit.customer(client, **(customer or {}))
    made = await kit.subscribe(client, who, sold, external_id="s", **(subscription or {}))
    return client, who, made


async def invoiced(client, who):
    """For each invoice, oldest first, its base price in cents (None without one)."""
    found = []
    for invoice in await kit.invoices(client, who):
        fees = [fee["amount_cents"] for fee in invoice["fees"] if fee["item"]["type"] == "subscription"]
        found.append(sum(fees) if fees else None)
    return found


async def periods(client, who):
    """(subscription from, to, charges from, to) of each billing period, oldest first."""
    names = ("subscription", "charges")
    return [
        tuple(period[f"{name}_{side}_datetime"] for name in names for side in ("from", "to"))
        for invoice in await kit.invoices(client, who)
        for period in invoice["billing_periods"]
    ]


async def test_1_a_first_partial_month_in_new_york(make_organization):
    client, who, _ = await begun(
        make_organization,
        "2025-03-05T03:30:00Z",
        customer={"timezone": "America/New_York"},
        amount_cents=4350,
    )
    await kit.advance(client, "2025-04-01T03:59")
    assert await invoiced(client, who) == []
    await kit.advance(client, "2025-04-01T04:10")
    assert await invoiced(client, who) == [3929]
    assert await periods(client, who) == [
        ("2025-03-04T05:00:00Z", "2025-04-01T03:59:59Z", "2025-03-05T03:30:00Z", "2025-04-01T03:59:59Z")
    ]


@pytest.mark.parametrize(
    ("interval", "anchor", "ends"),
    [
        ("monthly", "2026-10-31", ["2026-11-29", "2026-12-30", "2027-01-30", "2027-02-27", "2027-03-30"]),
        ("quarterly", "2025-11-30", ["2026-02-27", "2026-05-29", "2026-08-29", "2026-11-29"]),
        ("semiannual", "2026-08-31", ["2027-02-27", "2027-08-30", "2028-02-28", "2028-08-30"]),
        ("yearly", "2028-02-29", ["2029-02-27", "2030-02-27"]),
    ],
)
async def test_2_anchors_at_the_end_of_a_month(make_organization, interval, anchor, ends):
    client, who, _ = await begun(
        make_organization,
        f"{anchor}T00:00:00Z",
        subscription={"billing_time": "anniversary"},
        interval=interval,
        amount_cents=1000,
    )
    await kit.advance(client, f"{ends[-1]}T23:59:59")
    assert [found[1][:10] for found in await periods(client, who)] == ends[:-1]
    assert await invoiced(client, who) == [1000] * (len(ends) - 1)


async def test_3_a_price_in_advance_and_usage_in_arrears(make_organization):
    client, who, _ = await begun(
        make_organization, "2025-05-20T09:00:00Z", amount_cents=12400, pay_in_advance=True
    )
    await kit.advance(client, "2025-06-01T00:10")
    assert await invoiced(client, who) == [4800, 12400]
    assert await periods(client, who) == [
        ("2025-05-20T00:00:00Z", "2025-05-31T23:59:59Z", "2025-05-20T09:00:00Z", "2025-05-20T09:00:00Z"),
        ("2025-06-01T00:00:00Z", "2025-06-30T23:59:59Z", "2025-05-20T09:00:00Z", "2025-05-31T23:59:59Z"),
    ]


@pytest.mark.parametrize(
    ("in_advance", "base_prices", "credit"), [(True, [9300, 9300, 10500], 6300), (False, [9300, 13500], None)]
)
async def test_4_an_upgrade(make_organization, in_advance, base_prices, credit):
    """21 unused days × 300 come back and 21 × 500 are due; in arrears 10 × 300 + 21 × 500 are on one invoice."""
    client, who, _ = await begun(
        make_organization, "2025-06-01T00:00:00Z", amount_cents=9300, pay_in_advance=in_advance
    )
    await kit.advance(client, "2025-07-11T10:00")
    dearer = await kit.plan(client, amount_cents=15500, pay_in_advance=True)
    await kit.subscribe(client, who, dearer, external_id="s")
    assert await invoiced(client, who) == base_prices
    notes = (await kit.get(client, "/credit_notes"))["credit_notes"]
    assert [note["total_amount_cents"] for note in notes] == ([credit] if credit else [])


@pytest.mark.parametrize(
    ("tax", "option", "paid", "parts"),
    [
        ("0", "credit", 0, (6000, 0, 0)),
        ("20", "refund", 11160, (0, 7200, 0)),
        ("20", "refund", 5000, (6160, 1040, 0)),
        ("20", "offset", 5000, (0, 1040, 6160)),
    ],
)
async def test_5_a_termination_in_advance(make_organization, tax, option, paid, parts):
    """20 unused days × 300, with 20 % tax 7200; 5000 paid less 3960 used are 1040 to give back."""
    client = (await make_organization("2025-07-01T00:00:00Z")).client
    await kit.tax(client, tax)
    who = await kit.customer(client)
    sold = await kit.plan(client, amount_cents=9300, pay_in_advance=True)
    await kit.subscribe(client, who, sold, external_id="s")
    (first,) = await kit.invoices(client, who)
    if paid:
        payment = {"invoice_id": first["lago_id"], "amount_cents": paid, "reference": "wire"}
        await kit.post(client, "/payments", {"payment": payment})
    await kit.advance(client, "2025-07-11T10:00")
    await kit.call(client, "DELETE", "/subscriptions/s", on_termination_credit_note=option)
    (note,) = (await kit.get(client, "/credit_notes"))["credit_notes"]
    found = [note[f"{name}_amount_cents"] for name in ("credit", "refund", "offset")]
    assert tuple(found) == parts
    assert (note["reason"], note["total_amount_cents"]) == ("order_cancellation", sum(parts))


async def test_5_a_termination_in_arrears(make_organization):
    client, who, _ = await begun(make_organization, "2025-07-01T00:00:00Z", amount_cents=9300)
    await kit.advance(client, "2025-07-11T10:00")
    await kit.call(client, "DELETE", "/subscriptions/s")
    assert await invoiced(client, who) == [3300]


async def test_6_a_trial(make_organization):
    client, who, _ = await begun(
        make_organization, "2025-08-06T14:00:00Z", amount_cents=6200, pay_in_advance=True, trial_period=10
    )
    await kit.advance(client, "2025-08-16T13:59")
    assert await invoiced(client, who) == []
    await kit.advance(client, "2025-09-01T00:10")
    assert await invoiced(client, who) == [3200, 6200]


async def test_7_a_year_with_months_of_usage(make_organization):
    client, who, _ = await begun(
        make_organization,
        "2024-09-10T12:00:00Z",
        interval="yearly",
        amount_cents=36600,
        bill_charges_monthly=True,
    )
    await kit.advance(client, "2025-01-01T00:10")
    assert await invoiced(client, who) == [None, None, None, 11300]
    charges = [found[2:] for found in await periods(client, who)]
    assert charges[0] == ("2024-09-10T12:00:00Z", "2024-09-30T23:59:59Z")
    assert charges[-1] == ("2024-12-01T00:00:00Z", "2024-12-31T23:59:59Z")
    await kit.advance(client, "2025-05-20T15:00")
    await kit.call(client, "DELETE", "/subscriptions/s")
    assert (await invoiced(client, who))[-1] == 14038
    assert (await periods(client, who))[-1][2:] == ("2025-05-01T00:00:00Z", "2025-05-20T15:00:00Z")


@pytest.mark.parametrize(
    ("interval", "amount_cents", "is_upgrade"),
    [("weekly", 231, True), ("quarterly", 2999, False), ("yearly", 12000, True)],
)
async def test_8_up_or_down(make_organization, interval, amount_cents, is_upgrade):
    client, who, _ = await begun(make_organization, "2025-07-01T00:00:00Z", amount_cents=1000)
    other = await kit.plan(client, interval=interval, amount_cents=amount_cents)
    answer = await kit.subscribe(client, who, other, external_id="s")
    shown = "plan_code" if is_upgrade else "next_plan_code"
    assert answer[shown] == other["code"]


async def test_9_a_week_of_167_hours(make_organization):
    client, who, _ = await begun(
        make_organization,
        "2025-03-10T00:00:00Z",
        customer={"timezone": "Europe/Paris"},
        interval="weekly",
        amount_cents=700,
    )
    await kit.advance(client, "2025-03-30T22:10")
    assert await invoiced(client, who) == [700] * 3
    assert (await periods(client, who))[-1][:2] == ("2025-03-23T23:00:00Z", "2025-03-30T21:59:59Z")


async def test_10_a_start_in_the_past(make_organization):
    client, who, _ = await begun(
        make_organization,
        "2025-04-05T00:00:00Z",
        subscription={"subscription_at": "2025-03-10"},
        amount_cents=3000,
    )
    assert await invoiced(client, who) == []
    await kit.advance(client, "2025-05-01T00:10")
    assert await invoiced(client, who) == [3000]
    assert await periods(client, who) == [
        ("2025-04-01T00:00:00Z", "2025-04-30T23:59:59Z", "2025-04-01T00:00:00Z", "2025-04-30T23:59:59Z")
    ]


@pytest.mark.parametrize(
    ("anchor", "adjustment", "grace", "draft", "final"),
    [
        (None, None, 3, "2025-07-04", ("2025-07-04", "2025-07-14")),
        ("next_period_start", "keep_anchor", 3, "2025-07-01", ("2025-07-01", "2025-07-11")),
        ("current_period_end", "keep_anchor", 3, "2025-06-30", ("2025-06-30", "2025-07-10")),
        ("current_period_end", "align_with_finalization_date", 3, "2025-07-04", ("2025-07-04", "2025-07-14")),
        ("current_period_end", "align_with_finalization_date", 0, None, ("2025-06-30", "2025-07-10")),
        ("current_period_end", "keep_anchor", 0, None, ("2025-06-30", "2025-07-10")),
    ],
)
async def test_11_dates(make_organization, anchor, adjustment, grace, draft, final):
    terms = {
        "invoice_grace_period": grace,
        "subscription_invoice_issuing_date_anchor": anchor,
        "subscription_invoice_issuing_date_adjustment": adjustment,
    }
    client, who, _ = await begun(
        make_organization,
        "2025-06-01T00:00:00Z",
        customer={"billing_configuration": terms, "net_payment_term": 10},
        amount_cents=3000,
    )
    await kit.advance(client, "2025-07-01T00:10")
    (invoice,) = await kit.invoices(client, who)
    assert invoice["status"] == ("draft" if draft else "finalized")
    assert invoice["issuing_date"] == (draft or final[0])
    await kit.advance(client, "2025-07-04T00:00")
    (invoice,) = await kit.invoices(client, who)
    assert invoice["status"] == "finalized"
    assert (invoice["issuing_date"], invoice["payment_due_date"]) == final


async def test_12_an_end_on_a_billing_day(make_organization):
    client, who, _ = await begun(
        make_organization,
        "2025-03-10T00:00:00Z",
        subscription={"ending_at": "2025-06-01T18:00:00Z"},
        amount_cents=3000,
    )
    await kit.advance(client, "2025-06-02T00:00")
    assert (await invoiced(client, who))[-1] == 3000
    assert (await periods(client, who))[-1][:2] == ("2025-05-01T00:00:00Z", "2025-05-31T23:59:59Z")
    ended = (await kit.get(client, "/subscriptions/s", status="terminated"))["subscription"]
    assert ended["terminated_at"] == "2025-06-01T00:00:00Z"
    assert len(await invoiced(client, who)) == 3


async def test_12_an_end_by_hand_on_a_billing_day(make_organization):
    client, who, _ = await begun(make_organization, "2025-03-10T00:00:00Z", amount_cents=3000)
    await kit.advance(client, "2025-06-01T09:00")
    await kit.call(client, "DELETE", "/subscriptions/s")
    assert (await invoiced(client, who))[-2:] == [3000, 100]
    assert (await periods(client, who))[-1][:2] == ("2025-06-01T00:00:00Z", "2025-06-01T09:00:00Z")
