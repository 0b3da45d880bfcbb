"""How an amount came to be, written for people: each step of a fee's explanation as a line (beyond.md §1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

Step = Mapping[str, Any]


def render(title: str, currency: str, steps: Sequence[Step]) -> RenderableType:
    """A fee's derivation, from its period to its amount in cents."""
    table = Table("", "step", "", box=None, header_style="bold", padding=(0, 2, 0, 0))
    for number, step in enumerate(steps, start=1):
        describe = _WORDS.get(step["step"], _plain)
        table.add_row(str(number), step["step"].replace("_", " "), describe(step))
    return Group(Text(f"{title} ({currency})", style="bold"), Padding(table, (0, 0, 0, 2)))


def _period(step: Step) -> str:
    return f"{step['from']} to {step['to']}, days of {step['timezone']}"


def _aggregation(step: Step) -> str:
    where = [f"{key} in {', '.join(values)}" for key, values in (step.get("filter") or {}).items()]
    where += [f"{key} = {value if value is not None else 'none'}" for key, value in step["group"].items()]
    of = f"{step['aggregation_type']} of {step['events_count']} events of {step['billable_metric_code']}"
    condition = f" where {' and '.join(where)}" if where else ""
    return f"{of}{condition} = {step['value']}"


def _rounding_of_units(step: Step) -> str:
    return f"{step['function']} to {step['precision']} decimals = {step['value']}"


def _pricing(step: Step) -> str:
    lines = [_tier(line) for line in step.get("lines", ())]
    details = [f"  {name} {value}" for name, value in (step.get("details") or {}).items()]
    prices = [
        f"  {name} {value}"
        for name, value in step["properties"].items()
        if not lines and not isinstance(value, list | dict) and value is not None
    ]
    return "\n".join([f"{step['charge_model']} = {step['amount']}", *prices, *lines, *details])


def _tier(line: Step) -> str:
    if "share" in line:
        return f"  {line['units']} units for {line['share']} of the period"
    price = f"at {line['unit_amount']}" if "unit_amount" in line else f"at {line['rate']} %"
    to = line["to"] if line["to"] is not None else "above"
    return f"  {line['from']} to {to}: {line['units']} {price} + {line['flat_amount']} = {line['amount']}"


def _proration(step: Step) -> str:
    if "fraction" in step:
        amount = f"{step['amount_cents']} cents" if "amount_cents" in step else step["amount"]
        return f"{step['fraction']} of it = {amount}"
    changes = [f"  {change['units']} units for {change['fraction']}" for change in step.get("changes", ())]
    return "\n".join([f"{step['units']} units ({step['rule'].replace('_', ' ')})", *changes])


def _base_amount(step: Step) -> str:
    return f"{step['amount_cents']} cents"


def _minimum(step: Step) -> str:
    return f"less {step['used_cents']} cents used = {step['amount_cents']} cents"


def _conversion(step: Step) -> str:
    return (
        f"{step['pricing_unit_amount_cents']} cents of {step['pricing_unit']}"
        f" at {step['conversion_rate']} = {step['amount']}"
    )


def _rounding(step: Step) -> str:
    return f"half away from zero = {step['amount_cents']} cents"


def _plain(step: Step) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in step.items() if name != "step")


_WORDS: dict[str, Callable[[Step], str]] = {
    "period": _period,
    "aggregation": _aggregation,
    "rounding_of_units": _rounding_of_units,
    "pricing": _pricing,
    "proration": _proration,
    "base_amount": _base_amount,
    "minimum": _minimum,
    "conversion": _conversion,
    "rounding": _rounding,
}
