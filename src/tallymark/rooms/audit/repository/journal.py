"""Laws of the journal, and of its accounts against the documents (decision 6)."""

from tallymark.rooms.audit.model import Law


def _balance(name: str, says: str, *, account: str, held: str, is_debit: bool = False) -> Law:
    """What the journal has on an account of a customer in a currency is what the documents say.

    `held` are the table expressions that find it, the last of them `held (customer_id, currency, cents)`.
    """
    more, less = ("debit_cents", "credit_cents") if is_debit else ("credit_cents", "debit_cents")
    return Law(
        name=name,
        says=says,
        sql=f"""
            WITH {held}, booked AS (
                SELECT e.customer_id, e.currency, sum(l.{more} - l.{less}) AS cents
                FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id
                WHERE l.account = '{account}' GROUP BY e.customer_id, e.currency
            )
            SELECT 'customer ' || c.external_id || ', ' || COALESCE(booked.currency, held.currency) AS place,
                   COALESCE(held.cents, 0) AS expected, COALESCE(booked.cents, 0) AS found
            FROM held FULL JOIN booked USING (customer_id, currency) JOIN customers c ON c.id = customer_id
            WHERE COALESCE(held.cents, 0) <> COALESCE(booked.cents, 0)
        """,
    )


JOURNAL = (
    Law(
        name="entries_balance",
        says="The debits of every entry are its credits, and no entry is empty.",
        holds=("journal_lines debit_cents credit_cents",),
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
        says="Every issued invoice, credit note and payment has one entry, and one more when it is void, if anything was left.",
        sql="""
            WITH returned AS (
                -- What a void note had paid comes back to it with the invoice: it is available again.
                SELECT c.credit_note_id FROM invoice_credits c JOIN invoices i ON i.id = c.invoice_id
                WHERE i.status = 'voided' AND c.credit_note_id IS NOT NULL
            ), of_void AS (
                SELECT id AS invoice_id, id AS document_id FROM invoices WHERE status = 'voided'
                UNION ALL
                SELECT i.id, n.id FROM invoices i JOIN credit_notes n ON n.invoice_id = i.id WHERE i.status = 'voided'
                UNION ALL
                SELECT i.id, f.wallet_transaction_id FROM invoices i JOIN fees f ON f.invoice_id = i.id
                WHERE i.status = 'voided' AND f.wallet_transaction_id IS NOT NULL
            ), was_left AS (
                SELECT o.invoice_id
                FROM of_void o JOIN journal_entries e ON e.document_id = o.document_id JOIN journal_lines l ON l.entry_id = e.id
                WHERE e.cause = 'voided' AND e.document_id = o.invoice_id OR e.cause <> 'voided' AND (
                    l.account LIKE 'revenue.%' OR l.account IN ('prepaid_credits.pending', 'discounts', 'tax_payable', 'rounding'))
                GROUP BY o.invoice_id, e.cause = 'voided', l.account
                HAVING e.cause = 'voided' OR sum(l.debit_cents) <> sum(l.credit_cents)
            ), documents AS (
                SELECT id, 'invoice ' || number AS place, 1 AS issued,
                       (status = 'voided' AND id IN (SELECT invoice_id FROM was_left))::int AS voided
                FROM invoices
                WHERE status IN ('finalized', 'voided') AND (fees_amount_cents > 0 OR taxes_amount_cents > 0)
                UNION ALL
                SELECT id, 'credit note ' || number, 1,
                       CASE WHEN credit_status = 'voided' THEN 1 WHEN id NOT IN (SELECT credit_note_id FROM returned) THEN 0 END
                FROM credit_notes
                UNION ALL
                SELECT id, 'payment ' || id, 1, 0 FROM payments WHERE payment_status = 'succeeded'
            ), posted AS (
                SELECT document_id, count(*) FILTER (WHERE cause IN ('issued', 'paid')) AS issued,
                       -- A void note is void of what an invoice gives back, too, that was never issued.
                       CASE WHEN document_type = 'credit_note' THEN least(count(*) FILTER (WHERE cause = 'voided'), 1)
                            ELSE count(*) FILTER (WHERE cause = 'voided') END AS voided
                FROM journal_entries GROUP BY document_id, document_type
            )
            SELECT d.place, 'posted ' || d.issued || ' times, voided ' || d.voided AS expected,
                   'posted ' || COALESCE(p.issued, 0) || ' times, voided ' || COALESCE(p.voided, 0) AS found
            FROM documents d LEFT JOIN posted p ON p.document_id = d.id
            WHERE d.issued <> COALESCE(p.issued, 0) OR d.voided <> COALESCE(p.voided, 0)
        """,
    ),
    _balance(
        "receivables",
        "What the journal has as receivable from a customer is what their issued invoices show as due.",
        account="accounts_receivable",
        is_debit=True,
        held="""
            held AS (
                SELECT customer_id, currency,
                       sum(total_amount_cents - total_paid_amount_cents - offset_amount_cents) AS cents
                FROM invoices WHERE status = 'finalized' GROUP BY customer_id, currency
            )
        """,
    ),
    _balance(
        "credit_notes_payable",
        "What the journal owes a customer for credit notes is what is left of them, and what invoices hold that wait to be paid.",
        account="credit_notes_payable",
        held="""
            held AS (
                SELECT customer_id, currency, sum(cents) AS cents FROM (
                    SELECT customer_id, currency, balance_amount_cents AS cents FROM credit_notes
                    UNION ALL SELECT customer_id, currency, credit_notes_amount_cents FROM invoices WHERE status = 'open'
                ) AS parts GROUP BY customer_id, currency
            )
        """,
    ),
    _balance(
        "prepaid_credits",
        "The liability of prepaid credits is the purchased part of all wallets' balances, and of what invoices hold that wait to be paid.",
        account="prepaid_credits",
        held="""
            held AS (
                SELECT customer_id, currency, sum(cents) AS cents FROM (
                    SELECT w.customer_id, w.currency, t.remaining_amount_cents AS cents
                    FROM wallet_transactions t JOIN wallets w ON w.id = t.wallet_id
                    WHERE t.transaction_status = 'purchased' AND t.status = 'settled'
                    UNION ALL
                    SELECT customer_id, currency, COALESCE(prepaid_purchased_credit_amount_cents, 0)
                    FROM invoices WHERE status = 'open'
                ) AS parts GROUP BY customer_id, currency
            )
        """,
    ),
    _balance(
        "prepaid_credits_pending",
        "What was bought and not paid yet is what credit invoices sold whose purchase is not settled, less their notes.",
        account="prepaid_credits.pending",
        held="""
            noted AS (SELECT fee_id, sum(amount_cents) AS cents FROM credit_note_items GROUP BY fee_id), held AS (
                SELECT i.customer_id, i.currency, sum(f.amount_cents - COALESCE(noted.cents, 0)) AS cents
                FROM fees f JOIN invoices i ON i.id = f.invoice_id JOIN wallet_transactions t ON t.id = f.wallet_transaction_id
                LEFT JOIN noted ON noted.fee_id = f.id
                WHERE i.status = 'finalized' AND t.status <> 'settled' GROUP BY i.customer_id, i.currency
            )
        """,
    ),
    _balance(
        "refunds",
        "What is to be paid back to a customer is what notes refund and was not paid out, and what void invoices owe back.",
        account="refunds",
        held="""
            owed AS (
                SELECT customer_id, currency, refund_amount_cents AS cents
                FROM credit_notes WHERE refund_amount_cents > 0 AND refund_status IS DISTINCT FROM 'succeeded'
                UNION ALL
                SELECT e.customer_id, e.currency, l.credit_cents - l.debit_cents
                FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id JOIN invoices i ON i.id = e.document_id
                WHERE e.document_type = 'invoice' AND e.cause = 'voided' AND l.account = 'refunds' AND i.status = 'voided'
            ), held AS (SELECT customer_id, currency, sum(cents) AS cents FROM owed GROUP BY customer_id, currency)
        """,
    ),
)
