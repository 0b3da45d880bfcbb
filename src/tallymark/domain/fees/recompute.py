"""Recompute a fee from its explanation alone: each step must follow from the one before it (beyond.md §1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.charge_fee import PRICING_UNIT_CENTS
from tallymark.domain.money import ceil5, ceil_to, plain_text, round_cents
from tallymark.domain.usage.rounding import round_units

ZERO = Fraction(0)
TEXT_ERROR = Fraction(1, 10**8)
"""What texts of at most ten decimals may lose of an amount; compared with the amount's own size where that is above one."""


class Unexplained(ValueError):
    """A step that does not follow from the one before it, or that nobody knows."""


def recompute(steps: Sequence[Mapping[str, Any]], *, subunits: int) -> int:
    """The amount in minor units, of which the currency has `subunits` in a unit. Raises `Unexplained`.

    >>> recompute([{"step": "base_amount", "amount_cents": 245}, {"step": "proration", "fraction": "15/30"},
    ...     {"step": "rounding", "amount_cents": 123}], subunits=100)
    123
    """
    is_converted = any(step.get("step") == "conversion" for step in steps)
    state = _State(subunits=subunits, scale=PRICING_UNIT_CENTS if is_converted else subunits)
    try:
        for step in steps:
            state.take(step)
    except (KeyError, TypeError, ArithmeticError, InvalidOperation) as error:
        raise Unexplained(f"a step cannot be read: {error!r}") from None
    if state.cents is None or state.cents.denominator != 1:
        raise Unexplained("the steps end without an amount")
    return int(state.cents)


class _State:
    """Units, then an amount in minor units, as the steps before left them."""

    def __init__(self, *, subunits: int, scale: int) -> None:
        self.subunits = subunits
        self.scale = scale
        self.units = ZERO
        self.are_more = True
        self.cents: Fraction | None = None

    def take(self, step: Mapping[str, Any]) -> None:
        """Apply one step, and hold it against what it says that it gives."""
        match step.get("step"):
            case None | "period" | "high_water_mark":
                pass
            case "aggregation" | "rounding_of_units":
                self.units = _exact(step["value"])
            case "units":
                self.units = _exact(step["value"])
                self.are_more = _exact(step.get("added", step["value"])) > 0
            case "base_amount":
                self.cents = Fraction(step["amount_cents"])
            case "proration":
                self._prorate(step)
            case "pricing":
                if "amount_of_billed" in step:  # units came to such as were billed before
                    self.cents = _added(step, self.units, self.scale, are_more=self.are_more) * self.scale
                else:
                    self.cents = _priced(step, self.units, self.scale) * self.scale
            case "adjustment":
                if "unit_amount" in step:
                    _hold(
                        _exact(step["units"]) * _exact(step["unit_amount"]), step["amount"], "the adjustment"
                    )
                self.cents = _exact(step["amount"]) * self.scale
            case "correction":
                self.cents = Fraction(_corrected(step, self.subunits))
                _hold(self.cents, step["amount_cents"], "what was corrected")
            case "credit":
                self.cents = max(self._amount() - step["amount_cents"], ZERO)
            case "minimum":
                self.cents = self._amount() - step["used_cents"]
                _hold(self.cents, step["amount_cents"], "what the minimum lacks")
            case "conversion":
                whole = round_cents(self._amount())
                _hold(Fraction(whole), step["pricing_unit_amount_cents"], "the amount in pricing units")
                self.cents = whole * _exact(step["conversion_rate"]) * self.subunits / PRICING_UNIT_CENTS
            case "rounding":
                self.cents = Fraction(round_cents(self._amount()))
                if self.cents != step["amount_cents"]:
                    raise Unexplained(f"{step['amount_cents']} is not {self.cents} rounded")
            case name:
                raise Unexplained(f"there is no step {name}")

    def _amount(self) -> Fraction:
        if self.cents is None:
            raise Unexplained("there is no amount yet")
        return self.cents

    def _prorate(self, step: Mapping[str, Any]) -> None:
        if "fraction" in step:
            self.cents = self._amount() * Fraction(step["fraction"])
            said = step.get("amount_cents")
            if said is not None:
                _hold(self.cents, said, "the prorated amount")
            return
        self.units = _exact(step["units"])
        if step.get("changes"):
            shares = sum((_exact(one["units"]) * Fraction(one["fraction"]) for one in step["changes"]), ZERO)
            rounded = round_units(ceil5(shares), step.get("function"), step.get("precision"))
            _hold(rounded, step["units"], "the prorated units")


def _corrected(step: Mapping[str, Any], subunits: int) -> int:
    """What lines come to by their own steps, beyond what they were billed and what was adjusted before."""
    found = -int(step["adjusted_cents"])
    for line in step["lines"]:
        cents = recompute(line["steps"], subunits=subunits) if line["steps"] else 0
        if cents != line["amount_cents"]:
            raise Unexplained(f"{line['amount_cents']} is said of a line, {cents} follows")
        found += cents - int(line["billed_cents"])
    return found


def _priced(step: Mapping[str, Any], units: Fraction, subunits: int) -> Fraction:
    """The amount in currency units that a price makes of units, held against the amount that the step says."""
    said = _exact(step["amount"])
    found = _amount_of(step, units, subunits)
    if found is not None:
        _hold(found, step["amount"], f"{plain_text(units)} units in the model {step['charge_model']}")
    return said


def _added(step: Mapping[str, Any], units: Fraction, subunits: int, *, are_more: bool) -> Fraction:
    """What all units come to now less what those billed before do, held against what the step says; never below nothing."""
    after, before = _exact(step["amount_of_units"]), _exact(step["amount_of_billed"])
    found = _amount_of(step, units, subunits)
    if found is not None:
        _hold(
            found, step["amount_of_units"], f"{plain_text(units)} units in the model {step['charge_model']}"
        )
    _hold(max(after - before, ZERO) if are_more else ZERO, step["amount"], "what was added")
    return _exact(step["amount"])


def _amount_of(step: Mapping[str, Any], units: Fraction, subunits: int) -> Fraction | None:
    """None where a step has a difference of two prices, or units one by one: these follow from more than it says."""
    lines, properties, details = step.get("lines"), step["properties"], step.get("details") or {}
    if "units_of_event" in step or units < 0 or any("share" in line for line in lines or ()):
        return None
    match step["charge_model"]:
        case "graduated" | "graduated_percentage" | "volume" if lines:
            if sum((_exact(line["units"]) for line in lines), ZERO) != units:
                raise Unexplained(f"the tiers do not hold {plain_text(units)} units")
            return sum((_tier(line) for line in lines), ZERO)
        case "standard" if lines:
            return sum((_tier(line) for line in lines), ZERO)
        case "standard":
            return units * _exact(properties["amount"])
        case "package":
            paid = max(units - int(properties["free_units"]), ZERO)
            return ceil_to(paid / int(properties["package_size"])) * _exact(properties["amount"])
        case "percentage":
            of_units = _exact(details["paid_units"]) * _exact(details["rate"]) / 100
            of_events = int(details["paid_events"]) * _exact(details["fixed_fee_unit_amount"])
            return of_units + of_events + _exact(details["min_max_adjustment_total_amount"])
        case "dynamic":
            return _exact(details["precise_total_amount_cents"]) / subunits if units else ZERO
    return None


def _tier(line: Mapping[str, Any]) -> Fraction:
    price = _exact(line["unit_amount"]) if "unit_amount" in line else _exact(line["rate"]) / 100
    amount = _exact(line["units"]) * price + _exact(line["flat_amount"])
    _hold(amount, line["amount"], "a tier")
    return amount


def _exact(text: str | int) -> Fraction:
    return Fraction(Decimal(text))


def _hold(found: Fraction, said: str | int, what: str) -> None:
    if abs(found - _exact(said)) > TEXT_ERROR * max(abs(found), Fraction(1)):
        raise Unexplained(f"{what}: {said} is said, {plain_text(found)} follows")
