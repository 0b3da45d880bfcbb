"""`tallymark doctor`: each thing that may be wrong is made wrong, and told with what mends it."""

import asyncio
import json
import smtplib
import socket
import socketserver
import ssl
import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
import pytest
from aiosmtpd.controller import Controller
from obstore.exceptions import PermissionDeniedError
from sqlalchemy import text
from tests.backups.tls import make_certificate
from tests.cli.conftest import free_port
from tests.conftest import UNSAFE, cloned

from tallymark.db.engine import Database, plain_url
from tallymark.db.holding import Hold
from tallymark.db.programs import find_programs
from tallymark.doctor import Finding, Verdict, examine
from tallymark.doctor.database import examine_database, judge_hold, judge_roles, judge_work, list_origins
from tallymark.doctor.reaching import (
    examine_address,
    examine_files,
    examine_mail,
    examine_receivers,
    examine_watchers,
)
from tallymark.doctor.remedies import remedy_of_mail, remedy_of_receiver, remedy_of_store
from tallymark.doctor.settings import examine_settings, examine_space
from tallymark.integrations.webhooks import Refused, WebhookPost, trusted
from tallymark.monitoring.backlog import Reading
from tallymark.settings import Settings


def now() -> datetime:
    return datetime.now(UTC)


def said(found: list[Finding], about: str) -> list[tuple[str, str]]:
    return [(one.verdict.value, one.says) for one in found if one.about == about]


def verdicts(found: list[Finding]) -> set[tuple[str, str]]:
    return {(one.about, one.verdict.value) for one in found}


class TestSettings:
    def look(self, *variables, **options):
        return list(examine_settings(Settings(**options), variables))

    def test_that_go_together_are_well(self):
        assert verdicts(self.look("TALLYMARK_SMTP_HOST", "TALLYMARK_SMTP_PASSWORD_FILE", "PATH")) == {
            ("settings", "ok")
        }

    def test_a_slip_of_the_pen_is_told_with_what_was_meant(self):
        (one,) = self.look("TALLYMARK_SMPT_HOST")
        assert one.verdict is Verdict.WARNING
        assert one.says == "TALLYMARK_SMPT_HOST is set, and is no setting"
        assert one.remedy == "is TALLYMARK_SMTP_HOST meant?"

    def test_variables_of_services_and_commands_are_nobodys_slip(self):
        names = ("TALLYMARK_SERVICE_PORT_HTTP", "TALLYMARK_API_PORT_8787_TCP_ADDR", "TALLYMARK_API_KEY")
        assert verdicts(self.look(*names)) == {("settings", "ok")}

    def test_links_that_lead_nowhere(self):
        (one,) = self.look(host="0.0.0.0")
        assert "http://0.0.0.0:8787" in one.says
        assert "TALLYMARK_PUBLIC_URL" in (one.remedy or "")

    def test_keys_that_can_be_read_on_the_way(self):
        (one,) = self.look(public_url="http://billing.example.com")
        assert "not encrypted" in one.says
        assert verdicts(self.look(public_url="https://billing.example.com")) == {("settings", "ok")}

    def test_a_short_admin_key_and_an_open_door(self):
        found = self.look(
            public_url="https://billing.example.com",
            admin_api_key="secret",
            sign_up="open",
            smtp_host="mail.test",
        )
        assert ["admin API" in one.says or "sign up" in one.says for one in found] == [True, True]

    def test_staff_without_a_port_for_their_office(self):
        assert ["TALLYMARK_STAFF" in one.says for one in self.look(staff="ann@acme.test")] == [True]
        assert not any("STAFF" in one.says for one in self.look(staff="ann@acme.test", internal_port=8788))

    def test_space_is_measured_where_the_folder_will_be(self, tmp_path, monkeypatch):
        class Usage:
            free = 900_000_000

        monkeypatch.setattr("tallymark.doctor.settings.disk_usage", lambda folder: Usage)
        (one,) = examine_space(Settings(data_dir=tmp_path / "not" / "made"))
        assert (one.verdict, one.says.split()[0]) == (Verdict.FAILING, "0.9")
        Usage.free = 4_900_000_000
        (one,) = examine_space(Settings(data_dir=tmp_path))
        assert one.verdict is Verdict.WARNING
        Usage.free = 5_000_000_000
        (one,) = examine_space(Settings(data_dir=tmp_path))
        assert one.verdict is Verdict.WELL


class TestDatabase:
    def look(self, url, *, clock=now, **options):
        return asyncio.run(examine_database(Settings(**options), url, clock))

    def test_everything_but_what_tests_do_without_is_well(self, database_url):
        found = self.look(database_url)
        assert {one for one in verdicts(found) if one[1] != "ok"} == {("database", "failing")}
        assert {about for about, _ in verdicts(found)} == {
            "database", "backups", "schema", "clock", "tenants", "worker"
        }  # fmt: skip

    def test_programs_that_back_a_server_up_are_here_or_not(self, database_url, monkeypatch):
        (told,) = said(self.look(database_url), "backups")
        assert told == ("ok", "`tallymark backup` can run here, with PostgreSQL's programs 18")

        def find(*, server):
            assert server == 18
            return find_programs(server=15)

        monkeypatch.setattr("tallymark.doctor.database.find_programs", find)
        monkeypatch.setattr("tallymark.db.programs._FOLDERS", ())
        monkeypatch.setenv("PATH", "")
        (told,) = said(self.look(database_url), "backups")
        assert told[0] == "unused"
        assert "needs pg_dump and pg_restore 15 on the PATH, for a server of PostgreSQL 15" in told[1]

    def test_a_server_that_a_power_cut_robs_is_failing(self, database_url):
        wrong = [says.split()[0] for _, says in said(self.look(database_url), "database")]
        assert set(wrong) == {name for name, value in UNSAFE.items() if value == "off"}

    def test_more_connections_than_the_server_has(self, database_url):
        # Four processes of the api and a worker, each with 40 and 3 more: 5 * 43 = 215 of 100.
        found = self.look(database_url, api_workers=4, database_pool_size=40)
        assert any(
            "215 connections, and the server allows 100" in says for _, says in said(found, "database")
        )

    @pytest.mark.parametrize(
        ("revision", "remedy"), [("0001", "run `tallymark migrate`"), ("9999", "upgrade Tallymark")]
    )
    def test_a_schema_of_another_release(self, server_url, revision, remedy):
        with cloned(server_url) as url:
            with psycopg.connect(url) as connection:
                connection.execute("UPDATE alembic_version SET version_num = %s", (revision,))
                connection.execute("UPDATE schema_floor SET revision = %s", (revision,))
            found = self.look(url)
        (schema,) = [one for one in found if one.about == "schema"]
        assert (schema.verdict, schema.remedy) == (Verdict.FAILING, remedy)
        assert not said(found, "worker"), "what another release's tables mean is not guessed"

    def test_a_newer_schema_that_this_release_can_work_on(self, server_url):
        with cloned(server_url) as url:
            with psycopg.connect(url) as connection:
                connection.execute("UPDATE alembic_version SET version_num = '9999'")
            (told,) = said(self.look(url), "schema")
        assert told == ("ok", "the schema (9999) is of a newer release than this one, which can work on it")

    def test_a_database_that_was_never_migrated(self, server_url):
        with cloned(server_url) as url:
            with psycopg.connect(url) as connection:
                connection.execute("DROP TABLE alembic_version")
            assert said(self.look(url), "schema") == [
                ("failing", "the database has no schema of Tallymark's")
            ]

    @pytest.mark.parametrize(
        ("off", "verdict"),
        [(0, "ok"), (10, "warning"), (-10, "warning"), (300, "failing"), (-300, "failing")],
    )
    def test_clocks_that_are_apart(self, database_url, off, verdict):
        found = self.look(database_url, clock=lambda: now() + timedelta(seconds=off))
        assert [one.verdict.value for one in found if one.about == "clock"] == [verdict]

    async def test_a_role_that_sees_all_tenants(self, database_url):
        database = Database(database_url, pool_size=2)
        async with database.system() as connection:
            await connection.execute(text("CREATE ROLE doctor_test_sees_all BYPASSRLS"))
            found = await judge_roles(connection, "doctor_test_sees_all")
            missing = await judge_roles(connection, "doctor_test_nobody")
            await connection.execute(text("DROP ROLE doctor_test_sees_all"))
        await database.engine.dispose()
        assert [one.verdict for one in (*found, *missing)] == [Verdict.FAILING, Verdict.FAILING]
        assert "NOBYPASSRLS" in (found[0].remedy or "")
        assert "may not act as" in missing[0].says

    def test_one_that_is_not_there_does_not_hide_the_rest(self, tmp_path):
        settings = Settings(
            database_url=f"postgresql://nobody@127.0.0.1:{free_port()}/none", data_dir=tmp_path
        )
        found = list(examine(settings, []))
        assert ("database", "failing") in verdicts(found)
        assert ("files", "ok") in verdicts(found)


class TestWork:
    def test_waits_for_somebody_since_a_restore(self):
        held = judge_hold(Hold(reason="restored from a backup", since=datetime(2026, 1, 2, 3, 4, tzinfo=UTC)))
        assert held.says == "workers have waited since 2026-01-02 03:04 UTC: restored from a backup"
        assert "tallymark resume" in (held.remedy or "")

    def test_nobody_does_it(self):
        reading = Reading()
        reading.put("tallymark_due_work_oldest_seconds", 601, "bill")
        (one,) = judge_work(reading)
        assert (one.verdict, "10 minutes" in one.says) == (Verdict.FAILING, True)

    def test_what_waits_for_a_moment_is_well(self):
        reading = Reading()
        reading.put("tallymark_due_work_oldest_seconds", 600, "bill")
        reading.put("tallymark_queue_jobs", 3, "deliver", "todo")
        assert [one.verdict for one in judge_work(reading)] == [Verdict.WELL]

    def test_what_failed_for_the_last_time(self):
        reading = Reading()
        reading.put("tallymark_parked_work", 2, "bill")
        reading.put("tallymark_events_to_price_parked", 1)
        reading.put("tallymark_queue_jobs", 4, "deliver", "failed")
        assert [(one.verdict, one.says.split()[0]) for one in judge_work(reading)] == [
            (Verdict.WARNING, "3"),
            (Verdict.WARNING, "4"),
        ]


class TestMail:
    def look(self, **options):
        return asyncio.run(examine_mail(Settings(**options)))

    def test_a_server_that_answers_is_greeted_and_given_nothing(self):
        class Handler:
            letters = 0

            async def handle_DATA(self, server, session, envelope):
                self.letters += 1
                return "250 taken"

        handler = Handler()
        controller = Controller(handler, hostname="127.0.0.1", port=free_port())
        controller.start()
        options = {"smtp_host": "127.0.0.1", "smtp_port": controller.port, "smtp_security": "none"}
        try:
            answers = self.look(**options)
            refuses = self.look(**options, smtp_username="who", smtp_password="wrong")
        finally:
            controller.stop()
        assert answers.verdict is Verdict.WELL
        assert (refuses.verdict, "SMTPNotSupportedError" in refuses.says) == (Verdict.FAILING, True)
        assert handler.letters == 0

    def test_no_server_answers(self):
        one = self.look(smtp_host="127.0.0.1", smtp_port=free_port(), smtp_security="none")
        assert (one.verdict, "refused" in one.says) == (Verdict.FAILING, True)

    def test_none_is_set(self):
        assert self.look().verdict is Verdict.UNUSED


class TestFiles:
    def test_are_written_read_and_deleted(self, tmp_path):
        one = asyncio.run(examine_files(Settings(data_dir=tmp_path)))
        assert one.verdict is Verdict.WELL
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    def test_can_not_be_written(self, tmp_path):
        (tmp_path / "files").write_text("in the way")
        assert asyncio.run(examine_files(Settings(data_dir=tmp_path))).verdict is Verdict.FAILING

    @pytest.mark.parametrize("url", ["s4://bills", "bills", "file:///not/there"])
    def test_are_kept_nowhere(self, url):
        one = asyncio.run(examine_files(Settings(files_url=url)))
        assert (one.verdict, one.says.startswith(f"documents can't be kept at {url}: ")) == (
            Verdict.FAILING,
            True,
        )
        assert "TALLYMARK_FILES_URL" in (one.remedy or "")


@pytest.fixture
def listening():
    """The address of somebody who takes connections, and knows no TLS."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(b"hello\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def secure(tmp_path, monkeypatch):
    """The address of somebody who speaks TLS, with a certificate of an authority that is trusted by SSL_CERT_FILE, as long as it lasts."""
    with ExitStack() as stack:

        def serve(lasts):
            certificate = make_certificate(tmp_path, "localhost", lasts)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)

            class Handler(BaseHTTPRequestHandler):
                def do_POST(self):
                    # Read to its end: what is closed on something unread is torn, and the answer with it.
                    self.rfile.read(int(self.headers["Content-Length"]))
                    self.send_response(204)
                    self.end_headers()

            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
            server.socket = context.wrap_socket(server.socket, server_side=True)
            stack.callback(server.shutdown)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            trusted.cache_clear()
            return f"https://localhost:{server.server_address[1]}"

        yield serve
    trusted.cache_clear()


class TestCertificates:
    def test_of_authorities_of_ones_own_are_good_for_the_doctor_and_for_webhooks(self, secure):
        origin = secure(timedelta(days=30))
        (found,) = asyncio.run(examine_receivers(Settings(webhooks_allow_private_networks=True), [origin]))
        assert found.verdict is Verdict.WELL, found.says
        send = WebhookPost(timeout_seconds=5, allows_private=True)
        assert asyncio.run(send(origin, b"{}", {})).status == 204

    @pytest.mark.parametrize(("days", "verdict"), [(15, "ok"), (13, "warning"), (-1, "warning")])
    def test_of_the_public_address_are_renewed_in_time(self, secure, days, verdict):
        origin = secure(timedelta(days=days))
        found = asyncio.run(examine_address(Settings(public_url=f"{origin}/below"), now))
        assert (found.verdict.value, origin in found.says) == (verdict, True)
        assert ("expired" in found.says) == (days < 0)

    def test_are_not_looked_for_where_there_is_no_address(self, listening):
        assert asyncio.run(examine_address(Settings(), now)).verdict is Verdict.UNUSED
        assert asyncio.run(examine_address(Settings(public_url=listening), now)).verdict is Verdict.WELL
        closed = f"http://127.0.0.1:{free_port()}"
        assert asyncio.run(examine_address(Settings(public_url=closed), now)).verdict is Verdict.WARNING


class TestRemedies:
    """Each names what is to be mended: the setting, or what is on the other side."""

    @pytest.mark.parametrize(
        ("error", "named"),
        [
            (ssl.SSLCertVerificationError("expired"), "SSL_CERT_FILE"),
            (ssl.SSLError("wrong version number"), "TALLYMARK_SMTP_SECURITY"),
            (smtplib.SMTPAuthenticationError(535, b"no"), "TALLYMARK_SMTP_PASSWORD"),
            (smtplib.SMTPServerDisconnected("closed"), "TALLYMARK_SMTP_SECURITY"),
            (ConnectionRefusedError(), "TALLYMARK_SMTP_HOST"),
            (smtplib.SMTPHeloError(500, b"no"), "TALLYMARK_SMTP_*"),
        ],
    )
    def test_of_mail(self, error, named):
        assert named in remedy_of_mail(error)

    @pytest.mark.parametrize(
        ("error", "named"),
        [
            (FileNotFoundError("NoSuchBucket"), "TALLYMARK_S3_BUCKET"),
            (PermissionDeniedError("AccessDenied"), "let them read, write and delete"),
            (OSError("error performing PUT http://169.254.169.254/latest/api"), "TALLYMARK_S3_ACCESS_KEY_ID"),
            (OSError("error sending request"), "TALLYMARK_S3_*"),
        ],
    )
    def test_of_files(self, error, named):
        assert named in remedy_of_store(error)

    @pytest.mark.parametrize(
        ("error", "named"),
        [
            (Refused("private"), "TALLYMARK_WEBHOOKS_ALLOW_PRIVATE_NETWORKS"),
            (ssl.SSLCertVerificationError("expired"), "SSL_CERT_FILE"),
            (ssl.SSLError("wrong version number"), "http://"),
            (socket.gaierror(-2, "Name or service not known"), "spelt"),
            (TimeoutError(), "firewalls"),
        ],
    )
    def test_of_receivers(self, error, named):
        assert named in remedy_of_receiver(error)


class TestReceivers:
    def look(self, origins, **options):
        return asyncio.run(examine_receivers(Settings(**options), origins))

    def test_those_who_answer_and_those_who_do_not(self, listening):
        closed = f"http://127.0.0.1:{free_port()}"
        (one,) = self.look([closed, listening], webhooks_allow_private_networks=True)
        assert (one.verdict, one.says.startswith(closed)) == (Verdict.WARNING, True)
        assert [one.verdict for one in self.look([listening], webhooks_allow_private_networks=True)] == [
            Verdict.WELL
        ]

    def test_private_addresses_are_left_alone(self, listening):
        (one,) = self.look([listening])
        assert "the address is private" in one.says

    def test_a_certificate_that_is_none(self, listening):
        (one,) = self.look([listening.replace("http:", "https:")], webhooks_allow_private_networks=True)
        assert one.verdict is Verdict.WARNING

    def test_nobody_is_told_by_webhooks(self):
        assert [one.verdict for one in self.look([])] == [Verdict.UNUSED]

    async def test_each_place_is_visited_once(self, make_organization, database_url):
        for organization in (await make_organization(), await make_organization()):
            for path in ("a", "b"):
                url = f"https://user:secret@hooks.example.com:8443/{path}?key=secret"
                body = {"webhook_endpoint": {"webhook_url": url, "signature_algo": "hmac"}}
                answer = await organization.client.post("/webhook_endpoints", json=body)
                assert answer.status_code == 200, answer.text
        assert await list_origins(plain_url(database_url)) == ["https://hooks.example.com:8443"]


class TestWatchers:
    def test_are_connected_to_where_they_are_set(self, listening):
        found = asyncio.run(examine_watchers(Settings(otlp_endpoint=listening)))
        assert verdicts(found) == {("errors", "unused"), ("telemetry", "ok")}

    def test_may_have_numbers_for_names(self):
        closed = f"http://[::1]:{free_port()}"
        (_, one) = asyncio.run(examine_watchers(Settings(otlp_endpoint=closed)))
        assert one.says.startswith(f"{closed}: ")

    def test_keys_in_their_addresses_are_not_shown(self):
        dsn = f"http://secret@127.0.0.1:{free_port()}/1"
        found = asyncio.run(examine_watchers(Settings(sentry_dsn=dsn)))
        assert ("errors", "warning") in verdicts(found)
        assert "secret" not in str(found)


class TestCommand:
    def test_returns_one_where_something_fails(self, run, folder):
        url = f"postgresql://nobody:hidden@127.0.0.1:{free_port()}/none"
        done = run("doctor", "--json", "--data-dir", folder / "data", "--database-url", url)
        found = json.loads(done.stdout)
        assert done.returncode == 1
        assert {"about", "verdict", "says", "remedy"} == found[0].keys()
        assert {one["about"] for one in found} >= {"settings", "disk", "database", "files", "e-mail"}
        assert "hidden" not in done.stdout

    def test_looks_at_the_embedded_database_and_is_content(self, run, folder):
        data = folder / "data"
        assert run("migrate", "--data-dir", data).returncode == 0
        done = run("doctor", "--data-dir", data)
        assert done.returncode == 0, done.stdout + done.stderr
        for about in ("database", "schema", "clock", "tenants", "worker", "files"):
            assert f"ok       {about}" in done.stdout
