-- New, reactivated, more, less and lost: each movement of each currency is a series of its own, for currencies don't add up.
SELECT month, kind || ' ' || currency AS movement, sum(amount) AS amount
FROM analytics.mrr_movements_by_month
CROSS JOIN LATERAL (VALUES
    ('new', new_amount - reactivation_amount), ('reactivation', reactivation_amount), ('expansion', expansion_amount),
    ('contraction', contraction_amount), ('churn', churn_amount)
) AS moves (kind, amount)
WHERE true [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY month, currency, kind
ORDER BY month, currency, kind
