"""Electronic invoices from the setting to the file (invoicing §15.1)."""

from __future__ import annotations

import io

import pikepdf
from lxml import etree
from tests.integrations.einvoice_rules import cii_problems, ubl_problems
from tests.kit import advance, call, customer, get, invoices, plan, post, subscribe, tax

BUYER = {
    "country": "DE", "zipcode": "23552", "city": "Lübeck", "address_line1": "Weidenweg 7",
    "legal_name": "Brauerei Übersee", "email": "einkauf@brauerei.example",
}  # fmt: skip
SELLER = {
    "country": "DE", "einvoicing": True, "zipcode": "20457", "city": "Hamburg", "address_line1": "Am Speicher 12",
    "legal_name": "Acme GmbH", "tax_identification_number": "DE123456789", "phone": "+49 40 1234",
    "email": "billing@acme.example",
}  # fmt: skip


async def issuer(client) -> str:
    (entity,) = (await get(client, "/billing_entities"))["billing_entities"]
    await call(client, "PUT", f"/billing_entities/{entity['code']}", {"billing_entity": SELLER})
    return entity["code"]


async def issued(client):
    await tax(client, "19")
    who = await customer(client, **BUYER)
    offer = {"name": "C", "code": "c", "coupon_type": "percentage", "percentage_rate": "10", "frequency": "forever", "expiration": "no_expiration"}  # fmt: skip
    await post(client, "/coupons", {"coupon": offer})
    await post(
        client,
        "/applied_coupons",
        {"applied_coupon": {"external_customer_id": who["external_id"], "coupon_code": "c"}},
    )
    await subscribe(client, who, await plan(client, amount_cents=3333))
    await advance(client, "2026-02-01T01:00")
    (invoice,) = await invoices(client, who)
    return (await post(client, f"/invoices/{invoice['lago_id']}/download", {}))["invoice"]


async def content_of(client, url: str) -> bytes:
    answer = await client.get(url)
    assert answer.status_code == 200
    return answer.content


async def test_an_issued_invoice_has_a_valid_file_and_carries_another(make_organization):
    """33.33 less 10 % are 30.00 (3.333 → 3.33), with 19 % 35.70."""
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    await issuer(client)
    invoice = await issued(client)
    assert invoice["total_amount_cents"] == 3570
    assert invoice["xml_url"].split("?")[0].endswith(f"/{invoice['number']}.xml")

    ubl = await content_of(client, invoice["xml_url"])
    assert ubl_problems(ubl) == []
    root = etree.fromstring(ubl)
    assert [node.text for node in root.iter("{*}PayableAmount")] == ["35.70"]
    assert [node.text for node in root.iter("{*}AllowanceTotalAmount")] == ["3.33"]

    pdf = await content_of(client, invoice["file_url"])
    with pikepdf.open(io.BytesIO(pdf)) as file:
        assert cii_problems(file.attachments["factur-x.xml"].get_file().read_bytes()) == []


async def test_others_have_a_pdf_alone(make_organization):
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    invoice = await issued(client)
    assert invoice["xml_url"] is None
    pdf = await content_of(client, invoice["file_url"])
    with pikepdf.open(io.BytesIO(pdf)) as file:
        assert len(file.attachments) == 0


async def test_the_setting_needs_a_country_that_has_it(client):
    (entity,) = (await get(client, "/billing_entities"))["billing_entities"]
    path = f"/billing_entities/{entity['code']}"

    async def set_to(expect, **values):
        return await call(client, "PUT", path, {"billing_entity": values}, expect=expect)

    assert (await set_to(422, einvoicing=True))["error_details"] == {
        "einvoicing": ["country_must_be_present"]
    }
    refused = await set_to(422, einvoicing=True, country="IT")
    assert refused["error_details"] == {"einvoicing": ["country_not_supported"]}
    assert (await set_to(200, einvoicing=True, country="FR"))["billing_entity"]["einvoicing"] is True
    refused = await set_to(422, country="IT")
    assert refused["error_details"] == {"einvoicing": ["country_not_supported"]}
    assert (await get(client, path))["billing_entity"]["country"] == "FR"
