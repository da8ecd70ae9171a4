"""The page of the budget: what an MCP host, a browser and a client that shows no page get."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal, cast

import httpx2
import pytest
from dirty_equals import IsNonNegative, IsPartialDict, IsStr
from mcp import Client
from mcp.client.extension import ClientExtension, advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.types import CallToolResult, TextContent
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest

from hybrid_mcp.app import App, open_app
from hybrid_mcp.config.settings import load_settings
from hybrid_mcp.domain.budget import Account
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.face import page
from hybrid_mcp.face.routes import data_route, page_route
from hybrid_mcp.observe.silent import Silent
from hybrid_mcp.server import build_server
from tests.support_e2e import write_profile
from tests.support_servers import FakeServer, openai_chunk, openai_reply, reply_always
from tests.support_service import Notes

pytestmark = pytest.mark.anyio

Era = Literal["auto", "legacy"]
BUDGET = "ui://hybrid-mcp/budget"
RECENT = "hybrid-mcp/recent"
SHOWS_APPS = (advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]}),)
PROMPT, ANSWER = "SEALED-PROMPT", "SEALED-ANSWER"
PROFILE = """\
profile: face
monthly_budget: 5
routing_rules:
  complexity_threshold: 0
  always_try_local_first: false
  cloud_models: ["fake:big"]
  local_models: ["ollama:none"]
providers:
  fake:
    kind: openai
    base_url: "URL/v1"
    local: false
    api_key_env: FAKE_KEY
    price: {input_per_mtok: 1, output_per_mtok: 2, context: 8000}
"""
USAGE = {"prompt_tokens": 1_000, "completion_tokens": 500, "total_tokens": 1_500}
REPLY = openai_reply(openai_chunk(ANSWER), openai_chunk(None, "stop"), {"choices": [], "usage": USAGE})
CALL = {
    "at": IsStr(regex=r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"), "model": "fake:big", "local": False, "cached": False,
    "escalated": False, "doubtful": False, "attempts": 1, "cost_usd": 0.002, "latency_ms": IsNonNegative, "score":
    IsNonNegative, "reason": IsStr(regex="(?s)score .*force_cloud asks for a paid model"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A server's application, with a far server on loopback that is paid."""

    app: App

    async def ask(self, prompt: str = PROMPT, account: Account | None = None) -> None:
        request = Request(prompt=prompt, force_cloud=True, temperature=1.0)
        answer = await self.app.service.complete(request, Notes(), account or self.app.account)
        assert answer.text == ANSWER

    @asynccontextmanager
    async def client(self, era: Era = "auto", extensions: tuple[ClientExtension, ...] = SHOWS_APPS):
        async with Client(build_server(lambda: self.app), mode=era, extensions=extensions) as mcp:
            yield mcp

    def browser(self, account: Account | None = None) -> httpx2.AsyncClient:
        def whose(_: HttpRequest) -> Account:
            return account or self.app.account

        web = Starlette(routes=[page_route(), data_route(lambda: self.app, whose)])
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=web), base_url="http://here")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    with FakeServer(reply_always(REPLY)) as far:
        write_profile(tmp_path, PROFILE.replace("URL", far.url), "face")
        (tmp_path / "whitelist.json").write_text('{"cloud_apis": ["127.0.0.1"]}', encoding="utf-8")
        app = open_app(load_settings(environ={"FAKE_KEY": "k"}, home=tmp_path, profile="face"), Silent())
        yield House(app=app)
        await app.aclose()


@pytest.fixture(params=["auto", "legacy"])
def era(request: pytest.FixtureRequest) -> Era:
    return request.param


def for_the_model(result: CallToolResult) -> dict[str, Any]:
    [block] = result.content
    assert isinstance(block, TextContent)
    assert not result.is_error, block.text
    assert json.loads(block.text) == result.structured_content
    return cast("dict[str, Any]", result.structured_content)


async def test_budget_status_names_the_page_and_the_page_can_be_read(house: House, era: Era):
    async with house.client(era) as mcp:
        listed = await mcp.list_tools()
        [content] = (await mcp.read_resource(BUDGET)).contents
        resources = [str(one.uri) for one in (await mcp.list_resources()).resources]
    metas = {tool.name: tool.meta for tool in listed.tools if tool.meta}
    assert metas == {"budget_status": {"ui": {"resourceUri": BUDGET}}}
    assert len(listed.model_dump_json(by_alias=True, exclude_none=True).encode()) < 6_000
    assert (content.mime_type, content.meta) == (APP_MIME_TYPE, {"ui": {"prefersBorder": True}})
    assert getattr(content, "text", "").encode() == page().body
    assert BUDGET not in resources


async def test_the_server_says_that_it_has_apps(house: House):
    async with house.client() as mcp:
        assert mcp.server_capabilities.extensions == {EXTENSION_ID: {}}


async def test_a_client_that_shows_the_page_gets_the_recent_calls_where_no_model_sees_them(house: House, era: Era):
    await house.ask()
    async with house.client(era) as mcp:
        result = await mcp.call_tool("budget_status", {})
    assert (result.meta or {})[RECENT] == [CALL]
    assert for_the_model(result) == IsPartialDict({"spent_usd": 0.002, "cloud_requests": 1})
    assert "recent" not in json.dumps(result.structured_content)
    assert PROMPT not in result.model_dump_json()
    assert ANSWER not in result.model_dump_json()


async def test_a_client_without_apps_gets_the_figures_alone(house: House, era: Era):
    await house.ask()
    async with house.client(era, extensions=()) as mcp:
        result = await mcp.call_tool("budget_status", {"period": "day"})
    assert RECENT not in (result.meta or {})
    assert for_the_model(result) == IsPartialDict({"period": "day", "cloud_requests": 1})


async def test_a_client_sees_its_own_calls_alone(house: House):
    mine, others = Account(client="mine"), Account(client="others")
    await house.ask(account=mine)
    async with house.browser(mine) as web, house.browser(others) as other:
        assert (await web.get("/dashboard/data")).json()["recent"] == [CALL]
        assert (await other.get("/dashboard/data")).json()["recent"] == []


async def test_a_browser_gets_the_page_with_a_policy_that_lets_nothing_else_in(house: House):
    async with house.browser() as web:
        shown = await web.get("/dashboard")
        told = await web.get("/dashboard/data?period=day")
    policy = dict(part.split(" ", 1) for part in shown.headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'", "connect-src": "'self'", "img-src": "data:", "base-uri": "'none'",
        "form-action": "'none'", "frame-ancestors": "'none'", "script-src": _hash(shown.text, "script"),
        "style-src": _hash(shown.text, "style"),
    }  # fmt: skip
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert shown.headers["x-content-type-options"] == told.headers["x-content-type-options"] == "nosniff"
    assert told.headers["cache-control"] == "no-store"
    assert told.json() == {"budget": IsPartialDict({"period": "day", "cap_usd": None}), "recent": []}


def _hash(html: str, tag: str) -> str:
    content = html.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


async def test_a_period_that_is_none_is_told_with_the_two_that_are(house: House):
    async with house.browser() as web:
        told = await web.get("/dashboard/data?period=year")
    assert told.status_code == 400
    assert told.json()["error"] == "period: a month or a day can be asked for: ?period=month, ?period=day"


async def test_a_broken_ledger_is_told_and_the_recent_calls_are_shown_all_the_same(tmp_path: Path):
    (tmp_path / "ledger.db").write_text("This is no ledger. " * 400, encoding="utf-8")
    app = open_app(load_settings(environ={}, home=tmp_path), Silent())
    async with House(app=app).browser() as web:
        told = await web.get("/dashboard/data")
    await app.aclose()
    assert told.status_code == 503
    assert told.json() == {"error": IsStr(regex="(?s).*ledger.*"), "recent": []}


class Outline(HTMLParser):
    """Every element of the page with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def test_the_page_is_small_whole_and_asks_nobody():
    html = page().body.decode()
    elements = Outline(html).elements
    assert len(html.encode()) < 20_000
    assert re.findall(r"(?:https?:|wss?:)?//\w", html) == []
    assert {one["href"] for _, one in elements if "href" in one} == {"data:,"}
    assert [tag for tag, one in elements if "src" in one or "style" in one] == []
    assert [name for _, one in elements for name in one if name.startswith("on")] == []


def test_text_can_only_ever_become_text():
    html = page().body.decode()
    ways_in = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval(", "Function(")
    assert [way for way in ways_in if way in html] == []


def test_a_screen_reader_finds_its_way():
    elements = Outline(page().body.decode()).elements
    tags = [tag for tag, _ in elements]
    ids = {one["id"] for _, one in elements if "id" in one}
    assert ("html", {"lang": "en"}) in elements
    assert [tags.count(one) for one in ("header", "main", "h1")] == [1, 1, 1]
    assert {one["role"] for _, one in elements if "aria-live" in one} == {"status"}
    assert {one["aria-labelledby"] for _, one in elements if "aria-labelledby" in one} <= ids
    assert {one["for"] for tag, one in elements if tag == "label"} <= ids
