"""Laws of credit notes (invoicing §11, §18)."""

from tallymark.rooms.audit.model import Law

CREDIT_NOTES = (
    Law(
        name="credit_note_balances",
        says="A credit note's parts are its total, and its balance is no more than invoices left of its credit.",
        holds=(
            "credit_notes total_amount_cents credit_amount_cents refund_amount_cents offset_amount_cents balance_amount_cents",
        ),
        sql="""
            WITH used AS (
                SELECT c.credit_note_id, sum(c.amount_cents) AS cents
                FROM invoice_credits c JOIN invoices i ON i.id = c.invoice_id
                WHERE c.credit_note_id IS NOT NULL AND i.status IN ('finalized', 'open') GROUP BY c.credit_note_id
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
            GROUP BY f.id, i.id
            HAVING sum(item.amount_cents) > f.amount_cents
                OR sum(item.precise_amount_cents) > f.amount_cents + 0.5 * count(*)
        """,
    ),
    Law(
        name="credit_note_item_amounts",
        says="An item's amount is its precise amount rounded once.",
        holds=("credit_note_items amount_cents precise_amount_cents",),
        sql="""
            SELECT 'an item of credit note ' || n.number AS place, round(item.precise_amount_cents) AS expected, item.amount_cents AS found
            FROM credit_note_items item JOIN credit_notes n ON n.id = item.credit_note_id
            WHERE abs(item.precise_amount_cents - item.amount_cents) > 0.5
        """,
    ),
    Law(
        name="credit_note_amounts",
        says="A note's amounts follow from its items: less their share of coupons, plus taxes, rounded within a cent for each note.",
        holds=(
            "credit_notes taxes_amount_cents sub_total_excluding_taxes_amount_cents precise_coupons_adjustment_amount_cents",
            "credit_notes precise_taxes_amount_cents precise_total_amount_cents",
        ),
        sql="""
            WITH notes AS (
                SELECT n.*, i.number AS invoice_number, count(*) OVER (PARTITION BY n.invoice_id) + 1 AS roundings
                FROM credit_notes n JOIN invoices i ON i.id = n.invoice_id
            ), items AS (
                SELECT item.credit_note_id, count(*) AS number, sum(item.precise_amount_cents) AS precise,
                       sum(f.precise_coupons_amount_cents * item.precise_amount_cents / NULLIF(f.amount_cents, 0)) AS coupons
                FROM credit_note_items item JOIN fees f ON f.id = item.fee_id GROUP BY item.credit_note_id
            )
            SELECT 'credit note ' || n.number || ', ' || part.name AS place, trim_scale(round(part.expected, 5)) AS expected,
                   trim_scale(part.found) AS found
            FROM notes n LEFT JOIN items ON items.credit_note_id = n.id
            CROSS JOIN LATERAL (VALUES
                ('parts', CAST(n.total_amount_cents AS numeric),
                 CAST(n.sub_total_excluding_taxes_amount_cents + n.taxes_amount_cents AS numeric), 0),
                ('share of coupons', COALESCE(items.coupons, 0), n.precise_coupons_adjustment_amount_cents, 0.0001 * items.number),
                ('precise total',
                 items.precise - n.precise_coupons_adjustment_amount_cents + n.precise_taxes_amount_cents, n.precise_total_amount_cents,
                 0.0001 * items.number),
                ('sub-total', n.precise_total_amount_cents - n.precise_taxes_amount_cents, n.sub_total_excluding_taxes_amount_cents,
                 n.roundings),
                ('taxes', n.precise_taxes_amount_cents, n.taxes_amount_cents, n.roundings)
            ) AS part(name, expected, found, tolerance)
            WHERE part.expected IS NULL OR abs(part.expected - part.found) > part.tolerance
        """,
    ),
    Law(
        name="credit_note_taxes",
        says="Each tax of a note is its rate on what coupons leave of the items that bear it; the note's rate is their mean.",
        holds=(
            "credit_notes taxes_rate",
            "credit_notes_applied_taxes tax_rate amount_cents fees_amount_cents",
        ),
        sql="""
            WITH items AS (
                SELECT item.credit_note_id, item.fee_id,
                       item.precise_amount_cents * (1 - f.precise_coupons_amount_cents / NULLIF(f.amount_cents, 0)) AS net
                FROM credit_note_items item JOIN fees f ON f.id = item.fee_id
            ), taxed AS (
                SELECT items.credit_note_id, t.tax_id, t.tax_rate, sum(items.net) AS base
                FROM items JOIN fees_applied_taxes t ON t.fee_id = items.fee_id GROUP BY items.credit_note_id, t.tax_id, t.tax_rate
            )
            SELECT 'credit note ' || n.number || ', a tax of ' || trim_scale(tax_rate) || ' %' AS place,
                   COALESCE(round(taxed.base * tax_rate / 100) || ' of ' || round(taxed.base), 'none') AS expected,
                   COALESCE(a.amount_cents || ' of ' || a.fees_amount_cents, 'none') AS found
            FROM credit_notes_applied_taxes a FULL JOIN taxed USING (credit_note_id, tax_id, tax_rate)
            JOIN credit_notes n ON n.id = credit_note_id
            WHERE a.id IS NULL OR taxed.base IS NULL OR abs(taxed.base - a.fees_amount_cents) > 0.501
               OR abs(taxed.base * tax_rate / 100 - a.amount_cents) > 0.501
            UNION ALL
            SELECT 'credit note ' || n.number || ', rate', trim_scale(round(wanted.rate, 5)) || ' %', trim_scale(n.taxes_rate) || ' %'
            FROM credit_notes n
            LEFT JOIN (SELECT credit_note_id, sum(base * tax_rate) AS by_base FROM taxed GROUP BY credit_note_id) AS rated
                ON rated.credit_note_id = n.id
            LEFT JOIN (SELECT credit_note_id, sum(net) AS cents FROM items GROUP BY credit_note_id) AS nets
                ON nets.credit_note_id = n.id
            CROSS JOIN LATERAL (SELECT COALESCE(rated.by_base / NULLIF(nets.cents, 0), 0) AS rate) AS wanted
            WHERE abs(wanted.rate - n.taxes_rate) > 0.001
        """,
    ),
)
