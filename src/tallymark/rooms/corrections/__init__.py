"""Corrections of events: amended, voided, and what they were before (beyond.md §3)."""
