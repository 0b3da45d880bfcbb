"""The same life, lived by the real application over its API, and both told in the same words."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import httpx
from tests import kit
from tests.oracle import fees
from tests.oracle.arithmetic import SUBUNITS, half_away
from tests.oracle.days import TICK
from tests.oracle.fees import Fee
from tests.oracle.invoices import Walk, lived
from tests.oracle.life import Action, Charge, Event, Life, Metric, Plan, Subscribe, Terminate
from tests.oracle.records import Record, Subscription, windows

Told = list[tuple[str, list[Any], list[Any]]]
"""Invoices: issuing date, the windows of its subscriptions, its fees."""


def wire(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# -- the engine -------------------------------------------------------------------------------------------


class Engine:
    """One customer of one organization under a test clock."""

    def __init__(self, client: httpx.AsyncClient, life: Life) -> None:
        self.client, self.life = client, life
        self.codes: dict[str, str] = {}
        self.metrics: dict[str, str] = {}
        self.plans: set[str] = set()

    async def live(self, *, stops: tuple[datetime, ...] = (), resend: bool = False) -> None:
        """Do what the life says, the clock stopping at `stops` too; `resend`: every event is sent twice."""
        await kit.customer(self.client, external_id="c", timezone=self.life.zone)
        now, waiting = self.life.begins, sorted(stops)
        for at, together in itertools.groupby(self.life.actions, key=lambda action: action.at):
            while waiting and waiting[0] < at:
                now = await self.advance(now, waiting.pop(0))
            now = await self.advance(now, at)
            await self.do(list(together), resend=resend)
        for stop in [*(w for w in waiting if w < self.life.ends), self.life.ends]:
            now = await self.advance(now, stop)

    async def advance(self, now: datetime, to: datetime) -> datetime:
        if to > now:
            answer = await kit.post(self.client, "/test_clock/advance", {"test_clock": {"to": wire(to)}})
            assert not answer.get("errors"), answer
        return max(now, to)

    async def do(self, actions: list[Action], *, resend: bool) -> None:
        for is_event, found in itertools.groupby(actions, key=lambda action: isinstance(action, Event)):
            if is_event:
                await self.send([one for one in found if isinstance(one, Event)], resend=resend)
                continue
            for action in found:
                if isinstance(action, Subscribe):
                    await self.subscribe(action)
                elif isinstance(action, Terminate):
                    await self.terminate(action)

    async def send(self, events: list[Event], *, resend: bool) -> None:
        told = [
            {
                "transaction_id": one.id,
                "external_subscription_id": one.external_id,
                "code": one.code,
                "timestamp": str((one.timestamp - datetime(1970, 1, 1, tzinfo=UTC)) // TICK / Fraction(10**6))
                if one.timestamp.microsecond
                else int(one.timestamp.timestamp()),
                "properties": one.properties,
            }
            for one in events
        ]
        for start in range(0, len(told), 100):
            await kit.post(self.client, "/events/batch", {"events": told[start : start + 100]})
        if resend:
            for one in told:
                await kit.post(self.client, "/events", {"event": one}, expect=422)

    async def subscribe(self, action: Subscribe) -> None:
        await self.make_plan(action.plan)
        body: dict[str, Any] = {
            "external_customer_id": "c",
            "external_id": action.external_id,
            "plan_code": action.plan.code,
            "billing_time": action.billing_time,
            "consolidate_invoice": action.consolidate,
        }
        if action.subscription_at:
            body["subscription_at"] = wire(action.subscription_at)
        if action.ending_at:
            body["ending_at"] = wire(action.ending_at)
        await kit.post(self.client, "/subscriptions", {"subscription": body})

    async def terminate(self, action: Terminate) -> None:
        query = {"on_termination_credit_note": "skip"}
        if not action.invoice:
            query["on_termination_invoice"] = "skip"
        path = f"/subscriptions/{action.external_id}"
        found = await self.client.request("DELETE", path, params=query)
        if found.status_code == 404:  # it has not begun yet
            await kit.call(self.client, "DELETE", path, status="pending")
        else:
            assert found.status_code == 200, found.text

    async def make_plan(self, plan: Plan) -> None:
        if plan.code in self.plans:
            return
        self.plans.add(plan.code)
        for charge in plan.charges:
            await self.make_metric(charge.metric)
        made = await kit.post(self.client, "/plans", {"plan": self.plan_body(plan)})
        for charge in made["plan"]["charges"]:
            self.codes[charge["lago_id"]] = charge["code"]
        for fixed in made["plan"].get("fixed_charges") or []:
            self.codes[fixed["lago_id"]] = fixed["code"]

    async def make_metric(self, metric: Metric) -> None:
        if metric.code in self.metrics:
            return
        more: dict[str, Any] = {"recurring": metric.recurring}
        if metric.aggregation == "weighted_sum_agg":
            more["weighted_interval"] = "seconds"
        if metric.rounding_function:
            more["rounding_function"] = metric.rounding_function
            more["rounding_precision"] = metric.rounding_precision
        if metric.filters:
            more["filters"] = [{"key": key, "values": values} for key, values in metric.filters.items()]
        made = await kit.metric(self.client, metric.aggregation, code=metric.code, **more)
        self.metrics[metric.code] = made["lago_id"]

    def plan_body(self, plan: Plan) -> dict[str, Any]:
        body: dict[str, Any] = {
            "name": plan.code,
            "code": plan.code,
            "interval": plan.interval,
            "amount_cents": plan.amount_cents,
            "amount_currency": self.life.currency,
            "pay_in_advance": plan.pay_in_advance,
            "charges": [self.charge_body(charge) for charge in plan.charges],
        }
        if plan.charges_monthly:
            body["bill_charges_monthly"] = True
        if plan.trial_days:
            body["trial_period"] = int(plan.trial_days)
        return body

    def charge_body(self, charge: Charge) -> dict[str, Any]:
        body: dict[str, Any] = {
            "billable_metric_id": self.metrics[charge.metric.code],
            "code": charge.code,
            "charge_model": charge.model,
            "properties": charge.properties,
        }
        if charge.filters:
            body["filters"] = [{"values": one.values, "properties": one.properties} for one in charge.filters]
        if charge.prorated:
            body["prorated"] = True
        if charge.min_amount_cents:
            body["min_amount_cents"] = charge.min_amount_cents
        return body

    async def invoices(self) -> Told:
        found = await kit.invoices(self.client, {"external_id": "c"})
        return sorted(
            (
                invoice["issuing_date"],
                sorted(map(window_of, invoice["billing_periods"])),
                sorted(filter(says_something, map(self.fee_of, invoice["fees"])), key=repr),
            )
            for invoice in found
        )

    def fee_of(self, fee: dict[str, Any]) -> tuple[Any, ...]:
        item, kind = fee["item"], fee["item"]["type"]
        if fee["lago_true_up_parent_fee_id"]:
            kind = "true_up"
        code = self.codes.get(fee["lago_charge_id"] or "") or item["code"]
        of_group = kind != "true_up"
        return (
            kind,
            fee["external_subscription_id"],
            code,
            repr(sorted((item["filters"] or {}).items())) if of_group else "[]",
            repr(sorted(item["grouped_by"].items())) if of_group else "[]",
            shown(Fraction(fee["units"])),
            fee["amount_cents"],
            shown(Fraction(fee["precise_amount"]) * SUBUNITS[self.life.currency]),
            fee["events_count"] or 0,
        )

    async def usage(self, external_id: str) -> dict[str, tuple[Any, ...]]:
        """Current usage by charge code: units and cents."""
        found = await kit.usage(self.client, {"external_id": "c"}, {"external_id": external_id})
        return {
            one["charge"]["code"]: (shown(Fraction(one["units"])), one["amount_cents"])
            for one in found["charges_usage"]
        }


def window_of(period: dict[str, Any]) -> tuple[Any, ...]:
    return (
        period["external_subscription_id"],
        period["invoicing_reason"],
        period["subscription_from_datetime"],
        period["subscription_to_datetime"],
        period["charges_from_datetime"],
        period["charges_to_datetime"],
    )


def says_something(fee: tuple[Any, ...]) -> bool:
    """Not a zero charge fee, kept as a true-up's parent: of several groups the page names none (pricing §10)."""
    units, amount_cents, _, count = fee[5:]
    return fee[0] != "charge" or units != "0" or amount_cents != 0 or count != 0


def shown(x: Fraction) -> str:
    """To nine decimals: what is stored ends after ten or more."""
    return str(half_away(x * 10**9))


# -- the calculator ---------------------------------------------------------------------------------------


def told(life: Life) -> Told:
    """The calculator's invoices, as `Engine.invoices` gives them."""
    return sorted(
        (
            invoice.issuing_date.isoformat(),
            sorted(record_of(record) for record in invoice.records),
            sorted(filter(says_something, map(plain, invoice.fees)), key=repr),
        )
        for invoice in lived(life).invoices
    )


def record_of(record: Record) -> tuple[Any, ...]:
    start, to = (None, None)
    if record.charges is not None:
        start, end = record.charges
        to = end if end == start else end - TICK
    return (
        record.external_id,
        record.reason,
        wire(record.fee_from),
        wire(record.fee_to),
        start and wire(start),
        to and wire(to),
    )


def plain(fee: Fee) -> tuple[Any, ...]:
    one = fee.subscription
    filters: dict[str, list[str]] = {}
    if fee.filter is not None:
        charge = next(c for c in one.plan.charges if c.code == fee.code)
        filters = charge.filters[fee.filter].values
    return (
        fee.kind,
        one.external_id,
        fee.code or one.plan.code,
        repr(sorted(filters.items())),
        repr(sorted(fee.group)),
        shown(fee.units),
        fee.amount_cents,
        shown(fee.precise_cents),
        fee.count,
    )


def usage_of(life: Life) -> dict[str, dict[str, tuple[Any, ...]]]:
    """Current usage at the life's end, of each active subscription (metering §9.1)."""
    walk = lived(life)
    active = [one for one in walk.subscriptions if one.status == "active"]
    return {one.external_id: usage_now(walk, one) for one in active}


def usage_now(walk: Walk, one: Subscription) -> dict[str, tuple[Any, ...]]:
    at = walk.now + timedelta(microseconds=1)
    window = fees.usage_window(one, windows(one, at, "usage", current=True, terminated_at=None))
    assert window is not None
    found: dict[str, tuple[Any, ...]] = {}
    for charge in one.plan.charges:
        parts = list(fees.fees_in(one, charge, window, walk.arrived, walk.life.currency))
        units = sum((fee.units for fee in parts), Fraction(0))
        found[charge.code] = (shown(units), sum(fee.amount_cents for fee in parts))
    return found


def differences(engine: Told, calculator: Told) -> str:
    """What only one of the two has."""
    ours, theirs = Counter(map(repr, calculator)), Counter(map(repr, engine))
    only = [f"engine only:     {one}" for one in (theirs - ours)]
    return "\n".join(only + [f"calculator only: {one}" for one in (ours - theirs)])
