"""Data exports: lists written to files by a job, for their people to take along (platform §14)."""
