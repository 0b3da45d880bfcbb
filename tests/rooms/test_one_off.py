"""Add-ons invoiced at once (invoicing §10.1)."""

from fractions import Fraction
from uuid import UUID

import pytest
from tests import kit

from tallymark.integrations.documents.data import invoice_data
from tallymark.rooms.invoices import service as invoices


@pytest.fixture
async def seller(make_organization):
    """20 % tax; an add-on of 12.34 EUR and a customer without a currency."""
    organization = await make_organization("2025-01-10T12:00:00Z")
    client = organization.client
    client.organization_id = organization.id
    await kit.tax(client, "20", applied_to_organization=True)
    add_on = {
        "name": "Setup",
        "code": "setup",
        "amount_cents": 1234,
        "amount_currency": "EUR",
        "description": "Once",
    }
    await kit.post(client, "/add_ons", {"add_on": add_on})
    client.who = await kit.customer(client)
    return client


async def one_off(client, *fees, expect=200, **more):
    body = {"external_customer_id": client.who["external_id"], "currency": "EUR", "fees": list(fees), **more}
    answer = await kit.post(client, "/invoices", {"invoice": body}, expect=expect)
    return answer.get("invoice", answer)


async def test_units_at_a_price_are_rounded_once_and_taxed(seller):
    """2.5 x 12.34 = 30.85; 3 x 1.11 = 3.33; 20 % of 34.18 is 6.836, so 6.84."""
    invoice = await one_off(
        seller,
        {"add_on_code": "setup", "units": "2.5"},
        {"add_on_code": "setup", "units": 3, "unit_amount_cents": 111, "description": "Cheaper"},
    )
    assert [fee["amount_cents"] for fee in invoice["fees"]] == [3085, 333]
    assert [fee["description"] for fee in invoice["fees"]] == ["Once", "Cheaper"]
    names = (
        "invoice_type",
        "status",
        "fees_amount_cents",
        "taxes_amount_cents",
        "total_amount_cents",
        "issuing_date",
    )
    assert [invoice[name] for name in names] == ["one_off", "finalized", 3418, 684, 4102, "2025-01-10"]
    assert invoice["number"].endswith("-001-001")


async def test_a_fee_may_say_that_nothing_is_collected(seller):
    """The contract's document has `skip_psp` on a fee; it is the invoice's in the pages, and means nothing there."""
    invoice = await one_off(seller, {"add_on_code": "setup", "skip_psp": True}, skip_psp=False)
    assert (invoice["payment_status"], invoice["total_due_amount_cents"]) == ("pending", 1481)
    await one_off(seller, {"add_on_code": "setup", "skip_psp": "x"}, expect=422)


async def test_a_cent_and_a_half_is_rounded_away_from_zero(seller):
    invoice = await one_off(seller, {"add_on_code": "setup", "units": "0.5", "unit_amount_cents": 3})
    assert invoice["fees"][0]["amount_cents"] == 2


async def test_the_fee_explains_its_amount(seller):
    invoice = await one_off(seller, {"add_on_code": "setup", "units": "2.5"})
    path = f"/fees/{invoice['fees'][0]['lago_id']}/explanation"
    steps = (await kit.get(seller, path))["explanation"]["steps"]
    (line,) = steps[0]["lines"]
    assert Fraction(line["units"]) * Fraction(line["unit_amount"]) * 100 == 3085
    assert steps[-1]["amount_cents"] == 3085


async def test_taxes_are_the_fees_own_then_the_add_ons_then_the_customers(seller):
    await kit.tax(seller, "5", code="own", applied_to_organization=False)
    await kit.tax(seller, "7", code="of_add_on", applied_to_organization=False)
    add_on = {
        "name": "Book",
        "code": "book",
        "amount_cents": 1000,
        "amount_currency": "EUR",
        "tax_codes": ["of_add_on"],
    }
    await kit.post(seller, "/add_ons", {"add_on": add_on})
    invoice = await one_off(
        seller,
        {"add_on_code": "book", "tax_codes": ["own"]},
        {"add_on_code": "book"},
        {"add_on_code": "setup", "unit_amount_cents": 1000},
    )
    assert [fee["taxes_amount_cents"] for fee in invoice["fees"]] == [50, 70, 200]


async def test_the_period_is_what_was_sent_else_now(seller):
    period = {"from_datetime": "2025-01-01T00:00:00Z", "to_datetime": "2025-01-31T23:59:59Z"}
    invoice = await one_off(seller, {"add_on_code": "setup", **period}, {"add_on_code": "setup"})
    shown = [(fee["from_date"], fee["to_date"]) for fee in invoice["fees"]]
    assert shown[0] == ("2025-01-01T00:00:00+00:00", "2025-01-31T23:59:59+00:00")
    assert shown[1] == ("2025-01-10T12:00:00+00:00", "2025-01-10T12:00:00+00:00")


async def test_the_customer_takes_the_currency_and_coupons_are_left_alone(seller):
    body = {
        "name": "c", "code": "c", "coupon_type": "percentage", "percentage_rate": "50", "frequency": "forever",
        "expiration": "no_expiration",
    }  # fmt: skip
    await kit.post(seller, "/coupons", {"coupon": body})
    given = {"external_customer_id": seller.who["external_id"], "coupon_code": "c"}
    await kit.post(seller, "/applied_coupons", {"applied_coupon": given})
    assert (await one_off(seller, {"add_on_code": "setup"}))["coupons_amount_cents"] == 0
    customer = (await kit.get(seller, f"/customers/{seller.who['external_id']}"))["customer"]
    assert customer["currency"] == "EUR"


async def test_an_invoice_of_nothing_is_closed_where_that_is_wanted(seller):
    skipping = {"external_id": seller.who["external_id"], "finalize_zero_amount_invoice": "skip"}
    await kit.post(seller, "/customers", {"customer": skipping})
    invoice = await one_off(seller, {"add_on_code": "setup", "units": 0})
    assert invoice["status"] == "closed"
    await kit.get(seller, f"/invoices/{invoice['lago_id']}", expect=404)


@pytest.mark.parametrize(
    ("fees", "more", "code"),
    [
        ([], {}, "fees_not_found"),
        ([{"add_on_code": "nothing"}], {}, "add_on_not_found"),
        ([{"add_on_code": "setup"}], {"external_customer_id": "nobody"}, "customer_not_found"),
        ([{"add_on_code": "setup"}], {"billing_entity_code": "nowhere"}, "billing_entity_not_found"),
    ],
)
async def test_what_is_not_there_is_not_found(seller, fees, more, code):
    assert (await one_off(seller, *fees, expect=404, **more))["code"] == code


@pytest.mark.parametrize(
    ("fee", "details"),
    [
        ({"tax_codes": ["nothing"]}, {"tax_codes": ["value_is_invalid"]}),
        ({"from_datetime": "2025-01-01"}, {"boundaries": ["values_are_invalid"]}),
        (
            {"from_datetime": "2025-02-01", "to_datetime": "2025-01-01"},
            {"boundaries": ["values_are_invalid"]},
        ),
        ({"from_datetime": "soon", "to_datetime": "later"}, {"boundaries": ["values_are_invalid"]}),
        (
            {"from_datetime": "2025-01-01", "to_datetime": "9999-12-31"},
            {"boundaries": ["values_are_invalid"]},
        ),
    ],
)
async def test_what_makes_no_fee_is_refused_and_nothing_is_made(seller, fee, details):
    refused = await one_off(seller, {"add_on_code": "setup", **fee}, expect=422)
    assert refused["error_details"] == details
    assert (await kit.get(seller, "/invoices"))["meta"]["total_count"] == 0


@pytest.mark.parametrize("fee", [{"units": -1}, {"unit_amount_cents": -1}, {"units": "1e20"}])
async def test_amounts_out_of_range_are_refused(seller, fee):
    refused = await one_off(seller, {"add_on_code": "setup", **fee}, expect=422)
    assert "value_is_out_of_range" in str(refused["error_details"])


async def test_its_document_lists_the_add_ons(seller, database):
    invoice = await one_off(seller, {"add_on_code": "setup", "units": 2, "invoice_display_name": "Set-up"})
    async with database.tenant(seller.organization_id) as tx:
        stored = await invoices.get_invoice(tx, UUID(invoice["lago_id"]))
        (view,) = await invoices.get_views(tx, [stored], now=stored.created_at)
    (section,) = invoice_data(view)["sections"]
    assert [(line["name"], line["amount_cents"]) for line in section["groups"][0]["fees"]] == [
        ("Set-up", 2468)
    ]


async def test_it_is_refreshed_by_nobody_and_voided_like_any_other(seller):
    invoice = await one_off(seller, {"add_on_code": "setup"})
    path = f"/invoices/{invoice['lago_id']}"
    refused = await kit.call(seller, "PUT", f"{path}/refresh", expect=403)
    assert refused["code"] == "feature_unavailable"
    assert (await kit.post(seller, f"{path}/void", {}))["invoice"]["status"] == "voided"
