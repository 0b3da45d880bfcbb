"""A charge's properties: their defaults, what they must be, and the price that they make (pricing §5.1, §7)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tallymark.domain.exact import Fraction
from tallymark.domain.money import parse_amount
from tallymark.domain.rating.dynamic import DynamicPrice
from tallymark.domain.rating.graduated import GraduatedPrice
from tallymark.domain.rating.graduated_percentage import GraduatedPercentagePrice
from tallymark.domain.rating.model import JSON, ZERO, ChargeModel, Price
from tallymark.domain.rating.package import PackagePrice
from tallymark.domain.rating.percentage import PercentagePrice
from tallymark.domain.rating.standard import StandardPrice
from tallymark.domain.rating.tiers import BrokenTiers, Tier, parse_tiers
from tallymark.domain.rating.volume import VolumePrice

Properties = Mapping[str, JSON]

MOST_PRESENTATION_KEYS = 2

LARGEST_PRICE = Fraction(2**63 - 1, 10**4)
"""What an amount of every currency may be: 64 bits hold its minor units (pricing §1.4), of CLF ten thousand a unit."""

_INTEGER = re.compile(r"\d{1,19}", re.ASCII)

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


class NoPrice(ValueError):
    """Charges of that model can't be created, so they have no price (pricing §7.8)."""


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


def clean_properties(
    model: ChargeModel, properties: Properties | None, *, is_filter: bool = False
) -> dict[str, JSON]:
    """Keep the keys of the model and the grouping keys; where there is nothing, a charge has the model's defaults.

    A filter has no defaults and no presentation keys (pricing §6). What is kept may still be wrong: `parse_price` tells.

    >>> clean_properties(ChargeModel.STANDARD, {"amount": "5", "rate": "1", "grouped_by": ["region", " "]})
    {'amount': '5', 'pricing_group_keys': ['region']}
    """
    if not properties:
        return {} if is_filter else default_properties(model)
    kept = {key: properties[key] for key in OWN_KEYS[model] if key in properties}
    for alias in ("pricing_group_keys", "grouped_by"):
        if properties.get(alias) is not None:
            kept["pricing_group_keys"] = _without_blanks(properties[alias])
            break
    if not is_filter and properties.get("presentation_group_keys") is not None:
        kept["presentation_group_keys"] = properties["presentation_group_keys"]
    return kept


def parse_price(
    model: ChargeModel, properties: Properties, *, aggregation_type: str, at_most: Fraction | None = None
) -> Price:
    """Build the price of a charge (pricing §7), its grouping keys checked too.

    A new price has no amount and no rate above `at_most`; one that is kept is read whatever it is. Raises `InvalidProperties`
    with the codes of all faults, and `NoPrice` for the custom model.

    >>> parse_price(ChargeModel.STANDARD, {"amount": "0.02"}, aggregation_type="count_agg")
    StandardPrice(amount=Fraction(1, 50))
    """
    reader = _Reader(properties=properties, aggregation_type=aggregation_type, at_most=at_most)
    match model:
        case ChargeModel.STANDARD:
            return _standard(reader)
        case ChargeModel.GRADUATED:
            return _graduated(reader)
        case ChargeModel.GRADUATED_PERCENTAGE:
            return _graduated_percentage(reader)
        case ChargeModel.VOLUME:
            return _volume(reader)
        case ChargeModel.PACKAGE:
            return _package(reader)
        case ChargeModel.PERCENTAGE:
            return _percentage(reader)
        case ChargeModel.DYNAMIC:
            reader.close()
            return DynamicPrice()
        case ChargeModel.CUSTOM:
            raise NoPrice(model)


def _without_blanks(keys: JSON) -> JSON:
    """Drop keys of white space; a key that is no text, or empty text, stays to be refused."""
    if not isinstance(keys, list):
        return keys
    return [key for key in keys if not (isinstance(key, str) and key.isspace())]


def _pricing_key_faults(keys: JSON) -> list[str]:
    if keys is None or (isinstance(keys, list) and all(isinstance(key, str) and key for key in keys)):
        return []
    return ["invalid_type"]


def _presentation_key_faults(keys: JSON) -> list[str]:
    if keys is None:
        return []
    if not isinstance(keys, list):
        return ["invalid_type"]
    names = [key.get("value") for key in keys if isinstance(key, dict)]
    faults = {
        "too_many_keys": len(keys) > MOST_PRESENTATION_KEYS,
        "value_is_duplicated": any(name in names[:index] for index, name in enumerate(names)),
        "invalid_type": not all(_is_presentation_key(key) for key in keys),
    }
    return [code for code, is_faulty in faults.items() if is_faulty]


def _is_presentation_key(key: JSON) -> bool:
    if not isinstance(key, dict):
        return False
    name, options = key.get("value"), key.get("options")
    if not isinstance(name, str) or not name.strip():
        return False
    if not isinstance(options, dict):
        return options is None
    return isinstance(options.get("display_in_invoice", False), bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads properties, one after the other in the order of the specification, and collects what is wrong with them."""

    properties: Properties
    aggregation_type: str
    at_most: Fraction | None
    codes: list[str] = field(default_factory=list)

    def close(self) -> None:
        """End the reading with the keys that any model may have. Raises `InvalidProperties`."""
        self.codes.extend(_pricing_key_faults(self.properties.get("pricing_group_keys")))
        self.codes.extend(_presentation_key_faults(self.properties.get("presentation_group_keys")))
        if self.codes:
            raise InvalidProperties(self.codes)

    def amount(self, key: str, code: str) -> Fraction:
        return self._decimal(key, code, at_most=self.at_most)

    def optional_amount(self, key: str, code: str) -> Fraction | None:
        return None if self.properties.get(key) is None else self.amount(key, code)

    def optional_units(self, key: str, code: str) -> Fraction | None:
        return None if self.properties.get(key) is None else self._decimal(key, code, at_most=None)

    def _decimal(self, key: str, code: str, *, at_most: Fraction | None) -> Fraction:
        try:
            return parse_amount(self.properties.get(key), at_most=at_most)
        except ValueError:
            self.codes.append(code)
            return ZERO

    def integer(self, key: str, code: str, *, least: int) -> int:
        """An integer or the text of one (pricing §1.1)."""
        value = self.properties.get(key)
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**63:
            self.codes.append(code)
            return least
        return value

    def tiers(self, name: str, price_key: str, *, is_sorted: bool = True) -> tuple[Tier, ...]:
        try:
            return parse_tiers(
                self.properties.get(name),
                name=name,
                price_key=price_key,
                is_sorted=is_sorted,
                at_most=self.at_most,
            )
        except BrokenTiers as error:
            self.codes.extend(error.codes)
            return ()

    def refuse_latest(self) -> None:
        """A percentage of the latest value means nothing (pricing §7.3, §7.6)."""
        if self.aggregation_type == "latest_agg":
            self.codes.append("invalid_value")

    def refuse_levels(self) -> None:
        """A level that is held has no transactions whose amounts could be bounded (metering §5.6)."""
        if self.aggregation_type == "weighted_sum_agg":
            self.codes.append("invalid_value")


def _standard(reader: _Reader) -> StandardPrice:
    amount = reader.amount("amount", "invalid_amount")
    reader.close()
    return StandardPrice(amount=amount)


def _graduated(reader: _Reader) -> GraduatedPrice:
    tiers = reader.tiers("graduated_ranges", "per_unit_amount")
    reader.close()
    return GraduatedPrice(tiers=tiers)


def _graduated_percentage(reader: _Reader) -> GraduatedPercentagePrice:
    tiers = reader.tiers("graduated_percentage_ranges", "rate")
    reader.refuse_latest()
    reader.close()
    return GraduatedPercentagePrice(tiers=tiers)


def _volume(reader: _Reader) -> VolumePrice:
    tiers = reader.tiers("volume_ranges", "per_unit_amount", is_sorted=False)
    reader.close()
    return VolumePrice(tiers=tiers)


def _package(reader: _Reader) -> PackagePrice:
    amount = reader.amount("amount", "invalid_amount")
    package_size = reader.integer("package_size", "invalid_package_size", least=1)
    free_units = reader.integer("free_units", "invalid_free_units", least=0)
    reader.close()
    return PackagePrice(amount=amount, package_size=package_size, free_units=free_units)


def _percentage(reader: _Reader) -> PercentagePrice:
    rate = reader.amount("rate", "invalid_rate")
    fixed_amount = reader.optional_amount("fixed_amount", "invalid_fixed_amount")
    events = 0
    if reader.properties.get("free_units_per_events") is not None:
        events = reader.integer("free_units_per_events", "invalid_free_units_per_events", least=1)
    total = reader.optional_units(
        "free_units_per_total_aggregation", "invalid_free_units_per_total_aggregation"
    )
    bounds = "per_transaction_min_amount", "per_transaction_max_amount"
    faults = len(reader.codes)
    least, most = (reader.optional_amount(key, "invalid_amount") for key in bounds)
    if len(reader.codes) == faults and least is not None and most is not None and most < least:
        reader.codes.append("per_transaction_max_lower_than_per_transaction_min")
    reader.refuse_latest()
    if least is not None or most is not None:
        reader.refuse_levels()
    reader.close()
    return PercentagePrice(
        rate_percent=rate,
        fixed_amount=fixed_amount or ZERO,
        free_units_per_events=events,
        free_units_per_total_aggregation=total or ZERO,
        per_transaction_min_amount=least,
        per_transaction_max_amount=most,
    )
