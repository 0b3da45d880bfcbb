"""How e-mails look, and how they travel."""
