"""The customer portal: what a customer sees of themselves by a signed link, and what they may change (platform §8)."""
