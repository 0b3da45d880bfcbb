"""What is wrong with an alert as it was sent: every fault at once (wallets §9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from tallymark.domain.alerts import Threshold
from tallymark.domain.errors import Problems
from tallymark.domain.exact import Fraction
from tallymark.domain.money import round_half_away
from tallymark.rooms.alerts.model import MOST_THRESHOLDS, THRESHOLD_DECIMALS, AlertType, Subject

LONGEST_TEXT = 255
_LARGEST = 10**25
_LONGEST_NUMBER = 60


def read_type(problems: Problems, value: object, subject: Subject) -> AlertType | None:
    """The type, if it is one that can hang on the subject."""
    if value is None or value == "":
        problems.add("alert_type", "value_is_mandatory", "value_is_invalid")
        return None
    if not isinstance(value, str) or value not in set(AlertType) or not subject.takes(AlertType(value)):
        problems.add("alert_type", "invalid_type")
        return None
    return AlertType(value)


def read_code(problems: Problems, value: object) -> str:
    """A text that is not blank."""
    text = read_text(problems, "code", value)
    if text is None:
        problems.add("code", "value_is_mandatory")
    return text or ""


def read_text(problems: Problems, field: str, value: object) -> str | None:
    """A text of at most 255 characters; blank means none. Numbers are taken as they are written."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        problems.add(field, "value_is_invalid")
        return None
    text = str(value).replace("\x00", "")
    if len(text) > LONGEST_TEXT:
        problems.add(field, "value_is_too_long")
    return text if text.strip() else None


def read_thresholds(problems: Problems, value: object) -> tuple[Threshold, ...]:
    """1 to 20 thresholds, no two of them alike, one of them recurring at the most."""
    if value is None or value == []:
        problems.add("thresholds", "value_is_mandatory")
        return ()
    if not isinstance(value, list):
        problems.add("thresholds", "value_is_invalid")
        return ()
    if len(value) > MOST_THRESHOLDS:
        problems.add("thresholds", "too_many_thresholds")
        return ()
    read = [_read_threshold(problems, one) for one in value]
    found = tuple(one for one in read if one is not None)
    if len({(one.value, one.recurring) for one in found}) < len(found):
        problems.add("thresholds", "duplicate_threshold_values")
    elif sum(one.recurring for one in found) > 1:
        problems.add("base", "alert_already_exists")  # a quirk that clients know
    return found


def _read_threshold(problems: Problems, sent: object) -> Threshold | None:
    if not isinstance(sent, Mapping):
        problems.add("thresholds", "value_is_invalid")
        return None
    recurring = _is_true(sent.get("recurring"))
    value = _read_value(problems, sent.get("value"))
    code = read_text(problems, "thresholds:code", sent.get("code"))
    if value is None:
        return None
    if recurring and value <= 0:
        problems.add("thresholds:value", "recurring_value_is_negative")
        return None
    return Threshold(value=value, code=code, recurring=recurring)


def _is_true(value: object) -> bool:
    return value is True or value in ("true", "1", 1)


def _read_value(problems: Problems, value: object) -> Fraction | None:
    if value is None or value == "":
        problems.add("thresholds:value", "value_is_mandatory")
        return None
    text = str(value).strip()
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float) or len(text) > _LONGEST_NUMBER:
            raise ValueError(text)
        number = Decimal(text)
        if not number.is_finite() or abs(number) >= _LARGEST or "_" in text:
            raise ValueError(text)
    except (ArithmeticError, ValueError):
        problems.add("thresholds:value", "value_is_invalid")
        return None
    return round_half_away(Fraction(number), THRESHOLD_DECIMALS)


def check_metric(problems: Problems, alert_type: AlertType | None, has_metric: bool) -> None:
    """A metric is for the types that watch one, and for no others."""
    if alert_type is not None and alert_type.is_of_metric is not has_metric:
        problems.add("billable_metric", "value_must_be_blank" if has_metric else "value_is_mandatory")


def check_unique(
    problems: Problems,
    *,
    code: str,
    kind: tuple[AlertType | None, object],
    others: Sequence[tuple[str, object]],
) -> None:
    """Of one code, and of one type and metric, there is one alert on a subject."""
    if code in {other_code for other_code, _ in others}:
        problems.add("code", "value_already_exist")
    if kind in {other_kind for _, other_kind in others}:
        problems.add("base", "alert_already_exists")
