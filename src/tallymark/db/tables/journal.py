"""Tables of the journal: entries and their lines. The database adds to them and refuses everything else."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    UniqueConstraint,
    Uuid,
)

from tallymark.db.tables.columns import cents, id_column, instant, metadata, reference, string, tenant_column

# One customer and one currency an entry. That its lines balance, and that nothing is changed, triggers see to.
journal_entries = Table(
    "journal_entries",
    metadata,
    id_column(),
    tenant_column(),
    # The order of entries; it has gaps, for it is shared by all organizations.
    Column("sequence", BigInteger, Identity(always=True), nullable=False),
    reference("customer_id", "customers", index=True),
    string("currency", nullable=False),
    string("document_type", nullable=False),
    Column("document_id", Uuid, nullable=False, index=True),
    string("document_number"),
    string("cause", nullable=False),
    instant("posted_at", nullable=False),
    UniqueConstraint("organization_id", "sequence"),
)

journal_lines = Table(
    "journal_lines",
    metadata,
    reference("entry_id", "journal_entries"),
    Column("position", SmallInteger, nullable=False),
    tenant_column(),
    string("account", nullable=False),
    cents("debit_cents"),
    cents("credit_cents"),
    PrimaryKeyConstraint("entry_id", "position"),
    CheckConstraint(
        "debit_cents >= 0 AND credit_cents >= 0 AND (debit_cents > 0) <> (credit_cents > 0)", name="one_side"
    ),
)
