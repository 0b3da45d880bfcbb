-- What the views lean on. None of it is granted to anybody: a view reads with the rights of its owner.

CREATE SCHEMA analytics;
COMMENT ON SCHEMA analytics IS
    'What is earned, billed, owed and used, for reading: stable views, of which each role sees the organizations that it was granted.';

CREATE TABLE analytics_readers (
    role_name text NOT NULL,
    organization_id uuid REFERENCES organizations (id),
    granted_at timestamptz NOT NULL,
    CONSTRAINT analytics_readers_pkey PRIMARY KEY (role_name)
);

-- The organizations that the role which asks may read, with their now: a test clock's, else the system's. `current_user` is the role that
-- is connected, for a role without memberships can become no other; nothing that it may set is looked at.
CREATE VIEW analytics_scope AS
SELECT o.id AS organization_id, o.name AS organization_name, o.slug, o.created_at,
       clock.organization_id IS NOT NULL AS is_simulated, clocks.current_at,
       date_trunc('month', least(o.created_at, clocks.current_at) AT TIME ZONE 'UTC')::date AS first_month,
       date_trunc('month', clocks.current_at AT TIME ZONE 'UTC')::date AS current_month
FROM organizations o
LEFT JOIN test_clocks clock ON clock.organization_id = o.id
-- A test clock goes on by a microsecond a request, and whoever reads this asks after the last one.
CROSS JOIN LATERAL (SELECT coalesce(clock.frozen_time + (clock.calls + 1) * interval '1 microsecond', now()) AS current_at) AS clocks
WHERE EXISTS (SELECT FROM analytics_readers r
              WHERE r.role_name = current_user AND (r.organization_id IS NULL OR r.organization_id = o.id));

CREATE FUNCTION analytics.subunits(currency text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'HUF', 'ISK', 'JPY', 'KMF', 'KRW', 'MGA', 'PYG', 'RWF', 'UGX', 'VND', 'VUV',
                      'XAF', 'XOF', 'XPF') THEN 1
    WHEN currency IN ('BHD', 'JOD', 'KWD') THEN 1000
    WHEN currency = 'CLF' THEN 10000
    WHEN currency = 'MRO' THEN 5
    ELSE 100
END;
COMMENT ON FUNCTION analytics.subunits IS 'How many minor units make one unit of a currency: 100 for EUR, 1 for JPY.';

CREATE FUNCTION analytics.major_units(cents numeric, currency text) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN trim_scale(cents / analytics.subunits(currency));
COMMENT ON FUNCTION analytics.major_units IS 'Minor units as an amount for people: 1234 cents of EUR are 12.34.';
