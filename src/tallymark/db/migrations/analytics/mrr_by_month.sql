CREATE VIEW analytics.mrr_by_month WITH (security_barrier) AS
WITH base_prices AS (
    SELECT f.organization_id, s.organization_name, s.first_month, s.current_month, f.subscription_id, f.currency, p.interval,
           f.pay_in_advance AS in_advance, i.issuing_date, date_trunc('month', i.issuing_date::timestamp)::date AS issued_in,
           -- As many decimals as it takes for thousands of shares to add up to what exact fractions do.
           (f.amount_cents - f.precise_coupons_amount_cents + f.taxes_amount_cents)::numeric(90, 30) AS cents,
           floor(extract(epoch FROM f.to_at - f.from_at - interval '1 microsecond') / 60) AS minutes
    FROM invoices i
    JOIN analytics_scope s ON s.organization_id = i.organization_id
    JOIN fees f ON f.invoice_id = i.id
    JOIN plans p ON p.id = f.plan_id
    WHERE f.fee_type = 'subscription' AND i.status = 'finalized' AND i.payment_dispute_lost_at IS NULL AND NOT i.self_billed
      AND i.issuing_date < s.current_month + interval '1 month'
), long AS (
    -- A month has 30.44 days, which are 43,833.6 minutes.
    SELECT *, greatest(ceil(minutes / 43833.6), 1)::integer AS months, cents * 43833.6 / nullif(minutes, 0) AS each,
           extract(day FROM issued_in + interval '1 month' - issuing_date::timestamp)::numeric
               / extract(day FROM issued_in + interval '1 month - 1 day') AS first_share
    FROM base_prices WHERE interval IN ('quarterly', 'semiannual', 'yearly')
), attributed AS (
    SELECT organization_id, organization_name, first_month, current_month, currency, issued_in AS month, cents
    FROM base_prices WHERE interval = 'monthly'
    UNION ALL
    SELECT organization_id, organization_name, first_month, current_month, currency,
           (issued_in + make_interval(months => CASE WHEN in_advance THEN place ELSE -place END))::date,
           CASE WHEN months = 1 THEN cents
                WHEN NOT in_advance AND place < months - 1 THEN each
                WHEN NOT in_advance THEN cents - (months - 1) * each
                WHEN place = 0 THEN each * first_share
                WHEN place < months - 1 THEN each
                ELSE cents - each * first_share - (months - 2) * each END
    FROM long CROSS JOIN LATERAL generate_series(0, months - 1) AS place
    UNION ALL
    SELECT organization_id, organization_name, first_month, current_month, currency, issued_in, avg(cents) * 4.33
    FROM base_prices WHERE interval = 'weekly'
    GROUP BY organization_id, organization_name, first_month, current_month, currency, issued_in, subscription_id
)
SELECT organization_id, organization_name, month, currency, round(round(sum(cents), 12))::bigint AS amount_cents,
       analytics.major_units(round(round(sum(cents), 12)), currency) AS amount
FROM attributed
WHERE month >= first_month AND month <= current_month
GROUP BY organization_id, organization_name, month, currency;

COMMENT ON VIEW analytics.mrr_by_month IS
    'Monthly recurring revenue that was invoiced: base prices after coupons with taxes, spread over the months of their periods: GET /api/v1/analytics/mrr. A month without any has no row.';
COMMENT ON COLUMN analytics.mrr_by_month.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.mrr_by_month.organization_name IS 'The organization''s name.';
COMMENT ON COLUMN analytics.mrr_by_month.month IS 'The first day of the month.';
COMMENT ON COLUMN analytics.mrr_by_month.currency IS 'The currency (ISO 4217).';
COMMENT ON COLUMN analytics.mrr_by_month.amount_cents IS 'The recurring revenue of the month, rounded once, in minor units.';
COMMENT ON COLUMN analytics.mrr_by_month.amount IS 'The same in units of the currency.';
