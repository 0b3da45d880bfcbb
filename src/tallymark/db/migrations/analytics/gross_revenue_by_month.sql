CREATE VIEW analytics.gross_revenue_by_month WITH (security_barrier) AS
SELECT organization_id, organization_name, month, billing_entity_id, currency, sum(amount)::bigint AS amount_cents,
       analytics.major_units(sum(amount), currency) AS amount, sum(invoices)::bigint AS invoices_count
FROM (
    SELECT i.organization_id, s.organization_name, date_trunc('month', i.issuing_date::timestamp)::date AS month, i.currency,
           i.billing_entity_id, 1 AS invoices, i.total_amount_cents - coalesce(refunds.amount_cents, 0) AS amount
    FROM invoices i
    JOIN analytics_scope s ON s.organization_id = i.organization_id
    LEFT JOIN (
        SELECT n.invoice_id, sum(n.refund_amount_cents) AS amount_cents
        FROM credit_notes n JOIN analytics_scope s ON s.organization_id = n.organization_id
        GROUP BY n.invoice_id
    ) refunds ON refunds.invoice_id = i.id
    WHERE i.status = 'finalized' AND i.payment_dispute_lost_at IS NULL AND NOT i.self_billed
      AND i.issuing_date >= s.first_month AND i.issuing_date < s.current_month + interval '1 month'
    UNION ALL
    SELECT f.organization_id, s.organization_name, date_trunc('month', f.created_at AT TIME ZONE 'UTC')::date, f.currency,
           coalesce(u.billing_entity_id, c.billing_entity_id), 0, f.amount_cents
    FROM fees f
    JOIN analytics_scope s ON s.organization_id = f.organization_id
    JOIN subscriptions u ON u.id = f.subscription_id
    JOIN customers c ON c.id = f.customer_id
    WHERE f.invoice_id IS NULL AND f.pay_in_advance AND c.account_type <> 'partner'
      AND f.created_at >= s.first_month::timestamp AT TIME ZONE 'UTC'
      AND f.created_at < (s.current_month + interval '1 month') AT TIME ZONE 'UTC'
) counted
GROUP BY organization_id, organization_name, month, billing_entity_id, currency;

COMMENT ON VIEW analytics.gross_revenue_by_month IS
    'What invoices come to by the month of issue, less refunds, with fees in advance that are on none: GET /api/v1/analytics/gross_revenue.';
COMMENT ON COLUMN analytics.gross_revenue_by_month.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.gross_revenue_by_month.organization_name IS 'The organization''s name.';
COMMENT ON COLUMN analytics.gross_revenue_by_month.month IS 'The first day of the month.';
COMMENT ON COLUMN analytics.gross_revenue_by_month.billing_entity_id IS 'Who issued the invoices.';
COMMENT ON COLUMN analytics.gross_revenue_by_month.currency IS 'The currency (ISO 4217).';
COMMENT ON COLUMN analytics.gross_revenue_by_month.amount_cents IS 'Totals less refunds, taxes included, in minor units.';
COMMENT ON COLUMN analytics.gross_revenue_by_month.amount IS 'The same in units of the currency.';
COMMENT ON COLUMN analytics.gross_revenue_by_month.invoices_count IS 'Of how many invoices.';
