"""The secrets of connections, encrypted by a key of the installation."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cryptography.fernet import Fernet

from tallymark.rooms.payment_providers.model import Connection, StoredConnection

SECRET = "payment_providers"
"""Under what name the installation keeps the key."""


class Vault:
    """Holds the key, by which connections are opened and closed."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

    def open(self, stored: StoredConnection) -> Connection:
        """A connection as its provider's adapter needs it."""
        return Connection(
            id=stored.id,
            organization_id=stored.organization_id,
            kind=stored.kind,
            code=stored.code,
            name=stored.name,
            success_redirect_url=stored.success_redirect_url,
            options=stored.options,
            secrets=json.loads(self._fernet.decrypt(stored.secrets)),
        )

    def seal(self, secrets: Mapping[str, str]) -> bytes:
        """Secrets as they are kept."""
        return self._fernet.encrypt(json.dumps(dict(secrets)).encode())
