"""From events to charge fees: the one path of current usage, estimates and invoices (metering §5-§7, pricing §7-§11)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from tallymark.db.engine import Tx
from tallymark.domain.calendar import Window
from tallymark.domain.fees.charge_fee import ChargeFacts, compute_charge_fee
from tallymark.domain.fees.model import Fee, Step
from tallymark.domain.fees.spending_minimum import SpendingMinimum, compute_true_up
from tallymark.domain.money import Currency, currency
from tallymark.domain.periods import Period, days
from tallymark.domain.usage import Group, Proration
from tallymark.domain.values import value
from tallymark.metering.aggregation import (
    NO_USAGE,
    Aggregate,
    Aggregates,
    Aggregation,
    UsageQuery,
    aggregate_all,
)
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.usage.model import AS_IT_IS, Breakdown, ChargeLine, Narrowing
from tallymark.rooms.usage.partitions import (
    Division,
    PriceList,
    divide,
    presentation_keys,
    with_presentation,
)
from tallymark.rooms.usage.taxes import TaxTable


@value
class RatingScope:
    """Whose usage of which window is priced; `with_minimums` adds what charges lack to their minimums.

    With `as_of` it is what had been used by then; with `billed_at` what a bill made then has of it, as events are now.
    """

    contract: Contract
    window: Window
    taxes: TaxTable
    narrowing: Narrowing = AS_IT_IS
    with_minimums: bool = False
    as_of: datetime | None = None
    billed_at: datetime | None = None

    @property
    def currency(self) -> Currency:
        """The plan's."""
        return currency(self.contract.plan.amount_currency)

    @property
    def days(self) -> int:
        """The days that the window counts: a day less for what an upgrade ended (pricing §1.4).

        A period that was over before loses none, though its draft be computed anew afterwards.
        """
        period, life = self.window.counted, self.contract.life
        if period.is_empty:
            return 0
        counted = days(period.start, period.last, self.contract.timezone)
        is_cut = life.is_upgraded and life.terminated_at is not None and life.terminated_at < period.end
        return max(counted - 1, 0) if is_cut else counted


async def gather_charge_lines(tx: Tx, scope: RatingScope, charges: Sequence[Charge]) -> list[ChargeLine]:
    """Price charges over a window: one line for each filter and group, also where nothing was used."""
    (lines,) = await gather_all_charge_lines(tx, [(scope, charges)])
    return lines


async def gather_all_charge_lines(
    tx: Tx, asked: Sequence[tuple[RatingScope, Sequence[Charge]]]
) -> list[list[ChargeLine]]:
    """The same for many scopes at once, in the order asked: as many statements as there are kinds of questions."""
    shared = _Shared()
    questions = [[_Question(scope, charge, shared) for charge in charges] for scope, charges in asked]
    found = await aggregate_all(
        tx, (query for of_scope in questions for question in of_scope for query in question.queries)
    )
    return [[line for question in of_scope for line in question.lines(found)] for of_scope in questions]


class _Shared:
    """What subscriptions to one plan have in common while they are asked about together: found once."""

    def __init__(self) -> None:
        # By identity: whoever asks holds the charges and narrowings meanwhile, and this the price lists.
        self._divisions: dict[tuple[int, int], Division] = {}
        self._aggregations: dict[
            tuple[int, int, Window, str, int, datetime | None, datetime | None], Aggregation
        ] = {}
        self._unused: dict[tuple[int, Period, str], Fee] = {}

    def division(self, charge: Charge, narrowing: Narrowing) -> Division:
        """The charge taken apart."""
        key = id(charge), id(narrowing)
        if key not in self._divisions:
            self._divisions[key] = divide(charge, narrowing)
        return self._divisions[key]

    def aggregation(self, charge: Charge, scope: RatingScope, make: Callable[[], Aggregation]) -> Aggregation:
        """What is asked of the events for a charge over a window."""
        days = scope.days if charge.prorated else 0
        zone = scope.contract.timezone.key
        key = id(charge), id(scope.narrowing), scope.window, zone, days, scope.as_of, scope.billed_at
        if key not in self._aggregations:
            self._aggregations[key] = make()
        return self._aggregations[key]

    def unused(self, prices: PriceList, scope: RatingScope, compute: Callable[[], Fee]) -> Fee:
        """The fee of a price list over a window in which nothing was used: the same for everyone."""
        key = id(prices), scope.window.period, scope.contract.timezone.key
        if key not in self._unused:
            self._unused[key] = compute()
        return self._unused[key]


def period_step(window: Period, contract: Contract) -> Step:
    """The first line of a derivation: over which instants."""
    return {
        "step": "period",
        "from": window.start.isoformat().replace("+00:00", "Z"),
        "to": window.end.isoformat().replace("+00:00", "Z"),
        "timezone": contract.timezone.key,
    }


class _Question:
    """What is asked of the events for one charge, and the lines that follow from the answers."""

    def __init__(self, scope: RatingScope, charge: Charge, shared: _Shared) -> None:
        self.scope, self.charge, self.shared = scope, charge, shared
        self.division = shared.division(charge, scope.narrowing)
        self.query = UsageQuery(
            external_subscription_id=scope.contract.subscription.external_id,
            aggregation=shared.aggregation(charge, scope, self._aggregation),
        )
        self.detailed = self._detailed(presentation_keys(charge, scope.narrowing))

    @property
    def queries(self) -> Iterable[UsageQuery]:
        return (self.query,) if self.detailed is None else (self.query, self.detailed)

    def _aggregation(self) -> Aggregation:
        metric, window = self.charge.billable_metric, self.scope.window
        in_order = sorted(self.division.price_lists, key=lambda prices: prices.index)
        return Aggregation(
            code=metric.code,
            aggregation_type=metric.aggregation_type.value,
            field_name=metric.field_name,
            window=window.period,
            full_period=window.full_period,
            partition=self.division.partition,
            is_recurring=metric.recurring,
            rounding_function=metric.rounding_function,
            rounding_precision=metric.rounding_precision,
            needs=tuple(prices.price.needs for prices in in_order),
            proration=self._proration(),
            as_of=self.scope.as_of,
            billed_at=self.scope.billed_at,
        )

    def _detailed(self, shown_by: tuple[str, ...]) -> UsageQuery | None:
        if not shown_by:
            return None
        partition = with_presentation(self.division.partition, shown_by)
        return replace(self.query, aggregation=replace(self.query.aggregation, partition=partition, needs=()))

    def _proration(self) -> Proration | None:
        # What a charge in advance renews is priced in full (metering §5.5).
        if not self.charge.prorated or self.charge.pay_in_advance:
            return None
        return Proration(
            window=self.scope.window.counted,
            tz=self.scope.contract.timezone,
            full_days=self.scope.window.full_days,
            carried_days=self.scope.days,
        )

    def lines(self, found: Mapping[UsageQuery, Aggregates]) -> list[ChargeLine]:
        used = found[self.query]
        breakdowns = self._breakdowns(found)
        lines = [
            self._line(prices, group, used[prices.index, group], breakdowns.get((prices.index, group), ()))
            for prices in self.division.price_lists
            for group in sorted(
                (group for index, group in used if index == prices.index),
                key=lambda group: tuple(value or "" for value in group),
            )
        ]
        return self._with_true_up(lines)

    def _line(
        self, prices: PriceList, group: Group, aggregate: Aggregate, breakdowns: Sequence[Breakdown]
    ) -> ChargeLine:
        scope = self.scope
        keys = self.division.partition.bucket(prices.index).group_keys
        grouped_by = dict(zip(keys, group, strict=True))
        compute = partial(self._fee, prices, grouped_by, aggregate)
        return ChargeLine(
            charge=self.charge,
            fee=self.shared.unused(prices, scope, compute) if aggregate is NO_USAGE else compute(),
            taxes=scope.taxes.of(scope.contract, self.charge.taxes),
            filter=prices.filter,
            grouped_by=grouped_by,
            breakdowns=tuple(breakdowns),
        )

    def _fee(self, prices: PriceList, grouped_by: Mapping[str, str | None], aggregate: Aggregate) -> Fee:
        metric, scope = self.charge.billable_metric, self.scope
        facts = ChargeFacts(
            metric_code=metric.code,
            aggregation_type=metric.aggregation_type.value,
            rounding_function=metric.rounding_function,
            rounding_precision=metric.rounding_precision,
            charge_model=self.charge.charge_model.value,
            properties=prices.properties,
            price=prices.price,
            usage=aggregate.usage,
            units_before_rounding=aggregate.units_before_rounding,
            window=period_step(scope.window.period, scope.contract),
            filter_values={key: list(values) for key, values in prices.filter.values.items()}
            if prices.filter
            else None,
            grouped_by=grouped_by,
            conversion=self.charge.conversion,
        )
        return compute_charge_fee(facts, scope.currency)

    def _breakdowns(self, found: Mapping[UsageQuery, Aggregates]) -> dict[tuple[int, Group], list[Breakdown]]:
        """The units of each line by the presentation keys that do not group it; not rounded by the metric (§7.2)."""
        by_line: dict[tuple[int, Group], list[Breakdown]] = defaultdict(list)
        if self.detailed is None:
            return by_line
        for (index, values), aggregate in found[self.detailed].items():
            # A bucket's own keys come first, and each bucket has its own.
            own = len(self.division.partition.bucket(index).group_keys)
            shown = dict(
                zip(
                    self.detailed.aggregation.partition.bucket(index).group_keys[own:],
                    values[own:],
                    strict=True,
                )
            )
            by_line[index, values[:own]].append(
                Breakdown(presentation_by=shown, units=aggregate.units_before_rounding)
            )
        return by_line

    def _with_true_up(self, lines: list[ChargeLine]) -> list[ChargeLine]:
        """Hang what the charge lacks to its minimum on its first line without filter (invoicing §4.2)."""
        true_up = true_up_of(self.scope, self.charge, [line.fee for line in lines])
        if true_up is not None:
            parent = next(index for index, line in enumerate(lines) if line.filter is None)
            lines[parent] = replace(lines[parent], true_up=true_up)
        return lines


def true_up_of(scope: RatingScope, charge: Charge, fees: Sequence[Fee]) -> Fee | None:
    """What all fees of a charge lack to its minimum; None where they lack nothing, or none is asked for (pricing §10)."""
    if not (scope.with_minimums and charge.min_amount_cents) or charge.pay_in_advance:
        return None
    minimum = SpendingMinimum(
        amount_cents=charge.min_amount_cents,
        days=scope.days,
        full_days=scope.window.full_days,
        window=period_step(scope.window.period, scope.contract),
        conversion=charge.conversion,
    )
    return compute_true_up(minimum, fees, scope.currency)
