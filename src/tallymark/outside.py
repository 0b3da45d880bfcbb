"""The wiring of whom outside is asked: the register of VAT numbers, payment providers (decisions 3 and 32), and the mail server."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cryptography.fernet import Fernet

from tallymark.db.engine import Database
from tallymark.integrations.emails.smtp import Server
from tallymark.integrations.vies import ViesRegister
from tallymark.jobs.agenda import Kind
from tallymark.rooms.billing.collection import KINDS, Collection
from tallymark.rooms.billing.jobs import ByKind, Outside
from tallymark.rooms.customers.jobs import VatChecks
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.payment_providers.ports import PaymentProvider
from tallymark.rooms.payment_providers.vault import SECRET, Vault
from tallymark.settings import Settings

Providers = Mapping[str, PaymentProvider]
"""Who collects, by the kind of provider that customers name."""

NO_PROVIDERS: Providers = MappingProxyType({})
"""No adapter of a payment provider ships in this release."""


async def make_vault(database: Database) -> Vault:
    """What opens the secrets of connections to payment providers."""
    async with database.system() as connection:
        return Vault(await organizations.get_or_make_secret(connection, SECRET, Fernet.generate_key))


def make_outside(settings: Settings, database: Database, vault: Vault, adapters: Providers) -> Outside:
    """Who asks for which kind of work."""
    collection = Collection(database, vault, adapters)
    register = VatChecks(database, ViesRegister(settings.vies_url))
    return ByKind({Kind.CHECK_VAT: register, **dict.fromkeys(KINDS, collection)})


def mail_server(settings: Settings) -> Server | None:
    """Whom e-mails are handed to; nobody where no server is set."""
    if settings.smtp_host is None:
        return None
    return Server(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        sender=settings.email_sender,
        username=settings.smtp_username,
        password=settings.smtp_password,
        domain=settings.smtp_domain,
    )
