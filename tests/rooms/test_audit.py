"""`tallymark audit` finds what is wrong with money, and finds nothing where nothing is (beyond.md §4)."""

import pytest
from sqlalchemy import text
from tests import audits, kit
from tests.rooms import audited

from tallymark.db.engine import Tx
from tallymark.rooms.audit.service import LAWS, audit, breaches_of


@pytest.fixture
async def seller(make_organization, database):
    return await audited.seller(make_organization, database)


async def test_nothing_is_found_where_nothing_is_wrong(seller, database):
    await kit.assert_audit_clean(database, seller.id)


LAST = (
    "SELECT id FROM invoices WHERE status = 'finalized' AND total_amount_cents > 1 AND organization_id = '{id}'"
    " ORDER BY created_at DESC, id LIMIT 1"
)
CORRUPTIONS = {
    "entries_balance": [
        "UPDATE journal_lines SET debit_cents = debit_cents + 1 WHERE account = 'accounts_receivable' AND debit_cents > 0"
    ],
    "documents_are_posted": [
        "DELETE FROM journal_lines WHERE entry_id IN (SELECT id FROM journal_entries WHERE document_type = 'credit_note')",
        "DELETE FROM journal_entries WHERE document_type = 'credit_note'",
    ],
    "entries_follow_invoices": ["UPDATE journal_lines SET account = 'revenue.usage' WHERE account = 'tax_payable'"],
    "receivables": [f"UPDATE invoices SET total_paid_amount_cents = 1 WHERE id = ({LAST})"],
    "invoice_payments": ["UPDATE payments SET amount_cents = amount_cents + 1"],
    "payment_requests": ["UPDATE payment_requests SET payment_status = 'pending'"],
    "credit_notes_payable": ["UPDATE credit_notes SET balance_amount_cents = balance_amount_cents + 1"],
    "invoice_fees": ["UPDATE fees SET amount_cents = amount_cents + 1"],
    "invoice_credits": ["UPDATE invoice_credits SET amount_cents = amount_cents + 1"],
    "fee_shares": ["UPDATE fees SET precise_coupons_amount_cents = amount_cents"],
    "fee_taxes": ["UPDATE fees SET taxes_amount_cents = taxes_amount_cents + 1"],
    "invoice_taxes": [
        "UPDATE invoices SET (taxes_amount_cents, sub_total_including_taxes_amount_cents, total_amount_cents) = (taxes_amount_cents + 1, sub_total_including_taxes_amount_cents + 1, total_amount_cents + 1)"
    ],
    "invoice_totals": [
        "UPDATE invoices SET total_amount_cents = total_amount_cents + 1",
    ],
    "invoice_settlements": [f"UPDATE invoices SET offset_amount_cents = 1 WHERE id = ({LAST})"],
    "credit_note_balances": ["UPDATE credit_notes SET balance_amount_cents = credit_amount_cents"],
    "credit_note_items": ["UPDATE credit_note_items SET precise_amount_cents = 3101"],
    "coupon_amounts": ["UPDATE applied_coupons SET amount_cents = 399"],
    "invoice_numbers": [f"UPDATE invoices SET sequential_id = 99 WHERE id = ({LAST})"],
    "entity_numbers": ["UPDATE invoices SET number = 'ACM-TWICE'"],
    "periods_once": [
        "UPDATE billing_records SET charges_from_at = charges_from_at - interval '1 hour' WHERE is_recurring"
    ],
    "events_are_stored": ["DELETE FROM events"],
    "events_are_kept": ["DELETE FROM event_keys"],
    "wallet_balances": ["UPDATE wallet_transactions SET amount_cents = amount_cents + 1 WHERE transaction_type = 'outbound'"],
    "wallet_consumptions": ["UPDATE wallet_transaction_consumptions SET consumed_amount_cents = 1"],
    "invoice_wallets": ["UPDATE wallet_transactions SET invoice_id = NULL WHERE transaction_status = 'invoiced'"],
    "prepaid_credits": ["UPDATE journal_lines SET account = 'granted_credits' WHERE account = 'prepaid_credits' AND credit_cents > 0"],
    "invoice_explanations": [
        "UPDATE invoices SET explanation = jsonb_set(explanation, '{{0,fees,0,amount_cents}}', '7') WHERE status = 'finalized'"
    ],
    "fee_explanations": ["UPDATE fees SET explanation = jsonb_set(explanation, '{{-1,amount_cents}}', '1')"],
    "entries_follow_notes": [
        "UPDATE credit_notes SET (refund_amount_cents, offset_amount_cents) = (refund_amount_cents - 1, offset_amount_cents + 1) WHERE refund_amount_cents > 0"
    ],
    "entries_follow_payments": ["UPDATE journal_lines SET debit_cents = debit_cents + 1 WHERE account = 'customer_cash' AND debit_cents > 0"],
    "entries_follow_credits": ["UPDATE journal_entries SET document_type = 'payment' WHERE document_type = 'wallet_transaction'"],
    "prepaid_credits_pending": ["UPDATE journal_lines SET account = 'prepaid_credits' WHERE account = 'prepaid_credits.pending'"],
    "refunds": ["UPDATE journal_lines SET account = 'write_offs' WHERE account = 'refunds'"],
    "void_refunds": ["UPDATE invoices SET total_paid_amount_cents = 0 WHERE status = 'voided'"],
    "fee_precise_amounts": ["UPDATE fees SET precise_amount_cents = precise_amount_cents + 1"],
    "fee_units": ["UPDATE fees SET units = units + 1"],
    "fee_unit_amounts": ["UPDATE fees SET unit_amount_cents = unit_amount_cents + 1"],
    "fee_precise_taxes": ["UPDATE fees SET taxes_rate = taxes_rate + 1"],
    "fee_applied_taxes": ["UPDATE fees_applied_taxes SET fees_amount_cents = fees_amount_cents + 1"],
    "invoice_applied_taxes": ["UPDATE invoices_applied_taxes SET amount_cents = amount_cents + 1"],
    "invoice_tax_rates": ["UPDATE invoices SET taxes_rate = taxes_rate + 1"],
    "drafts": ["UPDATE invoices SET number = 'ACM-001' WHERE status = 'draft'"],
    "unissued": ["UPDATE invoices SET status = 'closed' WHERE status = 'finalized'"],
    "first_invoices": ["UPDATE subscriptions SET status = 'canceled' WHERE status = 'active'"],
    "payment_receipts": ["DELETE FROM payment_receipts"],
    "paid_back": [
        "UPDATE payments SET amount_cents = 599 WHERE id IN (SELECT payment_id FROM refunds)",
        "UPDATE payments SET surplus_cents = 1 WHERE payment_type = 'manual'",
    ],
    "credit_note_item_amounts": ["UPDATE credit_note_items SET amount_cents = amount_cents + 1"],
    "credit_note_amounts": ["UPDATE credit_notes SET precise_total_amount_cents = precise_total_amount_cents + 1"],
    "credit_note_taxes": ["UPDATE credit_notes_applied_taxes SET amount_cents = amount_cents + 1"],
    "coupon_uses": ["UPDATE applied_coupons SET frequency_duration_remaining = 3 WHERE frequency = 'recurring'"],
    "coupon_rates": ["UPDATE applied_coupons SET percentage_rate = percentage_rate + 1"],
    "customer_numbers": ["UPDATE customers SET sequential_id = sequential_id + 1000"],
    "note_numbers": ["UPDATE credit_notes SET number = number || '1'"],
    "priced_events": ["UPDATE priced_events SET amount_cents = amount_cents + 1"],
    "event_versions": ["UPDATE event_versions SET is_void = NOT is_void"],
    "corrected_prices": ["UPDATE priced_events SET is_corrected = true, amount_cents = amount_cents + 1"],
    "usage_adjustments": [
        "UPDATE usage_adjustments SET amount_cents = amount_cents + 1",
        "DELETE FROM usage_adjustments",
    ],
    "rollups": ["DELETE FROM rollup_parts WHERE is_base"],
    "running_numbers": ["UPDATE priced_events SET highest = highest + 1"],
    "thresholds_passed": ["UPDATE applied_usage_thresholds SET lifetime_usage_amount_cents = 1"],
    "wallet_precise_amounts": ["UPDATE wallet_transactions SET precise_amount_cents = precise_amount_cents + 1"],
    "wallet_consumed": ["UPDATE wallets SET consumed_amount_cents = consumed_amount_cents + 1"],
    "wallet_ongoing": ["UPDATE wallets SET ongoing_balance_cents = ongoing_balance_cents + 1"],
    "invoice_wallet_kinds": [
        "UPDATE invoices SET (prepaid_granted_credit_amount_cents, prepaid_purchased_credit_amount_cents) = (prepaid_purchased_credit_amount_cents, prepaid_granted_credit_amount_cents) WHERE prepaid_credit_amount_cents > 0"
    ],
    "purchases_are_invoiced": ["UPDATE wallet_transactions SET invoice_id = NULL WHERE transaction_status = 'purchased'"],
}  # fmt: skip


def test_every_law_has_its_corruption():
    assert sorted(CORRUPTIONS) == sorted(law.name for law in LAWS)


@pytest.mark.breaks_laws
async def test_every_corrupted_row_is_found_and_named(seller, database):
    """Each corruption is made as a superuser with triggers and checks off, looked at as the tenant, and rolled back."""
    unnoticed = {}
    laws = {law.name: law for law in LAWS}
    async with audited.unguarded(database, seller.id) as connection:
        for name, statements in CORRUPTIONS.items():
            changes = [within(statement, seller.id) for statement in statements]
            async with audited.corrupted(connection, *changes):
                tx = Tx(connection, seller.id)
                found = [one async for one in breaches_of(tx, laws[name])]
                # What is held after every test, all laws at once, finds it too.
                at_once = [one async for one in audits.breaches(tx) if one.law == name]
            for seen in (found, at_once):
                if not seen or not all(one.place and one.expected != one.found for one in seen):
                    unnoticed[name] = seen
    assert unnoticed == {}


def within(statement, organization_id):
    """A change of rows as one of this organization's alone; the module's other tests have their own."""
    of_one, statement = f"organization_id = '{organization_id}'", statement.format(id=organization_id)
    return f"{statement} AND {of_one}" if " WHERE " in statement else f"{statement} WHERE {of_one}"


async def test_a_breach_says_where_and_what(seller, database):
    """300 of what the customer owes were paid; one more is written beside it."""
    statement = "UPDATE invoices SET total_paid_amount_cents = 301 WHERE total_paid_amount_cents = 300"
    async with (
        audited.unguarded(database, seller.id) as connection,
        audited.corrupted(connection, within(statement, seller.id)),
    ):
        found = {breach.law: breach async for breach in audit(Tx(connection, seller.id))}
    invoices = await kit.invoices(seller.client, {"external_id": "acme"})
    due = sum(invoice["total_due_amount_cents"] for invoice in invoices if invoice["status"] == "finalized")
    assert sorted(found) == ["invoice_payments", "receivables"]
    owed, paid = found["receivables"], found["invoice_payments"]
    assert (owed.place, owed.expected, owed.found) == ("customer acme, EUR", str(due - 1), str(due))
    assert (paid.place, paid.expected, paid.found) == (f"invoice {invoices[-1]['number']}", "300", "301")


async def test_a_snapshot_writes_nothing(seller, database):
    from sqlalchemy.exc import DBAPIError

    async with database.snapshot(seller.id) as tx:
        with pytest.raises(DBAPIError, match="read-only"):
            await tx.execute(text("UPDATE customers SET name = 'x'"))
        await tx.connection.rollback()
