"""Requests under way at the end: the application is closed after them, so that each can settle what it has spent."""

from __future__ import annotations

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SETTLE_S = 5.0
"""A settlement takes milliseconds; one that the disk holds up so long is left to the ledger's lease."""


class Drain:
    """Holds back the end of the application's life until no request is under way."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._under_way = 0
        self._idle = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._counted(scope, receive, send)
            return

        async def received() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._none_under_way()
            return message

        await self._app(scope, received, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def _none_under_way(self) -> None:
        with anyio.move_on_after(SETTLE_S):
            while self._under_way:
                self._idle = anyio.Event()
                await self._idle.wait()
