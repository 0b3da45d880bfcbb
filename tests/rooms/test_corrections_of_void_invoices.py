"""A void invoice carries nothing, and one that took its place is what is adjusted (invoicing §10.4, beyond.md §3)."""

import pytest
from tests import kit
from tests.rooms.test_corrections_in_advance import in_advance
from tests.rooms.test_corrections_of_commitments import committed, given_back, in_all, lines
from tests.rooms.test_corrections_of_what_is_billed import (
    NEXT,
    adjusted,
    begin,
    billed,
    correct,
    notes,
    one_offs,
    send,
    simple,
)


async def void(client, invoice):
    await kit.post(client, f"/invoices/{invoice['lago_id']}/void", {})


async def regenerate(client, invoice, **told):
    """The invoice that takes the place of a void one, with all of its fees."""
    path = f"/invoices/{invoice['lago_id']}"
    kept = [{"id": fee["lago_id"], **told} for fee in (await kit.get(client, path))["invoice"]["fees"]]
    return (await kit.post(client, f"{path}/regenerate", {"invoice": {"fees": kept}}))["invoice"]


async def lifetime_cents(client):
    found = await kit.get(client, "/subscriptions/sub/lifetime_usage")
    return found["lifetime_usage"]["invoiced_usage_amount_cents"]


async def test_one_made_anew_is_adjusted_by_what_was_corrected_meanwhile(make_organization, database):
    """10 calls were 20.00, void. 12 are 4.00 more, which nobody pays before the 20.00 are billed again; 13 are 2.00 more.

    Taken back, all 6.00 are given back.
    """
    organization, client = await begin(make_organization)
    who, _ = await simple(client)
    await kit.advance(client, "2026-02-02T00:00")
    (january,) = await kit.invoices(client, who)
    await void(client, january)
    await correct(client, "one", properties={"value": 12})
    assert await adjusted(client, who) == ([], [])
    assert await lifetime_cents(client) == 0
    await kit.assert_audit_clean(database, organization.id)
    anew = await regenerate(client, january)
    assert anew["fees_amount_cents"] == 2000
    assert await adjusted(client, who) == ([400], [])
    await correct(client, "one", properties={"value": 13})
    assert await adjusted(client, who) == ([200, 400], [])
    assert await lifetime_cents(client) == 2600
    await correct(client, "one", properties={"value": 10})
    assert sorted((await adjusted(client, who))[1]) == [200, 400]
    await kit.assert_audit_clean(database, organization.id)


async def test_a_decrease_is_given_back_of_the_one_made_anew(make_organization, database):
    """8 for 10, before it is made and 7 after that: 4.00 and 2.00, twice void and made anew."""
    organization, client = await begin(make_organization)
    who, _ = await simple(client)
    await kit.advance(client, "2026-02-02T00:00")
    (first,) = await kit.invoices(client, who)
    await void(client, first)
    second = await regenerate(client, first)
    await void(client, second)
    await correct(client, "one", properties={"value": 8})
    assert await adjusted(client, who) == ([], [])
    third = await regenerate(client, second)
    await correct(client, "one", properties={"value": 7})
    assert [(one["lago_invoice_id"], one["credit_amount_cents"]) for one in await notes(client)] == [
        (third["lago_id"], 200),
        (third["lago_id"], 400),
    ]
    await kit.assert_audit_clean(database, organization.id)


async def test_what_waits_for_the_next_invoice_waits_until_it_is_made_anew(make_organization, database):
    """4.00 more of January wait when it is voided: February's invoice has none of it, March's has."""
    organization, client = await begin(make_organization, NEXT)
    who, _ = await simple(client)
    await kit.advance(client, "2026-02-02T00:00")
    (january,) = await kit.invoices(client, who)
    await correct(client, "one", properties={"value": 12})
    await void(client, january)
    await kit.advance(client, "2026-03-02T00:00")
    await regenerate(client, january)
    await kit.advance(client, "2026-04-02T00:00")
    found = {one["issuing_date"]: one["fees_amount_cents"] for one in await kit.invoices(client, who)}
    assert (found["2026-03-01"], found["2026-04-01"]) == (0, 400)
    await kit.assert_audit_clean(database, organization.id)


async def test_fees_told_by_hand_stay_what_they_were_told(make_organization, database):
    """3 calls for 10: nothing is documented of what was corrected before, and what is corrected after is refused."""
    organization, client = await begin(make_organization)
    who, _ = await simple(client)
    await kit.advance(client, "2026-02-02T00:00")
    (january,) = await kit.invoices(client, who)
    await void(client, january)
    await correct(client, "one", properties={"value": 12})
    assert (await regenerate(client, january, units=3))["fees_amount_cents"] == 600
    assert await adjusted(client, who) == ([], [])
    assert (await correct(client, "one", "void", expect=405))["code"] == "billed_otherwise"
    await kit.assert_audit_clean(database, organization.id)


async def test_its_commitment_follows(make_organization, database):
    """20.00 of 50.00, and 30.00 that lack. With 12 for 10 calls 4.00 more, and 4.00 less lack."""
    organization, client = await begin(make_organization)
    who = await committed(client, 5000)
    await send(client, "one", 10)
    await kit.advance(client, "2026-02-02T00:00")
    (january,) = await kit.invoices(client, who)
    await void(client, january)
    await correct(client, "one", properties={"value": 12})
    assert await adjusted(client, who) == ([], [])
    await regenerate(client, january)
    (more,) = await one_offs(client, who)
    assert await lines(client, more) == [("charge", 400)]
    assert await given_back(client) == [("commitment", 400)]
    await kit.assert_audit_clean(database, organization.id)


class TestInAdvance:
    """2.00 for each of five calls, 1.00 beyond: 8 are 13.00, and 5 after them 5.00."""

    @pytest.fixture
    async def world(self, make_organization):
        organization, client = await begin(make_organization)
        who = await in_advance(client)
        await send(client, "one", 8)
        await send(client, "two", 5)
        made = {one["fees_amount_cents"]: one for one in await kit.invoices(client, who)}
        return organization, client, who, made[1300], made[500]

    async def test_nothing_is_billed_of_an_event_whose_invoice_is_void(self, world, database):
        """2 for 8 make the other 8.00, and 6 for 5 then 9.00: 3.00 and 1.00 more, and nothing of the first.

        Made anew that is 13.00 again, and 9.00 are given back, of these increases first: 2 calls are 4.00. Without the other 9.00 more
        are; 8 for 2 then are 9.00 more.
        """
        organization, client, who, first, _ = world
        await void(client, first)
        await correct(client, "one", properties={"value": 2})
        assert await adjusted(client, who) == ([300], [])
        await correct(client, "two", properties={"value": 6})
        assert await adjusted(client, who) == ([100, 300], [])
        await kit.assert_audit_clean(database, organization.id)
        anew = await regenerate(client, first)
        assert anew["fees_amount_cents"] == 1300
        given = {note["lago_invoice_id"]: note["credit_amount_cents"] for note in await notes(client)}
        assert (given[anew["lago_id"]], sorted(given.values())) == (500, [100, 300, 500])
        await kit.assert_audit_clean(database, organization.id)
        await correct(client, "two", "void")
        assert sum((await adjusted(client, who))[1]) == 900 + 900
        await correct(client, "one", properties={"value": 8})
        assert await in_all(client, who) == {"charge": 1300}
        await kit.assert_audit_clean(database, organization.id)

    async def test_one_made_anew_gives_back_an_event_that_counts_no_more(self, world, database):
        """5 for 8 are 10.00, and the other's 5 are 5.00 as before; without them they are 10.00, 5.00 more. 13.00 are given back."""
        organization, client, who, first, _ = world
        await void(client, first)
        await correct(client, "one", properties={"value": 5})
        await correct(client, "one", "void")
        assert await adjusted(client, who) == ([500], [])
        await regenerate(client, first)
        assert sorted((await adjusted(client, who))[1]) == [500, 800]
        assert await in_all(client, who) == {"charge": 1000}
        await correct(client, "one", properties={"value": 8})
        assert await in_all(client, who) == {"charge": 1300 + 500}
        await kit.assert_audit_clean(database, organization.id)

    async def test_one_told_by_hand_stays_what_it_was_told(self, world, database):
        """2 calls are 4.00, and 10.00 were told: nothing is documented of that, and what is corrected after it is refused."""
        organization, client, who, first, _ = world
        await void(client, first)
        await correct(client, "one", properties={"value": 2})
        assert (await regenerate(client, first, units=5))["fees_amount_cents"] == 1000
        assert await adjusted(client, who) == ([300], [])
        assert (await correct(client, "two", "void", expect=405))["code"] == "billed_otherwise"
        await kit.assert_audit_clean(database, organization.id)

    @pytest.mark.parametrize(
        ("is_settled", "lacking"), [(True, {3: 4400, 6: 3800, 5: 4000}), (False, {3: 5000, 6: 5000, 5: 5000})]
    )
    async def test_its_commitment_follows(self, make_organization, database, is_settled, lacking):
        """5 calls are 10.00 of 50.00, and 3 are 6.00: 4.00 more lack, unless nothing was counted of them, for they were void then.

        So it is with 6 calls and with 5 again.
        """
        organization, client = await begin(make_organization)
        who = await committed(client, 5000, charge={"pay_in_advance": True})
        await send(client, "one", 5)
        (first,) = [one for one in await kit.invoices(client, who) if one["fees_amount_cents"] == 1000]
        if is_settled:
            await kit.advance(client, "2026-02-02T00:00")
        await void(client, first)
        await kit.advance(client, "2026-02-03T00:00")
        await correct(client, "one", properties={"value": 3})
        await regenerate(client, first)
        assert await in_all(client, who) == {"charge": 600, "commitment": lacking[3]}
        for calls in (6, 5):
            await correct(client, "one", properties={"value": calls})
            assert await in_all(client, who) == {"charge": calls * 200, "commitment": lacking[calls]}
        await kit.assert_audit_clean(database, organization.id)

    async def test_one_made_anew_is_adjusted(self, world, database):
        """3 for 5 are 2.00 less, given back of the invoice that stands."""
        organization, client, _, _, second = world
        await void(client, second)
        anew = await regenerate(client, second)
        await correct(client, "two", properties={"value": 3})
        (note,) = await notes(client)
        assert (note["lago_invoice_id"], note["credit_amount_cents"]) == (anew["lago_id"], 200)
        await kit.assert_audit_clean(database, organization.id)

    async def test_nothing_is_documented_where_all_is_void(self, world, database):
        organization, client, who, first, second = world
        await void(client, first)
        await void(client, second)
        await correct(client, "one", properties={"value": 2})
        assert await adjusted(client, who) == ([], [])
        # What comes next is priced on top of what the events are now.
        await send(client, "three", 1)
        (fee,) = (await kit.get(client, "/fees", event_transaction_id="three"))["fees"]
        assert fee["amount_cents"] == 100
        await kit.assert_audit_clean(database, organization.id)

    async def test_what_was_renewed_on_one_that_is_void(self, make_organization, database):
        """5 seats: 10.00, and 10.00 for February on an invoice that is void; 4 seats are 2.00 less of January alone."""
        organization, client = await begin(make_organization)
        who = await in_advance(client, recurring=True)
        await send(client, "one", 5)
        await kit.advance(client, "2026-02-10T00:00")
        (renewal,) = [one for one in await kit.invoices(client, who) if one["issuing_date"] == "2026-02-01"]
        await void(client, renewal)
        await correct(client, "one", properties={"value": 4})
        (note,) = await notes(client)
        assert note["credit_amount_cents"] == 200
        assert note["lago_invoice_id"] != renewal["lago_id"]
        assert sum((await billed(client, "sub")).values()) == 800 + 1000
        await kit.assert_audit_clean(database, organization.id)
