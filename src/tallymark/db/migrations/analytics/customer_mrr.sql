CREATE VIEW analytics.customer_mrr WITH (security_barrier) AS
WITH of_months AS (
    SELECT organization_id, organization_name, first_month, current_month, month, currency, customer_id,
           round(round(greatest(sum(cents) - CASE WHEN bool_or(has_coupons) THEN coalesce((
               SELECT sum(a.amount_cents)
               FROM applied_coupons a JOIN coupons k ON k.id = a.coupon_id
               WHERE a.customer_id = r.customer_id AND a.frequency IN ('recurring', 'forever')
                 AND NOT k.limited_billable_metrics AND a.amount_currency = r.currency
                 AND a.created_at < max(r.ends_at) AND (a.terminated_at IS NULL OR a.terminated_at >= max(r.ends_at))
                 AND (NOT k.limited_plans OR EXISTS (
                     SELECT FROM coupon_targets t WHERE t.coupon_id = k.id AND t.plan_id = ANY(array_agg(r.plan_id))))
           ), 0) * max(pace) ELSE 0 END, 0), 12))::bigint AS cents
    FROM analytics_running r
    GROUP BY organization_id, organization_name, first_month, current_month, month, currency, customer_id
), moved AS (
    SELECT organization_id, organization_name, first_month, current_month, month, currency, customer_id,
           sum(was)::bigint AS was, sum(became)::bigint AS became
    FROM (
        SELECT organization_id, organization_name, first_month, current_month, month, currency, customer_id,
               0 AS was, cents AS became
        FROM of_months
        UNION ALL
        SELECT organization_id, organization_name, first_month, current_month, (month + interval '1 month')::date, currency,
               customer_id, cents, 0
        FROM of_months
    ) both_ends
    GROUP BY organization_id, organization_name, first_month, current_month, month, currency, customer_id
), known AS (
    SELECT *, min(month) FILTER (WHERE became > 0) OVER (PARTITION BY customer_id, currency) AS first_paid FROM moved
)
SELECT organization_id, organization_name, month, customer_id, currency,
       CASE WHEN was = 0 AND became = 0 THEN 'none'
            WHEN was = 0 AND first_paid < month THEN 'reactivation'
            WHEN was = 0 THEN 'new'
            WHEN became = 0 THEN 'churn'
            WHEN became > was THEN 'expansion'
            WHEN became < was THEN 'contraction'
            ELSE 'unchanged' END AS movement,
       was AS starting_amount_cents, became - was AS change_amount_cents, became AS ending_amount_cents,
       analytics.major_units(was, currency) AS starting_amount, analytics.major_units(became - was, currency) AS change_amount,
       analytics.major_units(became, currency) AS ending_amount
FROM known
WHERE month >= first_month AND month <= current_month;

COMMENT ON VIEW analytics.customer_mrr IS
    'The recurring revenue of each customer at the beginning and the end of each month: a month''s worth of the base prices of the subscriptions that ran, after coupons that recur, before taxes. The current month ends now.';
COMMENT ON COLUMN analytics.customer_mrr.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.customer_mrr.organization_name IS 'The organization''s name.';
COMMENT ON COLUMN analytics.customer_mrr.month IS 'The first day of the month (UTC).';
COMMENT ON COLUMN analytics.customer_mrr.customer_id IS 'The customer.';
COMMENT ON COLUMN analytics.customer_mrr.currency IS 'The currency (ISO 4217).';
COMMENT ON COLUMN analytics.customer_mrr.movement IS
    'new, reactivation (none at the beginning, but in an earlier month), expansion, contraction, churn, unchanged, or none at either end.';
COMMENT ON COLUMN analytics.customer_mrr.starting_amount_cents IS 'Recurring revenue when the month began, in minor units.';
COMMENT ON COLUMN analytics.customer_mrr.change_amount_cents IS 'How it changed, in minor units.';
COMMENT ON COLUMN analytics.customer_mrr.ending_amount_cents IS 'Recurring revenue when the month ended, in minor units.';
COMMENT ON COLUMN analytics.customer_mrr.starting_amount IS 'Recurring revenue when the month began, in units of the currency.';
COMMENT ON COLUMN analytics.customer_mrr.change_amount IS 'How it changed, in units of the currency.';
COMMENT ON COLUMN analytics.customer_mrr.ending_amount IS 'Recurring revenue when the month ended, in units of the currency.';
