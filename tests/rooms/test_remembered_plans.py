"""Plans that a process remembers are those that the transaction would read, whoever changed what of them, and however."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from tests import kit

from tallymark.rooms.plans import remembering, repository
from tallymark.rooms.plans import service as plans
from tallymark.rooms.plans.assembly import assemble
from tallymark.rooms.plans.model import Plan
from tallymark.rooms.plans.remembering import Memory
from tallymark.rooms.plans.repository.versions import versions_of


@pytest.fixture
async def whole(organization):
    """The id of a plan with all that there is: each tax on another level."""
    client = organization.client
    taxes = [(await kit.tax(client, rate=str(rate)))["code"] for rate in (1, 2, 3, 4, 5)]
    await kit.post(
        client, "/pricing_units", {"pricing_unit": {"code": "cr", "name": "Credits", "short_name": "cr"}}
    )
    add_on = {
        "name": "Seat",
        "code": "seat",
        "amount_cents": 100,
        "amount_currency": "EUR",
        "tax_codes": [taxes[0]],
    }
    sold = (await kit.post(client, "/add_ons", {"add_on": add_on}))["add_on"]
    metric = await kit.metric(client, filters=[{"key": "region", "values": ["eu", "us"]}])
    charge = {
        **kit.charge(metric),
        "filters": [{"values": {"region": ["eu"]}, "properties": {"amount": "2"}}],
        "applied_pricing_unit": {"code": "cr", "conversion_rate": "0.5"},
        "tax_codes": [taxes[1]],
    }
    seats = {
        "add_on_id": sold["lago_id"], "code": "seats", "charge_model": "standard", "properties": {"amount": "1"}, "units": 1,
        "tax_codes": [taxes[2]],
    }  # fmt: skip
    made = await kit.plan(
        client,
        charge,
        fixed_charges=[seats],
        tax_codes=[taxes[3]],
        minimum_commitment={"amount_cents": 5_000, "tax_codes": [taxes[4]]},
        usage_thresholds=[{"amount_cents": 1_000}],
    )
    return UUID(made["lago_id"])


def tables_of(statements):
    return {name for one in statements for name in re.findall(r"(?:FROM|JOIN) (\w+)", one)}


async def read_tables(database, organization, plan_id, count_statements):
    """The tables that putting a plan together reads."""
    async with database.tenant(organization.id) as tx:
        with count_statements() as statements:
            (plan,) = (await assemble(tx, await repository.get_plans(tx, [plan_id]))).values()
    parts = (plan.charges[0].filters, plan.fixed_charges, plan.minimum_commitment, plan.usage_thresholds)
    assert all(parts)
    assert plan.charges[0].applied_pricing_unit is not None
    return {name for name in tables_of(statements) if not re.fullmatch(r"anon_\d+|ARRAY|SELECT", name)}


async def test_a_row_of_any_table_that_is_written_makes_another_version(
    database, organization, whole, count_statements
):
    """Even where it is written as it was; so whatever changes anything of a plan is noticed."""
    tables = await read_tables(database, organization, whole, count_statements)
    assert {"plans", "charges", "charge_filters", "billable_metrics", "taxes", "commitments_taxes"} <= tables
    unnoticed = set()
    for table in sorted(tables):
        async with database.tenant(organization.id) as tx:
            before = await versions_of(tx, [whole])
            with suppress(ZeroDivisionError):
                async with tx.part():
                    touched = await tx.execute(text(f"UPDATE {table} SET organization_id = organization_id"))
                    assert touched.rowcount > 0, table
                    if await versions_of(tx, [whole]) == before:
                        unnoticed.add(table)
                    raise ZeroDivisionError
            assert await versions_of(tx, [whole]) == before
    assert unnoticed == set()


async def test_a_plan_is_read_once_and_anew_when_something_of_it_changed(
    database, organization, whole, count_statements
):
    async with database.tenant(organization.id) as tx:
        first = (await plans.get_plans(tx, [whole]))[whole]
        with count_statements() as statements:
            again = (await plans.get_plans(tx, [whole]))[whole]
    assert len(statements) == 1
    assert again is first
    async with database.tenant(organization.id) as tx:
        await tx.execute(text("""UPDATE charge_filters SET properties = '{"amount": "3"}'"""))
        changed = (await plans.get_plans(tx, [whole]))[whole]
        assert changed.charges[0].filters[0].properties == {"amount": "3"}
        assert (await assemble(tx, await repository.get_plans(tx, [whole])))[whole] == changed


async def test_what_was_taken_back_was_not(database, organization, whole):
    """A transaction sees its own changes; after it was rolled back nobody does."""
    with suppress(ZeroDivisionError):
        async with database.tenant(organization.id) as tx:
            await tx.execute(text("UPDATE plans SET name = 'never'"))
            assert (await plans.get_plans(tx, [whole]))[whole].name == "never"
            raise ZeroDivisionError
    async with database.tenant(organization.id) as tx:
        assert (await plans.get_plans(tx, [whole]))[whole].name != "never"


async def test_others_see_no_plan_that_is_remembered(database, organization, whole, make_organization):
    async with database.tenant(organization.id) as tx:
        assert await plans.get_plans(tx, [whole])
    other = await make_organization()
    async with database.tenant(other.id) as tx:
        assert await plans.get_plans(tx, [whole]) == {}


async def test_what_changes_while_it_is_read_is_not_remembered(database, organization, whole, monkeypatch):
    """Half of it may be of before, half of after: it must not be taken for either later."""

    async def read_and_change(tx, rows):
        found = await assemble(tx, rows)
        async with database.tenant(organization.id) as another:
            await another.execute(text("UPDATE charges SET invoice_display_name = 'meanwhile'"))
        return found

    monkeypatch.setattr(remembering, "_memory", Memory())
    with monkeypatch.context() as patch:
        patch.setattr(remembering, "assemble", read_and_change)
        async with database.tenant(organization.id) as tx:
            await plans.get_plans(tx, [whole])
    async with database.tenant(organization.id) as tx:
        (charge,) = (await plans.get_plans(tx, [whole]))[whole].charges
    assert charge.invoice_display_name == "meanwhile"


def plan():
    return Plan(
        id=uuid4(), parent_id=None, code="p", name="p", invoice_display_name=None, description=None, interval="monthly",
        amount_cents=0, amount_currency="EUR", pay_in_advance=False, trial_period=None, bill_charges_monthly=None,
        bill_fixed_charges_monthly=None, pending_deletion=False, created_at=datetime(2026, 1, 1, tzinfo=UTC), charges=(),
        fixed_charges=(), minimum_commitment=None, usage_thresholds=(), applicable_usage_thresholds=(), taxes=(),
        metadata=None,
    )  # fmt: skip


def test_what_was_asked_for_longest_ago_is_forgotten_first():
    memory = Memory(most_parts=2)
    one, two, three = plan(), plan(), plan()
    memory.keep(one, b"1")
    memory.keep(two, b"2")
    assert memory.recall(one.id, b"1") == one
    memory.keep(three, b"3")
    assert memory.recall(two.id, b"2") is None
    assert memory.recall(one.id, b"1") == one
    assert memory.recall(three.id, b"another") is None
