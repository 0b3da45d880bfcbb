"""Laws of prepaid credits (wallets §23)."""

from tallymark.rooms.audit.model import Law

WALLETS = (
    Law(
        name="wallet_balances",
        says="A wallet's balance is what came in less what went out, and what is left of all that came in.",
        holds=(
            "wallets balance_cents",
            "wallet_transactions amount_cents remaining_amount_cents",
        ),
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
        name="wallet_precise_amounts",
        says="Credits are worth whole minor units, but for what voids named: they are never off by more than half of one.",
        holds=(
            "wallets precise_balance_cents",
            "wallet_transactions precise_amount_cents",
        ),
        sql="""
            SELECT 'wallet transaction ' || id AS place, amount_cents AS expected, trim_scale(precise_amount_cents) AS found
            FROM wallet_transactions
            WHERE CASE transaction_status WHEN 'voided' THEN abs(precise_amount_cents - amount_cents) >= 1
                  ELSE precise_amount_cents <> amount_cents END
            UNION ALL
            SELECT 'wallet ' || w.code || ' of customer ' || c.external_id, w.balance_cents, trim_scale(w.precise_balance_cents)
            FROM wallets w JOIN customers c ON c.id = w.customer_id
            WHERE round(w.precise_balance_cents) <> w.balance_cents OR (w.precise_balance_cents <> w.balance_cents AND NOT EXISTS (
                SELECT FROM wallet_transactions t WHERE t.wallet_id = w.id AND t.precise_amount_cents <> t.amount_cents
            ))
        """,
    ),
    Law(
        name="wallet_consumed",
        says="What a wallet says that was consumed is what went out less what void invoices gave back.",
        holds=("wallets consumed_amount_cents precise_consumed_amount_cents",),
        sql="""
            WITH moves AS (
                SELECT wallet_id, sum(CASE transaction_type WHEN 'outbound' THEN amount_cents ELSE -amount_cents END) AS cents,
                       sum(CASE transaction_type WHEN 'outbound' THEN precise_amount_cents ELSE -precise_amount_cents END) AS precise
                FROM wallet_transactions
                WHERE status = 'settled' AND (transaction_type = 'outbound' OR voided_invoice_id IS NOT NULL) GROUP BY wallet_id
            )
            SELECT 'wallet ' || w.code || ' of customer ' || c.external_id AS place,
                   COALESCE(m.cents, 0) || ', precisely ' || trim_scale(COALESCE(m.precise, 0)) AS expected,
                   w.consumed_amount_cents || ', precisely ' || trim_scale(w.precise_consumed_amount_cents) AS found
            FROM wallets w JOIN customers c ON c.id = w.customer_id LEFT JOIN moves m ON m.wallet_id = w.id
            WHERE w.consumed_amount_cents <> COALESCE(m.cents, 0) OR w.precise_consumed_amount_cents <> COALESCE(m.precise, 0)
        """,
    ),
    Law(
        name="wallet_ongoing",
        says="A wallet's ongoing balance is its balance less the usage that is not invoiced yet.",
        holds=("wallets ongoing_balance_cents ongoing_usage_balance_cents",),
        sql="""
            SELECT 'wallet ' || w.code || ' of customer ' || c.external_id AS place,
                   w.balance_cents - w.ongoing_usage_balance_cents AS expected, w.ongoing_balance_cents AS found
            FROM wallets w JOIN customers c ON c.id = w.customer_id
            WHERE w.ongoing_balance_cents <> w.balance_cents - w.ongoing_usage_balance_cents
        """,
    ),
    Law(
        name="wallet_consumptions",
        says="What went out of a wallet was taken from what had come in, to the cent.",
        holds=("wallet_transaction_consumptions consumed_amount_cents",),
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
        says="What wallets paid of an issued invoice, or of one that waits to be paid, is the sum of what they let out for it.",
        holds=("invoices prepaid_credit_amount_cents",),
        sql="""
            WITH paid AS (
                SELECT invoice_id, sum(amount_cents) AS cents
                FROM wallet_transactions WHERE transaction_status = 'invoiced' AND status = 'settled' GROUP BY invoice_id
            )
            SELECT 'invoice ' || i.number AS place, COALESCE(p.cents, 0) AS expected,
                   i.prepaid_credit_amount_cents AS found
            FROM invoices i LEFT JOIN paid p ON p.invoice_id = i.id
            WHERE i.status IN ('finalized', 'voided', 'open') AND COALESCE(p.cents, 0) <> i.prepaid_credit_amount_cents
        """,
    ),
    Law(
        name="invoice_wallet_kinds",
        says="The granted and the purchased part of what wallets paid are those of the credits that were consumed.",
        holds=("invoices prepaid_granted_credit_amount_cents prepaid_purchased_credit_amount_cents",),
        sql="""
            WITH drawn AS (
                SELECT went.invoice_id,
                       sum(c.consumed_amount_cents) FILTER (WHERE came.transaction_status = 'granted') AS granted,
                       sum(c.consumed_amount_cents) FILTER (WHERE came.transaction_status = 'purchased') AS purchased
                FROM wallet_transaction_consumptions c
                JOIN wallet_transactions went ON went.id = c.outbound_transaction_id AND went.transaction_status = 'invoiced'
                JOIN wallet_transactions came ON came.id = c.inbound_transaction_id
                GROUP BY went.invoice_id
            )
            SELECT 'invoice ' || i.number AS place, COALESCE(d.granted, 0) || ' granted, ' || COALESCE(d.purchased, 0) || ' purchased' AS expected,
                   COALESCE(i.prepaid_granted_credit_amount_cents, 0) || ' granted, '
                       || COALESCE(i.prepaid_purchased_credit_amount_cents, 0) || ' purchased' AS found
            FROM invoices i LEFT JOIN drawn d ON d.invoice_id = i.id
            WHERE i.status <> 'closed' AND (d.granted, d.purchased)
                IS DISTINCT FROM (i.prepaid_granted_credit_amount_cents, i.prepaid_purchased_credit_amount_cents)
        """,
    ),
    Law(
        name="purchases_are_invoiced",
        says="A purchase of credits is what its invoice sells, and is settled when that is paid.",
        holds=("wallet_transactions amount_cents",),
        sql="""
            SELECT 'wallet transaction ' || t.id || COALESCE(' on invoice ' || i.number, '') AS place, f.amount_cents || ' sold' AS expected,
                   t.amount_cents || ' bought, ' || t.status AS found
            FROM fees f JOIN wallet_transactions t ON t.id = f.wallet_transaction_id JOIN invoices i ON i.id = f.invoice_id
            WHERE f.amount_cents <> t.amount_cents OR t.invoice_id IS DISTINCT FROM i.id
               OR (t.status <> 'settled' AND i.status = 'finalized' AND i.total_amount_cents > 0
                   AND i.total_paid_amount_cents = i.total_amount_cents)
        """,
    ),
)
