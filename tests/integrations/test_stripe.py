"""Stripe as a payment provider, against what speaks Stripe's wire (wallets-and-payments §11–§14)."""

import json
import time
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from tests.stripe_account import sign
from tests.stripe_server import serving

from tallymark.db.ids import new_id
from tallymark.integrations.payments import make_adapters
from tallymark.integrations.payments.stripe.amounts import Inexpressible, from_stripe, to_stripe
from tallymark.integrations.payments.stripe.calls import API_VERSION
from tallymark.rooms.payment_providers.model import (
    Connection,
    DisputeLost,
    LinkOrder,
    MethodLost,
    MethodSaved,
    Order,
    PaymentStatus,
    PaymentTold,
    Person,
    ProviderKind,
    RefundOrder,
    RefundStatus,
    RefundTold,
)
from tallymark.rooms.payment_providers.ports import BadSignature, ProviderRefused, ProviderUnavailable

INBOUND = "https://billing.example/webhooks/stripe/1?code=main"
LAST_YEAR = UUID("0193fff0-0000-7000-8000-000000000001")
"""The id of a payment made in December 2024."""


@pytest.fixture(scope="module")
def stripe():
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def _nothing_is_left(stripe):
    yield
    stripe.goes_wrong.clear()
    stripe.take()


@pytest.fixture(scope="module")
def provider(stripe):
    return make_adapters({"stripe": stripe.url})[ProviderKind.STRIPE]


@pytest.fixture(scope="module")
async def connection(stripe, provider):
    made = Connection(id=uuid4(), organization_id=uuid4(), kind=ProviderKind.STRIPE, code="main", name="Main", secrets={"secret_key": stripe.key}, success_redirect_url="https://shop.example/thanks")  # fmt: skip
    return await provider.open(made, INBOUND)


def person(**more):
    return Person(customer_id=uuid4(), external_id="cust-1", name="Ada", email="ada@example.com", **more)


async def payer(provider, connection, stripe, card="pm_card_visa", **more):
    """Somebody who is known to Stripe, and their card there."""
    asked = person(**more)
    made = await provider.create_customer(connection, asked)
    return replace(asked, provider_customer_id=made), stripe.attach({"customer": made}, card)["id"]


def order(somebody, method, *, cents=1099, currency="EUR", **more):
    payment_id = new_id()
    asked = Order(
        payment_id=payment_id,
        idempotency_key=f"payment-{payment_id}",
        amount_cents=cents,
        currency=currency,
        reference="Shop - Invoice 1",
        metadata={"lago_invoice_id": "i-1"},
        provider_customer_id=somebody.provider_customer_id,
        provider_method_id=method,
        person=somebody,
    )
    return replace(asked, **more)


def page(somebody, *, cents=1099, currency="EUR"):
    return LinkOrder(
        idempotency_key=f"link-{uuid4()}",
        amount_cents=cents,
        currency=currency,
        title="INV-1",
        reference="Shop - Invoice 1",
        metadata={"payment_type": "one-time", "lago_invoice_id": "i-1"},
        person=somebody,
        payable_id=uuid4(),
    )


async def told(provider, connection, stripe):
    """What is understood of the events since the last time, each verified as it comes in."""
    heard = []
    for sent in stripe.take():
        provider.verify(connection, {name.lower(): v for name, v in sent.headers.items()}, sent.body)
        heard += await provider.understand(connection, sent.body)
    return heard


def intents(stripe, asked):
    return [one for one in stripe.all("payment_intent") if one["metadata"]["lago_payment_id"] == str(asked.payment_id)]  # fmt: skip


class TestAmounts:
    @pytest.mark.parametrize(
        ("ours", "currency", "theirs"),
        [(1099, "EUR", 1099), (1099, "JPY", 1099), (1099, "TWD", 1099), (5, "ISK", 500), (5, "UGX", 500), (175, "HUF", 17500), (5120, "KWD", 5120)],
    )  # fmt: skip
    def test_are_counted_as_stripe_does_and_come_back_the_same(self, ours, currency, theirs):
        assert to_stripe(ours, currency) == theirs
        assert from_stripe(theirs, currency.lower()) == ours

    def test_between_two_of_ours_are_none(self):
        assert from_stripe(1050, "huf") is None

    @pytest.mark.parametrize(("ours", "currency"), [(5124, "KWD"), (1, "BHD"), (100, "MRO"), (100, "CLF")])
    def test_that_stripe_cannot_take_are_refused_and_not_rounded(self, ours, currency):
        with pytest.raises(Inexpressible):
            to_stripe(ours, currency)


class TestConnections:
    async def test_register_an_address_once_and_move_it_with_its_secret(self, stripe, provider, connection):
        (endpoint,) = [one for one in stripe.all("webhook_endpoint") if one["url"] == INBOUND]
        assert endpoint["api_version"] == API_VERSION
        assert "charge.dispute.closed" in endpoint["enabled_events"]
        assert connection.options["webhook_endpoint_id"] == endpoint["id"]

        moved = await provider.open(connection, "https://elsewhere.example/webhooks")
        assert moved == connection
        assert [one["url"] for one in stripe.all("webhook_endpoint")] == ["https://elsewhere.example/webhooks"]  # fmt: skip
        assert await provider.open(connection, INBOUND) == connection

    async def test_whose_registration_is_gone_or_was_cut_off_have_one_in_the_end(self, stripe, provider, connection):  # fmt: skip
        other = replace(connection, options={}, secrets={"secret_key": stripe.key})
        first = await provider.open(other, "https://two.example/")
        again = await provider.open(other, "https://two.example/")
        assert first.options != again.options
        (endpoint,) = [one for one in stripe.all("webhook_endpoint") if one["url"] == "https://two.example/"]
        assert endpoint["id"] == again.options["webhook_endpoint_id"]

        await provider.close(again)
        await provider.close(again)
        opened = await provider.open(again, "https://two.example/")
        assert opened.secrets["webhook_secret"] != again.secrets["webhook_secret"]
        await provider.close(opened)

    async def test_with_a_bad_key_or_address_are_refused(self, provider, connection):
        wrong = replace(connection, secrets={"secret_key": "sk_test_wrong"})
        with pytest.raises(ProviderRefused) as refused:
            await provider.open(wrong, INBOUND)
        assert refused.value.is_unauthorized
        with pytest.raises(ProviderRefused, match="Invalid URL") as refused:
            await provider.open(replace(connection, options={}), "nowhere")
        assert (refused.value.code, refused.value.is_unauthorized) == ("url_invalid", False)

    async def test_take_a_restricted_key_that_may_not_read_the_account(self, stripe, provider, connection):
        stripe.forbidden = {"/v1/account"}
        try:
            assert await provider.open(connection, INBOUND) == connection
            stripe.forbidden = {"/v1/account", "/v1/webhook_endpoints"}
            with pytest.raises(ProviderRefused) as refused:
                await provider.open(replace(connection, options={}), INBOUND)
        finally:
            stripe.forbidden = set()
        assert refused.value.is_unauthorized

    async def test_speak_one_version_of_the_api(self, stripe, connection):
        assert {asked.version for asked in stripe.asked} == {API_VERSION}


class TestCustomers:
    async def test_are_made_once_however_often_they_are_asked_for(self, stripe, provider, connection):
        ada = person(country="DE", city="Berlin")
        stripe.goes_wrong.append("lost")
        with pytest.raises(ProviderUnavailable):
            await provider.create_customer(connection, ada)
        made = await provider.create_customer(connection, replace(ada, name="Ada L."))
        stripe.pass_a_day()
        assert await provider.create_customer(connection, ada) == made
        (customer,) = [one for one in stripe.all("customer") if one["metadata"]["lago_customer_id"] == str(ada.customer_id)]  # fmt: skip
        assert (customer["name"], customer["email"], customer["address"]["city"]) == ("Ada", "ada@example.com", "Berlin")  # fmt: skip

        moved = replace(ada, provider_customer_id=made, name=None, city="Paris", email="a@b.c")
        await provider.update_customer(connection, moved)
        assert (customer["name"], customer["email"], customer["address"]["city"]) == (None, "a@b.c", "Paris")

    async def test_leave_a_method_on_a_page_which_is_told_with_what_may_be_shown(self, stripe, provider, connection):  # fmt: skip
        ada, _ = await payer(provider, connection, stripe, provider_payment_methods=("card", "crypto", "link"))  # fmt: skip
        link = await provider.setup_link(connection, ada)
        session = stripe.fill(link.url)
        assert session["payment_method_types"] == ["card", "link"]
        assert session["success_url"] == "https://shop.example/thanks"
        (saved,) = await told(provider, connection, stripe)
        assert saved == MethodSaved(
            provider_method_id=saved.provider_method_id,
            provider_customer_id=ada.provider_customer_id,
            details={"type": "card", "brand": "visa", "last4": "4242", "expires": "08/2032"},
        )

    @pytest.mark.parametrize("kinds", [("crypto",), ("customer_balance",)])
    async def test_who_have_nothing_to_set_up_get_no_page(self, provider, connection, kinds):
        with pytest.raises(ProviderRefused) as refused:
            await provider.setup_link(
                connection, person(provider_customer_id="cus_1", provider_payment_methods=kinds)
            )
        assert refused.value.code == "no_payment_methods_to_setup_available"

    async def test_have_their_default_method_else_their_latest_card(self, stripe, provider, connection):
        ada = person()
        ada = replace(ada, provider_customer_id=await provider.create_customer(connection, ada))
        assert await provider.known_method(connection, ada) is None
        first = stripe.attach({"customer": ada.provider_customer_id}, "pm_card_visa")["id"]
        latest = stripe.attach({"customer": ada.provider_customer_id}, "pm_card_mastercard")["id"]
        assert (await provider.known_method(connection, ada)).provider_method_id == latest

        stripe.take()
        stripe.update_customer({"invoice_settings": {"default_payment_method": first}}, ada.provider_customer_id)  # fmt: skip
        (saved,) = await told(provider, connection, stripe)
        assert saved == await provider.known_method(connection, ada)
        assert (saved.provider_method_id, saved.details["last4"]) == (first, "4242")

    async def test_whose_name_changes_have_no_other_default_by_that(self, stripe, provider, connection):
        ada, card = await payer(provider, connection, stripe)
        stripe.update_customer({"invoice_settings": {"default_payment_method": card}}, ada.provider_customer_id)  # fmt: skip
        stripe.take()
        await provider.update_customer(connection, replace(ada, name="Ada L."))
        assert await told(provider, connection, stripe) == []
        stripe.detach({}, card)
        assert await told(provider, connection, stripe) == [MethodLost(provider_method_id=card)]


class TestCharges:
    async def test_are_made_without_the_customer_and_told_of_again(self, stripe, provider, connection):
        asked = order(*await payer(provider, connection, stripe))
        outcome = await provider.charge(connection, asked)
        assert (outcome.payment_status, outcome.status) == (PaymentStatus.SUCCEEDED, "succeeded")
        sent = next(one for one in reversed(stripe.asked) if one.path == "/v1/payment_intents")
        assert (sent.key, sent.params["off_session"], sent.params["error_on_requires_action"]) == (asked.idempotency_key, True, True)  # fmt: skip
        (intent,) = intents(stripe, asked)
        assert (intent["amount"], intent["currency"], intent["description"]) == (1099, "eur", "Shop - Invoice 1")  # fmt: skip
        (heard,) = [one for one in await told(provider, connection, stripe) if isinstance(one, PaymentTold)]
        assert heard.outcome == outcome
        assert (heard.amount_cents, heard.currency) == (1099, "EUR")
        assert heard.metadata == {"lago_invoice_id": "i-1", "lago_payment_id": str(asked.payment_id)}
        stripe.pass_a_day()
        known = replace(asked, provider_payment_id=outcome.provider_payment_id)
        assert await provider.charge(connection, known) == outcome
        assert len(intents(stripe, asked)) == 1

    async def test_that_went_through_while_the_answer_was_lost_are_not_made_twice(self, stripe, provider, connection):  # fmt: skip
        asked = order(*await payer(provider, connection, stripe))
        stripe.goes_wrong.extend(["lost", 500, 429, 409])
        for _ in range(4):
            with pytest.raises(ProviderUnavailable) as lost:
                await provider.charge(connection, asked)
            assert stripe.key not in repr(lost.value)
            assert "ada@example.com" not in repr(lost.value)
        outcome = await provider.charge(connection, asked)
        assert (outcome.payment_status, len(intents(stripe, asked))) == (PaymentStatus.SUCCEEDED, 1)

    async def test_that_stripe_broke_off_in_are_looked_up(self, stripe, provider, connection):
        asked = order(*await payer(provider, connection, stripe))
        stripe.goes_wrong.append("broken")
        with pytest.raises(ProviderUnavailable):
            await provider.charge(connection, asked)
        outcome = await provider.charge(connection, asked)
        assert outcome.payment_status is PaymentStatus.SUCCEEDED
        assert [one["id"] for one in intents(stripe, asked)] == [outcome.provider_payment_id]

    async def test_are_not_made_twice_when_stripe_has_forgotten_the_key(self, stripe, provider, connection):
        asked = order(*await payer(provider, connection, stripe), payment_id=LAST_YEAR)
        stripe.goes_wrong.append("lost")
        with pytest.raises(ProviderUnavailable):
            await provider.charge(connection, asked)
        stripe.pass_a_day()
        outcome = await provider.charge(connection, asked)
        assert [one["id"] for one in intents(stripe, asked)] == [outcome.provider_payment_id]

    async def test_whose_key_asked_for_something_else_before_tell_what_came_of_that(self, stripe, provider, connection):  # fmt: skip
        ada, card = await payer(provider, connection, stripe)
        asked = order(ada, card)
        stripe.goes_wrong.append("lost")
        with pytest.raises(ProviderUnavailable):
            await provider.charge(connection, asked)
        outcome = await provider.charge(connection, replace(asked, reference="Shop - Invoice 2"))
        assert outcome.payment_status is PaymentStatus.SUCCEEDED
        assert [one["id"] for one in intents(stripe, asked)] == [outcome.provider_payment_id]

        other = order(ada, card, idempotency_key=asked.idempotency_key)
        clash = await provider.charge(connection, other)
        assert (clash.payment_status, clash.error_code, clash.leaves_payable) == (PaymentStatus.FAILED, "idempotency_error", True)  # fmt: skip
        assert intents(stripe, other) == []

    async def test_that_are_declined_are_told_in_the_words_of_stripe(self, stripe, provider, connection):
        asked = order(*await payer(provider, connection, stripe, "pm_card_chargeDeclinedInsufficientFunds"))
        outcome = await provider.charge(connection, asked)
        assert outcome == await provider.charge(connection, asked)
        assert (outcome.payment_status, outcome.status) == (PaymentStatus.FAILED, "requires_payment_method")
        assert (outcome.error_code, outcome.error_message) == ("card_declined", "Your card has insufficient funds.")  # fmt: skip
        assert not outcome.leaves_payable
        (heard,) = [one for one in await told(provider, connection, stripe) if isinstance(one, PaymentTold)]
        assert heard.outcome == outcome

    async def test_too_small_to_be_made_leave_what_was_to_be_paid(self, stripe, provider, connection):
        outcome = await provider.charge(connection, order(*await payer(provider, connection, stripe), cents=49))  # fmt: skip
        assert (outcome.payment_status, outcome.error_code, outcome.leaves_payable) == (PaymentStatus.FAILED, "amount_too_small", True)  # fmt: skip

    async def test_that_cannot_be_expressed_are_not_asked_for(self, stripe, provider, connection):
        ada, card = await payer(provider, connection, stripe)
        count = len(stripe.asked)
        outcome = await provider.charge(connection, order(ada, card, cents=5124, currency="KWD"))
        assert (outcome.payment_status, outcome.error_code) == (
            PaymentStatus.FAILED,
            "amount_not_representable",
        )
        assert len(stripe.asked) == count

    async def test_with_a_bad_key_are_nobodys_refusal(self, stripe, provider, connection):
        ada, card = await payer(provider, connection, stripe)
        with pytest.raises(ProviderRefused) as refused:
            await provider.charge(replace(connection, secrets={"secret_key": "sk_test_wrong"}), order(ada, card))  # fmt: skip
        assert refused.value.is_unauthorized

    async def test_by_a_bank_take_days(self, stripe, provider, connection):
        ada, account = await payer(provider, connection, stripe, "pm_sepa_debit", provider_payment_methods=("card", "sepa_debit"))  # fmt: skip
        good, bad = order(ada, account), order(ada, account)
        for asked in (good, bad):
            outcome = await provider.charge(connection, asked)
            assert (outcome.payment_status, outcome.status) == (PaymentStatus.PROCESSING, "processing")
        heard = [one for one in await told(provider, connection, stripe) if isinstance(one, PaymentTold)]
        assert [one.outcome.payment_status for one in heard] == [PaymentStatus.PROCESSING] * 2
        stripe.settle(intents(stripe, good)[0]["id"])
        stripe.bounce(intents(stripe, bad)[0]["id"])
        paid, refused = await told(provider, connection, stripe)
        assert (paid.outcome.payment_status, refused.outcome.payment_status) == (PaymentStatus.SUCCEEDED, PaymentStatus.FAILED)  # fmt: skip
        assert refused.outcome.error_code == "charge_exceeds_source_limit"
        assert (await provider.charge(connection, good)).payment_status is PaymentStatus.SUCCEEDED

    async def test_are_offered_only_what_pays_in_their_currency(self, stripe, provider, connection):
        ada, card = await payer(provider, connection, stripe, provider_payment_methods=("card", "sepa_debit"))
        asked = order(ada, card, currency="USD")
        assert (await provider.charge(connection, asked)).payment_status is PaymentStatus.SUCCEEDED
        assert intents(stripe, asked)[0]["payment_method_types"] == ["card"]

    async def test_told_late_that_they_are_under_way_are_what_they_are_by_now(self, stripe, provider, connection):  # fmt: skip
        ada, account = await payer(provider, connection, stripe, "pm_sepa_debit", provider_payment_methods=("sepa_debit",))  # fmt: skip
        asked = order(ada, account)
        await provider.charge(connection, asked)
        stripe.bounce(intents(stripe, asked)[0]["id"])
        late, _ = [one for one in await told(provider, connection, stripe) if isinstance(one, PaymentTold)]
        assert late.outcome.payment_status is PaymentStatus.FAILED


class TestAuthentication:
    CARD = "pm_card_authenticationRequired"

    async def test_is_a_refusal_where_nobody_is_asked(self, stripe, provider, connection):
        asked = order(*await payer(provider, connection, stripe, self.CARD))
        outcome = await provider.charge(connection, asked)
        assert (outcome.payment_status, outcome.error_code) == (PaymentStatus.FAILED, "authentication_required")  # fmt: skip
        assert [one for one in await told(provider, connection, stripe) if isinstance(one, PaymentTold)] == []

    @pytest.mark.parametrize("who", ["connection", "order"])
    @pytest.mark.parametrize("succeeds", [True, False])
    async def test_is_left_to_the_customer_where_they_can_be_asked(self, stripe, provider, connection, who, succeeds):  # fmt: skip
        asked = order(*await payer(provider, connection, stripe, self.CARD), waits_for_customer=who == "order")  # fmt: skip
        by = replace(connection, options={**connection.options, "supports_3ds": who == "connection"})
        outcome = await provider.charge(by, asked)
        assert (outcome.payment_status, outcome.status) == (PaymentStatus.PROCESSING, "requires_action")
        assert outcome.next_action["redirect_to_url"]["return_url"] == "https://shop.example/thanks"
        assert await provider.charge(by, asked) == outcome
        # The first was refused; that is no news, and not of the payment that waits.
        assert [one for one in await told(provider, connection, stripe) if isinstance(one, PaymentTold)] == []
        waiting, refused = intents(stripe, asked)
        assert (waiting["id"], refused["status"]) == (outcome.provider_payment_id, "requires_payment_method")

        stripe.authenticate(waiting["id"], succeeds=succeeds)
        (heard,) = await told(provider, connection, stripe)
        assert heard.outcome.provider_payment_id == waiting["id"]
        assert heard.outcome.payment_status is (PaymentStatus.SUCCEEDED if succeeds else PaymentStatus.FAILED)
        assert await provider.charge(by, asked) == heard.outcome

    async def test_is_left_to_customers_in_india_at_once(self, stripe, provider, connection):
        asked = order(*await payer(provider, connection, stripe, self.CARD, country="IN"), currency="INR")
        outcome = await provider.charge(connection, asked)
        assert outcome.status == "requires_action"
        assert len(intents(stripe, asked)) == 1
        assert "off_session" not in stripe.asked[-1].params


class TestTransfers:
    @pytest.mark.parametrize(
        ("currency", "country", "entity", "transfer"),
        [
            ("USD", None, None, {"type": "us_bank_transfer"}),
            ("JPY", None, None, {"type": "jp_bank_transfer"}),
            ("EUR", "FR", "DE", {"type": "eu_bank_transfer", "eu_bank_transfer": {"country": "FR"}}),
            ("EUR", "AT", "DE", {"type": "eu_bank_transfer", "eu_bank_transfer": {"country": "DE"}}),
        ],
    )
    async def test_are_waited_for(self, stripe, provider, connection, currency, country, entity, transfer):
        ada, _ = await payer(provider, connection, stripe, country=country, entity_country=entity, provider_payment_methods=("customer_balance",))  # fmt: skip
        asked = order(ada, None, currency=currency)
        outcome = await provider.charge(connection, asked)
        assert outcome.payment_status is PaymentStatus.PROCESSING
        assert outcome.next_action["display_bank_transfer_instructions"] == transfer
        stripe.take()
        stripe.settle(outcome.provider_payment_id)
        (heard,) = await told(provider, connection, stripe)
        assert (heard.outcome.payment_status, heard.amount_cents) == (PaymentStatus.SUCCEEDED, 1099)

    @pytest.mark.parametrize(("currency", "code"), [("EUR", "missing_country"), ("CHF", "unsupported_currency")])  # fmt: skip
    async def test_need_a_country_for_euros_and_a_currency_that_stripe_takes(self, stripe, provider, connection, currency, code):  # fmt: skip
        ada, _ = await payer(provider, connection, stripe, country="AT", provider_payment_methods=("customer_balance",))  # fmt: skip
        outcome = await provider.charge(connection, order(ada, None, currency=currency))
        assert (outcome.payment_status, outcome.error_code) == (PaymentStatus.FAILED, code)


class TestAccountsToSendMoneyTo:
    @pytest.mark.parametrize(("currency", "country", "entity", "told"), [
        ("EUR", "NL", "DE", [{"account_holder": "Stripe Technology Europe Limited", "bic": "SXPYDEHH", "iban": "NL{:020}"}]),
        ("EUR", "AT", "ES", [{"account_holder": "Stripe Technology Europe Limited", "bic": "SXPYDEHH", "iban": "ES{:020}"}]),
        ("GBP", None, None, [{"account_holder": "Stripe Payments UK Limited", "account_number": "{:08}", "sort_code": "108800"}]),
        ("JPY", None, None, [{
            "account_holder": "ストライプジヤパン（カ", "account_number": "{:07}", "account_type": "futsu", "bank_code": "0009",
            "bank_name": "三井住友銀行", "branch_code": "950", "branch_name": "東京第二",
        }]),
        ("MXN", None, None, [{"account_holder": "Stripe Payments Mexico", "bank_code": "646", "bank_name": "STP", "clabe": "6461801104{:08}"}]),
    ])  # fmt: skip
    async def test_are_those_of_the_currency(self, stripe, provider, connection, currency, country, entity, told):  # fmt: skip
        ada, _ = await payer(provider, connection, stripe, country=country, entity_country=entity, provider_payment_methods=("customer_balance",))  # fmt: skip
        number = int(ada.provider_customer_id.removeprefix("cus_"))
        wanted = [{name: value.format(number) for name, value in one.items()} for one in told]
        assert await provider.bank_accounts(connection, ada, currency) == wanted
        assert (
            await provider.bank_accounts(connection, ada, currency) == wanted
        )  # asked again, they are the same

    async def test_are_two_in_dollars_with_where_they_are(self, stripe, provider, connection):
        ada, _ = await payer(provider, connection, stripe, provider_payment_methods=("customer_balance",))
        number = int(ada.provider_customer_id.removeprefix("cus_"))
        both = {
            "account_holder": "Acme, Inc.", "account_number": f"11119980{number:09}", "account_type": "checking",
            "bank_name": "US Test Bank", "account_holder_address": "1 Main Street, Floor 2, 78701 Austin, TX, US",
            "bank_address": "420 Montgomery Street, 94104 San Francisco, CA, US",
        }  # fmt: skip
        assert await provider.bank_accounts(connection, ada, "USD") == [
            {**both, "routing_number": "999999999"},
            {**both, "swift_code": "TESTUS99XXX"},
        ]

    @pytest.mark.parametrize(("currency", "code"), [("EUR", "missing_country"), ("CHF", "unsupported_currency")])  # fmt: skip
    async def test_are_refused_before_stripe_is_asked(self, stripe, provider, connection, currency, code):
        ada, _ = await payer(provider, connection, stripe, country="AT", provider_payment_methods=("customer_balance",))  # fmt: skip
        before = len(stripe.asked)
        with pytest.raises(ProviderRefused) as refused:
            await provider.bank_accounts(connection, ada, currency)
        assert (refused.value.code, len(stripe.asked)) == (code, before)

    async def test_are_nobodys_who_is_not_there(self, stripe, provider, connection):
        with pytest.raises(ProviderRefused) as refused:
            await provider.bank_accounts(connection, person(provider_customer_id="cus_0"), "GBP")
        assert refused.value.code == "resource_missing"
        with pytest.raises(ProviderRefused) as refused:
            await provider.bank_accounts(connection, person(), "GBP")
        assert refused.value.code == "missing_payment_provider_customer"


class TestCancel:
    async def test_leaves_nothing_that_could_be_collected(self, stripe, provider, connection):
        ada, card = await payer(provider, connection, stripe, TestAuthentication.CARD)
        asked = order(ada, card, waits_for_customer=True)
        outcome = await provider.charge(connection, asked)
        await provider.cancel(connection, replace(asked, provider_payment_id=outcome.provider_payment_id))
        await provider.cancel(connection, asked)
        assert [one["status"] for one in intents(stripe, asked)] == ["canceled", "canceled"]

    async def test_pays_back_what_came_in_meanwhile_once(self, stripe, provider, connection):
        asked = order(*await payer(provider, connection, stripe))
        stripe.goes_wrong.append("lost")
        with pytest.raises(ProviderUnavailable):
            await provider.charge(connection, asked)
        await provider.cancel(connection, asked)
        stripe.pass_a_day()
        await provider.cancel(connection, asked)
        (intent,) = intents(stripe, asked)
        assert [one["amount"] for one in stripe.all("refund") if one["payment_intent"] == intent["id"]] == [1099]  # fmt: skip

    async def test_of_what_was_never_asked_for_asks_for_nothing(self, stripe, provider, connection):
        asked = order(*await payer(provider, connection, stripe))
        await provider.cancel(connection, asked)
        assert intents(stripe, asked) == []

    async def test_waits_for_a_debit_that_a_bank_has_in_hand(self, stripe, provider, connection):
        ada, account = await payer(provider, connection, stripe, "pm_sepa_debit", provider_payment_methods=("sepa_debit",))  # fmt: skip
        asked = order(ada, account)
        outcome = await provider.charge(connection, asked)
        await provider.cancel(connection, asked)
        stripe.settle(outcome.provider_payment_id)
        await provider.cancel(connection, asked)
        assert [one["amount"] for one in stripe.all("refund") if one["payment_intent"] == outcome.provider_payment_id] == [1099]  # fmt: skip


class TestPages:
    async def test_are_paid_on_once_by_a_browser(self, stripe, provider, connection):
        ada, _ = await payer(provider, connection, stripe)
        asked = page(ada)
        link = await provider.payment_link(connection, asked)
        assert await provider.payment_link(connection, asked) == link
        assert 23.5 * 3600 < link.expires_at.timestamp() - time.time() < 23.9 * 3600
        async with httpx.AsyncClient() as browser:
            assert "Pay 1099 EUR for INV-1" in (await browser.get(link.url)).text
            refused = await browser.post(link.url, data={"method": "pm_card_chargeCustomerFail"})
            assert "Your card was declined." in refused.text
            paid = await browser.post(link.url, data={"method": "pm_card_visa"})
            assert paid.headers["location"] == "https://shop.example/thanks"
            assert (await browser.get(link.url)).status_code == 404
        first, second = [one for one in await told(provider, connection, stripe) if isinstance(one, PaymentTold)]  # fmt: skip
        assert first.outcome.provider_payment_id == second.outcome.provider_payment_id
        assert [one.outcome.payment_status for one in (first, second)] == [PaymentStatus.FAILED, PaymentStatus.SUCCEEDED]  # fmt: skip
        assert (second.amount_cents, second.currency, second.metadata) == (1099, "EUR", dict(asked.metadata))
        await provider.expire_link(connection, link)

    async def test_keep_the_card_but_in_india_and_for_what_cannot_be_kept(self, stripe, provider, connection):
        cases: list[tuple[dict[str, Any], str | None]] = [({}, "off_session"), ({"country": "IN"}, None), ({"provider_payment_methods": ("card", "crypto")}, None)]  # fmt: skip
        for more, kept in cases:
            ada, _ = await payer(provider, connection, stripe, **more)
            link = await provider.payment_link(connection, page(ada, currency="USD"))
            data = stripe.get("checkout.session", link.provider_link_id)["payment_intent_data"]
            assert data.get("setup_future_usage") == kept

    async def test_may_ask_for_consent_and_are_taken_back(self, stripe, provider, connection):
        ada, _ = await payer(provider, connection, stripe)
        easy = await provider.payment_link(connection, page(ada))
        assert "consent_collection" not in stripe.get("checkout.session", easy.provider_link_id)
        strict = replace(connection, options={**connection.options, "require_terms_of_service_consent": True})
        link = await provider.payment_link(strict, page(ada))
        session = stripe.get("checkout.session", link.provider_link_id)
        assert session["consent_collection"] == {"terms_of_service": "required"}
        await provider.expire_link(connection, link)
        await provider.expire_link(connection, link)
        assert session["status"] == "expired"

    async def test_for_transfers_say_where_money_is_sent(self, stripe, provider, connection):
        ada, _ = await payer(provider, connection, stripe, country="NL", provider_payment_methods=("customer_balance",))  # fmt: skip
        link = await provider.payment_link(connection, page(ada))
        options = stripe.get("checkout.session", link.provider_link_id)["payment_method_options"]
        assert options["customer_balance"]["bank_transfer"]["eu_bank_transfer"] == {"country": "NL"}

    async def test_are_refused_for_amounts_that_stripe_does_not_take(self, stripe, provider, connection):
        ada, _ = await payer(provider, connection, stripe)
        for amount, currency, code in [
            (5124, "KWD", "amount_not_representable"),
            (49, "EUR", "amount_too_small"),
        ]:
            with pytest.raises(ProviderRefused) as refused:
                await provider.payment_link(connection, page(ada, cents=amount, currency=currency))
            assert refused.value.code == code
        with pytest.raises(ProviderRefused) as refused:
            await provider.payment_link(connection, page(person()))
        assert refused.value.code == "missing_payment_provider_customer"


class TestRefunds:
    async def test_are_paid_once_with_their_reason(self, stripe, provider, connection):
        asked = order(*await payer(provider, connection, stripe))
        paid = await provider.charge(connection, asked)
        back = RefundOrder(idempotency_key="credit-note-1", amount_cents=400, currency="EUR", reason="duplicated_charge", provider_payment_id=paid.provider_payment_id, metadata={"lago_credit_note_id": "cn-1"})  # fmt: skip
        stripe.goes_wrong.append("lost")
        with pytest.raises(ProviderUnavailable):
            await provider.refund(connection, back)
        stripe.pass_a_day()
        outcome = await provider.refund(connection, back)
        (made,) = [one for one in stripe.all("refund") if one["payment_intent"] == paid.provider_payment_id]
        assert (made["amount"], made["reason"], made["id"]) == (400, "duplicate", outcome.provider_refund_id)
        assert (outcome.refund_status, outcome.status) == (RefundStatus.SUCCEEDED, "succeeded")

        too_much = await provider.refund(connection, replace(back, idempotency_key="credit-note-2", amount_cents=700))  # fmt: skip
        assert (too_much.refund_status, too_much.error_message) == (RefundStatus.FAILED, "Refund amount is greater than unrefunded amount on charge.")  # fmt: skip

    @pytest.mark.parametrize(
        ("reason", "theirs"),
        [("fraudulent_charge", "fraudulent"), ("order_change", "requested_by_customer"), ("other", None), (None, None)],
    )  # fmt: skip
    async def test_of_debits_take_their_time_and_may_fail(self, stripe, provider, connection, reason, theirs):
        ada, account = await payer(provider, connection, stripe, "pm_sepa_debit", provider_payment_methods=("sepa_debit",))  # fmt: skip
        paid = await provider.charge(connection, order(ada, account))
        stripe.settle(paid.provider_payment_id)
        key = f"credit-note-{uuid4()}"
        outcome = await provider.refund(connection, RefundOrder(idempotency_key=key, amount_cents=1099, currency="EUR", reason=reason, provider_payment_id=paid.provider_payment_id))  # fmt: skip
        assert (outcome.refund_status, outcome.status) == (RefundStatus.PENDING, "pending")
        assert stripe.get("refund", outcome.provider_refund_id)["reason"] == theirs
        stripe.take()
        stripe.settle_refund(outcome.provider_refund_id, "failed")
        heard = await told(provider, connection, stripe)
        assert len(heard) == 3, "it is told in three ways"
        assert {type(one) for one in heard} == {RefundTold}
        assert heard[0] == heard[1] == heard[2]
        assert heard[0].outcome.refund_status is RefundStatus.FAILED
        assert (heard[0].outcome.error_code, heard[0].provider_payment_id) == ("lost_or_stolen_card", paid.provider_payment_id)  # fmt: skip


class TestEvents:
    async def test_tell_of_disputes_that_are_lost(self, stripe, provider, connection):
        paid = await provider.charge(connection, order(*await payer(provider, connection, stripe)))
        stripe.take()
        stripe.dispute(paid.provider_payment_id, status="won")
        assert await told(provider, connection, stripe) == []
        stripe.dispute(paid.provider_payment_id)
        assert await told(provider, connection, stripe) == [DisputeLost(provider_payment_id=paid.provider_payment_id, reason="fraudulent")]  # fmt: skip

    async def test_that_nothing_follows_from_are_nothing(self, provider, connection):
        event = {"type": "invoice.created", "data": {"object": {"id": "in_1"}}}
        assert await provider.understand(connection, json.dumps(event).encode()) == []

    @pytest.mark.parametrize("spoilt", ["none", "other secret", "other body", "old", "nonsense"])
    def test_that_are_not_stripes_or_of_long_ago_are_refused(self, provider, connection, spoilt):
        body, secret = b'{"type": "x"}', connection.secrets["webhook_secret"]
        provider.verify(connection, {"stripe-signature": sign(body, secret)}, body)
        headers = {
            "none": {},
            "other secret": {"stripe-signature": sign(body, "whsec_other")},
            "other body": {"stripe-signature": sign(b"{}", secret)},
            "old": {"stripe-signature": sign(body, secret, int(time.time()) - 301)},
            "nonsense": {"stripe-signature": "t=x,v1"},
        }[spoilt]
        with pytest.raises(BadSignature) as refused:
            provider.verify(connection, headers, body)
        assert "type" not in str(refused.value)
        with pytest.raises(BadSignature):
            provider.verify(replace(connection, secrets={}), {"stripe-signature": sign(body, "")}, body)
