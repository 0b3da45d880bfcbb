"""Stripe, by its own library (wallets-and-payments §11–§14)."""
