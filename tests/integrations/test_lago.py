"""A client of somebody else's server: patient with it, and careful with the key (platform §1.4, §1.7)."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tallymark.db.errors import StartupError
from tallymark.integrations.lago import ApiError, LagoApi, open_client, together


class Server:
    """Answers what it was told to, in order, and remembers what it was asked."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def api(self) -> LagoApi:
        http = httpx.AsyncClient(base_url="https://there.example/api/v1", transport=httpx.MockTransport(self))
        return LagoApi(http, sleep=self.sleep)


def listed(numbers, page, pages):
    meta = {"current_page": page, "total_pages": pages, "total_count": 5}
    return httpx.Response(200, json={"taxes": [{"code": number} for number in numbers], "meta": meta})


async def test_a_list_is_read_from_its_end():
    server = Server(listed([5, 4], 1, 3), listed([1], 3, 3), listed([3, 2], 2, 3))
    found = [row["code"] async for row in server.api().oldest_first("taxes", "taxes", search="x")]
    assert found == [1, 2, 3, 4, 5]
    assert [request.url.params["page"] for request in server.asked] == ["1", "3", "2"]
    assert {request.url.params["search"] for request in server.asked} == {"x"}


@pytest.mark.parametrize(
    ("headers", "pauses"),
    [
        pytest.param({"retry-after": "7"}, [7, 1], id="as long as it says"),
        pytest.param({"x-ratelimit-reset": "3"}, [3, 1], id="until its window is over"),
        pytest.param({"retry-after": "9000"}, [120, 1], id="no longer than two minutes"),
        pytest.param({}, [1], id="a second where it says nothing"),
    ],
)
async def test_a_limit_is_waited_for(headers, pauses):
    server = Server(httpx.Response(429, headers=headers), httpx.Response(200, json={"tax": {}}))
    assert await server.api().get("/taxes/vat") == {"tax": {}}
    assert server.pauses == pauses


async def test_the_last_call_of_a_window_waits_for_the_next():
    last = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "12"}
    server = Server(httpx.Response(200, json={}, headers=last))
    await server.api().get("/taxes")
    assert server.pauses == [12]


async def test_what_fails_for_a_while_is_tried_again_ever_later():
    server = Server(
        httpx.Response(502),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("gone"),
        httpx.Response(200, json={}),
    )
    await server.api().get("/taxes")
    assert server.pauses == [1, 2, 4]


async def test_what_goes_on_failing_is_told():
    server = Server(*[httpx.Response(503)] * 6)
    with pytest.raises(StartupError, match="run the command again"):
        await server.api().get("/taxes")
    assert server.pauses == [1, 2, 4, 8, 16]


async def test_a_post_without_an_answer_may_have_been_done_and_is_not_repeated():
    server = Server(httpx.ReadTimeout("slow"))
    with pytest.raises(StartupError, match="no answer"):
        await server.api().call("POST", "/customers", {})
    assert len(server.asked) == 1


async def test_a_refusal_is_not_repeated():
    server = Server(httpx.Response(422, json={"code": "validation_errors"}))
    with pytest.raises(ApiError, match="GET /taxes answered 422"):
        await server.api().get("/taxes")


async def test_what_its_owner_does_not_pay_for_is_not_there_but_what_the_key_may_not_see_is_told():
    unpaid = httpx.Response(403, json={"status": 403, "code": "feature_unavailable"})
    hidden = httpx.Response(403, json={"status": 403, "code": "read_action_not_allowed_for_alert"})
    server = Server(unpaid, httpx.Response(404, json={}), unpaid, hidden)
    api = server.api()
    assert await api.find("/subscriptions/one/lifetime_usage") is None
    assert await api.find("/subscriptions/one/lifetime_usage") is None
    assert await api.any_of("/subscriptions/one/alerts", "alerts") == []
    with pytest.raises(ApiError, match="read_action_not_allowed"):
        await api.any_of("/subscriptions/one/alerts", "alerts")


@pytest.mark.parametrize("status", [401, 302])
async def test_a_wrong_key_or_address_ends_the_run(status):
    answer = httpx.Response(status, headers={"location": "https://elsewhere.example"})
    server = Server(answer)
    with pytest.raises(StartupError):
        await server.api().get("/taxes")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("url", "key"),
    [
        pytest.param("http://lago.internal:3000", "key", id="unencrypted"),
        pytest.param("ftp://there.example", "key", id="no web server"),
        pytest.param("there.example", "key", id="no scheme"),
        pytest.param("https://there.example", "ke\ny", id="a key with a line break"),
    ],
)
async def test_the_key_is_not_sent_just_anywhere(url, key):
    with pytest.raises(StartupError) as found:
        open_client(url, key)
    assert key not in str(found.value).replace("API key", "")


async def test_unencrypted_connections_are_for_this_machine_or_said_so():
    for url, allows in (("http://localhost:3000", False), ("http://lago.internal", True)):
        async with open_client(url, " key ", allows_http=allows) as client:
            assert client.headers["authorization"] == "Bearer key"
            assert client.follow_redirects is False


class Counting(httpx.AsyncBaseTransport):
    """A server that takes a while, counts what it is asked at once, and once has had too many of them."""

    def __init__(self, *, refuses: int = 0) -> None:
        self.under_way = self.most = self.refused = 0
        self.refuses = refuses
        self.began_while_resting: list[str] = []
        self.is_resting = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if self.is_resting:
            self.began_while_resting.append(request.url.path)
        for _ in range(3):
            await asyncio.sleep(0)
        self.under_way -= 1
        if self.refused < self.refuses:
            self.refused += 1
            return httpx.Response(429, headers={"retry-after": "7"})
        number = int(request.url.params.get("page", 1))
        meta = {"current_page": number, "total_pages": 9, "total_count": 18}
        return httpx.Response(
            200, json={"taxes": [{"code": 20 - 2 * number}, {"code": 19 - 2 * number}], "meta": meta}
        )

    async def rest(self, seconds: float) -> None:
        if seconds == 7:
            self.is_resting = True
            for _ in range(20):
                await asyncio.sleep(0)
            self.is_resting = False


def patient(server: Counting, concurrency: int) -> LagoApi:
    http = httpx.AsyncClient(base_url="https://there.example/api/v1", transport=server)
    return LagoApi(http, sleep=server.rest, concurrency=concurrency)


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_is_asked_at_once_than_may_be_and_lists_keep_their_order(concurrency):
    server = Counting()
    api = patient(server, concurrency)
    found = [row["code"] async for row in api.oldest_first("taxes", "taxes")]
    assert found == [*range(1, 19)]
    assert await together(*(api.count("taxes", "taxes") for _ in range(10))) == [18] * 10
    assert server.most == concurrency
    assert api.requests == 9 + 10


async def test_a_limit_is_waited_for_by_all_that_are_under_way():
    server = Counting(refuses=3)
    api = patient(server, 3)
    found = await together(*(api.get(f"/taxes/{number}") for number in range(8)))
    assert len(found) == 8
    assert (server.refused, server.began_while_resting) == (3, [])


async def test_the_first_failure_ends_what_else_is_under_way():
    server = Server(httpx.Response(422, json={}), *[httpx.Response(200, json={})] * 3)
    api = server.api()
    with pytest.raises(ApiError, match="422"):
        await together(*(api.get(f"/taxes/{number}") for number in range(4)))
