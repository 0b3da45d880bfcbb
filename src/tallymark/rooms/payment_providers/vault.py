"""The secrets of connections, encrypted by a key of the installation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote

from cryptography.fernet import Fernet

from tallymark.rooms.payment_providers.model import Connection, StoredConnection

SECRET = "payment_providers"
"""Under what name the installation keeps the key."""


class Vault:
    """Holds the key, by which connections are opened and closed, and the address at which the installation is reached."""

    def __init__(self, key: bytes, base_url: str) -> None:
        self._fernet = Fernet(key)
        self._base_url = base_url

    def inbound_url(self, connection: Connection | StoredConnection) -> str:
        """Where a connection's provider sends its events (§12.1)."""
        path = f"/webhooks/{connection.kind.value}/{connection.organization_id}"
        return f"{self._base_url}{path}?code={quote(connection.code, safe='')}"

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
            inbound_url=self.inbound_url(stored),
        )

    def seal(self, secrets: Mapping[str, str]) -> bytes:
        """Secrets as they are kept."""
        return self._fernet.encrypt(json.dumps(dict(secrets)).encode())
