"""A customer's payment provider: which connection they are linked to, and what is to be asked of it then (subscriptions §1.5, wallets-and-payments §12.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid
from tallymark.domain.values import value
from tallymark.rooms.customers.model import PROVIDERS, Customer, Step
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.payment_providers import service as payment_providers
from tallymark.rooms.payment_providers.model import ProviderKind

OF_PROVIDER = ("payment_provider", "payment_provider_code", "payment_provider_id", "provider_customer_id")
"""Who collects from a customer, and who they are there; another one knows none of their methods."""

OF_LINK = (*OF_PROVIDER, "sync_with_provider", "provider_payment_methods")
"""All that a link is."""

WITHOUT_IDS = (ProviderKind.CASHFREE, ProviderKind.FLUTTERWAVE)
"""Where customers are nobody: a link is recorded, and nothing more."""

CARD, LINK, BALANCE = "card", "link", "customer_balance"
METHODS = (CARD, "sepa_debit", "us_bank_account", "bacs_debit", LINK, "boleto", "crypto", BALANCE)
"""What a customer may pay by at Stripe, in its words."""

UNSAVED = frozenset({"crypto", BALANCE})
"""What needs no page on which it is left."""

TRANSFER_COUNTRIES = frozenset({"BE", "DE", "ES", "FR", "IE", "NL"})
"""Where somebody has to be for bank transfers in euros."""

TRANSFER_CURRENCIES = frozenset({"EUR", "GBP", "JPY", "MXN", "USD"})
"""In what money can be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderInput:
    """What a billing configuration says of a provider; `sent` holds the keys that it names."""

    sent: Mapping[str, Any]
    sync: bool = False
    """Whether whoever calls waits for the provider."""

    @property
    def links(self) -> bool:
        """Whether a customer is to be made or known at the provider."""
        return bool(self.sent.get("sync_with_provider") or self.sent.get("provider_customer_id"))


@value
class LinkChange:
    """What becomes of a link: columns to write, and what is to be asked of the provider."""

    columns: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    parts: bool = False
    """Whether the methods that the customer has are gone: they are another one's."""


NOTHING = LinkChange()


async def read_link(tx: Tx, known: Customer | None, asked: ProviderInput | None) -> LinkChange:
    """What becomes of a customer's link, None for one who is new.

    Raises `Invalid` for a provider that is none, one to which there is no connection, and one of several connections that none is named of.
    """
    if asked is None:
        return NOTHING
    provider = asked.sent.get("payment_provider")
    if provider is not None and provider not in PROVIDERS:
        raise Invalid({"payment_provider": ["value_is_invalid"]})
    if asked.links and (known is None or known.provider_customer_id is None):
        return NOTHING if provider is None else await _link(tx, known, asked, ProviderKind(provider))
    if "payment_provider" in asked.sent:
        if provider is None:
            return LinkChange(columns=dict.fromkeys(OF_LINK), parts=True)
        if _is_other(known, asked.sent):
            if asked.links:
                return await _link(tx, known, asked, ProviderKind(provider))
            named = {
                "payment_provider": provider,
                "payment_provider_code": asked.sent.get("payment_provider_code"),
            }
            return LinkChange(columns={**dict.fromkeys(OF_LINK), **named}, parts=True)
    return _adjust(known, asked.sent) if known is not None and known.payment_provider_id else NOTHING


def sends_money(customer: Customer) -> bool:
    """Whether a customer sends money by bank to a balance of theirs at Stripe, which invoices are taken from (§12.2).

    Partners bill themselves: the money goes the other way.
    """
    is_linked = customer.payment_provider == ProviderKind.STRIPE and customer.payment_provider_id is not None
    pays_so = list(customer.provider_payment_methods or ()) == [BALANCE]
    return is_linked and pays_so and not customer.is_partner


def check_transfers(customer: Customer, entity: BillingEntity) -> None:
    """Refuse bank transfers in euros to somebody who can't have an account for them: raises `Invalid`."""
    pays_so = list(customer.provider_payment_methods or ()) == [BALANCE]
    countries = {customer.address.country, entity.country}
    if pays_so and customer.currency == "EUR" and not countries & TRANSFER_COUNTRIES:
        raise Invalid({"country": ["missing_country"]})


def has_method_to_save(methods: Sequence[str] | None) -> bool:
    """Whether there is a way to pay that a customer leaves on a page; None is any."""
    return methods is None or not UNSAVED.issuperset(methods)


def _is_other(known: Customer | None, sent: Mapping[str, Any]) -> bool:
    if known is None or sent["payment_provider"] != known.payment_provider:
        return True
    if "payment_provider_code" not in sent or sent["payment_provider_code"] == known.payment_provider_code:
        return False
    # Clients send what they were shown, and null for what they don't know.
    return sent["payment_provider_code"] is not None or known.payment_provider_id is None


async def _link(tx: Tx, known: Customer | None, asked: ProviderInput, kind: ProviderKind) -> LinkChange:
    """Link a customer to a connection."""
    sent = asked.sent
    is_same = known is not None and known.payment_provider == kind
    code = sent.get("payment_provider_code") or (known.payment_provider_code if known and is_same else None)
    await payment_providers.hold(tx)
    row = await payment_providers.find_row(tx, kind=kind, code=code)
    own_id = None if kind in WITHOUT_IDS else sent.get("provider_customer_id")
    columns = {
        "payment_provider": kind.value,
        "payment_provider_code": row.code,
        "payment_provider_id": row.id,
        "provider_customer_id": own_id,
        "sync_with_provider": bool(sent.get("sync_with_provider")),
        "provider_payment_methods": _methods(kind, sent, known if is_same else None),
    }
    steps: tuple[Step, ...] = (Step.IMPORT,) if own_id else (Step.CREATE, Step.SETUP)
    was_linked = known is not None and known.payment_provider_id is not None
    return LinkChange(
        columns=columns,
        steps=() if kind in WITHOUT_IDS else steps,
        parts=was_linked and known is not None and known.payment_provider_id != row.id,
    )


def _adjust(known: Customer, sent: Mapping[str, Any]) -> LinkChange:
    """Change what is said of a link that stays; another id is another customer there."""
    kind = ProviderKind(known.payment_provider or "")
    columns: dict[str, Any] = {}
    if "sync_with_provider" in sent:
        columns["sync_with_provider"] = bool(sent["sync_with_provider"])
    if "provider_payment_methods" in sent:
        columns["provider_payment_methods"] = _methods(kind, sent, known)
    other_id = sent.get("provider_customer_id")
    if not other_id or other_id == known.provider_customer_id or kind in WITHOUT_IDS:
        return LinkChange(columns=columns)
    columns["provider_customer_id"] = other_id
    steps = (Step.IMPORT,) if sent.get("sync_with_provider") else (Step.IMPORT, Step.SETUP)
    return LinkChange(columns=columns, steps=steps, parts=True)


def _methods(kind: ProviderKind, sent: Mapping[str, Any], known: Customer | None) -> list[str] | None:
    """What a customer may pay by at Stripe; None elsewhere. Raises `Invalid`."""
    if kind is not ProviderKind.STRIPE:
        return None
    named = sent.get("provider_payment_methods")
    if "provider_payment_methods" not in sent and known is not None:
        named = known.provider_payment_methods
    if named is None:
        return [CARD]
    methods = list(dict.fromkeys(named))
    is_alone = BALANCE not in methods or methods == [BALANCE]
    has_card = LINK not in methods or CARD in methods
    if not methods or not set(methods) <= set(METHODS) or not is_alone or not has_card:
        raise Invalid({"provider_payment_methods": ["value_is_invalid"]})
    return methods
