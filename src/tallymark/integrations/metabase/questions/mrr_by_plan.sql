-- What recurs now, by plan.
SELECT plan_name, plan_interval, currency, sum(amount) AS mrr, sum(customers_count) AS customers
FROM analytics.mrr_by_plan
WHERE true [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY plan_id, plan_name, plan_interval, currency
ORDER BY currency, mrr DESC, plan_name
