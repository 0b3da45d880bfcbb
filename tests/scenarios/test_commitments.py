"""A plan's minimum commitment over the life of a subscription (pricing §15)."""

import pytest
from tests import kit

JANUARY = "2025-01-01T00:00:00Z"


async def world(make_organization, *charges, began=JANUARY, subscribe=None, **plan):
    organization = await make_organization(began)
    client = organization.client
    sold = await kit.plan(client, *charges, **plan)
    who = await kit.customer(client)
    subscription = await kit.subscribe(client, who, sold, **(subscribe or {}))
    return client, who, subscription


async def fees_of(client, who):
    """By invoice: each fee's type and cents."""
    return [
        [(fee["item"]["type"], fee["amount_cents"]) for fee in invoice["fees"]]
        for invoice in await kit.invoices(client, who)
    ]


ADVANCE = {"amount_cents": 10000, "pay_in_advance": True, "minimum_commitment": {"amount_cents": 15000}}


class TestInAdvance:
    async def test_the_next_base_fee_brings_the_rest_of_the_period_before(self, make_organization):
        """January: 150.00 committed, 100.00 paid; nothing on the first invoice."""
        client, who, _ = await world(make_organization, **ADVANCE)
        await kit.advance(client, "2025-02-01T01:00")
        assert await fees_of(client, who) == [
            [("subscription", 10000)],
            [("subscription", 10000), ("commitment", 5000)],
        ]

    async def test_an_end_on_a_billing_day_reconciles_what_ended_and_not_what_never_began(
        self, make_organization
    ):
        """Ended on 1 March: February lacks 50.00; nothing is committed for March."""
        ends = {"ending_at": "2025-03-01T12:00:00Z"}
        client, who, _ = await world(make_organization, subscribe=ends, **ADVANCE)
        await kit.advance(client, "2025-03-02")
        assert (await fees_of(client, who))[2:] == [[("commitment", 5000)]]

    async def test_a_downgrade_reconciles_the_period_that_ended(self, make_organization):
        """On 1 February a plan of 30.00 follows: its fee, and the 50.00 that January lacks."""
        client, who, subscription = await world(make_organization, **ADVANCE)
        cheaper = await kit.plan(client, amount_cents=3000, pay_in_advance=True)
        await kit.subscribe(client, who, cheaper, external_id=subscription["external_id"])
        await kit.advance(client, "2025-02-01T01:00")
        (switch,) = (await fees_of(client, who))[1:]
        assert sorted(switch) == [("commitment", 5000), ("subscription", 3000)]

    async def test_an_end_within_a_period_reconciles_its_days(self, make_organization):
        """Ended on 10 February: 10 of 28 days of 500.00 are 178.57, of which 100.00 are paid."""
        terms = ADVANCE | {"minimum_commitment": {"amount_cents": 50000}}
        client, who, subscription = await world(make_organization, **terms)
        await kit.advance(client, "2025-02-10T12:00")
        path = f"/subscriptions/{subscription['external_id']}"
        await kit.call(client, "DELETE", path, on_termination_credit_note="skip")
        assert (await fees_of(client, who))[2:] == [[("commitment", 7857)]]


class TestInArrears:
    async def test_the_first_days_of_a_period_and_what_was_used_of_it(self, make_organization):
        """From 15 April, 16 of 30 days: 450.00 × 16/30 = 240.00 committed, 160.00 base, 12.50 used."""
        organization = await make_organization("2025-04-15T00:00:00Z")
        client = organization.client
        sold = await kit.metric(client)
        terms = {"amount_cents": 30000, "minimum_commitment": {"amount_cents": 45000}}
        plan = await kit.plan(client, kit.charge(sold, amount="0.5"), **terms)
        who = await kit.customer(client)
        subscription = await kit.subscribe(client, who, plan)
        await kit.advance(client, "2025-04-20")
        await kit.send(client, subscription, sold, 25)
        await kit.advance(client, "2025-05-01T01:00")
        assert await fees_of(client, who) == [
            [("subscription", 16000), ("charge", 1250), ("commitment", 24000 - 16000 - 1250)]
        ]

    async def test_a_trial_suspends_the_base_price_and_not_the_commitment(self, make_organization):
        terms = {"amount_cents": 10000, "trial_period": 40, "minimum_commitment": {"amount_cents": 15000}}
        client, who, _ = await world(make_organization, **terms)
        await kit.advance(client, "2025-02-01T01:00")
        assert await fees_of(client, who) == [[("commitment", 15000)]]

    @pytest.mark.parametrize(("used", "missing"), [(4, [("commitment", 9600)]), (100, [])])
    async def test_months_of_usage_count_for_the_year(self, make_organization, used, missing):
        """A year of 1200.00 with 1300.00 committed: only January's invoice has the rest of the year before."""
        organization = await make_organization(JANUARY)
        client = organization.client
        sold = await kit.metric(client)
        terms = {"interval": "yearly", "bill_charges_monthly": True, "amount_cents": 120000}
        plan = await kit.plan(client, kit.charge(sold), minimum_commitment={"amount_cents": 130000}, **terms)
        who = await kit.customer(client)
        subscription = await kit.subscribe(client, who, plan)
        await kit.advance(client, "2025-03-10")
        await kit.send(client, subscription, sold, used)
        await kit.advance(client, "2026-01-01T01:00")
        found = await fees_of(client, who)
        assert [fees for fees in found[:-1] if fees] == [[("charge", used * 100)]]
        assert found[-1] == [("subscription", 120000), *missing]


@pytest.mark.parametrize("invoiceable", [True, False])
@pytest.mark.parametrize("interval", ["monthly", "semiannual"])
async def test_charges_in_advance_and_their_renewals_count_too(make_organization, invoiceable, interval):
    """20.00 used in the first month and renewed for each of five more: 120.00 of 500.00 in half a year."""
    organization = await make_organization(JANUARY)
    client = organization.client
    seats = await kit.metric(client, recurring=True)
    charge = kit.charge(seats, amount="2") | {"pay_in_advance": True, "invoiceable": invoiceable}
    flags = {"bill_charges_monthly": True} if interval == "semiannual" else {}
    plan = await kit.plan(
        client, charge, interval=interval, minimum_commitment={"amount_cents": 50000}, **flags
    )
    who = await kit.customer(client)
    subscription = await kit.subscribe(client, who, plan)
    await kit.advance(client, "2025-01-05")
    await kit.send(client, subscription, seats, 10)
    await kit.advance(client, "2025-07-01T01:00")
    found = [cents for fees in await fees_of(client, who) for kind, cents in fees if kind == "commitment"]
    assert found == ([38000] if interval == "semiannual" else [48000] * 6)
