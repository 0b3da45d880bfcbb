CREATE VIEW analytics.invoices WITH (security_barrier) AS
SELECT i.id, i.organization_id, i.customer_id, i.billing_entity_id, i.number, i.invoice_type, i.status, i.payment_status,
       i.status = 'finalized' AND i.payment_dispute_lost_at IS NULL AND NOT i.self_billed AS is_counted,
       i.payment_overdue AND i.status <> 'deleted' AND NOT i.self_billed AS is_overdue,
       i.self_billed AS is_self_billed, i.payment_dispute_lost_at IS NOT NULL AS is_dispute_lost,
       i.issuing_date, i.payment_due_date, i.currency,
       i.fees_amount_cents, i.progressive_billing_credit_amount_cents, i.coupons_amount_cents, i.taxes_amount_cents,
       i.credit_notes_amount_cents, i.prepaid_credit_amount_cents, i.total_amount_cents,
       analytics.major_units(i.total_amount_cents, i.currency) AS total_amount,
       i.total_paid_amount_cents, analytics.major_units(i.total_paid_amount_cents, i.currency) AS total_paid_amount,
       i.offset_amount_cents,
       i.total_amount_cents - i.total_paid_amount_cents - i.offset_amount_cents AS total_due_amount_cents,
       analytics.major_units(i.total_amount_cents - i.total_paid_amount_cents - i.offset_amount_cents, i.currency)
           AS total_due_amount,
       CASE WHEN i.payment_status = 'succeeded' THEN paid.paid_at END AS paid_at,
       CASE WHEN i.payment_status = 'succeeded'
            THEN (paid.paid_at AT TIME ZONE i.timezone)::date - i.issuing_date END AS days_to_pay,
       CASE WHEN i.payment_status = 'succeeded'
            THEN (paid.paid_at AT TIME ZONE i.timezone)::date <= i.payment_due_date END AS is_paid_in_time,
       i.finalized_at, i.voided_at, i.created_at
FROM invoices i
JOIN analytics_scope s ON s.organization_id = i.organization_id
LEFT JOIN (
    SELECT invoice_id, max(paid_at) AS paid_at
    FROM (
        SELECT p.invoice_id, p.created_at AS paid_at
        FROM payments p JOIN analytics_scope s ON s.organization_id = p.organization_id
        WHERE p.payment_status = 'succeeded' AND p.invoice_id IS NOT NULL
        UNION ALL
        SELECT asked.invoice_id, p.created_at
        FROM payments p
        JOIN analytics_scope s ON s.organization_id = p.organization_id
        JOIN payment_requests_invoices asked ON asked.payment_request_id = p.payment_request_id
        WHERE p.payment_status = 'succeeded' AND asked.paid_amount_cents > 0
    ) payments_of_invoices
    GROUP BY invoice_id
) paid ON paid.invoice_id = i.id
WHERE i.status IN ('draft', 'pending', 'failed', 'finalized', 'voided');

COMMENT ON VIEW analytics.invoices IS 'Invoices that the API shows, drafts and void ones too. Sums of revenue take those that are counted.';
COMMENT ON COLUMN analytics.invoices.id IS 'Its id.';
COMMENT ON COLUMN analytics.invoices.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.invoices.customer_id IS 'Who is billed.';
COMMENT ON COLUMN analytics.invoices.billing_entity_id IS 'Who issued it.';
COMMENT ON COLUMN analytics.invoices.number IS 'Its number.';
COMMENT ON COLUMN analytics.invoices.invoice_type IS 'subscription, one_off, credit, advance_charges or progressive_billing.';
COMMENT ON COLUMN analytics.invoices.status IS 'draft, pending, failed, finalized or voided.';
COMMENT ON COLUMN analytics.invoices.payment_status IS 'pending, succeeded or failed.';
COMMENT ON COLUMN analytics.invoices.is_counted IS 'Whether sums of revenue take it: finalized, no dispute over it lost, not issued to a partner.';
COMMENT ON COLUMN analytics.invoices.is_overdue IS 'Whether something of it is due and its due date has gone by.';
COMMENT ON COLUMN analytics.invoices.is_self_billed IS 'Whether it was issued in the name of a partner.';
COMMENT ON COLUMN analytics.invoices.is_dispute_lost IS 'Whether a dispute over it was lost.';
COMMENT ON COLUMN analytics.invoices.issuing_date IS 'The day of issue, where the customer lives.';
COMMENT ON COLUMN analytics.invoices.payment_due_date IS 'The day until which it is to be paid.';
COMMENT ON COLUMN analytics.invoices.currency IS 'Its currency (ISO 4217).';
COMMENT ON COLUMN analytics.invoices.fees_amount_cents IS 'The sum of its fees, in minor units.';
COMMENT ON COLUMN analytics.invoices.progressive_billing_credit_amount_cents IS 'What progressive invoices of the period had billed already, in minor units.';
COMMENT ON COLUMN analytics.invoices.coupons_amount_cents IS 'What coupons took off, in minor units.';
COMMENT ON COLUMN analytics.invoices.taxes_amount_cents IS 'Taxes, in minor units.';
COMMENT ON COLUMN analytics.invoices.credit_notes_amount_cents IS 'What credit notes took off, in minor units.';
COMMENT ON COLUMN analytics.invoices.prepaid_credit_amount_cents IS 'What wallets paid, in minor units.';
COMMENT ON COLUMN analytics.invoices.total_amount_cents IS 'What is to be paid, in minor units.';
COMMENT ON COLUMN analytics.invoices.total_amount IS 'What is to be paid, in units of the currency.';
COMMENT ON COLUMN analytics.invoices.total_paid_amount_cents IS 'What payments have paid of it, in minor units.';
COMMENT ON COLUMN analytics.invoices.total_paid_amount IS 'What payments have paid of it, in units of the currency.';
COMMENT ON COLUMN analytics.invoices.offset_amount_cents IS 'What credit notes took off what is due, in minor units.';
COMMENT ON COLUMN analytics.invoices.total_due_amount_cents IS 'What is left to be paid, in minor units.';
COMMENT ON COLUMN analytics.invoices.total_due_amount IS 'What is left to be paid, in units of the currency.';
COMMENT ON COLUMN analytics.invoices.paid_at IS 'When its last payment was made, of one that is paid; nothing where no payment is known.';
COMMENT ON COLUMN analytics.invoices.days_to_pay IS 'From its issuing date to that day, where the customer lives.';
COMMENT ON COLUMN analytics.invoices.is_paid_in_time IS 'Whether that was on its due date or before.';
COMMENT ON COLUMN analytics.invoices.finalized_at IS 'When it was issued.';
COMMENT ON COLUMN analytics.invoices.voided_at IS 'When it was voided.';
COMMENT ON COLUMN analytics.invoices.created_at IS 'When it was made.';
