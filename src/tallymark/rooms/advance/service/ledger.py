"""Price events one after the other: the fold of metering §8.2 over what is logged, and the amount of §8.3."""

from __future__ import annotations

from bisect import insort
from dataclasses import replace
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.calendar import Window, current_charges_window
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.advance_fee import AdvanceFacts, compute_advance_fee
from tallymark.domain.fees.charge_fee import fee_of_amount
from tallymark.domain.money import currency
from tallymark.domain.periods import Period
from tallymark.domain.rating import Price, Usage, parse_price
from tallymark.domain.usage import (
    Contribution,
    Occurrence,
    add_value,
    change_presence,
    one_more,
    presence,
    prorate_contribution,
)
from tallymark.metering.aggregation import BEGINNING, Aggregation, UsageQuery, aggregate
from tallymark.rooms.advance import repository
from tallymark.rooms.advance.model import Logged, Measured, Origin, PricedEvent, Standing
from tallymark.rooms.advance.service.facts import (
    Carried,
    Key,
    Place,
    Values,
    carry,
    next_order,
    steps_of,
    values_of_sums,
)
from tallymark.rooms.advance.service.scopes import measure, partition_of, scope_at, scope_of
from tallymark.rooms.billable_metrics.model import AggregationType
from tallymark.rooms.events import service as events
from tallymark.rooms.events.model import Event
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.subscriptions.model import Contract

ZERO = Fraction(0)


class Ledger:
    """Prices events in the order in which they are given, each on top of the others; saves nothing.

    What was priced before is read once for each window and scope, however many events follow; one that `starts_anew` takes it
    that nothing was.
    """

    def __init__(self, tx: Tx, *, starts_anew: bool = False) -> None:
        self._tx = tx
        self._starts_anew = starts_anew
        self._windows: dict[tuple[UUID, object], Window] = {}
        self._standings: dict[tuple[Key, object], Standing] = {}
        self._logs: dict[tuple[Key, object, str | None], list[Logged]] = {}
        self._carried: dict[tuple[UUID, str, object], Carried] = {}
        self._origins: dict[UUID, Origin | None] = {}

    async def price(self, event: Event, contract: Contract, charge: Charge) -> PricedEvent | None:
        """The fee that an event makes for a charge; None where it says nothing of the metric (metering §8.1)."""
        measured = measure(charge.billable_metric, event.properties)
        if measured is None:
            return None
        place = await self._place(event, contract, charge)
        before = await self._standing(place)
        carried = await self._carry(place)
        found = await self._contribution(place, event, measured, before, carried)
        own = Fraction(event.precise_total_amount_cents or 0)
        after = Standing(
            checkpoint=found.after,
            events_count=before.events_count + 1,
            precise_total_amount_cents=before.precise_total_amount_cents + own,
        )
        facts = await self._facts(place, event, measured, found, after, carried)
        fee = compute_advance_fee(facts, currency(contract.plan.amount_currency))
        self._note(place, event, measured, after)
        return PricedEvent(
            event=event,
            contract=contract,
            charge=charge,
            window=place.window,
            scope=place.scope,
            measured=measured,
            fee=fee,
            after=after,
        )

    async def price_or_nothing(self, event: Event, contract: Contract, charge: Charge) -> PricedEvent:
        """The same for an estimate: of an event that says nothing of the metric, a fee of nothing."""
        found = await self.price(event, contract, charge)
        if found is not None:
            return found
        place = await self._place(event, contract, charge)
        standing = await self._standing(place)
        nothing = fee_of_amount(ZERO, ZERO, currency(contract.plan.amount_currency), charge.conversion)
        return PricedEvent(
            event=event,
            contract=contract,
            charge=charge,
            window=place.window,
            scope=place.scope,
            measured=Measured(number=ZERO),
            fee=replace(nothing, events_count=1),
            after=standing,
        )

    async def _place(self, event: Event, contract: Contract, charge: Charge) -> Place:
        return Place(
            contract=contract,
            charge=charge,
            window=await self._window(contract, event),
            scope=scope_of(charge, event.properties),
        )

    async def _window(self, contract: Contract, event: Event) -> Window:
        day = event.timestamp.astimezone(contract.timezone).date()
        key = (contract.subscription.id, day)
        if key not in self._windows:
            at = max(event.timestamp, contract.life.started_at)
            continuity = (await invoices.continuity_of(self._tx, [contract], at=at))[contract.subscription.id]
            self._windows[key] = current_charges_window(contract.schedule, contract.life, at, continuity)
        return self._windows[key]

    async def origin_of(self, charge: Charge) -> Origin | None:
        """What a subscription's own charge was copied from, within a window, maybe: it goes on where that stood."""
        if charge.parent_id is None:
            return None
        if charge.id not in self._origins:
            self._origins[charge.id] = (await repository.origins_of(self._tx, [charge])).get(charge.id)
        return self._origins[charge.id]

    async def _keys(self, place: Place) -> list[Key]:
        origin = await self.origin_of(place.charge)
        before = place.key_before(origin) if origin is not None else None
        return [place.key] if before is None else [place.key, before]

    async def _standing(self, place: Place) -> Standing:
        key = (place.shared_key, place.window.period)
        if key not in self._standings:
            self._standings[key] = Standing() if self._starts_anew else await self._stored_standing(place)
        return self._standings[key]

    async def _stored_standing(self, place: Place) -> Standing:
        for key in await self._keys(place):
            found = await repository.find_standing(self._tx, key, place.window.period)
            if found is not None:
                return found
        return Standing()

    async def _log(self, place: Place, value: str | None = None) -> list[Logged]:
        key = (place.shared_key, place.window.period, value)
        if key not in self._logs:
            self._logs[key] = [] if self._starts_anew else await self._stored_log(place, value)
        return self._logs[key]

    async def _stored_log(self, place: Place, value: str | None) -> list[Logged]:
        found = [
            item
            for key in await self._keys(place)
            for item in await repository.log_of(self._tx, key, place.window.period, value=value)
        ]
        return sorted(found, key=lambda item: (item.timestamp, item.order))

    async def _carry(self, place: Place) -> Carried:
        charge, metric = place.charge, place.charge.billable_metric
        if not metric.recurring:
            return Carried()
        external_id = place.contract.subscription.external_id
        key = (charge.id, external_id, place.window.period.start)
        if key not in self._carried:
            is_sum = metric.aggregation_type is AggregationType.SUM
            # A target wallet groups only the events that name one: which these are, SQL does not tell.
            reads_sums = is_sum and not charge.accepts_target_wallet
            self._carried[key] = await (self._carried_sums if reads_sums else self._carried_history)(place)
        return self._carried[key]

    async def _carried_sums(self, place: Place) -> Carried:
        charge, metric = place.charge, place.charge.billable_metric
        partition = partition_of(charge)
        aggregation = Aggregation(
            code=metric.code,
            aggregation_type=metric.aggregation_type.value,
            field_name=metric.field_name,
            window=Period(BEGINNING, place.window.period.start),
            partition=partition,
        )
        external_id = place.contract.subscription.external_id
        query = UsageQuery(external_subscription_id=external_id, aggregation=aggregation)
        found = await aggregate(self._tx, query)
        return Carried(
            units={
                scope_at(charge, partition, *at).key: used.units_before_rounding for at, used in found.items()
            }
        )

    async def _carried_history(self, place: Place) -> Carried:
        before = await events.history(
            self._tx,
            external_subscription_id=place.contract.subscription.external_id,
            code=place.charge.billable_metric.code,
            before=place.window.period.start,
        )
        return carry(place.charge, before)

    async def _contribution(
        self, place: Place, event: Event, measured: Measured, before: Standing, carried: Carried
    ) -> Contribution:
        match place.charge.billable_metric.aggregation_type:
            case AggregationType.COUNT:
                found = one_more(before.checkpoint)
            case AggregationType.SUM:
                found = add_value(before.checkpoint, measured.number)
            case AggregationType.UNIQUE_COUNT:
                was, is_ = await self._presence(place, event, measured, carried)
                found = change_presence(before.checkpoint, was_present=was, is_present=is_)
            case other:
                raise AssertionError(f"{other} is never paid in advance")
        if not place.charge.prorated:
            return found
        window = place.window
        return prorate_contribution(
            found,
            at=max(event.timestamp, window.counted.start),
            last=window.period.last,
            full_days=window.full_days,
            tz=place.contract.timezone,
        )

    async def _presence(
        self, place: Place, event: Event, measured: Measured, carried: Carried
    ) -> tuple[bool, bool]:
        log = await self._log(place, measured.value)
        earlier = [Occurrence(at=item.timestamp, arrival=item.order, adds=item.adds) for item in log]
        fresh = Occurrence(at=event.timestamp, arrival=next_order(log), adds=measured.adds)
        is_carried = measured.value in carried.values.get(place.scope.key, set())
        return presence(earlier, carried=is_carried, fresh=fresh)

    async def _facts(
        self,
        place: Place,
        event: Event,
        measured: Measured,
        found: Contribution,
        after: Standing,
        carried: Carried,
    ) -> AdvanceFacts:
        charge = place.charge
        properties = place.scope.charge_filter.properties if place.scope.charge_filter else charge.properties
        aggregation = charge.billable_metric.aggregation_type
        price = parse_price(charge.charge_model, properties, aggregation_type=aggregation.value)
        units = carried.units.get(place.scope.key, ZERO) + after.checkpoint.current
        if charge.prorated:
            units = found.billed
        events_count = int(units) if aggregation is AggregationType.UNIQUE_COUNT else after.events_count
        usage = Usage(
            units=units,
            events_count=max(events_count, 1),
            precise_total_amount_cents=after.precise_total_amount_cents,
        )
        values = await self._values(place, event, measured, price, usage)
        return AdvanceFacts(
            charge_model=charge.charge_model,
            properties=properties,
            price=price,
            usage=replace(usage, running_totals=values.totals, event_values=values.with_event),
            billed_units=found.billed,
            shown_units=found.shown,
            event_values_without=values.without,
            precise_total_amount_cents=Fraction(event.precise_total_amount_cents or 0),
            conversion=charge.conversion,
            steps=tuple(steps_of(place, found, after)),
        )

    async def _values(
        self, place: Place, event: Event, measured: Measured, price: Price, usage: Usage
    ) -> Values:
        """What a price must know of the single events (metering §5.6), the fresh one among them."""
        needs = price.needs
        if not (needs.running_totals or needs.event_values):
            return Values()
        if place.charge.billable_metric.aggregation_type is not AggregationType.SUM:
            ones = (Fraction(1),) * (usage.events_count if needs.event_values else 0)
            totals = range(1, int(usage.units) + 1) if needs.running_totals else ()
            return Values(totals=totals, with_event=ones, without=ones[:-1])
        log = await self._log(place) if needs.running_totals else []
        return values_of_sums(log, event, measured.number, needs)

    def _note(self, place: Place, event: Event, measured: Measured, after: Standing) -> None:
        """Let later events of this ledger see this one."""
        self._standings[place.shared_key, place.window.period] = after
        for value in (None, measured.value):
            key = (place.shared_key, place.window.period, value)
            log = self._logs.setdefault(key, []) if self._starts_anew else self._logs.get(key)
            if log is not None:
                logged = Logged(
                    event_id=event.id,
                    timestamp=event.timestamp,
                    value=measured.value,
                    adds=measured.adds,
                    order=next_order(log),
                )
                insort(log, logged, key=lambda item: (item.timestamp, item.order))
