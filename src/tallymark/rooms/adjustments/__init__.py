"""What corrected events change in what is billed: the differences, and what was documented of them (beyond.md §3)."""
