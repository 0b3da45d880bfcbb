"""Webhooks: who wants to be told what, and telling it (platform §9)."""
