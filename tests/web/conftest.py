"""A server with the built web app, a browser, and an organization that has something on every page."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright, expect
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.people import make_user
from tests.web.browser import DIST, OPTIONS, find_chromium

from tallymark.app import Running, running
from tallymark.settings import Settings

PASSWORD = "Correct-Horse-1"


@dataclass
class Site:
    """Tallymark at an address of this machine."""

    url: str
    application: Running

    def api(self, key: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(base_url=f"{self.url}/api/v1", headers=headers, timeout=60)

    def browser(self) -> httpx.AsyncClient:
        """What a browser of a person asks, without the browser."""
        return httpx.AsyncClient(base_url=f"{self.url}/app/v1", timeout=60)

    async def operate(self, path: str, body: Any) -> Any:
        """Call an endpoint of the operator's."""
        async with httpx.AsyncClient(headers={"X-Admin-API-Key": ADMIN_KEY}, timeout=60) as client:
            answer = await client.post(f"{self.url}/admin{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def make_organization(self, name: str, frozen_time: str) -> Tenant:
        body = {"name": name, "email": "ops@acme.test", "test_clock": {"frozen_time": frozen_time}}
        made = await self.operate("/organizations", body)
        return Tenant(self, made["organization"]["lago_id"], made["api_key"])


@dataclass
class Tenant:
    """An organization under a test clock."""

    site: Site
    id: str
    api_key: str

    async def add_admin(self, email: str) -> str:
        """Somebody with a password of their own who is an admin here; returns the organization's slug."""
        async with self.site.browser() as browser:
            user = await make_user(self.site.application, email, password=PASSWORD, name="Elsewhere")
            await self.site.operate("/memberships", {"user_id": str(user.id), "organization_id": self.id})
            await kit.post(browser, "/session", {"email": email, "password": PASSWORD})
            found = (await kit.get(browser, "/session"))["user"]["memberships"]
        organizations = [membership["organization"] for membership in found]
        slug: str = next(one["slug"] for one in organizations if one["lago_id"] == self.id)
        return slug

    async def invite(self, email: str, role: str, *, by: str) -> None:
        """Somebody who has this role here, and belongs nowhere else."""
        async with self.site.browser() as browser:
            await kit.post(browser, "/session", {"email": by, "password": PASSWORD})
            browser.headers["X-Lago-Organization"] = self.id
            invite = (await kit.post(browser, "/invites", {"email": email, "roles": [role]}))["invite"]
        async with self.site.browser() as browser:
            token = invite["url"].rpartition("/")[2]
            await kit.post(browser, f"/invitations/{token}", {"password": PASSWORD})


@asynccontextmanager
async def served(database_url: str, folder: Path, **more: Any) -> AsyncIterator[Site]:
    """The application as it is served, on a port of this machine."""
    async with AsyncExitStack() as stack:
        # Named as TCP, so that asyncio sends small answers without delay.
        listener = stack.enter_context(socket.socket(proto=socket.IPPROTO_TCP))
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        options = Settings(admin_api_key=ADMIN_KEY, public_url=url, data_dir=folder, **more)
        parts = await stack.enter_async_context(running(options, database_url))
        # A connection is kept for longer than a client keeps one: none is closed as it is used again.
        config = uvicorn.Config(
            parts.asgi, log_config=None, access_log=False, lifespan="off", timeout_keep_alive=60
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield Site(url, parts)
        finally:
            server.should_exit = True
            await serving


@pytest.fixture(scope="session")
def dist() -> Path:
    """The built web app."""
    assert (DIST / "index.html").exists(), "the web app is not built: run `make web`"
    return DIST


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    command = find_chromium()
    if command is None:
        pytest.skip("there is no Chromium here, and it cannot be installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=command, args=OPTIONS)
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
async def site(
    dist: Path, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    async with served(database_url, tmp_path_factory.mktemp("data")) as made:
        yield made


@pytest.fixture
async def page(chromium: Browser, site: Site) -> AsyncIterator[Page]:
    """A page of a browser that nobody has used, at the site's start once it is gone to."""
    expect.set_options(timeout=15_000)
    context = await chromium.new_context(
        base_url=site.url, viewport={"width": 1440, "height": 900}, locale="en-GB", reduced_motion="reduce"
    )
    context.set_default_timeout(15_000)
    yield await context.new_page()
    await context.close()


async def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Through the door, until the navigation is there."""
    await page.goto("/sign-in")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("navigation", name="Main")).to_be_visible()


@dataclass
class World:
    """Cloudy: two metrics, a plan with a charge on each, three customers; January 2026 is billed."""

    tenant: Tenant
    slug: str
    metric: kit.Json
    plan: kit.Json
    customers: list[kit.Json]
    subscriptions: list[kit.Json]
    invoice: kit.Json
    draft: kit.Json
    payment: kit.Json
    wallet: kit.Json
    coupon: kit.Json
    add_on: kit.Json
    feature: kit.Json


ADMIN = "ada@cloudy.test"


@pytest.fixture(scope="module")
async def world(site: Site) -> World:
    """Something on every page, and an admin to look at it.

    A subscriber pays 50.00 in advance, 2 for each gigabyte and 0.10 for each request: 10 GB and 3 requests are 20.30.
    """
    tenant = await site.make_organization("Cloudy", "2026-01-01T00:00:00Z")
    slug = await tenant.add_admin(ADMIN)
    async with site.api(tenant.api_key) as client:
        storage = await kit.metric(client, code="storage_gb", name="Storage")
        requests = await kit.metric(client, "count_agg", code="requests", name="Requests received")
        charges = [kit.charge(storage, amount="2"), kit.charge(requests, amount="0.1")]
        more = {"code": "team", "name": "Team", "pay_in_advance": True}
        plan = await kit.plan(client, *charges, amount_cents=5000, **more)
        customers = [
            await kit.customer(client, external_id=name.lower(), name=name, currency="EUR", **own)
            for name, own in (
                ("Ada", {"email": "ada@ada.test", "country": "DE"}),
                ("Bob", {"billing_configuration": {"invoice_grace_period": 10}}),
                ("Cyd", {}),
            )
        ]
        subscriptions = [await kit.subscribe(client, who, plan) for who in customers[:2]]
        at = kit.epoch("2026-01-10")
        for subscription in subscriptions:
            await kit.send(client, subscription, storage, "4", "6", timestamp=at)
            await kit.send(client, subscription, requests, "1", "1", "1", timestamp=at)
        lost = {"transaction_id": "lost", "external_subscription_id": "nobody", "code": "nothing"}
        await kit.post(client, "/events", {"event": {**lost, "timestamp": at}})
        wallet = await kit.post(
            client,
            "/wallets",
            {
                "wallet": {
                    "external_customer_id": "ada", "name": "Prepaid", "currency": "EUR", "rate_amount": "1",
                    "paid_credits": "0", "granted_credits": "5",
                }
            },
        )  # fmt: skip
        coupon = await kit.post(
            client,
            "/coupons",
            {
                "coupon": {
                    "name": "Spring", "code": "spring", "coupon_type": "percentage", "percentage_rate": "10",
                    "frequency": "once", "expiration": "no_expiration",
                }
            },
        )  # fmt: skip
        setup = {"name": "Setup", "code": "setup", "amount_cents": 9900, "amount_currency": "EUR"}
        add_on = await kit.post(client, "/add_ons", {"add_on": setup})
        seats = {"code": "seats", "name": "Seats", "privileges": [{"code": "max", "value_type": "integer"}]}
        feature = await kit.post(client, "/features", {"feature": seats})
        endpoint = {"webhook_url": "https://hooks.acme.test/", "signature_algo": "hmac"}
        await kit.post(client, "/webhook_endpoints", {"webhook_endpoint": endpoint})
        await kit.advance(client, "2026-02-02")
        bills = [(await kit.invoices(client, who))[-1] for who in customers[:2]]
        for subscription in subscriptions:
            await kit.send(client, subscription, storage, "7", timestamp=kit.epoch("2026-02-01T12:00"))
        paid = {"invoice_id": bills[0]["lago_id"], "amount_cents": 100, "reference": "wire"}
        payment = await kit.post(client, "/payments", {"payment": paid})
    assert [bill["status"] for bill in bills] == ["finalized", "draft"]
    return World(
        tenant=tenant,
        slug=slug,
        metric=storage,
        plan=plan,
        customers=customers,
        subscriptions=subscriptions,
        invoice=bills[0],
        draft=bills[1],
        payment=payment["payment"],
        wallet=wallet["wallet"],
        coupon=coupon["coupon"],
        add_on=add_on["add_on"],
        feature=feature["feature"],
    )
