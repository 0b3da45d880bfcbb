"""Why jobs failed is kept beside the queue."""

from alembic import op

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE job_errors (
            job_id bigint NOT NULL CONSTRAINT job_errors_pkey PRIMARY KEY,
            error text NOT NULL,
            failed_at timestamptz NOT NULL
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE job_errors")
