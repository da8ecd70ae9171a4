"""The application is closed after the requests that are under way, not under them."""

from __future__ import annotations

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from starlette.types import Message, Receive, Scope, Send

from hybrid_mcp.http.drain import Drain

pytestmark = pytest.mark.anyio


async def test_the_application_ends_after_the_requests_under_way():
    settle, order = anyio.Event(), list[str]()

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        assert send is not None
        if scope["type"] == "lifespan":
            await receive()
            order.append("closed")
        else:
            await settle.wait()
            order.append("settled")

    async def shutdown() -> Message:
        return {"type": "lifespan.shutdown"}

    async def nothing(_: Message) -> None:
        pass

    app = Drain(inner)
    async with anyio.create_task_group() as group:
        group.start_soon(app, {"type": "http"}, shutdown, nothing)
        await wait_all_tasks_blocked()
        group.start_soon(app, {"type": "lifespan"}, shutdown, nothing)
        await wait_all_tasks_blocked()
        assert order == []
        settle.set()
    assert order == ["settled", "closed"]
