"""Random lives: plans of every interval and model, events that come late or early, endings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from tests.oracle.life import Action, Charge, Event, Filter, Life, Metric, Plan, Subscribe, Terminate

ZONES = ["UTC", "Europe/Paris", "America/New_York", "Asia/Tokyo", "Asia/Kolkata", "America/Santiago"]
LONG = {"weekly": 30, "monthly": 110, "quarterly": 220, "semiannual": 420, "yearly": 560}
SPLIT = ("semiannual", "yearly")

amounts = st.sampled_from(["0", "0.006", "0.35", "1", "1.115", "12.3", "0.333"])
values = st.sampled_from(["0", "1", "2", "3.5", "0.25", "10", "12.345", "100.5", "7"])
decreases = st.sampled_from(["-1", "-3.5", "-12"])
AGGREGATIONS = ["count_agg", "sum_agg", "max_agg", "latest_agg", "unique_count_agg"]


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
def charges(draw: st.DrawFn, code: str) -> Charge:
    aggregation = draw(st.sampled_from(AGGREGATIONS))
    models = ["standard", "graduated", "volume", "package"]
    if aggregation in ("count_agg", "sum_agg"):  # of the others, events and units are two numbers
        models += ["percentage", "graduated_percentage"]
    model = draw(st.sampled_from(models))
    recurring = (
        aggregation in ("sum_agg", "unique_count_agg") and model != "percentage" and draw(st.booleans())
    )
    function = (
        None if model == "percentage" else draw(st.sampled_from([None, None, "round", "ceil", "floor"]))
    )
    metric = Metric(
        code=f"metric_{code}",
        aggregation=aggregation,
        recurring=recurring,
        rounding_function=function,
        rounding_precision=draw(st.sampled_from([None, 1, -1])) if function else None,
    )
    chosen = draw(properties(model))
    prorated = recurring and model in ("standard", "volume") and draw(st.booleans())
    if draw(st.booleans()):
        chosen = chosen | {"pricing_group_keys": ["region"]}
    filtered = draw(st.booleans())
    if filtered:
        metric = replace(metric, filters={"region": ["eu", "us", "ap"], "tier": ["gold", "std"]})
    kinds = [
        {"region": ["__ALL_FILTER_VALUES__"]},
        {"region": ["eu"]},
        {"tier": ["gold"]},
        {"region": ["eu", "us"], "tier": ["gold"]},
    ]
    filters = tuple(
        Filter(values=one, properties=draw(properties(model)))
        for one in (draw(st.permutations(kinds))[: draw(st.integers(1, 3))] if filtered else [])
    )
    return Charge(
        code=code,
        metric=metric,
        model=model,
        properties=chosen,
        filters=filters,
        prorated=prorated,
        min_amount_cents=draw(st.sampled_from([0, 0, 5000])),
    )


@st.composite
def plans(draw: st.DrawFn, code: str) -> Plan:
    interval = draw(st.sampled_from(list(LONG)))
    return Plan(
        code=code,
        interval=interval,
        amount_cents=draw(st.sampled_from([0, 230, 999, 4350, 12400, 36600])),
        pay_in_advance=draw(st.booleans()),
        charges_monthly=interval in SPLIT and draw(st.booleans()),
        charges=tuple(draw(charges(f"{code}_{n}")) for n in range(draw(st.integers(0, 2)))),
    )


@st.composite
def events(draw: st.DrawFn, plan: Plan, external_id: str, begins: datetime, minutes: int) -> list[Event]:
    if not plan.charges:
        return []
    found = []
    for n in range(draw(st.integers(0, 8))):
        charge = draw(st.sampled_from(plan.charges))
        at = begins + timedelta(minutes=draw(st.integers(0, minutes)))
        shift = draw(st.sampled_from([0, 0, 0, 60, -600, 1440 * 3, -1440 * 9, -1440 * 35]))
        value = values if charge.model == "percentage" or draw(st.booleans()) else values | decreases
        body = {"value": draw(value)}
        for key, among in (("region", ["eu", "us", "mars", None]), ("tier", ["gold", "std", None])):
            if (found_value := draw(st.sampled_from(among))) is not None:
                body[key] = found_value
        if charge.metric.aggregation == "unique_count_agg" and draw(st.booleans()):
            body["operation_type"] = draw(st.sampled_from(["add", "remove", "remove"]))
        found.append(
            Event(
                at=at,
                id=f"{external_id}_{n}",
                external_id=external_id,
                code=charge.metric.code,
                timestamp=at - timedelta(minutes=shift),
                properties=body,
            )
        )
    return found


@st.composite
def lives(draw: st.DrawFn) -> Life:
    minute = draw(st.integers(0, 3 * 365 * 1440))
    begins = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    actions: list[Action] = []
    longest = 0
    for external_id in ["s1", "s2"][: draw(st.integers(1, 2))]:
        plan = draw(plans(f"plan_{external_id}"))
        length = draw(st.integers(2, LONG[plan.interval])) * 1440
        longest = max(longest, length)
        actions += draw(subscription(plan, external_id, begins, length))
    ends = begins + timedelta(minutes=longest + 61)
    actions.sort(key=lambda action: action.at)
    return Life(
        zone=draw(st.sampled_from(ZONES)),
        currency=draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        begins=begins,
        ends=ends,
        actions=tuple(action for action in actions if action.at <= ends),
    )


@st.composite
def subscription(
    draw: st.DrawFn, plan: Plan, external_id: str, begins: datetime, length: int
) -> list[Action]:
    shift = draw(st.sampled_from([None, None, None, -47, -12, 3, 20]))
    made = Subscribe(
        at=begins,
        external_id=external_id,
        plan=plan,
        billing_time=draw(st.sampled_from(["calendar", "anniversary"])),
        subscription_at=None if shift is None else begins + timedelta(days=shift),
        consolidate=draw(st.booleans()),
    )
    actions: list[Action] = [made, *draw(events(plan, external_id, begins, length))]
    if draw(st.integers(0, 2)) == 0:
        at = begins + timedelta(minutes=draw(st.integers(1, length)))
        actions = [a for a in actions if isinstance(a, Subscribe) or a.at != at]
        actions.append(
            Terminate(at=at, external_id=external_id, invoice=draw(st.sampled_from([True, True, False])))
        )
    return actions
