CREATE VIEW analytics.revenue_streams_by_month WITH (security_barrier) AS
SELECT organization_id, organization_name, month, currency,
       coalesce(sum(cents) FILTER (WHERE stream = 'subscription'), 0)::bigint AS subscription_fee_amount_cents,
       coalesce(sum(cents) FILTER (WHERE stream = 'charge'), 0)::bigint AS usage_based_fee_amount_cents,
       coalesce(sum(cents) FILTER (WHERE stream = 'fixed_charge'), 0)::bigint AS fixed_charge_fee_amount_cents,
       coalesce(sum(cents) FILTER (WHERE stream = 'commitment'), 0)::bigint AS commitment_fee_amount_cents,
       coalesce(sum(cents) FILTER (WHERE stream = 'add_on'), 0)::bigint AS one_off_fee_amount_cents,
       coalesce(sum(cents) FILTER (WHERE is_fee), 0)::bigint AS gross_amount_cents,
       coalesce(sum(cents) FILTER (WHERE stream = 'coupons'), 0)::bigint AS coupons_amount_cents,
       coalesce(sum(cents) FILTER (WHERE stream = 'progressive_billing'), 0)::bigint AS progressive_billing_credit_amount_cents,
       coalesce(sum(cents) FILTER (WHERE stream = 'credit_notes'), 0)::bigint AS credit_notes_credits_amount_cents,
       coalesce(sum(cents) FILTER (WHERE stream = 'free_credits'), 0)::bigint AS free_credits_amount_cents,
       coalesce(sum(cents) FILTER (WHERE stream = 'prepaid_credits'), 0)::bigint AS prepaid_credits_amount_cents,
       coalesce(sum(cents) FILTER (WHERE NOT is_fee), 0)::bigint AS contra_amount_cents,
       sum(CASE WHEN is_fee THEN cents ELSE -cents END)::bigint AS net_amount_cents,
       analytics.major_units(coalesce(sum(cents) FILTER (WHERE is_fee), 0), currency) AS gross_amount,
       analytics.major_units(coalesce(sum(cents) FILTER (WHERE NOT is_fee), 0), currency) AS contra_amount,
       analytics.major_units(sum(CASE WHEN is_fee THEN cents ELSE -cents END), currency) AS net_amount
FROM (
    SELECT i.organization_id, s.organization_name, date_trunc('month', i.issuing_date::timestamp)::date AS month, i.currency,
           f.fee_type AS stream, true AS is_fee, f.amount_cents AS cents
    FROM invoices i
    JOIN analytics_scope s ON s.organization_id = i.organization_id
    JOIN fees f ON f.invoice_id = i.id
    WHERE i.status = 'finalized' AND i.payment_dispute_lost_at IS NULL AND NOT i.self_billed
      AND i.issuing_date >= s.first_month AND i.issuing_date < s.current_month + interval '1 month'
      -- What is bought as credits is revenue once it is used: until then it is owed.
      AND f.fee_type <> 'credit'
    UNION ALL
    SELECT i.organization_id, s.organization_name, date_trunc('month', i.issuing_date::timestamp)::date, i.currency,
           taken.stream, false, taken.cents
    FROM invoices i
    JOIN analytics_scope s ON s.organization_id = i.organization_id
    CROSS JOIN LATERAL (VALUES
        ('progressive_billing', i.progressive_billing_credit_amount_cents),
        ('coupons', i.coupons_amount_cents),
        ('credit_notes', i.credit_notes_amount_cents),
        -- Of an invoice whose credits are not known by their kind, all are taken for bought ones.
        ('free_credits', coalesce(i.prepaid_granted_credit_amount_cents, 0)),
        ('prepaid_credits', i.prepaid_credit_amount_cents - coalesce(i.prepaid_granted_credit_amount_cents, 0))
    ) AS taken(stream, cents)
    WHERE i.status = 'finalized' AND i.payment_dispute_lost_at IS NULL AND NOT i.self_billed
      AND i.issuing_date >= s.first_month AND i.issuing_date < s.current_month + interval '1 month'
      AND taken.cents <> 0
) counted
GROUP BY organization_id, organization_name, month, currency;

COMMENT ON VIEW analytics.revenue_streams_by_month IS
    'Revenue by kinds of fees before coupons and taxes, and what was taken off invoices, by the month of issue: GET /app/v1/analytics/revenue_streams.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.organization_name IS 'The organization''s name.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.month IS 'The first day of the month.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.currency IS 'The currency (ISO 4217).';
COMMENT ON COLUMN analytics.revenue_streams_by_month.subscription_fee_amount_cents IS 'Base prices, in minor units.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.usage_based_fee_amount_cents IS 'Usage, in minor units.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.fixed_charge_fee_amount_cents IS 'Fixed charges, in minor units.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.commitment_fee_amount_cents IS 'What commitments were short of, in minor units.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.one_off_fee_amount_cents IS 'Add-ons, in minor units.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.gross_amount_cents IS 'The sum of the fees, in minor units.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.coupons_amount_cents IS 'What coupons took off, in minor units.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.progressive_billing_credit_amount_cents IS 'What progressive invoices had billed already, in minor units.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.credit_notes_credits_amount_cents IS 'What credit notes took off, in minor units.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.free_credits_amount_cents IS 'What credits paid that had been given, in minor units.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.prepaid_credits_amount_cents IS 'What credits paid that had been bought, in minor units.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.contra_amount_cents IS 'The sum of what was taken off, in minor units.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.net_amount_cents IS 'Gross less contra, in minor units.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.gross_amount IS 'The sum of the fees, in units of the currency.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.contra_amount IS 'The sum of what was taken off, in units of the currency.';
COMMENT ON COLUMN analytics.revenue_streams_by_month.net_amount IS 'Gross less contra, in units of the currency.';
