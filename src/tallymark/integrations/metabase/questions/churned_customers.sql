-- Who was lost, the last ones first.
SELECT m.month, m.organization_name AS organization, c.name AS customer, m.currency, m.starting_amount AS lost
FROM analytics.customer_mrr m JOIN analytics.customers c ON c.id = m.customer_id
WHERE m.movement = 'churn' [[AND m.organization_name = {{organization}}]] [[AND m.currency = {{currency}}]]
ORDER BY m.month DESC, lost DESC, customer
LIMIT 200
