"""What endpoints and deliveries are (platform §9)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from tallymark.domain.addresses import is_web_address
from tallymark.domain.errors import Problems
from tallymark.domain.exact import Fraction

MOST_ENDPOINTS = 10
KEPT_DAYS = 90
"""How long a delivery is kept after its last change."""

ACCEPTED = frozenset({200, 201, 202, 204})
"""The answers that mean a delivery has arrived."""

KNOWN_TYPES = frozenset(
    f"{of}.{what}"
    for of, words in {
        "alert": "triggered",
        "billable_metric": "created updated deleted",
        "customer": "created updated payment_provider_created accounting_provider_created crm_provider_created"
        " vies_check checkout_url_generated payment_provider_error accounting_provider_error crm_provider_error"
        " tax_provider_error",
        "credit_note": "created generated refund_failure",
        "dunning_campaign": "finished",
        "event": "error",
        "events": "errors",
        "feature": "created updated deleted",
        "fee": "created tax_provider_error",
        "integration": "provider_error",
        "invoice": "created one_off_created paid_credit_added add_on_added drafted ready_to_finalize generated voided"
        " deleted resynced payment_status_updated payment_overdue payment_dispute_lost payment_failure",
        "order": "created executed",
        "order_form": "created signed expired voided",
        "quote": "created approved voided",
        "payment": "succeeded requires_action",
        "payment_provider": "error",
        "payment_receipt": "created generated",
        "payment_request": "created payment_status_updated payment_failure",
        "plan": "created updated deleted",
        "subscription": "started updated canceled incomplete terminated termination_alert trial_ended"
        " usage_threshold_reached",
        "wallet": "created updated terminated depleted_ongoing_balance",
        "wallet_transaction": "created updated payment_failure",
    }.items()
    for what in words.split()
)
"""The catalogue (§9.4)."""

OTHER_NAMES = {"credit_note.provider_refund_failure": "credit_note.refund_failure"}
"""Names that a filter may use for a type that is sent under another one (mended, §9.1)."""


class Algorithm(StrEnum):
    """How deliveries to an endpoint are signed."""

    JWT = "jwt"
    HMAC = "hmac"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where an organization wants to be told; `event_types` None means everything."""

    id: UUID
    organization_id: UUID
    webhook_url: str
    signature_algo: Algorithm
    name: str | None
    event_types: tuple[str, ...] | None
    created_at: datetime

    def wants(self, webhook_type: str) -> bool:
        """Whether a message of this type is for it.

        >>> from datetime import UTC
        >>> values = {"id": UUID(int=1), "organization_id": UUID(int=2), "webhook_url": "https://a.test", "name": None}
        >>> values |= {"signature_algo": Algorithm.JWT, "created_at": datetime(2026, 1, 1, tzinfo=UTC)}
        >>> Endpoint(**values, event_types=("credit_note.provider_refund_failure",)).wants("credit_note.refund_failure")
        True
        >>> Endpoint(**values, event_types=()).wants("credit_note.refund_failure")
        False
        """
        if self.event_types is None:
            return True
        return webhook_type in {OTHER_NAMES.get(name, name) for name in self.event_types}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message of the outbox that is to be told."""

    message_id: int
    webhook_type: str
    object_type: str
    object_id: UUID | None
    payload: Mapping[str, Any] | None
    created_at: datetime
    traceparent: str | None = None

    @property
    def object_key(self) -> str:
        """What a receiver orders deliveries by (beyond.md §6)."""
        return f"{self.object_type}:{self.object_id}" if self.object_id else self.object_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message on its way to one endpoint; without an answer by `lost_at` it counts as lost."""

    id: UUID
    object_key: str
    sequence: int
    body: str
    lost_at: datetime
    traceparent: str | None = None


class Status(StrEnum):
    """How far a delivery has come."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    RETRYING = "retrying"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """What is on record of a delivery; `retries` counts the attempts that failed. Lists leave out body and response.

    `next_attempt_at` is when an open one is tried, or counts as lost while an attempt is under way.
    """

    id: UUID
    endpoint_id: UUID
    webhook_url: str
    webhook_type: str
    object_key: str
    sequence: int
    status: Status
    retries: int
    http_status: int | None
    next_attempt_at: datetime
    created_at: datetime
    updated_at: datetime
    body: str | None = None
    response: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilters:
    """Which deliveries a list shows; empty and None mean any. Each range is of HTTP statuses; an empty one means no answer."""

    endpoint_ids: tuple[UUID, ...] = ()
    statuses: tuple[str, ...] = ()
    webhook_types: tuple[str, ...] = ()
    http_statuses: tuple[range, ...] = ()
    updated_from: datetime | None = None
    updated_to: datetime | None = None
    searched: UUID | None = None
    """The id of a delivery, or of the object that it tells of."""


NO_ANSWER = "timeout"


def read_http_statuses(text: str) -> range:
    """The HTTP statuses that a filter means: one, a class, a first and a last one; none for `timeout` (§9.3).

    Raises `ValueError` for what is none of these.

    >>> read_http_statuses("404"), read_http_statuses("5xx"), read_http_statuses("400-410")
    (range(404, 405), range(500, 600), range(400, 411))
    >>> len(read_http_statuses("timeout"))
    0
    """
    if text == NO_ANSWER:
        return range(0)
    if re.fullmatch(r"[1-5]xx", text):
        first = int(text[0]) * 100
        return range(first, first + 100)
    found = re.fullmatch(r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?", text, re.ASCII)
    if found is None or (found[2] and found[2] < found[1]):
        raise ValueError(text)
    return range(int(found[1]), int(found[2] or found[1]) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; no status where there was no answer, and why in the text."""

    status: int | None
    text: str

    @property
    def is_accepted(self) -> bool:
        """Whether the delivery has arrived."""
        return self.status in ACCEPTED


def pause_after(failures: int, *, chance: Fraction) -> timedelta:
    """How long to wait after the n-th failure: n⁴ seconds, up to 15 % more by chance (0 to 1), and two (§9.3).

    >>> pause_after(1, chance=Fraction(0)), pause_after(2, chance=Fraction(1))
    (datetime.timedelta(seconds=3), datetime.timedelta(seconds=20, microseconds=400000))
    """
    base = failures**4
    seconds = base + chance * base * Fraction(15, 100) + 2
    return timedelta(microseconds=int(seconds * 1_000_000))


def read_terms(sent: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    """The columns that a request names, checked (§9.1). Raises `Invalid`."""
    problems, values = Problems(), dict[str, Any]()
    if is_new or "webhook_url" in sent:
        values["webhook_url"] = _read_url(sent.get("webhook_url"), problems)
    if is_new or sent.get("signature_algo") is not None:
        values["signature_algo"] = _read_algorithm(sent.get("signature_algo"), problems)
    if "name" in sent:
        values["name"] = _read_name(sent["name"], problems)
    if "event_types" in sent:
        values["event_types"] = _read_types(sent["event_types"], problems)
    problems.raise_any()
    return values


def _read_url(value: Any, problems: Problems) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        problems.add("webhook_url", "value_is_mandatory")
    if not is_web_address(text):
        problems.add("webhook_url", "url_is_invalid")
    return text


def _read_algorithm(value: Any, problems: Problems) -> Algorithm:
    if value is None:
        return Algorithm.JWT
    if not isinstance(value, str) or value not in set(Algorithm):
        problems.add("signature_algo", "value_is_invalid")
        return Algorithm.JWT
    return Algorithm(value)


def _read_name(value: Any, problems: Problems) -> str | None:
    if value is None or isinstance(value, str):
        return value.replace("\x00", "") if value else value
    problems.add("name", "value_is_invalid")
    return None


def _read_types(value: Any, problems: Problems) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        problems.add("event_types", "must_be_array")
        return None
    cleaned = ["" if entry is None else str(entry).strip().lower() for entry in value]
    names = [name for name in dict.fromkeys(cleaned) if name]
    if names == ["*"]:
        return None
    unknown = [name for name in names if name not in KNOWN_TYPES and name not in OTHER_NAMES]
    if unknown:
        problems.add("event_types", f"contains invalid types: {', '.join(unknown)}")
    return names
