"""Row-level security: a forgotten WHERE leaks nothing (ARCHITECTURE §2, platform §20)."""

from uuid import uuid4

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError, ProgrammingError
from tests import kit

from tallymark.db.engine import INGEST_ROLE, TENANT_ROLE
from tallymark.db.tables import customers, events, metadata, taxes

TENANT_TABLES = sorted(table.name for table in metadata.sorted_tables if "organization_id" in table.c)


async def test_every_table_of_tenants_has_a_policy(database):
    async with database.system() as connection:
        rows = await connection.execute(
            text("SELECT relname FROM pg_class WHERE relrowsecurity AND relkind IN ('r', 'p')")
        )
        protected = {row.relname for row in rows}
    assert set(TENANT_TABLES) <= protected
    assert "organizations" in protected


async def test_the_roles_cannot_bypass_their_policies(database):
    async with database.system() as connection:
        rows = await connection.execute(
            text("SELECT rolname, rolbypassrls, rolsuper FROM pg_roles WHERE rolname LIKE 'tallymark\\_%'")
        )
        found = {row.rolname: (row.rolbypassrls, row.rolsuper) for row in rows}
    assert found[TENANT_ROLE] == (False, False)
    assert found[INGEST_ROLE] == (False, False)


async def test_without_a_tenant_there_is_nothing(database, client):
    await kit.customer(client)
    async with database.system() as connection:
        assert (await connection.execute(select(customers.c.id))).first() is not None
        await connection.execute(text(f"SET LOCAL ROLE {TENANT_ROLE}"))
        for table in TENANT_TABLES:
            count = await connection.execute(text(f"SELECT count(*) FROM {table}"))
            assert count.scalar_one() == 0, table


async def test_a_tenant_sees_its_own_rows_only(database, organization, other_client):
    await kit.customer(organization.client, external_id="mine")
    await kit.customer(other_client, external_id="theirs")
    async with database.tenant(organization.id) as tx:
        found = set((await tx.execute(select(customers.c.external_id))).scalars())
    assert found == {"mine"}


async def test_a_tenant_changes_no_other_tenants_rows(database, organization, other_client):
    await kit.customer(other_client, external_id="untouched", name="before")
    async with database.tenant(organization.id) as tx:
        changed = await tx.execute(
            update(customers).where(customers.c.external_id == "untouched").values(name="after")
        )
    assert changed.rowcount == 0
    assert (await kit.get(other_client, "/customers/untouched"))["customer"]["name"] == "before"


async def test_a_tenant_cannot_write_a_row_for_another(database, organization, now):
    row = {"id": uuid4(), "organization_id": uuid4(), "code": "x", "name": "x", "rate": 1}
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with database.tenant(organization.id) as tx:
            await tx.execute(insert(taxes), {**row, "created_at": now, "updated_at": now})


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT properties FROM events",
        "UPDATE events SET transaction_id = 'x'",
        "DELETE FROM events",
        "SELECT name FROM customers",
        "SELECT key_hash FROM api_keys",
    ],
)
async def test_the_intake_may_add_events_and_nothing_else(database, statement):
    async with database.system() as connection:
        await connection.execute(text(f"SET LOCAL ROLE {INGEST_ROLE}"))
        with pytest.raises(DBAPIError, match="permission denied"):
            await connection.execute(text(statement))
        await connection.rollback()


async def test_the_tenant_is_gone_when_the_transaction_ends(database, organization):
    async with database.tenant(organization.id) as tx:
        await tx.execute(select(events.c.id))
    async with database.system() as connection:
        role = (await connection.execute(text("SELECT current_user"))).scalar_one()
        tenant = (
            await connection.execute(text("SELECT current_setting('tallymark.organization_id', true)"))
        ).scalar_one()
    assert role != TENANT_ROLE
    assert not tenant


async def test_another_organizations_ids_answer_like_unknown_ones(client, other_client):
    theirs = await kit.customer(other_client, external_id="cust-of-other")
    plan = await kit.plan(other_client)
    subscription = await kit.subscribe(other_client, theirs, plan)
    for path, code in (
        ("/customers/cust-of-other", "customer_not_found"),
        (f"/plans/{plan['code']}", "plan_not_found"),
        (f"/subscriptions/{subscription['external_id']}", "subscription_not_found"),
    ):
        assert (await kit.get(client, path, expect=404))["code"] == code
