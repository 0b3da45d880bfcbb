"""The audit: every law that money keeps here, held against the rows as they are."""
