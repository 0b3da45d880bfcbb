"""Whoever changes anything leaves a trace that says who it was and what was before, or there is a reason why not.

Every route that writes is called once; a new one that nobody calls here fails the test.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests import kit
from tests.api.test_statements_of_lists import fill, remind
from tests.collecting import give_method
from tests.conftest import ADMIN_KEY
from tests.kit import get
from tests.people import PASSWORD, browser, join, sign_up
from tests.trail import Nothing, Walk

from tallymark.app import create_api, running
from tallymark.integrations.assistants.tools import TOOLS
from tallymark.settings import Settings

ROOT = Path(__file__).parents[2]

COMPUTES = Nothing("it computes and keeps nothing")
READS = Nothing("it reads; it is a POST for the length of what it asks")
REFUSES = Nothing("no provider is known here: it refuses, always")
ITS_OWN_RECORD = Nothing("an event is its own record, and is never changed")

SEEN_ELSEWHERE = {
    "POST /app/v1/organizations": "tests/rooms/test_users.py::TestOneMoreOrganization::test_is_for_who_may_sign_up",
    "POST /app/v1/sign_ups": "tests/rooms/test_users.py::TestSigningUp::test_confirms_the_address_and_makes_an_admin_of_an_organization",
    "POST /app/v1/sign_ups/{token}": "tests/rooms/test_users.py::TestSigningUp::test_confirms_the_address_and_makes_an_admin_of_an_organization",
    "POST /app/v1/password_resets": "tests/rooms/test_users.py::TestForgottenPasswords::test_are_replaced_by_a_link_once",
    "PUT /app/v1/password_resets": "tests/rooms/test_users.py::TestForgottenPasswords::test_are_replaced_by_a_link_once",
    "POST /app/v1/sso/attempts": "tests/rooms/test_sso.py::TestComingIn::test_is_logged",
    "POST /app/v1/sso/sessions": "tests/rooms/test_sso.py::TestComingIn::test_is_logged",
    "POST /app/v1/visits": "tests/office/test_visits.py::TestAVisit::test_is_ended_by_who_looks_in_or_by_other_staff",
    **dict.fromkeys(
        (
            "POST /app/v1/payment_providers",
            "PUT /app/v1/payment_providers/{lago_id}",
            "DELETE /app/v1/payment_providers/{lago_id}",
        ),
        "tests/rooms/test_payment_providers.py::TestConnections::test_are_told_in_the_security_log",
    ),
    "POST /webhooks/{kind}/{organization_id}": "tests/rooms/test_payment_providers.py::TestEvents::test_are_kept_once_and_heard",
    **dict.fromkeys(
        (
            "POST /portal/v1/invoices/{lago_id}/payment_url",
            "POST /portal/v1/wallet_transactions/{lago_id}/payment_url",
        ),
        "tests/rooms/test_payment_pages.py::TestPages::test_one_for_a_day",
    ),
    "POST /app/v1/welcome": "tests/rooms/test_users.py::TestTheFirst::test_comes_in_by_the_printed_link_once",
}
"""Doors through which people come in, and what has somebody outside asked, with what shows the trace that they leave."""


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory):
    """With a mail server in its settings, which nobody calls: e-mails are sent by workers."""
    options = Settings(
        admin_api_key=ADMIN_KEY, public_url="http://test", data_dir=tmp_path_factory.mktemp("data"),
        smtp_host="127.0.0.1", smtp_port=9, smtp_security="none", email_from="ops@acme.test",
    )  # fmt: skip
    async with running(options, database_url) as parts:
        yield parts


async def test_every_route_that_writes_leaves_a_trace(application, make_organization, nobody):
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    person = await join(application, organization.id, ADMIN_KEY)
    await fill(client, range(2))
    await kit.advance(client, "2026-02-02")
    await remind(client, range(2))
    papers = ["invoice.finalized", "credit_note.created", "payment_receipt.created"]
    await kit.call(client, "PUT", "/organizations", {"organization": {"email_settings": papers}})
    walk = Walk(create_api(), application.database)

    await of_the_catalog(walk, client)
    await of_plans(walk, client)
    await of_subscriptions(walk, client)
    await of_customers(walk, client, application.database, organization)
    await of_events(walk, client)
    await of_invoices(walk, client, person)
    await of_money(walk, client, person)
    await of_the_portal(walk, client, application)
    await of_the_organization(walk, client, person, application, organization)
    await of_operators(walk, client, nobody, organization)
    await of_people(walk, client, person)
    await of_ends(walk, client)
    await of_doors(walk, application, person, nobody, organization)

    untaken = {name for name, endpoint in walk.routes() if endpoint not in walk.taken}
    assert sorted(untaken - SEEN_ELSEWHERE.keys()) == [], "routes that no step takes"
    assert sorted(SEEN_ELSEWHERE.keys() - untaken) == [], "routes that a step takes, too"
    assert walk.holes == {}


def test_what_is_seen_elsewhere_is():
    for node in SEEN_ELSEWHERE.values():
        path, *names = node.split("::")
        found = (ROOT / path).read_text()
        assert all(re.search(rf"(class|def) {name}\b", found) for name in names), node


def test_what_assistants_write_are_routes(application):
    """Their tools call the API: each of those that write is one of the routes above."""
    walk = Walk(create_api(), application.database)
    names = {re.sub(r"{[^}]*}", "{}", name) for name, _ in walk.routes()}
    for tool in TOOLS:
        if tool.writes:
            assert f"{tool.method} /api/v1{re.sub(r'{[^}]*}', '{}', tool.path)}" in names, tool.name


async def of_the_catalog(walk, client):
    step = walk.step
    tax = {"name": "T", "code": "t", "rate": "5"}
    await step(client, "POST /taxes", {"tax": tax}, "tax.created")
    await step(client, "PUT /taxes/t", {"tax": {"rate": "6"}}, "tax.updated")
    await step(client, "DELETE /taxes/t", None, "tax.deleted")
    add_on = {"name": "A", "code": "a", "amount_cents": 100, "amount_currency": "EUR"}
    await step(client, "POST /add_ons", {"add_on": add_on}, "add_on.created")
    await step(client, "PUT /add_ons/a", {"add_on": {"amount_cents": 5}}, "add_on.updated")
    await step(client, "DELETE /add_ons/a", None, "add_on.deleted")
    metric = {"name": "M", "code": "m", "aggregation_type": "count_agg"}
    await step(client, "POST /billable_metrics", {"billable_metric": metric}, "billable_metric.created")
    filters = [{"key": "cloud", "values": ["aws"]}]
    changed: Any = {"billable_metric": {"filters": filters}}
    await step(client, "PUT /billable_metrics/m", changed, "billable_metric.updated")
    await step(client, "DELETE /billable_metrics/m", None, "billable_metric.deleted")
    expression = {
        "expression": "event.properties.a * 2",
        "event": {"code": "m0", "timestamp": 1767225600, "properties": {"a": 2}},
    }
    await step(client, "POST /billable_metrics/evaluate_expression", expression, COMPUTES)
    unit = {"code": "u", "name": "U", "short_name": "u"}
    await step(client, "POST /pricing_units", {"pricing_unit": unit}, "pricing_unit.created")
    await step(client, "PUT /pricing_units/u", {"pricing_unit": {"name": "V"}}, "pricing_unit.updated")
    section = {"code": "s", "name": "S"}
    path = "/invoice_custom_sections"
    await step(client, f"POST {path}", {"invoice_custom_section": section}, "invoice_custom_section.created")
    changed = {"invoice_custom_section": {"details": "D"}}
    await step(client, f"PUT {path}/s", changed, "invoice_custom_section.updated")
    await step(client, f"DELETE {path}/s", None, "invoice_custom_section.deleted")
    privileges = [{"code": "max", "value_type": "integer"}, {"code": "min", "value_type": "integer"}]
    await step(
        client, "POST /features", {"feature": {"code": "f", "privileges": privileges}}, "feature.created"
    )
    changed = {"feature": {"privileges": [{"code": "max", "name": "Most"}]}}
    await step(client, "PUT /features/f", changed, "feature.updated")


async def of_plans(walk, client):
    step = walk.step
    metric, other = (
        await kit.metric(client, code="calls", filters=[{"key": "cloud", "values": ["aws", "gcp"]}]),
        await kit.metric(client, code="bytes"),
    )
    plan = {
        "name": "P", "code": "plan", "interval": "monthly", "amount_cents": 100, "amount_currency": "EUR", "pay_in_advance": False,
        "charges": [{**kit.charge(metric), "code": "calls"}],
    }  # fmt: skip
    await step(client, "POST /plans", {"plan": plan}, "plan.created")
    changed: Any = {"plan": {"charges": [{**kit.charge(metric, amount="2"), "code": "calls"}]}}
    await step(client, "PUT /plans/plan", changed, "plan.updated")
    charge = {**kit.charge(other), "code": "bytes"}
    await step(client, "POST /plans/plan/charges", {"charge": charge}, "plan.updated")
    changed = {"charge": {"charge_model": "standard", "properties": {"amount": "3"}}}
    await step(client, "PUT /plans/plan/charges/calls", changed, "plan.updated")
    await step(client, "DELETE /plans/plan/charges/bytes", None, "plan.updated")
    one = {"filter": {"values": {"cloud": ["aws"]}, "properties": {"amount": "4"}}}
    path = "/plans/plan/charges/calls/filters"
    made = (await step(client, f"POST {path}", one, "plan.updated"))["filter"]
    dearer = {"filter": {"properties": {"amount": "5"}}}
    await step(client, f"PUT {path}/{made['lago_id']}", dearer, "plan.updated")
    await step(client, f"DELETE {path}/{made['lago_id']}", None, "plan.updated")
    fixed: dict[str, Any] = {
        "code": "seats",
        "add_on_code": "addon_0",
        "charge_model": "standard",
        "units": "1",
    }
    fixed["properties"] = {"amount": "1"}
    path = "/plans/plan/fixed_charges"
    await step(client, f"POST {path}", {"fixed_charge": fixed}, "plan.updated")
    await step(client, f"PUT {path}/seats", {"fixed_charge": {"units": "2"}}, "plan.updated")
    await step(client, f"DELETE {path}/seats", None, "plan.updated")
    path = "/plans/plan/metadata"
    await step(client, f"POST {path}", {"metadata": {"a": "b", "c": "d"}}, "plan.updated")
    await step(client, f"PATCH {path}", {"metadata": {"a": "c"}}, "plan.updated")
    await step(client, f"DELETE {path}/a", None, "plan.updated")
    await step(client, f"DELETE {path}", None, "plan.updated")
    path = "/plans/plan/entitlements"
    await step(client, f"POST {path}", {"entitlements": {"f": {"max": 1, "min": 0}}}, "plan.updated")
    await step(client, f"PATCH {path}", {"entitlements": {"f": {"max": 2}}}, "plan.updated")
    await step(client, f"DELETE {path}/f/privileges/max", None, "plan.updated")
    await step(client, f"DELETE {path}/f", None, "plan.updated")
    await step(client, f"POST {path}", {"entitlements": {"f": {"max": 1, "min": 0}}}, "plan.updated")


async def of_subscriptions(walk, client):
    step = walk.step
    seats = {"code": "seats", "add_on_code": "addon_0", "charge_model": "standard", "units": "1"}
    await kit.post(
        client, "/plans/plan/fixed_charges", {"fixed_charge": {**seats, "properties": {"amount": "1"}}}
    )
    body = {"external_customer_id": "payer", "plan_code": "plan", "external_id": "sub"}
    await step(client, "POST /subscriptions", {"subscription": body}, "subscription.started")
    path = "/subscriptions/sub"
    changed = {"subscription": {"name": "S", "plan_overrides": {"amount_cents": 50}}}
    await step(client, f"PUT {path}", changed, "subscription.updated")
    await step(
        client,
        f"PUT {path}/charges/calls",
        {"charge": {"properties": {"amount": "9"}}},
        "subscription.updated",
    )
    one = {"filter": {"values": {"cloud": ["aws"]}, "properties": {"amount": "4"}}}
    made = (await step(client, f"POST {path}/charges/calls/filters", one, "subscription.updated"))["filter"]
    of_filter = f"{path}/charges/calls/filters/{made['lago_id']}"
    await step(
        client, f"PUT {of_filter}", {"filter": {"properties": {"amount": "5"}}}, "subscription.updated"
    )
    await step(client, f"DELETE {of_filter}", None, "subscription.updated")
    units = {"fixed_charge": {"units": "7"}}
    await step(client, f"PUT {path}/fixed_charges/seats", units, "subscription.updated")
    given = {"entitlements": {"f": {"max": 9, "min": 3}}}
    await step(client, f"PATCH {path}/entitlements", given, "subscription.updated")
    await step(client, f"DELETE {path}/entitlements/f/privileges/max", None, "subscription.updated")
    await step(client, f"DELETE {path}/entitlements/f", None, "subscription.updated")
    amount = {"lifetime_usage": {"external_historical_usage_amount_cents": 5}}
    await step(client, f"PUT {path}/lifetime_usage", amount, "subscription.updated")
    alert = {"alert_type": "current_usage_amount", "code": "high", "thresholds": [{"value": "10"}]}
    await step(client, f"POST {path}/alerts", {"alert": alert}, "alert.created")
    higher = {"alert": {"thresholds": [{"value": "20"}]}}
    await step(client, f"PUT {path}/alerts/high", higher, "alert.updated")
    await step(client, f"DELETE {path}/alerts/high", None, "alert.deleted")
    await kit.post(client, f"{path}/alerts", {"alert": alert})
    await step(client, f"DELETE {path}/alerts", None, "alert.deleted")


async def of_customers(walk, client, database, organization):
    step = walk.step
    linked = {"payment_provider": "stripe"}
    who = {"external_id": "c", "currency": "EUR", "billing_configuration": linked}
    await step(client, "POST /customers", {"customer": who}, "customer.created")
    changed = {"customer": {"external_id": "c", "city": "Rome"}}
    await step(client, "POST /customers", changed, "customer.updated")
    await step(client, "POST /customers/c/checkout_url", {}, REFUSES, expect=422)
    await give_method(database, organization.id, who, "pm_1")
    first = (await get(client, "/customers/c/payment_methods"))["payment_methods"][0]["lago_id"]
    await give_method(database, organization.id, who, "pm_2")
    methods = "/customers/c/payment_methods"
    await step(client, f"PUT {methods}/{first}/set_as_default", {}, "customer.updated")
    await step(client, f"DELETE {methods}/{first}", None, "customer.updated")


async def of_events(walk, client):
    step = walk.step
    event = {"code": "m0", "external_subscription_id": "s0", "properties": {"value": 2}}
    named = {"transaction_id": "w", **event}
    await step(client, "POST /events", {"event": named}, ITS_OWN_RECORD)
    await step(client, "POST /events/batch", {"events": [{**named, "transaction_id": "v"}]}, ITS_OWN_RECORD)
    why = {"external_subscription_id": "s0", "reason": "r"}
    amended = {"event": {**why, "properties": {"value": 3}}}
    await step(client, "POST /events/w/amend", amended, "history: event_versions")
    await step(client, "POST /events/v/void", {"event": why}, "history: event_versions")
    replayed = {"replay": {"from": "2026-02-01", "to": "2026-02-02"}}
    await step(client, "POST /events/replay", replayed, Nothing("it looks at events again, and changes none"))
    event = await paid_at_once(client)
    for name in ("estimate_fees", "estimate_instant_fees"):
        await step(client, f"POST /events/{name}", {"event": event}, COMPUTES)
    await step(client, "POST /events/batch_estimate_instant_fees", {"events": [event]}, COMPUTES)
    stretch = {"external_subscription_id": "s0", "code": "m0", "from": "2026-02-01", "to": "2026-02-02"}
    path, whole = "/event_backfills", {"event_backfill": {**stretch, "reason": "r"}}
    made = (await step(client, f"POST {path}", whole, "history: event_backfills"))["event_backfill"][
        "lago_id"
    ]
    added = {
        "events": [{"transaction_id": "b", "properties": {"value": 1}, "timestamp": kit.epoch("2026-02-01")}]
    }
    staged = Nothing("events that wait in a backfill, which is their record")
    await step(client, f"POST {path}/{made}/events", added, staged)
    await step(
        client, f"POST {path}/{made}/close", None, Nothing("the backfill tells who closed it, when and why")
    )
    await step(
        client,
        f"POST {path}/{made}/revert",
        None,
        Nothing("the backfill tells who took it back, when and why"),
    )
    other = (await kit.post(client, path, whole))["event_backfill"]["lago_id"]
    await step(client, f"DELETE {path}/{other}", None, Nothing("an open backfill has changed nothing"))


async def paid_at_once(client):
    """An event that would be charged at once, on no invoice; two such fees are there."""
    charge = {**kit.charge(await kit.metric(client, code="once"), amount="5"), "pay_in_advance": True}
    await kit.plan(client, {**charge, "invoiceable": False}, code="loose")
    await kit.subscribe(client, {"external_id": "c"}, {"code": "loose"}, external_id="loose")
    await kit.send(client, {"external_id": "loose"}, {"code": "once"}, 2, 3)
    return {
        "code": "once",
        "external_subscription_id": "loose",
        "transaction_id": "e",
        "properties": {"value": 2},
    }


async def of_invoices(walk, client, person):
    step, app = walk.step, person.browser
    who = await kit.customer(
        client, external_id="late", currency="EUR", billing_configuration={"invoice_grace_period": 30}
    )
    ahead = await kit.plan(client, code="ahead", amount_cents=700, pay_in_advance=True)
    for n in (1, 2, 3):
        await kit.subscribe(client, who, ahead, external_id=f"late{n}")
    draft, second, third = [one for one in await kit.invoices(client, who) if one["status"] == "draft"]
    path = f"/invoices/{draft['lago_id']}"
    adjusted = {
        "adjusted_fee": {"fee_id": draft["fees"][0]["lago_id"], "units": "3", "unit_precise_amount": "2"}
    }
    await step(app, f"POST {path}/adjusted_fees/preview", adjusted, COMPUTES, by=person.email)
    made = (await step(client, f"POST {path}/adjusted_fees", adjusted, "invoice.updated"))["adjusted_fee"]
    await step(client, f"DELETE {path}/adjusted_fees/{made['lago_id']}", None, "invoice.updated")
    await step(client, f"PUT {path}/refresh", None, Nothing("it computes a draft anew, of what is logged"))
    await step(client, f"PUT {path}/finalize", None, "invoice.created")
    chosen = {"lago_ids": [second["lago_id"]]}
    await step(app, "POST /invoices/finalize", chosen, "invoice.created", by=person.email)
    await step(client, f"DELETE /invoices/{third['lago_id']}", None, "invoice.deleted")
    one_off = {"external_customer_id": "payer", "currency": "EUR", "fees": [{"add_on_code": "addon_0"}] * 2}
    bill = (await step(client, "POST /invoices", {"invoice": one_off}, "invoice.one_off_created"))["invoice"]
    preview = {"plan_code": "p0", "customer": {"external_id": "payer"}}
    await step(client, "POST /invoices/preview", preview, COMPUTES)
    path = f"/invoices/{bill['lago_id']}"
    await step(client, f"POST {path}/download", None, "invoice.generated")
    noted = {"invoice": {"metadata": [{"key": "a", "value": "b"}]}}
    await step(client, f"PUT {path}", noted, "invoice.updated")
    await step(client, f"POST {path}/resend_email", {"to": ["a@b.test"]}, SENT)
    await step(client, f"POST {path}/retry", None, FAILED_ALONE, expect=405)
    await step(client, f"POST {path}/retry_payment", None, "invoice.payment_failure")
    await step(client, f"POST {path}/payment_url", None, REFUSES, expect=422)
    note = {
        "invoice_id": bill["lago_id"],
        "items": [{"fee_id": bill["fees"][0]["lago_id"], "amount_cents": 10}],
    }
    await step(client, "POST /credit_notes/estimate", {"credit_note": note}, COMPUTES)
    given = {"credit_note": {**note, "credit_amount_cents": 14}}
    note = (await step(client, "POST /credit_notes", given, "credit_note.created"))["credit_note"]
    path = f"/credit_notes/{note['lago_id']}"
    metadata = f"{path}/metadata"
    await step(client, f"POST {metadata}", {"metadata": {"a": "b", "c": "d"}}, "credit_note.updated")
    await step(client, f"PATCH {metadata}", {"metadata": {"a": "c"}}, "credit_note.updated")
    await step(client, f"DELETE {metadata}/a", None, "credit_note.updated")
    await step(client, f"DELETE {metadata}", None, "credit_note.updated")
    await step(client, f"POST {path}/download", None, "credit_note.generated")
    await step(client, f"POST {path}/resend_email", {"to": ["a@b.test"]}, SENT)
    await step(client, f"PUT {path}/void", None, "credit_note.voided")
    refunded = next(
        one
        for one in (await get(client, "/credit_notes", external_customer_id="payer"))["credit_notes"]
        if one["refund_status"]
    )
    changed = {"credit_note": {"refund_status": "succeeded"}}
    await step(client, f"PUT /credit_notes/{refunded['lago_id']}", changed, "credit_note.updated")
    lost = (await kit.post(client, "/invoices", {"invoice": one_off}))["invoice"]["lago_id"]
    await step(client, f"POST /invoices/{lost}/lose_dispute", None, "invoice.payment_dispute_lost")
    gone = (await kit.post(client, "/invoices", {"invoice": one_off}))["invoice"]
    await step(client, f"POST /invoices/{gone['lago_id']}/void", {}, "invoice.voided")
    again = {"invoice": {"fees": [{"id": gone["fees"][0]["lago_id"]}]}}
    path = f"/invoices/{gone['lago_id']}/regenerate"
    await step(app, f"POST {path}/preview", again, COMPUTES, by=person.email)
    await step(client, f"POST /invoices/{gone['lago_id']}/regenerate", again, "invoice.regenerated")


IS_NEW = Nothing("an organization is made by an operator; nobody is there yet to look for what was before")
SENT = Nothing("a worker sends it, and logs email.sent")
FAILED_ALONE = Nothing("only an invoice that failed for want of taxes is tried again")


async def of_money(walk, client, person):
    step = walk.step
    bill = {"external_customer_id": "payer", "currency": "EUR", "fees": [{"add_on_code": "addon_1"}]}
    bill = (await kit.post(client, "/invoices", {"invoice": bill}))["invoice"]
    payment = {"invoice_id": bill["lago_id"], "amount_cents": 100, "reference": "wire"}
    await step(client, "POST /payments", {"payment": payment}, "payment.recorded")
    receipt = (await get(client, "/payment_receipts"))["payment_receipts"][0]["lago_id"]
    await step(client, f"POST /payment_receipts/{receipt}/resend_email", {"to": ["a@b.test"]}, SENT)
    overdue = (await get(client, "/invoices", external_customer_id="payer", payment_overdue="true"))[
        "invoices"
    ]
    asked = {"external_customer_id": "payer", "lago_invoice_ids": [overdue[0]["lago_id"]]}
    preview = "POST /email_previews/payment_requests"
    await step(person.browser, preview, {"payment_request": asked}, COMPUTES, by=person.email)
    await step(client, "POST /payment_requests", {"payment_request": asked}, "payment_request.created")
    coupon = {
        "name": "c", "code": "k", "coupon_type": "fixed_amount", "amount_cents": 1, "amount_currency": "EUR",
        "frequency": "forever", "expiration": "no_expiration",
    }  # fmt: skip
    await step(client, "POST /coupons", {"coupon": coupon}, "coupon.created")
    await step(client, "PUT /coupons/k", {"coupon": {"name": "C"}}, "coupon.updated")
    given = {"external_customer_id": "c", "coupon_code": "k"}
    applied = await step(client, "POST /applied_coupons", {"applied_coupon": given}, "applied_coupon.created")
    path = f"/customers/c/applied_coupons/{applied['applied_coupon']['lago_id']}"
    await step(client, f"DELETE {path}", None, "applied_coupon.deleted")
    paid, dropped = (await get(client, "/fees", external_subscription_id="loose"))["fees"]
    await step(
        client, f"PUT /fees/{paid['lago_id']}", {"fee": {"payment_status": "succeeded"}}, "fee.updated"
    )
    await step(client, f"DELETE /fees/{dropped['lago_id']}", None, "fee.deleted")
    await of_wallets(walk, client)


async def of_wallets(walk, client):
    step = walk.step
    body = {"name": "w", "rate_amount": "1", "currency": "EUR", "granted_credits": "10"}
    made = await step(
        client,
        "POST /wallets",
        {"wallet": {**body, "external_customer_id": "c", "code": "one"}},
        "wallet.created",
    )
    await step(client, "POST /customers/c/wallets", {"wallet": {**body, "code": "two"}}, "wallet.created")
    bought = {"wallet_id": made["wallet"]["lago_id"], "paid_credits": "5"}
    moves = await step(
        client, "POST /wallet_transactions", {"wallet_transaction": bought}, "wallet_transaction.created"
    )
    move = moves["wallet_transactions"][0]["lago_id"]
    await step(client, f"POST /wallet_transactions/{move}/payment_url", None, REFUSES, expect=422)
    for path in (f"/wallets/{made['wallet']['lago_id']}", "/customers/c/wallets/two"):
        await step(client, f"PUT {path}", {"wallet": {"name": "x"}}, "wallet.updated")
        metadata = f"{path}/metadata"
        await step(client, f"POST {metadata}", {"metadata": {"a": "b", "c": "d"}}, "wallet.updated")
        await step(client, f"PATCH {metadata}", {"metadata": {"a": "c"}}, "wallet.updated")
        await step(client, f"DELETE {metadata}/a", None, "wallet.updated")
        await step(client, f"DELETE {metadata}", None, "wallet.updated")
    alert = {"alert_type": "wallet_balance_amount", "code": "low", "thresholds": [{"value": "10"}]}
    path = "/customers/c/wallets/two/alerts"
    await step(client, f"POST {path}", {"alert": alert}, "alert.created")
    await step(client, f"PUT {path}/low", {"alert": {"name": "Low"}}, "alert.updated")
    await step(client, f"DELETE {path}/low", None, "alert.deleted")
    await kit.post(client, path, {"alert": alert})
    await step(client, f"DELETE {path}", None, "alert.deleted")


async def of_the_portal(walk, client, application):
    step = walk.step
    token = (await get(client, "/customers/c/portal_url"))["customer"]["portal_url"].rsplit("/", 1)[1]
    transport = httpx.ASGITransport(application.asgi, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test/portal/v1", headers=headers
    ) as door:
        await step(door, "PUT /me", {"customer": {"name": "Me"}}, "customer.updated")
        wallet = (await get(door, "/wallets"))["wallets"][0]["lago_id"]
        bought = {"top_up": {"paid_credits": "5"}}
        await step(door, f"POST /wallets/{wallet}/top_ups", bought, "wallet_transaction.created")
        bill = {"external_customer_id": "c", "currency": "EUR", "fees": [{"add_on_code": "addon_1"}]}
        bill = (await kit.post(client, "/invoices", {"invoice": bill}))["invoice"]["lago_id"]
        await step(door, f"POST /invoices/{bill}/download", None, "invoice.generated")


async def of_the_organization(walk, client, person, application, organization):
    step, app = walk.step, person.browser
    entity = {"billing_entity": {"code": "e", "name": "E"}}
    told = "billing_entities.created", "security: billing_entity.created"
    await step(client, "POST /billing_entities", entity, *told)
    told = "billing_entities.updated", "security: billing_entity.updated"
    await step(client, "PUT /billing_entities/e", {"billing_entity": {"name": "F"}}, *told)
    changed = {"organization": {"timezone": "Europe/Paris", "city": "Paris"}}
    await step(client, "PUT /organizations", changed, *told)
    endpoint = {"webhook_endpoint": {"webhook_url": "https://hooks.test/a"}}
    made = await step(client, "POST /webhook_endpoints", endpoint, "security: webhook_endpoint.created")
    path = f"/webhook_endpoints/{made['webhook_endpoint']['lago_id']}"
    changed = {"webhook_endpoint": {"name": "N"}}
    await step(client, f"PUT {path}", changed, "security: webhook_endpoint.updated")
    exported = {"data_export": {"resource_type": "invoices"}}
    await step(client, "POST /data_exports", exported, "security: export.created")
    await kit.customer(client, external_id="told")
    await application.courier.deliver(organization.id)
    delivery = (await get(app, "/webhook_deliveries"))["webhook_deliveries"][0]["lago_id"]
    again = Nothing("deliveries are their own record, with every attempt")
    await step(app, f"POST /webhook_deliveries/{delivery}/retry", None, again, by=person.email)
    await step(client, f"DELETE {path}", None, "security: webhook_endpoint.deleted")
    moved = {"test_clock": {"to": "2026-02-10T00:00:00Z"}}
    await step(client, "POST /test_clock/advance", moved, "test_clock.advanced")
    for kind, code in (("plans", "p0"), ("features", "f0"), ("add_ons", "addon_0"), ("coupons", "coupon_0")):
        await step(app, f"POST /uses/{kind}", {"codes": [code]}, READS, by=person.email)
    await step(
        app, "POST /invoices/regenerable", {"lago_ids": [str(organization.id)]}, READS, by=person.email
    )
    await step(app, "POST /batch", {"requests": [{"path": "/api/v1/plans"}]}, READS, by=person.email)
    price = {"charge_model": "standard", "properties": {"amount": "1"}, "currency": "EUR", "units": ["1"]}
    await step(app, "POST /charge_prices", {"charge_price": price}, COMPUTES, by=person.email)


async def of_operators(walk, client, nobody, organization):
    step = walk.step
    nobody.headers["X-Admin-API-Key"] = ADMIN_KEY
    new = {"name": "New", "email": "a@b.test"}
    await step(nobody, "POST /admin/organizations", new, IS_NEW)
    path = f"/admin/organizations/{organization.id}"
    await step(nobody, f"PUT {path}", {"name": "Newer"}, "organization.updated")
    await step(nobody, f"PUT {path}/limits", {"members": 50}, "security: organization.updated")
    bill = (await get(client, "/invoices"))["invoices"][0]["lago_id"]
    await step(nobody, f"POST /admin/invoices/{bill}/regenerate", None, "invoice.generated")


async def of_people(walk, client, person):
    step, app, by = walk.step, person.browser, person.email
    campaign = {
        "name": "D", "code": "d", "days_between_attempts": 3, "max_attempts": 2,
        "thresholds": [{"currency": "EUR", "amount_cents": 10_000}],
    }  # fmt: skip
    await step(
        app, "POST /dunning_campaigns", {"dunning_campaign": campaign}, "dunning_campaign.created", by=by
    )
    changed: Any = {"dunning_campaign": {"max_attempts": 3}}
    await step(app, "PUT /dunning_campaigns/d", changed, "dunning_campaign.updated", by=by)
    asked = {"dunning_campaign_code": "d"}
    await step(app, "PUT /billing_entities/e/dunning_campaign", asked, "billing_entities.updated", by=by)
    await step(app, "PUT /customers/c/dunning", asked, "customer.updated", by=by)
    await step(app, "DELETE /dunning_campaigns/d", None, "dunning_campaign.deleted", by=by)
    role = {"code": "r", "name": "R", "permissions": ["plans:view"]}
    await step(app, "POST /roles", role, "security: role.created", by=by)
    await step(
        app, "PUT /roles/r", {"permissions": ["plans:view", "coupons:view"]}, "security: role.updated", by=by
    )
    invited = {"email": "new@acme.test", "roles": ["admin"]}
    made = (await step(app, "POST /invites", invited, "security: user.invited", by=by))["invite"]["lago_id"]
    await step(app, f"PUT /invites/{made}", {"roles": ["finance"]}, "security: user.role_edited", by=by)
    await step(app, f"DELETE /invites/{made}", None, "security: user.invite_revoked", by=by)
    await step(app, "DELETE /roles/r", None, "security: role.deleted", by=by)
    key = (await step(app, "POST /api_keys", {"name": "k"}, "security: api_key.created", by=by))["api_key"][
        "lago_id"
    ]
    await step(app, f"PUT /api_keys/{key}", {"name": "l"}, "security: api_key.updated", by=by)
    path = f"POST /api_keys/{key}/rotate"
    key = (await step(app, path, {"name": "m"}, "security: api_key.rotated", by=by))["api_key"]["lago_id"]
    await step(app, f"DELETE /api_keys/{key}", None, "security: api_key.deleted", by=by)
    await step(app, "POST /coupons/k/terminate", None, "coupon.updated", by=by)
    provider = {
        "domain": "acme.test",
        "client_id": "x",
        "client_secret": "y",
        "host": "acme.okta.test",
        "organization_name": "a",
    }
    await step(app, "PUT /identity_providers/okta", provider, "security: integration.created", by=by)
    changed = {**provider, "client_id": "z", "client_secret": None}
    await step(app, "PUT /identity_providers/okta", changed, "security: integration.updated", by=by)
    methods = {"authentication_methods": ["email_password", "okta"]}
    await step(app, "PUT /authentication_methods", methods, "security: integration.updated", by=by)
    await step(app, "DELETE /identity_providers/okta", None, "security: integration.deleted", by=by)


async def of_doors(walk, application, person, nobody, organization):
    step, app, by = walk.step, person.browser, person.email
    other = await sign_up(application)
    member = {"user_id": other.user["lago_id"], "organization_id": str(organization.id)}
    nobody.headers["X-Admin-API-Key"] = ADMIN_KEY
    made = await step(nobody, "POST /admin/memberships", member, "security: user.signed_up")
    path = f"/members/{made['membership']['lago_id']}"
    await step(app, f"PUT {path}", {"roles": ["finance"]}, "security: user.role_edited", by=by)
    await step(app, f"DELETE {path}", None, "security: user.deleted", by=by)
    invite = (await kit.post(app, "/invites", {"email": "late@acme.test", "roles": ["admin"]}))["invite"]
    async with browser(application, agent="Other/2", address="10.9.0.1") as guest:
        path = f"POST /invitations/{invite['url'].rsplit('/', 1)[1]}"
        joined = "security: user.signed_up"
        await step(guest, path, {"password": PASSWORD}, joined, by="late@acme.test")
        known = {"email": by, "password": PASSWORD}
        await step(guest, "POST /session", known, "security: user.new_device_logged_in", by=by)
        changed = {"password": PASSWORD, "new_password": f"{PASSWORD}!"}
        await step(guest, "PUT /password", changed, "security: user.password_edited", by=by)
        await step(
            guest, "DELETE /session", None, Nothing("a session of one's own ends; it changes nothing else")
        )


async def of_ends(walk, client):
    step = walk.step
    await step(client, "DELETE /subscriptions/sub", None, "subscription.terminated")
    await step(client, "DELETE /customers/c/wallets/two", None, "wallet.terminated")
    listed = (await get(client, "/wallets", external_customer_id="c"))["wallets"]
    (wallet,) = [one for one in listed if one["status"] == "active"]
    await step(client, f"DELETE /wallets/{wallet['lago_id']}", None, "wallet.terminated")
    await step(client, "DELETE /features/f/privileges/min", None, "feature.updated", "plan.updated")
    await step(client, "DELETE /features/f", None, "feature.deleted", "plan.updated")
    await step(client, "DELETE /plans/plan", None, "plan.deleted")
    await step(client, "DELETE /coupons/k", None, "coupon.deleted")
    await step(client, "DELETE /customers/c", None, "customer.deleted")
