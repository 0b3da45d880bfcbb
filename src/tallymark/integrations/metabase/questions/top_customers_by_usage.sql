-- Who used the most in the last thirty days.
SELECT o.name AS organization, c.name AS customer, d.billable_metric_code AS metric, sum(d.units) AS units, d.currency,
       sum(d.amount) AS amount
FROM analytics.daily_usage d
JOIN analytics.organizations o ON o.id = d.organization_id
JOIN analytics.customers c ON c.id = d.customer_id
WHERE d.usage_date > (o.current_at AT TIME ZONE 'UTC')::date - 30
  [[AND o.name = {{organization}}]] [[AND d.currency = {{currency}}]]
GROUP BY o.name, c.id, c.name, d.billable_metric_code, d.currency
ORDER BY amount DESC, customer, metric
LIMIT 50
