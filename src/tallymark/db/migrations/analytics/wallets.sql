CREATE VIEW analytics.wallets WITH (security_barrier) AS
SELECT w.id, w.organization_id, w.customer_id, coalesce(w.billing_entity_id, c.billing_entity_id) AS billing_entity_id,
       w.status, w.code, w.name, w.currency, w.rate_amount, w.balance_cents,
       analytics.major_units(w.balance_cents, w.currency) AS balance,
       trim_scale(round(w.precise_balance_cents / (w.rate_amount * analytics.subunits(w.currency)), 5)) AS credits_balance,
       w.ongoing_balance_cents, w.consumed_amount_cents,
       analytics.major_units(w.consumed_amount_cents, w.currency) AS consumed_amount,
       w.expiration_at, w.terminated_at, w.created_at
FROM wallets w
JOIN analytics_scope s ON s.organization_id = w.organization_id
JOIN customers c ON c.id = w.customer_id;

COMMENT ON VIEW analytics.wallets IS 'Prepaid credits of customers.';
COMMENT ON COLUMN analytics.wallets.id IS 'Its id.';
COMMENT ON COLUMN analytics.wallets.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.wallets.customer_id IS 'Its customer.';
COMMENT ON COLUMN analytics.wallets.billing_entity_id IS 'Who issues the invoices of its purchases.';
COMMENT ON COLUMN analytics.wallets.status IS 'active or terminated.';
COMMENT ON COLUMN analytics.wallets.code IS 'Its code.';
COMMENT ON COLUMN analytics.wallets.name IS 'Its name.';
COMMENT ON COLUMN analytics.wallets.currency IS 'Its currency (ISO 4217).';
COMMENT ON COLUMN analytics.wallets.rate_amount IS 'How many units of the currency one credit is worth.';
COMMENT ON COLUMN analytics.wallets.balance_cents IS 'What is in it, in minor units.';
COMMENT ON COLUMN analytics.wallets.balance IS 'What is in it, in units of the currency.';
COMMENT ON COLUMN analytics.wallets.credits_balance IS 'What is in it, in credits.';
COMMENT ON COLUMN analytics.wallets.ongoing_balance_cents IS 'What would be in it once current usage is billed, in minor units.';
COMMENT ON COLUMN analytics.wallets.consumed_amount_cents IS 'What invoices have taken of it, in minor units.';
COMMENT ON COLUMN analytics.wallets.consumed_amount IS 'What invoices have taken of it, in units of the currency.';
COMMENT ON COLUMN analytics.wallets.expiration_at IS 'When it ends, where that is set.';
COMMENT ON COLUMN analytics.wallets.terminated_at IS 'When it ended.';
COMMENT ON COLUMN analytics.wallets.created_at IS 'When it was made.';
