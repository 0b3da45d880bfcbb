"""Random walks over the doors of the money: whatever is done in whatever order, the laws of the audit hold (beyond.md §4).

Each step is a call with sensible values or a move of the clock; it may be refused, but not fail, and no due work fails.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st
from tests import kit
from tests.oracle.telling import wire
from tests.oracle.test_agreement import EXAMPLES, lived_by_both

pytestmark = pytest.mark.timeout(120 + 30 * EXAMPLES)
BEGINS = datetime(2024, 1, 20, tzinfo=UTC)
STEPS = 45


class Walk:
    """One customer, two metrics, a few plans; every step is drawn from a stream of random numbers."""

    def __init__(self, client: Any, seed: int) -> None:
        self.client, self.draw, self.now = client, random.Random(seed), BEGINS
        self.is_plain = self.draw.random() < 0.5
        """Without what takes a part of an invoice away again, so that sums over a whole life can be told."""
        self.trail: list[str] = []
        self.wallets: list[str] = []
        self.number = 0

    async def run(self) -> None:
        await self.prepare()
        for _ in range(STEPS):
            step = self.draw.choice(self.steps())
            await step()
        await self.compare_preview()
        await self.move(days=40)
        await self.check_lifetime()
        if self.is_plain:
            await self.check_progressive()

    def steps(self) -> list[Any]:
        plain = [
            self.move, self.move, self.move, self.use, self.use, self.use, self.use, self.wallet, self.grant,
            self.change_plan, self.end, self.pay, self.finalize, self.one_off, self.grace, self.void_credits,
        ]  # fmt: skip
        others = [self.coupon, self.void, self.give_back, self.change_price, self.void_note, self.regenerate]
        return plain if self.is_plain else plain + others

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        answer = await self.client.request(method, path, json=body, params=query or None)
        self.trail.append(f"{method} {path} {body or query} -> {answer.status_code} {answer.text[:140]}")
        assert answer.status_code < 500, answer.text
        return answer.json() if answer.status_code == 200 and answer.content else {}

    async def prepare(self) -> None:
        client, draw = self.client, self.draw
        await kit.tax(client, draw.choice(["20", "8.875"]))
        entity = {"finalize_zero_amount_invoice": draw.choice([True, False])}
        await self.call("PUT", "/billing_entities/acme", {"billing_entity": entity})
        self.metrics = [await kit.metric(client), await kit.metric(client, recurring=True)]
        for code, interval, cents, in_advance in (
            ("small", "monthly", 999, True),
            ("large", "monthly", 4350, True),
            ("arrears", "weekly", 230, False),
        ):
            thresholds = [{"amount_cents": 2000}, {"amount_cents": 5000}]
            thresholds.append({"amount_cents": 3000, "recurring": True})
            tiers = [
                {"from_value": 0, "to_value": 5, "per_unit_amount": "1.115", "flat_amount": "2"},
                {"from_value": 6, "to_value": None, "per_unit_amount": "0.333", "flat_amount": "0"},
            ]
            charges = [
                kit.charge(self.metrics[0], amount="3.333"),
                {**kit.charge(self.metrics[1], "graduated", graduated_ranges=tiers)},
                {**kit.charge(self.metrics[0], amount="0.77"), "pay_in_advance": True},
                {**kit.charge(self.metrics[1], amount="1.5"), "min_amount_cents": 700},
            ]
            await kit.plan(
                client,
                *draw.sample(charges, draw.randint(1, 4)),
                code=code,
                interval=interval,
                amount_cents=cents,
                pay_in_advance=in_advance,
                usage_thresholds=draw.sample(thresholds, draw.randint(0, 3)),
            )
        self.who = await kit.customer(client, currency="EUR")
        await self.change_plan()

    # -- time and usage -----------------------------------------------------------------------------------

    async def move(self, days: int = 0) -> None:
        hours = days * 24 or self.draw.choice([1, 12, 24, 100, 400])
        self.now += timedelta(hours=hours)
        self.trail.append(f"at {wire(self.now)}")
        await kit.advance(self.client, self.now.strftime("%Y-%m-%dT%H:%M"))

    async def use(self) -> None:
        units = self.draw.choice(["1", "2.5", "7", "12.345", "-3", "-12"])
        at = int((self.now - timedelta(hours=self.draw.choice([0, 0, 0, 30, 300]))).timestamp())
        metric = self.draw.choice(self.metrics)
        self.trail.append(f"{units} of {metric['code']} at {at}")
        await kit.send(self.client, {"external_id": "s"}, metric, units, timestamp=at)

    async def change_plan(self) -> None:
        body = {
            "external_customer_id": self.who["external_id"],
            "external_id": "s",
            "plan_code": self.draw.choice(["small", "large", "arrears"]),
            "billing_time": self.draw.choice(["calendar", "anniversary"]),
        }
        await self.call("POST", "/subscriptions", {"subscription": body})

    async def change_price(self) -> None:
        plan = {"amount_cents": self.draw.choice([500, 999, 4350, 9000]), "cascade_updates": True}
        await self.call("PUT", f"/plans/{self.draw.choice(['small', 'large', 'arrears'])}", {"plan": plan})

    async def grace(self) -> None:
        terms = {"invoice_grace_period": self.draw.choice([0, 0, 3])}
        body = {"external_id": self.who["external_id"], "billing_configuration": terms}
        await self.call("POST", "/customers", {"customer": body})

    async def end(self) -> None:
        if self.draw.random() < 0.4:
            option = self.draw.choice(["credit", "refund", "offset", "skip"])
            await self.call("DELETE", "/subscriptions/s", on_termination_credit_note=option)
            self.now += timedelta(hours=1)  # so that the starts of two lives can be told apart
            await kit.advance(self.client, self.now.strftime("%Y-%m-%dT%H:%M"))
            await self.change_plan()

    # -- credit -------------------------------------------------------------------------------------------

    async def wallet(self) -> None:
        self.number += 1
        limits: dict[str, Any] = self.draw.choice(
            [
                {},
                {},
                {"fee_types": ["charge"]},
                {"billable_metric_codes": [self.metrics[0]["code"]]},
                {"fee_types": ["subscription"]},
            ]
        )
        rule = {
            "trigger": "threshold",
            "threshold_credits": "3.0",
            "paid_credits": self.draw.choice(["0", "7"]),
            "granted_credits": "5",
        }
        body = {
            "external_customer_id": self.who["external_id"],
            "name": f"w{self.number}",
            "currency": "EUR",
            "rate_amount": self.draw.choice(["1", "3", "0.7"]),
            "priority": self.draw.choice([1, 10, 50]),
            "granted_credits": self.draw.choice(["0", "10", "7.77777"]),
            "paid_credits": self.draw.choice(["0", "5"]),
            "applies_to": limits,
            "recurring_transaction_rules": [rule] if self.draw.random() < 0.2 else [],
        }
        made = await self.call("POST", "/wallets", {"wallet": body})
        if made:
            self.wallets.append(made["wallet"]["lago_id"])

    async def grant(self) -> None:
        if self.wallets:
            body = {
                "wallet_id": self.draw.choice(self.wallets),
                self.draw.choice(["paid_credits", "granted_credits"]): self.draw.choice(["4", "1.33333"]),
            }
            await self.call("POST", "/wallet_transactions", {"wallet_transaction": body})

    async def void_credits(self) -> None:
        if self.wallets:
            body = {
                "wallet_id": self.draw.choice(self.wallets),
                "voided_credits": self.draw.choice(["1", "0.33333", "0.004"]),
            }
            await self.call("POST", "/wallet_transactions", {"wallet_transaction": body})

    async def coupon(self) -> None:
        self.number += 1
        terms: dict[str, Any] = self.draw.choice(
            [
                {"coupon_type": "fixed_amount", "amount_cents": 333, "amount_currency": "EUR"},
                {"coupon_type": "fixed_amount", "amount_cents": 5000, "amount_currency": "EUR"},
                {"coupon_type": "percentage", "percentage_rate": "12.5"},
            ]
        )
        limit: dict[str, Any] = self.draw.choice(
            [{}, {"billable_metric_codes": [self.metrics[0]["code"]]}, {"plan_codes": ["large"]}]
        )
        code = f"c{self.number}"
        frequency = self.draw.choice(["once", "recurring", "forever"])
        body = {
            "name": code, "code": code, "frequency": frequency, "frequency_duration": 2,
            "expiration": "no_expiration", "applies_to": limit, **terms,
        }  # fmt: skip
        await self.call("POST", "/coupons", {"coupon": body})
        applied = {"external_customer_id": self.who["external_id"], "coupon_code": code}
        await self.call("POST", "/applied_coupons", {"applied_coupon": applied})

    # -- invoices -----------------------------------------------------------------------------------------

    async def an_invoice(self, *statuses: str) -> dict[str, Any] | None:
        found = await kit.invoices(self.client, self.who)
        of_status = [invoice for invoice in found if invoice["status"] in statuses]
        return self.draw.choice(of_status) if of_status else None

    async def finalize(self) -> None:
        if (invoice := await self.an_invoice("draft")) is not None:
            door = self.draw.choice(["refresh", "finalize"])
            await self.call("PUT", f"/invoices/{invoice['lago_id']}/{door}")

    async def void(self) -> None:
        if (invoice := await self.an_invoice("finalized")) is not None and self.draw.random() < 0.6:
            body = {}
            if self.draw.random() < 0.4:
                total = invoice["total_amount_cents"]
                body = {"generate_credit_note": True, "credit_amount": self.draw.choice([0, total // 3])}
                body["refund_amount"] = self.draw.choice([0, 0, total // 4])
            await self.call("POST", f"/invoices/{invoice['lago_id']}/void", body)

    async def regenerate(self) -> None:
        if (invoice := await self.an_invoice("voided")) is not None and invoice["fees"]:
            fees = [
                {
                    "id": fee["lago_id"],
                    **self.draw.choice([{}, {"units": "2"}, {"units": "3", "unit_precise_amount": "1.255"}]),
                }
                for fee in self.draw.sample(invoice["fees"], self.draw.randint(1, len(invoice["fees"])))
            ]
            await self.call("POST", f"/invoices/{invoice['lago_id']}/regenerate", {"invoice": {"fees": fees}})

    async def pay(self) -> None:
        if (invoice := await self.an_invoice("finalized")) is not None:
            due = invoice["total_due_amount_cents"]
            cents = self.draw.choice([due, due, due // 2])
            body = {"invoice_id": invoice["lago_id"], "amount_cents": cents, "reference": "r"}
            await self.call("POST", "/payments", {"payment": body})

    async def give_back(self) -> None:
        invoice = await self.an_invoice(self.draw.choice(["finalized", "finalized", "draft"]))
        if invoice is None or not invoice["fees"]:
            return
        items = [
            {
                "fee_id": fee["lago_id"],
                "amount_cents": self.draw.choice([1, 7, fee["amount_cents"], fee["amount_cents"] // 3]),
            }
            for fee in self.draw.sample(invoice["fees"], self.draw.randint(1, len(invoice["fees"])))
        ]
        body: dict[str, Any] = {"invoice_id": invoice["lago_id"], "items": items}
        told = await self.call("POST", "/credit_notes/estimate", {"credit_note": body})
        if not told:
            return
        most = told["estimated_credit_note"]
        refund = min(int(most["max_refundable_amount_cents"]), self.draw.choice([0, 10**9]))
        body["refund_amount_cents"] = refund
        body["credit_amount_cents"] = int(most["max_creditable_amount_cents"]) - refund
        await self.call("POST", "/credit_notes", {"credit_note": body})

    async def void_note(self) -> None:
        found = (await kit.get(self.client, "/credit_notes"))["credit_notes"]
        if found and self.draw.random() < 0.3:
            await self.call("PUT", f"/credit_notes/{self.draw.choice(found)['lago_id']}/void")

    async def one_off(self) -> None:
        if self.draw.random() < 0.3:
            self.number += 1
            code = f"a{self.number}"
            add_on = {"name": code, "code": code, "amount_cents": 777, "amount_currency": "EUR"}
            await self.call("POST", "/add_ons", {"add_on": add_on})
            body = {
                "external_customer_id": self.who["external_id"],
                "currency": "EUR",
                "fees": [{"add_on_code": code, "units": self.draw.choice(["1", "2.5"])}],
            }
            await self.call("POST", "/invoices", {"invoice": body})

    # -- what holds in the end --------------------------------------------------------------------------------

    async def all_invoices(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await kit.invoices(self.client, self.who)
        return found

    async def compare_preview(self) -> None:
        """What comes next is what a preview shows, if nothing else is done until then (invoicing §10.5)."""
        await self.call(
            "POST",
            "/customers",
            {
                "customer": {
                    "external_id": self.who["external_id"],
                    "billing_configuration": {"invoice_grace_period": 0},
                }
            },
        )
        # A wallet at its threshold is filled two seconds later: that is done before, for the bill would use it.
        self.now += timedelta(minutes=1)
        await kit.advance(self.client, self.now.strftime("%Y-%m-%dT%H:%M"))
        asked = {
            "customer": {"external_id": self.who["external_id"]},
            "subscriptions": {"external_ids": ["s"]},
        }
        shown = (await self.call("POST", "/invoices/preview", asked)).get("invoice")
        if shown is None or not shown["fees_amount_cents"]:
            return  # of nothing there may be no invoice
        before = {invoice["lago_id"] for invoice in await self.all_invoices()}
        day = datetime.fromisoformat(shown["issuing_date"]).replace(tzinfo=UTC, hour=0, minute=15)
        await kit.advance(self.client, max(day, self.now).strftime("%Y-%m-%dT%H:%M"))
        self.now = max(day, self.now)
        made = [
            i
            for i in await self.all_invoices()
            if i["lago_id"] not in before and i["invoice_type"] == "subscription"
        ]
        names = (
            "fees",
            "progressive_billing_credit",
            "coupons",
            "taxes",
            "credit_notes",
            "prepaid_credit",
            "total",
        )
        told = [
            [one[f"{name}_amount_cents"] for name in names]
            for one in (made[0] if made else {f"{n}_amount_cents": None for n in names}, shown)
        ]
        assert told[0] == told[1], (shown["issuing_date"], told)

    async def check_lifetime(self) -> None:
        """Metering §9.4: invoiced usage is that of the periods before this one, of subscriptions of one start."""
        found = await self.client.get("/subscriptions/s/lifetime_usage")
        if found.status_code != 200:
            return
        lifetime = found.json()["lifetime_usage"]
        listed = await kit.get(
            self.client,
            "/subscriptions",
            external_customer_id=self.who["external_id"],
            **{"status[]": ["active", "terminated"]},
        )
        (running,) = [one for one in listed["subscriptions"] if one["status"] == "active"]
        chain = {
            one["lago_id"]
            for one in listed["subscriptions"]
            if one["subscription_at"] == running["subscription_at"]
        }
        statuses = {i["lago_id"]: (i["status"], i["invoice_type"]) for i in await self.all_invoices()}
        fees = (await kit.get(self.client, "/fees", fee_type="charge", per_page=1000))["fees"]
        cents = 0
        for fee in fees:
            status, kind = (
                statuses.get(fee["lago_invoice_id"], ("closed", ""))
                if fee["lago_invoice_id"]
                else ("finalized", "")
            )
            is_billed = status in ("draft", "finalized") and kind != "progressive_billing"
            is_over = fee["from_date"][:19] < running["current_billing_period_started_at"][:19]
            if fee["lago_subscription_id"] in chain and is_billed and is_over:
                cents += fee["amount_cents"]
        assert lifetime["invoiced_usage_amount_cents"] == cents, lifetime
        used = await kit.usage(self.client, self.who, {"external_id": "s"}, apply_taxes="false")
        assert lifetime["current_usage_amount_cents"] == used["amount_cents"], (
            lifetime,
            used["amount_cents"],
        )

    async def check_progressive(self) -> None:
        """Invoicing §18.10: what progressive invoices billed of a period is credited by its bill, or by a note."""
        invoices = await self.all_invoices()
        notes = (await kit.get(self.client, "/credit_notes", per_page=1000))["credit_notes"]
        billed: dict[Any, int] = {}
        ended: set[Any] = set()
        for one in invoices:
            for period in one["billing_periods"]:
                window = (period["lago_subscription_id"], period["charges_from_datetime"])
                if one["invoice_type"] == "progressive_billing":
                    own = one["fees_amount_cents"] - one["progressive_billing_credit_amount_cents"]
                    given = sum(
                        n["sub_total_excluding_taxes_amount_cents"]
                        for n in notes
                        if n["lago_invoice_id"] == one["lago_id"]
                    )
                    billed[window] = billed.get(window, 0) + own - given
                elif (
                    period["invoicing_reason"] in ("subscription_periodic", "subscription_terminating")
                    and one["status"] == "finalized"
                ):
                    ended.add(window)
                    billed[window] = billed.get(window, 0) - one["progressive_billing_credit_amount_cents"]
        assert {window: billed[window] for window in ended if billed[window]} == {}


@settings(lived_by_both, max_examples=max(EXAMPLES // 4, 1), phases=[Phase.explicit, Phase.generate])
@given(seed=st.integers(0, 2**64))
async def test_no_walk_breaks_a_law(make_organization, database, seed: int) -> None:
    organization = await make_organization(wire(BEGINS))
    walk = Walk(organization.client, seed)
    try:
        await walk.run()
        await kit.assert_audit_clean(database, organization.id)
    finally:
        note("\n".join(walk.trail))
