"""Random lives: plans of every interval and model, events that come late or early, endings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from tests.oracle.arithmetic import ceil_at, floor_at, half_away
from tests.oracle.days import local, start_of_day
from tests.oracle.life import (
    Action,
    ApplyCoupon,
    ChangeUnits,
    Charge,
    Coupon,
    Event,
    Expression,
    Filter,
    FixedCharge,
    Life,
    Metric,
    PayFees,
    Plan,
    Subscribe,
    Terminate,
)

ZONES = ["UTC", "Europe/Paris", "America/New_York", "Asia/Tokyo", "Asia/Kolkata", "America/Santiago"]
LONG = {"weekly": 30, "monthly": 110, "quarterly": 220, "semiannual": 420, "yearly": 560}
SPLIT = ("semiannual", "yearly")

amounts = st.sampled_from(["0", "0.006", "0.35", "1", "1.115", "12.3", "0.333"])
values = st.sampled_from(["0", "1", "2", "3.5", "0.25", "10", "12.345", "100.5", "7"])
precise = st.sampled_from([None, "0", "12.5", "1000", "33.333333333333333"])
TAXES = {"full": "20", "low": "5.5", "odd": "8.875", "none": "0"}
tax_codes = st.sampled_from([(), (), (), ("full",), ("low", "odd"), ("none",)])
decreases = st.sampled_from(["-1", "-3.5", "-12"])
BASE_PRICES = [0, 230, 999, 4350, 12400, 36600]
NO_TRIAL = Fraction(0)
TRIALS = [Fraction(3), Fraction(7, 2), Fraction(10), Fraction(40)]
AGGREGATIONS = ["count_agg", "sum_agg", "max_agg", "latest_agg", "unique_count_agg", "weighted_sum_agg"]
CARRIED_OVER = ("sum_agg", "unique_count_agg", "weighted_sum_agg")
PRORATED = ("standard", "volume", "graduated")
NUMBERS = [
    Expression(text="event.properties.value * 2 + 0.5", meaning=lambda v: v * 2 + Fraction(1, 2)),
    Expression(text="ceil(event.properties.value / 3, 2)", meaning=lambda v: ceil_at(v / 3, 2)),
    Expression(text="least(event.properties.value, 9) - -1", meaning=lambda v: min(v, Fraction(9)) + 1),
]
TEXTS = [
    Expression(text="concat('v', round(event.properties.value))", meaning=lambda v: f"v{half_away(v)}"),
    Expression(text="floor(event.properties.value, -1)", meaning=lambda v: floor_at(v, -1)),
]
METRIC_FILTERS = {"region": ["eu", "us", "ap"], "tier": ["gold", "std"]}
CHARGE_FILTERS = [
    {"region": ["__ALL_FILTER_VALUES__"]},
    {"region": ["eu"]},
    {"tier": ["gold"]},
    {"region": ["eu", "us"], "tier": ["gold"]},
]


@st.composite
def tiers(draw: st.DrawFn, price: str = "per_unit_amount") -> list[dict[str, Any]]:
    """Both styles of `from_value`: the end of the tier before, and one more."""
    bounds = sorted(draw(st.sets(st.sampled_from([2, 5, 10, 30, 100]), max_size=3)))
    step = draw(st.sampled_from([0, 1]))
    starts = [draw(st.sampled_from([0, 1])), *(bound + step for bound in bounds)]
    return [
        {
            "from_value": start,
            "to_value": to,
            price: draw(amounts),
            "flat_amount": draw(st.sampled_from(["0", "0.5", "3"])),
        }
        for start, to in zip(starts, [*bounds, None], strict=True)
    ]


@st.composite
def properties(draw: st.DrawFn, model: str) -> dict[str, Any]:
    match model:
        case "standard":
            return {"amount": draw(amounts)}
        case "graduated" | "volume":
            return {f"{model}_ranges": draw(tiers())}
        case "graduated_percentage":
            return {"graduated_percentage_ranges": draw(tiers("rate"))}
        case "dynamic":
            return {}
        case "package":
            size = draw(st.sampled_from([1, 5, 100]))
            return {
                "amount": draw(amounts),
                "package_size": size,
                "free_units": draw(st.sampled_from([0, 3, 50])),
            }
    optional = {
        "fixed_amount": st.sampled_from(["0.25", "1"]),
        "free_units_per_events": st.sampled_from([1, 3]),
        "free_units_per_total_aggregation": st.sampled_from(["5", "20.5"]),
    }
    limits = {
        "per_transaction_min_amount": st.sampled_from(["0.1", "1.75"]),
        "per_transaction_max_amount": st.sampled_from(["2", "3"]),
    }
    chosen: dict[str, Any] = draw(st.fixed_dictionaries({"rate": amounts}, optional=optional | limits))
    return chosen


@st.composite
def metrics(draw: st.DrawFn, code: str) -> Metric:
    aggregation = draw(st.sampled_from(AGGREGATIONS))
    function = draw(st.sampled_from([None, None, None, "round", "ceil", "floor"]))
    expressions = TEXTS if aggregation == "unique_count_agg" else NUMBERS
    return Metric(
        code=code,
        aggregation=aggregation,
        recurring=aggregation in CARRIED_OVER and draw(st.booleans()),
        rounding_function=function,
        rounding_precision=draw(st.sampled_from([None, 1, -1])) if function else None,
        filters=draw(st.sampled_from([{}, METRIC_FILTERS])),
        expression=None if aggregation == "count_agg" else draw(st.sampled_from([None, None, *expressions])),
    )


@st.composite
def models(draw: st.DrawFn, metric: Metric) -> str:
    found = ["standard", "graduated", "volume", "package"]
    if metric.aggregation in ("count_agg", "sum_agg"):  # of the others, events and units are two numbers
        found.append("graduated_percentage")
        if not metric.recurring and metric.rounding_function is None:
            found.append("percentage")
    if metric.aggregation == "sum_agg":
        found.append("dynamic")
    return draw(st.sampled_from(found))


@st.composite
def charges(draw: st.DrawFn, code: str) -> Charge:
    metric = draw(metrics(f"metric_{code}"))
    model = draw(models(metric))
    can_prorate = metric.recurring and metric.aggregation != "weighted_sum_agg" and model in PRORATED
    filters: list[Filter] = []
    if metric.filters:
        kinds = draw(st.permutations(CHARGE_FILTERS))[: draw(st.integers(0, 3))]
        filters = [Filter(values=one, properties=draw(properties(model))) for one in kinds]
    chosen = draw(properties(model))
    can_advance = metric.aggregation in ("count_agg", "sum_agg", "unique_count_agg") and model != "volume"
    in_advance = can_advance and draw(st.booleans())
    invoiceable = not in_advance or draw(st.booleans())
    if draw(st.booleans()):
        chosen = chosen | {"pricing_group_keys": ["region"]}
    return Charge(
        code=code,
        metric=metric,
        model=model,
        properties=chosen,
        filters=tuple(filters),
        pay_in_advance=in_advance,
        invoiceable=invoiceable,
        regroups=not invoiceable and draw(st.booleans()),
        prorated=can_prorate and not (in_advance and model != "standard") and draw(st.booleans()),
        min_amount_cents=0 if in_advance else draw(st.sampled_from([0, 0, 5000])),
        conversion_rate=draw(st.sampled_from([None, None, None, "0.35", "1.1"]))
        if model != "dynamic"
        else None,
        tax_codes=draw(tax_codes),
    )


@st.composite
def fixed_charges(draw: st.DrawFn, code: str) -> FixedCharge:
    in_advance = draw(st.booleans())
    model = draw(st.sampled_from(["standard", "graduated", *([] if in_advance else ["volume"])]))
    return FixedCharge(
        code=code,
        model=model,
        properties=draw(properties(model)),
        units=draw(st.sampled_from(["1", "3", "10", "0"])),
        pay_in_advance=in_advance,
        prorated=not (in_advance and model == "graduated") and draw(st.booleans()),
        tax_codes=draw(tax_codes),
    )


@st.composite
def payments(
    draw: st.DrawFn, offers: list[Plan], external_id: str, begins: datetime, minutes: int
) -> list[PayFees]:
    """Of fees on no invoice, which are regrouped when they are paid."""
    if not any(charge.regroups for plan in offers for charge in plan.charges):
        return []
    times = draw(st.lists(st.integers(0, minutes), max_size=3))
    return [PayFees(at=begins + timedelta(minutes=minute), external_id=external_id) for minute in times]


@st.composite
def unit_changes(
    draw: st.DrawFn, offers: list[Plan], external_id: str, begins: datetime, minutes: int
) -> list[ChangeUnits]:
    found: list[ChangeUnits] = []
    for fixed in (fixed for plan in offers for fixed in plan.fixed_charges):
        units = draw(st.permutations(["2.5", "5", "16", "0.333333"]))[: draw(st.integers(0, 3))]
        times = sorted(draw(st.integers(0, minutes)) for _ in units)
        found += [
            ChangeUnits(
                at=begins + timedelta(minutes=minute),
                external_id=external_id,
                code=fixed.code,
                units=one,
                immediately=draw(st.booleans()),
            )
            for one, minute in zip(units, times, strict=True)
        ]
    return found


@st.composite
def plans(draw: st.DrawFn, code: str) -> Plan:
    interval = draw(st.sampled_from(list(LONG)))
    return Plan(
        code=code,
        interval=interval,
        amount_cents=draw(st.sampled_from(BASE_PRICES)),
        pay_in_advance=draw(st.booleans()),
        trial_days=draw(st.sampled_from([NO_TRIAL, NO_TRIAL, *TRIALS])),
        charges_monthly=interval in SPLIT and draw(st.booleans()),
        fixed_monthly=interval in SPLIT and draw(st.booleans()),
        charges=tuple(draw(charges(f"{code}_{n}")) for n in range(draw(st.integers(0, 2)))),
        fixed_charges=tuple(
            draw(fixed_charges(f"{code}_f{n}")) for n in range(draw(st.sampled_from([0, 0, 1, 2])))
        ),
        commitment_cents=draw(st.sampled_from([0, 0, 7777, 50000])),
        commitment_tax_codes=draw(tax_codes),
        tax_codes=draw(tax_codes),
    )


@st.composite
def instants(draw: st.DrawFn, begins: datetime, minutes: int, zone: str) -> datetime:
    """A minute of a life; now and then just before, at, or in the first minutes after a local midnight."""
    at = begins + timedelta(minutes=draw(st.integers(0, minutes)))
    if draw(st.integers(0, 4)):
        return at
    edge = start_of_day(local(at, zone), zone) + timedelta(minutes=draw(st.sampled_from([-1, 0, 5, 10, 15])))
    return min(max(edge, begins + timedelta(minutes=1)), begins + timedelta(minutes=minutes))


@st.composite
def events(
    draw: st.DrawFn, offers: list[Plan], external_id: str, begins: datetime, minutes: int, zone: str
) -> list[Event]:
    among = [charge for plan in offers for charge in plan.charges]
    found: list[Event] = []
    for n in range(draw(st.integers(0, 8)) if among else 0):
        charge = draw(st.sampled_from(among))
        at = draw(instants(begins, minutes, zone))
        shift = draw(
            st.sampled_from([0, 0, 0, 60, -600, 1440 * 3, 1440 * 14, 1440 * 45, -1440 * 9, -1440 * 35])
        )
        body: dict[str, Any] = {"value": draw(values if draw(st.booleans()) else values | decreases)}
        if charge.metric.expression is None and draw(st.integers(0, 7)) == 0:
            body = draw(
                st.sampled_from([{}, {"value": None}, {"value": " "}, {"value": "1e3"}, {"value": "a"}])
            )
        for key, texts in (("region", ["eu", "us", "mars", None]), ("tier", ["gold", "std", None])):
            if (found_value := draw(st.sampled_from(texts))) is not None:
                body[key] = found_value
        if charge.metric.aggregation == "unique_count_agg" and draw(st.booleans()):
            body["operation_type"] = draw(st.sampled_from(["add", "remove", "remove"]))
        found.append(
            Event(
                at=at,
                id=f"{external_id}_{n}",
                external_id=draw(st.sampled_from([external_id] * 15 + ["nobody"])),
                code=draw(st.sampled_from([charge.metric.code] * 15 + ["nothing"])),
                timestamp=draw(edges(at - timedelta(minutes=shift), zone)),
                properties=body,
                precise_total_amount_cents=draw(precise) if charge.model == "dynamic" else None,
            )
        )
    return found


@st.composite
def edges(draw: st.DrawFn, at: datetime, zone: str) -> datetime:
    """The instant, or the local midnight before it."""
    return start_of_day(local(at, zone), zone) if draw(st.integers(0, 5)) == 0 else at


@st.composite
def lives(draw: st.DrawFn) -> Life:
    minute = draw(st.integers(0, 3 * 365 * 1440))
    begins = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    zone = draw(st.sampled_from(ZONES))
    actions: list[Action] = []
    longest = 0
    for external_id in ["s1", "s2"][: draw(st.integers(1, 2))]:
        plan = draw(plans(f"plan_{external_id}"))
        length = draw(st.integers(2, LONG[plan.interval])) * 1440
        longest = max(longest, length)
        actions += draw(subscription(plan, external_id, begins, length, zone))
    ends = begins + timedelta(minutes=longest + 61)
    actions += draw(coupons([a.plan for a in actions if isinstance(a, Subscribe)], begins, longest))
    actions.sort(key=lambda action: action.at)
    return Life(
        zone=zone,
        currency=draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        begins=begins,
        ends=ends,
        actions=tuple(action for action in actions if action.at <= ends),
        taxes=TAXES,
        entity_taxes=draw(tax_codes),
        customer_taxes=draw(tax_codes),
        grace_days=draw(st.sampled_from([0, 0, 0, 1, 5, 40])),
        anchor=draw(st.sampled_from(["next_period_start", "next_period_start", "current_period_end"])),
        keeps_anchor=draw(st.sampled_from([False, False, True])),
    )


@st.composite
def coupons(draw: st.DrawFn, offers: list[Plan], begins: datetime, minutes: int) -> list[Action]:
    """With several subscriptions, only such that it does not matter which invoice is the first of an instant."""
    is_shared = len({plan.code.split("_")[1] for plan in offers}) > 1
    metrics = sorted({charge.metric.code for plan in offers for charge in plan.charges})
    found: list[Action] = []
    for n in range(draw(st.sampled_from([0, 0, 1, 2]))):
        terms: dict[str, Any] = draw(
            st.sampled_from(
                [{"amount_cents": 1500}, {"amount_cents": 33}, {"percentage": "12.5"}, {"percentage": "100"}]
            )
        )
        frequency = "forever" if is_shared else draw(st.sampled_from(["once", "recurring", "forever"]))
        limit = draw(st.sampled_from(["none", "plans", "metrics"]))
        if limit == "plans":
            terms = terms | {"plans": (draw(st.sampled_from(offers)).code,)}
        elif limit == "metrics" and metrics:
            terms = terms | {"metrics": (draw(st.sampled_from(metrics)),)}
        if frequency == "recurring":
            terms = terms | {"duration": draw(st.sampled_from([1, 3]))}
        at = begins + timedelta(minutes=draw(st.sampled_from([0, minutes // 2])))
        found.append(ApplyCoupon(at=at, coupon=Coupon(code=f"coupon_{n}", frequency=frequency, **terms)))
    return found


@st.composite
def subscription(
    draw: st.DrawFn, plan: Plan, external_id: str, begins: datetime, length: int, zone: str
) -> list[Action]:
    made = draw(with_overrides(draw(beginnings(plan, external_id, begins, length))))
    changes = draw(plan_changes(made, length, zone))
    offers = [plan, *(change.plan for change in changes)]
    actions: list[Action] = [made, *changes, *draw(events(offers, external_id, begins, length, zone))]
    actions += draw(unit_changes(offers, external_id, begins, length))
    actions += draw(payments(offers, external_id, begins, length))
    if draw(st.integers(0, 2)) == 0:
        at = draw(instants(begins, length, zone))
        actions = [a for a in actions if isinstance(a, Subscribe) or a.at != at]
        actions.append(
            Terminate(
                at=at,
                external_id=external_id,
                invoice=draw(st.sampled_from([True, True, False])),
                credit_note=draw(st.sampled_from(["skip", "credit", "refund", None])),
            )
        )
    return actions


@st.composite
def beginnings(draw: st.DrawFn, plan: Plan, external_id: str, begins: datetime, length: int) -> Subscribe:
    shift = draw(st.sampled_from([None, None, None, -47, -12, 3, 20]))
    since = None if shift is None else begins + timedelta(days=shift)
    first_possible = max(since or begins, begins) + timedelta(days=1)
    days_on = draw(st.none() | st.none() | st.integers(0, length // 1440))
    return Subscribe(
        at=begins,
        external_id=external_id,
        plan=plan,
        billing_time=draw(st.sampled_from(["calendar", "anniversary"])),
        subscription_at=since,
        ending_at=None if days_on is None else first_possible + timedelta(days=days_on),
        consolidate=draw(st.booleans()),
    )


@st.composite
def plan_changes(draw: st.DrawFn, made: Subscribe, length: int, zone: str) -> list[Subscribe]:
    """Other plans for the same external id: alike, so that what recurs goes on, or quite different."""
    found: list[Subscribe] = []
    plan = made.plan
    for n in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        code = f"{made.plan.code}_{n}"
        plan = draw(plans(code)) if draw(st.booleans()) else draw(variants(plan, code))
        at = draw(instants(made.at + timedelta(minutes=1), length - 1, zone))
        change = replace(made, at=at, plan=plan, overridden=None, subscription_at=None, ending_at=None)
        found.append(draw(with_overrides(change)))
    return sorted(found, key=lambda change: change.at)


@st.composite
def with_overrides(draw: st.DrawFn, asked: Subscribe) -> Subscribe:
    """The same, of a plan of its own: other prices, minimums, taxes and units (pricing §12.1)."""
    if draw(st.integers(0, 3)):
        return asked
    plan = asked.plan
    own = replace(
        plan,
        amount_cents=draw(st.sampled_from([plan.amount_cents, *BASE_PRICES])),
        trial_days=draw(st.sampled_from([plan.trial_days, *TRIALS])),
        commitment_cents=draw(st.sampled_from([plan.commitment_cents, 4321])),
        tax_codes=draw(tax_codes),
        charges=tuple(draw(own_charges(charge)) for charge in plan.charges),
        fixed_charges=tuple(
            replace(
                one,
                properties=draw(properties(one.model)),
                units=draw(st.sampled_from([one.units, "7", "0.5"])),
                tax_codes=draw(tax_codes),
            )
            for one in plan.fixed_charges
        ),
    )
    return replace(asked, plan=own, overridden=plan)


@st.composite
def own_charges(draw: st.DrawFn, charge: Charge) -> Charge:
    grouping = {key: charge.properties[key] for key in ("pricing_group_keys",) if key in charge.properties}
    return replace(
        charge,
        properties=draw(properties(charge.model)) | grouping,
        filters=tuple(replace(one, properties=draw(properties(charge.model))) for one in charge.filters),
        min_amount_cents=charge.min_amount_cents and draw(st.sampled_from([charge.min_amount_cents, 777])),
        tax_codes=draw(tax_codes),
    )


@st.composite
def variants(draw: st.DrawFn, plan: Plan, code: str) -> Plan:
    return replace(
        plan,
        code=code,
        amount_cents=draw(st.sampled_from(BASE_PRICES)),
        pay_in_advance=draw(st.booleans()),
        charges=tuple(replace(one, code=f"{code}_{n}") for n, one in enumerate(plan.charges)),
        fixed_charges=tuple(replace(one, code=f"{code}_f{n}") for n, one in enumerate(plan.fixed_charges)),
    )
