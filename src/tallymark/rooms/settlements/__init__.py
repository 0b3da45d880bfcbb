"""Settlements: what pays an invoice, and when it is paid."""
