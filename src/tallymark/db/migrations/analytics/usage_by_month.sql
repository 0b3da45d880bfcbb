CREATE VIEW analytics.usage_by_month WITH (security_barrier) AS
SELECT d.organization_id, s.organization_name, date_trunc('month', d.usage_date::timestamp)::date AS month,
       m.code AS billable_metric_code, m.deleted_at IS NOT NULL AS is_billable_metric_deleted,
       sum((item ->> 'units')::numeric) AS units, d.currency, sum((item ->> 'amount_cents')::bigint)::bigint AS amount_cents,
       analytics.major_units(sum((item ->> 'amount_cents')::bigint), d.currency) AS amount
FROM daily_usages d
JOIN analytics_scope s ON s.organization_id = d.organization_id
CROSS JOIN LATERAL jsonb_array_elements(d.usage_diff -> 'charges_usage') AS item
JOIN billable_metrics m ON m.id = (item -> 'billable_metric' ->> 'lago_id')::uuid
WHERE d.usage IS NOT NULL
GROUP BY d.organization_id, s.organization_name, date_trunc('month', d.usage_date::timestamp), m.code,
         m.deleted_at IS NOT NULL, d.currency;

COMMENT ON VIEW analytics.usage_by_month IS 'What was used by the month and metric: GET /api/v1/analytics/usage?time_granularity=monthly.';
COMMENT ON COLUMN analytics.usage_by_month.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.usage_by_month.organization_name IS 'The organization''s name.';
COMMENT ON COLUMN analytics.usage_by_month.month IS 'The first day of the month, where the customer lives.';
COMMENT ON COLUMN analytics.usage_by_month.billable_metric_code IS 'The metric''s code.';
COMMENT ON COLUMN analytics.usage_by_month.is_billable_metric_deleted IS 'Whether the metric was deleted since.';
COMMENT ON COLUMN analytics.usage_by_month.units IS 'How many units.';
COMMENT ON COLUMN analytics.usage_by_month.currency IS 'The currency (ISO 4217).';
COMMENT ON COLUMN analytics.usage_by_month.amount_cents IS 'What they cost before taxes, in minor units.';
COMMENT ON COLUMN analytics.usage_by_month.amount IS 'What they cost before taxes, in units of the currency.';
