"""Helpers: what other processes do of a billing run is done once, whatever becomes of them."""

from datetime import UTC, datetime, timedelta

import pytest
from tests import kit

from tallymark import hands
from tallymark.db.engine import plain_url
from tallymark.db.patience import ENDLESS
from tallymark.hands import Helpers, Terms
from tallymark.jobs import agenda
from tallymark.rooms.billing import jobs

BILLED = datetime(2025, 2, 1, 1, tzinfo=UTC)


@pytest.fixture
async def helpers(database, monkeypatch):
    """One helper; a wave is one customer here, and two of them are many."""
    monkeypatch.setattr(agenda, "WAVE", 1)
    monkeypatch.setattr(jobs, "MANY_WAVES", 2)
    terms = Terms(
        database_url=plain_url(database.url),
        settling_time=timedelta(minutes=10),
        termination_alerts=(),
        patience=ENDLESS,
        log_level="warning",
        log_format="json",
    )
    helpers = Helpers(1, terms)
    yield helpers
    await helpers.close()


async def sold(organization, *, customers):
    """Customers on a plan of 10.00 a month, who began on 10 January: 22 days of 31 are 7.10."""
    plan = await kit.plan(organization.client, amount_cents=1000)
    owners = [await kit.customer(organization.client) for _ in range(customers)]
    for owner in owners:
        await kit.subscribe(organization.client, owner, plan)
    return owners


async def bill(database, organization, lent):
    """Do what is due until the first of February; the answers of the hands that were lent."""
    answers = []

    def noted(lend):
        async def hand(order):
            answers.append(await lend(order))
            return answers[-1]

        return hand

    failures = await jobs.run_simulated(
        database, organization.id, until=BILLED, hands=[noted(lend) for lend in lent]
    )
    assert failures == []
    return answers


async def totals(organization, owners):
    """What each customer was invoiced."""
    found = [await kit.invoices(organization.client, owner) for owner in owners]
    return [[invoice["total_amount_cents"] for invoice in of_owner] for of_owner in found]


async def test_another_process_does_waves_too(make_organization, database, helpers):
    organization = await make_organization("2025-01-10T00:00:00Z")
    owners = await sold(organization, customers=8)
    answers = await bill(database, organization, helpers.hands)
    assert answers
    assert all(answers)
    assert await totals(organization, owners) == [[710]] * 8


async def test_what_a_helper_was_at_when_it_died_is_done_all_the_same(make_organization, database, helpers):
    organization = await make_organization("2025-01-10T00:00:00Z")
    owners = await sold(organization, customers=8)
    (helper,) = helpers._all

    async def deadly(order):
        process = await helper._start()
        process.kill()
        return await helper.do(order)

    answers = await bill(database, organization, [deadly])
    assert not any(answers)
    assert await totals(organization, owners) == [[710]] * 8


async def test_a_helper_that_cannot_be_started_keeps_nobody(
    make_organization, database, helpers, monkeypatch
):
    organization = await make_organization("2025-01-10T00:00:00Z")
    owners = await sold(organization, customers=4)
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    answers = await bill(database, organization, helpers.hands)
    assert not any(answers)
    assert await totals(organization, owners) == [[710]] * 4


async def test_a_wave_that_fails_in_a_helper_is_told_so(make_organization, database, helpers):
    """What is not due for many at once is not lent: a helper refuses it, and lives on."""
    organization = await make_organization("2025-01-10T00:00:00Z")
    batch = agenda.Batch(
        kind=agenda.Kind.CHECK_VAT, owner_ids=(organization.id,), due_at=BILLED, run_at=BILLED, attempts=0, subject_ids=()
    )  # fmt: skip
    order = jobs.Order(organization_id=organization.id, is_simulated=True, batch=batch)
    lend, *_ = helpers.hands
    assert [await lend(order), await lend(order)] == [False, False]


async def test_a_helper_ends_with_whoever_started_it(database, helpers, monkeypatch):
    """By itself, however long that takes it here: nobody kills it."""
    monkeypatch.setattr(hands, "CLOSING_SECONDS", 100)
    (helper,) = helpers._all
    process = await helper._start()
    await helpers.close()
    assert await process.wait() == 0
