"""The back office in a browser: staff come in by a link, find tenants and people, act with a reason, and read the audit."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select, text
from tests.web.browser import SHOTS
from tests.web.conftest import ADMIN, Site, World

from tallymark.db.ids import new_id
from tallymark.db.tables import webhook_endpoints, webhooks
from tallymark.jobs import dead
from tallymark.jobs.queue import Job, enqueue
from tallymark.monitoring.watching import Watch
from tallymark.office.making import make_office
from tallymark.people import make_staff_link
from tallymark.server import Server, internal_config
from tallymark.settings import Settings

STAFF = "ann@ops.test"


@dataclass
class Office:
    """A staff member's browser in the back office, and what it complained of."""

    page: Page
    complaints: list[str]

    async def shoot(self, name: str) -> None:
        """Keep a picture of the page, to be looked at."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=SHOTS / f"office-{name}.png", full_page=True)

    async def go(self, title: str) -> None:
        """To a page by the navigation."""
        await self.page.locator("aside").get_by_role("link", name=title, exact=True).click()
        await expect(self.page.get_by_role("heading", name=title, exact=True)).to_be_visible()

    async def confirm(self, verb: str, reason: str) -> None:
        """Say why in the dialog that is open, and do it."""
        dialog = self.page.get_by_role("dialog").filter(has=self.page.get_by_label("Reason"))
        await dialog.get_by_label("Reason").fill(reason)
        await dialog.get_by_role("button", name=verb, exact=True).click()


@pytest.fixture
async def office(chromium: Browser, site: Site, database_url: str) -> AsyncIterator[Office]:
    """The internal listener as it is served, and a browser that has come in by a link."""
    settings = Settings(public_url=site.url, internal_port=8788)
    mount = await make_office(settings, site.application.database)
    application = Watch(site.application).internal_app([mount])
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = Server(internal_config(application, settings), lambda: None)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        context = await chromium.new_context(
            base_url=url, viewport={"width": 1280, "height": 800}, locale="en-GB", reduced_motion="reduce"
        )
        context.set_default_timeout(15_000)
        page, complaints = await context.new_page(), []
        page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        token = await make_staff_link(database_url, STAFF)
        made = Office(page, complaints)
        await page.goto("/office/audit/list")
        await expect(page.get_by_text("tallymark staff link")).to_be_visible()
        await made.shoot("sign-in")
        await page.goto(f"/office/enter/{token}")
        await made.shoot("enter")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_text("Done last")).to_be_visible()
        yield made
        await context.close()
        server.should_exit = True
        await serving


async def fail(site: Site, world: World) -> None:
    """A job that died, and a webhook that was given up, of the world's organization."""
    now, organization_id = datetime.now(UTC), UUID(world.tenant.id)
    async with site.application.database.system() as connection:
        job = Job(task="render_document", arguments={"organization_id": world.tenant.id, "invoice_id": "1"})
        await enqueue(connection, job)
        died = "UPDATE procrastinate_jobs SET status = 'failed', attempts = 12 WHERE args->>'invoice_id' = '1' RETURNING id"
        job_id = (await connection.execute(text(died))).scalar_one()
        await dead.note_error(connection, job_id, ValueError("no such font"), now=now)
        await connection.execute(webhooks.delete())
        endpoint_id = (await connection.execute(select(webhook_endpoints.c.id))).scalar_one()
        values = {
            "id": new_id(), "organization_id": organization_id, "endpoint_id": endpoint_id, "message_id": 1, "sequence": 1,
            "webhook_type": "invoice.created", "object_key": "invoice:1", "body": '{"webhook_type": "invoice.created"}',
            "status": "failed", "retries": 3, "next_attempt_at": now, "http_status": 503, "response": "Down for a while",
            "created_at": now, "updated_at": now,
        }  # fmt: skip
        await connection.execute(webhooks.insert().values(**values))


async def test_staff_look_after_an_installation(office: Office, site: Site, world: World) -> None:
    expect.set_options(timeout=15_000)
    await fail(site, world)
    page = office.page
    await office.shoot("overview")
    await office.go("Organizations")
    await page.get_by_label("Search in list").fill("cloud")
    await page.get_by_label("Search in list").press("Enter")
    await expect(page.get_by_role("row").filter(has_text="Elsewhere")).to_have_count(0)
    await office.shoot("organizations")
    await page.get_by_role("row").filter(has_text="Cloudy").click()
    await expect(page.get_by_role("row").filter(has_text="Customers")).to_contain_text("3")
    await office.shoot("organization")
    await office.go("Invoices")
    bill = page.get_by_role("row").filter(has_text=world.invoice["number"])
    await expect(bill).to_contain_text("65.30 EUR")  # 50.00 and 20.30 of usage, less 5.00 from the wallet
    await office.shoot("invoices")

    await office.go("People")
    person = page.get_by_role("row").filter(has_text=ADMIN)
    await person.get_by_role("link", name="Suspend").click()
    await page.get_by_label("Reason").wait_for()
    await office.shoot("suspend")
    await office.confirm("Suspend", "Asked by Cloudy, ticket 17")
    await expect(person.get_by_role("link", name="Reinstate")).to_be_visible()
    await office.shoot("people")
    await person.get_by_role("link", name="Reinstate").click()
    await office.confirm("Reinstate", "Sorted out")
    await expect(person.get_by_role("link", name="Suspend")).to_be_visible()

    await office.go("Dead jobs")
    dead_job = page.get_by_role("row").filter(has_text="render_document")
    await expect(dead_job).to_contain_text("ValueError: no such font")
    await office.shoot("dead-jobs")
    await dead_job.get_by_role("link", name="Try again").click()
    await office.confirm("Try again", "Fonts are there now")
    await expect(page.get_by_text("1 retried.")).to_be_visible()
    await expect(dead_job).to_have_count(0)
    await office.go("Jobs")
    await expect(dead_job).to_contain_text("todo")
    await office.shoot("jobs")

    await office.go("Deliveries")
    await page.get_by_label("Select all").check()
    await page.get_by_role("button", name="With selected").click()
    await page.get_by_role("link", name="Send again").last.click()
    await page.get_by_label("Reason").wait_for()
    await office.shoot("send-again")
    await office.confirm("Send again", "Their receiver is up again")
    await expect(page.get_by_text("1 sent again.")).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text="invoice.created")).to_contain_text("retrying")
    await office.shoot("deliveries")
    await page.get_by_role("row").filter(has_text="invoice.created").click()
    await expect(page.get_by_text("Down for a while")).to_be_visible()
    await office.shoot("delivery")

    await office.go("Members")
    of_cloudy = page.get_by_role("cell", name="Cloudy", exact=True)
    await page.get_by_role("row").filter(has=of_cloudy).get_by_role("link", name="Look in as").click()
    await page.get_by_label("Reason").fill("Ticket 17: where is my invoice?")
    await office.shoot("look-in")
    await page.get_by_role("button", name="Look in").click()
    banner = page.get_by_role("status").filter(has_text="looks in as")
    await expect(banner).to_contain_text(f"{STAFF} looks in as {ADMIN}")
    await expect(banner).to_contain_text("Ticket 17: where is my invoice?")
    await page.goto(f"{site.url}/{world.slug}/customers")
    await expect(page.get_by_role("link", name="Ada")).to_be_visible()
    await expect(banner).to_be_visible()
    await expect(page.locator("[data-create]")).to_have_count(0)  # who looks changes nothing
    await office.shoot("looking-in")
    await banner.get_by_role("button", name="End the visit").click()
    await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    await page.goto("/office/")

    await office.go("Switches")
    switch = page.get_by_role("row").filter(has=of_cloudy).filter(has_text="hold_webhooks")
    await switch.get_by_role("link", name="Turn on").click()
    await office.confirm("Turn on", "Their receiver is being moved")
    await expect(switch.get_by_role("link", name="Turn off")).to_be_visible()
    await office.shoot("switches")
    await office.go("Limits")
    limit = page.get_by_role("row").filter(has=of_cloudy).filter(has_text="api_keys")
    await expect(limit).to_contain_text("any number")
    await limit.get_by_role("link", name="Change").click()
    await page.get_by_label("At the most").fill("1200")
    await office.shoot("change-limit")
    await office.confirm("Change it", "Their contract says so")
    await expect(limit).to_contain_text("1,200")
    await expect(limit).to_contain_text("its own")
    await office.shoot("limits")

    await office.go("Visits")
    await expect(page.get_by_role("row").filter(has_text="Ticket 17")).to_contain_text("ended")
    await office.shoot("visits")
    await office.go("Audit")
    row = page.get_by_role("row").filter(has_text="Asked by Cloudy, ticket 17")
    await expect(row).to_contain_text(STAFF)
    await office.shoot("audit")
    await row.click()
    await expect(page.get_by_text("is_suspended").first).to_be_visible()
    await office.shoot("deed")
    # After the visit, the web app asks once who is there, and is told nobody.
    assert [told for told in office.complaints if "401" not in told] == []
