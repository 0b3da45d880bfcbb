CREATE VIEW analytics.payment_times_by_month WITH (security_barrier) AS
SELECT organization_id, organization_name, month, currency, count(*) AS invoices_count,
       count(*) FILTER (WHERE payment_status = 'succeeded') AS paid_count,
       count(*) FILTER (WHERE day <= payment_due_date) AS paid_in_time_count,
       count(*) FILTER (WHERE day > payment_due_date) AS paid_late_count,
       round(avg(day - issuing_date), 1) AS average_days_to_pay,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY day - issuing_date) AS median_days_to_pay
FROM (
    SELECT i.organization_id, s.organization_name, date_trunc('month', i.issuing_date::timestamp)::date AS month, i.currency,
           i.payment_status, i.issuing_date, i.payment_due_date,
           CASE WHEN i.payment_status = 'succeeded' THEN (paid.paid_at AT TIME ZONE i.timezone)::date END AS day
    FROM invoices i
    JOIN analytics_scope s ON s.organization_id = i.organization_id
    LEFT JOIN (
        SELECT invoice_id, max(paid_at) AS paid_at
        FROM (
            SELECT p.invoice_id, p.created_at AS paid_at
            FROM payments p JOIN analytics_scope s ON s.organization_id = p.organization_id
            WHERE p.payment_status = 'succeeded' AND p.invoice_id IS NOT NULL
            UNION ALL
            SELECT asked.invoice_id, p.created_at
            FROM payments p
            JOIN analytics_scope s ON s.organization_id = p.organization_id
            JOIN payment_requests_invoices asked ON asked.payment_request_id = p.payment_request_id
            WHERE p.payment_status = 'succeeded' AND asked.paid_amount_cents > 0
        ) payments_of_invoices
        GROUP BY invoice_id
    ) paid ON paid.invoice_id = i.id
    WHERE i.status = 'finalized' AND i.payment_dispute_lost_at IS NULL AND NOT i.self_billed AND i.total_amount_cents > 0
      AND i.issuing_date >= s.first_month AND i.issuing_date < s.current_month + interval '1 month'
) counted
GROUP BY organization_id, organization_name, month, currency;

COMMENT ON VIEW analytics.payment_times_by_month IS
    'How soon invoices with something to pay were paid, by the month of issue. Times are known where payments are.';
COMMENT ON COLUMN analytics.payment_times_by_month.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.payment_times_by_month.organization_name IS 'The organization''s name.';
COMMENT ON COLUMN analytics.payment_times_by_month.month IS 'The first day of the month.';
COMMENT ON COLUMN analytics.payment_times_by_month.currency IS 'The currency (ISO 4217).';
COMMENT ON COLUMN analytics.payment_times_by_month.invoices_count IS 'How many were issued.';
COMMENT ON COLUMN analytics.payment_times_by_month.paid_count IS 'How many of them are paid.';
COMMENT ON COLUMN analytics.payment_times_by_month.paid_in_time_count IS 'How many were paid on their due date or before.';
COMMENT ON COLUMN analytics.payment_times_by_month.paid_late_count IS 'How many were paid later.';
COMMENT ON COLUMN analytics.payment_times_by_month.average_days_to_pay IS 'From issue to the last payment, on average.';
COMMENT ON COLUMN analytics.payment_times_by_month.median_days_to_pay IS 'The days that half of them took at the most.';
