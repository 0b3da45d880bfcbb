"""The journal: every document in double entry, added to and never changed."""
