-- Of a hundred customers at the beginning of a month, how many were lost in it.
SELECT month, currency, round(100.0 * sum(customers_churned) / nullif(sum(customers_at_start), 0), 2) AS churn_percent
FROM analytics.churn_by_month
WHERE customers_at_start > 0 [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY month, currency
ORDER BY month, currency
