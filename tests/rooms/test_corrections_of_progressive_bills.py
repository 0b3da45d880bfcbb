"""What had been billed progressively is given back of the invoices that billed it (invoicing §5.1, beyond.md §3)."""

from tests import kit
from tests.rooms.test_corrections_of_what_is_billed import (
    NEXT,
    adjusted,
    begin,
    correct,
    notes,
    one_offs,
    send,
    simple,
)


async def given(client):
    """What notes gave back before taxes, and with them, by invoice."""
    found: dict[str, tuple[int, int]] = {}
    for note in await notes(client):
        net, total = found.get(note["lago_invoice_id"], (0, 0))
        found[note["lago_invoice_id"]] = (
            net + note["sub_total_excluding_taxes_amount_cents"],
            total + note["total_amount_cents"],
        )
    return found


async def of_types(client, who):
    return {
        one["invoice_type"]: one
        for one in await kit.invoices(client, who)
        if one["invoice_type"] != "one_off"
    }


async def test_each_invoice_gives_back_what_it_billed(make_organization, database):
    """10 calls at 2.00 pass 15.00: 20.00 are billed at once; with 5 more January is 30.00 less these 20.00.

    1 for 10 is 18.00 less, of which the last invoice billed a third: 6.00 of it, and 12.00 of the first. Without any call, the
    other 12.00 are 4.00 and 8.00: nothing is left. Both back, at 1 and 5, 12.00 are billed.
    """
    organization, client = await begin(make_organization)
    await kit.tax(client, "20", code="vat", applied_to_organization=True)
    who, _ = await simple(client, usage_thresholds=[{"amount_cents": 1500}])
    await kit.advance(client, "2026-01-15T00:00")
    await send(client, "two", 5)
    await kit.advance(client, "2026-02-02T00:00")
    invoices = await of_types(client, who)
    first, last = invoices["progressive_billing"], invoices["subscription"]
    assert (first["fees_amount_cents"], last["fees_amount_cents"]) == (2000, 3000)
    assert last["progressive_billing_credit_amount_cents"] == 2000

    await correct(client, "one", properties={"value": 1})
    assert await given(client) == {last["lago_id"]: (600, 720), first["lago_id"]: (1200, 1440)}
    await kit.assert_audit_clean(database, organization.id)
    await correct(client, "one", "void")
    await correct(client, "two", "void")
    assert await given(client) == {last["lago_id"]: (1000, 1200), first["lago_id"]: (2000, 2400)}
    await kit.assert_audit_clean(database, organization.id)
    await correct(client, "one")
    await correct(client, "two")
    assert [one["fees_amount_cents"] for one in await one_offs(client, who)] == [1000, 200]
    await correct(client, "two", properties={"value": 4})
    assert (await given(client))[(await one_offs(client, who))[0]["lago_id"]] == (200, 240)
    await kit.assert_audit_clean(database, organization.id)


async def test_what_was_billed_before_alone_is_given_back_of_that_alone(make_organization, database):
    """10 calls are billed at 15.00 of usage, 10 more at 30.00: nothing is left for the last invoice.

    1 for 10 are 18.00 less: 18.00 of the 20.00 of the second. Nothing for 10 are 20.00 more: 2.00 of it, 18.00 of the first.
    """
    organization, client = await begin(make_organization, NEXT)
    thresholds = [{"amount_cents": 1500}, {"amount_cents": 3000}]
    who, _ = await simple(client, usage_thresholds=thresholds)
    await kit.advance(client, "2026-01-15T00:00")
    await send(client, "two", 10)
    await kit.advance(client, "2026-02-02T00:00")
    first, second = sorted(
        (one for one in await kit.invoices(client, who) if one["invoice_type"] == "progressive_billing"),
        key=lambda one: one["fees_amount_cents"],
    )
    assert (second["fees_amount_cents"], second["total_amount_cents"]) == (4000, 2000)
    await correct(client, "one", properties={"value": 1})
    assert await given(client) == {second["lago_id"]: (1800, 1800)}
    await correct(client, "two", "void")
    assert await given(client) == {second["lago_id"]: (2000, 2000), first["lago_id"]: (1800, 1800)}
    await kit.assert_audit_clean(database, organization.id)
    # 2.00 are left; what is more waits for February's invoice.
    await correct(client, "two", properties={"value": 3})
    await kit.advance(client, "2026-03-02T00:00")
    assert (await kit.invoices(client, who))[-1]["fees_amount_cents"] == 600
    await kit.assert_audit_clean(database, organization.id)


async def test_what_a_note_by_hand_gave_back_is_not_given_twice(make_organization, database):
    """Of 20.00 billed progressively 15.00 were given back by hand: without the calls 5.00 are left, and billed again."""
    organization, client = await begin(make_organization)
    who, _ = await simple(client, usage_thresholds=[{"amount_cents": 1500}])
    await kit.advance(client, "2026-02-02T00:00")
    first = (await of_types(client, who))["progressive_billing"]
    (fee,) = (await kit.get(client, f"/invoices/{first['lago_id']}"))["invoice"]["fees"]
    by_hand = {"invoice_id": first["lago_id"], "reason": "other", "credit_amount_cents": 1500}
    items = [{"fee_id": fee["lago_id"], "amount_cents": 1500}]
    await kit.post(client, "/credit_notes", {"credit_note": {**by_hand, "items": items}})
    await correct(client, "one", "void")
    assert await given(client) == {first["lago_id"]: (2000, 2000)}
    await kit.assert_audit_clean(database, organization.id)
    await correct(client, "one")
    assert await adjusted(client, who) == ([500], [500, 1500])
    await kit.assert_audit_clean(database, organization.id)
