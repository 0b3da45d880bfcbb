"""Who issues invoices: billing entities, their settings, and what follows when these change."""
