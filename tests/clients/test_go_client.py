"""The unmodified official Go client, fetched through Go's module proxy, drives the server: where the proxy gives it.

How it is held to its word elsewhere: `test_go_requests.py`.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

MODULE = "github.com/getlago/lago-go-client@v1"
SCRIPT = Path(__file__).with_name("client.go")


@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not on this machine")
def test_a_metric_a_customer_and_a_refusal(live, tmp_path):
    shutil.copy(SCRIPT, tmp_path / "main.go")

    def go(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["go", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100
        )

    assert go("mod", "init", "tallymark.test/client").returncode == 0
    try:
        fetched = go("get", MODULE)
    except subprocess.TimeoutExpired:
        pytest.skip("Go's module proxy does not answer")
    if fetched.returncode != 0:
        pytest.skip(f"Go's module proxy does not give {MODULE}: {fetched.stderr.strip()[-200:]}")
    done = go("run", ".", live.url, live.api_key)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"metric": "calls", "customer": "go", "refused": 404}
