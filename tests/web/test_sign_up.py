"""Strangers come in by themselves, where they may: an address, a link by e-mail, an organization; and then another one."""

from __future__ import annotations

import re
import socket

import pytest
from aiosmtpd.controller import Controller
from playwright.async_api import expect
from sqlalchemy import text
from tests.people import make_user
from tests.rooms.test_emails import Mailbox
from tests.web.browser import Watch, breaches_of_wcag, photograph
from tests.web.conftest import PASSWORD, served, sign_in


@pytest.fixture(scope="module")
def mail_server():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    controller = Controller(Mailbox(), hostname="127.0.0.1", port=port)
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture(scope="module")
async def site(dist, mail_server, database_url, tmp_path_factory):
    """An installation at which anybody may sign up, and everybody may have two keys."""
    mail = {"smtp_host": "127.0.0.1", "smtp_port": mail_server.port, "smtp_security": "none"}
    folder = tmp_path_factory.mktemp("data")
    async with served(database_url, folder, sign_up="open", limit_api_keys=2, **mail) as made:
        yield made


async def letter_to(site, mail_server, email):
    """What somebody is sent who wants to sign up: the worker's job is done here."""
    async with site.application.database.system() as connection:
        taken = await connection.execute(
            text("DELETE FROM procrastinate_jobs WHERE task_name = 'send_sign_up' RETURNING args")
        )
        (asked,) = taken.scalars()
    await site.application.tasks.send_sign_up(**asked)
    (letter,) = mail_server.handler.take()
    assert letter.recipients == [email]
    return letter.get_body(("plain",)).get_content()


async def test_a_stranger_signs_up_and_has_two_organizations(site, page, mail_server):
    watch = Watch(page)
    await page.goto("/sign-in")
    await page.get_by_role("link", name="Make an organization").click()
    await photograph(page, "sign-up")
    assert await breaches_of_wcag(page) == []
    await page.get_by_label("E-mail").fill("new@hooli.test")
    await page.get_by_role("button", name="Send the link").click()
    await expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    words = await letter_to(site, mail_server, "new@hooli.test")
    (path,) = re.findall(rf"{re.escape(site.url)}(/sign-up/[0-9a-f]{{40}})", words)

    await page.goto(path)
    await expect(page.get_by_text("new@hooli.test")).to_be_visible()
    await photograph(page, "sign-up-confirmed")
    assert await breaches_of_wcag(page) == []
    begin = page.get_by_role("button", name="Begin")
    await page.get_by_label("Organization").fill("Hooli")
    await expect(begin).to_be_disabled()
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await begin.click()
    navigation = page.get_by_role("navigation", name="Main")
    await expect(navigation.get_by_role("button", name="Hooli", exact=True)).to_be_visible()

    # One more organization, by keyboard alone.
    await page.wait_for_load_state("load")
    await navigation.get_by_title("Switch organization").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menu")).to_be_visible()
    await page.keyboard.press("End")
    await expect(page.get_by_role("menuitem").last).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="New organization")).to_be_visible()
    await photograph(page, "new-organization")
    await page.get_by_label("Organization").fill("Aviato")
    await page.keyboard.press("Enter")
    await expect(navigation.get_by_role("button", name="Aviato", exact=True)).to_be_visible()
    await page.goto("/hooli/settings/limits")
    await expect(page.get_by_text("1 of 2")).to_be_visible()
    await photograph(page, "limits")
    assert await breaches_of_wcag(page) == []
    await expect(navigation.get_by_role("button", name="Hooli", exact=True)).to_be_visible()
    # Where one was last is where the start leads.
    await page.goto("/")
    await expect(navigation.get_by_role("button", name="Hooli", exact=True)).to_be_visible()
    assert [fault for fault in watch.faults if "401" not in fault] == []

    await page.goto(path)
    await expect(page.get_by_role("heading", name="This link is over")).to_be_visible()


async def test_one_of_many_organizations_is_found_by_typing(site, page):
    await make_user(site.application, "many@hooli.test", password=PASSWORD, name="Tenant 0")
    async with site.browser() as browser:
        await browser.post("/session", json={"email": "many@hooli.test", "password": PASSWORD})
        for number in range(1, 8):
            async with site.application.database.system() as connection:
                await connection.execute(text("DELETE FROM guesses"))
            answer = await browser.post("/organizations", json={"name": f"Tenant {number}"})
            assert answer.status_code == 200, answer.text
    await sign_in(page, "many@hooli.test")
    navigation = page.get_by_role("navigation", name="Main")
    await navigation.get_by_title("Switch organization").click()
    await expect(page.get_by_role("option")).to_have_count(8)
    await page.get_by_placeholder("Type to find").fill("nant 5")
    await expect(page.get_by_role("option")).to_have_count(1)
    assert await breaches_of_wcag(page) == []
    await page.keyboard.press("Enter")
    await expect(navigation.get_by_role("button", name="Tenant 5", exact=True)).to_be_visible()
