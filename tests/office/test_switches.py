"""Staff hold things back for one organization, which the product obeys."""

from __future__ import annotations

from tests.office.conftest import act, deeds

EVENT = {
    "event": {
        "transaction_id": "t1",
        "external_subscription_id": "s",
        "code": "calls",
        "timestamp": 1_700_000_000,
    }
}


async def test_events_are_turned_away_while_it_is_on(ann, application, database, make_organization):
    held, other = await make_organization(name="Held"), await make_organization(name="Free")
    gatekeeper = application.asgi.state.gatekeeper
    key = f"{held.id}:turn_events_away"
    page = await ann.get("/switches/list", params={"q": str(held.id)})
    assert "of 3 entries" in page.text
    turned = await act(ann, "switches", "turn_on", key, reason="A loop at the customer's")
    assert turned.status_code == 200
    assert (await act(ann, "switches", "turn_on", key)).status_code == 400, "it is so already"
    gatekeeper.forget()  # as half a minute does
    refused = await held.client.post("/events", json=EVENT)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert (await held.client.post("/events/batch", json={"events": [EVENT["event"]]})).status_code == 429
    assert (await held.client.get("/customers")).status_code == 200, "everything else goes on"
    assert (await other.client.post("/events", json=EVENT)).status_code == 200
    assert (await act(ann, "switches", "turn_off", key, reason="Mended")).status_code == 200
    gatekeeper.forget()
    assert (await held.client.post("/events", json=EVENT)).status_code == 200, "nothing of it is lost"
    noted = await deeds(database, subject_id=key)
    assert [
        (deed.verb, deed.subject, deed.about_organization_id, deed.reason, deed.after) for deed in noted
    ] == [
        ("turned_on", "turn_events_away", held.id, "A loop at the customer's", {"is_on": True}),
        ("turned_off", "turn_events_away", held.id, "Mended", {"is_on": False}),
    ]


async def test_there_are_no_others(ann, organization):
    for pk in (f"{organization.id}:pay_nothing", "turn_events_away", "x:y"):
        assert (await act(ann, "switches", "turn_on", pk)).status_code == 400
