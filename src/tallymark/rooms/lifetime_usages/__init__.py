"""Lifetime usage: what a chain of subscriptions has ever used, in money."""
