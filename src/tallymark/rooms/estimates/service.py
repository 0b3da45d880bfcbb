"""Price events that are only asked about: the fees that they would make, not saved (metering §1.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound
from tallymark.domain.rating import ChargeModel
from tallymark.domain.usage import text_of
from tallymark.domain.usage.aggregations import NUMBER
from tallymark.metering.expressions import Computed
from tallymark.rooms.advance import service as advance
from tallymark.rooms.advance.service import Ledger
from tallymark.rooms.billable_metrics import service as billable_metrics
from tallymark.rooms.billable_metrics.model import AggregationType, BillableMetric
from tallymark.rooms.billing.service.estimate import fee_record
from tallymark.rooms.estimates.model import AskedEvent
from tallymark.rooms.events.model import Event
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.usage import service as usage

INSTANT_MODELS = (ChargeModel.STANDARD, ChargeModel.PERCENTAGE)
"""Those whose charges have instant estimates (pricing §8.4)."""

NUMERIC = (AggregationType.SUM, AggregationType.MAX, AggregationType.LATEST)
NO_CHARGE = {"code": ["does_not_match_an_instant_charge"]}


async def estimate_fees(tx: Tx, asked: AskedEvent, *, now: datetime) -> list[FeeRecord]:
    """The fees that an event would make, with taxes, one for each charge in advance on its code.

    Raises `NotFound("subscription")`, `NotFound("billable_metric")`, and `Invalid` for a timestamp or a property that is
    no number, and for a code without such a charge.
    """
    contract = await _contract_at(tx, asked.external_subscription_id, asked.timestamp or now)
    if asked.has_bad_timestamp:
        raise Invalid({"timestamp": ["invalid_format"]})
    metric = await billable_metrics.get_metric(tx, code=asked.code)
    asked = _computed(metric, asked, now=now)
    _check_number(metric, asked.properties, NUMERIC)
    charges = advance.charges_on(contract, asked.code)
    if not charges:
        raise Invalid(NO_CHARGE)
    table = await usage.gather_taxes(tx, [contract])
    ledger = await _ledger_of(tx, contract, asked.code)
    event = as_event(asked, now=now)
    priced = [await ledger.price_or_nothing(event, contract, charge) for charge in charges]
    return [fee_record(tx, item, table, now=now) for item in priced]


async def estimate_instantly(tx: Tx, asked: AskedEvent, *, now: datetime) -> list[FeeRecord]:
    """The fees of an event sent now, without taxes, for its standard and percentage charges in advance.

    Raises `NotFound("subscription")`, and `Invalid` for a value that is no number and a code without such a charge.
    """
    contract = await _contract_at(tx, asked.external_subscription_id, now)
    charges = _instant_charges(contract, asked.code)
    if not charges:
        raise Invalid(NO_CHARGE)
    ledger = await _ledger_of(tx, contract, asked.code)
    return await _instant_fees(tx, ledger, contract, asked, charges, now=now)


async def estimate_batch(tx: Tx, asked: Sequence[AskedEvent], *, now: datetime) -> list[FeeRecord]:
    """The same for many events, each on top of those before it, by subscription in the order of first appearance.

    Events of codes without an instant charge are left out. Raises `Invalid` also for no events, and for a subscription
    without any instant charge.
    """
    if not asked:
        raise Invalid({"events": ["no_events"]})
    by_subscription: dict[str, list[AskedEvent]] = {}
    for item in asked:
        by_subscription.setdefault(item.external_subscription_id, []).append(item)
    fees: list[FeeRecord] = []
    for external_id, items in by_subscription.items():
        contract = await _contract_at(tx, external_id, now)
        if not any(_is_instant(charge) for charge in contract.plan.charges):
            raise Invalid(NO_CHARGE)
        ledgers: dict[str, Ledger] = {}
        for item in items:
            charges = _instant_charges(contract, item.code)
            if charges and item.code not in ledgers:
                ledgers[item.code] = await _ledger_of(tx, contract, item.code)
            if charges:
                fees += await _instant_fees(tx, ledgers[item.code], contract, item, charges, now=now)
    return fees


async def _contract_at(tx: Tx, external_id: str, at: datetime) -> Contract:
    lives = await subscriptions.started_of(tx, {external_id}) if external_id.strip() else {}
    found = subscriptions.holding(lives.get(external_id, ()), at)
    if found is None:
        raise NotFound("subscription")
    return (await subscriptions.get_contracts(tx, [found]))[found.id]


def _instant_charges(contract: Contract, code: str) -> list[Charge]:
    return [charge for charge in advance.charges_on(contract, code) if _is_instant(charge)]


def _is_instant(charge: Charge) -> bool:
    return charge.pay_in_advance and charge.charge_model in INSTANT_MODELS


async def _instant_fees(
    tx: Tx, ledger: Ledger, contract: Contract, asked: AskedEvent, charges: Sequence[Charge], *, now: datetime
) -> list[FeeRecord]:
    asked = _computed(charges[0].billable_metric, asked, now=now)
    _check_number(charges[0].billable_metric, asked.properties, (AggregationType.SUM,))
    event = as_event(asked, now=now)
    priced = [await ledger.price_or_nothing(event, contract, charge) for charge in charges]
    return [fee_record(tx, item, usage.NO_TAXES, now=now) for item in priced]


def _computed(metric: BillableMetric, asked: AskedEvent, *, now: datetime) -> AskedEvent:
    """The event with what the metric's expression makes of it (§1.2). Raises `EvaluationFailed`."""
    if metric.expression is None or metric.field_name is None:
        return asked
    value = Computed.read(metric.field_name, metric.expression).compute(
        asked.code, asked.timestamp or now, dict(asked.properties)
    )
    return replace(asked, properties={**asked.properties, metric.field_name: value})


def _check_number(
    metric: BillableMetric, properties: Mapping[str, Any], types: Sequence[AggregationType]
) -> None:
    if metric.aggregation_type not in types or metric.field_name is None:
        return
    text = text_of(properties.get(metric.field_name))
    if text is not None and not NUMBER.fullmatch(text):
        raise Invalid({"properties": ["value_is_not_valid_number"]})


async def _ledger_of(tx: Tx, contract: Contract, code: str) -> Ledger:
    """The ledger in which the estimated event is the next: those that wait for their price come before it."""
    ledger = Ledger(tx)
    waiting = await advance.waiting_of(tx, contract.subscription.external_id, code)
    await advance.price_waiting(tx, waiting, ledger=ledger)
    return ledger


def as_event(asked: AskedEvent, *, now: datetime) -> Event:
    """The event as it would be stored."""
    event_id = new_id()
    return Event(
        id=event_id,
        transaction_id=asked.transaction_id or str(event_id),
        external_subscription_id=asked.external_subscription_id,
        code=asked.code,
        timestamp=asked.timestamp or now,
        created_at=now,
        properties=asked.properties,
        precise_total_amount_cents=asked.precise_total_amount_cents,
    )
