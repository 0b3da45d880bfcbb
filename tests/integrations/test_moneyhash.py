"""MoneyHash, played by a server of our own that answers as its API's pages say (wallets-and-payments §11.3, §11.4, §12)."""

import json
from dataclasses import replace
from uuid import UUID

import pytest
from tests import moneyhash_server
from tests.loopback import loopback
from tests.moneyhash_server import INTENTS, Intents, enveloped, refused

from tallymark.integrations.payments import make_adapters
from tallymark.integrations.payments.moneyhash import MoneyHash
from tallymark.rooms.payment_providers.model import (
    Connection,
    Link,
    LinkOrder,
    MethodLost,
    MethodSaved,
    Order,
    Outcome,
    PaymentStatus,
    PaymentTold,
    Person,
    ProviderKind,
    RefundOrder,
    RefundStatus,
    Unknown,
)
from tallymark.rooms.payment_providers.ports import BadSignature, ProviderRefused, ProviderUnavailable

SOME_ID = UUID(int=1)
INBOUND = "https://billing.example.com/webhooks/moneyhash/1?code=eg"
CONNECTION = Connection(
    id=SOME_ID,
    organization_id=SOME_ID,
    kind=ProviderKind.MONEYHASH,
    code="eg",
    name="Egypt",
    success_redirect_url="https://shop.example.com/thanks",
    inbound_url=INBOUND,
    options={"flow_id": "VglRW9x"},
    secrets={"api_key": "EfCa.zRPM", "signature_key": "mh-organization-key"},
)
PERSON = Person(
    customer_id=UUID(int=7),
    external_id="mona",
    name="Mona El Said",
    email="mona@example.com",
    phone="+201234567891",
    currency="EGP",
    provider_customer_id="cus-1",
)
METADATA = {"lago_invoice_id": "i1", "lago_customer_id": str(UUID(int=7)), "invoice_type": "subscription"}
ORDER = Order(
    payment_id=SOME_ID,
    idempotency_key="payment-5a1d9e1c",
    amount_cents=123450,
    currency="EGP",
    reference="Acme - Invoice ACM-0001",
    metadata=METADATA,
    provider_customer_id="cus-1",
    provider_method_id="card-1",
)
# printf '%s' payment-5a1d9e1c | openssl dgst -sha256 begins 0c9421fa8a95b9ec05ef9c8007cc9606; of version 4 it is:
KEY = "0c9421fa-8a95-49ec-85ef-9c8007cc9606"


def link_order(**others):
    return LinkOrder(
        **{
            "idempotency_key": "payment-5a1d9e1c",
            "amount_cents": 123450,
            "currency": "EGP",
            "title": "ACM-0001",
            "reference": "Acme - Invoice ACM-0001",
            "metadata": {**METADATA, "payment_type": "one-time"},
            "person": PERSON,
            "payable_id": SOME_ID,
            **others,
        }
    )


async def test_the_key_that_events_are_signed_by_is_fetched():
    async with loopback(lambda _: enveloped({"webhook_signature_secret": "mh-organization-key"})) as vendor:
        fresh = replace(CONNECTION, secrets={"api_key": "EfCa.zRPM"})
        assert await MoneyHash(vendor.url).open(fresh, INBOUND) == CONNECTION
    (asked,) = vendor.asked
    assert (asked.method, asked.path) == ("GET", "/api/v1/organizations/get-webhook-signature-key/")
    assert asked.headers["x-api-key"] == "EfCa.zRPM"


@pytest.mark.parametrize(
    ("answer", "is_unauthorized"),
    [(refused(403, "Invalid API key"), True), (enveloped({"webhook_signature_secret": ""}), False)],
)
async def test_without_that_key_there_is_no_connection(answer, is_unauthorized):
    async with loopback(lambda _: answer) as vendor:
        with pytest.raises(ProviderRefused, match=r"Invalid API key|no signature key") as raised:
            await MoneyHash(vendor.url).open(CONNECTION, INBOUND)
    assert raised.value.is_unauthorized is is_unauthorized


async def test_a_customer_is_made_once_for_a_person():
    async with loopback(lambda _: enveloped({"id": "cus-1"})) as vendor:
        assert await MoneyHash(vendor.url).create_customer(CONNECTION, PERSON) == "cus-1"
        await MoneyHash(vendor.url).create_customer(CONNECTION, replace(PERSON, name=None, phone=None))
    first, second = vendor.asked
    assert (first.method, first.path) == ("POST", "/api/v1.4/customers/")
    assert first.body == {
        "first_name": "Mona",
        "last_name": "El Said",
        "email": "mona@example.com",
        "phone_number": "+201234567891",
    }
    assert second.body == {"first_name": "mona", "email": "mona@example.com"}
    assert first.headers["x-idempotency-key"] == second.headers["x-idempotency-key"]
    assert UUID(first.headers["x-idempotency-key"]).version == 4


async def test_a_card_is_saved_by_an_intent_of_five_under_the_agreement_it_is_charged_by():
    async with loopback(Intents()) as vendor:
        link = await MoneyHash(vendor.url).setup_link(CONNECTION, PERSON)
        await MoneyHash(vendor.url).charge(CONNECTION, ORDER)
    assert link == Link(url="https://web.moneyhash.io/payments/embed/int0/", provider_link_id="int0")
    setup, charge = vendor.asked[0].body, vendor.asked[1].body
    assert setup == {
        "flow_id": "VglRW9x",
        "webhook_url": INBOUND,
        "successful_redirect_url": "https://shop.example.com/thanks",
        "amount": "5.00",
        "amount_currency": "EGP",
        "customer": "cus-1",
        "tokenize_card": True,
        "merchant_initiated": False,
        "payment_type": "UNSCHEDULED",
        "recurring_data": {"agreement_id": str(UUID(int=7))},
        "custom_fields": {"lago_customer_id": str(UUID(int=7)), "payment_type": "setup"},
    }
    assert setup["recurring_data"] == charge["recurring_data"]


@pytest.mark.parametrize(
    ("lacks", "code"),
    [
        ({"provider_customer_id": None}, "missing_customer"),
        ({"currency": None, "entity_currency": None}, "missing_currency"),
    ],
)
async def test_a_card_is_not_saved_for_nobody_or_in_no_currency(lacks, code):
    with pytest.raises(ProviderRefused) as raised:
        await MoneyHash("http://127.0.0.1:1").setup_link(CONNECTION, replace(PERSON, **lacks))
    assert raised.value.code == code


async def test_without_a_currency_of_their_own_it_is_their_issuers():
    async with loopback(Intents()) as vendor:
        person = replace(PERSON, currency=None, entity_currency="KWD")
        await MoneyHash(vendor.url).setup_link(CONNECTION, person)
    assert (vendor.asked[0].body["amount"], vendor.asked[0].body["amount_currency"]) == ("5.00", "KWD")


async def test_a_charge_is_the_merchants_on_the_saved_card_for_the_amount_due():
    async with loopback(Intents()) as vendor:
        outcome = await MoneyHash(vendor.url).charge(CONNECTION, ORDER)
    assert outcome == Outcome(
        payment_status=PaymentStatus.SUCCEEDED, status="PROCESSED", provider_payment_id="int0"
    )
    made, read = vendor.asked
    assert (made.method, made.path, read.path) == ("POST", INTENTS, f"{INTENTS}int0/")
    assert made.headers["x-idempotency-key"] == KEY
    assert made.body == {
        "flow_id": "VglRW9x",
        "webhook_url": INBOUND,
        "amount": "1234.5",
        "amount_currency": "EGP",
        "merchant_reference": "Acme - Invoice ACM-0001",
        "customer": "cus-1",
        "card_token": "card-1",
        "merchant_initiated": True,
        "payment_type": "UNSCHEDULED",
        "recurring_data": {"agreement_id": str(UUID(int=7))},
        "custom_fields": METADATA,
    }


async def test_without_a_flow_it_is_a_purchase():
    async with loopback(Intents()) as vendor:
        await MoneyHash(vendor.url).charge(replace(CONNECTION, options={"flow_id": None}), ORDER)
    assert vendor.asked[0].body["operation"] == "purchase"
    assert "flow_id" not in vendor.asked[0].body


async def test_the_same_key_charges_once_and_what_it_came_to_meanwhile_is_told():
    async with loopback(Intents(charge="PENDING")) as vendor:
        it, intents = MoneyHash(vendor.url), vendor.answer
        assert (await it.charge(CONNECTION, ORDER)).payment_status is PaymentStatus.PROCESSING
        intents.known["int0"]["status"] = "PROCESSED"
        assert (await it.charge(CONNECTION, ORDER)).payment_status is PaymentStatus.SUCCEEDED
        known = replace(ORDER, provider_payment_id="int0")
        assert (await it.charge(CONNECTION, known)).payment_status is PaymentStatus.SUCCEEDED
        assert len(intents.known) == 1
    assert [asked.method for asked in vendor.asked] == ["POST", "GET", "POST", "GET", "GET"]


@pytest.mark.parametrize(
    ("intent", "payment_status", "status"),
    [
        ({"status": "UNPROCESSED"}, PaymentStatus.PROCESSING, "UNPROCESSED"),
        ({"status": "UNPROCESSED", "of": "PENDING"}, PaymentStatus.PROCESSING, "PENDING"),
        ({"status": "UNPROCESSED", "of": "PENDING_AUTHENTICATION"}, PaymentStatus.PROCESSING, "PENDING_AUTHENTICATION"),
        ({"status": "UNPROCESSED", "of": "PENDING_EXTERNAL_ACTION"}, PaymentStatus.PROCESSING, "PENDING_EXTERNAL_ACTION"),
        ({"status": "UNPROCESSED", "of": "FAILED"}, PaymentStatus.FAILED, "FAILED"),
        ({"status": "UNPROCESSED", "of": "SUCCESSFUL"}, PaymentStatus.SUCCEEDED, "SUCCESSFUL"),
        ({"status": "PROCESSED", "of": "SUCCESSFUL"}, PaymentStatus.SUCCEEDED, "PROCESSED"),
        ({"status": "PROCESSED"}, PaymentStatus.SUCCEEDED, "PROCESSED"),
        ({"status": "PROCESSED", "payment_status": {"status": "AUTHORIZED"}}, PaymentStatus.PROCESSING, "AUTHORIZED"),
        ({"status": "PROCESSED", "payment_status": {"status": "CAPTURED"}}, PaymentStatus.SUCCEEDED, "PROCESSED"),
        ({"status": "CLOSED", "of": "PENDING"}, PaymentStatus.FAILED, "CLOSED"),
        ({"status": "EXPIRED"}, PaymentStatus.FAILED, "EXPIRED"),
        ({"status": "TIME_EXPIRED"}, PaymentStatus.FAILED, "TIME_EXPIRED"),
    ],
)  # fmt: skip
async def test_the_states_of_an_intent_and_of_its_transaction_are_those_of_a_payment(
    intent, payment_status, status
):
    shown = {"id": "int9", **intent}
    if "of" in intent:
        shown["active_transaction"] = {"id": "t9", "status": shown.pop("of")}
    async with loopback(lambda _: enveloped({"intent": shown})) as vendor:
        outcome = await MoneyHash(vendor.url).charge(CONNECTION, replace(ORDER, provider_payment_id="int9"))
    assert (outcome.payment_status, outcome.status) == (payment_status, status)
    assert outcome.provider_payment_id == "int9"
    # Nothing comes later of what is told to have failed.
    closed = [asked for asked in vendor.asked if asked.path.endswith("/int9/close/")]
    assert bool(closed) == (payment_status is PaymentStatus.FAILED)


async def test_a_refused_charge_is_told_with_what_it_was_refused_for():
    async with loopback(lambda _: refused(400, {"card_token": "does not exist"}, "no way to pay")) as vendor:
        outcome = await MoneyHash(vendor.url).charge(CONNECTION, ORDER)
    assert outcome == Outcome(
        payment_status=PaymentStatus.FAILED,
        status="FAILED",
        error_message="card_token: does not exist, no way to pay",
    )


@pytest.mark.parametrize(
    "answer", [None, (503, None), (429, {}), (409, {}), enveloped({}), enveloped({"id": 7})]
)
async def test_what_may_have_been_charged_is_never_told_to_have_failed(answer):
    async with loopback(lambda _: answer) as vendor:
        with pytest.raises(ProviderUnavailable):
            await MoneyHash(vendor.url).charge(CONNECTION, ORDER)


@pytest.mark.parametrize("answer", [None, (503, None), refused(404), refused(403)])
async def test_a_charge_that_can_not_be_looked_at_is_under_way(answer):
    def unseen(asked):
        return enveloped({"id": "int0", "status": "UNPROCESSED"}) if asked.method == "POST" else answer

    async with loopback(unseen) as vendor:
        outcome = await MoneyHash(vendor.url).charge(CONNECTION, ORDER)
    assert (outcome.payment_status, outcome.provider_payment_id) == (PaymentStatus.PROCESSING, "int0")


@pytest.mark.parametrize(
    ("amount_cents", "currency", "written"),
    [(500, "JPY", "500"), (123456, "EGP", "1234.56"), (12340, "KWD", "12.34"), (99999999999999, "USD", "999999999999.99")],
)  # fmt: skip
async def test_amounts_go_by_the_decimals_of_their_currency(amount_cents, currency, written):
    async with loopback(Intents()) as vendor:
        order = replace(ORDER, amount_cents=amount_cents, currency=currency)
        await MoneyHash(vendor.url).charge(CONNECTION, order)
    assert vendor.asked[0].body["amount"] == written


async def test_three_decimals_that_matter_are_refused_before_anybody_rounds_them():
    async with loopback(Intents()) as vendor:
        it = MoneyHash(vendor.url)
        outcome = await it.charge(CONNECTION, replace(ORDER, amount_cents=12345, currency="KWD"))
        with pytest.raises(ProviderRefused):
            await it.payment_link(CONNECTION, link_order(amount_cents=12345, currency="KWD"))
    assert (outcome.payment_status, outcome.error_code) == (
        PaymentStatus.FAILED,
        "amount_not_representable",
    )
    assert vendor.asked == []


@pytest.mark.parametrize(
    "lacks", [{"provider_method_id": None}, {"provider_customer_id": None}, {"metadata": {}}]
)
async def test_nobody_is_charged_without_a_card(lacks):
    outcome = await MoneyHash("http://127.0.0.1:1").charge(CONNECTION, replace(ORDER, **lacks))
    assert (outcome.payment_status, outcome.error_code) == (PaymentStatus.FAILED, "missing_payment_method")


async def test_nobody_is_charged_where_nothing_would_be_told_of_it():
    outcome = await MoneyHash("http://127.0.0.1:1").charge(replace(CONNECTION, inbound_url=None), ORDER)
    assert (outcome.payment_status, outcome.error_code) == (PaymentStatus.FAILED, "missing_webhook_url")


class TestCancel:
    async def test_a_pending_one_is_closed_and_asked_again_nothing_more_happens(self):
        async with loopback(Intents(charge="PENDING")) as vendor:
            it, intents = MoneyHash(vendor.url), vendor.answer
            await it.charge(CONNECTION, ORDER)
            await it.cancel(CONNECTION, ORDER)
            await it.cancel(CONNECTION, replace(ORDER, provider_payment_id="int0"))
            assert [one["status"] for one in intents.known.values()] == ["CLOSED"]
            assert intents.refunds == []

    async def test_one_that_came_in_is_paid_back_in_full_and_once(self):
        async with loopback(Intents()) as vendor:
            it, intents = MoneyHash(vendor.url), vendor.answer
            await it.charge(CONNECTION, ORDER)
            await it.cancel(CONNECTION, ORDER)
            await it.cancel(CONNECTION, ORDER)
            ((transaction, body, key),) = intents.refunds
        assert (transaction, body) == ("t-int0", {"amount": "1234.5", "amount_currency": "EGP"})
        assert UUID(key).version == 4
        assert key != KEY, "the charge's key would be answered with the charge"

    async def test_one_that_comes_in_while_it_is_closed_is_paid_back(self):
        def late(asked):
            if asked.path.endswith("/close/"):
                intents.known["int0"]["status"] = "PROCESSED"
                intents.known["int0"]["active_transaction"]["status"] = "SUCCESSFUL"
            return intents(asked)

        intents = Intents(charge="PENDING")
        async with loopback(late) as vendor:
            await MoneyHash(vendor.url).charge(CONNECTION, ORDER)
            await MoneyHash(vendor.url).cancel(CONNECTION, ORDER)
        assert len(intents.refunds) == 1

    async def test_one_that_it_was_never_asked_for_is_never_taken(self):
        async with loopback(Intents()) as vendor:
            it, intents = MoneyHash(vendor.url), vendor.answer
            await it.cancel(CONNECTION, ORDER)
            outcome = await it.charge(CONNECTION, ORDER)  # a try that comes late
            assert [one["status"] for one in intents.known.values()] == ["CLOSED"]
            assert intents.refunds == []
        assert outcome.payment_status is PaymentStatus.FAILED
        assert not vendor.asked[0].body.get("merchant_initiated")

    async def test_one_that_stays_open_is_canceled_later(self):
        pending = {"id": "int0", "status": "UNPROCESSED"}
        async with loopback(lambda _: enveloped({"intent": pending})) as vendor:
            with pytest.raises(ProviderUnavailable):
                await MoneyHash(vendor.url).cancel(CONNECTION, replace(ORDER, provider_payment_id="int0"))

    async def test_money_that_can_not_be_paid_back_is_not_passed_over(self):
        paid = {"id": "int0", "status": "PROCESSED"}
        async with loopback(lambda _: enveloped({"intent": paid})) as vendor:
            with pytest.raises(ProviderRefused):
                await MoneyHash(vendor.url).cancel(CONNECTION, replace(ORDER, provider_payment_id="int0"))


async def test_a_page_is_for_the_amount_due_and_open_for_a_day():
    async with loopback(Intents()) as vendor:
        it, intents = MoneyHash(vendor.url), vendor.answer
        link = await it.payment_link(CONNECTION, link_order())
        assert await it.payment_link(CONNECTION, link_order()) == link
        await it.expire_link(CONNECTION, link)
        await it.expire_link(CONNECTION, link)
        assert [one["status"] for one in intents.known.values()] == ["CLOSED"]
    assert link == Link(url="https://web.moneyhash.io/payments/embed/int0/", provider_link_id="int0")
    assert vendor.asked[0].body == {
        "flow_id": "VglRW9x",
        "webhook_url": INBOUND,
        "successful_redirect_url": "https://shop.example.com/thanks",
        "amount": "1234.5",
        "amount_currency": "EGP",
        "merchant_reference": "Acme - Invoice ACM-0001",
        "expires_after_seconds": 86400,
        "customer": "cus-1",
        "custom_fields": {**METADATA, "payment_type": "one-time"},
    }


async def test_a_page_that_is_refused_is_none():
    async with loopback(lambda _: refused(400, {"amount": "is too small"})) as vendor:
        with pytest.raises(ProviderRefused, match="amount: is too small"):
            await MoneyHash(vendor.url).payment_link(CONNECTION, link_order())


async def test_what_was_too_much_goes_back():
    order = RefundOrder(
        idempotency_key="surplus-1",
        amount_cents=450,
        currency="EGP",
        reason=None,
        provider_payment_id="int0",
    )
    async with loopback(Intents()) as vendor:
        it, intents = MoneyHash(vendor.url), vendor.answer
        await it.charge(CONNECTION, ORDER)
        outcome = await it.refund(CONNECTION, order)
        ((transaction, body, key),) = intents.refunds
        with pytest.raises(ProviderRefused):
            await it.refund(CONNECTION, order)
    assert outcome.refund_status is RefundStatus.SUCCEEDED
    assert (transaction, body) == ("t-int0", {"amount": "4.5", "amount_currency": "EGP"})
    assert UUID(key).version == 4
    assert not it.abilities.refunds, "credit notes are paid back by hand"


# printf '%s' "$(printf '%s' "$BODY" | base64 -w0)1698744604" | openssl dgst -sha256 -hmac mh-organization-key
SIGNED = b'{"type":"intent.processed","data":{"intent_id":"gQlovBL"}}'
SIGNATURE = "460e4024d544eb43d7b0c57c91d4c50aa075ba5ffbd84012c0e45719bd198767"


def test_an_event_is_signed_by_the_third_version():
    told = f"t=1698744604,v1=5e92be4a,v2=23021d84,v3={SIGNATURE}"
    MoneyHash().verify(CONNECTION, {"moneyhash-signature": told}, SIGNED)
    for secrets, header, body in [
        (CONNECTION.secrets, told, SIGNED + b" "),
        (CONNECTION.secrets, told.replace("1698744604", "1698744605"), SIGNED),
        (CONNECTION.secrets, told.replace("v3=", "v2="), SIGNED),
        (CONNECTION.secrets, f"v3={SIGNATURE}", SIGNED),
        (CONNECTION.secrets, "t=1698744604,v3=é", SIGNED),
        (CONNECTION.secrets, "", SIGNED),
        ({"signature_key": "another"}, told, SIGNED),
        ({"signature_key": ""}, told, SIGNED),
        ({}, told, SIGNED),
    ]:
        with pytest.raises(BadSignature):
            MoneyHash().verify(replace(CONNECTION, secrets=secrets), {"moneyhash-signature": header}, body)


def of_intent(kind="intent.processed", **intent):
    """One of a charge of 1,234.50, but for what is said of it."""
    usual = {"id": "int0", "amount": 1234.5, "amount_currency": "EGP", "custom_fields": METADATA}
    return moneyhash_server.of_intent(kind, **{**usual, **intent})


def of_transaction(kind, metadata=METADATA):
    """As the vendor's extension for Magento reads one of version 1.4: by itself, with an amount that tells its currency."""
    amount = {"value": "1234.50", "currency": "EGP"}
    intent = {"id": "int0", "custom_fields": metadata, "payment_status": {"status": "CAPTURED"}}
    transaction = {"id": "t-int0", "amount": amount, "custom_message": "Card is closed"}
    return json.dumps({"type": kind, "intent": intent, "transaction": transaction}).encode()


def told(payment_status, status, metadata=METADATA, **others):
    return (
        PaymentTold(
            outcome=Outcome(
                payment_status=payment_status, status=status, provider_payment_id="int0", **others
            ),
            metadata=metadata,
            amount_cents=123450,
            currency="EGP",
        ),
    )


async def heard(body, answer=None):
    async with loopback(answer or (lambda _: (500, None))) as vendor:
        return await MoneyHash(vendor.url).understand(CONNECTION, body)


async def test_a_payment_goes_by_its_intent_whichever_event_tells_of_it():
    assert await heard(of_intent()) == told(PaymentStatus.SUCCEEDED, "PROCESSED")
    paid = of_transaction("transaction.purchase.successful")
    assert await heard(paid) == told(PaymentStatus.SUCCEEDED, "SUCCESSFUL")


@pytest.mark.parametrize("state", ["pending", "pending_authentication", "pending_external_action"])
async def test_a_charge_that_is_not_decided_is_processing(state):
    body = of_transaction(f"transaction.purchase.{state}")
    assert await heard(body) == told(PaymentStatus.PROCESSING, state.upper())


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({"status": "UNPROCESSED", "active_transaction": {"status": "FAILED"}}, (PaymentStatus.FAILED, "FAILED")),
        ({"status": "UNPROCESSED", "active_transaction": {"status": "PENDING"}}, (PaymentStatus.PROCESSING, "PENDING")),
        ({"status": "PROCESSED"}, (PaymentStatus.SUCCEEDED, "PROCESSED")),
    ],
)  # fmt: skip
async def test_an_attempt_that_failed_is_not_the_end_of_a_charge(now, expected):
    body = of_transaction("transaction.purchase.failed")
    assert await heard(body, lambda _: enveloped({"intent": {"id": "int0", **now}})) == told(*expected)
    with pytest.raises(ProviderUnavailable):
        await heard(body)


@pytest.mark.parametrize("kind", ["intent.time_expired", "intent.closed"])
async def test_a_charge_that_is_over_has_failed(kind):
    over = {"id": "int0", "status": "CLOSED"}
    body = of_intent(kind)
    assert await heard(body, lambda _: enveloped({"intent": over})) == told(PaymentStatus.FAILED, "CLOSED")


async def test_of_a_page_only_what_was_paid_is_told():
    one_time = {**METADATA, "payment_type": "one-time"}
    for kind in ("pending", "pending_authentication", "failed"):
        assert await heard(of_transaction(f"transaction.purchase.{kind}", one_time)) == ()
    for kind in ("intent.time_expired", "intent.closed"):
        assert await heard(of_intent(kind, custom_fields=one_time)) == ()
    paid = told(PaymentStatus.SUCCEEDED, "PROCESSED", one_time)
    assert await heard(of_intent(custom_fields=one_time)) == paid


@pytest.mark.parametrize("mark", ["setup", "canceled"])
async def test_what_is_paid_for_no_invoice_is_no_payment(mark):
    assert await heard(of_intent(custom_fields={"payment_type": mark})) == ()


async def test_what_is_only_authorized_is_not_paid():
    body = of_intent(payment_status={"status": "AUTHORIZED"})
    assert await heard(body) == told(PaymentStatus.PROCESSING, "AUTHORIZED")


@pytest.mark.parametrize(
    ("amount", "currency", "cents"), [(500, "JPY", 500), ("12.34", "KWD", 12340), (50.05, "EGP", 5005)]
)
async def test_what_was_paid_is_read_exactly(amount, currency, cents):
    (payment,) = await heard(of_intent(amount=amount, amount_currency=currency))
    assert (payment.amount_cents, payment.currency) == (cents, currency)


async def test_what_was_paid_is_left_open_where_it_is_not_said():
    (payment,) = await heard(of_intent(amount=None))
    assert (payment.amount_cents, payment.currency) == (None, None)


@pytest.mark.parametrize("kind", ["card_token.created", "card_token.updated"])
@pytest.mark.parametrize(
    "whose", [{"customer": "cus-1"}, {"customer": {"id": "cus-1"}}, {"customer_id": "cus-1"}]
)
async def test_a_card_is_a_method_of_its_customers(kind, whose):
    card = {
        "id": "card-1",
        "brand": "Visa",
        "last_4": "4242",
        "expiry_month": "01",
        "expiry_year": "2031",
        **whose,
    }
    saved = MethodSaved(
        provider_method_id="card-1",
        provider_customer_id="cus-1",
        details={"type": "card", "brand": "Visa", "last4": "4242", "expires": "01/2031"},
        is_default=kind == "card_token.created",
    )
    for data in ({"card_token": card}, card):
        assert await heard(json.dumps({"type": kind, "data": data}).encode()) == (saved,)


async def test_a_card_that_is_deleted_is_lost():
    body = {"type": "card_token.deleted", "data": {"card_token": {"id": "card-1"}}}
    assert await heard(json.dumps(body).encode()) == (MethodLost(provider_method_id="card-1"),)


@pytest.mark.parametrize("kind", ["subscription.created", "transaction.refund.successful", "card_token.odd"])
async def test_an_event_that_should_be_known_is_told_to_be_unknown(kind):
    assert await heard(json.dumps({"type": kind, "data": {}}).encode()) == (Unknown(event_type=kind),)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"no",
        b'{"type": "intent.processed", "data": {}}',
        b'{"type": "card_token.created", "data": {"card_token": {"id": "card-1"}}}',
        b'{"type": "card_token.created", "data": {"card_token": {"customer": "cus-1"}}}',
        of_intent(amount="50.005"),
    ],
)
async def test_what_can_not_be_read_is_refused(body):
    with pytest.raises(ProviderRefused):
        await heard(body)


def test_it_is_registered():
    assert isinstance(make_adapters({})[ProviderKind.MONEYHASH], MoneyHash)
