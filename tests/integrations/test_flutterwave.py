"""Flutterwave, played by a server of our own that answers as its API's pages say (wallets-and-payments §11.4, §12)."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from tests.loopback import loopback

from tallymark.integrations.payments import make_adapters
from tallymark.integrations.payments.flutterwave import Flutterwave
from tallymark.rooms.payment_providers.model import (
    Connection,
    Link,
    LinkOrder,
    Order,
    Outcome,
    PaymentStatus,
    PaymentTold,
    Person,
    ProviderKind,
    RefundOrder,
)
from tallymark.rooms.payment_providers.ports import BadSignature, ProviderRefused, ProviderUnavailable

SOME_ID = UUID(int=1)
HASH = "5f0c1c7fd4b3a3de5a0a87e6a8b3f7b2c4f7a9d1e2b3c4d5e6f708192a3b4c5d"
CONNECTION = Connection(
    id=SOME_ID,
    organization_id=SOME_ID,
    kind=ProviderKind.FLUTTERWAVE,
    code="ng",
    name="Nigeria",
    success_redirect_url="https://shop.example.com/thanks",
    secrets={"secret_key": "FLWSECK_TEST-1", "webhook_secret": HASH},
)
PERSON = Person(customer_id=SOME_ID, external_id="ada", name="Ada", email="ada@example.com", phone="0802")
METADATA = {"lago_invoice_id": "i1", "lago_customer_id": "c1", "payment_type": "one-time"}
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
TRANSACTION = {
    "id": 4975363,
    "tx_ref": "link-7f3",
    "flw_ref": "0537565244201710840859363",
    "amount": 1000.50,
    "currency": "NGN",
    "charged_amount": 1014.50,
    "app_fee": 14,
    "processor_response": "Approved",
    "status": "successful",
    "meta": {"__CheckoutInitAddress": "https://checkout.flutterwave.com/v3/hosted/pay", **METADATA},
}


def link_order(amount_cents=100050, currency="NGN", **others):
    return LinkOrder(
        **{
            "idempotency_key": "link-7f3",
            "amount_cents": amount_cents,
            "currency": currency,
            "title": "ACM-0001",
            "reference": "Acme - Invoice ACM-0001",
            "metadata": METADATA,
            "person": PERSON,
            "payable_id": SOME_ID,
            **others,
        }
    )


def flutterwave(vendor):
    return Flutterwave(vendor.url, clock=lambda: NOW)


def answers(data, status=200):
    return lambda asked: (status, {"status": "success", "message": "OK", "data": data})


def event(**others):
    told = {name: value for name, value in TRANSACTION.items() if name != "meta"}
    return json.dumps({"event": "charge.completed", "data": {**told, **others}}).encode()


async def test_the_key_is_tried():
    async with loopback(answers([])) as vendor:
        # A list is what its page shows: whatever comes, the key was good.
        assert await flutterwave(vendor).open(CONNECTION, "https://example.com/in") == CONNECTION
    (asked,) = vendor.asked
    assert (asked.method, asked.path) == ("GET", "/banks/NG")
    assert asked.headers["authorization"] == "Bearer FLWSECK_TEST-1"
    refused = {"status": "error", "message": "Invalid authorization key", "data": None}
    async with loopback(lambda _: (401, refused)) as vendor:
        with pytest.raises(ProviderRefused, match="Invalid authorization key") as raised:
            await flutterwave(vendor).open(CONNECTION, "https://example.com/in")
    assert raised.value.is_unauthorized


async def test_a_page_is_for_the_amount_due_and_open_for_half_an_hour():
    async with loopback(answers({"link": "https://checkout.flutterwave.com/v3/hosted/pay/f52"})) as vendor:
        link = await flutterwave(vendor).payment_link(CONNECTION, link_order())
    assert link == Link(
        url="https://checkout.flutterwave.com/v3/hosted/pay/f52",
        provider_link_id="link-7f3",
        expires_at=NOW + timedelta(minutes=30),
    )
    (asked,) = vendor.asked
    assert (asked.method, asked.path) == ("POST", "/payments")
    assert asked.body == {
        "tx_ref": "link-7f3",
        "amount": 1000.5,
        "currency": "NGN",
        "session_duration": 30,
        "customer": {"email": "ada@example.com", "name": "Ada", "phonenumber": "0802"},
        "customizations": {"title": "Acme - Invoice ACM-0001", "description": "ACM-0001"},
        "meta": METADATA,
        "redirect_url": "https://shop.example.com/thanks",
    }


@pytest.mark.parametrize(
    ("amount_cents", "currency", "written"),
    [
        (500, "UGX", b'"amount":500,'),
        (20010, "KES", b'"amount":200.1,'),
        (123456, "KWD", b'"amount":123.456,'),
        (1234567890123456789, "NGN", b'"amount":12345678901234567.89,'),
    ],
)
async def test_amounts_go_by_the_decimals_of_their_currency_to_the_last_digit(
    amount_cents, currency, written
):
    async with loopback(lambda asked: (503, None)) as vendor:
        with pytest.raises(ProviderUnavailable):
            await flutterwave(vendor).payment_link(CONNECTION, link_order(amount_cents, currency))
    assert written in vendor.asked[0].raw


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"status": "error", "message": "currency is not supported", "data": None}),
        (200, {"status": "error", "message": "currency is not supported", "data": None}),
        (200, {"status": "success", "message": "OK", "data": {}}),
    ],
)
async def test_a_page_that_is_refused_or_has_no_address_is_none(status, body):
    async with loopback(lambda _: (status, body)) as vendor:
        with pytest.raises(ProviderRefused, match=r"currency is not supported|no address"):
            await flutterwave(vendor).payment_link(CONNECTION, link_order())


async def test_nobody_is_asked_without_an_email_address():
    async with loopback(answers({})) as vendor:
        with pytest.raises(ProviderRefused) as raised:
            await flutterwave(vendor).payment_link(CONNECTION, link_order(person=replace(PERSON, email=None)))
    assert (raised.value.code, vendor.asked) == ("missing_email", [])


@pytest.mark.parametrize("told", [{}, {"verif-hash": ""}, {"verif-hash": HASH + "0"}, {"verif-hash": "é"}])
def test_an_event_carries_the_secret(told):
    Flutterwave().verify(CONNECTION, {"verif-hash": HASH}, b"{}")
    with pytest.raises(BadSignature):
        Flutterwave().verify(CONNECTION, told, b"{}")


@pytest.mark.parametrize("secrets", [{}, {"webhook_secret": ""}])
def test_a_connection_without_a_secret_believes_nobody(secrets):
    with pytest.raises(BadSignature):
        Flutterwave().verify(replace(CONNECTION, secrets=secrets), {"verif-hash": ""}, b"{}")


@pytest.mark.parametrize(
    ("status", "payment_status", "message"),
    [
        ("pending", PaymentStatus.PROCESSING, None),
        ("successful", PaymentStatus.SUCCEEDED, None),
        ("failed", PaymentStatus.FAILED, "Approved"),
        ("cancelled", PaymentStatus.FAILED, "Approved"),
    ],
)
async def test_what_became_of_a_payment_is_what_the_api_says(status, payment_status, message):
    async with loopback(answers({**TRANSACTION, "status": status})) as vendor:
        told = await flutterwave(vendor).understand(CONNECTION, event(status=status))
    assert told == (
        PaymentTold(
            outcome=Outcome(
                payment_status=payment_status,
                status=status,
                provider_payment_id="4975363",
                error_message=message,
            ),
            metadata={"__CheckoutInitAddress": "https://checkout.flutterwave.com/v3/hosted/pay", **METADATA},
            amount_cents=100050,
            currency="NGN",
        ),
    )
    assert [asked.path for asked in vendor.asked] == ["/transactions/4975363/verify"]


@pytest.mark.parametrize(
    ("amount", "currency", "cents"), [(500, "UGX", 500), (200.1, "KES", 20010), (1.005, "KWD", 1005)]
)
async def test_what_was_paid_is_read_exactly(amount, currency, cents):
    paid = {"amount": amount, "currency": currency}
    async with loopback(answers({**TRANSACTION, **paid})) as vendor:
        (told,) = await flutterwave(vendor).understand(CONNECTION, event(**paid))
    assert (told.amount_cents, told.currency) == (cents, currency)


@pytest.mark.parametrize(
    "forged",
    [
        {"amount": 10000.50},
        {"amount": "a lot"},
        {"currency": "USD"},
        {"tx_ref": "link-7f4"},
        {"status": "cancelled"},
    ],
)
async def test_an_event_that_says_other_than_the_api_is_not_believed(forged):
    async with loopback(answers(TRANSACTION)) as vendor:
        with pytest.raises(ProviderRefused):
            await flutterwave(vendor).understand(CONNECTION, event(**forged))


async def test_a_success_that_failed_in_truth_is_not_believed():
    async with loopback(answers({**TRANSACTION, "status": "failed"})) as vendor:
        with pytest.raises(ProviderRefused) as raised:
            await flutterwave(vendor).understand(CONNECTION, event())
    assert raised.value.code == "verification_failed"


async def test_another_transaction_than_the_one_asked_for_is_not_believed():
    async with loopback(answers({**TRANSACTION, "id": 4975364})) as vendor:
        with pytest.raises(ProviderRefused):
            await flutterwave(vendor).understand(CONNECTION, event())


async def test_what_the_invoice_is_comes_from_the_api_and_not_from_the_event():
    async with loopback(answers(TRANSACTION)) as vendor:
        (told,) = await flutterwave(vendor).understand(
            CONNECTION, event(meta={"payment_type": "one-time", "lago_invoice_id": "another"})
        )
    assert told.metadata["lago_invoice_id"] == "i1"


async def test_a_success_that_the_api_does_not_know_of_yet_is_asked_for_again():
    async with loopback(answers({**TRANSACTION, "status": "pending"})) as vendor:
        with pytest.raises(ProviderUnavailable):
            await flutterwave(vendor).understand(CONNECTION, event())


async def test_an_outage_loses_no_event():
    async with loopback(lambda _: (502, None)) as vendor:
        with pytest.raises(ProviderUnavailable):
            await flutterwave(vendor).understand(CONNECTION, event())


@pytest.mark.parametrize("meta", [None, {"order": "of a shop"}, [{"metaname": "order"}]])
async def test_a_transaction_of_somebody_elses_is_none_of_ours(meta):
    async with loopback(answers({**TRANSACTION, "meta": meta})) as vendor:
        assert await flutterwave(vendor).understand(CONNECTION, event()) == ()


async def test_other_events_are_not_even_looked_up():
    async with loopback(answers(TRANSACTION)) as vendor:
        body = json.dumps({"event": "transfer.completed", "data": {"id": 1}}).encode()
        assert await flutterwave(vendor).understand(CONNECTION, body) == ()
    assert vendor.asked == []


@pytest.mark.parametrize("body", [b"[]", b"no", event(id=None), event(id=""), event(id=True)])
async def test_what_can_not_be_read_is_refused(body):
    with pytest.raises(ProviderRefused):
        await Flutterwave("http://127.0.0.1:1").understand(CONNECTION, body)


async def test_an_unknown_status_is_no_payment():
    async with loopback(answers({**TRANSACTION, "status": "reversed"})) as vendor:
        with pytest.raises(ProviderRefused) as raised:
            await flutterwave(vendor).understand(CONNECTION, event(status="reversed"))
    assert raised.value.code == "unknown_status"


async def test_an_id_leads_to_no_other_path():
    async with loopback(lambda asked: (404, {"status": "error", "message": "None"})) as vendor:
        with pytest.raises(ProviderRefused):
            await flutterwave(vendor).understand(CONNECTION, event(id="../balances?x=1#"))
    assert vendor.asked[0].path == "/transactions/..%2Fbalances%3Fx%3D1%23/verify"


ORDER = Order(
    payment_id=SOME_ID,
    idempotency_key="payment-1",
    amount_cents=100050,
    currency="NGN",
    reference="",
    metadata={},
    provider_customer_id=None,
    provider_method_id=None,
    provider_payment_id="4975363",
)


async def test_what_nobody_waited_for_goes_back_in_full():
    async with loopback(answers(TRANSACTION)) as vendor:
        await flutterwave(vendor).cancel(CONNECTION, ORDER)
    verified, refunded = vendor.asked
    assert verified.path == "/transactions/4975363/verify"
    assert (refunded.method, refunded.path) == ("POST", "/transactions/4975363/refund")
    assert refunded.body == {"amount": 1000.5}


@pytest.mark.parametrize("status", ["pending", "failed", "cancelled"])
async def test_what_did_not_come_in_does_not_go_back(status):
    async with loopback(answers({**TRANSACTION, "status": status})) as vendor:
        await flutterwave(vendor).cancel(CONNECTION, ORDER)
        await flutterwave(vendor).cancel(CONNECTION, replace(ORDER, provider_payment_id=None))
    assert [asked.method for asked in vendor.asked] == ["GET"]


@pytest.mark.parametrize("other", [{"amount_cents": 100049}, {"currency": "USD"}])
async def test_a_part_does_not_go_back_for_it_could_go_twice(other):
    async with loopback(answers(TRANSACTION)) as vendor:
        with pytest.raises(ProviderRefused):
            await flutterwave(vendor).cancel(CONNECTION, replace(ORDER, **other))
    assert [asked.method for asked in vendor.asked] == ["GET"]
    surplus = RefundOrder(
        idempotency_key="surplus-1",
        amount_cents=5,
        currency="NGN",
        reason=None,
        provider_payment_id="4975363",
    )
    with pytest.raises(ProviderRefused) as raised:
        await Flutterwave().refund(CONNECTION, surplus)
    assert raised.value.code == "feature_not_supported"


def test_it_is_registered():
    assert isinstance(make_adapters({})[ProviderKind.FLUTTERWAVE], Flutterwave)
