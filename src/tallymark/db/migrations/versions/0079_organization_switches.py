"""Staff hold things back for one organization."""

from alembic import op

from tallymark.db.tenancy import isolate

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE organization_switches (
            organization_id uuid NOT NULL CONSTRAINT organization_switches_organization_id_fkey REFERENCES organizations (id),
            switch text NOT NULL,
            since timestamptz NOT NULL,
            CONSTRAINT organization_switches_pkey PRIMARY KEY (organization_id, switch)
        )
    """)
    for statement in isolate("organization_switches", verbs="SELECT"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE organization_switches")
