-- Overdue invoices, the longest first.
SELECT o.name AS organization, c.name AS customer, i.number, i.payment_due_date AS due,
       (o.current_at AT TIME ZONE 'UTC')::date - i.payment_due_date AS days_overdue, i.currency, i.total_due_amount AS overdue
FROM analytics.invoices i
JOIN analytics.organizations o ON o.id = i.organization_id
JOIN analytics.customers c ON c.id = i.customer_id
WHERE i.is_overdue [[AND o.name = {{organization}}]] [[AND i.currency = {{currency}}]]
ORDER BY i.payment_due_date, i.currency, overdue DESC, i.number
LIMIT 200
