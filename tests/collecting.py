"""A payment provider that tests control, and small words for subscriptions that wait for their first payment."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from tests import kit

from tallymark.app import running
from tallymark.db.tables import activation_rules, invoices, outbox, payments
from tallymark.rooms.billing.collection import Collection
from tallymark.rooms.customers import service as customers
from tallymark.rooms.payments.model import Order, Outcome, PaymentStatus
from tallymark.rooms.payments.ports import ProviderUnavailable
from tallymark.rooms.webhooks.bodies import make_bodies
from tallymark.rooms.webhooks.model import Told
from tallymark.settings import Settings

RULES = [{"type": "payment", "timeout_hours": 48}]
SUCCEEDED = Outcome(payment_status=PaymentStatus.SUCCEEDED, status="paid")
PENDING = Outcome(payment_status=PaymentStatus.PROCESSING, status="on its way")
REFUSED = Outcome(
    payment_status=PaymentStatus.FAILED, status="declined", error_code="card_declined", error_message="No."
)
AWAY = None


class Provider:
    """Answers what it is told to, and remembers what it was asked; what is asked twice with one key is charged once."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.answer: Outcome | None = SUCCEEDED
        self.orders: list[Order] = []
        self.charged: dict[str, Outcome] = {}
        self.canceled: list[str] = []
        self.meanwhile: Callable[[], Awaitable[Any]] | None = None

    async def charge(self, order: Order) -> Outcome:
        self.orders.append(order)
        if self.answer is AWAY:
            raise ProviderUnavailable("nobody there")
        outcome = self.charged.setdefault(
            order.idempotency_key,
            Outcome(
                payment_status=self.answer.payment_status,
                status=self.answer.status,
                provider_payment_id=f"pi_{order.payment_id}",
                error_code=self.answer.error_code,
                error_message=self.answer.error_message,
            ),
        )
        if self.meanwhile is not None:
            await self.meanwhile()
        return outcome

    async def cancel(self, order: Order) -> None:
        if self.answer is AWAY:
            raise ProviderUnavailable("nobody there")
        self.canceled.append(order.idempotency_key)


@asynccontextmanager
async def open_application(database_url: str, folder: Any, provider: Provider) -> Any:
    """The application as in production, with the provider registered, and no register of VAT numbers to be reached."""
    options = Settings(
        admin_api_key="admin-key", public_url="http://test", data_dir=folder, vies_url="http://127.0.0.1:9"
    )
    async with running(options, database_url, {"stripe": provider}) as parts:
        yield parts


async def give_method(database, organization_id, who, method="pm_1"):
    """What an adapter does when its provider tells of a new method; its id."""
    async with database.tenant(organization_id, is_simulated=True) as tx:
        customer = await customers.get_customer(tx, external_id=who["external_id"])
        made = await customers.add_payment_method(
            tx, customer, method, provider_customer_id="cus_1", now=datetime(2026, 1, 1, tzinfo=UTC)
        )
    return str(made.id)


async def linked(client, database, organization_id, **more):
    """A customer who can be collected from."""
    terms = {"payment_provider": "stripe", **more.pop("billing_configuration", {})}
    who = await kit.customer(client, billing_configuration=terms, **more)
    await give_method(database, organization_id, who)
    return who


class Seller:
    """An organization with a clock whose customers are collected from; `who` and the rest are what its tests speak of."""

    who: kit.Json
    old: kit.Json
    plan: kit.Json
    dear: kit.Json
    cheap: kit.Json

    def __init__(self, organization, database, provider):
        self.client, self.id = organization.client, organization.id
        self.database, self.provider = database, provider
        self._heard = 0

    async def linked(self, **more):
        return await linked(self.client, self.database, self.id, **more)

    async def gate(self, who, plan, **more):
        """Subscribe with a rule; the subscription as it is once what follows is done."""
        more.setdefault("activation_rules", RULES)
        made = await kit.subscribe(self.client, who, plan, **more)
        return await self.again(made)

    async def again(self, of, **query):
        """A subscription by its id, whatever its status."""
        listed = await kit.get(
            self.client, "/subscriptions", external_id=of["external_id"], **{"status[]": ALL}
        )
        return next(one for one in listed["subscriptions"] if one["lago_id"] == of["lago_id"])

    async def advance(self, to, **more):
        return await kit.advance(self.client, to, **more)

    async def now(self):
        at = (await kit.get(self.client, "/test_clock"))["test_clock"]["frozen_time"]
        return datetime.fromisoformat(at)

    async def hear_now(self, outcome):
        """The provider tells of the last payment."""
        payment_id = self.provider.orders[-1].payment_id
        collection = Collection(self.database, {"stripe": self.provider})
        await collection.hear(self.id, payment_id, outcome, now=await self.now(), is_simulated=True)

    async def hear(self, outcome):
        """The provider tells of the last payment, and what follows is done."""
        await self.hear_now(outcome)
        await self.advance((await self.now()).isoformat().removesuffix("+00:00"))

    async def stored(self, what, *columns):
        async with self.database.tenant(self.id) as tx:
            rows = await tx.execute(select(*(what.c[name] for name in columns)).order_by(what.c.id))
            return [tuple(row) for row in rows]

    async def invoices(self):
        """All of them, seen or not: status, total, number."""
        rows = await self.stored(invoices, "status", "total_amount_cents", "number")
        return [
            (status, cents, "DRAFT" if number.endswith("DRAFT") else number[-3:])
            for status, cents, number in rows
        ]

    async def payments(self):
        return await self.stored(payments, "payment_status", "amount_cents", "status")

    async def rules(self):
        return [status for (status,) in await self.stored(activation_rules, "status")]

    async def bodies(self):
        """What was told, by its type."""
        names = ("webhook_type", "object_type", "object_id", "payload", "created_at")
        async with self.database.tenant(self.id) as tx:
            rows = await tx.execute(select(outbox.c.id, *(outbox.c[name] for name in names)))
            messages = [
                Told(message_id=row.id, **{name: getattr(row, name) for name in names}) for row in rows
            ]
            made, failed = await make_bodies(tx, messages, kit.SITE)
        assert failed == []
        return {told.webhook_type: json.loads(body) for told, body in made}

    async def told(self, *about):
        async with self.database.tenant(self.id) as tx:
            rows = (await tx.execute(select(outbox.c.webhook_type).order_by(outbox.c.id))).scalars().all()
        fresh, self._heard = rows[self._heard :], len(rows)
        return [name for name in fresh if name.split(".")[0] in about]


ALL = ["pending", "incomplete", "active", "terminated", "canceled"]
