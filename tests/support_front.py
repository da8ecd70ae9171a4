"""The MCP server in this process, before an application with one paid model on loopback."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mcp import Client

from hybrid_mcp.app import App, open_app
from hybrid_mcp.config.settings import load_settings
from hybrid_mcp.observe.silent import Silent
from hybrid_mcp.server import build_server
from tests.support_e2e import write_profile
from tests.support_servers import FakeServer, Received, Reply, openai_chunk, openai_reply, reply_always

Era = Literal["auto", "legacy"]
ERAS: tuple[Era, ...] = ("auto", "legacy")
PROFILE = """\
profile: front
monthly_budget: 5
approval: allow
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
  ollama: {kind: ollama, base_url: "URL"}
"""
USAGE = {"prompt_tokens": 1_000, "completion_tokens": 500, "total_tokens": 1_500}
Script = Callable[[Received], Reply]
REPLY = openai_reply(openai_chunk("Paris."), openai_chunk(None, "stop"), {"choices": [], "usage": USAGE})
ALWAYS: Script = reply_always(REPLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    mcp: Client
    app: App

    async def paid(self, **more: Any) -> None:
        result = await self.mcp.call_tool("route_completion", {"prompt": "Capital?", "force_cloud": True, **more})
        assert not result.is_error, result.content


@asynccontextmanager
async def front(
    home: Path, era: Era = "auto", profile: str = PROFILE, script: Script = ALWAYS
) -> AsyncGenerator[Front]:
    with FakeServer(script) as far:
        write_profile(home, profile.replace("URL", far.url), "front")
        (home / "whitelist.json").write_text('{"cloud_apis": ["127.0.0.1"]}', encoding="utf-8")
        app = open_app(load_settings(environ={"FAKE_KEY": "k"}, home=home, profile="front"), Silent())
        async with Client(build_server(lambda: app), mode=era) as mcp:
            yield Front(mcp=mcp, app=app)
