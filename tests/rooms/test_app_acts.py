"""What people do in the web app that the REST API has not (platform §15)."""

from __future__ import annotations

from base64 import b64encode

import pytest
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.kit import call, get, post
from tests.people import join, sign_up
from tests.rooms.test_people_rights import become


@pytest.fixture
async def shop(application, make_organization):
    """An organization on the first of January, and somebody in it who has signed in."""
    made = await make_organization("2026-01-01T00:00:00Z")
    person = await join(application, made.id, ADMIN_KEY)
    yield made.client, person.browser
    await person.browser.aclose()


COUPON = {
    "name": "Off", "code": "off/1", "coupon_type": "fixed_amount", "amount_cents": 100, "amount_currency": "EUR",
    "frequency": "forever", "expiration": "time_limit", "expiration_at": "2026-06-01T00:00:00Z",
}  # fmt: skip


class TestACoupon:
    async def test_ends_before_its_time_for_who_has_none(self, shop):
        """Pricing §16.1: termination blocks new applications; those applied go on."""
        client, browser = shop
        await post(client, "/coupons", {"coupon": COUPON})
        for name in ("has", "comes later"):
            await kit.customer(client, external_id=name, currency="EUR")
        given = {"external_customer_id": "has", "coupon_code": "off/1"}
        await post(client, "/applied_coupons", {"applied_coupon": given})
        await kit.advance(client, "2026-01-05")
        ended = (await post(browser, "/coupons/off/1/terminate", {}))["coupon"]
        assert ended["terminated_at"] == "2026-01-05T00:00:00Z"
        late = {**given, "external_customer_id": "comes later"}
        refused = await post(client, "/applied_coupons", {"applied_coupon": late}, expect=404)
        assert refused["code"] == "coupon_not_found"
        (applied,) = (await get(client, "/applied_coupons"))["applied_coupons"]
        assert applied["status"] == "active"
        plan = await kit.plan(client, amount_cents=1000, pay_in_advance=True)
        await kit.subscribe(client, {"external_id": "has"}, plan)
        (bill,) = await kit.invoices(client, {"external_id": "has"})
        assert bill["total_amount_cents"] == 771, "27 days of 31 of 10.00, less 1.00"

    async def test_that_has_ended_stays_as_it_is(self, shop):
        client, browser = shop
        await post(client, "/coupons", {"coupon": COUPON})
        first = await post(browser, "/coupons/off/1/terminate", {})
        await kit.advance(client, "2026-01-05")
        assert await post(browser, "/coupons/off/1/terminate", {}) == first
        changed = await call(client, "PUT", "/coupons/off%2F1", {"coupon": {"name": "Gone"}})
        assert changed["coupon"]["terminated_at"] == "2026-01-01T00:00:00Z"
        await post(browser, "/coupons/none/terminate", {}, expect=404)

    async def test_is_ended_by_whoever_may_change_it(self, application, database):
        person = await sign_up(application)
        person.browser.headers["X-Lago-Organization"] = person.organization_id
        await become(database, person, "finance", "manager")
        refused = await post(person.browser, "/coupons/x/terminate", {}, expect=403)
        assert refused["required_permissions"] == ["coupons:update"]


class TestDrafts:
    async def test_are_issued_each_by_itself(self, shop):
        client, browser = shop
        plan = await kit.plan(client, amount_cents=1000)
        for name in ("a", "b", "c"):
            who = await kit.customer(
                client, external_id=name, billing_configuration={"invoice_grace_period": 5}
            )
            await kit.subscribe(client, who, plan, external_id=name)
        await kit.advance(client, "2026-02-02")
        drafts = {
            one["customer"]["external_id"]: one["lago_id"]
            for one in (await get(client, "/invoices"))["invoices"]
        }
        await call(client, "PUT", f"/invoices/{drafts['c']}/finalize")
        unknown = "00000000-0000-4000-8000-000000000001"
        asked = [drafts["a"], unknown, drafts["c"], drafts["b"], drafts["a"]]
        found = (await post(browser, "/invoices/finalize", {"lago_ids": asked}))["finalizations"]
        assert [(one["lago_id"], one["invoice_status"], one["code"]) for one in found] == [
            (drafts["a"], "finalized", None),
            (unknown, None, "invoice_not_found"),
            (drafts["c"], None, "invoice_not_found"),
            (drafts["b"], "finalized", None),
        ]
        for name in ("a", "b"):
            (bill,) = await kit.invoices(client, {"external_id": name})
            assert (bill["status"], bill["total_amount_cents"], bill["issuing_date"]) == (
                "finalized",
                1000,
                "2026-02-02",
            )
        assert found[0]["number"] == (await get(client, f"/invoices/{drafts['a']}"))["invoice"]["number"]

    async def test_are_issued_once_by_a_key(self, shop):
        client, browser = shop
        who = await kit.customer(client, billing_configuration={"invoice_grace_period": 5})
        await kit.subscribe(client, who, await kit.plan(client, amount_cents=1000))
        await kit.advance(client, "2026-02-02")
        (draft,) = (await get(client, "/invoices"))["invoices"]
        body, headers = {"lago_ids": [draft["lago_id"]]}, {"Idempotency-Key": "k"}
        first = await browser.post("/invoices/finalize", json=body, headers=headers)
        again = await browser.post("/invoices/finalize", json=body, headers=headers)
        assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")

    @pytest.mark.parametrize(
        ("ids", "codes"),
        [([], ["value_is_mandatory"]), (["x"] * 51, ["value_is_too_long"]), ("x", ["value_is_invalid"])],
    )
    async def test_are_some_but_not_too_many(self, shop, ids, codes):
        _, browser = shop
        refused = await post(browser, "/invoices/finalize", {"lago_ids": ids}, expect=422)
        assert refused["error_details"] == {"lago_ids": codes}

    async def test_of_others_are_unknown(self, shop, make_organization):
        _, browser = shop
        other = (await make_organization("2026-01-01T00:00:00Z")).client
        who = await kit.customer(other, billing_configuration={"invoice_grace_period": 5})
        await kit.subscribe(other, who, await kit.plan(other, amount_cents=1000))
        await kit.advance(other, "2026-02-02")
        (draft,) = (await get(other, "/invoices"))["invoices"]
        (found,) = (await post(browser, "/invoices/finalize", {"lago_ids": [draft["lago_id"]]}))[
            "finalizations"
        ]
        assert found["code"] == "invoice_not_found"
        assert (await get(other, f"/invoices/{draft['lago_id']}"))["invoice"]["status"] == "draft"


class TestAnAdjustment:
    async def test_is_shown_before_it_is_made_and_comes_to_that(self, shop):
        """Seven at 0.30 are 2.10; ten by the model are 3.00, four at 1.25 are 5.00."""
        client, browser = shop
        metric = await kit.metric(client)
        plan = await kit.plan(client, kit.charge(metric, amount="0.3"), amount_cents=1000)
        who = await kit.customer(client, billing_configuration={"invoice_grace_period": 5})
        subscription = await kit.subscribe(client, who, plan)
        await kit.send(client, subscription, metric, 7)
        await kit.advance(client, "2026-02-02")
        (draft,) = await kit.invoices(client, who)
        fees = {one["item"]["type"]: one for one in draft["fees"]}
        path = f"/invoices/{draft['lago_id']}/adjusted_fees"
        of = {"fee_id": fees["charge"]["lago_id"]}
        shown = (await post(browser, f"{path}/preview", {"adjusted_fee": {**of, "units": "10"}}))[
            "adjustment_preview"
        ]
        assert shown == {
            "current": {"units": "7.0", "precise_unit_amount": "0.3", "amount_cents": 210},
            "adjusted": {"units": "10.0", "precise_unit_amount": "0.3", "amount_cents": 300},
            "difference_amount_cents": 90,
        }
        asked = {**of, "units": "4", "unit_precise_amount": "1.25"}
        shown = (await post(browser, f"{path}/preview", {"adjusted_fee": asked}))["adjustment_preview"]
        assert shown["adjusted"]["amount_cents"] == 500
        (unchanged,) = await kit.invoices(client, who)
        assert unchanged == draft, "nothing is written"
        await post(client, path, {"adjusted_fee": asked})
        (changed,) = await kit.invoices(client, who)
        assert [one["amount_cents"] for one in changed["fees"] if one["item"]["type"] == "charge"] == [500]

    async def test_is_refused_as_when_it_is_made(self, shop):
        _, browser = shop
        path = "/invoices/none/adjusted_fees/preview"
        refused = await post(browser, path, {"adjusted_fee": {"units": "1"}}, expect=404)
        assert refused["code"] == "invoice_not_found"
        await post(browser, path, {}, expect=400)


class TestAnEmail:
    async def test_is_shown_before_it_is_sent(self, shop, count_statements):
        """Whether there is a mail server, an address or a switch: it is only looked at."""
        client, browser = shop
        await kit.customer(
            client,
            external_id="payer",
            name="Hooli <b>",
            email="ap@hooli.test",
            document_locale=None,
            billing_configuration={"document_locale": "fr"},
        )
        add_on = {"name": "Setup", "code": "setup", "amount_cents": 12345, "amount_currency": "EUR"}
        await post(client, "/add_ons", {"add_on": add_on})
        one_off = {"external_customer_id": "payer", "currency": "EUR", "fees": [{"add_on_code": "setup"}]}
        bill = (await post(client, "/invoices", {"invoice": one_off}))["invoice"]
        await post(
            client,
            "/payments",
            {"payment": {"invoice_id": bill["lago_id"], "amount_cents": 12345, "reference": "wire"}},
        )
        note = {
            "invoice_id": bill["lago_id"],
            "items": [{"fee_id": bill["fees"][0]["lago_id"], "amount_cents": 100}],
            "refund_amount_cents": 100,
        }
        credit = (await post(client, "/credit_notes", {"credit_note": note}))["credit_note"]
        (receipt,) = (await get(client, "/payment_receipts"))["payment_receipts"]
        with count_statements() as statements:
            shown = (await get(browser, f"/email_previews/invoices/{bill['lago_id']}"))["email_preview"]
        assert not [one for one in statements if one.startswith(("INSERT INTO emails", "UPDATE emails"))]
        assert (shown["to"], shown["language"]) == (["ap@hooli.test"], "fr")
        assert bill["number"] in shown["subject"]
        assert "123,45" in shown["text"]
        assert shown["attachments"] == [f"{bill['number']}.pdf"]
        assert "<b>" not in shown["html"].replace("<body", "")
        english = (await get(browser, f"/email_previews/invoices/{bill['lago_id']}", locale="en"))[
            "email_preview"
        ]
        assert (english["language"], "123.45" in english["text"]) == ("en", True)
        for kind, document in (("credit_notes", credit), ("payment_receipts", receipt)):
            found = (await get(browser, f"/email_previews/{kind}/{document['lago_id']}", locale="de"))[
                "email_preview"
            ]
            assert (found["language"], document["number"] in found["subject"]) == ("de", True), kind

    async def test_that_asks_for_payment_links_to_what_is_due(self, shop):
        client, browser = shop
        who = await kit.customer(client, external_id="payer", email="ap@hooli.test", net_payment_term=0)
        await kit.subscribe(client, who, await kit.plan(client, amount_cents=1000, pay_in_advance=True))
        await kit.advance(client, "2026-01-20")
        (bill,) = await kit.invoices(client, who)
        body = {
            "external_customer_id": "payer",
            "lago_invoice_ids": [bill["lago_id"]],
            "email": "ap@hooli.test",
        }
        asked = (await post(client, "/payment_requests", {"payment_request": body}))["payment_request"]
        shown = (await get(browser, f"/email_previews/payment_requests/{asked['lago_id']}", locale="sv"))[
            "email_preview"
        ]
        assert (shown["language"], shown["attachments"]) == ("sv", [])
        assert bill["number"] in shown["text"]

    async def test_that_will_ask_for_payment_says_what_the_request_says_and_makes_none(self, shop):
        client, browser = shop
        who = await kit.customer(client, external_id="payer", email="ap@hooli.test", net_payment_term=0)
        await kit.subscribe(client, who, await kit.plan(client, amount_cents=1234, pay_in_advance=True))
        await kit.advance(client, "2026-01-20")
        (bill,) = await kit.invoices(client, who)
        body = {
            "external_customer_id": "payer",
            "lago_invoice_ids": [bill["lago_id"]],
            "email": "cfo@hooli.test",
        }
        asked = {"payment_request": body}
        imagined = (await post(browser, "/email_previews/payment_requests?locale=en", asked))["email_preview"]
        assert (imagined["to"], "12.34" in imagined["text"]) == (["cfo@hooli.test"], True)
        assert (await get(client, "/payment_requests"))["payment_requests"] == []
        made = (await post(client, "/payment_requests", asked))["payment_request"]
        path = f"/email_previews/payment_requests/{made['lago_id']}"
        shown = (await get(browser, path, locale="en"))["email_preview"]
        assert {name: shown[name] for name in ("sender", "to", "subject", "text")} == {
            name: imagined[name] for name in ("sender", "to", "subject", "text")
        }
        await post(
            client,
            "/payments",
            {"payment": {"invoice_id": bill["lago_id"], "amount_cents": 1234, "reference": "r"}},
        )
        refused = await post(browser, "/email_previews/payment_requests", asked, expect=405)
        assert refused["code"] == "invoices_not_overdue"
        unknown = {"payment_request": {**body, "external_customer_id": "nobody"}}
        assert (await post(browser, "/email_previews/payment_requests", unknown, expect=404))[
            "code"
        ] == "customer_not_found"

    async def test_is_there_before_there_is_a_document_as_an_entity_would_send_it(self, shop):
        """Of 100.00 without taxes, due in a week; there is no customer of it."""
        client, browser = shop
        logo = "data:image/png;base64," + b64encode(b"\x89PNG\r\n\x1a\n").decode()
        terms = {
            "code": "fr", "name": "Bouvier", "default_currency": "EUR", "net_payment_term": 7, "logo": logo,
            "document_number_prefix": "BOU", "billing_configuration": {"document_locale": "fr"},
        }  # fmt: skip
        await post(client, "/billing_entities", {"billing_entity": terms})
        path = "/email_previews/samples"
        shown = {
            kind: (await get(browser, f"{path}/{kind}", billing_entity_code="fr"))["email_preview"]
            for kind in ("invoice", "credit_note", "payment_receipt", "payment_request")
        }
        assert (await get(client, "/customers"))["customers"] == []
        assert {one["language"] for one in shown.values()} == {"fr"}
        for kind, number, amounts in (
            ("invoice", "BOU-001-001", 3),  # the headline, the sum before taxes, the total
            ("credit_note", "BOU-001-001-CN001", 4),  # … what is credited
            ("payment_receipt", "BOU-001-RCPT-000001", 4),  # … what was paid
            ("payment_request", "BOU-001-001", 3),  # the headline, the invoice, what is due
        ):
            assert number in shown[kind]["text"], kind
            assert "Bouvier" in shown[kind]["sender"]
            assert '<img src="http' in shown[kind]["html"]
            assert shown[kind]["text"].count("100,00") == amounts, shown[kind]["text"]
        assert "8 janv. 2026" in shown["invoice"]["text"]
        assert "31 déc. 2025" in shown["payment_request"]["text"], "overdue since yesterday"
        own = (await get(browser, f"{path}/invoice", locale="ja"))["email_preview"]
        assert (own["language"], own["sender"] == shown["invoice"]["sender"]) == ("ja", False)
        assert "<img" not in own["html"]
        unknown = await get(browser, f"{path}/invoice", billing_entity_code="none", expect=404)
        assert unknown["code"] == "billing_entity_not_found"
        await get(browser, f"{path}/postcard", expect=422)

    @pytest.mark.parametrize(("path", "status", "told"), [
        ("invoices/none", 404, "invoice_not_found"), ("credit_notes/none", 404, "credit_note_not_found"),
        ("payment_receipts/none", 404, "invoice_not_found"), ("payment_requests/none", 404, "payment_request_not_found"),
        ("invoices/none?locale=xx", 422, "validation_errors"),
    ])  # fmt: skip
    async def test_of_nothing_is_none(self, shop, path, status, told):
        _, browser = shop
        assert (await get(browser, f"/email_previews/{path}", expect=status))["code"] == told
