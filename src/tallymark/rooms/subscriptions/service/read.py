"""Find subscriptions, and gather what they bind."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.domain.calendar import current_charges_period
from tallymark.domain.errors import NotFound
from tallymark.domain.periods import local_date
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.plans import service as plans
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import (
    ALONE,
    ActivationRule,
    Contract,
    Filters,
    PaidBy,
    Status,
    Subscription,
    SubscriptionView,
)


async def get_subscription(tx: Tx, *, external_id: str, status: Status = Status.ACTIVE) -> Subscription:
    """The newest subscription of an external id and status. Raises `NotFound("subscription")`."""
    found = await repository.find_by_external_id(tx, external_id, statuses=(status,))
    if not found:
        raise NotFound("subscription")
    return found[0]


async def paid_by(tx: Tx, ids: Collection[UUID]) -> dict[UUID, PaidBy]:
    """How subscriptions are to be paid, by their ids."""
    return {
        one.id: PaidBy(method_type=one.payment_method_type, method_id=one.payment_method_id)
        for one in await repository.get_subscriptions(tx, ids)
    }


async def choose(tx: Tx, *, external_id: str, status: str | None) -> Subscription:
    """The only subscription of an external id whatever its status, else that of the given one (subscriptions §2.3).

    That is a pending one or an incomplete one where they are asked for, and the active one otherwise. Raises
    `NotFound("subscription")`.
    """
    wanted = status if status in ("pending", "incomplete") else "active"
    found = await repository.find_by_external_id(tx, external_id)
    matching = [item for item in found if item.status == wanted] if len(found) > 1 else found
    if not matching:
        raise NotFound("subscription")
    return max(matching, key=lambda item: (item.subscription_at, item.created_at))


async def find_newest(tx: Tx, *, external_id: str, status: str) -> Subscription | None:
    """The newest subscription of an external id with a status; None for a status that there is not."""
    if status not in set(Status):
        return None
    found = await repository.find_by_external_id(tx, external_id, statuses=(Status(status),))
    return found[0] if found else None


async def find_active(tx: Tx, *, external_id: str) -> Subscription | None:
    """The active subscription of an external id."""
    found = await repository.find_by_external_id(tx, external_id, statuses=(Status.ACTIVE,))
    return found[0] if found else None


async def list_subscriptions(tx: Tx, filters: Filters, page: Page) -> tuple[list[Subscription], int]:
    """A page of subscriptions and how many there are. Raises `NotFound("billing_entity")` for an unknown code."""
    for code in filters.billing_entity_codes:
        await organizations.get_entity(tx, code=code)
    return await repository.list_subscriptions(tx, filters, page)


async def get_contracts(
    tx: Tx, subscriptions: Sequence[Subscription], *, of_customers: Mapping[UUID, Customer] | None = None
) -> dict[UUID, Contract]:
    """Gather customers, plans and entities of subscriptions, by subscription id, in a constant number of queries.

    Customers who were read in this transaction are not read again.
    """
    if not subscriptions:
        return {}
    if of_customers is None:
        of_customers = await customers.get_customers(tx, {item.customer_id for item in subscriptions})
    of_plans = await plans.get_plans(tx, {item.plan_id for item in subscriptions})
    entity_ids = {item.billing_entity_id for item in subscriptions if item.billing_entity_id}
    entities = await organizations.get_entities(
        tx, entity_ids | {customer.billing_entity_id for customer in of_customers.values()}
    )
    relations = await repository.relations_of(tx, {item.id for item in subscriptions})
    contracts = {}
    for item in subscriptions:
        customer = of_customers[item.customer_id]
        contracts[item.id] = Contract(
            subscription=item,
            customer=customer,
            plan=of_plans[item.plan_id],
            billing_entity=entities[item.billing_entity_id or customer.billing_entity_id],
            customer_entity=entities[customer.billing_entity_id],
            relations=relations.get(item.id, ALONE),
        )
    return contracts


async def live_contracts(tx: Tx, ids: Collection[UUID]) -> list[Contract]:
    """The contracts of subscriptions by id, whatever their status, in the order of their creation."""
    found = await repository.get_subscriptions(tx, ids)
    contracts = await get_contracts(tx, found)
    return sorted(contracts.values(), key=lambda c: (c.subscription.created_at, c.subscription.id))


async def get_views(
    tx: Tx, subscriptions: Sequence[Subscription], *, now: datetime
) -> list[SubscriptionView]:
    """Show subscriptions as they stand at `now`, in the order given."""
    contracts = await get_contracts(tx, subscriptions)
    return await views_of(tx, [contracts[item.id] for item in subscriptions], now=now)


async def views_of(tx: Tx, contracts: Sequence[Contract], *, now: datetime) -> list[SubscriptionView]:
    """Show subscriptions whose contracts are known, in the order given."""
    if not contracts:
        return []
    rules = await repository.rules_of(tx, [contract.subscription.id for contract in contracts])
    return [
        view_of(contract, now=now, rules=rules.get(contract.subscription.id, ())) for contract in contracts
    ]


def view_of(contract: Contract, *, now: datetime, rules: Sequence[ActivationRule] = ()) -> SubscriptionView:
    """Show a subscription whose contract is known as it stands at `now`."""
    started_at, period = contract.subscription.started_at, None
    if started_at is not None:
        period = current_charges_period(contract.schedule, contract.life, max(now, started_at))
    return SubscriptionView(
        contract=contract,
        current_period=period,
        downgrade_plan_date=downgrade_day(contract, now=now),
        rules=rules,
    )


def downgrade_day(contract: Contract, *, now: datetime) -> date | None:
    """The local day of the switch to a cheaper plan: of the successor's start, or the next start of a period (§2.1)."""
    after = contract.relations.successor
    if after is None:
        return None
    if after.status is Status.PENDING:
        cycle = contract.schedule.cycle()
        return cycle.next_start(cycle.period_start(local_date(now, contract.timezone)))
    if after.status is not Status.ACTIVE or after.yearly_amount_cents >= contract.yearly_amount_cents:
        return None
    return local_date(after.started_at, contract.timezone) if after.started_at else None


async def ends_of_predecessors(tx: Tx, subscription_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Where the usage of the last earlier one of the same external id ends, if there was one: it is not counted twice (§3.9)."""
    return await repository.ends_of_predecessors(tx, subscription_ids) if subscription_ids else {}


async def active_contracts_of(
    tx: Tx, customer_ids: Collection[UUID], known: Collection[Contract] = ()
) -> list[Contract]:
    """The contracts of customers' active subscriptions, the oldest first.

    `known` ones were read in this transaction: they are read again only where their subscription has changed since.
    """
    found = await repository.active_of_customers(tx, customer_ids)
    read = {contract.subscription.id: contract for contract in known}
    same = {one.id: read[one.id] for one in found if one.id in read and read[one.id].subscription == one}
    contracts = {**same, **await get_contracts(tx, [one for one in found if one.id not in same])}
    return [contracts[one.id] for one in found]


async def live_of_customer(tx: Tx, customer_id: UUID) -> list[Subscription]:
    """A customer's subscriptions that are active or to come."""
    return await repository.list_of_customer(tx, customer_id, statuses=(Status.PENDING, Status.ACTIVE))
