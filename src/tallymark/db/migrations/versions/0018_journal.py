"""The journal: double entry that is only ever added to."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.tenancy import isolate

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLES = ("journal_entries", "journal_lines")

REFUSE = """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $$
"""

# All lines of an entry are added by one statement, so that each statement can be held to the law by itself.
BALANCE = """
    CREATE FUNCTION journal_lines_balance() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT FROM added GROUP BY entry_id HAVING sum(debit_cents) <> sum(credit_cents)) THEN
            RAISE EXCEPTION 'the debits of an entry are not its credits' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    op.create_table(
        "journal_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("document_type", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("document_number", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("journal_entries_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("journal_entries_customer_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("journal_entries_pkey")),
        sa.UniqueConstraint(
            "organization_id", "sequence", name=op.f("journal_entries_organization_id_sequence_key")
        ),
    )
    op.create_index(op.f("journal_entries_customer_id_idx"), "journal_entries", ["customer_id"])
    op.create_index(op.f("journal_entries_document_id_idx"), "journal_entries", ["document_id"])
    op.create_table(
        "journal_lines",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("debit_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("credit_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "debit_cents >= 0 AND credit_cents >= 0 AND (debit_cents > 0) <> (credit_cents > 0)",
            name=op.f("journal_lines_one_side_check"),
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["journal_entries.id"], name=op.f("journal_lines_entry_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("journal_lines_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("entry_id", "position", name=op.f("journal_lines_pkey")),
    )
    op.execute(REFUSE)
    op.execute(BALANCE)
    op.execute(
        "CREATE TRIGGER balance AFTER INSERT ON journal_lines REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION journal_lines_balance()"
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        for statement in isolate(table, verbs="SELECT, INSERT"):
            op.execute(statement)
