"""A long billing run gives way: what is left when its turn is over is another job's."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, text
from tests import kit

from tallymark.db.tables import agenda, invoices
from tallymark.rooms.billing import jobs


async def waiting(database, organization_id):
    """For whom jobs of due work wait."""
    async with database.system() as connection:
        rows = await connection.execute(
            text(
                "SELECT args ->> 'owner_id' FROM procrastinate_jobs WHERE task_name = 'run_due_work' AND status = 'todo'"
                " AND args ->> 'organization_id' = :id"
            ),
            {"id": str(organization_id)},
        )
        return list(rows.scalars())


async def test_a_run_whose_turn_is_over_leaves_the_rest_to_another(make_organization, database, monkeypatch):
    organization = await make_organization()
    client = organization.client
    plan = await kit.plan(client, pay_in_advance=True, amount_cents=1000)
    for number in range(3):
        who = await kit.customer(client, external_id=f"c{number}", currency="EUR")
        await kit.subscribe(client, who, plan)
    monkeypatch.setattr(jobs, "TURN", timedelta(0))
    turns = 0
    while True:
        async with database.system() as connection:
            await connection.execute(
                text("DELETE FROM procrastinate_jobs WHERE args ->> 'organization_id' = :id"),
                {"id": str(organization.id)},
            )
        async with database.tenant(organization.id) as tx:
            due = agenda.c.run_at <= func.now()
            left = (await tx.execute(select(func.count()).select_from(agenda).where(due))).scalar_one()
        if not left:
            break
        await jobs.run_due_work(database, organization.id, None)
        turns += 1
        assert await waiting(database, organization.id) == [None], "what is left is not forgotten"
    assert turns > 1
    async with database.tenant(organization.id) as tx:
        assert (await tx.execute(select(func.count()).select_from(invoices))).scalar_one() == 3
