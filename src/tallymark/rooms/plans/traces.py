"""What a change made of a plan and of all that it charges, for the activity log (platform §10.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tallymark.domain.values import names_of
from tallymark.jobs.activity import Changes, as_json
from tallymark.rooms.plans.model import (
    ALL_FILTER_VALUES,
    Charge,
    ChargeFilter,
    Commitment,
    FixedCharge,
    Plan,
    UsageThreshold,
)
from tallymark.rooms.taxes.model import Tax

NO_TERMS = frozenset({"id", "plan_id", "parent_id", "position", "created_at", "updated_at"})
"""What tells one record from another, and nothing of a price."""

HANGS_ON = frozenset({
    "charges", "fixed_charges", "filters", "taxes", "minimum_commitment", "usage_thresholds", "applicable_usage_thresholds",
    "billable_metric", "add_on", "applied_pricing_unit",
})  # fmt: skip
"""What is told by names of its own."""


class Named(dict[str, Any]):
    """Terms by their names: each is looked at by itself."""


def changes_between(before: Plan, after: Plan) -> Changes:
    """[before, after] by field, also from a plan to a child of it; of a charge by its code, as in "charges.calls.properties".

    What came or went is shown whole.
    """
    return dict(_differences("", _of_plan(before), _of_plan(after)))


def _differences(place: str, before: Named, after: Named) -> Iterator[tuple[str, Sequence[Any]]]:
    for name in {**before, **after}:
        was, is_now = before.get(name), after.get(name)
        if isinstance(was, Named) and isinstance(is_now, Named):
            yield from _differences(f"{place}{name}.", was, is_now)
        elif was != is_now:
            yield f"{place}{name}", [as_json(was), as_json(is_now)]


def _of_plan(plan: Plan) -> Named:
    known = plan.minimum_commitment
    commitment = None if known is None else Named(**terms_of(known), tax_codes=_codes(known.taxes))
    return Named(
        **terms_of(plan),
        tax_codes=_codes(plan.taxes),
        minimum_commitment=commitment,
        usage_thresholds=[terms_of(threshold) for threshold in plan.usage_thresholds],
        charges=Named({charge.code: _of_charge(charge) for charge in plan.charges}),
        fixed_charges=Named({charge.code: _of_fixed_charge(charge) for charge in plan.fixed_charges}),
    )


def _of_charge(charge: Charge) -> Named:
    applied = charge.applied_pricing_unit
    return Named(
        **terms_of(charge),
        billable_metric_code=charge.billable_metric.code,
        conversion_rate=applied.conversion_rate if applied else None,
        tax_codes=_codes(charge.taxes),
        filters=_of_filters(charge.filters),
    )


def _of_fixed_charge(charge: FixedCharge) -> Named:
    return Named(**terms_of(charge), add_on_code=charge.add_on.code, tax_codes=_codes(charge.taxes))


def _of_filters(filters: Sequence[ChargeFilter]) -> Named:
    """By their values, which are what a filter is; several may have the same (quirk)."""
    found, count = Named(), Counter[str]()
    for one in filters:
        name = _name(one.values)
        count[name] += 1
        found[name if count[name] == 1 else f"{name} ({count[name]})"] = Named(terms_of(one))
    return found


def _name(values: Mapping[str, Sequence[str]]) -> str:
    """Values in words, whatever their order.

    >>> _name({"region": ("us", "eu"), "cloud": (ALL_FILTER_VALUES,)})
    'cloud, region=eu|us'
    """
    return ", ".join(
        key if listed == (ALL_FILTER_VALUES,) else f"{key}={'|'.join(sorted(listed))}"
        for key, listed in sorted(values.items())
    )


def terms_of(
    record: Plan | Charge | FixedCharge | ChargeFilter | Commitment | UsageThreshold,
) -> dict[str, Any]:
    """What a record says of a price itself, without what hangs on it."""
    kind: type = type(record)
    return {name: getattr(record, name) for name in names_of(kind) if name not in NO_TERMS | HANGS_ON}


def _codes(taxes: Sequence[Tax]) -> list[str]:
    return sorted(tax.code for tax in taxes)
