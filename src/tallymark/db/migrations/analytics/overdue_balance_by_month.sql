CREATE VIEW analytics.overdue_balance_by_month WITH (security_barrier) AS
SELECT i.organization_id, s.organization_name, date_trunc('month', i.payment_due_date::timestamp)::date AS month,
       i.billing_entity_id, i.currency,
       sum(i.total_amount_cents - i.total_paid_amount_cents - i.offset_amount_cents)::bigint AS amount_cents,
       analytics.major_units(sum(i.total_amount_cents - i.total_paid_amount_cents - i.offset_amount_cents), i.currency) AS amount,
       count(*) AS invoices_count
FROM invoices i JOIN analytics_scope s ON s.organization_id = i.organization_id
WHERE i.payment_overdue AND i.status <> 'deleted' AND NOT i.self_billed
  AND i.payment_due_date >= s.first_month AND i.payment_due_date < s.current_month + interval '1 month'
GROUP BY i.organization_id, s.organization_name, date_trunc('month', i.payment_due_date::timestamp), i.billing_entity_id,
         i.currency;

COMMENT ON VIEW analytics.overdue_balance_by_month IS
    'What is overdue now, by the month in which it fell due: GET /api/v1/analytics/overdue_balance.';
COMMENT ON COLUMN analytics.overdue_balance_by_month.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.overdue_balance_by_month.organization_name IS 'The organization''s name.';
COMMENT ON COLUMN analytics.overdue_balance_by_month.month IS 'The first day of the month.';
COMMENT ON COLUMN analytics.overdue_balance_by_month.billing_entity_id IS 'Who issued the invoices.';
COMMENT ON COLUMN analytics.overdue_balance_by_month.currency IS 'The currency (ISO 4217).';
COMMENT ON COLUMN analytics.overdue_balance_by_month.amount_cents IS 'What is left to be paid, in minor units.';
COMMENT ON COLUMN analytics.overdue_balance_by_month.amount IS 'What is left to be paid, in units of the currency.';
COMMENT ON COLUMN analytics.overdue_balance_by_month.invoices_count IS 'Of how many invoices.';
