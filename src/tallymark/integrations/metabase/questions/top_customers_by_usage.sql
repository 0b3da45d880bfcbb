-- Who used the most in the last thirty days: of each organization's own, which an index finds, and OFFSET keeps from being joined first.
SELECT o.name AS organization, c.name AS customer, d.billable_metric_code AS metric, sum(d.units) AS units, d.currency,
       sum(d.amount) AS amount
FROM analytics.organizations o
CROSS JOIN LATERAL (
    SELECT * FROM analytics.daily_usage used
    WHERE used.organization_id = o.id AND used.usage_date > (o.current_at AT TIME ZONE 'UTC')::date - 30
    OFFSET 0
) AS d
JOIN analytics.customers c ON c.id = d.customer_id
WHERE true [[AND o.name = {{organization}}]] [[AND d.currency = {{currency}}]]
GROUP BY o.name, c.id, c.name, d.billable_metric_code, d.currency
ORDER BY amount DESC, customer, metric
LIMIT 50
