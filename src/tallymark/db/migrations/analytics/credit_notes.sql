CREATE VIEW analytics.credit_notes WITH (security_barrier) AS
SELECT n.id, n.organization_id, n.customer_id, n.invoice_id, n.number, n.credit_status, n.refund_status, n.reason,
       n.issuing_date, n.currency, n.total_amount_cents, analytics.major_units(n.total_amount_cents, n.currency) AS total_amount,
       n.taxes_amount_cents, n.credit_amount_cents, n.refund_amount_cents, n.offset_amount_cents, n.balance_amount_cents,
       n.refunded_at, n.created_at
FROM credit_notes n JOIN analytics_scope s ON s.organization_id = n.organization_id;

COMMENT ON VIEW analytics.credit_notes IS 'Money given back on invoices.';
COMMENT ON COLUMN analytics.credit_notes.id IS 'Its id.';
COMMENT ON COLUMN analytics.credit_notes.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.credit_notes.customer_id IS 'Who gets it.';
COMMENT ON COLUMN analytics.credit_notes.invoice_id IS 'The invoice that it is on.';
COMMENT ON COLUMN analytics.credit_notes.number IS 'Its number.';
COMMENT ON COLUMN analytics.credit_notes.credit_status IS 'available, consumed or voided.';
COMMENT ON COLUMN analytics.credit_notes.refund_status IS 'pending, succeeded or failed, where something is refunded.';
COMMENT ON COLUMN analytics.credit_notes.reason IS 'Why it was made.';
COMMENT ON COLUMN analytics.credit_notes.issuing_date IS 'Its day of issue.';
COMMENT ON COLUMN analytics.credit_notes.currency IS 'Its currency (ISO 4217).';
COMMENT ON COLUMN analytics.credit_notes.total_amount_cents IS 'All that is given back, in minor units.';
COMMENT ON COLUMN analytics.credit_notes.total_amount IS 'All that is given back, in units of the currency.';
COMMENT ON COLUMN analytics.credit_notes.taxes_amount_cents IS 'The taxes in it, in minor units.';
COMMENT ON COLUMN analytics.credit_notes.credit_amount_cents IS 'What later invoices may take of it, in minor units.';
COMMENT ON COLUMN analytics.credit_notes.refund_amount_cents IS 'What is paid back, in minor units.';
COMMENT ON COLUMN analytics.credit_notes.offset_amount_cents IS 'What it takes off what is due of its own invoice, in minor units.';
COMMENT ON COLUMN analytics.credit_notes.balance_amount_cents IS 'What is left of the credit, in minor units.';
COMMENT ON COLUMN analytics.credit_notes.refunded_at IS 'When it was paid back.';
COMMENT ON COLUMN analytics.credit_notes.created_at IS 'When it was made.';
