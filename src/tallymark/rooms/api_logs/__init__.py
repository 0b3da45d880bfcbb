"""API logs: the calls that changed something, or were to (platform §10.2)."""
