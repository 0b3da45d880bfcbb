CREATE VIEW analytics.billing_entities WITH (security_barrier) AS
SELECT e.id, e.organization_id, e.code, e.name, e.default_currency, e.timezone, e.country, e.created_at, e.archived_at
FROM billing_entities e JOIN analytics_scope s ON s.organization_id = e.organization_id;

COMMENT ON VIEW analytics.billing_entities IS 'Who issues invoices.';
COMMENT ON COLUMN analytics.billing_entities.id IS 'Its id.';
COMMENT ON COLUMN analytics.billing_entities.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.billing_entities.code IS 'Its code, unique in the organization.';
COMMENT ON COLUMN analytics.billing_entities.name IS 'Its name.';
COMMENT ON COLUMN analytics.billing_entities.default_currency IS 'Its currency (ISO 4217).';
COMMENT ON COLUMN analytics.billing_entities.timezone IS 'Its time zone.';
COMMENT ON COLUMN analytics.billing_entities.country IS 'Its country (ISO 3166, two letters).';
COMMENT ON COLUMN analytics.billing_entities.created_at IS 'When it was made.';
COMMENT ON COLUMN analytics.billing_entities.archived_at IS 'When it was archived.';
