"""Double entry of every document, in its own transaction, and never changed (beyond.md §4, decision 6)."""

from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError
from tests import kit

from tallymark.db.tables import invoices, journal_entries, journal_lines


@pytest.fixture
async def seller(make_organization):
    """An organization with an issued invoice of 31.00 and 20 % tax, 37.20, of January 2025."""
    organization = await make_organization("2025-01-01T00:00:00Z")
    client = organization.client
    client.organization_id = organization.id
    await kit.tax(client, "20", applied_to_organization=True)
    client.plan = await kit.plan(client, amount_cents=3100)
    client.who = await kit.customer(client)
    await kit.subscribe(client, client.who, client.plan)
    await kit.advance(client, "2025-02-01T01:00")
    (client.invoice,) = await kit.invoices(client, client.who)
    return client


async def entries(client, *, expect=200, **query):
    return (await kit.get(client, "/journal_entries", expect=expect, **query)).get("journal_entries")


def sides(entry):
    """{account: (debit, credit)} of an entry."""
    return {line["account"]: (line["debit_cents"], line["credit_cents"]) for line in entry["lines"]}


async def test_an_issued_invoice_is_an_entry(seller):
    (entry,) = await entries(seller)
    invoice = seller.invoice
    assert entry["document"] == {
        "type": "invoice", "lago_id": invoice["lago_id"], "number": invoice["number"],
    }  # fmt: skip
    assert entry["description"] == f"Invoice {invoice['number']} issued"
    assert entry["posted_at"].startswith("2025-02-01T00:")
    assert sides(entry) == {
        "accounts_receivable": (3720, 0),
        "revenue.subscription": (0, 3100),
        "tax_payable": (0, 620),
    }
    assert {(line["external_customer_id"], line["currency"]) for line in entry["lines"]} == {
        (seller.who["external_id"], "EUR")
    }


async def test_a_draft_is_in_no_book_until_it_is_final(make_organization):
    client = (await make_organization("2025-01-01T00:00:00Z")).client
    who = await kit.customer(client, billing_configuration={"invoice_grace_period": 3})
    await kit.subscribe(client, who, await kit.plan(client, amount_cents=3100))
    await kit.advance(client, "2025-02-01T01:00")
    assert await entries(client) == []
    await kit.advance(client, "2025-02-05T00:00")
    (entry,) = await entries(client)
    assert sides(entry)["accounts_receivable"] == (3100, 0)


async def test_usage_and_coupons_have_accounts_of_their_own(make_organization):
    """10.00 base and 3 x 2.00 of usage less a coupon of 4.00, no tax: 12.00."""
    client = (await make_organization("2025-01-01T00:00:00Z")).client
    sold = await kit.metric(client)
    plan = await kit.plan(client, kit.charge(sold, amount="2"), amount_cents=1000)
    who = await kit.customer(client)
    subscription = await kit.subscribe(client, who, plan)
    await kit.send(client, subscription, sold, 3)
    body = {"name": "Four", "code": "four", "coupon_type": "fixed_amount", "amount_cents": 400}
    body |= {"amount_currency": "EUR", "frequency": "once", "expiration": "no_expiration"}
    await kit.post(client, "/coupons", {"coupon": body})
    given = {"external_customer_id": who["external_id"], "coupon_code": "four"}
    await kit.post(client, "/applied_coupons", {"applied_coupon": given})
    await kit.advance(client, "2025-02-01T01:00")
    (entry,) = await entries(client)
    assert sides(entry) == {
        "accounts_receivable": (1200, 0),
        "discounts": (400, 0),
        "revenue.subscription": (0, 1000),
        "revenue.usage": (0, 600),
    }


async def test_a_void_invoice_is_taken_back(seller):
    await kit.post(seller, f"/invoices/{seller.invoice['lago_id']}/void", {})
    issued, voided = await entries(seller)
    assert voided["description"] == f"Invoice {seller.invoice['number']} voided"
    assert sides(voided) == {account: (credit, debit) for account, (debit, credit) in sides(issued).items()}


async def test_unused_time_is_credited_and_used_and_returned(make_organization):
    """31.00 in advance, ended on the 20th: 11.00 and 20 % are given back, and pay the next invoice of 12.00 in full."""
    client = (await make_organization("2025-01-01T00:00:00Z")).client
    await kit.tax(client, "20", applied_to_organization=True)
    who = await kit.customer(client)
    first = await kit.subscribe(client, who, await kit.plan(client, amount_cents=3100, pay_in_advance=True))
    await kit.advance(client, "2025-01-20T12:00")
    await kit.call(client, "DELETE", f"/subscriptions/{first['external_id']}")
    (note,) = (await kit.get(client, "/credit_notes"))["credit_notes"]
    _, given = await entries(client)
    assert given["document"] == {
        "type": "credit_note", "lago_id": note["lago_id"], "number": note["number"],
    }  # fmt: skip
    assert sides(given) == {
        "revenue.subscription": (1100, 0),
        "tax_payable": (220, 0),
        "credit_notes_payable": (0, 1320),
    }
    second = await kit.subscribe(client, who, await kit.plan(client, amount_cents=1000, pay_in_advance=True))
    assert second["status"] == "active"
    later = (await entries(client))[-1]
    # 12 of 31 days of 10.00 are 3.87, with 20 % 4.64.
    assert sides(later) == {
        "credit_notes_payable": (464, 0),
        "revenue.subscription": (0, 387),
        "tax_payable": (0, 77),
    }
    await kit.post(client, f"/invoices/{later['document']['lago_id']}/void", {})
    back = (await entries(client))[-1]
    assert sides(back)["credit_notes_payable"] == (0, 464)


async def test_what_a_void_note_had_paid_comes_back_to_it(make_organization):
    """A note of 12.00 pays 10.00; its other 2.00 are voided, then the invoice: the 10.00 were the customer's (invoicing §10.4, §18.11)."""
    client = (await make_organization("2025-01-01T00:00:00Z")).client
    who = await kit.customer(client)
    add_on = {"name": "Setup", "code": "setup", "amount_cents": 1200, "amount_currency": "EUR"}
    await kit.post(client, "/add_ons", {"add_on": add_on})

    fees = [{"add_on_code": "setup"}]
    one_off = {"external_customer_id": who["external_id"], "currency": "EUR", "fees": fees}
    first = (await kit.post(client, "/invoices", {"invoice": one_off}))["invoice"]
    await pay(client, first, 1200)
    credit = await note(client, first, 1200, credit_amount_cents=1200)
    path = f"/credit_notes/{credit['lago_id']}"
    await kit.subscribe(client, who, await kit.plan(client, amount_cents=1000, pay_in_advance=True))
    paid = (await entries(client))[-1]
    assert sides(paid) == {"credit_notes_payable": (1000, 0), "revenue.subscription": (0, 1000)}
    assert (await kit.call(client, "PUT", f"{path}/void"))["credit_note"]["balance_amount_cents"] == 0

    await kit.post(client, f"/invoices/{paid['document']['lago_id']}/void", {})
    found = (await kit.get(client, path))["credit_note"]
    assert (found["credit_status"], found["balance_amount_cents"]) == ("available", 1000)
    assert sides((await entries(client))[-1]) == {
        "revenue.subscription": (1000, 0),
        "credit_notes_payable": (0, 1000),
    }


async def pay(client, invoice, cents):
    payment = {"invoice_id": invoice["lago_id"], "amount_cents": cents, "reference": "wire 7"}
    await kit.post(client, "/payments", {"payment": payment})


async def test_a_payment_is_cash_and_is_due_no_more(seller):
    await pay(seller, seller.invoice, 1000)
    (_, paid) = await entries(seller)
    assert (paid["document"]["type"], paid["description"]) == ("payment", "Payment wire 7 received")
    assert sides(paid) == {"customer_cash": (1000, 0), "accounts_receivable": (0, 1000)}


async def test_a_lost_dispute_moves_only_what_was_paid(seller):
    await pay(seller, seller.invoice, 3000)
    for _ in range(2):
        await kit.post(seller, f"/invoices/{seller.invoice['lago_id']}/lose_dispute", {})
    assert [sides(entry) for entry in (await entries(seller))[2:]] == [
        {"write_offs": (3000, 0), "customer_cash": (0, 3000)}
    ]


async def note(client, invoice, cents, **parts):
    """A credit note on the one fee of an invoice."""
    body = {"invoice_id": invoice["lago_id"], "reason": "other", **parts}
    body["items"] = [{"fee_id": invoice["fees"][0]["lago_id"], "amount_cents": cents}]
    return (await kit.post(client, "/credit_notes", {"credit_note": body}))["credit_note"]


async def test_a_note_by_hand_credits_refunds_and_offsets(seller, database):
    """37.20 of which 20.00 are paid; 15.00 and 20 % given back: 5.00 credited, 6.00 refunded, 7.00 offset."""
    await pay(seller, seller.invoice, 2000)
    parts = {"credit_amount_cents": 500, "refund_amount_cents": 600, "offset_amount_cents": 700}
    made = await note(seller, seller.invoice, 1500, **parts)
    assert sides((await entries(seller))[-1]) == {
        "revenue.subscription": (1500, 0),
        "tax_payable": (300, 0),
        "credit_notes_payable": (0, 500),
        "refunds": (0, 600),
        "accounts_receivable": (0, 700),
    }
    for status, expected in (
        ("succeeded", {"refunds": (600, 0), "customer_cash": (0, 600)}),
        ("failed", {"customer_cash": (600, 0), "refunds": (0, 600)}),
    ):
        for _ in range(2):
            body = {"credit_note": {"refund_status": status}}
            await kit.call(seller, "PUT", f"/credit_notes/{made['lago_id']}", body)
        assert sides((await entries(seller))[-1]) == expected
    assert len(await entries(seller)) == 5
    # 5.00 of the 18.00 are dropped: 5/18 of 15.00 and of 3.00 are earned and owed again.
    await kit.call(seller, "PUT", f"/credit_notes/{made['lago_id']}/void")
    assert sides((await entries(seller))[-1]) == {
        "credit_notes_payable": (500, 0),
        "revenue.subscription": (0, 417),
        "tax_payable": (0, 83),
    }
    await kit.assert_audit_clean(database, seller.organization_id)


async def test_an_invoice_voided_by_notes_keeps_what_they_gave(seller, database):
    """37.20 paid; 12.00 are given as credit and 6.00 refunded; the other 19.20 are owed back."""
    await pay(seller, seller.invoice, 3720)
    body = {"generate_credit_note": True, "credit_amount": 1200, "refund_amount": 600}
    await kit.post(seller, f"/invoices/{seller.invoice['lago_id']}/void", body)
    books: dict[str, int] = {}
    for entry in await entries(seller):
        for line in entry["lines"]:
            books[line["account"]] = (
                books.get(line["account"], 0) + line["debit_cents"] - line["credit_cents"]
            )
    assert {account: cents for account, cents in books.items() if cents} == {
        "customer_cash": 3720,
        "credit_notes_payable": -1200,
        "refunds": -600 - 1920,
    }
    await kit.assert_audit_clean(database, seller.organization_id)


async def test_entries_are_found_by_what_they_say(seller):
    other = await kit.customer(seller)
    await kit.subscribe(seller, other, await kit.plan(seller, amount_cents=2800, amount_currency="USD"))
    await kit.advance(seller, "2025-03-01T01:00")
    everything = await entries(seller)
    assert [entry["sequence"] for entry in everything] == sorted(entry["sequence"] for entry in everything)
    assert len(everything) == 3
    first = everything[0]
    for query, expected in (
        ({"currency": "usd"}, 1),
        ({"external_customer_id": seller.who["external_id"]}, 2),
        ({"external_customer_id": "nobody"}, 0),
        ({"account": "revenue"}, 3),
        ({"account": "revenue.usage"}, 0),
        ({"document_type": "invoice"}, 3),
        ({"document_type": "payment"}, 0),
        ({"document_id": first["document"]["lago_id"]}, 1),
        ({"from": "2025-02-01", "to": "2025-02-01"}, 1),
        ({"to": first["posted_at"]}, 1),
        ({"from": "2025-02-02"}, 2),
        ({"account": "", "from": ""}, 3),
    ):
        assert len(await entries(seller, **query)) == expected, query
    page = await kit.get(seller, "/journal_entries", page=2, per_page=2)
    assert [entry["sequence"] for entry in page["journal_entries"]] == [everything[2]["sequence"]]
    assert page["meta"]["total_count"] == 3


async def test_filters_that_cannot_be_read_are_refused_together(client):
    query = {"from": "soon", "to": "2025-13-01", "account": "cash", "document_type": "x", "document_id": "1"}
    answer = await kit.get(client, "/journal_entries", expect=422, **query)
    assert answer["error_details"] == {
        "from": ["invalid_date"],
        "to": ["invalid_date"],
        "account": ["value_is_invalid"],
        "document_type": ["value_is_invalid"],
        "document_id": ["value_is_invalid"],
    }


async def test_another_organization_sees_none_of_it(seller, other_client):
    assert await entries(other_client, document_id=seller.invoice["lago_id"]) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal_entries SET currency = 'USD'",
        "DELETE FROM journal_entries",
        "UPDATE journal_lines SET debit_cents = debit_cents + 1",
        "DELETE FROM journal_lines",
        "TRUNCATE journal_lines",
    ],
)
async def test_nothing_is_changed_or_deleted(seller, database, database_url, statement):
    """Neither by a tenant, nor by the tables' owner."""
    with pytest.raises(DBAPIError, match=r"permission denied|append-only"):
        async with database.tenant(seller.organization_id) as tx:
            await tx.execute(text(statement))
    with psycopg.connect(database_url) as owner, pytest.raises(psycopg.Error, match="is append-only"):
        owner.execute(statement)


async def test_an_entry_that_does_not_balance_is_refused(seller, database, now):
    customer_id, entry_id = seller.who["lago_id"], uuid4()
    keys = {"organization_id": seller.organization_id}
    entry = {
        **keys, "id": entry_id, "customer_id": customer_id, "currency": "EUR", "document_type": "invoice",
        "document_id": uuid4(), "cause": "issued", "posted_at": now,
    }  # fmt: skip
    sides = {"debit_cents": 0, "credit_cents": 0}
    lines = [
        {**keys, **sides, "entry_id": entry_id, "position": 0, "account": "rounding", "debit_cents": 2},
        {**keys, **sides, "entry_id": entry_id, "position": 1, "account": "discounts", "credit_cents": 1},
    ]

    async def post():
        async with database.tenant(seller.organization_id) as tx:
            await tx.execute(insert(journal_entries), entry)
            await tx.execute(insert(journal_lines).values(lines))

    with pytest.raises(DBAPIError, match="not its credits"):
        await post()


async def test_a_document_that_is_rolled_back_leaves_no_entry(seller, database, monkeypatch):
    from tallymark.rooms.billing.service import life

    async def broken(*_, **__):
        raise RuntimeError("after the entry was posted")

    monkeypatch.setattr(life, "_tell", broken)
    await kit.call(seller, "POST", f"/invoices/{seller.invoice['lago_id']}/void", {}, expect=500)
    assert len(await entries(seller)) == 1
    async with database.tenant(seller.organization_id) as tx:
        assert (await tx.execute(select(invoices.c.status))).scalar_one() == "finalized"


async def test_voiding_what_was_given_back_whole_moves_nothing(make_organization):
    """12.00 paid and refunded: nothing is left to be taken back, so there is no entry, and no law misses one."""
    client = (await make_organization("2025-01-01T00:00:00Z")).client
    await kit.tax(client, "20")
    who = await kit.customer(client, currency="EUR")
    add_on = {"name": "a", "code": "a", "amount_cents": 1000, "amount_currency": "EUR"}
    await kit.post(client, "/add_ons", {"add_on": add_on})
    asked = {"external_customer_id": who["external_id"], "fees": [{"add_on_code": "a"}]}
    invoice = (await kit.post(client, "/invoices", {"invoice": asked}))["invoice"]
    paid = {"invoice_id": invoice["lago_id"], "amount_cents": 1200, "reference": "r"}
    await kit.post(client, "/payments", {"payment": paid})
    items = [{"fee_id": invoice["fees"][0]["lago_id"], "amount_cents": 1000}]
    note = {"invoice_id": invoice["lago_id"], "items": items, "refund_amount_cents": 1200}
    await kit.post(client, "/credit_notes", {"credit_note": note})
    await kit.post(client, f"/invoices/{invoice['lago_id']}/void", {})
    found = await kit.get(client, "/journal_entries", document_id=invoice["lago_id"])
    assert [entry["description"] for entry in found["journal_entries"]] == [
        f"Invoice {invoice['number']} issued"
    ]
