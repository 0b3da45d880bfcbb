"""What invoices and their fees look like on the wire, where that depends on what they are (invoicing §1, §2.3, §7.1)."""

import pytest
from tests import kit

NESTED = {
    "customer", "metadata", "applied_taxes", "billing_periods", "subscriptions", "fees", "credits", "error_details",
    "applied_invoice_custom_sections",
}  # fmt: skip
LISTED = {"customer", "metadata", "applied_taxes"}


@pytest.fixture
async def seller(make_organization):
    made = await make_organization("2025-03-01T12:00:00Z")
    client = made.client
    client.organization_id = made.id
    client.who = await kit.customer(client, currency="EUR")
    add_on = {"name": "Setup", "code": "setup", "amount_cents": 1_000, "amount_currency": "EUR"}
    await kit.post(client, "/add_ons", {"add_on": add_on})
    return client


async def sell(client, *, expect=200, **more):
    body = {"external_customer_id": client.who["external_id"], "fees": [{"add_on_code": "setup"}], **more}
    return await kit.post(client, "/invoices", {"invoice": body}, expect=expect)


@pytest.mark.parametrize(("sent", "kept"), [("  PO 7 ", "PO 7"), ("   ", None), (None, None)])
async def test_an_order_number_is_trimmed(seller, sent, kept):
    made = (await sell(seller, purchase_order_number=sent))["invoice"]
    assert made["purchase_order_number"] == kept


async def test_an_order_number_has_255_characters_at_the_most(seller):
    answer = await sell(seller, purchase_order_number="7" * 256, expect=422)
    assert answer["error_details"] == {"purchase_order_number": ["value_is_too_long"]}


async def test_fees_without_a_subscription_name_no_customer(seller):
    wallet = {"external_customer_id": seller.who["external_id"], "rate_amount": "1", "paid_credits": "5"}
    await kit.post(seller, "/wallets", {"wallet": wallet})
    await sell(seller)
    plan = await kit.plan(seller, amount_cents=3_100, pay_in_advance=True)
    of = await kit.subscribe(seller, seller.who, plan)
    shown = {
        fee["item"]["type"]: (fee["lago_customer_id"], fee["external_customer_id"])
        for invoice in await kit.invoices(seller, seller.who)
        for fee in invoice["fees"]
    }
    known = (of["lago_customer_id"], seller.who["external_id"])
    assert shown == {"credit": (None, None), "add_on": (None, None), "subscription": known}
    listed = await kit.get(seller, "/fees", external_customer_id=seller.who["external_id"])
    assert len(listed["fees"]) == 3


async def test_a_lost_dispute_is_told_with_milliseconds(seller):
    made = (await sell(seller))["invoice"]
    lost = await kit.post(seller, f"/invoices/{made['lago_id']}/lose_dispute", {})
    assert lost["invoice"]["payment_dispute_lost_at"] == "2025-03-01T12:00:00.000Z"


async def test_nothing_hangs_on_an_invoice_beside_its_file(seller):
    made = (await sell(seller))["invoice"]
    assert made.keys() >= NESTED
    for _ in range(2):  # made now, and there already
        found = (await kit.post(seller, f"/invoices/{made['lago_id']}/download", {}))["invoice"]
        assert found["file_url"]
        assert not found.keys() & NESTED
        assert "applied_usage_thresholds" not in found


async def test_an_invoice_leads_to_its_page_in_the_app(seller):
    made = (await sell(seller))["invoice"]
    page = f"http://test/{seller.organization_id}/customer/{seller.who['lago_id']}/invoice/{made['lago_id']}/overview"
    assert made["web_url"] == page
    assert (await kit.get(seller, "/invoices"))["invoices"][0]["web_url"] == page
    found = (await kit.post(seller, f"/invoices/{made['lago_id']}/download", {}))["invoice"]
    assert found["web_url"] == page
    logged = await kit.get(seller, "/activity_logs", **{"activity_types[]": "invoice.one_off_created"})
    assert logged["activity_logs"][0]["activity_object"]["web_url"] == page


async def test_an_invoice_that_is_not_shown_has_no_page(seller):
    seller.who = await kit.customer(seller, currency="EUR", finalize_zero_amount_invoice="skip")
    made = (await sell(seller, fees=[{"add_on_code": "setup", "unit_amount_cents": 0}]))["invoice"]
    assert (made["status"], made["web_url"]) == ("closed", None)


async def test_lists_tell_of_thresholds_where_an_invoice_was_made_for_them(seller):
    metric = await kit.metric(seller)
    plan = await kit.plan(seller, kit.charge(metric), usage_thresholds=[{"amount_cents": 5_000}])
    of = await kit.subscribe(seller, seller.who, plan)
    await kit.send(seller, of, metric, 60)
    await sell(seller)
    listed = (await kit.get(seller, "/invoices"))["invoices"]
    assert all(invoice.keys() & NESTED == LISTED for invoice in listed)
    shown = {invoice["invoice_type"]: invoice.get("applied_usage_thresholds") for invoice in listed}
    assert shown.keys() == {"one_off", "progressive_billing"}
    assert shown["one_off"] is None
    (passed,) = shown["progressive_billing"]
    assert passed["lifetime_usage_amount_cents"] == 6_000
    assert passed["usage_threshold"]["amount_cents"] == 5_000


@pytest.mark.parametrize(
    ("locale", "own_name", "shown"),
    [("fr", None, "Engagement minimum"), ("fr", "Forfait", "Forfait"), (None, None, "Minimum commitment")],
)
async def test_a_commitment_is_called_by_its_name_else_in_the_customers_language(
    seller, locale, own_name, shown
):
    commitment = {"amount_cents": 5_000, "invoice_display_name": own_name}
    plan = await kit.plan(seller, minimum_commitment=commitment)
    who = await kit.customer(seller, billing_configuration={"document_locale": locale})
    await kit.subscribe(seller, who, plan)
    await kit.advance(seller, "2025-04-01T01:00")
    (invoice,) = await kit.invoices(seller, who)
    names = {fee["item"]["type"]: fee["item"]["invoice_display_name"] for fee in invoice["fees"]}
    assert names["commitment"] == shown


async def test_a_commitment_is_of_no_dates(seller):
    """The base price of March is of March, what the commitment adds to it of no day."""
    plan = await kit.plan(seller, amount_cents=3_100, minimum_commitment={"amount_cents": 5_000})
    who = await kit.customer(seller)
    await kit.subscribe(seller, who, plan)
    await kit.advance(seller, "2025-04-01T01:00")
    (invoice,) = await kit.invoices(seller, who)
    dates = {fee["item"]["type"]: (fee["from_date"], fee["to_date"]) for fee in invoice["fees"]}
    assert dates["subscription"][1] == "2025-03-31T23:59:59+00:00"
    assert dates["commitment"] == (None, None)


async def test_what_wallets_do_not_pay_is_null_in_a_preview_too(seller):
    plan = await kit.plan(seller, amount_cents=3_100)
    body = {"customer": {"external_id": seller.who["external_id"]}, "plan_code": plan["code"]}
    shown = (await kit.post(seller, "/invoices/preview", body))["invoice"]
    assert shown["prepaid_credit_amount_cents"] == 0
    assert shown["prepaid_granted_credit_amount_cents"] is None
    assert shown["prepaid_purchased_credit_amount_cents"] is None


async def test_fees_take_their_invoices_payment_status_and_no_time_of_it(seller):
    made = (await sell(seller))["invoice"]
    for status in ("failed", "succeeded", "pending"):
        body = {"invoice": {"payment_status": status}}
        told = (await kit.call(seller, "PUT", f"/invoices/{made['lago_id']}", body))["invoice"]
        (fee,) = told["fees"]
        stamps = [fee[name] for name in ("succeeded_at", "failed_at", "refunded_at")]
        assert (fee["payment_status"], stamps) == (status, [None, None, None])
