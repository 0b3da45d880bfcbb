"""Money back on credits that were bought, and their payment (wallets §5; invoicing §11.4, §11.5)."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from tests import kit

from tallymark.integrations.documents.data import invoice_data
from tallymark.rooms.invoices import service as invoices


@pytest.fixture
async def buyer(make_organization):
    """A customer who has bought 100 credits of 1.00 and been granted 20; the purchase waits for its payment."""
    organization = await make_organization("2025-06-05T12:00:00Z")
    client = organization.client
    client.organization_id = organization.id
    client.who = await kit.customer(client, currency="EUR")
    client.wallet = await wallet(client, paid_credits="100", granted_credits="20")
    (client.invoice,) = await kit.invoices(client, client.who)
    return client


async def wallet(client, **more):
    body = {"external_customer_id": client.who["external_id"], "rate_amount": "1", "currency": "EUR", **more}
    return (await kit.post(client, "/wallets", {"wallet": body}))["wallet"]


async def balance(client):
    return (await kit.get(client, f"/wallets/{client.wallet['lago_id']}"))["wallet"]["balance_cents"]


async def pay(client, amount, *, invoice_id=None, expect=200):
    body = {
        "invoice_id": invoice_id or client.invoice["lago_id"],
        "amount_cents": amount,
        "reference": "wire",
    }
    return await kit.post(client, "/payments", {"payment": body}, expect=expect)


async def give(client, amount, *, expect=200, **parts):
    body = {
        "invoice_id": client.invoice["lago_id"],
        "items": [{"fee_id": client.invoice["fees"][0]["lago_id"], "amount_cents": amount}],
        **{f"{name}_amount_cents": cents for name, cents in parts.items()},
    }
    answer = await kit.post(client, "/credit_notes", {"credit_note": body}, expect=expect)
    return answer["credit_note"] if expect == 200 else answer


async def guess(client, amount, *, expect=200):
    fee_id = client.invoice["fees"][0]["lago_id"]
    body = {"invoice_id": client.invoice["lago_id"], "items": [{"fee_id": fee_id, "amount_cents": amount}]}
    answer = await kit.post(client, "/credit_notes/estimate", {"credit_note": body}, expect=expect)
    return answer["estimated_credit_note"] if expect == 200 else answer


async def test_a_payment_of_the_whole_grants_the_credits(buyer):
    assert await balance(buyer) == 2_000
    answer = await pay(buyer, 9_999, expect=422)
    assert answer["error_details"] == {"amount_cents": ["invalid_amount"]}
    await pay(buyer, 10_000)
    assert await balance(buyer) == 12_000
    answer = await pay(buyer, 10_000, expect=422)
    assert answer["error_details"] == {"amount_cents": ["value_is_out_of_range"]}


async def test_an_open_purchase_is_paid_though_nobody_sees_it(buyer):
    """Its invoice has no number and is not found before; then it is of today, and so is its payment (§5.4, §5.5)."""
    buyer.wallet = await wallet(
        buyer, code="gated", paid_credits="30", invoice_requires_successful_payment=True
    )
    path = f"/wallets/{buyer.wallet['lago_id']}/wallet_transactions"
    (purchase,) = (await kit.get(buyer, path))["wallet_transactions"]
    invoice_id = purchase["lago_invoice_id"]
    await kit.get(buyer, f"/invoices/{invoice_id}", expect=404)
    made = (await pay(buyer, 3_000, invoice_id=invoice_id))["payment"]
    found = (await kit.get(buyer, f"/invoices/{invoice_id}"))["invoice"]
    assert (found["status"], found["payment_status"], found["total_due_amount_cents"]) == (
        "finalized", "succeeded", 0,
    )  # fmt: skip
    assert made["invoice_numbers"] == [found["number"]]
    assert await balance(buyer) == 3_000


async def test_what_is_refunded_is_taken_out_of_the_wallet(buyer):
    await pay(buyer, 10_000)
    found = await guess(buyer, 4_000)
    assert [found[f"max_{part}_amount_cents"] for part in ("creditable", "refundable", "offsettable")] == [
        0, 4_000, 0,
    ]  # fmt: skip
    note = await give(buyer, 4_000, refund=4_000)
    assert (note["refund_amount_cents"], note["refund_status"], note["taxes_amount_cents"]) == (
        4_000, "pending", 0,
    )  # fmt: skip
    assert await balance(buyer) == 8_000
    path = f"/wallets/{buyer.wallet['lago_id']}/wallet_transactions"
    (voided,) = (await kit.get(buyer, path, transaction_status="voided"))["wallet_transactions"]
    assert (voided["lago_credit_note_id"], voided["amount"]) == (note["lago_id"], "40.0")


async def test_no_more_is_refunded_than_the_wallet_has_of_it(buyer):
    """70.00 of the bought 100.00 are voided: 30.00 can be refunded, though the fee was 100.00."""
    await pay(buyer, 10_000)
    path = f"/wallets/{buyer.wallet['lago_id']}/wallet_transactions"
    (purchase,) = (await kit.get(buyer, path, transaction_status="purchased"))["wallet_transactions"]
    body = {
        "wallet_id": buyer.wallet["lago_id"], "voided_credits": "70", "voided_transaction_id": purchase["lago_id"],
    }  # fmt: skip
    await kit.post(buyer, "/wallet_transactions", {"wallet_transaction": body})
    answer = await give(buyer, 3_001, refund=3_001, expect=422)
    assert answer["error_details"] == {"amount_cents": ["higher_than_wallet_balance"]}
    await give(buyer, 3_000, refund=3_000)
    assert await balance(buyer) == 2_000


async def test_bought_credits_are_not_credited_and_paid_ones_not_offset(buyer):
    await pay(buyer, 10_000)
    answer = await give(buyer, 1_000, credit=1_000, expect=422)
    assert answer["error_details"] == {"credit_amount_cents": ["cannot_credit_invoice"]}
    answer = await give(buyer, 1_000, offset=1_000, expect=422)
    assert answer["error_details"] == {"offset_amount_cents": ["cannot_apply_to_paid_invoice"]}


async def test_an_unpaid_purchase_is_unsold_as_a_whole(buyer):
    """An offset pays it without money: no credits are granted (§5.7)."""
    assert (await guess(buyer, 1_000, expect=405))["code"] == "invalid_type_or_status"
    assert (await give(buyer, 1_000, refund=1_000, expect=405))["code"] == "invalid_type_or_status"
    answer = await give(buyer, 9_000, offset=9_000, expect=422)
    assert answer["error_details"]["offset_amount_cents"] == ["not_equal_to_total_amount"]
    await give(buyer, 10_000, offset=10_000)
    found = (await kit.get(buyer, f"/invoices/{buyer.invoice['lago_id']}"))["invoice"]
    assert (found["payment_status"], found["total_due_amount_cents"]) == ("succeeded", 0)
    assert await balance(buyer) == 2_000
    path = f"/wallets/{buyer.wallet['lago_id']}/wallet_transactions"
    (purchase,) = (await kit.get(buyer, path, transaction_status="purchased"))["wallet_transactions"]
    assert purchase["status"] == "failed"


async def test_a_wallet_that_has_ended_gives_nothing_back(buyer):
    await pay(buyer, 10_000)
    await kit.call(buyer, "DELETE", f"/wallets/{buyer.wallet['lago_id']}")
    assert (await give(buyer, 1_000, refund=1_000, expect=405))["code"] == "invalid_type_or_status"
    assert (await guess(buyer, 1_000, expect=405))["code"] == "invalid_type_or_status"


async def test_a_purchase_is_printed_as_one_line(buyer, database):
    async with database.tenant(buyer.organization_id) as tx:
        invoice = await invoices.get_invoice(tx, UUID(buyer.invoice["lago_id"]))
        (view,) = await invoices.get_views(tx, [invoice], now=datetime.now(UTC))
    data = invoice_data(view)
    assert data["title"] == "advance_invoice"
    ((group,),) = [section["groups"] for section in data["sections"]]
    assert group["title"] == "Prepaid credits"
    assert [(fee["units"], fee["unit_amount"], fee["amount_cents"]) for fee in group["fees"]] == [
        ("100", "1", 10_000)
    ]


async def test_receipt_and_note_of_a_purchase_are_printed(buyer):
    await pay(buyer, 10_000)
    (receipt,) = (await kit.get(buyer, "/payment_receipts"))["payment_receipts"]
    read = (await kit.get(buyer, f"/payment_receipts/{receipt['lago_id']}"))["payment_receipt"]
    note = await give(buyer, 1_000, refund=1_000)
    shown = (await kit.post(buyer, f"/credit_notes/{note['lago_id']}/download", {}))["credit_note"]
    for url in (read["file_url"], shown["file_url"]):
        assert (await buyer.get(url)).content.startswith(b"%PDF-")
