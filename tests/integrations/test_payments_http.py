"""The floor under adapters of payment providers: what a vendor's failures become, and what is never told."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.loopback import loopback

from tallymark.integrations.payments.http import Api, Explained, RefusedByVendor, segment
from tallymark.rooms.payment_providers.ports import ProviderRefused, ProviderUnavailable


def api(url):
    return Api(
        url=url,
        explain=lambda body: Explained(message=body.get("why"), code=body.get("code")),
        headers={"X-Key": "very-secret"},
    )


async def test_a_call_sends_who_asks_and_the_key_and_numbers_come_and_go_exactly():
    async with loopback(lambda asked: (200, b'{"paid": 1234567890123456.10}')) as vendor:
        answer = await api(vendor.url + "/v1/").ask(
            "POST", "/pay", {"amount": Decimal("0.10")}, params={"a": "b c"}, key="payment-1"
        )
    (asked,) = vendor.asked
    assert (asked.method, asked.path, asked.query) == ("POST", "/v1/pay", {"a": "b c"})
    assert asked.raw == b'{"amount":0.10}'
    assert (asked.headers["x-key"], asked.headers["idempotency-key"]) == ("very-secret", "payment-1")
    assert answer == {"paid": Decimal("1234567890123456.10")}


@pytest.mark.parametrize(
    "answer",
    [None, (500, {"why": "oops"}), (503, b"<html>"), (429, {"why": "slowly"}), (408, b""), (302, b""), (200, b"<html>"), (200, [])],
)  # fmt: skip
async def test_what_speaks_of_the_moment_is_asked_again_later(answer):
    async with loopback(lambda _: answer) as vendor:
        with pytest.raises(ProviderUnavailable) as raised:
            await api(vendor.url).ask("POST", "/pay", {})
    assert "very-secret" not in repr(raised.value)
    assert raised.value.__cause__ is None, "a cause could print what was sent"


async def test_nobody_there_is_no_answer():
    with pytest.raises(ProviderUnavailable, match="GET /x: ConnectError"):
        await api("http://127.0.0.1:1").ask("GET", "/x")


@pytest.mark.parametrize(
    ("status", "is_unauthorized"), [(400, False), (401, True), (403, True), (422, False)]
)
async def test_a_no_is_told_in_the_words_of_the_vendor(status, is_unauthorized):
    told = {"why": "Card is closed", "code": "closed", "fee": 0.10}
    async with loopback(lambda _: (status, told)) as vendor:
        with pytest.raises(RefusedByVendor) as raised:
            await api(vendor.url).ask("POST", "/pay", {})
    refused = raised.value
    assert (refused.message, refused.code, refused.status) == ("Card is closed", "closed", status)
    assert refused.is_unauthorized is is_unauthorized
    assert json.dumps(refused.details) == '{"why": "Card is closed", "code": "closed", "fee": "0.1"}'


async def test_a_code_that_says_to_come_again_is_no_no():
    busy = Api(url="", explain=lambda body: Explained(code=body["code"]), busy=frozenset({"704"}))
    async with loopback(lambda _: (422, {"code": "704"})) as vendor:
        with pytest.raises(ProviderUnavailable):
            await replace(busy, url=vendor.url).ask("POST", "/pay", {})


async def test_a_no_without_words_and_a_yes_without_any():
    async with loopback(lambda asked: (404, b"gone") if asked.path == "/a" else (204, None)) as vendor:
        with pytest.raises(RefusedByVendor, match="status 404"):
            await api(vendor.url).ask("GET", "/a")
        assert await api(vendor.url).ask("DELETE", "/b") == {}


def test_an_id_leads_nowhere_else_and_secrets_are_not_printed():
    assert segment("../pay?x#y") == "..%2Fpay%3Fx%23y"
    for nothing in ("", ".", ".."):
        with pytest.raises(ProviderRefused):
            segment(nothing)
    assert "very-secret" not in repr(api("http://x"))


async def test_a_list_by_itself_is_answered_as_one():
    async with loopback(lambda _: (200, b'[{"paid": 0.10}, 7]')) as vendor:
        assert await api(vendor.url).ask_for_list("/orders") == [{"paid": Decimal("0.10")}]
    async with loopback(lambda _: (400, ["no"])) as vendor:
        with pytest.raises(RefusedByVendor):
            await api(vendor.url).ask_for_list("/orders")


@pytest.mark.parametrize("answer", [(200, {}), (200, b"<html>"), (503, [])])
async def test_what_is_no_list_is_asked_for_again(answer):
    async with loopback(lambda _: answer) as vendor:
        with pytest.raises(ProviderUnavailable):
            await api(vendor.url).ask_for_list("/orders")
