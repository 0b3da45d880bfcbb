"""Laws of what pays an invoice beside credits: money, and offsets of notes (invoicing §12-13)."""

from tallymark.rooms.audit.model import Law

PAYMENTS = (
    Law(
        name="invoice_payments",
        says="What was paid of an invoice is the sum of its payments.",
        holds=(
            "invoices total_paid_amount_cents",
            "payments amount_cents",
        ),
        sql="""
            WITH paid AS (
                SELECT invoice_id, sum(amount_cents) AS cents
                FROM payments WHERE payment_status = 'succeeded' GROUP BY invoice_id
            )
            SELECT 'invoice ' || i.number AS place, COALESCE(p.cents, 0) AS expected, i.total_paid_amount_cents AS found
            FROM invoices i LEFT JOIN paid p ON p.invoice_id = i.id
            WHERE COALESCE(p.cents, 0) <> i.total_paid_amount_cents
        """,
    ),
    Law(
        name="invoice_settlements",
        says="What is offset of an invoice is the sum of its settlements, and of its notes' offsets; no more than all is paid.",
        holds=(
            "invoices offset_amount_cents",
            "invoice_settlements amount_cents",
        ),
        sql="""
            WITH settled AS (SELECT invoice_id, sum(amount_cents) AS cents FROM invoice_settlements GROUP BY invoice_id),
                 noted AS (SELECT invoice_id, sum(offset_amount_cents) AS cents FROM credit_notes GROUP BY invoice_id)
            SELECT 'invoice ' || i.number AS place, COALESCE(s.cents, 0) AS expected, i.offset_amount_cents AS found
            FROM invoices i LEFT JOIN settled s ON s.invoice_id = i.id LEFT JOIN noted n ON n.invoice_id = i.id
            WHERE COALESCE(s.cents, 0) <> i.offset_amount_cents OR COALESCE(n.cents, 0) <> i.offset_amount_cents
               OR i.total_paid_amount_cents + i.offset_amount_cents > i.total_amount_cents
        """,
    ),
    Law(
        name="payment_receipts",
        says="Every payment that came in has one receipt, but for those of partners.",
        sql="""
            SELECT 'payment ' || p.id AS place, '1 receipt' AS expected, count(r.id) || ' receipts' AS found
            FROM payments p JOIN invoices i ON i.id = p.invoice_id LEFT JOIN payment_receipts r ON r.payment_id = p.id
            GROUP BY p.id, i.id
            HAVING CASE WHEN p.payment_status <> 'succeeded' THEN count(r.id) > 0 WHEN i.self_billed THEN count(r.id) > 1
                        ELSE count(r.id) <> 1 END
        """,
    ),
)
