"""An unknown parent is told before a missing root, and a missing root before anything else that is wrong (platform §1.1)."""

import pytest
from tests import kit
from tests.people import sign_up

BELOW = {
    ("POST", "/plans/{plan}/charges"): "plan_not_found",
    ("PUT", "/plans/{plan}/charges/c"): "plan_not_found",
    ("POST", "/plans/{plan}/fixed_charges"): "plan_not_found",
    ("POST", "/plans/{plan}/charges/none/filters"): "charge_not_found",
    ("PUT", "/subscriptions/{subscription}/charges/c"): "subscription_not_found",
    ("PUT", "/subscriptions/{subscription}/lifetime_usage"): "subscription_not_found",
    ("POST", "/subscriptions/{subscription}/alerts"): "subscription_not_found",
    ("POST", "/customers/{customer}/wallets"): "customer_not_found",
    ("POST", "/customers/{customer}/wallets/none/alerts"): "wallet_not_found",
}
DEEP = [
    ("POST", "/plans/{plan}/charges/none/filters"),
    ("POST", "/customers/{customer}/wallets/none/alerts"),
]


@pytest.fixture
async def known(organization):
    """A plan, a customer and a subscription whose ids have what separates parts of a path."""
    client = organization.client
    plan = await kit.plan(client, code="a/b")
    who = await kit.customer(client, external_id="a.b/c", currency="EUR")
    await kit.subscribe(client, who, plan, external_id="s.1")
    return {"plan": "a%2Fb", "customer": "a.b%2Fc", "subscription": "s.1"}


@pytest.mark.parametrize(("method", "path"), BELOW)
async def test_an_unknown_parent_is_told_first(organization, method, path):
    unknown = {"plan": "none", "customer": "none", "subscription": "none"}
    answer = await organization.client.request(method, path.format(**unknown), json={})
    expected = "plan_not_found" if path.startswith("/plans") else BELOW[method, path]
    expected = "customer_not_found" if path.startswith("/customers") else expected
    assert (answer.status_code, answer.json()["code"]) == (404, expected)


@pytest.mark.parametrize(("method", "path"), DEEP)
async def test_of_two_the_nearer_one_is_told_where_the_other_is_there(organization, known, method, path):
    answer = await organization.client.request(method, path.format(**known), json={})
    assert (answer.status_code, answer.json()["code"]) == (404, BELOW[method, path])


@pytest.mark.parametrize(("method", "path"), [key for key in BELOW if key not in DEEP])
async def test_where_the_parent_is_there_the_root_is_missed(organization, known, method, path):
    answer = await organization.client.request(method, path.format(**known), json={})
    assert answer.status_code == 400
    assert "param is missing" in answer.json()["error"]


async def test_somebody_who_has_signed_in_misses_the_root_too(application):
    """What asks for the parent enters the same organization."""
    person = await sign_up(application)
    person.browser.base_url = "http://test/api/v1"
    person.browser.headers["X-Lago-Organization"] = person.organization_id
    await kit.plan(person.browser, code="p")
    answer = await person.browser.post("/plans/p/charges", json={})
    assert (answer.status_code, "param is missing" in answer.json()["error"]) == (400, True)
    answer = await person.browser.post("/plans/none/charges", json={})
    assert (answer.status_code, answer.json()["code"]) == (404, "plan_not_found")
