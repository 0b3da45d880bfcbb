"""The documents: invoices, what they cover, their numbers and files."""
