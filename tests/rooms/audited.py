"""A world with a row of every kind of money in it, to be corrupted."""

from contextlib import asynccontextmanager

from sqlalchemy import text
from tests import kit
from tests.conftest import Organization

from tallymark.db.engine import TENANT_ROLE


async def seller(make_organization, database) -> Organization:
    """Eight customers, each with a part of what bills can have on them; 20 % tax."""
    organization = await make_organization("2025-01-01T00:00:00Z")
    client = organization.client
    tax = await kit.tax(client, "20", applied_to_organization=True)
    await _user(client)
    await _leaver(client)
    await _grower(client)
    await _regular(client)
    await _elsewhere(client, tax)
    await _billed_by_event(client)
    asked = await _asked_together(client, tax)
    await kit.advance(client, "2025-03-01T01:00")
    await _settle(client)
    await _pay_together(client, asked)
    await _corrected(client)
    await _paid_back(database, organization.id)
    await kit.roll_up(database, organization.id)
    return organization


async def _user(client):
    """Base price, usage, a coupon used in part, events billed in advance, credits bought, given, spent and voided."""
    calls, seats = await kit.metric(client), await kit.metric(client)
    at_once = {**kit.charge(seats, amount="5"), "pay_in_advance": True}
    plan = await kit.plan(client, kit.charge(calls, amount="2"), at_once, amount_cents=1000)
    who = await kit.customer(client, external_id="acme")
    await _coupon(client, who, coupon_type="fixed_amount", amount_cents=400, amount_currency="EUR")
    subscription = await kit.subscribe(client, who, plan)
    await kit.send(client, subscription, calls, 3)
    await kit.send(client, subscription, seats, 1)
    wallet = {"external_customer_id": "acme", "rate_amount": "1", "currency": "EUR"}
    wallet |= {"paid_credits": "5", "granted_credits": "2"}
    made = (await kit.post(client, "/wallets", {"wallet": wallet}))["wallet"]
    (bought,) = (await kit.get(client, "/invoices", invoice_type="credit"))["invoices"]
    await _pay(client, bought, 500, "credits")
    asked = {"wallet_id": made["lago_id"], "voided_credits": "0.50123"}
    await kit.post(client, "/wallet_transactions", {"wallet_transaction": asked})
    asked = {"wallet_id": made["lago_id"], "paid_credits": "7"}
    await kit.post(client, "/wallet_transactions", {"wallet_transaction": asked})


async def _leaver(client):
    """A plan in advance ended early, whose credit note pays the next one."""
    leaver = await kit.customer(client, external_id="leaver")
    in_advance = await kit.plan(client, amount_cents=3100, pay_in_advance=True)
    first = await kit.subscribe(client, leaver, in_advance)
    await kit.advance(client, "2025-01-20T12:00")
    await kit.call(client, "DELETE", f"/subscriptions/{first['external_id']}")
    await kit.subscribe(client, leaver, await kit.plan(client, amount_cents=1000, pay_in_advance=True))


async def _grower(client):
    """Usage that passes thresholds, and is billed before its period ends."""
    calls = await kit.metric(client)
    marks = [{"amount_cents": 1000}, {"amount_cents": 500, "recurring": True}]
    plan = await kit.plan(client, kit.charge(calls, amount="1"), usage_thresholds=marks)
    grower = await kit.customer(client, external_id="grower", currency="EUR")
    subscription = await kit.subscribe(client, grower, plan)
    await kit.send(client, subscription, calls, 12)
    await kit.advance(client, "2025-01-21T12:00")
    await kit.send(client, subscription, calls, 9)
    await kit.advance(client, "2025-01-22T12:00")


async def _regular(client):
    """A coupon of a percentage for three invoices, and drafts."""
    grace = {"invoice_grace_period": 3}
    regular = await kit.customer(client, external_id="regular", billing_configuration=grace)
    more = {"coupon_type": "percentage", "percentage_rate": "12.5"}
    await _coupon(client, regular, frequency="recurring", frequency_duration=3, **more)
    await kit.subscribe(client, regular, await kit.plan(client, amount_cents=999))


async def _elsewhere(client, tax):
    """Invoices of a billing entity that numbers all of them in one row."""
    numbered = {"name": "Beta", "code": "beta", "document_numbering": "per_billing_entity"}
    await kit.post(client, "/billing_entities", {"billing_entity": numbered})
    await kit.customer(client, external_id="elsewhere", currency="EUR", billing_entity_code="beta")
    item = {"name": "Setup", "code": "setup", "amount_cents": 3333, "amount_currency": "EUR"}
    await kit.post(client, "/add_ons", {"add_on": item})
    fees = [{"add_on_code": "setup", "units": "1.5", "tax_codes": [tax["code"]]}]
    for _ in range(3):
        asked = {"external_customer_id": "elsewhere", "currency": "EUR", "fees": fees}
        await kit.post(client, "/invoices", {"invoice": asked})


async def _asked_together(client, tax):
    """Two invoices that nobody pays in time."""
    await kit.customer(client, external_id="late", currency="EUR")
    fees = [{"add_on_code": "setup", "units": "1", "tax_codes": [tax["code"]]}]
    asked = {"external_customer_id": "late", "currency": "EUR", "fees": fees}
    return [(await kit.post(client, "/invoices", {"invoice": asked}))["invoice"] for _ in range(2)]


async def _pay_together(client, invoices):
    """A part of one paid, then both asked for and paid as one."""
    await _pay(client, invoices[0], 500, "a part")
    asked = {"external_customer_id": "late", "lago_invoice_ids": [one["lago_id"] for one in invoices]}
    made = (await kit.post(client, "/payment_requests", {"payment_request": asked}))["payment_request"]
    payment = {
        "payment_request_id": made["lago_id"],
        "amount_cents": made["amount_cents"],
        "reference": "both",
    }
    await kit.post(client, "/payments", {"payment": payment})


async def _billed_by_event(client):
    """Events that are paid at once, in a unit of the seller's own, for days that are left, and with their own amounts."""
    unit = {"name": "Tokens", "code": "tokens", "short_name": "TK"}
    await kit.post(client, "/pricing_units", {"pricing_unit": unit})
    tokens, seats, calls = (
        await kit.metric(client),
        await kit.metric(client, recurring=True),
        await kit.metric(client),
    )
    in_tokens = {"applied_pricing_unit": {"code": "tokens", "conversion_rate": "0.3"}, "pay_in_advance": True}
    prorated = {"pay_in_advance": True, "prorated": True}
    dynamic = {**kit.charge(calls, "dynamic"), "pay_in_advance": True, "invoiceable": False}
    plan = await kit.plan(
        client,
        {**kit.charge(tokens, amount="1.5"), **in_tokens},
        {**kit.charge(seats, amount="3"), **prorated},
        dynamic,
    )
    subscription = await kit.subscribe(client, await kit.customer(client, external_id="by event"), plan)
    await kit.send(client, subscription, tokens, 3, 4)
    await kit.send(client, subscription, seats, 2, 1)
    await kit.send(client, subscription, calls, 1, 1, precise_total_amount_cents="12.25")


async def _corrected(client):
    """An event that was something else, with an amount of its own; one that is moved to a month that is billed."""
    calls = await kit.metric(client)
    plan = await kit.plan(client, kit.charge(calls, "dynamic"))
    who = await kit.customer(client, external_id="mistaken")
    subscription = await kit.subscribe(client, who, plan, external_id="mistaken")
    event = {"transaction_id": "mistaken", "external_subscription_id": subscription["external_id"]}
    event |= {"code": calls["code"], "precise_total_amount_cents": "12.5", "properties": {"value": 1}}
    await kit.post(client, "/events", {"event": event})
    amended = {
        "external_subscription_id": "mistaken",
        "reason": "a meter",
        "precise_total_amount_cents": "7.5",
    }
    await kit.post(client, "/events/mistaken/amend", {"event": amended})
    policy = {"metering": {"event_correction_policy": "document_now"}}
    await kit.call(client, "PUT", "/organizations", {"organization": policy})
    (grown,) = (await kit.get(client, "/subscriptions", external_customer_id="grower"))["subscriptions"]
    plan = (await kit.get(client, f"/plans/{grown['plan_code']}"))["plan"]
    (used,) = plan["charges"]
    event = {"transaction_id": "moved", "external_subscription_id": grown["external_id"]}
    event |= {"code": used["billable_metric_code"], "properties": {"value": 4}}
    await kit.post(client, "/events", {"event": event})
    when = {"timestamp": kit.epoch("2025-02-10"), "reason": "a meter"}
    await kit.post(
        client, "/events/moved/amend", {"event": {**when, "external_subscription_id": grown["external_id"]}}
    )


async def _settle(client):
    """Parts paid, one note in three parts and one whose refund was paid out, an invoice that is void."""
    found = (await kit.invoices(client, {"external_id": "acme"}))[-1]
    for cents, reference in ((100, "first"), (200, "second")):
        await _pay(client, found, cents, reference)
    (first, second, third) = await kit.invoices(client, {"external_id": "elsewhere"})
    await _pay(client, first, 3000, "in part")
    parts = {"credit_amount_cents": 400, "refund_amount_cents": 500, "offset_amount_cents": 300}
    await _note(client, first, 1000, **parts)
    await _pay(client, second, second["total_amount_cents"], "all of it")
    paid_back = await _note(client, second, 500, refund_amount_cents=600)
    asked = {"credit_note": {"refund_status": "succeeded"}}
    await kit.call(client, "PUT", f"/credit_notes/{paid_back['lago_id']}", asked)
    await _pay(client, third, 1000, "before it was void")
    await kit.post(client, f"/invoices/{third['lago_id']}/void", {})
    last = (await kit.invoices(client, {"external_id": "leaver"}))[-1]
    await kit.post(client, f"/invoices/{last['lago_id']}/void", {})


async def _paid_back(database, organization_id):
    """The refund of 6.00 that was paid out, as a provider would have paid it."""
    async with database.tenant(organization_id) as tx:
        await tx.execute(
            text(
                "INSERT INTO refunds (id, organization_id, credit_note_id, payment_id, payment_provider_id, amount_cents, currency,"
                " status, refund_status, created_at, updated_at)"
                " SELECT gen_random_uuid(), n.organization_id, n.id, p.id, gen_random_uuid(), n.refund_amount_cents, n.currency,"
                " 'paid', 'succeeded', n.created_at, n.created_at"
                " FROM credit_notes n JOIN payments p ON p.invoice_id = n.invoice_id WHERE n.refund_status = 'succeeded'"
            )
        )


async def _coupon(client, who, *, frequency="once", **more):
    code = f"coupon_{who['external_id']}"
    body = {"name": code, "code": code, "frequency": frequency, "expiration": "no_expiration", **more}
    await kit.post(client, "/coupons", {"coupon": body})
    given = {"external_customer_id": who["external_id"], "coupon_code": code}
    await kit.post(client, "/applied_coupons", {"applied_coupon": given})


async def _pay(client, invoice, cents, reference):
    payment = {"invoice_id": invoice["lago_id"], "amount_cents": cents, "reference": reference}
    await kit.post(client, "/payments", {"payment": payment})


async def _note(client, invoice, cents, **parts):
    items = [{"fee_id": invoice["fees"][0]["lago_id"], "amount_cents": cents}]
    body = {"invoice_id": invoice["lago_id"], "reason": "other", "items": items, **parts}
    return (await kit.post(client, "/credit_notes", {"credit_note": body}))["credit_note"]


@asynccontextmanager
async def unguarded(database, organization_id):
    """A connection on which triggers and checks of the database stop nothing; it is all rolled back."""
    async with database.engine.connect() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        entered = text("SELECT set_config('tallymark.organization_id', :id, true)")
        await connection.execute(entered, {"id": str(organization_id)})
        checks = "SELECT conrelid::regclass AS table, conname FROM pg_constraint WHERE contype = 'c' AND conparentid = 0"
        for check in (await connection.execute(text(f"{checks} AND conrelid > 0 AND conislocal"))).all():
            await connection.execute(
                text(f'ALTER TABLE {check.table} DROP CONSTRAINT IF EXISTS "{check.conname}"')
            )
        try:
            yield connection
        finally:
            await connection.rollback()


@asynccontextmanager
async def corrupted(connection, *statements, **values):
    """Some rows changed, then looked at as the tenant would; changed back after. Yields how many the last one changed."""
    nested = await connection.begin_nested()
    changed = 0
    for statement in statements:
        changed = (await connection.execute(text(statement), values)).rowcount
    await connection.execute(text(f"SET LOCAL ROLE {TENANT_ROLE}"))
    try:
        yield changed
    finally:
        await nested.rollback()
        await connection.execute(text("RESET ROLE"))
