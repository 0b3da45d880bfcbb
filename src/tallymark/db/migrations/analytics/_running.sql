-- Each subscription that ran at the end of a month, the current one's being now, with a month's worth of its base price after coupons
-- that are a share. Granted to nobody.
CREATE VIEW analytics_running AS
WITH ends AS (
    SELECT s.organization_id, s.organization_name, s.first_month, s.current_month, month::date AS month,
           least((month + interval '1 month') AT TIME ZONE 'UTC', s.current_at) AS ends_at
    FROM analytics_scope s
    CROSS JOIN LATERAL generate_series(s.first_month - interval '1 month', s.current_month::timestamp, interval '1 month') AS month
), recurring AS (
    -- Most customers have no coupon that recurs: nothing is looked for where there is none.
    SELECT DISTINCT a.customer_id
    FROM applied_coupons a JOIN analytics_scope s ON s.organization_id = a.organization_id
    WHERE a.frequency IN ('recurring', 'forever')
)
SELECT e.organization_id, e.organization_name, e.first_month, e.current_month, e.month, e.ends_at, u.customer_id,
       u.id AS subscription_id, coalesce(p.parent_id, p.id) AS plan_id, p.amount_currency AS currency, monthly.pace,
       recurring.customer_id IS NOT NULL AS has_coupons,
       p.amount_cents * monthly.pace * CASE WHEN recurring.customer_id IS NULL THEN 1 ELSE coalesce((
           SELECT CASE WHEN bool_or(a.percentage_rate >= 100) THEN 0
                       ELSE round(exp(sum(ln(1 - least(a.percentage_rate, 99.9) / 100))), 12) END
           FROM applied_coupons a JOIN coupons k ON k.id = a.coupon_id
           WHERE a.customer_id = u.customer_id AND a.frequency IN ('recurring', 'forever') AND NOT k.limited_billable_metrics
             AND a.percentage_rate IS NOT NULL
             AND a.created_at < e.ends_at AND (a.terminated_at IS NULL OR a.terminated_at >= e.ends_at)
             AND (NOT k.limited_plans OR EXISTS (
                 SELECT FROM coupon_targets t WHERE t.coupon_id = k.id AND t.plan_id = coalesce(p.parent_id, p.id)))
       ), 1) END AS cents
FROM ends e
JOIN subscriptions u ON u.organization_id = e.organization_id AND u.status IN ('active', 'terminated')
     AND u.started_at < e.ends_at AND (u.terminated_at IS NULL OR u.terminated_at >= e.ends_at)
JOIN plans p ON p.id = u.plan_id
JOIN customers c ON c.id = u.customer_id AND c.account_type <> 'partner'
LEFT JOIN recurring ON recurring.customer_id = u.customer_id
CROSS JOIN LATERAL (SELECT CASE p.interval WHEN 'yearly' THEN 1.0 / 12 WHEN 'semiannual' THEN 1.0 / 6
                                           WHEN 'quarterly' THEN 1.0 / 3 WHEN 'weekly' THEN 4.33 ELSE 1 END AS pace) AS monthly;
