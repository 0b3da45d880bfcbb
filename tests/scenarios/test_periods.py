"""Periods, starts, trials and changes of plan where bills go wrong easily (subscriptions §2 to §4)."""

import pytest
from tests import kit


async def begin(make_organization, at, *, customer=None, subscription=None, charges=(), **plan):
    organization = await make_organization(at)
    client = organization.client
    made = [await kit.metric(client) for _ in charges]
    sold = await kit.plan(
        client, *(kit.charge(metric, **more) for metric, more in zip(made, charges, strict=True)), **plan
    )
    who = await kit.customer(client, **(customer or {}))
    return client, who, await kit.subscribe(client, who, sold, **(subscription or {})), made


async def base_fees(client, who):
    """(issuing date, cents) of every base price."""
    return [
        (invoice["issuing_date"], fee["amount_cents"])
        for invoice in await kit.invoices(client, who)
        for fee in invoice["fees"]
        if fee["item"]["type"] == "subscription"
    ]


async def test_a_downgrade_is_dated_by_the_customers_days(make_organization):
    """§2.1 (mended): west of Greenwich too, January ends on the 31st."""
    client, who, subscription, _ = await begin(
        make_organization,
        "2025-01-15T12:00:00Z",
        customer={"timezone": "America/Los_Angeles"},
        amount_cents=5000,
    )
    cheaper = await kit.plan(client, amount_cents=1000)
    answer = await kit.subscribe(client, who, cheaper, external_id=subscription["external_id"])
    assert (answer["lago_id"], answer["downgrade_plan_date"]) == (subscription["lago_id"], "2025-02-01")


async def test_a_plan_that_has_not_begun_is_replaced_with_its_overrides(make_organization):
    """§2.6 (mended): nothing is billed, and the price asked for is the price."""
    client, who, subscription, _ = await begin(
        make_organization,
        "2025-01-15T12:00:00Z",
        subscription={"subscription_at": "2025-02-01T00:00:00Z"},
        amount_cents=5000,
    )
    other = await kit.plan(client, amount_cents=9000)
    changed = await kit.subscribe(
        client,
        who,
        other,
        external_id=subscription["external_id"],
        plan_overrides={"amount_cents": 700},
    )
    assert (changed["lago_id"], changed["plan"]["amount_cents"]) == (subscription["lago_id"], 700)
    await kit.advance(client, "2025-03-01T01:00")
    assert await base_fees(client, who) == [("2025-03-01", 700)]


async def test_a_year_with_months_of_usage_is_downgraded_at_its_own_end(make_organization):
    """§2.6 (mended): asked for in March, done on 1 January, not on 1 April."""
    client, who, subscription, _ = await begin(
        make_organization,
        "2025-01-01T00:00:00Z",
        interval="yearly",
        bill_charges_monthly=True,
        amount_cents=120000,
        pay_in_advance=True,
    )
    await kit.advance(client, "2025-03-10")
    cheaper = await kit.plan(client, amount_cents=1000, pay_in_advance=True)
    await kit.subscribe(client, who, cheaper, external_id=subscription["external_id"])
    await kit.advance(client, "2026-01-01T01:00")
    assert await base_fees(client, who) == [("2025-01-01", 120000), ("2026-01-01", 1000)]


async def test_what_a_change_of_plan_does_not_name_stays(make_organization):
    """§2.6 (mended): name, order number and what happens at the end go on with the new plan."""
    kept = {
        "name": "Production",
        "purchase_order_number": "PO-1",
        "consolidate_invoice": False,
        "ending_at": "2026-06-01T00:00:00Z",
        "billing_time": "anniversary",
        "progressive_billing_disabled": True,
        "on_termination_invoice": "skip",
        "on_termination_credit_note": "skip",
    }
    client, who, subscription, _ = await begin(
        make_organization, "2025-01-15T12:00:00Z", subscription=kept, amount_cents=5000, pay_in_advance=True
    )
    dearer = await kit.plan(client, amount_cents=9000, pay_in_advance=True)
    await kit.advance(client, "2025-01-20")
    changed = await kit.subscribe(client, who, dearer, external_id=subscription["external_id"])
    assert changed["lago_id"] != subscription["lago_id"]
    assert {key: changed[key] for key in kept} == {key: subscription[key] for key in kept}
    assert changed["subscription_at"] == subscription["subscription_at"]


async def test_the_end_of_a_long_plan_bills_the_running_month_at_any_hour(make_organization):
    """§3.5 (mended): 7 units in May are billed by an end on 20 May at 15:00; the base price counts 140 of 365 days."""
    client, who, subscription, (metric,) = await begin(
        make_organization,
        "2025-01-01T00:00:00Z",
        charges=[{"amount": "1"}],
        interval="yearly",
        bill_charges_monthly=True,
        amount_cents=36600,
    )
    await kit.advance(client, "2025-05-10")
    await kit.send(client, subscription, metric, 7)
    await kit.advance(client, "2025-05-20T15:00")
    await kit.call(client, "DELETE", f"/subscriptions/{subscription['external_id']}")
    last = (await kit.invoices(client, who))[-1]
    assert sorted((fee["item"]["type"], fee["amount_cents"]) for fee in last["fees"]) == [
        ("charge", 700),
        ("subscription", 14038),
    ]


async def test_the_second_half_year_of_a_past_start_is_paid(make_organization):
    """§4.3 rule 2 (mended): begun in February, made known in March, paid in advance from July on."""
    client, who, _, _ = await begin(
        make_organization,
        "2025-03-10T12:00:00Z",
        subscription={"subscription_at": "2025-02-10T00:00:00Z"},
        interval="semiannual",
        bill_charges_monthly=True,
        amount_cents=60000,
        pay_in_advance=True,
    )
    await kit.advance(client, "2026-01-01T01:00")
    assert await base_fees(client, who) == [("2025-07-01", 60000), ("2026-01-01", 60000)]


async def test_a_trial_that_ends_on_a_month_of_a_year_is_paid_from_then_on(make_organization):
    """§4.5 (mended): 31 days of trial end on 1 February, which has no base price of its own: 334 of 365 days."""
    client, who, _, _ = await begin(
        make_organization,
        "2025-01-01T00:00:00Z",
        interval="yearly",
        bill_charges_monthly=True,
        amount_cents=36500,
        pay_in_advance=True,
        trial_period=31,
    )
    await kit.advance(client, "2026-01-01T01:00")
    assert await base_fees(client, who) == [("2025-02-01", 33400), ("2026-01-01", 36500)]


async def test_a_trial_goes_on_over_a_new_start(make_organization):
    """§4.5: 20 days from the first start on; the second, after ten days, has ten left: 11 of 31 days of 31.00."""
    client, who, subscription, _ = await begin(
        make_organization, "2025-01-01T00:00:00Z", amount_cents=3100, pay_in_advance=True, trial_period=20
    )
    external_id = subscription["external_id"]
    await kit.advance(client, "2025-01-11")
    await kit.call(client, "DELETE", f"/subscriptions/{external_id}")
    code = subscription["plan_code"]
    await kit.subscribe(client, who, {"code": code}, external_id=external_id)
    await kit.advance(client, "2025-01-25")
    assert [cents for _, cents in await base_fees(client, who)] == [1100]


@pytest.mark.parametrize(
    ("amount_cents", "days", "expected"),
    [
        pytest.param(230, 7, 58, id="57.5 of 230 for 7 of 28 days"),
        pytest.param(123, 14, 62, id="61.5 of 123 for half a month"),
    ],
)
async def test_half_a_cent_is_rounded_away_from_zero(make_organization, amount_cents, days, expected):
    """§4.2 (mended): February 2025 has 28 days."""
    begun = f"2025-02-{29 - days:02}T00:00:00Z"
    client, who, _, _ = await begin(make_organization, begun, amount_cents=amount_cents)
    await kit.advance(client, "2025-03-01T01:00")
    assert await base_fees(client, who) == [("2025-03-01", expected)]


async def test_an_upgrade_gives_its_day_to_the_new_plan(make_organization):
    """§6.4: 10 of 31 days of 93.00, then 21 of 31 days of 155.00."""
    client, who, subscription, _ = await begin(make_organization, "2025-07-01T00:00:00Z", amount_cents=9300)
    dearer = await kit.plan(client, amount_cents=15500, pay_in_advance=True)
    await kit.advance(client, "2025-07-11T10:00")
    await kit.subscribe(client, who, dearer, external_id=subscription["external_id"])
    assert sorted(cents for _, cents in await base_fees(client, who)) == [3000, 10500]


async def test_an_unknown_status_is_named(make_organization):
    """§2.3 (mended)."""
    organization = await make_organization("2025-01-01T00:00:00Z")
    answer = await organization.client.get("/subscriptions", params={"status[]": "sleeping"})
    assert answer.status_code == 422
    assert answer.json()["error_details"] == {"status": ["value_is_invalid"]}


async def test_a_refund_asked_for_at_the_end_is_a_credit_when_upgraded(make_organization):
    """§2.6 (mended): 21 unused days of 93.00 for 31 come back as credit, whatever was stored."""
    client, who, subscription, _ = await begin(
        make_organization,
        "2025-07-01T00:00:00Z",
        subscription={"on_termination_credit_note": "refund"},
        amount_cents=9300,
        pay_in_advance=True,
    )
    dearer = await kit.plan(client, amount_cents=15500, pay_in_advance=True)
    await kit.advance(client, "2025-07-11T10:00")
    await kit.subscribe(client, who, dearer, external_id=subscription["external_id"])
    (note,) = (await kit.get(client, "/credit_notes", external_customer_id=who["external_id"]))[
        "credit_notes"
    ]
    assert (note["credit_amount_cents"], note["refund_amount_cents"]) == (6300, 0)
