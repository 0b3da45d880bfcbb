"""What Stripe is asked for, and what the one on 127.0.0.1 answers, held against Stripe's own description of its API."""

from dataclasses import replace
from functools import cache
from uuid import uuid4

import jsonschema
import pytest
from jsonschema.validators import extend
from tests.deploy.conftest import tool_file
from tests.integrations.test_stripe import INBOUND, LAST_YEAR, order, page, payer
from tests.stripe_banks import instructions
from tests.stripe_server import serving

from tallymark.integrations.payments import make_adapters
from tallymark.integrations.payments.stripe.calls import API_VERSION
from tallymark.integrations.payments.stripe.events import TYPES
from tallymark.integrations.payments.stripe.payments import STATUSES
from tallymark.rooms.payment_providers.model import Connection, ProviderKind, RefundOrder

ALL = ("card", "sepa_debit", "us_bank_account", "bacs_debit", "link", "boleto", "crypto")
TRANSFER = ("customer_balance",)
REASONS = ("duplicated_charge", "fraudulent_charge", "product_unsatisfactory", "other")


@cache
def description():
    return tool_file("stripe.json")


@cache
def validator():
    """Forms have texts alone: what looks like a number may be one."""
    texts = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "string", lambda _, value: isinstance(value, str | int)
    )
    return extend(jsonschema.Draft202012Validator, type_checker=texts)


def path_of(asked):
    """How the description writes a path."""
    parts = asked.path.split("/")
    for path, operations in description()["paths"].items():
        wanted = path.split("/")
        if len(wanted) == len(parts) and asked.method.lower() in operations and all(w[:1] == "{" or w == p for w, p in zip(wanted, parts, strict=True)):  # fmt: skip
            return operations[asked.method.lower()]
    raise AssertionError(f"Stripe has no {asked.method} {asked.path}")


def schema_of(asked):
    operation = path_of(asked)
    if asked.method == "POST":
        content = operation["requestBody"]["content"]
        return content["application/x-www-form-urlencoded"]["schema"]
    known = {one["name"]: one["schema"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    return {"type": "object", "properties": known, "additionalProperties": False}


@pytest.fixture(scope="module")
async def stripe():
    """Stripe, after each thing was asked for in each of the ways there are."""
    description()
    with serving() as server:
        provider = make_adapters({"stripe": server.url})[ProviderKind.STRIPE]
        connection = Connection(id=uuid4(), organization_id=uuid4(), kind=ProviderKind.STRIPE, code="main", name="Main", secrets={"secret_key": server.key}, options={"supports_3ds": True, "require_terms_of_service_consent": True})  # fmt: skip
        connection = await provider.open(connection, INBOUND)
        await provider.open(connection, INBOUND)
        for kinds, country in [((), "DE"), (ALL, None), (TRANSFER, "FR"), (("card",), "IN")]:
            await _use(provider, connection, server, kinds, country)
        for sent in server.take():
            await provider.understand(connection, sent.body)
        await provider.close(connection)
        yield server


async def _use(provider, connection, server, kinds, country):
    ada, card = await payer(provider, connection, server, "pm_card_authenticationRequired", provider_payment_methods=kinds, country=country, city="Ulm")  # fmt: skip
    for currency in ("EUR", "USD", "GBP", "JPY", "MXN", "CHF") if kinds == TRANSFER else ("EUR", "USD"):
        asked = order(ada, None if kinds == TRANSFER else card, currency=currency)
        await provider.charge(connection, asked)
        await provider.charge(connection, asked)
        await provider.cancel(connection, asked)
        if kinds == TRANSFER and currency != "CHF":
            await provider.bank_accounts(connection, ada, currency)
    await provider.charge(connection, order(ada, card if kinds != TRANSFER else None, payment_id=LAST_YEAR))
    await provider.known_method(connection, ada)
    await provider.update_customer(connection, replace(ada, name=None, city=None, country=None))
    if kinds != TRANSFER:
        server.fill((await provider.setup_link(connection, ada)).url)
    link = await provider.payment_link(connection, page(ada))
    await provider.expire_link(connection, link)
    if kinds == ():
        visa = server.attach({"customer": ada.provider_customer_id}, "pm_card_visa")["id"]
        paid = await provider.charge(connection, order(ada, visa))
        for reason in REASONS:
            await provider.refund(connection, RefundOrder(idempotency_key=str(uuid4()), amount_cents=10, currency="EUR", reason=reason, provider_payment_id=paid.provider_payment_id))  # fmt: skip
        server.dispute(paid.provider_payment_id)
        lost = replace(ada, provider_customer_id=None)
        await provider.create_customer(connection, lost)


async def test_the_version_is_the_one_that_is_described():
    assert description()["info"]["version"] == API_VERSION


async def test_whatever_is_asked_for_is_as_described(stripe):
    wrong = [
        f"{asked.method} {asked.path}: {error.json_path} {error.message[:200]}"
        for asked in stripe.asked
        for error in validator()(schema_of(asked)).iter_errors(asked.params)
    ]
    assert wrong == []
    assert len({(asked.method, path_of(asked)["operationId"]) for asked in stripe.asked}) == 20


async def test_what_is_answered_here_has_only_what_is_described_there(stripe):
    schemas = description()["components"]["schemas"]
    kinds = ("customer", "payment_method", "payment_intent", "setup_intent", "refund", "dispute")
    for kind in kinds:
        for found in stripe.all(kind):
            assert set(found) <= set(schemas[kind]["properties"]), kind
    of_transfers = schemas["funding_instructions_bank_transfer"]
    for currency in ("eur", "gbp", "jpy", "mxn", "usd"):
        kind = {"eur": "eu", "gbp": "gb", "jpy": "jp", "mxn": "mx", "usd": "us"}[currency] + "_bank_transfer"
        told = instructions(1, currency, {"type": kind, "eu_bank_transfer": {"country": "FR"}})
        assert isinstance(told, dict), told
        assert set(told) == set(schemas["funding_instructions"]["required"])
        assert set(told["bank_transfer"]) == set(of_transfers["required"])
        for address in told["bank_transfer"]["financial_addresses"]:
            record = schemas[f"funding_instructions_bank_transfer_{address['type']}_record"]
            assert set(record["required"]) <= set(address[address["type"]]) <= set(record["properties"])
    statuses = schemas["payment_intent"]["properties"]["status"]["enum"]
    assert {one["status"] for one in stripe.all("payment_intent")} <= set(statuses)


async def test_the_events_that_are_registered_for_are_there(stripe):
    body = description()["paths"]["/v1/webhook_endpoints"]["post"]["requestBody"]["content"]
    schema = body["application/x-www-form-urlencoded"]["schema"]
    assert set(TYPES) <= set(schema["properties"]["enabled_events"]["items"]["enum"])


async def test_the_words_for_a_payment_are_all_known(stripe):
    schemas = description()["components"]["schemas"]
    assert set(STATUSES) == set(schemas["payment_intent"]["properties"]["status"]["enum"])
