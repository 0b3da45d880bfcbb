-- What invoices come to by the month of issue, less refunds.
SELECT month, currency, sum(amount) AS revenue, sum(invoices_count) AS invoices
FROM analytics.gross_revenue_by_month
WHERE true [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY month, currency
ORDER BY month, currency
