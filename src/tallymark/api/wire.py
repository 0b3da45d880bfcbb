"""How values look on the wire, in both directions (platform §1.2, §1.3; pricing §1.2)."""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    InstanceOf,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from tallymark.domain.errors import NotFound
from tallymark.domain.exact import Fraction
from tallymark.domain.money import decimal_text
from tallymark.domain.periods import parse_instant_of_any_zone


def wire_instant(value: datetime) -> str:
    """UTC, cut to the second.

    >>> wire_instant(datetime(2025, 3, 1, 9, 30, 0, 999999, UTC))
    '2025-03-01T09:30:00Z'
    """
    return value.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def wire_instant_ms(value: datetime) -> str:
    """UTC, cut to the millisecond.

    >>> wire_instant_ms(datetime(618, 3, 27, 4, 35, 11, 999999, UTC))
    '0618-03-27T04:35:11.999Z'
    """
    return value.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


Instant = Annotated[datetime, PlainSerializer(wire_instant, return_type=str)]
InstantMs = Annotated[datetime, PlainSerializer(wire_instant_ms, return_type=str)]
DecimalText = Annotated[Decimal | InstanceOf[Fraction], PlainSerializer(decimal_text, return_type=str)]
"""A decimal as a string with at least one fraction digit."""

Percent = Annotated[Decimal, PlainSerializer(float, return_type=float)]
"""A rate in percent: the wire wants a JSON number, and nothing is computed from it."""


class Input(BaseModel):
    """A request's object: unknown attributes are ignored, what was sent is known by `model_fields_set`."""

    model_config = ConfigDict(extra="ignore", arbitrary_types_allowed=True)

    @property
    def sent(self) -> dict[str, Any]:
        """The attributes that the request names, null or not."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Output(BaseModel):
    """A response's object, read from a value's attributes."""

    model_config = ConfigDict(from_attributes=True, arbitrary_types_allowed=True)


class Described(BaseModel):
    """A response's object that leaves some of its fields out where they are null: the API's description tells of all there may be."""

    left_out: ClassVar[tuple[str, ...]] = ()
    """What is shown only where it is set."""

    @model_serializer(mode="wrap")
    def _without_unset(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        shown: dict[str, Any] = handler(self)
        for name in self.left_out:
            if getattr(self, name) is None:
                del shown[name]
        return shown

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        # What its serializer returns is any object; the fields say more.
        found = handler({name: part for name, part in schema.items() if name != "serialization"})
        fields = handler.resolve_ref_schema(found)
        fields["required"] = [name for name in fields.get("required", ()) if name not in cls.left_out]
        return found


class ErrorDetailOutput(BaseModel):
    """What an outside system had against an invoice, a note or a customer."""

    lago_id: UUID
    error_code: str
    details: dict[str, Any] | None


def _root(value: Any) -> Any:
    # An empty or absent root is a bad request; its own location tells the error handler so.
    if not isinstance(value, dict) or not value:
        raise PydanticCustomError("missing_root", "missing root")
    return value


NotEmpty = BeforeValidator(_root)
"""Marks a request's root object: `plan: Annotated[PlanInput, NotEmpty]`."""


def _text(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    return str(value).replace("\x00", "")


def _not_blank(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("value_is_mandatory", "blank")
    return value


Text = Annotated[str, BeforeValidator(_text), Field(max_length=65_535)]
"""Free text; scalars are taken as text and NUL bytes, which the database can't hold, are dropped."""

Name = Annotated[str, BeforeValidator(_text), Field(max_length=255), AfterValidator(_not_blank)]
"""Text of at most 255 characters that is not blank."""


def at_most(length: int) -> AfterValidator:
    """Refuse a text of more characters; null is as short as can be."""

    def check(text: str | None) -> str | None:
        if text is not None and len(text) > length:
            raise PydanticCustomError("value_is_too_long", "too long")
        return text

    return AfterValidator(check)


OptionalText = Annotated[
    str | None,
    BeforeValidator(lambda value: None if isinstance(value, str) and not value.strip() else _text(value)),
]
"""Free text in which blank means null."""


def _not_offered(value: Any) -> Any:
    if value not in (None, [], {}, False, 0, "0"):
        raise PydanticCustomError("unsupported_value", "not offered by this release")
    return value


NOT_OFFERED = BeforeValidator(_not_offered)
"""A part of the contract that this release does not offer: asking for it is refused, never ignored."""


def _integer(value: Any) -> Any:
    # Integer fields accept numeric strings; fractions are cut (pricing §1.1). Nobody means a cent by `true`.
    if value is None:
        return value
    try:
        number = Decimal(str(value).strip())
        if number.is_finite() and number.copy_abs() < Decimal(2**63):
            return int(number)
    except (ArithmeticError, ValueError):
        pass
    raise PydanticCustomError("value_is_invalid", "no integer")


Integer = Annotated[int, BeforeValidator(_integer)]


def as_integer(value: Any) -> Any:
    """What an integer field reads as a number, as that number; anything else as it came, for others to refuse.

    >>> as_integer("48"), as_integer(1.5), as_integer("soon"), as_integer(True)
    (48, 1, 'soon', True)
    """
    try:
        return _integer(value)
    except PydanticCustomError:
        return value


def _instant(value: Any) -> Any:
    if not isinstance(value, str):
        raise PydanticCustomError("invalid_date", "no ISO 8601 text")
    try:
        return parse_instant_of_any_zone(value)
    except ValueError as error:
        raise PydanticCustomError("invalid_date", "no ISO 8601 text of a usable year") from error


InstantInput = Annotated[datetime, BeforeValidator(_instant)]
"""ISO 8601 date or datetime; without an offset it is UTC."""


def is_among(value: Any, allowed: Container[str | None]) -> bool:
    """Whether a value of JSON is one of these texts; a list or an object is none, nor has it a hash.

    >>> is_among("eu", {"eu"}), is_among(["eu"], {"eu"})
    (True, False)
    """
    return (value is None or isinstance(value, str)) and value in allowed


def _chosen(allowed: frozenset[str]) -> BeforeValidator:
    def check(value: Any) -> Any:
        if not is_among(value, allowed):
            raise PydanticCustomError("value_is_invalid", "not in the list")
        return value

    return BeforeValidator(check)


def one_of(*allowed: str) -> BeforeValidator:
    """Accept these texts only, else `value_is_invalid`: `Annotated[str, one_of("customer", "partner")]`."""
    return _chosen(frozenset(allowed))


def _record_id(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return UUID(value)
    except ValueError:
        return NO_RECORD


NO_RECORD = UUID(int=0)
"""The id that no record has."""

RecordId = Annotated[UUID, BeforeValidator(_record_id)]
"""The id of a record that a request names. A text that is no id is not malformed: it names no record."""


def read_id(text: str, resource: str) -> UUID:
    """Read an id of a path. What is no id names no record: raises `NotFound(resource)`."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(resource) from None


def query_flag(value: str | None) -> bool | None:
    """A boolean of the query (platform §1.2): absent or empty is None, the usual words are false, the rest true.

    >>> [query_flag(text) for text in ("False", "0", "", "true", "x")]
    [False, False, None, True, True]
    """
    if value is None or value == "":
        return None
    return value.strip().lower() not in {"false", "0", "f", "off", "no", "n"}
