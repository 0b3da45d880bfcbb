"""The European register of VAT numbers, played by a server of our own (subscriptions §1.7)."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from tallymark.domain.european_vat import VatNumber
from tallymark.integrations.vies import ViesRegister
from tallymark.rooms.customers.ports import RegisterUnavailable

NUMBER = VatNumber("DE", "129273398")


@asynccontextmanager
async def register(answer, status=200):
    """A server that gives one answer, and what it was asked."""
    asked = []

    async def serve(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(
            next(line for line in head.lower().split("\r\n") if "content-length" in line).split(":")[1]
        )
        asked.append((head.split("\r\n", 1)[0], json.loads(await reader.readexactly(length))))
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        )
        writer.write(body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield ViesRegister(f"http://127.0.0.1:{port}/rest-api/"), asked


@pytest.mark.parametrize("is_valid", [True, False])
async def test_an_answer_is_handed_on_as_it_is(is_valid):
    answer = {"countryCode": "DE", "vatNumber": "129273398", "valid": is_valid, "name": "---"}
    async with register(answer) as (vies, asked):
        assert await vies.look_up(NUMBER) == answer
    ((line, body),) = asked
    assert line == "POST /rest-api/check-vat-number HTTP/1.1"
    assert body == {"countryCode": "DE", "vatNumber": "129273398"}


async def test_a_number_that_it_cannot_read_is_invalid():
    async with register({"actionSucceed": False, "errorWrappers": [{"error": "INVALID_INPUT"}]}) as (vies, _):
        assert (await vies.look_up(NUMBER))["valid"] is False


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"actionSucceed": False, "errorWrappers": [{"error": "MS_UNAVAILABLE"}]}, 200),
        ({"actionSucceed": False, "errorWrappers": [{"error": "MS_MAX_CONCURRENT_REQ"}]}, 500),
        ({}, 200),
        ([], 200),
        (b"<html>busy</html>", 503),
    ],
)
async def test_no_answer_about_the_number_is_told_apart_from_an_invalid_one(answer, status):
    async with register(answer, status) as (vies, _):
        with pytest.raises(RegisterUnavailable):
            await vies.look_up(NUMBER)


async def test_nobody_there_is_no_answer():
    with pytest.raises(RegisterUnavailable):
        await ViesRegister("http://127.0.0.1:1/rest-api").look_up(NUMBER)
