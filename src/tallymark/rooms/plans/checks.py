"""What a charge and its filters must be (pricing §5.1, §6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tallymark.domain.errors import Problems
from tallymark.domain.rating import (
    LARGEST_PRICE,
    ChargeModel,
    InvalidProperties,
    clean_properties,
    parse_price,
)
from tallymark.rooms.billable_metrics.model import AggregationType, BillableMetric
from tallymark.rooms.plans.inputs import Values
from tallymark.rooms.plans.model import ALL_FILTER_VALUES

IN_ADVANCE = (
    AggregationType.COUNT,
    AggregationType.SUM,
    AggregationType.UNIQUE_COUNT,
    AggregationType.CUSTOM,
)
"""Aggregations in which one event has a price of its own."""

PRORATED_IN_ARREARS = (ChargeModel.STANDARD, ChargeModel.VOLUME, ChargeModel.GRADUATED)
NEEDED_AGGREGATION = {
    ChargeModel.DYNAMIC: AggregationType.SUM,
    ChargeModel.CUSTOM: AggregationType.CUSTOM,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A charge as it would stand: what is checked together."""

    charge_model: ChargeModel
    properties: Mapping[str, Any]
    pay_in_advance: bool = False
    invoiceable: bool = True
    prorated: bool = False
    regroup_paid_fees: str | None = None
    min_amount_cents: int = 0


def check_terms(terms: Terms, metric: BillableMetric, problems: Problems) -> None:
    """Note every fault of a charge's terms (pricing §5.1)."""
    model, kind = terms.charge_model, metric.aggregation_type
    if model in NEEDED_AGGREGATION and kind is not NEEDED_AGGREGATION[model]:
        problems.add("charge_model", "invalid_aggregation_type_or_charge_model")
    if terms.pay_in_advance and (kind not in IN_ADVANCE or model is ChargeModel.VOLUME):
        problems.add("pay_in_advance", "invalid_aggregation_type_or_charge_model")
    if not terms.invoiceable and not terms.pay_in_advance:
        problems.add("invoiceable", "must_be_true_unless_pay_in_advance")
    if terms.regroup_paid_fees and (terms.invoiceable or not terms.pay_in_advance):
        problems.add("regroup_paid_fees", "only_compatible_with_pay_in_advance_and_non_invoiceable")
    if terms.min_amount_cents > 0 and terms.pay_in_advance:
        problems.add("min_amount_cents", "not_compatible_with_pay_in_advance")
    if terms.prorated and not _can_be_prorated(terms, metric):
        problems.add("prorated", "invalid_billable_metric_or_charge_model")
    check_properties(model, terms.properties, metric, problems)


def _can_be_prorated(terms: Terms, metric: BillableMetric) -> bool:
    if not metric.recurring or metric.aggregation_type is AggregationType.WEIGHTED_SUM:
        return False
    allowed = (ChargeModel.STANDARD,) if terms.pay_in_advance else PRORATED_IN_ARREARS
    return terms.charge_model in allowed


def check_properties(
    model: ChargeModel, properties: Mapping[str, Any], metric: BillableMetric, problems: Problems
) -> None:
    """Note every fault of properties that were cleaned (pricing §7)."""
    if model is ChargeModel.CUSTOM:
        return
    try:
        parse_price(model, properties, aggregation_type=metric.aggregation_type.value, at_most=LARGEST_PRICE)
    except InvalidProperties as error:
        problems.add("properties", *error.codes)


def filter_properties(model: ChargeModel, sent: Mapping[str, Any] | None) -> dict[str, Any]:
    """The properties of a filter: of its charge's model, without defaults (pricing §6)."""
    return dict(clean_properties(model, sent, is_filter=True))


def check_filter_values(values: Values, metric: BillableMetric, problems: Problems) -> None:
    """Note keys and values that the metric's filters do not have (pricing §6)."""
    known = {item.key: item.values for item in metric.filters}
    for key, listed in values.items():
        if listed != (ALL_FILTER_VALUES,) and not set(listed) <= set(known.get(key, ())):
            problems.add("values", "value_is_invalid")
        if key not in known:
            problems.add("values", "value_is_invalid")
            problems.add("billable_metric_filter", "relation_must_exist")


def same_values(values: Values) -> frozenset[tuple[str, frozenset[str]]]:
    """What identifies a filter among those of its charge: its values, whatever their order.

    >>> same_values({"region": ("eu", "us")}) == same_values({"region": ("us", "eu")})
    True
    """
    return frozenset((key, frozenset(listed)) for key, listed in values.items())
