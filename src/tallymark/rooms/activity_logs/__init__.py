"""Activity logs: what was done to what, and how it looked then (platform §10.1)."""
