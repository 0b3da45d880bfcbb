"""Upgrades, downgrades and trials, to the cent (subscriptions §2.6, §4.4, §4.5, §6)."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from tests import kit

from tallymark.db.engine import TERMINATION_ALERTS
from tallymark.db.tables import outbox


@pytest.fixture
async def seller(make_organization):
    made = await make_organization("2025-06-20T00:00:00Z")
    return made.client


def amounts(invoice, kind="subscription"):
    return sorted(fee["amount_cents"] for fee in invoice["fees"] if fee["item"]["type"] == kind)


async def of_status(seller, subscription, status):
    path = f"/subscriptions/{subscription['external_id']}"
    return (await kit.get(seller, path, status=status))["subscription"]


async def move(seller, who, subscription, plan):
    return await kit.subscribe(seller, who, plan, external_id=subscription["external_id"])


async def test_an_upgrade_in_arrears_bills_the_days_before_it(seller):
    """Ten days of 93.00 a month are 30.00: the day of the change belongs to the new plan (§6, example 4)."""
    cheap = await kit.plan(seller, amount_cents=9300)
    dear = await kit.plan(seller, amount_cents=15500, pay_in_advance=True)
    customer = await kit.customer(seller)
    old = await kit.subscribe(seller, customer, cheap)
    await kit.advance(seller, "2025-07-11T10:00")
    new = await move(seller, customer, old, dear)
    assert (new["status"], new["plan_code"], new["previous_plan_code"]) == (
        "active",
        dear["code"],
        cheap["code"],
    )
    assert new["subscription_at"] == old["subscription_at"]
    ended = await of_status(seller, old, "terminated")
    assert ended["next_plan_code"] == dear["code"]
    *_, invoice = await kit.invoices(seller, customer)
    assert amounts(invoice) == [3000, 10500]
    reasons = {period["invoicing_reason"] for period in invoice["billing_periods"]}
    assert reasons == {"subscription_terminating", "subscription_starting"}


async def test_plan_changes_with_other_order_numbers_are_invoiced_apart(seller):
    """One invoice carries one purchase order number (§2.6)."""
    cheap = await kit.plan(seller, amount_cents=9300)
    dear = await kit.plan(seller, amount_cents=15500, pay_in_advance=True)
    customer = await kit.customer(seller)
    old = await kit.subscribe(seller, customer, cheap, purchase_order_number="A")
    await kit.advance(seller, "2025-06-30T10:00")
    await kit.subscribe(seller, customer, dear, external_id=old["external_id"], purchase_order_number="B")
    made = await kit.invoices(seller, customer)
    assert sorted(invoice["purchase_order_number"] for invoice in made) == ["A", "B"]


async def test_what_is_due_is_billed_before_an_upgrade(seller):
    """An upgrade in the ten minutes before the month's invoice loses nothing of the month (§2.6)."""
    cheap = await kit.plan(seller, amount_cents=3000)
    dear = await kit.plan(seller, amount_cents=15500)
    customer = await kit.customer(seller)
    old = await kit.subscribe(seller, customer, cheap)
    await kit.advance(seller, "2025-07-01T00:05")
    await move(seller, customer, old, dear)
    invoices = await kit.invoices(seller, customer)
    assert [amounts(invoice) for invoice in invoices] == [[1100], [0]]  # 11 of 30 days, then none of July
    await kit.advance(seller, "2025-08-01T01:00")
    assert amounts((await kit.invoices(seller, customer))[-1]) == [15500]


@pytest.mark.parametrize(
    ("dearer", "notes", "last"), [(None, [300], []), (6200, [310], [6200])], ids=["ended", "upgraded"]
)
async def test_what_a_downgrade_bills_is_billed_before_what_it_began_ends(seller, dearer, notes, last):
    """Within ten minutes of the switch 3.10 of July are not invoiced yet: they are first, and 30 or 31 days come back (§4.6)."""
    dear = await kit.plan(seller, amount_cents=3000, pay_in_advance=True)
    cheap = await kit.plan(seller, amount_cents=310, pay_in_advance=True)
    customer = await kit.customer(seller)
    old = await kit.subscribe(seller, customer, dear)
    await move(seller, customer, old, cheap)
    await kit.advance(seller, "2025-07-01T00:05")
    if dearer is None:
        await kit.call(seller, "DELETE", f"/subscriptions/{old['external_id']}")
    else:
        await move(seller, customer, old, await kit.plan(seller, amount_cents=dearer, pay_in_advance=True))
    await kit.advance(seller, "2025-07-02")
    assert [amounts(invoice) for invoice in await kit.invoices(seller, customer)] == [[1100], [310], last]
    made = (await kit.get(seller, "/credit_notes"))["credit_notes"]
    assert [note["total_amount_cents"] for note in made] == notes


async def test_a_downgrade_waits_for_the_end_of_the_period(seller):
    """The old plan is billed in full, the new one from the day of the switch on (§2.6)."""
    dear = await kit.plan(seller, amount_cents=9300)
    cheap = await kit.plan(seller, amount_cents=3100, pay_in_advance=True)
    customer = await kit.customer(seller)
    old = await kit.subscribe(seller, customer, dear)
    await kit.advance(seller, "2025-07-11T10:00")
    answered = await move(seller, customer, old, cheap)
    assert answered["lago_id"] == old["lago_id"]
    assert (answered["next_plan_code"], answered["downgrade_plan_date"]) == (cheap["code"], "2025-08-01")
    await kit.advance(seller, "2025-08-01T00:10")
    *_, invoice = await kit.invoices(seller, customer)
    assert amounts(invoice) == [3100, 9300]
    new = await of_status(seller, old, "active")
    assert (new["plan_code"], new["started_at"]) == (cheap["code"], "2025-08-01T00:00:00.000Z")
    await kit.advance(seller, "2025-09-01T00:10")
    assert amounts((await kit.invoices(seller, customer))[-1]) == [3100]


async def test_the_first_instant_after_a_downgrade_is_the_new_plans(seller):
    """Seven units dated 1 August, 00:00:00, when the cheaper plan takes over: July has none of them, August has all (§3.9)."""
    metric = await kit.metric(seller)
    dear = await kit.plan(seller, kit.charge(metric, amount="2"), amount_cents=9300)
    cheap = await kit.plan(seller, kit.charge(metric, amount="1"), amount_cents=3100)
    customer = await kit.customer(seller)
    old = await kit.subscribe(seller, customer, dear)
    await kit.advance(seller, "2025-07-11T10:00")
    await move(seller, customer, old, cheap)
    await kit.advance(seller, "2025-08-01T00:05")
    await kit.send(seller, old, metric, 7, timestamp=kit.epoch("2025-08-01T00:00:00"))
    used = await kit.usage(seller, customer, old)
    assert (used["from_datetime"], used["amount_cents"]) == ("2025-08-01T00:00:00Z", 700)
    await kit.advance(seller, "2025-09-01T00:10")
    *_, july, august = await kit.invoices(seller, customer)
    assert (amounts(july, "charge"), amounts(august, "charge")) == ([], [700])
    assert (await kit.get(seller, "/events", unmatched="true"))["events"] == []


async def test_a_queued_downgrade_follows_its_customer_to_another_zone(seller):
    """The switch happens at the start of the local day, and not before (§2.6, §3.7)."""
    dear, cheap = await kit.plan(seller, amount_cents=9300), await kit.plan(seller, amount_cents=3100)
    customer = await kit.customer(seller)
    old = await kit.subscribe(seller, customer, dear)
    await move(seller, customer, old, cheap)
    await kit.customer(seller, external_id=customer["external_id"], timezone="America/Bogota")
    assert (await of_status(seller, old, "active"))["plan_code"] == dear["code"]
    await kit.advance(seller, "2025-07-01T05:00")
    new = await of_status(seller, old, "active")
    assert (new["plan_code"], new["started_at"]) == (cheap["code"], "2025-07-01T05:00:00.000Z")


async def test_a_canceled_downgrade_leaves_the_plan(seller):
    """Cancelling what waits changes nothing of what runs (§2.9)."""
    dear, cheap = await kit.plan(seller, amount_cents=9300), await kit.plan(seller, amount_cents=3100)
    customer = await kit.customer(seller)
    old = await kit.subscribe(seller, customer, dear)
    await move(seller, customer, old, cheap)
    await kit.call(seller, "DELETE", f"/subscriptions/{old['external_id']}", status="pending")
    assert (await of_status(seller, old, "active"))["next_plan_code"] is None
    await kit.advance(seller, "2025-08-02")
    assert amounts((await kit.invoices(seller, customer))[-1]) == [9300]


@pytest.mark.parametrize(
    ("interval", "amount_cents", "is_upgrade"),
    [("weekly", 231, True), ("quarterly", 2999, False), ("yearly", 12000, True)],
)
async def test_the_yearly_price_decides_which_way_a_change_goes(seller, interval, amount_cents, is_upgrade):
    """Against 120.00 a year: 120.12 and an equal price go up, 119.96 goes down (§6, example 8)."""
    held = await kit.plan(seller, amount_cents=1000)
    wanted = await kit.plan(seller, amount_cents=amount_cents, interval=interval)
    customer = await kit.customer(seller)
    old = await kit.subscribe(seller, customer, held)
    answered = await move(seller, customer, old, wanted)
    assert (answered["lago_id"] != old["lago_id"]) is is_upgrade


async def test_the_end_of_a_trial_bills_the_rest_of_the_month(seller):
    """16 of 31 days of 62.00 on 16 August, then the full month (§6, example 6)."""
    plan = await kit.plan(seller, amount_cents=6200, pay_in_advance=True, trial_period=10)
    customer = await kit.customer(seller)
    await kit.advance(seller, "2025-08-06T14:00")
    subscription = await kit.subscribe(seller, customer, plan)
    await kit.advance(seller, "2025-08-16T13:59")
    assert await kit.invoices(seller, customer) == []
    await kit.advance(seller, "2025-09-01T01:00")
    first, second = await kit.invoices(seller, customer)
    assert (amounts(first), amounts(second)) == ([3200], [6200])
    assert (await of_status(seller, subscription, "active"))["trial_ended_at"] == "2025-08-16T14:00:00Z"


@pytest.mark.parametrize("stops", [[], ["2025-07-01", "2025-07-01T00:05", "2025-08-03T07:00", "2025-08-31"]])
async def test_splitting_an_advance_changes_nothing(seller, stops):
    """A trial, a downgrade and a renewal come to the same however the clock gets there (test-clock)."""
    dear = await kit.plan(seller, amount_cents=9000)
    cheap = await kit.plan(seller, amount_cents=3100, pay_in_advance=True, trial_period=45)
    customer = await kit.customer(seller)
    old = await kit.subscribe(seller, customer, dear)
    await move(seller, customer, old, cheap)
    for stop in [*stops, "2025-09-02"]:
        await kit.advance(seller, stop)
    found = [(invoice["issuing_date"], amounts(invoice)) for invoice in await kit.invoices(seller, customer)]
    # 11 of 30 days; 45 days after 20 June, on 4 August, the trial is over: 28 of 31 days.
    expected = [("07-01", [3300]), ("08-01", []), ("08-04", [2800]), ("09-01", [3100])]
    assert found == [(f"2025-{day}", cents) for day, cents in expected]


@pytest.mark.parametrize(("alerts", "warned"), [
    (TERMINATION_ALERTS, ["2025-07-18", "2025-08-17"]),
    ((timedelta(days=3),), ["2025-08-29"]),
])  # fmt: skip
async def test_an_end_is_warned_of_so_many_days_before(
    make_organization, database, monkeypatch, alerts, warned
):
    """Once at 00:00 UTC of each day, by default 45 and 15 days before (§5.6)."""
    monkeypatch.setattr(database, "termination_alerts", alerts)
    made = await make_organization("2025-06-20T00:00:00Z")
    customer, plan = await kit.customer(made.client), await kit.plan(made.client)
    await kit.subscribe(made.client, customer, plan, ending_at="2025-09-01T18:00:00Z")
    await kit.advance(made.client, "2025-08-31")
    async with database.tenant(made.id) as tx:
        rows = await tx.execute(
            select(outbox.c.created_at).where(outbox.c.webhook_type == "subscription.termination_alert")
        )
        days = sorted(row.created_at.date().isoformat() for row in rows)
    assert days == warned


@pytest.mark.parametrize(
    ("rules", "errors"),
    [
        ("payment", {"activation_rules": ["invalid_format"]}),
        ([{"type": "luck"}], {"activation_rules": ["invalid_type"]}),
        ([{"type": "payment"}] * 2, {"activation_rules": ["duplicated_type"]}),
        (
            [{"type": "payment", "timeout_hours": -1}],
            {"timeout_hours": ["value_must_be_positive_or_zero"]},
        ),
        ([{"type": "payment", "timeout_hours": 1}], {"customer": ["no_linked_payment_provider"]}),
    ],
)
async def test_activation_rules_need_a_payment_provider(seller, rules, errors):
    """Nobody has one yet (§2.10)."""
    customer, plan = await kit.customer(seller), await kit.plan(seller)
    body = {
        "external_customer_id": customer["external_id"], "plan_code": plan["code"], "external_id": "gated",
        "activation_rules": rules,
    }  # fmt: skip
    answer = await kit.post(seller, "/subscriptions", {"subscription": body}, expect=422)
    assert answer["error_details"] == errors


async def test_why_activation_rules_are_refused_is_the_customers_own(seller):
    plan, rules = await kit.plan(seller), [{"type": "payment", "timeout_hours": 1}]
    linked = await kit.customer(seller, billing_configuration={"payment_provider": "stripe"})
    body = {
        "external_customer_id": linked["external_id"], "plan_code": plan["code"], "external_id": "gated",
        "activation_rules": rules,
    }  # fmt: skip
    by_hand = {**body, "payment_method": {"payment_method_type": "manual"}}
    for asked, code in (
        (body, "no_default_payment_method"),
        (by_hand, "manual_payment_method_invalid_for_payment_activation_rules"),
    ):
        answer = await kit.post(seller, "/subscriptions", {"subscription": asked}, expect=422)
        assert answer["error_details"] == {"customer": [code]}
    started = await kit.subscribe(seller, linked, plan)
    body = {"subscription": {"activation_rules": rules}}
    answer = await kit.call(seller, "PUT", f"/subscriptions/{started['external_id']}", body, expect=422)
    assert answer["error_details"] == {"activation_rules": ["subscription_not_pending"]}
    unchanged = {"subscription": {"activation_rules": [], "name": "new"}}
    answer = await kit.call(seller, "PUT", f"/subscriptions/{started['external_id']}", unchanged)
    assert answer["subscription"]["activation_rules"] == []


async def test_a_plan_whose_trial_was_over_before_it_began_is_billed_once(make_organization):
    """The trial of 5 days counts from 10 January: the cheaper plan in advance of 1 February has none left."""
    organization = await make_organization("2025-01-10T08:00:00Z")
    client = organization.client
    dear = await kit.plan(client, amount_cents=3100)
    cheap = await kit.plan(client, amount_cents=1000, pay_in_advance=True, trial_period=5)
    who = await kit.customer(client)
    subscription = await kit.subscribe(client, who, dear)
    await kit.subscribe(client, who, cheap, external_id=subscription["external_id"])
    moved = await kit.advance(client, "2025-02-01T03:00")
    assert not moved.get("errors")
    (invoice,) = await kit.invoices(client, who)
    assert [fee["amount_cents"] for fee in invoice["fees"]] == [2200, 1000]


@pytest.mark.parametrize(("trial", "ends", "first"), [(7, "27", 400), (1, "21", 1000), (0, "22", 1100)])
async def test_a_trial_of_ones_own_ends_by_its_own_days(seller, trial, ends, first):
    """From 20 June: of 5 days, on the third of 7, of 1, or of none. June's rest is paid when it ends, at once if it has ended."""
    plan = await kit.plan(seller, amount_cents=3000, pay_in_advance=True, trial_period=5)
    customer = await kit.customer(seller)
    subscription = await kit.subscribe(seller, customer, plan)
    await kit.advance(seller, "2025-06-22")
    path = f"/subscriptions/{subscription['external_id']}"
    own = {"subscription": {"plan_overrides": {"trial_period": trial}}}
    await kit.call(seller, "PUT", path, own)
    await kit.advance(seller, f"2025-06-{max(ends, '22')}T01:00")
    assert len(await kit.invoices(seller, customer)) == 1
    await kit.advance(seller, "2025-07-02")
    june, july = await kit.invoices(seller, customer)
    assert (amounts(june), amounts(july)) == ([first], [3000])
    assert (await of_status(seller, subscription, "active"))["trial_ended_at"] == f"2025-06-{ends}T00:00:00Z"
