-- Base prices that were invoiced, spread over the months of their periods.
SELECT month, currency, sum(amount) AS mrr
FROM analytics.mrr_by_month
WHERE true [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY month, currency
ORDER BY month, currency
