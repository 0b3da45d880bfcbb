"""Draw what things cost by how much there is: `python -m bench.curves`, in an hour; `--quick` in a minute or two.

Writes `docs/measured/figures.json` with the machine they were measured on, and the plots beside it. Drawing needs the
dependency group `bench`: `make bench-curves` brings it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator
from rich.console import Console

from bench import billing, sustained, usage
from bench.machine import machine
from bench.server import Server, running_server

USAGE_SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
BILLING_SIZES = (1_000, 10_000, 30_000, 100_000)
FOLDER = Path("docs/measured")
NUMBERS = FuncFormatter(lambda value, _: f"{value:,.10g}")
INK, ACCENT, SECOND = "#334155", "#0f766e", "#b45309"


def main() -> None:
    """Measure, one after the other on servers of their own, then draw."""
    parser = argparse.ArgumentParser(prog="python -m bench.curves", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: does it still run?")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where figures and plots go")
    asked = parser.parse_args()
    console = Console()
    figures: dict[str, Any] = {"measured_at": datetime.now(UTC).date().isoformat(), "machine": machine()}
    with console.status("current usage ..."), running_server() as server:
        figures["usage"] = _usage(server, USAGE_SIZES[:2] if asked.quick else USAGE_SIZES)
    with console.status("billing runs ..."), running_server() as server:
        figures["billing"] = _billing(server, (100, 200) if asked.quick else BILLING_SIZES)
    with running_server() as server:
        found = sustained.samples(server, seconds=30 if asked.quick else sustained.SECONDS)
    figures["ingest"] = {**sustained.summary(found), "windows": [asdict(one) for one in found]}
    asked.folder.mkdir(parents=True, exist_ok=True)
    (asked.folder / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    draw(figures, asked.folder)
    console.print(f"Written to {asked.folder}")


def _usage(server: Server, sizes: Sequence[int]) -> list[dict[str, float]]:
    usage.run(server, events=1_000)
    return [{"events": size, **usage.run(server, events=size)} for size in sizes]


def _billing(server: Server, sizes: Sequence[int]) -> list[dict[str, float]]:
    billing.run(server, customers=100)
    found = []
    for size in sizes:
        _, cost = billing.run(server, customers=size)
        found.append(
            {"invoices": size, "seconds": round(cost.elapsed, 1), "per_second": round(size / cost.elapsed)}
        )
    return found


def draw(figures: dict[str, Any], folder: Path) -> None:
    """Three plots: current usage and billing by size, ingest over time."""
    of_usage, of_billing, windows = figures["usage"], figures["billing"], figures["ingest"]["windows"]
    plot, axes = _plot("Current usage of five charges", "events in the period", "milliseconds")
    sizes = [one["events"] for one in of_usage]
    axes.plot(
        sizes, [one["current_usage_ms"] for one in of_usage], "o-", color=ACCENT, label="right after an event"
    )
    axes.plot(
        sizes, [one["first_usage_ms"] for one in of_usage], "o--", color=SECOND, label="the very first read"
    )
    _by_size(axes, sizes)
    axes.set_yscale("log")
    axes.set_ylim(5, max(100, 2 * max(one["first_usage_ms"] for one in of_usage)))
    axes.yaxis.set_major_formatter(NUMBERS)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.legend(frameon=False, labelcolor=INK)
    plot.savefig(folder / "current-usage.svg")
    plot, axes = _plot("A billing run", "subscriptions", "milliseconds an invoice")
    each = [one["seconds"] * 1000 / one["invoices"] for one in of_billing]
    sizes = [one["invoices"] for one in of_billing]
    axes.plot(sizes, each, "o-", color=ACCENT)
    _by_size(axes, sizes)
    axes.set_ylim(0, 1.2 * max(each))
    plot.savefig(folder / "billing.svg")
    plot, axes = _plot("Ingest, batches of 100, rolled up", "seconds", "events a second")
    seconds = [one["seconds"] for one in windows]
    axes.plot(seconds, [one["events_per_second"] for one in windows], color=ACCENT)
    axes.set_ylim(0, 1.2 * max(one["events_per_second"] for one in windows))
    memory = axes.twinx()
    memory.plot(seconds, [one["api_megabytes"] for one in windows], color=SECOND)
    memory.set_ylim(0, 1.5 * max(one["api_megabytes"] for one in windows))
    memory.set_ylabel("MB of the api process", color=SECOND)
    memory.tick_params(colors=SECOND, length=0)
    for side in memory.spines.values():
        side.set_visible(False)
    plot.savefig(folder / "ingest.svg")


def _plot(title: str, across: str, up: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", color=INK, fontweight="bold")
    axes.set_xlabel(across, color=INK)
    axes.set_ylabel(up, color=INK)
    axes.grid(axis="y", color="#e2e8f0")
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, length=0)
    for name, side in axes.spines.items():
        side.set_visible(name == "bottom")
        side.set_color("#94a3b8")
    axes.xaxis.set_major_formatter(NUMBERS)
    axes.yaxis.set_major_formatter(NUMBERS)
    return figure, axes


def _by_size(axes: Any, sizes: Sequence[float]) -> None:
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.xaxis.set_minor_locator(NullLocator())


if __name__ == "__main__":
    main()
