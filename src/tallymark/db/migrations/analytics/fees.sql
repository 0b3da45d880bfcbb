CREATE VIEW analytics.fees WITH (security_barrier) AS
SELECT f.id, f.organization_id, f.invoice_id, f.customer_id, f.subscription_id, f.plan_id, f.charge_id, f.billable_metric_id,
       f.fee_type, f.item_code, f.item_name, f.units, f.events_count, f.currency, f.amount_cents,
       analytics.major_units(f.amount_cents, f.currency) AS amount,
       f.precise_coupons_amount_cents, f.taxes_amount_cents, f.pay_in_advance AS is_pay_in_advance, f.payment_status,
       f.from_at, f.to_at, f.created_at
FROM fees f
JOIN analytics_scope s ON s.organization_id = f.organization_id
LEFT JOIN invoices i ON i.id = f.invoice_id
WHERE f.invoice_id IS NULL OR i.status IN ('draft', 'pending', 'failed', 'finalized', 'voided');

COMMENT ON VIEW analytics.fees IS 'The lines of invoices, and fees in advance that are on none.';
COMMENT ON COLUMN analytics.fees.id IS 'Its id.';
COMMENT ON COLUMN analytics.fees.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.fees.invoice_id IS 'Its invoice, where it is on one.';
COMMENT ON COLUMN analytics.fees.customer_id IS 'Who is billed.';
COMMENT ON COLUMN analytics.fees.subscription_id IS 'Its subscription.';
COMMENT ON COLUMN analytics.fees.plan_id IS 'The plan whose prices it has.';
COMMENT ON COLUMN analytics.fees.charge_id IS 'The charge of a fee of usage.';
COMMENT ON COLUMN analytics.fees.billable_metric_id IS 'The metric of a fee of usage.';
COMMENT ON COLUMN analytics.fees.fee_type IS 'subscription, charge, fixed_charge, commitment, add_on or credit.';
COMMENT ON COLUMN analytics.fees.item_code IS 'The code of what is billed: metric, plan or add-on.';
COMMENT ON COLUMN analytics.fees.item_name IS 'Its name.';
COMMENT ON COLUMN analytics.fees.units IS 'How many units are billed.';
COMMENT ON COLUMN analytics.fees.events_count IS 'Of how many events they come.';
COMMENT ON COLUMN analytics.fees.currency IS 'Its currency (ISO 4217).';
COMMENT ON COLUMN analytics.fees.amount_cents IS 'Its amount before coupons and taxes, in minor units.';
COMMENT ON COLUMN analytics.fees.amount IS 'Its amount before coupons and taxes, in units of the currency.';
COMMENT ON COLUMN analytics.fees.precise_coupons_amount_cents IS 'Its share of what coupons took off, exact, in minor units.';
COMMENT ON COLUMN analytics.fees.taxes_amount_cents IS 'Taxes, in minor units.';
COMMENT ON COLUMN analytics.fees.is_pay_in_advance IS 'Whether it was billed before its period, or with its event.';
COMMENT ON COLUMN analytics.fees.payment_status IS 'pending, succeeded, failed or refunded.';
COMMENT ON COLUMN analytics.fees.from_at IS 'Where its period begins.';
COMMENT ON COLUMN analytics.fees.to_at IS 'Where its period ends, exclusive.';
COMMENT ON COLUMN analytics.fees.created_at IS 'When it was made.';
