-- Revenue by kinds of fees before coupons and taxes.
SELECT month, stream || ' ' || currency AS stream, sum(analytics.major_units(cents, currency)) AS amount
FROM analytics.revenue_streams_by_month
CROSS JOIN LATERAL (VALUES
    ('base prices', subscription_fee_amount_cents), ('usage', usage_based_fee_amount_cents),
    ('fixed charges', fixed_charge_fee_amount_cents), ('commitments', commitment_fee_amount_cents),
    ('one-off', one_off_fee_amount_cents)
) AS streams (stream, cents)
WHERE cents <> 0 [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY month, streams.stream, currency
ORDER BY month, currency, streams.stream
