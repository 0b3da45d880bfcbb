"""Laws of coupons (pricing §16)."""

from tallymark.rooms.audit.model import Law

COUPONS = (
    Law(
        name="coupon_amounts",
        says="A coupon given once takes off no more than its amount.",
        holds=("applied_coupons amount_cents used_elsewhere_cents",),
        sql="""
            SELECT 'coupon ' || min(c.item_code) || ' of customer ' || owner.external_id AS place,
                   'at most ' || a.amount_cents AS expected, sum(c.amount_cents) + a.used_elsewhere_cents AS found
            FROM applied_coupons a
            JOIN customers owner ON owner.id = a.customer_id
            JOIN invoice_credits c ON c.applied_coupon_id = a.id
            JOIN invoices i ON i.id = c.invoice_id AND i.status NOT IN ('voided', 'closed', 'deleted')
            WHERE a.amount_cents IS NOT NULL AND a.frequency = 'once'
            GROUP BY a.id, owner.id HAVING sum(c.amount_cents) + a.used_elsewhere_cents > a.amount_cents
        """,
    ),
    Law(
        name="coupon_uses",
        says="A coupon for some invoices has as many left as it was given for, less those that used it and stand.",
        holds=("applied_coupons frequency_duration frequency_duration_remaining uses_elsewhere",),
        sql="""
            WITH used AS (
                SELECT c.applied_coupon_id, count(DISTINCT c.invoice_id) AS times
                FROM invoice_credits c JOIN invoices i ON i.id = c.invoice_id AND i.status NOT IN ('voided', 'closed', 'deleted')
                WHERE c.applied_coupon_id IS NOT NULL GROUP BY c.applied_coupon_id
            )
            SELECT 'coupon ' || coupon.code || ' of customer ' || owner.external_id AS place,
                   a.frequency_duration - a.uses_elsewhere - COALESCE(u.times, 0) || ' left' AS expected, a.frequency_duration_remaining || ' left' AS found
            FROM applied_coupons a JOIN coupons coupon ON coupon.id = a.coupon_id JOIN customers owner ON owner.id = a.customer_id
            LEFT JOIN used u ON u.applied_coupon_id = a.id
            WHERE a.frequency = 'recurring' AND a.frequency_duration - a.uses_elsewhere - COALESCE(u.times, 0) <> a.frequency_duration_remaining
        """,
    ),
    Law(
        name="coupon_rates",
        says="What a percentage coupon takes off is its rate of the whole cents that it is taken of, rounded once, and no more than that.",
        holds=("applied_coupons percentage_rate",),
        sql="""
            SELECT 'coupon ' || c.item_code || ' on invoice ' || i.number AS place,
                   due.cents || ' at ' || trim_scale(a.percentage_rate) || ' %' AS expected,
                   c.amount_cents || ' at ' || (c.terms ->> 'percentage_rate') || ' %' AS found
            FROM invoice_credits c JOIN applied_coupons a ON a.id = c.applied_coupon_id JOIN invoices i ON i.id = c.invoice_id
            CROSS JOIN LATERAL (SELECT CAST(c.terms ->> 'base_cents' AS numeric) AS cents) AS base
            CROSS JOIN LATERAL (SELECT LEAST(round(trunc(base.cents) * a.percentage_rate / 100), trunc(base.cents)) AS cents) AS due
            WHERE a.percentage_rate IS NOT NULL AND (
                CAST(c.terms ->> 'percentage_rate' AS numeric) IS DISTINCT FROM a.percentage_rate
                OR due.cents IS DISTINCT FROM c.amount_cents
            )
        """,
    ),
)
