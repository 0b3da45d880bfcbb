-- What recurs now, by currency.
SELECT currency, sum(ending_amount) AS mrr, sum(new_amount) AS new, sum(churn_amount) AS churn
FROM analytics.mrr_movements_by_month m JOIN analytics.organizations o ON o.id = m.organization_id
WHERE m.month = date_trunc('month', o.current_at AT TIME ZONE 'UTC')::date
  [[AND m.organization_name = {{organization}}]] [[AND m.currency = {{currency}}]]
GROUP BY currency
ORDER BY mrr DESC, currency
