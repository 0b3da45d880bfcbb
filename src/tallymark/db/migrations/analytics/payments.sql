CREATE VIEW analytics.payments WITH (security_barrier) AS
SELECT p.id, p.organization_id, p.customer_id, p.invoice_id, p.payment_request_id, p.payment_type, p.payment_status,
       p.payment_provider, p.currency, p.amount_cents, analytics.major_units(p.amount_cents, p.currency) AS amount,
       p.created_at AS paid_at
FROM payments p JOIN analytics_scope s ON s.organization_id = p.organization_id;

COMMENT ON VIEW analytics.payments IS 'Payments of invoices and of payment requests, and attempts at them.';
COMMENT ON COLUMN analytics.payments.id IS 'Its id.';
COMMENT ON COLUMN analytics.payments.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.payments.customer_id IS 'Who paid.';
COMMENT ON COLUMN analytics.payments.invoice_id IS 'The invoice that it pays; nothing where it pays a payment request.';
COMMENT ON COLUMN analytics.payments.payment_request_id IS 'The payment request that it pays; nothing where it pays an invoice.';
COMMENT ON COLUMN analytics.payments.payment_type IS 'manual or provider.';
COMMENT ON COLUMN analytics.payments.payment_status IS 'pending, processing, succeeded or failed.';
COMMENT ON COLUMN analytics.payments.payment_provider IS 'The provider, of one that it carried out.';
COMMENT ON COLUMN analytics.payments.currency IS 'Its currency (ISO 4217).';
COMMENT ON COLUMN analytics.payments.amount_cents IS 'Its amount, in minor units.';
COMMENT ON COLUMN analytics.payments.amount IS 'Its amount, in units of the currency.';
COMMENT ON COLUMN analytics.payments.paid_at IS 'When it was made.';
