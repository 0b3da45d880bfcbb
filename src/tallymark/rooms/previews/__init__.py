"""The invoice that would come of a customer's subscriptions, or of a new one."""
