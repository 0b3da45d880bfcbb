"""The doors to correcting events, and what follows where they are billed (beyond.md §3)."""
