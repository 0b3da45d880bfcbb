"""The unmodified official JavaScript client, fetched through npm, drives the server."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGE = "lago-javascript-client@1.53.0"
SCRIPT = Path(__file__).with_name("client.mjs")


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not on this machine")
def test_a_metric_a_plan_a_customer_usage_and_the_invoice(live, tmp_path):
    (tmp_path / "package.json").write_text('{"type": "module", "private": true}')
    fetched = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    if fetched.returncode != 0 and "ENOTFOUND" in fetched.stderr + fetched.stdout:
        pytest.skip("the npm registry can't be reached")
    assert fetched.returncode == 0, fetched.stderr
    shutil.copy(SCRIPT, tmp_path)
    done = subprocess.run(
        ["node", SCRIPT.name, live.url, live.api_key],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    # 3 calls at 0.25; 22 of 31 days of 31.00.
    assert json.loads(done.stdout) == {"usage": 75, "total": 2275, "fees": [2200, 75], "pdf": "%PDF-"}
