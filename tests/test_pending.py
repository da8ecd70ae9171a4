"""A call that its client has no patience for goes on, and can be picked up."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread
from dirty_equals import IsPartialDict, IsStr
from mcp import Client
from mcp.types import CallToolResult, TextContent

from hybrid_mcp.app import App, open_app
from hybrid_mcp.config import load_settings
from hybrid_mcp.host import Host
from hybrid_mcp.observe.silent import Silent
from hybrid_mcp.pending import MOST_RUNNING
from hybrid_mcp.server import build_server
from tests.support_config import write
from tests.support_e2e import session
from tests.support_servers import (
    NEVER_LONGER_S,
    OPENAI_USAGE,
    FakeServer,
    Received,
    Reply,
    openai_chunk,
    reply_always,
    sse,
)

pytestmark = pytest.mark.anyio

PROFILE = """\
profile: slow
monthly_budget: 5
routing_rules:
  complexity_threshold: 0
  always_try_local_first: false
  local_models: ["embedded:smollm2"]
  cloud_models: ["far:m"]
providers:
  far:
    kind: openai
    base_url: "URL/v1"
    local: false
    api_key_env: FAR_KEY
    price: {input_per_mtok: 1, output_per_mtok: 2, context: 100000}
"""
PATIENCE_S = 0.05
ASKED = {"prompt": "Say hello", "force_cloud": True, "on_deadline": "continue"}


@dataclass
class Slow:
    """A paid model that writes "Hello" and the rest when it is told to."""

    go_on: threading.Event = field(default_factory=threading.Event)

    def __call__(self, _: Received) -> Reply:
        begun = sse(openai_chunk("Hello"))
        rest = sse(
            openai_chunk(" there"), openai_chunk(finish="stop"),
            {**openai_chunk(), "choices": [], "usage": OPENAI_USAGE}, "[DONE]",
        )  # fmt: skip
        return Reply(content_type="text/event-stream", body=(*begun, self.go_on, *rest))


@dataclass(frozen=True)
class Bench:
    mcp: Client
    server: FakeServer
    slow: Slow
    app: App
    host: Host

    async def ask(self, **arguments: object) -> CallToolResult:
        return await self.mcp.call_tool("route_completion", {**ASKED, "deadline_s": PATIENCE_S, **arguments})

    async def fetch(self, request_id: str, wait_s: float) -> CallToolResult:
        return await self.mcp.call_tool("get_completion", {"request_id": request_id, "wait_s": wait_s})


def home_for(home: Path, server: FakeServer) -> Path:
    write(home / "profiles" / "slow.yaml", PROFILE.replace("URL", server.url))
    write(home / "whitelist.json", json.dumps({"cloud_apis": ["127.0.0.1"]}))
    return home


@asynccontextmanager
async def bench(home: Path) -> AsyncGenerator[Bench]:
    slow = Slow()
    with FakeServer(slow) as server:
        home_for(home, server)
        app = open_app(load_settings(environ={"FAR_KEY": "k"}, home=home, profile="slow"), Silent())
        spec = app.settings.profile.provider("far")
        assert spec is not None
        app.catalog.provider_of(spec)  # importing an SDK takes a second, and no deadline of these tests pays for it
        try:
            built = build_server(lambda: app)
            async with Client(built) as mcp:
                yield Bench(mcp, server, slow, app, built.host)
        finally:
            slow.go_on.set()


def content(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


def error(result: CallToolResult) -> str:
    [block] = result.content
    assert result.is_error
    assert isinstance(block, TextContent)
    return block.text


def states(home: Path) -> list[str]:
    """What the ledger wrote down, in order."""
    with closing(sqlite3.connect(home / "ledger.db")) as connection:
        return [row[0] for row in connection.execute("SELECT state FROM entry ORDER BY id")]


async def test_a_call_goes_on_after_its_deadline_and_is_picked_up(tmp_path: Path):
    async with bench(tmp_path) as one:
        running = content(await one.ask())
        assert running == IsPartialDict({
            "status": "running", "text": None, "model": None, "attempts": [], "cost_usd": 0.0,
            "reason": IsStr(regex=r"still running after \d+ s \(.+\): call get_completion with this request_id"),
        })  # fmt: skip
        name = running["request_id"]
        assert content(await one.fetch(name, 0))["status"] == "running"
        one.slow.go_on.set()
        done = content(await one.fetch(name, NEVER_LONGER_S))
        assert (done["request_id"], done["status"], done["text"]) == (name, "completed", "Hello there")
        assert done["cost_usd"] > 0
        assert content(await one.fetch(name, 0)) == done


async def test_a_call_that_is_done_in_time_is_answered_at_once(tmp_path: Path):
    async with bench(tmp_path) as one:
        one.slow.go_on.set()
        found = content(await one.ask(deadline_s=NEVER_LONGER_S))
    assert (found["status"], found["text"]) == ("completed", "Hello there")


async def test_a_failure_is_told_to_whoever_fetches_it(tmp_path: Path):
    async with bench(tmp_path) as one:
        one.server.script = reply_always(Reply(status=401, body=(one.slow.go_on, b"{}")))
        running = content(await one.ask())
        one.slow.go_on.set()
        told = error(await one.fetch(running["request_id"], NEVER_LONGER_S))
    assert "far:m refused the request (HTTP 401)" in told
    assert "FAR_KEY" in told


async def test_a_name_that_nobody_knows_is_an_error_with_what_to_do(tmp_path: Path):
    async with bench(tmp_path) as one:
        told = error(await one.fetch("0123456789ab", 0))
    assert "no such request_id" in told
    assert 'on_deadline="continue"' in told


async def test_a_client_that_cancels_ends_the_call(tmp_path: Path):
    slow = Slow()
    with FakeServer(slow) as server:
        home = home_for(tmp_path, server)
        async with session(home, "--profile", "slow", FAR_KEY="k") as mcp:
            async with anyio.create_task_group() as group:
                group.start_soon(mcp.call_tool, "route_completion", {**ASKED, "deadline_s": NEVER_LONGER_S})
                await to_thread.run_sync(server.wait_for_requests, 1)
                group.cancel_scope.cancel()
            with anyio.fail_after(NEVER_LONGER_S):
                while content(await mcp.call_tool("budget_status", {}))["reserved_usd"]:
                    pass
        slow.go_on.set()
    assert states(home)[-1] == "forfeited"


async def test_the_end_of_the_server_settles_what_is_running(tmp_path: Path):
    async with bench(tmp_path) as one:
        assert content(await one.ask())["status"] == "running"
        await to_thread.run_sync(one.server.wait_for_requests, 1)
    assert states(tmp_path)[-1] == "forfeited"


async def test_only_so_many_calls_may_go_on(tmp_path: Path):
    async with bench(tmp_path) as one:
        for _ in range(MOST_RUNNING):
            assert content(await one.ask(force_cloud=False))["status"] == "running"
        told = error(await one.ask())
        one.slow.go_on.set()
    assert f"{MOST_RUNNING} calls go on already" in told


async def test_of_a_call_that_has_ended_nothing_of_its_request_is_kept(tmp_path: Path):
    async with bench(tmp_path) as one:
        begun = content(await one.ask(context="SEALED " * 1_000))
        work = one.host.pending.find(begun["request_id"], one.app.account)
        assert "SEALED" in work.request.context
        one.slow.go_on.set()
        assert content(await one.fetch(begun["request_id"], NEVER_LONGER_S))["status"] == "completed"
    assert not any("SEALED" in text for _, text in work.request.texts())
