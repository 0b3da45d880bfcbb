"""The same life, lived by the real application over its API, and both told in the same words."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import httpx
from tests import kit
from tests.oracle.arithmetic import SUBUNITS
from tests.oracle.days import TICK
from tests.oracle.life import (
    Action,
    ApplyCoupon,
    ChangeUnits,
    Charge,
    Coupon,
    Event,
    FixedCharge,
    Life,
    Metric,
    PayFees,
    Plan,
    Subscribe,
    Terminate,
)
from tests.oracle.notes import Note
from tests.oracle.telling import Told, says_something, shown, totals_of, window_of, wire

from tallymark.db.engine import Database
from tallymark.metering.rollups import build_wanted

CHARGE_KEYS = ("properties", "min_amount_cents", "filters", "tax_codes", "applied_pricing_unit")
FIXED_CHARGE_KEYS = ("properties", "units", "tax_codes")
ABSENT: dict[str, Any] = {
    "trial_period": 0,
    "minimum_commitment": {},
    "min_amount_cents": 0,
    "filters": [],
}
"""How an override says that something is not there."""


class Engine:
    """One customer of one organization under a test clock."""

    def __init__(self, client: httpx.AsyncClient, life: Life, *, rolls_up: Database | None = None) -> None:
        self.client, self.life = client, life
        self.rolls_up = rolls_up
        """Where roll-ups are built of all that was asked for, as soon as it was."""
        self.codes: dict[str, str] = {}
        self.ids: dict[tuple[str, str], str] = {}
        """Of the charges and fixed charges of plans, by the codes of both."""
        self.metrics: dict[str, str] = {}
        self.add_ons: dict[str, str] = {}
        self.plans: set[str] = set()

    async def live(self, *, stops: tuple[datetime, ...] = (), resend: bool = False) -> None:
        """Do what the life says, the clock stopping at `stops` too; `resend`: every event is sent twice."""
        await self.prepare()
        now, waiting = self.life.begins, sorted(stops)
        for at, together in itertools.groupby(self.life.actions, key=lambda action: action.at):
            while waiting and waiting[0] < at:
                now = await self.advance(now, waiting.pop(0))
            now = await self.advance(now, at)
            await self.do(list(together), resend=resend)
        for stop in [*(w for w in waiting if w < self.life.ends), self.life.ends]:
            now = await self.advance(now, stop)

    async def prepare(self) -> None:
        """All that does not change: taxes, the customer, metrics, plans and coupons."""
        for code, rate in self.life.taxes.items():
            in_entity = code in self.life.entity_taxes
            body = {"name": code, "code": code, "rate": rate, "applied_to_organization": in_entity}
            await kit.post(self.client, "/taxes", {"tax": body})
        codes = list(self.life.customer_taxes)
        adjustment = "keep_anchor" if self.life.keeps_anchor else "align_with_finalization_date"
        dates = {
            "invoice_grace_period": self.life.grace_days,
            "subscription_invoice_issuing_date_anchor": self.life.anchor,
            "subscription_invoice_issuing_date_adjustment": adjustment,
        }
        await kit.customer(
            self.client,
            external_id="c",
            timezone=self.life.zone,
            tax_codes=codes,
            billing_configuration=dates,
        )
        if any(charge.conversion_rate for plan in self.life.plans for charge in plan.charges):
            unit = {"name": "Credits", "code": "credits", "short_name": "cr"}
            await kit.post(self.client, "/pricing_units", {"pricing_unit": unit})
        for action in self.life.actions:
            if isinstance(action, Subscribe):
                await self.make_plan(action.overridden or action.plan)
        for action in self.life.actions:
            if isinstance(action, ApplyCoupon):
                await kit.post(self.client, "/coupons", {"coupon": self.coupon_body(action.coupon)})

    async def advance(self, now: datetime, to: datetime) -> datetime:
        if to > now:
            answer = await kit.post(self.client, "/test_clock/advance", {"test_clock": {"to": wire(to)}})
            assert not answer.get("errors"), answer
            if self.rolls_up is not None:
                await build_wanted(self.rolls_up)
        return max(now, to)

    async def do(self, actions: list[Action], *, resend: bool) -> None:
        for is_event, grouped in itertools.groupby(actions, key=lambda action: isinstance(action, Event)):
            together = list(grouped)
            if is_event:
                await self.send([one for one in together if isinstance(one, Event)], resend=resend)
                continue
            for action in together:
                if isinstance(action, Subscribe):
                    await self.subscribe(action)
                elif isinstance(action, Terminate):
                    await self.terminate(action)
                elif isinstance(action, ApplyCoupon):
                    body = {"external_customer_id": "c", "coupon_code": action.coupon.code}
                    found = await self.client.post("/applied_coupons", json={"applied_coupon": body})
                    assert found.status_code in (200, 405), found.text  # it overlaps another
                elif isinstance(action, ChangeUnits):
                    await self.change_units(action)
                elif isinstance(action, PayFees):
                    await self.pay_fees(action)

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
                "precise_total_amount_cents": one.precise_total_amount_cents,
            }
            for one in events
        ]
        for start in range(0, len(told), 100):
            await kit.post(self.client, "/events/batch", {"events": told[start : start + 100]})
        if resend:
            for one in told:
                await kit.post(self.client, "/events", {"event": one}, expect=422)
        if self.rolls_up is not None:
            for external_id in {one.external_id for one in events}:
                path = "/customers/c/current_usage"
                await self.client.get(path, params={"external_subscription_id": external_id})
            await build_wanted(self.rolls_up)

    async def subscribe(self, action: Subscribe) -> None:
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
        if action.overridden:
            body["plan_overrides"] = self.overrides(action.plan, action.overridden)
        await kit.post(self.client, "/subscriptions", {"subscription": body})
        if action.overridden:
            await self.know_child(action.external_id)

    def overrides(self, plan: Plan, of: Plan) -> dict[str, Any]:
        """What a subscription's plan has otherwise than the plan that it is made from."""
        mine, its = self.plan_body(plan), self.plan_body(of)
        names = ("amount_cents", "trial_period", "tax_codes", "minimum_commitment")
        found = {name: mine.get(name, ABSENT.get(name)) for name in names if mine.get(name) != its.get(name)}
        codes = {
            "charges": [one.code for one in plan.charges],
            "fixed_charges": [one.code for one in plan.fixed_charges],
        }
        for kind, keys in (("charges", CHARGE_KEYS), ("fixed_charges", FIXED_CHARGE_KEYS)):
            changed = []
            for code, new, old in zip(codes[kind], mine[kind], its[kind], strict=True):
                differs = [key for key in keys if new.get(key) != old.get(key)]
                if differs:
                    told = {key: new.get(key, ABSENT.get(key)) for key in differs}
                    changed.append({"id": self.ids[of.code, code], **told})
            if changed:
                found[kind] = changed
        return found

    async def know_child(self, external_id: str) -> None:
        """The charges of a plan of one's own have ids of their own."""
        for kind in ("charges", "fixed_charges"):
            for status in ("active", "pending"):
                path = f"/subscriptions/{external_id}/{kind}"
                found = await self.client.get(path, params={"subscription_status": status})
                assert found.status_code in (200, 404), found.text
                for one in found.json().get(kind, []):
                    self.codes[one["lago_id"]] = one["code"]

    async def pay_fees(self, action: PayFees) -> None:
        found = await kit.get(
            self.client, "/fees", external_subscription_id=action.external_id, per_page=1000
        )
        for fee in found["fees"]:
            if fee["lago_invoice_id"] is None and fee["payment_status"] == "pending":
                body = {"fee": {"payment_status": "succeeded"}}
                await kit.call(self.client, "PUT", f"/fees/{fee['lago_id']}", body)

    async def terminate(self, action: Terminate) -> None:
        query = {"on_termination_credit_note": action.credit_note} if action.credit_note else {}
        if not action.invoice:
            query["on_termination_invoice"] = "skip"
        path = f"/subscriptions/{action.external_id}"
        found = await self.client.request("DELETE", path, params=query)
        if found.status_code == 404:  # it has not begun yet, or has ended by itself
            found = await self.client.request("DELETE", path, params={"status": "pending"})
            assert found.status_code in (200, 404), found.text
        else:
            assert found.status_code == 200, found.text

    async def change_units(self, action: ChangeUnits) -> None:
        body = {"units": action.units, "apply_units_immediately": action.immediately}
        path = f"/subscriptions/{action.external_id}/fixed_charges/{action.code}"
        found = await self.client.put(path, json={"fixed_charge": body})
        assert found.status_code in (200, 404), found.text  # it has not begun yet, or has another plan

    async def make_plan(self, plan: Plan) -> None:
        if plan.code in self.plans:
            return
        self.plans.add(plan.code)
        for charge in plan.charges:
            await self.make_metric(charge.metric)
        for fixed in plan.fixed_charges:
            self.add_ons[fixed.code] = (
                await kit.post(self.client, "/add_ons", {"add_on": self.add_on_body(fixed)})
            )["add_on"]["lago_id"]
        made = await kit.post(self.client, "/plans", {"plan": self.plan_body(plan)})
        for one in [*made["plan"]["charges"], *(made["plan"].get("fixed_charges") or [])]:
            self.codes[one["lago_id"]] = one["code"]
            self.ids[plan.code, one["code"]] = one["lago_id"]

    async def make_metric(self, metric: Metric) -> None:
        if metric.code in self.metrics:
            return
        more: dict[str, Any] = {"recurring": metric.recurring}
        if metric.aggregation == "weighted_sum_agg":
            more["weighted_interval"] = "seconds"
        if metric.rounding_function:
            more["rounding_function"] = metric.rounding_function
            more["rounding_precision"] = metric.rounding_precision
        if metric.expression:
            more["expression"] = metric.expression.text
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
        body["tax_codes"] = list(plan.tax_codes)
        if plan.commitment_cents:
            body["minimum_commitment"] = {
                "amount_cents": plan.commitment_cents,
                "tax_codes": list(plan.commitment_tax_codes),
            }
        body["fixed_charges"] = [self.fixed_charge_body(fixed) for fixed in plan.fixed_charges]
        if plan.fixed_monthly:
            body["bill_fixed_charges_monthly"] = True
        if plan.charges_monthly:
            body["bill_charges_monthly"] = True
        if plan.trial_days:
            body["trial_period"] = float(plan.trial_days)
        return body

    def add_on_body(self, fixed: FixedCharge) -> dict[str, Any]:
        currency = self.life.currency
        return {"name": fixed.code, "code": fixed.code, "amount_cents": 1, "amount_currency": currency}

    def fixed_charge_body(self, fixed: FixedCharge) -> dict[str, Any]:
        return {
            "add_on_id": self.add_ons[fixed.code],
            "code": fixed.code,
            "charge_model": fixed.model,
            "properties": fixed.properties,
            "units": fixed.units,
            "pay_in_advance": fixed.pay_in_advance,
            "prorated": fixed.prorated,
            "tax_codes": list(fixed.tax_codes),
        }

    def coupon_body(self, coupon: Coupon) -> dict[str, Any]:
        body: dict[str, Any] = {
            "name": coupon.code,
            "code": coupon.code,
            "coupon_type": "fixed_amount" if coupon.percentage is None else "percentage",
            "frequency": coupon.frequency,
            "frequency_duration": coupon.duration,
            "expiration": "no_expiration",
            "applies_to": {},
        }
        if coupon.percentage is None:
            body |= {"amount_cents": coupon.amount_cents, "amount_currency": self.life.currency}
        else:
            body["percentage_rate"] = coupon.percentage
        if coupon.plans:
            body["applies_to"] = {"plan_codes": list(coupon.plans)}
        if coupon.metrics:
            body["applies_to"] = {"billable_metric_codes": list(coupon.metrics)}
        return body

    def charge_body(self, charge: Charge) -> dict[str, Any]:
        body: dict[str, Any] = {
            "billable_metric_id": self.metrics[charge.metric.code],
            "code": charge.code,
            "charge_model": charge.model,
            "properties": charge.properties,
            "tax_codes": list(charge.tax_codes),
        }
        if charge.conversion_rate:
            rate = charge.conversion_rate
            body["applied_pricing_unit"] = {"code": "credits", "conversion_rate": rate}
        if charge.pay_in_advance:
            body |= {"pay_in_advance": True, "invoiceable": charge.invoiceable}
            body["regroup_paid_fees"] = "invoice" if charge.regroups else None
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
                invoice["status"],
                sorted(map(window_of, invoice["billing_periods"])),
                sorted(filter(says_something, map(self.fee_of, invoice["fees"])), key=repr),
                totals_of(invoice),
            )
            for invoice in found
            if invoice["fees"] or invoice["billing_periods"][0]["invoicing_reason"] != "in_advance_charge"
        )

    def fee_of(self, fee: dict[str, Any]) -> tuple[Any, ...]:
        item, kind = fee["item"], fee["item"]["type"]
        if fee["lago_true_up_parent_fee_id"]:
            kind = "true_up"
        code = self.codes.get(fee["lago_charge_id"] or "") or item["code"]  # a fixed charge's is its add-on's
        if kind == "commitment":
            code = "commitment"
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
            fee["taxes_amount_cents"],
            shown(Fraction(fee["precise_coupons_amount_cents"])),
        )

    async def notes(self) -> list[Note]:
        found = await kit.get(self.client, "/credit_notes", external_customer_id="c", per_page=1000)
        return sorted(
            (
                Note(
                    note["issuing_date"],
                    sum(item["amount_cents"] for item in note["items"]),
                    note["coupons_adjustment_amount_cents"],
                    note["taxes_amount_cents"],
                    note["total_amount_cents"],
                )
                for note in found["credit_notes"]
            ),
            key=repr,
        )

    async def standalone(self) -> list[Any]:
        """Fees on no invoice."""
        found = await kit.get(self.client, "/fees", external_customer_id="c", per_page=1000)
        alone = [fee for fee in found["fees"] if fee["lago_invoice_id"] is None]
        return sorted(filter(says_something, map(self.fee_of, alone)), key=repr)

    async def unmatched(self) -> dict[str, str]:
        """The reason of each event that counts nowhere, by its transaction id."""
        found = await kit.get(self.client, "/events", unmatched="true", per_page=1000)
        return {one["transaction_id"]: one["unmatched_reason"] for one in found["events"]}

    async def usage(self, external_id: str) -> dict[str, tuple[Any, ...]]:
        """Current usage by charge code: units and cents."""
        found = await kit.usage(self.client, {"external_id": "c"}, {"external_id": external_id})
        return {
            one["charge"]["code"]: (shown(Fraction(one["units"])), one["amount_cents"])
            for one in found["charges_usage"]
        }
