"""GoCardless, played by a server of our own that answers as its documentation says (wallets-and-payments §11–§14)."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from tests.gocardless_server import SECRET, TOKEN, event, gocardless, webhook

from tallymark.integrations.payments import make_adapters
from tallymark.integrations.payments.gocardless import GoCardless, refund_status_of
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
    RefundOutcome,
    RefundStatus,
    RefundTold,
)
from tallymark.rooms.payment_providers.ports import BadSignature, ProviderRefused, ProviderUnavailable

PAYMENT = UUID(int=7)
CUSTOMER = UUID(int=8)
CONNECTION = Connection(
    id=UUID(int=1),
    organization_id=UUID(int=2),
    kind=ProviderKind.GOCARDLESS,
    code="gocardless_uk",
    name="GoCardless UK",
    success_redirect_url="https://acme.example/thanks",
    secrets={"access_token": TOKEN, "webhook_secret": SECRET},
)
PERSON = Person(
    customer_id=CUSTOMER,
    external_id="cust-1",
    name="Ada Ltd",
    email="ada@example.com",
    currency="GBP",
    address_line1="1 High Street",
    city="London",
    zipcode="E1 6AN",
    state="Greater London",
    country="GB",
    provider_customer_id="CU001",
)
ORDER = Order(
    payment_id=PAYMENT,
    idempotency_key=f"payment-{PAYMENT}",
    amount_cents=1999,
    currency="GBP",
    reference="Acme - Invoice ACM-001",
    metadata={
        "lago_invoice_id": "inv",
        "lago_customer_id": "cust",
        "invoice_issuing_date": "2026-12-01",
        "invoice_type": "subscription",
    },
    provider_customer_id="CU001",
    provider_method_id="MD001",
)
REFUND = RefundOrder(
    idempotency_key=str(UUID(int=10)),
    amount_cents=500,
    currency="GBP",
    reason="other",
    provider_payment_id="PM001",
    metadata={"lago_credit_note_id": "cn", "lago_invoice_id": "inv", "lago_customer_id": "cust"},
)
PAGE = LinkOrder(
    idempotency_key="link-1",
    amount_cents=100,
    currency="GBP",
    title="ACM-001",
    reference="r",
    metadata={},
    person=PERSON,
    payable_id=UUID(int=9),
)


@pytest.fixture
async def vendor():
    async with gocardless() as played:
        account = played.keep("customer_bank_accounts", bank_name="BARCLAYS", account_number_ending="11")
        links = {"customer": "CU001", "customer_bank_account": account["id"]}
        played.keep("mandates", status="active", scheme="bacs", links=links)
        yield played


@pytest.fixture
def provider(vendor):
    return GoCardless(vendor.url)


def paid(vendor, status, **more):
    """A payment that is there already, with what it was asked for with."""
    return vendor.keep(
        "payments",
        amount=1999,
        currency="GBP",
        status=status,
        metadata={"lago_payment_id": str(PAYMENT)},
        links={"mandate": "MD001"},
        **{"amount_refunded": 0, **more},
    )


class TestConnection:
    @pytest.mark.parametrize(
        ("token", "url"),
        [
            ("live_abc", "https://api.gocardless.com"),
            ("sandbox_abc", "https://api-sandbox.gocardless.com"),
        ],
    )
    def test_the_token_decides_between_live_and_sandbox(self, token, url):
        assert GoCardless()._api(replace(CONNECTION, secrets={"access_token": token})).url == url

    async def test_a_good_token_opens_and_learns_nothing(self, provider):
        assert await provider.open(CONNECTION, "https://x") == CONNECTION

    async def test_a_bad_token_is_refused(self, provider):
        with pytest.raises(ProviderRefused) as refused:
            await provider.open(replace(CONNECTION, secrets={"access_token": "live_other"}), "https://x")
        assert (refused.value.is_unauthorized, refused.value.code) == (True, "access_token_not_found")

    async def test_what_it_has_no_use_for_asks_nothing(self, vendor, provider):
        await provider.close(CONNECTION)
        await provider.update_customer(CONNECTION, PERSON)
        await provider.expire_link(CONNECTION, Link(url="https://x"))
        with pytest.raises(ProviderRefused):
            await provider.payment_link(CONNECTION, PAGE)
        assert vendor.asked == []


class TestCustomers:
    async def test_a_customer_is_made_once(self, vendor, provider):
        assert await provider.create_customer(CONNECTION, PERSON) == "CU001"
        assert await provider.create_customer(CONNECTION, PERSON) == "CU001"
        assert vendor.kept["customers"]["CU001"] == {
            "id": "CU001",
            "company_name": "Ada Ltd",
            "email": "ada@example.com",
            "address_line1": "1 High Street",
            "city": "London",
            "postal_code": "E1 6AN",
            "region": "Greater London",
            "country_code": "GB",
            "metadata": {"lago_customer_id": str(CUSTOMER), "external_customer_id": "cust-1"},
        }

    @pytest.mark.parametrize(("state", "region"), [("California", None), ("CA", "CA")])
    async def test_a_state_of_america_has_two_letters_or_none(self, vendor, provider, state, region):
        await provider.create_customer(CONNECTION, replace(PERSON, name=None, country="US", state=state))
        made = vendor.kept["customers"]["CU001"]
        assert (made["company_name"], made.get("region")) == ("cust-1", region)

    @pytest.mark.parametrize(
        ("currency", "scheme"),
        [
            ("GBP", "bacs"),
            ("EUR", "sepa_core"),
            ("SEK", "autogiro"),
            ("DKK", "betalingsservice"),
            ("AUD", "becs"),
            ("NZD", "becs_nz"),
            ("CAD", "pad"),
            ("USD", "ach"),
            pytest.param("JPY", "bacs", id="bacs where there is no scheme"),
            pytest.param(None, "bacs", id="bacs where there is no currency"),
        ],
    )
    async def test_a_mandate_is_asked_for_by_the_scheme_of_the_currency(
        self, vendor, provider, currency, scheme
    ):
        link = await provider.setup_link(CONNECTION, replace(PERSON, currency=currency))
        assert link == Link(
            url="https://pay-sandbox.gocardless.com/billing/static/flow?id=BRF001",
            provider_link_id="BRF001",
            expires_at=datetime(2026, 12, 8, 10, tzinfo=UTC),
        )
        request, flow = (asked.body for asked in vendor.asked)
        assert request == {
            "billing_requests": {
                "mandate_request": {"scheme": scheme},
                "links": {"customer": "CU001"},
                "metadata": {"lago_customer_id": str(CUSTOMER)},
            }
        }
        assert flow == {
            "billing_request_flows": {
                "links": {"billing_request": "BRQ001"},
                "redirect_uri": "https://acme.example/thanks",
                "exit_uri": "https://acme.example/thanks",
            }
        }

    async def test_nobody_gives_a_mandate_who_is_no_customer_there(self, vendor, provider):
        with pytest.raises(ProviderRefused):
            await provider.setup_link(CONNECTION, replace(PERSON, provider_customer_id=None))
        assert vendor.asked == []

    async def test_the_first_live_mandate_is_known(self, vendor, provider):
        for status in ("cancelled", "expired"):
            vendor.keep("mandates", status=status, links={"customer": "CU001"})
        assert await provider.known_method(CONNECTION, PERSON) == MethodSaved(
            provider_method_id="MD001",
            provider_customer_id="CU001",
            details={"type": "bacs", "brand": "BARCLAYS", "last4": "11"},
        )
        other = replace(PERSON, provider_customer_id="CU999")
        assert await provider.known_method(CONNECTION, other) is None
        assert await provider.known_method(CONNECTION, replace(PERSON, provider_customer_id=None)) is None


class TestCharge:
    async def test_the_chosen_mandate_is_debited(self, vendor, provider):
        outcome = await provider.charge(CONNECTION, ORDER)
        assert outcome == Outcome(
            payment_status=PaymentStatus.PROCESSING, status="pending_submission", provider_payment_id="PM001"
        )
        (asked,) = vendor.asked
        assert (asked.method, asked.path) == ("POST", "/payments")
        assert asked.headers["idempotency-key"] == f"payment-{PAYMENT}"
        assert asked.body == {
            "payments": {
                "amount": 1999,
                "currency": "GBP",
                "description": "Acme - Invoice ACM-001",
                "metadata": {
                    "lago_payment_id": str(PAYMENT),
                    "lago_invoice_id": "inv",
                    "lago_customer_id": "cust",
                },
                "retry_if_possible": False,
                "links": {"mandate": "MD001"},
            }
        }

    async def test_a_payment_of_a_request_is_known_by_it(self, vendor, provider):
        told = {"lago_payable_id": "req", "lago_payable_type": "PaymentRequest", "lago_customer_id": "cust"}
        await provider.charge(CONNECTION, replace(ORDER, metadata=told))
        assert vendor.kept["payments"]["PM001"]["metadata"] == {
            "lago_payment_id": str(PAYMENT),
            "lago_payable_id": "req",
            "lago_payable_type": "PaymentRequest",
        }

    async def test_the_same_key_asks_once_and_tells_what_came_of_it(self, vendor, provider):
        await provider.charge(CONNECTION, ORDER)
        vendor.kept["payments"]["PM001"]["status"] = "paid_out"
        again = await provider.charge(CONNECTION, ORDER)
        assert (again.payment_status, again.provider_payment_id) == (PaymentStatus.SUCCEEDED, "PM001")
        assert len(vendor.kept["payments"]) == 1

    async def test_an_answer_that_is_lost_is_found_again(self, vendor, provider):
        vendor.loses_answers = True
        with pytest.raises(ProviderUnavailable):
            await provider.charge(CONNECTION, ORDER)
        vendor.loses_answers = False
        assert (await provider.charge(CONNECTION, ORDER)).provider_payment_id == "PM001"
        assert len(vendor.kept["payments"]) == 1

    async def test_without_a_choice_the_first_live_mandate_is_debited(self, vendor, provider):
        vendor.keep("mandates", status="cancelled", links={"customer": "CU001"})
        outcome = await provider.charge(CONNECTION, replace(ORDER, provider_method_id=None))
        assert outcome.payment_status is PaymentStatus.PROCESSING
        assert vendor.kept["payments"]["PM001"]["links"] == {"mandate": "MD001"}

    @pytest.mark.parametrize("customer", ["CU999", None])
    async def test_without_any_mandate_the_payment_fails(self, vendor, provider, customer):
        order = replace(ORDER, provider_method_id=None, provider_customer_id=customer)
        outcome = await provider.charge(CONNECTION, order)
        assert (outcome.payment_status, outcome.error_code) == (PaymentStatus.FAILED, "no_mandate_error")
        assert vendor.kept["payments"] == {}

    async def test_a_mandate_that_is_over_is_a_refusal(self, vendor, provider):
        vendor.kept["mandates"]["MD001"]["status"] = "cancelled"
        outcome = await provider.charge(CONNECTION, ORDER)
        assert outcome == Outcome(
            payment_status=PaymentStatus.FAILED,
            status="failed",
            error_code="mandate_is_inactive",
            error_message="Mandate is inactive",
        )

    async def test_an_outage_is_none(self, vendor, provider):
        vendor.is_away = True
        with pytest.raises(ProviderUnavailable):
            await provider.charge(CONNECTION, ORDER)

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("pending_customer_approval", PaymentStatus.PROCESSING),
            ("pending_submission", PaymentStatus.PROCESSING),
            ("submitted", PaymentStatus.PROCESSING),
            ("confirmed", PaymentStatus.PROCESSING),
            ("paid_out", PaymentStatus.SUCCEEDED),
            ("cancelled", PaymentStatus.FAILED),
            ("customer_approval_denied", PaymentStatus.FAILED),
            ("failed", PaymentStatus.FAILED),
            ("charged_back", PaymentStatus.FAILED),
            pytest.param("something_new", PaymentStatus.PROCESSING, id="not listed: nothing is decided"),
        ],
    )
    async def test_each_status_means_what_the_map_says(self, vendor, provider, word, status):
        await provider.charge(CONNECTION, ORDER)
        vendor.kept["payments"]["PM001"]["status"] = word
        outcome = await provider.charge(CONNECTION, ORDER)
        assert (outcome.payment_status, outcome.status) == (status, word)


class TestCancel:
    NAMED = replace(ORDER, provider_payment_id="PM001")

    @pytest.mark.parametrize("order", [NAMED, ORDER], ids=["by its name", "by what it was asked for with"])
    async def test_one_that_is_not_at_the_banks_is_canceled(self, vendor, provider, order):
        paid(vendor, "pending_submission")
        for _ in range(3):
            vendor.keep("payments", status="paid_out", amount=5, links={"mandate": "MD001"})
        await provider.cancel(CONNECTION, order)
        await provider.cancel(CONNECTION, order)
        assert vendor.kept["payments"]["PM001"]["status"] == "cancelled"
        assert vendor.kept["refunds"] == {}

    @pytest.mark.parametrize("status", ["confirmed", "paid_out"])
    async def test_one_that_came_in_is_paid_back_in_full_and_once(self, vendor, provider, status):
        paid(vendor, status)
        await provider.cancel(CONNECTION, self.NAMED)
        await provider.cancel(CONNECTION, self.NAMED)
        (refund,) = vendor.kept["refunds"].values()
        assert (refund["amount"], refund["total_amount_confirmation"]) == (1999, 1999)

    async def test_what_was_paid_back_already_is_not_paid_back_again(self, vendor, provider):
        paid(vendor, "paid_out", amount_refunded=1500)
        await provider.cancel(CONNECTION, self.NAMED)
        (refund,) = vendor.kept["refunds"].values()
        assert (refund["amount"], refund["total_amount_confirmation"]) == (499, 1999)

    @pytest.mark.parametrize(
        "status", ["submitted", "cancelled", "failed", "charged_back", "pending_customer_approval"]
    )
    async def test_others_are_left(self, vendor, provider, status):
        paid(vendor, status)
        await provider.cancel(CONNECTION, self.NAMED)
        assert (vendor.kept["payments"]["PM001"]["status"], vendor.kept["refunds"]) == (status, {})

    @pytest.mark.parametrize("customer", ["CU001", None])
    async def test_one_that_was_never_asked_for_is_never_taken(self, vendor, provider, customer):
        await provider.cancel(CONNECTION, replace(ORDER, provider_customer_id=customer))
        assert (vendor.kept["payments"], vendor.kept["refunds"]) == ({}, {})


class TestRefunds:
    async def test_a_part_is_paid_back_once_also_when_the_answer_is_lost(self, vendor, provider):
        paid(vendor, "paid_out", amount_refunded=300)
        vendor.loses_answers = True
        with pytest.raises(ProviderUnavailable):
            await provider.refund(CONNECTION, REFUND)
        vendor.loses_answers = False
        refunded = await provider.refund(CONNECTION, REFUND)
        assert refunded == RefundOutcome(
            refund_status=RefundStatus.PENDING, status="created", provider_refund_id="RF001"
        )
        assert await provider.refund(CONNECTION, REFUND) == refunded
        (refund,) = vendor.kept["refunds"].values()
        assert refund["amount"] == 500
        assert refund["total_amount_confirmation"] == 800
        assert refund["metadata"] == {
            "idempotency_key": str(UUID(int=10)),
            "lago_credit_note_id": "cn",
            "lago_invoice_id": "inv",
        }

    async def test_it_is_paid_back_once_also_when_gocardless_has_forgotten_the_key(self, vendor, provider):
        paid(vendor, "paid_out")
        first = await provider.refund(CONNECTION, REFUND)
        vendor.keys.clear()
        assert await provider.refund(CONNECTION, REFUND) == first
        assert len(vendor.kept["refunds"]) == 1

    async def test_two_notes_of_a_payment_are_two_refunds(self, vendor, provider):
        paid(vendor, "paid_out")
        await provider.refund(CONNECTION, REFUND)
        await provider.refund(
            CONNECTION, replace(REFUND, idempotency_key=str(UUID(int=11)), amount_cents=200)
        )
        assert [each["total_amount_confirmation"] for each in vendor.kept["refunds"].values()] == [500, 700]

    async def test_one_that_crosses_another_waits(self, vendor, provider):
        payment = paid(vendor, "paid_out")
        answer = vendor.server.answer

        def meanwhile(asked):
            if asked.method == "POST":
                payment["amount_refunded"] += 1
            return answer(asked)

        vendor.server.answer = meanwhile
        with pytest.raises(ProviderUnavailable):
            await provider.refund(CONNECTION, REFUND)
        assert vendor.kept["refunds"] == {}

    async def test_a_refusal_is_an_outcome(self, vendor, provider):
        paid(vendor, "submitted")
        refunded = await provider.refund(CONNECTION, REFUND)
        assert (refunded.refund_status, refunded.error_code) == (
            RefundStatus.FAILED,
            "refund_payment_invalid_state",
        )

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("created", RefundStatus.PENDING),
            ("pending_submission", RefundStatus.PENDING),
            ("submitted", RefundStatus.PENDING),
            ("refund_settled", RefundStatus.PENDING),
            ("paid", RefundStatus.SUCCEEDED),
            ("cancelled", RefundStatus.FAILED),
            ("bounced", RefundStatus.FAILED),
            ("funds_returned", RefundStatus.FAILED),
            ("failed", RefundStatus.FAILED),
            pytest.param("something_new", RefundStatus.PENDING, id="not listed: nothing is decided"),
        ],
    )
    def test_each_status_means_what_the_map_says(self, word, status):
        assert refund_status_of(word) is status


PUBLISHED = (
    b'{"events":[{"id":"EV00BD05S5VM2T","created_at":"2018-07-05T09:13:51.404Z","resource_type":"subscriptions",'
    b'"action":"created","links":{"subscription":"SB0003JJQ2MR06"},"details":{"origin":"api","cause":'
    b'"subscription_created","description":"Subscription created via the API."},"metadata":{}},{"id":"EV00BD05TB8K63",'
    b'"created_at":"2018-07-05T09:13:56.893Z","resource_type":"mandates","action":"created","links":{"mandate":'
    b'"MD000AMA19XGEC"},"details":{"origin":"api","cause":"mandate_created","description":'
    b'"Mandate created via the API."},"metadata":{}}]}'
)
"""The body that GoCardless publishes with its libraries, signed with `SECRET`."""

SIGNATURE = "2693754819d3e32d7e8fcb13c729631f316c6de8dc1cf634d6527f1c07276e7e"


class TestSignatures:
    def test_the_published_signature_is_believed(self):
        GoCardless().verify(CONNECTION, {"webhook-signature": SIGNATURE}, PUBLISHED)

    @pytest.mark.parametrize(
        ("secret", "headers", "body"),
        [
            pytest.param(SECRET, {"webhook-signature": SIGNATURE}, PUBLISHED + b" ", id="another body"),
            pytest.param(SECRET, {"webhook-signature": SIGNATURE[:-1]}, PUBLISHED, id="another signature"),
            pytest.param(SECRET, {"webhook-signature": "é"}, PUBLISHED, id="a signature that is none"),
            pytest.param(SECRET, {}, PUBLISHED, id="no signature"),
            pytest.param("other", {"webhook-signature": SIGNATURE}, PUBLISHED, id="another secret"),
            pytest.param("", *webhook(secret=""), id="no secret"),
        ],
    )
    def test_no_others_are(self, secret, headers, body):
        connection = replace(CONNECTION, secrets={"webhook_secret": secret})
        with pytest.raises(BadSignature):
            GoCardless().verify(connection, headers, body)


class TestEvents:
    @pytest.fixture
    def hear(self, provider):
        async def hear(*events):
            return await provider.understand(CONNECTION, webhook(*events)[1])

        return hear

    @pytest.mark.parametrize(
        ("action", "status"),
        [
            ("paid_out", PaymentStatus.SUCCEEDED),
            ("failed", PaymentStatus.FAILED),
            ("cancelled", PaymentStatus.FAILED),
            ("customer_approval_denied", PaymentStatus.FAILED),
            ("charged_back", PaymentStatus.FAILED),
        ],
    )
    async def test_a_payment_is_told_as_it_is(self, vendor, hear, action, status):
        paid(vendor, action)
        told = event(
            "payments", action, {"payment": "PM001"}, cause="refer_to_payer", description="No funds."
        )
        has_failed = status is PaymentStatus.FAILED
        assert await hear(told) == [
            PaymentTold(
                outcome=Outcome(
                    payment_status=status,
                    status=action,
                    provider_payment_id="PM001",
                    error_code="refer_to_payer" if has_failed else None,
                    error_message="No funds." if has_failed else None,
                ),
                metadata={"lago_payment_id": str(PAYMENT)},
                amount_cents=1999,
                currency="GBP",
            )
        ]

    async def test_a_late_event_does_not_undo_what_came_after_it(self, vendor, hear):
        paid(vendor, "paid_out")
        (heard,) = await hear(event("payments", "failed", {"payment": "PM001"}))
        assert (heard.outcome.payment_status, heard.outcome.status) == (PaymentStatus.SUCCEEDED, "paid_out")

    async def test_a_payment_that_is_tried_again_there_has_not_failed(self, vendor, hear):
        paid(vendor, "failed")
        (heard,) = await hear(event("payments", "failed", {"payment": "PM001"}, will_attempt_retry=True))
        assert (heard.outcome.payment_status, heard.outcome.status) == (PaymentStatus.PROCESSING, "failed")

    @pytest.mark.parametrize("action", ["created", "submitted", "confirmed", "chargeback_settled"])
    async def test_what_nothing_follows_from_is_not_looked_up(self, vendor, hear, action):
        events = [
            event("payments", action, {"payment": "PM001"}),
            event("payouts", "paid", {"payout": "PO1"}),
        ]
        assert (await hear(*events), vendor.asked) == ([], [])

    @pytest.mark.parametrize(
        ("word", "status", "code", "message"),
        [
            ("paid", RefundStatus.SUCCEEDED, None, None),
            ("bounced", RefundStatus.FAILED, "account_closed", "It is closed."),
        ],
    )
    async def test_a_refund_is_told_as_it_is(self, vendor, hear, word, status, code, message):
        vendor.keep(
            "refunds", status=word, metadata={"lago_credit_note_id": "cn"}, links={"payment": "PM001"}
        )
        told = event(
            "refunds", word, {"refund": "RF001"}, cause="account_closed", description="It is closed."
        )
        outcome = RefundOutcome(
            refund_status=status,
            status=word,
            provider_refund_id="RF001",
            error_code=code,
            error_message=message,
        )
        assert await hear(told) == [
            RefundTold(outcome=outcome, provider_payment_id="PM001", metadata={"lago_credit_note_id": "cn"})
        ]

    async def test_what_was_paid_back_since_nobody_waited_is_no_refund_of_a_note(
        self, vendor, provider, hear
    ):
        paid(vendor, "paid_out")
        await provider.cancel(CONNECTION, ORDER)
        assert await hear(event("refunds", "paid", {"refund": "RF001"})) == []

    async def test_a_mandate_is_a_method(self, hear):
        assert await hear(event("mandates", "created", {"mandate": "MD001"})) == [
            MethodSaved(
                provider_method_id="MD001",
                provider_customer_id="CU001",
                details={"type": "bacs", "brand": "BARCLAYS", "last4": "11"},
            )
        ]

    async def test_one_that_is_over_by_now_is_none(self, vendor, hear):
        vendor.kept["mandates"]["MD001"]["status"] = "cancelled"
        assert await hear(event("mandates", "created", {"mandate": "MD001"})) == []

    async def test_a_mandate_is_lost_where_the_api_canceled_it(self, hear):
        told = {"mandate": "MD001"}
        assert await hear(event("mandates", "cancelled", told, origin="api")) == [
            MethodLost(provider_method_id="MD001")
        ]
        assert await hear(event("mandates", "cancelled", told, origin="bank")) == []

    async def test_events_are_told_in_order_and_what_is_gone_is_passed_over(self, vendor, hear):
        paid(vendor, "paid_out")
        heard = await hear(
            event("mandates", "created", {"mandate": "MD001"}),
            event("payments", "paid_out", {"payment": "PM404"}),
            event("payments", "paid_out", {"payment": "PM001"}),
        )
        assert [type(each) for each in heard] == [MethodSaved, PaymentTold]

    async def test_an_outage_is_no_answer_and_a_bad_token_no_silence(self, vendor, provider, hear):
        told = event("payments", "paid_out", {"payment": "PM001"})
        with pytest.raises(ProviderRefused):
            await provider.understand(
                replace(CONNECTION, secrets={"access_token": "live_x"}), webhook(told)[1]
            )
        vendor.is_away = True
        with pytest.raises(ProviderUnavailable):
            await hear(told)

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'"events"'])
    async def test_a_body_without_events_tells_nothing(self, provider, body):
        assert await provider.understand(CONNECTION, body) == []


def test_it_is_registered_and_can_be_asked_elsewhere():
    provider = make_adapters({"gocardless": "http://127.0.0.1:9"})[ProviderKind.GOCARDLESS]
    assert isinstance(provider, GoCardless)
    assert provider._api(CONNECTION).url == "http://127.0.0.1:9"
