"""How wallets are kept: the wallets themselves, their rules, and the ledger of their transactions."""
