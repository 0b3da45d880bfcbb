"""Laws of what pays an invoice beside credits: money, and offsets of notes (invoicing §12-13)."""

from tallymark.rooms.audit.model import Law

PAYMENTS = (
    Law(
        name="invoice_payments",
        says="What was paid of an invoice is the sum of its payments, and of its parts of those for payment requests.",
        holds=(
            "invoices total_paid_amount_cents",
            "payment_requests_invoices paid_amount_cents",
            "payments amount_cents",
        ),
        sql="""
            WITH paid AS (
                SELECT invoice_id, sum(cents) AS cents
                FROM (
                    SELECT invoice_id, amount_cents AS cents FROM payments WHERE payment_status = 'succeeded'
                    UNION ALL SELECT invoice_id, paid_amount_cents FROM payment_requests_invoices
                ) parts GROUP BY invoice_id
            )
            SELECT 'invoice ' || i.number AS place, COALESCE(p.cents, 0) AS expected, i.total_paid_amount_cents AS found
            FROM invoices i LEFT JOIN paid p ON p.invoice_id = i.id
            WHERE COALESCE(p.cents, 0) <> i.total_paid_amount_cents
        """,
    ),
    Law(
        name="payment_requests",
        says="A request asks for what was due of its invoices, and its payment is the sum of what it paid of them.",
        holds=(
            "payment_requests amount_cents",
            "payment_requests_invoices amount_cents paid_amount_cents",
            "payments amount_cents",
        ),
        sql="""
            WITH held AS (
                SELECT payment_request_id AS id, sum(amount_cents) AS due, sum(paid_amount_cents) AS paid
                FROM payment_requests_invoices GROUP BY payment_request_id
            ), paid AS (
                SELECT payment_request_id AS id, sum(amount_cents) AS cents
                FROM payments WHERE payment_status = 'succeeded' GROUP BY payment_request_id
            )
            SELECT 'payment request ' || r.id AS place, 'due ' || r.amount_cents || ', paid ' || COALESCE(p.cents, 0) ||
                       CASE WHEN p.cents IS NULL THEN ', pending' ELSE ', succeeded' END AS expected,
                   'due ' || COALESCE(h.due, 0) || ', paid ' || COALESCE(h.paid, 0) || ', ' || r.payment_status AS found
            FROM payment_requests r LEFT JOIN held h ON h.id = r.id LEFT JOIN paid p ON p.id = r.id
            WHERE COALESCE(h.due, 0) <> r.amount_cents OR COALESCE(h.paid, 0) <> COALESCE(p.cents, 0)
               OR (r.payment_status = 'succeeded') <> (p.cents IS NOT NULL)
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
            FROM payments p
            CROSS JOIN LATERAL (
                SELECT bool_or(i.self_billed) AS self_billed FROM invoices i
                WHERE i.id = p.invoice_id OR i.id IN (
                    SELECT h.invoice_id FROM payment_requests_invoices h WHERE h.payment_request_id = p.payment_request_id)
            ) i
            LEFT JOIN payment_receipts r ON r.payment_id = p.id
            GROUP BY p.id, i.self_billed
            HAVING CASE WHEN p.payment_status <> 'succeeded' THEN count(r.id) > 0 WHEN i.self_billed THEN count(r.id) > 1
                        ELSE count(r.id) <> 1 END
        """,
    ),
    Law(
        name="paid_back",
        says="A provider pays back what a credit note refunds, and of a payment no more than is kept of it; only what came in leaves a surplus.",
        holds=("refunds amount_cents", "payments surplus_cents"),
        sql="""
            SELECT 'refund of credit note ' || n.number AS place, n.refund_amount_cents || ' ' || n.currency AS expected,
                   r.amount_cents || ' ' || r.currency AS found
            FROM refunds r JOIN credit_notes n ON n.id = r.credit_note_id
            WHERE r.amount_cents <> n.refund_amount_cents OR r.currency <> n.currency
            UNION ALL
            SELECT 'refunds of payment ' || p.id,
                   'at most ' || CASE p.payment_status WHEN 'succeeded' THEN p.amount_cents ELSE 0 END, sum(r.amount_cents)::text
            FROM refunds r JOIN payments p ON p.id = r.payment_id
            WHERE r.refund_status <> 'failed' GROUP BY p.id
            HAVING sum(r.amount_cents) > CASE p.payment_status WHEN 'succeeded' THEN p.amount_cents ELSE 0 END
            UNION ALL
            SELECT 'surplus of payment ' || p.id, '0', p.surplus_cents::text
            FROM payments p
            WHERE p.surplus_cents < 0
               OR (p.surplus_cents > 0 AND (p.payment_status <> 'succeeded' OR p.payment_type <> 'provider'))
        """,
    ),
)
