"""From units to an amount in currency units: pricing §7 and §9, one function for each charge model."""

from __future__ import annotations

import math
from fractions import Fraction

from tests.oracle.arithmetic import SUBUNITS
from tests.oracle.life import Charge, FixedCharge, Properties
from tests.oracle.units import Units

Tier = tuple[Fraction, Fraction | None, Properties]
ZERO = Fraction(0)


def amount_of(charge: Charge, properties: Properties, units: Units, currency: str) -> Fraction:
    """`A`, in currency units, unrounded; 0 where units or amount are negative (§1.4)."""
    u = units.priced
    match charge.model:
        case "standard":
            found = standard(u, properties)
        case "graduated" if charge.prorated:
            found = prorated_graduated(units, properties)
        case "graduated":
            found = graduated(u, properties)
        case "graduated_percentage":
            found = graduated_percentage(u, properties)
        case "volume":
            found = volume(u, units.full, properties)
        case "package":
            found = package(u, properties)
        case "percentage":
            found = percentage(charge.metric.aggregation, units, properties)
        case "dynamic":
            found = units.dynamic_cents / SUBUNITS[currency] if u else ZERO
        case other:
            raise AssertionError(other)
    return max(found, ZERO) if u >= 0 and units.full >= 0 else ZERO


def fixed_amount_of(charge: FixedCharge, u: Fraction, u_full: Fraction) -> Fraction:
    """§13.2: graduated places the full units on the tiers, each portion × u/u_full."""
    match charge.model:
        case "standard":
            return standard(u, charge.properties)
        case "volume":
            return volume(u, u_full, charge.properties)
        case "graduated":
            return graduated(u_full, charge.properties, u / u_full if u_full else ZERO)
        case other:
            raise AssertionError(other)


def get(properties: Properties, key: str) -> Fraction:
    return Fraction(properties.get(key) or 0)


def tiers(properties: Properties, name: str) -> list[Tier]:
    """(lo, to, the rest) of each: `lo` is the previous tier's `to_value`, 0 for the first."""
    found: list[Tier] = []
    lo = ZERO
    for one in properties[name]:
        to = None if one["to_value"] is None else Fraction(str(one["to_value"]))
        found.append((lo, to, one))
        lo = to if to is not None else lo
    return found


def standard(u: Fraction, properties: Properties) -> Fraction:
    return u * get(properties, "amount")


def graduated(u: Fraction, properties: Properties, share: Fraction = Fraction(1)) -> Fraction:
    a = ZERO
    for lo, to, one in tiers(properties, "graduated_ranges"):
        q = (u if to is None else min(u, to)) - lo
        a += q * share * get(one, "per_unit_amount") + get(one, "flat_amount")
        if to is None or to >= u:
            break
    return a


def graduated_percentage(u: Fraction, properties: Properties) -> Fraction:
    a = ZERO
    for lo, to, one in tiers(properties, "graduated_percentage_ranges"):
        q = (u if to is None else min(u, to)) - lo
        a += q * get(one, "rate") / 100 + get(one, "flat_amount")
        if to is None or to >= u:
            break
    return a


def volume(u: Fraction, u_full: Fraction, properties: Properties) -> Fraction:
    for _lo, to, one in tiers(properties, "volume_ranges"):
        if to is None or u_full <= to:
            return u * get(one, "per_unit_amount") + get(one, "flat_amount")
    raise AssertionError("the last tier is open")


def package(u: Fraction, properties: Properties) -> Fraction:
    paid = u - get(properties, "free_units")
    if paid < 0:
        return ZERO
    return math.ceil(paid / get(properties, "package_size")) * get(properties, "amount")


def percentage(aggregation: str, units: Units, properties: Properties) -> Fraction:
    """§7.6."""
    if properties.get("per_transaction_min_amount") or properties.get("per_transaction_max_amount"):
        return percentage_of_each(units.values, properties)
    u = units.priced
    return percentage_of(aggregation, u, units.count, units.values, properties, totals_of=u)


def percentage_of(
    aggregation: str,
    u: Fraction,
    n: int,
    values: tuple[Fraction, ...],
    properties: Properties,
    *,
    totals_of: Fraction,
) -> Fraction:
    """Of `u` units and `n` events; the running totals are of `totals_of` units and of the values."""
    e, s = int(get(properties, "free_units_per_events")), get(properties, "free_units_per_total_aggregation")
    r = running_totals(aggregation, totals_of, values, e, s)
    if not r or r[-1] == 0:
        free_units = ZERO
    elif 0 < e < len(r):
        free_units = r[e - 1]
    elif s == 0:
        free_units = r[-1]
    else:
        free_units = min(r[-1], s)
    # A free total that is not given leaves the free events as they are, also where totals are below zero.
    below = sum(1 for total in r if total < s) if s else 0
    free_events = min((x for x in (e, below) if x), default=0)
    pct = ZERO if free_units > u else (u - free_units) * get(properties, "rate") / 100
    fixed = ZERO if u == 0 or free_events >= n else (n - free_events) * get(properties, "fixed_amount")
    return pct + fixed


def running_totals(
    aggregation: str, u: Fraction, values: tuple[Fraction, ...], e: int, s: Fraction
) -> list[Fraction]:
    """`R` of §7.6."""
    if not e and not s:
        return []
    if aggregation in ("count_agg", "unique_count_agg"):
        return [Fraction(k) for k in range(1, int(u) + 1)]
    if aggregation != "sum_agg":
        return []
    found: list[Fraction] = []
    for value in values:
        if e and len(found) == e:
            break
        found.append((found[-1] if found else ZERO) + value)
        if not e and found[-1] > s:
            break
    return found


def percentage_of_each(values: tuple[Fraction, ...], properties: Properties) -> Fraction:
    """With a minimum or a maximum per transaction, the amount is computed per event."""
    e_left, s_left = (
        get(properties, "free_units_per_events"),
        get(properties, "free_units_per_total_aggregation"),
    )
    least, most = (properties.get(f"per_transaction_{end}_amount") for end in ("min", "max"))
    total = ZERO
    for v in values:
        if e_left > 0 or s_left > 0:
            e_left -= 1
            if s_left <= 0:
                continue
            if s_left > v:
                s_left -= v
                continue
            v -= s_left
            s_left = e_left = ZERO
        a = v * get(properties, "rate") / 100 + get(properties, "fixed_amount")
        a = max(a, Fraction(least)) if least else a
        a = min(a, Fraction(most)) if most else a
        total += a
    return total


def prorated_graduated(units: Units, properties: Properties) -> Fraction:
    """The exact walk of §9; tiers start one above the end of the one before, the first at 0."""
    ranges = tiers(properties, "graduated_ranges")

    def holding(total: Fraction) -> int:
        if total <= 0:
            return 0
        return next(n for n, (_, to, _t) in enumerate(ranges) if to is None or total <= to)

    def starts(n: int) -> Fraction:
        return ranges[n][0] + 1 if n else ZERO

    def price(n: int) -> Fraction:
        return get(ranges[n][2], "per_unit_amount")

    def inside(n: int, total: Fraction) -> bool:
        to = ranges[n][1]
        return total >= starts(n) - 1 if to is None else starts(n) <= total < to

    if units.priced == 0:
        return get(ranges[0][2], "flat_amount")
    a = batch = t_total = highest = ZERO
    t = 0
    for f, c in units.steps:
        t = holding(t_total)
        if t_total == ranges[t][1] and f > 0:
            t += 1
        after = t_total + f
        highest = max(highest, after)
        t_total = after
        if inside(t, after):
            batch += f * c
            continue
        to = ranges[t][1]
        rest = after - to if to is not None and after >= to else after - starts(t) + 1
        a += (batch + (f - rest) * c) * price(t)
        batch = ZERO
        while rest != 0:
            if rest > 0:
                below = after - rest
                # Below none is in the first tier, which fractions of a unit can leave upwards.
                t = next(
                    n
                    for n, (lo, up, _) in enumerate(ranges)
                    if (n == 0 or lo <= below) and (up is None or below < up)
                )
            else:
                t = holding(after + rest)
            to = ranges[t][1]
            if to is not None and after >= to:
                up_rest = after - to
                a += (rest - up_rest) * c * price(t)
                rest = up_rest
            else:
                batch += rest * c
                rest = ZERO
    a += batch * price(t)
    if t_total < 0:
        return ZERO
    flats = sum((get(one, "flat_amount") for _, _, one in ranges[: holding(highest) + 1]), ZERO)
    return max(a, ZERO) + flats
