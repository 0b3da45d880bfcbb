"""Fees of drafts told otherwise by hand (invoicing §8)."""

import pytest
from tests import kit


@pytest.fixture
async def seller(make_organization):
    """A draft of January 2025 until 4 February: 31.00, 5 units at 2.00, nothing of a charge by packages of 10 at 3.00."""
    organization = await make_organization("2025-01-01T00:00:00Z")
    client = organization.client
    sold = await kit.metric(client, "sum_agg", field_name="value")
    idle = await kit.metric(client, "sum_agg", field_name="value")
    share = await kit.metric(client, "sum_agg", field_name="value")
    packages = kit.charge(idle, "package", amount="3", package_size=10, free_units=0)
    percentage = kit.charge(share, "percentage", rate="10")
    client.plan = await kit.plan(
        client, kit.charge(sold, amount="2"), packages, percentage, amount_cents=3100
    )
    client.packages, client.percentage = (
        next(one for one in client.plan["charges"] if one["charge_model"] == model)
        for model in ("package", "percentage")
    )
    client.who = await kit.customer(client, billing_configuration={"invoice_grace_period": 3})
    client.subscription = await kit.subscribe(client, client.who, client.plan)
    await kit.send(client, client.subscription, sold, 5)
    await kit.send(client, client.subscription, share, 20)
    await kit.advance(client, "2025-02-01T01:00")
    (client.draft,) = await kit.invoices(client, client.who)
    return client


def fee_of(invoice, kind, model="standard"):
    return next(
        fee for fee in invoice["fees"]
        if fee["item"]["type"] == kind and (kind != "charge" or fee["amount_cents"] == {"standard": 1000, "percentage": 200}[model])
    )  # fmt: skip


async def adjust(client, *, expect=200, invoice=None, **asked):
    path = f"/invoices/{(invoice or client.draft)['lago_id']}/adjusted_fees"
    answer = await kit.post(client, path, {"adjusted_fee": asked}, expect=expect)
    return answer.get("adjusted_fee", answer)


async def read(client):
    return (await kit.get(client, f"/invoices/{client.draft['lago_id']}"))["invoice"]


@pytest.mark.parametrize(
    ("kind", "change", "amount"),
    [
        pytest.param("charge", {"units": 7}, 1400, id="7 x 2.00"),
        pytest.param("charge", {"units": 7, "unit_precise_amount": "0.333"}, 233, id="7 x 0.333 = 2.331"),
        pytest.param("subscription", {"units": "0.5"}, 1550, id="half of 31.00"),
        pytest.param("charge", {"invoice_display_name": "Calls"}, 1000, id="its name alone"),
    ],
)
async def test_a_fee_stays_told_otherwise_until_it_is_issued(seller, kind, change, amount):
    fee = fee_of(seller.draft, kind)
    other = seller.draft["fees_amount_cents"] - fee["amount_cents"]
    made = await adjust(seller, fee_id=fee["lago_id"], **change)
    assert (made["fee_type"], made["lago_invoice_id"]) == (kind, seller.draft["lago_id"])
    assert (await read(seller))["fees_amount_cents"] == other + amount
    await kit.call(seller, "PUT", f"/invoices/{seller.draft['lago_id']}/refresh")
    await kit.advance(seller, "2025-02-04T01:00")
    issued = await read(seller)
    assert (issued["status"], issued["fees_amount_cents"]) == ("finalized", other + amount)
    if "invoice_display_name" in change:
        assert "Calls" in [one["item"]["invoice_display_name"] for one in issued["fees"]]


async def test_units_that_nobody_used_make_a_fee(seller):
    """12 units are two packages: 6.00."""
    before = seller.draft["fees_amount_cents"]
    await adjust(
        seller,
        subscription_id=seller.subscription["lago_id"],
        charge_id=seller.packages["lago_id"],
        units=12,
    )
    invoice = await read(seller)
    assert invoice["fees_amount_cents"] == before + 600
    made = next(fee for fee in invoice["fees"] if fee["lago_charge_id"] == seller.packages["lago_id"])
    assert (made["units"], made["events_count"]) == ("12.0", 0)


async def test_a_fee_told_to_be_nothing_is_kept(seller):
    await adjust(seller, fee_id=fee_of(seller.draft, "charge")["lago_id"], units=0)
    amounts = sorted(fee["amount_cents"] for fee in (await read(seller))["fees"])
    assert amounts == [0, 200, 3100]


async def test_what_was_told_is_taken_back(seller):
    made = await adjust(seller, fee_id=fee_of(seller.draft, "charge")["lago_id"], units=0)
    path = f"/invoices/{seller.draft['lago_id']}/adjusted_fees"
    listed = (await kit.get(seller, path))["adjusted_fees"]
    assert [one["lago_id"] for one in listed] == [made["lago_id"]]
    invoice = (await kit.call(seller, "DELETE", f"{path}/{made['lago_id']}"))["invoice"]
    assert invoice["fees_amount_cents"] == seller.draft["fees_amount_cents"]
    gone = await kit.call(seller, "DELETE", f"{path}/{made['lago_id']}", expect=404)
    assert gone["code"] == "adjusted_fee_not_found"


async def test_what_is_refused(seller, other_client):
    fee, nobody = fee_of(seller.draft, "charge"), "0190a1c2-0000-7000-8000-000000000000"
    of_subscription = {"subscription_id": seller.subscription["lago_id"]}
    for asked, code in (
        ({"fee_id": nobody}, "fee"),
        ({"subscription_id": nobody, "charge_id": nobody}, "subscription"),
        ({**of_subscription, "charge_id": nobody}, "charge"),
        ({**of_subscription, "fixed_charge_id": nobody}, "fixed_charge"),
        ({**of_subscription, "charge_id": seller.packages["lago_id"], "charge_filter_id": nobody}, "charge_filter"),
    ):  # fmt: skip
        assert (await adjust(seller, expect=404, units=1, **asked))["code"] == f"{code}_not_found"
    percentage = fee_of(seller.draft, "charge", "percentage")
    refused = await adjust(seller, expect=422, fee_id=percentage["lago_id"], units=1)
    assert refused["error_details"] == {"charge": ["invalid_charge_model"]}
    await adjust(seller, fee_id=percentage["lago_id"], units=1, unit_precise_amount="1")
    # A draft that is computed anew has new fees.
    await adjust(seller, fee_id=fee_of(await read(seller), "charge")["lago_id"], units=1)
    again = next(
        one for one in (await read(seller))["fees"] if one["lago_charge_id"] == fee["lago_charge_id"]
    )
    refused = await adjust(seller, expect=422, fee_id=again["lago_id"], units=2)
    assert refused["error_details"] == {"adjusted_fee": ["already_exists"]}
    assert (await adjust(other_client, expect=404, invoice=seller.draft, fee_id=again["lago_id"], units=1))[
        "code"
    ] == "invoice_not_found"
    await kit.call(seller, "PUT", f"/invoices/{seller.draft['lago_id']}/finalize")
    refused = await adjust(seller, expect=403, fee_id=again["lago_id"], units=1)
    assert refused["code"] == "feature_unavailable"


async def test_a_charge_is_filled_up_to_its_minimum_by_what_its_fees_are_told_to_come_to(make_organization):
    """A minimum of 10.00: 3 units at 1.00, then told 5, and 15; of a filter 6 at 2.00, told 3, lack 4.00 beside a default of nothing."""
    client = (await make_organization("2025-01-01T00:00:00Z")).client
    plain = await kit.metric(client)
    by_area = await kit.metric(client, filters=[{"key": "area", "values": ["eu"]}])
    of_eu = [{"values": {"area": ["eu"]}, "properties": {"amount": "2"}}]
    plan = await kit.plan(
        client,
        {**kit.charge(plain), "min_amount_cents": 1000},
        {**kit.charge(by_area), "min_amount_cents": 1000, "filters": of_eu},
    )
    who = await kit.customer(client, billing_configuration={"invoice_grace_period": 3})
    subscription = await kit.subscribe(client, who, plan)
    await kit.send(client, subscription, plain, 3)
    await kit.send(client, subscription, by_area, 6, properties={"value": 6, "area": "eu"})
    await kit.advance(client, "2025-02-01T01:00")
    (client.draft,) = await kit.invoices(client, who)

    async def told(code, **change):
        """The fees of a charge and its true-ups once those of the metric are told otherwise, and taken back."""
        fees = [fee for fee in (await read(client))["fees"] if fee["item"]["code"] == code]
        used = max(
            (fee for fee in fees if not fee["lago_true_up_parent_fee_id"]),
            key=lambda fee: fee["amount_cents"],
        )
        made = await adjust(client, fee_id=used["lago_id"], **change)
        shown = [fee for fee in (await read(client))["fees"] if fee["item"]["code"] == code]
        await kit.call(
            client, "DELETE", f"/invoices/{client.draft['lago_id']}/adjusted_fees/{made['lago_id']}"
        )
        return [(fee["amount_cents"], fee["lago_true_up_parent_fee_id"] is not None) for fee in shown]

    assert client.draft["fees_amount_cents"] == 1000 + 1200
    assert await told(plain["code"], units=5) == [(500, False), (500, True)]
    assert await told(plain["code"], units=15) == [(1500, False)]
    filled = await told(by_area["code"], units=3)
    assert sorted(filled) == [(0, False), (400, True), (600, False)]
    assert (await read(client))["fees_amount_cents"] == 1000 + 1200
    fee = next(fee for fee in (await read(client))["fees"] if fee["amount_cents"] == 300)
    await adjust(client, fee_id=fee["lago_id"], units=5)
    await kit.advance(client, "2025-02-04T01:00")
    assert (await read(client))["fees_amount_cents"] == 1000 + 1200


async def test_what_is_told_stays_when_the_subscription_is_given_prices_of_its_own(seller):
    """7 x 2.00 of its charge, which is another one then, and half of 31.00."""
    await adjust(seller, fee_id=fee_of(seller.draft, "charge")["lago_id"], units=7)
    await adjust(seller, fee_id=fee_of(await read(seller), "subscription")["lago_id"], units="0.5")
    path = f"/subscriptions/{seller.subscription['external_id']}"
    await kit.call(seller, "PUT", path, {"subscription": {"plan_overrides": {"name": "Own"}}})
    await kit.advance(seller, "2025-02-05T01:00")
    assert (await read(seller))["fees_amount_cents"] == 1400 + 200 + 1550
