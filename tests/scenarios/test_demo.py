"""The demonstration bills what the trace holds: its invoices are compared with the sum worked out from the CSV."""

import csv
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tallymark.demo import run_demo
from tallymark.settings import Settings

TRACE = Path(__file__).parents[3] / "shared" / "data" / "llm-inference-trace"
CENT = Decimal("0.01")


def tokens(name: str) -> tuple[int, int]:
    """Context and generated tokens of a file, summed."""
    with (TRACE / name).open(newline="") as file:
        rows = list(csv.DictReader(file))
    return sum(int(row["ContextTokens"]) for row in rows), sum(int(row["GeneratedTokens"]) for row in rows)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def packages(tokens: int, *, free: int, size: int, price: str) -> Decimal:
    opened = (Decimal(max(tokens - free, 0)) / size).to_integral_value(ROUND_CEILING)
    return opened * Decimal(price)


def chat_usage() -> Decimal:
    """1 M at 0.000003, 9 M at 0.0000025, the rest at 0.000002; output in packages of 50,000 at 0.75, 100,000 free."""
    context, generated = tokens("conversation.csv")
    assert context > 10_000_000
    graduated = Decimal(3) + Decimal("22.5") + (context - 10_000_000) * Decimal("0.000002")
    return cents(graduated) + cents(packages(generated, free=100_000, size=50_000, price="0.75"))


def code_usage() -> Decimal:
    """Input in packages of a million at 2.50; output 100,000 at 0.00002 and 1.00 flat, the rest at 0.000015."""
    context, generated = tokens("code.csv")
    assert generated > 100_000
    graduated = Decimal(1) + Decimal(2) + (generated - 100_000) * Decimal("0.000015")
    return cents(packages(context, free=0, size=1_000_000, price="2.50")) + cents(graduated)


@pytest.mark.skipif(not TRACE.exists(), reason="the usage trace is not beside this checkout")
def test_a_real_trace_is_billed_to_the_cent(server_url, tmp_path):
    out = StringIO()
    with _database(server_url) as url:
        run_demo(
            Settings(database_url=url, data_dir=tmp_path), trace=TRACE, console=Console(file=out, width=200)
        )
    shown = out.getvalue()
    # The trace is of 16 November 2023; the plans begin with it, so November has 15 of 30 days of base price.
    for usage, base in ((chat_usage(), Decimal("49.00")), (code_usage(), Decimal("199.00"))):
        fees = usage + cents(base * 15 / 30)
        tax = cents(fees * 20 / 100)
        assert [f"{fees:,}", f"{tax:,}", f"{fees + tax:,}"] in rows(shown), shown
    pdf = Path(shown.strip().splitlines()[-1].split(": ")[-1])
    assert pdf.read_bytes().startswith(b"%PDF")


def test_a_made_up_trace_leaves_invoices_for_every_month(server_url, tmp_path):
    out = StringIO()
    with _database(server_url) as url:
        run_demo(
            Settings(database_url=url, data_dir=tmp_path), trace=None, console=Console(file=out, width=200)
        )
    assert len(rows(out.getvalue())) == 8  # two customers, four months


def rows(shown: str) -> list[list[str]]:
    """The amounts of the table's rows."""
    lines = [line.split("│") for line in shown.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in cells[4:7]] for cells in lines]


def _database(server_url):
    from tests.conftest import cloned

    return cloned(server_url)
