"""The web app at the API's address: its files and its page, and what is no page of it."""

from __future__ import annotations

import gzip
import json
import re
from functools import partial
from unittest.mock import patch
from urllib.parse import unquote

import httpx
import pytest
from tests.people import sign_up

from tallymark.app import create_api, running
from tallymark.settings import Settings
from tallymark.web.serving import RESERVED, serve_web_app

PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
INDEX = b"<!doctype html><title>Tallymark</title><script type=module src=/assets/app-1a2b.js></script>"
SCRIPT = b"console.log('Tallymark')"
NOTHING = {"status": 404, "error": "Not Found", "code": "resource_not_found"}


@pytest.fixture
def dist(tmp_path):
    """What a build leaves, and a secret beside it."""
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(INDEX)
    (folder / "index.html.gz").write_bytes(gzip.compress(INDEX))
    (folder / "assets" / "app-1a2b.js").write_bytes(SCRIPT)
    (folder / "assets" / "app-1a2b.js.gz").write_bytes(b"zipped")
    (folder / "assets" / "app-1a2b.js.br").write_bytes(b"smaller")
    (folder / "assets" / "plex-3c4d.woff2").write_bytes(b"font")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "secret.txt").symlink_to(tmp_path / "secret.txt")
    return folder


@pytest.fixture(scope="module")
def api():
    return create_api()


@pytest.fixture
async def web(api, dist):
    serve_web_app(api, dist)
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        client.headers["accept-encoding"] = ""
        yield client


@pytest.fixture(scope="module")
async def served(database_url, tmp_path_factory):
    """The application with a page of its own, wired as it is in production."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "index.html").write_bytes(b"<!doctype html><head><title>Tallymark</title></head>")
    options = Settings(public_url="http://test", data_dir=tmp_path_factory.mktemp("data"))
    with patch("tallymark.app.serve_web_app", partial(serve_web_app, folder=folder)):
        async with running(options, database_url) as parts:
            yield parts


async def status_of(api, target):
    """What is answered to a target as it stands: clients tidy it up."""
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http", "root_path": "",
        "path": unquote(target), "raw_path": target.encode(), "query_string": b"", "headers": [], "client": None, "server": None,
    }  # fmt: skip
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    await api(scope, receive, send)
    return sent[0]["status"]


class TestThePage:
    @pytest.mark.parametrize(
        "path", ["/", "/welcome/token", "/acme/customers?page=2", "/acme/plans/a.b/edit", "/app/x"]
    )
    async def test_is_answered_to_whoever_comes_with_a_browser(self, web, path):
        answer = await web.get(path, headers=PAGE)
        assert (answer.status_code, answer.content) == (200, INDEX)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["vary"] == "Accept, Accept-Encoding"

    async def test_runs_its_own_scripts_alone_and_is_in_nobodys_frame(self, web):
        headers = (await web.get("/", headers=PAGE)).headers
        assert headers["content-security-policy"] == (
            "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; font-src 'self'; "
            "connect-src 'self'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'"
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]

    async def test_at_the_root_is_answered_to_everybody(self, web):
        assert (await web.get("/")).content == INDEX
        assert (await web.head("/")).headers["content-length"] == str(len(INDEX))

    @pytest.mark.parametrize("accept", ["*/*", "application/json", "text/htmlx", ""])
    async def test_elsewhere_is_not_what_a_program_asks_for(self, web, accept):
        answer = await web.get("/v1/customers", headers={"accept": accept})
        assert (answer.status_code, answer.json()) == (404, NOTHING)

    @pytest.mark.parametrize("path", [*RESERVED, *(f"{place}/nothing" for place in RESERVED)])
    async def test_is_not_below_the_apis_addresses(self, web, path):
        answer = await web.post(f"{path}/x", headers=PAGE)
        assert (answer.status_code, answer.json()) == (404, NOTHING)
        if path.endswith("nothing") and not path.startswith(("/files", "/admin")):
            assert (await web.get(path, headers=PAGE)).json() == NOTHING

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    async def test_takes_nothing(self, web, method):
        for path in ("/", "/acme/customers", "/assets/app-1a2b.js"):
            answer = await web.request(method, path, headers=PAGE)
            assert (answer.status_code, answer.json()) == (404, NOTHING)


class TestTheSession:
    """Whoever has signed in finds their session in the page, so that the app need not ask for it."""

    @pytest.fixture
    async def person(self, served):
        found = await sign_up(served, name="</script><b>Acme & Söhne")
        yield found
        await found.browser.aclose()

    async def look(self, person, path="/acme/plans"):
        answer = await person.browser.get(f"http://test{path}", headers=PAGE)
        assert answer.status_code == 200
        return answer

    async def test_is_in_the_page_and_in_nobodys_cache(self, person):
        answer = await self.look(person)
        found = re.search(r'<script id="session" type="application/json">(.*?)</script></head>', answer.text)
        assert found is not None
        assert json.loads(found[1]) == (await person.browser.get("/session")).json()
        assert "</script><b>Acme" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers
        assert "Cookie" in answer.headers["vary"]
        assert "script-src 'self'" in answer.headers["content-security-policy"]

    async def test_is_nothing_to_a_customers_portal(self, person):
        assert "session" not in (await self.look(person, "/customer-portal/token")).text

    async def test_is_in_no_page_once_it_is_over(self, person):
        cookies = dict(person.browser.cookies)
        await person.browser.delete("/session")
        person.browser.cookies.update(cookies)
        answer = await self.look(person)
        assert "session" not in answer.text
        assert answer.headers["cache-control"] == "no-cache"


class TestFiles:
    async def test_that_are_named_by_what_is_in_them_are_kept_for_good(self, web):
        answer = await web.get("/assets/app-1a2b.js")
        assert (answer.status_code, answer.content) == (200, SCRIPT)
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "content-security-policy" not in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"

    async def test_that_keep_their_name_are_asked_for_again(self, web):
        answer = await web.get("/favicon.svg")
        assert (answer.text, answer.headers["content-type"]) == ("<svg/>", "image/svg+xml")
        assert answer.headers["cache-control"] == "no-cache"
        assert "vary" not in answer.headers, "there is one form of it"

    @pytest.mark.parametrize(("accepted", "coding", "content"), [
        ("gzip, deflate, br, zstd", "br", b"smaller"),
        ("gzip", "gzip", b"zipped"),
        ("br;q=0, gzip;q=0.5", "gzip", b"zipped"),
        ("*", "br", b"smaller"),
        ("deflate", None, SCRIPT),
        ("br;q=0, *;q=0", None, SCRIPT),
        ("br;q=x, gzip;level=1", None, SCRIPT),
    ])  # fmt: skip
    async def test_are_sent_as_small_as_the_browser_reads_them(self, web, accepted, coding, content):
        request = web.build_request("GET", "/assets/app-1a2b.js", headers={"accept-encoding": accepted})
        answer = await web.send(request, stream=True)
        assert b"".join([part async for part in answer.aiter_raw()]) == content
        assert answer.headers.get("content-encoding") == coding
        assert answer.headers["vary"] == "Accept-Encoding"

    async def test_that_are_known_are_not_sent_again(self, web):
        etags = {}
        for coding in ("", "gzip"):
            answer = await web.head("/assets/app-1a2b.js", headers={"accept-encoding": coding})
            etags[coding] = answer.headers["etag"]
        assert len(set(etags.values())) == 2, "each form has bytes of its own"
        for known in (etags[""], f'"x", W/{etags[""]}', "*"):
            answer = await web.get("/assets/app-1a2b.js", headers={"if-none-match": known})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etags[""])
            assert answer.headers["cache-control"].endswith("immutable")
        answer = await web.get("/assets/app-1a2b.js", headers={"if-none-match": etags["gzip"]})
        assert answer.status_code == 200

    @pytest.mark.parametrize("path", [
        "/assets/app-old.js", "/assets/", "/assets", "/assets/app-1a2b.js.br", "/assets/../index.html.gz", "/../secret.txt",
        "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/assets/%2e%2e%2f%2e%2e%2fsecret.txt", "//secret.txt", "/secret.txt", "/%00",
        "/index.html%00.js", "/.", "/..",
    ])  # fmt: skip
    async def test_are_those_of_the_build_alone(self, api, web, path):
        assert await status_of(api, path) == 404

    async def test_that_are_gone_are_no_page(self, web):
        """A script that a page of an older build asks for must not be a page: the browser would run it, or say why it can't."""
        assert (await web.get("/assets/app-old.js", headers=PAGE)).json() == NOTHING

    async def test_of_another_build_are_served_at_once(self, web, dist):
        before = await web.get("/")
        (dist / "index.html").write_bytes(INDEX + b" ")
        (dist / "index.html.gz").unlink()
        after = await web.get("/", headers={"accept-encoding": "gzip"})
        assert after.content == INDEX + b" "
        assert after.headers["etag"] != before.headers["etag"]


class TestWithoutABuild:
    @pytest.mark.parametrize("path", ["/", "/welcome/token"])
    async def test_the_page_says_how_to_build_it(self, web, dist, path):
        (dist / "index.html").unlink()
        answer = await web.get(path, headers=PAGE)
        assert answer.status_code == 200
        assert "make web" in answer.text
        assert answer.headers["cache-control"] == "no-cache"
        assert (await web.get("/assets/app-1a2b.js")).json() == NOTHING

    async def test_it_appears_once_it_is_there(self, web, dist):
        (dist / "index.html").rename(dist / "later")
        assert "make web" in (await web.get("/")).text
        (dist / "later").rename(dist / "index.html")
        assert (await web.get("/")).content == INDEX
