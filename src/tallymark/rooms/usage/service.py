"""From events to charge fees, for whoever asks (metering §5, §9.1; invoicing §4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.calendar import current_charges_period
from tallymark.domain.errors import NotAllowed, NotFound
from tallymark.domain.fees.charge_fee import ChargeFacts, compute_charge_fee
from tallymark.domain.fees.model import Step
from tallymark.domain.invoicing import InvoicedFee, compute_invoice
from tallymark.domain.money import currency
from tallymark.domain.periods import Period, local_date
from tallymark.metering.aggregation import Aggregate, UsageQuery, aggregate
from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner, Tax
from tallymark.rooms.usage.model import ChargeLine, CurrentUsage, Question


@dataclass(frozen=True, slots=True)
class TaxTable:
    """The taxes of customers and entities, for resolving those of a fee (pricing §2)."""

    of_customers: dict[UUID, tuple[Tax, ...]]
    of_entities: dict[UUID, tuple[Tax, ...]]

    def of(self, contract: Contract, own: tuple[Tax, ...] = ()) -> tuple[Tax, ...]:
        """The first non-empty level: the item's own, the plan's, the customer's, the customer's entity's."""
        levels = (
            own,
            contract.plan.taxes,
            self.of_customers.get(contract.customer.id, ()),
            self.of_entities.get(contract.customer_entity.id, ()),
        )
        return next((level for level in levels if level), ())


async def gather_taxes(tx: Tx, contracts: Iterable[Contract]) -> TaxTable:
    """Load what customers and their entities carry."""
    known = list(contracts)
    return TaxTable(
        await taxes.taxes_of(tx, Owner.CUSTOMER, {contract.customer.id for contract in known}),
        await taxes.taxes_of(tx, Owner.BILLING_ENTITY, {contract.customer_entity.id for contract in known}),
    )


async def gather_charge_lines(
    tx: Tx, contract: Contract, window: Period, table: TaxTable, *, charges: Sequence[Charge] | None = None
) -> list[ChargeLine]:
    """Price the charges of a plan over a window: each metric is aggregated once."""
    units_of = currency(contract.plan.amount_currency)
    aggregates: dict[UsageQuery, Aggregate] = {}
    lines = []
    for charge in contract.plan.charges if charges is None else charges:
        price = charge.price
        metric = charge.billable_metric
        query = UsageQuery(
            external_subscription_id=contract.subscription.external_id,
            code=metric.code,
            aggregation_type=metric.aggregation_type.value,
            field_name=metric.field_name,
            window=window,
            is_recurring=metric.recurring,
            rounding_function=metric.rounding_function,
            rounding_precision=metric.rounding_precision,
            needs=price.needs,
        )
        if query not in aggregates:
            aggregates[query] = await aggregate(tx, query)
        found = aggregates[query]
        facts = ChargeFacts(
            metric_code=metric.code,
            aggregation_type=metric.aggregation_type.value,
            rounding_function=metric.rounding_function,
            rounding_precision=metric.rounding_precision,
            charge_model=charge.charge_model.value,
            properties=charge.properties,
            price=price,
            usage=found.usage,
            units_before_rounding=found.units_before_rounding,
            window=period_step(window, contract),
        )
        fee = compute_charge_fee(facts, units_of)
        lines.append(ChargeLine(charge=charge, fee=fee, taxes=table.of(contract, charge.taxes)))
    return lines


def period_step(window: Period, contract: Contract) -> Step:
    """The first line of a derivation: over which instants."""
    return {
        "step": "period",
        "from": window.start.isoformat().replace("+00:00", "Z"),
        "to": window.end.isoformat().replace("+00:00", "Z"),
        "timezone": contract.timezone.key,
    }


async def get_current_usage(tx: Tx, asked: Question, *, now: datetime) -> CurrentUsage:
    """Price the running period of an active subscription (metering §9.1).

    Raises `NotFound("resource")` for an unknown customer, `NotAllowed("no_active_subscription")`,
    `NotAllowed("full_usage_not_allowed")`, and `NotFound("charge")` when nothing is selected.
    """
    contract = await _active_contract(tx, asked.external_customer_id, asked.external_subscription_id)
    chosen = [charge for charge in contract.plan.charges if asked.selection.takes(charge)]
    if asked.is_full and not asked.selection.is_any:
        raise NotAllowed("full_usage_not_allowed")
    if asked.selection.is_any and not chosen:
        raise NotFound("charge")
    continuity = (await invoices.continuity_of(tx, [contract], at=now))[contract.subscription.id]
    window = current_charges_period(
        contract.schedule, contract.life, max(now, contract.life.started_at), continuity
    )
    if asked.is_full:
        window = Period(contract.life.started_at, window.end)
    table = await gather_taxes(tx, [contract])
    lines = await gather_charge_lines(tx, contract, window, table, charges=chosen)
    totals = compute_invoice(
        [InvoicedFee(fee=line.fee, taxes=line.rates if asked.with_taxes else ()) for line in lines]
    )
    cycle = contract.schedule.cycle()
    today = local_date(now, contract.timezone)
    return CurrentUsage(
        contract=contract,
        window=window,
        issuing_date=cycle.period_end(cycle.period_start(today)),
        lines=tuple(lines),
        totals=totals,
    )


async def _active_contract(
    tx: Tx, external_customer_id: str, external_subscription_id: str | None
) -> Contract:
    customer = await customers.find_customer(tx, external_id=external_customer_id)
    if customer is None:
        raise NotFound("resource")
    subscription = None
    if external_subscription_id:
        subscription = await subscriptions.find_active(tx, external_id=external_subscription_id)
    if subscription is None or subscription.customer_id != customer.id:
        raise NotAllowed("no_active_subscription")
    return (await subscriptions.get_contracts(tx, [subscription]))[subscription.id]
