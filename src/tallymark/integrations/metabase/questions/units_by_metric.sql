-- How many units were used, by the month and metric.
SELECT month, billable_metric_code AS metric, sum(units) AS units
FROM analytics.usage_by_month
WHERE true [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY month, billable_metric_code
ORDER BY month, metric
