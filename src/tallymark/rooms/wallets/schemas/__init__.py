"""How wallets look on the wire (wallets §2, §4, §8)."""
