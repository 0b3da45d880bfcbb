"""Tables of invoice custom sections: blocks of text printed on invoices, who selects them, and their copies."""

from sqlalchemy import Column, ForeignKey, Index, Table, Uuid, text

from tallymark.db.tables.columns import (
    id_column,
    implied,
    instant,
    metadata,
    organization_column,
    reference,
    string,
    timestamps,
)

invoice_custom_sections = Table(
    "invoice_custom_sections",
    metadata,
    id_column(),
    organization_column(),
    string("code", nullable=False),
    string("name", nullable=False),
    string("description"),
    string("display_name"),
    string("details"),
    *timestamps(),
    instant("deleted_at"),
    Index(
        "invoice_custom_sections_code_key",
        "organization_id",
        "code",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
)


def sections_of(owners: str) -> Table:
    """The sections that an owner of this kind has selected."""
    return Table(
        f"{owners}_custom_sections",
        metadata,
        organization_column(),
        Column("owner_id", Uuid, ForeignKey(f"{owners}.id"), primary_key=True),
        Column("section_id", Uuid, ForeignKey("invoice_custom_sections.id"), primary_key=True, index=True),
    )


billing_entities_custom_sections = sections_of("billing_entities")
customers_custom_sections = sections_of("customers")
subscriptions_custom_sections = sections_of("subscriptions")
wallets_custom_sections = sections_of("wallets")
wallet_transactions_custom_sections = sections_of("wallet_transactions")
recurring_transaction_rules_custom_sections = sections_of("recurring_transaction_rules")

# Copied when the invoice is computed: later changes of a section do not touch it.
invoices_applied_custom_sections = Table(
    "invoices_applied_custom_sections",
    metadata,
    id_column(),
    organization_column(),
    reference("invoice_id", "invoices", index=True),
    string("code", nullable=False),
    string("name", nullable=False),
    string("display_name"),
    string("details"),
    # Where it tells how the customer sends money; without details it waits for their provider, and is not shown.
    implied("funding_instructions_id", nullable=True),
    instant("created_at", nullable=False),
)
