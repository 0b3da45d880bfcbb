"""The wiring of whom outside is asked: the register of VAT numbers, payment providers (decisions 3 and 32), and the mail server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.fernet import Fernet

from tallymark.db.engine import Database
from tallymark.integrations.emails.smtp import Server
from tallymark.integrations.payments import make_adapters
from tallymark.integrations.vies import ViesRegister
from tallymark.jobs.agenda import Kind
from tallymark.rooms.billing.collection import KINDS, Collection
from tallymark.rooms.billing.jobs import ByKind, Outside
from tallymark.rooms.billing.refunds import Refunds
from tallymark.rooms.customers.jobs import VatChecks
from tallymark.rooms.customers.linking import Linking
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.payment_providers.ports import PaymentProvider
from tallymark.rooms.payment_providers.vault import SECRET, Vault
from tallymark.settings import Settings

Adapters = Mapping[str, PaymentProvider]
"""Who speaks to a provider, by its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToProviders:
    """How payment providers are spoken to: by whom, and with which key the secrets of connections are opened."""

    vault: Vault = field(repr=False)
    adapters: Adapters


async def make_vault(database: Database, base_url: str) -> Vault:
    """What opens the secrets of connections to payment providers, which send their events below an address."""
    async with database.system() as connection:
        key = await organizations.get_or_make_secret(connection, SECRET, Fernet.generate_key)
    return Vault(key, base_url)


async def make_providers(settings: Settings, database: Database, adapters: Adapters | None) -> ToProviders:
    """Speak to providers by the adapters that are given, else by those that ship."""
    shipped = make_adapters({kind.value: url for kind, url in settings.payment_provider_urls.items()})
    return ToProviders(
        vault=await make_vault(database, settings.base_url),
        adapters=shipped if adapters is None else adapters,
    )


def make_outside(settings: Settings, database: Database, providers: ToProviders) -> Outside:
    """Who asks for which kind of work."""
    collection = Collection(database, providers.vault, providers.adapters)
    register = VatChecks(database, ViesRegister(settings.vies_url))
    linking = make_linking(database, providers)
    refunds = Refunds(database, providers.vault, providers.adapters)
    return ByKind(
        {
            Kind.CHECK_VAT: register,
            Kind.LINK_CUSTOMER: linking,
            Kind.REFUND_CREDIT_NOTE: refunds,
            **dict.fromkeys(KINDS, collection),
        }
    )


def make_linking(database: Database, providers: ToProviders) -> Linking:
    """Who asks providers about the customers who are linked to them."""
    return Linking(database=database, vault=providers.vault, adapters=providers.adapters)


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
