"""Lists written to files: what is in them, how far they are, and what becomes of them (platform §14, beyond.md §4)."""

import asyncio
import csv
import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from aiosmtpd.controller import Controller
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.people import sign_up
from tests.rooms.test_emails import Mailbox, free_port

from tallymark.app import running
from tallymark.rooms.data_exports import columns, jobs
from tallymark.rooms.data_exports.model import TRIES, ResourceType
from tallymark.rooms.data_exports.sources import SOURCES
from tallymark.rooms.organizations import service as organizations
from tallymark.settings import Settings

INVOICES = (
    "lago_id,sequential_id,partner_billing,issuing_date,customer_lago_id,customer_external_id,customer_name,"
    "customer_email,customer_country,customer_tax_identification_number,invoice_number,purchase_order_number,"
    "invoice_type,payment_status,status,file_url,currency,fees_amount_cents,coupons_amount_cents,"
    "taxes_amount_cents,credit_notes_amount_cents,prepaid_credit_amount_cents,total_amount_cents,"
    "payment_due_date,payment_dispute_lost_at,payment_overdue,total_due_amount_cents,total_paid_amount_cents,"
    "total_offsetted_credit_note_amount_cents,progressive_billing_credit_amount_cents"
)
INVOICE_FEES = (
    "invoice_lago_id,invoice_number,invoice_issuing_date,fee_lago_id,fee_item_type,fee_item_code,fee_item_name,"
    "fee_item_description,fee_item_invoice_display_name,fee_item_filter_invoice_display_name,"
    "fee_item_grouped_by,subscription_external_id,subscription_plan_code,fee_from_date,fee_to_date,"
    "fee_amount_currency,fee_units,fee_precise_unit_amount,fee_taxes_amount_cents,fee_total_amount_cents"
)
CREDIT_NOTES = (
    "lago_id,sequential_id,partner_billing,issuing_date,customer_lago_id,customer_external_id,customer_name,"
    "customer_email,customer_country,customer_tax_identification_number,number,invoice_number,"
    "purchase_order_number,credit_status,refund_status,reason,description,currency,total_amount_cents,"
    "taxes_amount_cents,sub_total_excluding_taxes_amount_cents,coupons_adjustment_amount_cents,"
    "offset_amount_cents,credit_amount_cents,balance_amount_cents,refund_amount_cents,file_url"
)
CREDIT_NOTE_ITEMS = (
    "credit_note_lago_id,credit_note_number,credit_note_invoice_number,credit_note_issuing_date,"
    "credit_note_item_lago_id,credit_note_item_fee_lago_id,credit_note_item_currency,"
    "credit_note_item_amount_cents"
)
JOURNAL_LINES = (
    "entry_lago_id,sequence,posted_at,document_type,document_lago_id,document_number,description,account,"
    "external_customer_id,debit_cents,credit_cents,currency"
)


@pytest.fixture(scope="module")
def mail_server():
    controller = Controller(Mailbox(), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
def mailbox(mail_server):
    box = mail_server.handler
    box.letters, box.answers = [], []
    return box


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
async def application(database_url, folder, mail_server):
    options = Settings(
        admin_api_key=ADMIN_KEY,
        public_url="http://test",
        data_dir=folder,
        smtp_host="127.0.0.1",
        smtp_port=mail_server.port,
        smtp_security="none",
        email_from="billing@tallymark.test",
    )
    async with running(options, database_url) as parts:
        yield parts


@pytest.fixture
async def work(application):
    """Do what waits in the queue of exports; a job that fails goes back to it, and its error is raised."""
    async with application.database.system() as connection:
        await connection.execute(text("DELETE FROM procrastinate_jobs"))

    async def run(*tasks):
        while True:
            async with application.database.system() as connection:
                rows = await connection.execute(
                    text(
                        "SELECT id, task_name, args FROM procrastinate_jobs WHERE task_name = ANY(:tasks)"
                        " ORDER BY id LIMIT 1"
                    ),
                    {"tasks": list(tasks or ("export_data", "bring_export"))},
                )
                job = rows.first()
            if job is None:
                return
            arguments = {name: UUID(given) for name, given in job.args.items()}
            await getattr(application.tasks, job.task_name)(**arguments)
            async with application.database.system() as connection:
                await connection.execute(
                    text("DELETE FROM procrastinate_jobs WHERE id = :id"), {"id": job.id}
                )

    return run


@pytest.fixture
async def seller(make_organization):
    """An organization with an invoice of January 2025 and a credit note on it.

    31.00 for the month and 3 units at 2.00, with 20 % tax: 37.00 + 7.40 = 44.40. Given back: 5.00 of the month, 6.00 with tax.
    """
    organization = await make_organization("2025-01-01T00:00:00Z")
    client = organization.client
    client.organization_id = organization.id
    await kit.tax(client, "20")
    client.metric = await kit.metric(client, code="calls", name="Calls", description="Made")
    charge = kit.charge(client.metric, amount="2", pricing_group_keys=["region"])
    client.plan = await kit.plan(client, charge, code="basic", name="Basic", amount_cents=3100)
    client.who = await kit.customer(
        client,
        external_id="aiko",
        name="Aiko, Ltd",
        email="ap@aiko.test",
        country="JP",
        timezone="Asia/Tokyo",
    )
    subscription = await kit.subscribe(client, client.who, client.plan, external_id="sub-1")
    event = {"transaction_id": "t", "external_subscription_id": subscription["external_id"], "code": "calls"}
    await kit.post(client, "/events", {"event": {**event, "properties": {"value": 3, "region": "eu"}}})
    await kit.advance(client, "2025-02-01T01:00")
    (client.invoice,) = await kit.invoices(client, client.who)
    client.usage, client.month = sorted(client.invoice["fees"], key=lambda fee: fee["item"]["type"])
    body = {
        "invoice_id": client.invoice["lago_id"],
        "reason": "other",
        "description": "late, sorry",
        "items": [{"fee_id": client.month["lago_id"], "amount_cents": 500}],
        "credit_amount_cents": 600,
    }
    client.note = (await kit.post(client, "/credit_notes", {"credit_note": body}))["credit_note"]
    return client


async def ask(client, resource_type, *, expect=200, **more):
    body = {"resource_type": resource_type, **more}
    answer = await kit.post(client, "/data_exports", {"data_export": body}, expect=expect)
    return answer["data_export"] if expect == 200 else answer


async def show(client, export, **more):
    return (await kit.get(client, f"/data_exports/{export['lago_id']}", **more)).get("data_export")


async def download(application, url, *, expect=200):
    transport = httpx.ASGITransport(application.asgi)
    async with httpx.AsyncClient(transport=transport) as anybody:
        answer = await anybody.get(url)
    assert answer.status_code == expect
    return answer


@pytest.fixture
def export(application, work):
    """Export something: the header, and the rows by it."""

    async def run(client, resource_type, **filters):
        asked = await ask(client, resource_type, filters=filters)
        await work()
        done = await show(client, asked)
        assert done["status"] == "completed", done
        answer = await download(application, done["file_url"])
        header, *rows = csv.reader(io.StringIO(answer.content.decode(), newline=""))
        assert (done["rows_written"], done["rows_total"]) == (len(rows), len(rows))
        return ",".join(header), [dict(zip(header, row, strict=True)) for row in rows]

    return run


def watch(monkeypatch, resource_type, before_chunk):
    """Call something with the number of each chunk before it is read."""
    source, chunks = SOURCES[resource_type], iter(range(1_000))

    async def rows(desk, keys, wanted):
        await before_chunk(next(chunks))
        return await source.rows(desk, keys, wanted)

    monkeypatch.setattr(jobs, "CHUNK", 1)
    monkeypatch.setitem(SOURCES, resource_type, replace(source, rows=rows))


async def sell(client, who, cents, **more):
    """A one-off invoice of so much."""
    body = {"name": "Setup", "code": "setup", "amount_cents": 1, "amount_currency": "EUR"}
    await client.post("/add_ons", json={"add_on": body})
    fee = {"add_on_code": "setup", "unit_amount_cents": cents}
    body = {"external_customer_id": who["external_id"], "currency": "EUR", "fees": [fee], **more}
    return (await kit.post(client, "/invoices", {"invoice": body}))["invoice"]


@pytest.fixture
async def three(make_organization):
    """An organization with three invoices of 1.00, 2.00 and 3.00."""
    organization = await make_organization("2025-01-01T00:00:00Z")
    client = organization.client
    client.organization_id = organization.id
    client.who = await kit.customer(client, currency="EUR")
    client.invoices = [await sell(client, client.who, cents) for cents in (100, 200, 300)]
    return client


class TestRows:
    async def test_of_invoices(self, seller, export):
        header, (row,) = await export(seller, "invoices")
        assert header == INVOICES
        assert row == {
            "lago_id": seller.invoice["lago_id"], "sequential_id": "1", "partner_billing": "false",
            "issuing_date": "2025-02-01", "customer_lago_id": seller.who["lago_id"], "customer_external_id": "aiko",
            "customer_name": "Aiko, Ltd", "customer_email": "ap@aiko.test", "customer_country": "JP",
            "customer_tax_identification_number": "", "invoice_number": seller.invoice["number"],
            "purchase_order_number": "", "invoice_type": "subscription", "payment_status": "pending",
            "status": "finalized", "file_url": "", "currency": "EUR", "fees_amount_cents": "3700",
            "coupons_amount_cents": "0", "taxes_amount_cents": "740", "credit_notes_amount_cents": "0",
            "prepaid_credit_amount_cents": "0", "total_amount_cents": "4440", "payment_due_date": "2025-02-01",
            "payment_dispute_lost_at": "", "payment_overdue": "false", "total_due_amount_cents": "4440",
            "total_paid_amount_cents": "0", "total_offsetted_credit_note_amount_cents": "0",
            "progressive_billing_credit_amount_cents": "0",
        }  # fmt: skip

    async def test_of_fees(self, seller, export):
        """January in Tokyo, which begins on 31 December at 15:00 UTC."""
        header, rows = await export(seller, "invoice_fees")
        assert header == INVOICE_FEES
        shared = {
            "invoice_lago_id": seller.invoice["lago_id"], "invoice_number": seller.invoice["number"],
            "invoice_issuing_date": "2025-02-01", "fee_item_filter_invoice_display_name": "",
            "subscription_external_id": "sub-1", "subscription_plan_code": "basic", "fee_from_date": "2025-01-01",
            "fee_to_date": "2025-01-31", "fee_amount_currency": "EUR",
        }  # fmt: skip
        assert rows == [
            {
                **shared, "fee_lago_id": fee["lago_id"], **{f"fee_{name}": value for name, value in own.items()},
            }
            for fee, own in (
                (seller.month, {
                    "item_type": "subscription", "item_code": "basic", "item_name": "Basic", "item_description": "",
                    "item_invoice_display_name": "Basic", "item_grouped_by": "{}", "units": "1.0",
                    "precise_unit_amount": "31.0", "taxes_amount_cents": "620", "total_amount_cents": "3720",
                }),
                (seller.usage, {
                    "item_type": "charge", "item_code": "calls", "item_name": "Calls", "item_description": "Made",
                    "item_invoice_display_name": "Calls", "item_grouped_by": '{"region":"eu"}', "units": "3.0",
                    "precise_unit_amount": "2.0", "taxes_amount_cents": "120", "total_amount_cents": "720",
                }),
            )
        ]  # fmt: skip

    async def test_of_credit_notes(self, seller, export):
        header, (row,) = await export(seller, "credit_notes")
        assert header == CREDIT_NOTES
        assert row == {
            "lago_id": seller.note["lago_id"], "sequential_id": "1", "partner_billing": "false",
            "issuing_date": "2025-02-01", "customer_lago_id": seller.who["lago_id"], "customer_external_id": "aiko",
            "customer_name": "Aiko, Ltd", "customer_email": "ap@aiko.test", "customer_country": "JP",
            "customer_tax_identification_number": "", "number": f"{seller.invoice['number']}-CN001",
            "invoice_number": seller.invoice["number"], "purchase_order_number": "", "credit_status": "available",
            "refund_status": "", "reason": "other", "description": "late, sorry", "currency": "EUR",
            "total_amount_cents": "600", "taxes_amount_cents": "100",
            "sub_total_excluding_taxes_amount_cents": "500", "coupons_adjustment_amount_cents": "0",
            "offset_amount_cents": "0", "credit_amount_cents": "600", "balance_amount_cents": "600",
            "refund_amount_cents": "0", "file_url": "",
        }  # fmt: skip

    async def test_of_items_of_credit_notes(self, seller, export):
        header, (row,) = await export(seller, "credit_note_items")
        assert header == CREDIT_NOTE_ITEMS
        assert list(row.values()) == [
            seller.note["lago_id"], f"{seller.invoice['number']}-CN001", seller.invoice["number"], "2025-02-01",
            seller.note["items"][0]["lago_id"], seller.month["lago_id"], "EUR", "500",
        ]  # fmt: skip

    async def test_of_the_journal(self, seller, export):
        """The invoice, 44.40 of it due; then 5.00 and its tax given back."""
        header, rows = await export(seller, "journal_lines")
        assert header == JOURNAL_LINES
        entries = (await kit.get(seller, "/journal_entries"))["journal_entries"]
        assert [entry["lago_id"] for entry in entries for _ in entry["lines"]] == [
            row["entry_lago_id"] for row in rows
        ]
        issued = [row for row in rows if row["document_type"] == "invoice"]
        assert {(row["account"], row["debit_cents"], row["credit_cents"]) for row in issued} == {
            ("accounts_receivable", "4440", "0"),
            ("revenue.subscription", "0", "3100"),
            ("revenue.usage", "0", "600"),
            ("tax_payable", "0", "740"),
        }
        first = rows[0]
        assert (first["sequence"], first["posted_at"]) == (
            str(entries[0]["sequence"]),
            entries[0]["posted_at"],
        )
        told = ("document_lago_id", "document_number", "description", "external_customer_id", "currency")
        number = seller.invoice["number"]
        assert [first[name] for name in told] == [
            seller.invoice["lago_id"], number, f"Invoice {number} issued", "aiko", "EUR",
        ]  # fmt: skip
        given = {
            row["account"]: (row["debit_cents"], row["credit_cents"]) for row in rows if row not in issued
        }
        assert given == {
            "revenue.subscription": ("500", "0"),
            "tax_payable": ("100", "0"),
            "credit_notes_payable": ("0", "600"),
        }

    async def test_name_the_issuer_where_there_are_several(self, seller, export):
        await kit.post(seller, "/billing_entities", {"billing_entity": {"code": "second", "name": "Second"}})
        code = seller.invoice["billing_entity_code"]
        for resource_type, header in (("invoices", INVOICES), ("credit_notes", CREDIT_NOTES)):
            found, (row,) = await export(seller, resource_type)
            assert found == f"{header},billing_entity_code"
            assert row["billing_entity_code"] == code
        assert (await export(seller, "invoice_fees"))[0] == INVOICE_FEES

    async def test_lead_to_documents(self, seller, export, application):
        made = await kit.post(seller, f"/invoices/{seller.invoice['lago_id']}/download", {})
        _, (row,) = await export(seller, "invoices")
        assert row["file_url"] == made["invoice"]["file_url"]
        assert (await download(application, row["file_url"])).content.startswith(b"%PDF")

    async def test_of_nothing_are_a_header(self, client, export):
        for resource_type, header in (
            ("invoices", INVOICES), ("invoice_fees", INVOICE_FEES), ("credit_notes", CREDIT_NOTES),
            ("credit_note_items", CREDIT_NOTE_ITEMS), ("journal_lines", JOURNAL_LINES),
        ):  # fmt: skip
            assert await export(client, resource_type) == (header, [])

    async def test_are_no_formulas(self, client, export):
        """What a spreadsheet would carry out is a text; quotes and breaks are the cell's, and a number stays one."""
        names = {
            '=HYPERLINK("http://x.test")': '\'=HYPERLINK("http://x.test")',
            "+49 30 1": "'+49 30 1",
            "-2+3": "'-2+3",
            "@SUM(A1)": "'@SUM(A1)",
            "\tx": "'\tx",
            "\rx": "'\rx",
            "-12.50": "-12.50",
            'a "b"\r\nc': 'a "b"\r\nc',
            "a=b": "a=b",
        }
        for name in names:
            await sell(client, await kit.customer(client, name=name), 100)
        _, rows = await export(client, "invoices")
        stored = [row["customer"]["name"] for row in (await kit.get(client, "/invoices"))["invoices"]]
        assert [row["customer_name"] for row in rows] == [names.get(name, name) for name in stored]
        assert {row["customer_name"] for row in rows} >= {"'@SUM(A1)", "-12.50", "'-2+3", "a=b"}

    async def test_are_another_organizations_never(self, seller, three, export):
        _, rows = await export(three, "invoices")
        assert {row["lago_id"] for row in rows} == {invoice["lago_id"] for invoice in three.invoices}
        asked = await ask(seller, "invoices")
        assert await kit.get(three, f"/data_exports/{asked['lago_id']}", expect=404) == {
            "status": 404, "error": "Not Found", "code": "data_export_not_found",
        }  # fmt: skip
        assert asked["lago_id"] not in str(await kit.get(three, "/data_exports"))

    @pytest.mark.parametrize("resource_type", ResourceType)
    async def test_are_read_by_the_same_few_statements(
        self, seller, export, count_statements, monkeypatch, resource_type
    ):
        """However many they are, a chunk takes as many."""
        counts = []
        for _ in range(2):
            with count_statements() as statements:
                await export(seller, resource_type)
            counts.append(len([one for one in statements if "procrastinate" not in one]))
            for _ in range(3):
                invoice = await sell(seller, seller.who, 1_000)
                body = {"invoice_id": invoice["lago_id"], "credit_amount_cents": 120}
                body["items"] = [{"fee_id": invoice["fees"][0]["lago_id"], "amount_cents": 100}]
                await kit.post(seller, "/credit_notes", {"credit_note": body})
        assert counts[0] == counts[1]


class TestFilters:
    async def test_are_those_of_the_list(self, seller, export):
        cheap = await sell(seller, await kit.customer(seller, external_id="b", name="Bob"), 100)
        await kit.call(
            seller, "PUT", f"/invoices/{cheap['lago_id']}", {"invoice": {"metadata": [{"key": "k", "value": "v"}]}}
        )  # fmt: skip
        for filters, number_of in (
            ({"invoice_type": "one_off"}, 1),
            ({"amount_from": 4440}, 1),
            ({"amount_to": "4439"}, 1),
            ({"statuses": ["finalized", "voided"]}, 2),
            ({"status": ["voided"]}, 0),
            ({"statuses[]": ["finalized"]}, 2),
            ({"payment_overdue": True}, 0),
            ({"metadata": {"k": "v"}}, 1),
            ({"search_term": "Bob", "currency": None}, 1),
            ({"issuing_date_from": "2025-02-02"}, 0),
            ({"external_customer_id": "aiko"}, 1),
        ):
            _, rows = await export(seller, "invoices", **filters)
            assert len(rows) == number_of, filters
        _, rows = await export(seller, "invoice_fees", external_customer_id="b")
        assert [row["invoice_lago_id"] for row in rows] == [cheap["lago_id"]]
        assert (await export(seller, "credit_notes", reason="duplicated_charge"))[1] == []
        assert len((await export(seller, "credit_note_items", types=["credit"]))[1]) == 1
        assert (await export(seller, "credit_note_items", types=["refund"]))[1] == []
        _, lines = await export(seller, "journal_lines", document_type="credit_note")
        assert {row["document_number"] for row in lines} == {seller.note["number"]}

    @pytest.mark.parametrize(
        ("resource_type", "filters", "details"),
        [
            ("invoices", {"colour": "red"}, {"colour": ["unknown_filter"]}),
            ("journal_lines", {"status": "draft"}, {"status": ["unknown_filter"]}),
            ("invoices", {"currency": ["EUR"]}, {"currency": ["value_is_invalid"]}),
            ("invoices", {"currency": {"a": 1}}, {"currency": ["value_is_invalid"]}),
            ("invoices", {"metadata": "k"}, {"metadata": ["value_is_invalid"]}),
            ("invoices", {"amount_from": 1.5}, {"amount_from": ["value_is_invalid"]}),
            ("invoices", {"amount_from": "x"}, {"amount_from": ["value_is_invalid"]}),
            ("invoice_fees", {"issuing_date_to": "soon"}, {"issuing_date_to": ["invalid_date"]}),
            (
                "invoices",
                {"settlements": ["payment", "cash"]},
                {"settlements": {"1": ["must be one of: payment, credit_note"]}},
            ),
            ("credit_notes", {"reason": "none"}, {"reason": ["value_is_invalid"]}),
            ("credit_note_items", {"types": ["gift"]}, {"types": ["value_is_invalid"]}),
            ("journal_lines", {"account": "petty"}, {"account": ["value_is_invalid"]}),
        ],
    )
    async def test_that_there_are_not_are_refused(self, client, resource_type, filters, details):
        answer = await ask(client, resource_type, filters=filters, expect=422)
        assert answer["error_details"] == {"filters": details}
        assert (await kit.get(client, "/data_exports"))["data_exports"] == []

    async def test_of_no_issuer_are_refused_as_in_the_list(self, client):
        answer = await ask(client, "invoices", filters={"billing_entity_codes": ["nobody"]}, expect=404)
        assert answer["code"] == "billing_entity_not_found"


class TestAsking:
    @pytest.mark.parametrize(
        ("body", "details"),
        [
            ({"format": "csv"}, {"resource_type": ["value_is_mandatory"]}),
            ({"resource_type": "customers"}, {"resource_type": ["value_is_invalid"]}),
            ({"resource_type": "invoices", "format": "xls"}, {"format": ["value_is_invalid"]}),
            ({"resource_type": "invoices", "filters": ["a"]}, {"filters": ["value_is_invalid"]}),
            ({"resource_type": "invoices", "email": "nobody"}, {"email": ["invalid_email_format"]}),
        ],
    )
    async def test_for_what_there_is_not_is_refused(self, client, body, details):
        answer = await kit.post(client, "/data_exports", {"data_export": body}, expect=422)
        assert answer["error_details"] == details

    async def test_is_answered_before_anything_is_done(self, seller):
        asked = await ask(seller, "invoices", format="csv", filters={"currency": "EUR"})
        assert asked["created_at"] == "2025-02-01T01:00:00Z"
        assert asked == {
            "lago_id": asked["lago_id"], "resource_type": "invoices", "format": "csv",
            "filters": {"currency": "EUR"}, "status": "pending", "progress": 0, "rows_written": 0,
            "rows_total": None, "error": None, "file_name": "20250201010000_invoices.csv", "file_url": None,
            "lago_api_key_id": asked["lago_api_key_id"], "user_email": None, "email": None,
            "created_at": "2025-02-01T01:00:00Z", "started_at": None, "completed_at": None,
            "expires_at": "2025-02-08T01:00:00Z",
        }  # fmt: skip
        assert UUID(asked["lago_api_key_id"])
        assert await show(seller, asked) == asked

    async def test_is_in_the_security_log(self, seller):
        asked = await ask(seller, "credit_notes", filters={"currency": "EUR"})
        logged = (await kit.get(seller, "/security_logs", to_date="2025-12-31"))["security_logs"]
        (entry,) = [one for one in logged if one["log_event"] == "export.created"]
        assert entry["log_type"] == "export"
        assert entry["resources"] == {
            "lago_id": asked["lago_id"],
            "export_type": "credit_notes",
            "filters": {"currency": "EUR"},
            "email": None,
        }

    async def test_lists_the_newest_first(self, client):
        asked = [await ask(client, resource_type) for resource_type in ("invoices", "credit_notes")]
        found = await kit.get(client, "/data_exports", per_page=1)
        assert found["data_exports"] == asked[1:]
        assert found["meta"]["total_count"] == 2


class TestRights:
    async def test_of_a_key_are_to_read_what_is_exported(self, application, database, seller):
        async with database.tenant(seller.organization_id) as tx:
            _, value = await organizations.create_api_key(
                tx, name=None, now=datetime.now(UTC), permissions={"credit_note": ["read"]}
            )
        transport = httpx.ASGITransport(application.asgi, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {value}"}
        base = str(seller.base_url)
        async with httpx.AsyncClient(transport=transport, headers=headers, base_url=base) as limited:
            for resource_type in ("invoices", "invoice_fees", "journal_lines"):
                answer = await ask(limited, resource_type, expect=403)
                assert answer["code"] == "read_action_not_allowed_for_invoice"
            other = await ask(seller, "invoices")
            await kit.get(limited, f"/data_exports/{other['lago_id']}", expect=403)
            own = await ask(limited, "credit_note_items")
            assert await show(limited, own) == own
            assert (await kit.get(limited, "/data_exports"))["data_exports"] == [own]

    async def test_of_a_person_are_to_export_it(self, application, database, work):
        person = await sign_up(application)
        person.browser.base_url = "http://test/api/v1"
        person.browser.headers["X-Lago-Organization"] = person.organization_id
        asked = await ask(person.browser, "invoices")
        assert (asked["user_email"], asked["lago_api_key_id"]) == (person.email, None)
        async with database.system() as connection:
            made = {"code": "clerk", "permissions": ["invoices:view", "credit_notes:export"]}
            await connection.execute(
                text(
                    "INSERT INTO roles (id, organization_id, code, name, permissions, created_at, updated_at)"
                    " VALUES (gen_random_uuid(), :of, :code, :code, :permissions, now(), now())"
                ),
                {"of": person.organization_id, **made},
            )
            await connection.execute(
                text("UPDATE memberships SET roles = '{clerk}' WHERE organization_id = :of"),
                {"of": person.organization_id},
            )
        answer = await ask(person.browser, "invoices", expect=403)
        assert answer["required_permissions"] == ["invoices:export"]
        await kit.get(person.browser, f"/data_exports/{asked['lago_id']}", expect=403)
        own = await ask(person.browser, "credit_notes")
        assert (await kit.get(person.browser, "/data_exports"))["data_exports"] == [own]


class TestWriting:
    async def test_tells_how_far_it_is(self, three, export, monkeypatch):
        seen = []

        async def look(_):
            (one,) = (await kit.get(three, "/data_exports"))["data_exports"]
            names = ("status", "progress", "rows_written", "rows_total", "file_url")
            seen.append([one[name] for name in names])

        watch(monkeypatch, "invoices", look)
        await export(three, "invoices")
        assert seen == [
            ["processing", 0, 0, 3, None],
            ["processing", 33, 1, 3, None],
            ["processing", 66, 2, 3, None],
        ]
        (one,) = (await kit.get(three, "/data_exports"))["data_exports"]
        assert one["progress"] == 100

    async def test_reads_all_as_of_one_instant(self, three, export, monkeypatch):
        async def sell_more(chunk):
            await sell(three, three.who, 900)
            first = three.invoices[chunk]["lago_id"]
            await kit.call(three, "PUT", f"/invoices/{first}", {"invoice": {"payment_status": "failed"}})

        watch(monkeypatch, "invoices", sell_more)
        _, rows = await export(three, "invoices")
        assert [row["lago_id"] for row in rows] == [one["lago_id"] for one in three.invoices[::-1]]
        assert [row["payment_status"] for row in rows] == ["pending"] * 3
        assert len((await kit.get(three, "/invoices"))["invoices"]) == 6

    async def test_begins_anew_where_its_worker_died(self, three, work, monkeypatch, application, folder):
        async def die(chunk):
            if chunk == 1:
                raise asyncio.CancelledError

        watch(monkeypatch, "invoices", die)
        asked = await ask(three, "invoices")
        with pytest.raises(asyncio.CancelledError):
            await work()
        cut = await show(three, asked)
        assert (cut["status"], cut["rows_written"], cut["file_url"]) == ("processing", 1, None)
        await work()
        done = await show(three, asked)
        assert (done["status"], done["rows_written"], done["rows_total"]) == ("completed", 3, 3)
        assert len((await download(application, done["file_url"])).text.splitlines()) == 4
        kept = [
            path for path in (folder / "files").rglob("*") if asked["lago_id"] in str(path) and path.is_file()
        ]
        assert [path.name for path in kept] == [done["file_name"]]

    async def test_is_done_once_however_often_it_is_tried(self, three, work, application):
        asked = await ask(three, "invoices")
        await work()
        done = await show(three, asked)
        arguments = {"organization_id": three.organization_id, "export_id": UUID(asked["lago_id"])}
        await sell(three, three.who, 900)
        await application.tasks.export_data(**arguments)
        assert await show(three, asked) == done
        assert len((await download(application, done["file_url"])).text.splitlines()) == 4

    async def test_is_nobody_elses_while_somebody_is_at_it(self, three, work, database):
        asked = await ask(three, "invoices")
        async with database.held(jobs.LOCK, UUID(asked["lago_id"])):
            await work()
        assert (await show(three, asked))["status"] == "pending"

    async def test_is_tried_again(self, three, work, monkeypatch):
        async def fail(chunk):
            if chunk == 1:
                raise OSError("gone for a moment")

        watch(monkeypatch, "invoices", fail)
        asked = await ask(three, "invoices")
        with pytest.raises(OSError, match="gone for a moment"):
            await work()
        assert (await show(three, asked))["status"] == "processing"
        await work()
        done = await show(three, asked)
        assert (done["status"], done["rows_written"]) == ("completed", 3)

    async def test_fails_with_its_reason_after_the_last_try(self, three, work, monkeypatch):
        async def fail(_):
            raise OSError("never again")

        watch(monkeypatch, "invoices", fail)
        asked = await ask(three, "invoices", email="a@b.test")
        for _ in range(TRIES - 1):
            with pytest.raises(OSError, match="never again"):
                await work()
        await work()
        failed = await show(three, asked)
        assert (failed["status"], failed["error"], failed["file_url"]) == ("failed", "rows_not_read", None)

    async def test_fails_where_its_file_is_not_kept(self, three, work, monkeypatch, application):
        async def refuse(*_):
            raise OSError("full")

        monkeypatch.setattr("tallymark.integrations.files.StoredFiles.put_file", refuse)
        asked = await ask(three, "invoices")
        for _ in range(TRIES - 1):
            with pytest.raises(OSError, match="full"):
                await work()
        await work()
        assert (await show(three, asked))["error"] == "file_not_kept"

    async def test_does_not_try_again_what_cannot_be(self, three, work, database):
        asked = await ask(three, "invoices")
        async with database.tenant(three.organization_id) as tx:
            await tx.execute(text('UPDATE data_exports SET filters = \'{"billing_entity_codes": ["gone"]}\''))
        await work()
        failed = await show(three, asked)
        assert (failed["status"], failed["error"]) == ("failed", "billing_entity_not_found")

    async def test_stops_where_nobody_waits_any_more(self, three, work, monkeypatch, database, folder):
        async def forget(_):
            async with database.tenant(three.organization_id) as tx:
                await tx.execute(text("DELETE FROM data_exports"))

        watch(monkeypatch, "invoices", forget)
        asked = await ask(three, "invoices")
        await work()
        assert [path for path in folder.rglob("*") if asked["lago_id"] in str(path)] == []


class TestExpiry:
    async def test_is_after_seven_days_by_the_organizations_clock(self, three, work, application, folder):
        asked = await ask(three, "invoices")
        await kit.advance(three, "2025-01-02")
        await work()
        url = (await show(three, asked))["file_url"]
        assert (await show(three, asked))["expires_at"] == "2025-01-09T00:00:00Z"
        await kit.advance(three, "2025-01-08T23:59")
        await application.tasks.forget_exports()
        assert (await show(three, asked))["file_url"] == url
        await kit.advance(three, "2025-01-09")
        assert (await show(three, asked))["file_url"] is None
        await download(application, url)
        await application.tasks.forget_exports()
        await kit.get(three, f"/data_exports/{asked['lago_id']}", expect=404)
        await download(application, url, expect=404)
        assert [path for path in folder.rglob("*") if asked["lago_id"] in str(path)] == []

    async def test_is_of_files_that_were_never_noted_too(self, three, work, monkeypatch, application, folder):
        """The worker died between keeping the file and noting it."""

        async def die(*_, **__):
            raise asyncio.CancelledError

        asked = await ask(three, "invoices")
        with monkeypatch.context() as patched:
            patched.setattr("tallymark.rooms.data_exports.service.complete", die)
            with pytest.raises(asyncio.CancelledError):
                await work()
        assert [path for path in folder.rglob("*.csv") if asked["lago_id"] in str(path)] != []
        await kit.advance(three, "2025-01-09")
        await application.tasks.forget_exports()
        assert [path for path in folder.rglob("*") if asked["lago_id"] in str(path)] == []


class TestNotice:
    async def test_brings_the_link_once_it_is_done(self, three, work, mailbox, application):
        asked = await ask(three, "invoices", email="CFO@Acme.test")
        assert asked["email"] == "cfo@acme.test"
        assert mailbox.take() == []
        await work()
        (letter,) = mailbox.take()
        assert letter.recipients == ["cfo@acme.test"]
        assert letter["Subject"] == "Your export is ready"
        done = await show(three, asked)
        for kind in ("plain", "html"):
            shown = letter.get_body((kind,)).get_content()
            assert done["file_name"] in shown
            assert "3 rows" in shown
            assert "7 days" in shown
        assert done["file_url"] in letter.get_body(("plain",)).get_content().replace("=\n", "")
        arguments = {"organization_id": three.organization_id, "export_id": UUID(asked["lago_id"])}
        await application.tasks.bring_export(**arguments)
        assert mailbox.take() == []

    async def test_is_tried_again_where_the_server_refuses(self, three, work, mailbox):
        mailbox.answers = ["451 later"]
        await ask(three, "invoices", email="cfo@acme.test")
        with pytest.raises(Exception, match="451"):
            await work()
        assert mailbox.take() == []
        await work()
        assert len(mailbox.take()) == 1

    async def test_is_for_those_alone_who_want_one(self, three, work, mailbox):
        await ask(three, "invoices")
        await work()
        assert mailbox.take() == []


async def test_a_notice_needs_a_mail_server(database_url, tmp_path, make_organization):
    client = (await make_organization()).client
    options = Settings(admin_api_key=ADMIN_KEY, public_url="http://test", data_dir=tmp_path)
    async with running(options, database_url) as silent:
        transport = httpx.ASGITransport(silent.asgi, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url=client.base_url, headers=client.headers
        ) as same:
            answer = await ask(same, "invoices", email="cfo@acme.test", expect=403)
            assert answer["code"] == "feature_unavailable"
            await ask(same, "invoices")


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
sales = st.tuples(
    names.filter(str.strip), st.integers(1, 9_999), st.sampled_from(["pending", "failed", "succeeded"])
)


@settings(
    max_examples=5,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    sold=st.lists(sales, min_size=1, max_size=5),
    filters=st.fixed_dictionaries(
        {},
        optional={
            "amount_from": st.integers(0, 9_999),
            "amount_to": st.integers(0, 9_999),
            "payment_statuses": st.lists(st.sampled_from(["pending", "failed", "succeeded"]), max_size=2),
            "search_term": names,
        },
    ),
)
async def test_a_file_has_what_the_list_shows(make_organization, export, sold, filters):
    client = (await make_organization("2025-01-01T00:00:00Z")).client
    for name, cents, payment_status in sold:
        invoice = await sell(client, await kit.customer(client, name=name), cents)
        body = {"invoice": {"payment_status": payment_status}}
        await kit.call(client, "PUT", f"/invoices/{invoice['lago_id']}", body)
    query = {f"{k}[]" if isinstance(v, list) else k: v for k, v in filters.items()}
    listed = (await kit.get(client, "/invoices", **query))["invoices"]
    _, rows = await export(client, "invoices", **filters)
    assert [list(row.values()) for row in rows] == [
        [as_cell(value) for value in columns.pick(shown, columns.INVOICES)] for shown in listed
    ]


def as_cell(value):
    """What a file has of a value, told in another way than the code does."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    is_number = re.fullmatch(r"[+-]?\d+(\.\d+)?", str(value), re.ASCII) is not None
    return f"'{value}" if str(value)[0:1] in set("=+-@") and not is_number else str(value)
