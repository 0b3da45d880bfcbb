"""`tallymark audit` finds what is wrong with money, and finds nothing where nothing is (beyond.md §4)."""

import pytest
from sqlalchemy import text
from tests import kit

from tallymark.db.engine import TENANT_ROLE, Tx
from tallymark.rooms.audit.service import LAWS, audit


@pytest.fixture
async def seller(make_organization):
    """Base price, usage, a coupon, events billed in advance, a credit note used twice, a void invoice; 20 % tax."""
    organization = await make_organization("2025-01-01T00:00:00Z")
    client = organization.client
    await kit.tax(client, "20", applied_to_organization=True)
    calls, seats = await kit.metric(client), await kit.metric(client)
    at_once = {**kit.charge(seats, amount="5"), "pay_in_advance": True}
    plan = await kit.plan(client, kit.charge(calls, amount="2"), at_once, amount_cents=1000)
    who = await kit.customer(client, external_id="acme")
    body = {"name": "Four", "code": "four", "coupon_type": "fixed_amount", "amount_cents": 400}
    body |= {"amount_currency": "EUR", "frequency": "once", "expiration": "no_expiration"}
    await kit.post(client, "/coupons", {"coupon": body})
    given = {"external_customer_id": "acme", "coupon_code": "four"}
    await kit.post(client, "/applied_coupons", {"applied_coupon": given})
    subscription = await kit.subscribe(client, who, plan)
    await kit.send(client, subscription, calls, 3)
    await kit.send(client, subscription, seats, 1)
    wallet = {"external_customer_id": "acme", "rate_amount": "1", "currency": "EUR"}
    wallet |= {"paid_credits": "5", "granted_credits": "2"}
    await kit.post(client, "/wallets", {"wallet": wallet})
    (bought,) = (await kit.get(client, "/invoices", invoice_type="credit"))["invoices"]
    paid = {"invoice_id": bought["lago_id"], "amount_cents": 500, "reference": "credits"}
    await kit.post(client, "/payments", {"payment": paid})
    leaver = await kit.customer(client, external_id="leaver")
    in_advance = await kit.plan(client, amount_cents=3100, pay_in_advance=True)
    first = await kit.subscribe(client, leaver, in_advance)
    await kit.advance(client, "2025-01-20T12:00")
    await kit.call(client, "DELETE", f"/subscriptions/{first['external_id']}")
    await kit.subscribe(client, leaver, await kit.plan(client, amount_cents=1000, pay_in_advance=True))
    await kit.advance(client, "2025-03-01T01:00")
    for cents, reference in ((100, "first"), (200, "second")):
        found = (await kit.invoices(client, who))[-1]
        payment = {"invoice_id": found["lago_id"], "amount_cents": cents, "reference": reference}
        await kit.post(client, "/payments", {"payment": payment})
    last = (await kit.invoices(client, leaver))[-1]
    await kit.post(client, f"/invoices/{last['lago_id']}/void", {})
    return organization


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
    "credit_notes_payable": ["UPDATE credit_notes SET balance_amount_cents = balance_amount_cents + 1"],
    "invoice_fees": ["UPDATE fees SET amount_cents = amount_cents + 1"],
    "invoice_credits": ["UPDATE invoice_credits SET amount_cents = amount_cents + 1"],
    "fee_shares": ["UPDATE fees SET precise_coupons_amount_cents = amount_cents"],
    "fee_taxes": ["UPDATE fees SET taxes_amount_cents = taxes_amount_cents + 1"],
    "invoice_taxes": [
        "UPDATE invoices SET (taxes_amount_cents, sub_total_including_taxes_amount_cents, total_amount_cents) = (taxes_amount_cents + 1, sub_total_including_taxes_amount_cents + 1, total_amount_cents + 1)"
    ],
    "invoice_totals": [
        "ALTER TABLE invoices DROP CONSTRAINT invoices_total_check",
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
    "wallet_balances": ["UPDATE wallet_transactions SET amount_cents = amount_cents + 1 WHERE transaction_type = 'outbound'"],
    "wallet_consumptions": ["UPDATE wallet_transaction_consumptions SET consumed_amount_cents = 1"],
    "invoice_wallets": ["UPDATE wallet_transactions SET invoice_id = NULL WHERE transaction_status = 'invoiced'"],
    "prepaid_credits": ["UPDATE journal_lines SET account = 'granted_credits' WHERE account = 'prepaid_credits' AND credit_cents > 0"],
    "invoice_explanations": [
        "UPDATE invoices SET explanation = jsonb_set(explanation, '{{0,fees,0,amount_cents}}', '7') WHERE status = 'finalized'"
    ],
    "fee_explanations": ["UPDATE fees SET explanation = jsonb_set(explanation, '{{-1,amount_cents}}', '1')"],
}  # fmt: skip


def test_every_law_has_its_corruption():
    assert sorted(CORRUPTIONS) == sorted(law.name for law in LAWS)


async def test_every_corrupted_row_is_found_and_named(seller, database):
    """Each corruption is made as a superuser with triggers off, looked at as the tenant, and rolled back."""
    unnoticed = {}
    for law, statements in CORRUPTIONS.items():
        async with database.engine.connect() as connection:
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
            await enter(connection, seller.id)
            for statement in statements:
                await connection.execute(text("RESET ROLE"))
                await connection.execute(text(within(statement, seller.id)))
            await connection.execute(text(f"SET LOCAL ROLE {TENANT_ROLE}"))
            found = {breach.law async for breach in audit(Tx(connection, seller.id))}
            await connection.rollback()
        if law not in found:
            unnoticed[law] = found
    assert unnoticed == {}


async def enter(connection, organization_id):
    statement = text("SELECT set_config('tallymark.organization_id', :id, true)")
    await connection.execute(statement, {"id": str(organization_id)})


def within(statement, organization_id):
    """A change of rows as one of this organization's alone; the module's other tests have their own."""
    if statement.startswith("ALTER"):
        return statement
    of_one, statement = f"organization_id = '{organization_id}'", statement.format(id=organization_id)
    return f"{statement} AND {of_one}" if " WHERE " in statement else f"{statement} WHERE {of_one}"


async def test_a_breach_says_where_and_what(seller, database):
    """300 of what the customer owes were paid; one more is written beside it."""
    async with database.engine.connect() as connection:
        statement = "UPDATE invoices SET total_paid_amount_cents = 301 WHERE total_paid_amount_cents = 300"
        await connection.execute(text(within(statement, seller.id)))
        await enter(connection, seller.id)
        await connection.execute(text(f"SET LOCAL ROLE {TENANT_ROLE}"))
        found = {breach.law: breach async for breach in audit(Tx(connection, seller.id))}
        await connection.rollback()
    invoices = await kit.invoices(seller.client, {"external_id": "acme"})
    due = sum(invoice["total_due_amount_cents"] for invoice in invoices)
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
