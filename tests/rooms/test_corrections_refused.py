"""Where nobody can tell what a correction makes of a bill it is refused, by a code for each reason (docs/corrections.md)."""

import importlib
import re
from pathlib import Path

from sqlalchemy import text
from tests import kit
from tests.rooms.test_corrections_in_advance import in_advance
from tests.rooms.test_corrections_of_what_is_billed import adjusted, begin, correct, one_offs, send, simple

from tallymark.rooms.adjustments.model import UNTOLD


async def run(database, statement, **values):
    async with database.system() as connection:
        changed = await connection.execute(text(statement), values)
        assert changed.rowcount == 1, "there is one"


async def refused(client, transaction_id="one"):
    """The code of a refusal, which leaves the event as it was."""
    code = (await correct(client, transaction_id, "void", expect=405))["code"]
    told = await kit.get(client, f"/events/{transaction_id}/versions", external_subscription_id="sub")
    assert not any(version["status"] == "voided" for version in told["versions"])
    return code


async def billed_in_arrears(make_organization):
    organization, client = await begin(make_organization)
    who, _ = await simple(client)
    await kit.advance(client, "2026-02-02T00:00")
    return organization, client, who


async def billed_at_once(make_organization):
    organization, client = await begin(make_organization)
    await in_advance(client)
    await send(client, "one", 5)
    return organization, client


async def test_terms_that_were_not_kept(make_organization, database):
    """A bill from before terms were kept: what the prices were then is not to be known."""
    organization, client, who = await billed_in_arrears(make_organization)
    forget = "UPDATE billing_records SET billed_terms_id = NULL WHERE organization_id = :id AND is_recurring"
    await run(database, forget, id=organization.id)
    assert await refused(client) == "billed_terms_unknown"
    assert await adjusted(client, who) == ([], [])
    organization, client = await billed_at_once(make_organization)
    forget = "UPDATE priced_events SET billed_terms_id = NULL WHERE organization_id = :id"
    await run(database, forget, id=organization.id)
    assert await refused(client) == "billed_terms_unknown"


async def test_an_invoice_that_is_not_final(make_organization, database):
    """It waits for its taxes."""
    organization, client = await billed_at_once(make_organization)
    made = "organization_id = :id AND fees_amount_cents = 1000"
    await run(database, f"UPDATE invoices SET status = 'pending' WHERE {made}", id=organization.id)
    assert await refused(client) == "invoice_not_final"
    await run(database, f"UPDATE invoices SET status = 'finalized' WHERE {made}", id=organization.id)


async def test_an_adjustment_that_is_not_final(make_organization, database):
    _, client, who = await billed_in_arrears(make_organization)
    await correct(client, "one", properties={"value": 12})
    (more,) = await one_offs(client, who)
    await run(database, "UPDATE invoices SET status = 'pending' WHERE id = :id", id=more["lago_id"])
    assert await refused(client) == "adjustment_not_final"
    await run(database, "UPDATE invoices SET status = 'finalized' WHERE id = :id", id=more["lago_id"])


async def test_more_events_than_can_be_priced_while_somebody_waits(make_organization, monkeypatch):
    _, client = await billed_at_once(make_organization)
    replay = importlib.import_module("tallymark.rooms.advance.service.replay")
    monkeypatch.setattr(replay, "MOST", 0)
    assert await refused(client) == "too_many_priced_events"


async def test_what_another_system_has_billed(make_organization, database):
    """It has a price here, for what comes next, and no fee; what comes next can be corrected."""
    organization, client = await billed_at_once(make_organization)
    await send(client, "two", 5)
    (fee,) = (await kit.get(client, "/fees", event_transaction_id="one"))["fees"]
    elsewhere = """
        UPDATE fees SET event_id = gen_random_uuid(), from_at = from_at - interval '1 year' WHERE id = :fee
    """
    await run(database, elsewhere, fee=fee["lago_id"])
    assert await refused(client) == "billed_elsewhere"
    await correct(client, "two", properties={"value": 4})
    (note,) = (await kit.get(client, "/credit_notes"))["credit_notes"]
    assert note["credit_amount_cents"] == 100
    back = """
        UPDATE fees SET from_at = from_at + interval '1 year', event_id = (
            SELECT e.id FROM events e WHERE e.organization_id = :id AND e.transaction_id = 'one'
        ) WHERE id = :fee
    """
    await run(database, back, id=organization.id, fee=fee["lago_id"])


def test_the_description_and_the_documentation_have_all_codes():
    """Each code that a correction is refused by has its row, and is in the description of the API."""
    page = (Path(__file__).parents[2] / "docs" / "corrections.md").read_text()
    rows = set(re.findall(r"^\| `(\w+)` \| .* \|$", page, re.MULTILINE))
    rows -= {"document_now", "next_invoice"}
    assert rows == {*UNTOLD, "period_already_invoiced", "event_archived"}
    paths = kit.description()["paths"]
    for end in ("/events/{transaction_id}/amend", "/events/{transaction_id}/void"):
        (operation,) = [of["post"] for path, of in paths.items() if path.endswith(end)]
        content = operation["responses"]["405"]["content"]["application/json"]
        codes = set(content["schema"]["properties"]["code"]["enum"])
        assert codes - {"event_already_voided"} == rows
    for end in ("close", "revert"):
        (operation,) = [
            of["post"] for path, of in paths.items() if path.endswith(f"event_backfills/{{lago_id}}/{end}")
        ]
        content = operation["responses"]["405"]["content"]["application/json"]
        assert {*UNTOLD} < set(content["schema"]["properties"]["code"]["enum"])
