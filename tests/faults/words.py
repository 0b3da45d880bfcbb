"""Steps of lives: each makes one that does a thing in any world."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tests import kit
from tests.faults.lives import START, Step, World

from tallymark.jobs.queue import RUN_DUE_WORK
from tallymark.rooms.dunning import service as dunning
from tallymark.rooms.dunning.model import CampaignInput


def post(path: str, body: Any = None, *, keep: str = "") -> Step:
    """A POST; `keep` names the id of what it makes."""

    async def step(world: World) -> None:
        answer = await world.call("POST", world.fill(path), world.fill(body))
        if keep:
            (made,) = answer.values()
            world.kept[keep] = (made[0] if isinstance(made, list) else made)["lago_id"]

    return step


def put(path: str, body: Any = None) -> Step:
    async def step(world: World) -> None:
        await world.call("PUT", world.fill(path), world.fill(body))

    return step


def delete(path: str, **query: str) -> Step:
    async def step(world: World) -> None:
        await world.call("DELETE", world.fill(path), **query)

    return step


def find(name: str, path: str, *keys: str | int, **query: Any) -> Step:
    """Keep the id that a path of keys leads to in the answer to a GET, or of what it leads to."""

    async def step(world: World) -> None:
        found: Any = await world.get(world.fill(path), **query)
        for key in keys:
            found = found[key]
        world.kept[name] = found if isinstance(found, str) else found["lago_id"]

    return step


def advance(to: str) -> Step:
    """Move the clock, and have done what falls due on the way."""

    async def step(world: World) -> None:
        instant = datetime.fromisoformat(to).replace(tzinfo=UTC).isoformat()
        answer = await world.call("POST", "/test_clock/advance", {"test_clock": {"to": instant}})
        assert not answer.get("errors"), answer["errors"]

    return step


def job(name: str, **arguments: str) -> Step:
    """Run a job of the queue, as often as it takes."""

    async def step(world: World) -> None:
        world.called.add(name)
        ids = {key: UUID(world.fill(value)) for key, value in arguments.items()}
        await getattr(world.tasks, name)(organization_id=world.organization_id, **ids)

    return step


async def work(world: World) -> None:
    """What a worker does for a live organization."""
    world.called.add(RUN_DUE_WORK)
    await world.settle()


def customer(external_id: str = "c", **more: Any) -> Step:
    return post(
        "/customers", {"customer": {"external_id": external_id, "name": "C", "currency": "EUR", **more}}
    )


async def shop(world: World) -> None:
    """20 % tax, a metric `m` that adds up values, an add-on `a` at 10.00, a customer `c`."""
    await kit.tax(world.client, "20", code="t", name="t")
    world.kept["m"] = (await kit.metric(world.client, code="m"))["lago_id"]
    add_on = {"name": "A", "code": "a", "amount_cents": 1000, "amount_currency": "EUR"}
    await kit.post(world.client, "/add_ons", {"add_on": add_on})
    await kit.customer(world.client, external_id="c", currency="EUR")


def charge(amount: str = "2", **more: Any) -> Any:
    """A standard charge of the metric."""
    return {
        "billable_metric_id": "{m}",
        "code": "m",
        "charge_model": "standard",
        "properties": {"amount": amount},
        **more,
    }


def plan(code: str, *charges: Any, amount_cents: int = 0, **more: Any) -> Step:
    body = {
        "name": code, "code": code, "interval": "monthly", "amount_cents": amount_cents, "amount_currency": "EUR",
        "pay_in_advance": False, "charges": list(charges), **more,
    }  # fmt: skip
    return post("/plans", {"plan": body}, keep=code)


def subscribe(to: str, external_id: str = "s", **more: Any) -> Step:
    body = {"external_customer_id": "c", "plan_code": to, "external_id": external_id, **more}
    return post("/subscriptions", {"subscription": body}, keep=external_id)


def use(*values: Any, of: str = "s", **more: Any) -> Step:
    """One event a value, each sent again by its own id when nobody knows whether it was taken."""

    async def step(world: World) -> None:
        events = [
            {
                "transaction_id": f"{world.step}-{number}", "external_subscription_id": of, "code": "m",
                "properties": {"value": value}, **more,
            }
            for number, value in enumerate(values)
        ]  # fmt: skip
        await world.call("POST", "/events/batch", {"events": events})

    return step


def coupon(cents: int = 5000, code: str = "k", **more: Any) -> Step:
    body = {
        "name": code, "code": code, "coupon_type": "fixed_amount", "amount_cents": cents, "amount_currency": "EUR",
        "frequency": "once", "expiration": "no_expiration", **more,
    }  # fmt: skip
    return post("/coupons", {"coupon": body})


def give(code: str = "k") -> Step:
    return post(
        "/applied_coupons",
        {"applied_coupon": {"external_customer_id": "c", "coupon_code": code}},
        keep=f"given_{code}",
    )


def sell(units: int = 2, keep: str = "sold") -> Step:
    """Add-ons at 10.00 with 20 % tax: 24.00."""
    fees = [{"add_on_code": "a", "units": units}]
    return post(
        "/invoices", {"invoice": {"external_customer_id": "c", "currency": "EUR", "fees": fees}}, keep=keep
    )


def pay(cents: int, invoice: str = "sold") -> Step:
    body = {"invoice_id": f"{{{invoice}}}", "amount_cents": cents, "reference": "wire"}
    return post("/payments", {"payment": body}, keep="paid")


def wallet(**more: Any) -> Step:
    body = {"external_customer_id": "c", "rate_amount": "1", "currency": "EUR", "code": "w", **more}
    return post("/wallets", {"wallet": body}, keep="w")


def transact(keep: str = "moved", **more: Any) -> Step:
    return post("/wallet_transactions", {"wallet_transaction": {"wallet_id": "{w}", **more}}, keep=keep)


def campaign(cents: int = 2400, **more: Any) -> Step:
    """A dunning campaign for everybody who owes so much; people alone make them, so no call does."""

    async def step(world: World) -> None:
        terms = {"name": "D", "code": "d", "days_between_attempts": 1, **more}
        asked = CampaignInput(values=terms, thresholds={"EUR": cents}, applied_to_organization=True)
        made_at = datetime.fromisoformat(START)
        async with world.database.tenant(world.organization_id, is_simulated=world.is_simulated) as tx:
            await dunning.create_campaign(tx, asked, now=made_at)

    return step


def fee_of(invoice: str, keep: str = "fee") -> Step:
    return find(keep, f"/invoices/{{{invoice}}}", "invoice", "fees", 0)


def note(invoice: str = "sold", fee: str = "fee", cents: int = 500, keep: str = "note", **parts: int) -> Step:
    """A credit note of so many cents of a fee; its parts have the tax in them."""
    items = [{"fee_id": f"{{{fee}}}", "amount_cents": cents}]
    return post(
        "/credit_notes", {"credit_note": {"invoice_id": f"{{{invoice}}}", "items": items, **parts}}, keep=keep
    )


newest = ("invoices", 0)
"""The keys of the newest invoice in a list."""
