"""What can be done with the fixed charges of a plan (pricing §13.1)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from itertools import repeat
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound, Problems, element
from tallymark.domain.exact import Fraction
from tallymark.domain.money import currency
from tallymark.domain.rating import (
    LARGEST_PRICE,
    ChargeModel,
    InvalidProperties,
    Price,
    Usage,
    clean_properties,
    parse_price,
)
from tallymark.rooms.add_ons import service as add_ons
from tallymark.rooms.add_ons.model import AddOn
from tallymark.rooms.billable_metrics.model import AggregationType
from tallymark.rooms.plans.charges import default_code
from tallymark.rooms.plans.inputs import Editing, FixedChargeInput
from tallymark.rooms.plans.model import FIXED_CHARGE_FIXED, FixedCharge, Plan
from tallymark.rooms.plans.repository import fixed as repository
from tallymark.rooms.plans.unit_changes import note_unit_changes
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner

FIXED_WHEN_ATTACHED = ("charge_model", "code")
PRICES = (ChargeModel.STANDARD, ChargeModel.GRADUATED, ChargeModel.VOLUME)


async def find_add_ons(tx: Tx, inputs: Sequence[FixedChargeInput]) -> dict[UUID, AddOn]:
    """The add-ons that new fixed charges of a plan name. Raises `NotFound("add_ons")`."""
    return await add_ons.get_live_add_ons(tx, {item.add_on_id for item in inputs if item.add_on_id})


async def add_fixed_charges(
    tx: Tx,
    editing: Editing,
    inputs: Sequence[FixedChargeInput],
    *,
    sold: Mapping[UUID, AddOn],
    known: Collection[str],
    places: Sequence[int] | None = None,
) -> None:
    """Add fixed charges to a plan; a code left out follows from the add-on's. Raises `Invalid` and `NotFound`.

    `places` are theirs in the list that was sent, where there is one.
    """
    taken = set(known)
    rows, carried = [], {}
    for place, item in zip(places or repeat(None), inputs, strict=False):
        if item.add_on_id is None:
            raise NotFound("add_ons")
        code = item.values.get("code") or default_code(sold[item.add_on_id].code, taken)
        with element("fixed_charges", place):
            if code in taken:
                raise Invalid({"code": ["value_already_exist"]})
            row = {**_new_row(tx, editing, item), "code": code}
        taken.add(code)
        rows.append(row)
        carried[row["id"]] = item.tax_codes or ()
    await repository.insert_fixed_charges(tx, rows)
    for fixed_charge_id, codes in carried.items():
        if codes:
            await taxes.replace_taxes(tx, Owner.FIXED_CHARGE, fixed_charge_id, codes)


def _new_row(tx: Tx, editing: Editing, item: FixedChargeInput) -> dict[str, Any]:
    values = {name: value for name, value in item.values.items() if value is not None}
    problems = Problems()
    checked = _checked({"pay_in_advance": False, "prorated": False, "units": Decimal(0), **values}, problems)
    problems.raise_any()
    return {
        "id": new_id(),
        "organization_id": tx.organization_id,
        "plan_id": editing.plan.id,
        "add_on_id": item.add_on_id,
        **checked,
        "apply_units_immediately": item.applies_units_immediately,
        "invoice_display_name": values.get("invoice_display_name"),
        "created_at": editing.now,
        "updated_at": editing.now,
    }


def _checked(values: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """The columns that are checked together, their faults noted."""
    model = ChargeModel(values["charge_model"])
    if values["pay_in_advance"] and model is ChargeModel.VOLUME:
        problems.add("pay_in_advance", "invalid_charge_model")
    if values["pay_in_advance"] and values["prorated"] and model is ChargeModel.GRADUATED:
        problems.add("prorated", "invalid_charge_model")
    properties = clean_properties(model, values.get("properties"))
    price = None
    try:
        price = parse_price(
            model, properties, aggregation_type=AggregationType.SUM.value, at_most=LARGEST_PRICE
        )
    except InvalidProperties as error:
        problems.add("properties", *error.codes)
    check_units(values["units"], price, problems)
    names = ("pay_in_advance", "prorated", "units")
    return {
        **{name: values[name] for name in names},
        "charge_model": model.value,
        "properties": properties,
    }


def check_units(units: Decimal, price: Price | None, problems: Problems) -> None:
    """Note units that are less than none, or that come to more than a bill can hold, of whatever currency (§1.4)."""
    if units < 0 or (price is not None and _amount(price, units) > LARGEST_PRICE):
        problems.add("units", "value_is_out_of_range")


def _amount(price: Price, units: Decimal) -> Fraction:
    """What units come to, in currency units: how many minor units these have makes no difference to it."""
    return price.rate(Usage(units=Fraction(units), events_count=0), currency("EUR")).amount


async def replace_fixed_charges(tx: Tx, editing: Editing, inputs: Sequence[FixedChargeInput]) -> None:
    """Make the list what is sent: known ids are changed, others added, the rest deleted (pricing §4.3)."""
    by_id = {charge.id: charge for charge in editing.plan.fixed_charges}
    places = [place for place, item in enumerate(inputs) if item.id not in by_id]
    fresh = [inputs[place] for place in places]
    sold = await find_add_ons(tx, fresh)
    kept = {item.id for item in inputs if item.id in by_id}
    await repository.delete_fixed_charges(tx, by_id.keys() - kept, at=editing.now)
    codes = {charge.id: charge.code for charge in by_id.values() if charge.id in kept}
    for place, item in enumerate(inputs):
        if item.id in by_id:
            with element("fixed_charges", place):
                codes[item.id] = await _update(tx, editing, by_id[item.id], item, known=codes)
    await add_fixed_charges(tx, editing, fresh, sold=sold, known=set(codes.values()), places=places)
    await note_unit_changes(tx, editing.plan.id, now=editing.now)


async def create_fixed_charge(tx: Tx, editing: Editing, item: FixedChargeInput) -> str:
    """Add one fixed charge to a plan and return its code. Raises `Invalid` and `NotFound("add_on")`."""
    code = item.values.get("code")
    if not code:
        raise Invalid({"code": ["value_is_mandatory"]})
    found = await _named_add_on(tx, item)
    named = FixedChargeInput(
        add_on_id=found.id,
        values=item.values,
        applies_units_immediately=item.applies_units_immediately,
        tax_codes=item.tax_codes,
    )
    known = {charge.code for charge in editing.plan.fixed_charges}
    await add_fixed_charges(tx, editing, [named], sold={found.id: found}, known=known)
    await note_unit_changes(tx, editing.plan.id, now=editing.now)
    return str(code)


async def _named_add_on(tx: Tx, item: FixedChargeInput) -> AddOn:
    if item.add_on_id is None:
        return await add_ons.get_add_on(tx, code=item.add_on_code or "")
    try:
        return (await add_ons.get_live_add_ons(tx, {item.add_on_id}))[item.add_on_id]
    except NotFound:
        raise NotFound("add_on") from None


async def update_fixed_charge(tx: Tx, editing: Editing, charge: FixedCharge, item: FixedChargeInput) -> None:
    """Change what is sent of one fixed charge. Raises `Invalid`."""
    known = {each.id: each.code for each in editing.plan.fixed_charges}
    await _update(tx, editing, charge, item, known=known)
    await note_unit_changes(tx, editing.plan.id, now=editing.now)


async def _update(
    tx: Tx, editing: Editing, charge: FixedCharge, item: FixedChargeInput, *, known: Mapping[UUID, str]
) -> str:
    """Change what is sent; `known` has the codes of the plan's fixed charges. Returns the charge's own, as it is then."""
    values = {
        name: value
        for name, value in item.values.items()
        if value is not None or name == "invoice_display_name"
    }
    problems = Problems()
    for name in (*FIXED_CHARGE_FIXED, *(FIXED_WHEN_ATTACHED if editing.is_attached else ())):
        if name in values and values[name] != getattr(charge, name):
            problems.add(name, "modification_not_allowed")
    if item.add_on_id not in (None, charge.add_on.id):
        problems.add("add_on_id", "modification_not_allowed")
    if item.add_on_code not in (None, charge.add_on.code):
        problems.add("add_on_code", "modification_not_allowed")
    code: str = values.get("code", charge.code)
    if code in {known[other_id] for other_id in known if other_id != charge.id}:
        problems.add("code", "value_already_exist")
    problems.raise_any()
    model = ChargeModel(values.get("charge_model") or charge.charge_model)
    stored: dict[str, Any] = {name: getattr(charge, name) for name in ("pay_in_advance", "prorated", "units")}
    if model is charge.charge_model:
        stored["properties"] = charge.properties
    checked = _checked({**stored, **values, "charge_model": model}, problems)
    problems.raise_any()
    row = {**checked, "code": code, "updated_at": editing.now}
    if "invoice_display_name" in values:
        row["invoice_display_name"] = values["invoice_display_name"]
    if "units" in values:
        row["apply_units_immediately"] = item.applies_units_immediately
    await repository.update_fixed_charge(tx, charge.id, row)
    if item.tax_codes is not None:
        await taxes.replace_taxes(tx, Owner.FIXED_CHARGE, charge.id, item.tax_codes)
    return code


async def delete_fixed_charge(tx: Tx, editing: Editing, charge: FixedCharge) -> None:
    """Delete a fixed charge: it is not billed any more; what it billed stays."""
    await repository.delete_fixed_charges(tx, [charge.id], at=editing.now)


def find_fixed_charge(plan: Plan, code: str) -> FixedCharge:
    """A live fixed charge of a plan by code. Raises `NotFound("fixed_charge")`."""
    for charge in plan.fixed_charges:
        if charge.code == code:
            return charge
    raise NotFound("fixed_charge")
