"""Payment requests: overdue invoices that are asked for together."""
