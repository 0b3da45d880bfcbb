"""A payment provider that tests control, and small words for subscriptions that wait for their first payment."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update
from tests import kit

from tallymark.app import running
from tallymark.db.ids import new_id
from tallymark.db.tables import activation_rules, invoices, outbox, payment_providers, payments
from tallymark.db.tables import customers as customers_table
from tallymark.outside import make_vault
from tallymark.rooms.billing.collection import Collection
from tallymark.rooms.customers import service as customers
from tallymark.rooms.payment_providers.model import (
    Abilities,
    BankAccount,
    Connection,
    Heard,
    Link,
    LinkOrder,
    MethodSaved,
    Order,
    Outcome,
    PaymentStatus,
    Person,
    RefundOrder,
    RefundOutcome,
    RefundStatus,
)
from tallymark.rooms.payment_providers.ports import BadSignature, ProviderRefused, ProviderUnavailable
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
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


class Provider:
    """Answers what it is told to, and remembers what it was asked; what is asked twice with one key is done once."""

    abilities = Abilities(
        keeps_customers=True,
        saves_methods=True,
        charges=True,
        has_pages=True,
        refunds=True,
        takes_transfers=True,
    )

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.answer: Outcome | None = SUCCEEDED
        self.orders: list[Order] = []
        self.charged: dict[str, Outcome] = {}
        self.canceled: list[str] = []
        self.pages: list[LinkOrder] = []
        self.expired: list[str | None] = []
        self.refunds: list[RefundOrder] = []
        self.told: dict[bytes, Sequence[Heard]] = {}
        self.meanwhile: Callable[[], Awaitable[Any]] | None = None

    async def charge(self, connection: Connection, order: Order) -> Outcome:
        self.orders.append(order)
        answer = self._answer()
        named = replace(answer, provider_payment_id=f"pi_{order.payment_id}")
        outcome = self.charged.setdefault(order.idempotency_key, named)
        if self.meanwhile is not None:
            await self.meanwhile()
        return outcome

    async def cancel(self, connection: Connection, order: Order) -> None:
        self._answer()
        self.canceled.append(order.idempotency_key)

    async def payment_link(self, connection: Connection, order: LinkOrder) -> Link:
        self.pages.append(order)
        answer = self._answer()
        if answer.payment_status is PaymentStatus.FAILED:
            raise ProviderRefused(answer.error_message or "No.", code=answer.error_code)
        if self.meanwhile is not None:
            await self.meanwhile()
        return Link(url=f"https://pay.test/{order.idempotency_key}", provider_link_id=order.idempotency_key)

    async def expire_link(self, connection: Connection, link: Link) -> None:
        self._answer()
        self.expired.append(link.provider_link_id)

    async def refund(self, connection: Connection, order: RefundOrder) -> RefundOutcome:
        self._answer()
        if order.idempotency_key not in {one.idempotency_key for one in self.refunds}:
            self.refunds.append(order)
        name = f"re_{order.idempotency_key}"
        return RefundOutcome(refund_status=RefundStatus.SUCCEEDED, status="paid", provider_refund_id=name)

    async def understand(self, connection: Connection, body: bytes) -> Sequence[Heard]:
        return self.told[body]

    def verify(self, connection: Connection, headers: Mapping[str, str], body: bytes) -> None:
        if headers.get("signature") != "good":
            raise BadSignature

    async def open(self, connection: Connection, inbound_url: str) -> Connection:
        return connection

    async def close(self, connection: Connection) -> None:
        return

    async def create_customer(self, connection: Connection, person: Person) -> str | None:
        return f"cus_{person.external_id}"

    async def update_customer(self, connection: Connection, person: Person) -> None:
        return

    async def setup_link(self, connection: Connection, person: Person) -> Link:
        return Link(url=f"https://setup.test/{person.external_id}")

    async def known_method(self, connection: Connection, person: Person) -> MethodSaved | None:
        return None

    async def bank_accounts(
        self, connection: Connection, person: Person, currency: str
    ) -> Sequence[BankAccount]:
        return [{"iban": f"{currency} of {person.provider_customer_id}"}]

    def _answer(self) -> Outcome:
        if self.answer is AWAY:
            raise ProviderUnavailable("nobody there")
        return self.answer


@asynccontextmanager
async def open_application(database_url: str, folder: Any, provider: Provider) -> Any:
    """The application as in production, with the provider registered, and no register of VAT numbers to be reached."""
    options = Settings(
        admin_api_key="admin-key", public_url="http://test", data_dir=folder, vies_url="http://127.0.0.1:9"
    )
    async with running(options, database_url, {"stripe": provider, "adyen": provider}) as parts:
        yield parts


async def give_method(database, organization_id, who, method="pm_1"):
    """What an adapter does when its provider tells of a new method; its id."""
    async with database.tenant(organization_id, is_simulated=True) as tx:
        customer = await customers.get_customer(tx, external_id=who["external_id"])
        made = await customers.add_payment_method(
            tx, customer, method, provider_customer_id="cus_1", now=BEGINNING
        )
    return str(made.id)


async def connect(database, organization_id, kind="stripe", **options):
    """A connection of an organization's, made once for each kind; its id."""
    vault = await make_vault(database, "http://test")
    async with database.tenant(organization_id, is_simulated=True) as tx:
        known = select(payment_providers.c.id).where(payment_providers.c.kind == kind)
        found = (await tx.execute(known)).scalar_one_or_none()
        if found is not None:
            return found
        row = {
            "id": new_id(), "organization_id": organization_id, "kind": kind, "code": kind, "name": kind, "options": options,
            "secrets": vault.seal({"secret_key": "sk"}), "created_at": BEGINNING, "updated_at": BEGINNING,
        }  # fmt: skip
        await tx.execute(insert(payment_providers), row)
    return row["id"]


async def link(database, organization_id, who, kind="stripe", **options):
    """Link a customer to the connection of a kind, as `cus_1`."""
    connection_id = await connect(database, organization_id, kind, **options)
    values = {
        "payment_provider": kind, "payment_provider_code": kind, "payment_provider_id": connection_id,
        "provider_customer_id": "cus_1",
    }  # fmt: skip
    async with database.tenant(organization_id, is_simulated=True) as tx:
        await tx.execute(update(customers_table).where(customers_table.c.id == who["lago_id"]).values(values))


async def linked(client, database, organization_id, **more):
    """A customer who can be collected from."""
    who = await kit.customer(client, **more)
    await link(database, organization_id, who)
    await give_method(database, organization_id, who)
    return who


async def collection_of(database, provider):
    """What asks the provider, made anew."""
    return Collection(
        database, await make_vault(database, "http://test"), {"stripe": provider, "adyen": provider}
    )


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

    async def hear_now(self, outcome, cents=None):
        """The provider tells of the last payment, or of the last one of so much."""
        orders = [order for order in self.provider.orders if cents in (None, order.amount_cents)]
        payment_id = orders[-1].payment_id
        collection = await collection_of(self.database, self.provider)
        await collection.hear(self.id, payment_id, outcome, now=await self.now(), is_simulated=True)

    async def hear(self, outcome, cents=None):
        """The same, and what follows is done."""
        await self.hear_now(outcome, cents)
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
        assert failed == [], failed
        return {told.webhook_type: json.loads(body) for told, body in made}

    async def told(self, *about):
        async with self.database.tenant(self.id) as tx:
            rows = (await tx.execute(select(outbox.c.webhook_type).order_by(outbox.c.id))).scalars().all()
        fresh, self._heard = rows[self._heard :], len(rows)
        return [name for name in fresh if name.split(".")[0] in about]


ALL = ["pending", "incomplete", "active", "terminated", "canceled"]
