"""Automatic taxes of the European Union over the API (subscriptions §1.7); the register is a fake."""

import pytest
from sqlalchemy import select
from tests import kit

from tallymark.db.tables import outbox
from tallymark.jobs.agenda import Kind
from tallymark.rooms.customers.ports import RegisterUnavailable


class FakeRegister:
    """Answers what the test says; `asked` holds the numbers it was asked for."""

    def __init__(self):
        self.is_valid = True
        self.is_away = False
        self.asked = []

    async def look_up(self, number):
        self.asked.append(f"{number.prefix}{number.digits}")
        if self.is_away:
            raise RegisterUnavailable("MS_UNAVAILABLE")
        return {"countryCode": number.prefix, "vatNumber": number.digits, "valid": self.is_valid, "name": "X"}


@pytest.fixture
def register(application):
    fake = FakeRegister()
    checks = application.asgi.state.outside.of(Kind.CHECK_VAT)
    checks._register, real = fake, checks._register
    yield fake
    checks._register = real


@pytest.fixture
async def french(make_organization, register):
    """A simulated organization whose issuer is French, with automatic taxes."""
    made = await make_organization("2025-01-01T00:00:00Z")
    await enable(made.client)
    return made


@pytest.fixture
def client(french):
    return french.client


async def enable(client, **fields):
    body = {"country": "FR", "eu_tax_management": True, **fields}
    await kit.call(client, "PUT", "/billing_entities/acme", {"billing_entity": body})


async def upsert(client, expect=200, **fields):
    answer = await kit.post(client, "/customers", {"customer": {"external_id": "c", **fields}}, expect=expect)
    return sorted(tax["code"] for tax in answer["customer"]["taxes"]) if expect == 200 else answer


async def codes(client):
    customer = (await kit.get(client, "/customers/c"))["customer"]
    return sorted(tax["code"] for tax in customer["taxes"])


async def test_enabling_makes_the_taxes_once(client):
    taxes = (await kit.get(client, "/taxes"))["taxes"]
    rates = {tax["code"]: tax["rate"] for tax in taxes}
    assert len(rates) == 47
    assert (rates["lago_eu_fr_standard"], rates["lago_eu_pt_exception_madeira"]) == (20, 22)
    await enable(client)
    assert (await kit.get(client, "/taxes"))["meta"]["total_count"] == 47


async def test_it_needs_an_issuer_in_the_union(client):
    answer = await kit.call(
        client, "PUT", "/billing_entities/acme", {"billing_entity": {"country": "US"}}, expect=422
    )
    assert answer["error_details"] == {"eu_tax_management": ["billing_entity_must_be_in_eu"]}


async def test_without_a_number_the_country_decides(client, register):
    assert await upsert(client) == ["lago_eu_fr_standard"]
    assert await upsert(client, country="DE") == ["lago_eu_de_standard"]
    assert await upsert(client, country="US") == ["lago_eu_tax_exempt"]
    assert await upsert(client, country="ES", zipcode="35001") == ["lago_eu_es_exception_canary_islands"]
    assert register.asked == []


async def test_the_chosen_tax_is_added_to_those_sent(client):
    await kit.tax(client, code="local", applied_to_organization=False)
    assert await upsert(client, tax_codes=["local"]) == ["lago_eu_fr_standard", "local"]
    assert await upsert(client, name="New") == ["lago_eu_fr_standard", "local"]
    assert await upsert(client, country="DE") == ["lago_eu_de_standard"]


async def test_nothing_is_chosen_anew_without_a_cause(client):
    await upsert(client)
    assert await upsert(client, name="New", country=None) == ["lago_eu_fr_standard"]
    await kit.tax(client, code="local", applied_to_organization=False)
    assert await upsert(client, tax_codes=["local"]) == ["local"]
    # Without an automatic tax it is chosen again.
    assert await upsert(client, name="Newer") == ["lago_eu_fr_standard"]


@pytest.mark.parametrize(
    ("number", "is_valid", "code"),
    [
        ("DE129273398", True, "lago_eu_reverse_charge"),
        ("FR40303265045", True, "lago_eu_fr_standard"),
        ("DE129273398", False, "lago_eu_de_standard"),
    ],
)
async def test_a_number_is_looked_up(client, register, number, is_valid, code):
    register.is_valid = is_valid
    await upsert(client, country="DE", tax_identification_number=number)
    assert register.asked == [number]
    assert await codes(client) == [code]


async def test_a_malformed_number_asks_nobody(client, register):
    await upsert(client, country="IT", tax_identification_number="IT123")
    assert (await codes(client), register.asked) == (["lago_eu_it_standard"], [])


async def told(database, organization, *types):
    async with database.tenant(organization.id) as tx:
        rows = await tx.execute(select(outbox).where(outbox.c.webhook_type.in_(types)).order_by(outbox.c.id))
        return [(row.webhook_type, row.payload) for row in rows]


async def test_the_answer_is_told(french, database, register):
    await upsert(french.client, tax_identification_number="DE129273398")
    register.is_valid = False
    await upsert(french.client, tax_identification_number="DE111111111")
    await upsert(french.client, tax_identification_number="DE1")
    raw = {"countryCode": "DE", "vatNumber": "129273398", "valid": True, "name": "X"}
    assert await told(database, french, "customer.vies_check") == [
        ("customer.vies_check", {"vies_check": raw}),
        ("customer.vies_check", {"vies_check": {"valid": False, "valid_format": True}}),
        ("customer.vies_check", {"vies_check": {"valid": False, "valid_format": False}}),
    ]
    told_of = [kind for kind, _ in await told(database, french, "customer.created", "customer.updated")]
    assert told_of == ["customer.created", "customer.updated", "customer.updated"]


async def test_without_an_answer_it_is_asked_again(client, register):
    """After 5, 5, 10, 20, 40 minutes, then hourly; under a clock once an advance, from where it stops."""
    register.is_away = True
    await upsert(client, country="DE", tax_identification_number="DE129273398")
    assert (len(register.asked), await codes(client)) == (1, [])
    for when, count in (
        ("00:04", 1), ("00:06", 2), ("00:10", 2), ("00:12", 3), ("00:21", 3), ("00:23", 4), ("00:42", 4), ("00:44", 5),
        ("01:23", 5), ("01:25", 6), ("02:24", 6), ("02:26", 7), ("03:25", 7),
    ):  # fmt: skip
        await kit.advance(client, f"2025-01-01T{when}:00Z")
        assert len(register.asked) == count, when
    register.is_away = False
    await kit.advance(client, "2025-01-01T03:27:00Z")
    assert await codes(client) == ["lago_eu_reverse_charge"]
    await kit.advance(client, "2025-01-03T00:00:00Z")
    assert len(register.asked) == 8


async def test_invoices_wait_for_the_answer(client, register):
    """A pending invoice has no number; with the answer it is issued with the tax, on its own day."""
    register.is_away = True
    await upsert(client, country="FR", tax_identification_number="FR40303265045")
    plan = await kit.plan(client, amount_cents=1000, pay_in_advance=True)
    await kit.subscribe(client, {"external_id": "c"}, plan)
    (invoice,) = await kit.invoices(client, {"external_id": "c"})
    assert (invoice["status"], invoice["taxes_amount_cents"]) == ("pending", 0)
    assert invoice["number"].endswith("-DRAFT")
    register.is_away = False
    await kit.advance(client, "2025-01-02T00:00:00Z")
    (invoice,) = await kit.invoices(client, {"external_id": "c"})
    assert (invoice["status"], invoice["taxes_amount_cents"]) == ("finalized", 200)
    assert (invoice["total_amount_cents"], invoice["issuing_date"]) == (1200, "2025-01-01")
    assert invoice["number"].endswith("-001-001")


async def test_what_was_paid_in_advance_is_not_ended_by_hand_before_its_taxes_are_known(client, register):
    """subscriptions §2.9, invoicing §11.6: the unused part of it has a part of them; a cheaper plan may wait already."""
    register.is_away = True
    await upsert(client, country="FR", tax_identification_number="FR40303265045")
    plan = await kit.plan(client, amount_cents=3100, pay_in_advance=True)
    dearer = await kit.plan(client, amount_cents=6200, pay_in_advance=True)
    cheaper = await kit.plan(client, amount_cents=310, pay_in_advance=True)
    made = await kit.subscribe(client, {"external_id": "c"}, plan)
    path = f"/subscriptions/{made['external_id']}"
    moved = {"external_customer_id": "c", "external_id": made["external_id"], "plan_code": dearer["code"]}
    refused = await kit.call(client, "DELETE", path, expect=405)
    assert refused["code"] == "cannot_terminate_with_pending_taxes"
    refused = await kit.post(client, "/subscriptions", {"subscription": moved}, expect=405)
    assert refused["code"] == "cannot_terminate_with_pending_taxes"
    await kit.post(client, "/subscriptions", {"subscription": {**moved, "plan_code": cheaper["code"]}})
    # What is paid afterwards has nothing to give back.
    after = await kit.plan(client, amount_cents=3100)
    later = await kit.subscribe(client, {"external_id": "c"}, after)
    await kit.call(client, "DELETE", f"/subscriptions/{later['external_id']}")
    register.is_away = False
    await kit.advance(client, "2025-01-02T00:00:00Z")
    await kit.call(client, "DELETE", path)
    # 29 of 31 days, with the tax.
    (note,) = (await kit.get(client, "/credit_notes"))["credit_notes"]
    assert (note["sub_total_excluding_taxes_amount_cents"], note["total_amount_cents"]) == (2900, 3480)


async def test_a_fee_in_advance_waits_with_its_amount(client, register):
    """It was computed when its event came, once and for all: only its taxes are taken anew."""
    register.is_away = True
    await upsert(client, country="FR", tax_identification_number="FR40303265045")
    metric = await kit.metric(client)
    plan = await kit.plan(client, kit.charge(metric, amount="1.5") | {"pay_in_advance": True})
    subscription = await kit.subscribe(client, {"external_id": "c"}, plan)
    await kit.send(client, subscription, metric, "2")
    invoices = await kit.invoices(client, {"external_id": "c"})
    (invoice,) = [row for row in invoices if row["fees_amount_cents"]]
    assert (invoice["status"], invoice["total_amount_cents"]) == ("pending", 300)
    register.is_away = False
    await kit.advance(client, "2025-01-02T00:00:00Z")
    issued = (await kit.get(client, f"/invoices/{invoice['lago_id']}"))["invoice"]
    assert (issued["status"], issued["total_amount_cents"]) == ("finalized", 360)
    (fee,) = issued["fees"]
    assert (fee["lago_id"], fee["amount_cents"], fee["taxes_amount_cents"]) == (
        invoice["fees"][0]["lago_id"],
        300,
        60,
    )
    assert [tax["tax_code"] for tax in issued["applied_taxes"]] == ["lago_eu_fr_standard"]


async def test_paid_fees_on_one_invoice_wait_for_nothing(client, register):
    """invoicing §7.4: their taxes stand already, and are paid."""
    register.is_away = True
    await upsert(client, country="FR", tax_identification_number="FR40303265045")
    metric = await kit.metric(client)
    flags = {"pay_in_advance": True, "invoiceable": False, "regroup_paid_fees": "invoice"}
    plan = await kit.plan(client, kit.charge(metric, amount="4") | flags)
    subscription = await kit.subscribe(client, {"external_id": "c"}, plan)
    await kit.send(client, subscription, metric, "2")
    (fee,) = (await kit.get(client, "/fees", fee_type="charge"))["fees"]
    await kit.call(client, "PUT", f"/fees/{fee['lago_id']}", {"fee": {"payment_status": "succeeded"}})
    await kit.advance(client, "2025-02-02T00:00:00Z")
    made = {row["invoice_type"]: row for row in await kit.invoices(client, {"external_id": "c"})}
    regrouped = made["advance_charges"]
    assert (regrouped["status"], regrouped["total_amount_cents"]) == ("finalized", 800)
    assert made["subscription"]["status"] == "pending"


async def test_a_draft_waits_too_once_it_is_due(client, register):
    register.is_away = True
    await upsert(
        client,
        tax_identification_number="DE129273398",
        billing_configuration={"invoice_grace_period": 2},
    )
    plan = await kit.plan(client, amount_cents=1000, pay_in_advance=True)
    await kit.subscribe(client, {"external_id": "c"}, plan)
    (invoice,) = await kit.invoices(client, {"external_id": "c"})
    assert invoice["status"] == "draft"
    await kit.advance(client, "2025-01-04T00:00:00Z")
    (invoice,) = await kit.invoices(client, {"external_id": "c"})
    assert invoice["status"] == "pending"
    # Without the number nothing is left to wait for.
    register.is_away = False
    await upsert(client, tax_identification_number=None, country="FR")
    await kit.advance(client, "2025-01-04T01:00:00Z")
    (invoice,) = await kit.invoices(client, {"external_id": "c"})
    assert (invoice["status"], invoice["taxes_amount_cents"]) == ("finalized", 200)


async def test_an_answer_about_an_old_number_is_dropped(client, register):
    register.is_away = True
    await upsert(client, country="DE", tax_identification_number="DE129273398")
    register.is_away = False
    await upsert(client, tax_identification_number="DE111111111")
    await kit.advance(client, "2025-01-02T00:00:00Z")
    assert register.asked == ["DE129273398", "DE111111111"]
    assert await codes(client) == ["lago_eu_reverse_charge"]


async def test_moving_to_an_issuer_without_them_takes_them_off(client):
    await kit.post(client, "/billing_entities", {"billing_entity": {"code": "us", "name": "US"}})
    await upsert(client)
    assert await upsert(client, billing_entity_code="us") == []
    assert await upsert(client, billing_entity_code="acme") == ["lago_eu_fr_standard"]


async def test_drafts_follow_the_tax(client):
    await upsert(client, country="FR", billing_configuration={"invoice_grace_period": 5})
    plan = await kit.plan(client, amount_cents=1000, pay_in_advance=True)
    await kit.subscribe(client, {"external_id": "c"}, plan)
    await upsert(client, country="DE")
    (invoice,) = await kit.invoices(client, {"external_id": "c"})
    assert (invoice["status"], invoice["taxes_amount_cents"]) == ("draft", 190)


async def test_a_deleted_automatic_tax_comes_back_when_it_is_needed(client):
    await kit.call(client, "DELETE", "/taxes/lago_eu_de_standard")
    assert await upsert(client, country="DE") == ["lago_eu_de_standard"]


async def test_a_customer_made_by_a_subscription_gets_theirs(client):
    await kit.subscribe(client, {"external_id": "c"}, await kit.plan(client))
    assert await codes(client) == ["lago_eu_fr_standard"]


async def test_usage_that_passed_thresholds_waits_with_what_it_took_over(client, register):
    """52.00, then 110.00 less these: both stay as they were when they are taxed, 10.40 and 11.60 (invoicing §5.1)."""
    register.is_away = True
    await upsert(client, country="FR", tax_identification_number="FR40303265045")
    metric = await kit.metric(client, "sum_agg", field_name="value")
    plan = await kit.plan(
        client,
        kit.charge(metric),
        usage_thresholds=[{"amount_cents": 5000}, {"amount_cents": 10_000}],
    )
    subscription = await kit.subscribe(client, {"external_id": "c"}, plan)
    look = {"lifetime_usage": {"external_historical_usage_amount_cents": 0}}
    for units in (52, 58):
        await kit.send(client, subscription, metric, units)
        await kit.call(client, "PUT", f"/subscriptions/{subscription['external_id']}/lifetime_usage", look)
    await kit.send(client, subscription, metric, 1)
    assert {one["status"] for one in await kit.invoices(client, {"external_id": "c"})} == {"pending"}
    register.is_away = False
    await kit.advance(client, "2025-01-02T00:00:00Z")
    issued = await kit.invoices(client, {"external_id": "c"})
    names = ("fees", "progressive_billing_credit", "taxes", "total")
    found = sorted(tuple(one[f"{name}_amount_cents"] for name in names) for one in issued)
    assert found == [(5200, 0, 1040, 6240), (11_000, 5200, 1160, 6960)]
    await kit.advance(client, "2025-02-01T01:00")
    listed = (await kit.get(client, "/invoices", invoice_type="subscription"))["invoices"]
    assert [one["progressive_billing_credit_amount_cents"] for one in listed] == [11_000]
