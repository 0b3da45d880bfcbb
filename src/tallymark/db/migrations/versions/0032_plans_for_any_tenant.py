"""Row-level security whose plans do not depend on which organization was entered."""

from alembic import op
from sqlalchemy import text

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

VALUE = "NULLIF(current_setting('tallymark.organization_id', true), '')::uuid"


def upgrade() -> None:
    _alter(f"(SELECT {VALUE})")


def downgrade() -> None:
    _alter(VALUE)


def _alter(value: str) -> None:
    found = text(
        "SELECT tablename, ltrim(split_part(qual, ' = ', 1), '(') FROM pg_policies WHERE policyname = 'tenant'"
    )
    for table, column in op.get_bind().execute(found).all():
        is_own = f"{column} = {value}"
        op.execute(f"ALTER POLICY tenant ON {table} USING ({is_own}) WITH CHECK ({is_own})")
