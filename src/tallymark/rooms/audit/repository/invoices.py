"""Laws of an invoice's own sums (invoicing §5, §18)."""

from tallymark.rooms.audit.model import Law

INVOICES = (
    Law(
        name="invoice_fees",
        says="An invoice's fees come to its fees amount.",
        holds=("invoices fees_amount_cents",),
        sql="""
            SELECT 'invoice ' || i.number AS place, COALESCE(sum(f.amount_cents), 0) AS expected,
                   i.fees_amount_cents AS found
            FROM invoices i LEFT JOIN fees f ON f.invoice_id = i.id
            GROUP BY i.id HAVING COALESCE(sum(f.amount_cents), 0) <> i.fees_amount_cents
        """,
    ),
    Law(
        name="invoice_credits",
        says="Its coupons, progressive credits and credit notes come to the amounts that it deducts for them.",
        holds=(
            "invoices progressive_billing_credit_amount_cents coupons_amount_cents credit_notes_amount_cents",
            "invoice_credits amount_cents",
        ),
        sql="""
            WITH credits AS (
                SELECT invoice_id, sum(amount_cents) FILTER (WHERE item_type = 'coupon') AS coupons,
                       sum(amount_cents) FILTER (WHERE item_type = 'invoice') AS progressive,
                       sum(amount_cents) FILTER (WHERE item_type = 'credit_note') AS notes
                FROM invoice_credits GROUP BY invoice_id
            )
            SELECT 'invoice ' || i.number || ', ' || part.name AS place, COALESCE(part.expected, 0) AS expected, part.found
            FROM invoices i LEFT JOIN credits c ON c.invoice_id = i.id
            CROSS JOIN LATERAL (VALUES
                ('coupons', c.coupons, i.coupons_amount_cents),
                ('progressive credits', c.progressive, i.progressive_billing_credit_amount_cents),
                ('credit notes', c.notes, i.credit_notes_amount_cents)
            ) AS part(name, expected, found)
            WHERE COALESCE(part.expected, 0) <> part.found
        """,
    ),
    Law(
        name="fee_shares",
        says="What its fees bear of coupons and progressive credits comes to these, but for the fifth decimal.",
        holds=("fees precise_coupons_amount_cents",),
        sql="""
            SELECT 'invoice ' || i.number AS place,
                   i.coupons_amount_cents + i.progressive_billing_credit_amount_cents AS expected,
                   trim_scale(sum(f.precise_coupons_amount_cents)) AS found
            FROM invoices i JOIN fees f ON f.invoice_id = i.id
            GROUP BY i.id
            HAVING abs(sum(f.precise_coupons_amount_cents)
                       - i.coupons_amount_cents - i.progressive_billing_credit_amount_cents)
                   > count(*) * 0.00001 * (SELECT count(*) FROM invoice_credits c WHERE c.invoice_id = i.id AND c.before_taxes)
        """,
    ),
    Law(
        name="invoice_taxes",
        says="An invoice's taxes are taken of its unrounded bases and rounded once; fees paid in advance bring their own.",
        holds=("invoices taxes_amount_cents",),
        sql="""
            WITH taxed AS (
                SELECT f.invoice_id, round(sum((f.amount_cents - f.precise_coupons_amount_cents) * t.tax_rate / 100)) AS cents
                FROM fees f JOIN fees_applied_taxes t ON t.fee_id = f.id WHERE f.invoice_id IS NOT NULL GROUP BY f.invoice_id
            ), summed AS (
                SELECT invoice_id, sum(taxes_amount_cents) AS cents FROM fees WHERE invoice_id IS NOT NULL GROUP BY invoice_id
            )
            SELECT 'invoice ' || i.number AS place, wanted.cents AS expected, i.taxes_amount_cents AS found
            FROM invoices i LEFT JOIN taxed ON taxed.invoice_id = i.id LEFT JOIN summed ON summed.invoice_id = i.id
            CROSS JOIN LATERAL (
                SELECT COALESCE(CASE i.invoice_type WHEN 'advance_charges' THEN summed.cents ELSE taxed.cents END, 0) AS cents
            ) AS wanted
            WHERE wanted.cents <> i.taxes_amount_cents
        """,
    ),
    Law(
        name="invoice_applied_taxes",
        says="Each tax of an invoice is its rate on the unrounded bases of all its fees; fees paid in advance bring theirs.",
        holds=("invoices_applied_taxes tax_rate amount_cents fees_amount_cents",),
        sql="""
            WITH taxed AS (
                SELECT f.invoice_id, t.tax_id, t.tax_rate, sum(f.amount_cents - f.precise_coupons_amount_cents) AS base,
                       sum(t.amount_cents) AS cents, sum(t.fees_amount_cents) AS fees
                FROM fees f JOIN fees_applied_taxes t ON t.fee_id = f.id
                WHERE f.invoice_id IS NOT NULL GROUP BY f.invoice_id, t.tax_id, t.tax_rate
            )
            SELECT 'invoice ' || i.number || ', a tax of ' || trim_scale(tax_rate) || ' %' AS place,
                   COALESCE(wanted.cents || ' of ' || wanted.fees, 'none') AS expected,
                   COALESCE(a.amount_cents || ' of ' || a.fees_amount_cents, 'none') AS found
            FROM invoices_applied_taxes a FULL JOIN taxed USING (invoice_id, tax_id, tax_rate) JOIN invoices i ON i.id = invoice_id
            CROSS JOIN LATERAL (
                SELECT CASE i.invoice_type WHEN 'advance_charges' THEN taxed.cents ELSE round(taxed.base * tax_rate / 100) END AS cents,
                       CASE i.invoice_type WHEN 'advance_charges' THEN taxed.fees ELSE trunc(taxed.base) END AS fees
            ) AS wanted
            WHERE (wanted.cents, wanted.fees) IS DISTINCT FROM (a.amount_cents, a.fees_amount_cents)
        """,
    ),
    Law(
        name="invoice_tax_rates",
        says="An invoice's tax rate is the mean of its taxes' rates, each weighted by its base.",
        holds=("invoices taxes_rate",),
        sql="""
            WITH taxed AS (
                SELECT f.invoice_id, sum((f.amount_cents - f.precise_coupons_amount_cents) * t.tax_rate) AS by_base, sum(t.tax_rate) AS by_fee
                FROM fees f JOIN fees_applied_taxes t ON t.fee_id = f.id WHERE f.invoice_id IS NOT NULL GROUP BY f.invoice_id
            )
            SELECT 'invoice ' || i.number AS place, trim_scale(round(wanted.rate, 5)) AS expected, trim_scale(i.taxes_rate) AS found
            FROM invoices i LEFT JOIN taxed ON taxed.invoice_id = i.id
            CROSS JOIN LATERAL (
                SELECT COALESCE(CASE
                    WHEN i.invoice_type = 'advance_charges' THEN round(i.taxes_amount_cents * 100.0 / NULLIF(i.fees_amount_cents, 0), 2)
                    WHEN i.sub_total_excluding_taxes_amount_cents > 0 THEN taxed.by_base / i.sub_total_excluding_taxes_amount_cents
                    ELSE taxed.by_fee / NULLIF((SELECT count(*) FROM fees f WHERE f.invoice_id = i.id), 0)
                END, 0) AS rate
            ) AS wanted
            WHERE abs(wanted.rate - i.taxes_rate) > 0.00001
        """,
    ),
    Law(
        name="invoice_totals",
        says="Subtotals and total follow in their order: fees, less credits, plus taxes, less notes and wallets.",
        holds=(
            "invoices sub_total_excluding_taxes_amount_cents sub_total_including_taxes_amount_cents total_amount_cents",
        ),
        sql="""
            SELECT 'invoice ' || number AS place,
                   fees_amount_cents - progressive_billing_credit_amount_cents - coupons_amount_cents + taxes_amount_cents
                       - credit_notes_amount_cents - prepaid_credit_amount_cents AS expected,
                   total_amount_cents AS found
            FROM invoices
            WHERE sub_total_excluding_taxes_amount_cents
                    <> fees_amount_cents - progressive_billing_credit_amount_cents - coupons_amount_cents
               OR sub_total_including_taxes_amount_cents
                    <> sub_total_excluding_taxes_amount_cents + taxes_amount_cents
               OR total_amount_cents
                    <> sub_total_including_taxes_amount_cents - credit_notes_amount_cents - prepaid_credit_amount_cents
               OR total_amount_cents < 0
        """,
    ),
    Law(
        name="drafts",
        says="A draft has no number, and takes nothing of coupons, credit notes and wallets.",
        sql="""
            SELECT 'draft ' || id || ' of ' || billing_day AS place, '0, no number' AS expected,
                   coupons_amount_cents + credit_notes_amount_cents + prepaid_credit_amount_cents || ', number ' || number AS found
            FROM invoices
            WHERE status = 'draft' AND (
                coupons_amount_cents + credit_notes_amount_cents + prepaid_credit_amount_cents <> 0
                OR sequential_id IS NOT NULL OR entity_sequential_id IS NOT NULL OR number NOT LIKE '%-DRAFT'
            )
        """,
    ),
    Law(
        name="unissued",
        says="An invoice that waits to be paid, or was given up, has no number, no entry and no payment that came in.",
        sql="""
            SELECT 'invoice ' || i.id || ', ' || i.status AS place, 'no number, no entry, nothing paid' AS expected,
                   'number ' || i.number || ', ' || count(e.id) || ' entries, ' || i.total_paid_amount_cents || ' paid' AS found
            FROM invoices i LEFT JOIN journal_entries e ON e.document_id = i.id
            WHERE i.status IN ('open', 'closed') GROUP BY i.id
            HAVING count(e.id) > 0 OR i.sequential_id IS NOT NULL OR i.entity_sequential_id IS NOT NULL
                OR i.number NOT LIKE '%-DRAFT' OR i.total_paid_amount_cents > 0
        """,
    ),
    Law(
        name="first_invoices",
        says="A subscription that waits has one invoice at the most; one that was called off has none that is issued.",
        sql="""
            SELECT 'subscription ' || s.external_id || ', ' || s.status AS place,
                   CASE s.status WHEN 'incomplete' THEN 'one that waits' ELSE 'only closed ones' END AS expected,
                   string_agg(i.status, ', ') AS found
            FROM subscriptions s JOIN billing_records r ON r.subscription_id = s.id JOIN invoices i ON i.id = r.invoice_id
            WHERE s.status IN ('incomplete', 'canceled') GROUP BY s.id
            HAVING count(*) > 1 OR bool_or(i.status NOT IN ('open', 'pending')) AND s.status = 'incomplete'
                OR bool_or(i.status <> 'closed') AND s.status = 'canceled'
        """,
    ),
)
