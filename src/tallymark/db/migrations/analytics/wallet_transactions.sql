CREATE VIEW analytics.wallet_transactions WITH (security_barrier) AS
SELECT t.id, t.organization_id, t.wallet_id, w.customer_id, t.transaction_type, t.transaction_status, t.status, t.source,
       w.currency, t.amount_cents, analytics.major_units(t.amount_cents, w.currency) AS amount,
       trim_scale(round(t.precise_amount_cents / (w.rate_amount * analytics.subunits(w.currency)), 5)) AS credits,
       t.remaining_amount_cents, t.invoice_id, t.settled_at, t.created_at
FROM wallet_transactions t
JOIN analytics_scope s ON s.organization_id = t.organization_id
JOIN wallets w ON w.id = t.wallet_id;

COMMENT ON VIEW analytics.wallet_transactions IS 'What came into wallets and went out of them.';
COMMENT ON COLUMN analytics.wallet_transactions.id IS 'Its id.';
COMMENT ON COLUMN analytics.wallet_transactions.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.wallet_transactions.wallet_id IS 'Its wallet.';
COMMENT ON COLUMN analytics.wallet_transactions.customer_id IS 'Whose wallet that is.';
COMMENT ON COLUMN analytics.wallet_transactions.transaction_type IS 'inbound or outbound.';
COMMENT ON COLUMN analytics.wallet_transactions.transaction_status IS 'Inbound: purchased or granted. Outbound: invoiced or voided.';
COMMENT ON COLUMN analytics.wallet_transactions.status IS 'settled, pending or failed; only settled ones moved anything.';
COMMENT ON COLUMN analytics.wallet_transactions.source IS 'What made it: manual, interval, threshold, ...';
COMMENT ON COLUMN analytics.wallet_transactions.currency IS 'The wallet''s currency (ISO 4217).';
COMMENT ON COLUMN analytics.wallet_transactions.amount_cents IS 'Its amount, in minor units; never negative.';
COMMENT ON COLUMN analytics.wallet_transactions.amount IS 'Its amount, in units of the currency.';
COMMENT ON COLUMN analytics.wallet_transactions.credits IS 'Its amount in credits.';
COMMENT ON COLUMN analytics.wallet_transactions.remaining_amount_cents IS 'What is left of an inbound one that is settled, in minor units.';
COMMENT ON COLUMN analytics.wallet_transactions.invoice_id IS 'The invoice that sold the credits, or that they paid.';
COMMENT ON COLUMN analytics.wallet_transactions.settled_at IS 'When it moved the balance.';
COMMENT ON COLUMN analytics.wallet_transactions.created_at IS 'When it was made.';
