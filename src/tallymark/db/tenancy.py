"""Row-level security: which role may see which rows, as statements for the migrations."""

from __future__ import annotations

from collections.abc import Iterable

from tallymark.db.engine import INGEST_ROLE, TENANT_ROLE

_CURRENT = "(SELECT NULLIF(current_setting('tallymark.organization_id', true), '')::uuid)"
"""The organization entered. As a subquery it is looked up once a statement and not once a row, and the planner does not
know its value: it plans for an organization of the usual size. For the rows of one that was not there at the last ANALYZE it
would plan for none, read all of them instead of one by its key, and that once for each row of a join.
"""


MAY_ACT_AS = "CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END"
"""What `pg_has_role` is asked: from PostgreSQL 16 on whoever makes a role is its member, but may not act as it until that is granted."""


def create_roles(roles: Iterable[str] = (TENANT_ROLE, INGEST_ROLE)) -> list[str]:
    """Make the roles where they are missing, and let the user act as them; they belong to the whole server, and other databases may share them."""
    return [
        f"""
        DO $$ BEGIN
            PERFORM pg_advisory_xact_lock(hashtext('{role}'));
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
            END IF;
            IF NOT pg_has_role(current_user, '{role}', {MAY_ACT_AS}) THEN
                EXECUTE format('GRANT {role} TO %I', current_user);
            END IF;
        END $$
        """
        for role in roles
    ]


def isolate(
    table: str, *, column: str = "organization_id", verbs: str = "SELECT, INSERT, UPDATE, DELETE"
) -> list[str]:
    """Let tenants see and write only their own rows of a table."""
    is_own = f"{column} = {_CURRENT}"
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} TO {TENANT_ROLE} USING ({is_own}) WITH CHECK ({is_own})",
        f"GRANT {verbs} ON {table} TO {TENANT_ROLE}",
    ]
