"""First answers to requests with an `Idempotency-Key`, kept to be given again (beyond §5)."""
