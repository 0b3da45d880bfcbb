"""Connections to payment providers, and what is asked of one (wallets-and-payments §11–§14)."""
