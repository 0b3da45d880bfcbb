-- Customers with recurring revenue at the end of each month.
SELECT month, currency, sum(customers_at_end) AS customers
FROM analytics.churn_by_month
WHERE true [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY month, currency
ORDER BY month, currency
