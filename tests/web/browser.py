"""The browser that looks at the web app, and what it must not see there."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import ConsoleMessage, Page, Request, Response, Route, ViewportSize, expect

ROOT = Path(__file__).parents[2]
DIST = ROOT / "src" / "tallymark" / "web" / "dist"
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"

# Where pictures of pages are kept, to be looked at.
SHOTS = ROOT / "build" / "screenshots"

WIDE: ViewportSize = {"width": 1440, "height": 900}
NARROW: ViewportSize = {"width": 360, "height": 740}
LOOKS = (("light", "light", WIDE), ("dark", "dark", WIDE), ("phone", "light", NARROW))

OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Questions for data.
DATA = re.compile(r"/(api|app|portal)/v1/")
REFUSAL = {"status": 400, "error": "Bad Request"}

WCAG = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]


def find_chromium() -> str | None:
    """Chromium's command; where it is missing and may be installed, Debian's package is, once for all workers."""
    if found := _installed():
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    with _alone("tallymark-chromium"):
        if found := _installed():
            return found
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
            # Its noise is of no use: whether Chromium is there afterwards tells.
            subprocess.run(["apt-get", *command], env=env, capture_output=True, timeout=120, check=False)
        return _installed()


def _installed() -> str | None:
    return shutil.which("/usr/bin/chromium") or shutil.which("chromium")


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """One process of this machine at a time."""
    with (Path(tempfile.gettempdir()) / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass
class Watch:
    """What goes wrong on a page while it is looked at, and what it asks of the server beside its files."""

    page: Page
    faults: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._note_word)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", self._note_request)
        self.page.on("response", self._note_answer)
        self.page.on("requestfailed", self._note_failure)

    def begin(self) -> None:
        """Forget what was before."""
        self.faults.clear()
        self.asked.clear()

    def _note_word(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def _note_request(self, request: Request) -> None:
        path = urlsplit(request.url).path
        if DATA.match(path):
            self.asked.append(f"{request.method} {path}")

    def _note_answer(self, response: Response) -> None:
        if response.status >= 400:
            self.faults.append(f"{response.status}: {response.request.method} {response.url}")

    def _note_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # given up by the page itself
            self.faults.append(f"{request.failure}: {request.method} {request.url}")


async def come_to_rest(page: Page) -> None:
    """Wait until everything has been answered and drawn."""
    await page.wait_for_load_state("networkidle")
    await expect(page.locator("[aria-busy=true], .sk")).to_have_count(0)
    await page.evaluate("Promise.all(document.getAnimations().map(one => one.finished.catch(() => null)))")


async def breaches_of_wcag(page: Page) -> list[str]:
    """What axe finds on a page as it stands: the rule, and where it is broken."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = await page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']}).then(found => found.violations)",
        WCAG,
    )
    return [
        f"{rule['id']}: {node['target'][0]} {node['html'][:160]} {' '.join((node['failureSummary'] or '').split())[:200]}"
        for rule in found
        for node in rule["nodes"]
    ]


async def show(page: Page, theme: str, size: ViewportSize) -> None:
    """A page in a theme and in a window of a size."""
    await page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    if page.viewport_size != size:
        await page.set_viewport_size(size)
    await come_to_rest(page)


async def photographed(page: Page, name: str) -> AsyncIterator[str]:
    """Show a page in light, in dark and on a phone, and keep pictures of it; yields the look that is shown."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    for look, theme, size in LOOKS:
        await show(page, theme, size)
        await page.screenshot(path=SHOTS / f"{name}-{look}.png")
        yield look


async def photograph(page: Page, name: str) -> None:
    """Keep pictures of a page in light, in dark and on a phone, and leave it as it was."""
    async for _ in photographed(page, name):
        pass
    await show(page, "light", WIDE)


def refusing(paths: str = "") -> Callable[[Route], Awaitable[None]]:
    """Have the answers to questions at paths that match be refusals, whether they come alone or among others."""

    def is_refused(path: str) -> bool:
        return re.search(paths, urlsplit(path).path) is not None

    async def answer(route: Route) -> None:
        url = urlsplit(route.request.url)
        if not url.path.endswith("/batch"):
            await (route.fulfill(status=400, json=REFUSAL) if is_refused(url.path) else route.continue_())
            return
        if route.request.method == "POST":
            asked = [one["path"] for one in json.loads(route.request.post_data or "")["requests"]]
        else:
            asked = parse_qs(url.query)["paths[]"]
        if all(is_refused(path) for path in asked):
            await route.fulfill(json={"responses": [{"status": 400, "body": REFUSAL} for _ in asked]})
            return
        response = await route.fetch()
        body = await response.json()
        for path, part in zip(asked, body["responses"], strict=True):
            if is_refused(path):
                part.update(status=400, body=REFUSAL)
        await route.fulfill(response=response, json=body)

    return answer
