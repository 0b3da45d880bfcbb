"""What becomes of an issued invoice: paid, annotated, overdue, disputed, void (invoicing §10.2, §10.4, §12)."""

import asyncio

import pytest
from sqlalchemy import select
from tests import kit

from tallymark.db.tables import outbox


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


def path(invoice, verb=""):
    return f"/invoices/{invoice['lago_id']}{verb}"


async def change(client, invoice, *, expect=200, **values):
    answer = await kit.call(client, "PUT", path(invoice), {"invoice": values}, expect=expect)
    return answer.get("invoice", answer)


async def void(client, invoice, *, expect=200, body=None):
    answer = await kit.post(client, path(invoice, "/void"), body or {}, expect=expect)
    return answer.get("invoice", answer)


async def told(database, client, invoice):
    async with database.tenant(client.organization_id) as tx:
        rows = await tx.execute(
            select(outbox.c.webhook_type)
            .where(outbox.c.object_id == invoice["lago_id"])
            .order_by(outbox.c.id)
        )
        return list(rows.scalars())


async def test_a_paid_invoice_is_not_overdue_and_its_fees_are_paid(seller, database):
    await kit.advance(seller, "2025-02-02T00:00")
    overdue = (await kit.get(seller, path(seller.invoice)))["invoice"]
    assert overdue["payment_overdue"] is True
    paid = await change(seller, seller.invoice, payment_status="succeeded")
    assert (paid["payment_status"], paid["payment_overdue"]) == ("succeeded", False)
    # What was paid is told by payments alone (§10.1).
    assert (paid["total_paid_amount_cents"], paid["total_due_amount_cents"]) == (0, 3720)
    assert {fee["payment_status"] for fee in paid["fees"]} == {"succeeded"}
    assert await told(database, seller, seller.invoice) == [
        "invoice.created", "invoice.payment_overdue", "invoice.payment_status_updated",
    ]  # fmt: skip


async def test_paid_before_it_is_due_it_never_becomes_overdue(seller):
    await change(seller, seller.invoice, payment_status="succeeded")
    await kit.advance(seller, "2025-02-10T00:00")
    assert (await kit.get(seller, path(seller.invoice)))["invoice"]["payment_overdue"] is False


async def test_a_payment_that_fails_after_all_lets_it_become_overdue(seller):
    await change(seller, seller.invoice, payment_status="succeeded")
    await change(seller, seller.invoice, payment_status="failed")
    await kit.advance(seller, "2025-02-02T00:00")
    assert (await kit.get(seller, path(seller.invoice)))["invoice"]["payment_overdue"] is True


async def test_the_same_status_again_tells_nothing(seller, database):
    await change(seller, seller.invoice, payment_status="pending")
    assert await told(database, seller, seller.invoice) == ["invoice.created"]


async def test_metadata_is_the_whole_new_list(seller):
    first = await change(
        seller, seller.invoice, metadata=[{"key": "po", "value": "17"}, {"key": "team", "value": "sales"}]
    )
    kept = first["metadata"][0]
    second = await change(
        seller,
        seller.invoice,
        metadata=[{"id": kept["lago_id"], "key": "po", "value": "18"}, {"key": "cost", "value": "9"}],
    )
    assert {(note["key"], note["value"]) for note in second["metadata"]} == {("po", "18"), ("cost", "9")}
    assert [note["lago_id"] for note in second["metadata"] if note["key"] == "po"] == [kept["lago_id"]]
    for query, found in (
        ({"metadata[po]": "18"}, 1),
        ({"metadata[po]": "17"}, 0),
        ({"metadata[team]": ""}, 1),
    ):
        assert (await kit.get(seller, "/invoices", **query))["meta"]["total_count"] == found


@pytest.mark.parametrize(
    ("values", "details"),
    [
        ({"payment_status": "paid"}, {"payment_status": ["value_is_invalid"]}),
        ({"metadata": [{"key": str(n), "value": "x"} for n in range(6)]}, {"metadata": ["invalid_count"]}),
        ({"metadata": [{"key": "a", "value": "x"}] * 2}, {"metadata": ["value_already_exist"]}),
    ],
)
async def test_what_can_not_be_written_is_refused(seller, values, details):
    refused = await change(seller, seller.invoice, expect=422, **values)
    assert refused["error_details"] == details
    assert (await kit.get(seller, path(seller.invoice)))["invoice"]["metadata"] == []


async def test_a_draft_takes_neither_metadata_nor_another_status(seller):
    grace = {"external_id": seller.who["external_id"], "billing_configuration": {"invoice_grace_period": 3}}
    await kit.post(seller, "/customers", {"customer": grace})
    await kit.advance(seller, "2025-03-01T01:00")
    (draft,) = [one for one in await kit.invoices(seller, seller.who) if one["status"] == "draft"]
    refused = await change(seller, draft, expect=405, metadata=[])
    assert refused["code"] == "metadata_on_draft_invoice"
    refused = await change(seller, draft, expect=405, payment_status="succeeded")
    assert refused["code"] == "payment_status_update_on_draft_invoice"
    assert (await change(seller, draft, payment_status="pending"))["status"] == "draft"
    assert (await void(seller, draft, expect=405))["code"] == "not_voidable"


async def test_a_void_invoice_is_not_due_and_stays_void(seller, database):
    gone = await void(seller, seller.invoice)
    assert (gone["status"], gone["total_due_amount_cents"]) == ("voided", 0)
    assert gone["voided_at"] == "2025-02-01T01:00:00Z"
    assert (await void(seller, seller.invoice, expect=405))["code"] == "not_voidable"
    refused = await change(seller, seller.invoice, expect=405, payment_status="succeeded")
    assert refused["code"] == "update_on_voided_invoice"
    await kit.advance(seller, "2025-02-10T00:00")
    assert (await kit.get(seller, path(seller.invoice)))["invoice"]["payment_overdue"] is False
    assert await told(database, seller, seller.invoice) == ["invoice.created", "invoice.voided"]


async def test_a_void_invoice_gives_its_coupons_back(seller):
    """A fixed 50.00: January's invoice is void, so February takes 31.00 and March the other 19.00."""
    body = {
        "name": "c", "code": "c", "coupon_type": "fixed_amount", "amount_cents": 5000, "amount_currency": "EUR",
        "frequency": "once", "expiration": "no_expiration",
    }  # fmt: skip
    await kit.post(seller, "/coupons", {"coupon": body})
    given = {"external_customer_id": seller.who["external_id"], "coupon_code": "c"}
    await kit.post(seller, "/applied_coupons", {"applied_coupon": given})
    await kit.advance(seller, "2025-03-01T01:00")
    (second,) = [one for one in await kit.invoices(seller, seller.who) if one["coupons_amount_cents"]]
    await void(seller, second)
    await kit.advance(seller, "2025-05-01T01:00")
    found = sorted(await kit.invoices(seller, seller.who), key=lambda one: one["issuing_date"])
    assert [one["coupons_amount_cents"] for one in found] == [0, 3100, 3100, 1900]


async def test_a_recurring_coupon_gets_its_invoice_back(seller):
    body = {
        "name": "r", "code": "r", "coupon_type": "percentage", "percentage_rate": "10", "frequency": "recurring",
        "frequency_duration": 1, "expiration": "no_expiration",
    }  # fmt: skip
    await kit.post(seller, "/coupons", {"coupon": body})
    given = {"external_customer_id": seller.who["external_id"], "coupon_code": "r"}
    await kit.post(seller, "/applied_coupons", {"applied_coupon": given})
    await kit.advance(seller, "2025-03-01T01:00")
    (used,) = [one for one in await kit.invoices(seller, seller.who) if one["coupons_amount_cents"]]
    await void(seller, used)
    (applied,) = (await kit.get(seller, "/applied_coupons"))["applied_coupons"]
    assert (applied["status"], applied["frequency_duration_remaining"]) == ("active", 1)


async def test_a_void_invoice_gives_back_what_credit_notes_paid_of_it(make_organization):
    """31.00 in advance, ended on 11 January: 20 days come back as a note of 20.00, which pays the next invoice's part."""
    client = (await make_organization("2025-01-01T00:00:00Z")).client
    plan = await kit.plan(client, amount_cents=3100, pay_in_advance=True)
    who = await kit.customer(client)
    first = await kit.subscribe(client, who, plan)
    await kit.advance(client, "2025-01-11T12:00")
    await kit.call(client, "DELETE", f"/subscriptions/{first['external_id']}")
    await kit.subscribe(client, who, plan, billing_time="anniversary")
    await kit.advance(client, "2025-01-11T13:00")
    (note,) = (await kit.get(client, "/credit_notes"))["credit_notes"]
    assert (note["credit_amount_cents"], note["balance_amount_cents"], note["credit_status"]) == (
        2000,
        0,
        "consumed",
    )
    (paid,) = [one for one in await kit.invoices(client, who) if one["credit_notes_amount_cents"]]
    await void(client, paid)
    (note,) = (await kit.get(client, "/credit_notes"))["credit_notes"]
    assert (note["balance_amount_cents"], note["credit_status"]) == (2000, "available")


async def test_two_voids_at_once_give_back_once(seller):
    body = {
        "name": "r", "code": "r", "coupon_type": "percentage", "percentage_rate": "10", "frequency": "recurring",
        "frequency_duration": 3, "expiration": "no_expiration",
    }  # fmt: skip
    await kit.post(seller, "/coupons", {"coupon": body})
    given = {"external_customer_id": seller.who["external_id"], "coupon_code": "r"}
    await kit.post(seller, "/applied_coupons", {"applied_coupon": given})
    await kit.advance(seller, "2025-03-01T01:00")
    (used,) = [one for one in await kit.invoices(seller, seller.who) if one["coupons_amount_cents"]]
    answers = await asyncio.gather(*(seller.post(path(used, "/void"), json={}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 405, 405, 405]
    (applied,) = (await kit.get(seller, "/applied_coupons"))["applied_coupons"]
    assert applied["frequency_duration_remaining"] == 3


async def test_a_lost_dispute_ends_the_dunning(seller):
    lost = (await kit.post(seller, path(seller.invoice, "/lose_dispute"), {}))["invoice"]
    assert lost["payment_dispute_lost_at"] == "2025-02-01T01:00:00.000Z"
    await kit.advance(seller, "2025-02-10T00:00")
    again = (await kit.post(seller, path(seller.invoice, "/lose_dispute"), {}))["invoice"]
    assert (again["payment_dispute_lost_at"], again["payment_overdue"]) == ("2025-02-01T01:00:00.000Z", False)
    for asked, found in (("true", 1), ("false", 0)):
        listed = await kit.get(seller, "/invoices", payment_dispute_lost=asked)
        assert listed["meta"]["total_count"] == found


async def test_another_organizations_invoice_can_not_be_touched(seller, make_organization):
    stranger = (await make_organization("2025-01-01T00:00:00Z")).client
    for verb in ("/void", "/lose_dispute"):
        await kit.post(stranger, path(seller.invoice, verb), {}, expect=404)
    await change(stranger, seller.invoice, expect=404, payment_status="succeeded")
    assert (await kit.get(seller, path(seller.invoice)))["invoice"]["status"] == "finalized"
