-- What usage was billed after coupons, by the month and metric.
SELECT month, billable_metric_code || ' ' || currency AS metric, sum(amount) AS amount
FROM analytics.invoiced_usage_by_month
WHERE true [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY month, billable_metric_code, currency
ORDER BY month, metric
