CREATE VIEW analytics.plans WITH (security_barrier) AS
SELECT p.id, p.organization_id, p.parent_id, p.code, p.name, p.interval, p.amount_cents, p.amount_currency AS currency,
       analytics.major_units(p.amount_cents, p.amount_currency) AS amount, p.pay_in_advance AS is_pay_in_advance,
       p.created_at, p.deleted_at
FROM plans p JOIN analytics_scope s ON s.organization_id = p.organization_id;

COMMENT ON VIEW analytics.plans IS 'Plans, deleted ones too. One with a parent holds the prices of a single subscription.';
COMMENT ON COLUMN analytics.plans.id IS 'Its id.';
COMMENT ON COLUMN analytics.plans.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.plans.parent_id IS 'The plan that was sold, of one that only changes its prices.';
COMMENT ON COLUMN analytics.plans.code IS 'Its code.';
COMMENT ON COLUMN analytics.plans.name IS 'Its name.';
COMMENT ON COLUMN analytics.plans.interval IS 'weekly, monthly, quarterly, semiannual or yearly.';
COMMENT ON COLUMN analytics.plans.amount_cents IS 'The base price of an interval, in minor units.';
COMMENT ON COLUMN analytics.plans.currency IS 'Its currency (ISO 4217).';
COMMENT ON COLUMN analytics.plans.amount IS 'The base price in units of the currency.';
COMMENT ON COLUMN analytics.plans.is_pay_in_advance IS 'Whether the base price is billed at the beginning of an interval.';
COMMENT ON COLUMN analytics.plans.created_at IS 'When it was made.';
COMMENT ON COLUMN analytics.plans.deleted_at IS 'When it was deleted.';
