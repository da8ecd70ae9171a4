"""What the tools and resources share: the application, opened by the first of them, and errors in words."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server import MCPServer
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ToolError

from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.pending import Pending

if TYPE_CHECKING:
    from hybrid_mcp.app import App
    from hybrid_mcp.domain.budget import Account


class Host:
    """Holds the application from its first use to the end of the server.

    `beside`: what runs as long as the server does.
    """

    def __init__(self, open_app: Callable[[], App]) -> None:
        self._open_app = open_app
        self._app: App | None = None
        self._opening = Lock()
        self.pending = Pending()
        self.beside: Callable[[], Coroutine[Any, Any, None]] | None = None

    def app(self) -> App:
        """One for all: tools call it in the event loop, and questions to the owner are made in threads."""
        with self._opening:
            if self._app is None:
                self._app = self._open_app()
            return self._app

    def account(self) -> Account:
        """Who pays for the request that is being served: over HTTP its token, else this process."""
        own, caller = self.app().account, caller_id()
        return own if caller is None else replace(own, client=caller)

    @asynccontextmanager
    async def lifespan(self, _: MCPServer[Host]) -> AsyncGenerator[Host]:
        try:
            async with anyio.create_task_group() as self.pending.group:
                if self.beside is not None:
                    self.pending.group.start_soon(self.beside)
                yield self
                self.pending.group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await self.aclose()

    async def aclose(self) -> None:
        await self.pending.aclose()
        app, self._app = self._app, None
        if app is not None:
            await app.aclose()


Calls = Context[Host, Any]


def caller_id() -> str | None:
    """Whose token came with the request that is being served; None where none is needed, over stdio."""
    token = get_access_token()
    return None if token is None else token.client_id


@contextmanager
def in_words(kind: type[ToolError | ResourceError] = ToolError) -> Generator[None]:
    """Only the text of these errors reaches the model; anything else would be hidden from it."""
    try:
        yield
    except HybridError as error:
        raise kind(str(error)) from error
