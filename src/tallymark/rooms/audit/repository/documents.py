"""Laws of credit notes and coupons, of numbers, periods and events."""

from tallymark.rooms.audit.model import Law

DOCUMENTS = (
    Law(
        name="credit_note_balances",
        says="A credit note's parts are its total, and its balance is no more than invoices left of its credit.",
        sql="""
            WITH used AS (
                SELECT c.credit_note_id, sum(c.amount_cents) AS cents
                FROM invoice_credits c JOIN invoices i ON i.id = c.invoice_id
                WHERE c.credit_note_id IS NOT NULL AND i.status = 'finalized' GROUP BY c.credit_note_id
            )
            SELECT 'credit note ' || n.number AS place,
                   'at most ' || n.credit_amount_cents - COALESCE(u.cents, 0) || ' left' AS expected,
                   n.balance_amount_cents || ' left, of ' || n.total_amount_cents AS found
            FROM credit_notes n LEFT JOIN used u ON u.credit_note_id = n.id
            WHERE n.total_amount_cents <> n.credit_amount_cents + n.refund_amount_cents + n.offset_amount_cents
               OR n.balance_amount_cents > n.credit_amount_cents - COALESCE(u.cents, 0)
               OR n.balance_amount_cents < 0
               OR (n.credit_status = 'voided' AND n.balance_amount_cents > 0)
        """,
    ),
    Law(
        name="credit_note_items",
        says="Credit notes give back no more of a fee than it came to.",
        sql="""
            SELECT 'fee ' || f.id || ' of invoice ' || i.number AS place, 'at most ' || f.amount_cents AS expected,
                   sum(item.amount_cents) AS found
            FROM credit_note_items item JOIN fees f ON f.id = item.fee_id JOIN invoices i ON i.id = f.invoice_id
            GROUP BY f.id, i.id HAVING sum(item.precise_amount_cents) > f.amount_cents
        """,
    ),
    Law(
        name="coupon_amounts",
        says="A coupon given once takes off no more than its amount.",
        sql="""
            SELECT 'coupon ' || min(c.item_code) || ' of customer ' || owner.external_id AS place,
                   'at most ' || a.amount_cents AS expected, sum(c.amount_cents) AS found
            FROM applied_coupons a
            JOIN customers owner ON owner.id = a.customer_id
            JOIN invoice_credits c ON c.applied_coupon_id = a.id
            JOIN invoices i ON i.id = c.invoice_id AND i.status NOT IN ('voided', 'closed', 'deleted')
            WHERE a.amount_cents IS NOT NULL AND a.frequency = 'once'
            GROUP BY a.id, owner.id HAVING sum(c.amount_cents) > a.amount_cents
        """,
    ),
    Law(
        name="invoice_numbers",
        says="A customer's issued invoices of one billing entity are numbered 1 to n; so are the notes on an invoice, and a customer's receipts.",
        sql="""
            SELECT 'invoices of customer ' || c.external_id || ' by ' || e.code AS place, 'numbers 1 to ' || count(*) AS expected,
                   'numbers ' || min(i.sequential_id) || ' to ' || max(i.sequential_id) AS found
            FROM invoices i JOIN customers c ON c.id = i.customer_id JOIN billing_entities e ON e.id = i.billing_entity_id
            WHERE i.status IN ('finalized', 'voided')
            GROUP BY c.id, e.id
            HAVING (min(i.sequential_id), max(i.sequential_id), count(DISTINCT i.sequential_id)) IS DISTINCT FROM (1, count(*), count(*))
            UNION ALL
            SELECT 'notes on invoice ' || i.number, 'numbers 1 to ' || count(*),
                   'numbers ' || min(n.sequential_id) || ' to ' || max(n.sequential_id)
            FROM credit_notes n JOIN invoices i ON i.id = n.invoice_id
            GROUP BY i.id
            HAVING (min(n.sequential_id), max(n.sequential_id), count(DISTINCT n.sequential_id)) IS DISTINCT FROM (1, count(*), count(*))
            UNION ALL
            SELECT 'receipts of customer ' || c.external_id, 'numbers 1 to ' || count(*),
                   'numbers ' || min(r.sequential_id) || ' to ' || max(r.sequential_id)
            FROM payment_receipts r JOIN customers c ON c.id = r.customer_id
            GROUP BY c.id
            HAVING (min(r.sequential_id), max(r.sequential_id), count(DISTINCT r.sequential_id)) IS DISTINCT FROM (1, count(*), count(*))
        """,
    ),
    Law(
        name="entity_numbers",
        says="The counter of a billing entity leaves nothing out, and no number is given twice.",
        sql="""
            SELECT 'billing entity ' || e.code AS place,
                   max(i.entity_sequential_id) - min(i.entity_sequential_id) + 1 || ' invoices' AS expected,
                   count(DISTINCT i.entity_sequential_id) || ' invoices' AS found
            FROM invoices i JOIN billing_entities e ON e.id = i.billing_entity_id
            WHERE i.entity_sequential_id IS NOT NULL
            GROUP BY e.id HAVING count(*) <> max(i.entity_sequential_id) - min(i.entity_sequential_id) + 1
            UNION ALL
            SELECT 'number ' || i.number || ' of ' || e.code, '1 invoice', count(*) || ' invoices'
            FROM invoices i JOIN billing_entities e ON e.id = i.billing_entity_id
            WHERE i.status IN ('finalized', 'voided')
            GROUP BY e.id, i.number HAVING count(*) > 1
        """,
    ),
    Law(
        name="periods_once",
        says="No two invoices that stand bill the same subscription for the same time.",
        sql="""
            WITH billed AS (
                SELECT r.subscription_id, i.number, i.id AS invoice_id, span.what, span.from_at, span.to_at,
                       lag(span.to_at) OVER earlier AS previous_to, lag(i.number) OVER earlier AS previous
                FROM billing_records r JOIN invoices i ON i.id = r.invoice_id
                CROSS JOIN LATERAL (VALUES ('base price', r.from_at, r.to_at), ('usage', r.charges_from_at, r.charges_to_at))
                    AS span(what, from_at, to_at)
                WHERE r.is_recurring AND i.status IN ('draft', 'pending', 'finalized') AND span.from_at < span.to_at
                WINDOW earlier AS (PARTITION BY r.subscription_id, span.what ORDER BY span.from_at, span.to_at)
            )
            SELECT 'subscription ' || s.external_id || ', ' || what || ' on invoices ' || previous || ' and ' || number AS place,
                   'from ' || previous_to AS expected, 'from ' || from_at AS found
            FROM billed JOIN subscriptions s ON s.id = subscription_id WHERE previous_to > from_at
        """,
    ),
    Law(
        name="events_are_stored",
        says="Every event that was priced, or waits to be, is in the store.",
        sql="""
            SELECT 'event ' || referred.event_id || ' of a ' || referred.what AS place, 'stored' AS expected, 'not stored' AS found
            FROM (
                SELECT event_id, 'fee' AS what FROM fees WHERE event_id IS NOT NULL
                UNION ALL SELECT event_id, 'price' FROM priced_events
                UNION ALL SELECT event_id, 'list to be priced' FROM events_to_price
            ) AS referred
            WHERE NOT EXISTS (SELECT FROM events WHERE events.id = referred.event_id)
        """,
    ),
)
