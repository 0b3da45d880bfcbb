"""An event as it was sent, checked and made ready to be stored (metering §1.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, DecimalException
from typing import Protocol
from uuid import UUID

import msgspec

from tallymark.domain.errors import Invalid
from tallymark.domain.expressions import EvaluationFailed
from tallymark.domain.money import decimal_text
from tallymark.metering.expressions import Computed
from tallymark.metering.keys import event_key
from tallymark.metering.storing import Row

LONGEST_ID = 255
LARGEST_PROPERTIES = 64 * 1024
DEEPEST_PROPERTIES = 10
AMOUNT_DECIMALS = 15

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_EMPTY = msgspec.Raw(b"{}")
_FIRST_SECOND = -62_135_596_800  # 1 January of year 1
_END = 253_402_300_800  # year 10000
_USUAL_DIGITS = 11  # full seconds of before year 5138


class EventInput(msgspec.Struct):
    """What was sent, not yet looked at."""

    transaction_id: str | int | bool | None = None
    code: str | int | bool | None = None
    external_subscription_id: str | int | bool | None = None
    timestamp: msgspec.Raw = msgspec.Raw(b"")
    properties: msgspec.Raw = msgspec.Raw(b"")
    precise_total_amount_cents: msgspec.Raw = msgspec.Raw(b"")


class LooseEventInput(EventInput):
    """The same, for ids that are numbers with a fraction: they are taken as they were written, digit by digit."""

    transaction_id: msgspec.Raw = msgspec.Raw(b"null")  # type: ignore[assignment]  # read as they are written
    code: msgspec.Raw = msgspec.Raw(b"null")  # type: ignore[assignment]  # read as they are written
    external_subscription_id: msgspec.Raw = msgspec.Raw(b"null")  # type: ignore[assignment]  # read as they are written

    def with_ids(self) -> EventInput:
        """The event with its ids as text. Raises `msgspec.ValidationError` for what is no scalar."""
        return EventInput(
            transaction_id=_as_written(self.transaction_id),
            code=_as_written(self.code),
            external_subscription_id=_as_written(self.external_subscription_id),
            timestamp=self.timestamp,
            properties=self.properties,
            precise_total_amount_cents=self.precise_total_amount_cents,
        )


def _as_written(raw: msgspec.Raw) -> str | int | bool | None:
    text = bytes(raw).decode()
    is_fraction = text[:1] in "-0123456789" and any(mark in text for mark in ".eE")
    found: str | int | bool | None = (
        text if is_fraction else msgspec.json.decode(raw, type=str | int | bool | None)
    )
    return found


class Expressions(Protocol):
    """Who knows the expressions of codes."""

    def computed(self, organization_id: UUID, code: str) -> Computed | None:
        """The expression of a code's metric."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """For whom events are read, when they arrived, and by which rules expressions are evaluated."""

    organization_id: UUID
    now: datetime
    rules: Expressions
    tells_missing_first: bool = False
    """In a batch, what is missing of an event is told instead of a failed expression (metering §1.3)."""


Errors = Mapping[str, list[str]]


class InvalidEvent(Exception):
    """What is wrong with an event, by field."""

    def __init__(self, errors: Errors) -> None:
        self.errors = {field: list(codes) for field, codes in errors.items()}
        super().__init__(str(self.errors))


class FailedExpression(Exception):
    """The expression of the event's metric has no value for it."""

    def __init__(self, message: str) -> None:
        self.details = f"expression_evaluation_failed: {message}"
        super().__init__(message)


def read_event(sent: EventInput, tenant: Tenant, now: datetime | None = None) -> Row:
    """Check an event and make it a row. Raises `InvalidEvent` and `FailedExpression`.

    `now` is when it arrived, where that is not when its tenant's others did. A timestamp that is none is told first and alone; then a failed expression; then all that is missing or too long.
    """
    if now is None:
        now = tenant.now
    timestamp = _timestamp(sent.timestamp, now)
    errors: dict[str, list[str]] = {}
    transaction_id = _identifier("transaction_id", sent.transaction_id, errors)
    code = _identifier("code", sent.code, errors)
    subscription = _identifier(
        "external_subscription_id", sent.external_subscription_id, errors, is_needed=False
    )
    properties = _properties(sent.properties, errors)
    amount = _amount(sent.precise_total_amount_cents, errors)
    computed = tenant.rules.computed(tenant.organization_id, code)
    if computed is not None and "properties" not in errors and not (errors and tenant.tells_missing_first):
        properties = _compute(computed, code, timestamp, properties)
    if errors:
        raise InvalidEvent(errors)
    return Row(
        id=event_key(tenant.organization_id.bytes, subscription or None, transaction_id),
        organization_id=tenant.organization_id,
        external_subscription_id=subscription,
        code=code,
        transaction_id=transaction_id,
        timestamp=timestamp,
        created_at=now,
        properties=properties,
        precise_total_amount_cents=amount,
    )


_list = msgspec.json.Decoder(list[EventInput])
_loose_list = msgspec.json.Decoder(list[LooseEventInput])


def decode_list(data: bytes) -> list[EventInput]:
    """Events as they were sent; ids that are numbers with a fraction are read digit by digit. Raises `Invalid`."""
    try:
        return _list.decode(data)
    except msgspec.ValidationError:
        pass
    try:
        return [item.with_ids() for item in _loose_list.decode(data)]
    except msgspec.ValidationError:
        raise Invalid({"events": ["value_is_invalid"]}) from None


class ChangeInput(msgspec.Struct):
    """What of a stored event is to be otherwise, not yet looked at."""

    timestamp: msgspec.Raw = msgspec.Raw(b"")
    properties: msgspec.Raw = msgspec.Raw(b"")
    precise_total_amount_cents: msgspec.Raw = msgspec.Raw(b"")


_change = msgspec.json.Decoder(ChangeInput)


def read_changes(data: bytes) -> dict[str, datetime | str | Decimal | None]:
    """Check what is sent to amend an event, by the rules of events: only what is there, properties as JSON text.

    Raises `Invalid`.
    """
    sent = _change.decode(data)
    found: dict[str, datetime | str | Decimal | None] = {}
    errors: dict[str, list[str]] = {}
    if bytes(sent.timestamp) not in (b"", b"null"):
        try:
            found["timestamp"] = _timestamp(sent.timestamp, EPOCH)
        except InvalidEvent as error:
            errors |= error.errors
    if bytes(sent.properties):
        found["properties"] = bytes(_properties(sent.properties, errors)).decode()
    if bytes(sent.precise_total_amount_cents):
        amount = _amount(sent.precise_total_amount_cents, errors)
        found["precise_total_amount_cents"] = None if amount is None else Decimal(amount)
    if errors:
        raise Invalid(errors)
    return found


def _compute(computed: Computed, code: str, timestamp: datetime, properties: msgspec.Raw) -> msgspec.Raw:
    try:
        return computed.apply(code, timestamp, bytes(properties))
    except EvaluationFailed as error:
        raise FailedExpression(str(error)) from None
    except DecimalException:
        # A JSON number with an exponent that no decimal, and no database, holds.
        raise InvalidEvent({"properties": ["value_is_invalid"]}) from None


def _identifier(
    field: str, value: str | int | bool | None, errors: dict[str, list[str]], *, is_needed: bool = True
) -> str:
    text = value if isinstance(value, str) else _scalar_text(value)
    if is_needed and not text.strip():
        errors[field] = ["value_is_mandatory"]
    elif len(text) > LONGEST_ID:
        errors[field] = ["value_is_too_long"]
    elif "\x00" in text:
        errors[field] = ["value_is_invalid"]
    return text


def _scalar_text(value: int | bool | None) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _timestamp(raw: msgspec.Raw, now: datetime) -> datetime:
    """Unix seconds as an exact decimal, cut to the microsecond; absent means now."""
    text = bytes(raw).decode()
    if text in ("", "null"):
        return now
    if text.isascii() and text.isdigit() and len(text) <= _USUAL_DIGITS:
        return EPOCH + timedelta(seconds=int(text))
    number = _decimal(text)
    if number is None or not _FIRST_SECOND <= number < _END:
        raise InvalidEvent({"timestamp": ["invalid_format"]})
    return EPOCH + timedelta(microseconds=int((number * 1_000_000).__floor__()))


def _decimal(text: str) -> Decimal | None:
    """A JSON number, or a string that holds one."""
    if text.startswith('"'):
        text = msgspec.json.decode(text, type=str).strip()
    return Decimal(text) if len(text) <= 60 and _DECIMAL.fullmatch(text) else None


def _amount(raw: msgspec.Raw, errors: dict[str, list[str]]) -> str | None:
    text = bytes(raw).decode()
    if text in ("", "null"):
        return None
    number = _decimal(text)
    if number is None or abs(number) >= Decimal(10) ** 24:
        errors["precise_total_amount_cents"] = ["invalid_amount"]
        return None
    return decimal_text(number, AMOUNT_DECIMALS)


def _properties(raw: msgspec.Raw, errors: dict[str, list[str]]) -> msgspec.Raw:
    data = bytes(raw)
    if data in (b"", b"null"):
        return _EMPTY
    if not data.startswith(b"{"):
        errors["properties"] = ["invalid_type"]
    elif len(data) > LARGEST_PROPERTIES or (
        data.count(b"{") + data.count(b"[") > DEEPEST_PROPERTIES and _depth(data) > DEEPEST_PROPERTIES
    ):
        errors["properties"] = ["invalid_size"]
    elif b"\\u0000" in data and _has_nul(msgspec.json.decode(data)):
        errors["properties"] = ["value_is_invalid"]
    return raw


_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"')


def _depth(data: bytes) -> int:
    """How deep the JSON nests."""
    depth = deepest = 0
    for byte in _STRINGS.sub(b"", data):
        if byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest


def _has_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(_has_nul(item) for item in value)
