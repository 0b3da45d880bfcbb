"""Prices on invoices where their parts meet: pricing units, minimums, prorated tiers, updates (pricing §5 to §13)."""

import pytest
from tests import kit


@pytest.fixture
async def seller(make_organization):
    made = await make_organization("2025-04-01T00:00:00Z")
    return made.client


async def usage_fees(client, who):
    """Of the latest invoice: units, cents and precise cents of each usage fee."""
    invoice = (await kit.invoices(client, who))[-1]
    return [
        (fee["units"], fee["amount_cents"], float(fee["precise_amount"]) * 100)
        for fee in invoice["fees"]
        if fee["item"]["type"] == "charge"
    ]


class TestPricingUnits:
    @pytest.fixture
    async def credits(self, seller):
        body = {"name": "Credits", "code": "credits", "short_name": "cr"}
        await kit.post(seller, "/pricing_units", {"pricing_unit": body})
        return {"applied_pricing_unit": {"code": "credits", "conversion_rate": "0.35"}}

    async def test_are_rounded_before_they_are_converted(self, seller, credits):
        """§17.8: 12.3456 credits are 12.35, 4.3225 in currency: 432 cents, precisely 432.25."""
        sold = await kit.metric(seller)
        plan = await kit.plan(seller, kit.charge(sold, amount="1") | credits)
        who = await kit.customer(seller)
        subscription = await kit.subscribe(seller, who, plan)
        await kit.advance(seller, "2025-04-10")
        await kit.send(seller, subscription, sold, "12.3456")
        await kit.advance(seller, "2025-05-01T01:00")
        assert await usage_fees(seller, who) == [("12.3456", 432, pytest.approx(432.25))]

    async def test_a_minimum_is_in_them_too(self, seller, credits):
        """§11: 50.00 credits less 12.35 used are 37.65, 13.1775 in currency."""
        sold = await kit.metric(seller)
        charge = kit.charge(sold, amount="1") | credits | {"min_amount_cents": 5000}
        plan = await kit.plan(seller, charge)
        who = await kit.customer(seller)
        subscription = await kit.subscribe(seller, who, plan)
        await kit.advance(seller, "2025-04-10")
        await kit.send(seller, subscription, sold, "12.3456")
        await kit.advance(seller, "2025-05-01T01:00")
        (_, used, _), (_, lacking, _) = await usage_fees(seller, who)
        assert (used, lacking) == (432, 1318)


async def test_the_tier_of_a_prorated_volume_is_that_of_the_full_units(seller):
    """§9: 12 units from the 16th on are 6 of a month; the tier of 12 costs 2.00 and 5.00 flat: 17.00."""
    sold = await kit.metric(seller, recurring=True)
    ranges = [
        {"from_value": 0, "to_value": 10, "per_unit_amount": "3", "flat_amount": "0"},
        {"from_value": 11, "to_value": None, "per_unit_amount": "2", "flat_amount": "5"},
    ]
    plan = await kit.plan(seller, kit.charge(sold, "volume", volume_ranges=ranges) | {"prorated": True})
    who = await kit.customer(seller)
    subscription = await kit.subscribe(seller, who, plan)
    await kit.advance(seller, "2025-04-16T12:00")
    await kit.send(seller, subscription, sold, 12)
    await kit.advance(seller, "2025-05-01T01:00")
    assert await usage_fees(seller, who) == [("12.0", 1700, pytest.approx(1700))]


async def test_an_update_of_a_charge_changes_what_it_names(seller):
    """§5.2 (mended): the minimum, the name and the model stay as they are when only the price is sent."""
    sold = await kit.metric(seller)
    charge = kit.charge(sold, amount="1") | {
        "code": "tokens",
        "min_amount_cents": 700,
        "invoice_display_name": "Tokens",
    }
    plan = await kit.plan(seller, charge)
    path = f"/plans/{plan['code']}/charges/tokens"
    body = {"charge": {"properties": {"amount": "2"}}}
    changed = (await kit.call(seller, "PUT", path, body))["charge"]
    assert changed["properties"]["amount"] == "2"
    kept = (changed["min_amount_cents"], changed["invoice_display_name"], changed["charge_model"])
    assert kept == (700, "Tokens", "standard")


async def test_an_update_of_a_fixed_charge_changes_what_it_names(seller):
    """§13.1 (mended): the price stays when only units are sent; its timing never changes."""
    body = {"name": "Seats", "code": "seats", "amount_cents": 1, "amount_currency": "EUR"}
    seats = (await kit.post(seller, "/add_ons", {"add_on": body}))["add_on"]["lago_id"]
    fixed = {"add_on_id": seats, "charge_model": "standard", "units": "2", "properties": {"amount": "9"}}
    plan = await kit.plan(seller, fixed_charges=[fixed | {"code": "seats", "invoice_display_name": "Chairs"}])
    path = f"/plans/{plan['code']}/fixed_charges/seats"
    changed = (await kit.call(seller, "PUT", path, {"fixed_charge": {"units": "5"}}))["fixed_charge"]
    assert (changed["units"], changed["properties"]["amount"], changed["invoice_display_name"]) == (
        "5.0",
        "9",
        "Chairs",
    )
    refused = await kit.call(seller, "PUT", path, {"fixed_charge": {"pay_in_advance": True}}, expect=422)
    assert refused["error_details"] == {"pay_in_advance": ["modification_not_allowed"]}


async def test_a_minimum_of_a_period_that_was_over_before_an_upgrade_stays_whole(make_organization):
    """January's draft lacks 50.00 to its minimum; an upgrade on 2 February takes no day of January away (pricing §10)."""
    organization = await make_organization("2025-01-01T00:00:00Z")
    client = organization.client
    of = await kit.metric(client)
    small = await kit.plan(client, {**kit.charge(of, amount="1"), "min_amount_cents": 5000})
    large = await kit.plan(client, amount_cents=9900)
    who = await kit.customer(client, billing_configuration={"invoice_grace_period": 5})
    subscription = await kit.subscribe(client, who, small)
    await kit.advance(client, "2025-02-02T12:00")
    await kit.subscribe(client, who, large, external_id=subscription["external_id"])
    await kit.advance(client, "2025-02-07")
    january, _ = await kit.invoices(client, who)
    assert january["status"] == "finalized"
    assert january["fees_amount_cents"] == 5000
