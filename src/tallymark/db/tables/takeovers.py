"""What was taken over from another system: how far that is, and what it had billed that later bills depend on."""

from sqlalchemy import Column, PrimaryKeyConstraint, Table
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import (
    cents,
    id_column,
    instant,
    metadata,
    organization_column,
    precise,
    reference,
    string,
)

# One row for each thing that is taken over once (a customer) or bit by bit (a stream of events), written with it.
takeover_marks = Table(
    "takeover_marks",
    metadata,
    organization_column(),
    string("source", nullable=False),
    string("kind", nullable=False),
    string("key", nullable=False),
    Column("detail", JSONB, nullable=False),
    instant("noted_at", nullable=False),
    PrimaryKeyConstraint("organization_id", "source", "kind", "key"),
)

# Fees that are on no invoice here and count towards a commitment all the same.
elsewhere_fees = Table(
    "elsewhere_fees",
    metadata,
    id_column(),
    organization_column(),
    reference("subscription_id", "subscriptions", index=True),
    string("fee_type", nullable=False),
    cents("amount_cents"),
    precise("precise_amount_cents"),
    instant("from_at", nullable=False),
    instant("to_at", nullable=False),
)
