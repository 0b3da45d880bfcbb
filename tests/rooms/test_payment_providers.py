"""Connections to payment providers, and the door at which these tell what has happened (wallets-and-payments §12.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text, update
from tests.kit import call, get
from tests.linking import AWAY, REFUSED, STRIPE, Adapter, asked, connect
from tests.people import join, sign_up

from tallymark.app import running
from tallymark.db.tables import agenda, outbox, payment_providers, provider_events
from tallymark.jobs.agenda import Kind, complete, look, take
from tallymark.outside import make_vault
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.payment_providers import service
from tallymark.rooms.payment_providers.jobs import forget_events
from tallymark.rooms.payment_providers.model import Abilities, ProviderKind
from tallymark.rooms.payment_providers.ports import ProviderRefused
from tallymark.settings import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OTHERS: dict[str, dict[str, Any]] = {
    "adyen": {
        "api_key": "AQEyhmfxLcAdyen1",
        "merchant_account": "AcmeECOM",
        "live_prefix": "1797a841fbb37ca7",
    },
    "gocardless": {"access_token": "live_abcdefghi_9999"},
    "cashfree": {"client_id": "client-1", "client_secret": "cfsk_secret_5678"},
    "flutterwave": {"secret_key": "FLWSECK-abcdef-X123"},
    "moneyhash": {"api_key": "mh_live_abcdef_77", "flow_id": "flow-1"},
}


@pytest.fixture(scope="module")
def adapter():
    return Adapter()


@pytest.fixture(autouse=True)
def behaves(adapter):
    adapter.be()


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory, adapter):
    options = Settings(
        admin_api_key="admin-key", public_url="http://test", data_dir=tmp_path_factory.mktemp("data")
    )
    adapters = {**dict.fromkeys(ProviderKind, adapter), "cashfree": Adapter(Abilities(keeps_customers=False))}
    async with running(options, database_url, adapters) as parts:
        yield parts


@pytest.fixture
async def admin(application):
    found = await sign_up(application)
    found.browser.headers["X-Lago-Organization"] = found.organization_id
    return found


@pytest.fixture
def browser(admin):
    return admin.browser


@pytest.fixture
async def simulated(application, make_organization):
    """An organization with a clock, and somebody who sees to its connections."""
    made = await make_organization(frozen_time="2026-01-01T00:00:00Z")
    return made, (await join(application, made.id, "admin-key")).browser


async def listed(browser):
    return (await get(browser, "/payment_providers"))["payment_providers"]


async def change(browser, of, *, expect=200, **sent):
    path = f"/payment_providers/{of['lago_id']}"
    return await call(browser, "PUT", path, {"payment_provider": sent}, expect=expect)


async def told(database, organization_id):
    """What webhooks tell, by type."""
    async with database.tenant(UUID(str(organization_id))) as tx:
        rows = await tx.execute(select(outbox.c.webhook_type, outbox.c.payload).order_by(outbox.c.id))
        return [(row.webhook_type, row.payload) for row in rows]


async def security_log(browser):
    logs = await get(browser, "http://test/api/v1/security_logs", to_date="2099-01-01")
    return [(one["log_event"], one["resources"]) for one in logs["security_logs"]]


class TestConnections:
    async def test_are_made_once_the_provider_lets_one_in(self, admin, browser, adapter):
        made = await connect(
            browser, success_redirect_url="https://acme.test/thanks", supports_3ds=True, link_first_minutes=10
        )
        url = f"http://test/webhooks/stripe/{admin.organization_id}?code=stripe-eu"
        assert made == {
            "lago_id": made["lago_id"], "kind": "stripe", "code": "stripe-eu", "name": "Stripe Europe",
            "success_redirect_url": "https://acme.test/thanks", "inbound_url": url, "inbound_secret": None,
            "options": {"supports_3ds": True, "require_terms_of_service_consent": False, "link_first_minutes": 10},
            "secrets": {"secret_key": "…4242"}, "customers_count": 0, "created_at": made["created_at"],
            "abilities": {"saves_methods": True, "charges": True, "has_pages": True, "refunds": True},
        }  # fmt: skip
        assert await listed(browser) == [made]
        ((_, opened, told_url),) = adapter.asked
        assert (opened.secrets, told_url) == ({"secret_key": STRIPE["secret_key"]}, url)

    async def test_keep_their_secrets_encrypted(self, application, database, admin, browser):
        made = await connect(browser)
        async with database.tenant(UUID(admin.organization_id)) as tx:
            row = (await tx.execute(select(payment_providers))).one()
            assert b"sk_test" not in bytes(row.secrets)
            assert "sk_test" not in str(row.options)
            vault = application.asgi.state.connecting.vault
            opened = await service.get_connection(tx, vault, UUID(made["lago_id"]))
        assert opened is not None
        assert opened.secrets == {"secret_key": STRIPE["secret_key"], "webhook_secret": "whsec_1"}
        assert "sk_test" not in repr(opened)

    @pytest.mark.parametrize("kind", OTHERS)
    async def test_of_each_kind_ask_for_what_is_its_own(self, browser, kind):
        made = await connect(browser, kind=kind, code=kind, name=kind.title(), **OTHERS[kind])
        of_kind = OTHERS[kind]
        shown = {
            **made["secrets"],
            **{name: made["options"].get(name) for name in of_kind if name in made["options"]},
        }
        hidden = {"api_key", "access_token", "client_secret", "secret_key"}
        assert shown == {name: f"…{text[-4:]}" if name in hidden else text for name, text in of_kind.items()}
        lengths = {"gocardless": 50, "flutterwave": 64}
        assert len(made["inbound_secret"] or "") == lengths.get(kind, 0)
        assert (await listed(browser))[0] == made
        for name in of_kind.keys() - {"live_prefix"}:
            body = {**of_kind, name: None, "kind": kind, "code": "x", "name": "X"}
            assert (await connect(browser, **body, expect=422))["error_details"] == {
                name: ["value_is_mandatory"]
            }

    async def test_are_refused_with_all_that_is_wrong(self, browser, adapter):
        await connect(browser)
        for sent, wrong in (
            ({"code": "", "name": " ", "secret_key": None},
             {key: ["value_is_mandatory"] for key in ("code", "name", "secret_key")}),
            ({"code": "stripe-eu"}, {"code": ["value_already_exist"]}),
            ({"code": "b" * 256, "name": "n" * 256}, {key: ["value_is_too_long"] for key in ("code", "name")}),
            ({"code": "b", "success_redirect_url": "ftp://a.test"}, {"success_redirect_url": ["url_is_invalid"]}),
            ({"code": "b", "success_redirect_url": "https://a.test/" + "p" * 1010},
             {"success_redirect_url": ["value_is_too_long"]}),
            ({"code": "b", "link_first_minutes": 1441}, {"link_first_minutes": ["value_is_out_of_range"]}),
            ({"code": "b", "kind": "braintree"}, {"kind": ["value_is_invalid"]}),
            ({"code": "b", "kind": None}, {"kind": ["value_is_mandatory"]}),
        ):  # fmt: skip
            found = await connect(browser, **{**STRIPE, **sent}, expect=422)
            assert found["error_details"] == wrong, sent
        long_flow = {
            **OTHERS["moneyhash"],
            "flow_id": "f" * 21,
            "kind": "moneyhash",
            "code": "b",
            "name": "B",
        }
        assert (await connect(browser, **long_flow, expect=422))["error_details"] == {
            "flow_id": ["value_is_too_long"]
        }
        assert (len(adapter.asked), len(await listed(browser))) == (1, 1)
        assert (await connect(browser, code="b", success_redirect_url="https://a.test/" + "p" * 1009))[
            "code"
        ] == "b"

    async def test_are_not_made_where_the_provider_says_no(self, database, admin, browser, adapter):
        adapter.be(open=ProviderRefused("Invalid API Key", is_unauthorized=True))
        assert (await connect(browser, expect=422))["error_details"] == {"secret_key": ["value_is_invalid"]}
        assert await told(database, admin.organization_id) == []
        adapter.be(
            open=ProviderRefused(
                "Too many endpoints", code="limit", details={"code": "limit", "http_status": 400}
            )
        )
        found = await connect(browser, expect=422)
        assert found == {
            "status": 422, "error": "Unprocessable Entity", "code": "provider_error",
            "provider": {"code": "stripe-eu"}, "error_details": {"code": "limit", "http_status": 400},
        }  # fmt: skip
        adapter.be(open=AWAY)
        found = await connect(browser, expect=422)
        assert (found["code"], found["error_details"]) == (
            "third_party_error", {"third_party": "stripe", "thirdparty_error": "nobody there"},
        )  # fmt: skip
        assert await listed(browser) == []
        assert (
            await told(database, admin.organization_id) == []
        )  # whoever asked knows, and there is none to be told of
        adapter.be(open=ProviderRefused("No", is_unauthorized=True))
        other = {"kind": "cashfree", "code": "c", "name": "C", **OTHERS["cashfree"]}
        await connect(browser, **other)  # another adapter: each kind is asked by its own

    async def test_change_by_what_is_sent_and_keep_the_rest(self, browser, adapter):
        made = await connect(browser, kind="adyen", code="adyen", name="Adyen", **OTHERS["adyen"])
        adapter.be()
        new = await change(browser, made, name="New", link_first_minutes=5, success_redirect_url=None)
        assert new["payment_provider"] == {
            **made, "name": "New", "options": {**made["options"], "link_first_minutes": 5},
        }  # fmt: skip
        assert adapter.asked == []  # none of it is the provider's business
        new = await change(
            browser, made, api_key="AQE-another-0001", hmac_key="44782DEF547AAA06", live_prefix=None
        )
        assert new["payment_provider"]["secrets"] == {"api_key": "…0001", "hmac_key": "…AA06"}
        assert new["payment_provider"]["options"]["live_prefix"] is None
        (opened,) = asked(adapter, "open")
        assert opened.secrets["api_key"] == "AQE-another-0001"
        await change(browser, made, api_key=None)
        assert (await listed(browser))[0]["secrets"]["api_key"] == "…0001"
        await change(browser, {"lago_id": "x"}, name="N", expect=404)

    async def test_know_where_they_are_reached_now(self, application, database, admin, browser):
        """An installation that moves has events sent to where it is: nothing keeps the address."""
        made = await connect(browser, kind="cashfree", code="in/1", name="C", **OTHERS["cashfree"])
        connection_id, path = UUID(made["lago_id"]), f"/webhooks/cashfree/{admin.organization_id}?code=in%2F1"
        for base_url in ("http://test", "https://moved.test"):
            vault = await make_vault(database, base_url)
            async with database.tenant(UUID(admin.organization_id)) as tx:
                opened = await service.get_connection(tx, vault, connection_id)
            assert opened is not None
            assert opened.inbound_url == f"{base_url}{path}"
        assert made["inbound_url"] == f"http://test{path}"

    async def test_keep_the_key_at_stripe(self, browser):
        made = await connect(browser)
        found = await change(browser, made, secret_key="sk_test_other", expect=422)
        assert found["error_details"] == {"secret_key": ["modification_not_allowed"]}
        await change(browser, made, secret_key=STRIPE["secret_key"], name="Same")
        assert (await listed(browser))[0]["secrets"] == {"secret_key": "…4242"}

    async def test_keep_what_a_refused_change_would_have_changed(self, database, admin, browser, adapter):
        made = await connect(browser)
        adapter.be(open=REFUSED)
        found = await change(browser, made, code="us", expect=422)
        assert (found["code"], found["provider"]) == ("provider_error", {"code": "us"})
        assert await listed(browser) == [made]
        adapter.be(open=AWAY)
        await change(browser, made, code="us", expect=422)
        error = {
            "lago_payment_provider_id": made["lago_id"], "payment_provider_code": "stripe-eu",
            "payment_provider_name": "Stripe Europe", "source": "stripe",
            "action": "payment_provider.register_webhook",
        }  # fmt: skip
        refused = {"message": "No such thing.", "error_code": "resource_missing"}
        assert await told(database, admin.organization_id) == [
            ("payment_provider.error", {"payment_provider_error": {**error, "provider_error": words}})
            for words in (refused, {"message": "nobody there", "error_code": None})
        ]

    async def test_are_not_changed_over_somebody_elses_change(
        self, application, database, admin, browser, adapter
    ):
        made = await connect(browser)
        organization_id = UUID(admin.organization_id)
        vault = application.asgi.state.connecting.vault
        async with database.tenant(organization_id) as tx:
            seen = await service.get_row(tx, UUID(made["lago_id"]))
        await change(browser, made, name="Theirs")
        async with database.tenant(organization_id) as tx:
            with pytest.raises(Exception, match="lock_acquisition_failed"):
                await service.change(tx, vault, seen, vault.open(seen), now=NOW)
        assert (await listed(browser))[0]["name"] == "Theirs"

    async def test_send_their_events_where_they_did_if_a_change_is_not_kept(
        self, database, admin, browser, adapter, monkeypatch
    ):
        """Somebody else has renamed it while the provider was asked."""
        made = await connect(browser)
        opened = adapter.open

        async def open_meanwhile(connection, inbound_url):
            if connection.code == "us":
                async with database.tenant(UUID(admin.organization_id)) as tx:
                    await tx.execute(update(payment_providers).values(code="eu"))
            return await opened(connection, inbound_url)

        monkeypatch.setattr(adapter, "open", open_meanwhile)
        found = await change(browser, made, code="us", expect=422)
        assert found["code"] == "lock_acquisition_failed"
        assert [one.code for one in asked(adapter, "open")] == ["stripe-eu", "us", "eu"]
        assert [one["code"] for one in await listed(browser)] == ["eu"]

    async def test_are_deleted_softly_and_their_code_is_free(self, database, admin, browser, adapter):
        made = await connect(browser)
        gone = await call(browser, "DELETE", f"/payment_providers/{made['lago_id']}")
        assert gone["payment_provider"]["code"] == "stripe-eu"
        assert [one.id for one in asked(adapter, "close")] == [UUID(made["lago_id"])]
        assert await listed(browser) == []
        await call(browser, "DELETE", f"/payment_providers/{made['lago_id']}", expect=404)
        again = await connect(browser)
        assert again["lago_id"] != made["lago_id"]
        adapter.be(close=AWAY)
        await call(browser, "DELETE", f"/payment_providers/{again['lago_id']}")

    async def test_are_told_in_the_security_log(self, browser):
        made = await connect(browser)
        await change(browser, made, name="New", supports_3ds=True)
        await call(browser, "DELETE", f"/payment_providers/{made['lago_id']}")
        logged = [one for one in await security_log(browser) if one[0].startswith("integration")]
        about = {"integration_type": "stripe", "code": "stripe-eu"}
        assert logged == [
            ("integration.deleted", {**about, "name": "New"}),
            ("integration.updated", {
                **about, "name": {"deleted": "Stripe Europe", "added": "New"},
                "supports_3ds": {"deleted": False, "added": True},
            }),
            ("integration.created", {**about, "name": "Stripe Europe"}),
        ]  # fmt: skip

    async def test_are_an_organizations_own(self, application, browser, adapter):
        made = await connect(browser)
        other = await sign_up(application)
        other.browser.headers["X-Lago-Organization"] = other.organization_id
        assert await listed(other.browser) == []
        await change(other.browser, made, name="Mine", expect=404)
        await call(other.browser, "DELETE", f"/payment_providers/{made['lago_id']}", expect=404)
        await connect(other.browser)  # the same code is another's
        assert len(await listed(browser)) == 1

    async def test_show_what_they_are_set_to_to_whom_it_concerns(self, database, admin, browser):
        made = await connect(browser, kind="gocardless", code="gc", name="GC", **OTHERS["gocardless"])
        assert made["inbound_secret"]

        async def seen_with(*permissions):
            code = "_".join(permissions).replace(":", "_")
            await become("admin")
            role = {"code": code, "name": code, "permissions": list(permissions)}
            await call(browser, "POST", "/roles", role)
            await become(code)
            return (await listed(browser))[0]

        async def become(role):
            async with database.system() as connection:
                await connection.execute(
                    text("UPDATE memberships SET roles = ARRAY[:role] WHERE organization_id = :id"),
                    {"role": role, "id": admin.organization_id},
                )

        hidden = {"inbound_url": None, "inbound_secret": None, "options": None, "secrets": None}
        assert await seen_with("customers:view") == {**made, **hidden}
        assert await seen_with("organization:integrations:view") == {**made, "inbound_secret": None}


async def post_event(
    application, kind, organization_id, body=b'{"saved": {}}', code=None, signature="whsec_1"
):
    transport = httpx.ASGITransport(application.asgi, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as provider:
        query = {} if code is None else {"code": code}
        path = f"/webhooks/{kind}/{organization_id}"
        return await provider.post(path, params=query, content=body, headers={"Signature": signature})


async def events_of(database, organization_id):
    async with database.tenant(UUID(str(organization_id))) as tx:
        rows = (await tx.execute(select(provider_events).order_by(provider_events.c.id))).all()
        due = select(agenda.c.subject_id, agenda.c.owner_id).where(agenda.c.kind == int(Kind.HEAR_PROVIDER))
        items = [tuple(row) for row in await tx.execute(due)]
    return rows, items


class TestEvents:
    async def test_are_kept_once_and_heard(self, application, database, admin, browser):
        made = await connect(browser)
        for _ in range(2):
            answer = await post_event(application, "stripe", admin.organization_id)
            assert (answer.status_code, answer.content) == (200, b"")
        ((event,), items) = await events_of(database, admin.organization_id)
        assert (str(event.payment_provider_id), bytes(event.body), event.status) == (
            made["lago_id"], b'{"saved": {}}', "pending",
        )  # fmt: skip
        assert items == [(event.id, event.id)]

    async def test_that_come_again_while_they_wait_are_one_piece_of_work(self, database, admin, browser):
        """A provider that is impatient neither moves nor repeats what is to be done."""
        made = UUID((await connect(browser))["lago_id"])
        organization_id, later = UUID(admin.organization_id), NOW + timedelta(minutes=1)
        for now in (NOW, later):
            async with database.tenant(organization_id) as tx:
                event_id = await service.keep_event(tx, made, b"{}", now=now)
        due = select(agenda.c.subject_id, agenda.c.due_at).where(agenda.c.kind == int(Kind.HEAR_PROVIDER))
        async with database.tenant(organization_id) as tx:
            assert (await tx.execute(due)).all() == [(event_id, NOW)]
            (waiting,) = await look(tx, until=later, owner_id=event_id)
            taken = await take(tx, waiting)
            assert taken is not None
        async with database.tenant(organization_id) as tx:  # and while it is being heard
            await service.keep_event(tx, made, b"{}", now=later)
        async with database.tenant(organization_id) as tx:
            await complete(tx, taken)
            assert (await tx.execute(due)).all() == []

    async def test_are_heard_again_only_where_it_has_not_gone_well(
        self, application, database, admin, browser
    ):
        await connect(browser)
        organization_id = UUID(admin.organization_id)
        await post_event(application, "stripe", organization_id)
        ((event,), _) = await events_of(database, organization_id)
        for error, heard in (("Unknown", 1), (None, 0)):
            async with database.tenant(organization_id) as tx:
                await tx.execute(text("DELETE FROM agenda"))
                await service.note_event(tx, event.id, error=error, now=NOW)
                found = await service.get_event(tx, event.id)
            assert found is not None
            assert (found.status, found.error) == (("failed", error) if error else ("succeeded", None))
            await post_event(application, "stripe", organization_id)
            assert len((await events_of(database, organization_id))[1]) == heard

    async def test_at_adyen_are_accepted_in_its_word(self, application, admin, browser):
        await connect(browser, kind="adyen", code="adyen", name="Adyen", **OTHERS["adyen"])
        answer = await post_event(application, "adyen", admin.organization_id)
        assert (answer.status_code, answer.text) == (200, "[accepted]")

    async def test_that_are_nobodys_are_refused_alike(self, application, database, admin, browser):
        made = await connect(browser)
        await connect(browser, kind="adyen", code="adyen", name="Adyen", **OTHERS["adyen"])
        mine, nobody = admin.organization_id, "00000000-0000-0000-0000-000000000001"
        answers = [
            await post_event(application, *about, **more)
            for about, more in (
                (("stripe", mine), {"signature": "wrong"}),
                (("stripe", mine), {"code": "other"}),
                (("gocardless", mine), {}),
                (("braintree", mine), {}),
                (("stripe", nobody), {}),
                (("stripe", "x"), {}),
            )
        ]
        assert {(answer.status_code, answer.content) for answer in answers} == {(400, answers[0].content)}
        await call(browser, "DELETE", f"/payment_providers/{made['lago_id']}")
        assert (await post_event(application, "stripe", mine)).status_code == 400
        assert await events_of(database, mine) == ([], [])

    async def test_need_a_code_where_there_are_several(self, application, database, admin, browser):
        await connect(browser)
        other = await connect(browser, code="us")
        mine = admin.organization_id
        assert (await post_event(application, "stripe", mine)).status_code == 400
        assert (await post_event(application, "stripe", mine, code="us")).status_code == 200
        ((event,), _) = await events_of(database, mine)
        assert str(event.payment_provider_id) == other["lago_id"]

    async def test_are_heard_by_the_code_that_the_connection_had_when_its_address_was_given_out(
        self, application, database, admin, browser
    ):
        """A page that was made before the code changed tells of what is paid on it by the old one."""
        made = await connect(browser, kind="flutterwave", name="F", code="eu", **OTHERS["flutterwave"])
        mine, secret = admin.organization_id, made["inbound_secret"]
        await change(browser, made, code="old")
        await change(browser, made, code="new")
        for code in ("eu", "old", "new"):
            sent = await post_event(application, "flutterwave", mine, code.encode(), code, secret)
            assert sent.status_code == 200
        # Another one takes the code: each event is of the one that it is signed by.
        other = await connect(browser, kind="flutterwave", name="F", code="eu", **OTHERS["flutterwave"])
        for body, signed_by in ((b"late", secret), (b"early", other["inbound_secret"])):
            sent = await post_event(application, "flutterwave", mine, body, "eu", signed_by)
            assert sent.status_code == 200
        for code, signed_by in (("never", secret), ("new", other["inbound_secret"])):
            refused = await post_event(application, "flutterwave", mine, b"x", code, signed_by)
            assert refused.status_code == 400
        rows, _ = await events_of(database, mine)
        known = {bytes(row.body): str(row.payment_provider_id) for row in rows}
        of_it = dict.fromkeys((b"eu", b"old", b"new", b"late"), made["lago_id"])
        assert known == {**of_it, b"early": other["lago_id"]}

    async def test_are_taken_to_the_last_byte_and_not_too_large(self, application, database, admin, browser):
        await connect(browser)
        mine = admin.organization_id
        raw = b"a=1&b[]=\x00\xff"
        transport = httpx.ASGITransport(application.asgi, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as provider:
            form = {"Signature": "whsec_1", "Content-Type": "application/x-www-form-urlencoded"}
            answer = await provider.post(f"/webhooks/stripe/{mine}", content=raw, headers=form)
        assert answer.status_code == 200
        assert (await post_event(application, "stripe", mine, b"a" * (1024 * 1024 + 1))).status_code == 413
        assert (await post_event(application, "stripe", mine, b"a" * 1024 * 1024)).status_code == 200
        rows, _ = await events_of(database, mine)
        assert [len(row.body) for row in rows] == [len(raw), 1024 * 1024]
        assert bytes(rows[0].body) == raw

    async def test_of_a_simulated_organization_wait_while_its_clock_moves(
        self, application, database, simulated
    ):
        organization, browser = simulated
        await connect(browser)
        async with organizations.holding_clock(database, organization.id):
            async with database.tenant(organization.id) as tx:
                await organizations.start_advancing(tx)
            answer = await post_event(application, "stripe", organization.id)
        assert (answer.status_code, answer.json()["code"]) == (409, "test_clock_advancing")
        assert await events_of(database, organization.id) == ([], [])

    async def test_are_forgotten_ninety_days_after_they_were_heard(
        self, application, database, admin, browser
    ):
        await connect(browser)
        mine = UUID(admin.organization_id)
        for name in (b"old", b"young", b"waiting"):
            await post_event(application, "stripe", mine, name)
        rows, _ = await events_of(database, mine)
        async with database.tenant(mine) as tx:
            await service.note_event(tx, rows[0].id, error=None, now=NOW)
            await service.note_event(tx, rows[1].id, error=None, now=NOW + timedelta(seconds=1))
        await forget_events(database, now=NOW + timedelta(days=90, seconds=1))
        assert [bytes(row.body) for row in (await events_of(database, mine))[0]] == [b"young", b"waiting"]
