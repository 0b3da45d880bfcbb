-- Invoices by the month of issue and by whether they are paid.
SELECT month, payment_status || ' ' || currency AS status, sum(amount) AS amount
FROM analytics.invoice_collection_by_month
WHERE true [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY month, payment_status, currency
ORDER BY month, currency, payment_status
