CREATE VIEW analytics.mrr_by_plan WITH (security_barrier) AS
SELECT r.organization_id, r.organization_name, r.plan_id, p.code AS plan_code, p.name AS plan_name, p.interval AS plan_interval,
       p.deleted_at IS NOT NULL AS is_plan_deleted, r.currency, round(round(sum(r.cents), 12))::bigint AS amount_cents,
       analytics.major_units(round(round(sum(r.cents), 12)), r.currency) AS amount,
       count(DISTINCT r.customer_id) AS customers_count
FROM analytics_running r JOIN plans p ON p.id = r.plan_id
WHERE r.month = r.current_month
GROUP BY r.organization_id, r.organization_name, r.plan_id, p.code, p.name, p.interval, p.deleted_at IS NOT NULL, r.currency;

COMMENT ON VIEW analytics.mrr_by_plan IS
    'What recurs now by plan, before coupons of fixed amounts: GET /app/v1/analytics/mrr_by_plan.';
COMMENT ON COLUMN analytics.mrr_by_plan.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.mrr_by_plan.organization_name IS 'The organization''s name.';
COMMENT ON COLUMN analytics.mrr_by_plan.plan_id IS 'The plan that was sold.';
COMMENT ON COLUMN analytics.mrr_by_plan.plan_code IS 'Its code.';
COMMENT ON COLUMN analytics.mrr_by_plan.plan_name IS 'Its name.';
COMMENT ON COLUMN analytics.mrr_by_plan.plan_interval IS 'weekly, monthly, quarterly, semiannual or yearly.';
COMMENT ON COLUMN analytics.mrr_by_plan.is_plan_deleted IS 'Whether it was deleted.';
COMMENT ON COLUMN analytics.mrr_by_plan.currency IS 'The currency (ISO 4217).';
COMMENT ON COLUMN analytics.mrr_by_plan.amount_cents IS 'A month''s worth of it, in minor units.';
COMMENT ON COLUMN analytics.mrr_by_plan.amount IS 'The same in units of the currency.';
COMMENT ON COLUMN analytics.mrr_by_plan.customers_count IS 'How many customers are on it.';
