"""Payments of invoices, and their receipts."""
