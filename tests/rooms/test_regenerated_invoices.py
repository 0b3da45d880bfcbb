"""Void invoices made anew (invoicing §8, §10.4)."""

import pytest
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.people import join
from tests.rooms.test_coupons import coupon, give


@pytest.fixture
async def seller(make_organization):
    """A void invoice of January 2025: 31.00 and 5 units at 2.00, 41.00 less a coupon of 1.00, 20 % tax of 40.00: 48.00."""
    organization = await make_organization("2025-01-01T00:00:00Z")
    client = organization.client
    await kit.tax(client, "20", applied_to_organization=True)
    sold = await kit.metric(client, "sum_agg", field_name="value")
    client.plan = await kit.plan(client, kit.charge(sold, amount="2"), amount_cents=3100)
    client.who = await kit.customer(client)
    client.subscription = await kit.subscribe(client, client.who, client.plan)
    await give(client, client.who, await coupon(client, amount_cents=100))
    await kit.send(client, client.subscription, sold, 5)
    await kit.advance(client, "2025-02-01T01:00")
    (client.invoice,) = await kit.invoices(client, client.who)
    client.base, client.usage = sorted(
        client.invoice["fees"], key=lambda fee: fee["item"]["type"], reverse=True
    )
    return client


async def void(client, invoice):
    await kit.post(client, f"/invoices/{invoice['lago_id']}/void", {})


async def regenerate(client, invoice, *fees, expect=200):
    body = {"invoice": {"fees": list(fees)}}
    answer = await kit.post(client, f"/invoices/{invoice['lago_id']}/regenerate", body, expect=expect)
    return answer.get("invoice", answer)


async def test_its_fees_taxes_coupons_and_periods_come_again(seller):
    assert seller.invoice["total_amount_cents"] == 4800
    await void(seller, seller.invoice)
    made = await regenerate(
        seller, seller.invoice, {"id": seller.base["lago_id"]}, {"id": seller.usage["lago_id"]}
    )
    same = (
        "invoice_type", "currency", "issuing_date", "fees_amount_cents", "coupons_amount_cents", "taxes_amount_cents",
        "total_amount_cents", "billing_periods",
    )  # fmt: skip
    assert {name: made[name] for name in same} == {name: seller.invoice[name] for name in same}
    assert (made["status"], made["number"][-4:]) == ("finalized", "-002")
    assert [fee["lago_original_fee_id"] for fee in made["fees"]] == [
        fee["lago_id"] for fee in seller.invoice["fees"]
    ]
    assert [fee["precise_coupons_amount_cents"] for fee in made["fees"]] == [
        fee["precise_coupons_amount_cents"] for fee in seller.invoice["fees"]
    ]


async def test_it_is_foreseen_to_the_cent_before_it_is_issued(seller, application):
    """31.00 and 3 units at 1.255, 3.77: 34.77 less a coupon of 1.00, and 20 % tax of 33.77: 6.75. Of the base price alone: 6.00."""
    organization = (await kit.get(seller, "/organizations"))["organization"]
    browser = (await join(application, organization["lago_id"], ADMIN_KEY)).browser
    path = f"/invoices/{seller.invoice['lago_id']}/regenerate/preview"
    usage = {"id": seller.usage["lago_id"], "units": "3", "unit_precise_amount": "1.255"}
    asked = {"invoice": {"fees": [{"id": seller.base["lago_id"]}, usage]}}
    assert (await kit.post(browser, path, asked, expect=405))["code"] == "not_regenerable"
    await void(seller, seller.invoice)
    whole = (await kit.post(browser, path, asked))["regeneration_preview"]
    assert {one["lago_id"]: one["amount_cents"] for one in whole["fees"]} == {
        seller.base["lago_id"]: 3100, seller.usage["lago_id"]: 377,
    }  # fmt: skip
    names = ("fees", "coupons", "sub_total_excluding_taxes", "taxes", "sub_total_including_taxes")
    assert [whole[f"{name}_amount_cents"] for name in names] == [3477, 100, 3377, 675, 4052]
    base = {"invoice": {"fees": [{"id": seller.base["lago_id"]}]}}
    alone = (await kit.post(browser, path, base))["regeneration_preview"]
    assert (alone["taxes_amount_cents"], alone["sub_total_including_taxes_amount_cents"]) == (600, 3600)
    assert len(await kit.invoices(seller, seller.who)) == 1
    made = await regenerate(seller, seller.invoice, *asked["invoice"]["fees"])
    assert {name: made[name] for name in whole if name.endswith("_amount_cents")} == {
        name: whole[name] for name in whole if name.endswith("_amount_cents")
    }
    assert (await kit.post(browser, path, asked, expect=405))["code"] == "already_regenerated"
    await browser.aclose()


async def test_other_units_are_of_the_prices_that_it_was_billed_by(seller):
    """Prices of the subscription's own came after the bill: 3 units are 6.00 then, as its 5 were 10.00."""
    own = [{"id": seller.plan["charges"][0]["lago_id"], "properties": {"amount": "7"}}]
    prices = {"subscription": {"plan_overrides": {"charges": own}}}
    await kit.call(seller, "PUT", f"/subscriptions/{seller.subscription['external_id']}", prices)
    await void(seller, seller.invoice)
    made = await regenerate(seller, seller.invoice, {"id": seller.usage["lago_id"], "units": "3"})
    ((units, cents),) = [(fee["units"], fee["amount_cents"]) for fee in made["fees"]]
    assert (units, cents) == ("3.0", 600)


async def test_its_period_is_not_billed_again(seller):
    await void(seller, seller.invoice)
    await regenerate(seller, seller.invoice, {"id": seller.base["lago_id"]})
    await kit.advance(seller, "2025-03-01T01:00")
    found = await kit.invoices(seller, seller.who)
    assert [(i["status"], i["fees_amount_cents"]) for i in found] == [
        ("voided", 4100), ("finalized", 3100), ("finalized", 3100),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "amount", "units"),
    [
        pytest.param({"units": "3"}, 600, "3.0", id="units at the charge's price: 3 x 2.00"),
        pytest.param({"units": "3", "unit_precise_amount": "1.255"}, 377, "3.0", id="3 x 1.255 = 3.765"),
        pytest.param({"unit_precise_amount": "0.5"}, 250, "5.0", id="its own units: 5 x 0.50"),
        pytest.param({"units": "0"}, 0, "0.0", id="none"),
    ],
)
async def test_a_fee_is_told_otherwise(seller, change, amount, units):
    await void(seller, seller.invoice)
    made = await regenerate(
        seller, seller.invoice, {"id": seller.usage["lago_id"], **change, "invoice_display_name": "Calls"}
    )
    (fee,) = made["fees"]
    assert (fee["amount_cents"], fee["units"], fee["events_count"]) == (amount, units, 0)
    assert fee["item"]["invoice_display_name"] == "Calls"


async def test_units_of_the_base_price_multiply_it(seller):
    """2 x 31.00."""
    await void(seller, seller.invoice)
    made = await regenerate(seller, seller.invoice, {"id": seller.base["lago_id"], "units": "2"})
    assert made["fees"][0]["amount_cents"] == 6200


async def test_once_and_only_of_what_is_void(seller):
    kept = {"id": seller.base["lago_id"]}
    assert (await regenerate(seller, seller.invoice, kept, expect=405))["code"] == "not_regenerable"
    await void(seller, seller.invoice)
    gone = {"id": "0190a1c2-0000-7000-8000-000000000000"}
    assert (await regenerate(seller, seller.invoice, kept, gone, expect=404))["code"] == "fee_not_found"
    empty = await regenerate(seller, seller.invoice, expect=422)
    assert empty["error_details"] == {"fees": ["value_is_mandatory"]}
    made = await regenerate(seller, seller.invoice, kept)
    assert (await regenerate(seller, seller.invoice, kept, expect=405))["code"] == "already_regenerated"
    await void(seller, made)
    again = await regenerate(seller, made, {"id": made["fees"][0]["lago_id"]})
    assert again["fees"][0]["lago_original_fee_id"] == seller.base["lago_id"]


async def test_an_invoice_of_add_ons(seller):
    asked = {"name": "Help", "code": "help", "amount_cents": 200, "amount_currency": "EUR"}
    await kit.post(seller, "/add_ons", {"add_on": asked})
    body = {
        "external_customer_id": seller.who["external_id"], "currency": "EUR",
        "fees": [{"add_on_code": "help"}, {"add_on_code": "help", "units": 2}],
    }  # fmt: skip
    sold = (await kit.post(seller, "/invoices", {"invoice": body}))["invoice"]
    await void(seller, sold)
    made = await regenerate(seller, sold, {"id": sold["fees"][1]["lago_id"]})
    assert (made["invoice_type"], made["fees_amount_cents"], made["total_amount_cents"]) == (
        "one_off",
        400,
        480,
    )


async def test_what_cannot_be_told_otherwise_is_copied_as_it_was(make_organization):
    """Units alone change neither what is sold once nor a percentage: amounts, details and explanations stay (§8, §10.4)."""
    client = (await make_organization("2025-01-01T00:00:00Z")).client
    who = await kit.customer(client, currency="EUR")
    add_on = {"name": "a", "code": "a", "amount_cents": 777, "amount_currency": "EUR"}
    await kit.post(client, "/add_ons", {"add_on": add_on})
    asked = {"external_customer_id": who["external_id"], "fees": [{"add_on_code": "a", "units": "2.5"}]}
    await kit.post(client, "/invoices", {"invoice": asked})
    metric = await kit.metric(client)
    plan = await kit.plan(client, kit.charge(metric, "percentage", rate="1.5", fixed_amount="0.25"))
    await kit.send(client, await kit.subscribe(client, who, plan), metric, 100, 40)
    await kit.advance(client, "2025-02-01T01:00")
    for invoice in await kit.invoices(client, who):
        await void(client, invoice)
        told = [fee for fee in invoice["fees"] if fee["item"]["type"] != "subscription"]
        made = await regenerate(client, invoice, *({"id": fee["lago_id"], "units": "7"} for fee in told))
        assert made["total_amount_cents"] == invoice["total_amount_cents"] > 0
        for old, new in zip(told, made["fees"], strict=True):
            same = ("units", "amount_cents", "amount_details", "precise_unit_amount", "events_count")
            assert {name: new[name] for name in same} == {name: old[name] for name in same}
            before, after = [
                (await kit.get(client, f"/fees/{fee['lago_id']}/explanation"))["explanation"]["steps"]
                for fee in (old, new)
            ]
            assert after == before != []


async def test_nobody_makes_the_invoice_of_another_anew(seller, other_client):
    await void(seller, seller.invoice)
    await regenerate(other_client, seller.invoice, {"id": seller.base["lago_id"]}, expect=404)


async def test_a_fee_of_an_event_told_otherwise_is_of_no_events(make_organization):
    """One event of 5.00 each was sold at once; made anew of 2 units it is 10.00, and the audit finds it right."""
    client = (await make_organization("2025-01-10T00:00:00Z")).client
    sold = await kit.metric(client)
    plan = await kit.plan(client, {**kit.charge(sold, amount="5"), "pay_in_advance": True})
    who = await kit.customer(client)
    await kit.send(client, await kit.subscribe(client, who, plan), sold, 1)
    (invoice,) = await kit.invoices(client, who)
    (fee,) = invoice["fees"]
    assert (fee["amount_cents"], fee["events_count"]) == (500, 1)
    await void(client, invoice)
    (again,) = (await regenerate(client, invoice, {"id": fee["lago_id"], "units": "2"}))["fees"]
    assert (again["amount_cents"], again["units"], again["events_count"]) == (1_000, "2.0", 0)
