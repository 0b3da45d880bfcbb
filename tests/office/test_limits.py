"""Staff see how much each organization may have and has, and change it, which the product obeys."""

from __future__ import annotations

import pytest
from tests.office.conftest import act, deeds


def event(number):
    return {"event": {"transaction_id": f"t{number}", "external_subscription_id": "s", "code": "calls"}}


async def change(ann, key, most, **more):
    return await act(ann, "limits", "change", key, most=most, **more)


def shown(page, limit):
    """A limit's line on a page: how much is used, how much there may be, and who says so."""
    (row,) = [row for row in page.text.split("<tr") if f">{limit}<" in "".join(row.split())]
    return " ".join(row.split())


async def test_a_limit_is_changed_and_left_to_the_settings_again(
    ann, application, database, make_organization
):
    small, other = await make_organization(name="Small"), await make_organization(name="Large")
    key = f"{small.id}:events_per_month"
    page = await ann.get("/limits/list", params={"q": str(small.id)})
    assert "of 5 entries" in page.text
    assert "any number" in shown(page, "events_per_month")
    assert (await change(ann, key, "1", reason="They pay for the small plan")).status_code == 200
    application.asgi.state.gatekeeper.forget()  # as half a minute does
    assert (await small.client.post("/events", json=event(1))).status_code == 200
    refused = await small.client.post("/events", json=event(2))
    assert (refused.status_code, refused.json()["code"]) == (429, "events_per_month_exceeded")
    assert (await other.client.post("/events", json=event(1))).status_code == 200
    assert (await change(ann, key, "1")).status_code == 400, "it is so already"
    assert (await change(ann, key, "", reason="They grew")).status_code == 200
    application.asgi.state.gatekeeper.forget()
    assert (await small.client.post("/events", json=event(2))).status_code == 200
    assert [
        (deed.verb, deed.subject, deed.about_organization_id, deed.reason, deed.before, deed.after)
        for deed in await deeds(database, subject_id=key)
    ] == [
        ("limited", "events_per_month", small.id, "They pay for the small plan", {"own": None}, {"own": 1}),
        ("limited", "events_per_month", small.id, "They grew", {"own": 1}, {"own": None}),
    ]


async def test_what_is_used_is_shown(ann, organization):
    key = f"{organization.id}:api_keys"
    assert (await change(ann, key, "12000")).status_code == 200
    line = shown(await ann.get("/limits/list", params={"q": str(organization.id)}), "api_keys")
    detail = " ".join((await ann.get("/limits/detail", params={"pk": key})).text.split())
    assert "12,000" in line
    assert "its own" in line
    assert '<strong>Used</strong> </div> </td> <td data-label="Value"> 1 </td>' in detail


@pytest.mark.parametrize("most", ["-1", "1.5", "ten", "9007199254740992", "٣"])
async def test_what_is_no_number_changes_nothing(ann, database, organization, most):
    key = f"{organization.id}:members"
    assert (await change(ann, key, most)).status_code == 400
    assert (await change(ann, key, "3", reason="")).status_code == 400
    assert await deeds(database, subject_id=key) == []


async def test_there_are_no_others(ann, organization):
    for pk in (f"{organization.id}:cents", "members", "x:y"):
        assert (await change(ann, pk, "1")).status_code == 400
