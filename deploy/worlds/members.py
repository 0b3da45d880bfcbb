"""What a world's people do in the web app, what they settle by hand, and what is added up of its events in advance."""

from __future__ import annotations

from uuid import UUID

from deploy.worlds.life import Json, Seller
from sqlalchemy import select

from tallymark.db.engine import Database
from tallymark.db.tables import event_streams
from tallymark.metering.rollups import RollupQuestion, build_wanted, want


async def choose(member: Seller, entity: str) -> None:
    """A role, a way to sign in, and who is asked for what they owe, by themselves and by their billing entity."""
    role = {"code": "seller", "name": "Sales", "permissions": ["customers:view"]}
    await member.call("POST", "/roles", role)
    provider = {"domain": "acme.test", "client_id": "x", "client_secret": "y", "host": "acme.okta.test", "organization_name": "a"}  # fmt: skip
    await member.call("PUT", "/identity_providers/okta", provider)
    thresholds = [{"currency": "EUR", "amount_cents": 100}]
    often = {"days_between_attempts": 3, "max_attempts": 9, "thresholds": thresholds}
    await member.make("/dunning_campaigns", "dunning_campaign", name="Dun", code="dun", **often)
    chosen = {"dunning_campaign_code": "dun"}
    await member.call("PUT", f"/billing_entities/{entity}/dunning_campaign", chosen)
    await member.call("PUT", "/customers/rest/dunning", chosen)


async def settle(seller: Seller) -> None:
    """A fee of a draft that is told otherwise, and a note that takes off what is owed."""
    draft = await bill_of(seller, "late", status="draft")
    told = {"fee_id": draft["fees"][0]["lago_id"], "units": "3", "unit_precise_amount": "2"}
    await seller.call("POST", f"/invoices/{draft['lago_id']}/adjusted_fees", {"adjusted_fee": told})
    owed = await bill_of(seller, "rest", status="finalized")
    fee = max(owed["fees"], key=lambda one: int(one["amount_cents"]))
    items = [{"fee_id": fee["lago_id"], "amount_cents": 100}]
    asked = {"credit_note": {"invoice_id": owed["lago_id"], "items": items}}
    told = (await seller.call("POST", "/credit_notes/estimate", asked))["estimated_credit_note"]
    cents = told["max_offsettable_amount_cents"]
    off = {"offset_amount_cents": cents, "credit_amount_cents": 0, "refund_amount_cents": 0}
    await seller.make("/credit_notes", "credit_note", invoice_id=owed["lago_id"], items=items, **off)


async def bill_of(seller: Seller, customer: str, **query: object) -> Json:
    """The newest invoice of a customer that is so, with its fees."""
    found = (await seller.call("GET", "/invoices", external_customer_id=customer, **query))["invoices"]
    bill: Json = (await seller.call("GET", f"/invoices/{found[0]['lago_id']}"))["invoice"]
    return bill


async def add_up(database: Database, organization_id: UUID) -> None:
    """Roll-ups of all events of an organization, few as they are."""
    summed = RollupQuestion(aggregation_type="sum_agg", field_name="value", dimensions=frozenset())
    async with database.tenant(organization_id) as tx:
        streams = (await tx.execute(select(event_streams.c.id))).scalars().all()
        await want(tx, streams, summed)
    await build_wanted(database)
