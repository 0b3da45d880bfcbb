"""Tallymark for assistants: tools over the Model Context Protocol, each one call of the REST API."""
