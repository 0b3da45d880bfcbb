"""Usage in, units out: the intake of events and their aggregation. PostgreSQL is the event store."""
