"""MCP over HTTP on a real socket: who gets in, how far, and at whose cost."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest
from anyio import to_thread
from mcp import Client, MCPError
from mcp.client.session import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult, TextResourceContents
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hybrid_mcp.http import auth
from hybrid_mcp.http.assembly import BODY_LIMIT_BYTES
from hybrid_mcp.storage.token_file import TokenFile
from tests.support_config import write
from tests.support_http import MODES, Mode, Served, bearer, content, error, new_token, served
from tests.support_servers import NEVER_LONGER_S, FakeServer
from tests.test_pending import ASKED, PATIENCE_S, Slow, home_for, states

pytestmark = pytest.mark.anyio

PATHS = ["/mcp", "/mcp/", "/page", "/nowhere", "/", "/docs", "/.well-known/oauth-protected-resource", "//mcp", "/%2e"]
INITIALIZE = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}  # fmt: skip
SPOKEN = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


async def left_of_client(mcp: Client) -> dict[str, Any]:
    """The caller's own cap, as it is told."""
    caps = content(await mcp.call_tool("budget_status", {}))["caps"]
    return next(cap for cap in caps if cap["scope"] == "client")


async def page(request: Request) -> Response:
    return PlainTextResponse(f"read {len(await request.body())}")


PAGES = [Route("/page", page, methods=["GET", "POST"])]


@asynccontextmanager
async def with_page(home: Path, **options: Any) -> AsyncGenerator[Served]:
    async with served(home, pages=lambda _: PAGES, **options) as here:
        yield here


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_with_a_token_lists_calls_and_reads(tmp_path: Path, mode: Mode):
    token = new_token(tmp_path)
    async with served(tmp_path) as here, here.client(token, mode) as mcp:
        assert "route_completion" in [tool.name for tool in (await mcp.list_tools()).tools]
        planned = content(await mcp.call_tool("route_completion", {"prompt": "Hello", "dry_run": True}))
        assert planned["status"] == "planned"
        [usage] = (await mcp.read_resource("hybrid://usage/day")).contents
        assert isinstance(usage, TextResourceContents)
        assert json.loads(usage.text)["period"] == "day"


async def test_no_route_but_health_is_open_without_a_token(tmp_path: Path):
    new_token(tmp_path)
    wrong: list[dict[str, str]] = [
        {}, bearer("hmcp_" + "x" * 43), bearer("x"), {"authorization": "Basic aGk6aG8="},
        {"authorization": "bearer"}, {"authorization": "hmcp_x"}, bearer("hmcp_" + "x" * 20_000),
        bearer("hmcp_\xe9"),
    ]  # fmt: skip
    async with with_page(tmp_path) as here:
        for path in PATHS:
            for method in ("GET", "POST", "OPTIONS"):
                told = await here.said(path, method)
                by_browser = 'Basic realm="hybrid-mcp", charset="UTF-8", ' if path == "/page" else ""
                challenge = by_browser + 'Bearer realm="hybrid-mcp"'
                assert (told.status_code, told.headers["www-authenticate"]) == (401, challenge)
        for headers in wrong[1:]:
            told = await here.said("/page", headers={k: v.encode("latin-1") for k, v in headers.items()})
            assert told.status_code == 401
        healthy = await here.said("/health")
        assert (healthy.status_code, healthy.json()) == (200, {"status": "ok"})
        assert "server" not in healthy.headers
        assert (await here.said("/health", "POST")).status_code == 405


async def test_a_token_opens_every_route_and_counts_nowhere_but_in_its_header(tmp_path: Path):
    token = new_token(tmp_path)
    async with with_page(tmp_path) as here:
        assert (await here.said("/page", headers=bearer(token))).text == "read 0"
        assert (await here.said("/nowhere", headers=bearer(token))).status_code == 404
        assert (await here.said("/page", headers={"authorization": f"BEARER  {token}"})).status_code == 200
        for path in (f"/page?access_token={token}", f"/page?token={token}"):
            assert (await here.said(path)).status_code == 401
        twice = (
            f"GET /page HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nAuthorization: Bearer {token}"
        )
        assert b" 401 " in (await here.raw(twice)).partition(b"\r\n")[0]


async def test_a_foreign_host_or_origin_is_refused_on_every_route_even_with_a_token(tmp_path: Path):
    token = new_token(tmp_path)
    async with with_page(tmp_path) as here:
        for path in (*PATHS, "/health"):
            for host in ("evil.com", "localhost.evil.com", "localhost."):
                told = await here.said(path, headers={"host": host, **bearer(token)})
                assert told.status_code == 421
            for origin in ("http://evil.com", "null", "http://localhost:1", "http://127.0.0.1.evil.com"):
                told = await here.said(path, "POST", headers={"origin": origin, **bearer(token)})
                assert told.status_code == 403
                assert not [name for name in told.headers if name.startswith("access-control")]
        forwarded = {"x-forwarded-host": "localhost", "forwarded": "host=localhost", "host": "evil.com"}
        assert (await here.said("/health", headers=forwarded)).status_code == 421
        ignored = {"x-forwarded-host": "evil.com", "forwarded": "host=evil.com"}
        assert (await here.said("/health", headers=ignored)).status_code == 200
        own = await here.said("/page", headers={"origin": here.url, **bearer(token)})
        assert own.status_code == 200


@pytest.mark.parametrize(
    "head",
    [
        "GET /health HTTP/1.1", "GET /health HTTP/1.0", "GET /health HTTP/1.1\r\nHost:",
        "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.com",
        "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost",
        "GET /health HTTP/1.1\r\nHost: evil.com\r\nX-Host: localhost",
        "GET http://evil.com/health HTTP/1.1\r\nHost: localhost", "OPTIONS * HTTP/1.1\r\nHost: localhost",
    ],
)  # fmt: skip
async def test_a_malformed_or_doubled_host_gets_nothing(tmp_path: Path, head: str):
    async with served(tmp_path) as here:
        first = (await here.raw(head)).partition(b"\r\n")[0]
        assert first.split(b" ")[1] in {b"400", b"421"}


async def test_without_allowed_origins_there_is_no_cors_and_with_them_a_browser_may_ask_first(tmp_path: Path):
    token, app = new_token(tmp_path), "https://app.example.com"
    question = {
        "origin": app, "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, mcp-protocol-version",
    }  # fmt: skip
    async with served(tmp_path) as here:
        assert (await here.said("/mcp", "OPTIONS", headers=question)).status_code == 403
    async with with_page(tmp_path, allowed_origins=(app,)) as here:
        told = await here.said("/mcp", "OPTIONS", headers=question)
        assert (told.status_code, told.headers["access-control-allow-origin"]) == (200, app)
        assert "authorization" in told.headers["access-control-allow-headers"].lower()
        assert "access-control-allow-credentials" not in told.headers
        answer = await here.said("/page", headers={"origin": app, **bearer(token)})
        assert (answer.text, answer.headers["access-control-allow-origin"]) == ("read 0", app)
        refused = await here.said("/page", headers={"origin": app})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, app)
        assert (await here.said("/page", headers={**question, "origin": "https://evil.com"})).status_code == 403


async def test_a_body_that_is_too_large_is_refused_on_every_route_also_in_pieces_and_nobody_reads_it_without_a_token(
    tmp_path: Path,
):
    token = new_token(tmp_path)

    async def pieces() -> AsyncGenerator[bytes]:
        for _ in range(BODY_LIMIT_BYTES // 1_000_000 + 1):
            yield b" " * 1_000_000

    async with with_page(tmp_path) as here:
        for path in ("/page", "/mcp", "/nowhere"):
            declared = (
                f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
            )
            told = await here.raw(f"{declared}Content-Length: {BODY_LIMIT_BYTES + 1}")
            assert b" 413 " in told.partition(b"\r\n")[0]
            assert (await here.said(path, "POST", content=pieces(), headers=bearer(token))).status_code == 413
        allowed = await here.said("/page", "POST", content=b" " * BODY_LIMIT_BYTES, headers=bearer(token))
        assert allowed.text == f"read {BODY_LIMIT_BYTES}"
        told = await here.raw("POST /page HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999")
        assert b" 401 " in told.partition(b"\r\n")[0]


async def test_half_a_pair_in_json_gets_an_answer(tmp_path: Path):
    token = new_token(tmp_path)
    body = json.dumps(INITIALIZE).replace('"t"', '"\\ud800"')
    async with served(tmp_path) as here:
        told = await here.said("/mcp", "POST", content=body, headers={**bearer(token), **SPOKEN})
        assert told.status_code < 600
        call: dict[str, Any] = {
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {
                "name": "route_completion", "arguments": {"prompt": "PROMPT", "dry_run": True},
                "_meta": {
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientCapabilities": {},
                },
            },
        }  # fmt: skip
        headers = {
            **bearer(token), **SPOKEN, "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call",
            "mcp-name": "route_completion",
        }  # fmt: skip
        body = json.dumps(call).replace("PROMPT", "\\ud800")
        told = await here.said("/mcp", "POST", content=body, headers=headers)
        assert told.status_code == 200
        assert "half" in told.text


@pytest.mark.parametrize("mode", MODES)
async def test_a_revoked_token_stops_at_once_in_the_middle_of_a_session(tmp_path: Path, mode: Mode):
    gone, stays = new_token(tmp_path, "gone"), new_token(tmp_path, "stays")
    async with served(tmp_path) as here, here.client(stays, mode) as other, here.client(gone, mode) as mcp:
        assert content(await mcp.call_tool("budget_status", {}))
        TokenFile(path=tmp_path / "tokens.json").revoke("gone")
        with pytest.raises(MCPError):
            await mcp.call_tool("budget_status", {})
        assert content(await other.call_tool("budget_status", {}))
        assert (await here.said("/page", headers=bearer(gone))).status_code == 401


async def test_a_request_under_way_ends_soon_after_its_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(auth, "LOOK_AGAIN_S", 0.02)
    token, begun, ended = new_token(tmp_path), anyio.Event(), anyio.Event()

    async def forever(_: Request) -> Response:
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()
        return Response()

    async with (
        served(tmp_path, pages=lambda _: [Route("/page", forever)]) as here,
        anyio.create_task_group() as group,
    ):
        group.start_soon(here.raw, f"GET /page HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}")
        await begun.wait()
        TokenFile(path=tmp_path / "tokens.json").revoke("one")
        with anyio.fail_after(NEVER_LONGER_S):
            await ended.wait()


async def test_who_connects_and_says_nothing_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hybrid_mcp.http.serving.FIRST_REQUEST_S", 0.02)
    async with served(tmp_path) as here:
        where = urlsplit(here.url)
        for said in (b"", b"GET /health HTTP/1.1\r\nHost: local"):
            async with await anyio.connect_tcp(where.hostname or "", where.port or 0) as connection:
                if said:
                    await connection.send(said)
                with anyio.fail_after(NEVER_LONGER_S), pytest.raises(anyio.EndOfStream):
                    await connection.receive()


async def test_a_token_file_that_breaks_lets_nobody_in_and_says_nothing_of_itself(tmp_path: Path):
    token = new_token(tmp_path)
    async with with_page(tmp_path) as here:
        good = (tmp_path / "tokens.json").read_bytes()
        (tmp_path / "tokens.json").write_bytes(good[:-20])
        told = await here.said("/page", headers=bearer(token))
        assert told.status_code == 503
        assert str(tmp_path) not in told.text
        assert (await here.said("/page")).status_code == 401
        (tmp_path / "tokens.json").write_bytes(good)
        assert (await here.said("/page", headers=bearer(token))).status_code == 200


async def test_nobody_uses_the_session_of_another(tmp_path: Path):
    mine, theirs = new_token(tmp_path, "mine"), new_token(tmp_path, "theirs")
    async with served(tmp_path) as here:
        opened = await here.said("/mcp", "POST", json=INITIALIZE, headers={**bearer(mine), **SPOKEN})
        session = {**SPOKEN, "mcp-session-id": opened.headers["mcp-session-id"], "mcp-protocol-version": "2025-11-25"}
        listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        stolen = await here.said("/mcp", "POST", json=listing, headers={**bearer(theirs), **session})
        own = await here.said("/mcp", "POST", json=listing, headers={**bearer(mine), **session})
        assert (stolen.status_code, own.status_code) == (404, 200)


@pytest.mark.parametrize("mode", MODES)
async def test_each_token_has_a_budget_of_its_own_and_cannot_fetch_the_answers_of_another(tmp_path: Path, mode: Mode):
    slow = Slow()
    with FakeServer(slow) as paid:
        home = home_for(tmp_path, paid)
        one, two = new_token(home, "one"), new_token(home, "two")
        environ = {"FAR_KEY": "k", "CLIENT_BUDGET": "1"}
        async with (
            served(home, profile="slow", environ=environ) as here,
            here.client(one, mode) as first,
            here.client(two, mode) as second,
        ):
            asked = {**ASKED, "deadline_s": PATIENCE_S}
            running = content(await first.call_tool("route_completion", asked))
            name = {"request_id": running["request_id"], "wait_s": NEVER_LONGER_S}
            assert "no such request_id" in error(await second.call_tool("get_completion", name))
            slow.go_on.set()
            done = content(await first.call_tool("get_completion", name))
            assert done["text"] == "Hello there"
            word = {"request_id": done["request_id"], "ok": False}
            assert "no such request_id" in error(await second.call_tool("report_outcome", word))
            assert content(await first.call_tool("report_outcome", word))["counted"]
            left = [await left_of_client(mcp) for mcp in (first, second)]
            [usage] = (await second.read_resource("hybrid://usage/month")).contents
            assert isinstance(usage, TextResourceContents)
    assert left[0]["remaining_usd"] == pytest.approx(1 - done["cost_usd"])
    assert left[1]["remaining_usd"] == 1.0
    assert left[1] in json.loads(usage.text)["caps"]
    assert done["cost_usd"] > 0


async def test_a_budget_that_one_token_has_used_up_stops_no_other(tmp_path: Path):
    slow = Slow()
    with FakeServer(slow) as paid:
        home = home_for(tmp_path, paid)
        one, two = new_token(home, "one"), new_token(home, "two")
        environ = {"FAR_KEY": "k", "CLIENT_BUDGET": "0.002"}  # less than a call may cost, so one call takes all of it
        async with (
            served(home, profile="slow", environ=environ) as here,
            here.client(one) as first,
            here.client(two) as second,
        ):
            asked = {**ASKED, "deadline_s": PATIENCE_S}
            assert content(await first.call_tool("route_completion", asked))["status"] == "running"
            await to_thread.run_sync(paid.wait_for_requests, 1)
            more = {"prompt": "More", "force_cloud": True, "deadline_s": 0.3}
            assert "this client's budget" in error(await first.call_tool("route_completion", more))
            assert content(await second.call_tool("route_completion", asked))["status"] == "running"
            await to_thread.run_sync(paid.wait_for_requests, 2)
            slow.go_on.set()


@pytest.mark.parametrize("mode", MODES)
async def test_whoever_holds_a_token_does_not_answer_for_the_owner(tmp_path: Path, mode: Mode):
    token = new_token(tmp_path)
    write(tmp_path / "whitelist.json", json.dumps({"domains": []}))

    async def owner(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        raise AssertionError(context, params)

    async with served(tmp_path) as here, here.client(token, mode, elicitation_callback=owner) as mcp:
        wish = {"resource_type": "domains", "resource_name": "docs.example.com"}
        asked = content(await mcp.call_tool("add_to_whitelist", wish))
        assert asked["status"] == "pending_approval"
        assert "hybrid-mcp approve" in asked["how_to_approve"]
        assert not content(await mcp.call_tool("check_allowed", wish))["allowed"]


async def test_a_call_that_goes_on_by_itself_ends_with_its_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hybrid_mcp.http.running.LOOK_AGAIN_S", 0.02)
    slow = Slow()
    with FakeServer(slow) as paid:
        home = home_for(tmp_path, paid)
        tokens = [new_token(home, name) for name in ("gone", "stays")]
        async with served(home, profile="slow", environ={"FAR_KEY": "k"}) as here:
            asked = {**ASKED, "deadline_s": PATIENCE_S}
            async with here.client(tokens[0]) as gone, here.client(tokens[1]) as stays:
                assert content(await gone.call_tool("route_completion", asked))["status"] == "running"
                kept = content(await stays.call_tool("route_completion", asked))
                await to_thread.run_sync(paid.wait_for_requests, 2)
                TokenFile(path=home / "tokens.json").revoke("gone")
                assert await to_thread.run_sync(paid.client_left.wait, NEVER_LONGER_S)
                slow.go_on.set()
                fetched = await stays.call_tool("get_completion", {"request_id": kept["request_id"]})
                assert content(fetched)["status"] == "completed"


@pytest.mark.parametrize("mode", MODES)
async def test_a_call_tells_its_progress_over_http(tmp_path: Path, mode: Mode, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hybrid_mcp.heartbeat.HEARTBEAT_S", 0.01)
    slow, told = Slow(), list[str | None]()

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        assert progress > 0, total
        told.append(message)
        slow.go_on.set()

    with FakeServer(slow) as paid:
        home = home_for(tmp_path, paid)
        token = new_token(home)
        async with served(home, profile="slow", environ={"FAR_KEY": "k"}) as here, here.client(token, mode) as mcp:
            asked = {"prompt": "Say hello", "force_cloud": True}
            answer = await mcp.call_tool("route_completion", asked, progress_callback=heard)
    assert content(answer)["text"] == "Hello there"
    assert told


@pytest.mark.parametrize("mode", MODES)
async def test_the_end_of_the_server_settles_a_call_under_way(
    tmp_path: Path, mode: Mode, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("hybrid_mcp.http.serving.FINISH_S", 0)
    slow = Slow()
    with FakeServer(slow) as paid:
        home = home_for(tmp_path, paid)
        token = new_token(home)
        async with anyio.create_task_group() as clients:
            async with served(home, profile="slow", environ={"FAR_KEY": "k"}) as here:

                async def ask() -> None:
                    with suppress(Exception):
                        async with here.client(token, mode) as mcp:
                            await mcp.call_tool("route_completion", {"prompt": "Say hello", "force_cloud": True})

                clients.start_soon(ask)
                await to_thread.run_sync(paid.wait_for_requests, 1)
            assert states(home)[-1] == "forfeited"
            clients.cancel_scope.cancel()
        slow.go_on.set()
