CREATE VIEW analytics.daily_usage WITH (security_barrier) AS
SELECT d.organization_id, u.customer_id, d.subscription_id, u.plan_id, m.id AS billable_metric_id,
       m.code AS billable_metric_code, m.deleted_at IS NOT NULL AS is_billable_metric_deleted,
       (item -> 'charge' ->> 'lago_id')::uuid AS charge_id, d.usage_date, (item ->> 'units')::numeric AS units,
       (item ->> 'events_count')::bigint AS events_count, d.currency, (item ->> 'amount_cents')::bigint AS amount_cents,
       analytics.major_units((item ->> 'amount_cents')::bigint, d.currency) AS amount
FROM daily_usages d
JOIN analytics_scope s ON s.organization_id = d.organization_id
JOIN subscriptions u ON u.id = d.subscription_id
CROSS JOIN LATERAL jsonb_array_elements(d.usage_diff -> 'charges_usage') AS item
JOIN billable_metrics m ON m.id = (item -> 'billable_metric' ->> 'lago_id')::uuid
WHERE d.usage IS NOT NULL;

COMMENT ON VIEW analytics.daily_usage IS
    'What was used by the day, subscription and charge: how far usage had grown since the day before. Days that are over; none of events.';
COMMENT ON COLUMN analytics.daily_usage.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.daily_usage.customer_id IS 'Who used it.';
COMMENT ON COLUMN analytics.daily_usage.subscription_id IS 'The subscription.';
COMMENT ON COLUMN analytics.daily_usage.plan_id IS 'The plan whose prices it has.';
COMMENT ON COLUMN analytics.daily_usage.billable_metric_id IS 'The metric.';
COMMENT ON COLUMN analytics.daily_usage.billable_metric_code IS 'The metric''s code.';
COMMENT ON COLUMN analytics.daily_usage.is_billable_metric_deleted IS 'Whether the metric was deleted since.';
COMMENT ON COLUMN analytics.daily_usage.charge_id IS 'The charge.';
COMMENT ON COLUMN analytics.daily_usage.usage_date IS 'The day, where the customer lives.';
COMMENT ON COLUMN analytics.daily_usage.units IS 'How many units more than the day before; negative where usage shrank.';
COMMENT ON COLUMN analytics.daily_usage.events_count IS 'How many events more.';
COMMENT ON COLUMN analytics.daily_usage.currency IS 'The plan''s currency (ISO 4217).';
COMMENT ON COLUMN analytics.daily_usage.amount_cents IS 'How much more they cost before taxes, in minor units.';
COMMENT ON COLUMN analytics.daily_usage.amount IS 'How much more they cost before taxes, in units of the currency.';
