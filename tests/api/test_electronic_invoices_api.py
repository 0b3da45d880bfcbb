"""Electronic invoices from the setting to the file (invoicing §15.1)."""

from __future__ import annotations

import io

import pikepdf
import pypdf
from lxml import etree
from tests.integrations.einvoice_rules import cii_problems, ubl_problems
from tests.kit import advance, call, charge, customer, get, invoices, metric, plan, post, send, subscribe, tax

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
    paid = {
        "invoice_id": invoice["lago_id"],
        "amount_cents": invoice["total_amount_cents"],
        "reference": "wire",
    }
    await post(client, "/payments", {"payment": paid})
    return (await post(client, f"/invoices/{invoice['lago_id']}/download", {}))["invoice"]


async def content_of(client, url: str) -> bytes:
    answer = await client.get(url)
    assert answer.status_code == 200
    return answer.content


def words_of(pdf: bytes) -> str:
    (page,) = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return page.extract_text()


async def test_an_issued_invoice_has_a_valid_file_and_carries_another(make_organization):
    """33.33 less 10 % are 30.00 (3.333 → 3.33), with 19 % 35.70: due by both, though it was paid before they were drawn."""
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
    assert "Amount due by" in words_of(pdf)
    assert "Paid on" not in words_of(pdf)


async def test_others_have_a_pdf_alone(make_organization):
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    invoice = await issued(client)
    assert invoice["xml_url"] is None
    pdf = await content_of(client, invoice["file_url"])
    with pikepdf.open(io.BytesIO(pdf)) as file:
        assert len(file.attachments) == 0
    assert "Paid on" in words_of(pdf)


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


async def embedded(client, url: str) -> bytes:
    """The electronic document that a PDF carries; it can be archived with it."""
    with pikepdf.open(io.BytesIO(await content_of(client, url))) as file, file.open_metadata() as meta:
        assert (meta["pdfaid:part"], meta["pdfaid:conformance"]) == ("3", "A")
        return file.attachments["factur-x.xml"].get_file().read_bytes()


def said(content: bytes, *names: str) -> list[str]:
    """The texts of elements, by their local names."""
    root = etree.fromstring(content)
    return [node.text for name in names for node in root.iter(f"{{*}}{name}")]


async def two_rates(client):
    """33.33 at 19 % and 7 units of 1.01 at 7 %, less 10 %: 30.00 (29.997) and 6.36 (6.363), 36.36 and 6.14 (6.14484) tax."""
    await tax(client, "19")
    reduced = await tax(client, "7", applied_to_organization=False)
    who = await customer(client, **BUYER)
    offer = {"name": "C", "code": "c", "coupon_type": "percentage", "percentage_rate": "10", "frequency": "forever", "expiration": "no_expiration"}  # fmt: skip
    await post(client, "/coupons", {"coupon": offer})
    given = {"external_customer_id": who["external_id"], "coupon_code": "c"}
    await post(client, "/applied_coupons", {"applied_coupon": given})
    used = await metric(client)
    price = {**charge(used, amount="1.01"), "tax_codes": [reduced["code"]]}
    subscription = await subscribe(client, who, await plan(client, price, amount_cents=3333))
    await send(client, subscription, used, 7)
    await advance(client, "2026-02-01T01:00")
    (invoice,) = await invoices(client, who)
    assert invoice["total_amount_cents"] == 3636 + 614
    return invoice


async def credited(client, invoice, *cents, part="credit"):
    """A note of so much of each fee, the dearest first; downloaded as XML."""
    fees = sorted(invoice["fees"], key=lambda fee: -fee["amount_cents"])
    items = [
        {"fee_id": fee["lago_id"], "amount_cents": amount}
        for fee, amount in zip(fees, cents, strict=True)
        if amount
    ]
    asked = {"invoice_id": invoice["lago_id"], "items": items}
    most = (await post(client, "/credit_notes/estimate", {"credit_note": asked}))["estimated_credit_note"]
    asked[f"{part}_amount_cents"] = most[f"max_{part}able_amount_cents"]
    note = (await post(client, "/credit_notes", {"credit_note": asked}))["credit_note"]
    assert (note["file_url"], note["xml_url"]) == (None, None)
    return (await post(client, f"/credit_notes/{note['lago_id']}/download_xml", {}))["credit_note"]


async def test_credit_notes_have_a_valid_file_and_carry_another(make_organization):
    """10.00 and 5.01, less 10 %: 9.00 and 4.51 (4.509), with 1.71 and 0.32 (0.31563) tax: 13.51 and 2.03."""
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    await issuer(client)
    invoice = await two_rates(client)
    first = await credited(client, invoice, 1000, 501)
    rest = await credited(client, invoice, 2333, 206)
    assert first["total_amount_cents"] == 1351 + 203
    assert first["total_amount_cents"] + rest["total_amount_cents"] == invoice["total_amount_cents"]
    for note in (first, rest):
        assert note["xml_url"].split("?")[0].endswith(f"/{note['number']}.xml")
        ubl = await content_of(client, note["xml_url"])
        assert ubl_problems(ubl, "CreditNote") == []
        assert said(ubl, "CreditNoteTypeCode") == ["381"]
        assert invoice["number"] in said(ubl, "ID")
        assert said(ubl, "PayableAmount") == [f"-{note['total_amount_cents'] / 100:.2f}"]
        cii = await embedded(client, note["file_url"])
        assert cii_problems(cii) == []
        assert said(cii, "DuePayableAmount") == said(ubl, "PayableAmount")
    ubl = await content_of(client, first["xml_url"])
    assert said(ubl, "AllowanceTotalAmount", "TaxExclusiveAmount") == ["-1.50", "-13.51"]
    # 15.01 less 13.51 is 1.50: of 1.00 and 0.501 the rates bear 1.00 and 0.50.
    assert said(ubl, "AllowanceChargeReason") == ["Discount 19%", "Discount 7%"]


async def test_a_note_on_a_top_up_is_outside_of_vat(make_organization):
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    await issuer(client)
    who = await customer(client, **BUYER)
    wallet = {
        "external_customer_id": who["external_id"],
        "rate_amount": "1",
        "currency": "EUR",
        "paid_credits": "12.34",
    }
    await post(client, "/wallets", {"wallet": wallet})
    (bought,) = await invoices(client, who)
    paid = {"invoice_id": bought["lago_id"], "amount_cents": 1234, "reference": "wire"}
    await post(client, "/payments", {"payment": paid})
    note = await credited(client, bought, 234, part="refund")
    ubl = await content_of(client, note["xml_url"])
    assert ubl_problems(ubl, "CreditNote") == []
    assert said(ubl, "TaxExemptionReasonCode", "PayableAmount") == ["VATEX-EU-O", "-2.34"]
    assert cii_problems(await embedded(client, note["file_url"])) == []


async def test_receipts_answer_their_invoice(make_organization):
    """42.50 are due; 20.00 and the rest are paid."""
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    await issuer(client)
    invoice = await two_rates(client)
    left = []
    for cents, reference in ((2000, "first"), (2250, "last")):
        paid = {"invoice_id": invoice["lago_id"], "amount_cents": cents, "reference": reference}
        await post(client, "/payments", {"payment": paid})
        (newest, *_) = (await get(client, "/payment_receipts"))["payment_receipts"]
        receipt = (await get(client, f"/payment_receipts/{newest['lago_id']}"))["payment_receipt"]
        response = await content_of(client, receipt["xml_url"])
        assert said(response, "ResponseCode", "Description") == ["PD", f"{cents / 100:.2f} EUR"]
        assert said(response, "ID")[-1] == invoice["number"]
        cii = await embedded(client, receipt["file_url"])
        assert cii_problems(cii) == []
        assert said(cii, "TypeCode")[0] == "202"
        left += said(cii, "TotalPrepaidAmount", "DuePayableAmount")
    assert left == ["20.00", "22.50", "42.50", "0.00"]


async def test_notes_and_receipts_of_others_have_a_pdf_alone(make_organization):
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    invoice = await two_rates(client)
    note = await credited(client, invoice, 1000, 0)
    paid = {"invoice_id": invoice["lago_id"], "amount_cents": 1, "reference": "r"}
    await post(client, "/payments", {"payment": paid})
    (made,) = (await get(client, "/payment_receipts"))["payment_receipts"]
    receipt = (await get(client, f"/payment_receipts/{made['lago_id']}"))["payment_receipt"]
    for shown in (note, receipt):
        assert shown["xml_url"] is None
        with pikepdf.open(io.BytesIO(await content_of(client, shown["file_url"]))) as file:
            assert len(file.attachments) == 0
