"""VAT numbers of live organizations, looked up by a worker outside of transactions (subscriptions §1.7)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from tests import kit

from tallymark.db.tables import agenda, vat_checks
from tallymark.rooms.billing import jobs
from tallymark.rooms.customers.jobs import VatChecks
from tallymark.rooms.customers.ports import RegisterUnavailable

NUMBER = "DE129273398"


class Register:
    """Calls what the test says, then answers that the number is valid, but for an unknown one."""

    def __init__(self, meanwhile=None, unknown=None):
        self.asked = []
        self._meanwhile = meanwhile
        self._unknown = unknown

    async def look_up(self, number):
        self.asked.append(number.digits)
        if self._meanwhile is not None:
            await self._meanwhile()
        return {"valid": number.digits != self._unknown, "countryCode": number.prefix}


@pytest.fixture
async def client(organization):
    body = {"country": "FR", "eu_tax_management": True}
    await kit.call(organization.client, "PUT", "/billing_entities/acme", {"billing_entity": body})
    return organization.client


async def upsert(client, **fields):
    await kit.post(client, "/customers", {"customer": {"external_id": "c", "country": "DE", **fields}})


async def codes(client):
    return [tax["code"] for tax in (await kit.get(client, "/customers/c"))["customer"]["taxes"]]


async def checks(database, organization):
    """Ids of the checks that wait, with the instant of their next try."""
    async with database.tenant(organization.id) as tx:
        waiting = select(vat_checks.c.id, agenda.c.run_at).join(
            agenda, agenda.c.subject_id == vat_checks.c.id
        )
        return [(row.id, row.run_at) for row in await tx.execute(waiting)]


async def run(database, organization, register):
    ((check_id, _),) = await checks(database, organization)
    await jobs.run_due_work(database, organization.id, check_id, outside=VatChecks(database, register))


async def test_a_worker_asks_and_the_customer_gets_the_tax(organization, client, database):
    await upsert(client, tax_identification_number=NUMBER)
    assert await codes(client) == []
    await run(database, organization, Register())
    assert await codes(client) == ["lago_eu_reverse_charge"]
    assert await checks(database, organization) == []


async def test_while_it_asks_nobody_is_kept_waiting(organization, client, database):
    """The customer may be changed in the middle of the call; the answer about the old number is dropped."""
    await upsert(client, tax_identification_number=NUMBER)

    async def change_number():
        await upsert(client, tax_identification_number="DE111111111")

    register = Register(change_number, unknown="111111111")
    await run(database, organization, register)
    assert register.asked == ["129273398", "111111111"]
    assert await codes(client) == ["lago_eu_de_standard"]


async def test_an_answer_is_dropped_once_the_taxes_are_the_tenants_own(organization, client, database):
    await upsert(client, tax_identification_number=NUMBER)

    async def disable():
        body = {"billing_entity": {"eu_tax_management": False}}
        await kit.call(client, "PUT", "/billing_entities/acme", body)

    await run(database, organization, Register(disable))
    assert (await codes(client), await checks(database, organization)) == ([], [])


async def test_without_an_answer_the_next_try_is_noted(organization, client, database):
    await upsert(client, tax_identification_number=NUMBER)

    async def fail():
        raise RegisterUnavailable("TIMEOUT")

    await run(database, organization, Register(fail))
    ((_, run_at),) = await checks(database, organization)
    assert timedelta(minutes=4) < run_at - datetime.now(UTC) <= timedelta(minutes=5)


async def test_where_nothing_is_wired_the_work_fails_and_stays(organization, client, database):
    await upsert(client, tax_identification_number=NUMBER)
    ((check_id, _),) = await checks(database, organization)
    await jobs.run_due_work(database, organization.id, check_id)
    assert len(await checks(database, organization)) == 1


async def test_a_one_off_invoice_waits_for_the_tax_and_is_issued_with_it(organization, client, database):
    """Its own taxes stand: 10.00 at 5 %; the rest of it, 20.00, gets the customer's once they are known: reverse charge, 0 %."""
    await kit.tax(client, "5", code="own", applied_to_organization=False)
    add_on = {"name": "Setup", "code": "setup", "amount_cents": 1000, "amount_currency": "EUR"}
    await kit.post(client, "/add_ons", {"add_on": add_on})
    await upsert(client, tax_identification_number=NUMBER)
    fees = [{"add_on_code": "setup", "tax_codes": ["own"]}, {"add_on_code": "setup", "units": 2}]
    asked = {"external_customer_id": "c", "currency": "EUR", "fees": fees}
    waiting = (await kit.post(client, "/invoices", {"invoice": asked}))["invoice"]
    assert (waiting["status"], waiting["taxes_amount_cents"]) == ("pending", 50)
    await run(database, organization, Register())
    path = f"/invoices/{waiting['lago_id']}"
    customer_id = UUID(waiting["customer"]["lago_id"])
    await jobs.run_due_work(database, organization.id, customer_id)
    issued = (await kit.get(client, path))["invoice"]
    assert (issued["status"], issued["taxes_amount_cents"], issued["total_amount_cents"]) == (
        "finalized",
        50,
        3050,
    )
    taxed = []
    for fee in issued["fees"]:
        shown = (await kit.get(client, f"/fees/{fee['lago_id']}"))["fee"]
        taxed.append([tax["tax_code"] for tax in shown["applied_taxes"]])
    assert taxed == [["own"], ["lago_eu_reverse_charge"]]
