"""Payments recorded by hand, and their receipts (wallets §10, §18, §22.11; invoicing §12, §13)."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select
from tests import kit

from tallymark.db.tables import outbox
from tallymark.integrations.documents.data import invoice_data
from tallymark.integrations.documents.receipt import receipt_data
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.printing import get_printed
from tallymark.rooms.payments import service
from tallymark.rooms.webhooks.bodies import Sight


@pytest.fixture
async def seller(make_organization):
    """An organization that is due 100.00 on an invoice of 5 June."""
    organization = await make_organization("2025-06-05T12:00:00Z")
    client = organization.client
    client.organization_id = organization.id
    client.who = await kit.customer(client, currency="EUR")
    client.invoice = await sell(client)
    return client


async def sell(client, amount=10_000, who=None):
    code = f"add_on_{amount}"
    body = {"name": code, "code": code, "amount_cents": amount, "amount_currency": "EUR"}
    await client.post("/add_ons", json={"add_on": body})
    customer = (who or client.who)["external_id"]
    body = {"external_customer_id": customer, "currency": "EUR", "fees": [{"add_on_code": code}]}
    return (await kit.post(client, "/invoices", {"invoice": body}))["invoice"]


async def pay(client, amount, *, of=None, expect=200, **more):
    body = {
        "invoice_id": (of or client.invoice)["lago_id"],
        "amount_cents": amount,
        "reference": "wire",
        **more,
    }
    answer = await kit.post(client, "/payments", {"payment": body}, expect=expect)
    return answer["payment"] if expect == 200 else answer


async def credit(client, *, of=None, expect=200, item=None, **parts):
    found = of or client.invoice
    amount = item or sum(parts.values())
    body = {
        "invoice_id": found["lago_id"],
        "items": [{"fee_id": found["fees"][0]["lago_id"], "amount_cents": amount}],
        **{f"{name}_amount_cents": cents for name, cents in parts.items()},
    }
    answer = await kit.post(client, "/credit_notes", {"credit_note": body}, expect=expect)
    return answer["credit_note"] if expect == 200 else answer


async def invoice(client, of=None):
    return (await kit.get(client, f"/invoices/{(of or client.invoice)['lago_id']}"))["invoice"]


async def receipts(client, **query):
    return (await kit.get(client, "/payment_receipts", **query))["payment_receipts"]


async def told(database, client, object_id):
    async with database.tenant(client.organization_id) as tx:
        statement = select(outbox.c.webhook_type).where(outbox.c.object_id == object_id)
        return list((await tx.execute(statement.order_by(outbox.c.id))).scalars())


async def test_a_payment_shows_who_paid_what(seller):
    made = await pay(seller, 10_000, reference="wire 1", paid_at="2025-06-03T08:00:00Z")
    expected = {
        "lago_customer_id": seller.who["lago_id"], "external_customer_id": seller.who["external_id"],
        "invoice_ids": [seller.invoice["lago_id"]], "invoice_numbers": [seller.invoice["number"]],
        "lago_payable_id": seller.invoice["lago_id"], "payable_type": "Invoice", "amount_cents": 10_000,
        "amount_currency": "EUR", "status": "succeeded", "payment_status": "succeeded", "type": "manual",
        "reference": "wire 1", "payment_provider_code": None, "payment_provider_type": None,
        "external_payment_id": None, "provider_payment_id": None, "provider_customer_id": None, "next_action": {},
        "created_at": "2025-06-03T08:00:00Z",
    }  # fmt: skip
    assert {name: made[name] for name in expected} == expected
    assert (await kit.get(seller, f"/payments/{made['lago_id']}"))["payment"] == made


async def test_parts_pay_an_invoice_with_what_was_offset(seller, database):
    """100.00 less an offset of 20.00: 30.00 leave 50.00 due, 50.01 are refused, 50.00 pay it (§22.11)."""
    await credit(seller, offset=2_000)
    await pay(seller, 3_000)
    found = await invoice(seller)
    assert (found["payment_status"], found["total_paid_amount_cents"], found["total_due_amount_cents"]) == (
        "pending", 3_000, 5_000,
    )  # fmt: skip
    assert {fee["payment_status"] for fee in found["fees"]} == {"pending"}
    (listed,) = (await kit.get(seller, "/invoices", partially_paid="true"))["invoices"]
    assert (listed["total_paid_amount_cents"], listed["total_due_amount_cents"]) == (3_000, 5_000)
    answer = await pay(seller, 5_001, expect=422)
    assert answer["error_details"] == {"amount_cents": ["value_is_out_of_range"]}
    await pay(seller, 5_000)
    found = await invoice(seller)
    assert (found["payment_status"], found["total_paid_amount_cents"], found["total_due_amount_cents"]) == (
        "succeeded", 8_000, 0,
    )  # fmt: skip
    assert {fee["payment_status"] for fee in found["fees"]} == {"succeeded"}
    assert await told(database, seller, seller.invoice["lago_id"]) == [
        "invoice.one_off_created", "invoice.payment_status_updated",
    ]  # fmt: skip


async def test_payments_are_in_the_journal(seller):
    """What the journal has as receivable is what is due (beyond.md §4)."""
    await credit(seller, offset=2_000)
    made = await pay(seller, 3_000, reference="wire 7")
    entries = (await kit.get(seller, "/journal_entries"))["journal_entries"]
    (entry,) = [one for one in entries if one["document"]["type"] == "payment"]
    assert entry["document"] == {"type": "payment", "lago_id": made["lago_id"], "number": "wire 7"}
    assert {line["account"]: line["debit_cents"] - line["credit_cents"] for line in entry["lines"]} == {
        "customer_cash": 3_000, "accounts_receivable": -3_000,
    }  # fmt: skip
    lines = [line for one in entries for line in one["lines"] if line["account"] == "accounts_receivable"]
    assert sum(line["debit_cents"] - line["credit_cents"] for line in lines) == 5_000


async def test_a_payment_ends_what_is_overdue(seller):
    await kit.advance(seller, "2025-06-07T00:00")
    assert (await invoice(seller))["payment_overdue"] is True
    await pay(seller, 9_999)
    assert (await invoice(seller))["payment_overdue"] is True
    await pay(seller, 1)
    assert (await invoice(seller))["payment_overdue"] is False


async def test_a_status_set_by_hand_pays_nothing(seller):
    """§10.1: what was paid is told by payments alone, and may still come."""
    body = {"invoice": {"payment_status": "succeeded"}}
    await kit.call(seller, "PUT", f"/invoices/{seller.invoice['lago_id']}", body)
    await pay(seller, 4_000)
    found = await invoice(seller)
    assert (found["payment_status"], found["total_due_amount_cents"]) == ("succeeded", 6_000)


BAD = [
    pytest.param({"invoice_id": None}, 422, {"invoice_id": ["value_is_mandatory"]}, id="no invoice"),
    pytest.param({"invoice_id": " ", "amount_cents": 0}, 422, {"invoice_id": ["value_is_mandatory"]}, id="first check"),
    pytest.param({"amount_cents": "100"}, 422, {"amount_cents": ["invalid_value"]}, id="a text"),
    pytest.param({"amount_cents": 0}, 422, {"amount_cents": ["invalid_value"]}, id="nothing"),
    pytest.param({"amount_cents": True}, 422, {"amount_cents": ["invalid_value"]}, id="no number"),
    pytest.param({"amount_cents": -1, "invoice_id": "none"}, 422, {"amount_cents": ["invalid_value"]}, id="second check"),
    pytest.param({"invoice_id": "none"}, 404, "invoice_not_found", id="no id"),
    pytest.param({"paid_at": "soon", "reference": ""}, 422, {"paid_at": ["invalid_date"]}, id="before the reference"),
    pytest.param({"paid_at": "9999-12-31"}, 422, {"paid_at": ["invalid_date"]}, id="on no day of some zones"),
    pytest.param({"amount_cents": 10_001, "reference": None}, 422,
                 {"amount_cents": ["value_is_out_of_range"], "reference": ["value_is_mandatory"]}, id="both are told"),
    pytest.param({"reference": "x" * 41}, 422, {"reference": ["value_is_too_long"]}, id="a long reference"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "status", "told"), BAD)
async def test_bad_payments_are_refused_in_order(seller, sent, status, told):
    body = {"invoice_id": seller.invoice["lago_id"], "amount_cents": 100, "reference": "r", **sent}
    answer = await kit.post(seller, "/payments", {"payment": body}, expect=status)
    assert answer.get("error_details", answer["code"]) == told
    assert (await kit.get(seller, "/payments"))["payments"] == []
    assert (await invoice(seller))["total_paid_amount_cents"] == 0


async def test_a_reference_of_forty_characters_is_taken(seller):
    assert (await pay(seller, 1, reference="x" * 40))["reference"] == "x" * 40


async def test_only_issued_invoices_are_paid(seller, make_organization):
    await kit.post(seller, f"/invoices/{seller.invoice['lago_id']}/void", {})
    assert (await pay(seller, 100, expect=403))["code"] == "feature_unavailable"
    grace = await kit.customer(seller, currency="EUR", billing_configuration={"invoice_grace_period": 3})
    await kit.subscribe(seller, grace, await kit.plan(seller, amount_cents=3_100, pay_in_advance=True))
    (draft,) = await kit.invoices(seller, grace)
    assert draft["status"] == "draft"
    assert (await pay(seller, 100, of=draft, expect=403))["code"] == "feature_unavailable"
    await kit.post(seller, "/payments", {"payment": {}}, expect=400)


async def test_many_payments_at_once_never_exceed_what_is_due(seller):
    body = {"invoice_id": seller.invoice["lago_id"], "amount_cents": 3_000, "reference": "r"}
    answers = await asyncio.gather(*(seller.post("/payments", json={"payment": body}) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [422] * 3
    found = await invoice(seller)
    assert (found["total_paid_amount_cents"], found["total_due_amount_cents"]) == (9_000, 1_000)
    assert len(await receipts(seller)) == 3
    assert sorted(one["number"][-6:] for one in await receipts(seller)) == ["000001", "000002", "000003"]


async def test_a_payment_and_an_offset_at_once_never_exceed_what_is_due(seller):
    payment = {"invoice_id": seller.invoice["lago_id"], "amount_cents": 7_000, "reference": "r"}
    fee = seller.invoice["fees"][0]["lago_id"]
    note = {
        "invoice_id": seller.invoice["lago_id"],
        "items": [{"fee_id": fee, "amount_cents": 7_000}],
        "offset_amount_cents": 7_000,
    }
    answers = await asyncio.gather(
        seller.post("/payments", json={"payment": payment}),
        seller.post("/credit_notes", json={"credit_note": note}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422]
    assert (await invoice(seller))["total_due_amount_cents"] == 3_000


async def test_payments_are_listed_newest_first_and_found_by_invoice(seller, make_organization):
    other = await kit.customer(seller, currency="EUR")
    theirs = await sell(seller, who=other)
    first = await pay(seller, 100, paid_at="2025-06-04")
    second = await pay(seller, 200)
    third = await pay(seller, 300, of=theirs, paid_at="2025-06-03")

    async def listed(path="/payments", **query):
        return [one["lago_id"] for one in (await kit.get(seller, path, **query))["payments"]]

    ids = [one["lago_id"] for one in (second, first, third)]
    assert await listed() == ids
    assert await listed(external_customer_id=other["external_id"]) == ids[2:]
    assert await listed(f"/customers/{seller.who['external_id']}/payments") == ids[:2]
    assert await listed(invoice_id=theirs["lago_id"]) == ids[2:]
    assert await listed(external_customer_id="nobody") == []
    answer = await kit.get(seller, "/payments", invoice_id="x", expect=422)
    assert answer["error_details"] == {"invoice_id": ["is in invalid format"]}
    assert (await kit.get(seller, "/customers/nobody/payments", expect=404))["code"] == "customer_not_found"
    stranger = (await make_organization("2025-06-05T12:00:00Z")).client
    assert (await kit.get(stranger, "/payments"))["payments"] == []
    path = f"/payments/{first['lago_id']}"
    assert (await kit.get(stranger, path, expect=404))["code"] == "payment_not_found"
    body = {"invoice_id": seller.invoice["lago_id"], "amount_cents": 1, "reference": "r"}
    assert (await kit.post(stranger, "/payments", {"payment": body}, expect=404))[
        "code"
    ] == "invoice_not_found"


class TestReceipts:
    async def test_each_payment_has_one_numbered_by_customer(self, seller, database, make_organization):
        first, second = await pay(seller, 100), await pay(seller, 200)
        later, earlier = await receipts(seller)
        assert [earlier["number"], later["number"]] == [f"{seller.who['slug']}-RCPT-00000{n}" for n in (1, 2)]
        assert (earlier["payment"], later["payment"]) == (first, second)
        assert earlier["created_at"] == "2025-06-05T12:00:00Z"
        path = f"/payment_receipts/{later['lago_id']}"
        read = (await kit.get(seller, path))["payment_receipt"]
        assert {**read, "file_url": None} == later
        assert await told(database, seller, earlier["lago_id"]) == ["payment_receipt.created"]
        assert await receipts(seller, invoice_id=seller.invoice["lago_id"]) == [read, earlier]
        assert await receipts(seller, invoice_id=seller.who["lago_id"]) == []
        await kit.get(seller, "/payment_receipts", invoice_id="x", expect=422)
        issuer = seller.invoice["billing_entity_code"]
        await kit.post(seller, "/billing_entities", {"billing_entity": {"code": "other", "name": "Other"}})
        by = "billing_entity_codes[]"
        assert await receipts(seller, **{by: [issuer, "other"]}) == [read, earlier]
        assert await receipts(seller, **{by: "other"}) == []
        unknown = await kit.get(seller, "/payment_receipts", **{by: "none"}, expect=404)
        assert unknown["code"] == "billing_entity_not_found"
        stranger = (await make_organization("2025-06-05T12:00:00Z")).client
        assert (await kit.get(stranger, path, expect=404))["code"] == "invoice_not_found"

    async def test_a_partner_writes_their_own(self, seller):
        partner = await kit.customer(seller, currency="EUR", account_type="partner")
        made = await sell(seller, who=partner)
        assert made["self_billed"] is True
        await pay(seller, 10_000, of=made)
        assert (await invoice(seller, made))["payment_status"] == "succeeded"
        assert await receipts(seller) == []


class TestDocuments:
    """Receipts and credit notes as PDF, linked to by signed addresses (invoicing §15)."""

    async def fetch(self, client, url):
        answer = await client.get(url)
        assert answer.content.startswith(b"%PDF-")

    async def test_a_receipt_is_printed_once_and_told(self, seller, database):
        await pay(seller, 4_000)
        (listed,) = await receipts(seller)
        assert listed["file_url"] is None
        path = f"/payment_receipts/{listed['lago_id']}"
        read = (await kit.get(seller, path))["payment_receipt"]
        await self.fetch(seller, read["file_url"])
        assert (await kit.get(seller, path))["payment_receipt"] == read
        assert await told(database, seller, read["lago_id"]) == [
            "payment_receipt.created", "payment_receipt.generated",
        ]  # fmt: skip

    async def test_a_credit_note_is_printed_once_and_told(self, seller, database):
        note = await credit(seller, credit=1_000)
        assert note["file_url"] is None
        path = f"/credit_notes/{note['lago_id']}"
        read = (await kit.post(seller, f"{path}/download", {}))["credit_note"]
        await self.fetch(seller, read["file_url"])
        again = (await kit.post(seller, f"{path}/download_pdf", {}))["credit_note"]
        assert (
            again["file_url"] == read["file_url"] == (await kit.get(seller, path))["credit_note"]["file_url"]
        )
        assert await told(database, seller, note["lago_id"]) == [
            "credit_note.created",
            "credit_note.generated",
        ]
        await kit.post(seller, f"/credit_notes/{seller.invoice['lago_id']}/download", {}, expect=404)

    async def test_many_are_shown_by_the_statements_of_one(self, seller, database, count_statements):
        """As webhooks and the activity log show them."""
        paid = [await pay(seller, 1_000) for _ in range(3)]
        given = [await credit(seller, credit=100) for _ in range(3)]
        shown = {
            "payment": paid,
            "payment_receipt": await receipts(seller),
            "credit_note": given,
        }
        for kind, objects in shown.items():
            ids, counts = [UUID(one["lago_id"]) for one in objects], []
            assert len(ids) == 3
            for some in (ids[:1], ids):
                async with database.tenant(seller.organization_id) as tx:
                    with count_statements() as statements:
                        found = await Sight(tx, datetime.now(UTC), kit.SITE).show(kind, some)
                assert {one["lago_id"] for one in found.values()} == {str(one) for one in some}
                counts.append(len(statements))
            assert counts[0] == counts[1], kind

    async def test_a_receipt_says_what_was_due_then(self, seller, database):
        """100.00: 20.00 offset, 30.00 and 10.00 paid, 40.00 left; the next payment is on no receipt before it."""
        await credit(seller, offset=2_000)
        await pay(seller, 3_000)
        await pay(seller, 1_000)
        await pay(seller, 4_000)
        _, second, _ = await receipts(seller)
        async with database.tenant(seller.organization_id) as tx:
            receipt = await service.get_receipt(tx, UUID(second["lago_id"]))
            document = await service.get_document(tx, receipt, now=datetime.now(UTC))
        assert (document.paid_before_cents, document.payment.amount_cents) == (3_000, 1_000)
        assert document.offsets == ((f"{seller.invoice['number']}-CN001", 2_000),)
        assert document.remaining_cents == 4_000
        rows = [(row["kind"], row["amount_cents"]) for row in receipt_data(document)["totals"]]
        assert rows == [
            ("subtotal_excl", 10_000), ("no_tax", 0), ("total", 10_000), ("credit_note", -2_000),
            ("paid_before", -3_000), ("this_payment", -1_000), ("remaining", 4_000),
        ]  # fmt: skip


async def printed(client, database, of=None, **how):
    """An invoice as its document shows it."""
    async with database.tenant(client.organization_id) as tx:
        stored = await invoices.get_invoice(tx, UUID((of or client.invoice)["lago_id"]))
        (view,) = await get_printed(tx, [stored], now=stored.created_at)
    return invoice_data(view, **how)


class TestWhatAnInvoicesDocumentSays:
    async def test_of_what_settled_it_since_it_was_issued(self, seller, database):
        """100.00: 30.00 paid on 3 June, 20.00 offset on the 5th, 50.00 left; a document from before says 100.00."""
        await credit(seller, offset=2_000)
        await pay(seller, 3_000, reference="wire 7", paid_at="2025-06-03T08:00:00Z")
        half = await printed(seller, database)
        total, *after = half["totals"][-4:]
        assert total == {"kind": "total", "amount_cents": 10_000}
        assert after == [
            {"kind": "paid", "date": "2025-06-03", "amount_cents": -3_000, "method": "manual", "reference": "wire 7"},
            {"kind": "credit_note", "ref": f"{seller.invoice['number']}-CN001", "amount_cents": -2_000},
            {"kind": "due", "amount_cents": 5_000},
        ]  # fmt: skip
        assert half["headline"] == {"kind": "due", "date": "2025-06-05", "amount_cents": 5_000}
        await pay(seller, 5_000)
        whole = await printed(seller, database)
        assert whole["headline"] == {"kind": "nothing_due", "amount_cents": 0}
        assert [row["amount_cents"] for row in whole["totals"][-5:]] == [10_000, -3_000, -2_000, -5_000, 0]

    async def test_of_when_it_was_paid(self, seller, database):
        await pay(seller, 10_000, paid_at="2025-06-04T23:30:00Z")
        assert (await printed(seller, database))["headline"] == {
            "kind": "paid", "date": "2025-06-04", "amount_cents": 10_000,
        }  # fmt: skip

    async def test_of_one_that_is_marked_as_paid(self, seller, database):
        body = {"invoice": {"payment_status": "succeeded"}}
        await kit.call(seller, "PUT", f"/invoices/{seller.invoice['lago_id']}", body)
        data = await printed(seller, database)
        assert data["headline"] == {"kind": "nothing_due", "amount_cents": 0}
        assert data["totals"][-3:] == [
            {"kind": "total", "amount_cents": 10_000},
            {"kind": "paid_before", "amount_cents": -10_000},
            {"kind": "due", "amount_cents": 0},
        ]

    async def test_of_an_electronic_one_is_what_machines_read(self, seller, database):
        """Both parts tell what it did when it was issued; its e-mails what is due now."""
        await pay(seller, 10_000)
        data = await printed(seller, database, as_issued=True)
        assert data["totals"][-1] == {"kind": "total", "amount_cents": 10_000}
        assert data["headline"] == {"kind": "due", "date": "2025-06-05", "amount_cents": 10_000}


class TestRefunds:
    async def test_no_more_is_refunded_than_was_paid(self, seller):
        await pay(seller, 4_000)
        answer = await credit(seller, refund=4_001, expect=422)
        assert answer["error_details"] == {"refund_amount_cents": ["higher_than_remaining_invoice_amount"]}
        note = await credit(seller, refund=3_000)
        assert (note["refund_status"], note["refund_amount_cents"], note["balance_amount_cents"]) == (
            "pending", 3_000, 0,
        )  # fmt: skip
        # What was paid stays paid: a refund is told by its note.
        assert (await invoice(seller))["total_paid_amount_cents"] == 4_000
        answer = await credit(seller, refund=1_001, expect=422)
        assert answer["error_details"] == {"refund_amount_cents": ["higher_than_remaining_invoice_amount"]}
        await credit(seller, refund=1_000)

    async def test_a_paid_invoice_that_is_said_to_have_failed_is_not_refunded(self, seller):
        await pay(seller, 10_000)
        body = {"invoice": {"payment_status": "failed"}}
        await kit.call(seller, "PUT", f"/invoices/{seller.invoice['lago_id']}", body)
        answer = await credit(seller, refund=100, expect=422)
        assert answer["error_details"] == {"refund_amount_cents": ["cannot_refund_unpaid_invoice"]}

    async def test_all_parts_at_once(self, seller):
        """60.00 paid, 40.00 due: 10.00 back, 20.00 off what is due, 5.00 for later."""
        await pay(seller, 6_000)
        note = await credit(seller, refund=1_000, offset=2_000, credit=500)
        assert (note["total_amount_cents"], note["balance_amount_cents"]) == (3_500, 500)
        assert (await invoice(seller))["total_due_amount_cents"] == 2_000
        listed = await kit.get(seller, "/credit_notes", **{"types[]": "refund"}, refund_status="pending")
        assert listed["meta"]["total_count"] == 1

    async def test_a_refund_that_was_made_is_noted(self, seller):
        await pay(seller, 10_000)
        note = await credit(seller, refund=1_000)
        body = {"credit_note": {"refund_status": "succeeded"}}
        changed = (await kit.call(seller, "PUT", f"/credit_notes/{note['lago_id']}", body))["credit_note"]
        assert changed["refund_status"] == "succeeded"

    async def test_two_refunds_at_once_never_exceed_what_was_paid(self, seller):
        await pay(seller, 3_000)
        fee = seller.invoice["fees"][0]["lago_id"]
        body = {
            "invoice_id": seller.invoice["lago_id"],
            "items": [{"fee_id": fee, "amount_cents": 2_000}],
            "refund_amount_cents": 2_000,
        }
        answers = await asyncio.gather(
            *(seller.post("/credit_notes", json={"credit_note": body}) for _ in range(3))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 422, 422]

    async def test_a_voided_invoice_is_refunded_to_the_cent(self, seller):
        """100.00 paid: 70.01 go back, 10.00 are credit, the other 19.99 are given to nobody."""
        await pay(seller, 10_000)
        body = {"generate_credit_note": True, "refund_amount": 7_001, "credit_amount": 1_000}
        path = f"/invoices/{seller.invoice['lago_id']}/void"
        found = (await kit.post(seller, path, body))["invoice"]
        assert (found["status"], found["payment_status"]) == ("voided", "succeeded")
        made, rest = (await kit.get(seller, "/credit_notes"))["credit_notes"]
        assert (made["refund_amount_cents"], made["credit_amount_cents"]) == (7_001, 1_000)
        assert (rest["total_amount_cents"], rest["credit_status"]) == (1_999, "voided")
