"""Dunning campaigns: customers who owe are asked again, as often as the campaign says (wallets §17)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.kit import call, get, post
from tests.people import join, sign_up
from tests.rooms.test_people_rights import become

from tallymark.db.tables import outbox
from tallymark.rooms.dunning import service
from tallymark.rooms.dunning.model import CampaignInput
from tallymark.rooms.webhooks import bodies
from tallymark.rooms.webhooks.model import Told


@pytest.fixture
async def shop(application, make_organization):
    """An organization on Monday, the fifth of January, and somebody who has signed in."""
    made = await make_organization("2026-01-05T10:45:20Z")
    person = await join(application, made.id, ADMIN_KEY)
    client = made.client
    client.organization_id, client.app = made.id, person.browser
    client.who = await kit.customer(client, external_id="c", currency="EUR", email="ap@acme.test")
    yield client
    await person.browser.aclose()


async def campaign(client, code="d", **more):
    body = {
        "name": code.upper(),
        "code": code,
        "days_between_attempts": 3,
        "max_attempts": 2,
        "thresholds": [{"currency": "EUR", "amount_cents": 10_000}],
        "applied_to_organization": True,
        **more,
    }
    return (await post(client.app, "/dunning_campaigns", {"dunning_campaign": body}))["dunning_campaign"]


async def change(client, code="d", **more):
    body = {"dunning_campaign": more}
    return (await call(client.app, "PUT", f"/dunning_campaigns/{code}", body))["dunning_campaign"]


async def sell(client, cents, who="c", currency="EUR"):
    code = f"a{cents}"
    add_on = {"name": code, "code": code, "amount_cents": cents, "amount_currency": currency}
    await client.post("/add_ons", json={"add_on": add_on})
    body = {"external_customer_id": who, "currency": currency, "fees": [{"add_on_code": code}]}
    return (await post(client, "/invoices", {"invoice": body}))["invoice"]


async def pay(client, invoice, cents):
    body = {"invoice_id": invoice["lago_id"], "amount_cents": cents, "reference": "wire"}
    await post(client, "/payments", {"payment": body})


async def requests(client, **query):
    """What was asked for, oldest first: when, how much, of which invoices."""
    found = (await get(client, "/payment_requests", **query))["payment_requests"]
    return [
        (one["created_at"], one["amount_cents"], [part["number"] for part in one["invoices"]])
        for one in reversed(found)
    ]


async def amounts(client, **query):
    return [cents for _, cents, _ in await requests(client, **query)]


async def dunning(client, who="c", **choice):
    if choice:
        return (await call(client.app, "PUT", f"/customers/{who}/dunning", choice))["dunning"]
    return (await get(client.app, f"/customers/{who}/dunning"))["dunning"]


async def attempts(client, who="c"):
    found = await dunning(client, who)
    return {one["currency"]: one["attempts"] for one in found["attempts"]}, found["last_attempt_at"]


async def finished(client, database):
    """The bodies of what was told of ends, as a receiver gets them."""
    async with database.tenant(client.organization_id, is_simulated=True) as tx:
        rows = await tx.execute(
            select(outbox).where(outbox.c.webhook_type == "dunning_campaign.finished").order_by(outbox.c.id)
        )
        told = [
            Told(
                message_id=row.id,
                webhook_type=row.webhook_type,
                object_type=row.object_type,
                object_id=row.object_id,
                payload=row.payload,
                created_at=row.created_at,
            )
            for row in rows
        ]
        shown, _ = await bodies.show_objects(tx, told, kit.SITE)
    return [dict(shown[one.message_id]) for one in told]


class TestAsking:
    async def test_begins_with_what_is_overdue_and_ends_with_the_last_attempt(self, shop, database):
        """Wallets §22.10: 6000, of which 1000 are paid, and 5000 are due on the fifth, and overdue on the sixth."""
        made = await campaign(shop)
        first, second = await sell(shop, 6_000), await sell(shop, 5_000)
        await pay(shop, first, 1_000)
        await kit.advance(shop, "2026-01-05T23:59")
        assert await requests(shop) == []
        await kit.advance(shop, "2026-01-06T08:00")
        numbers = [first["number"], second["number"]]
        assert await requests(shop) == [("2026-01-06T00:00:00Z", 10_000, numbers)]
        (asked,) = (await get(shop, "/payment_requests"))["payment_requests"]
        assert (asked["payment_status"], asked["email"]) == ("pending", "ap@acme.test")
        found = await dunning(shop)
        assert found["attempts"] == [{"currency": "EUR", "attempts": 1}]
        assert (found["last_attempt_at"], found["next_attempt_at"]) == (
            "2026-01-06T00:00:00Z",
            "2026-01-09T00:00:00Z",
        )
        assert (found["chosen_by"], found["dunning_campaign"]["code"]) == ("billing_entity", "d")
        await kit.advance(shop, "2026-01-09T00:00:00")
        assert len(await requests(shop)) == 1, "three days later to the instant is not after them"
        assert await finished(shop, database) == []
        await kit.advance(shop, "2026-01-09T00:00:01")
        assert await requests(shop) == [
            ("2026-01-06T00:00:00Z", 10_000, numbers),
            ("2026-01-09T00:00:00Z", 10_000, numbers),
        ]
        (told,) = await finished(shop, database)
        assert told == {
            "external_customer_id": "c",
            "customer_external_id": "c",
            "dunning_campaign_code": made["code"],
            "overdue_balance_cents": 10_000,
            "overdue_balance_currency": "EUR",
            "overdue_balances": [{"currency": "EUR", "amount_cents": 10_000}],
        }
        await kit.advance(shop, "2026-03-01")
        assert len(await requests(shop)) == 2, "twice at the most"

    async def test_waits_until_the_threshold_is_reached(self, shop):
        """9999 are overdue on the sixth, 1 more on the seventh."""
        await campaign(shop)
        await sell(shop, 9_999)
        await kit.advance(shop, "2026-01-06T12:00")
        assert await requests(shop) == []
        await sell(shop, 1)
        await kit.advance(shop, "2026-01-07T12:00")
        assert [when for when, _, _ in await requests(shop)] == ["2026-01-07T00:00:00Z"]

    async def test_asks_for_each_currency_and_issuer_apart(self, shop, database):
        """Of EUR 700 by the one and 300 by the other issuer; of USD 50, below the threshold."""
        thresholds = [{"currency": "EUR", "amount_cents": 1_000}, {"currency": "USD", "amount_cents": 51}]
        await campaign(shop, max_attempts=1, thresholds=thresholds)
        await sell(shop, 700)
        await sell(shop, 50, currency="USD")
        await post(shop, "/billing_entities", {"billing_entity": {"name": "Beta", "code": "beta"}})
        await kit.customer(shop, external_id="c", billing_entity_code="beta")
        await sell(shop, 300)
        await kit.advance(shop, "2026-01-06T12:00")
        assert await requests(shop) == [], "beta has no campaign"
        await call(shop.app, "PUT", "/billing_entities/beta/dunning_campaign", {"dunning_campaign_code": "d"})
        assert sorted(await amounts(shop)) == [300, 700]
        assert await amounts(shop, **{"billing_entity_codes[]": "beta"}) == [300]
        (told,) = await finished(shop, database)
        assert (told["overdue_balance_cents"], told["overdue_balance_currency"]) == (1_000, "EUR")
        assert told["overdue_balances"] == [
            {"currency": "EUR", "amount_cents": 1_000},
            {"currency": "USD", "amount_cents": 50},
        ]
        await sell(shop, 1, currency="USD")
        await kit.advance(shop, "2026-01-12")
        assert sorted(await amounts(shop, currency="USD")) == [1, 50], "51 of two issuers"
        assert await attempts(shop) == ({"EUR": 1, "USD": 1}, "2026-01-09T12:00:00Z")

    async def test_leaves_partners_and_the_deleted_alone(self, shop):
        await campaign(shop, thresholds=[{"currency": "EUR", "amount_cents": 0}])
        await kit.customer(shop, external_id="p", currency="EUR", account_type="partner")
        await sell(shop, 500, who="p")
        await sell(shop, 500)
        await call(shop, "DELETE", "/customers/c")
        await kit.advance(shop, "2026-02-01")
        assert await requests(shop) == []
        assert (await dunning(shop, "p"))["dunning_campaign"] is None

    async def test_of_many_takes_the_statements_of_few(self, make_organization, database, count_statements):
        counts = []
        for customers in (2, 5):
            made = await make_organization("2026-01-05T12:00:00Z")
            asked = CampaignInput(
                values={"name": "D", "code": "d"}, thresholds={"EUR": 1}, applied_to_organization=True
            )
            async with database.tenant(made.id, is_simulated=True) as tx:
                await service.create_campaign(tx, asked, now=datetime(2026, 1, 5, 12, tzinfo=UTC))
            for number in range(customers):
                await kit.customer(made.client, external_id=f"c{number}", currency="EUR")
                await sell(made.client, 500, who=f"c{number}")
            with count_statements() as statements:
                await kit.advance(made.client, "2026-01-06T12:00")
            assert await amounts(made.client) == [500] * customers
            counts.append(len(statements))
        assert counts[0] == counts[1]


class TestPayments:
    async def test_begin_anew_in_their_currency(self, shop):
        """6000 and 5000 are asked for on the sixth; once the 5000 are paid the rest is below the threshold."""
        await campaign(shop)
        await sell(shop, 6_000)
        second = await sell(shop, 5_000)
        await kit.advance(shop, "2026-01-06T12:00")
        assert await attempts(shop) == ({"EUR": 1}, "2026-01-06T00:00:00Z")
        await pay(shop, second, 5_000)
        assert await attempts(shop) == ({"EUR": 0}, None)
        await sell(shop, 4_000)
        await kit.advance(shop, "2026-01-07T12:00")
        assert await amounts(shop) == [11_000, 10_000], "no days are waited for"

    async def test_of_the_whole_request_do_too(self, shop):
        await campaign(shop)
        await sell(shop, 10_000)
        await kit.advance(shop, "2026-01-06T12:00")
        (asked,) = (await get(shop, "/payment_requests"))["payment_requests"]
        paid = {"payment_request_id": asked["lago_id"], "amount_cents": 10_000, "reference": "wire"}
        await post(shop, "/payments", {"payment": paid})
        assert await attempts(shop) == ({"EUR": 0}, None)

    async def test_of_parts_do_not(self, shop):
        await campaign(shop)
        first = await sell(shop, 20_000)
        await kit.advance(shop, "2026-01-06T12:00")
        await pay(shop, first, 5_000)
        assert await attempts(shop) == ({"EUR": 1}, "2026-01-06T00:00:00Z")

    async def test_of_what_no_campaign_has_asked_for_do_not(self, shop):
        """8000 become overdue after the attempt, and are paid before the next."""
        await campaign(shop)
        await sell(shop, 10_000)
        await kit.advance(shop, "2026-01-06T12:00")
        other = await sell(shop, 8_000)
        await kit.advance(shop, "2026-01-07T12:00")
        await pay(shop, other, 8_000)
        assert await attempts(shop) == ({"EUR": 1}, "2026-01-06T00:00:00Z")


class TestChoices:
    async def test_of_a_customer_go_before_their_issuers_and_begin_anew(self, shop):
        await campaign(shop)
        await campaign(shop, "own", applied_to_organization=False, days_between_attempts=10, max_attempts=1)
        await sell(shop, 10_000)
        await kit.advance(shop, "2026-01-06T12:00")
        assert await amounts(shop) == [10_000]
        found = await dunning(shop, dunning_campaign_code="own")
        assert (found["chosen_by"], found["dunning_campaign"]["code"]) == ("customer", "own")
        assert await amounts(shop) == [10_000, 10_000], "what it had asked for counts for the other alone"
        assert await attempts(shop) == ({"EUR": 1}, "2026-01-06T12:00:00Z")
        excluded = await dunning(shop, exclude_from_dunning_campaign=True)
        assert (excluded["exclude_from_dunning_campaign"], excluded["dunning_campaign"]) == (True, None)
        assert excluded["attempts"] == []
        await kit.advance(shop, "2026-02-01")
        assert len(await requests(shop)) == 2
        again = await dunning(shop, dunning_campaign_code="own")
        assert again["exclude_from_dunning_campaign"] is False, "a campaign ends the exclusion"
        inherits = await dunning(shop, dunning_campaign_code=None)
        assert (inherits["chosen_by"], inherits["dunning_campaign"]["code"]) == ("billing_entity", "d")

    async def test_that_are_the_same_change_nothing(self, shop):
        await campaign(shop)
        await sell(shop, 10_000)
        await kit.advance(shop, "2026-01-06T12:00")
        await dunning(shop, dunning_campaign_code=None)
        path = f"/billing_entities/{shop.who['billing_entity_code']}/dunning_campaign"
        await call(shop.app, "PUT", path, {"dunning_campaign_code": "d"})
        await change(shop, applied_to_organization=True)
        assert await attempts(shop) == ({"EUR": 1}, "2026-01-06T00:00:00Z")

    async def test_of_an_issuer_begin_anew_with_who_has_none_of_their_own(self, shop):
        await campaign(shop)
        await campaign(shop, "own", applied_to_organization=False)
        await kit.customer(shop, external_id="o", currency="EUR")
        await dunning(shop, "o", dunning_campaign_code="own")
        for who in ("c", "o"):
            await sell(shop, 10_000, who=who)
        await kit.advance(shop, "2026-01-06T12:00")
        await change(shop, applied_to_organization=False)
        assert await attempts(shop) == ({}, None)
        assert await attempts(shop, "o") == ({"EUR": 1}, "2026-01-06T00:00:00Z")
        assert (await dunning(shop))["dunning_campaign"] is None

    async def test_are_told_and_logged(self, shop):
        await campaign(shop)
        await dunning(shop, dunning_campaign_code="d")
        (entry,) = (await get(shop, "/activity_logs", **{"activity_types[]": "customer.updated"}))[
            "activity_logs"
        ]
        assert entry["activity_object_changes"] == {"dunning_campaign_code": [None, "d"]}
        logged = await get(shop, "/activity_logs", **{"activity_types[]": "billing_entities.updated"})
        assert [one["activity_object_changes"] for one in logged["activity_logs"]] == [
            {"dunning_campaign_code": [None, "d"]}
        ]

    async def test_that_contradict_or_name_nothing_are_refused(self, shop):
        await campaign(shop)
        both = {"dunning_campaign_code": "d", "exclude_from_dunning_campaign": True}
        refused = await call(shop.app, "PUT", "/customers/c/dunning", both, expect=422)
        assert refused["error_details"] == {"dunning_campaign_code": ["value_must_be_blank"]}
        for path, code in (
            ("/customers/nobody/dunning", "customer_not_found"),
            ("/customers/c/dunning", "dunning_campaign_not_found"),
            ("/billing_entities/none/dunning_campaign", "billing_entity_not_found"),
            (
                f"/billing_entities/{shop.who['billing_entity_code']}/dunning_campaign",
                "dunning_campaign_not_found",
            ),
        ):
            refused = await call(shop.app, "PUT", path, {"dunning_campaign_code": "none"}, expect=404)
            assert refused["code"] == code


class TestChanges:
    async def test_are_logged_with_what_was_before(self, shop):
        made = await campaign(shop)
        await change(shop, max_attempts=5, thresholds=[{"currency": "EUR", "amount_cents": 20_000}])
        await call(shop.app, "DELETE", "/dunning_campaigns/d")
        listed = await get(shop, "/activity_logs", **{"resource_types[]": "DunningCampaign"})
        gone, changed, new = listed["activity_logs"]
        assert [one["activity_type"] for one in (gone, changed, new)] == [
            "dunning_campaign.deleted",
            "dunning_campaign.updated",
            "dunning_campaign.created",
        ]
        assert changed["activity_object_changes"] == {
            "max_attempts": [2, 5],
            "thresholds": [{"EUR": 10_000}, {"EUR": 20_000}],
        }
        assert (new["activity_object"]["lago_id"], gone["activity_source"]) == (made["lago_id"], "front")

    async def test_of_days_and_attempts_reset_nothing(self, shop):
        """Asked on the sixth; with one day between, the second is on the seventh, and the third, which there is now, on the eighth."""
        await campaign(shop)
        await sell(shop, 10_000)
        await kit.advance(shop, "2026-01-06T12:00")
        await change(shop, days_between_attempts=1, max_attempts=3)
        await kit.advance(shop, "2026-02-01")
        days = [when[:10] for when, _, _ in await requests(shop)]
        assert days == ["2026-01-06", "2026-01-07", "2026-01-08"]

    async def test_of_thresholds_begin_anew_with_who_reaches_none(self, shop):
        await campaign(shop)
        await sell(shop, 10_000)
        await kit.advance(shop, "2026-01-06T12:00")
        await change(shop, thresholds=[{"currency": "EUR", "amount_cents": 9_000}])
        assert await attempts(shop) == ({"EUR": 1}, "2026-01-06T00:00:00Z")
        await change(shop, thresholds=[{"currency": "EUR", "amount_cents": 10_001}])
        assert await attempts(shop) == ({}, None)
        await change(shop, thresholds=[{"currency": "EUR", "amount_cents": 10_000}])
        assert await attempts(shop) == ({"EUR": 1}, "2026-01-06T12:00:00Z"), "and asks at once who does again"

    async def test_that_add_a_threshold_begin_anew_with_nobody(self, shop):
        """4000 of 10000 are left of what was asked for: neither the old threshold is reached nor the new one."""
        await campaign(shop)
        first = await sell(shop, 10_000)
        await kit.advance(shop, "2026-01-06T12:00")
        await pay(shop, first, 6_000)
        both = [{"currency": "EUR", "amount_cents": 10_000}, {"currency": "USD", "amount_cents": 1}]
        await change(shop, thresholds=both)
        assert await attempts(shop) == ({"EUR": 1}, "2026-01-06T00:00:00Z")

    async def test_by_which_one_is_deleted_begin_anew_by_what_is_left(self, shop):
        await campaign(shop, "own", applied_to_organization=False)
        await dunning(shop, dunning_campaign_code="own")
        await sell(shop, 10_000)
        await kit.advance(shop, "2026-01-06T12:00")
        await campaign(shop)
        gone = (await call(shop.app, "DELETE", "/dunning_campaigns/own"))["dunning_campaign"]
        assert (gone["code"], gone["customers_count"]) == ("own", 1)
        found = await dunning(shop)
        assert (found["chosen_by"], found["dunning_campaign"]["code"]) == ("billing_entity", "d")
        assert found["last_attempt_at"] == "2026-01-06T12:00:00Z"
        assert len(await requests(shop)) == 2
        await call(shop.app, "DELETE", "/dunning_campaigns/d")
        assert (await dunning(shop))["dunning_campaign"] is None
        await get(shop.app, "/dunning_campaigns/own", expect=404)


class TestCampaigns:
    async def test_are_shown_as_they_are_kept(self, shop):
        made = await campaign(
            shop,
            description="Kindly",
            bcc_emails=["a@acme.test", "b@acme.test", "a@acme.test"],
            thresholds=[{"currency": "USD", "amount_cents": "7"}, {"currency": "eur", "amount_cents": 0}],
        )
        assert made == {
            "lago_id": made["lago_id"],
            "code": "d",
            "name": "D",
            "description": "Kindly",
            "days_between_attempts": 3,
            "max_attempts": 2,
            "bcc_emails": ["a@acme.test", "b@acme.test"],
            "thresholds": [{"currency": "EUR", "amount_cents": 0}, {"currency": "USD", "amount_cents": 7}],
            "applied_to_organization": True,
            "billing_entity_codes": [shop.who["billing_entity_code"]],
            "customers_count": 0,
            "created_at": "2026-01-05T10:45:20Z",
            "updated_at": "2026-01-05T10:45:20Z",
        }
        assert (await get(shop.app, "/dunning_campaigns/d"))["dunning_campaign"] == made
        path = f"/billing_entities/{shop.who['billing_entity_code']}/dunning_campaign"
        assert (await get(shop.app, path))["dunning_campaign"] == made
        bare = {"name": "Bare", "code": "b", "thresholds": [{"currency": "EUR", "amount_cents": 1}]}
        other = (await post(shop.app, "/dunning_campaigns", {"dunning_campaign": bare}))["dunning_campaign"]
        assert (other["days_between_attempts"], other["max_attempts"], other["bcc_emails"]) == (1, 1, [])
        assert (other["applied_to_organization"], other["billing_entity_codes"]) == (False, [])

    async def test_are_found_by_a_part_of_their_name_or_code(self, shop):
        await campaign(shop, "slow", name="Patient 100%")
        await campaign(shop, "fast", name="Hasty")

        async def listed(**query):
            found = await get(shop.app, "/dunning_campaigns", **query)
            return [one["code"] for one in found["dunning_campaigns"]], found["meta"]["total_count"]

        assert await listed() == (["fast", "slow"], 2)
        assert await listed(search_term="PATIENT") == (["slow"], 1)
        assert await listed(search_term="as") == (["fast"], 1)
        assert await listed(search_term="0%") == (["slow"], 1)
        assert await listed(per_page="1") == (["fast"], 2)

    async def test_that_can_not_be_are_refused(self, shop):
        await campaign(shop)
        fine = {"name": "E", "code": "e", "thresholds": [{"currency": "EUR", "amount_cents": 1}]}

        async def refused(**more):
            body = {"dunning_campaign": {**fine, **more}}
            return (await post(shop.app, "/dunning_campaigns", body, expect=422))["error_details"]

        twice = [{"currency": "EUR", "amount_cents": 1}, {"currency": "EUR", "amount_cents": 2}]
        assert await refused(code="d") == {"code": ["value_already_exist"]}
        assert await refused(name=" ") == {"name": ["value_is_mandatory"]}
        assert await refused(thresholds=[]) == {"thresholds": ["can't be blank"]}
        assert await refused(thresholds=twice) == {"thresholds": ["value_already_exist"]}
        assert await refused(thresholds=[{"currency": "XXX", "amount_cents": 1}]) == {
            "currency": ["value_is_invalid"]
        }
        assert await refused(thresholds=[{"currency": "EUR", "amount_cents": -1}]) == {
            "amount_cents": ["value_is_out_of_range"]
        }
        assert await refused(days_between_attempts=0, max_attempts=-1) == {
            "days_between_attempts": ["value_is_out_of_range"],
            "max_attempts": ["value_is_out_of_range"],
        }
        assert await refused(bcc_emails=["a@acme.test", "nobody"]) == {"bcc_emails": ["invalid_email_format"]}
        del fine["thresholds"]
        assert await refused() == {"thresholds": ["can't be blank"]}
        await post(shop.app, "/dunning_campaigns", {}, expect=400)
        taken = {"dunning_campaign": {"code": "d"}}
        await campaign(shop, "e", applied_to_organization=False)
        answer = await call(shop.app, "PUT", "/dunning_campaigns/e", taken, expect=422)
        assert answer["error_details"] == {"code": ["value_already_exist"]}
        await call(shop.app, "PUT", "/dunning_campaigns/none", taken, expect=404)
        await call(shop.app, "DELETE", "/dunning_campaigns/none", expect=404)

    async def test_are_for_whoever_may_and_nobody_elses(self, shop, application, database):
        await campaign(shop)
        other = await sign_up(application)
        other.browser.headers["X-Lago-Organization"] = other.organization_id
        assert (await get(other.browser, "/dunning_campaigns"))["dunning_campaigns"] == []
        await get(other.browser, "/dunning_campaigns/d", expect=404)
        await become(database, other, "manager")
        await get(other.browser, "/dunning_campaigns")
        refused = await post(other.browser, "/dunning_campaigns", {}, expect=403)
        assert refused["required_permissions"] == ["dunning_campaigns:create"]
        refused = await call(other.browser, "DELETE", "/dunning_campaigns/d", expect=403)
        assert refused["required_permissions"] == ["dunning_campaigns:delete"]
