"""Credit notes: money given back on an invoice, and what is left of it."""
