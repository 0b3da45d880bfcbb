"""Add-ons: what is sold by the piece, once on an invoice or with each period as a fixed charge."""
