"""The organization that the settings ask for (platform §17)."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
from tests.cli.conftest import tallymark
from tests.kit import get
from tests.people import browser, sign_in, sign_up

from tallymark.db.errors import StartupError
from tallymark.first_run import make_organization, read_first_run
from tallymark.settings import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = "lago_key-hooli-1234567890"


def asked(org_name, **more):
    wanted = {"org_user_email": "Gavin@Hooli.test", "org_user_password": "tethics"}
    return read_first_run(Settings(create_org=True, org_name=org_name, **{**wanted, **more}))


async def rows(database):
    async with database.system() as connection:
        counted = [
            (await connection.exec_driver_sql(f"SELECT count(*), max(updated_at) FROM {table}")).one()
            for table in ("organizations", "billing_entities", "users", "memberships")
        ]
        keys = (await connection.exec_driver_sql("SELECT count(*) FROM api_keys")).scalar_one()
    return [*counted, keys]


async def test_an_organization_is_made_with_its_admin_and_key_and_once(application, database, nobody):
    wanted = asked("Hooli", org_api_key=KEY)
    assert "tethics" not in repr(wanted)
    assert KEY not in repr(wanted)
    assert await make_organization(database, wanted, now=NOW) is None, "nothing to show: the key was given"

    nobody.headers["Authorization"] = f"Bearer {KEY}"
    made = (await get(nobody, "/api/v1/organizations"))["organization"]
    assert made["name"] == "Hooli"
    async with browser(application) as client:
        await sign_in(client, "gavin@hooli.test", "tethics")
        (membership,) = (await get(client, "/session"))["user"]["memberships"]
    assert (membership["organization"]["lago_id"], membership["roles"]) == (made["lago_id"], ["admin"])

    async with database.system() as connection:
        deed = (await connection.exec_driver_sql("SELECT * FROM staff_deeds")).one()
    assert (deed.via, deed.verb, str(deed.about_organization_id)) == ("shell", "created", made["lago_id"])
    assert deed.after == {"name": "Hooli", "email": "gavin@hooli.test"}

    before = await rows(database)
    again = asked("Hooli", org_api_key="another-key-1234567890", org_user_password="other")
    assert await make_organization(database, again, now=NOW) is None
    assert await rows(database) == before


async def test_a_user_who_is_known_keeps_their_password(application, database, nobody):
    person = await sign_up(application)
    wanted = asked("Aviato", org_user_email=person.email)
    key = await make_organization(database, wanted, now=NOW)
    nobody.headers["Authorization"] = f"Bearer {key}"
    assert (await get(nobody, "/api/v1/organizations"))["organization"]["name"] == "Aviato"
    async with browser(application, address="10.9.0.1") as client:
        await sign_in(client, person.email, "tethics", expect=422)
        await sign_in(client, person.email)
        assert len((await get(client, "/session"))["user"]["memberships"]) == 2


async def test_a_key_of_somebody_else_makes_nothing(database, organization):
    before = await rows(database)
    with pytest.raises(StartupError, match="org_api_key: value_already_exist"):
        await make_organization(database, asked("Raviga", org_api_key=organization.api_key), now=NOW)
    assert await rows(database) == before


@pytest.mark.parametrize(("changed", "told"), [
    ({"org_name": " ", "org_user_password": None}, "create_org needs org_name, org_user_password"),
    ({"org_name": "x" * 256}, "org_name: at most 255 characters"),
    ({"org_user_email": "gavin"}, "org_user_email: invalid_email_format"),
    ({"org_user_password": "x" * 5000}, "org_user_password: value_is_too_long"),
    ({"org_api_key": "x" * 19}, "org_api_key: at least 20 characters of ASCII, without spaces"),
    ({"org_api_key": " " + "x" * 20}, "org_api_key: at least 20 characters of ASCII, without spaces"),
])  # fmt: skip
def test_what_is_missing_or_wrong_is_told_by_its_name(changed, told):
    with pytest.raises(StartupError) as refused:
        asked(**{"org_name": "Hooli", **changed})
    assert str(refused.value) == told


def test_nothing_is_asked_for_by_default():
    assert read_first_run(Settings(org_name="Hooli")) is None


def test_the_names_that_self_hosters_know_are_read_by_migrate(database_url):
    variables = {
        "LAGO_CREATE_ORG": "true",
        "LAGO_ORG_NAME": "Endframe",
        "LAGO_ORG_USER_EMAIL": "ops@endframe.test",
        "LAGO_ORG_USER_PASSWORD": "middle-out",
        "LAGO_ORG_API_KEY": "endframe-key-1234567890",
    }
    done = tallymark("migrate", "--database-url", database_url, **variables)
    assert done.returncode == 0, done.stderr
    for secret in ("middle-out", "endframe-key"):
        assert secret not in done.stdout + done.stderr
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT u.email, m.roles FROM organizations o JOIN memberships m ON m.organization_id = o.id"
            " JOIN users u ON u.id = m.user_id WHERE o.name = 'Endframe'"
        ).fetchall()
    assert found == [("ops@endframe.test", ["admin"])]
