"""Commands and programs of the pages that are no calls of the guide (test_guide.py) and no examples of the reference: they do what their page says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
from tests.cli.conftest import Server
from tests.clients.conftest import ADMIN_KEY, Live

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GUIDE = DOCS / "site" / "guide"
DEFAULT = "http://127.0.0.1:8787"
PUBLIC = "https://billing.example.com"


def blocks(page: Path, language: str, containing: str) -> list[str]:
    """The fenced blocks of a page that have a text in them."""
    found = re.findall(rf"^ *```{language}[^\n]*\n(.*?)^ *```$", page.read_text(), re.DOTALL | re.MULTILINE)
    return [block for block in found if containing in block]


def shell(server: Server, script: str, **variables: str) -> str:
    """What a shell in the checkout prints, with the server's data for the default ones."""
    done = subprocess.run(
        ["bash", "-e", "-u", "-o", "pipefail", "-c", script],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TALLYMARK_DATA_DIR": str(server.data_dir),
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_getting_started_makes_an_organization_whose_time_stands(server):
    (script,) = blocks(GUIDE / "getting-started.mdx", "bash", "orgs create")
    script = script.replace(DEFAULT, server.url).replace("jq -r .api_key", "pick api_key")
    pick = f"pick() {{ {sys.executable} -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' \"$1\"; }}\n"
    printed = shell(server, pick + script + 'echo "$URL $KEY"')
    url, key = printed.split()[-2:]
    told = httpx.get(f"{url}/api/v1/test_clock", headers={"Authorization": f"Bearer {key}"}).json()
    assert told["test_clock"]["frozen_time"] == "2026-01-01T00:00:00Z"


def test_a_clock_comes_from_the_shell(server):
    (script,) = blocks(GUIDE / "test-clocks.mdx", "bash", "orgs create")
    told = json.loads(shell(server, script))
    headers = {"Authorization": f"Bearer {told['api_key']}"}
    clock = httpx.get(f"{server.url}/api/v1/test_clock", headers=headers).json()["test_clock"]
    assert clock["frozen_time"] == "2026-01-01T00:00:00Z"


def test_lagos_client_for_python_sends_and_asks(live: Live, capsys):
    """1,250,000 × 0.00002 = 25.00: what the guide's first page comes to."""
    charge = {"charge_model": "standard", "properties": {"amount": "0.00002"}}
    plan = {
        "name": "Scale", "code": "scale", "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR",
        "pay_in_advance": False,
    }  # fmt: skip
    subscription = {"external_customer_id": "halden", "plan_code": "scale", "external_id": "halden-1"}
    metric = {"name": "Tokens", "code": "tokens", "aggregation_type": "sum_agg", "field_name": "count"}
    headers = {"Authorization": f"Bearer {live.api_key}"}
    with httpx.Client(base_url=f"{live.url}/api/v1", headers=headers) as api:
        made = api.post("/billable_metrics", json={"billable_metric": metric}).json()["billable_metric"]
        charges = [{**charge, "billable_metric_id": made["lago_id"]}]
        api.post("/plans", json={"plan": {**plan, "charges": charges}}).raise_for_status()
        api.post("/customers", json={"customer": {"external_id": "halden"}}).raise_for_status()
        api.post("/subscriptions", json={"subscription": subscription}).raise_for_status()
    (program,) = blocks(GUIDE / "clients.mdx", "python", "lago_python_client")
    exec(program.replace(DEFAULT, live.url).replace('api_key="..."', f'api_key="{live.api_key}"'), {})
    assert capsys.readouterr().out == "2500\n"


def test_each_door_is_opened_by_what_the_page_on_clients_says(server):
    """The admin API by its key, and how the server is by nothing; the portal and the web app by links and sessions, which here are none."""
    (program,) = blocks(GUIDE / "clients.mdx", "python", "admin = ")
    program = program.replace(DEFAULT, server.url).replace(
        '"X-Admin-API-Key": "..."', f'"X-Admin-API-Key": "{ADMIN_KEY}"'
    )
    names = {"httpx": httpx}
    exec(program, names)
    assert names["admin"].post("/admin/organizations", json={}).status_code == 400
    assert names["anybody"].get("/health").json()["message"] == "Success"
    assert names["portal"].get("/portal/v1/me").status_code == 401
    assert names["app"].get("/app/v1/members").status_code == 401


def test_limits_are_said_by_the_shell_and_by_curl(server):
    """A million events a month by the command, then `default`, then both limits by curl."""
    made = httpx.post(
        f"{server.url}/admin/organizations",
        json={"name": "Limited", "email": "l@acme.test"},
        headers={"X-Admin-API-Key": ADMIN_KEY},
    ).json()
    slug, id_ = made["organization"]["slug"], made["organization"]["lago_id"]
    (script,) = blocks(DOCS / "hosting" / "cloud.md", "sh", "curl -X PUT")
    script = script.replace(PUBLIC, server.url).replace("--organization acme ", f"--organization {slug} ")
    printed = shell(server, script, ID=id_, KEY=ADMIN_KEY)
    told = json.loads(printed[printed.index("{") :])
    allowed = {one["code"]: one["allowed"] for one in told["limits"]}
    assert (allowed["events_per_month"], allowed["members"]) == (50_000_000, None)
    assert printed.count("events_per_month") >= 3


def test_an_assistant_is_shown_what_its_key_may(server):
    page = DOCS / "assistants.md"
    (organization,) = blocks(page, "sh", "orgs create")
    slug = "assisted"
    shell(server, organization.replace("Acme", slug))
    (key,) = blocks(page, "sh", "keys create")
    printed = shell(server, key.replace("--organization acme", f"--organization {slug}"))
    api_key = printed.partition("API key: ")[2].split()[0]
    (ask,) = blocks(page, "sh", "tools/list")
    printed = shell(server, ask.replace(DEFAULT, server.url).replace("KEY=…", f"KEY={api_key}"))
    tools = {tool["name"] for tool in json.loads(printed)["result"]["tools"]}
    assert "list_customers" in tools
    assert not tools & {"save_customer", "send_event", "void_invoice"}


CURL = re.compile(r"\bcurl (?:-|https?:)[^`\n]*")
ELSEWHERE = {
    "README.md": "test_examples.py",
    "docs/assistants.md": "above",
    "docs/hosting/aws.md": "the list of customers is asked for by every client here",
    "docs/hosting/cloud.md": "above",
    "docs/hosting/containers.md": "the same list, and the `/health` above",
    "docs/operations/monitoring.md": "tests/cli/test_internal_listener.py",
    "docs/runbooks/TallymarkDatabaseUnreachable.md": "tests/cli/test_internal_listener.py",
    "docs/runbooks/TallymarkDown.md": "tests/cli/test_internal_listener.py",
}
"""Pages that call Tallymark by curl other than by blocks of `http`, and where the same call is made."""


def test_no_page_has_a_call_that_nobody_makes():
    """Nor a program in Python: the guide's are those of the page on clients, each of which is run here or by test_guide.py."""
    pages = [
        ROOT / "README.md",
        *DOCS.rglob("*.md"),
        *GUIDE.rglob("*.mdx"),
        *(DOCS / "site" / "reference").glob("*.mdx"),
    ]
    pages = [
        page for page in pages if not {"node_modules", "build", ".docusaurus", "decisions"} & {*page.parts}
    ]
    calling = {page.relative_to(ROOT).as_posix() for page in pages if CURL.search(page.read_text())}
    assert calling == ELSEWHERE.keys()
    programs = {
        page.name: len(blocks(page, "python", "")) for page in pages if "```python" in page.read_text()
    }
    assert programs == {"clients.mdx": 3}
