-- Of a hundred invoices whose payments are known, how many were paid in time.
SELECT month, currency,
       round(100.0 * sum(paid_in_time_count) / nullif(sum(paid_in_time_count + paid_late_count), 0), 1) AS in_time_percent
FROM analytics.payment_times_by_month
WHERE paid_in_time_count + paid_late_count > 0 [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY month, currency
ORDER BY month, currency
