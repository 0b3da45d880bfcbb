"""Cashfree, played by a server of our own that answers as its API's pages say (wallets-and-payments §11.4, §12)."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from tests.cashfree_server import Links, event
from tests.loopback import loopback

from tallymark.integrations.payments import make_adapters
from tallymark.integrations.payments.cashfree import LIVE_URL, SANDBOX_URL, Cashfree
from tallymark.rooms.payment_providers.model import (
    Abilities,
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
    RefundStatus,
)
from tallymark.rooms.payment_providers.ports import BadSignature, ProviderRefused, ProviderUnavailable

SOME_ID = UUID(int=1)
INBOUND = "https://billing.example.com/webhooks/cashfree/1?code=in"
CONNECTION = Connection(
    id=SOME_ID,
    organization_id=SOME_ID,
    kind=ProviderKind.CASHFREE,
    code="in",
    name="India",
    success_redirect_url="https://shop.example.com/thanks",
    inbound_url=INBOUND,
    options={"client_id": "TEST10957773ed79"},
    secrets={"client_secret": "cfsk_ma_test_secret"},
)
PERSON = Person(
    customer_id=SOME_ID, external_id="asha", name="Asha", email="asha@example.com", phone="+919000000000"
)
METADATA = {
    "lago_customer_id": "c1",
    "invoice_issuing_date": "2026-11-30",
    "invoice_type": "subscription",
    "lago_invoice_id": "i1",
    "lago_organization_id": "o1",
    "payment_type": "one-time",
}
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def link_order(amount_cents=20012, currency="INR", **others):
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


def cashfree(vendor):
    return Cashfree(vendor.url, clock=lambda: NOW)


async def test_the_credentials_are_tried_and_nothing_is_registered():
    async with loopback(Links()) as vendor:
        opened = await cashfree(vendor).open(CONNECTION, INBOUND)
        assert opened == CONNECTION
        with pytest.raises(ProviderRefused, match="authentication Failed") as raised:
            await cashfree(vendor).open(replace(CONNECTION, secrets={"client_secret": "other"}), INBOUND)
    assert raised.value.is_unauthorized
    headers = vendor.asked[0].headers
    assert (headers["x-api-version"], headers["x-client-id"]) == ("2025-01-01", "TEST10957773ed79")


@pytest.mark.parametrize(
    ("client_id", "client_secret", "url"),
    [
        ("TEST10957773ed79", "cfsk_ma_test_1", SANDBOX_URL),
        ("TEST10957773ed79", "an old secret", SANDBOX_URL),
        ("10957773ed79", "cfsk_ma_test_1", SANDBOX_URL),
        ("10957773ed79", "cfsk_ma_prod_1", LIVE_URL),
    ],
)
def test_sandbox_and_live_are_told_by_the_credentials(client_id, client_secret, url):
    known = replace(CONNECTION, options={}, secrets={"client_id": client_id, "client_secret": client_secret})
    assert Cashfree()._api(known).url == url


async def test_a_link_is_for_the_amount_due_paid_at_once_and_tells_what_it_was_for():
    async with loopback(Links()) as vendor:
        link = await cashfree(vendor).payment_link(CONNECTION, link_order())
    assert link == Link(url="https://payments-test.cashfree.com/links/link-7f3", provider_link_id="link-7f3")
    (asked,) = vendor.asked
    assert (asked.method, asked.path) == ("POST", "/links")
    assert asked.body == {
        "link_id": "link-7f3",
        "link_amount": 200.12,
        "link_currency": "INR",
        "link_purpose": "ACM-0001",
        "link_partial_payments": False,
        "link_auto_reminders": False,
        "link_notify": {"send_sms": False, "send_email": False},
        "link_expiry_time": "2026-12-01T12:00:00+00:00",
        "customer_details": {
            "customer_phone": "+919000000000",
            "customer_email": "asha@example.com",
            "customer_name": "Asha",
        },
        # Five is all that it keeps: those that find the invoice are among them.
        "link_notes": {
            "payment_type": "one-time",
            "lago_invoice_id": "i1",
            "lago_customer_id": "c1",
            "invoice_issuing_date": "2026-11-30",
            "invoice_type": "subscription",
        },
        "link_meta": {"notify_url": INBOUND, "return_url": "https://shop.example.com/thanks"},
    }


@pytest.mark.parametrize(
    ("amount_cents", "currency", "written"),
    [
        (500, "JPY", b'"link_amount":500,'),
        (20010, "INR", b'"link_amount":200.1,'),
        (123456, "KWD", b'"link_amount":123.456,'),
        (1234567890123456789, "INR", b'"link_amount":12345678901234567.89,'),
    ],
)
async def test_amounts_go_by_the_decimals_of_their_currency_to_the_last_digit(
    amount_cents, currency, written
):
    async with loopback(lambda asked: (503, None)) as vendor:
        with pytest.raises(ProviderUnavailable):
            await cashfree(vendor).payment_link(CONNECTION, link_order(amount_cents, currency))
    assert written in vendor.asked[0].raw


async def test_the_same_key_gives_the_same_link_and_one_for_another_amount_is_never_handed_out():
    async with loopback(Links()) as vendor:
        first = await cashfree(vendor).payment_link(CONNECTION, link_order())
        assert await cashfree(vendor).payment_link(CONNECTION, link_order()) == first
        assert len(vendor.answer.known) == 1
        with pytest.raises(ProviderRefused) as raised:
            await cashfree(vendor).payment_link(CONNECTION, link_order(amount_cents=30000))
        assert vendor.answer.known["link-7f3"]["link_status"] == "CANCELLED"
    assert raised.value.code == "amount_not_representable"


async def test_an_amount_that_the_vendor_rounds_is_canceled_in_place_of_being_paid():
    def rounding(asked):
        status, body = links(asked)
        return status, {**body, "link_amount": 123.46} if asked.path == "/links" else body

    links = Links()
    async with loopback(rounding) as vendor:
        with pytest.raises(ProviderRefused):
            await cashfree(vendor).payment_link(CONNECTION, link_order(123456, "KWD"))
    assert [asked.path for asked in vendor.asked] == ["/links", "/links/link-7f3/cancel"]


async def test_a_key_that_is_no_link_id_is_made_one():
    async with loopback(Links()) as vendor:
        for key in ("invoice:1", "invoice:2", "x" * 51):
            await cashfree(vendor).payment_link(CONNECTION, link_order(idempotency_key=key))
    ids = [asked.body["link_id"] for asked in vendor.asked]
    assert len(set(ids)) == 3
    assert all(len(name) == 50 and name.isalnum() for name in ids)


async def test_refusals_are_told_in_cashfrees_words_and_outages_are_no_refusals():
    refused = {"message": "link_currency : not enabled", "code": "link_currency_invalid"}
    async with loopback(lambda asked: (404 if asked.method == "GET" else 400, refused)) as vendor:
        with pytest.raises(ProviderRefused, match="not enabled") as raised:
            await cashfree(vendor).payment_link(CONNECTION, link_order())
    assert raised.value.code == "link_currency_invalid"
    async with loopback(lambda _: (500, {})) as vendor:
        with pytest.raises(ProviderUnavailable):
            await cashfree(vendor).payment_link(CONNECTION, link_order())


async def test_nobody_is_asked_without_a_phone_number():
    async with loopback(Links()) as vendor:
        with pytest.raises(ProviderRefused) as raised:
            await cashfree(vendor).payment_link(CONNECTION, link_order(person=replace(PERSON, phone=None)))
    assert (raised.value.code, vendor.asked) == ("missing_phone", [])


async def test_an_address_without_tls_is_not_told_to():
    plain = replace(CONNECTION, inbound_url="http://127.0.0.1/webhooks")
    async with loopback(Links()) as vendor:
        await cashfree(vendor).payment_link(plain, link_order())
    assert "notify_url" not in vendor.asked[0].body["link_meta"]


async def test_a_link_is_canceled_and_one_that_is_over_is_no_matter():
    async with loopback(Links()) as vendor:
        link = await cashfree(vendor).payment_link(CONNECTION, link_order())
        await cashfree(vendor).expire_link(CONNECTION, link)
        await cashfree(vendor).expire_link(CONNECTION, link)
        await cashfree(vendor).expire_link(CONNECTION, Link(url="", provider_link_id="gone"))
        assert vendor.answer.known["link-7f3"]["link_status"] == "CANCELLED"
        with pytest.raises(ProviderRefused):
            await cashfree(vendor).expire_link(
                replace(CONNECTION, secrets={"client_secret": "revoked"}), link
            )


# printf '%s' "$TIMESTAMP$BODY" | openssl dgst -sha256 -hmac cfsk_ma_test_secret -binary | base64
SIGNED = b'{"data":{"cf_link_id":1576977},"type":"PAYMENT_LINK_EVENT"}'
TIMESTAMP = "1617695238078"
SIGNATURE = "qb/LQKkDCHX7e7x/kxddQb77tXzVl8SUI6zxcNKYz5w="


@pytest.mark.parametrize("name", ["x-webhook-signature", "x-cashfree-signature"])
def test_an_event_is_signed_by_the_client_secret(name):
    headers = {name: SIGNATURE, "x-webhook-timestamp": TIMESTAMP}
    Cashfree().verify(CONNECTION, headers, SIGNED)
    for connection, told, body in [
        (CONNECTION, headers, SIGNED + b" "),
        (CONNECTION, {**headers, "x-webhook-timestamp": "1617695238079"}, SIGNED),
        (CONNECTION, {**headers, name: "é" + SIGNATURE}, SIGNED),
        (CONNECTION, {"x-webhook-timestamp": TIMESTAMP}, SIGNED),
        (CONNECTION, {name: SIGNATURE}, SIGNED),
        (replace(CONNECTION, secrets={"client_secret": "another"}), headers, SIGNED),
        (replace(CONNECTION, secrets={"client_secret": ""}), headers, SIGNED),
        (replace(CONNECTION, secrets={}), headers, SIGNED),
    ]:
        with pytest.raises(BadSignature):
            Cashfree().verify(connection, told, body)


async def test_what_was_paid_goes_by_the_name_of_its_link_so_that_twice_is_once():
    told = PaymentTold(
        outcome=Outcome(
            payment_status=PaymentStatus.SUCCEEDED, status="PAID", provider_payment_id="link-7f3"
        ),
        metadata={"payment_type": "one-time", "lago_invoice_id": "i1"},
        amount_cents=20012,
        currency="INR",
    )
    assert await Cashfree().understand(CONNECTION, event()) == (told,)
    again = event(cf_link_id="1576977", order=None)
    assert await Cashfree().understand(CONNECTION, again) == (told,)


@pytest.mark.parametrize(
    ("paid", "currency", "cents"),
    [("500", "JPY", 500), (500, "JPY", 500), ("200.10", "INR", 20010), ("1.005", "KWD", 1005)],
)
async def test_what_was_paid_is_read_exactly(paid, currency, cents):
    (told,) = await Cashfree().understand(CONNECTION, event(link_amount_paid=paid, link_currency=currency))
    assert isinstance(told, PaymentTold)
    assert (told.amount_cents, told.currency) == (cents, currency)


@pytest.mark.parametrize("paid", ["200.125", "1e3", "-200.12", "NaN", None, True, "2" * 40, {"value": 1}])
async def test_what_is_no_amount_is_no_payment(paid):
    with pytest.raises(ProviderRefused):
        await Cashfree().understand(CONNECTION, event(link_amount_paid=paid))


@pytest.mark.parametrize(
    "body",
    [
        event("PARTIALLY_PAID"),
        event("EXPIRED"),
        event("CANCELLED"),
        event("ACTIVE"),
        event(kind="PAYMENT_SUCCESS_WEBHOOK"),
        event(link_notes={"order": "made by hand"}),
        event(link_notes=None),
        b"{}",
    ],
)
async def test_nothing_follows_from_what_was_not_paid_or_is_not_ours(body):
    assert await Cashfree().understand(CONNECTION, body) == ()


@pytest.mark.parametrize("body", [b"", b"[]", b"not JSON", event(link_id=None)])
async def test_what_can_not_be_read_is_refused(body):
    with pytest.raises(ProviderRefused):
        await Cashfree().understand(CONNECTION, body)


ORDER = Order(
    payment_id=SOME_ID,
    idempotency_key="payment-1",
    amount_cents=20012,
    currency="INR",
    reference="",
    metadata={},
    provider_customer_id=None,
    provider_method_id=None,
    provider_payment_id="link-7f3",
)
SURPLUS = RefundOrder(
    idempotency_key="surplus-1",
    amount_cents=5,
    currency="INR",
    reason=None,
    provider_payment_id="link-7f3",
)


class Orders:
    """The orders of one link, and their refunds: an id refunds once."""

    def __init__(self, *statuses, refund_status="SUCCESS"):
        self.orders = [
            {"order_id": f"CFPay_{at}", "order_status": status} for at, status in enumerate(statuses)
        ]
        self.refund_status, self.refunds = refund_status, {}

    def __call__(self, asked):
        if asked.path == "/links/link-7f3/orders":
            assert asked.query == {"status": "PAID"}
            return 200, self.orders
        refund_id = asked.path.removeprefix("/orders/CFPay_0/refunds").strip("/") or asked.body["refund_id"]
        if asked.method == "POST":
            if refund_id in self.refunds:
                return 409, {"message": "refund_id already exists", "code": "refund_already_exists"}
            self.refunds[refund_id] = {**asked.body, "refund_status": self.refund_status}
        return (200, self.refunds[refund_id]) if refund_id in self.refunds else (404, {"message": "none"})


async def test_what_nobody_waited_for_goes_back_in_full_and_once():
    async with loopback(Orders("PAID")) as vendor:
        await cashfree(vendor).cancel(CONNECTION, ORDER)
        await cashfree(vendor).cancel(CONNECTION, ORDER)
        (refund,) = vendor.answer.refunds.values()
    # printf '%s' cancel-payment-1 | openssl dgst -sha256
    assert refund == {
        "refund_amount": 200.12,
        "refund_id": "ac8d520ac63d80122c087a8ae54543ef82f66e2c",
        "refund_status": "SUCCESS",
    }


async def test_where_nothing_was_paid_nothing_goes_back():
    async with loopback(Orders()) as vendor:
        await cashfree(vendor).cancel(CONNECTION, ORDER)
        with pytest.raises(ProviderRefused):
            await cashfree(vendor).refund(CONNECTION, SURPLUS)
        await cashfree(vendor).cancel(CONNECTION, replace(ORDER, provider_payment_id=None))
    assert [asked.method for asked in vendor.asked] == ["GET", "GET"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("SUCCESS", RefundStatus.SUCCEEDED),
        ("PENDING", RefundStatus.PENDING),
        ("ONHOLD", RefundStatus.PENDING),
        ("CANCELLED", RefundStatus.FAILED),
        ("FAILED", RefundStatus.FAILED),
    ],
)
async def test_what_was_too_much_goes_back(status, expected):
    async with loopback(Orders("PAID", refund_status=status)) as vendor:
        outcome = await cashfree(vendor).refund(CONNECTION, SURPLUS)
        again = await cashfree(vendor).refund(CONNECTION, SURPLUS)
        (refund,) = vendor.answer.refunds.values()
        if expected is RefundStatus.FAILED:
            with pytest.raises(ProviderRefused):
                await cashfree(vendor).cancel(CONNECTION, ORDER)
    assert (outcome.refund_status, outcome.status, again) == (expected, status, outcome)
    assert refund["refund_amount"] == 0.05
    assert len(outcome.provider_refund_id or "") == 40


@pytest.mark.parametrize("answer", [Orders("PAID", "PAID"), lambda asked: (200, [{"order_status": "PAID"}])])
async def test_money_that_can_not_be_paid_back_is_not_passed_over(answer):
    async with loopback(answer) as vendor:
        with pytest.raises(ProviderRefused):
            await cashfree(vendor).cancel(CONNECTION, ORDER)


async def test_a_refund_that_is_refused_is_told():
    def refusing(asked):
        if asked.path.endswith("/orders"):
            return 200, [{"order_id": "CFPay_0", "order_status": "PAID"}]
        return 404 if asked.method == "GET" else 400, {"message": "Insufficient balance", "code": "balance"}

    async with loopback(refusing) as vendor:
        with pytest.raises(ProviderRefused, match="Insufficient balance"):
            await cashfree(vendor).cancel(CONNECTION, ORDER)


async def test_what_cashfree_can_not_do_is_refused_by_its_name():
    it = Cashfree()
    for asking in (it.setup_link(CONNECTION, PERSON), it.charge(CONNECTION, ORDER)):
        with pytest.raises(ProviderRefused) as raised:
            await asking
        assert raised.value.code == "feature_not_supported"
    assert await it.create_customer(CONNECTION, PERSON) is None
    assert await it.known_method(CONNECTION, PERSON) is None
    assert it.abilities == Abilities(keeps_customers=False, has_pages=True)


def test_it_is_registered():
    assert isinstance(make_adapters({})[ProviderKind.CASHFREE], Cashfree)
