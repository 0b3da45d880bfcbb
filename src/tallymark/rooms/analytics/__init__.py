"""Analytics: what was earned, billed, owed and used, month by month."""
