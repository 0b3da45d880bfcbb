"""A charge's properties: their defaults, what they must be, and the price that they make (pricing §5.1, §7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from tallymark.domain.money import parse_amount
from tallymark.domain.rating.dynamic import DynamicPrice
from tallymark.domain.rating.graduated import GraduatedPrice
from tallymark.domain.rating.graduated_percentage import GraduatedPercentagePrice
from tallymark.domain.rating.model import JSON, ZERO, ChargeModel, Price
from tallymark.domain.rating.package import PackagePrice
from tallymark.domain.rating.percentage import PercentagePrice
from tallymark.domain.rating.standard import StandardPrice
from tallymark.domain.rating.tiers import BrokenTiers, Tier, check_bounds
from tallymark.domain.rating.volume import VolumePrice

Properties = Mapping[str, JSON]

OWN_KEYS: dict[ChargeModel, tuple[str, ...]] = {
    ChargeModel.STANDARD: ("amount",),
    ChargeModel.GRADUATED: ("graduated_ranges",),
    ChargeModel.GRADUATED_PERCENTAGE: ("graduated_percentage_ranges",),
    ChargeModel.VOLUME: ("volume_ranges",),
    ChargeModel.PACKAGE: ("amount", "package_size", "free_units"),
    ChargeModel.PERCENTAGE: (
        "rate",
        "fixed_amount",
        "free_units_per_events",
        "free_units_per_total_aggregation",
        "per_transaction_min_amount",
        "per_transaction_max_amount",
    ),
    ChargeModel.CUSTOM: ("custom_properties",),
    ChargeModel.DYNAMIC: (),
}


class InvalidProperties(ValueError):
    """The properties make no price; `codes` has every fault."""

    def __init__(self, codes: Sequence[str]) -> None:
        self.codes = tuple(codes)
        super().__init__(", ".join(codes))


def default_properties(model: ChargeModel) -> dict[str, JSON]:
    """Properties of a price of zero (pricing §5.1)."""
    match model:
        case ChargeModel.STANDARD:
            return {"amount": "0"}
        case ChargeModel.PACKAGE:
            return {"package_size": 1, "amount": "0", "free_units": 0}
        case ChargeModel.PERCENTAGE:
            return {"rate": "0"}
        case ChargeModel.GRADUATED | ChargeModel.VOLUME:
            open_end: JSON = {"from_value": 0, "to_value": None, "per_unit_amount": "0", "flat_amount": "0"}
            return {OWN_KEYS[model][0]: [open_end]}
        case ChargeModel.GRADUATED_PERCENTAGE:
            return {
                OWN_KEYS[model][0]: [{"from_value": 0, "to_value": None, "rate": "0", "flat_amount": "0"}]
            }
        case ChargeModel.CUSTOM | ChargeModel.DYNAMIC:
            return {}


def clean_properties(model: ChargeModel, properties: Properties | None) -> dict[str, JSON]:
    """Keep the keys of the model, or its defaults where there are none.

    >>> clean_properties(ChargeModel.STANDARD, {"amount": "5", "rate": "1"})
    {'amount': '5'}
    """
    if not properties:
        return default_properties(model)
    return {key: properties[key] for key in OWN_KEYS[model] if key in properties}


def parse_price(model: ChargeModel, properties: Properties, *, aggregation_type: str) -> Price:
    """Build the price of a charge. Raises `InvalidProperties` with the codes of all faults."""
    faults = _Faults(properties)
    price = _BUILDERS[model](faults, aggregation_type)
    if faults.codes or price is None:
        raise InvalidProperties(faults.codes or ["invalid_aggregation_type_or_charge_model"])
    return price


class _Faults:
    """Reads properties and collects what is wrong with them."""

    def __init__(self, properties: Properties) -> None:
        self.properties = properties
        self.codes: list[str] = []

    def add(self, code: str) -> None:
        self.codes.append(code)

    def amount(self, value: object, code: str) -> Fraction:
        try:
            return parse_amount(value)
        except ValueError:
            if code not in self.codes:
                self.add(code)
            return ZERO

    def optional_amount(self, key: str, code: str) -> Fraction | None:
        value = self.properties.get(key)
        return None if value is None else self.amount(value, code)

    def integer(self, key: str, code: str, *, least: int) -> int:
        value = self.properties.get(key)
        if isinstance(value, bool) or not isinstance(value, int | str):
            self.add(code)
            return least
        try:
            number = int(value)
        except ValueError:
            number = least - 1
        if not least <= number < 2**63:
            self.add(code)
            return least
        return number

    def tiers(self, key: str, price_key: str, price_code: str) -> tuple[Tier, ...]:
        ranges = self.properties.get(key)
        if not isinstance(ranges, list) or not ranges:
            self.add(f"missing_{key}")
            return ()
        rows = [row if isinstance(row, dict) else {} for row in ranges]
        if key == "volume_ranges":
            rows.sort(key=_sort_key)
        prices = [self.amount(row.get(price_key), price_code) for row in rows]
        flats = [self.amount(row.get("flat_amount"), "invalid_amount") for row in rows]
        try:
            bounds = check_bounds([(row.get("from_value"), row.get("to_value")) for row in rows])
        except BrokenTiers as error:
            self.codes.extend([f"invalid_{key}"] * int(str(error)))
            return ()
        return tuple(
            Tier(
                floor=floor,
                to=to,
                price=price,
                flat_amount=flat,
                shown_from=row.get("from_value"),
                shown_to=row.get("to_value"),
            )
            for row, (floor, to), price, flat in zip(rows, bounds, prices, flats, strict=True)
        )


def _sort_key(row: Mapping[str, JSON]) -> Decimal:
    try:
        return Decimal(str(row.get("from_value")))
    except ArithmeticError:
        return Decimal(0)


def _standard(faults: _Faults, _: str) -> Price:
    return StandardPrice(amount=faults.amount(faults.properties.get("amount"), "invalid_amount"))


def _graduated(faults: _Faults, _: str) -> Price:
    return GraduatedPrice(tiers=faults.tiers("graduated_ranges", "per_unit_amount", "invalid_amount"))


def _graduated_percentage(faults: _Faults, aggregation_type: str) -> Price:
    if aggregation_type == "latest_agg":
        faults.add("invalid_value")
    return GraduatedPercentagePrice(tiers=faults.tiers("graduated_percentage_ranges", "rate", "invalid_rate"))


def _volume(faults: _Faults, _: str) -> Price:
    return VolumePrice(tiers=faults.tiers("volume_ranges", "per_unit_amount", "invalid_amount"))


def _package(faults: _Faults, _: str) -> Price:
    return PackagePrice(
        amount=faults.amount(faults.properties.get("amount"), "invalid_amount"),
        package_size=faults.integer("package_size", "invalid_package_size", least=1),
        free_units=faults.integer("free_units", "invalid_free_units", least=0),
    )


def _percentage(faults: _Faults, aggregation_type: str) -> Price:
    if aggregation_type == "latest_agg":
        faults.add("invalid_value")
    rate = faults.amount(faults.properties.get("rate"), "invalid_rate")
    fixed_amount = faults.optional_amount("fixed_amount", "invalid_fixed_amount")
    events = 0
    if faults.properties.get("free_units_per_events") is not None:
        events = faults.integer("free_units_per_events", "invalid_free_units_per_events", least=1)
    total = faults.optional_amount(
        "free_units_per_total_aggregation", "invalid_free_units_per_total_aggregation"
    )
    least = faults.optional_amount("per_transaction_min_amount", "invalid_amount")
    most = faults.optional_amount("per_transaction_max_amount", "invalid_amount")
    if least is not None and most is not None and most < least:
        faults.add("per_transaction_max_lower_than_per_transaction_min")
    return PercentagePrice(
        rate_percent=rate,
        fixed_amount=fixed_amount or ZERO,
        free_units_per_events=events,
        free_units_per_total_aggregation=total or ZERO,
        per_transaction_min_amount=least,
        per_transaction_max_amount=most,
    )


def _dynamic(faults: _Faults, aggregation_type: str) -> Price:  # noqa: ARG001 - the builders' shape
    return DynamicPrice()


def _custom(faults: _Faults, _: str) -> Price | None:
    """No metric of custom aggregation can be made, so no charge can have this model (metering §2.1)."""
    faults.add("invalid_aggregation_type_or_charge_model")
    return None


_BUILDERS: dict[ChargeModel, Callable[[_Faults, str], Price | None]] = {
    ChargeModel.STANDARD: _standard,
    ChargeModel.GRADUATED: _graduated,
    ChargeModel.GRADUATED_PERCENTAGE: _graduated_percentage,
    ChargeModel.VOLUME: _volume,
    ChargeModel.PACKAGE: _package,
    ChargeModel.PERCENTAGE: _percentage,
    ChargeModel.DYNAMIC: _dynamic,
    ChargeModel.CUSTOM: _custom,
}
