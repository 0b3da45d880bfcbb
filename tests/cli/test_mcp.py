"""`tallymark mcp` as an assistant starts it: messages in on standard input, answers out."""

import json
import subprocess

import httpx
from tests.cli.conftest import COMMAND, environment

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


def test_an_assistant_asks_a_running_server(start, run):
    server = start()
    made = json.loads(run("orgs", "create", "--name", "A", "--json", "--data-dir", server.data_dir).stdout)
    headers = {"Authorization": f"Bearer {made['api_key']}"}
    httpx.post(f"{server.url}/api/v1/customers", json={"customer": {"external_id": "c"}}, headers=headers)
    asked = {"name": "get_customer", "arguments": {"external_id": "c"}}
    messages = [
        INITIALIZE,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": asked},
    ]
    done = subprocess.run(
        [str(COMMAND), "mcp", "--url", server.url],
        input="".join(json.dumps(message) + "\n" for message in messages),
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(TALLYMARK_API_KEY=made["api_key"]),
        check=True,
    )
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["result"]["serverInfo"]["name"] == "tallymark"
    assert second["result"]["structuredContent"]["customer"]["external_id"] == "c"
    assert server.stop() == 0


def test_without_a_key_it_says_what_it_wants(run):
    done = run("mcp")
    assert (done.returncode, done.stderr) == (1, "tallymark: give a key by --api-key or TALLYMARK_API_KEY\n")
