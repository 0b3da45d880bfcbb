"""Limits: how much an organization may have of what costs the installation, and how much it has."""
