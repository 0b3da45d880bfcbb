"""Laws of an invoice's own sums (invoicing §5, §18)."""

from tallymark.rooms.audit.model import Law

INVOICES = (
    Law(
        name="invoice_fees",
        says="An issued invoice's fees come to its fees amount.",
        sql="""
            SELECT 'invoice ' || i.number AS place, COALESCE(sum(f.amount_cents), 0) AS expected,
                   i.fees_amount_cents AS found
            FROM invoices i LEFT JOIN fees f ON f.invoice_id = i.id
            WHERE i.status IN ('finalized', 'voided')
            GROUP BY i.id HAVING COALESCE(sum(f.amount_cents), 0) <> i.fees_amount_cents
        """,
    ),
    Law(
        name="invoice_credits",
        says="Its coupons, progressive credits and credit notes come to the amounts that it deducts for them.",
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
            WHERE i.status IN ('finalized', 'voided') AND COALESCE(part.expected, 0) <> part.found
        """,
    ),
    Law(
        name="fee_shares",
        says="What its fees bear of coupons and progressive credits comes to these, but for the fifth decimal.",
        sql="""
            SELECT 'invoice ' || i.number AS place,
                   i.coupons_amount_cents + i.progressive_billing_credit_amount_cents AS expected,
                   trim_scale(sum(f.precise_coupons_amount_cents)) AS found
            FROM invoices i JOIN fees f ON f.invoice_id = i.id
            WHERE i.status IN ('finalized', 'voided')
            GROUP BY i.id
            HAVING abs(sum(f.precise_coupons_amount_cents)
                       - i.coupons_amount_cents - i.progressive_billing_credit_amount_cents)
                   > count(*) * 0.00001 * (SELECT count(*) FROM invoice_credits c WHERE c.invoice_id = i.id AND c.before_taxes)
        """,
    ),
    Law(
        name="fee_taxes",
        says="A fee's taxes are its rates on what deductions leave of it, rounded once.",
        sql="""
            SELECT 'fee ' || f.id || COALESCE(' of invoice ' || i.number, '') AS place, taxed.cents AS expected,
                   f.taxes_amount_cents AS found
            FROM fees f LEFT JOIN invoices i ON i.id = f.invoice_id
            CROSS JOIN LATERAL (
                SELECT COALESCE(round(sum((f.amount_cents - f.precise_coupons_amount_cents) * t.tax_rate / 100)), 0) AS cents
                FROM fees_applied_taxes t WHERE t.fee_id = f.id
            ) AS taxed
            WHERE (i.id IS NULL OR i.status IN ('finalized', 'voided')) AND taxed.cents <> f.taxes_amount_cents
        """,
    ),
    Law(
        name="invoice_taxes",
        says="An invoice's taxes are taken of its unrounded bases and rounded once; fees paid in advance bring their own.",
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
            WHERE i.status IN ('finalized', 'voided') AND wanted.cents <> i.taxes_amount_cents
        """,
    ),
    Law(
        name="invoice_totals",
        says="Subtotals and total follow in their order: fees, less credits, plus taxes, less notes and wallets.",
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
        name="invoice_payments",
        says="What was paid of an invoice is the sum of its payments.",
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
        sql="""
            WITH settled AS (SELECT invoice_id, sum(amount_cents) AS cents FROM invoice_settlements GROUP BY invoice_id),
                 noted AS (SELECT invoice_id, sum(offset_amount_cents) AS cents FROM credit_notes GROUP BY invoice_id)
            SELECT 'invoice ' || i.number AS place, COALESCE(s.cents, 0) AS expected, i.offset_amount_cents AS found
            FROM invoices i LEFT JOIN settled s ON s.invoice_id = i.id LEFT JOIN noted n ON n.invoice_id = i.id
            WHERE COALESCE(s.cents, 0) <> i.offset_amount_cents OR COALESCE(n.cents, 0) <> i.offset_amount_cents
               OR i.total_paid_amount_cents + i.offset_amount_cents > i.total_amount_cents
        """,
    ),
)
