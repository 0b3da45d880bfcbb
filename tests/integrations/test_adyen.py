"""Adyen, played by a server of our own that answers as its documentation says (wallets-and-payments §11–§14)."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from tests.adyen_server import ACCOUNT, HMAC_KEY, KEY, adyen, item, notification

from tallymark.integrations.payments import make_adapters
from tallymark.integrations.payments.adyen import Adyen, status_of
from tallymark.rooms.payment_providers.model import (
    Connection,
    DisputeLost,
    Link,
    LinkFailed,
    LinkOrder,
    MethodSaved,
    Order,
    Outcome,
    PaymentStatus,
    PaymentTold,
    Person,
    ProviderKind,
    RefundOrder,
    RefundOutcome,
    RefundStatus,
    RefundTold,
    Unknown,
)
from tallymark.rooms.payment_providers.ports import BadSignature, ProviderRefused, ProviderUnavailable

PAYMENT = UUID(int=7)
CUSTOMER = UUID(int=8)
AUTHORISED = {"resultCode": "Authorised"}
CONNECTION = Connection(
    id=UUID(int=1),
    organization_id=UUID(int=2),
    kind=ProviderKind.ADYEN,
    code="adyen_eu",
    name="Adyen EU",
    success_redirect_url="https://acme.example/thanks",
    options={"merchant_account": ACCOUNT, "live_prefix": ""},
    secrets={"api_key": KEY, "hmac_key": HMAC_KEY},
)
PERSON = Person(
    customer_id=CUSTOMER, external_id="cust-1", email="ada@example.com", currency="EUR", country="NL"
)
ORDER = Order(
    payment_id=PAYMENT,
    idempotency_key=f"payment-{PAYMENT}",
    amount_cents=1999,
    currency="EUR",
    reference="Acme - Invoice ACM-001",
    metadata={"lago_invoice_id": "inv", "lago_billing_entity_id": "too long a name for Adyen"},
    provider_customer_id="cust-1",
    provider_method_id="card_1",
)
PAGE = LinkOrder(
    idempotency_key="link-1",
    amount_cents=2500,
    currency="HUF",
    title="ACM-001",
    reference="Acme - Invoice ACM-001",
    metadata={"payment_type": "one-time", "lago_invoice_id": "inv"},
    person=PERSON,
    payable_id=UUID(int=9),
)
REFUND = RefundOrder(
    idempotency_key=str(UUID(int=10)),
    amount_cents=500,
    currency="EUR",
    reason="other",
    provider_payment_id="PSP0000000000001",
)


@pytest.fixture
async def vendor():
    async with adyen() as played:
        played.cards["card_1"] = AUTHORISED
        yield played


@pytest.fixture
def provider(vendor):
    return Adyen(vendor.url)


class TestConnection:
    async def test_a_good_key_opens_and_learns_nothing(self, provider):
        assert (
            await provider.open(CONNECTION, "https://billing.example/webhooks/adyen/2?code=adyen_eu")
            == CONNECTION
        )

    @pytest.mark.parametrize(
        ("connection", "code", "is_key"),
        [
            pytest.param(
                replace(CONNECTION, secrets={"api_key": "wrong"}), "000", True, id="a key that is none"
            ),
            pytest.param(
                replace(CONNECTION, options={"merchant_account": "Other"}), "901", False, id="another account"
            ),
        ],
    )
    async def test_what_is_refused_says_whether_it_is_the_key(self, provider, connection, code, is_key):
        with pytest.raises(ProviderRefused) as refused:
            await provider.open(connection, "https://billing.example")
        assert (refused.value.code, refused.value.is_unauthorized) == (code, is_key)

    @pytest.mark.parametrize(
        ("prefix", "url"),
        [
            ("", "https://checkout-test.adyen.com/v71"),
            (" 1797a841fbb37ca7-AdyenDemo ", "https://1797a841fbb37ca7-AdyenDemo-checkout-live.adyenpayments.com/checkout/v71"),
        ],
    )  # fmt: skip
    def test_the_prefix_decides_between_live_and_test(self, prefix, url):
        options = {"merchant_account": ACCOUNT, "live_prefix": prefix}
        assert Adyen()._api(replace(CONNECTION, options=options)).url == url

    @pytest.mark.parametrize("prefix", ["evil.example/", "a@b", "a.b", "-x", "x:80"])
    async def test_a_prefix_leads_to_no_other_host(self, prefix):
        connection = replace(CONNECTION, options={"merchant_account": ACCOUNT, "live_prefix": prefix})
        with pytest.raises(ProviderRefused, match="live prefix"):
            await Adyen().open(connection, "")

    async def test_what_it_has_no_use_for_asks_nothing(self, vendor, provider):
        await provider.close(CONNECTION)
        await provider.update_customer(CONNECTION, PERSON)
        assert await provider.create_customer(CONNECTION, PERSON) is None
        assert await provider.known_method(CONNECTION, PERSON) is None
        await provider.expire_link(CONNECTION, Link(url="https://x"))
        assert vendor.asked == []


class TestSetup:
    async def test_a_page_stores_a_card_for_sixty_nine_days_and_takes_nothing(self, vendor, provider):
        before = datetime.now(UTC)
        link = await provider.setup_link(CONNECTION, PERSON)
        (asked,) = [asked.body for asked in vendor.asked]
        assert asked.pop("expiresAt") == f"{link.expires_at:%Y-%m-%dT%H:%M:%SZ}"
        assert abs(link.expires_at - before - timedelta(days=69)) < timedelta(minutes=1)
        assert (link.url, link.provider_link_id) == (
            "https://test.adyen.link/PL0000000000000001",
            "PL0000000000000001",
        )
        assert asked == {
            "merchantAccount": ACCOUNT,
            "amount": {"currency": "EUR", "value": 0},
            "reference": f"setup-{CUSTOMER}",
            "shopperReference": "cust-1",
            "shopperEmail": "ada@example.com",
            "countryCode": "NL",
            "returnUrl": "https://acme.example/thanks",
            "storePaymentMethodMode": "enabled",
            "recurringProcessingModel": "UnscheduledCardOnFile",
            "metadata": {"lago_customer_id": str(CUSTOMER), "external_customer_id": "cust-1"},
        }

    async def test_who_has_no_currency_yet_leaves_it_in_their_billing_entitys(self, vendor, provider):
        await provider.setup_link(CONNECTION, replace(PERSON, currency=None, entity_currency="SEK"))
        assert vendor.asked[0].body["amount"] == {"currency": "SEK", "value": 0}

    @pytest.mark.parametrize(
        ("currency", "code"), [(None, "currency_missing"), ("CLF", "currency_not_supported")]
    )
    async def test_without_a_currency_that_it_takes_there_is_no_page(self, vendor, provider, currency, code):
        with pytest.raises(ProviderRefused) as refused:
            await provider.setup_link(CONNECTION, replace(PERSON, currency=currency))
        assert (refused.value.code, vendor.asked) == (code, [])


class TestCharge:
    async def test_a_stored_card_is_charged_without_the_customer(self, vendor, provider):
        outcome = await provider.charge(CONNECTION, ORDER)
        assert outcome == Outcome(
            payment_status=PaymentStatus.SUCCEEDED,
            status="Authorised",
            provider_payment_id="PSP0000000000001",
        )
        (asked,) = vendor.asked
        assert (asked.method, asked.path) == ("POST", "/v71/payments")
        assert (asked.headers["x-api-key"], asked.headers["idempotency-key"]) == (KEY, f"payment-{PAYMENT}")
        assert asked.body == {
            "merchantAccount": ACCOUNT,
            "amount": {"currency": "EUR", "value": 1999},
            "reference": "Acme - Invoice ACM-001",
            "paymentMethod": {"type": "scheme", "storedPaymentMethodId": "card_1"},
            "shopperReference": "cust-1",
            "shopperInteraction": "ContAuth",
            "recurringProcessingModel": "UnscheduledCardOnFile",
            "metadata": {"lago_payment_id": str(PAYMENT), "lago_invoice_id": "inv"},
        }

    async def test_the_same_key_charges_once(self, vendor, provider):
        first = await provider.charge(CONNECTION, ORDER)
        assert await provider.charge(CONNECTION, ORDER) == first
        assert len(vendor.payments) == 1

    async def test_a_long_reference_keeps_its_end_where_the_number_is(self, vendor, provider):
        long = replace(ORDER, reference=f"{'A' * 90} - Invoice ACM-001")
        await provider.charge(CONNECTION, long)
        assert vendor.payments["PSP0000000000001"]["reference"] == f"{'A' * 62} - Invoice ACM-001"

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("AuthorisedPending", PaymentStatus.PROCESSING),
            ("Received", PaymentStatus.PROCESSING),
            ("Authorised", PaymentStatus.SUCCEEDED),
            ("SentForSettle", PaymentStatus.SUCCEEDED),
            ("SettleScheduled", PaymentStatus.SUCCEEDED),
            ("Settled", PaymentStatus.SUCCEEDED),
            ("Refunded", PaymentStatus.SUCCEEDED),
            ("Cancelled", PaymentStatus.FAILED),
            ("CaptureFailed", PaymentStatus.FAILED),
            ("Error", PaymentStatus.FAILED),
            ("Expired", PaymentStatus.FAILED),
            ("Refused", PaymentStatus.FAILED),
            pytest.param("PresentToShopper", PaymentStatus.PROCESSING, id="not listed: nothing is decided"),
        ],
    )
    async def test_each_result_means_what_the_map_says(self, vendor, provider, word, status):
        assert status_of(word) is status
        vendor.cards["card_1"] = {"resultCode": word}
        outcome = await provider.charge(CONNECTION, ORDER)
        assert (outcome.payment_status, outcome.status) == (status, word)

    async def test_a_refusal_is_told_in_its_words(self, vendor, provider):
        vendor.cards["card_1"] = {
            "resultCode": "Refused",
            "refusalReason": "Expired Card",
            "refusalReasonCode": "6",
        }
        outcome = await provider.charge(CONNECTION, ORDER)
        assert (outcome.error_code, outcome.error_message) == ("6", "Expired Card")

    async def test_what_the_customer_has_to_do_is_handed_on(self, vendor, provider):
        action = {"type": "redirect", "url": "https://bank.example"}
        vendor.cards["card_1"] = {"resultCode": "RedirectShopper", "action": action}
        outcome = await provider.charge(CONNECTION, ORDER)
        assert (outcome.payment_status, outcome.next_action) == (PaymentStatus.PROCESSING, action)

    async def test_a_card_that_is_gone_is_a_refusal(self, vendor, provider):
        vendor.cards.clear()
        outcome = await provider.charge(CONNECTION, ORDER)
        assert (outcome.payment_status, outcome.status) == (PaymentStatus.FAILED, "Error")
        assert (outcome.error_code, outcome.error_message) == ("800", "Contract not found")

    async def test_an_outage_is_none(self, vendor, provider):
        vendor.is_away = True
        with pytest.raises(ProviderUnavailable):
            await provider.charge(CONNECTION, ORDER)

    async def test_a_request_that_is_still_worked_on_is_asked_again(self, vendor, provider):
        busy = {"status": 422, "errorCode": "704", "message": "request already processed or in progress"}
        vendor.answered[ORDER.idempotency_key] = (422, busy)
        with pytest.raises(ProviderUnavailable):
            await provider.charge(CONNECTION, ORDER)


class TestAmounts:
    @pytest.mark.parametrize(
        ("currency", "cents", "value"),
        [
            ("EUR", 1999, 1999),
            ("JPY", 500, 500),
            ("KWD", 1500, 1500),
            pytest.param("CLP", 990, 99000, id="pesos: two decimals there"),
            pytest.param("ISK", 2790, 279000, id="krónur: two decimals there"),
            pytest.param("HUF", 2500, 250000, id="forints: two decimals there"),
            pytest.param("IDR", 5_000_000, 50_000, id="rupiah: no decimals there"),
            pytest.param("CVE", 123_400, 1234, id="escudos: no decimals there"),
        ],
    )
    async def test_an_amount_is_the_same_money_on_both_sides(self, vendor, provider, currency, cents, value):
        await provider.charge(CONNECTION, replace(ORDER, currency=currency, amount_cents=cents))
        assert vendor.payments["PSP0000000000001"]["amount"] == {"currency": currency, "value": value}
        told = item("AUTHORISATION", amount={"currency": currency, "value": value})
        (heard,) = await provider.understand(CONNECTION, notification(told))
        assert (heard.amount_cents, heard.currency) == (cents, currency)

    @pytest.mark.parametrize(
        ("currency", "cents", "code"),
        [
            pytest.param("IDR", 5_000_050, "amount_not_representable", id="half a rupiah"),
            pytest.param("CVE", 1, "amount_not_representable", id="a centavo"),
            ("CLF", 10, "currency_not_supported"),
            ("MRO", 10, "currency_not_supported"),
        ],
    )
    async def test_what_cannot_be_told_exactly_is_refused_and_not_rounded(
        self, vendor, provider, currency, cents, code
    ):
        outcome = await provider.charge(CONNECTION, replace(ORDER, currency=currency, amount_cents=cents))
        assert (outcome.payment_status, outcome.error_code) == (PaymentStatus.FAILED, code)
        with pytest.raises(ProviderRefused):
            await provider.payment_link(CONNECTION, replace(PAGE, currency=currency, amount_cents=cents))
        refund = await provider.refund(CONNECTION, replace(REFUND, currency=currency, amount_cents=cents))
        assert (refund.refund_status, refund.error_code) == (RefundStatus.FAILED, code)
        assert vendor.asked == []

    async def test_an_amount_that_is_not_whole_here_is_an_error_and_not_another_amount(self, provider):
        told = item("AUTHORISATION", amount={"currency": "ISK", "value": 279_050})
        (heard,) = await provider.understand(CONNECTION, notification(told))
        assert isinstance(heard, Unknown)


class TestCancel:
    async def test_a_payment_is_reversed_in_whole_and_once(self, vendor, provider):
        await provider.charge(CONNECTION, ORDER)
        told = replace(ORDER, provider_payment_id="PSP0000000000001")
        await provider.cancel(CONNECTION, told)
        await provider.cancel(CONNECTION, told)
        assert vendor.modifications == [
            ("PSP0000000000001", "reversals", {"merchantAccount": ACCOUNT, "reference": f"payment-{PAYMENT}"})
        ]

    async def test_one_that_nobody_knows_the_name_of_is_never_asked_for(self, vendor, provider):
        await provider.cancel(CONNECTION, ORDER)
        assert vendor.asked == []

    async def test_what_cannot_be_reversed_is_not_passed_over(self, provider):
        with pytest.raises(ProviderRefused):
            await provider.cancel(CONNECTION, replace(ORDER, provider_payment_id="PSP9"))


class TestPages:
    async def test_a_page_takes_the_amount_once(self, vendor, provider):
        link = await provider.payment_link(CONNECTION, PAGE)
        assert await provider.payment_link(CONNECTION, PAGE) == link
        assert link == Link(
            url="https://test.adyen.link/PL0000000000000001",
            provider_link_id="PL0000000000000001",
            expires_at=datetime(2026, 12, 2, 10, tzinfo=UTC),
        )
        assert vendor.asked[0].body == {
            "merchantAccount": ACCOUNT,
            "amount": {"currency": "HUF", "value": 250_000},
            "reference": "Acme - Invoice ACM-001",
            "description": "ACM-001",
            "shopperReference": "cust-1",
            "shopperEmail": "ada@example.com",
            "countryCode": "NL",
            "returnUrl": "https://acme.example/thanks",
            "metadata": {"payment_type": "one-time", "lago_invoice_id": "inv"},
        }
        assert len(vendor.links) == 1

    async def test_a_page_is_taken_back_and_one_that_is_over_is_no_matter(self, vendor, provider):
        link = await provider.payment_link(CONNECTION, PAGE)
        await provider.expire_link(CONNECTION, link)
        assert vendor.links[link.provider_link_id]["status"] == "expired"
        await provider.expire_link(CONNECTION, link)
        await provider.expire_link(CONNECTION, replace(link, provider_link_id="PLgone"))

    async def test_a_key_that_is_too_long_is_shortened_and_stays_the_same(self, vendor, provider):
        long = replace(PAGE, idempotency_key="x" * 65)
        assert await provider.payment_link(CONNECTION, long) == await provider.payment_link(CONNECTION, long)
        assert len(vendor.links) == 1

    async def test_a_bad_key_is_a_refusal_also_where_little_matters(self, provider):
        with pytest.raises(ProviderRefused):
            await provider.expire_link(
                replace(CONNECTION, secrets={"api_key": "wrong"}),
                Link(url="https://x", provider_link_id="PL1"),
            )


class TestRefunds:
    async def test_a_refund_waits_for_its_notification_and_is_asked_for_once(self, vendor, provider):
        await provider.charge(CONNECTION, ORDER)
        refunded = await provider.refund(CONNECTION, REFUND)
        assert refunded == RefundOutcome(
            refund_status=RefundStatus.PENDING, status="received", provider_refund_id="MOD0000000000001"
        )
        assert await provider.refund(CONNECTION, REFUND) == refunded
        assert vendor.modifications == [
            (
                "PSP0000000000001",
                "refunds",
                {
                    "merchantAccount": ACCOUNT,
                    "amount": {"currency": "EUR", "value": 500},
                    "reference": str(UUID(int=10)),
                },
            )
        ]

    async def test_a_refusal_is_an_outcome(self, provider):
        refunded = await provider.refund(CONNECTION, REFUND)
        assert (refunded.refund_status, refunded.error_code) == (RefundStatus.FAILED, "167")

    async def test_an_outage_is_none(self, vendor, provider):
        vendor.is_away = True
        with pytest.raises(ProviderUnavailable):
            await provider.refund(CONNECTION, REFUND)


# Signatures that Adyen publishes: with its documentation and with its library for Python.
PUBLISHED = [
    pytest.param(
        HMAC_KEY,
        {
            "pspReference": "7914073381342284",
            "merchantReference": "TestPayment-1407325143704",
            "merchantAccountCode": "TestMerchant",
            "amount": {"currency": "EUR", "value": 1130},
            "eventCode": "AUTHORISATION",
            "success": "true",
        },
        "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=",
        id="the example",
    ),
    pytest.param(
        "74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174",
        {
            "pspReference": "M8NB66SBZSGLNK82",
            "merchantReference": ":slashes are fun",
            "merchantAccountCode": "AntoniStroinski",
            "amount": {"currency": "EUR", "value": 1000},
            "eventCode": "AUTHORISATION",
            "success": "true",
        },
        "2EQYm7YJpKO4EtHSPu55SQTyWf8dkW5u2nD1tJFpViA=",
        id="a colon",
    ),
    pytest.param(
        "74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174",
        {
            "pspReference": "T7FD4VM4D3RZNN82",
            "merchantReference": "\\\\slashes are fun",
            "merchantAccountCode": "AntoniStroinski",
            "amount": {"currency": "EUR", "value": 1000},
            "eventCode": "AUTHORISATION",
            "success": "true",
        },
        "nIgT81gaB5oJpn2jPXupDq68iRo2wUlBsuYjtYfwKqo=",
        id="backslashes",
    ),
]


class TestSignatures:
    @pytest.mark.parametrize(("key", "told", "signature"), PUBLISHED)
    def test_published_signatures_are_believed_and_no_others(self, key, told, signature):
        connection = replace(CONNECTION, secrets={"hmac_key": key})
        Adyen().verify(connection, {}, notification({**told, "additionalData": {"hmacSignature": signature}}))
        for forged in (
            {**told, "amount": {"currency": "EUR", "value": 1}},
            {**told, "success": "false"},
            {**told, "pspReference": "other"},
            {**told, "originalReference": "other"},
            {**told, "merchantReference": "other"},
            {**told, "eventCode": "REFUND"},
        ):
            with pytest.raises(BadSignature):
                Adyen().verify(
                    connection, {}, notification({**forged, "additionalData": {"hmacSignature": signature}})
                )

    @pytest.mark.parametrize(
        ("key", "body"),
        [
            pytest.param("", notification(item("REFUND", key="")), id="no key refuses everything"),
            pytest.param("not hexadecimal", notification(item("REFUND")), id="a key that is none"),
            pytest.param(HMAC_KEY, notification(), id="no item"),
            pytest.param(HMAC_KEY, b"{}", id="no items"),
            pytest.param(HMAC_KEY, b"[]", id="no object"),
            pytest.param(HMAC_KEY, b"<xml/>", id="no JSON"),
            pytest.param(HMAC_KEY, b'{"notificationItems": [{}]}', id="an empty item"),
            pytest.param(HMAC_KEY, notification({"eventCode": "REFUND"}), id="no signature"),
            pytest.param(HMAC_KEY, notification(item("REFUND"), item("REFUND", key="00")), id="one of two is forged"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_told_to_be_from_adyen_is_refused(self, key, body):
        with pytest.raises(BadSignature):
            Adyen().verify(replace(CONNECTION, secrets={"hmac_key": key}), {}, body)


STORED = {
    "recurring.recurringDetailReference": "NZQM5QGRW44SXC75",
    "recurring.shopperReference": "cust-1",
    "cardSummary": "9245",
    "expiryDate": "03/2030",
}


async def hear(*items):
    return await Adyen().understand(CONNECTION, notification(*items))


class TestEvents:
    async def test_a_stored_card_links_its_customer(self):
        nothing = {"value": 0, "currency": "EUR"}
        assert await hear(item("AUTHORISATION", amount=nothing, paymentMethod="mc", extra=STORED)) == [
            MethodSaved(
                provider_method_id="NZQM5QGRW44SXC75",
                provider_customer_id="cust-1",
                external_id="cust-1",
                links_customer=True,
                details={"type": "card", "brand": "mc", "last4": "9245", "expires": "03/2030"},
            )
        ]

    @pytest.mark.parametrize(
        "extra", [{"recurring.shopperReference": "cust-1"}, {"metadata.external_customer_id": "cust-1"}]
    )
    async def test_one_that_is_not_stored_leaves_them_unlinked(self, extra):
        told = item(
            "AUTHORISATION",
            amount={"value": 0, "currency": "EUR"},
            success="false",
            reason="CVC Declined",
            extra=extra,
        )
        assert await hear(told) == [
            LinkFailed(external_id="cust-1", error_code="Refused", error_message="CVC Declined")
        ]

    @pytest.mark.parametrize("missing", ["recurring.recurringDetailReference", "recurring.shopperReference"])
    async def test_what_the_account_does_not_send_along_is_missed_aloud(self, missing):
        extra = {name: value for name, value in STORED.items() if name != missing}
        (heard,) = await hear(item("AUTHORISATION", amount={"value": 0, "currency": "EUR"}, extra=extra))
        assert heard == Unknown(event_type=f"AUTHORISATION without {missing}")

    async def test_what_was_paid_on_a_page_comes_with_what_it_is_for(self):
        extra = {"metadata.payment_type": "one-time", "metadata.lago_invoice_id": "inv", "authCode": "1"}
        assert await hear(item("AUTHORISATION", extra=extra)) == [
            PaymentTold(
                outcome=Outcome(
                    payment_status=PaymentStatus.SUCCEEDED,
                    status="Authorised",
                    provider_payment_id="8515131751004933",
                ),
                metadata={"payment_type": "one-time", "lago_invoice_id": "inv"},
                amount_cents=1999,
                currency="EUR",
            )
        ]

    async def test_a_payment_that_is_refused(self):
        (heard,) = await hear(item("AUTHORISATION", success="false", reason="Not enough balance"))
        assert heard.outcome == Outcome(
            payment_status=PaymentStatus.FAILED,
            status="Refused",
            provider_payment_id="8515131751004933",
            error_code="Refused",
            error_message="Not enough balance",
        )

    async def test_a_payment_that_is_canceled(self):
        (heard,) = await hear(item("CANCELLATION", originalReference="PSP1", pspReference="MOD1"))
        assert (heard.outcome.payment_status, heard.outcome.status) == (PaymentStatus.FAILED, "Cancelled")
        assert heard.outcome.provider_payment_id == "PSP1"
        assert await hear(item("CANCELLATION", originalReference="PSP1", success="false")) == []

    async def test_a_reversal_that_fails_is_seen(self):
        cancelled = item(
            "CANCEL_OR_REFUND", originalReference="PSP1", extra={"modification.action": "cancel"}
        )
        (heard,) = await hear(cancelled)
        assert (heard.outcome.status, heard.outcome.provider_payment_id) == ("Cancelled", "PSP1")
        refunded = item("CANCEL_OR_REFUND", originalReference="PSP1", extra={"modification.action": "refund"})
        assert await hear(refunded) == []
        refused = item(
            "CANCEL_OR_REFUND", originalReference="PSP1", success="false", reason="Insufficient balance"
        )
        assert await hear(refused) == [
            Unknown(event_type="CANCEL_OR_REFUND of PSP1 refused: Insufficient balance")
        ]

    async def test_a_capture_that_fails_is_told_and_seen(self):
        told, seen = await hear(item("CAPTURE_FAILED", originalReference="PSP1", reason="Capture Failed"))
        assert (told.outcome.payment_status, told.outcome.status) == (PaymentStatus.FAILED, "CaptureFailed")
        assert seen == Unknown(event_type="CAPTURE_FAILED")

    @pytest.mark.parametrize(
        ("code", "success", "status", "word"),
        [
            ("REFUND", "true", RefundStatus.SUCCEEDED, "Refunded"),
            ("REFUND", "false", RefundStatus.FAILED, "REFUND"),
            ("REFUND_FAILED", "true", RefundStatus.FAILED, "REFUND_FAILED"),
        ],
    )
    async def test_what_became_of_a_refund(self, code, success, status, word):
        told = item(
            code,
            originalReference="PSP1",
            pspReference="MOD1",
            merchantReference="note",
            success=success,
            reason="why",
        )
        (heard,) = await hear(told)
        assert isinstance(heard, RefundTold)
        assert (heard.outcome.refund_status, heard.outcome.status) == (status, word)
        assert (heard.outcome.provider_refund_id, heard.provider_payment_id) == ("MOD1", "PSP1")
        assert heard.metadata == {"lago_credit_note_id": "note"}

    @pytest.mark.parametrize("code", ["CHARGEBACK", "SECOND_CHARGEBACK", "PREARBITRATION_LOST"])
    async def test_a_dispute_counts_once_it_is_lost(self, code):
        lost = item(code, originalReference="PSP1", reason="Fraud", extra={"disputeStatus": "Lost"})
        assert await hear(lost) == [DisputeLost(provider_payment_id="PSP1", reason="Fraud")]
        assert await hear(item(code, originalReference="PSP1", extra={"disputeStatus": "Undefended"})) == []

    async def test_what_nothing_follows_from_and_what_nobody_knows(self):
        assert await hear(item("OFFER_CLOSED"), item("REPORT_AVAILABLE"), item("RECURRING_CONTRACT")) == []
        assert await hear(item("SOMETHING_NEW")) == [Unknown(event_type="SOMETHING_NEW")]

    async def test_items_of_another_merchant_account_are_not_ours(self):
        nothing = {"value": 0, "currency": "EUR"}
        other = item("AUTHORISATION", amount=nothing, merchantAccountCode="OtherCOM", extra=STORED)
        assert await hear(other, item("SOMETHING_NEW")) == [Unknown(event_type="SOMETHING_NEW")]

    async def test_success_may_be_a_truth_value(self):
        told = item("REFUND", originalReference="PSP1")
        body = json.loads(notification({**told, "success": True}))
        raw = json.dumps(body).encode()
        Adyen().verify(CONNECTION, {}, raw)
        (heard,) = await Adyen().understand(CONNECTION, raw)
        assert isinstance(heard, RefundTold)
        assert heard.outcome.refund_status is RefundStatus.SUCCEEDED


def test_it_is_registered_and_can_be_asked_elsewhere():
    provider = make_adapters({"adyen": "http://127.0.0.1:9"})[ProviderKind.ADYEN]
    assert isinstance(provider, Adyen)
    assert provider._api(CONNECTION).url == "http://127.0.0.1:9/v71"
