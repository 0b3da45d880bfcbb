"""What was done is logged with how it looked then, exactly where it was committed (platform §10.1)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from tests import kit
from tests.kit import call, get, post

from tallymark.db.tables import activity_logs
from tallymark.jobs.activity import RESOURCES, TYPES
from tallymark.rooms.activity_logs.jobs import forget_old
from tallymark.rooms.activity_logs.model import without_bulk
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.webhooks.bodies import LOADERS

START = "2026-01-01T00:00:00Z"


@pytest.fixture
async def organization(make_organization):
    return await make_organization(START)


@pytest.fixture
async def client(organization):
    return organization.client


async def logs(client, **query):
    """Entries, the oldest first, but for those of the clock that the tests move."""
    found = (await get(client, "/activity_logs", **query))["activity_logs"][::-1]
    return [one for one in found if one["activity_type"] != "test_clock.advanced"]


async def types(client, **query):
    return [one["activity_type"] for one in await logs(client, **query)]


async def add_on(client, code="a"):
    body = {"name": code, "code": code, "amount_cents": 1000, "amount_currency": "EUR"}
    await post(client, "/add_ons", {"add_on": body})


async def one_off(client, who, *codes):
    fees = [{"add_on_code": code} for code in codes or ("a",)]
    body = {"external_customer_id": who["external_id"], "currency": "EUR", "fees": fees}
    return (await post(client, "/invoices", {"invoice": body}))["invoice"]


class TestEntries:
    async def test_tell_what_was_done_to_what(self, client, organization):
        made = await kit.plan(client, code="p", name="Old")
        (entry,) = await logs(client)
        expected = {
            "activity_id": entry["activity_id"],
            "activity_type": "plan.created",
            "activity_source": "api",
            "activity_object": made,
            "activity_object_changes": {},
            "user_email": None,
            "api_key": {
                "lago_id": entry["api_key"]["lago_id"],
                "name": "default",
                "ending": organization.api_key[-4:],
            },
            "resource_id": made["lago_id"],
            "resource_type": "Plan",
            "external_customer_id": None,
            "external_subscription_id": None,
            "organization_id": str(organization.id),
            "logged_at": START,
            "created_at": START,
        }
        assert entry == expected
        assert (await get(client, f"/activity_logs/{entry['activity_id']}"))["activity_log"] == expected

    async def test_show_the_object_as_that_change_left_it(self, client):
        await kit.plan(client, code="p", name="First")
        for name in ("Second", "Third"):
            await call(client, "PUT", "/plans/p", {"plan": {"name": name}})
        shown = await logs(client)
        assert [one["activity_object"]["name"] for one in shown] == ["First", "Second", "Third"]
        assert [one["activity_object_changes"] for one in shown] == [
            {},
            {"name": ["First", "Second"]},
            {"name": ["Second", "Third"]},
        ]

    async def test_name_the_key_that_was_used_when_it_has_ended_too(
        self, client, organization, database, other_client
    ):
        now = datetime(2026, 1, 1, tzinfo=UTC)
        async with database.tenant(organization.id) as tx:
            key, value = await organizations.create_api_key(tx, name="Importer", now=now)
        own = client.headers["Authorization"]
        client.headers["Authorization"] = f"Bearer {value}"
        await kit.plan(client, code="imported")
        client.headers["Authorization"] = own
        await kit.plan(client, code="typed")
        async with database.tenant(organization.id) as tx:
            await organizations.change_api_key(tx, key.id, {"name": "Old importer"}, now=now)
            await organizations.delete_api_key(tx, key.id, now=now)
        imported, typed = await logs(client)
        assert imported["api_key"] == {
            "lago_id": str(key.id),
            "name": "Old importer",
            "ending": value[-4:],
        }
        by_key = {"api_key_ids[]": str(key.id)}
        assert await logs(client, **by_key) == [imported]
        both = [str(key.id), typed["api_key"]["lago_id"]]
        assert await logs(client, **{"api_key_ids[]": both}) == [imported, typed]
        for nobody in (str(uuid4()), "none"):
            assert await logs(client, **{"api_key_ids[]": nobody}) == []
        await kit.plan(other_client)
        assert await logs(other_client, **by_key) == []

    async def test_that_are_not_committed_are_not_there(self, client):
        await kit.customer(client, external_id="c")
        broken = {"external_id": "c", "name": "new", "tax_codes": ["unheard"]}
        await post(client, "/customers", {"customer": broken}, expect=404)
        assert await types(client) == ["customer.created"]

    async def test_are_nobody_elses(self, client, other_client):
        await kit.plan(client)
        (entry,) = await logs(client)
        assert await logs(other_client) == []
        path = f"/activity_logs/{entry['activity_id']}"
        for who, at in (
            (other_client, path),
            (client, f"/activity_logs/{uuid4()}"),
            (client, "/activity_logs/x"),
        ):
            assert (await get(who, at, expect=404))["code"] == "activity_log_not_found"

    async def test_of_what_is_done_by_itself_are_the_systems(self, client):
        plan = await kit.plan(client, amount_cents=3100)
        who = await kit.customer(client, external_id="c")
        await kit.subscribe(client, who, plan, external_id="s")
        await kit.advance(client, "2026-02-02")
        (entry,) = await logs(client, **{"activity_types[]": "invoice.created"})
        (invoice,) = await kit.invoices(client, who)
        assert (entry["activity_source"], entry["external_customer_id"]) == ("system", "c")
        assert entry["api_key"] is None
        assert (entry["resource_type"], entry["resource_id"]) == ("Invoice", invoice["lago_id"])
        assert entry["activity_object"]["total_amount_cents"] == 3100
        assert [fee["amount_cents"] for fee in entry["activity_object"]["fees"]] == [3100]

    async def test_of_documents_are_by_the_organizations_clock(self, client, organization, application):
        await add_on(client)
        invoice = await one_off(client, await kit.customer(client))
        made = {"organization_id": organization.id, "invoice_id": UUID(invoice["lago_id"])}
        await application.tasks.render_document(**made)
        (entry,) = await logs(client, **{"activity_types[]": "invoice.generated"})
        assert entry["activity_source"] == "system"
        assert entry["logged_at"][:10] == invoice["created_at"][:10] == "2026-01-01"

    async def test_objects_have_no_link_that_works_without_a_key(self, client):
        await add_on(client)
        invoice = await one_off(client, await kit.customer(client))
        await post(client, f"/invoices/{invoice['lago_id']}/download", None)
        entry = (await logs(client, **{"activity_types[]": "invoice.generated"}))[0]
        assert "/files/" in entry["activity_object"]["file_url"]
        assert "signature" not in entry["activity_object"]["file_url"]


class TestTypes:
    async def test_of_the_catalogue(self, client):
        await kit.metric(client, code="m")
        await call(client, "PUT", "/billable_metrics/m", {"billable_metric": {"name": "n"}})
        await call(client, "DELETE", "/billable_metrics/m")
        await kit.plan(client, code="p")
        await post(client, "/plans/p/metadata", {"metadata": {"a": "b"}})
        await call(client, "DELETE", "/plans/p")
        await post(client, "/features", {"feature": {"code": "f"}})
        await call(client, "PUT", "/features/f", {"feature": {"name": "n"}})
        await call(client, "DELETE", "/features/f")
        found = await logs(client)
        assert [one["activity_type"] for one in found] == [
            f"{of}.{what}"
            for of in ("billable_metric", "plan", "feature")
            for what in ("created", "updated", "deleted")
        ]
        assert [one["resource_type"] for one in found[::3]] == [
            "BillableMetric",
            "Plan",
            "Entitlement::Feature",
        ]
        assert [one["activity_object_changes"] for one in found if one["activity_object_changes"]] == [
            {"name": ["m", "n"]},
            {"metadata": [None, {"a": "b"}]},
            {"name": [None, "n"]},
        ]

    async def test_of_coupons_of_which_nobody_outside_hears(self, client):
        who = await kit.customer(client, external_id="c")
        coupon = {"name": "k", "code": "k", "coupon_type": "percentage", "percentage_rate": "10"}
        coupon |= {"frequency": "forever", "expiration": "no_expiration"}
        made = (await post(client, "/coupons", {"coupon": coupon}))["coupon"]
        await call(client, "PUT", "/coupons/k", {"coupon": {"percentage_rate": "20.5"}})
        given = {"external_customer_id": who["external_id"], "coupon_code": "k"}
        applied = (await post(client, "/applied_coupons", {"applied_coupon": given}))["applied_coupon"]
        await call(client, "DELETE", f"/customers/c/applied_coupons/{applied['lago_id']}")
        await call(client, "DELETE", "/coupons/k")
        found = await logs(client, **{"resource_types[]": "Coupon"})
        assert [one["activity_type"] for one in found] == [
            "coupon.created",
            "coupon.updated",
            "applied_coupon.created",
            "applied_coupon.deleted",
            "coupon.deleted",
        ]
        assert {one["resource_id"] for one in found} == {made["lago_id"]}
        assert found[1]["activity_object_changes"] == {"percentage_rate": ["10.00000", "20.50000"]}
        assert [one["external_customer_id"] for one in found] == [None, None, "c", "c", None]
        assert found[2]["activity_object"]["lago_id"] == applied["lago_id"]

    async def test_of_customers_and_subscriptions(self, client):
        plan = await kit.plan(client)
        await kit.customer(client, external_id="c", name="Old")
        await kit.customer(client, external_id="c", name="New")
        await kit.subscribe(client, {"external_id": "c"}, plan, external_id="s")
        await call(client, "PUT", "/subscriptions/s", {"subscription": {"name": "N"}})
        await call(client, "DELETE", "/subscriptions/s")
        await call(client, "DELETE", "/customers/c")
        found = await logs(
            client, external_customer_id="c", **{"resource_types[]": ["Customer", "Subscription"]}
        )
        kinds = [one["activity_type"] for one in found]
        assert kinds[:5] == [
            "customer.created",
            "customer.updated",
            "customer.updated",
            "subscription.started",
            "subscription.updated",
        ]
        assert sorted(kinds[5:]) == ["customer.deleted", "subscription.terminated", "subscription.updated"]
        assert found[1]["activity_object_changes"] == {"name": ["Old", "New"]}
        assert found[2]["activity_object_changes"] == {"currency": [None, "EUR"]}
        assert found[4]["activity_object_changes"] == {"name": [None, "N"]}
        assert found[4]["activity_object"]["plan"]["code"] == plan["code"]
        of_subscription = await types(client, external_subscription_id="s")
        assert all(kind.startswith("subscription.") for kind in of_subscription)
        assert len(of_subscription) == 4
        (ended,) = [one for one in found[5:] if one["activity_type"] == "subscription.updated"]
        assert ended["activity_object_changes"]["status"] == ["active", "terminated"]

    async def test_of_wallets_and_their_transactions(self, client):
        await kit.customer(client, external_id="c", currency="EUR")
        body = {"external_customer_id": "c", "rate_amount": "1", "currency": "EUR", "granted_credits": "5"}
        wallet = (await post(client, "/wallets", {"wallet": {**body, "name": "w"}}))["wallet"]
        path = f"/wallets/{wallet['lago_id']}"
        await call(client, "PUT", path, {"wallet": {"name": "x"}})
        found = await logs(client, **{"resource_types[]": "Wallet"})
        assert [one["activity_type"] for one in found] == [
            "wallet.created",
            "wallet_transaction.created",
            "wallet.updated",
            "wallet.updated",
        ]
        assert {one["resource_id"] for one in found} == {wallet["lago_id"]}
        assert {one["external_customer_id"] for one in found} == {"c"}
        assert found[1]["activity_object"]["credit_amount"] == "5.0"
        assert found[2]["activity_object_changes"]["balance_cents"] == [0, 500]
        assert found[3]["activity_object_changes"] == {"name": ["w", "x"]}

    async def test_of_invoices_and_what_pays_them(self, client):
        await add_on(client)
        invoice = await one_off(client, await kit.customer(client, external_id="c"))
        payment = {"invoice_id": invoice["lago_id"], "amount_cents": 1000, "reference": "wire"}
        paid = (await post(client, "/payments", {"payment": payment}))["payment"]
        other = await one_off(client, {"external_id": "c"})
        await post(client, f"/invoices/{other['lago_id']}/void", {})
        found = await logs(client, **{"resource_ids[]": invoice["lago_id"]})
        assert [one["activity_type"] for one in found] == [
            "invoice.one_off_created",
            "invoice.payment_status_updated",
            "payment.recorded",
        ]
        assert {one["resource_type"] for one in found} == {"Invoice"}
        assert found[2]["activity_object"]["lago_id"] == paid["lago_id"]
        assert found[0]["activity_object"]["payment_status"] == "pending"
        assert found[1]["activity_object"]["payment_status"] == "succeeded"
        (receipt,) = await logs(client, **{"activity_types[]": "payment_receipt.created"})
        assert (receipt["resource_type"], receipt["external_customer_id"]) == ("PaymentReceipt", "c")
        voided = await types(client, **{"resource_ids[]": other["lago_id"]})
        assert voided == ["invoice.one_off_created", "invoice.voided"]
        again = {"invoice": {"fees": [{"id": other["fees"][0]["lago_id"]}]}}
        await post(client, f"/invoices/{other['lago_id']}/regenerate", again)
        assert (await types(client, **{"resource_ids[]": other["lago_id"]}))[-1] == "invoice.regenerated"

    async def test_of_payment_requests_and_what_pays_them(self, client):
        await add_on(client)
        invoice = await one_off(client, await kit.customer(client, external_id="c"))
        await kit.advance(client, "2026-01-10")
        body = {"external_customer_id": "c", "email": "c@c.test", "lago_invoice_ids": [invoice["lago_id"]]}
        asked = (await post(client, "/payment_requests", {"payment_request": body}))["payment_request"]
        payment = {"payment_request_id": asked["lago_id"], "amount_cents": 1000, "reference": "wire"}
        await post(client, "/payments", {"payment": payment})
        found = await logs(client, **{"resource_types[]": "PaymentRequest"})
        assert [one["activity_type"] for one in found] == ["payment_request.created", "payment.recorded"]
        assert {one["resource_id"] for one in found} == {asked["lago_id"]}
        assert {one["external_customer_id"] for one in found} == {"c"}
        assert found[1]["activity_object"]["amount_cents"] == 1000

    async def test_of_issuers(self, client, organization):
        await post(client, "/billing_entities", {"billing_entity": {"code": "e", "name": "E"}})
        await call(client, "PUT", "/billing_entities/e", {"billing_entity": {"name": "F"}})
        await call(client, "PUT", "/organizations", {"organization": {"email": "new@acme.test"}})
        found = await logs(client)
        assert [one["activity_type"] for one in found] == [
            "billing_entities.created",
            *["billing_entities.updated"] * 2,
        ]
        assert [one["activity_object_changes"] for one in found] == [
            {},
            {"name": ["E", "F"]},
            {"email": ["ops@acme.test", "new@acme.test"]},
        ]
        assert (found[0]["resource_type"], found[0]["activity_object"]["code"]) == ("BillingEntity", "e")

    async def test_of_what_the_page_leaves_out(self, client, database, organization):
        """Taxes, add-ons, sections, pricing units, alerts: whoever changes them leaves a trace, with what was before."""
        await kit.tax(client, code="vat", name="VAT")
        await add_on(client, "setup")
        section = {"code": "bank", "name": "Bank", "details": "IBAN"}
        await post(client, "/invoice_custom_sections", {"invoice_custom_section": section})
        unit = {"code": "credits", "name": "Credits", "short_name": "cr"}
        await post(client, "/pricing_units", {"pricing_unit": unit})
        who = await kit.customer(client, external_id="c")
        await kit.subscribe(client, who, await kit.plan(client), external_id="s")
        alert = {"alert_type": "current_usage_amount", "code": "high", "thresholds": [{"value": "10"}]}
        await post(client, "/subscriptions/s/alerts", {"alert": alert})
        higher = [{"value": "20"}]
        for path, body in (
            ("/taxes/vat", {"tax": {"rate": "7"}}),
            ("/add_ons/setup", {"add_on": {"amount_cents": 500, "tax_codes": ["vat"]}}),
            ("/invoice_custom_sections/bank", {"invoice_custom_section": {"details": "BIC"}}),
            ("/pricing_units/credits", {"pricing_unit": {"name": "Coins"}}),
            ("/subscriptions/s/alerts/high", {"alert": {"thresholds": higher}}),
        ):
            await call(client, "PUT", path, body)
        shown = {one["resource_type"]: one for one in await logs(client) if one["activity_object_changes"]}
        known = {"code": None, "recurring": False}
        assert {name: one["activity_object_changes"] for name, one in shown.items()} == {
            "Customer": {"currency": [None, "EUR"]},
            "Tax": {"rate": ["20", "7"]},
            "AddOn": {"amount_cents": [1000, 500], "tax_codes": [[], ["vat"]]},
            "InvoiceCustomSection": {"details": ["IBAN", "BIC"]},
            "PricingUnit": {"name": ["Credits", "Coins"]},
            "Alert": {"thresholds": [[{"value": "10", **known}], [{"value": "20", **known}]]},
        }
        assert shown["Tax"]["activity_object"]["rate"] == 7.0
        assert (shown["Alert"]["external_customer_id"], shown["Alert"]["external_subscription_id"]) == (
            "c",
            "s",
        )
        for path in (
            "/subscriptions/s/alerts",
            "/taxes/vat",
            "/add_ons/setup",
            "/invoice_custom_sections/bank",
        ):
            await call(client, "DELETE", path)
        gone = [one for one in await logs(client) if one["activity_type"].endswith(".deleted")]
        assert [one["activity_object"]["code"] for one in gone] == ["high", "vat", "setup", "bank"]

    def test_that_can_be_have_something_to_show(self):
        assert {type_.split(".")[0] for type_ in TYPES} - RESOURCES.keys() == {
            "email", "order", "order_form", "quote",  # an e-mail shows itself, on what it brings
        }  # fmt: skip
        assert {object_type for object_type, _ in RESOURCES.values()} <= LOADERS.keys()


class TestLargeObjects:
    async def test_an_invoice_of_more_than_25_fees_is_logged_without(self, client):
        for number in range(26):
            await add_on(client, f"a{number}")
        who = await kit.customer(client)
        await one_off(client, who, *(f"a{number}" for number in range(25)))
        await one_off(client, who, *(f"a{number}" for number in range(26)))
        few, many = await logs(client, **{"activity_types[]": "invoice.one_off_created"})
        assert len(few["activity_object"]["fees"]) == 25
        assert "fees" not in many["activity_object"]
        assert many["activity_object"]["total_amount_cents"] == 26_000

    def test_a_plan_of_many_charges_or_filters_is_logged_without(self):
        def plan(*filters: int):
            return {"code": "p", "charges": [{"filters": [{}] * count} for count in filters]}

        for kept, dropped in ((plan(*[0] * 50), plan(*[0] * 51)), (plan(60, 40), plan(60, 41))):
            assert without_bulk("plan", kept) == kept
            assert without_bulk("plan", dropped) == {"code": "p"}
            assert without_bulk("subscription", {"plan": dropped}) == {"plan": {"code": "p"}}


class TestOpenEntries:
    """Of what is done by itself the objects are written soon after, by whoever comes first."""

    @pytest.fixture
    async def live(self, make_organization):
        return await make_organization()

    async def opened(self, database, organization):
        async with database.tenant(organization.id) as tx:
            await tx.execute(text("UPDATE activity_logs SET object = NULL, is_open = true"))

    async def test_are_closed_beside_the_queue(self, live, database, application):
        await kit.plan(live.client, code="p")
        await self.opened(database, live)
        while await application.chronicler.close_some():
            pass
        async with database.tenant(live.id) as tx:
            (row,) = await tx.execute(select(activity_logs))
        assert not row.is_open
        assert json.loads(row.object)["code"] == "p"

    async def test_are_closed_when_they_are_read(self, live, database):
        await kit.plan(live.client, code="p")
        await self.opened(database, live)
        (entry,) = await logs(live.client)
        assert entry["activity_object"]["code"] == "p"
        await self.opened(database, live)
        one = (await get(live.client, f"/activity_logs/{entry['activity_id']}"))["activity_log"]
        assert one["activity_object"]["code"] == "p"

    async def test_that_can_not_be_shown_hold_back_no_others(self, live, database, application):
        await kit.plan(live.client, code="p")
        await kit.plan(live.client, code="q")
        await self.opened(database, live)
        async with database.system() as connection:
            await connection.execute(
                text(
                    "UPDATE activity_logs SET object_id = gen_random_uuid() WHERE id ="
                    " (SELECT id FROM activity_logs WHERE organization_id = :id ORDER BY id LIMIT 1)"
                ),
                {"id": live.id},
            )
        while await application.chronicler.close_some():
            pass
        gone, kept = await logs(live.client)
        assert gone["activity_object"] is None
        assert kept["activity_object"]["code"] == "q"

    async def test_of_a_clock_that_moves_wait(self, client, organization, database, application):
        await kit.plan(client)
        await self.opened(database, organization)
        set_status = text("UPDATE test_clocks SET status = :status WHERE organization_id = :id")
        async with database.system() as connection:
            await connection.execute(set_status, {"status": "advancing", "id": organization.id})
        await application.chronicler.close_some()
        async with database.tenant(organization.id) as tx:
            assert (await tx.execute(select(activity_logs.c.is_open))).scalar_one()
        async with database.system() as connection:
            await connection.execute(set_status, {"status": "ready", "id": organization.id})


class TestLists:
    async def test_are_newest_first_and_paged(self, client):
        for number in range(3):
            await kit.plan(client, code=f"p{number}")
        listed = await get(client, "/activity_logs", per_page=2)
        assert [one["activity_object"]["code"] for one in listed["activity_logs"]] == ["p2", "p1"]
        assert listed["meta"]["total_count"] == 3

    async def test_are_filtered(self, client):
        made = await kit.plan(client, code="p")
        await kit.advance(client, "2026-01-03")
        await kit.customer(client, external_id="c")
        plan, customer = ["plan.created"], ["customer.created"]
        for query, found in (
            ({}, plan + customer),
            ({"activity_types[]": "plan.created"}, plan),
            ({"activity_types[]": ["plan.created", "customer.created"]}, plan + customer),
            ({"activity_types[]": "plan.updated"}, []),
            ({"activity_sources[]": "api"}, plan + customer),
            ({"activity_sources[]": ["front", "system"]}, []),
            ({"user_emails[]": "a@b.co"}, []),
            ({"external_customer_id": "c"}, customer),
            ({"external_subscription_id": "c"}, []),
            ({"resource_ids[]": made["lago_id"]}, plan),
            ({"resource_ids[]": [made["lago_id"], "x"]}, plan),
            ({"resource_ids[]": "x"}, []),
            ({"resource_types[]": "Plan"}, plan),
            ({"from_date": "2026-01-02"}, customer),
            ({"from_date": "2026-01-03T00:00:01Z"}, []),
            ({"to_date": "2026-01-02T23:00:00Z"}, plan),
            ({"to_date": "2026-01-03"}, plan + customer),
            ({"to_date": "2026-01-03T00:00:00Z"}, plan + customer),
        ):
            assert await types(client, **query) == found, query

    @pytest.mark.parametrize(
        ("query", "details"),
        [
            ({"from_date": "x"}, {"from_date": ["invalid_date"]}),
            ({"to_date": "2026-13-01"}, {"to_date": ["invalid_date"]}),
            ({"activity_types[]": "plan.sold"}, {"activity_types": ["value_is_invalid"]}),
            ({"activity_sources[]": "mars"}, {"activity_sources": ["value_is_invalid"]}),
            ({"resource_types[]": "Wheel"}, {"resource_types": ["value_is_invalid"]}),
        ],
    )
    async def test_name_a_filter_that_is_none(self, client, query, details):
        assert (await get(client, "/activity_logs", expect=422, **query))["error_details"] == details


class TestRetention:
    async def test_older_ones_are_not_shown(self, client):
        await kit.plan(client)
        (entry,) = await logs(client)
        await kit.advance(client, "2026-01-30T23:59")
        assert len(await logs(client)) == 1
        await kit.advance(client, "2026-01-31T00:01")
        assert await logs(client) == []
        await get(client, f"/activity_logs/{entry['activity_id']}", expect=404)

    async def test_older_ones_go_by_the_clock_of_their_organization(
        self, client, organization, make_organization, database
    ):
        live = await make_organization()
        for one in (client, live.client):
            await kit.plan(one)

        async def left(of):
            async with database.tenant(of.id) as tx:
                made = select(activity_logs.c.id).where(activity_logs.c.activity_type == "plan.created")
                return len((await tx.execute(made)).all())

        kept, now = timedelta(days=30), datetime.now(UTC)
        await forget_old(database, now=now, kept=kept)
        assert [await left(organization), await left(live)] == [1, 1]
        await forget_old(database, now=now + timedelta(days=31), kept=kept)
        assert [await left(organization), await left(live)] == [1, 0]
        await kit.advance(client, "2026-02-01")
        await forget_old(database, now=now, kept=kept)
        assert await left(organization) == 0

    async def test_a_tenant_changes_and_deletes_none(self, client, organization, database):
        await kit.plan(client)
        for statement in ("DELETE FROM activity_logs", "UPDATE activity_logs SET activity_type = ''"):
            with pytest.raises(Exception, match="permission denied"):
                async with database.tenant(organization.id) as tx:
                    await tx.execute(text(statement))
