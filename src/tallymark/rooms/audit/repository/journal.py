"""Laws of the journal, and of its sums against the documents (decision 6)."""

from tallymark.rooms.audit.model import Law

JOURNAL = (
    Law(
        name="entries_balance",
        says="The debits of every entry are its credits, and no entry is empty.",
        sql="""
            SELECT 'journal entry ' || e.sequence || ' of ' || e.document_type || ' ' || COALESCE(e.document_number, '') AS place,
                   COALESCE(sum(l.debit_cents), 0) || ' credited' AS expected,
                   COALESCE(sum(l.credit_cents), 0) || ' credited' AS found
            FROM journal_entries e LEFT JOIN journal_lines l ON l.entry_id = e.id
            GROUP BY e.id
            HAVING count(l.*) = 0 OR sum(l.debit_cents) <> sum(l.credit_cents)
            ORDER BY e.sequence
        """,
    ),
    Law(
        name="documents_are_posted",
        says="Every issued invoice, credit note and payment has one entry, and one more when it is void.",
        sql="""
            WITH documents AS (
                SELECT id, 'invoice ' || number AS place, 1 AS issued, (status = 'voided')::int AS voided
                FROM invoices
                WHERE status IN ('finalized', 'voided') AND (fees_amount_cents > 0 OR taxes_amount_cents > 0)
                UNION ALL
                SELECT id, 'credit note ' || number, 1, (credit_status = 'voided')::int FROM credit_notes
                UNION ALL
                SELECT id, 'payment ' || id, 1, 0 FROM payments WHERE payment_status = 'succeeded'
            ), posted AS (
                SELECT document_id, count(*) FILTER (WHERE cause IN ('issued', 'paid')) AS issued,
                       count(*) FILTER (WHERE cause = 'voided') AS voided
                FROM journal_entries GROUP BY document_id
            )
            SELECT d.place, 'posted ' || d.issued || ' times, voided ' || d.voided AS expected,
                   'posted ' || COALESCE(p.issued, 0) || ' times, voided ' || COALESCE(p.voided, 0) AS found
            FROM documents d LEFT JOIN posted p ON p.document_id = d.id
            WHERE (d.issued, d.voided) IS DISTINCT FROM (COALESCE(p.issued, 0), COALESCE(p.voided, 0))
        """,
    ),
    Law(
        name="entries_follow_invoices",
        says="An issued invoice is posted with its own total, taxes, coupons, credit notes and fees.",
        sql="""
            WITH posted AS (
                SELECT e.document_id,
                       COALESCE(sum(l.debit_cents) FILTER (WHERE l.account = 'accounts_receivable'), 0) AS total,
                       COALESCE(sum(l.credit_cents) FILTER (WHERE l.account = 'tax_payable'), 0) AS taxes,
                       COALESCE(sum(l.debit_cents) FILTER (WHERE l.account = 'discounts'), 0) AS coupons,
                       COALESCE(sum(l.debit_cents) FILTER (WHERE l.account = 'credit_notes_payable'), 0) AS notes,
                       COALESCE(sum(l.debit_cents) FILTER (WHERE l.account IN ('prepaid_credits', 'granted_credits')), 0)
                           AS wallets,
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
                ('wallets', i.prepaid_credit_amount_cents, p.wallets), ('fees', i.fees_amount_cents, p.fees)
            ) AS part(name, expected, found)
            WHERE part.expected <> part.found
        """,
    ),
    Law(
        name="receivables",
        says="What the journal has as receivable from a customer is what their issued invoices show as due.",
        sql="""
            WITH due AS (
                SELECT customer_id, currency,
                       sum(total_amount_cents - total_paid_amount_cents - offset_amount_cents) AS cents
                FROM invoices WHERE status = 'finalized' GROUP BY customer_id, currency
            ), booked AS (
                SELECT e.customer_id, e.currency, sum(l.debit_cents - l.credit_cents) AS cents
                FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id
                WHERE l.account = 'accounts_receivable' GROUP BY e.customer_id, e.currency
            )
            SELECT 'customer ' || c.external_id || ', ' || COALESCE(booked.currency, due.currency) AS place,
                   COALESCE(due.cents, 0) AS expected, COALESCE(booked.cents, 0) AS found
            FROM due FULL JOIN booked USING (customer_id, currency) JOIN customers c ON c.id = customer_id
            WHERE COALESCE(due.cents, 0) <> COALESCE(booked.cents, 0)
        """,
    ),
    Law(
        name="credit_notes_payable",
        says="What the journal owes a customer for credit notes is what is left of them.",
        sql="""
            WITH held AS (
                SELECT customer_id, currency, sum(balance_amount_cents) AS cents
                FROM credit_notes GROUP BY customer_id, currency
            ), booked AS (
                SELECT e.customer_id, e.currency, sum(l.credit_cents - l.debit_cents) AS cents
                FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id
                WHERE l.account = 'credit_notes_payable' GROUP BY e.customer_id, e.currency
            )
            SELECT 'customer ' || c.external_id || ', ' || COALESCE(booked.currency, held.currency) AS place,
                   COALESCE(held.cents, 0) AS expected, COALESCE(booked.cents, 0) AS found
            FROM held FULL JOIN booked USING (customer_id, currency) JOIN customers c ON c.id = customer_id
            WHERE COALESCE(held.cents, 0) <> COALESCE(booked.cents, 0)
        """,
    ),
)
