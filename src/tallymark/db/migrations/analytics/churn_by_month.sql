CREATE VIEW analytics.churn_by_month WITH (security_barrier) AS
SELECT organization_id, organization_name, month, currency, customers_at_start, customers_new, customers_reactivated,
       customers_churned, customers_at_end,
       round(100.0 * customers_churned / nullif(customers_at_start, 0), 2) AS customer_churn_percent,
       starting_amount_cents, churned_amount_cents, contracted_amount_cents,
       round(100.0 * churned_amount_cents / nullif(starting_amount_cents, 0), 2) AS revenue_churn_percent,
       round(100.0 * kept_amount_cents / nullif(starting_amount_cents, 0), 2) AS net_revenue_retention_percent,
       analytics.major_units(churned_amount_cents, currency) AS churned_amount
FROM (
    SELECT organization_id, organization_name, month, currency,
           count(*) FILTER (WHERE starting_amount_cents > 0) AS customers_at_start,
           count(*) FILTER (WHERE movement IN ('new', 'reactivation')) AS customers_new,
           count(*) FILTER (WHERE movement = 'reactivation') AS customers_reactivated,
           count(*) FILTER (WHERE movement = 'churn') AS customers_churned,
           count(*) FILTER (WHERE ending_amount_cents > 0) AS customers_at_end,
           sum(starting_amount_cents)::bigint AS starting_amount_cents,
           coalesce(-sum(change_amount_cents) FILTER (WHERE movement = 'churn'), 0)::bigint AS churned_amount_cents,
           coalesce(-sum(change_amount_cents) FILTER (WHERE movement = 'contraction'), 0)::bigint AS contracted_amount_cents,
           coalesce(sum(ending_amount_cents) FILTER (WHERE starting_amount_cents > 0), 0)::bigint AS kept_amount_cents
    FROM analytics.customer_mrr
    GROUP BY organization_id, organization_name, month, currency
) counted;

COMMENT ON VIEW analytics.churn_by_month IS 'Customers and recurring revenue that were lost and kept, by the month; as customer_mrr has them.';
COMMENT ON COLUMN analytics.churn_by_month.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.churn_by_month.organization_name IS 'The organization''s name.';
COMMENT ON COLUMN analytics.churn_by_month.month IS 'The first day of the month (UTC).';
COMMENT ON COLUMN analytics.churn_by_month.currency IS 'The currency (ISO 4217).';
COMMENT ON COLUMN analytics.churn_by_month.customers_at_start IS 'Customers with recurring revenue when the month began.';
COMMENT ON COLUMN analytics.churn_by_month.customers_new IS 'Customers with none when it began and some when it ended, those who came back among them.';
COMMENT ON COLUMN analytics.churn_by_month.customers_reactivated IS 'Those of them who had some in an earlier month.';
COMMENT ON COLUMN analytics.churn_by_month.customers_churned IS 'Customers with some when it began and none when it ended.';
COMMENT ON COLUMN analytics.churn_by_month.customers_at_end IS 'Customers with recurring revenue when it ended.';
COMMENT ON COLUMN analytics.churn_by_month.customer_churn_percent IS 'Churned customers of a hundred at the start; nothing where there was none.';
COMMENT ON COLUMN analytics.churn_by_month.starting_amount_cents IS 'Recurring revenue when the month began, in minor units.';
COMMENT ON COLUMN analytics.churn_by_month.churned_amount_cents IS 'What was lost with churned customers, in minor units; positive.';
COMMENT ON COLUMN analytics.churn_by_month.contracted_amount_cents IS 'What customers who stayed have less, in minor units; positive.';
COMMENT ON COLUMN analytics.churn_by_month.revenue_churn_percent IS 'Churned of a hundred units of recurring revenue at the start.';
COMMENT ON COLUMN analytics.churn_by_month.net_revenue_retention_percent IS 'What the customers of the start have at the end, of a hundred units then: above 100 where they grew.';
COMMENT ON COLUMN analytics.churn_by_month.churned_amount IS 'What was lost with churned customers, in units of the currency.';
