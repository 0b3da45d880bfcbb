CREATE VIEW analytics.prepaid_credits_by_month WITH (security_barrier) AS
SELECT organization_id, organization_name, month, currency,
       coalesce(sum(cents) FILTER (WHERE kind = 'purchased'), 0)::bigint AS purchased_amount_cents,
       coalesce(sum(cents) FILTER (WHERE kind = 'granted'), 0)::bigint AS offered_amount_cents,
       coalesce(sum(cents) FILTER (WHERE kind = 'invoiced'), 0)::bigint AS consumed_amount_cents,
       coalesce(sum(cents) FILTER (WHERE kind = 'voided'), 0)::bigint AS voided_amount_cents,
       analytics.major_units(coalesce(sum(cents) FILTER (WHERE kind = 'purchased'), 0), currency) AS purchased_amount,
       analytics.major_units(coalesce(sum(cents) FILTER (WHERE kind = 'granted'), 0), currency) AS offered_amount,
       analytics.major_units(coalesce(sum(cents) FILTER (WHERE kind = 'invoiced'), 0), currency) AS consumed_amount,
       analytics.major_units(coalesce(sum(cents) FILTER (WHERE kind = 'voided'), 0), currency) AS voided_amount,
       trim_scale(round(coalesce(sum(credits) FILTER (WHERE kind = 'purchased'), 0), 10)) AS purchased_credits,
       trim_scale(round(coalesce(sum(credits) FILTER (WHERE kind = 'granted'), 0), 10)) AS offered_credits,
       trim_scale(round(coalesce(sum(credits) FILTER (WHERE kind = 'invoiced'), 0), 10)) AS consumed_credits,
       trim_scale(round(coalesce(sum(credits) FILTER (WHERE kind = 'voided'), 0), 10)) AS voided_credits
FROM (
    SELECT t.organization_id, s.organization_name, date_trunc('month', t.settled_at AT TIME ZONE 'UTC')::date AS month, w.currency,
           t.transaction_status AS kind, sum(t.amount_cents) AS cents,
           sum(t.precise_amount_cents)::numeric(90, 30) / (w.rate_amount * analytics.subunits(w.currency)) AS credits
    FROM wallet_transactions t
    JOIN analytics_scope s ON s.organization_id = t.organization_id
    JOIN wallets w ON w.id = t.wallet_id
    WHERE t.status = 'settled' AND t.settled_at >= s.first_month::timestamp AT TIME ZONE 'UTC'
      AND t.settled_at < (s.current_month + interval '1 month') AT TIME ZONE 'UTC'
    GROUP BY t.organization_id, s.organization_name, date_trunc('month', t.settled_at AT TIME ZONE 'UTC'), w.currency,
             w.rate_amount, t.transaction_status
) moved
GROUP BY organization_id, organization_name, month, currency;

COMMENT ON VIEW analytics.prepaid_credits_by_month IS
    'Prepaid credits that were bought, given, used and voided, in money and in credits: GET /app/v1/analytics/prepaid_credits.';
COMMENT ON COLUMN analytics.prepaid_credits_by_month.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.prepaid_credits_by_month.organization_name IS 'The organization''s name.';
COMMENT ON COLUMN analytics.prepaid_credits_by_month.month IS 'The first day of the month (UTC).';
COMMENT ON COLUMN analytics.prepaid_credits_by_month.currency IS 'The currency (ISO 4217).';
COMMENT ON COLUMN analytics.prepaid_credits_by_month.purchased_amount_cents IS 'Bought and paid, in minor units.';
COMMENT ON COLUMN analytics.prepaid_credits_by_month.offered_amount_cents IS 'Given, in minor units.';
COMMENT ON COLUMN analytics.prepaid_credits_by_month.consumed_amount_cents IS 'Used by invoices, in minor units.';
COMMENT ON COLUMN analytics.prepaid_credits_by_month.voided_amount_cents IS 'Voided, in minor units.';
COMMENT ON COLUMN analytics.prepaid_credits_by_month.purchased_amount IS 'Bought and paid, in units of the currency.';
COMMENT ON COLUMN analytics.prepaid_credits_by_month.offered_amount IS 'Given, in units of the currency.';
COMMENT ON COLUMN analytics.prepaid_credits_by_month.consumed_amount IS 'Used by invoices, in units of the currency.';
COMMENT ON COLUMN analytics.prepaid_credits_by_month.voided_amount IS 'Voided, in units of the currency.';
COMMENT ON COLUMN analytics.prepaid_credits_by_month.purchased_credits IS 'Bought and paid, in credits.';
COMMENT ON COLUMN analytics.prepaid_credits_by_month.offered_credits IS 'Given, in credits.';
COMMENT ON COLUMN analytics.prepaid_credits_by_month.consumed_credits IS 'Used by invoices, in credits.';
COMMENT ON COLUMN analytics.prepaid_credits_by_month.voided_credits IS 'Voided, in credits.';
