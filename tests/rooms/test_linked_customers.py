"""Customers who are linked to a payment provider, and the ways to pay that they leave there (subscriptions §1.5, wallets-and-payments §12.2, §13)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import insert, select
from tests import kit
from tests.kit import call, get
from tests.linking import AWAY, REFUSED, Adapter, asked, connect
from tests.people import join

from tallymark.app import running
from tallymark.db.ids import new_id
from tallymark.db.tables import agenda, link_tasks, outbox, payment_links
from tallymark.jobs.agenda import Kind
from tallymark.rooms.customers import service as customers
from tallymark.rooms.payment_providers.model import Abilities, LinkFailed, MethodLost, MethodSaved
from tallymark.rooms.payment_providers.ports import ProviderRefused
from tallymark.settings import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SYNCED = {"payment_provider": "stripe", "sync_with_provider": True}
GIVEN = {"payment_provider": "stripe", "provider_customer_id": "cus_9"}


@pytest.fixture(scope="module")
def adapters():
    return {
        "stripe": Adapter(),
        "adyen": Adapter(Abilities(keeps_customers=False, saves_methods=True, charges=True)),
        "cashfree": Adapter(Abilities(keeps_customers=False, has_pages=True)),
        "gocardless": Adapter(Abilities(keeps_customers=True, saves_methods=True, charges=True)),
    }


@pytest.fixture
def adapter(adapters):
    return adapters["stripe"]


@pytest.fixture(autouse=True)
def behaves(adapters):
    for one in adapters.values():
        one.be()


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory, adapters):
    options = Settings(
        admin_api_key="admin-key", public_url="http://test", data_dir=tmp_path_factory.mktemp("data")
    )
    async with running(options, database_url, adapters) as parts:
        yield parts


class Seller:
    """An organization with a clock that is connected to Stripe."""

    def __init__(self, organization, browser, database):
        self.client, self.id, self.browser, self.database = (
            organization.client,
            organization.id,
            browser,
            database,
        )

    async def link(self, *, expect=200, external_id="c", customer=None, **configuration):
        """Make a customer or change one; the configuration that is shown."""
        body = {"external_id": external_id, **(customer or {}), "billing_configuration": configuration}
        answer = await call(self.client, "POST", "/customers", {"customer": body}, expect=expect)
        return answer["customer"]["billing_configuration"] if expect == 200 else answer["error_details"]

    async def shown(self, external_id="c"):
        """What is shown of a link once what follows is done: who collects, by which connection, who they are there."""
        found = (await get(self.client, f"/customers/{external_id}"))["customer"]["billing_configuration"]
        return tuple(
            found[name] for name in ("payment_provider", "payment_provider_code", "provider_customer_id")
        )

    async def methods(self, external_id="c"):
        found = await get(self.client, f"/customers/{external_id}/payment_methods")
        return sorted((one["provider_method_id"], one["is_default"]) for one in found["payment_methods"])

    async def note(self, saved, connection):
        async with self.database.tenant(self.id, is_simulated=True) as tx:
            return await customers.note_method(tx, UUID(connection["lago_id"]), saved, now=NOW)

    async def told(self):
        """What webhooks have told of payment providers so far: types, and payloads."""
        async with self.database.tenant(self.id) as tx:
            rows = await tx.execute(select(outbox.c.webhook_type, outbox.c.payload).order_by(outbox.c.id))
            found = [(row.webhook_type, row.payload) for row in rows]
        words = ("payment_provider", "checkout_url")
        return [(kind, payload) for kind, payload in found if kind and any(word in kind for word in words)]

    async def waiting(self):
        async with self.database.tenant(self.id) as tx:
            tasks = (await tx.execute(select(link_tasks.c.steps))).scalars().all()
            due = select(agenda.c.owner_id == agenda.c.subject_id).where(
                agenda.c.kind == int(Kind.LINK_CUSTOMER)
            )
            return tasks, (await tx.execute(due)).scalars().all()


@pytest.fixture
async def seller(application, database, make_organization):
    made = await make_organization(frozen_time="2026-01-01T00:00:00Z")
    browser = (await join(application, made.id, "admin-key")).browser
    return Seller(made, browser, database)


@pytest.fixture
async def stripe(seller):
    return await connect(seller.browser)


class TestLinking:
    async def test_makes_a_customer_and_a_page_for_them(self, seller, stripe, adapter):
        profile = {
            "name": "Ada Ltd", "email": "ada@a.test, b@a.test", "phone": "+49 1", "currency": "EUR", "city": "Bonn",
            "country": "de",
        }  # fmt: skip
        shown = await seller.link(customer=profile, **SYNCED)
        assert (shown["payment_provider_code"], shown["sync_with_provider"], shown["provider_payment_methods"]) == (
            "stripe-eu", True, ["card"],
        )  # fmt: skip
        assert await seller.shown() == ("stripe", "stripe-eu", "cus_c")
        (person,) = asked(adapter, "create")
        assert (person.name, person.email, person.phone, person.city, person.country, person.currency, person.entity_currency) == (
            "Ada Ltd", "ada@a.test", "+49 1", "Bonn", "DE", "EUR", "USD",
        )  # fmt: skip
        created, page = await seller.told()
        assert created == ("customer.payment_provider_created", None)
        who = (await get(seller.client, "/customers/c"))["customer"]["lago_id"]
        assert page == ("customer.checkout_url_generated", {"payment_provider_customer_checkout_url": {
            "lago_customer_id": who, "external_customer_id": "c", "payment_provider": "stripe",
            "payment_provider_code": "stripe-eu", "checkout_url": "https://pay.test/c",
        }})  # fmt: skip
        assert await seller.waiting() == ([], [])
        assert [one["customers_count"] for one in await providers(seller)] == [1]
        await seller.link(**SYNCED)  # the same again asks for nothing
        assert len(asked(adapter, "create")) == 1
        assert len(await seller.told()) == 2

    async def test_is_waited_for_where_that_is_asked(self, seller, stripe, adapter):
        assert (await seller.link(**SYNCED, sync=True))["provider_customer_id"] == "cus_c"
        assert await seller.waiting() == ([], [])
        adapter.be(create=AWAY)
        shown = await seller.link(external_id="d", **SYNCED, sync=True)
        assert (shown["provider_customer_id"], await seller.waiting()) == (
            None,
            ([["create", "setup"]], [True]),
        )
        adapter.be()
        await kit.advance(seller.client, "2026-01-01T00:01:01Z")  # a job takes what nobody has answered
        assert (await seller.shown("d"))[2] == "cus_d"

    async def test_is_left_to_a_job_of_a_call_with_a_key(self, seller, stripe):
        body = {"customer": {"external_id": "c", "billing_configuration": {**SYNCED, "sync": True}}}
        headers = {"Idempotency-Key": "k"}
        first = await seller.client.post("/customers", json=body, headers=headers)
        assert first.json()["customer"]["billing_configuration"]["provider_customer_id"] is None
        assert (await seller.shown())[2] == "cus_c"

    async def test_that_is_refused_is_told(self, seller, stripe, adapter):
        adapter.be(create=REFUSED)
        assert (await seller.link(**SYNCED, sync=True))["provider_customer_id"] is None
        who = (await get(seller.client, "/customers/c"))["customer"]["lago_id"]
        assert await seller.told() == [("customer.payment_provider_error", {"payment_provider_customer_error": {
            "lago_customer_id": who, "external_customer_id": "c", "payment_provider": "stripe",
            "payment_provider_code": "stripe-eu",
            "provider_error": {"message": "No such thing.", "error_code": "resource_missing"},
        }})]  # fmt: skip
        assert await seller.waiting() == ([], [])
        adapter.be()
        await seller.link(**SYNCED)  # asked for anew, it is tried anew
        assert (await seller.shown())[2] == "cus_c"

    async def test_goes_on_where_it_was_cut_off(self, seller, stripe, adapter):
        adapter.be(setup=AWAY)
        await seller.link(**SYNCED)
        assert await seller.waiting() == ([["setup"]], [True])
        adapter.be()
        await kit.advance(seller.client, "2026-01-01T00:00:04Z")
        assert [name for name, *_ in adapter.asked] == ["setup"]
        assert [kind for kind, _ in await seller.told()] == [
            "customer.payment_provider_created", "customer.checkout_url_generated",
        ]  # fmt: skip

    async def test_needs_a_connection_that_is_meant(self, seller, stripe):
        other = {"payment_provider": "gocardless", "sync_with_provider": True}
        assert await seller.link(**other, expect=422) == {"base": ["payment_provider_not_found"]}
        assert await seller.link(**SYNCED, payment_provider_code="us", expect=422) == {
            "base": ["payment_provider_not_found"]
        }
        await connect(seller.browser, code="us")
        assert await seller.link(**SYNCED, expect=422) == {"base": ["payment_provider_code_missing"]}
        wrong = {"payment_provider": "braintree", "sync_with_provider": True}
        assert await seller.link(**wrong, expect=422) == {"payment_provider": ["value_is_invalid"]}
        await seller.link(**SYNCED, payment_provider_code="us")
        assert await seller.shown() == ("stripe", "us", "cus_c")

    async def test_without_a_word_of_it_is_none(self, seller, stripe, adapter):
        await seller.link(payment_provider="stripe")
        assert await seller.shown() == ("stripe", None, None)
        await seller.link(external_id="d", sync_with_provider=True)
        await seller.link(external_id="e", provider_customer_id="cus_9")
        assert await seller.shown("d") == await seller.shown("e") == (None, None, None)
        assert adapter.asked[1:] == []
        await seller.link(**SYNCED)
        assert await seller.shown() == ("stripe", "stripe-eu", "cus_c")

    async def test_by_an_id_takes_over_what_is_known_there(self, seller, stripe, adapter):
        adapter.known = MethodSaved(provider_method_id="pm_1", details={"type": "card", "last4": "4242"})
        assert (await seller.link(**GIVEN))["provider_customer_id"] == "cus_9"
        (method,) = (await get(seller.client, "/customers/c/payment_methods"))["payment_methods"]
        assert method == {
            "lago_id": method["lago_id"], "is_default": True, "payment_provider_code": "stripe-eu",
            "payment_provider_name": "Stripe Europe", "payment_provider_type": "stripe", "provider_method_id": "pm_1",
            "details": {"type": "card", "last4": "4242"}, "created_at": method["created_at"],
        }  # fmt: skip
        assert await seller.told() == []
        assert asked(adapter, "setup") == asked(adapter, "create") == []
        adapter.known = None
        await seller.link(**GIVEN)
        assert await seller.methods() == [("pm_1", True)]
        await seller.link(
            **{**GIVEN, "provider_customer_id": "cus_10"}
        )  # somebody else there, who has no method
        assert (await seller.shown())[2] == "cus_10"
        assert await seller.methods() == []
        assert [kind for kind, _ in await seller.told()] == ["customer.checkout_url_generated"]
        await seller.link(**{**GIVEN, "provider_customer_id": "cus_11"}, sync_with_provider=True)
        assert len(await seller.told()) == 1

    async def test_to_another_ends_what_was(self, seller, stripe, adapters):
        await connect(seller.browser, kind="gocardless", code="gc", name="GC", access_token="live_abc")
        await connect(seller.browser, code="us")
        for configuration, shown in (
            ({"payment_provider": "gocardless", "sync_with_provider": True}, ("gocardless", "gc", "cus_c")),
            ({**GIVEN, "payment_provider_code": "us"}, ("stripe", "us", "cus_9")),
            ({**GIVEN, "payment_provider_code": "stripe-eu"}, ("stripe", "stripe-eu", "cus_9")),
            ({"payment_provider": "gocardless"}, ("gocardless", None, None)),
            ({"payment_provider": None}, (None, None, None)),
        ):
            before = {**GIVEN, "payment_provider_code": "stripe-eu"} if shown[1] != "stripe-eu" else {}
            if before:
                await seller.link(**before)
                await seller.note(
                    MethodSaved(provider_method_id="pm_1", provider_customer_id="cus_9"), stripe
                )
                assert await seller.methods() == [("pm_1", True)]
            await seller.link(**configuration)
            assert (await seller.shown(), await seller.methods()) == (shown, []), configuration

    async def test_is_recorded_alone_where_customers_are_nobody(self, seller, adapters):
        await connect(seller.browser, kind="cashfree", code="cf", name="CF", client_id="i", client_secret="s")
        await seller.link(payment_provider="cashfree", provider_customer_id="x", sync_with_provider=True)
        assert await seller.shown() == ("cashfree", "cf", None)
        assert adapters["cashfree"].asked[1:] == []
        assert await seller.told() == []
        refused = await call(seller.client, "POST", "/customers/c/checkout_url", expect=405)
        assert refused["code"] == "feature_not_supported"

    async def test_follows_a_name_that_changes(self, seller, stripe, adapter):
        await seller.link(customer={"name": "Before"}, **SYNCED)
        adapter.be()
        await call(
            seller.client, "POST", "/customers", {"customer": {"external_id": "c", "legal_number": "1"}}
        )
        assert adapter.asked == []
        for sent in ({"name": "After"}, {"email": "a@a.test"}, {"phone": "1"}, {"city": "Ulm"}):
            await call(seller.client, "POST", "/customers", {"customer": {"external_id": "c", **sent}})
        told = asked(adapter, "update")
        assert [(one.name, one.email, one.phone, one.city) for one in told] == [
            ("After", None, None, None), ("After", "a@a.test", None, None), ("After", "a@a.test", "1", None),
            ("After", "a@a.test", "1", "Ulm"),
        ]  # fmt: skip
        assert {one.provider_customer_id for one in told} == {"cus_c"}

    async def test_ends_with_the_connection(self, seller, stripe, adapter):
        await seller.link(**GIVEN)
        await seller.note(MethodSaved(provider_method_id="pm_1", provider_customer_id="cus_9"), stripe)
        adapter.be(setup=AWAY)
        await seller.link(external_id="d", **SYNCED)
        await call(seller.browser, "DELETE", f"/payment_providers/{stripe['lago_id']}")
        assert await seller.shown() == await seller.shown("d") == (None, None, None)
        assert await seller.methods() == []
        adapter.be()
        await kit.advance(seller.client, "2026-01-02T00:00:00Z")
        assert (adapter.asked, await seller.waiting()) == ([], ([], []))

    async def test_bears_the_connections_name(self, seller, stripe):
        await seller.link(**GIVEN)
        await seller.note(MethodSaved(provider_method_id="pm_1", provider_customer_id="cus_9"), stripe)
        body = {"payment_provider": {"code": "us", "name": "Stripe US"}}
        await call(seller.browser, "PUT", f"/payment_providers/{stripe['lago_id']}", body)
        assert await seller.shown() == ("stripe", "us", "cus_9")
        (method,) = (await get(seller.client, "/customers/c/payment_methods"))["payment_methods"]
        assert (method["payment_provider_code"], method["payment_provider_name"]) == ("us", "Stripe US")


async def providers(seller):
    return (await get(seller.browser, "/payment_providers"))["payment_providers"]


class TestWaysToPayAtStripe:
    @pytest.mark.parametrize(("sent", "kept"), [
        (None, ["card"]), (["sepa_debit"], ["sepa_debit"]), (["link", "card"], ["link", "card"]),
        (["customer_balance"], ["customer_balance"]), (["card", "card", "crypto"], ["card", "crypto"]),
        (["link"], None), (["customer_balance", "card"], None), (["cash"], None), ([], None),
    ])  # fmt: skip
    async def test_are_some_of_its_own(self, seller, stripe, sent, kept):
        found = await seller.link(**GIVEN, provider_payment_methods=sent, expect=200 if kept else 422)
        if kept is None:
            assert found == {"provider_payment_methods": ["value_is_invalid"]}
        else:
            assert found["provider_payment_methods"] == kept

    async def test_stay_until_others_are_named(self, seller, stripe):
        await seller.link(**GIVEN, provider_payment_methods=["sepa_debit"])
        assert (await seller.link(**GIVEN))["provider_payment_methods"] == ["sepa_debit"]
        assert (await seller.link(**GIVEN, provider_payment_methods=None))["provider_payment_methods"] == [
            "card"
        ]

    async def test_by_transfer_in_euros_need_a_country_of_theirs(self, seller, stripe):
        balance = {**GIVEN, "provider_payment_methods": ["customer_balance"]}
        euros = {"currency": "EUR"}
        assert await seller.link(**balance, customer=euros, expect=422) == {"country": ["missing_country"]}
        assert await seller.link(**balance, customer={**euros, "country": "AT"}, expect=422) == {
            "country": ["missing_country"]
        }
        await seller.link(**balance, customer={**euros, "country": "NL"})
        await seller.link(**balance, customer={"currency": "GBP", "country": None})


class TestCheckoutUrls:
    async def test_lead_to_the_providers_page(self, seller, stripe):
        await seller.link(**GIVEN)
        who = (await get(seller.client, "/customers/c"))["customer"]["lago_id"]
        assert await call(seller.client, "POST", "/customers/c/checkout_url") == {"customer": {
            "lago_customer_id": who, "external_customer_id": "c", "payment_provider": "stripe",
            "payment_provider_code": "stripe-eu", "checkout_url": "https://pay.test/c",
        }}  # fmt: skip

    async def test_are_refused_with_the_reason(self, seller, stripe, adapter):
        async def refused(expect):
            return await call(seller.client, "POST", "/customers/c/checkout_url", expect=expect)

        assert (await refused(404))["code"] == "customer_not_found"
        await seller.link(payment_provider="stripe")
        assert (await refused(422))["error_details"] == {"base": ["no_linked_payment_provider"]}
        adapter.be(create=REFUSED)
        await seller.link(**SYNCED)
        assert (await refused(422))["error_details"] == {"base": ["no_linked_payment_provider"]}
        for methods in (["crypto"], ["customer_balance"]):
            await seller.link(**GIVEN, provider_payment_methods=methods)
            assert (await refused(422))["error_details"] == {
                "provider_payment_methods": ["no_payment_methods_to_setup_available"]
            }
        await seller.link(**GIVEN, provider_payment_methods=["card", "crypto"])
        adapter.be(setup=ProviderRefused("Invalid API Key", is_unauthorized=True))
        assert await refused(401) == {"status": 401, "error": "Unauthorized"}
        adapter.be(setup=REFUSED)
        found = await refused(422)
        assert (found["code"], found["provider"], found["error_details"]) == (
            "provider_error", {"code": "stripe-eu"}, {"message": "No such thing."},
        )  # fmt: skip
        adapter.be(setup=AWAY)
        assert (await refused(422))["error_details"] == {
            "third_party": "stripe",
            "thirdparty_error": "nobody there",
        }


class TestMethods:
    async def test_are_the_default_when_they_are_new_or_chosen_there(self, seller, stripe, database):
        await seller.link(**GIVEN)
        for number in (1, 2):
            found = await seller.note(
                MethodSaved(provider_method_id=f"pm_{number}", provider_customer_id="cus_9"), stripe
            )
            assert (found[0].external_id, found[1].provider_method_id, found[2]) == (
                "c",
                f"pm_{number}",
                True,
            )
        assert await seller.methods() == [("pm_1", False), ("pm_2", True)]
        chosen = MethodSaved(
            provider_method_id="pm_1", provider_customer_id="cus_9", details={"brand": "visa"}
        )
        found = await seller.note(chosen, stripe)
        assert (found[1].details, found[1].is_default, found[2]) == ({"brand": "visa"}, True, False)
        renewed = MethodSaved(
            provider_method_id="pm_2",
            provider_customer_id="cus_9",
            details={"expires": "01/2031"},
            is_default=False,
        )
        found = await seller.note(renewed, stripe)
        # A card that its bank renews is not the one that is charged from now on.
        assert (found[1].details, found[1].is_default, found[2]) == ({"expires": "01/2031"}, False, False)
        assert await seller.methods() == [("pm_1", True), ("pm_2", False)]
        async with database.tenant(seller.id, is_simulated=True) as tx:
            connection_id = UUID(stripe["lago_id"])
            await customers.lose_method(tx, connection_id, MethodLost(provider_method_id="pm_1"), now=NOW)
            await customers.lose_method(tx, connection_id, MethodLost(provider_method_id="pm_7"), now=NOW)
        assert await seller.methods() == [("pm_2", False)]

    async def test_of_nobody_who_is_linked_so_are_nobodys(self, seller, stripe, make_organization, database):
        other = await connect(seller.browser, code="us")
        await seller.link(**GIVEN, payment_provider_code="stripe-eu")
        saved = MethodSaved(provider_method_id="pm_1", provider_customer_id="cus_9")
        assert await seller.note(saved, other) is None
        assert (
            await seller.note(MethodSaved(provider_method_id="pm_1", provider_customer_id="cus_8"), stripe)
            is None
        )
        stranger = await make_organization(frozen_time="2026-01-01T00:00:00Z")
        async with database.tenant(stranger.id, is_simulated=True) as tx:
            assert await customers.note_method(tx, UUID(stripe["lago_id"]), saved, now=NOW) is None
        await call(seller.client, "DELETE", "/customers/c")
        assert await seller.note(saved, stripe) is None

    async def test_link_a_customer_at_adyen(self, seller, adapters, database):
        adyen = await connect(
            seller.browser, kind="adyen", code="ad", name="Adyen", api_key="AQE", merchant_account="A"
        )
        await seller.link(payment_provider="adyen", sync_with_provider=True)
        assert await seller.shown() == ("adyen", "ad", None)
        assert [name for name, *_ in adapters["adyen"].asked] == ["open", "setup"]
        assert [kind for kind, _ in await seller.told()] == ["customer.checkout_url_generated"]
        connection_id = UUID(adyen["lago_id"])
        async with database.tenant(seller.id, is_simulated=True) as tx:
            failed = LinkFailed(external_id="c", error_code="2", error_message="Refused")
            await customers.note_link_failed(tx, connection_id, failed, now=NOW)
            unknown = LinkFailed(external_id="x", error_code=None, error_message=None)
            await customers.note_link_failed(tx, connection_id, unknown, now=NOW)
        for _ in range(2):
            saved = MethodSaved(
                provider_method_id="stored_1", provider_customer_id="c", external_id="c", links_customer=True
            )
            await seller.note(saved, adyen)
        assert (await seller.shown())[2] == "c"
        assert await seller.methods() == [("stored_1", True)]
        assert [kind for kind, _ in await seller.told()][1:] == [
            "customer.payment_provider_error", "customer.payment_provider_created",
        ]  # fmt: skip
        assert (await seller.told())[1][1]["payment_provider_customer_error"]["provider_error"] == {
            "message": "Refused", "error_code": "2",
        }  # fmt: skip


async def test_pages_are_taken_back_when_the_terms_that_they_ask_for_change(
    application, database, make_organization
):
    live = await make_organization()
    browser, client = (await join(application, live.id, "admin-key")).browser, live.client
    stripe = await connect(browser)
    await kit.customer(client, external_id="c", currency="EUR")
    offer = {"name": "a", "code": "a", "amount_cents": 1, "amount_currency": "EUR"}
    await kit.post(client, "/add_ons", {"add_on": offer})
    one_off = {"external_customer_id": "c", "currency": "EUR", "fees": [{"add_on_code": "a"}]}
    invoice = (await kit.post(client, "/invoices", {"invoice": one_off}))["invoice"]
    page = {
        "id": new_id(), "organization_id": live.id, "invoice_id": UUID(invoice["lago_id"]),
        "payment_provider_id": UUID(stripe["lago_id"]), "url": "https://pay.test/1", "amount_cents": 1,
        "expires_at": NOW, "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    async with database.tenant(live.id) as tx:
        await tx.execute(insert(payment_links), page)
    for sent, waiting in (({"name": "N"}, []), ({"require_terms_of_service_consent": True}, [page["id"]])):
        await call(browser, "PUT", f"/payment_providers/{stripe['lago_id']}", {"payment_provider": sent})
        async with database.tenant(live.id) as tx:
            due = select(agenda.c.subject_id).where(agenda.c.kind == int(Kind.CLOSE_PAYMENT_LINK))
            assert list((await tx.execute(due)).scalars()) == waiting
