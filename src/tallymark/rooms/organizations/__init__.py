"""The tenants: organizations, the keys that open them, their clocks and the entities that issue their invoices."""
