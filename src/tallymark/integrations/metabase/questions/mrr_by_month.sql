-- What recurred at the end of each month.
SELECT month, currency, sum(ending_amount) AS mrr
FROM analytics.mrr_movements_by_month
WHERE true [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY month, currency
ORDER BY month, currency
