"""Errors of the web app: told once to whom the installation names, and nothing of what was on the page."""

from __future__ import annotations

import json

import pytest
from tests.monitoring.test_sentry import Project
from tests.web.browser import come_to_rest

from tallymark.rooms.users.schemas import ErrorReportingOutput

SECRET = "ada@acme.test"


@pytest.fixture
def project(site):
    made = Project()
    site.application.asgi.state.error_reporting = ErrorReportingOutput(
        dsn=made.dsn, environment="test", release="tallymark@test"
    )
    yield made
    site.application.asgi.state.error_reporting = None
    made.close()


async def test_an_error_is_told_once_and_nothing_is_loaded_before(project, page):
    loaded = []
    page.on("request", lambda request: loaded.append(request.url))
    await page.goto("/sign-in")
    await come_to_rest(page)
    before = {url for url in loaded if url.endswith(".js")}
    async with page.expect_response(lambda answer: "/envelope/" in answer.url):
        await page.evaluate(f"setTimeout(() => {{ throw new TypeError({SECRET!r}) }})")
    await come_to_rest(page)
    (event,) = project.items("event")
    assert (event["release"], event["environment"], event["tags"]) == (
        "tallymark@test",
        "test",
        {"process": "web"},
    )
    (value,) = event["exception"]["values"]
    assert value["type"] == "TypeError"
    assert SECRET not in json.dumps(event)
    assert "request" not in event
    assert {url for url in loaded if url.endswith(".js")} > before, (
        "Sentry's script came with the first error"
    )
