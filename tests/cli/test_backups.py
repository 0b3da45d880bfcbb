"""The drill: a server that meters and bills is backed up at work, killed, restored elsewhere, and goes on as if nothing had been lost."""

import json
import shutil
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import httpx
import psutil
import psycopg
from tests.cli.conftest import prepared
from tests.conftest import UNSAFE

from tallymark.db.embedded import embedded_postgres_server

FROZEN = "2026-01-10T00:00:00Z"


class Seller:
    """A client of one organization of a server."""

    def __init__(self, server, key):
        self.http = httpx.Client(
            base_url=f"{server.url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=30
        )

    def call(self, method, path, body=None, **query):
        answer = self.http.request(method, path, json=body, params=query or None)
        assert answer.status_code == 200, f"{method} {path} -> {answer.status_code}: {answer.text}"
        return answer.json()

    def open(self):
        metric = {"name": "calls", "code": "calls", "aggregation_type": "count_agg"}
        made = self.call("POST", "/billable_metrics", {"billable_metric": metric})["billable_metric"]
        charge = {
            "billable_metric_id": made["lago_id"],
            "charge_model": "standard",
            "properties": {"amount": "1"},
        }
        plan = {
            "name": "p",
            "code": "p",
            "interval": "monthly",
            "amount_cents": 3100,
            "amount_currency": "EUR",
        }
        self.call("POST", "/plans", {"plan": plan | {"pay_in_advance": False, "charges": [charge]}})
        self.call(
            "POST",
            "/customers",
            {"customer": {"external_id": "c", "name": "Customer", "email": "c@acme.test"}},
        )
        bought = {"external_customer_id": "c", "plan_code": "p", "external_id": "s"}
        self.call("POST", "/subscriptions", {"subscription": bought})

    def send(self, number):
        event = {
            "transaction_id": f"t{number}",
            "external_subscription_id": "s",
            "code": "calls",
            "timestamp": int(datetime(2026, 2, 3, tzinfo=UTC).timestamp()) + number,
        }
        answer = self.http.post("/events", json={"event": event})
        is_there = answer.status_code == 422 and "value_already_exist" in answer.text
        assert answer.status_code == 200 or is_there, answer.text

    def advance(self, to):
        assert not self.call("POST", "/test_clock/advance", {"test_clock": {"to": to}})["errors"]

    def bills(self):
        """Number, status and total of each invoice."""
        listed = self.call("GET", "/invoices", external_customer_id="c")["invoices"]
        return sorted((one["number"], one["status"], one["total_amount_cents"]) for one in listed)

    def units(self):
        shown = self.call("GET", "/customers/c/current_usage", external_subscription_id="s")
        return int(float(shown["customer_usage"]["charges_usage"][0]["units"]))

    def document(self):
        """Where the PDF of the only invoice is."""
        (listed,) = self.call("GET", "/invoices", external_customer_id="c")["invoices"]
        shown = self.call("POST", f"/invoices/{listed['lago_id']}/download")["invoice"]
        return httpx.URL(shown["file_url"]).raw_path.decode()


def kill(server):
    """The server and its database, at once."""
    parent = psutil.Process(server.process.pid)
    for member in [parent, *parent.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # what has lost its parent ends by itself, too
            member.kill()
    server.process.wait()


def wait_for(server, line):
    """Until the server has logged it."""
    deadline = time.monotonic() + 60
    while line not in server.output:
        assert time.monotonic() < deadline, server.output
        time.sleep(0.05)


@contextmanager
def sending(server, key):
    """Events that are sent meanwhile, by their numbers, from the twentieth on until one is not acknowledged; or until the end."""
    acknowledged: list[int] = []
    stop = threading.Event()

    def keep_sending():
        own = Seller(server, key)
        while not stop.is_set():
            try:
                own.send(len(acknowledged))
            except (httpx.TransportError, AssertionError):
                return
            acknowledged.append(len(acknowledged))
            time.sleep(0.05)

    thread = threading.Thread(target=keep_sending)
    thread.start()
    try:
        deadline = time.monotonic() + 60
        while len(acknowledged) < 20:
            assert thread.is_alive(), server.output
            assert time.monotonic() < deadline, server.output
            time.sleep(0.01)
        yield acknowledged
    finally:
        stop.set()
        thread.join()


def deeds(folder):
    """What the audit of staff has."""
    return all_of(folder, "SELECT verb, subject FROM staff_deeds ORDER BY id")


def all_of(folder, statement):
    """What a server's own database answers."""
    with psycopg.connect(f"host={folder / 'run'} dbname=tallymark user=tallymark") as connection:
        return connection.execute(statement).fetchall()


def kill_database(folder):
    """All processes of a PostgreSQL at once, as when its machine goes down."""
    number = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
    postmaster = psutil.Process(number)
    for process in [postmaster, *postmaster.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def test_what_was_killed_at_work_is_restored_and_bills_on(start, run, folder):
    """Of 31.00 a month, 22 of 31 days are 22.00; then 31.00 and 1.00 for each call."""
    server = start()
    made = run(
        "orgs", "create", "--name", "Acme", "--test-clock", FROZEN, "--json", "--data-dir", server.data_dir
    )
    key = json.loads(made.stdout)["api_key"]
    seller = Seller(server, key)
    seller.open()
    seller.advance("2026-02-01T12:00:00Z")
    (bill,) = seller.bills()
    assert bill[1:] == ("finalized", 2200)
    document = seller.document()
    pdf = httpx.get(server.url + document).content
    seller.advance("2026-02-03T00:00:00Z")

    with sending(server, key) as acknowledged:
        before = len(acknowledged)
        backed_up = run("backup", folder / "backups", "--json", "--data-dir", server.data_dir)
        assert backed_up.returncode == 0, backed_up.stderr
        after = len(acknowledged)
        kill(server)
    assert len(acknowledged) >= after >= before >= 20

    place = json.loads(backed_up.stdout)["backup"]
    elsewhere = folder / "elsewhere" / "data"
    restored = run("restore", place, "--data-dir", elsewhere)
    assert restored.returncode == 0, restored.stderr
    assert "laws hold for 2 organizations" in restored.stdout
    revived = start("--data-dir", str(elsewhere))
    wait_for(revived, "on hold")
    seller = Seller(revived, key)
    assert seller.bills() == [bill]
    assert httpx.get(revived.url + document).content == pdf
    there = seller.units()
    assert before <= there <= after + 1, "as of one instant while it was made"
    for number in acknowledged:
        seller.send(number)
    assert seller.units() == len(acknowledged), "what is there counts once"
    resumed = run("resume", "--data-dir", elsewhere)
    assert (resumed.returncode, resumed.stdout.strip()) == (0, "Workers go on.")
    assert all_of(elsewhere, "SELECT FROM pg_stat_activity WHERE application_name = 'tallymark up'")
    assert deeds(elsewhere) == [("created", "Acme"), ("restored", "backup"), ("resumed", "workers")]
    seller.advance("2026-03-01T12:00:00Z")
    assert sorted(total for _, _, total in seller.bills()) == [2200, 3100 + 100 * len(acknowledged)]
    wait_for(revived, "let go")


def test_a_database_of_ones_own_is_killed_wiped_and_restored(start, run, folder):
    """Of 31.00 a month, 22 of 31 days are 22.00."""
    lost, new = folder / "lost", folder / "new"
    subprocess.run(["cp", "-a", prepared(), lost], check=True)
    with embedded_postgres_server(lost, settings=UNSAFE) as url:
        server = start(DATABASE_URL=url, ADMIN_API_KEY="staff")
        body = {"name": "Acme", "email": "ops@acme.test", "test_clock": {"frozen_time": FROZEN}}
        made = httpx.post(
            f"{server.url}/admin/organizations", json=body, headers={"X-Admin-API-Key": "staff"}, timeout=30
        )
        key = made.json()["api_key"]
        seller = Seller(server, key)
        seller.open()
        seller.advance("2026-02-03T00:00:00Z")
        (bill,) = seller.bills()
        assert bill[1:] == ("finalized", 2200)
        with sending(server, key) as acknowledged:
            before = len(acknowledged)
            where = "--data-dir", server.data_dir
            backed_up = run("backup", folder / "backups", "--json", *where, DATABASE_URL=url)
            assert backed_up.returncode == 0, backed_up.stderr
            after = len(acknowledged)
            kill_database(lost)
        health = httpx.get(f"{server.url}/health")
        assert (health.status_code, health.json()["message"]) == (500, "Unhealthy")
        assert server.stop() == 0, "whoever waits for the database ends in time"
    shutil.rmtree(lost)

    place = json.loads(backed_up.stdout)["backup"]
    with embedded_postgres_server(new, settings=UNSAFE) as url:
        restored = run("restore", place, "--data-dir", folder / "elsewhere", DATABASE_URL=url)
        assert restored.returncode == 0, restored.stderr
        assert "laws hold for 2 organizations" in restored.stdout
        with psycopg.connect(url) as connection:
            (events,) = connection.execute("SELECT count(*) FROM events").fetchone() or (None,)
            bills = connection.execute("SELECT number, status, total_amount_cents FROM invoices").fetchall()
        assert before <= events <= after + 1, "as of one instant while it was made"
        assert bills == [bill]
