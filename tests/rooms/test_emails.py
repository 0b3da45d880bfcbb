"""Documents sent by e-mail, by a real mail server in this process (wallets §19)."""

import base64
import email.policy
import json
import re
import socket
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select, text, update
from tests import kit
from tests.collecting import REFUSED, SUCCEEDED, Provider, link
from tests.conftest import ADMIN_KEY

from tallymark.app import running
from tallymark.db.engine import Actor, Source
from tallymark.db.ids import new_id
from tallymark.db.tables import emails, invoices
from tallymark.integrations.emails import composer
from tallymark.integrations.emails.smtp import Server, SmtpPost
from tallymark.jobs import mail
from tallymark.jobs.mail import MailKind, Recipients
from tallymark.rooms.dunning import service as dunning
from tallymark.rooms.dunning.model import CampaignInput
from tallymark.rooms.emails.model import Message, NotTaken
from tallymark.rooms.organizations import mailing
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.organizations.switches import Switch, turn
from tallymark.settings import Settings


class Mailbox:
    """Takes what comes, unless it is told to answer otherwise."""

    def __init__(self):
        self.letters, self.answers = [], []

    async def handle_DATA(self, server, session, envelope):
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer == "hang up":
            server.transport.close()
            return "250 nobody hears this"
        if answer.startswith("250"):
            letter = message_from_bytes(envelope.content, policy=email.policy.default)
            vars(letter).update(sender=envelope.mail_from, recipients=envelope.rcpt_tos)
            self.letters.append(letter)
        return answer

    def take(self):
        """What has come since the last time."""
        taken, self.letters = self.letters, []
        return taken


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


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
def provider():
    return Provider()


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory, mail_server, provider):
    options = Settings(
        admin_api_key=ADMIN_KEY,
        public_url="http://test",
        data_dir=tmp_path_factory.mktemp("data"),
        smtp_host="127.0.0.1",
        smtp_port=mail_server.port,
        smtp_security="none",
        email_from="billing@tallymark.test",
    )
    async with running(options, database_url, {"stripe": provider}) as parts:
        yield parts


TASKS = ("render_document", "render_credit_note", "render_receipt", "send_email")


@pytest.fixture
def work(application):
    """Do what waits in the queue, also what that leaves there; how many jobs that were."""

    async def run():
        done = 0
        while True:
            async with application.database.system() as connection:
                rows = await connection.execute(
                    text(
                        "DELETE FROM procrastinate_jobs WHERE id = (SELECT id FROM procrastinate_jobs"
                        " WHERE status = 'todo' AND task_name = ANY(:tasks) ORDER BY id LIMIT 1)"
                        " RETURNING task_name, args"
                    ),
                    {"tasks": list(TASKS)},
                )
                job = rows.first()
            if job is None:
                return done
            arguments = {name: UUID(v) if name.endswith("_id") else v for name, v in job.args.items()}
            await getattr(application.tasks, job.task_name)(**arguments)
            done += 1

    return run


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
ALL = ["invoice.finalized", "credit_note.created", "payment_receipt.created"]


@pytest.fixture
async def seller(make_organization, work):
    """A live organization that has everything sent, and a customer with an address."""
    organization = await make_organization()
    client = organization.client
    client.organization_id = organization.id
    await switch(client, ALL)
    client.who = await kit.customer(client, name="Acme", currency="EUR", email="ap@acme.test")
    body = {"name": "Setup", "code": "setup", "amount_cents": 10_000, "amount_currency": "EUR"}
    await kit.post(client, "/add_ons", {"add_on": body})
    await work()
    return client


async def switch(client, settings, **more):
    more.setdefault("email", "billing@hooli.test")
    more.setdefault("legal_name", "Hooli GmbH")
    await kit.call(client, "PUT", "/organizations", {"organization": {"email_settings": settings, **more}})


async def sell(client, **more):
    body = {
        "external_customer_id": client.who["external_id"],
        "currency": "EUR",
        "fees": [{"add_on_code": "setup"}],
    }
    return (await kit.post(client, "/invoices", {"invoice": {**body, **more}}))["invoice"]


async def pay(client, invoice, cents):
    body = {"invoice_id": invoice["lago_id"], "amount_cents": cents, "reference": "wire"}
    return (await kit.post(client, "/payments", {"payment": body}))["payment"]


async def states(database, client):
    async with database.tenant(client.organization_id) as tx:
        rows = await tx.execute(select(emails.c.kind, emails.c.status, emails.c.reason).order_by(emails.c.id))
        return [tuple(row) for row in rows]


def files(letter):
    return [(part.get_filename(), part.get_content_type()) for part in letter.iter_attachments()]


def words(letter, kind="plain"):
    return letter.get_body((kind,)).get_content()


class TestInvoice:
    async def test_is_sent_with_its_pdf_once_its_documents_are_made(self, seller, work, mailbox, database):
        invoice = await sell(seller)
        assert mailbox.take() == []
        await work()
        (letter,) = mailbox.take()
        assert letter.recipients == ["ap@acme.test"]
        assert letter.sender == "billing@tallymark.test"
        assert letter["From"] == "Hooli GmbH <billing@tallymark.test>"
        assert letter["Reply-To"] == "billing@hooli.test"
        assert letter["To"] == "ap@acme.test"
        assert letter["Subject"] == f"Invoice {invoice['number']} from Hooli GmbH"
        assert files(letter) == [(f"{invoice['number']}.pdf", "application/pdf")]
        assert next(letter.iter_attachments()).get_content().startswith(b"%PDF")
        for kind in ("plain", "html"):
            shown = words(letter, kind)
            assert "€100.00" in shown
            assert invoice["number"] in shown
            assert "/files/" in shown
        assert await states(database, seller) == [("invoice", "sent", None)]

    async def test_is_sent_once_however_often_it_is_tried(self, seller, work, mailbox, application, database):
        await sell(seller)
        await work()
        assert len(mailbox.take()) == 1
        async with database.tenant(seller.organization_id) as tx:
            email_id = (await tx.execute(select(emails.c.id))).scalar_one()
        await application.tasks.send_email(
            organization_id=seller.organization_id, email_id=email_id, is_simulated=False
        )
        assert mailbox.take() == []

    @pytest.mark.parametrize(
        ("settings", "customer", "status"),
        [
            pytest.param({"settings": []}, {}, [], id="switched off"),
            pytest.param({"email": None}, {}, ["skipped"], id="nobody to answer to"),
            pytest.param({}, {"email": None}, ["skipped"], id="nobody to send it to"),
        ],
    )
    async def test_is_not_sent(self, seller, work, mailbox, database, settings, customer, status):
        await switch(seller, **{"settings": ALL, **settings})
        if customer:
            await kit.customer(seller, external_id=seller.who["external_id"], **customer)
        await sell(seller)
        await work()
        assert mailbox.take() == []
        assert [state for _, state, _ in await states(database, seller)] == status

    async def test_is_not_sent_while_staff_mute_the_organization(self, seller, work, mailbox, database):
        async with database.system() as connection:
            await turn(
                connection, seller.organization_id, Switch.MUTE_EMAILS, is_on=True, now=datetime.now(UTC)
            )
        await sell(seller)
        await work()
        async with database.system() as connection:
            await turn(
                connection, seller.organization_id, Switch.MUTE_EMAILS, is_on=False, now=datetime.now(UTC)
            )
        await sell(seller)
        await work()
        assert len(mailbox.take()) == 1, "the one that came afterwards"
        reason = "muted by whoever runs the installation"
        assert await states(database, seller) == [("invoice", "skipped", reason), ("invoice", "sent", None)]

    async def test_is_not_sent_over_nothing(self, seller, work, mailbox, database):
        await sell(seller, fees=[{"add_on_code": "setup", "units": "0"}])
        await work()
        assert mailbox.take() == []
        assert [state for _, state, _ in await states(database, seller)] == ["skipped"]

    async def test_is_not_sent_to_customers_of_a_simulation(self, make_organization, work, mailbox):
        client = (await make_organization("2026-01-01T00:00:00Z")).client
        await switch(client, ALL)
        client.who = await kit.customer(client, currency="EUR", email="ap@acme.test")
        body = {"name": "Setup", "code": "setup", "amount_cents": 10_000, "amount_currency": "EUR"}
        await kit.post(client, "/add_ons", {"add_on": body})
        invoice = await sell(client)
        await kit.post(client, f"/invoices/{invoice['lago_id']}/download", {})
        await work()
        assert mailbox.take() == []

    async def test_speaks_the_customers_language(self, seller, work, mailbox):
        locale = {"billing_configuration": {"document_locale": "de"}}
        await kit.customer(seller, external_id=seller.who["external_id"], **locale)
        invoice = await sell(seller)
        await work()
        (letter,) = mailbox.take()
        assert letter["Subject"] == f"Rechnung {invoice['number']} von Hooli GmbH"
        assert "100,00\u00a0€" in words(letter)
        assert 'lang="de"' in words(letter, "html")

    async def test_carries_its_issuers_logo(self, seller, work, mailbox):
        (issuer,) = (await kit.get(seller, "/billing_entities"))["billing_entities"]
        body = {"billing_entity": {"logo": f"data:image/png;base64,{PIXEL}"}}
        await kit.call(seller, "PUT", f"/billing_entities/{issuer['code']}", body)
        await sell(seller)
        await work()
        (letter,) = mailbox.take()
        assert 'src="cid:logo" alt="Hooli GmbH"' in words(letter, "html")
        (shown,) = [part for part in letter.walk() if part["Content-ID"] == "<logo>"]
        assert (shown.get_content_type(), shown.get_content()) == ("image/png", base64.b64decode(PIXEL))
        assert len(files(letter)) == 1

    async def test_names_are_texts_and_no_markup(self, seller, work, mailbox):
        await switch(seller, ALL, legal_name="A {{7*7}} <b>bold</b> & Co\nBcc: x@y.test")
        await sell(seller)
        await work()
        (letter,) = mailbox.take()
        assert "<b>bold</b>" not in words(letter, "html")
        assert all("{{7*7}}" in words(letter, kind) for kind in ("plain", "html"))
        assert letter["Bcc"] is None
        assert letter.recipients == ["ap@acme.test"]


class TestOthers:
    async def test_a_credit_note_is_sent_when_it_is_made(self, seller, work, mailbox):
        invoice = await sell(seller)
        await work()
        mailbox.take()
        item = {"fee_id": invoice["fees"][0]["lago_id"], "amount_cents": 2_500}
        body = {"invoice_id": invoice["lago_id"], "credit_amount_cents": 2_500, "items": [item]}
        note = (await kit.post(seller, "/credit_notes", {"credit_note": body}))["credit_note"]
        await work()
        (letter,) = mailbox.take()
        assert letter["Subject"] == f"Credit note {note['number']} from Hooli GmbH"
        assert files(letter) == [(f"{note['number']}.pdf", "application/pdf")]
        assert "€25.00" in words(letter)

    async def test_a_receipt_comes_with_the_invoices_that_were_paid(self, seller, work, mailbox):
        invoice = await sell(seller)
        await work()
        mailbox.take()
        await pay(seller, invoice, 4_000)
        await work()
        (letter,) = mailbox.take()
        (receipt,) = (await kit.get(seller, "/payment_receipts"))["payment_receipts"]
        assert [name for name, _ in files(letter)] == [f"{receipt['number']}.pdf", f"{invoice['number']}.pdf"]
        assert "€40.00" in words(letter)

    async def test_a_payment_request_is_always_sent_with_links(self, seller, work, mailbox, database):
        """100.00 and 60.00 of 100.00 are due."""
        first, second = await sell(seller), await sell(seller)
        await pay(seller, second, 4_000)
        await work()
        await switch(seller, [])
        mailbox.take()
        async with database.tenant(seller.organization_id) as tx:
            await tx.execute(update(invoices).values(payment_overdue=True))
        body = {
            "external_customer_id": seller.who["external_id"],
            "lago_invoice_ids": [first["lago_id"], second["lago_id"]],
            "email": "cfo@acme.test",
        }
        await kit.post(seller, "/payment_requests", {"payment_request": body})
        await work()
        (letter,) = mailbox.take()
        assert letter.recipients == ["cfo@acme.test"]
        assert letter["Subject"] == "Overdue invoices from Hooli GmbH"
        assert files(letter) == []
        for kind in ("plain", "html"):
            shown = words(letter, kind)
            for part in ("€160.00", "€100.00", "€60.00", first["number"], second["number"], "Due on receipt"):
                assert part in shown
            assert shown.count("http://test/files/") == 2
            assert "Pay now" not in shown

    async def test_a_payment_request_has_a_button_where_there_is_a_page_to_pay_on(
        self, seller, work, mailbox, database, provider
    ):
        """Where the provider makes none, the e-mail goes out without."""
        provider.reset()
        invoice = await sell(seller)
        await work()
        mailbox.take()
        await link(database, seller.organization_id, seller.who)
        async with database.tenant(seller.organization_id) as tx:
            await tx.execute(update(invoices).values(payment_overdue=True))
        body = {
            "external_customer_id": seller.who["external_id"], "lago_invoice_ids": [invoice["lago_id"]],
            "payment_method": {"payment_method_type": "manual"}, "email": "cfo@acme.test",
        }  # fmt: skip
        for answer in (SUCCEEDED, REFUSED):
            provider.answer = answer
            made = (await kit.post(seller, "/payment_requests", {"payment_request": body}))["payment_request"]
            await work()
            (letter,) = mailbox.take()
            order = provider.pages[-1]
            assert (order.amount_cents, order.currency, str(order.payable_id)) == (
                10_000,
                "EUR",
                made["lago_id"],
            )
            assert order.metadata["payment_type"] == "one-time"
            for kind in ("plain", "html"):
                has_button = "Pay now" in words(letter, kind), order.idempotency_key in words(letter, kind)
                assert has_button == (answer is SUCCEEDED, answer is SUCCEEDED)

    async def test_a_campaigns_request_goes_to_others_too_whom_nobody_sees(
        self, seller, work, mailbox, application, database
    ):
        await switch(seller, [])
        await sell(seller)
        await work()
        who = {"organization_id": seller.organization_id, "owner_id": UUID(seller.who["lago_id"])}
        async with database.tenant(seller.organization_id) as tx:
            terms = {"name": "D", "code": "d", "bcc_emails": ["cfo@hooli.test", "ap@hooli.test"]}
            asked = CampaignInput(values=terms, thresholds={"EUR": 10_000}, applied_to_organization=True)
            await dunning.create_campaign(tx, asked, now=system_now())
            await tx.execute(update(invoices).values(payment_overdue=True))
            await dunning.watch_customers(tx, [who["owner_id"]], now=system_now())
        await application.tasks.run_due_work(**who)
        await work()
        (letter,) = mailbox.take()
        assert letter.recipients == ["ap@acme.test", "cfo@hooli.test", "ap@hooli.test"]
        assert (letter["To"], letter["Cc"], letter["Bcc"]) == ("ap@acme.test", None, None)
        assert letter["Subject"] == "Overdue invoices from Hooli GmbH"
        assert "€100.00" in words(letter)


class Undone(Exception):
    """Takes back what a test has written."""


async def test_many_documents_are_noted_by_the_statements_of_one(seller, database, count_statements):
    counts = []
    for many in (1, 3):
        with suppress(Undone):
            async with database.tenant(seller.organization_id) as tx:
                entity = await organizations.get_default_entity(tx)
                issuers = {new_id(): entity.id for _ in range(many)}
                with count_statements() as statements:
                    await mailing.note_all_wanted(tx, MailKind.CREDIT_NOTE, issuers, now=system_now())
                noted = select(emails.c.document_id).where(emails.c.kind == "credit_note")
                assert set((await tx.execute(noted)).scalars()) == set(issuers)
                counts.append(len(statements))
                raise Undone
    assert counts[0] == counts[1]


class TestFailing:
    async def test_what_the_server_refuses_is_tried_again(self, seller, work, mailbox, application, database):
        mailbox.answers = ["451 later"]
        await sell(seller)
        with pytest.raises(NotTaken):
            await work()
        (state,) = await states(database, seller)
        assert state[:2] == ("invoice", "pending")
        assert "451" in state[2]
        async with database.tenant(seller.organization_id) as tx:
            email_id = (await tx.execute(select(emails.c.id))).scalar_one()
        again = {"organization_id": seller.organization_id, "email_id": email_id, "is_simulated": False}
        await application.tasks.send_email(**again)
        assert len(mailbox.take()) == 1
        assert await states(database, seller) == [("invoice", "sent", None)]

    async def test_what_it_may_have_taken_is_not(self, seller, work, mailbox, application, database):
        mailbox.answers = ["hang up"]
        await sell(seller)
        await work()
        (state,) = await states(database, seller)
        assert state[:2] == ("invoice", "unsure")
        async with database.tenant(seller.organization_id) as tx:
            email_id = (await tx.execute(select(emails.c.id))).scalar_one()
        again = {"organization_id": seller.organization_id, "email_id": email_id, "is_simulated": False}
        await application.tasks.send_email(**again)
        assert mailbox.take() == []

    async def test_a_server_that_is_away_has_taken_nothing(self):
        server = Server(host="127.0.0.1", port=free_port(), security="none", sender="billing@tallymark.test")
        with pytest.raises(NotTaken):
            await SmtpPost(server)(Message(recipients=("ap@acme.test",), content=b"Subject: x\r\n\r\n"))

    async def test_a_server_that_does_not_speak_tls_gets_nothing(self, mail_server, mailbox):
        server = Server(
            host="127.0.0.1", port=mail_server.port, security="starttls", sender="billing@tallymark.test"
        )
        message = Message(recipients=("ap@acme.test",), content=b"Subject: x\r\n\r\n")
        with pytest.raises(NotTaken):
            await SmtpPost(server)(message)
        await SmtpPost(replace(server, security="none"))(message)
        assert len(mailbox.take()) == 1


class TestActivity:
    """platform §10.1: `email.sent`, on the document."""

    async def logged(self, client):
        query = {"activity_types[]": "email.sent"}
        return (await kit.get(client, "/activity_logs", **query))["activity_logs"][::-1]

    async def test_tells_who_got_what(self, seller, work):
        invoice = await sell(seller)
        await work()
        path = f"/invoices/{invoice['lago_id']}/resend_email"
        await kit.call(seller, "POST", path, {"to": ["a@acme.test"], "bcc": ["b@acme.test"]})
        await work()
        first, again = await self.logged(seller)
        assert (first["resource_type"], first["resource_id"]) == ("Invoice", invoice["lago_id"])
        assert (first["activity_source"], first["activity_object_changes"]) == ("system", {})
        assert first["external_customer_id"] == seller.who["external_id"]
        shown = first["activity_object"]
        assert (shown["status"], shown["subject"]) == ("sent", f"Invoice {invoice['number']} from Hooli GmbH")
        assert (shown["to"], shown["cc"], shown["bcc"]) == (["ap@acme.test"], [], [])
        assert again["activity_object"]["status"] == "resent"
        assert (again["activity_object"]["to"], again["activity_object"]["bcc"]) == (
            ["a@acme.test"],
            ["b@acme.test"],
        )

    async def test_names_who_asked_for_it_again(self, seller, work, mailbox, database):
        invoice = await sell(seller)
        await work()
        await kit.call(seller, "POST", f"/invoices/{invoice['lago_id']}/resend_email", None)
        member = Actor(user_agent="", ip_address=None, user_email="ada@hooli.test")
        own = Recipients(to=("ap@acme.test",))
        async with database.tenant(seller.organization_id, source=Source.FRONT, actor=member) as tx:
            await mail.note_again(tx, MailKind.INVOICE, UUID(invoice["lago_id"]), own, now=system_now())
        mailbox.answers = ["250 taken", "451 later"]
        with suppress(NotTaken):
            await work()
        by_itself, by_key, by_member = await self.logged(seller)
        assert [one["activity_object"]["status"] for one in (by_key, by_member)] == ["resent", "failed"]
        told = [
            (one["activity_source"], one["user_email"], (one["api_key"] or {}).get("name"))
            for one in (by_itself, by_key, by_member)
        ]
        assert told == [
            ("system", None, None),
            ("api", None, "default"),
            ("front", "ada@hooli.test", None),
        ]

    async def test_has_the_beginning_of_the_text_without_what_opens_files(self, seller, work, mailbox):
        await sell(seller)
        await work()
        (letter,) = mailbox.take()
        assert "signature=" in words(letter)
        (entry,) = await self.logged(seller)
        preview = entry["activity_object"]["body_preview"]
        assert 0 < len(preview) <= 500
        assert "€100.00" in preview
        assert "signature=" not in preview

    @pytest.mark.parametrize("answer", ["451 later", "hang up"])
    async def test_tells_what_failed(self, seller, work, mailbox, answer):
        mailbox.answers = [answer]
        await sell(seller)
        with suppress(NotTaken):
            await work()
        (entry,) = await self.logged(seller)
        assert entry["activity_object"]["status"] == "failed"


class TestAgain:
    async def resend(self, client, invoice, *, expect=200, **body):
        path = f"/invoices/{invoice['lago_id']}/resend_email"
        return await kit.call(client, "POST", path, body or None, expect=expect)

    async def test_goes_to_whom_somebody_says(self, seller, work, mailbox):
        invoice = await sell(seller)
        await work()
        mailbox.take()
        assert await self.resend(seller, invoice) == {}
        await self.resend(
            seller,
            invoice,
            to=["cfo@acme.test", "ceo@acme.test"],
            cc=["b@acme.test"],
            bcc=["audit@acme.test"],
        )
        await work()
        first, second = mailbox.take()
        assert first.recipients == ["ap@acme.test"]
        assert second.recipients == ["cfo@acme.test", "ceo@acme.test", "b@acme.test", "audit@acme.test"]
        assert (second["To"], second["Cc"], second["Bcc"]) == (
            "cfo@acme.test, ceo@acme.test",
            "b@acme.test",
            None,
        )

    async def test_is_refused_in_order(self, seller, work):
        nobody = {"lago_id": "00000000-0000-0000-0000-000000000000"}
        assert (await self.resend(seller, nobody, expect=404))["code"] == "invoice_not_found"
        grace = {"billing_configuration": {"invoice_grace_period": 3}}
        who = await kit.customer(seller, email="d@acme.test", **grace)
        plan = await kit.plan(seller, amount_cents=100, pay_in_advance=True)
        await kit.subscribe(seller, who, plan)
        invoice = await sell(seller)
        await work()
        await switch(seller, [])
        answer = await self.resend(seller, invoice, expect=405)
        assert answer["code"] == "email_settings_disabled"
        await switch(seller, ALL, email=None)
        answer = await self.resend(seller, invoice, expect=422, to=["no address"])
        assert answer["error_details"] == {"billing_entity": ["value_is_mandatory"]}
        await switch(seller, ALL)
        answer = await self.resend(seller, invoice, expect=422, to=["no address"], cc=[7], bcc="a@b.test,c")
        assert answer["error_details"] == {name: ["invalid_email_format"] for name in ("to", "cc", "bcc")}
        await kit.customer(seller, external_id=seller.who["external_id"], email=None)
        answer = await self.resend(seller, invoice, expect=422, cc=["b@acme.test"])
        assert answer["error_details"] == {"to": ["value_is_mandatory"]}

    async def test_a_draft_is_not_sent(self, make_organization):
        client = (await make_organization("2026-01-01T00:00:00Z")).client
        await switch(client, ALL)
        grace = {"billing_configuration": {"invoice_grace_period": 3}}
        who = await kit.customer(client, email="d@acme.test", **grace)
        await kit.subscribe(client, who, await kit.plan(client, amount_cents=100))
        await kit.advance(client, "2026-02-02")
        (draft,) = await kit.invoices(client, who)
        answer = await self.resend(client, draft, expect=405)
        assert answer["code"] == "invoice_not_finalized"

    async def test_credit_notes_and_receipts_too(self, seller, work, mailbox):
        invoice = await sell(seller)
        await pay(seller, invoice, 4_000)
        item = {"fee_id": invoice["fees"][0]["lago_id"], "amount_cents": 100}
        body = {"invoice_id": invoice["lago_id"], "credit_amount_cents": 100, "items": [item]}
        note = (await kit.post(seller, "/credit_notes", {"credit_note": body}))["credit_note"]
        (receipt,) = (await kit.get(seller, "/payment_receipts"))["payment_receipts"]
        await work()
        mailbox.take()
        for path in (f"/credit_notes/{note['lago_id']}", f"/payment_receipts/{receipt['lago_id']}"):
            await kit.call(seller, "POST", f"{path}/resend_email", {"to": ["x@acme.test"]})
        await work()
        assert [letter.recipients for letter in mailbox.take()] == [["x@acme.test"]] * 2
        for path, code in (
            ("credit_notes", "credit_note_not_found"),
            ("payment_receipts", "invoice_not_found"),
        ):
            answer = await kit.call(
                seller, "POST", f"/{path}/{seller.who['lago_id']}/resend_email", {}, expect=404
            )
            assert answer["code"] == code

    async def test_needs_a_mail_server(self, seller, application, work):
        invoice = await sell(seller)
        await work()
        application.asgi.state.sends_emails = False
        try:
            answer = await self.resend(seller, invoice, expect=403)
        finally:
            application.asgi.state.sends_emails = True
        assert answer["code"] == "feature_unavailable"
        assert await work() == 0


def test_sheets_are_narrower_on_phones():
    for template in (Path(composer.__file__).parent / "templates").glob("*.html.j2"):
        text = template.read_text()
        assert "@media (max-width:600px) { .sheet {" in text, template.name
        assert '<td class="sheet ink" style="padding:40px 48px 36px;' in text, template.name


def test_there_are_words_in_every_language_of_the_documents():
    """Each language has each of them, with the same slots."""
    folder = Path(composer.__file__).parent
    own = json.loads((folder / "words.json").read_text())
    documents = {path.stem for path in (folder.parent / "documents" / "templates" / "locales").glob("*.json")}
    assert own.keys() == documents
    slots = {name: re.findall(r"\{.*?\}", text) for name, text in own["en"].items()}
    for words_of_one in own.values():
        assert {name: re.findall(r"\{.*?\}", text) for name, text in words_of_one.items()} == slots
