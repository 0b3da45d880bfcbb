"""How the secrets of connections are kept: encrypted, by a key of the installation (wallets-and-payments §12.1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy import Row

from tallymark.rooms.payment_providers.model import Connection, ProviderKind

SECRET = "payment_providers"
"""Under what name the installation keeps the key."""


class Vault:
    """Holds the key, and never shows it."""

    def __init__(self, key: bytes) -> None:
        self._seal = Fernet(key)

    def close(self, secrets: Mapping[str, str]) -> bytes:
        """Secrets as they are kept."""
        return self._seal.encrypt(json.dumps(dict(secrets)).encode())

    def open(self, row: Row[Any]) -> Connection:
        """A kept connection with its secrets, as an adapter is given it."""
        return Connection(
            id=row.id,
            organization_id=row.organization_id,
            kind=ProviderKind(row.kind),
            code=row.code,
            name=row.name,
            success_redirect_url=row.success_redirect_url,
            options=row.options,
            secrets=json.loads(self._seal.decrypt(row.secrets)),
        )
