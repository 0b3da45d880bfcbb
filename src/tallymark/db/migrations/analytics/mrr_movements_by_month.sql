CREATE VIEW analytics.mrr_movements_by_month WITH (security_barrier) AS
SELECT *, analytics.major_units(starting_amount_cents, currency) AS starting_amount,
       analytics.major_units(new_amount_cents, currency) AS new_amount,
       analytics.major_units(reactivation_amount_cents, currency) AS reactivation_amount,
       analytics.major_units(expansion_amount_cents, currency) AS expansion_amount,
       analytics.major_units(contraction_amount_cents, currency) AS contraction_amount,
       analytics.major_units(churn_amount_cents, currency) AS churn_amount,
       analytics.major_units(ending_amount_cents, currency) AS ending_amount
FROM (
    SELECT organization_id, organization_name, month, currency,
           sum(starting_amount_cents)::bigint AS starting_amount_cents,
           coalesce(sum(change_amount_cents) FILTER (WHERE movement IN ('new', 'reactivation')), 0)::bigint AS new_amount_cents,
           coalesce(sum(change_amount_cents) FILTER (WHERE movement = 'reactivation'), 0)::bigint AS reactivation_amount_cents,
           coalesce(sum(change_amount_cents) FILTER (WHERE movement = 'expansion'), 0)::bigint AS expansion_amount_cents,
           coalesce(sum(change_amount_cents) FILTER (WHERE movement = 'contraction'), 0)::bigint AS contraction_amount_cents,
           coalesce(sum(change_amount_cents) FILTER (WHERE movement = 'churn'), 0)::bigint AS churn_amount_cents,
           sum(change_amount_cents)::bigint AS change_amount_cents,
           sum(ending_amount_cents)::bigint AS ending_amount_cents
    FROM analytics.customer_mrr
    GROUP BY organization_id, organization_name, month, currency
) summed;

COMMENT ON VIEW analytics.mrr_movements_by_month IS
    'How the recurring revenue of subscriptions that run moved by the month: GET /app/v1/analytics/mrr_movements. Starting, new, expansion, contraction and churn add up to ending.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.organization_name IS 'The organization''s name.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.month IS 'The first day of the month (UTC).';
COMMENT ON COLUMN analytics.mrr_movements_by_month.currency IS 'The currency (ISO 4217).';
COMMENT ON COLUMN analytics.mrr_movements_by_month.starting_amount_cents IS 'When the month began, in minor units.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.new_amount_cents IS 'Of customers who had none when it began, in minor units.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.reactivation_amount_cents IS 'The part of new whose customers had some in an earlier month, in minor units.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.expansion_amount_cents IS 'What customers had more, in minor units.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.contraction_amount_cents IS 'What customers had less, in minor units: zero or negative.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.churn_amount_cents IS 'What was lost with customers who had none when it ended, in minor units: zero or negative.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.change_amount_cents IS 'Ending less starting, in minor units.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.ending_amount_cents IS 'When the month ended, the current one now, in minor units.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.starting_amount IS 'When the month began, in units of the currency.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.new_amount IS 'Of customers who had none when it began, in units of the currency.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.reactivation_amount IS 'The part of new whose customers had some in an earlier month, in units of the currency.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.expansion_amount IS 'What customers had more, in units of the currency.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.contraction_amount IS 'What customers had less, in units of the currency: zero or negative.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.churn_amount IS 'What was lost with customers, in units of the currency: zero or negative.';
COMMENT ON COLUMN analytics.mrr_movements_by_month.ending_amount IS 'When the month ended, in units of the currency.';
