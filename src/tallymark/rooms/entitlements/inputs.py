"""What requests say of features and values, read and checked (platform §11)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tallymark.domain.errors import Invalid, Problems
from tallymark.rooms.entitlements.model import Privilege, Value, ValueType

LONGEST_CODE = LONGEST_NAME = 255
LONGEST_DESCRIPTION = 600

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_LARGEST = 2**63 - 1

Sent = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivilegeInput:
    """A privilege as it is sent: the attributes that are named, its options None where it has none."""

    code: str
    values: Mapping[str, Any]
    value_type: ValueType | None
    select_options: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureInput:
    """A feature as it is sent: `values` are the columns that are named."""

    values: Mapping[str, Any]
    privileges: Sequence[PrivilegeInput]


def read_feature(sent: Sent, known: Mapping[str, Privilege] | None = None) -> FeatureInput:
    """A new feature, or what is sent of one with the `known` privileges. Raises `Invalid`."""
    problems = Problems()
    values: dict[str, Any] = {}
    if known is None:
        values["code"] = _code(sent.get("code"), "code", problems)
    if "name" in sent:
        values["name"] = _text(sent["name"], "name", LONGEST_NAME, problems)
    if "description" in sent:
        values["description"] = _text(sent["description"], "description", LONGEST_DESCRIPTION, problems)
    privileges = _privileges(sent.get("privileges"), known or {}, problems)
    problems.raise_any()
    return FeatureInput(values=values, privileges=privileges)


def _privileges(sent: Any, known: Mapping[str, Privilege], problems: Problems) -> list[PrivilegeInput]:
    listed = sent if isinstance(sent, list) else []
    found = [_privilege(item, known, problems) for item in listed if isinstance(item, dict)]
    codes = [item.code for item in found if item.code]
    if len(set(codes)) < len(codes):
        problems.add("privilege.code", "value_is_duplicated")
    return found


def _privilege(sent: Sent, known: Mapping[str, Privilege], problems: Problems) -> PrivilegeInput:
    code = _code(sent.get("code"), "privilege.code", problems)
    values = {}
    if "name" in sent:
        values["name"] = _text(sent["name"], "privilege.name", LONGEST_NAME, problems)
    value_type = _value_type(sent.get("value_type"), problems)
    before = known.get(code)
    if before is not None and value_type not in (None, before.value_type):
        problems.add("privilege.value_type", "modification_not_allowed")
    of_type = before.value_type if before else value_type or ValueType.STRING
    is_needed = before is None and of_type is ValueType.SELECT
    options = _options(sent.get("config"), of_type, problems, is_needed=is_needed)
    return PrivilegeInput(code=code, values=values, value_type=value_type, select_options=options)


def _value_type(sent: Any, problems: Problems) -> ValueType | None:
    if sent is None:
        return None
    if not isinstance(sent, str) or sent not in set(ValueType):
        problems.add("privilege.value_type", "value_is_invalid")
        return None
    return ValueType(sent)


def _options(
    config: Any, of_type: ValueType, problems: Problems, *, is_needed: bool
) -> tuple[str, ...] | None:
    """The options of a select: exactly `{"select_options": [texts]}`; all others have an empty config."""
    if config in (None, {}) and not is_needed:
        return None
    if of_type is ValueType.SELECT and isinstance(config, dict) and config.keys() == {"select_options"}:
        options = config["select_options"]
        if isinstance(options, list) and options and all(isinstance(one, str) for one in options):
            return tuple(options)
    problems.add("privilege.config", "invalid_format")
    return None


def _code(sent: Any, field: str, problems: Problems) -> str:
    text = str(sent).strip() if _is_scalar(sent) else ""
    if not text:
        problems.add(field, "value_is_mandatory" if sent is None or _is_scalar(sent) else "value_is_invalid")
    if len(text) > LONGEST_CODE:
        problems.add(field, "value_is_too_long")
    return text


def _text(sent: Any, field: str, longest: int, problems: Problems) -> str | None:
    if sent is None:
        return None
    if not _is_scalar(sent):
        problems.add(field, "value_is_invalid")
        return None
    text = str(sent)
    if len(text) > longest:
        problems.add(field, "value_is_too_long")
    return text if text.strip() else None


def _is_scalar(sent: Any) -> bool:
    return isinstance(sent, str | int | float) and not isinstance(sent, bool)


def read_entitlements(sent: Sent) -> dict[str, dict[str, Any]]:
    """Values by feature and privilege, as codes. Raises `Invalid` for a feature whose values are no object."""
    if not all(isinstance(values, dict) for values in sent.values()):
        raise Invalid({"entitlements": ["value_is_invalid"]})
    return {code: dict(values) for code, values in sent.items()}


def read_value(privilege: Privilege, sent: Any, problems: Problems) -> Value | None:
    """A value of a privilege's type; None where it is none, which is noted."""
    if sent is None or sent == "":
        problems.add("privilege.value", "value_is_mandatory")
        return None
    value = _cast(privilege, sent)
    if value is None:
        is_select = privilege.value_type is ValueType.SELECT
        code = "value_not_in_select_options" if is_select else "value_is_invalid"
        problems.add(f"{privilege.code}_privilege_value", code)
    return value


def _cast(privilege: Privilege, sent: Any) -> Value | None:
    match privilege.value_type:
        case ValueType.INTEGER:
            return _integer(sent)
        case ValueType.BOOLEAN:
            return sent if isinstance(sent, bool) else {"true": True, "false": False}.get(str(sent))
        case ValueType.SELECT:
            return sent if isinstance(sent, str) and sent in (privilege.select_options or ()) else None
        case ValueType.STRING:
            return sent if isinstance(sent, str) else None


def _integer(sent: Any) -> int | None:
    """A whole number of 64 bits, or its canonical text.

    >>> [_integer(sent) for sent in (10, "10", "-3", "010", "1.0", "-0", True)]
    [10, 10, -3, None, None, None, None]
    """
    if isinstance(sent, str):
        sent = int(sent) if _WHOLE.fullmatch(sent) else None
    if not isinstance(sent, int) or isinstance(sent, bool):
        return None
    return sent if abs(sent) <= _LARGEST else None
