"""E-mails: documents sent to whom they are for."""
