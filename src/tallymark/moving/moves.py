"""What a customer has elsewhere, as what is taken over here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from tallymark.domain.fees.model import FeeType
from tallymark.domain.money import currency as find_currency
from tallymark.domain.periods import TICK, local_date, start_of_day
from tallymark.integrations.lago import LagoApi, path_of, together
from tallymark.moving import bodies
from tallymark.moving.likeness import plain
from tallymark.moving.state import State, instant, made_at
from tallymark.rooms.coupons.model import Frequency, TakenCoupon
from tallymark.rooms.coupons.model import Status as CouponStatus
from tallymark.rooms.fees.model import ElsewhereFee
from tallymark.rooms.subscriptions.schemas import SubscriptionCreateInput
from tallymark.rooms.subscriptions.service import EndedElsewhere, LifeElsewhere
from tallymark.rooms.takeovers.model import Move, TakenSubscription, TakenWallet
from tallymark.rooms.wallets.model import Kind
from tallymark.rooms.wallets.schemas.inputs import WalletCreateInput
from tallymark.rooms.wallets.service import LeftCredits

Json = dict[str, Any]
ONE_SECOND = timedelta(seconds=1)
ONE_MILLISECOND = timedelta(milliseconds=1)
NOTES_WALLET = "credit_notes"
"""Code of the wallet that holds what is left of credit notes; of another currency than the first, with that behind it."""

COMMITTED = ("subscription", "charge", "fixed_charge")
"""Types of fees that count towards a commitment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """Makes moves; `entity_codes` are those here by those there."""

    source: LagoApi
    target: LagoApi
    entity_codes: dict[str, str]

    async def move(self, state: State) -> Move:
        """All that a customer has. Raises `ApiError`, and `pydantic.ValidationError` for what can't be read."""
        running = await together(*(self._running(one, state) for one in state.subscriptions))
        waiting = await together(*(self._waiting(one, state) for one in state.waiting))
        return Move(
            external_customer_id=state.customer["external_id"],
            subscriptions=(*running, *waiting),
            wallets=(*_wallets_of_notes(state), *(self._wallet(*one) for one in state.wallets)),
            coupons=tuple(_coupon(one, place) for place, one in enumerate(state.coupons)),
        )

    async def _running(self, there: Json, state: State) -> TakenSubscription:
        asked = await self._asked(there, state)
        started_at = instant(there["started_at"])
        assert started_at is not None, "one that runs has begun"
        own = there["lago_id"]
        usage = await self.source.find(path_of("subscriptions", there["external_id"], "lifetime_usage"))
        parts = (usage or {}).get("lifetime_usage") or {}
        has_commitment = bool((there.get("plan") or {}).get("minimum_commitment"))
        billed = await self._fees(there, "subscription")
        return TakenSubscription(
            asked=asked.to_value(),
            life=LifeElsewhere(
                made_at=made_at(there),
                started_at=started_at,
                trial_ended_at=instant(there.get("trial_ended_at")),
                was_billed=any(fee["lago_subscription_id"] == own for fee in billed),
                earlier=await self._earlier(there, state),
            ),
            thresholds=asked.thresholds() or None,
            sections=asked.sections(),
            used_cents=int(parts.get("external_historical_usage_amount_cents") or 0)
            + int(parts.get("invoiced_usage_amount_cents") or 0),
            fees=await self._committed(there, state) if has_commitment else (),
        )

    async def _earlier(self, there: Json, state: State) -> tuple[EndedElsewhere, ...]:
        """Those before one of the same external id, as far as their plans are still there; the oldest first."""
        lives = [
            one for one in state.ended if one["external_id"] == there["external_id"] and one["started_at"]
        ]
        lives.sort(key=lambda one: (one["started_at"], one["created_at"]))
        zone = ZoneInfo(state.customer.get("applicable_timezone") or "UTC")
        found = []
        for one, after in pairwise([*lives, there]):
            if await self.target.find(path_of("plans", one["plan_code"])) is None:
                continue
            next_at = datetime.fromisoformat(after["started_at"])
            ended_at = datetime.fromisoformat(one["terminated_at"])
            found.append(
                EndedElsewhere(
                    plan_code=one["plan_code"],
                    started_at=datetime.fromisoformat(one["started_at"]),
                    terminated_at=ended_at,
                    usage_ends_at=_usage_end(ended_at, next_at, zone),
                )
            )
        return tuple(found)

    async def _waiting(self, there: Json, state: State) -> TakenSubscription:
        asked = await self._asked(there, state)
        return TakenSubscription(
            asked=asked.to_value(),
            life=None,
            thresholds=asked.thresholds() or None,
            sections=asked.sections(),
        )

    async def _asked(self, there: Json, state: State) -> SubscriptionCreateInput:
        """The request that would make a subscription, with what it has of its own."""
        body = bodies.subscription(there)
        code = body.pop("billing_entity_code", None)
        if code is not None and code != state.customer.get("billing_entity_code"):
            body["billing_entity_code"] = self.entity_codes.get(code, code)
        parent = (await self.target.get(path_of("plans", there["plan_code"])))["plan"]
        own = there.get("plan") or {}
        if own.get("parent_id"):
            body["plan_overrides"] = _overrides(own, parent)
        elif parent["fixed_charges"]:
            body |= await self._units(there, parent)
        applying = bodies.thresholds(there.get("applicable_usage_thresholds"))
        usual = parent.get("usage_thresholds") or parent.get("applicable_usage_thresholds")
        if applying and plain(applying) != plain(bodies.thresholds(usual)):
            body["usage_thresholds"] = applying
        return SubscriptionCreateInput.model_validate(body)

    async def _units(self, there: Json, parent: Json) -> Json:
        """Units of fixed charges that are not the plan's."""
        path = path_of("subscriptions", there["external_id"], "fixed_charges")
        ids = {one["code"]: one for one in parent["fixed_charges"]}
        changed = [
            {"id": ids[row["code"]]["lago_id"], "units": row["units"]}
            async for row in self.source.newest_first(
                path, "fixed_charges", subscription_status=there["status"]
            )
            if row.get("code") in ids and plain(row["units"]) != plain(ids[row["code"]]["units"])
        ]
        return {"plan_overrides": {"fixed_charges": changed}} if changed else {}

    async def _fees(self, there: Json, fee_type: str) -> list[Json]:
        query = {"external_subscription_id": there["external_id"], "fee_type": fee_type}
        return [row async for row in self.source.oldest_first("fees", "fees", **query)]

    async def _committed(self, there: Json, state: State) -> tuple[ElsewhereFee, ...]:
        """What was billed of a subscription and stands: progressive invoices are billed again, with their period."""
        who = {"external_customer_id": state.customer["external_id"]}
        without = {
            row["lago_id"]
            for query in ({"invoice_type": "progressive_billing"}, {"status": "voided"})
            async for row in self.source.newest_first("invoices", "invoices", **who, **query)
        }
        found = chain.from_iterable(await together(*(self._fees(there, kind) for kind in COMMITTED)))
        return tuple(
            _elsewhere(fee)
            for fee in found
            if fee["lago_subscription_id"] == there["lago_id"]
            and fee.get("from_date")
            and fee.get("lago_invoice_id") not in without
        )

    def _wallet(self, there: Json, inbound: Sequence[Json]) -> TakenWallet:
        body = bodies.wallet(there)
        code = body.pop("billing_entity_code", None)
        if code in self.entity_codes:
            body["billing_entity_code"] = self.entity_codes[code]
        asked = WalletCreateInput.model_validate(body)
        return TakenWallet(asked=asked.to_value(), left=_left(there, inbound))


def _usage_end(ended_at: datetime, next_at: datetime, zone: ZoneInfo) -> datetime:
    """Where the usage of a subscription ends, exclusive: the instant of a change is inside, but for one at a day's start.

    Ends are told to the second, starts to the millisecond.
    """
    if next_at - ended_at >= ONE_SECOND:
        return ended_at + TICK
    if next_at == start_of_day(local_date(next_at, zone), zone):
        return next_at
    return next_at + ONE_MILLISECOND


def _overrides(own: Json, parent: Json) -> Json:
    """The prices of a subscription's own plan, told by the charges that its copies come from."""
    body = bodies.plan(own)
    names = ("amount_cents", "amount_currency", "name", "invoice_display_name", "description", "trial_period",
             "tax_codes", "usage_thresholds")  # fmt: skip
    found = {name: body[name] for name in names if body.get(name) is not None}
    if body["minimum_commitment"]:
        found["minimum_commitment"] = body["minimum_commitment"]
    ids = {one["code"]: one["lago_id"] for one in parent["charges"]}
    fixed_ids = {one["code"]: one["lago_id"] for one in parent["fixed_charges"]}
    priced = (
        "properties",
        "min_amount_cents",
        "invoice_display_name",
        "filters",
        "tax_codes",
        "applied_pricing_unit",
    )
    found["charges"] = [
        {"id": ids[one["code"]], **{name: one[name] for name in priced if one.get(name) is not None}}
        for one in body["charges"]
        if one.get("code") in ids
    ]
    fixed = ("properties", "units", "invoice_display_name", "tax_codes")
    found["fixed_charges"] = [
        {"id": fixed_ids[one["code"]], **{name: one[name] for name in fixed if one.get(name) is not None}}
        for one in body["fixed_charges"]
        if one.get("code") in fixed_ids
    ]
    return found


def _elsewhere(fee: Json) -> ElsewhereFee:
    """A fee's amounts before coupons and taxes; its last day is told by its last second."""
    exponent = find_currency(fee["amount_currency"]).exponent
    precise = Decimal(str(fee.get("precise_amount") or 0)).scaleb(exponent)
    return ElsewhereFee(
        fee_type=FeeType((fee.get("item") or {}).get("type") or "charge"),
        amount_cents=int(fee["amount_cents"]),
        precise_amount_cents=precise,
        from_at=datetime.fromisoformat(fee["from_date"]),
        to_at=datetime.fromisoformat(fee["to_date"]) + ONE_SECOND,
    )


def _left(there: Json, inbound: Sequence[Json]) -> tuple[LeftCredits, ...]:
    """What is left of each inbound transaction; what the balance has beyond it, of servers that do not tell, was granted.

    A balance below what is told to be left is what counts: the oldest are cut. Instants are told to the second: what was made
    in one keeps its order.
    """
    balance = int(there["balance_cents"])
    found = []
    for place, one in reversed(
        list(enumerate(inbound))
    ):  # the newest first: what is spent first is the oldest
        cents = min(int(one.get("remaining_amount_cents") or 0), balance)
        if one["status"] != "settled" or cents <= 0:
            continue
        balance -= cents
        found.append(
            LeftCredits(
                kind=Kind.PURCHASED if one["transaction_status"] == "purchased" else Kind.GRANTED,
                cents=cents,
                created_at=made_at(one) + place * TICK,
                name=one.get("name"),
                priority=int(one.get("priority") or 50),
                metadata=tuple(one.get("metadata") or ()),
            )
        )
    if balance:
        found.append(LeftCredits(kind=Kind.GRANTED, cents=balance, created_at=made_at(there)))
    return tuple(reversed(found))


def _wallets_of_notes(state: State) -> list[TakenWallet]:
    """What is left of credit notes, in a wallet for each currency that pays before all others.

    Like a credit note it is taken off after taxes, and before any other wallet.
    """
    left: dict[str, list[Json]] = defaultdict(list)
    for note in state.notes:
        left[note["currency"]].append(note)
    return [
        TakenWallet(
            asked=WalletCreateInput.model_validate(
                {
                    "name": "Credit notes from before the move",
                    "code": NOTES_WALLET if position == 0 else f"{NOTES_WALLET}_{code.lower()}",
                    "priority": 1,
                    "rate_amount": "1",
                    "currency": code,
                }
            ).to_value(),
            left=tuple(
                LeftCredits(
                    kind=Kind.GRANTED,
                    cents=int(note["balance_amount_cents"]),
                    created_at=made_at(note),
                    name=f"Credit note {note['number']}",
                    priority=1,
                )
                for note in notes
            ),
        )
        for position, (code, notes) in enumerate(sorted(left.items()))
    ]


def _coupon(there: Json, place: int) -> TakenCoupon:
    amount, left = there.get("amount_cents"), there.get("amount_cents_remaining")
    rate = there.get("percentage_rate")
    return TakenCoupon(
        coupon_code=there["coupon_code"],
        status=CouponStatus(there["status"]),
        amount_cents=None if amount is None else int(amount),
        amount_currency=there.get("amount_currency"),
        percentage_rate=None if rate is None else Decimal(str(rate)),
        frequency=Frequency(there["frequency"]),
        frequency_duration=there.get("frequency_duration"),
        frequency_duration_remaining=there.get("frequency_duration_remaining"),
        used_cents=int(amount) - int(left) if amount is not None and left is not None else 0,
        terminated_at=instant(there.get("terminated_at")),
        created_at=made_at(there) + place * TICK,
    )
