"""Overdue invoices that are asked for together, and paid as one (wallets §16)."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.people import join

from tallymark.db.tables import journal_lines, outbox
from tallymark.integrations.documents.receipt import receipt_data
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.printing import get_printed
from tallymark.rooms.payments import service


@pytest.fixture
async def seller(make_organization):
    """Invoices of 100.00 and 40.00 that were due on 5 June, the second paid by 10.00: on the 8th 130.00 are overdue."""
    organization = await make_organization("2025-06-05T12:00:00Z")
    client = organization.client
    client.organization_id = organization.id
    client.who = await kit.customer(client, currency="EUR", email="ap@acme.test")
    client.first = await sell(client, 10_000)
    client.second = await sell(client, 4_000)
    await pay_invoice(client, client.second, 1_000)
    await kit.advance(client, "2025-06-08T12:00")
    return client


async def sell(client, amount, who=None, currency="EUR"):
    code = f"add_on_{amount}"
    body = {"name": code, "code": code, "amount_cents": amount, "amount_currency": currency}
    await client.post("/add_ons", json={"add_on": body})
    customer = (who or client.who)["external_id"]
    body = {"external_customer_id": customer, "currency": currency, "fees": [{"add_on_code": code}]}
    return (await kit.post(client, "/invoices", {"invoice": body}))["invoice"]


async def pay_invoice(client, invoice, amount, *, expect=200):
    body = {"invoice_id": invoice["lago_id"], "amount_cents": amount, "reference": "wire"}
    return await kit.post(client, "/payments", {"payment": body}, expect=expect)


async def ask(client, *invoices, expect=200, **more):
    body = {
        "external_customer_id": client.who["external_id"],
        "lago_invoice_ids": [one["lago_id"] for one in invoices],
        **more,
    }
    answer = await kit.post(client, "/payment_requests", {"payment_request": body}, expect=expect)
    return answer["payment_request"] if expect == 200 else answer


async def pay(client, request, amount, *, expect=200, **more):
    body = {"payment_request_id": request["lago_id"], "amount_cents": amount, "reference": "wire 2", **more}
    answer = await kit.post(client, "/payments", {"payment": body}, expect=expect)
    return answer["payment"] if expect == 200 else answer


async def read(client, invoice):
    return (await kit.get(client, f"/invoices/{invoice['lago_id']}"))["invoice"]


async def told(database, client, object_id):
    async with database.tenant(client.organization_id) as tx:
        statement = select(outbox.c.webhook_type).where(outbox.c.object_id == UUID(object_id))
        return list((await tx.execute(statement.order_by(outbox.c.id))).scalars())


async def test_a_request_asks_for_what_is_due(seller, database):
    """100.00 and 30.00."""
    made = await ask(seller, seller.first, seller.second)
    assert made["amount_cents"] == 13_000
    assert (made["amount_currency"], made["payment_status"], made["email"]) == (
        "EUR",
        "pending",
        "ap@acme.test",
    )
    assert made["customer"]["external_id"] == seller.who["external_id"]
    assert [one["lago_id"] for one in made["invoices"]] == [
        seller.first["lago_id"],
        seller.second["lago_id"],
    ]
    assert await told(database, seller, made["lago_id"]) == ["payment_request.created"]
    shown = (await kit.get(seller, f"/payment_requests/{made['lago_id']}"))["payment_request"]
    assert shown == made
    other = await ask(
        seller, seller.first, email="cfo@acme.test", payment_method={"payment_method_type": "manual"}
    )
    assert (other["amount_cents"], other["email"]) == (10_000, "cfo@acme.test")


async def test_bad_requests_are_refused_in_order(seller):
    async def refused(code, status, *invoices, **more):
        answer = await ask(seller, *invoices, expect=status, **more)
        assert answer["code"] == code

    nobody = {"lago_id": "00000000-0000-0000-0000-000000000000"}
    other = await kit.customer(seller, currency="EUR")
    foreign = await sell(seller, 500, other)
    await refused("customer_not_found", 404, nobody, external_customer_id="nobody")
    await refused("invoice_not_found", 404)
    await refused("invoice_not_found", 404, seller.first, nobody)
    await refused("invoice_not_found", 404, seller.first, {"lago_id": "no id"})
    await refused("invoice_not_found", 404, seller.first, foreign)
    fresh = await sell(seller, 700)
    await refused("invoices_not_overdue", 405, seller.first, fresh)
    elsewhere = {"name": "Beta", "code": "beta"}
    await kit.post(seller, "/billing_entities", {"billing_entity": elsewhere})
    await kit.customer(seller, external_id=seller.who["external_id"], billing_entity_code="beta")
    of_beta = await sell(seller, 900)
    await kit.advance(seller, "2025-06-10T12:00")
    await refused("invoices_have_different_billing_entities", 405, seller.first, of_beta)
    await kit.post(seller, f"/invoices/{seller.first['lago_id']}/void", {})
    is_overdue = (await read(seller, seller.first))["payment_overdue"]
    code = "invoices_not_ready_for_payment_processing" if is_overdue else "invoices_not_overdue"
    await refused(code, 405, seller.first)
    answer = await ask(seller, seller.second, expect=422, email="no address")
    assert answer["error_details"] == {"email": ["invalid_email_format"]}
    assert (await kit.post(seller, "/payment_requests", {}, expect=400))["status"] == 400
    answer = await kit.get(seller, f"/payment_requests/{nobody['lago_id']}", expect=404)
    assert answer["code"] == "payment_request_not_found"


async def test_requests_are_listed_newest_first_and_narrowed(seller):
    first = await ask(seller, seller.first)
    await kit.advance(seller, "2025-06-08T13:00")
    second = await ask(seller, seller.second)
    await pay(seller, second, 3_000)

    async def listed(path="/payment_requests", **query):
        found = await kit.get(seller, path, **query)
        assert found["meta"]["total_count"] == len(found["payment_requests"])
        return [one["lago_id"] for one in found["payment_requests"]]

    both = [second["lago_id"], first["lago_id"]]
    who = seller.who["external_id"]
    assert await listed() == both
    assert await listed(f"/customers/{who}/payment_requests") == both
    assert await listed(external_customer_id=who, currency="eur") == both
    assert await listed(external_customer_id="nobody") == []
    assert await listed(currency="USD") == []
    assert await listed(payment_status="succeeded") == [second["lago_id"]]
    assert await listed(payment_status="pending") == [first["lago_id"]]
    code = (await kit.get(seller, "/billing_entities"))["billing_entities"][0]["code"]
    assert await listed(**{"billing_entity_codes[]": code}) == both
    answer = await kit.get(seller, "/payment_requests", expect=404, **{"billing_entity_codes[]": "none"})
    assert answer["code"] == "billing_entity_not_found"
    answer = await kit.get(seller, "/payment_requests", expect=422, payment_status="maybe", currency="no")
    assert answer["error_details"] == {
        "payment_status": ["value_is_invalid"],
        "currency": ["value_is_invalid"],
    }
    await kit.get(seller, "/customers/nobody/payment_requests", expect=404)


async def test_the_app_shows_what_a_payment_paid_of_which_invoices(seller, application, make_organization):
    """10.00 of 40.00 by the first; 100.00 and the remaining 30.00 by that of the request. Nobody else's are told of."""
    (partly,) = (await kit.get(seller, "/payments"))["payments"]
    payment = await pay(seller, await ask(seller, seller.first, seller.second), 13_000)
    person = await join(application, seller.organization_id, ADMIN_KEY)

    async def paid_by(one, expect=200):
        return await kit.get(person.browser, f"/payments/{one['lago_id']}/invoices", expect=expect)

    first, second = (await paid_by(payment))["invoices"]
    assert first == {
        "lago_id": seller.first["lago_id"],
        "number": seller.first["number"],
        "issuing_date": "2025-06-05",
        "payment_due_date": "2025-06-05",
        "status": "finalized",
        "payment_status": "succeeded",
        "payment_overdue": False,
        "payment_dispute_lost_at": None,
        "currency": "EUR",
        "total_amount_cents": 10_000,
        "total_paid_amount_cents": 10_000,
        "total_due_amount_cents": 0,
        "paid_amount_cents": 10_000,
    }
    assert (second["number"], second["paid_amount_cents"]) == (seller.second["number"], 3_000)
    (only,) = (await paid_by(partly))["invoices"]
    assert (only["number"], only["paid_amount_cents"]) == (seller.second["number"], 1_000)
    told = (await kit.get(person.browser, f"/payments/{partly['lago_id']}/collection"))["collection"]
    assert set(told.values()) == {None}  # by hand: no provider tells anything
    other = (await make_organization("2025-06-05T12:00:00Z")).client
    other.who = await kit.customer(other, currency="EUR")
    theirs = (await pay_invoice(other, await sell(other, 10_000), 10_000))["payment"]
    assert (await paid_by(theirs, expect=404))["code"] == "payment_not_found"
    await person.browser.aclose()


class TestPaying:
    async def test_pays_every_invoice_and_is_one_payment(self, seller, database):
        request = await ask(seller, seller.first, seller.second)
        payment = await pay(seller, request, 13_000, paid_at="2025-06-08T09:00:00Z")
        assert (payment["payable_type"], payment["lago_payable_id"]) == ("PaymentRequest", request["lago_id"])
        assert payment["invoice_ids"] == [seller.first["lago_id"], seller.second["lago_id"]]
        assert payment["invoice_numbers"] == [seller.first["number"], seller.second["number"]]
        assert (payment["amount_cents"], payment["created_at"]) == (13_000, "2025-06-08T09:00:00Z")
        for invoice, total in ((seller.first, 10_000), (seller.second, 4_000)):
            paid = await read(seller, invoice)
            assert (paid["total_paid_amount_cents"], paid["total_due_amount_cents"]) == (total, 0)
            assert (paid["payment_status"], paid["payment_overdue"]) == ("succeeded", False)
        shown = (await kit.get(seller, f"/payment_requests/{request['lago_id']}"))["payment_request"]
        assert shown["payment_status"] == "succeeded"
        assert await told(database, seller, request["lago_id"]) == [
            "payment_request.created",
            "payment_request.payment_status_updated",
        ]
        for invoice, count in ((seller.first, 1), (seller.second, 2)):
            listed = await kit.get(seller, "/payments", invoice_id=invoice["lago_id"])
            assert listed["payments"][0]["lago_id"] == payment["lago_id"]
            assert listed["meta"]["total_count"] == count
        async with database.tenant(seller.organization_id) as tx:
            posted = await tx.execute(
                select(journal_lines.c.debit_cents).where(
                    journal_lines.c.account == "customer_cash", journal_lines.c.debit_cents == 13_000
                )
            )
            assert len(posted.all()) == 1

    async def test_takes_neither_more_nor_less_than_is_due_and_once(self, seller):
        request = await ask(seller, seller.first, seller.second)
        for amount, code in ((12_999, "invalid_amount"), (13_001, "value_is_out_of_range")):
            answer = await pay(seller, request, amount, expect=422)
            assert answer["error_details"] == {"amount_cents": [code]}
        answer = await pay(seller, request, 0, expect=422)
        assert answer["error_details"] == {"amount_cents": ["invalid_value"]}
        answer = await pay(seller, request, 13_000, expect=422, reference="")
        assert answer["error_details"] == {"reference": ["value_is_mandatory"]}
        answer = await pay(seller, request, 13_000, expect=422, invoice_id=seller.first["lago_id"])
        assert answer["error_details"] == {"payment_request_id": ["value_must_be_blank"]}
        nothing = {"lago_id": "no id"}
        assert (await pay(seller, nothing, 1, expect=404))["code"] == "payment_request_not_found"
        await pay_invoice(seller, seller.first, 4_000)
        await pay(seller, request, 9_000)
        answer = await pay(seller, request, 9_000, expect=422)
        assert answer["error_details"] == {
            "amount_cents": ["value_is_out_of_range"],
            "base": ["payment_request_is_already_succeeded"],
        }
        answer = await pay_invoice(seller, seller.first, 1, expect=422)
        assert answer["error_details"] == {
            "amount_cents": ["value_is_out_of_range"],
            "base": ["payment_request_is_already_succeeded"],
        }

    async def test_many_at_once_pay_once(self, seller):
        request = await ask(seller, seller.first, seller.second)
        body = {"payment_request_id": request["lago_id"], "amount_cents": 13_000, "reference": "wire"}
        answers = await asyncio.gather(*(seller.post("/payments", json={"payment": body}) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]

    async def test_the_receipt_names_every_invoice(self, seller, database):
        request = await ask(seller, seller.first, seller.second)
        payment = await pay(seller, request, 13_000)
        found = await kit.get(seller, "/payment_receipts", invoice_id=seller.first["lago_id"])
        (receipt,) = found["payment_receipts"]
        issuer = {"billing_entity_codes[]": seller.first["billing_entity_code"]}
        assert receipt in (await kit.get(seller, "/payment_receipts", **issuer))["payment_receipts"]
        assert receipt["payment"]["lago_id"] == payment["lago_id"]
        async with database.tenant(seller.organization_id) as tx:
            stored = await service.get_receipt(tx, UUID(receipt["lago_id"]))
            document = await service.get_document(tx, stored, now=stored.created_at)
            paid = [await invoices.get_invoice(tx, UUID(seller.second["lago_id"]))]
            (second,) = await get_printed(tx, paid, now=stored.created_at)
        assert [one.amount_cents for one in second.settled] == [1_000, 3_000]
        printed = receipt_data(document)
        (section,) = printed["sections"]
        assert [(line["name"], line["amount_cents"]) for line in section["groups"][0]["fees"]] == [
            (seller.first["number"], 10_000),
            (seller.second["number"], 3_000),
        ]
        assert printed["totals"] == [{"kind": "total", "amount_cents": 13_000}]
        url = (await kit.get(seller, f"/payment_receipts/{receipt['lago_id']}"))["payment_receipt"][
            "file_url"
        ]
        pdf = await seller.get(url)
        assert pdf.content.startswith(b"%PDF")


async def test_a_voided_invoice_of_a_request_is_not_paid_any_more(seller):
    request = await ask(seller, seller.first, seller.second)
    await kit.post(seller, f"/invoices/{seller.first['lago_id']}/void", {})
    await pay(seller, request, 3_000)
    assert (await read(seller, seller.first))["total_paid_amount_cents"] == 0
    assert (await read(seller, seller.second))["payment_status"] == "succeeded"


async def test_lists_of_a_customer_have_nothing_of_who_had_the_external_id_before(seller):
    """What the one who is gone was asked for is found by the id as before, but is not the new one's."""
    fee = seller.first["fees"][0]
    items = [{"fee_id": fee["lago_id"], "amount_cents": 100}]
    note = {"invoice_id": seller.first["lago_id"], "items": items, "credit_amount_cents": 100}
    await kit.post(seller, "/credit_notes", {"credit_note": note})
    await ask(seller, seller.first)
    name = seller.who["external_id"]
    counts = {"invoices": 2, "credit_notes": 1, "payments": 1, "payment_requests": 1}
    for resource, count in counts.items():
        own = await kit.get(seller, f"/customers/{name}/{resource}", external_customer_id="nobody")
        assert (resource, own["meta"]["total_count"]) == (resource, count)
    await kit.call(seller, "DELETE", f"/customers/{name}")
    await kit.customer(seller, external_id=name)
    for resource, count in counts.items():
        own = await kit.get(seller, f"/customers/{name}/{resource}")
        found = await kit.get(seller, f"/{resource}", external_customer_id=name)
        assert (resource, own["meta"]["total_count"], found["meta"]["total_count"]) == (resource, 0, count)
