"""Expressions as the intake sees them: a change raises the version of what it keeps in memory."""

from alembic import op

from tallymark.db.engine import INGEST_ROLE

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

EXPRESSIONS = """
CREATE FUNCTION tallymark_expressions()
RETURNS TABLE (organization_id uuid, code text, field_name text, expression text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.organization_id, m.code, m.field_name, m.expression
    FROM billable_metrics m
    WHERE m.expression IS NOT NULL AND m.field_name IS NOT NULL AND m.deleted_at IS NULL
$$
"""
IS_ANOTHER = (
    "(OLD.expression IS NOT NULL OR NEW.expression IS NOT NULL)"
    " AND (OLD.code, OLD.deleted_at, OLD.expression, OLD.field_name)"
    " IS DISTINCT FROM (NEW.code, NEW.deleted_at, NEW.expression, NEW.field_name)"
)
TRIGGERS = (
    ("expressions_added", "INSERT", "NEW.expression IS NOT NULL"),
    ("expressions_changed", "UPDATE", IS_ANOTHER),
)


def upgrade() -> None:
    op.execute(EXPRESSIONS)
    for name, what, condition in TRIGGERS:
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {name} AFTER {what} ON billable_metrics DEFERRABLE INITIALLY DEFERRED"
            f" FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION tallymark_raise_version('advance_codes')"
        )
    op.execute("REVOKE ALL ON FUNCTION tallymark_expressions FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION tallymark_expressions TO {INGEST_ROLE}")
