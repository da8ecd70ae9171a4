"""The HTTP server in the process of the tests, on a real socket of this machine."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import anyio
import httpx2
from mcp import Client
from mcp.client import streamable_http
from mcp.types import CallToolResult, TextContent
from starlette.routing import Route

from hybrid_mcp.app import App, open_app
from hybrid_mcp.config import load_settings
from hybrid_mcp.domain.bearer import PREFIX, KeptToken, digest_of
from hybrid_mcp.host import Host
from hybrid_mcp.http.options import HttpOptions
from hybrid_mcp.http.running import dashboard, web_server
from hybrid_mcp.observe.silent import Silent
from hybrid_mcp.storage.token_file import TOKENS_FILE, TokenFile

Mode = Literal["auto", "legacy"]
MODES: tuple[Mode, ...] = ("auto", "legacy")
WHEN = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server that runs. `url`: without a path."""

    url: str
    home: Path
    app: App

    @asynccontextmanager
    async def client(self, token: str, mode: Mode = "auto", **more: Any) -> AsyncGenerator[Client]:
        async with (
            httpx2.AsyncClient(headers=bearer(token), timeout=30, verify=False, trust_env=False) as http,
            Client(
                streamable_http.streamable_http_client(f"{self.url}/mcp", http_client=http), mode=mode, **more
            ) as mcp,
        ):
            yield mcp

    async def said(self, path: str = "/mcp", method: str = "GET", **more: Any) -> httpx2.Response:
        """One request, over a connection of its own."""
        async with httpx2.AsyncClient(timeout=30, verify=False, trust_env=False) as http:
            return await http.request(method, self.url + path, **more)

    async def raw(self, head: str, body: bytes = b"") -> bytes:
        """What comes back on these very bytes, until the server hangs up."""
        where = urlsplit(self.url)
        answer = b""
        async with await anyio.connect_tcp(where.hostname or "", where.port or 0) as connection:
            await connection.send(head.encode("latin-1") + b"\r\n\r\n" + body)
            with anyio.move_on_after(30):
                async for piece in connection:
                    answer += piece
        return answer


@asynccontextmanager
async def served(
    home: Path, *, profile: str | None = None, pages: Callable[[Host], Sequence[Route]] = dashboard,
    environ: dict[str, str] | None = None, **options: Any,
) -> AsyncGenerator[Served]:  # fmt: skip
    chosen = HttpOptions(port=0, **options)
    assert chosen.problem() is None
    settings = load_settings(environ=environ or {}, home=home, profile=profile)
    app = open_app(settings, Silent())
    server, url = web_server(settings, chosen, lambda: app, pages)
    ready = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(server.run_to_end, ready.set)
        await ready.wait()
        try:
            yield Served(url=url, home=home, app=app)
        finally:
            server.should_exit = True


def new_token(home: Path, name: str = "one") -> str:
    """As `hybrid-mcp token add` makes it."""
    token = PREFIX + secrets.token_urlsafe(32)
    file = TokenFile(path=home / TOKENS_FILE)
    file.add(KeptToken(id=f"token-{secrets.token_hex(6)}", name=name, digest=digest_of(token), created=WHEN))
    return token


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def content(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


def error(result: CallToolResult) -> str:
    assert result.is_error
    return "".join(block.text for block in result.content if isinstance(block, TextContent))
