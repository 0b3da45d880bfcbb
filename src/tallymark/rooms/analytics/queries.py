"""The questions of analytics, read from the query: every wrong parameter is told at once (platform §12)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date

from tallymark.api.queries import BOOLEANS
from tallymark.api.validation import country_codes
from tallymark.api.wire import query_flag
from tallymark.domain.errors import Problems
from tallymark.domain.money import CURRENCIES
from tallymark.rooms.analytics.model import Asked, UsageAsked
from tallymark.rooms.analytics.periods import Granularity

Query = Mapping[str, str]
MOST_DIGITS = 9
CUSTOMER_TYPES = ("company", "individual")


def read_asked(query: Query) -> Asked:
    """A question by month. Raises `Invalid` for what is no currency or no number."""
    problems = Problems()
    asked = _by_month(query, problems)
    problems.raise_any()
    return asked


def read_dashboard_asked(query: Query) -> Asked:
    """A question of a dashboard, by day, week or month, which may be narrowed further. Raises `Invalid` for values that there are not."""
    problems = Problems()
    granularity = _granularity(query, problems)
    asked = _by_month(query, problems)
    narrowed = {
        "external_customer_id": query.get("external_customer_id") or None,
        "customer_country": _upper(query, "customer_country", country_codes(), problems),
        "customer_type": _one_of(query, "customer_type", CUSTOMER_TYPES, problems),
        "has_tax_number": _flag(query, "has_tax_identification_number", problems),
        "plan_code": query.get("plan_code") or None,
        "external_subscription_id": query.get("external_subscription_id") or None,
    }
    problems.raise_any()
    given = {name: value for name, value in narrowed.items() if value is not None}
    return replace(asked, granularity=granularity or Granularity.MONTHLY, narrowed=given)


def read_usage_asked(query: Query) -> UsageAsked:
    """A question about usage. Raises `Invalid` for values that there are not, and for an end before the beginning."""
    problems = Problems()
    granularity = _granularity(query, problems)
    recurring = _flag(query, "is_billable_metric_recurring", problems)
    first, last = (_day(query, name, problems) for name in ("from_date", "to_date"))
    if first and last and last < first:
        problems.add("to_date", "value_is_out_of_range")
    asked = UsageAsked(
        granularity=granularity or Granularity.DAILY,
        currency=_upper(query, "currency", CURRENCIES, problems),
        from_date=first,
        to_date=last,
        customer_type=_one_of(query, "customer_type", CUSTOMER_TYPES, problems),
        customer_country=_upper(query, "customer_country", country_codes(), problems),
        external_customer_id=query.get("external_customer_id") or None,
        external_subscription_id=query.get("external_subscription_id") or None,
        plan_code=query.get("plan_code") or None,
        billable_metric_code=query.get("billable_metric_code") or None,
        is_recurring=recurring,
    )
    problems.raise_any()
    return asked


def _by_month(query: Query, problems: Problems) -> Asked:
    return Asked(
        currency=_upper(query, "currency", CURRENCIES, problems),
        months=_months(query.get("months"), problems),
        billing_entity_code=query.get("billing_entity_code") or None,
        external_customer_id=query.get("external_customer_id") or None,
    )


def _months(value: str | None, problems: Problems) -> int | None:
    if not value:
        return None
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS):
        problems.add("months", "value_is_invalid")
        return None
    return int(value)


def _upper(query: Query, name: str, known: Collection[str], problems: Problems) -> str | None:
    code = query.get(name, "").upper()
    if code and code not in known:
        problems.add(name, "value_is_invalid")
        return None
    return code or None


def _one_of(query: Query, name: str, allowed: Collection[str], problems: Problems) -> str | None:
    value = query.get(name)
    if value and value not in allowed:
        problems.add(name, "value_is_invalid")
        return None
    return value or None


def _granularity(query: Query, problems: Problems) -> Granularity | None:
    found = _one_of(query, "time_granularity", list(Granularity), problems)
    return Granularity(found) if found else None


def _flag(query: Query, name: str, problems: Problems) -> bool | None:
    value = query.get(name)
    if value and value.lower() not in BOOLEANS:
        problems.add(name, "value_is_invalid")
        return None
    return query_flag(value)


def _day(query: Query, name: str, problems: Problems) -> date | None:
    value = query.get(name)
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        problems.add(name, "invalid_date")
        return None
