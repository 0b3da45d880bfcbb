CREATE VIEW analytics.organizations WITH (security_barrier) AS
SELECT organization_id AS id, organization_name AS name, slug, created_at, is_simulated, current_at
FROM analytics_scope;

COMMENT ON VIEW analytics.organizations IS 'The organizations that the role may read.';
COMMENT ON COLUMN analytics.organizations.id IS 'Its id, the organization_id of every other view.';
COMMENT ON COLUMN analytics.organizations.name IS 'Its name.';
COMMENT ON COLUMN analytics.organizations.slug IS 'Its name in addresses, unique.';
COMMENT ON COLUMN analytics.organizations.created_at IS 'When it was made; views by month begin with that month (UTC).';
COMMENT ON COLUMN analytics.organizations.is_simulated IS 'Whether it is a test organization, whose clock is moved by hand.';
COMMENT ON COLUMN analytics.organizations.current_at IS 'Its now: the test clock''s, or the system''s. Views by month end with that month (UTC).';
