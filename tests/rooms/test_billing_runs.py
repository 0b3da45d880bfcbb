"""A billing run: many customers at once, each as if alone (subscriptions §5.2)."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import update
from tests import kit

from tallymark.db.tables import agenda, subscriptions
from tallymark.jobs.agenda import Kind
from tallymark.rooms.billing import jobs
from tallymark.rooms.billing.service import compute


async def world(organization, *, customers):
    """Customers on one plan, number n with n units of a metered charge at 2.00 each, and 10.00 a month."""
    client = organization.client
    await kit.tax(client, "20", applied_to_organization=True)
    sold = await kit.metric(client, "sum_agg", field_name="value")
    plan = await kit.plan(client, kit.charge(sold, amount="2"), amount_cents=1000)
    owners = []
    for number in range(customers):
        owner = await kit.customer(client)
        subscription = await kit.subscribe(client, owner, plan)
        if number:
            await kit.send(client, subscription, sold, number)
        owners.append(owner)
    return owners


async def test_a_wave_bills_each_customer_their_own_usage(make_organization):
    """Number 3: 10.00 for 22 of 31 days is 7.10, 3 x 2.00 = 6.00; 20 % of 13.10 is 2.62: 15.72."""
    organization = await make_organization("2025-01-10T00:00:00Z")
    owners = await world(organization, customers=5)
    await kit.advance(organization.client, "2025-02-01T01:00")
    totals = []
    for owner in owners:
        (invoice,) = await kit.invoices(organization.client, owner)
        totals.append(invoice["total_amount_cents"])
    assert totals == [852, 1092, 1332, 1572, 1812]


async def test_the_number_of_statements_does_not_grow_with_the_customers(make_organization, count_statements):
    """What is asked and written for twelve customers takes as many statements as for two."""
    counts = []
    for customers in (2, 12):
        organization = await make_organization("2025-01-10T00:00:00Z")
        await world(organization, customers=customers)
        with count_statements() as statements:
            await kit.advance(organization.client, "2025-02-01T01:00")
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_numbers_of_a_wave_have_no_gap(make_organization):
    organization = await make_organization("2025-01-10T00:00:00Z")
    client = organization.client
    (entity,) = (await kit.get(client, "/billing_entities"))["billing_entities"]
    body = {"billing_entity": {"document_numbering": "per_billing_entity"}}
    await kit.call(client, "PUT", f"/billing_entities/{entity['code']}", body)
    await world(organization, customers=5)
    await kit.advance(client, "2025-03-01T01:00")
    numbers = [invoice["number"][-3:] for invoice in (await kit.get(client, "/invoices"))["invoices"]]
    assert sorted(numbers) == [f"{number:03d}" for number in range(1, 11)]


async def test_one_customers_trouble_is_not_anothers(make_organization, monkeypatch):
    organization = await make_organization("2025-01-10T00:00:00Z")
    owners = await world(organization, customers=4)
    real = compute.base_fee

    def broken(subject, billed_days):
        if subject.contract.customer.external_id == owners[2]["external_id"]:
            raise RuntimeError("this one burns")
        return real(subject, billed_days)

    monkeypatch.setattr(compute, "base_fee", broken)
    moved = await kit.advance(organization.client, "2025-02-01T00:10:01", fails=True)
    assert [error["lago_customer_id"] for error in moved["errors"]] == [owners[2]["lago_id"]]
    assert [len(await kit.invoices(organization.client, owner)) for owner in owners] == [1, 1, 0, 1]
    monkeypatch.undo()
    await kit.advance(organization.client, "2025-02-02T00:00")
    assert [len(await kit.invoices(organization.client, owner)) for owner in owners] == [1, 1, 1, 1]


async def test_a_live_organization_is_billed_in_waves_too(organization, database, count_statements):
    """Six customers whose billing day has come: one wave bills them, and once."""
    owners = await world(organization, customers=6)
    # The first of this month: one billing day, and no other, is behind us on every day that this runs.
    first = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    async with database.tenant(organization.id) as tx:
        began = first - timedelta(days=400)
        moved = {"started_at": began, "subscription_at": began, "created_at": began}
        await tx.execute(update(subscriptions).values(**moved))
        await tx.execute(
            update(agenda).where(agenda.c.kind == Kind.BILL_PERIOD).values(due_at=first, run_at=first)
        )
    with count_statements() as statements:
        await jobs.run_due_work(database, organization.id, None)
    assert sum("coalesce(sum(value), 0) AS units" in statement for statement in statements) == 1
    assert [len(await kit.invoices(organization.client, owner)) for owner in owners] == [1] * 6
    await jobs.run_due_work(database, organization.id, None)
    assert [len(await kit.invoices(organization.client, owner)) for owner in owners] == [1] * 6
