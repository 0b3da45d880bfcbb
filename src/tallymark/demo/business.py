"""What the company of the demonstration does from day to day: sells, meters, is paid, gives back, and looks after its wallets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from tallymark.demo import catalog
from tallymark.demo.cast import Buyer
from tallymark.demo.corrections import Corrections
from tallymark.demo.receiver import BROKEN, WORKING
from tallymark.demo.seller import Seller
from tallymark.demo.usage import events

Json = dict[str, Any]

PRICES = {"prepaid": 0, "ai": 19, "team": 49, "enterprise": 499, "annual": 800}
"""What plans come to in a month: a dearer one begins at once, a cheaper one with the next period."""

PAYS_AFTER_DAYS = {"prompt": 2, "usual": 10, "late": 27, "partly": 12, "never": 12}
NEVER_FROM_MONTH = 3
"""Whoever never pays still does in the first months."""

CHANGES_FROM_DAY = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """An instant to which the clock is moved, the month that it lies in, and since when that month's usage comes in.

    `is_day` says that it is a day after the one before, `is_last` that its month ends with it.
    """

    at: datetime
    month: int
    opens: datetime
    is_day: bool = False
    is_last: bool = False


class Business:
    """The company, and what it knows of its customers."""

    def __init__(self, seller: Seller, buyers: Sequence[Buyer]) -> None:
        self._seller = seller
        self._corrections = Corrections(seller)
        self._buyers = {buyer.external_id: buyer for buyer in buyers}
        self._plans: dict[str, str] = {}
        """Who is on which plan now."""
        self._next: dict[str, str] = {}
        """Who goes to a cheaper one with the next month."""
        self._changed: set[tuple[str, int]] = set()
        self._partly: set[str] = set()
        self._metered: dict[str, datetime] = {}
        """Until when somebody's usage was sent."""
        self._month = 0
        self.organization_id = UUID(int=0)

    async def open(self) -> None:
        """Terms, taxes, metrics, plans and all else that is there before the first customer."""
        call, make = self._seller.call, self._seller.make
        for tax in catalog.TAXES:
            await make("/taxes", "tax", **tax)
        (entity,) = (await call("GET", "/billing_entities"))["billing_entities"]
        await call("PUT", f"/billing_entities/{entity['code']}", {"billing_entity": catalog.ENTITY})
        await make("/billing_entities", "billing_entity", **catalog.AMERICAN_ENTITY)
        shown = (await call("GET", "/organizations"))["organization"]
        self.organization_id = UUID(shown["lago_id"])
        metrics = {
            one["code"]: (await make("/billable_metrics", "billable_metric", **one))["lago_id"]
            for one in catalog.METRICS
        }
        add_ons = {
            one["code"]: (await make("/add_ons", "add_on", **one, amount_currency="EUR"))["lago_id"]
            for one in catalog.ADD_ONS
        }
        for feature in catalog.FEATURES:
            await make("/features", "feature", **feature)
        for currency in ("EUR", "USD"):
            for plan in catalog.plans(metrics, add_ons, currency):
                await make("/plans", "plan", **plan)
                granted = catalog.ENTITLEMENTS.get(plan["code"].removesuffix("_usd"))
                if granted:
                    await call("PATCH", f"/plans/{plan['code']}/entitlements", {"entitlements": granted})
        for coupon in catalog.COUPONS:
            await make("/coupons", "coupon", **coupon)
        await make("/invoice_custom_sections", "invoice_custom_section", **catalog.SECTION)
        await make("/pricing_units", "pricing_unit", **catalog.PRICING_UNIT)

    async def live(self, tick: Tick) -> None:
        """Move on to an instant, and do what has come up by then."""
        await self._seller.advance(tick.at)
        if tick.month != self._month:
            self._plans |= self._next
            self._next.clear()
            self._month = tick.month
        await self._meter(tick)
        for buyer in self._buyers.values():
            if self._comes(buyer, tick):
                await self._win(buyer, tick)
            elif tick.is_last or tick.at.day >= CHANGES_FROM_DAY + buyer.number % 10:
                await self._change(buyer, tick.month)
        await self._collect(tick.at.date(), tick.month)
        if tick.is_last:
            await self._close(tick.month)

    def _comes(self, buyer: Buyer, tick: Tick) -> bool:
        """Whether a customer of this month has not come yet, and it is their day."""
        is_new = buyer.month == tick.month and buyer.external_id not in self._metered
        return is_new and (tick.is_last or tick.at.day > 1 + buyer.number * 3 % 20)

    async def _meter(self, tick: Tick) -> None:
        """Send what has been used: of every second customer each time, of all when the month ends and day by day."""
        sent: list[Json] = []
        for external_id, plan in self._plans.items():
            buyer, since = self._buyers[external_id], max(self._metered[external_id], tick.opens)
            is_their_turn = tick.is_last or self._uses(buyer, plan, tick)
            if since < tick.at and is_their_turn:
                sent.extend(events(buyer, plan, since, tick.at))
                self._metered[external_id] = tick.at
        await self._seller.send(sent)

    def _uses(self, buyer: Buyer, plan: str, tick: Tick) -> bool:
        """Whether a customer has used something since the last time: each in turn, and where it goes by days most of them."""
        turn = buyer.number + (tick.at.day if tick.is_day else tick.at.day // 7)
        return turn % 2 == 0 or (tick.is_day and plan not in ("team", "annual"))

    async def _win(self, buyer: Buyer, tick: Tick) -> None:
        """A new customer with a subscription, and what goes with their plan."""
        make, who = self._seller.make, buyer.external_id
        await make("/customers", "customer", **buyer.record())
        if buyer.number % 4 == 2 and buyer.country.currency == "EUR":
            await make(
                "/applied_coupons", "applied_coupon", external_customer_id=who, coupon_code="WELCOME20"
            )
        if tick.month < 6 and buyer.number % 7 == 3:
            await make("/applied_coupons", "applied_coupon", external_customer_id=who, coupon_code="SPRING")
        if buyer.number % 9 == 5 and buyer.country.currency == "EUR":
            await make("/applied_coupons", "applied_coupon", external_customer_id=who, coupon_code="LOYAL50")
        if buyer.plan == "prepaid":
            await self._open_wallet(buyer)
        await self._subscribe(buyer, buyer.plan)
        self._plans[who], self._metered[who] = buyer.plan, tick.at
        if buyer.plan == "enterprise":
            await self._one_off(buyer, "onboarding")
        await self._watch(buyer)

    async def _subscribe(self, buyer: Buyer, plan: str) -> None:
        await self._seller.make(
            "/subscriptions",
            "subscription",
            external_customer_id=buyer.external_id,
            external_id=buyer.subscription_id,
            plan_code=buyer.plan_code(plan),
            purchase_order_number=buyer.order_number(plan),
        )

    async def _open_wallet(self, buyer: Buyer) -> None:
        rule = {
            "trigger": "threshold", "threshold_credits": "25", "method": "target", "target_ongoing_balance": "120",
            "transaction_name": "Automatic top-up",
        }  # fmt: skip
        wallet = await self._seller.make(
            "/wallets",
            "wallet",
            external_customer_id=buyer.external_id,
            name="Compute credits",
            code="compute",
            rate_amount="1",
            currency=buyer.country.currency,
            paid_credits=str(40 * buyer.size),
            granted_credits="15",
            paid_top_up_min_amount_cents=2_000,
            paid_top_up_max_amount_cents=500_000,
            recurring_transaction_rules=[rule] if buyer.number % 20 == 3 else [],
            **({"expiration_at": "2026-07-31T22:00:00Z"} if buyer.number % 20 == 9 else {}),
        )
        alert = {"alert_type": "wallet_balance_amount", "code": "low", "name": "Low balance",
                 "thresholds": [{"code": "soon", "value": "5000"}, {"code": "now", "value": "1500"}]}  # fmt: skip
        path = f"/customers/{buyer.external_id}/wallets/{wallet['code']}/alerts"
        await self._seller.make(path, "alert", **alert)

    async def _watch(self, buyer: Buyer) -> None:
        """Alerts on subscriptions of some size."""
        path = f"/subscriptions/{buyer.subscription_id}/alerts"
        if buyer.plan == "enterprise":
            levels = [{"code": "half", "value": "40000"}, {"code": "full", "value": "120000"}]
            alert = {
                "alert_type": "current_usage_amount",
                "code": "spend",
                "name": "Spend",
                "thresholds": levels,
            }
            await self._seller.make(path, "alert", **alert)
        elif buyer.plan == "ai" and buyer.number % 2 == 0:
            levels = [{"code": "many", "value": "5000000"}]
            alert = {"alert_type": "billable_metric_current_usage_units", "billable_metric_code": "ai_tokens",
                     "code": "tokens", "name": "Tokens", "thresholds": levels}  # fmt: skip
            await self._seller.make(path, "alert", **alert)

    async def _change(self, buyer: Buyer, month: int) -> None:
        """Another plan, or the end, where it is due."""
        who = buyer.external_id
        for at, what in buyer.changes:
            if at != month or (who, at) in self._changed or who not in self._plans:
                continue
            self._changed.add((who, at))
            if what == "end":
                await self._seller.call("DELETE", f"/subscriptions/{buyer.subscription_id}")
                del self._plans[who]
                return
            await self._subscribe(buyer, what)
            is_dearer = PRICES[what] >= PRICES[self._plans[who]]
            (self._plans if is_dearer else self._next)[who] = what

    async def _one_off(self, buyer: Buyer, add_on: str) -> Json:
        made: Json = await self._seller.make(
            "/invoices",
            "invoice",
            external_customer_id=buyer.external_id,
            currency=buyer.country.currency,
            purchase_order_number=buyer.order_number(self._plans[buyer.external_id]),
            fees=[{"add_on_code": add_on, "units": 1}],
        )
        return made

    async def _unpaid(self) -> list[Json]:
        query = {"status": "finalized", "payment_status": "pending", "per_page": 1_000}
        found: list[Json] = (await self._seller.call("GET", "/invoices", query=query))["invoices"]
        return found

    async def _collect(self, today: date, month: int) -> None:
        """Take the payments that have come in, by each customer's habit; credits are paid at once."""
        for invoice in await self._unpaid():
            buyer = self._buyers[invoice["customer"]["external_id"]]
            due, days = invoice["total_due_amount_cents"], PAYS_AFTER_DAYS[buyer.habit]
            waits = timedelta(days=0 if invoice["invoice_type"] == "credit" else days)
            if not due or date.fromisoformat(invoice["issuing_date"]) + waits > today:
                continue
            is_lasting = month >= NEVER_FROM_MONTH and invoice["invoice_type"] != "credit"
            if is_lasting and (buyer.habit == "never" or invoice["lago_id"] in self._partly):
                continue
            cents = due
            if is_lasting and buyer.habit == "partly":
                self._partly.add(invoice["lago_id"])
                cents = due * 6 // 10 or due
            reference = f"bank transfer {invoice['number']}"[:40]
            await self._seller.make(
                "/payments", "payment", invoice_id=invoice["lago_id"], amount_cents=cents, reference=reference
            )

    async def _close(self, month: int) -> None:
        """What happens once in a month, on its last evening."""
        here = [self._buyers[who] for who in self._plans]
        if month % 3 == 1 and here:
            await self._corrections.give_back(here[month % len(here)])
        if month % 4 == 2 and here:
            await self._one_off(here[(month * 3) % len(here)], "migration")
        for buyer in here:
            if self._plans[buyer.external_id] == "prepaid" and (buyer.number + month) % 4 == 0:
                await self._top_up(buyer)
        if month % 5 == 4:
            await self._corrections.void_one()
        if month % 4 == 3:
            note = await self._corrections.refund_one(month)
            await self._corrections.note_paid_back(note)

    async def _top_up(self, buyer: Buyer) -> None:
        path = f"/customers/{buyer.external_id}/wallets"
        wallets = (await self._seller.call("GET", path))["wallets"]
        active = [one for one in wallets if one["status"] == "active"]
        if active:
            more = {
                "wallet_id": active[0]["lago_id"],
                "paid_credits": str(30 * buyer.size),
                "granted_credits": "5",
            }
            await self._seller.call("POST", "/wallet_transactions", {"wallet_transaction": more})

    async def tell(self, address: str) -> None:
        """Have two others told of what happens from now on."""
        for name, path, types in (
            ("Ledger", WORKING, ["invoice.created", "payment_receipt.created", "credit_note.created"]),
            (
                "Warehouse",
                BROKEN,
                ["invoice.payment_status_updated", "invoice.voided", "subscription.terminated"],
            ),
        ):
            await self._seller.make(
                "/webhook_endpoints",
                "webhook_endpoint",
                webhook_url=f"{address}{path}",
                name=name,
                signature_algo="hmac",
                event_types=types,
            )

    async def leave_loose_ends(self) -> None:
        """What an operator finds in the morning: events that match nothing, an overdue customer asked to pay, a void invoice, a
        refund that is to be paid out and a dispute that was lost; and what was described, and promised to one customer
        alone, last."""
        unknown = [
            {
                "transaction_id": f"loose-{n}",
                "external_subscription_id": subscription,
                "code": code,
                "properties": properties,
            }
            for n, (subscription, code, properties) in enumerate(
                [
                    *[("sub_999", "api_requests", {"path": "/v1/run"})] * 4,
                    *[("sub_001", "gpu_minutes", {"minutes": 12})] * 3,
                ]
            )
        ]
        await self._seller.send(unknown)
        for buyer in self._buyers.values():
            if buyer.habit == "prompt" and buyer.external_id in self._plans:
                voided = await self._one_off(buyer, "onboarding")
                await self._seller.call("POST", f"/invoices/{voided['lago_id']}/void", {})
                break
        query = {"status": "finalized", "payment_overdue": "true", "per_page": 1_000}
        overdue = (await self._seller.call("GET", "/invoices", query=query))["invoices"]
        for who in sorted({one["customer"]["external_id"] for one in overdue})[:2]:
            owed = [one["lago_id"] for one in overdue if one["customer"]["external_id"] == who]
            body = {"external_customer_id": who, "lago_invoice_ids": owed}
            await self._seller.call("POST", "/payment_requests", {"payment_request": body})

        await self._corrections.refund_one(self._month)
        await self._corrections.lose_dispute()
        for path, root, description in catalog.DESCRIPTIONS:
            await self._seller.call("PUT", path, {root: {"description": description}})
        large = (one for one in self._buyers.values() if self._plans.get(one.external_id) == "enterprise")
        if first := next(large, None):
            more = {"entitlements": {"regions": {"max": 12}}}
            await self._seller.call("PATCH", f"/subscriptions/{first.subscription_id}/entitlements", more)

    async def export_invoices(self) -> UUID:
        """Ask for the list of what was invoiced to be written to a file; the export's id."""
        asked = {"resource_type": "invoices", "filters": {"statuses": ["finalized"]}}
        return UUID((await self._seller.make("/data_exports", "data_export", **asked))["lago_id"])

    async def summary(self) -> list[str]:
        """What there is now, in a few lines."""
        lines = []
        for path, name in (
            ("/customers", "customers"), ("/subscriptions", "active subscriptions"), ("/invoices", "invoices"),
            ("/payments", "payments"), ("/credit_notes", "credit notes"), ("/wallets", "wallets"),
        ):  # fmt: skip
            meta = (await self._seller.call("GET", path, query={"per_page": 1}))["meta"]
            lines.append(f"{meta['total_count']:>6,} {name}")
        return lines

    async def portal_url(self) -> str:
        """A link to the portal of a customer who has a wallet, else of the first one."""
        who = next((one for one in self._buyers.values() if one.plan == "prepaid"), None)
        who = who if who and who.external_id in self._plans else self._buyers[next(iter(self._plans))]
        answer = await self._seller.call("GET", f"/customers/{who.external_id}/portal_url")
        url: str = answer["customer"]["portal_url"]
        return url
