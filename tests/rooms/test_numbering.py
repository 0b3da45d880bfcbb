"""Numbers have no gap, however many invoices are issued at once and whatever dies meanwhile (invoicing §2.4, §18.6)."""

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests import kit

from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoices import numbering
from tallymark.rooms.organizations import service as organizations

INVOICES, CRASHES = 24, 8


class Crash(Exception):
    """What ends a transaction in the middle."""


async def one_off(client, who, add_on):
    fees = [{"add_on_code": add_on["code"]}]
    body = {"invoice": {"external_customer_id": who["external_id"], "currency": "EUR", "fees": fees}}
    return (await kit.post(client, "/invoices", body))["invoice"]


async def take_and_die(database, organization_id, external_id, now, *, by_kill):
    """Take a number and lose the transaction: by an error, or with the connection."""
    with suppress(Crash, DBAPIError):
        async with database.tenant(organization_id) as tx:
            who = await customers.get_customer(tx, external_id=external_id)
            entity = await organizations.get_entity(tx, code=None)
            await numbering.take_numbers(tx, [(who, entity)], now=now)
            if by_kill:
                await tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
            raise Crash


@pytest.mark.parametrize("scheme", ["per_customer", "per_billing_entity"])
async def test_invoices_issued_at_once_have_numbers_without_a_gap(organization, database, scheme, now):
    client = organization.client
    (entity,) = (await kit.get(client, "/billing_entities"))["billing_entities"]
    body = {"billing_entity": {"document_numbering": scheme}}
    await kit.call(client, "PUT", f"/billing_entities/{entity['code']}", body)
    asked = {"name": "Help", "code": "help", "amount_cents": 100, "amount_currency": "EUR"}
    add_on = (await kit.post(client, "/add_ons", {"add_on": asked}))["add_on"]
    owners = [await kit.customer(client, currency="EUR") for _ in range(3)]
    deaths = [
        take_and_die(database, organization.id, owners[turn % 3]["external_id"], now, by_kill=turn % 2 == 0)
        for turn in range(CRASHES)
    ]
    births = [one_off(client, owners[turn % 3], add_on) for turn in range(INVOICES)]
    made = await asyncio.gather(*births, *deaths)
    issued = [invoice for invoice in made if invoice is not None]
    for owner in owners:
        own = [one for one in issued if one["customer"]["lago_id"] == owner["lago_id"]]
        assert sorted(one["sequential_id"] for one in own) == list(range(1, INVOICES // 3 + 1))
    numbers = [one["number"] for one in issued]
    assert len(set(numbers)) == INVOICES
    if scheme == "per_billing_entity":
        assert sorted(int(number[-3:]) for number in numbers) == list(range(1, INVOICES + 1))


async def test_after_a_switch_the_entity_counts_on(organization):
    """Three invoices numbered by customer, then the entity's fourth."""
    client = organization.client
    (entity,) = (await kit.get(client, "/billing_entities"))["billing_entities"]
    asked = {"name": "Help", "code": "help", "amount_cents": 100, "amount_currency": "EUR"}
    add_on = (await kit.post(client, "/add_ons", {"add_on": asked}))["add_on"]
    owners = [await kit.customer(client, currency="EUR") for _ in range(2)]
    for owner in (owners[0], owners[0], owners[1]):
        await one_off(client, owner, add_on)
    body = {"billing_entity": {"document_numbering": "per_billing_entity"}}
    await kit.call(client, "PUT", f"/billing_entities/{entity['code']}", body)
    made = await one_off(client, owners[1], add_on)
    assert (made["number"][-4:], made["sequential_id"]) == ("-004", 2)
