"""`tallymark metabase provision` against a Metabase that takes nothing that its API reference does not describe."""

import dataclasses

import pytest
from tests.integrations.metabase_server import HIDDEN, MetabaseServer

from tallymark.db.errors import StartupError
from tallymark.integrations.metabase import provision as provisioning
from tallymark.integrations.metabase.api import ApiKey, Login, Metabase, open_client
from tallymark.integrations.metabase.content import DASHBOARDS, FOLDER, QUESTIONS, WIDTH
from tallymark.integrations.metabase.provision import Provision, read_connection

URL = "postgresql://metabase:pass%40word@db.internal:6432/tallymark?sslmode=require"


@pytest.fixture
def server():
    return MetabaseServer()


def run(server, *, url=URL, name="Tallymark", who=None):
    """Provision once; what was told, by what was done."""
    told: dict[str, list[tuple[str, str]]] = {}
    with server.client as client, Metabase(client).signed_in(who or ApiKey(value=server.key)) as metabase:
        Provision(
            metabase=metabase,
            connection=read_connection(url),
            name=name,
            tell=lambda kind, what, done: told.setdefault(done, []).append((kind, what)),
        ).run()
    return told


def board(server, name):
    (found,) = [one for one in server.dashboards.values() if one["name"] == name]
    return found


class TestWhatIsMade:
    def test_is_a_connection_of_the_one_schema_as_the_role(self, server):
        run(server)
        (made,) = server.databases.values()
        assert made["engine"] == "postgres"
        assert made["details"] == {
            "host": "db.internal", "port": 6432, "dbname": "tallymark", "user": "metabase", "password": "pass@word",
            "ssl": True, "ssl-mode": "require", "schema-filters-type": "inclusion", "schema-filters-patterns": "analytics",
        }  # fmt: skip
        assert f"POST /api/database/{made['id']}/sync_schema" in server.calls

    def test_is_every_question_and_every_dashboard_in_one_collection(self, server):
        told = run(server)
        (collection,) = server.collections.values()
        assert [one["name"] for one in server.cards.values()] == [one.name for one in QUESTIONS]
        assert [one["name"] for one in server.dashboards.values()] == [one.name for one in DASHBOARDS]
        for one in (*server.cards.values(), *server.dashboards.values()):
            assert one["collection_id"] == collection["id"]
        assert told.keys() == {"made"}
        assert len(told["made"]) == 2 + len(QUESTIONS) + len(DASHBOARDS)

    def test_fills_the_dashboards_without_gaps_or_overlaps(self, server):
        run(server)
        on_boards = set()
        for one in server.dashboards.values():
            cells = [
                (row, col)
                for card in one["dashcards"]
                for row in range(card["row"], card["row"] + card["size_y"])
                for col in range(card["col"], card["col"] + card["size_x"])
            ]
            rows = max(row for row, _ in cells) + 1
            assert sorted(cells) == [(row, col) for row in range(rows) for col in range(WIDTH)]
            on_boards |= {card["card_id"] for card in one["dashcards"]}
        assert on_boards == set(server.cards), "every question is on a dashboard"

    def test_is_filtered_by_organization_and_currency(self, server):
        run(server)
        for one in server.dashboards.values():
            assert [parameter["id"] for parameter in one["parameters"]] == ["organization", "currency"]
            for card in one["dashcards"]:
                assert {mapping["parameter_id"] for mapping in card["parameter_mappings"]} == {
                    "organization",
                    "currency",
                }

    def test_has_a_question_for_each_file(self):
        assert sorted(path.stem for path in FOLDER.glob("*.sql")) == sorted(one.key for one in QUESTIONS)
        assert all(one.sql.startswith("-- ") and one.description.endswith(".") for one in QUESTIONS)


class TestRunAgain:
    def test_makes_and_changes_nothing(self, server):
        run(server)
        before = len(server.writes)
        told = run(server)
        assert len(server.writes) == before
        assert told.keys() == {"left"}

    def test_tries_the_connection_with_the_password_of_now(self, server):
        run(server)
        run(server, url=URL.replace("pass%40word", "rotated"))
        (made,) = server.databases.values()
        assert made["details"]["password"] == "rotated"
        assert HIDDEN not in made["details"].values()

    def test_changes_the_question_that_a_release_changed_and_no_other(self, server, monkeypatch):
        run(server)
        changed = dataclasses.replace(QUESTIONS[0], name="MRR today", display="bar")
        monkeypatch.setattr(provisioning, "QUESTIONS", (changed, *QUESTIONS[1:]))
        told = run(server)
        assert told["changed"] == [("question", "MRR today")]
        names = [one["name"] for one in server.cards.values()]
        assert names == ["MRR today", *(one.name for one in QUESTIONS[1:])]

    def test_changes_a_dashboard_in_place(self, server, monkeypatch):
        run(server)
        before = {card["card_id"]: card["id"] for card in board(server, "Churn")["dashcards"]}
        churn = next(one for one in DASHBOARDS if one.key == "churn")
        turned = dataclasses.replace(churn, rows=tuple(reversed(churn.rows)))
        others = tuple(one for one in DASHBOARDS if one is not churn)
        monkeypatch.setattr(provisioning, "DASHBOARDS", (*others, turned))
        assert run(server)["changed"] == [("dashboard", "Churn")]
        after = {card["card_id"]: card["id"] for card in board(server, "Churn")["dashcards"]}
        assert after == before, "the cards keep their ids, and what hangs on them"

    def test_makes_anew_what_was_thrown_away(self, server):
        run(server)
        gone = next(iter(server.cards.values()))
        gone["archived"] = True
        told = run(server)
        assert told["made"] == [("question", gone["name"])]
        assert told["changed"] == [("dashboard", "Recurring revenue")], "the new one takes its place"

    def test_leaves_what_people_made(self, server, monkeypatch):
        run(server)
        (collection,) = server.collections
        own = {**next(iter(server.cards.values())), "id": 900, "name": "Mine", "description": "by hand"}
        copy = {**next(iter(server.cards.values())), "id": 901, "name": "MRR now - Duplicate"}
        server.cards |= {900: own, 901: copy}
        churn = board(server, "Churn")
        beside = {
            "id": 950, "card_id": 900, "row": 40, "col": 0, "size_x": 6, "size_y": 3, "parameter_mappings": [],
            "visualization_settings": {"card.title": "Mine"}, "series": [{"id": 901, "name": "a series"}],
            "created_at": "2026-01-01", "card": {"id": 900},
        }  # fmt: skip
        text = {
            "id": 951,
            "card_id": None,
            "row": 50,
            "col": 0,
            "size_x": 24,
            "size_y": 1,
            "visualization_settings": {"text": "Hi"},
        }
        churn["dashcards"] += [beside, text]
        churn["parameters"].append({"id": "mine", "type": "date/all-options"})
        churn["tabs"] = [{"id": 7, "name": "First", "dashboard_id": churn["id"]}]
        changed = dataclasses.replace(
            next(one for one in DASHBOARDS if one.key == "churn"), description="Changed."
        )
        others = tuple(one for one in DASHBOARDS if one.key != "churn")
        monkeypatch.setattr(provisioning, "DASHBOARDS", (*others, changed))
        run(server)
        assert (server.cards[900], server.cards[901]["name"]) == (own, "MRR now - Duplicate")
        kept = {card["id"]: card for card in board(server, "Churn")["dashcards"]}
        assert kept[950]["visualization_settings"] == {"card.title": "Mine"}
        assert kept[950]["series"] == [{"id": 901}]
        assert kept[951]["visualization_settings"] == {"text": "Hi"}
        assert [one["id"] for one in churn["parameters"]] == ["organization", "currency", "mine"]
        assert [one["id"] for one in churn["tabs"]] == [7]
        assert collection in server.collections

    def test_finds_its_collection_wherever_people_put_it(self, server):
        run(server)
        (collection,) = server.collections.values()
        collection["name"] = "Finance"
        run(server)
        assert [one["name"] for one in server.collections.values()] == ["Finance"]


def test_two_installations_share_a_metabase(server):
    run(server)
    run(server, name="Tallymark test", url="postgresql://metabase:x@other/tallymark")
    assert [one["name"] for one in server.databases.values()] == ["Tallymark", "Tallymark test"]
    assert [one["name"] for one in server.collections.values()] == ["Tallymark", "Tallymark test"]
    assert len(server.cards) == 2 * len(QUESTIONS)


class TestWhoAsks:
    def test_by_a_session_that_is_closed_again(self, server):
        run(server, who=Login(email="ann@acme.test", password="secret"))
        assert server.cards
        assert server.sessions == set()

    def test_is_told_what_metabase_says(self, server):
        with pytest.raises(StartupError, match=r"answered 401 to POST /api/session: .*did not match"):
            run(server, who=Login(email="ann@acme.test", password="wrong"))
        with pytest.raises(StartupError, match=r"answered 401 to GET /api/database: .*Unauthenticated"):
            run(server, who=ApiKey(value="wrong"))
        server.reachable = False
        with pytest.raises(StartupError, match=r"answered 400 to POST /api/database: .*Connection refused"):
            run(server)
        assert not server.collections, "nothing is made of a database that is not reached"

    def test_another_kind_of_database_of_the_name_is_not_taken_over(self, server):
        server.databases[1] = {"id": 1, "name": "Tallymark", "engine": "h2", "details": {}}
        with pytest.raises(StartupError, match="choose another --name"):
            run(server)

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("metabase.example", "is no address"),
            ("ftp://metabase.example", "is no address"),
            ("http://metabase.example", "is not encrypted"),
        ],
    )
    def test_addresses_that_are_none(self, url, message):
        with pytest.raises(StartupError, match=message):
            open_client(url)

    @pytest.mark.parametrize(
        "url",
        [
            "tallymark",
            "mysql://a:b@c/d",
            "postgresql://db/tallymark",
            "postgresql://a@db/tallymark",
            "postgresql://a:b@/tallymark",
        ],
    )
    def test_databases_that_are_none(self, url):
        with pytest.raises(StartupError, match=r"postgresql://ROLE|lacks the role"):
            read_connection(url)
