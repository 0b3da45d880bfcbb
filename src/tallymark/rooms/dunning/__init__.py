"""Dunning campaigns: who is asked for what is overdue, and how often."""
