"""Whatever is charged, told, paid by hand or on a page, refused and void, in any order and however often: money is kept once, and the rest goes back."""

import os
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, Phase, example, given, note, settings
from hypothesis import strategies as st
from tests import kit
from tests.collecting import PENDING, REFUSED, SUCCEEDED, Provider, Seller, open_application
from tests.rooms.test_collecting import assert_sound, sell, shown
from tests.rooms.test_payment_pages import settle, tell

from tallymark.db.tables import payments
from tallymark.rooms.payment_providers.model import PaymentStatus, PaymentTold

EXAMPLES = int(os.environ.get("COLLECTING_EXAMPLES", "4"))
IS_REFUSED = {403, 405, 422}


@dataclass
class Intent:
    """A payment as a bank knows it: what it is for, whether the money is there, and how much of it went back (minor units)."""

    name: str
    amount_cents: int
    metadata: dict[str, str]
    outcome: object
    is_there: bool = False
    returned_cents: int = 0
    is_off: bool = False


class Bank(Provider):
    """Keeps books of its own."""

    def reset(self):
        super().reset()
        self.intents: dict[str, Intent] = {}
        self.refunded: set[str] = set()

    @property
    def kept_cents(self):
        return sum(one.amount_cents - one.returned_cents for one in self.intents.values() if one.is_there)

    async def charge(self, connection, order):
        self.orders.append(order)
        name = f"pi_{order.payment_id}"
        if name not in self.intents:
            self.intents[name] = Intent(name, order.amount_cents, dict(order.metadata), None)
            self.decide(self.intents[name], self.answer)
        assert self.intents[name].amount_cents == order.amount_cents, "one key asks for one amount"
        return self.intents[name].outcome

    def decide(self, intent, answer):
        intent.outcome = replace(answer, provider_payment_id=intent.name)
        intent.is_there = answer.payment_status is PaymentStatus.SUCCEEDED

    async def cancel(self, connection, order):
        intent = self.intents.get(order.provider_payment_id or f"pi_{order.payment_id}")
        if intent is None:
            return
        if intent.is_there:
            intent.returned_cents = intent.amount_cents
        intent.is_off = True

    async def refund(self, connection, order):
        if order.idempotency_key not in self.refunded:
            self.refunded.add(order.idempotency_key)
            self.intents[order.provider_payment_id].returned_cents += order.amount_cents
        return await super().refund(connection, order)


class Life:
    """One invoice of 100.00, and what happens to it."""

    def __init__(self, seller, invoice):
        self.seller, self.bank, self.invoice = seller, seller.provider, invoice

    async def call(self, method, path, body=None):
        answer = await self.seller.client.request(method, path, json=body)
        assert answer.status_code == 200 or answer.status_code in IS_REFUSED, answer.text
        return answer.status_code == 200

    async def answers(self, outcome):
        self.bank.answer = outcome

    async def retry(self):
        await self.call("POST", f"/invoices/{self.invoice['lago_id']}/retry_payment")

    async def pay(self, cents):
        paid = {"invoice_id": self.invoice["lago_id"], "amount_cents": cents, "reference": "wire"}
        await self.call("POST", "/payments", {"payment": paid})

    async def void(self):
        await self.call("POST", f"/invoices/{self.invoice['lago_id']}/void")

    async def page(self):
        await self.call("POST", f"/invoices/{self.invoice['lago_id']}/payment_url")

    async def pay_on_page(self, which):
        """On any page that there ever was: it may have been paid just before it was taken back."""
        if not self.bank.pages:
            return
        order = self.bank.pages[which % len(self.bank.pages)]
        name = f"pg_{order.idempotency_key}"
        if name not in self.bank.intents:
            self.bank.intents[name] = Intent(name, order.amount_cents, dict(order.metadata), None)
            self.bank.decide(self.bank.intents[name], SUCCEEDED)
        await self.tell(self.bank.intents[name])

    async def hear(self, which, outcome):
        """The bank decides one that is open, or that was refused, and tells; of one that is decided it tells again."""
        if not self.bank.intents:
            return
        intent = list(self.bank.intents.values())[which % len(self.bank.intents)]
        if not (intent.is_there or intent.is_off):
            self.bank.decide(intent, outcome)
        await self.tell(intent)

    async def tell(self, intent):
        await tell(
            self.seller,
            PaymentTold(
                outcome=intent.outcome,
                metadata=intent.metadata,
                amount_cents=intent.amount_cents,
                currency="EUR",
            ),
        )


@pytest.fixture(scope="module")
def provider():
    return Bank()


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory, provider):
    async with open_application(database_url, tmp_path_factory.mktemp("data"), provider) as parts:
        yield parts


outcomes = st.sampled_from([PENDING, SUCCEEDED, REFUSED])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("answers"), outcomes),
        st.just(("retry",)),
        st.tuples(st.just("pay"), st.sampled_from([3000, 7000, 10000])),
        st.just(("page",)),
        st.tuples(st.just("pay_on_page"), st.integers(0, 2)),
        st.tuples(st.just("hear"), st.integers(0, 3), outcomes),
        st.just(("void",)),
    ),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(first=outcomes, happens=steps)
@example(first=REFUSED, happens=[("pay", 10000), ("hear", 0, SUCCEEDED)])
@example(first=PENDING, happens=[("pay", 3000), ("hear", 0, SUCCEEDED), ("hear", 0, SUCCEEDED)])
@example(
    first=REFUSED,
    happens=[("page",), ("answers", PENDING), ("retry",), ("pay_on_page", 0), ("hear", 0, SUCCEEDED)],
)
@example(first=PENDING, happens=[("page",), ("void",), ("pay_on_page", 0)])
async def test_money_is_kept_once_and_the_rest_goes_back(
    make_organization, database, provider, first, happens
):
    provider.reset()
    organization = await make_organization("2026-01-11T12:00:00Z")
    add_on = {"name": "A", "code": "a", "amount_cents": 10000, "amount_currency": "EUR"}
    await kit.post(organization.client, "/add_ons", {"add_on": add_on})
    seller = Seller(organization, database, provider)
    seller.who = await seller.linked()
    provider.answer = first
    life = Life(seller, await sell(seller))
    note(str((first, happens)))
    for what, *how in happens:
        await getattr(life, what)(*how)
        await settle(seller)
    rows = await seller.stored(payments, "payment_status", "payment_type", "amount_cents")
    kept = [(kind, cents) for status, kind, cents in rows if status == "succeeded"]
    assert sum(cents for kind, cents in kept if kind == "provider") == provider.kept_cents
    invoice = await shown(seller, life.invoice)
    assert invoice["total_paid_amount_cents"] == sum(cents for _, cents in kept) <= 10000
    await assert_sound(seller)
