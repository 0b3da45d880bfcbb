"""One customer's invoices, from a plain description of what happened: subscriptions §2 to §5.

The calculator walks through the life in the order of time, local day after local day, and counts all raw events
again for every fee. It knows no roll-up, no cache and nothing of the engine that it checks.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction

from tests.oracle import fees
from tests.oracle.advance import Book
from tests.oracle.arithmetic import plainly
from tests.oracle.days import DAY, TICK, local, start_of_day
from tests.oracle.fees import Fee
from tests.oracle.issuing import Invoice, Issuer, part_of, utc_midnight
from tests.oracle.life import Action, ApplyCoupon, ChangeUnits, Event, Life, PayFees, Subscribe, Terminate
from tests.oracle.records import (
    Record,
    Subscription,
    UnitEvent,
    boundaries,
    in_trial,
    usage_begins,
    usage_ends,
    windows,
)
from tests.oracle.units import has_value

SETTLING = timedelta(minutes=10)
SECOND = timedelta(seconds=1)
# The order of due work at one instant (README); what the user does comes after all that.
ACTIVATION, TERMINATION, TRIAL_END, SWITCH, BILLING, FINALIZATION, USER = range(7)


def invoices_of(life: Life) -> list[Invoice]:
    """Every invoice of the life, in the order in which they are made."""
    return lived(life).issuer.invoices


def evaluated(event: Event, life: Life) -> Event:
    """Metering §1.2: what a metric's expression makes of an event is kept under its field's name."""
    expression = next((m.expression for m in life.metrics if m.code == event.code), None)
    if expression is None:
        return event
    made = expression.meaning(Fraction(str(event.properties["value"])))
    text = made if isinstance(made, str) else plainly(made)
    return replace(event, properties=event.properties | {"value": text})


def lived(life: Life) -> Walk:
    walk = Walk(life)
    walk.run()
    if walk.brought:
        # What a backfill brought costs what it does on top of all others, and was there when its period was billed.
        walk = Walk(life, walk.brought)
        walk.run()
    return walk


class Walk:
    def __init__(self, life: Life, known: dict[str, list[Fee]] | None = None) -> None:
        self.life = life
        self.known = known
        """The fees of events that backfills brought, once they are known."""
        self.brought: dict[str, list[Fee]] = {}
        self.now = life.begins
        self.subscriptions: list[Subscription] = []
        self.arrived: list[Event] = []
        self.book = Book()
        self.issuer = Issuer(life)
        self.priced: set[str] = set()
        """Events that have a fee of their own."""
        self.closed: dict[Subscription, list[tuple[datetime, datetime, set[str]]]] = {}
        """The charges windows on final invoices, each with the events that had come by then."""
        self._agenda: list[tuple[datetime, int, int, Callable[[], None]]] = []
        self._order = itertools.count()

    # -- the clock ----------------------------------------------------------------------------------------

    def at(self, when: datetime, rank: int, work: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (when, rank, next(self._order), work))

    def run(self) -> None:
        zone = self.life.zone
        day = local(self.life.begins, zone)
        while day <= local(self.life.ends, zone):
            midnight = start_of_day(day, zone)
            if midnight > self.life.begins:
                self.at(midnight, ACTIVATION, lambda d=day: self.activate(d))  # type: ignore[misc]
                self.at(midnight, TERMINATION, lambda d=day: self.end(d))  # type: ignore[misc]
                self.at(midnight, SWITCH, lambda d=day: self.switch(d))  # type: ignore[misc]
            if midnight + SETTLING > self.life.begins:
                self.at(midnight + SETTLING, BILLING, lambda d=day: self.bill_day(d))  # type: ignore[misc]
            day += DAY
        for action in self.life.actions:
            self.at(action.at, USER, lambda a=action: self.do(a))  # type: ignore[misc]
        while self._agenda and self._agenda[0][0] <= self.life.ends:
            self.now, _, _, work = heapq.heappop(self._agenda)
            work()
        self.now = self.life.ends

    def do(self, action: Action) -> None:
        match action:
            case Event():
                event = evaluated(action, self.life)
                self.arrived.append(event)
                if action.priced_at is None or self.known is not None:
                    self.price_in_advance(event)
                else:
                    self.at(action.priced_at, USER, lambda: self.price_in_advance(event))
            case Subscribe():
                self.subscribe(action)
            case Terminate():
                self.terminate(action)
            case ApplyCoupon():
                self.issuer.apply_coupon(action.coupon)
            case PayFees():
                for fee in self.issuer.standalone:
                    if fee.subscription.external_id == action.external_id and fee.paid_at is None:
                        fee.paid_at = self.now + TICK
            case ChangeUnits():
                self.change_units(action)

    def today(self) -> date:
        return local(self.now, self.life.zone)

    # -- §2.4, §2.5: subscriptions begin ------------------------------------------------------------------

    def current(self, external_id: str) -> Subscription | None:
        return next(
            (
                s
                for s in self.subscriptions
                if s.external_id == external_id
                and (s.status == "active" or (s.status == "pending" and s.previous is None))
            ),
            None,
        )

    def subscribe(self, action: Subscribe) -> None:
        current = self.current(action.external_id)
        if current is None:
            self.create(action)
        elif current.plan.code == action.plan.code:
            pass
        elif current.status == "pending":
            current.plan = action.plan
        elif action.plan.yearly_cents >= current.plan.yearly_cents:
            self.upgrade(current, action)
        else:
            self.downgrade(current, action)

    def create(self, action: Subscribe) -> None:
        now = self.now + TICK  # a call is a moment after the last due work
        begins = action.subscription_at or now
        made = Subscription(
            external_id=action.external_id,
            plan=action.plan,
            subscription_at=begins,
            billing_time=action.billing_time,
            created_at=now,
            ending_at=action.ending_at,
            consolidate=action.consolidate,
            zone=self.life.zone,
        )
        earlier = [s for s in self.subscriptions if s.external_id == action.external_id]
        self.subscriptions.append(made)
        made.earlier = earlier
        starts = local(begins, self.life.zone)
        if starts > self.today():
            return
        ended = [s.terminated_at for s in earlier if s.terminated_at and s.ends_with_invoice]
        if starts < self.today():
            begins = max([begins, *ended[-1:]])
        self.start(made, begins)
        if starts == self.today():
            self.starting_invoice(made)
        if start_of_day(self.today(), self.life.zone) + SETTLING <= self.now:
            self.bill_today()

    def start(self, one: Subscription, begins: datetime) -> None:
        one.status, one.started_at = "active", begins
        one.first_billed = self.first_billed(one)
        for fixed in one.plan.fixed_charges:
            one.units[fixed.code] = [UnitEvent(Fraction(fixed.units), begins + SECOND)]
        if one.plan.trial_days:
            self.at(max(one.trial_end, self.now), TRIAL_END, lambda: self.trial_ends(one))

    def first_billed(self, one: Subscription) -> datetime:
        """Where the usage begins that is ever billed: periods that were over when it was made are not (§6.10)."""
        at, is_due = self.now, self.is_due(one, self.today())
        if is_due:
            at = start_of_day(self.today(), one.zone)
        record = windows(one, at, "subscription_periodic", current=not is_due, terminated_at=None)
        return record.charges[0] if record.charges else usage_begins(one)

    def activate(self, day: date) -> None:
        for one in self.subscriptions:
            waits = one.status == "pending" and one.previous is None
            if waits and local(one.subscription_at, self.life.zone) == day:
                self.start(one, start_of_day(day, self.life.zone))
                self.starting_invoice(one)

    def starting_invoice(self, one: Subscription) -> None:
        """§5.1, rows 1 and 2."""
        if one.plan.pay_in_advance and not in_trial(one, one.started):
            self.invoice([one], one.started, "subscription_starting")
        elif any(f.pay_in_advance for f in one.plan.fixed_charges):
            self.invoice([one], one.started + SECOND, "in_advance_charge")

    def trial_ends(self, one: Subscription) -> None:
        """§4.5."""
        if one.status != "active" or one.trial_ended_at is not None:
            return
        at = max(one.trial_end, one.created_at)
        one.trial_ended_at = at
        if one.previous is not None and one.trial_end <= one.started:
            return  # it was over before this plan began, which is billed at its start
        day = local(at, self.life.zone)
        billed = any(r.day == local(one.started, self.life.zone) and r.has_fee for r in one.records)
        if one.plan.pay_in_advance and not billed and not self.carries_fee(one, day):
            self.invoice([one], at, "subscription_starting", with_charges=False)

    def carries_fee(self, one: Subscription, day: date) -> bool:
        """Whether a periodic invoice of that day carries the base fee."""
        if any(r.recurring and r.day == day and r.has_fee for r in one.records):
            return True
        return self.is_due(one, day) and fees.is_periodic_fee_day(one, day)

    # -- §2.6: upgrade and downgrade ----------------------------------------------------------------------

    def successor(self, old: Subscription, action: Subscribe) -> Subscription:
        for waiting in self.subscriptions:
            if waiting.previous is old and waiting.status == "pending":
                waiting.status = "canceled"
        made = Subscription(
            external_id=old.external_id,
            plan=action.plan,
            subscription_at=old.subscription_at,
            billing_time=old.billing_time,
            created_at=self.now + TICK,
            ending_at=action.ending_at or old.ending_at,
            consolidate=action.consolidate,
            zone=old.zone,
        )
        made.earlier = [s for s in self.subscriptions if s.external_id == old.external_id]
        made.previous = old
        self.subscriptions.append(made)
        return made

    def upgrade(self, old: Subscription, action: Subscribe) -> None:
        self.bill_today()  # what is due by now is billed before the upgrade
        new, now = self.successor(old, action), self.now + TICK
        old.next, old.status, old.terminated_at = new, "terminated", now
        self.issuer.credit_unused_time(old, now)
        self.start(new, now)
        together = [old]
        if self.is_billed_at_start(new):
            together.append(new)
        self.invoice(together, now + SECOND, "upgrade")
        self.issuer.regroup({old.external_id}, now + SECOND, ended_by=None)

    def is_billed_at_start(self, new: Subscription) -> bool:
        has_fixed = any(f.pay_in_advance for f in new.plan.fixed_charges)
        return has_fixed or (new.plan.pay_in_advance and not in_trial(new, new.started))

    def downgrade(self, old: Subscription, action: Subscribe) -> None:
        old.next = self.successor(old, action)

    def switch(self, day: date) -> None:
        """The pending successor takes over on the first day of a period of the old plan's interval."""
        for old in list(self.subscriptions):
            new = old.next
            if old.status != "active" or new is None or new.status != "pending":
                continue
            starts = old.calendar.period_start(day, old.plan.interval)
            if day == starts and local(old.started, old.zone) < day and not old.ends_on(day):
                at = start_of_day(day, old.zone)
                old.status, old.terminated_at = "terminated", at
                self.start(new, at)
                together = [old, new] if self.is_billed_at_start(new) else [old]
                self.at(at + SETTLING, BILLING, lambda t=together, a=at: self.bill(t, a, "downgrade"))  # type: ignore[misc]

    # -- §2.9: termination --------------------------------------------------------------------------------

    def terminate(self, action: Terminate) -> None:
        one = self.current(action.external_id)
        if one is None:  # it has ended by itself
            return
        if one.status == "pending":
            one.status = "canceled"
            return
        self.cancel_successor(one)
        one.status, one.terminated_at = "terminated", self.now + TICK
        one.ends_with_invoice = action.invoice
        if action.credit_note != "skip":
            self.issuer.credit_unused_time(one, one.terminated_at)
        if action.invoice:
            self.invoice([one], one.terminated_at, "subscription_terminating")
        self.issuer.regroup({one.external_id}, one.terminated_at, ended_by=None)

    # -- metering §8: charges in advance --------------------------------------------------------------------

    def price_in_advance(self, event: Event) -> None:
        one = self.holder(event)
        for charge in one.plan.charges if one else ():
            if one is None or not charge.pay_in_advance or charge.metric.code != event.code:
                continue
            if not has_value(event, charge.metric):
                continue
            at = event.timestamp
            record = windows(one, at, "in_advance_charge", current=True, terminated_at=one.terminated_at)
            window = fees.usage_window(one, record)
            assert window is not None
            if event.priced_at is not None and self.known is not None:
                (fee,) = (fee for fee in self.known[event.id] if fee.code == charge.code)
                fee = replace(fee, subscription=one)
            else:
                fee = self.book.fee(one, charge, event, self.arrived, window, self.life.currency)
            if event.priced_at is not None:
                self.brought.setdefault(event.id, []).append(fee)
            self.priced.add(event.id)
            self.event_invoice(one, record, fee)

    def holder(self, event: Event) -> Subscription | None:
        """Metering §1.5: the subscription whose life holds the event."""
        found = [
            s
            for s in self.subscriptions
            if s.external_id == event.external_id
            and s.started_at is not None
            and usage_begins(s) <= event.timestamp
            and ((end := usage_ends(s)) is None or event.timestamp < end)
        ]
        return max(
            found,
            key=lambda s: (s.terminated_at is None, s.terminated_at or s.started, s.started),
            default=None,
        )

    # -- pricing §13.2, §13.3: other units of a fixed charge ------------------------------------------------

    def change_units(self, action: ChangeUnits) -> None:
        one = next(
            (s for s in self.subscriptions if s.external_id == action.external_id and s.status == "active"),
            None,
        )
        charge = next((f for f in one.plan.fixed_charges if f.code == action.code), None) if one else None
        if one is None or charge is None:
            return
        since, units = self.now + TICK, Fraction(action.units)
        if not action.immediately:
            running = one.calendar.period_start(self.today(), one.fixed_unit)
            since = start_of_day(one.calendar.next_start(running, one.fixed_unit), one.zone)
        one.units[charge.code].append(UnitEvent(units, since))
        if action.immediately and charge.pay_in_advance:
            record = boundaries(one, since, "in_advance_charge")
            fee = fees.unit_change_fee(one, record, charge, units, self.life.currency)
            self.event_invoice(one, record, fee)

    def cancel_successor(self, one: Subscription) -> None:
        if one.next is not None and one.next.status == "pending":
            one.next.status = "canceled"
            one.next = None

    def end(self, day: date) -> None:
        """`ending_at`: as of the beginning of its local day."""
        for one in self.subscriptions:
            if one.status == "active" and one.ends_on(day):
                at = start_of_day(day, one.zone)
                self.cancel_successor(one)
                one.status, one.terminated_at = "terminated", at
                self.issuer.credit_unused_time(one, at)
                ending = [one]
                self.at(
                    at + SETTLING,
                    BILLING,
                    lambda e=ending, a=at: self.bill(e, a, "subscription_terminating"),  # type: ignore[misc]
                )

    # -- §5.2: the periodic biller ------------------------------------------------------------------------

    def bill_today(self) -> None:
        day = self.today()
        if start_of_day(day, self.life.zone) <= self.now:
            self.bill_day(day)

    def is_due(self, one: Subscription, day: date) -> bool:
        return (
            one.status == "active"
            and one.calendar.is_billing_day(day, one.plan.interval, monthly_split=one.monthly_split)
            and not any(r.recurring and r.day == day for r in one.records)
            and local(one.started, one.zone) < day
            and one.created_at < start_of_day(day + DAY, one.zone)
            and not one.ends_on(day)
        )

    def bill_day(self, day: date) -> None:
        due = [one for one in self.subscriptions if self.is_due(one, day)]
        at = start_of_day(day, self.life.zone)
        shared = [one for one in due if one.consolidate]
        for group in [shared, *([one] for one in due if not one.consolidate)]:
            if group:
                self.bill(group, at, "subscription_periodic")

    # -- §5.4: an invoice ---------------------------------------------------------------------------------

    def invoice(
        self, together: list[Subscription], at: datetime, reason: str, *, with_charges: bool = True
    ) -> None:
        made = Invoice(at=at, issuing_date=local(at, self.life.zone))
        for one in together:
            record = boundaries(one, at, self.reason_of(one, reason))
            record.with_charges = with_charges
            record.is_of_event = reason == "in_advance_charge"
            made.records.append(record)
            made.parts.append(part_of(one, record))
            found = fees.fees_of(one, record, self.arrived, self.life.currency)
            self.issuer.stand_alone([fee for fee in found if fee.stands_alone])
            made.fees += [fee for fee in found if not fee.stands_alone]
            record.has_fee = any(fee.kind == "subscription" for fee in found)
            one.records.append(record)
        self.issue(made)

    def bill(self, together: list[Subscription], at: datetime, reason: str) -> None:
        """An invoice, and the one of the fees in advance that were paid (invoicing §7.4)."""
        self.invoice(together, at, reason)
        ended_by = at if reason == "subscription_periodic" else None
        self.issuer.regroup({one.external_id for one in together}, at, ended_by=ended_by)

    def issue(self, made: Invoice) -> None:
        final_on = self.issuer.issue(made)
        if final_on is None:
            self.close(made)
            return
        due = utc_midnight(final_on)

        def finalize() -> None:
            self.issuer.finalize(made, due, self.arrived)
            self.close(made)

        self.at(max(due, self.now), FINALIZATION, finalize)

    def close(self, made: Invoice) -> None:
        """Nothing that comes later is in the windows of a final invoice."""
        for part in made.parts:
            window = part.record.charges
            if window is not None and part.record.with_charges and part.record.reason in fees.USAGE_REASONS:
                known = {event.id for event in self.arrived}
                self.closed.setdefault(part.one, []).append((*window, known))

    def event_invoice(self, one: Subscription, record: Record, fee: Fee) -> None:
        """§5.1, row 7: one fee, on an invoice of its own or on none."""
        record.fees, record.is_of_event = [fee], True
        one.records.append(record)
        if fee.stands_alone:
            self.issuer.stand_alone([fee])
        else:
            self.issue(Invoice(at=record.at, issuing_date=record.day, records=[record], fees=[fee]))

    def reason_of(self, one: Subscription, reason: str) -> str:
        if reason not in ("upgrade", "downgrade"):
            return reason
        if one.status == "terminated":
            return "subscription_terminating"
        # The one start of a plan in advance is its trial's end.
        starts_later = one.plan.pay_in_advance and in_trial(one, one.started)
        return "in_advance_charge" if starts_later else "subscription_starting"
