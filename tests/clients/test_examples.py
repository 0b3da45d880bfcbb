"""The curl examples of the README, run as they stand: only where the server listens and keeps its data is another place."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DEFAULT = "http://127.0.0.1:8787"


def answers(output):
    """The JSON documents that a shell printed one after the other."""
    decoder, found, rest = json.JSONDecoder(), [], output.strip()
    while rest:
        document, end = decoder.raw_decode(rest)
        found.append(document)
        rest = rest[end:].lstrip()
    return found


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_a_first_invoice_by_curl(server):
    """25.00 for 1,250,000 tokens at 0.00002; 22 of 31 days of 49.00 are 34.77."""
    section = README.partition("## A first invoice by curl")[2]
    (script, *_) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    assert DEFAULT in script
    done = subprocess.run(
        ["bash", "-e", "-c", script.replace(DEFAULT, server.url)],
        cwd=ROOT,
        env=os.environ | {"TALLYMARK_DATA_DIR": str(server.data_dir)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    plan, customer, subscription, event, usage, clock, invoices = answers(done.stdout)
    assert plan["plan"]["charges"][0]["properties"] == {"amount": "0.00002"}
    assert customer["customer"]["name"] == "Halden & Rowe"
    assert subscription["subscription"]["status"] == "active"
    assert event["event"]["properties"] == {"count": 1250000}
    assert usage["customer_usage"]["amount_cents"] == 2500
    assert clock["test_clock"]["frozen_time"] == "2026-02-01T01:00:00Z"
    assert [invoice["total_amount_cents"] for invoice in invoices["invoices"]] == [3477 + 2500]
