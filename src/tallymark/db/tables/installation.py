"""Tables of the installation as a whole. No tenant sees them."""

from sqlalchemy import Column, Table, Text

from tallymark.db.tables.columns import instant, metadata

# What keeps workers from working; a restore from a backup adds one (tallymark.db.holding).
holds = Table("holds", metadata, Column("reason", Text, primary_key=True), instant("since", nullable=False))

# One row: the oldest schema whose release can work on this one (tallymark.db.schema).
schema_floor = Table("schema_floor", metadata, Column("revision", Text, primary_key=True))
