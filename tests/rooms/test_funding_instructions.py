"""Bank accounts of customers who send money to a balance at Stripe, on their invoices (wallets-and-payments §12.2, platform §13)."""

from __future__ import annotations

import io
from uuid import UUID

import pypdf
import pytest
from sqlalchemy import select, text
from tests import kit
from tests.kit import call, get, post
from tests.linking import AWAY, Adapter, connect
from tests.people import join

from tallymark.app import running
from tallymark.db.tables import agenda, outbox
from tallymark.jobs.agenda import Kind
from tallymark.rooms.payment_providers.model import Abilities, Outcome, PaymentStatus
from tallymark.rooms.payment_providers.ports import ProviderRefused
from tallymark.settings import Settings

BALANCE = {
    "payment_provider": "stripe", "payment_provider_code": "stripe-eu", "provider_customer_id": "cus_9",
    "provider_payment_methods": ["customer_balance"],
}  # fmt: skip
MADE = {**BALANCE, "provider_customer_id": None, "sync_with_provider": True}
EUROS = "Account holder: Stripe Ltd\nIBAN: EUR of cus_9\nBIC: SXPYDEHH"
NO_COUNTRY = ProviderRefused("They need a country.", code="missing_country")


class Bank(Adapter):
    """Money that is asked for is on its way."""

    async def charge(self, connection, order):
        return Outcome(payment_status=PaymentStatus.PROCESSING, status="requires_action")


@pytest.fixture(scope="module")
def adapters():
    return {
        "stripe": Bank(),
        "gocardless": Adapter(Abilities(keeps_customers=True, saves_methods=True, charges=True)),
    }


@pytest.fixture
def adapter(adapters):
    adapters["stripe"].be()
    return adapters["stripe"]


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory, adapters):
    options = Settings(
        admin_api_key="admin-key", public_url="http://test", data_dir=tmp_path_factory.mktemp("data")
    )
    async with running(options, database_url, adapters) as parts:
        yield parts


class Shop:
    """An organization that is connected to Stripe and sells an add-on at 10.00."""

    def __init__(self, application, organization, browser, adapter):
        self.application, self.client, self.id = application, organization.client, organization.id
        self.browser, self.adapter, self.database = browser, adapter, application.database

    async def link(self, external_id="c", configuration=BALANCE, **fields):
        body = {"external_id": external_id, "currency": "EUR", "country": "NL", **fields}
        answer = await post(
            self.client, "/customers", {"customer": {**body, "billing_configuration": configuration}}
        )
        return answer["customer"]

    async def shown(self, external_id="c"):
        """What is shown of the customer's sections: code, and what it says."""
        found = (await get(self.client, f"/customers/{external_id}"))["customer"]
        return [(one["code"], one["details"]) for one in found["applicable_invoice_custom_sections"]]

    async def sell(self, external_id="c", currency="EUR", **more):
        fees = [{"add_on_code": "a", "unit_amount_cents": 1000, "units": 1}]
        body = {"external_customer_id": external_id, "currency": currency, "fees": fees, **more}
        return (await post(self.client, "/invoices", {"invoice": body}))["invoice"]

    async def printed(self, invoice):
        found = (await get(self.client, f"/invoices/{invoice['lago_id']}"))["invoice"]
        return [
            (one["code"], one["display_name"], one["details"])
            for one in found["applied_invoice_custom_sections"]
        ]

    async def codes(self, invoice):
        return [code for code, _, _ in await self.printed(invoice)]

    def asked(self):
        """For whom, and for which currency, accounts were asked for."""
        return [(who.provider_customer_id, money) for name, who, money in self._about("accounts")]

    def _about(self, what):
        return [one for one in self.adapter.asked if one[0] == what]

    async def errors(self):
        """What webhooks have told to have failed about customers."""
        async with self.database.tenant(self.id) as tx:
            told = select(outbox.c.payload).where(outbox.c.webhook_type == "customer.payment_provider_error")
            found = (await tx.execute(told.order_by(outbox.c.id))).scalars()
            return [one["payment_provider_customer_error"]["provider_error"]["error_code"] for one in found]


async def open_shop(application, organization, adapter):
    browser = (await join(application, organization.id, "admin-key")).browser
    await connect(browser)
    add_on = {"name": "A", "code": "a", "amount_cents": 1000, "amount_currency": "EUR"}
    await post(organization.client, "/add_ons", {"add_on": add_on})
    return Shop(application, organization, browser, adapter)


@pytest.fixture
async def shop(application, make_organization, adapter):
    return await open_shop(application, await make_organization("2026-01-01T00:00:00Z"), adapter)


class TestAccounts:
    async def test_are_asked_for_as_somebody_is_linked_and_printed_on_all_their_invoices(self, shop):
        who = await shop.link(configuration={**BALANCE, "document_locale": "de"})
        assert shop.asked() == [("cus_9", "EUR")]
        german = "Kontoinhaber: Stripe Ltd\nIBAN: EUR of cus_9\nBIC: SXPYDEHH"
        assert await shop.shown() == [("funding_instructions_eur", german)]
        for _ in range(2):
            assert await shop.printed(await shop.sell()) == [
                ("funding_instructions_eur", "Überweisung", german)
            ]
        await shop.link(configuration={**BALANCE, "document_locale": "en"}, name="New")
        assert await shop.shown() == [("funding_instructions_eur", EUROS)]
        assert len(shop.asked()) == 1
        listed = await get(shop.client, "/invoice_custom_sections")
        assert listed["invoice_custom_sections"] == []  # nobody has made it, and nobody manages it
        assert who["billing_configuration"]["provider_payment_methods"] == ["customer_balance"]

    async def test_are_those_of_who_is_made_there(self, shop):
        await shop.link(configuration=MADE)
        assert [name for name, *_ in shop.adapter.asked[1:]] == ["create", "accounts"]
        assert shop.asked() == [("cus_c", "EUR")]

    async def test_are_each_currencys_own(self, shop):
        await shop.link(currency=None)
        assert shop.asked() == []  # nobody knows yet in what they pay
        dollars, francs = await shop.sell(currency="USD"), await shop.sell(currency="CHF")
        assert shop.asked() == [("cus_9", "USD")]
        assert await shop.codes(dollars) == ["funding_instructions_usd"]
        assert await shop.codes(francs) == []  # which cannot be sent
        assert await shop.codes(await shop.sell()) == ["funding_instructions_eur"]
        assert shop.asked() == [("cus_9", "USD"), ("cus_9", "EUR")]
        assert [code for code, _ in await shop.shown()] == [
            "funding_instructions_eur", "funding_instructions_usd",
        ]  # fmt: skip

    async def test_are_nobodys_who_pays_otherwise(self, shop):
        await shop.link(configuration={**BALANCE, "provider_payment_methods": ["card"]})
        await shop.link("p", account_type="partner")
        assert [await shop.codes(await shop.sell(who)) for who in ("c", "p")] == [[], []]
        assert shop.asked() == []

    async def test_stand_beside_what_is_selected_unless_nothing_is_printed(self, shop):
        section = {"code": "terms", "name": "Terms", "details": "30 days"}
        await post(shop.client, "/invoice_custom_sections", {"invoice_custom_section": section})
        own = "funding_instructions_eur"
        await shop.link(invoice_custom_section_codes=["terms"])
        assert [code for code, _ in await shop.shown()] == ["terms", own]
        assert await shop.codes(await shop.sell()) == [own, "terms"]  # by name, as all of them
        none = {"skip_invoice_custom_sections": True}
        assert await shop.codes(await shop.sell(invoice_custom_section=none)) == []
        plan = await kit.plan(shop.client, amount_cents=1000, amount_currency="EUR", pay_in_advance=True)
        chosen = {"invoice_custom_section_codes": ["terms"]}
        for external_id, selection, printed in (
            ("1", None, [own, "terms"]), ("2", chosen, [own, "terms"]), ("3", none, []),
        ):  # fmt: skip
            more = {} if selection is None else {"invoice_custom_section": selection}
            await kit.subscribe(shop.client, {"external_id": "c"}, plan, external_id=external_id, **more)
            newest = (await kit.invoices(shop.client, {"external_id": "c"}))[0]
            assert await shop.codes(newest) == printed
        wallet = {"external_customer_id": "c", "currency": "EUR", "rate_amount": "1", "paid_credits": "5", "invoice_custom_section": chosen}  # fmt: skip
        await post(shop.client, "/wallets", {"wallet": wallet})
        assert await shop.codes((await kit.invoices(shop.client, {"external_id": "c"}))[0]) == [own, "terms"]
        await shop.link(skip_invoice_custom_sections=True)
        assert await shop.shown() == []
        assert await shop.codes(await shop.sell()) == []
        selected = {"invoice_custom_section_codes": ["terms"]}  # the invoice's own word goes first
        assert await shop.codes(await shop.sell(invoice_custom_section=selected)) == [own, "terms"]

    async def test_are_of_whom_they_are_linked_as(self, shop):
        await shop.link()
        await shop.link(configuration={**BALANCE, "provider_customer_id": "cus_10"})
        assert shop.asked() == [("cus_9", "EUR"), ("cus_10", "EUR")]
        ((_, told),) = await shop.shown()
        assert "EUR of cus_10" in told
        await shop.link(configuration={"payment_provider": None})
        assert await shop.shown() == []
        assert await shop.codes(await shop.sell()) == []

    async def test_are_in_a_preview_as_far_as_they_are_known(self, shop):
        plan = await kit.plan(shop.client, amount_cents=1000, amount_currency="EUR", pay_in_advance=True)
        asked = {"customer": {"external_id": "c"}, "plan_code": plan["code"]}
        shop.adapter.be(accounts=AWAY)
        await shop.link()
        found = (await post(shop.client, "/invoices/preview", asked))["invoice"]
        assert found["applied_invoice_custom_sections"] == []
        shop.adapter.be()
        await kit.advance(shop.client, "2026-01-01T01:00:00Z")
        found = (await post(shop.client, "/invoices/preview", asked))["invoice"]
        assert [one["details"] for one in found["applied_invoice_custom_sections"]] == [EUROS]


class TestStripeThatIsAway:
    async def test_holds_no_invoice_up_and_tells_later(self, shop):
        shop.adapter.be(accounts=AWAY)
        await shop.link()
        invoice = await shop.sell()
        assert (invoice["status"], await shop.codes(invoice), await shop.shown()) == ("finalized", [], [])
        shop.adapter.be()
        await kit.advance(shop.client, "2026-01-01T01:00:00Z")
        assert await shop.printed(invoice) == [("funding_instructions_eur", "Bank transfer", EUROS)]
        assert shop.asked() == [("cus_9", "EUR")]
        await kit.assert_audit_clean(shop.database, shop.id)

    async def test_keeps_a_section_from_nobody_who_prints_none(self, shop):
        shop.adapter.be(accounts=AWAY)
        await shop.link()
        invoice = await shop.sell(invoice_custom_section={"skip_invoice_custom_sections": True})
        shop.adapter.be()
        await kit.advance(shop.client, "2026-01-01T01:00:00Z")
        assert await shop.codes(invoice) == []

    async def test_tells_nothing_of_whom_they_were(self, shop):
        """Somebody is linked as another one while Stripe is away: the first one's accounts are asked for no more."""
        shop.adapter.be(accounts=AWAY)
        await shop.link()
        await shop.link(configuration={**BALANCE, "provider_customer_id": "cus_10"})
        shop.adapter.be()
        await kit.advance(shop.client, "2026-01-01T01:00:00Z")
        assert shop.asked() == [("cus_10", "EUR")]


class TestStripeThatRefuses:
    async def test_is_told_of_and_asked_again_by_an_invoice_some_time_later(self, shop):
        shop.adapter.be(accounts=NO_COUNTRY)
        await shop.link()
        first, second = await shop.sell(), await shop.sell()
        assert (shop.asked(), await shop.errors()) == ([("cus_9", "EUR")], ["missing_country"])
        await kit.advance(shop.client, "2026-01-02T00:00:01Z")
        shop.adapter.be()
        third = await shop.sell()
        assert shop.asked() == [("cus_9", "EUR")]
        assert [await shop.codes(one) for one in (first, second, third)] == [["funding_instructions_eur"]] * 3

    async def test_is_asked_again_where_the_customer_has_moved(self, shop):
        await shop.link(country=None, currency="USD")
        shop.adapter.be(accounts=NO_COUNTRY)
        invoice = await shop.sell()  # in euros, for which somebody has to be somewhere
        assert (await shop.codes(invoice), await shop.errors()) == ([], ["missing_country"])
        shop.adapter.be()
        await shop.link(country="FR", currency="USD")
        assert (shop.asked(), await shop.codes(invoice)) == ([("cus_9", "EUR")], ["funding_instructions_eur"])


@pytest.fixture
async def live(application, make_organization, adapter):
    """A shop whose documents are made by themselves."""
    found = await open_shop(application, await make_organization(), adapter)
    await _forget_jobs(found)
    return found


class TestDocuments:
    async def test_wait_some_minutes_for_what_they_are_to_tell(self, live):
        live.adapter.be(accounts=AWAY)
        who = await live.link()
        invoice = await live.sell()
        await _draw(live, invoice)
        assert (await _file(live, invoice), await _told(live)) == (None, 0)
        ((name, anew, minutes),) = await _waiting_documents(live)
        assert (name, anew) == ("render_document", None)
        assert 8 < minutes <= 10
        live.adapter.be()
        await _answer(live, who)
        assert [anew for _, anew, _ in await _waiting_documents(live)] == [None, True]  # at once, and then
        await _draw(live, invoice, is_anew=True)
        assert "EUR of cus_9" in await _text(live, invoice)
        assert await _told(live) == 1
        await _draw(live, invoice)  # the one that waited finds them made
        assert await _told(live) == 1

    async def test_that_are_out_already_are_made_anew_and_told_of_once(self, live):
        live.adapter.be(accounts=AWAY)
        who = await live.link()
        invoice = await live.sell()
        assert "EUR of" not in await _text(live, invoice)  # somebody asks for it at once
        assert await _told(live) == 1
        live.adapter.be()
        await _answer(live, who)
        ((_, anew, _),) = [one for one in await _waiting_documents(live) if one[1]]
        await _draw(live, invoice, is_anew=anew)
        assert "Bank transfer" in await _text(live, invoice)
        assert "EUR of cus_9" in await _text(live, invoice)
        assert await _told(live) == 1  # and sent once

    async def test_of_others_do_not_wait(self, live):
        await live.link()
        await _answer(live, None)
        invoice = await live.sell()
        await _draw(live, invoice)
        assert "IBAN: EUR of cus_9" in await _text(live, invoice)


async def _forget_jobs(shop):
    async with shop.database.system() as connection:
        await connection.execute(text("DELETE FROM procrastinate_jobs"))


async def _draw(shop, invoice, **how):
    """Do what a worker does that takes the job."""
    await _forget_jobs(shop)
    made = {"organization_id": UUID(str(shop.id)), "invoice_id": UUID(invoice["lago_id"])}
    await shop.application.tasks.render_document(**made, **how)


async def _answer(shop, who):
    """Have done what is due of customers' links, now that their provider answers."""
    async with shop.database.tenant(UUID(str(shop.id))) as tx:
        due = agenda.c.kind == int(Kind.LINK_CUSTOMER)
        await tx.execute(agenda.update().where(due).values(run_at=agenda.c.due_at))
    await shop.application.tasks.run_due_work(organization_id=UUID(str(shop.id)), owner_id=None)


async def _waiting_documents(shop):
    """The jobs that make documents: whether anew, and in how many minutes."""
    async with shop.database.system() as connection:
        rows = await connection.execute(
            text(
                "SELECT task_name, args ->> 'is_anew' AS anew, extract(epoch FROM scheduled_at - now()) / 60 AS minutes"
                " FROM procrastinate_jobs WHERE status = 'todo' AND task_name = 'render_document'"
                " AND args ->> 'organization_id' = :id ORDER BY id"
            ),
            {"id": str(shop.id)},
        )
        return [(row.task_name, row.anew == "true" or None, row.minutes) for row in rows]


async def _file(shop, invoice):
    return (await get(shop.client, f"/invoices/{invoice['lago_id']}"))["invoice"]["file_url"]


async def _text(shop, invoice):
    """What the document says; it is made if there is none."""
    found = (await call(shop.client, "POST", f"/invoices/{invoice['lago_id']}/download"))["invoice"]
    content = (await shop.client.get(found["file_url"])).content
    pages = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
    return " ".join(pages.split())


async def _told(shop):
    """How often webhooks have told of documents."""
    async with shop.database.tenant(UUID(str(shop.id))) as tx:
        told = select(outbox.c.id).where(outbox.c.webhook_type == "invoice.generated")
        return len((await tx.execute(told)).all())
