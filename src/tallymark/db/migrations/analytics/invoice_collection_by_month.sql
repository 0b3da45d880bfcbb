CREATE VIEW analytics.invoice_collection_by_month WITH (security_barrier) AS
SELECT i.organization_id, s.organization_name, date_trunc('month', i.issuing_date::timestamp)::date AS month, i.payment_status,
       i.currency, sum(i.total_amount_cents)::bigint AS amount_cents,
       analytics.major_units(sum(i.total_amount_cents), i.currency) AS amount, count(*) AS invoices_count
FROM invoices i JOIN analytics_scope s ON s.organization_id = i.organization_id
WHERE i.status = 'finalized' AND i.payment_dispute_lost_at IS NULL AND NOT i.self_billed
  AND i.issuing_date >= s.first_month AND i.issuing_date < s.current_month + interval '1 month'
GROUP BY i.organization_id, s.organization_name, date_trunc('month', i.issuing_date::timestamp), i.payment_status, i.currency;

COMMENT ON VIEW analytics.invoice_collection_by_month IS
    'Invoices by the month of issue and by whether they are paid: GET /api/v1/analytics/invoice_collection. A month without any has no row.';
COMMENT ON COLUMN analytics.invoice_collection_by_month.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.invoice_collection_by_month.organization_name IS 'The organization''s name.';
COMMENT ON COLUMN analytics.invoice_collection_by_month.month IS 'The first day of the month.';
COMMENT ON COLUMN analytics.invoice_collection_by_month.payment_status IS 'pending, succeeded or failed.';
COMMENT ON COLUMN analytics.invoice_collection_by_month.currency IS 'The currency (ISO 4217).';
COMMENT ON COLUMN analytics.invoice_collection_by_month.amount_cents IS 'Their totals, in minor units.';
COMMENT ON COLUMN analytics.invoice_collection_by_month.amount IS 'Their totals, in units of the currency.';
COMMENT ON COLUMN analytics.invoice_collection_by_month.invoices_count IS 'How many they are.';
