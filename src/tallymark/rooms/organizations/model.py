"""What a tenant is: the organization, its billing entities, API keys and clock."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

FULL_ACCESS_KEY_NAME = "default"
LEAST_TO_SHOW = 16
"""How long a key is at least whose end may be shown."""
RESERVED_SLUGS = frozenset(
    ["admin", "api", "api-docs", "app", "assets", "auth", "billing", "customer-portal", "docs", "files", "forgot-password", "health",
     "invitation", "login", "mcp", "metrics", "new", "portal", "ready", "reset-password", "settings", "sign-in", "sign-up", "webhooks",
     "welcome"]
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingEntity:
    """The legal issuer of invoices. The default one shares its organization's id."""

    id: UUID
    code: str
    name: str
    default_currency: str
    timezone: str
    country: str | None
    address_line1: str | None
    address_line2: str | None
    city: str | None
    state: str | None
    zipcode: str | None
    phone: str | None
    email: str | None
    legal_name: str | None
    legal_number: str | None
    tax_identification_number: str | None
    eu_tax_management: bool
    einvoicing: bool
    logo_key: str | None
    brand_color: str | None
    net_payment_term: int
    email_settings: tuple[str, ...]
    document_numbering: str
    document_number_prefix: str
    finalize_zero_amount_invoice: bool
    invoice_footer: str | None
    invoice_grace_period: int
    document_locale: str
    subscription_invoice_issuing_date_anchor: str
    subscription_invoice_issuing_date_adjustment: str
    created_at: datetime
    updated_at: datetime


class LateEventPolicy(StrEnum):
    """What becomes of an event that came too late (beyond.md §3)."""

    REJECT = "reject"
    OPEN_PERIOD = "open_period"


class EventCorrectionPolicy(StrEnum):
    """What becomes of a correction of what is billed already (beyond.md §3)."""

    REFUSE = "refuse"
    NEXT_INVOICE = "next_invoice"
    DOCUMENT_NOW = "document_now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metering:
    """How an organization wants late events treated, and corrections of what is billed (beyond.md §3).

    Late is what came more than so many days after its time; without days, what came when its period was on a final
    invoice.
    """

    late_event_window_days: int | None = None
    late_event_policy: LateEventPolicy = LateEventPolicy.REJECT
    event_correction_policy: EventCorrectionPolicy = EventCorrectionPolicy.REFUSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """The tenant. What concerns invoices is its default billing entity's; `max_wallets` counts a customer's active ones."""

    id: UUID
    name: str
    slug: str
    document_number_prefix: str
    max_wallets: int
    created_at: datetime
    billing_entity: BillingEntity
    metering: Metering = Metering()


@dataclass(frozen=True, slots=True, kw_only=True)
class TestClock:
    """A simulated organization's source of now; `calls` counts the requests since it last moved."""

    __test__ = False

    frozen_time: datetime
    calls: int
    is_advancing: bool

    @property
    def now(self) -> datetime:
        """Frozen time, plus a microsecond a request: what is older stays older, and no two requests tie."""
        return self.frozen_time + timedelta(microseconds=self.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key's record; its value is shown once, when it is made, and kept as a hash only."""

    id: UUID
    name: str | None
    ending: str | None
    """The last characters of its value; None where they were not kept."""
    created_at: datetime
    last_used_at: datetime | None
    """To about half a minute."""
    expires_at: datetime | None
    permissions: Mapping[str, Sequence[str]] | None
    """Modes by resource; None is everything."""

    def is_alive(self, now: datetime) -> bool:
        """Whether the key has not ended yet."""
        return self.expires_at is None or self.expires_at > now


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One organization as the operator lists it; `frozen_time` is its test clock's, None for a live one."""

    id: UUID
    name: str
    slug: str
    created_at: datetime
    frozen_time: datetime | None


def ascii_words(name: str) -> list[str]:
    """The words of a name in plain lower-case letters and digits.

    >>> ascii_words("Hooli, Inc. Zürich")
    ['hooli', 'inc', 'zurich']
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z0-9]+", plain.lower())


def default_slug(name: str, salt: str) -> str:
    """The slug of a new organization (platform §3).

    >>> default_slug("Hooli Inc", "x1y2z"), default_slug("42", "x1y2z")
    ('hooli-inc', 'org-x1y2z')
    """
    slug = "-".join(ascii_words(name))[:40].strip("-")
    if len(slug) < 3 or slug.isdigit() or slug in RESERVED_SLUGS:
        return f"org-{salt[:5]}"
    return slug


def default_entity_code(name: str, salt: str) -> str:
    """The default billing entity's code: the name's words joined by underscores."""
    return "_".join(ascii_words(name))[:255] or f"entity_{salt[:5]}"


def default_prefix(name: str, organization_id: UUID) -> str:
    """The prefix of document numbers (platform §3). White space has no place in a number.

    >>> default_prefix("Hooli Inc", UUID("00000000-0000-7000-8000-000000004f2a"))
    'HOO-4F2A'
    >>> default_prefix("My company", UUID("00000000-0000-7000-8000-000000004f2a"))
    'MYC-4F2A'
    """
    return f"{''.join(name.split())[:3]}-{str(organization_id)[-4:]}".upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """Which systems the settings of the installation connect every organization with."""

    emails: bool
    """A mail server that takes e-mails."""
    telemetry: bool
    """A collector of traces, metrics and logs."""
    error_reports: bool
    """A project at Sentry that errors are told to."""
