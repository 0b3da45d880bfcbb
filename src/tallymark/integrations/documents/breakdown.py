"""The lines in grey beneath a fee: tiers, packages, percentages, days, from what the fee was computed of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from tallymark.domain.exact import Fraction
from tallymark.domain.money import ceil_to, plain_text

Line = dict[str, Any]
Details = Mapping[str, Any]


def breakdown(charge_model: str | None, details: Details) -> list[Line]:
    """The lines that explain a fee's amount; none where units times unit price say it all (invoicing §15)."""
    build = _BUILDERS.get(charge_model or "")
    return list(build(details)) if build and details else []


def _number(value: object) -> Fraction:
    return Fraction(Decimal(str(value)))


def _text(value: object) -> str:
    return plain_text(_number(value), 15)


def _tiers(details: Details) -> Iterator[Line]:
    for tier in details["graduated_ranges"]:
        line = {
            "kind": "tier",
            "from": _text(tier["from_value"]),
            "units": _text(tier["units"]),
            "unit_amount": _text(tier["per_unit_amount"]),
            "amount": _text(tier["per_unit_total_amount"]),
        }
        yield line if tier["to_value"] is None else {**line, "to": _text(tier["to_value"])}
        yield from _flat(tier["flat_unit_amount"])


def _flat(amount: object) -> Iterator[Line]:
    if _number(amount):
        yield {"kind": "flat", "units": "1", "unit_amount": _text(amount), "amount": _text(amount)}


def _percentage_tiers(details: Details) -> Iterator[Line]:
    for tier in details["graduated_percentage_ranges"]:
        yield {
            "kind": "percentage",
            "rate": _text(tier["rate"]),
            "units": _text(tier["units"]),
            "amount": _text(tier["per_unit_total_amount"]),
        }
        yield from _flat(tier["flat_unit_amount"])


def _volume(details: Details) -> Iterator[Line]:
    flat = list(_flat(details["flat_unit_amount"]))
    if not flat:
        return
    price, total = _number(details["per_unit_amount"]), _number(details["per_unit_total_amount"])
    if total:
        units = plain_text(total / price)
        yield {
            "kind": "volume",
            "units": units,
            "unit_amount": plain_text(price, 15),
            "amount": plain_text(total, 15),
        }
    yield from flat


def _package(details: Details) -> Iterator[Line]:
    free, paid = _number(details["free_units"]), _number(details["paid_units"])
    size, price = details["per_package_size"], _number(details["per_package_unit_amount"])
    if free:
        yield {"kind": "free", "units": plain_text(free), "unit_amount": "0", "amount": "0"}
    if size:
        packages = ceil_to(paid / size)
        yield {
            "kind": "package",
            "size": str(size),
            "units": plain_text(packages),
            "unit_amount": plain_text(price, 15),
            "amount": plain_text(packages * price, 15),
        }


def _percentage(details: Details) -> Iterator[Line]:
    if _number(details["free_units"]):
        yield {"kind": "free", "units": _text(details["free_units"]), "unit_amount": "0", "amount": "0"}
    yield {
        "kind": "percentage",
        "rate": _text(details["rate"]),
        "units": _text(details["paid_units"]),
        "amount": _text(details["per_unit_total_amount"]),
    }
    if _number(details["fixed_fee_total_amount"]):
        yield {
            "kind": "fixed",
            "units": str(details["paid_events"]),
            "unit_amount": _text(details["fixed_fee_unit_amount"]),
            "amount": _text(details["fixed_fee_total_amount"]),
        }
    if _number(details["min_max_adjustment_total_amount"]):
        yield {"kind": "bounds", "amount": _text(details["min_max_adjustment_total_amount"])}


_BUILDERS: dict[str, Callable[[Details], Iterator[Line]]] = {
    "graduated": _tiers,
    "graduated_percentage": _percentage_tiers,
    "volume": _volume,
    "package": _package,
    "percentage": _percentage,
}
