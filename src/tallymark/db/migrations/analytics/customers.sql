CREATE VIEW analytics.customers WITH (security_barrier) AS
SELECT c.id, c.organization_id, c.billing_entity_id, c.external_id,
       coalesce(nullif(c.name, ''), nullif(c.legal_name, ''), nullif(concat_ws(' ', c.firstname, c.lastname), ''),
                c.external_id) AS name,
       c.customer_type, c.account_type, c.country, c.currency, c.timezone, c.created_at, c.deleted_at
FROM customers c JOIN analytics_scope s ON s.organization_id = c.organization_id;

COMMENT ON VIEW analytics.customers IS 'Customers, deleted ones too. Addresses, e-mails, telephone and tax numbers are left out on purpose.';
COMMENT ON COLUMN analytics.customers.id IS 'Its id.';
COMMENT ON COLUMN analytics.customers.organization_id IS 'Its organization.';
COMMENT ON COLUMN analytics.customers.billing_entity_id IS 'Who issues its invoices.';
COMMENT ON COLUMN analytics.customers.external_id IS 'Its id in the organization''s own systems.';
COMMENT ON COLUMN analytics.customers.name IS 'Its name: legal name, first and last name, or external id where it has none.';
COMMENT ON COLUMN analytics.customers.customer_type IS 'company, individual, or nothing.';
COMMENT ON COLUMN analytics.customers.account_type IS 'customer or partner; what is issued to partners is in no sum.';
COMMENT ON COLUMN analytics.customers.country IS 'Its country (ISO 3166, two letters).';
COMMENT ON COLUMN analytics.customers.currency IS 'Its currency (ISO 4217), once it has one.';
COMMENT ON COLUMN analytics.customers.timezone IS 'Its time zone, where it has one of its own.';
COMMENT ON COLUMN analytics.customers.created_at IS 'When it was made.';
COMMENT ON COLUMN analytics.customers.deleted_at IS 'When it was deleted.';
