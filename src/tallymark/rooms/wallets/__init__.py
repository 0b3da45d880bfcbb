"""Wallets: credits that are bought or given beforehand, and pay invoices (wallets §2–§6)."""
