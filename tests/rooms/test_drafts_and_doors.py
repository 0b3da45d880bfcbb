"""Drafts taken away, invoices tried again, lists filtered (invoicing §2.2, §10, §10.3)."""

import pytest
from sqlalchemy import select
from tests import kit

from tallymark.db.tables import outbox
from tallymark.rooms.invoices.model import CHANGES, VISIBLE, InvoiceStatus


@pytest.fixture
async def seller(make_organization):
    """An organization on 1 February 2025 01:00 with a draft of 31.00 until the 4th, and one issued invoice of 2.00."""
    organization = await make_organization("2025-01-01T00:00:00Z")
    client = organization.client
    client.organization_id = organization.id
    client.plan = await kit.plan(client, amount_cents=3100)
    client.who = await kit.customer(client, billing_configuration={"invoice_grace_period": 3})
    client.subscription = await kit.subscribe(client, client.who, client.plan, purchase_order_number="PO-7 a")
    await kit.advance(client, "2025-02-01T01:00")
    (client.draft,) = await kit.invoices(client, client.who)
    asked = {"name": "Help", "code": "help", "amount_cents": 200, "amount_currency": "EUR"}
    await kit.post(client, "/add_ons", {"add_on": asked})
    client.other = await kit.customer(client, name="Grace Hopper")
    client.issued = await one_off(client, client.other)
    return client


async def one_off(client, who, **more):
    body = {
        "external_customer_id": who["external_id"],
        "currency": "EUR",
        "fees": [{"add_on_code": "help"}],
        **more,
    }
    return (await kit.post(client, "/invoices", {"invoice": body}))["invoice"]


def path(invoice, verb=""):
    return f"/invoices/{invoice['lago_id']}{verb}"


async def told(database, client, invoice):
    async with database.tenant(client.organization_id) as tx:
        statement = select(outbox.c.webhook_type, outbox.c.payload).where(
            outbox.c.object_id == invoice["lago_id"]
        )
        return [tuple(row) for row in await tx.execute(statement.order_by(outbox.c.id))]


async def listed(client, **query):
    return {invoice["lago_id"] for invoice in (await kit.get(client, "/invoices", **query))["invoices"]}


async def test_a_draft_that_is_deleted_is_gone_and_its_period_is_not_billed_again(seller, database):
    deleted = (await kit.call(seller, "DELETE", path(seller.draft)))["invoice"]
    assert (deleted["lago_id"], deleted["status"]) == (seller.draft["lago_id"], "deleted")
    assert len(deleted["fees"]) == 1
    assert (await told(database, seller, seller.draft))[-1] == ("invoice.deleted", None)
    for method, verb in (("GET", ""), ("PUT", "/finalize"), ("PUT", "/refresh"), ("DELETE", "")):
        gone = await kit.call(seller, method, path(seller.draft, verb), expect=404)
        assert gone["code"] == "invoice_not_found"
    await kit.advance(seller, "2025-03-04T01:00")
    (march,) = await kit.invoices(seller, seller.who)
    assert (march["status"], march["number"][-4:], march["fees_amount_cents"]) == ("finalized", "-001", 3100)
    assert march["billing_periods"][0]["subscription_from_datetime"] == "2025-02-01T00:00:00Z"


async def test_what_is_issued_is_not_deleted(seller):
    refused = await kit.call(seller, "DELETE", path(seller.issued), expect=405)
    assert refused["code"] == "not_deletable"


async def test_only_what_failed_is_retried(seller):
    for invoice in (seller.draft, seller.issued):
        refused = await kit.post(seller, path(invoice, "/retry"), None, expect=405)
        assert refused["code"] == "invalid_status"


async def test_a_payment_without_a_provider_is_told_to_have_failed(seller, database):
    refused = await kit.post(seller, path(seller.draft, "/retry_payment"), None, expect=405)
    assert refused["code"] == "invalid_status"
    assert await kit.post(seller, path(seller.issued, "/retry_payment"), None) == {}
    webhook_type, payload = (await told(database, seller, seller.issued))[-1]
    assert webhook_type == "invoice.payment_failure"
    error = payload["payment_provider_invoice_payment_error"]
    assert error["error_details"] == {"code": "customer_must_have_payment_provider"}
    assert error["lago_invoice_id"] == seller.issued["lago_id"]
    await kit.call(seller, "PUT", path(seller.issued), {"invoice": {"payment_status": "succeeded"}})
    await kit.post(seller, path(seller.issued, "/retry_payment"), None, expect=405)


@pytest.mark.parametrize(
    ("provider", "code"),
    [
        (None, "no_linked_payment_provider"),
        ("gocardless", "invalid_payment_provider"),
        ("stripe", "missing_payment_provider"),
    ],
)
async def test_there_is_no_page_to_pay_on(seller, provider, code):
    if provider:
        await kit.customer(
            seller,
            external_id=seller.other["external_id"],
            billing_configuration={"payment_provider": provider},
        )
    refused = await kit.post(seller, path(seller.issued, "/payment_url"), None, expect=422)
    assert refused["error_details"] == {"base": [code]}


async def test_a_document_is_told_of_once(seller, database):
    for verb in ("/download", "/download_pdf", "/download_xml"):
        shown = await kit.post(seller, path(seller.issued, verb), None)
        assert shown["invoice"]["file_url"] is not None
    names = [name for name, _ in await told(database, seller, seller.issued)]
    assert names.count("invoice.generated") == 1
    for invoice in (seller.draft, seller.issued):
        if invoice is seller.issued:
            await kit.post(seller, path(invoice, "/void"), {})
        await kit.post(seller, path(invoice, "/download"), None, expect=404)


async def test_lists_are_filtered(seller):
    draft, issued = seller.draft["lago_id"], seller.issued["lago_id"]
    for query, found in (
        ({"statuses[]": ["draft", "voided"]}, {draft}),
        ({"status": "finalized"}, {issued}),
        ({"payment_statuses[]": ["pending"]}, {draft, issued}),
        ({"payment_overdue": "false", "self_billed": "0"}, {draft, issued}),
        ({"amount_from": 200, "amount_to": 3000}, {issued}),
        ({"amount_from": 3100}, {draft}),
        ({"amount_from": 10**30}, set()),
        ({"amount_to": 10**30}, {draft, issued}),
        ({"amount_to": -(10**30)}, set()),
        ({"issuing_date_from": "2025-02-02"}, {draft}),
        ({"issuing_date_to": "2025-02-01"}, {issued}),
        ({"purchase_order_number": "po-7 A"}, {draft}),
        ({"invoice_type": "one_off"}, {issued}),
        ({"search_term": " hopper "}, {issued}),
        ({"search_term": draft}, {draft}),
        ({"search_term": seller.issued["number"].lower()}, {issued}),
        ({"currency": "USD"}, set()),
        ({"partially_paid": "true"}, set()),
    ):
        assert await listed(seller, **query) == found, query


async def test_filters_that_are_none_are_refused(seller):
    every = "draft, finalized, voided, failed, pending"
    for query, details in (
        ({"status": "lost"}, {"status": [f"must be one of: {every} or must be an array"]}),
        ({"statuses[]": ["draft", "lost"]}, {"status": {"1": [f"must be one of: {every}"]}}),
        ({"payment_overdue": "perhaps"}, {"payment_overdue": ["must be boolean"]}),
        ({"issuing_date_from": "soon"}, {"issuing_date_from": ["invalid_date"]}),
        ({"invoice_type": "lost"}, {"invoice_type": ["value_is_invalid"]}),
        ({"amount_from": "12.5"}, {"amount_from": ["value_is_invalid"]}),
        ({"amount_to": "\u0663"}, {"amount_to": ["value_is_invalid"]}),
    ):
        assert (await kit.get(seller, "/invoices", expect=422, **query))["error_details"] == details
    gone = await kit.get(seller, "/invoices", expect=404, **{"billing_entity_codes[]": ["gone"]})
    assert gone["code"] == "billing_entity_not_found"


async def test_what_is_paid_by_hand_is_invoiced_apart(make_organization):
    organization = await make_organization("2025-01-01T00:00:00Z")
    client = organization.client
    plan, who = await kit.plan(client, amount_cents=100), await kit.customer(client)
    by_hand = {"payment_method_type": "manual"}
    one = await kit.subscribe(client, who, plan, payment_method=by_hand)
    assert one["payment_method"] == {"payment_method_type": "manual", "payment_method_id": None}
    for _ in range(2):
        other = await kit.subscribe(client, who, plan)
    assert other["payment_method"] == {"payment_method_type": "provider", "payment_method_id": None}
    await kit.advance(client, "2025-02-01T01:00")
    assert sorted(len(invoice["subscriptions"]) for invoice in await kit.invoices(client, who)) == [1, 2]
    changed = {"subscription": {"payment_method": by_hand}}
    await kit.call(client, "PUT", f"/subscriptions/{other['external_id']}", changed)
    await kit.advance(client, "2025-03-01T01:00")
    assert sorted(len(i["subscriptions"]) for i in await kit.invoices(client, who)) == [1, 1, 2, 2]
    card = {"payment_method_type": "provider", "payment_method_id": "0190a1c2-0000-7000-8000-000000000000"}
    for wrong in (card, {"payment_method_type": "barter"}):
        body = {"subscription": {"payment_method": wrong}}
        refused = await kit.call(client, "PUT", f"/subscriptions/{one['external_id']}", body, expect=422)
        assert refused["error_details"] == {"payment_method": ["invalid_payment_method"]}


def test_a_status_that_is_final_is_left_by_no_door():
    assert {status for status in InvoiceStatus if not CHANGES[status]} == {
        InvoiceStatus.VOIDED, InvoiceStatus.CLOSED, InvoiceStatus.DELETED,
    }  # fmt: skip
    assert set(InvoiceStatus) - set(VISIBLE) == {
        InvoiceStatus.OPEN,
        InvoiceStatus.CLOSED,
        InvoiceStatus.DELETED,
    }


async def test_a_draft_without_fees_to_pay_is_closed_by_hand_and_seen_no_more(make_organization):
    client = (await make_organization("2025-01-15T00:00:00Z")).client
    grace = {"invoice_grace_period": 3}
    who = await kit.customer(client, finalize_zero_amount_invoice="skip", billing_configuration=grace)
    await kit.subscribe(client, who, await kit.plan(client, amount_cents=0))
    await kit.advance(client, "2025-02-01T01:00")
    (draft,) = await kit.invoices(client, who)
    assert (draft["status"], draft["total_amount_cents"]) == ("draft", 0)
    closed = (await kit.call(client, "PUT", f"/invoices/{draft['lago_id']}/finalize"))["invoice"]
    assert (closed["status"], closed["sequential_id"], closed["finalized_at"]) == ("closed", None, None)
    assert closed["number"].endswith("-DRAFT")
    await kit.get(client, f"/invoices/{draft['lago_id']}", expect=404)
    assert await kit.invoices(client, who) == []
