"""Laws of single entries: each is posted with the amounts of its own document (decision 6)."""

from tallymark.rooms.audit.model import Law

POSTINGS = (
    Law(
        name="entries_follow_invoices",
        says="An issued invoice is posted with its own total, taxes, coupons, credit notes, credits and fees.",
        sql="""
            WITH posted AS (
                SELECT e.document_id,
                       COALESCE(sum(l.debit_cents) FILTER (WHERE l.account = 'accounts_receivable'), 0) AS total,
                       COALESCE(sum(l.credit_cents) FILTER (WHERE l.account = 'tax_payable'), 0) AS taxes,
                       COALESCE(sum(l.debit_cents) FILTER (WHERE l.account = 'discounts'), 0) AS coupons,
                       COALESCE(sum(l.debit_cents) FILTER (WHERE l.account = 'credit_notes_payable'), 0) AS notes,
                       COALESCE(sum(l.debit_cents) FILTER (WHERE l.account = 'prepaid_credits'), 0) AS purchased,
                       COALESCE(sum(l.debit_cents) FILTER (WHERE l.account = 'granted_credits'), 0) AS granted,
                       COALESCE(sum(l.credit_cents) FILTER (
                           WHERE l.account LIKE 'revenue.%' OR l.account = 'prepaid_credits.pending'), 0) AS fees
                FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id
                WHERE e.document_type = 'invoice' AND e.cause = 'issued'
                GROUP BY e.document_id
            )
            SELECT 'invoice ' || i.number || ', ' || part.name AS place, part.expected, part.found
            FROM posted p JOIN invoices i ON i.id = p.document_id
            CROSS JOIN LATERAL (VALUES
                ('total', i.total_amount_cents, p.total), ('taxes', i.taxes_amount_cents, p.taxes),
                ('coupons', i.coupons_amount_cents, p.coupons), ('credit notes', i.credit_notes_amount_cents, p.notes),
                ('purchased credits', COALESCE(i.prepaid_purchased_credit_amount_cents, 0), p.purchased),
                ('granted credits', COALESCE(i.prepaid_granted_credit_amount_cents, 0), p.granted),
                ('fees', i.fees_amount_cents, p.fees)
            ) AS part(name, expected, found)
            WHERE part.expected <> part.found
        """,
    ),
    Law(
        name="entries_follow_notes",
        says="A credit note is posted with its own credit, refund, offset and taxes; a refund that was paid out, with what was.",
        sql="""
            WITH posted AS (
                SELECT e.document_id,
                       COALESCE(sum(l.credit_cents) FILTER (WHERE e.cause = 'issued' AND l.account = 'credit_notes_payable'), 0) AS credit,
                       COALESCE(sum(l.credit_cents) FILTER (WHERE e.cause = 'issued' AND l.account = 'refunds'), 0) AS refund,
                       COALESCE(sum(l.credit_cents) FILTER (WHERE e.cause = 'issued' AND l.account = 'accounts_receivable'), 0) AS offset_,
                       COALESCE(sum(l.debit_cents) FILTER (WHERE e.cause = 'issued' AND l.account = 'tax_payable'), 0) AS taxes,
                       COALESCE(sum(l.credit_cents - l.debit_cents) FILTER (WHERE l.account = 'customer_cash'), 0) AS paid_out
                FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id
                WHERE e.document_type = 'credit_note' GROUP BY e.document_id
            )
            SELECT 'credit note ' || n.number || ', ' || part.name AS place, part.expected, part.found
            FROM posted p JOIN credit_notes n ON n.id = p.document_id
            CROSS JOIN LATERAL (VALUES
                ('credit', n.credit_amount_cents, p.credit), ('refund', n.refund_amount_cents, p.refund),
                ('offset', n.offset_amount_cents, p.offset_), ('taxes', n.taxes_amount_cents, p.taxes),
                ('paid out', CASE n.refund_status WHEN 'succeeded' THEN n.refund_amount_cents ELSE 0 END, p.paid_out)
            ) AS part(name, expected, found)
            WHERE part.expected <> part.found
        """,
    ),
    Law(
        name="entries_follow_payments",
        says="A payment is posted with its own amount.",
        sql="""
            SELECT 'payment ' || p.id AS place, p.amount_cents AS expected, COALESCE(sum(l.debit_cents), 0) AS found
            FROM payments p
            JOIN journal_entries e ON e.document_id = p.id AND e.document_type = 'payment' AND e.cause = 'paid'
            LEFT JOIN journal_lines l ON l.entry_id = e.id AND l.account = 'customer_cash'
            GROUP BY p.id HAVING COALESCE(sum(l.debit_cents), 0) <> p.amount_cents
        """,
    ),
    Law(
        name="entries_follow_credits",
        says="Credits that were bought are posted when they are settled, and what of them is voided by hand is written off.",
        sql="""
            WITH taken AS (
                SELECT c.outbound_transaction_id AS id, sum(c.consumed_amount_cents) AS cents
                FROM wallet_transaction_consumptions c
                JOIN wallet_transactions t ON t.id = c.inbound_transaction_id AND t.transaction_status = 'purchased'
                GROUP BY c.outbound_transaction_id
            ), posted AS (
                SELECT e.document_id AS id, sum(l.credit_cents - l.debit_cents) AS cents
                FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id
                WHERE e.document_type = 'wallet_transaction' AND l.account = 'prepaid_credits' GROUP BY e.document_id
            ), wanted AS (
                SELECT t.id, CASE WHEN t.transaction_status = 'purchased' AND t.status = 'settled' THEN t.amount_cents
                                  WHEN t.transaction_status = 'voided' AND t.credit_note_id IS NULL THEN -COALESCE(taken.cents, 0)
                                  ELSE 0 END AS cents
                FROM wallet_transactions t LEFT JOIN taken ON taken.id = t.id
            )
            SELECT 'wallet transaction ' || w.id AS place, w.cents AS expected, COALESCE(p.cents, 0) AS found
            FROM wanted w LEFT JOIN posted p ON p.id = w.id WHERE w.cents <> COALESCE(p.cents, 0)
        """,
    ),
    Law(
        name="void_refunds",
        says="A void invoice owes back no more than was paid of it and not refunded, and credits that were bought and find no wallet.",
        sql="""
            WITH noted AS (SELECT invoice_id, sum(refund_amount_cents) AS cents FROM credit_notes GROUP BY invoice_id), owed AS (
                SELECT e.document_id, sum(l.credit_cents - l.debit_cents) AS cents
                FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id
                WHERE e.document_type = 'invoice' AND e.cause = 'voided' AND l.account = 'refunds' GROUP BY e.document_id
            ), kept AS (
                SELECT o.invoice_id, sum(c.consumed_amount_cents) AS cents
                FROM owed JOIN wallet_transactions o ON o.invoice_id = owed.document_id AND o.transaction_status = 'invoiced'
                JOIN wallet_transaction_consumptions c ON c.outbound_transaction_id = o.id
                JOIN wallet_transactions b ON b.id = c.inbound_transaction_id AND b.transaction_status = 'purchased'
                WHERE NOT EXISTS (SELECT 1 FROM wallet_transactions g
                                  WHERE g.wallet_id = o.wallet_id AND g.voided_invoice_id = o.invoice_id)
                GROUP BY o.invoice_id
            ), most AS (
                SELECT i.number, owed.cents AS found,
                       i.total_paid_amount_cents - COALESCE(noted.cents, 0) + COALESCE(kept.cents, 0) AS cents
                FROM owed JOIN invoices i ON i.id = owed.document_id LEFT JOIN noted ON noted.invoice_id = i.id
                LEFT JOIN kept ON kept.invoice_id = i.id
            )
            SELECT 'invoice ' || number AS place, 'at most ' || cents AS expected, found FROM most WHERE found > cents
        """,
    ),
)
