"""Subscriptions over the API: fields, upserts, changes, ends, and the prices of one (subscriptions §2)."""

import asyncio
from datetime import UTC, datetime

import pytest
from tests import kit
from tests.kit import call, get, post

from tallymark.rooms.invoice_custom_sections import service as sections

NOW = "2026-03-10T12:00:00Z"
NOBODY = "00000000-0000-7000-8000-000000000001"


@pytest.fixture
async def tenant(make_organization):
    return await make_organization(NOW)


@pytest.fixture
async def printable(tenant, database):
    """Two custom sections, `bank` and `terms`."""
    async with database.tenant(tenant.id) as tx:
        for code in ("bank", "terms"):
            await sections.create_section(
                tx, {"code": code, "name": code}, now=datetime(2026, 3, 1, tzinfo=UTC)
            )


@pytest.fixture
async def seller(tenant):
    client = tenant.client
    await kit.plan(client, code="basic", amount_cents=1000)
    await kit.plan(client, code="dear", amount_cents=2000)
    await kit.customer(client, external_id="c")
    return client


async def subscribe(client, expect=200, **values):
    body = {"external_customer_id": "c", "plan_code": "basic", "external_id": "s", **values}
    answer = await post(client, "/subscriptions", {"subscription": body}, expect=expect)
    return answer["subscription"] if expect == 200 else answer


async def refused(client, **values):
    return (await subscribe(client, 422, **values))["error_details"]


async def change(client, expect=200, of="s", status=None, **values):
    query = {"status": status} if status else {}
    answer = await call(
        client, "PUT", f"/subscriptions/{of}", {"subscription": values}, expect=expect, **query
    )
    return answer["subscription"] if expect == 200 else answer.get("error_details", answer["code"])


async def end(client, expect=200, of="s", **query):
    answer = await call(client, "DELETE", f"/subscriptions/{of}", expect=expect, **query)
    return answer["subscription"] if expect == 200 else answer.get("error_details", answer["code"])


class TestFields:
    """§2.1."""

    async def test_defaults(self, seller):
        made = await subscribe(seller)
        for name in ("lago_id", "lago_customer_id", "plan"):
            assert made.pop(name)
        assert made == {
            "external_id": "s",
            "external_customer_id": "c",
            "billing_entity_code": "acme",
            "billing_time": "calendar",
            "name": None,
            "plan_code": "basic",
            "plan_amount_cents": 1000,
            "plan_amount_currency": "EUR",
            "status": "active",
            "created_at": NOW,
            "canceled_at": None,
            "started_at": "2026-03-10T12:00:00.000Z",
            "activated_at": NOW,
            "ending_at": None,
            "subscription_at": NOW,
            "terminated_at": None,
            "previous_plan_code": None,
            "next_plan_code": None,
            "downgrade_plan_date": None,
            "trial_ended_at": None,
            "current_billing_period_started_at": "2026-03-10T12:00:00Z",
            "current_billing_period_ending_at": "2026-03-31T23:59:59Z",
            "on_termination_credit_note": None,
            "on_termination_invoice": "generate",
            "payment_method": {"payment_method_type": "provider", "payment_method_id": None},
            "consolidate_invoice": True,
            "cancellation_reason": None,
            "activation_rules": [],
            "purchase_order_number": None,
            "progressive_billing_disabled": False,
            "applied_invoice_custom_sections": [],
            "applicable_usage_thresholds": [],
            "entitlements": [],
        }

    @pytest.mark.parametrize(
        ("values", "details"),
        [
            ({"external_id": " "}, {"external_id": ["value_is_mandatory"]}),
            ({"external_id": None}, {"external_id": ["value_is_mandatory"]}),
            ({"external_customer_id": " "}, {"external_customer_id": ["value_is_mandatory"]}),
            ({"billing_time": "lunar"}, {"billing_time": ["value_is_invalid"]}),
            ({"subscription_at": "soon"}, {"subscription_at": ["invalid_date"]}),
            ({"subscription_at": "0001-01-01T00:00:00+14:00"}, {"subscription_at": ["invalid_date"]}),
            ({"ending_at": "later"}, {"ending_at": ["invalid_date"]}),
            ({"ending_at": "2026-03-10T23:00:00Z"}, {"ending_at": ["invalid_date"]}),
            (
                {"subscription_at": "2026-05-01", "ending_at": "2026-05-01T10:00:00Z"},
                {"ending_at": ["invalid_date"]},
            ),
            ({"purchase_order_number": "x" * 256}, {"purchase_order_number": ["value_is_too_long"]}),
            (
                {"payment_method": {"payment_method_type": "provider", "payment_method_id": NOBODY}},
                {"payment_method": ["invalid_payment_method"]},
            ),
            (
                {"payment_method": {"payment_method_type": "cash"}},
                {"payment_method": ["invalid_payment_method"]},
            ),
            ({"on_termination_invoice": "maybe"}, {"on_termination_invoice": ["invalid_value"]}),
            ({"on_termination_credit_note": "maybe"}, {"on_termination_credit_note": ["invalid_value"]}),
            ({"activation_rules": "x"}, {"activation_rules": ["invalid_format"]}),
            ({"activation_rules": [{"type": "magic"}]}, {"activation_rules": ["invalid_type"]}),
            ({"activation_rules": [{"type": "payment"}] * 2}, {"activation_rules": ["duplicated_type"]}),
            (
                {"activation_rules": [{"type": "payment", "timeout_hours": -1}]},
                {"timeout_hours": ["value_must_be_positive_or_zero"]},
            ),
        ],
    )
    async def test_bad_values_are_refused_and_nothing_is_made(self, seller, values, details):
        assert await refused(seller, **values) == details
        assert (await get(seller, "/subscriptions", **{"status[]": "active"}))["subscriptions"] == []

    @pytest.mark.parametrize("values", [{"plan_code": "none"}, {"plan_code": None}, {"plan_code": ""}])
    async def test_an_unknown_plan_is_not_found(self, seller, values):
        assert (await subscribe(seller, 404, **values))["code"] == "plan_not_found"
        answer = await subscribe(seller, 404, billing_entity_code="none")
        assert answer["code"] == "billing_entity_not_found"

    async def test_texts_are_trimmed(self, seller):
        made = await subscribe(
            seller, external_id=" s ", name=" N ", purchase_order_number=" 7 ", external_customer_id=" c ",
        )  # fmt: skip
        assert (made["external_id"], made["name"], made["purchase_order_number"]) == ("s", "N", "7")
        assert made["external_customer_id"] == "c"
        assert (await change(seller, name=" ", purchase_order_number=" "))["name"] is None

    @pytest.mark.parametrize(
        ("zone", "day"), [("America/Los_Angeles", "2026-04-01"), ("Asia/Tokyo", "2026-04-01")]
    )
    async def test_a_downgrade_waits_for_the_local_day_after_the_period(self, seller, zone, day):
        await kit.customer(seller, external_id="c", timezone=zone)
        await subscribe(seller, plan_code="dear")
        shown = await subscribe(seller)
        assert (shown["plan_code"], shown["next_plan_code"], shown["downgrade_plan_date"]) == (
            "dear",
            "basic",
            day,
        )

    async def test_an_upgrade_tells_the_plan_before(self, seller):
        await subscribe(seller)
        shown = await subscribe(seller, plan_code="dear")
        assert (shown["plan_code"], shown["previous_plan_code"]) == ("dear", "basic")
        assert (shown["next_plan_code"], shown["downgrade_plan_date"]) == (None, None)

    async def test_which_answers_hold_what(self, seller):
        extras = ("plan", "entitlements", "applicable_usage_thresholds", "applied_invoice_custom_sections")

        def held(answer):
            return [name for name in extras if name in answer]

        assert held(await subscribe(seller)) == list(extras)
        assert held((await get(seller, "/subscriptions/s"))["subscription"]) == list(extras)
        without = [name for name in extras if name != "entitlements"]
        assert held(await change(seller, name="N")) == without
        assert held((await get(seller, "/subscriptions"))["subscriptions"][0]) == []
        assert held(await end(seller)) == ["plan", "applied_invoice_custom_sections"]


class TestReading:
    """§2.3."""

    async def test_filters(self, seller):
        await subscribe(seller)
        await subscribe(seller, external_id="own", plan_overrides={"amount_cents": 5})
        await subscribe(seller, external_id="later", subscription_at="2026-05-01", external_customer_id="d")
        ended = {"external_id": "ended", "plan_code": "dear"}
        await subscribe(seller, **ended)
        await end(seller, of="ended")

        async def ids(**query):
            return [
                row["external_id"] for row in (await get(seller, "/subscriptions", **query))["subscriptions"]
            ]

        assert await ids() == ["own", "s"]
        every = ["pending", "active", "terminated", "canceled"]
        assert await ids(**{"status[]": every}) == ["later", "ended", "own", "s"]
        assert await ids(status="pending") == ["later"]
        assert await ids(plan_code="basic") == ["own", "s"]
        assert await ids(external_id="s") == ["s"]
        assert await ids(external_customer_id="d", **{"status[]": "pending"}) == ["later"]
        assert await ids(overridden="true") == await ids(overriden="true") == ["own"]
        assert await ids(overridden="false") == ["s"]
        assert await ids(currency="USD") == []
        assert await ids(currency="EUR", **{"billing_entity_codes[]": "acme"}) == ["own", "s"]
        answer = await get(seller, "/subscriptions", expect=404, **{"billing_entity_codes[]": "none"})
        assert answer["code"] == "billing_entity_not_found"

    async def test_one_is_the_active_one_unless_another_is_asked_for(self, seller):
        await subscribe(seller)
        await end(seller)
        await subscribe(seller, plan_code="dear")
        assert (await get(seller, "/subscriptions/s"))["subscription"]["plan_code"] == "dear"
        ended = await get(seller, "/subscriptions/s", status="terminated")
        assert ended["subscription"]["plan_code"] == "basic"
        for query in ({"status": "pending"}, {"status": "incomplete"}, {"status": "odd"}):
            answer = await get(seller, "/subscriptions/s", expect=404, **query)
            assert answer["code"] == "subscription_not_found"

    async def test_nobody_elses_is_found(self, seller, other_client):
        await subscribe(seller)
        for method in ("GET", "PUT", "DELETE"):
            body = {"subscription": {"name": "x"}}
            answer = await call(other_client, method, "/subscriptions/s", body, expect=404)
            assert answer["code"] == "subscription_not_found"

    async def test_card_authorizations_are_not_offered(self, seller):
        body = {
            "subscription": {"external_customer_id": "c", "plan_code": "basic", "external_id": "s"},
            "authorization": {"amount_cents": 1, "amount_currency": "EUR"},
        }
        assert (await post(seller, "/subscriptions", body, expect=403))["code"] == "feature_not_available"


class TestUpserts:
    """§2.4, §2.6."""

    async def test_the_same_plan_again_changes_only_thresholds_and_sections(self, seller, printable):
        made = await subscribe(seller, name="First")
        again = await subscribe(
            seller, name="Second", ending_at="2027-01-01", plan_overrides={"amount_cents": 5},
            usage_thresholds=[{"amount_cents": 700}],
            invoice_custom_section={"invoice_custom_section_codes": ["bank"]},
        )  # fmt: skip
        assert again["lago_id"] == made["lago_id"]
        assert (again["name"], again["ending_at"], again["plan_amount_cents"]) == ("First", None, 1000)
        assert [item["amount_cents"] for item in again["applicable_usage_thresholds"]] == [700]
        (chosen,) = again["applied_invoice_custom_sections"]
        assert chosen["invoice_custom_section"]["code"] == "bank"
        assert chosen["invoice_custom_section_id"] == chosen["invoice_custom_section"]["lago_id"]
        kept = await subscribe(seller, usage_thresholds=[])
        assert [item["amount_cents"] for item in kept["applicable_usage_thresholds"]] == [700]

    async def test_an_external_id_is_of_one_active_subscription(self, seller):
        await subscribe(seller)
        details = await refused(seller, external_customer_id="other")
        assert details == {"external_id": ["value_already_exist"]}
        await end(seller)
        assert (await subscribe(seller, external_customer_id="other"))["external_customer_id"] == "other"

    async def test_an_external_id_is_of_one_customer_also_before_the_start(self, seller):
        """Both would be active on 1 April."""
        await subscribe(seller, subscription_at="2026-04-01")
        details = await refused(seller, external_customer_id="other")
        assert details == {"external_id": ["value_already_exist"]}
        changed = await subscribe(seller, plan_code="dear")
        assert (changed["status"], changed["plan_code"]) == ("pending", "dear")

    async def test_of_two_customers_at_once_one_gets_an_external_id(self, seller):
        bodies = [
            {"external_customer_id": who, "plan_code": "basic", "external_id": "s"}
            for who in ("c", "d", "e", "f")
        ]
        answers = await asyncio.gather(
            *(seller.post("/subscriptions", json={"subscription": body}) for body in bodies)
        )
        assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]

    async def test_a_downgrades_choices_are_those_of_the_plan_that_waits(self, seller, printable):
        def codes(shown):
            return [
                item["invoice_custom_section"]["code"] for item in shown["applied_invoice_custom_sections"]
            ]

        await subscribe(
            seller, plan_code="dear", invoice_custom_section={"invoice_custom_section_codes": ["bank"]}
        )
        shown = await subscribe(seller, invoice_custom_section={"invoice_custom_section_codes": ["terms"]})
        assert (shown["plan_code"], codes(shown)) == ("dear", ["bank"])
        await kit.advance(seller, "2026-04-02")
        assert codes((await get(seller, "/subscriptions/s"))["subscription"]) == ["terms"]

    async def test_thresholds_are_given_in_one_place(self, seller):
        details = await refused(
            seller, usage_thresholds=[{"amount_cents": 1}],
            plan_overrides={"usage_thresholds": [{"amount_cents": 1}]},
        )  # fmt: skip
        assert list(details.values()) == [["incompatible_params"]] * 2

    async def test_metadata_of_its_own_plan(self, seller):
        made = await subscribe(seller, plan_overrides={"metadata": {"deal": "7"}})
        assert made["plan"]["metadata"] == {"deal": "7"}
        assert made["plan"]["parent_id"] is not None
        changed = await change(seller, plan_overrides={"metadata": {"deal": "8"}})
        assert changed["plan"]["metadata"] == {"deal": "8"}
        assert await refused(seller, external_id="x", plan_overrides={"metadata": []}) == {
            "value": ["value_is_invalid"]
        }


class TestChanging:
    """§2.8."""

    async def test_only_what_is_sent_changes(self, seller):
        made = await subscribe(
            seller, name="N", ending_at="2027-01-01", purchase_order_number="7", consolidate_invoice=False,
            payment_method={"payment_method_type": "manual"}, progressive_billing_disabled=True,
            on_termination_invoice="skip",
        )  # fmt: skip
        made.pop("entitlements")
        assert await change(seller, name="M") == {**made, "name": "M"}
        changed = await change(seller, ending_at=None, purchase_order_number=None, consolidate_invoice=True)
        assert changed == {
            **made,
            "name": "M",
            "ending_at": None,
            "purchase_order_number": None,
            "consolidate_invoice": True,
        }

    @pytest.mark.parametrize(
        ("values", "details"),
        [
            ({"ending_at": "2026-03-10"}, {"ending_at": ["invalid_date"]}),
            ({"ending_at": "x"}, {"ending_at": ["invalid_date"]}),
            ({"on_termination_credit_note": "x"}, {"on_termination_credit_note": ["invalid_value"]}),
            ({"on_termination_invoice": "x"}, {"on_termination_invoice": ["invalid_value"]}),
            (
                {"payment_method": {"payment_method_type": "x"}},
                {"payment_method": ["invalid_payment_method"]},
            ),
            ({"activation_rules": [{"type": "payment"}]}, {"activation_rules": ["subscription_not_pending"]}),
            ({"billing_entity_code": "none"}, "billing_entity_not_found"),
        ],
    )
    async def test_bad_values(self, seller, values, details):
        await subscribe(seller)
        status = 404 if isinstance(details, str) else 422
        assert await change(seller, status, **values, name="N") == details
        assert (await get(seller, "/subscriptions/s"))["subscription"]["name"] is None

    async def test_what_happens_to_unused_time_is_of_plans_in_advance(self, seller):
        await kit.plan(seller, code="advance", pay_in_advance=True)
        await subscribe(seller)
        changed = await change(seller, on_termination_credit_note="skip", on_termination_invoice="skip")
        assert (changed["on_termination_credit_note"], changed["on_termination_invoice"]) == (None, "skip")
        await subscribe(seller, external_id="a", plan_code="advance")
        changed = await change(seller, of="a", on_termination_credit_note="refund")
        assert changed["on_termination_credit_note"] == "refund"
        options = {"on_termination_credit_note": "skip", "on_termination_invoice": "skip"}
        made = await subscribe(seller, external_id="b", plan_code="advance", **options)
        assert {name: made[name] for name in options} == options
        made = await subscribe(seller, external_id="d", **options)
        assert made["on_termination_credit_note"] is None

    async def test_an_order_number_stays_after_the_end(self, seller):
        await subscribe(seller, purchase_order_number="7")
        await end(seller)
        assert await change(seller, 405, purchase_order_number="8") == "purchase_order_number_not_editable"
        assert (await change(seller, purchase_order_number="7", name="N"))["name"] == "N"

    async def test_which_one_is_changed(self, seller):
        """§2.3: the only one whatever its status; of several the one asked for, else the active one."""
        await subscribe(seller, plan_code="dear")
        assert (await change(seller, status="pending", name="alone"))["name"] == "alone"
        await subscribe(seller)
        assert (await change(seller, status="pending", name="waits"))["plan_code"] == "basic"
        assert (await change(seller, name="runs"))["plan_code"] == "dear"
        assert (await change(seller, status="odd", name="runs"))["plan_code"] == "dear"
        assert await change(seller, 404, status="incomplete", name="x") == "subscription_not_found"
        body = {"subscription": {"name": "waits too"}, "status": "pending"}
        shown = (await call(seller, "PUT", "/subscriptions/s", body))["subscription"]
        assert (shown["plan_code"], shown["name"]) == ("basic", "waits too")
        assert await change(seller, 404, of="none", name="x") == "subscription_not_found"

    async def test_the_start_of_what_waits_may_move(self, seller):
        await kit.plan(seller, code="advance", pay_in_advance=True, amount_cents=3100)
        for number, (start, status, invoices) in enumerate(
            [("2026-05-02", "pending", 0), ("2026-03-10T15:00:00Z", "active", 1), ("2026-03-01", "active", 0)]
        ):
            of = f"w{number}"
            await subscribe(
                seller, external_id=of, plan_code="advance", subscription_at="2026-04-20",
                external_customer_id=of,
            )  # fmt: skip
            changed = await change(seller, of=of, subscription_at=start)
            assert (changed["status"], changed["subscription_at"][:10]) == (status, start[:10])
            found = await kit.invoices(seller, {"external_id": of})
            assert len(found) == invoices, of
        await subscribe(seller)
        assert (await change(seller, subscription_at="2026-02-01"))["subscription_at"] == NOW


class TestEnding:
    """§2.9."""

    async def test_what_runs_ends_and_what_waits_is_called_off(self, seller):
        await subscribe(seller, plan_code="dear")
        await subscribe(seller)
        waiting = await end(seller, status="pending")
        assert (waiting["status"], waiting["plan_code"], waiting["canceled_at"]) == ("canceled", "basic", NOW)
        assert (await get(seller, "/subscriptions/s"))["subscription"]["next_plan_code"] is None
        ended = await end(seller, status="terminated")
        assert (ended["status"], ended["terminated_at"], ended["plan_code"]) == ("terminated", NOW, "dear")
        assert await end(seller, 404) == "subscription_not_found"

    async def test_a_plan_that_waits_is_called_off_with_it(self, seller):
        await subscribe(seller, plan_code="dear")
        await subscribe(seller)
        await end(seller)
        waiting = await get(seller, "/subscriptions/s", status="canceled")
        assert waiting["subscription"]["plan_code"] == "basic"

    @pytest.mark.parametrize("in_body", [True, False])
    async def test_options_come_with_the_call_and_are_kept(self, seller, in_body):
        await kit.plan(seller, code="advance", pay_in_advance=True)
        await subscribe(seller, plan_code="advance")
        options = {"on_termination_credit_note": "skip", "on_termination_invoice": "skip"}
        if in_body:
            shown = (await call(seller, "DELETE", "/subscriptions/s", options))["subscription"]
        else:
            shown = await end(seller, **options)
        assert (shown["on_termination_credit_note"], shown["on_termination_invoice"]) == ("skip", "skip")

    @pytest.mark.parametrize("name", ["on_termination_credit_note", "on_termination_invoice"])
    async def test_options_that_are_none(self, seller, name):
        await subscribe(seller)
        assert await end(seller, 422, **{name: "maybe"}) == {name: ["invalid_value"]}
        assert (await get(seller, "/subscriptions/s"))["subscription"]["status"] == "active"


class TestProblems:
    """§2.4."""

    async def test_of_dates_and_rules_are_told_together(self, seller):
        wrong = {"ending_at": "2026-03-10", "activation_rules": [{"type": "gift"}]}
        told = {"ending_at": ["invalid_date"], "activation_rules": ["invalid_type"]}
        assert await refused(seller, **wrong) == told
        await subscribe(seller)
        assert await change(seller, 422, **wrong) == told


class TestOfACustomer:
    """§1.2: the filters are those of all subscriptions."""

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({}, ["own", "s"]),
            ({"external_id": "s"}, ["s"]),
            ({"overridden": "true"}, ["own"]),
            ({"currency": "USD"}, []),
            ({"plan_code": "dear"}, []),
            ({"status[]": "pending"}, ["later"]),
        ],
    )
    async def test_are_filtered(self, seller, query, expected):
        await subscribe(seller)
        await subscribe(seller, external_id="own", plan_overrides={"amount_cents": 5})
        await subscribe(seller, external_id="later", subscription_at="2026-05-01")
        found = await get(seller, "/customers/c/subscriptions", **query)
        assert sorted(item["external_id"] for item in found["subscriptions"]) == expected


class TestUnusedTime:
    """§2.1: what happens to it is of plans in advance."""

    @pytest.mark.parametrize(
        ("plan_code", "option", "kept"),
        [
            ("dear", None, None),
            ("dear", "skip", None),
            ("advance", None, "refund"),
            ("advance", "skip", "skip"),
        ],
    )
    async def test_a_change_of_plan_takes_the_option_over(self, seller, plan_code, option, kept):
        for code, amount in (("first", 1000), ("advance", 2000)):
            await kit.plan(seller, code=code, amount_cents=amount, pay_in_advance=True)
        await subscribe(seller, plan_code="first", on_termination_credit_note="refund")
        sent = {"on_termination_credit_note": option} if option else {}
        assert (await subscribe(seller, plan_code=plan_code, **sent))["on_termination_credit_note"] == kept


async def test_no_trial_and_one_of_no_days_are_the_same_to_a_plan_of_its_own(seller):
    """Pricing §12.1, §4.1."""
    await subscribe(seller, plan_overrides={"amount_cents": 5})
    changed = await change(seller, plan_overrides={"trial_period": 0, "amount_cents": 7})
    assert changed["plan"]["amount_cents"] == 7
    assert await change(seller, 422, plan_overrides={"trial_period": 3}) == {
        "trial_period": ["modification_not_allowed"]
    }
