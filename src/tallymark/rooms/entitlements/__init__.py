"""Features and their privileges, and who is entitled to them (platform §11)."""
