"""Boundaries and amounts to fees: the base price, usage, proration."""
