-- Of a hundred units of recurring revenue at the beginning of a month, how many were lost with customers in it.
SELECT month, currency, round(100.0 * sum(churned_amount_cents) / nullif(sum(starting_amount_cents), 0), 2) AS churn_percent
FROM analytics.churn_by_month
WHERE starting_amount_cents > 0 [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY month, currency
ORDER BY month, currency
