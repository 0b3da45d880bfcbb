CREATE VIEW analytics.billable_metrics WITH (security_barrier) AS
SELECT m.id, m.organization_id, m.code, m.name, m.aggregation_type, m.recurring AS is_recurring, m.created_at, m.deleted_at
FROM billable_metrics m JOIN analytics_scope s ON s.organization_id = m.organization_id;

COMMENT ON VIEW analytics.billable_metrics IS 'What is measured; deleted ones too.';
COMMENT ON COLUMN analytics.billable_metrics.id IS 'Its id.';
COMMENT ON COLUMN analytics.billable_metrics.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.billable_metrics.code IS 'Its code, unique among those that are not deleted.';
COMMENT ON COLUMN analytics.billable_metrics.name IS 'Its name.';
COMMENT ON COLUMN analytics.billable_metrics.aggregation_type IS 'How events become units: count_agg, sum_agg, max_agg, ...';
COMMENT ON COLUMN analytics.billable_metrics.is_recurring IS 'Whether units stay from one period to the next.';
COMMENT ON COLUMN analytics.billable_metrics.created_at IS 'When it was made.';
COMMENT ON COLUMN analytics.billable_metrics.deleted_at IS 'When it was deleted.';
