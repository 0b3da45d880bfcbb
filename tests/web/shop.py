"""A place to try payments by clicking: an organization with a customer, and what somebody does there without a click."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.async_api import Page
from tests import kit
from tests.web.browser import breaches_of_wcag, come_to_rest, photograph
from tests.web.conftest import PASSWORD, Site, Tenant, sign_in


@dataclass
class Shop:
    """An organization of January 2026 with one customer, Ada, whose admin is signed in."""

    tenant: Tenant
    slug: str
    client: httpx.AsyncClient
    admin: str

    @asynccontextmanager
    async def office(self) -> AsyncIterator[httpx.AsyncClient]:
        """What the admin asks without a click."""
        async with self.tenant.site.browser() as browser:
            await kit.post(browser, "/session", {"email": self.admin, "password": PASSWORD})
            browser.headers["X-Lago-Organization"] = self.tenant.id
            yield browser

    async def invite_onlooker(self, email: str) -> None:
        """Somebody who sees integrations, and changes none."""
        role = {
            "code": "onlooker",
            "name": "Onlooker",
            "permissions": ["organization:integrations:view", "customers:view"],
        }
        async with self.office() as browser:
            await kit.post(browser, "/roles", role)
        await self.tenant.invite(email, "onlooker", by=self.admin)

    async def connect(self, **made: str) -> None:
        """Connect a payment provider, whose pages lead back here."""
        back = {"success_redirect_url": f"{self.tenant.site.url}/icon.svg"}
        async with self.office() as browser:
            await kit.post(browser, "/payment_providers", {"payment_provider": {**back, **made}})

    async def connection(self) -> kit.Json:
        """The one connection that there is, as its admin sees it."""
        async with self.office() as browser:
            (found,) = (await kit.get(browser, "/payment_providers"))["payment_providers"]
        return dict(found)

    async def sell(self, cents: int, currency: str, **more: Any) -> kit.Json:
        """An invoice of Ada's for one thing, as it is once what follows is done."""
        if not (await kit.get(self.client, "/add_ons"))["add_ons"]:
            add_on = {"name": "Setup", "code": "setup", "amount_cents": cents, "amount_currency": currency}
            await kit.post(self.client, "/add_ons", {"add_on": add_on})
        fee = {"add_on_code": "setup", "unit_amount_cents": cents}
        asked = {"external_customer_id": "ada", "currency": currency, "fees": [fee], **more}
        made = await kit.post(self.client, "/invoices", {"invoice": asked})
        return await self.invoice(made["invoice"])

    async def invoice(self, known: Mapping[str, Any]) -> kit.Json:
        """An invoice as it is now."""
        found: kit.Json = (await kit.get(self.client, f"/invoices/{known['lago_id']}"))["invoice"]
        return found

    async def money(self, known: Mapping[str, Any]) -> tuple[str, int, int]:
        """How an invoice stands: its payment status, what came in, and what is due."""
        found = await self.invoice(known)
        return (
            found["payment_status"],
            found["total_paid_amount_cents"],
            found["total_due_amount_cents"],
        )

    async def pay_back(self, known: Mapping[str, Any], cents: int) -> kit.Json:
        """A credit note by which a part of an invoice goes back."""
        fee = known["fees"][0]["lago_id"]
        body = {
            "invoice_id": known["lago_id"], "reason": "order_change", "refund_amount_cents": cents,
            "items": [{"fee_id": fee, "amount_cents": cents}],
        }  # fmt: skip
        found: kit.Json = (await kit.post(self.client, "/credit_notes", {"credit_note": body}))["credit_note"]
        return found


@asynccontextmanager
async def opened(site: Site, page: Page, name: str) -> AsyncIterator[Shop]:
    """A shop of its own for the test of this name."""
    made = await site.make_organization("Paid", "2026-01-01T00:00:00Z")
    admin = f"{name[5:25]}@paid.test"
    slug = await made.add_admin(admin)
    async with site.api(made.api_key) as client:
        who = {"external_id": "ada", "name": "Ada", "email": "ada@ada.test", "country": "DE"}
        await kit.customer(client, currency="EUR", **who)
        await sign_in(page, admin)
        yield Shop(made, slug, client, admin)


async def looked_at(page: Page, name: str) -> None:
    """A page as it stands: everybody can use it, and there are pictures of it."""
    await come_to_rest(page)
    assert await breaches_of_wcag(page) == []
    await photograph(page, name)
