"""Servers in the states that the page must show: real ones with real calls, and told ones with rare figures."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from mcp import Client
from mcp.client.extension import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID

from hybrid_mcp.app import App, open_app
from hybrid_mcp.config.settings import load_settings
from hybrid_mcp.domain.budget import PeriodName
from hybrid_mcp.face import data
from hybrid_mcp.face.mcp_app import RECENT, URI
from hybrid_mcp.observe.silent import Silent
from hybrid_mcp.server import build_server
from tests.support_e2e import write_profile
from tests.support_embedded import home_with_model
from tests.support_servers import FakeServer, openai_chunk, openai_reply, reply_always

PROFILE = """\
profile: shown
monthly_budget: 5
daily_budget: 1
routing_rules:
  complexity_threshold: 0.6
  always_try_local_first: true
  local_models: ["embedded:smollm2"]
  cloud_models: ["acme:large-2026"]
  fallback: local_best_effort
providers:
  acme:
    kind: openai
    base_url: "URL/v1"
    local: false
    api_key_env: ACME_KEY
    price: {input_per_mtok: 3, output_per_mtok: 15, context: 128000}
"""
USAGE = {"prompt_tokens": 60, "completion_tokens": 900, "total_tokens": 960}
PAID = openai_reply(openai_chunk("A paid answer."), openai_chunk(None, "stop"), {"choices": [], "usage": USAGE})
ASKED: tuple[dict[str, Any], ...] = (
    {"prompt": "What is the capital of France?"},
    {"prompt": "Say hello in Spanish.", "max_output_tokens": 16},
    {"prompt": "Review this migration for data loss.", "context": "drop table old;\n" * 6, "force_cloud": True},
    {"prompt": "What is the capital of France?"},
    {"prompt": "Name three colours.", "preferred_model": "acme:large-2026"},
    {"prompt": "What is two plus two?", "max_output_tokens": 24},
)
MARKUP = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
SHOWS_APPS = [advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})]


class House(Protocol):
    async def data(self, period: PeriodName) -> dict[str, Any]:
        """What a browser's page is given."""
        ...

    async def call(self, period: PeriodName) -> dict[str, Any]:
        """What an MCP host's page is given."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Real:
    app: App
    mcp: Client

    async def data(self, period: PeriodName) -> dict[str, Any]:
        return await data(self.app, self.app.account, period)

    async def call(self, period: PeriodName) -> dict[str, Any]:
        result = await self.mcp.call_tool("budget_status", {"period": period})
        return result.model_dump(mode="json", by_alias=True, exclude_none=True)

    async def page(self) -> str:
        [content] = (await self.mcp.read_resource(URI)).contents
        return cast("str", getattr(content, "text", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Figures and recent calls as given."""

    budget: Mapping[str, Any]
    recent: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def data(self, period: PeriodName) -> dict[str, Any]:
        return {"budget": {**self.budget, "period": period}, "recent": self.recent}

    async def call(self, period: PeriodName) -> dict[str, Any]:
        return {
            "content": [], "structuredContent": {**self.budget, "period": period}, "_meta": {RECENT: self.recent},
        }  # fmt: skip


def told(*, name: str, usd: float, capped: bool = True) -> Told:
    """Every text of it is `name`, and every amount is about `usd`."""
    budget = {
        "period": "month", "cap_usd": usd * 2, "spent_usd": usd, "reserved_usd": usd / 10, "remaining_usd": usd * 0.9,
        "local_requests": 12_345, "cloud_requests": 678, "cached_requests": 9, "saved_usd": usd * 3,
        "baseline_model": name, "by_model": [{"model": name, "requests": 13_032, "cost_usd": usd}],
        "caps": [{"scope": "month", "cap_usd": usd * 2, "remaining_usd": usd * 0.9}] if capped else [],
        "affordable_calls": 4_321 if capped else None, "alerts": [name],
    }  # fmt: skip
    recent = {
        "at": "2026-11-20T12:00:00+00:00", "model": name, "local": False, "cached": False, "escalated": True,
        "doubtful": True, "attempts": 3, "cost_usd": usd / 100, "latency_ms": 61_234, "score": 0.81, "reason": name,
    }  # fmt: skip
    return Told(budget=budget, recent=[recent])


async def opened(stack: Any, home: Path, **environ: str) -> Real:
    """A server of that home folder, with a client that shows MCP Apps."""
    settings = load_settings(environ={"ACME_KEY": "k", **environ}, home=home, profile="shown")
    app = open_app(settings, Silent())
    mcp = await stack.enter_async_context(Client(build_server(lambda: app), extensions=SHOWS_APPS))
    return Real(app=app, mcp=mcp)


async def built(stack: Any, folder: Path) -> dict[str, House]:
    """All houses by name. `data` has answered real calls, of which a far server on loopback was paid for some."""
    far = stack.enter_context(FakeServer(reply_always(PAID)))
    home = home_with_model(folder)
    write_profile(home, PROFILE.replace("URL", far.url), "shown")
    (home / "whitelist.json").write_text('{"cloud_apis": ["127.0.0.1"]}', encoding="utf-8")
    for name in ("empty", "broken"):
        shutil.copytree(home, folder / name)
    (folder / "broken" / "ledger.db").write_text("This is no ledger. " * 400, encoding="utf-8")
    real = await opened(stack, home)
    for one in ASKED:
        result = await real.mcp.call_tool("route_completion", one)
        assert not result.is_error, result.content
    return {
        "data": real, "empty": await opened(stack, folder / "empty"), "broken": await opened(stack, folder / "broken"),
        "over": await opened(stack, home, MONTHLY_BUDGET="0.02"), "hostile": told(name=MARKUP, usd=1.5),
        "rich": told(name="acme:" + "a-very-long-name-of-a-model-" * 5, usd=123_456.789),
        "uncapped": told(name="acme:large-2026", usd=0.0000021, capped=False),
    }  # fmt: skip
