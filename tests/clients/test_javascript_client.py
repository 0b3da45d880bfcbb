"""The unmodified official JavaScript client, fetched through npm, drives the server."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

PACKAGE = "lago-javascript-client@1.53.0"
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client, and the scripts that drive it."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not on this machine")
    folder = tmp_path_factory.mktemp("javascript")
    (folder / "package.json").write_text('{"type": "module", "private": true}')
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    if done.returncode != 0 and "ENOTFOUND" in done.stderr + done.stdout:
        pytest.skip("the npm registry can't be reached")
    assert done.returncode == 0, done.stderr
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, folder)
    return folder


def found_by(script: str, folder: Path, live: Any) -> Any:
    """What a script prints."""
    done = subprocess.run(
        ["node", script, live.url, live.api_key],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_metric_a_plan_a_customer_usage_and_the_invoice(live, fetched):
    # 3 calls at 0.25; 22 of 31 days of 31.00.
    assert found_by("client.mjs", fetched, live) == {
        "usage": 75,
        "total": 2275,
        "fees": [2200, 75],
        "pdf": "%PDF-",
    }


# 22 of 31 days of 31.00, help of 2 × 10.00, 3 GB in Europe at 2.50 and 2 GB elsewhere at 4.00 are 57.50; with 20 % tax 69.00, of
# which credits pay 6.00. 12.00 of a note that is void again, 10.00 paid: 53.00 are asked for. A setup of 60.00 is 72.00 with tax.
EVERYTHING = {
    "taxes": ["Value added tax", 20, ["vat"]],
    "addOns": [6000, "Setup", ["setup"]],
    "metrics": ["GB", ["eu", "us"], ["gb"], "8.0"],
    "features": ["Places", 2, ["seats"]],
    "plans": ["Teams", 3100, ["team"]],
    "charges": ["2", ["storage"], "standard", "2.5", {"region": ["eu"]}, 1],
    "fixedCharges": ["2.0", ["support"], "10"],
    "entitlements": [["seats"], [5, True], 1, [5]],
    "planMetadata": [{"a": "1", "b": "2"}, {"b": "2"}, None],
    "billingEntities": ["Paris 2", "FR", 2],
    "organization": ["UTC", "Acme"],
    "webhookEndpoints": ["A", ["invoice.created"], 1, "https://hooks.test/a"],
    "publicKey": "-----BEGIN PUBLIC KEY-----",
    "customers": ["Jay", "EUR", 1, True, 0, [422, "validation_errors"]],
    "subscriptions": ["Main", "active", 1, 1],
    "ownPrices": ["4", "4", ["storage"], "Help", "support", ["support"]],
    "ownFilters": ["6", {"region": ["us"]}, 2, True],
    "ownEntitlements": [{"max": 9}, 1, 0, 0],
    "alerts": ["Higher", "1000.0", ["high"], "high"],
    "lifetimeUsage": [500, "js-1"],
    "coupons": ["A tenth", ["ten"], 1, 1, True],
    "wallets": ["Prepaid", 600, 1, "4.0", [400], [400]],
    "walletMetadata": [{"a": "1", "b": "2"}, {"b": "2"}, None],
    "customerWallets": [
        "Another",
        "2.0",
        ["main", "other"],
        "Low",
        "wallet_balance_amount",
        ["low"],
        "low",
        {"a": "1", "b": "2"},
        {"b": "2"},
        None,
        "terminated",
    ],
    "events": [{"gb": 3, "region": "eu"}, 2, [422, "validation_errors"]],
    "usage": [1550, "EUR", 0, "EUR"],
    "bill": [
        "finalized",
        [["charge", 750], ["charge", 800], ["fixed_charge", 2000], ["subscription", 2200]],
        [1150, 600, 6300],
        2200,
        [750, 800],
        True,
        ["7"],
        1,
    ],
    "creditNotes": [1200, 1200, "available", 1, 1, True, {"a": "1", "b": "2"}, {"b": "2"}, None, "voided"],
    "payments": ["wire", 1, 1, 1000, 5300, "cfo@js.test", 1, 1],
    "oneOff": [7200, True, 1],
    "analytics": [1, 1, [["gb", 1550]], True, [5300], [["gb", 1550]]],
    "logs": ["ten", "put"],
    "gone": [
        "terminated",
        "terminated",
        True,
        "storage",
        "support",
        "seats",
        "team",
        1,
        "seats",
        "ten",
        "setup",
        "vat",
        "gb",
        "js",
        [404, "customer_not_found"],
    ],
}
"""What the client is told by each group of resources."""


def test_every_resource_goes_there_and_back(live, fetched):
    found = found_by("resources.mjs", fetched, live)
    assert {name: found.get(name) for name in EVERYTHING} == EVERYTHING
    assert found.keys() == EVERYTHING.keys()
