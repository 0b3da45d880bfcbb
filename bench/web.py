"""How soon the web app can be used, with the processor slowed down four times: `python -m bench.web`.

The first page (sign-in) and the home of a demonstration company, each in a browser that has seen nothing before, and in one
that has. *Interactive* is when the page shows its data and the main thread has done its last long task (over 50 ms) before
a second of quiet. The best of several visits counts, for other work on the machine delays some.

`--url`, `--email` and `--password` look at a server that runs already.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from rich.console import Console
from rich.table import Table

from bench.machine import machine
from bench.server import running_server
from tallymark.demo import Size, run_year
from tallymark.settings import Settings
from tallymark.web.serving import DIST

SLOWDOWN = 4
VISITS = 7
QUIET_MS = 1000
COMPANY = Size(customers=20, months=6)

OPTIONS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")

WATCH = """
selector => {
  const seen = { tasks: [], ready: null };
  window.seen = seen;
  new PerformanceObserver(list => {
    for (const task of list.getEntries()) seen.tasks.push(task.startTime + task.duration);
  }).observe({ type: "longtask", buffered: true });
  const afterPaint = done => requestAnimationFrame(() => setTimeout(done, 0));
  new MutationObserver(() => {
    const isThere = document.querySelector(selector) && !document.querySelector("[aria-busy=true], .sk");
    if (!isThere) seen.ready = null;
    else if (seen.ready === null) {
      seen.ready = performance.now();
      afterPaint(() => { if (seen.ready !== null) seen.ready = performance.now(); });
    }
  }).observe(document, { subtree: true, childList: true, attributes: true });
}
"""

FOUND = """
() => ({
  paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null,
  ready: window.seen.ready,
  busy: Math.max(0, ...window.seen.tasks),
  now: performance.now(),
  scripts: performance.getEntriesByType("resource").map(one => new URL(one.name).pathname).filter(path => path.endsWith(".js")),
})
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A page, and what is on it when its data is there."""

    name: str
    path: str
    shows: str
    is_signed_in: bool


STAGES = (
    Stage(name="sign-in", path="/sign-in", shows="input[type=password]", is_signed_in=False),
    Stage(name="home", path="/", shows="main .stat", is_signed_in=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Milliseconds since the navigation began, and bytes of scripts as gzip sends them."""

    paint_ms: int
    interactive_ms: int
    scripts_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A server, and who signs in there."""

    url: str
    email: str
    password: str


def main() -> None:
    """Measure, print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.web", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--url")
    parser.add_argument("--email")
    parser.add_argument("--password")
    parser.add_argument("--visits", type=int, default=VISITS)
    parser.add_argument("--json", type=Path, help="where the figures go")
    asked = parser.parse_args()
    console = Console()
    with door(asked, console) as found, browser() as chromium:
        figures = {stage.name: measure(chromium, found, stage, visits=asked.visits) for stage in STAGES}
    load = os.getloadavg()[0]
    table = Table("page", "browser", "first paint", "interactive", "median", "scripts, gzipped")
    table.title, table.title_justify = (
        f"{SLOWDOWN}× slowed down, best of {asked.visits}, load {load:.1f}",
        "left",
    )
    for page, kinds in figures.items():
        for kind, visits in kinds.items():
            best = min(visits, key=lambda visit: visit.interactive_ms)
            middle = round(median(visit.interactive_ms for visit in visits))
            table.add_row(
                page,
                kind,
                f"{best.paint_ms} ms",
                f"{best.interactive_ms} ms",
                f"{middle} ms",
                f"{best.scripts_bytes:,}",
            )
    console.print(table)
    if asked.json:
        shown = {
            page: {kind: [asdict(one) for one in visits] for kind, visits in kinds.items()}
            for page, kinds in figures.items()
        }
        asked.json.write_text(
            json.dumps({"machine": machine(), "load": load, "figures": shown}, indent=2) + "\n"
        )


@contextmanager
def door(asked: Any, console: Console) -> Iterator[Door]:
    """The server that was named, else one of its own with a company that has lived for half a year."""
    if asked.url:
        yield Door(url=asked.url, email=asked.email, password=asked.password)
        return
    with running_server() as server:
        made = run_year(Settings(database_url=server.database_url), size=COMPANY, console=console)
        yield Door(url=server.url, email=made.email, password=made.password)


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    command = shutil.which("chromium")
    if command is None:
        raise SystemExit("There is no Chromium here.")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=command, args=OPTIONS)
        yield launched
        launched.close()


def measure(chromium: Browser, door: Door, stage: Stage, *, visits: int) -> dict[str, list[Visit]]:
    """The visits of new browsers, and the second ones of each."""
    first, again = [], []
    for _ in range(visits):
        context = chromium.new_context(base_url=door.url, viewport={"width": 1440, "height": 900})
        page = context.new_page()
        if stage.is_signed_in:
            _sign_in(context, door)
        page.add_init_script(f"({WATCH})({json.dumps(stage.shows)})")
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        first.append(_visit(page, stage))
        again.append(_visit(page, stage))
        context.close()
    return {"new": first, "used": again}


def _sign_in(context: BrowserContext, door: Door) -> None:
    answer = context.request.post("/app/v1/session", data={"email": door.email, "password": door.password})
    assert answer.ok, answer.text()


def _visit(page: Page, stage: Stage) -> Visit:
    page.goto(stage.path, wait_until="load")
    page.wait_for_selector(stage.shows)
    while True:
        page.wait_for_timeout(QUIET_MS / 4)
        found = page.evaluate(FOUND)
        if found["ready"] is not None:
            interactive = max(found["paint"], found["ready"], found["busy"])
            if found["now"] - interactive > QUIET_MS:
                break
    scripts = (DIST / f"{path.removeprefix('/')}.gz" for path in set(found["scripts"]))
    return Visit(
        paint_ms=round(found["paint"]),
        interactive_ms=round(interactive),
        scripts_bytes=sum(file.stat().st_size for file in scripts if file.exists()),
    )


if __name__ == "__main__":
    main()
