"""What deleting an add-on takes with it (pricing §3)."""

from datetime import UTC, datetime

from sqlalchemy import insert, select
from tests import kit

from tallymark.db.ids import new_id
from tallymark.db.tables import fixed_charges

NOW = datetime(2025, 1, 1, tzinfo=UTC)


async def test_every_fixed_charge_built_on_it_goes_in_all_plans(organization, database):
    client = organization.client
    add_ons = {}
    for code in ("seats", "support"):
        body = {"name": code, "code": code, "amount_cents": 100, "amount_currency": "EUR"}
        add_ons[code] = (await kit.post(client, "/add_ons", {"add_on": body}))["add_on"]["lago_id"]
    plans = [(await kit.plan(client))["lago_id"] for _ in range(2)]
    async with database.tenant(organization.id) as tx:
        for plan_id in plans:
            for code, add_on_id in add_ons.items():
                row = {
                    "id": new_id(),
                    "organization_id": organization.id,
                    "plan_id": plan_id,
                    "add_on_id": add_on_id,
                    "code": code,
                    "charge_model": "standard",
                    "properties": {"amount": "1"},
                    "created_at": NOW,
                    "updated_at": NOW,
                }
                await tx.execute(insert(fixed_charges), row)
    await kit.call(client, "DELETE", "/add_ons/seats")
    async with database.tenant(organization.id) as tx:
        live = select(fixed_charges.c.code).where(fixed_charges.c.deleted_at.is_(None))
        assert list((await tx.execute(live)).scalars()) == ["support", "support"]
