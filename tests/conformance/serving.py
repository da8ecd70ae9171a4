"""The server that the suite talks to: our HTTP application with all its guards, and a token for whoever asks."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import anyio
from starlette.types import ASGIApp, Receive, Scope, Send

from hybrid_mcp.app import open_app
from hybrid_mcp.config import load_settings
from hybrid_mcp.domain.bearer import PREFIX, KeptToken, digest_of
from hybrid_mcp.http.assembly import MCP_PATH, http_app
from hybrid_mcp.http.auth import KeptTokens
from hybrid_mcp.http.options import HttpOptions
from hybrid_mcp.http.serving import WebServer, bound_socket, url_of
from hybrid_mcp.observe.silent import Silent
from hybrid_mcp.server import build_server
from tests.conformance.fixtures import add_fixtures


class OpenDoor:
    """Gives every request the token: the suite has no way to send one."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._header = (b"authorization", f"Bearer {token}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "headers": [*scope["headers"], self._header]}
        await self._app(scope, receive, send)


@asynccontextmanager
async def served(home: Path, *, fixtures: bool) -> AsyncGenerator[str]:
    """The address of a server on this machine. `fixtures`: with the tools that the suite wants, beside its own."""
    settings, options = load_settings(environ={}, home=home, profile=None), HttpOptions(port=0)
    app = open_app(settings, Silent())
    server = build_server(lambda: app)
    if fixtures:
        add_fixtures(server)
    token = PREFIX + secrets.token_urlsafe(32)
    kept = KeptToken(id="token-0123456789ab", name="suite", digest=digest_of(token), created=datetime.now(UTC))
    guarded = http_app(server, options.front_door(), KeptTokens(lambda: [kept]))
    listening = bound_socket(options)
    web, ready = WebServer(OpenDoor(guarded, token), listening), anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(web.run_to_end, ready.set)
        await ready.wait()
        try:
            yield url_of(options, listening) + MCP_PATH
        finally:
            web.should_exit = True
