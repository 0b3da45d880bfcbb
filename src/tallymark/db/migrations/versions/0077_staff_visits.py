"""Staff look into organizations as their members, for a while."""

from alembic import op

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None

VISITS = """
CREATE TABLE staff_visits (
    id uuid NOT NULL CONSTRAINT staff_visits_pkey PRIMARY KEY,
    login text NOT NULL,
    user_id uuid NOT NULL,
    visited_organization_id uuid NOT NULL,
    is_read_only boolean NOT NULL DEFAULT true,
    reason text NOT NULL,
    link_hash bytea CONSTRAINT staff_visits_link_hash_key UNIQUE,
    link_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz
);
ALTER TABLE user_sessions ADD COLUMN visit_id uuid;
"""


def upgrade() -> None:
    op.execute(VISITS)


def downgrade() -> None:
    op.execute("ALTER TABLE user_sessions DROP COLUMN visit_id")
    op.execute("DROP TABLE staff_visits")
