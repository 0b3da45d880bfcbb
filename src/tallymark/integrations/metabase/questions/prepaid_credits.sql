-- Prepaid credits that were bought, given, used and voided, in money.
SELECT month, currency, sum(purchased_amount) AS purchased, sum(offered_amount) AS offered, sum(consumed_amount) AS consumed,
       sum(voided_amount) AS voided
FROM analytics.prepaid_credits_by_month
WHERE true [[AND organization_name = {{organization}}]] [[AND currency = {{currency}}]]
GROUP BY month, currency
ORDER BY month DESC, currency
