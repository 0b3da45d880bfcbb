"""`tallymark analytics` and `tallymark metabase`: what they say. In this process, for one of their own takes seconds to begin."""

import re

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tallymark.cli import analytics, metabase
from tallymark.db.engine import plain_url
from tallymark.db.errors import StartupError


@pytest.fixture(autouse=True)
def quiet_logs(monkeypatch):
    """The tests' logging stays as it is."""
    monkeypatch.setattr("tallymark.logs.configure_logs", lambda **_: None)


def test_a_role_is_granted_listed_and_revoked(database_url, capsys):
    analytics.grant_role("shell_reader", all_organizations=True, database_url=database_url)
    told = capsys.readouterr().out
    found = re.search(r"Password: (\S{30,})  \(shown this once\)", told)
    assert found, told
    as_reader = make_url(database_url).set(username="shell_reader", password=found[1])
    with psycopg.connect(plain_url(as_reader)) as connection:
        assert connection.execute("SELECT count(*) FROM analytics.organizations").fetchone() == (0,)
    analytics.grant_role("shell_reader", all_organizations=True, database_url=database_url)
    assert "Password" not in capsys.readouterr().out, "it keeps the one that it has"
    analytics.list_roles(database_url=database_url)
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in listed[1:]] == [["shell_reader", "all", "organizations"]]
    with pytest.raises(StartupError, match="organization not found"):
        analytics.grant_role("shell_reader", organization="nobody", database_url=database_url)
    analytics.revoke_role("shell_reader", database_url=database_url)
    assert capsys.readouterr().out == "Revoked.\n"


def test_whom_a_role_sees_has_to_be_said(database_url):
    for organization, sees_all in ((None, False), ("acme", True)):
        with pytest.raises(StartupError, match="say either which organization it sees"):
            analytics.grant_role("x", organization, sees_all, database_url=database_url)


@pytest.mark.parametrize(
    "who",
    [{}, {"email": "a@acme.test"}, {"api_key": "k", "email": "a@acme.test", "password": "p"}],
    ids=["nobody", "half", "two"],
)
def test_metabase_is_asked_by_somebody(who):
    with pytest.raises(StartupError, match="give either a key"):
        metabase.provision("https://m.test", "postgresql://a:b@c/d", **who)
