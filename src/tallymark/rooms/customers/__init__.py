"""Who pays: customers, their addresses, terms and preferences."""
