"""Laws of numbers: each given once, and none left out (invoicing §2.4)."""

from tallymark.rooms.audit.model import Law

NUMBERS = (
    Law(
        name="invoice_numbers",
        says="A customer's issued invoices of one billing entity are numbered 1 to n; so are the notes on an invoice, and a customer's receipts.",
        holds=(
            "invoices sequential_id",
            "credit_notes sequential_id",
            "payment_receipts sequential_id",
        ),
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
        holds=("invoices entity_sequential_id",),
        sql="""
            WITH counted AS (
                SELECT *, lag(entity_sequential_id) OVER earlier AS previous, lag(finalized_at) OVER earlier AS previous_at
                FROM invoices WHERE entity_sequential_id IS NOT NULL
                WINDOW earlier AS (PARTITION BY billing_entity_id ORDER BY entity_sequential_id)
            )
            SELECT 'billing entity ' || e.code AS place, 'number ' || i.previous + 1 AS expected,
                   'number ' || i.entity_sequential_id AS found
            FROM counted i JOIN billing_entities e ON e.id = i.billing_entity_id
            -- After a time of numbers by customer the count goes on where all invoices are.
            WHERE i.entity_sequential_id <> i.previous + 1 AND i.entity_sequential_id - i.previous - 1 > (
                SELECT count(*) FROM invoices o
                WHERE o.billing_entity_id = i.billing_entity_id AND o.entity_sequential_id IS NULL
                  AND o.status IN ('finalized', 'voided') AND o.finalized_at BETWEEN i.previous_at AND i.finalized_at)
            UNION ALL
            SELECT 'number ' || i.number || ' of ' || e.code, '1 invoice', count(*) || ' invoices'
            FROM invoices i JOIN billing_entities e ON e.id = i.billing_entity_id
            WHERE i.status IN ('finalized', 'voided')
            GROUP BY e.id, i.number HAVING count(*) > 1
        """,
    ),
    Law(
        name="customer_numbers",
        says="Customers are numbered 1 to n, and the next number is n + 1.",
        holds=(
            "customers sequential_id",
            "organizations last_customer_number",
        ),
        sql="""
            SELECT 'customers of ' || o.name AS place,
                   'numbers 1 to ' || count(c.id) AS expected,
                   'numbers ' || COALESCE(min(c.sequential_id), 1) || ' to ' || COALESCE(max(c.sequential_id), 0)
                       || ', ' || o.last_customer_number || ' given' AS found
            FROM organizations o LEFT JOIN customers c ON c.organization_id = o.id
            GROUP BY o.id
            HAVING (COALESCE(min(c.sequential_id), 1), COALESCE(max(c.sequential_id), 0), count(DISTINCT c.sequential_id), o.last_customer_number)
                IS DISTINCT FROM (1, count(c.id), count(c.id), count(c.id))
        """,
    ),
    Law(
        name="note_numbers",
        says="A note goes by its invoice's number and its own.",
        sql="""
            SELECT 'credit note ' || n.id AS place, i.number || '-CN' || repeat('0', 3 - length(CAST(n.sequential_id AS text))) || n.sequential_id
                   AS expected, n.number AS found
            FROM credit_notes n JOIN invoices i ON i.id = n.invoice_id
            WHERE n.number <> i.number || '-CN' || repeat('0', 3 - length(CAST(n.sequential_id AS text))) || n.sequential_id
        """,
    ),
)
