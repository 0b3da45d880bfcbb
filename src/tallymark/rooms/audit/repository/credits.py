"""Laws of prepaid credits (wallets §23)."""

from tallymark.rooms.audit.model import Law

CREDITS = (
    Law(
        name="wallet_balances",
        says="A wallet's balance is what came in less what went out, and what is left of all that came in.",
        sql="""
            WITH moves AS (
                SELECT wallet_id,
                       sum(CASE transaction_type WHEN 'inbound' THEN amount_cents ELSE -amount_cents END) AS cents,
                       sum(remaining_amount_cents) AS remaining
                FROM wallet_transactions WHERE status = 'settled' GROUP BY wallet_id
            )
            SELECT 'wallet ' || w.code || ' of customer ' || c.external_id AS place,
                   COALESCE(m.cents, 0) || ', ' || COALESCE(m.remaining, 0) || ' left' AS expected,
                   w.balance_cents AS found
            FROM wallets w JOIN customers c ON c.id = w.customer_id LEFT JOIN moves m ON m.wallet_id = w.id
            WHERE w.balance_cents <> COALESCE(m.cents, 0) OR w.balance_cents <> COALESCE(m.remaining, 0)
        """,
    ),
    Law(
        name="wallet_consumptions",
        says="What went out of a wallet was taken from what had come in, to the cent.",
        sql="""
            WITH links AS (
                SELECT inbound_transaction_id AS id, consumed_amount_cents AS cents FROM wallet_transaction_consumptions
                UNION ALL SELECT outbound_transaction_id, consumed_amount_cents FROM wallet_transaction_consumptions
            ), linked AS (SELECT id, sum(cents) AS cents FROM links GROUP BY id)
            SELECT 'wallet transaction ' || t.id AS place,
                   t.amount_cents - COALESCE(t.remaining_amount_cents, 0) AS expected, COALESCE(l.cents, 0) AS found
            FROM wallet_transactions t LEFT JOIN linked l ON l.id = t.id
            WHERE t.status = 'settled' AND COALESCE(l.cents, 0) <> t.amount_cents - COALESCE(t.remaining_amount_cents, 0)
        """,
    ),
    Law(
        name="invoice_wallets",
        says="What wallets paid of an issued invoice is the sum of what they let out for it.",
        sql="""
            WITH paid AS (
                SELECT invoice_id, sum(amount_cents) AS cents
                FROM wallet_transactions WHERE transaction_status = 'invoiced' GROUP BY invoice_id
            )
            SELECT 'invoice ' || i.number AS place, COALESCE(p.cents, 0) AS expected,
                   i.prepaid_credit_amount_cents AS found
            FROM invoices i LEFT JOIN paid p ON p.invoice_id = i.id
            WHERE i.status IN ('finalized', 'voided') AND COALESCE(p.cents, 0) <> i.prepaid_credit_amount_cents
        """,
    ),
    Law(
        name="prepaid_credits",
        says="The liability of prepaid credits is the purchased part of all wallets' balances.",
        sql="""
            WITH held AS (
                SELECT w.customer_id, w.currency, sum(t.remaining_amount_cents) AS cents
                FROM wallet_transactions t JOIN wallets w ON w.id = t.wallet_id
                WHERE t.transaction_status = 'purchased' AND t.status = 'settled' GROUP BY w.customer_id, w.currency
            ), booked AS (
                SELECT e.customer_id, e.currency, sum(l.credit_cents - l.debit_cents) AS cents
                FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id
                WHERE l.account = 'prepaid_credits' GROUP BY e.customer_id, e.currency
            )
            SELECT 'customer ' || c.external_id || ', ' || COALESCE(booked.currency, held.currency) AS place,
                   COALESCE(held.cents, 0) AS expected, COALESCE(booked.cents, 0) AS found
            FROM held FULL JOIN booked USING (customer_id, currency) JOIN customers c ON c.id = customer_id
            WHERE COALESCE(held.cents, 0) <> COALESCE(booked.cents, 0)
        """,
    ),
)
