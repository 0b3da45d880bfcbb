"""Backfills: the events of a stretch of time replaced by others, and put back (beyond.md §3)."""
