"""Which taxes a fee carries: the first level that has any (pricing §2)."""

import pytest
from tests import kit

OWN = {"charge": 21.0, "fixed_charge": 22.0, "commitment": 23.0}
OF_PLAN, OF_CUSTOMER, OF_ENTITY, OF_ADD_ON = 11.0, 12.0, 13.0, 14.0


async def billed(make_organization, *levels):
    """The rate of each kind of fee of January; `levels` are the levels that have taxes."""
    client = (await make_organization("2026-01-01T00:00:00Z")).client

    async def codes(level, rate):
        if level not in levels:
            return []
        return [(await kit.tax(client, str(rate), applied_to_organization=level == "entity"))["code"]]

    await codes("entity", OF_ENTITY)
    add_on = {"name": "Seat", "code": "seat", "amount_cents": 100, "amount_currency": "EUR"}
    add_on["tax_codes"] = await codes("add_on", OF_ADD_ON)
    seat = (await kit.post(client, "/add_ons", {"add_on": add_on}))["add_on"]
    metric = await kit.metric(client)
    fixed = {"add_on_id": seat["lago_id"], "charge_model": "standard", "units": "1"}
    fixed |= {"properties": {"amount": "1"}, "tax_codes": await codes("own", OWN["fixed_charge"])}
    plan = await kit.plan(
        client,
        {**kit.charge(metric), "tax_codes": await codes("own", OWN["charge"])},
        amount_cents=100,
        fixed_charges=[fixed],
        minimum_commitment={"amount_cents": 1000, "tax_codes": await codes("own", OWN["commitment"])},
        tax_codes=await codes("plan", OF_PLAN),
    )
    who = await kit.customer(client, tax_codes=await codes("customer", OF_CUSTOMER))
    subscription = await kit.subscribe(client, who, plan)
    await kit.send(client, subscription, metric, 1)
    await kit.advance(client, "2026-02-01T01:00")
    (invoice,) = await kit.invoices(client, who)
    return {fee["item"]["type"]: fee["taxes_rate"] for fee in invoice["fees"]}


@pytest.mark.parametrize(
    ("levels", "inherited", "own"),
    [
        (("own", "plan", "customer", "entity", "add_on"), OF_PLAN, True),
        (("plan", "customer", "entity", "add_on"), OF_PLAN, False),
        (("customer", "entity", "add_on"), OF_CUSTOMER, False),
        (("entity", "add_on"), OF_ENTITY, False),
        (("add_on",), 0.0, False),
    ],
)
async def test_the_first_level_that_has_any(make_organization, levels, inherited, own):
    """The base price has none of its own, and an add-on's taxes are not those of the fixed charges built on it."""
    rates = await billed(make_organization, *levels)
    expected = {"subscription": inherited, **(OWN if own else dict.fromkeys(OWN, inherited))}
    assert rates == expected


async def test_a_plan_of_ones_own_has_its_own_taxes(make_organization):
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    await kit.tax(client, "5")
    of_plan, own = [await kit.tax(client, rate, applied_to_organization=False) for rate in ("20", "10")]
    plan = await kit.plan(client, amount_cents=100, tax_codes=[of_plan["code"]])
    rates = []
    for codes in (None, [own["code"]], []):
        who = await kit.customer(client)
        await kit.subscribe(client, who, plan, plan_overrides={"amount_cents": 200, "tax_codes": codes})
        rates.append(who)
    await kit.advance(client, "2026-02-01T01:00")
    found = [(await kit.invoices(client, who))[0]["taxes_rate"] for who in rates]
    assert found == [20.0, 10.0, 5.0]


async def test_all_taxes_of_a_level_add_up_and_none_compounds(make_organization):
    """10 % and 5 % of 10.00 are 1.00 and 0.50."""
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    codes = [(await kit.tax(client, rate, applied_to_organization=False))["code"] for rate in ("10", "5")]
    who = await kit.customer(client, tax_codes=codes)
    await kit.subscribe(client, who, await kit.plan(client, amount_cents=1000, pay_in_advance=True))
    (invoice,) = await kit.invoices(client, who)
    assert (invoice["taxes_amount_cents"], invoice["taxes_rate"]) == (150, 15.0)
    assert sorted(tax["amount_cents"] for tax in invoice["applied_taxes"]) == [50, 100]


async def test_they_are_listed_by_name(client):
    for name in ("b", "c", "a"):
        await kit.tax(client, name=name)
    assert [tax["name"] for tax in (await kit.get(client, "/taxes"))["taxes"]] == ["a", "b", "c"]
