"""What a request may be at all: its size, its encoding, its numbers (platform §1.2, §1.5; docs/limits.md)."""

from __future__ import annotations

import json

import pytest
from tests import kit
from tests.conftest import ADMIN_KEY

from tallymark.api.requests import LARGEST_BODY

JSON = {"content-type": "application/json"}
TOO_LARGE = {"status": 413, "error": "Payload Too Large"}
BAD = {"status": 400, "error": "Bad Request"}


async def in_parts(total: int, part: int = 1 << 20):
    """A body that does not say how long it is."""
    for start in range(0, total, part):
        yield b" " * min(part, total - start)


class TestALargeBody:
    @pytest.mark.parametrize("path", ["/customers", "/plans/x/metadata", "/invoices/x/void"])
    async def test_is_refused_whether_it_says_so_or_not(self, client, path):
        """Metering §1.1, platform §1.5: 10 MiB for a request."""
        for content in (b" " * (LARGEST_BODY + 1), in_parts(LARGEST_BODY + 1)):
            answer = await client.post(path, content=content, headers=JSON)
            assert (answer.status_code, answer.json()) == (413, TOO_LARGE)

    async def test_of_ten_mebibytes_is_read(self, client):
        body = json.dumps({"customer": {"external_id": "c"}}).encode()
        answer = await client.post("/customers", content=body.ljust(LARGEST_BODY), headers=JSON)
        assert answer.json()["customer"]["external_id"] == "c"

    async def test_is_refused_at_every_door(self, nobody):
        operator = {"X-Admin-API-Key": ADMIN_KEY}
        for path, caller in (
            ("/app/v1/session", {}),
            ("/app/v1/sign_ups", {}),
            ("/admin/organizations", operator),
        ):
            answer = await nobody.post(path, content=b" " * (LARGEST_BODY + 1), headers={**JSON, **caller})
            assert (answer.status_code, answer.json()) == (413, TOO_LARGE), path

    async def test_is_not_read_of_somebody_without_a_key(self, nobody):
        """Platform §1.1: the key comes first."""
        for path in ("/api/v1/customers", "/admin/organizations"):
            answer = await nobody.post(path, content=in_parts(LARGEST_BODY + 1), headers=JSON)
            assert answer.status_code == 401, path

    async def test_is_not_in_the_api_logs(self, client):
        await client.post("/customers", content=in_parts(LARGEST_BODY + 1), headers=JSON)
        assert (await kit.get(client, "/api_logs"))["api_logs"] == []


class TestABody:
    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b'{"customer": {"external_id": "\\ud800"}}', id="half of a pair of surrogates"),
            pytest.param(b'{"customer": {"external_id": "\xed\xa0\x80"}}', id="the same in bytes"),
            pytest.param(b'{"customer": {"external_id": "\xff"}}', id="no UTF-8"),
            pytest.param('{"customer": {"external_id": "\\u0000"}}'.encode("utf-16"), id="UTF-16"),
            pytest.param(b'{"customer": {"external_id": NaN}}', id="no number of JSON"),
            pytest.param(b'{"customer": {"net_payment_term": 1e400}}', id="a number that nothing holds"),
            pytest.param(b'{"customer": {"net_payment_term": 1' + b"0" * 5000 + b"}}", id="one of 5,000 digits"),
            pytest.param(b'{"customer": {"external_id": "c", "x": ' + b"[" * 99 + b"]" * 99 + b"}}", id="101 deep"),
            pytest.param(b'{"customer": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001, id="10,000 deep"),
        ],
    )  # fmt: skip
    async def test_that_holds_what_can_not_be_kept_is_a_bad_request(self, client, content):
        answer = await client.post("/customers", content=content, headers=JSON)
        assert (answer.status_code, answer.json()) == (400, BAD)
        assert (await kit.get(client, "/customers"))["customers"] == []

    @pytest.mark.parametrize("path", ["/events", "/events/batch"])
    async def test_of_events_is_no_deeper(self, client, path):
        for content in (b"[" * 10_000, b'{"event": ' * 10_000, b'{"events": ' + b"[" * 10_000):
            answer = await client.post(path, content=content, headers=JSON)
            assert (answer.status_code, answer.json()["status"]) == (400, 400)

    async def test_of_whole_pairs_is_kept(self, client):
        content = b'{"customer": {"external_id": "c", "name": "\\ud83d\\ude00 \xf0\x9f\x98\x80 \\\\ud800"}}'
        answer = await client.post("/customers", content=content, headers=JSON)
        assert answer.json()["customer"]["name"] == "\N{GRINNING FACE} \N{GRINNING FACE} \\ud800"

    @pytest.mark.parametrize("content", [b"{", b"[" * 10_000, b"\xff"])
    async def test_of_options_that_can_not_be_read_deletes_nothing(self, client, content):
        await kit.plan(client, kit.charge(await kit.metric(client)) | {"code": "c"}, code="p")
        await kit.subscribe(client, await kit.customer(client), {"code": "p"}, external_id="s")
        for path in ("/plans/p/charges/c", "/subscriptions/s"):
            answer = await client.request("DELETE", path, content=content, headers=JSON)
            assert (answer.status_code, answer.json()) == (400, BAD)
            await kit.get(client, path)

    @pytest.mark.parametrize("value", [["jwt"], {"jwt": 1}, 1, True])
    async def test_names_its_choices_by_texts(self, client, value):
        endpoint = {"webhook_url": "https://hooks.test", "signature_algo": value}
        answer = await kit.post(client, "/webhook_endpoints", {"webhook_endpoint": endpoint}, expect=422)
        assert answer["error_details"] == {"signature_algo": ["value_is_invalid"]}
        await kit.plan(client, code="p")
        await kit.subscribe(client, await kit.customer(client), {"code": "p"}, external_id="s")
        alert = {"alert_type": value, "code": "a", "thresholds": [{"value": 1}]}
        answer = await kit.post(client, "/subscriptions/s/alerts", {"alert": alert}, expect=422)
        assert answer["error_details"] == {"alert_type": ["invalid_type"]}


def test_the_description_tells_what_is_refused():
    document = kit.description()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            told = set(operation["responses"]) - {"200"}
            always = {"400", "401", "403", "404", "405", "422", "429", "503"}
            wanted = always if method == "get" else always | {"409", "413"}
            assert told == (wanted if path.count("/") > 1 else set()), (method, path)
    refused = document["components"]["responses"]["Invalid"]["content"]["application/json"]["schema"]
    assert refused["properties"]["status"] == {"const": 422}
    assert "HTTPValidationError" not in document["components"]["schemas"]


async def test_a_boolean_is_no_number(client):
    """Python counts `true` as 1: a price of one cent that nobody named."""
    prices = {"name": "A", "code": "a", "amount_cents": True, "amount_currency": "EUR"}
    for path, body, field in (
        ("/add_ons", {"add_on": prices}, "amount_cents"),
        (
            "/coupons",
            {"coupon": {**prices, "coupon_type": "fixed_amount", "frequency": "once"}},
            "amount_cents",
        ),
        ("/customers", {"customer": {"external_id": "c", "net_payment_term": False}}, "net_payment_term"),
    ):
        refused = await kit.post(client, path, body, expect=422)
        assert refused["error_details"][field] == ["value_is_invalid"], path
