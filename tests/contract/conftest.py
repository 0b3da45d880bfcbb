"""The application behind a socket, for clients that are no friends."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn

from tallymark.app import Running


@pytest.fixture(scope="module")
async def server(application: Running) -> AsyncIterator[str]:
    """The application as it is served, on a port of this machine; the URL."""
    config = uvicorn.Config(
        application.asgi, log_config=None, access_log=False, lifespan="off", http="httptools"
    )
    # Named as TCP, so that asyncio sends small answers without delay.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        running = uvicorn.Server(config)
        serving = asyncio.create_task(running.serve(sockets=[listener]))
        while not running.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        running.should_exit = True
        await serving
