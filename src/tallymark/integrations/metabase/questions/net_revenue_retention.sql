-- What the customers at the beginning of a month have at its end, of a hundred units then.
SELECT month, currency, round(100.0 * sum(ending_amount_cents) / sum(starting_amount_cents), 2) AS retention_percent
FROM analytics.customer_mrr
WHERE starting_amount_cents > 0 [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY month, currency
ORDER BY month, currency
