"""Customers and subscriptions over the API (subscriptions §1, §2)."""

import asyncio

import pytest
from tests import kit


async def upsert(client, expect=200, **fields):
    return await kit.post(client, "/customers", {"customer": fields}, expect=expect)


class TestCustomers:
    async def test_an_upsert_changes_only_what_is_sent(self, client):
        await upsert(client, external_id="c", name="First", email="a@b.co", country="de")
        changed = (await upsert(client, external_id="c", email=None))["customer"]
        assert (changed["name"], changed["email"], changed["country"]) == ("First", None, "DE")

    async def test_numbers_and_slugs_count_the_organizations_customers(self, client):
        prefix = (await kit.get(client, "/organizations"))["organization"]["document_number_prefix"]
        made = [(await upsert(client, external_id=f"c{n}"))["customer"] for n in range(3)]
        assert [customer["slug"] for customer in made] == [f"{prefix}-00{n}" for n in (1, 2, 3)]

    async def test_of_many_upserts_at_once_one_makes_the_customer(self, client):
        answers = await asyncio.gather(*(upsert(client, external_id="same") for _ in range(12)))
        assert len({answer["customer"]["lago_id"] for answer in answers}) == 1

    @pytest.mark.parametrize(
        ("wrong", "details"),
        [
            ({"external_id": " "}, {"external_id": ["value_is_mandatory"]}),
            ({"country": "XX"}, {"country": ["not_a_valid_country_code"]}),
            ({"country": "XK"}, {"country": ["not_a_valid_country_code"]}),
            ({"timezone": "Mars/Base"}, {"timezone": ["invalid_timezone"]}),
            ({"currency": "XXX"}, {"currency": ["value_is_invalid"]}),
            ({"email": "nobody"}, {"email": ["invalid_email_format"]}),
            ({"net_payment_term": -1}, {"net_payment_term": ["value_is_out_of_range"]}),
            ({"name": "x" * 256}, {"name": ["value_is_too_long"]}),
            ({"customer_type": "robot"}, {"customer_type": ["value_is_invalid"]}),
            ({"finalize_zero_amount_invoice": "maybe"}, {"finalize_zero_amount_invoice": ["invalid_value"]}),
            (
                {"billing_configuration": {"document_locale": "xx"}},
                {"document_locale": ["not_a_valid_language_code"]},
            ),
            ({"metadata": [{"key": "k" * 21, "value": "v"}]}, {"key": ["value_is_too_long"]}),
            (
                {"metadata": [{"key": str(n), "value": "v"} for n in range(6)]},
                {"metadata": ["invalid_count"]},
            ),
            ({"account_type": "vendor"}, {"account_type": ["value_is_invalid"]}),
            (
                {"integration_customers": [{"integration_type": "xero"}, {"integration_type": "xero"}]},
                {"integration_customers": ["invalid_count_per_integration_type"]},
            ),
            (
                {"integration_customers": [{"integration_type": "xero"}]},
                {"integration_customers": ["unsupported_value"]},
            ),
            (
                {"billing_configuration": {"payment_provider": "piggy_bank"}},
                {"payment_provider": ["value_is_invalid"]},
            ),
            (
                {"billing_configuration": {"payment_provider": "stripe", "sync_with_provider": True}},
                {"base": ["payment_provider_not_found"]},
            ),
            (
                {"billing_configuration": {"payment_provider": "stripe", "provider_customer_id": "cus_1"}},
                {"base": ["payment_provider_not_found"]},
            ),
        ],
    )
    async def test_bad_values_are_refused_and_nothing_is_saved(self, client, wrong, details):
        answer = await upsert(client, expect=422, **{"external_id": "c", **wrong})
        assert answer["error_details"] == details
        assert (await kit.get(client, "/customers"))["meta"]["total_count"] == 0

    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            ({"country": "fr"}, "FR"),
            ({"country": " "}, None),
            ({"city": " "}, None),
            ({"city": "a\0b"}, "ab"),
            ({"legal_name": "x" * 300}, "x" * 300),
            ({"email": "a\u2010b@c.co,d@e.co "}, "a-b@c.co,d@e.co"),
            ({"email": "a\u200b@c.co"}, "a@c.co"),
            ({"finalize_zero_amount_invoice": None}, "inherit"),
            ({"customer_type": None}, None),
            ({"net_payment_term": 0}, 0),
            ({"net_payment_term": "30"}, 30),
            ({"currency": "KWD"}, "KWD"),
        ],
    )
    async def test_values_are_kept_like_this(self, client, sent, kept):
        """§1.1."""
        (name,) = sent
        assert (await upsert(client, external_id="c", **sent))["customer"][name] == kept

    async def test_an_unknown_tax_saves_nothing(self, client):
        assert (await upsert(client, expect=404, external_id="c", tax_codes=["none"]))[
            "code"
        ] == "tax_not_found"
        assert (await kit.get(client, "/customers/c", expect=404))["code"] == "customer_not_found"

    async def test_own_taxes_go_before_the_entitys(self, make_organization):
        """pricing §2: the first level that has any."""
        client = (await make_organization("2025-01-01T00:00:00Z")).client
        await kit.tax(client, "20")
        await kit.tax(client, "7", code="reduced", applied_to_organization=False)
        customer = await kit.customer(client, tax_codes=["reduced"])
        plan = await kit.plan(client, amount_cents=1000, pay_in_advance=True)
        await kit.subscribe(client, customer, plan)
        (invoice,) = await kit.invoices(client, customer)
        assert (invoice["taxes_amount_cents"], invoice["taxes_rate"]) == (70, 7)

    async def test_metadata_is_the_full_set_and_kept_by_id(self, client):
        made = (await upsert(client, external_id="c", metadata=[{"key": "a", "value": "1"}]))["customer"]
        note = made["metadata"][0]
        answer = await upsert(client, expect=422, external_id="c", metadata=[{"key": "a", "value": "2"}])
        assert answer["error_details"] == {"key": ["value_already_exist"]}
        kept = {"id": note["lago_id"], "key": "a", "value": "2"}
        changed = (await upsert(client, external_id="c", metadata=[kept, {"key": "b", "value": "3"}]))[
            "customer"
        ]
        assert [(n["key"], n["value"]) for n in changed["metadata"]] == [("a", "2"), ("b", "3")]
        swapped = [
            {"id": one["lago_id"], "key": other["key"], "value": one["value"]}
            for one, other in zip(changed["metadata"], changed["metadata"][::-1], strict=True)
        ]
        changed = (await upsert(client, external_id="c", metadata=swapped))["customer"]
        assert [(n["lago_id"], n["key"], n["value"]) for n in changed["metadata"]] == [
            (swapped[0]["id"], "b", "2"),
            (swapped[1]["id"], "a", "3"),
        ]
        assert (await upsert(client, external_id="c", metadata=[]))["customer"]["metadata"] == []

    async def test_an_external_id_may_hold_dots_and_more(self, client):
        await upsert(client, external_id="a.b@c:d e")
        found = await kit.get(client, "/customers/a.b@c:d%20e")
        assert found["customer"]["external_id"] == "a.b@c:d e"

    async def test_filters_narrow_the_list(self, client):
        await upsert(
            client, external_id="one", name="Ada", country="FR", metadata=[{"key": "tier", "value": "gold"}]
        )
        await upsert(client, external_id="two", name="Bob", currency="EUR", tax_identification_number="x")

        async def ids(**query):
            return [row["external_id"] for row in (await kit.get(client, "/customers", **query))["customers"]]

        assert await ids(search_term="ADA") == ["one"]
        assert await ids(**{"countries[]": "FR"}) == ["one"]
        assert await ids(**{"currencies[]": ["EUR", "USD"]}) == ["two"]
        assert await ids(has_tax_identification_number="true") == ["two"]
        assert await ids(**{"metadata[tier]": "gold"}) == ["one"]
        assert await ids(**{"metadata[tier]": ""}) == ["two"]
        assert await ids(search_term="%") == []
        assert await ids(external_id="two", search_term="ADA") == ["two"]
        assert await ids(**{"billing_entity_codes[]": "acme"}) == ["two", "one"]
        assert await ids(has_customer_type="false") == ["two", "one"]
        assert await ids(customer_type="company") == []
        assert await ids(**{"account_type[]": "partner"}) == []

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"account_type[]": ["customer", "vendor"]}, {"account_type": "1"}),
            ({"countries[]": "XX"}, {"countries": "0"}),
            ({"currencies[]": ["EUR", "USD", "XXX"]}, {"currencies": "2"}),
        ],
    )
    async def test_bad_filters_are_told_by_their_index(self, client, query, field):
        """platform §1.4: texts for people, in lists by index."""
        ((name, index),) = field.items()
        details = (await kit.get(client, "/customers", expect=422, **query))["error_details"]
        assert list(details) == [name]
        assert list(details[name]) == [index]
        assert details[name][index][0].startswith("must be one of: ")

    async def test_a_type_is_not_sought_among_those_without(self, client):
        query = {"customer_type": "company", "has_customer_type": "false"}
        assert list((await kit.get(client, "/customers", expect=422, **query))["error_details"]) == [
            "customer_type"
        ]
        answer = await kit.get(client, "/customers", expect=404, **{"billing_entity_codes[]": "none"})
        assert answer["code"] == "billing_entity_not_found"

    async def test_deletion_ends_what_hangs_on_the_customer(self, make_organization):
        """subscriptions §1.10."""
        client = (await make_organization("2025-01-10T00:00:00Z")).client
        customer = await kit.customer(client)
        plan = await kit.plan(client, amount_cents=3100)
        active = await kit.subscribe(client, customer, plan)
        await kit.subscribe(client, customer, plan, subscription_at="2025-06-01T00:00:00Z")
        await kit.call(client, "DELETE", f"/customers/{customer['external_id']}")
        await kit.get(client, f"/customers/{customer['external_id']}", expect=404)
        listed = await kit.get(
            client, "/subscriptions", **{"status[]": ["terminated", "canceled", "active", "pending"]}
        )
        assert sorted(row["status"] for row in listed["subscriptions"]) == ["canceled", "terminated"]
        assert active["external_id"]
        last = (await kit.get(client, "/invoices"))["invoices"][0]
        assert last["total_amount_cents"] == 100  # one day of 31

    async def test_deletion_finalizes_drafts_after_five_minutes(self, make_organization):
        """subscriptions §1.10: whatever the grace period, the ending invoice too."""
        client = (await make_organization("2025-01-10T00:00:00Z")).client
        customer = await kit.customer(client, billing_configuration={"invoice_grace_period": 30})
        await kit.subscribe(
            client, customer, await kit.plan(client, amount_cents=2200, pay_in_advance=True), external_id="a"
        )
        await kit.subscribe(client, customer, await kit.plan(client, amount_cents=3100), external_id="b")
        await kit.call(client, "DELETE", "/subscriptions/a", on_termination_credit_note="skip")
        await kit.call(client, "DELETE", f"/customers/{customer['external_id']}")
        await kit.advance(client, "2025-01-10T00:04:00Z")
        assert {invoice["status"] for invoice in await kit.invoices(client, customer)} == {"draft"}
        await kit.advance(client, "2025-01-10T00:06:00Z")
        invoices = await kit.invoices(client, customer)
        assert {invoice["status"] for invoice in invoices} == {"finalized"}
        assert len(invoices) >= 2

    async def test_a_move_to_another_entity_takes_its_key(self, client):
        """§1.3 step 4."""
        await kit.post(client, "/billing_entities", {"billing_entity": {"code": "b", "name": "B"}})
        await upsert(client, external_id="c", billing_entity_code="b")
        kept = (await upsert(client, external_id="c", name="New"))["customer"]
        assert kept["billing_entity_code"] == "b"
        moved = (await upsert(client, external_id="c", billing_entity_code="acme"))["customer"]
        assert moved["billing_entity_code"] == "acme"
        answer = await upsert(client, expect=404, external_id="c", billing_entity_code="none")
        assert answer["code"] == "billing_entity_not_found"

    async def test_a_zone_is_the_customers_else_its_entitys(self, client):
        body = {"code": "b", "name": "B", "timezone": "Europe/Rome"}
        await kit.post(client, "/billing_entities", {"billing_entity": body})
        inherited = (await upsert(client, external_id="c", billing_entity_code="b"))["customer"]
        assert (inherited["timezone"], inherited["applicable_timezone"]) == (None, "Europe/Rome")
        own = (await upsert(client, external_id="c", timezone="Asia/Tokyo"))["customer"]
        assert own["applicable_timezone"] == "Asia/Tokyo"

    async def test_a_shipping_address_changes_by_its_keys(self, client):
        await upsert(client, external_id="c", shipping_address={"city": "Rome", "country": "it"})
        changed = (await upsert(client, external_id="c", shipping_address={"city": " "}))["customer"]
        assert changed["shipping_address"] == {
            "address_line1": None,
            "address_line2": None,
            "city": None,
            "zipcode": None,
            "state": None,
            "country": "IT",
        }


class TestPaymentProvider:
    """subscriptions §1.5, where no connection to a provider exists."""

    async def configured(self, client, **configuration):
        answer = await upsert(client, external_id="c", billing_configuration=configuration)
        shown = answer["customer"]["billing_configuration"]
        return shown["payment_provider"], shown["payment_provider_code"]

    async def test_one_is_kept_without_a_link(self, client):
        assert await self.configured(client, payment_provider="stripe", payment_provider_code="eu") == (
            "stripe",
            "eu",
        )
        assert await self.configured(client, document_locale="fr") == ("stripe", "eu")
        assert await self.configured(client, payment_provider="adyen") == ("adyen", None)
        assert await self.configured(client, payment_provider=None) == (None, None)

    async def test_a_link_without_a_provider_is_none(self, client):
        assert await self.configured(client, sync_with_provider=True) == (None, None)

    async def test_a_failing_link_saves_nothing(self, client):
        await upsert(client, external_id="c", name="Before")
        wrong = {"payment_provider": "stripe", "sync_with_provider": True}
        await upsert(client, expect=422, external_id="c", name="After", billing_configuration=wrong)
        assert (await kit.get(client, "/customers/c"))["customer"]["name"] == "Before"

    async def test_without_a_provider_there_is_nothing_to_pay_by(self, client):
        await upsert(client, external_id="c")
        answer = await kit.post(client, "/customers/c/checkout_url", {}, expect=422)
        assert answer["error_details"] == {"base": ["no_linked_payment_provider"]}
        listed = await kit.get(client, "/customers/c/payment_methods")
        assert (listed["payment_methods"], listed["meta"]["total_count"]) == ([], 0)
        path = "/customers/c/payment_methods/0190a1c2-0000-7000-8000-000000000000"
        for method, where in (("PUT", f"{path}/set_as_default"), ("DELETE", path)):
            assert (await kit.call(client, method, where, expect=404))["code"] == "payment_method_not_found"
        for path in ("checkout_url", "payment_methods", "portal_url"):
            method = "POST" if path == "checkout_url" else "GET"
            answer = await kit.call(client, method, f"/customers/none/{path}", expect=404)
            assert answer["code"] == "customer_not_found"


class TestPartners:
    """subscriptions §1.3 step 5, §1.9."""

    async def test_an_account_type_changes_while_nothing_hangs_on_it(self, client):
        assert (await upsert(client, external_id="c"))["customer"]["account_type"] == "customer"
        made = (await upsert(client, external_id="c", account_type="partner"))["customer"]
        assert made["account_type"] == "partner"
        plan = await kit.plan(client)
        await kit.subscribe(client, made, plan, subscription_at="2999-01-01")
        kept = (await upsert(client, external_id="c", account_type="customer", name="New"))["customer"]
        assert (kept["account_type"], kept["name"]) == ("partner", "New")

    @pytest.mark.parametrize(
        ("terms", "kept"),
        [
            ({"coupon_type": "fixed_amount", "amount_cents": 100, "amount_currency": "EUR"}, "customer"),
            ({"coupon_type": "percentage", "percentage_rate": "10"}, "partner"),
        ],
    )
    async def test_a_coupon_in_a_currency_hangs_on_it(self, client, terms, kept):
        await upsert(client, external_id="c")
        offer = {"name": "k", "code": "k", "frequency": "once", "expiration": "no_expiration", **terms}
        await kit.post(client, "/coupons", {"coupon": offer})
        given = {"external_customer_id": "c", "coupon_code": "k"}
        await kit.post(client, "/applied_coupons", {"applied_coupon": given})
        found = (await upsert(client, external_id="c", account_type="partner"))["customer"]
        assert found["account_type"] == kept

    async def test_integrations_of_a_partner_are_ignored(self, client):
        made = await upsert(
            client,
            external_id="c",
            account_type="partner",
            integration_customers=[{"integration_type": "xero"}],
        )
        assert made["customer"]["integration_customers"] == []

    async def test_their_invoices_are_self_billed_and_numbered_by_customer(self, make_organization):
        client = (await make_organization("2025-01-01T00:00:00Z")).client
        settings = {"document_numbering": "per_organization", "document_number_prefix": "ORG"}
        await kit.call(client, "PUT", "/organizations", {"organization": settings})
        plan = await kit.plan(client, amount_cents=1000, pay_in_advance=True)
        numbers = {}
        for external_id, kind in (("one", "customer"), ("two", "partner"), ("three", "customer")):
            customer = await kit.customer(client, external_id=external_id, account_type=kind)
            await kit.subscribe(client, customer, plan)
            (invoice,) = await kit.invoices(client, customer)
            assert invoice["self_billed"] is (kind == "partner")
            assert invoice["fees"][0]["self_billed"] is (kind == "partner")
            numbers[external_id] = invoice["number"]
        assert numbers == {"one": "ORG-202501-001", "two": "ORG-002-001", "three": "ORG-202501-002"}
        listed = (await kit.get(client, "/invoices", self_billed="true"))["invoices"]
        assert [invoice["number"] for invoice in listed] == ["ORG-002-001"]


class TestZeroAmountInvoices:
    """subscriptions §1.9: the test is on fees."""

    @pytest.mark.parametrize(
        ("of_customer", "of_entity", "is_issued"),
        [
            ("inherit", True, True),
            ("inherit", False, False),
            ("finalize", False, True),
            ("skip", True, False),
            (None, False, False),
        ],
    )
    async def test_they_are_issued_by_setting(self, make_organization, of_customer, of_entity, is_issued):
        client = (await make_organization("2025-01-01T00:00:00Z")).client
        settings = {"finalize_zero_amount_invoice": of_entity}
        await kit.call(client, "PUT", "/billing_entities/acme", {"billing_entity": settings})
        customer = await kit.customer(client, finalize_zero_amount_invoice=of_customer)
        await kit.subscribe(client, customer, await kit.plan(client, amount_cents=0, pay_in_advance=True))
        assert len(await kit.invoices(client, customer)) == is_issued
        dearer = await kit.plan(client, amount_cents=1000, pay_in_advance=True)
        await kit.subscribe(client, customer, dearer)
        numbers = sorted(invoice["number"][-3:] for invoice in await kit.invoices(client, customer))
        assert numbers == (["001", "002"] if is_issued else ["001"])


class TestSubscriptions:
    async def test_the_same_call_again_changes_nothing(self, client):
        customer, plan = (
            await kit.customer(client),
            await kit.plan(client, pay_in_advance=True, amount_cents=100),
        )
        first = await kit.subscribe(client, customer, plan, external_id="s")
        again = await kit.subscribe(client, customer, plan, external_id="s", name="Other")
        assert again == first

    async def test_an_id_of_another_customer_is_taken(self, client):
        plan = await kit.plan(client)
        await kit.subscribe(client, await kit.customer(client), plan, external_id="s")
        other = await kit.customer(client)
        body = {"external_customer_id": other["external_id"], "plan_code": plan["code"], "external_id": "s"}
        answer = await kit.post(client, "/subscriptions", {"subscription": body}, expect=422)
        assert answer["error_details"] == {"external_id": ["value_already_exist"]}

    async def test_an_unknown_customer_is_made_on_the_fly(self, client):
        plan = await kit.plan(client, amount_currency="USD")
        await kit.subscribe(client, {"external_id": "new"}, plan)
        assert (await kit.get(client, "/customers/new"))["customer"]["currency"] == "USD"

    @pytest.mark.parametrize(
        ("wrong", "status", "answer"),
        [
            ({"plan_code": "none"}, 404, "plan_not_found"),
            ({"billing_entity_code": "none"}, 404, "billing_entity_not_found"),
            ({"billing_time": "lunar"}, 422, {"billing_time": ["value_is_invalid"]}),
            ({"subscription_at": "soon"}, 422, {"subscription_at": ["invalid_date"]}),
            ({"ending_at": "2020-01-01"}, 422, {"ending_at": ["invalid_date"]}),
            ({"external_id": ""}, 422, {"external_id": ["value_is_mandatory"]}),
            ({"external_customer_id": ""}, 422, {"external_customer_id": ["value_is_mandatory"]}),
            ({"plan_overrides": {"amount_cents": -1}}, 422, {"amount_cents": ["value_is_out_of_range"]}),
            (
                {"payment_method": {"payment_method_type": "x"}},
                422,
                {"payment_method": ["invalid_payment_method"]},
            ),
        ],
    )
    async def test_bad_values_are_refused_and_nothing_is_made(self, client, wrong, status, answer):
        plan = await kit.plan(client)
        body = {"external_customer_id": "fresh", "plan_code": plan["code"], "external_id": "s", **wrong}
        refused = await kit.post(client, "/subscriptions", {"subscription": body}, expect=status)
        assert refused["code" if status == 404 else "error_details"] == answer
        await kit.get(client, "/customers/fresh", expect=404)

    async def test_a_pending_one_is_canceled_and_bills_nothing(self, make_organization):
        client = (await make_organization("2025-01-10T00:00:00Z")).client
        customer, plan = (
            await kit.customer(client),
            await kit.plan(client, amount_cents=100, pay_in_advance=True),
        )
        made = await kit.subscribe(client, customer, plan, subscription_at="2025-02-01")
        ended = await kit.call(client, "DELETE", f"/subscriptions/{made['external_id']}", status="pending")
        assert ended["subscription"]["status"] == "canceled"
        await kit.advance(client, "2025-04-01")
        assert await kit.invoices(client, customer) == []

    async def test_lists_show_active_ones_unless_asked_otherwise(self, client):
        customer, plan = await kit.customer(client), await kit.plan(client)
        await kit.subscribe(client, customer, plan, external_id="now")
        await kit.subscribe(client, customer, plan, external_id="later", subscription_at="2999-01-01")
        rows = (await kit.get(client, "/subscriptions"))["subscriptions"]
        assert [row["external_id"] for row in rows] == ["now"]
        path = f"/customers/{customer['external_id']}/subscriptions"
        rows = (await kit.get(client, path, **{"status[]": "pending"}))["subscriptions"]
        assert [row["external_id"] for row in rows] == ["later"]
        answer = await kit.get(client, "/subscriptions", expect=422, **{"status[]": "sleeping"})
        assert answer["error_details"] == {"status": ["value_is_invalid"]}


class TestUsage:
    async def test_errors_are_the_contracts(self, client):
        customer = await kit.customer(client)
        answer = await kit.get(client, "/customers/nobody/current_usage", expect=404)
        assert answer["code"] == "resource_not_found"
        path = f"/customers/{customer['external_id']}/current_usage"
        assert (await kit.get(client, path, expect=405))["code"] == "no_active_subscription"
        metric = await kit.metric(client)
        subscription = await kit.subscribe(client, customer, await kit.plan(client, kit.charge(metric)))
        query = {"external_subscription_id": subscription["external_id"]}
        answer = await kit.get(client, path, expect=405, full_usage="true", **query)
        assert answer["code"] == "full_usage_not_allowed"
        answer = await kit.get(client, path, expect=404, charge_code="none", **query)
        assert answer["code"] == "charge_not_found"

    async def test_taxes_are_summed_unrounded_and_rounded_once(self, client):
        """Three charges of 1.05 at 10 %: 0.315 → 0.32, not 3 × 0.11 (invoicing §17.2)."""
        await kit.tax(client, "10")
        metric = await kit.metric(client, "count_agg")
        plan = await kit.plan(client, *[kit.charge(metric, amount="1.05")] * 3)
        customer = await kit.customer(client)
        subscription = await kit.subscribe(client, customer, plan)
        await kit.send(client, subscription, metric, 0)
        usage = await kit.usage(client, customer, subscription)
        assert (usage["amount_cents"], usage["taxes_amount_cents"], usage["total_amount_cents"]) == (
            315,
            32,
            347,
        )
        plain = await kit.usage(client, customer, subscription, apply_taxes="false")
        assert plain["taxes_amount_cents"] == 0

    async def test_an_explanation_leads_to_the_amount(self, client):
        metric = await kit.metric(client, rounding_function="ceil", rounding_precision=0)
        plan = await kit.plan(client, kit.charge(metric, amount="0.125"))
        customer = await kit.customer(client)
        subscription = await kit.subscribe(client, customer, plan)
        await kit.send(client, subscription, metric, "2.5", 1)
        path = f"/customers/{customer['external_id']}/current_usage/explanation"
        answer = await kit.get(client, path, external_subscription_id=subscription["external_id"])
        (explained,) = answer["explanations"]
        steps = {step["step"]: step for step in explained["steps"]}
        assert list(steps) == ["period", "aggregation", "rounding_of_units", "pricing", "rounding"]
        assert (steps["aggregation"]["value"], steps["rounding_of_units"]["value"]) == ("3.5", "4")
        assert (steps["pricing"]["amount"], steps["rounding"]["amount_cents"]) == ("0.5", 50)
        assert explained["amount_cents"] == 50
        assert (explained["values"], explained["grouped_by"]) == (None, {})

    async def test_each_explanation_says_which_filter_and_group_it_is_of(self, client):
        """Of two events, one is a large model's in the eu: 2, the other anything else in the us: 1."""
        metric = await kit.metric(client, "count_agg", filters=[{"key": "model", "values": ["large"]}])
        charge = kit.charge(metric, pricing_group_keys=["region"])
        large = {
            "invoice_display_name": "Large models",
            "values": {"model": ["large"]},
            "properties": {"amount": "2", "pricing_group_keys": ["region"]},
        }
        plan = await kit.plan(client, charge | {"filters": [large]})
        customer = await kit.customer(client)
        subscription = await kit.subscribe(client, customer, plan)
        await kit.send(client, subscription, metric, 0, properties={"model": "large", "region": "eu"})
        await kit.send(client, subscription, metric, 0, properties={"model": "small", "region": "us"})
        path = f"/customers/{customer['external_id']}/current_usage/explanation"
        answer = await kit.get(client, path, external_subscription_id=subscription["external_id"])
        of_part = [
            (one["invoice_display_name"], one["values"], one["grouped_by"], one["amount_cents"])
            for one in answer["explanations"]
            if one["amount_cents"]
        ]
        assert sorted(of_part, key=lambda part: -part[3]) == [
            ("Large models", {"model": ["large"]}, {"region": "eu"}, 200),
            (None, None, {"region": "us"}, 100),
        ]
