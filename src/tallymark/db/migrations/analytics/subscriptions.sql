CREATE VIEW analytics.subscriptions WITH (security_barrier) AS
SELECT u.id, u.organization_id, u.customer_id, u.plan_id, coalesce(p.parent_id, p.id) AS sold_plan_id,
       coalesce(u.billing_entity_id, c.billing_entity_id) AS billing_entity_id, u.previous_subscription_id, u.external_id,
       u.name, u.status, u.billing_time, u.subscription_at, u.started_at, u.trial_ended_at, u.ending_at, u.terminated_at,
       u.canceled_at, u.created_at
FROM subscriptions u
JOIN analytics_scope s ON s.organization_id = u.organization_id
JOIN customers c ON c.id = u.customer_id
JOIN plans p ON p.id = u.plan_id;

COMMENT ON VIEW analytics.subscriptions IS 'Customers on plans. A change of plan ends one and begins another with the same external id.';
COMMENT ON COLUMN analytics.subscriptions.id IS 'Its id.';
COMMENT ON COLUMN analytics.subscriptions.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.subscriptions.customer_id IS 'Its customer.';
COMMENT ON COLUMN analytics.subscriptions.plan_id IS 'The plan whose prices it has.';
COMMENT ON COLUMN analytics.subscriptions.sold_plan_id IS 'The plan that was sold: the same, or its parent where the prices are this subscription''s own.';
COMMENT ON COLUMN analytics.subscriptions.billing_entity_id IS 'Who issues its invoices.';
COMMENT ON COLUMN analytics.subscriptions.previous_subscription_id IS 'The one that it took the place of.';
COMMENT ON COLUMN analytics.subscriptions.external_id IS 'Its id in the organization''s own systems.';
COMMENT ON COLUMN analytics.subscriptions.name IS 'Its name, where it has one.';
COMMENT ON COLUMN analytics.subscriptions.status IS 'pending, incomplete, active, terminated or canceled.';
COMMENT ON COLUMN analytics.subscriptions.billing_time IS 'calendar or anniversary.';
COMMENT ON COLUMN analytics.subscriptions.subscription_at IS 'When it was to begin; the anchor of anniversaries.';
COMMENT ON COLUMN analytics.subscriptions.started_at IS 'When it began.';
COMMENT ON COLUMN analytics.subscriptions.trial_ended_at IS 'When its trial ended.';
COMMENT ON COLUMN analytics.subscriptions.ending_at IS 'When it is to end, where that is set.';
COMMENT ON COLUMN analytics.subscriptions.terminated_at IS 'When it ended.';
COMMENT ON COLUMN analytics.subscriptions.canceled_at IS 'When it was called off before it began.';
COMMENT ON COLUMN analytics.subscriptions.created_at IS 'When it was made.';
