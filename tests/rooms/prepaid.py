"""Small words for tests of wallets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from tests import kit

from tallymark.db.tables import outbox, wallet_transaction_consumptions, wallet_transactions, wallets

START = "2026-01-10T00:00:00Z"


JANUARY = datetime(2026, 1, 20, tzinfo=UTC)


async def wallet(client, who, *, expect=200, **more) -> Any:
    body = {"external_customer_id": who["external_id"], "rate_amount": "1", "currency": "EUR", **more}
    answer = await kit.post(client, "/wallets", {"wallet": body}, expect=expect)
    return answer["wallet"] if expect == 200 else answer["error_details"]


async def now(client, of):
    return (await kit.get(client, f"/wallets/{of['lago_id']}"))["wallet"]


async def moves(client, of, **query):
    path = f"/wallets/{of['lago_id']}/wallet_transactions"
    return (await kit.get(client, path, **query))["wallet_transactions"]


async def transact(client, of, *, expect=200, **body):
    sent = {"wallet_transaction": {"wallet_id": of["lago_id"], **body}}
    answer = await kit.post(client, "/wallet_transactions", sent, expect=expect)
    return answer["wallet_transactions"] if expect == 200 else answer["error_details"]


async def pay(client, invoice, status="succeeded"):
    path = f"/invoices/{invoice['lago_id']}"
    return await kit.call(client, "PUT", path, {"invoice": {"payment_status": status}})


async def credit_invoices(client, who):
    return [one for one in await kit.invoices(client, who) if one["invoice_type"] == "credit"]


async def told(database, organization, of=None):
    async with database.tenant(organization.id) as tx:
        rows = (
            await tx.execute(select(outbox.c.webhook_type, outbox.c.object_id).order_by(outbox.c.id))
        ).all()
    return [row.webhook_type for row in rows if of is None or str(row.object_id) == of]


async def held(database, organization):
    """§23.1–§23.3 for every wallet of an organization: links, remainders and balances add up."""
    async with database.tenant(organization.id) as tx:
        found = (await tx.execute(select(wallets))).all()
        all_moves = (await tx.execute(select(wallet_transactions))).all()
        links = (await tx.execute(select(wallet_transaction_consumptions))).all()
    for one in found:
        own = [move for move in all_moves if move.wallet_id == one.id and move.status == "settled"]
        came = [move for move in own if move.transaction_type == "inbound"]
        went = [move for move in own if move.transaction_type == "outbound"]
        assert one.balance_cents == sum(m.amount_cents for m in came) - sum(m.amount_cents for m in went)
        assert one.balance_cents == sum(m.remaining_amount_cents for m in came)
        for move in came:
            used = sum(link.consumed_amount_cents for link in links if link.inbound_transaction_id == move.id)
            assert move.amount_cents - used == move.remaining_amount_cents
        for move in went:
            funded = sum(
                link.consumed_amount_cents for link in links if link.outbound_transaction_id == move.id
            )
            assert funded == move.amount_cents


async def metered(client, *, unit="1", amount_cents=0, taxed=None, **charge):
    """A metric, and a monthly plan in arrears that charges it."""
    sold = await kit.metric(client, "sum_agg", field_name="value")
    plan = await kit.plan(client, {**kit.charge(sold, amount=unit), **charge}, amount_cents=amount_cents)
    return sold, plan
