-- Fees less coupons, credits of earlier bills, credit notes and prepaid credits.
SELECT month, currency, sum(gross_amount) AS gross, sum(contra_amount) AS taken_off, sum(net_amount) AS net
FROM analytics.revenue_streams_by_month
WHERE true [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY month, currency
ORDER BY month DESC, currency
