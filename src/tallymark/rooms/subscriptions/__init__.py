"""A customer on a plan, over time."""
