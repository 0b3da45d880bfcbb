"""A cloud company's year: customers come, use, pay or don't, change and leave, under a test clock and over the API alone."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
from rich.console import Console
from rich.progress import Progress

from tallymark.app import Running, running
from tallymark.db.engine import plain_url
from tallymark.db.migrate import migrate
from tallymark.demo import catalog
from tallymark.demo.business import Business, Tick
from tallymark.demo.cast import buyers
from tallymark.demo.people import People
from tallymark.demo.receiver import receiving
from tallymark.demo.seller import OPERATOR_KEY, Seller, make_organization, progress_on
from tallymark.settings import Settings
from tallymark.which_database import any_database

START = datetime(2025, 12, 1, tzinfo=UTC)
STEP_DAYS = 7
"""How far the clock is moved at a time; the last month is walked day by day, so that its usage has days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much there is to be of it."""

    customers: int = 60
    months: int = 12
    is_daily: bool = True
    """Whether the last month is walked day by day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came of it: the organization, and who signs in."""

    organization_id: str
    api_key: str
    email: str
    password: str


def run_year(settings: Settings, *, size: Size, console: Console) -> Made:
    """Make the company in the installation's database and leave it there to look at. The same each time, but for ids and keys."""
    with any_database(settings) as url:
        migrate(url)
        return asyncio.run(_demonstrate(settings, plain_url(url), size, console))


async def _demonstrate(settings: Settings, url: str, size: Size, console: Console) -> Made:
    # Webhooks go to a receiver of this process, once each.
    own = settings.model_copy(
        update={"admin_api_key": OPERATOR_KEY, "webhooks_allow_private_networks": True, "webhook_attempts": 1}
    )
    async with running(own, url) as parts:
        transport = httpx.ASGITransport(parts.asgi)
        async with httpx.AsyncClient(transport=transport, base_url=settings.base_url, timeout=120) as http:
            # Another address each time: whoever has one already has a password of their own.
            email = catalog.EMAIL.replace("@", f"+{secrets.token_hex(2)}@")
            made = await make_organization(http, catalog.COMPANY, email, START)
            people = People(http, made["organization"]["lago_id"], secrets.token_urlsafe(12))
            await people.join(made["invite_url"])
            business = Business(Seller(http, made["api_key"]), buyers(size.customers, size.months))
            with progress_on(console) as progress:
                await _live(business, people, size, parts, progress)
            found = Made(
                organization_id=made["organization"]["lago_id"],
                api_key=made["api_key"],
                email=email,
                password=people.password,
            )
            await _show(business, settings, found, console)
    return found


async def _live(business: Business, people: People, size: Size, parts: Running, progress: Progress) -> None:
    ticks = list(walk(size))
    task = progress.add_task(f"{catalog.COMPANY}, days", total=(ticks[-1].at - START).days)
    await business.open()
    await people.invite_colleagues()
    for tick in ticks:
        if tick.month < size.months:
            await business.live(tick)
            progress.update(task, completed=(tick.at - START).days)
    async with receiving() as address:
        # Of the last bills and of what follows others are told, too.
        await business.tell(address)
        await people.begin_dunning()
        for tick in ticks:
            if tick.month == size.months:
                await business.live(tick)
                progress.update(task, completed=(tick.at - START).days)
        await business.leave_loose_ends()
        export_id = await business.export_invoices()
        await parts.tasks.export_data(organization_id=business.organization_id, export_id=export_id)
        await parts.courier.deliver(business.organization_id)


def walk(size: Size) -> Iterator[Tick]:
    """The instants of its months, and of the first days of the next one.

    Each month ends with one shortly before its end, and its usage begins a day late: so none comes after its bill, wherever
    a customer is.
    """
    for month in range(size.months + 1):
        first, following = _month(month), _month(month + 1)
        is_last, is_over = month == size.months - 1, month == size.months
        step = 1 if is_over or (is_last and size.is_daily) else STEP_DAYS
        at = first + timedelta(days=step, hours=9)
        last = first + timedelta(days=3, hours=15) if is_over else following - timedelta(hours=4)
        opens = first + timedelta(days=1)
        while at < last:
            yield Tick(at=at, month=month, opens=opens, is_day=step == 1)
            at += timedelta(days=step)
        yield Tick(at=last, month=month, opens=opens, is_day=is_over, is_last=not is_over)


def _month(number: int) -> datetime:
    year, index = divmod(START.year * 12 + START.month - 1 + number, 12)
    return datetime(year, index + 1, 1, tzinfo=UTC)


async def _show(business: Business, settings: Settings, made: Made, console: Console) -> None:
    for line in await business.summary():
        console.print(line)
    console.print(f"Portal of a customer, for twelve hours: {await business.portal_url()}", soft_wrap=True)
    console.print(f"API key: {made.api_key}", soft_wrap=True)
    console.print(f"Sign in at {settings.app_url} as {made.email}, password: {made.password}", soft_wrap=True)
