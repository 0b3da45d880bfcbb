"""Whoever changes money or people leaves a trace that says what was before and after (platform §10.1, §10.3).

A table for each part: one call after the other, each with the entries that it leaves.
"""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.kit import call, get, post
from tests.people import sign_up

from tallymark.rooms.customers import service as customers

START = "2026-01-01T00:00:00Z"
EVERY = {"per_page": 100}


@pytest.fixture
async def organization(make_organization):
    return await make_organization(START)


@pytest.fixture
async def client(organization):
    return organization.client


async def entries(client, **query):
    """The entries of the activity log, the oldest first."""
    return (await get(client, "/activity_logs", **EVERY, **query))["activity_logs"][::-1]


async def left_by(client, method, path, body=None, *, by=None):
    """What a call leaves in the log: (type, what it changed), and the entries themselves."""
    known = {entry["activity_id"] for entry in await entries(client)}
    await call(by or client, method, path, body)
    fresh = [entry for entry in await entries(client) if entry["activity_id"] not in known]
    return [(entry["activity_type"], entry["activity_object_changes"]) for entry in fresh], fresh


async def follow(client, *table):
    """Make calls, and compare what each leaves."""
    for method, path, body, expected in table:
        found, _ = await left_by(client, method, path, body)
        assert found == expected, f"{method} {path}"


async def add_on(client, **more):
    body = {"name": "Setup", "code": "setup", "amount_cents": 1000, "amount_currency": "EUR", **more}
    await post(client, "/add_ons", {"add_on": body})


async def one_off(client, external_id="c"):
    body = {"external_customer_id": external_id, "currency": "EUR", "fees": [{"add_on_code": "setup"}]}
    return (await post(client, "/invoices", {"invoice": body}))["invoice"]


@pytest.fixture
async def invoice(client):
    """An invoice of 10.00 for customer c."""
    await kit.customer(client, external_id="c", currency="EUR")
    await add_on(client)
    return await one_off(client)


class TestWallets:
    @pytest.fixture
    async def path(self, client):
        await kit.customer(client, external_id="c", currency="EUR")
        body = {"external_customer_id": "c", "rate_amount": "1", "currency": "EUR", "name": "w"}
        made = (await post(client, "/wallets", {"wallet": body}))["wallet"]
        return f"/wallets/{made['lago_id']}"

    async def test_notes_by_both_families_of_paths(self, client, path):
        code = (await get(client, path))["wallet"]["code"]
        of_customer = f"/customers/c/wallets/{code}"

        def noted(before, after):
            return [("wallet.updated", {"metadata": [before, after]})]

        a, b = {"a": "1"}, {"b": "2"}
        await follow(
            client,
            ("POST", f"{path}/metadata", {"metadata": a}, noted(None, a)),
            ("POST", f"{path}/metadata", {"metadata": a}, []),
            ("PUT", f"{path}/metadata", {"metadata": b}, noted(a, {**a, **b})),
            ("PATCH", f"{path}/metadata", {"metadata": {}}, []),
            ("DELETE", f"{path}/metadata/a", None, noted({**a, **b}, b)),
            ("DELETE", f"{path}/metadata", None, noted(b, None)),
            ("POST", f"{of_customer}/metadata", {"metadata": a}, noted(None, a)),
            ("PUT", f"{of_customer}/metadata", {"metadata": b}, noted(a, {**a, **b})),
            ("DELETE", f"{of_customer}/metadata/b", None, noted({**a, **b}, a)),
            ("DELETE", f"{of_customer}/metadata", None, noted(a, None)),
        )

    async def test_rules_sections_and_the_end(self, client, path):
        section = {"code": "bank", "name": "Bank", "details": "IBAN"}
        await post(client, "/invoice_custom_sections", {"invoice_custom_section": section})
        asked = {"trigger": "threshold", "threshold_credits": "2", "paid_credits": "10"}
        found, _ = await left_by(client, "PUT", path, {"wallet": {"recurring_transaction_rules": [asked]}})
        ((kind, changed),) = found
        assert (kind, list(changed)) == ("wallet.updated", ["recurring_transaction_rules"])
        before, (rule,) = changed["recurring_transaction_rules"]
        assert before == []
        assert (rule["trigger"], rule["method"], rule["paid_credits"]) == ("threshold", "fixed", "10.00000")
        printed = {"invoice_custom_section": {"invoice_custom_section_codes": ["bank"]}}
        chosen = {"invoice_custom_section_codes": [[], ["bank"]]}
        ended = {"status": ["active", "terminated"], "terminated_at": [None, START]}
        await follow(
            client,
            ("PUT", path, {"wallet": printed}, [("wallet.updated", chosen)]),
            (
                "PUT",
                path,
                {"wallet": {"recurring_transaction_rules": []}},
                [("wallet.updated", {"recurring_transaction_rules": [[rule], []]})],
            ),
            ("DELETE", path, None, [("wallet.terminated", ended)]),
            ("DELETE", path, None, []),
        )

    async def test_a_rule_whose_time_has_come(self, client, path):
        rule = {"trigger": "interval", "interval": "yearly", "granted_credits": "1"}
        rule["expiration_at"] = "2026-01-20T00:00:00Z"
        await call(client, "PUT", path, {"wallet": {"recurring_transaction_rules": [rule]}})
        await kit.advance(client, "2026-01-21")
        (_, kept), (entry, ended) = [
            (one, one["activity_object_changes"]["recurring_transaction_rules"])
            for one in await entries(client, **{"activity_types[]": "wallet.updated"})
            if "recurring_transaction_rules" in one["activity_object_changes"]
        ]
        assert ended == [kept[1], []]
        assert ended[0][0]["expiration_at"] == "2026-01-20T00:00:00Z"
        assert (entry["activity_source"], entry["logged_at"]) == ("system", "2026-01-20T00:00:00Z")


class TestInvoices:
    async def test_what_is_noted_by_hand(self, client, invoice):
        path = f"/invoices/{invoice['lago_id']}"
        note = {"key": "po", "value": "7"}
        failed = {"payment_status": ["pending", "failed"]}
        await follow(
            client,
            (
                "PUT",
                path,
                {"invoice": {"payment_status": "failed"}},
                [("invoice.payment_status_updated", {}), ("invoice.updated", failed)],
            ),
            (
                "PUT",
                path,
                {"invoice": {"metadata": [note]}},
                [("invoice.updated", {"metadata": [{}, {"po": "7"}]})],
            ),
            (
                "PUT",
                path,
                {"invoice": {"metadata": []}},
                [("invoice.updated", {"metadata": [{"po": "7"}, {}]})],
            ),
        )

    async def test_a_lost_dispute(self, client, invoice):
        path = f"/invoices/{invoice['lago_id']}/lose_dispute"
        await kit.advance(client, "2026-02-10")
        lost = {
            "payment_overdue": [True, False],
            "payment_dispute_lost_at": [None, "2026-02-10T00:00:00Z"],
        }
        found, (entry,) = await left_by(client, "POST", path)
        assert found == [("invoice.payment_dispute_lost", lost)]
        assert (entry["resource_type"], entry["resource_id"]) == ("Invoice", invoice["lago_id"])
        assert (entry["external_customer_id"], entry["activity_source"]) == ("c", "api")
        assert entry["activity_object"]["number"] == invoice["number"]
        await follow(client, ("PUT", path, None, []))

    async def test_of_drafts(self, client):
        """31.00 of January with nothing used: told as 2 units of 10.00, then as it was."""
        plan = await kit.plan(client, amount_cents=3100)
        who = await kit.customer(client, external_id="c", billing_configuration={"invoice_grace_period": 3})
        await kit.subscribe(client, who, plan)
        await kit.advance(client, "2026-02-01T01:00")
        (draft,) = await kit.invoices(client, who)
        (fee,) = draft["fees"]
        path = f"/invoices/{draft['lago_id']}"
        told = {"fee_id": fee["lago_id"], "units": "2", "unit_precise_amount": "10"}
        found, _ = await left_by(client, "POST", f"{path}/adjusted_fees", {"adjusted_fee": told})
        ((kind, changed),) = found
        before, (adjusted,) = changed.pop("adjusted_fees")
        assert (kind, before, adjusted["units"]) == ("invoice.updated", [], "2")
        assert adjusted["unit_precise_amount"] == "10"
        money = (
            "fees_amount_cents",
            "sub_total_excluding_taxes_amount_cents",
            "sub_total_including_taxes_amount_cents",
            "total_amount_cents",
        )
        assert changed == {name: [3100, 2000] for name in money}
        await follow(
            client,
            (
                "DELETE",
                f"{path}/adjusted_fees/{adjusted['id']}",
                None,
                [
                    (
                        "invoice.updated",
                        {"adjusted_fees": [[adjusted], []], **{name: [2000, 3100] for name in money}},
                    )
                ],
            ),
            ("PUT", f"{path}/refresh", None, []),
        )

    async def test_a_draft_that_is_closed_as_somebody_finalizes_it(self, client):
        who = await kit.customer(
            client,
            external_id="c",
            finalize_zero_amount_invoice="skip",
            billing_configuration={"invoice_grace_period": 3},
        )
        await kit.subscribe(client, who, await kit.plan(client))
        await kit.advance(client, "2026-02-01T01:00")
        (draft,) = await kit.invoices(client, who)
        found, _ = await left_by(client, "PUT", f"/invoices/{draft['lago_id']}/finalize")
        ((kind, changed),) = found
        assert (kind, changed["status"]) == ("invoice.updated", ["draft", "closed"])


class TestFees:
    async def test_that_are_on_no_invoice(self, client):
        metric = await kit.metric(client, "count_agg", code="calls")
        at_once = {"pay_in_advance": True, "invoiceable": False}
        plan = await kit.plan(client, {**kit.charge(metric), **at_once})
        await kit.subscribe(client, await kit.customer(client, external_id="c"), plan, external_id="s")
        event = {"external_subscription_id": "s", "code": "calls", "transaction_id": "t"}
        await post(client, "/events", {"event": event})
        (fee,) = (await get(client, "/fees"))["fees"]
        path = f"/fees/{fee['lago_id']}"
        paid = {"payment_status": ["pending", "succeeded"], "succeeded_at": [None, START]}
        await follow(client, ("PUT", path, {"fee": {"payment_status": "succeeded"}}, [("fee.updated", paid)]))
        found, (entry,) = await left_by(client, "DELETE", path)
        assert found == [("fee.deleted", {})]
        assert (entry["resource_type"], entry["resource_id"]) == ("Fee", fee["lago_id"])
        assert entry["external_customer_id"] == "c"
        assert entry["activity_object"]["lago_id"] == fee["lago_id"]
        assert entry["activity_object"]["amount_cents"] == 100


class TestCreditNotes:
    async def test_refunds_notes_and_the_rest_of_a_credit(self, client, invoice):
        payment = {"invoice_id": invoice["lago_id"], "amount_cents": 1000, "reference": "wire"}
        await post(client, "/payments", {"payment": payment})
        body = {
            "invoice_id": invoice["lago_id"],
            "reason": "other",
            "credit_amount_cents": 300,
            "refund_amount_cents": 200,
            "items": [{"fee_id": invoice["fees"][0]["lago_id"], "amount_cents": 500}],
        }
        made = (await post(client, "/credit_notes", {"credit_note": body}))["credit_note"]
        path = f"/credit_notes/{made['lago_id']}"
        refunded = {"refund_status": ["pending", "succeeded"], "refunded_at": [None, START]}

        def noted(before, after):
            return [("credit_note.updated", {"metadata": [before, after]})]

        a, b = {"a": "1"}, {"b": "2"}
        both = {**a, **b}
        change = {"refund_status": "succeeded", "metadata": a}
        voided = {"credit_status": ["available", "voided"], "balance_amount_cents": [300, 0]}
        await follow(
            client,
            (
                "PUT",
                path,
                {"credit_note": change},
                [("credit_note.updated", {**refunded, "metadata": [None, a]})],
            ),
            ("PUT", f"{path}/metadata", {"metadata": b}, noted(a, both)),
            ("PUT", f"{path}/metadata", {"metadata": b}, []),
            ("DELETE", f"{path}/metadata/a", None, noted(both, b)),
            ("POST", f"{path}/metadata", {"metadata": a}, noted(b, a)),
            ("DELETE", f"{path}/metadata", None, noted(a, None)),
            ("PUT", f"{path}/void", None, [("credit_note.voided", voided)]),
        )


class TestCustomers:
    async def test_addresses_notes_taxes_and_sections(self, client):
        await kit.tax(client, code="vat", applied_to_organization=False)
        section = {"code": "bank", "name": "Bank", "details": "IBAN"}
        await post(client, "/invoice_custom_sections", {"invoice_custom_section": section})
        await kit.customer(client, external_id="c", name="C", city="Bonn", shipping_address={"city": "Ulm"})
        note = {"key": "k", "value": "v", "display_in_invoice": True}

        def changed(sent, **different):
            return ("POST", "/customers", {"customer": {"external_id": "c", **sent}}, [
                ("customer.updated", different)
            ])  # fmt: skip

        await follow(
            client,
            changed({"city": "Köln"}, city=["Bonn", "Köln"]),
            changed({"shipping_address": {"city": "Rom"}}, shipping_address=[{"city": "Ulm"}, {"city": "Rom"}]),
            changed({"metadata": [note]}, metadata=[[], [note]]),
            changed({"tax_codes": ["vat"]}, tax_codes=[[], ["vat"]]),
            changed({"invoice_custom_section_codes": ["bank"]}, invoice_custom_section_codes=[[], ["bank"]]),
            changed({"skip_invoice_custom_sections": True},
                    skip_invoice_custom_sections=[False, True], invoice_custom_section_codes=[["bank"], []]),
        )  # fmt: skip

    async def test_the_currency_of_the_first_thing_sold(self, client):
        await kit.customer(client, external_id="c")
        body = {"external_customer_id": "c", "rate_amount": "1", "currency": "EUR"}
        found, _ = await left_by(client, "POST", "/wallets", {"wallet": body})
        assert ("customer.updated", {"currency": [None, "EUR"]}) in found

    async def test_payment_methods(self, client, organization, database):
        configured = {"payment_provider": "stripe", "payment_provider_code": "eu"}
        who = await kit.customer(client, external_id="c", billing_configuration=configured)
        ids = []
        async with database.tenant(organization.id) as tx:
            customer = await customers.get_customer(tx, external_id="c")
            for name in ("pm_1", "pm_2"):
                made = await customers.add_payment_method(
                    tx, customer, name, now=datetime(2026, 1, 1, tzinfo=UTC)
                )
                ids.append(str(made.id))
        first, second = ids
        path = f"/customers/c/payment_methods/{first}"
        found, (entry,) = await left_by(client, "PUT", f"{path}/set_as_default")
        assert found == [("customer.updated", {"default_payment_method_id": [second, first]})]
        assert entry["resource_id"] == who["lago_id"]
        ((kind, changed),) = (await left_by(client, "DELETE", path))[0]
        before, after = changed["payment_method"]
        assert (kind, before["provider_method_id"], before["is_default"], after) == (
            "customer.updated", "pm_1", True, None,
        )  # fmt: skip

    async def test_what_ends_with_a_customer(self, client):
        await kit.customer(client, external_id="c", currency="EUR")
        plan = await kit.plan(client)
        await kit.subscribe(client, {"external_id": "c"}, plan, external_id="s", subscription_at="2026-03-01")
        coupon = {"name": "k", "code": "k", "coupon_type": "percentage", "percentage_rate": "10"}
        coupon |= {"frequency": "forever", "expiration": "no_expiration"}
        await post(client, "/coupons", {"coupon": coupon})
        given = {"external_customer_id": "c", "coupon_code": "k"}
        applied = (await post(client, "/applied_coupons", {"applied_coupon": given}))["applied_coupon"]
        found, fresh = await left_by(client, "DELETE", "/customers/c")
        assert sorted(found) == [
            ("applied_coupon.deleted", {}),
            ("customer.deleted", {}),
            ("subscription.canceled", {}),
        ]
        assert applied["lago_id"] in {entry["activity_object"]["lago_id"] for entry in fresh}

    async def test_what_they_change_of_themselves(self, client, application):
        await kit.customer(client, external_id="c", city="Bonn")
        url = (await get(client, "/customers/c/portal_url"))["customer"]["portal_url"]
        headers = {"Authorization": f"Bearer {url.rsplit('/', 1)[-1]}"}
        transport = httpx.ASGITransport(application.asgi)
        at = "http://test/portal/v1"
        async with httpx.AsyncClient(transport=transport, base_url=at, headers=headers) as portal:
            found, (entry,) = await left_by(client, "PUT", "/me", {"customer": {"city": "Köln"}}, by=portal)
        assert found == [("customer.updated", {"city": ["Bonn", "Köln"]})]
        assert (entry["activity_source"], entry["user_email"]) == ("front", None)


class TestCoupons:
    TERMS = {
        "name": "k",
        "code": "k",
        "coupon_type": "percentage",
        "percentage_rate": "10",
        "frequency": "forever",
    }

    async def test_for_what_they_are(self, client):
        await kit.plan(client, code="p")
        await post(client, "/coupons", {"coupon": {**self.TERMS, "expiration": "no_expiration"}})
        aimed = {"limited_plans": [False, True], "plan_codes": [[], ["p"]]}
        await follow(
            client,
            (
                "PUT",
                "/coupons/k",
                {"coupon": {"applies_to": {"plan_codes": ["p"]}}},
                [("coupon.updated", aimed)],
            ),
        )

    async def test_that_are_withdrawn_from_those_who_have_them(self, client):
        await kit.customer(client, external_id="c")
        await post(client, "/coupons", {"coupon": {**self.TERMS, "expiration": "no_expiration"}})
        given = {"external_customer_id": "c", "coupon_code": "k"}
        await post(client, "/applied_coupons", {"applied_coupon": given})
        found, _ = await left_by(client, "DELETE", "/coupons/k")
        assert found == [("applied_coupon.deleted", {}), ("coupon.deleted", {})]

    async def test_whose_time_has_come(self, client):
        until = {"expiration": "time_limit", "expiration_at": "2026-02-01T00:00:00Z"}
        await post(client, "/coupons", {"coupon": {**self.TERMS, **until}})
        await kit.advance(client, "2026-02-02")
        (entry,) = await entries(client, **{"activity_types[]": "coupon.updated"})
        assert entry["activity_object_changes"] == {
            "status": ["active", "terminated"],
            "terminated_at": [None, "2026-02-01T00:00:00Z"],
        }
        assert entry["activity_source"] == "system"


class TestOrganizations:
    async def test_issuers_and_own_settings(self, client):
        await kit.tax(client, code="vat", applied_to_organization=False)
        section = {"code": "bank", "name": "Bank", "details": "IBAN"}
        await post(client, "/invoice_custom_sections", {"invoice_custom_section": section})
        await post(client, "/billing_entities", {"billing_entity": {"code": "e", "name": "E"}})
        chosen = {"tax_codes": ["vat"], "invoice_custom_section_codes": ["bank"]}
        changed = {name: [[], codes] for name, codes in chosen.items()}
        metering = {"metering": {"late_event_policy": "open_period", "late_event_window_days": 3}}
        found, _ = await left_by(client, "PUT", "/organizations", {"organization": metering})
        late = {"late_event_window_days": [None, 3], "late_event_policy": ["reject", "open_period"]}
        assert found == [("billing_entities.updated", {}), ("organization.updated", late)]
        await follow(
            client,
            (
                "PUT",
                "/billing_entities/e",
                {"billing_entity": chosen},
                [("billing_entities.updated", changed)],
            ),
        )
        (told,) = (await get(client, "/security_logs", to_date="2026-12-31"))["security_logs"][:1]
        assert told["resources"]["tax_codes"] == {"deleted": [], "added": ["vat"]}

    async def test_what_the_operator_changes(self, client, organization, nobody):
        nobody.headers["X-Admin-API-Key"] = ADMIN_KEY
        path = f"http://test/admin/organizations/{organization.id}"
        found, (entry,) = await left_by(client, "PUT", path, {"name": "Pied Piper"}, by=nobody)
        assert found == [("organization.updated", {"name": ["Acme", "Pied Piper"]})]
        assert (entry["resource_type"], entry["resource_id"]) == ("Organization", str(organization.id))
        assert entry["activity_object"]["name"] == "Pied Piper"
        await call(nobody, "PUT", f"{path}/limits", {"members": 5})
        await call(nobody, "PUT", f"{path}/limits", {"members": 5})
        (told,) = (await get(client, "/security_logs", to_date="2026-12-31"))["security_logs"]
        assert (told["log_event"], told["logged_at"]) == ("organization.updated", START)
        assert told["resources"] == {"limits": {"members": {"deleted": None, "added": 5}}}

    async def test_clocks_that_are_moved(self, client, organization):
        moved = {"frozen_time": [START, "2026-01-02T00:00:00Z"]}
        to = {"test_clock": {"to": "2026-01-02T00:00:00Z"}}
        found, (entry,) = await left_by(client, "POST", "/test_clock/advance", to)
        assert found == [("test_clock.advanced", moved)]
        assert (entry["activity_source"], entry["resource_id"]) == ("api", str(organization.id))
        await follow(client, ("POST", "/test_clock/advance", to, []))


class TestPeople:
    """What lets somebody in is in the security log."""

    @pytest.fixture
    async def admin(self, application):
        person = await sign_up(application)
        person.browser.headers["X-Lago-Organization"] = person.organization_id
        return person.browser

    async def told(self, admin):
        admin.base_url = "http://test/api/v1"
        found = await get(admin, "/security_logs", to_date="2099-01-01")
        admin.base_url = "http://test/app/v1"
        return [(one["log_event"], one["resources"]) for one in found["security_logs"]]

    async def test_an_invitation_that_is_taken_back(self, admin):
        body = {"email": "new@acme.test", "roles": ["finance"]}
        invite = (await post(admin, "/invites", body))["invite"]
        await call(admin, "DELETE", f"/invites/{invite['lago_id']}")
        assert (await self.told(admin))[0] == ("user.invite_revoked", body)

    async def test_providers_and_methods(self, admin):
        settings = {
            "domain": "acme.test",
            "client_id": "c",
            "client_secret": "s",
            "issuer": "https://id.acme.test",
        }
        path = "/identity_providers/oidc"
        await call(admin, "PUT", path, settings)
        await call(admin, "PUT", path, {**settings, "client_id": "d", "client_secret": "t"})
        both = {"authentication_methods": ["email_password", "oidc"]}
        before = (await get(admin, "/authentication_methods"))["authentication_methods"]
        await call(admin, "PUT", "/authentication_methods", both)
        await call(admin, "PUT", "/authentication_methods", both)
        await call(admin, "DELETE", path)
        named = {"integration_type": "oidc", "domain": "acme.test"}
        deleted, methods, updated, created = (await self.told(admin))[:4]
        assert created == ("integration.created", named)
        assert updated == (
            "integration.updated",
            {
                **named,
                "client_id": {"deleted": "c", "added": "d"},
                "client_secret": {"deleted": "[FILTERED]", "added": "[FILTERED]"},
            },
        )
        after = both["authentication_methods"]
        assert methods == (
            "integration.updated",
            {"authentication_methods": {"deleted": before, "added": after}},
        )
        assert deleted == (
            "integration.deleted",
            {**named, "authentication_methods": {"deleted": after, "added": ["email_password"]}},
        )
