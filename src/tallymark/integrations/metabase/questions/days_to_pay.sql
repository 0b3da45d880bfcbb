-- From issue to the last payment, on average, of invoices whose payments are known.
SELECT date_trunc('month', i.issuing_date::timestamp)::date AS month, i.currency, round(avg(i.days_to_pay), 1) AS days
FROM analytics.invoices i JOIN analytics.organizations o ON o.id = i.organization_id
WHERE i.is_counted AND i.days_to_pay IS NOT NULL AND i.total_amount_cents > 0
  [[AND o.name = {{organization}}]] [[AND i.currency = {{currency}}]]
GROUP BY date_trunc('month', i.issuing_date::timestamp), i.currency
ORDER BY month, i.currency
