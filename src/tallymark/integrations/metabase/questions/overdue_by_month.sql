-- What is overdue now, by the month in which it fell due.
SELECT month, currency, sum(amount) AS overdue
FROM analytics.overdue_balance_by_month
WHERE true [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY month, currency
ORDER BY month, currency
