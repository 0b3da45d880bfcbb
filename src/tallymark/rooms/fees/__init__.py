"""The lines of invoices: what is charged for one thing in one period."""
