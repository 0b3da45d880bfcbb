"""What a change of a plan means for what is not final yet (pricing §4.3, §5.2, §6)."""

import pytest
from tests import kit


@pytest.fixture
async def seller(make_organization):
    """A draft of January: 10.00 and 3 units at 1.00, under a plan `p` with one charge `use`."""
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    client.metric = await kit.metric(client)
    plan = await kit.plan(client, {**kit.charge(client.metric), "code": "use"}, code="p", amount_cents=1000)
    client.who = await kit.customer(client, billing_configuration={"invoice_grace_period": 3})
    client.made = await kit.subscribe(client, client.who, plan)
    await kit.send(client, client.made, client.metric, 3)
    await kit.advance(client, "2026-02-01T01:00")
    return client


async def amounts(client):
    """(status, cents of each fee) of the invoice."""
    (invoice,) = await kit.invoices(client, client.who)
    return invoice["status"], sorted(fee["amount_cents"] for fee in invoice["fees"])


async def test_a_change_of_the_plan_reaches_its_drafts_at_once(seller):
    assert await amounts(seller) == ("draft", [300, 1000])
    await kit.call(seller, "PUT", "/plans/p", {"plan": {"amount_cents": 1500}})
    assert await amounts(seller) == ("draft", [300, 1500])


async def test_a_change_of_a_charge_reaches_them_when_they_are_final(seller):
    """§5.2: finalization refreshes anyway."""
    await kit.call(seller, "PUT", "/plans/p/charges/use", {"charge": {"properties": {"amount": "2"}}})
    assert await amounts(seller) == ("draft", [300, 1000])
    await kit.advance(seller, "2026-02-04T00:00")
    assert await amounts(seller) == ("finalized", [600, 1000])


async def test_a_charge_that_is_added_bills_its_whole_window(seller):
    """§4.3: no change is dated; of a final invoice nothing changes."""
    await kit.advance(seller, "2026-02-20")
    await kit.send(seller, seller.made, seller.metric, 4, timestamp=kit.epoch("2026-02-10"))
    added = {**kit.charge(seller.metric, amount="10"), "code": "more"}
    await kit.post(seller, "/plans/p/charges", {"charge": added})
    await kit.advance(seller, "2026-03-05")
    found = await kit.invoices(seller, seller.who)
    assert [sorted(fee["amount_cents"] for fee in invoice["fees"]) for invoice in found] == [
        [300, 1000],
        [400, 1000, 4000],
    ]


@pytest.mark.parametrize(
    ("amount", "values", "minimum", "kept"),
    [
        ("1", [], 0, []),
        ("0", [3], 0, [("3.0", 0, 1)]),
        ("1", [0], 0, [("0.0", 0, 1)]),
        ("1", [], 500, [("0.0", 0, 0), ("1.0", 500, 0)]),
    ],
)
async def test_which_fees_of_a_charge_are_kept(make_organization, amount, values, minimum, kept):
    """§6, §10: units, an amount or events; or what a true-up hangs on."""
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    metric = await kit.metric(client)
    plan = await kit.plan(client, {**kit.charge(metric, amount=amount), "min_amount_cents": minimum})
    who = await kit.customer(client)
    made = await kit.subscribe(client, who, plan)
    await kit.send(client, made, metric, *values)
    await kit.advance(client, "2026-02-01T01:00")
    (invoice,) = await kit.invoices(client, who)
    found = [
        (fee["units"], fee["amount_cents"], fee["events_count"])
        for fee in invoice["fees"]
        if fee["item"]["type"] == "charge"
    ]
    assert sorted(found) == kept


async def test_long_lists_of_filters_keep_the_place_of_what_stays(client):
    """§6: from a hundred on, what is unchanged comes first, in its order of before."""
    values = [str(number) for number in range(100)]
    metric = await kit.metric(client, filters=[{"key": "zone", "values": values}])
    filters = [{"values": {"zone": [value]}, "properties": {"amount": "1"}} for value in values]
    charge = {**kit.charge(metric), "code": "c", "filters": filters}
    await kit.plan(client, charge, code="p")

    async def places(sent):
        changed = await kit.call(client, "PUT", "/plans/p/charges/c", {"charge": {"filters": sent}})
        return [item["values"]["zone"][0] for item in changed["charge"]["filters"]]

    dearer = {"values": {"zone": ["7"]}, "properties": {"amount": "2"}}
    backwards = [*reversed(filters[8:]), dearer, *reversed(filters[:7])]
    assert await places(backwards) == [*(value for value in values if value != "7"), "7"]
    assert await places(backwards[:3]) == ["99", "98", "97"], "a shorter list is as it is sent"
