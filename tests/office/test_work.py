"""Jobs that died, work that is parked, webhooks that failed: staff see why, and have them tried again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select, text
from tests import kit
from tests.office.conftest import act, deeds

from tallymark.db.ids import new_id
from tallymark.db.tables import agenda, job_errors, webhooks
from tallymark.jobs import dead
from tallymark.jobs.agenda import Item, Kind, put
from tallymark.jobs.queue import Job, enqueue

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def die(database, organization, *, lock=None, error=None):
    """A job that failed for the last time, as workers leave it."""
    async with database.system() as connection:
        arguments = {"organization_id": str(organization.id), "invoice_id": str(uuid4())}
        await enqueue(connection, Job(task="render_document", arguments=arguments, lock=lock))
        taken = "UPDATE procrastinate_jobs SET status = 'failed', attempts = 12 WHERE args = CAST(:args AS jsonb) RETURNING id"
        args = json.dumps(arguments)
        (job_id,) = (await connection.execute(text(taken), {"args": args})).one()
        await dead.note_error(connection, job_id, error or ValueError("no such font"), now=NOW)
    return job_id


async def status_of(database, job_id):
    async with database.system() as connection:
        found = await connection.execute(
            text("SELECT CAST(status AS text) FROM procrastinate_jobs WHERE id = :id"), {"id": job_id}
        )
        return found.scalar_one_or_none()


class TestDeadJobs:
    async def test_say_why_they_died_and_are_tried_again(self, ann, database, organization):
        job_id = await die(database, organization)
        page = await ann.get("/dead-jobs/list")
        assert "ValueError: no such font" in page.text
        assert (await act(ann, "dead-jobs", "retry", job_id, reason="Fonts are there now")).status_code == 200
        assert await status_of(database, job_id) == "todo"
        (deed,) = await deeds(database, subject_id=str(job_id))
        assert (deed.verb, deed.subject, deed.about_organization_id) == (
            "retried",
            "render_document",
            organization.id,
        )
        assert (deed.before["status"], deed.before["attempts"], deed.after) == (
            "failed",
            12,
            {"status": "todo"},
        )
        assert (await act(ann, "dead-jobs", "retry", job_id)).status_code == 400, "it is dead no more"

    @pytest.mark.parametrize("name", ["retry", "discard_all"])
    @pytest.mark.parametrize("key", ["none", str(2**63)])
    async def test_that_are_none_are_refused(self, ann, name, key):
        assert (await act(ann, "dead-jobs", name, key)).status_code == 400

    async def test_are_tried_or_discarded_together(self, ann, database, organization):
        jobs = [await die(database, organization) for _ in range(4)]
        assert (await act(ann, "dead-jobs", "retry_all", *jobs[:2])).status_code == 200
        assert (await act(ann, "dead-jobs", "discard_all", *jobs[2:])).status_code == 200
        assert [await status_of(database, job) for job in jobs] == ["todo", "todo", None, None]
        noted = [deed.verb for job in jobs for deed in await deeds(database, subject_id=str(job))]
        assert noted == ["retried", "retried", "discarded", "discarded"]

    async def test_stay_where_the_same_waits_already(self, ann, database, organization):
        job_id = await die(database, organization, lock=f"document:{organization.id}")
        async with database.system() as connection:
            again = Job(task="render_document", arguments={}, lock=f"document:{organization.id}")
            await enqueue(connection, again)
        assert (await act(ann, "dead-jobs", "retry", job_id)).status_code == 400
        assert await status_of(database, job_id) == "failed"
        assert await deeds(database, subject_id=str(job_id)) == []

    async def test_what_waits_is_neither_retried_nor_discarded(self, ann, database, organization):
        async with database.system() as connection:
            await enqueue(
                connection, Job(task="follow_events", arguments={"organization_id": str(organization.id)})
            )
            query = text("SELECT max(id) FROM procrastinate_jobs WHERE task_name = 'follow_events'")
            job_id = (await connection.execute(query)).scalar_one()
        for name in ("retry", "discard"):
            assert (await act(ann, "dead-jobs", name, job_id)).status_code == 400
        assert await status_of(database, job_id) == "todo"
        assert "follow_events" in (await ann.get("/jobs/list")).text

    async def test_errors_of_jobs_that_are_no_more_are_forgotten(self, database, organization):
        kept, gone = await die(database, organization), await die(database, organization)
        async with database.system() as connection:
            await dead.discard(connection, [gone])
            await dead.forget_errors(connection)
            left = set((await connection.execute(select(job_errors.c.job_id))).scalars())
        assert kept in left
        assert gone not in left


class TestParkedWork:
    async def test_of_a_customer_is_tried_again_together(self, ann, database, organization):
        owner, other = uuid4(), uuid4()
        async with database.tenant(organization.id) as tx:
            items = [
                Item(kind=kind, subject_id=uuid4(), owner_id=whose, due_at=NOW)
                for kind, whose in (
                    (Kind.BILL_PERIOD, owner),
                    (Kind.FINALIZE_INVOICE, owner),
                    (Kind.BILL_PERIOD, other),
                )
            ]
            await put(tx, *items)
            parked = {"parked_at": NOW, "attempts": 10, "last_error": "KeyError: 'plan'"}
            await tx.execute(agenda.update().values(**parked))
        assert "KeyError" in (await ann.get("/parked/list")).text
        first = f"{int(items[0].kind)}:{items[0].subject_id}"
        assert (await act(ann, "parked", "unpark", first, reason="The plan is back")).status_code == 200
        async with database.system() as connection:
            rows = await connection.execute(select(agenda).where(agenda.c.organization_id == organization.id))
            found = {row.owner_id: (row.parked_at, row.attempts) for row in rows}
        assert found == {owner: (None, 0), other: (NOW, 10)}
        noted = await deeds(database, verb="unparked", about_organization_id=organization.id)
        assert [(deed.verb, deed.reason) for deed in noted] == [("unparked", "The plan is back")] * 2
        async with database.tenant(organization.id) as tx:
            await tx.execute(agenda.delete())


@pytest.fixture
async def delivery(organization, database):
    """A delivery that failed for good."""
    endpoint = {"webhook_url": "https://hooks.acme.test/", "signature_algo": "hmac"}
    made = await kit.post(organization.client, "/webhook_endpoints", {"webhook_endpoint": endpoint})
    values = {
        "id": new_id(), "organization_id": organization.id, "endpoint_id": UUID(made["webhook_endpoint"]["lago_id"]),
        "message_id": 1, "webhook_type": "invoice.created", "object_key": "invoice:1", "sequence": 1, "body": '{"a": 1}',
        "status": "failed", "retries": 3, "next_attempt_at": NOW, "http_status": 503, "response": "Down for a while",
        "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    async with database.tenant(organization.id) as tx:
        await tx.execute(insert(webhooks).values(**values))
    return values["id"]


class TestWebhooks:
    async def test_that_failed_are_sent_again(self, ann, database, organization, delivery):
        page = await ann.get("/deliveries/detail", params={"pk": str(delivery)})
        assert "Down for a while" in page.text
        assert "hooks.acme.test" in (await ann.get("/endpoints/list")).text
        assert (
            await act(ann, "deliveries", "send_again", delivery, reason="They are up again")
        ).status_code == 200
        async with database.system() as connection:
            row = (await connection.execute(select(webhooks).where(webhooks.c.id == delivery))).one()
        assert (row.status, row.retries, row.next_attempt_at > NOW) == ("retrying", 3, True)
        (deed,) = await deeds(database, subject_id=str(delivery))
        assert (deed.verb, deed.about_organization_id, deed.before, deed.after) == (
            "sent_again", organization.id, {"status": "failed"}, {"status": "retrying"},
        )  # fmt: skip

    async def test_that_have_arrived_are_not(self, ann, database, delivery):
        async with database.system() as connection:
            await connection.execute(
                webhooks.update().where(webhooks.c.id == delivery).values(status="succeeded")
            )
        for name in ("send_again", "send_all_again"):
            assert (await act(ann, "deliveries", name, delivery)).status_code == 400
        assert await deeds(database, subject_id=str(delivery)) == []
