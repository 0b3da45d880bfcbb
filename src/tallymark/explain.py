"""How an amount came to be, written for people: each step of an explanation as a line (beyond.md §1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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


def render_invoice(
    title: str, currency: str, steps: Sequence[Step], fees: Mapping[str, str]
) -> RenderableType:
    """An invoice's derivation, from its fees to its total in cents; `fees` are their names by id."""
    table = Table("", "step", "", "cents", box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.columns[3].justify = "right"
    for number, step in enumerate(steps, start=1):
        titles = [str(number), step["step"].replace("_", " ")]
        for words, cents in _invoice_lines(step, fees):
            table.add_row(*titles, words, cents)
            titles = ["", ""]
        table.add_row()
    return Group(Text(f"{title} ({currency})", style="bold"), Padding(table, (0, 0, 0, 2)))


def _invoice_lines(step: Step, fees: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(words, cents) of what a step adds or takes off, and of what it comes to."""
    match step["step"]:
        case "fees":
            for fee in step["fees"]:
                named = fees.get(fee["lago_fee_id"], fee["lago_fee_id"])
                yield f"{named} ({fee['type'].replace('_', ' ')})", str(fee["amount_cents"])
        case "progressive_billing_credits" | "coupons":
            for credit in step["credits"]:
                yield from _deduction(credit, fees)
        case "taxes" if step["rule"] == "of_bases":
            for tax in step["taxes"]:
                how = f"{tax['name']}: {tax['rate']} % of {tax['base_cents']} = {tax['precise_amount_cents']}"
                yield how, str(tax["amount_cents"])
            if len(step["taxes"]) > 1:
                exact = " + ".join(tax["precise_amount_cents"] for tax in step["taxes"])
                yield f"{exact}, rounded once", ""
        case "taxes":
            for fee in step["fees"]:
                yield f"of {fees.get(fee['lago_fee_id'], fee['lago_fee_id'])}", str(fee["amount_cents"])
        case "credit_notes":
            for credit in step["credits"]:
                yield f"credit note {credit['number']}", f"-{credit['amount_cents']}"
        case "wallets":
            for credit in step["credits"]:
                yield f"wallet {credit['code']}", f"-{credit['amount_cents']}"
        case "totals":
            yield from _totals(step)
            return
        case _:
            yield _plain(step), ""
    sign = (
        "-" if step["step"] in ("progressive_billing_credits", "coupons", "credit_notes", "wallets") else ""
    )
    yield "together", f"{sign}{step['amount_cents']}"


def _deduction(credit: Step, fees: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if "percentage_rate" in credit:
        how = f": {credit['percentage_rate']} % of {credit['base_cents']}"
    elif "at_most_cents" in credit:
        how = f": at most {credit['at_most_cents']} of {credit['base_cents']}"
    else:
        how = ""
    yield f"{credit['name']} ({credit['code']}){how}", f"-{credit['amount_cents']}"
    for share in credit.get("shares", ()):
        yield f"  {share['amount_cents']} of {fees.get(share['lago_fee_id'], share['lago_fee_id'])}", ""


_TOTALS = (
    ("fees_amount_cents", "fees", ""),
    ("progressive_billing_credit_amount_cents", "progressive billing credits", "-"),
    ("coupons_amount_cents", "coupons", "-"),
    ("sub_total_excluding_taxes_amount_cents", "subtotal before taxes", ""),
    ("taxes_amount_cents", "taxes", ""),
    ("sub_total_including_taxes_amount_cents", "subtotal with taxes", ""),
    ("credit_notes_amount_cents", "credit notes", "-"),
    ("prepaid_credit_amount_cents", "wallets", "-"),
    ("total_amount_cents", "total", ""),
)


def _totals(step: Step) -> Iterator[tuple[str, str]]:
    for name, words, sign in _TOTALS:
        # What took nothing off says nothing.
        if step[name] or not sign:
            yield words, f"{sign}{step[name]}"


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
