"""What was used and what it would cost now: the gathering of charge fees for current usage and for invoices alike."""
