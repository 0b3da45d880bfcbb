"""How the usage of a day differs from that of an earlier day of the same period, field by field (metering §10)."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from typing import Any

from tallymark.domain.exact import Fraction
from tallymark.domain.money import decimal_text, round_cents
from tallymark.rooms.daily_usages.model import JSON

Key = Callable[[JSON], str]

NOTHING_MORE = decimal_text(0)


def difference(usage: JSON, before: JSON | None, charge_ids: Collection[str]) -> dict[str, Any]:
    """What a period's usage grew by since an earlier day; all of it without one.

    What a charge that is no more had come to stays where it was: only charges that are there (`charge_ids`, or in the usage)
    are compared, and of the taxes before the share that is theirs.
    """
    if before is None:
        return dict(usage)
    there = {*charge_ids, *(_charge_id(item) for item in usage["charges_usage"])}
    compared = [item for item in before["charges_usage"] if _charge_id(item) in there]
    amount_before = sum(item["amount_cents"] for item in compared)
    taxes_before = _share(before["taxes_amount_cents"], amount_before, before["amount_cents"])
    amount = usage["amount_cents"] - amount_before
    taxes = usage["taxes_amount_cents"] - taxes_before
    return {
        **usage,
        "amount_cents": amount,
        "taxes_amount_cents": taxes,
        "total_amount_cents": amount + taxes,
        "charges_usage": _each(usage["charges_usage"], compared, _charge_id, _charge),
    }


def _share(taxes_cents: int, part_cents: int, whole_cents: int) -> int:
    if part_cents == whole_cents or not whole_cents:
        return taxes_cents
    return round_cents(Fraction(taxes_cents * part_cents, whole_cents))


def _charge(now: JSON, before: JSON) -> dict[str, Any]:
    return {
        **_group(now, before),
        "grouped_usage": _each(now["grouped_usage"], before["grouped_usage"], _by("grouped_by"), _group),
    }


def _group(now: JSON, before: JSON) -> dict[str, Any]:
    return {
        **_filter(now, before),
        "filters": _each(now["filters"], before["filters"], _by("values"), _filter),
    }


def _filter(now: JSON, before: JSON) -> dict[str, Any]:
    shown = now["presentation_breakdowns"], before["presentation_breakdowns"]
    unit, unit_before = now["pricing_unit_details"], before["pricing_unit_details"]
    if unit is not None and unit_before is not None:
        unit = {**unit, "amount_cents": unit["amount_cents"] - unit_before["amount_cents"]}
    return {
        **now,
        "units": _less(now, before, "units"),
        "total_aggregated_units": _less(now, before, "total_aggregated_units"),
        "events_count": now["events_count"] - before["events_count"],
        "amount_cents": now["amount_cents"] - before["amount_cents"],
        "pricing_unit_details": unit,
        "presentation_breakdowns": _each(*shown, _by("presentation_by"), _breakdown),
    }


def _breakdown(now: JSON, before: JSON) -> dict[str, Any]:
    return {**now, "units": _less(now, before, "units")}


def _each(
    now: Iterable[JSON], before: Iterable[JSON], key: Key, differ: Callable[[JSON, JSON], dict[str, Any]]
) -> list[dict[str, Any]]:
    """The items of both days side by side; what is on one of them only was, or is, nothing on the other."""
    earlier = {key(item): item for item in before}
    found = []
    for item in now:
        previous = earlier.pop(key(item), None)
        found.append(dict(item) if previous is None else differ(item, previous))
    return found + [differ(_nothing(item), item) for item in earlier.values()]


def _nothing(item: JSON) -> dict[str, Any]:
    """An item of which nothing is used any more."""
    numbers: dict[str, Any] = {
        "units": "0",
        "total_aggregated_units": "0",
        "events_count": 0,
        "amount_cents": 0,
    }
    none = {name: numbers[name] for name in numbers if name in item}
    lists: dict[str, Any] = {
        name: [] for name in ("filters", "grouped_usage", "presentation_breakdowns") if name in item
    }
    unit = item.get("pricing_unit_details")
    units = {} if unit is None else {"pricing_unit_details": {**unit, "amount_cents": 0}}
    return {**item, **none, **lists, **units}


def _less(now: JSON, before: JSON, name: str) -> str:
    if now[name] == before[name]:
        return NOTHING_MORE
    return decimal_text(Fraction(Decimal(now[name])) - Fraction(Decimal(before[name])))


def _charge_id(item: JSON) -> str:
    found: str = item["charge"]["lago_id"]
    return found


def _by(name: str) -> Key:
    return lambda item: json.dumps(item[name], sort_keys=True)
