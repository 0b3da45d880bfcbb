"""Security logs: who changed what lets somebody in, or where something goes (platform §10.3)."""
