"""A customer's payment provider (subscriptions §1.5).

No connection to a provider can be made yet, so a link to one always fails as it does where none is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tallymark.domain.errors import Invalid
from tallymark.rooms.customers.model import PROVIDERS, Customer

OF_PROVIDER = ("payment_provider", "payment_provider_code")
"""Who collects from a customer; another one knows none of their methods (wallets-and-payments §12.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderInput:
    """What a billing configuration says of a provider; `sent` holds the keys that it names."""

    sent: Mapping[str, Any]

    @property
    def links(self) -> bool:
        """Whether a customer is to be made or known at the provider."""
        return bool(self.sent.get("sync_with_provider") or self.sent.get("provider_customer_id"))


def provider_columns(known: Customer | None, asked: ProviderInput | None) -> dict[str, Any]:
    """The columns to write. Raises `Invalid` for a provider that is none, or to which there is no connection."""
    if asked is None:
        return {}
    provider = asked.sent.get("payment_provider")
    if provider is not None and provider not in PROVIDERS:
        raise Invalid({"payment_provider": ["value_is_invalid"]})
    if asked.links:
        if provider is not None:
            raise Invalid({"base": ["payment_provider_not_found"]})
        return {}
    if "payment_provider" not in asked.sent:
        return {}
    if provider is None:
        return {"payment_provider": None, "payment_provider_code": None}
    columns = {"payment_provider": provider}
    if "payment_provider_code" in asked.sent:
        columns["payment_provider_code"] = asked.sent["payment_provider_code"]
    elif known is not None and known.payment_provider != provider:
        columns["payment_provider_code"] = None
    return columns
