"""What a test clock has ahead of it is counted by day and kind, for whoever is about to move it (ui §1.1)."""

from __future__ import annotations

from tests import kit
from tests.conftest import ADMIN_KEY
from tests.kit import get
from tests.people import join, sign_up


async def test_is_counted_by_day_and_kind(application, make_organization):
    """Two subscriptions renew on the first of February, a third, anniversary one on the tenth; the house's own work is not told."""
    made = await make_organization("2026-01-10T12:00:00Z")
    person = await join(application, made.id, ADMIN_KEY)
    plan = await kit.plan(made.client, amount_cents=1000)
    for billing_time in ("calendar", "calendar", "anniversary"):
        who = await kit.customer(made.client)
        await kit.subscribe(made.client, who, plan, billing_time=billing_time)

    async def planned(until):
        answer = await get(person.browser, "/test_clock/planned", until=until)
        return [(one["date"], one["work"], one["count"]) for one in answer["planned"]]

    assert await planned("2026-01-31T23:59:59Z") == []
    assert await planned("2026-02-01T00:30:00Z") == [("2026-02-01", "bill_period", 2)]
    both = [("2026-02-01", "bill_period", 2), ("2026-02-10", "bill_period", 1)]
    assert await planned("2026-03-01") == both

    await kit.advance(made.client, "2026-02-02")
    assert ("2026-02-01", "bill_period", 2) not in await planned("2026-03-01T12:00:00Z")
    assert ("2026-03-01", "bill_period", 2) in await planned("2026-03-01T12:00:00Z")
    refused = await get(person.browser, "/test_clock/planned", until="soon", expect=422)
    assert refused["error_details"] == {"until": ["value_is_invalid"]}


async def test_is_of_organizations_with_a_clock(application):
    person = await sign_up(application)
    person.browser.headers["X-Lago-Organization"] = person.organization_id
    answer = await get(person.browser, "/test_clock/planned", until="2026-03-01", expect=404)
    assert answer["code"] == "test_clock_not_found"
