"""Move an organization here from another server that speaks the REST API v1, and hold both against each other."""
