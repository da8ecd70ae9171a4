"""A home that learns from what its user says, as an agent reports it and as the owner sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import TextContent

from hybrid_mcp.app import open_app
from hybrid_mcp.config import load_settings
from hybrid_mcp.observe.silent import Silent
from hybrid_mcp.server import build_server
from tests.support_config import write
from tests.support_e2e import printed, run
from tests.support_servers import OPENAI_USAGE, FakeServer, openai_chunk, openai_reply, reply_always

pytestmark = pytest.mark.anyio

PROFILE = """\
profile: test
routing_rules:
  complexity_threshold: 0.6
  always_try_local_first: true
  local_models: ["here:m"]
providers:
  here: {kind: openai, base_url: "URL/v1"}
"""
PROMPT = "Compare the tax laws for the estate of case {}"
NOTE = "it said Zanzibar"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    answer = openai_reply(openai_chunk("Forty-two"), openai_chunk(None, "stop", usage=OPENAI_USAGE))
    with FakeServer(reply_always(answer)) as server:
        write(tmp_path / "profiles" / "test.yaml", PROFILE.replace("URL", server.url))
        yield tmp_path


async def taught(mcp: Client, prompts: Iterable[str]) -> dict[str, Any]:
    """What the last of these calls' reports, all of failures, was answered with."""
    told: dict[str, Any] = {}
    for prompt in prompts:
        answer: dict[str, Any] = (await mcp.call_tool("route_completion", {"prompt": prompt})).structured_content or {}
        report: dict[str, Any] = {"request_id": answer["request_id"], "ok": False, "note": NOTE}
        told = (await mcp.call_tool("report_outcome", report)).structured_content or {}
        assert told["request_id"] == answer["request_id"]
    return told


async def test_an_agents_reports_move_the_score_that_the_owner_sees(home: Path):
    status = printed(run(home, "--profile", "test", "scorer", "status", "--json"))
    assert (status["reports"], status["verdicts"], status["most_hundredths"]) == (0, 0, 0.0)
    assert files_of(home) == []

    app = open_app(load_settings(environ={}, home=home, profile="test"), Silent())
    async with Client(build_server(lambda: app)) as mcp:
        told = await taught(mcp, map(PROMPT.format, range(20)))
        assert (told["counted"], told["outcomes"]) == (True, 20)
        assert "note was not kept" in told["message"]
        planned = await mcp.call_tool("route_completion", {"prompt": PROMPT.format("Smith"), "dry_run": True})
        unknown = await mcp.call_tool("report_outcome", {"request_id": "none", "ok": True})
    assert unknown.is_error
    assert isinstance(unknown.content[0], TextContent)
    assert "give that of a route_completion answer" in unknown.content[0].text
    assert not any(b"Zanzibar" in file.read_bytes() for file in files_of(home))

    scored = printed(run(home, "score", "--json", PROMPT.format("Smith")))
    assert scored == (planned.structured_content or {})["complexity"]
    assert scored["signals"]["outcomes"] > 0
    status = printed(run(home, "--profile", "test", "scorer", "status", "--json"))
    assert (status["reports"], status["failed"], status["evidence"]) == (20, 20, 20.0)
    assert status["file"] == str(home / "learning.db")
    forgotten = run(home, "--profile", "test", "scorer", "reset")
    assert forgotten.stdout.startswith("forgotten: 20 outcomes of ")


def files_of(home: Path) -> list[Path]:
    return list(home.glob("learning*"))
