CREATE VIEW analytics.invoiced_usage_by_month WITH (security_barrier) AS
SELECT f.organization_id, s.organization_name, date_trunc('month', f.created_at AT TIME ZONE 'UTC')::date AS month,
       m.code AS billable_metric_code, f.currency,
       round(sum(f.amount_cents - f.precise_coupons_amount_cents))::bigint AS amount_cents,
       analytics.major_units(round(sum(f.amount_cents - f.precise_coupons_amount_cents)), f.currency) AS amount
FROM fees f
JOIN analytics_scope s ON s.organization_id = f.organization_id
JOIN invoices i ON i.id = f.invoice_id
JOIN billable_metrics m ON m.id = f.billable_metric_id
WHERE f.fee_type = 'charge' AND i.status = 'finalized' AND i.payment_dispute_lost_at IS NULL AND NOT i.self_billed
  AND f.created_at >= s.first_month::timestamp AT TIME ZONE 'UTC'
  AND f.created_at < (s.current_month + interval '1 month') AT TIME ZONE 'UTC'
GROUP BY f.organization_id, s.organization_name, date_trunc('month', f.created_at AT TIME ZONE 'UTC'), m.code, f.currency;

COMMENT ON VIEW analytics.invoiced_usage_by_month IS
    'What usage was billed, after coupons and before taxes, by the month in which its fees were made: GET /api/v1/analytics/invoiced_usage.';
COMMENT ON COLUMN analytics.invoiced_usage_by_month.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.invoiced_usage_by_month.organization_name IS 'The organization''s name.';
COMMENT ON COLUMN analytics.invoiced_usage_by_month.month IS 'The first day of the month (UTC).';
COMMENT ON COLUMN analytics.invoiced_usage_by_month.billable_metric_code IS 'The metric''s code.';
COMMENT ON COLUMN analytics.invoiced_usage_by_month.currency IS 'The currency (ISO 4217).';
COMMENT ON COLUMN analytics.invoiced_usage_by_month.amount_cents IS 'What it was billed, in minor units.';
COMMENT ON COLUMN analytics.invoiced_usage_by_month.amount IS 'What it was billed, in units of the currency.';
