"""What the tools cost a client's context: their list before anything is asked, and each answer beside its text."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from hybrid_mcp.app import App
from hybrid_mcp.server import build_server
from tests.support_front import ERAS, PROFILE, Era, front

pytestmark = pytest.mark.anyio

LIST_BYTES = 6_000
"""1,500 tokens or less with the tokenizers of 2026, which read more than four bytes of such JSON as one."""
ANSWER_BYTES = 1_350
"""400 tokens: answers are denser, with three and a half bytes a token."""
FOUR_WITHOUT_KEYS = (
    '"fake:big", "gemini:gemini-3.8-flash", "openai:gpt-6.1-sol", "anthropic:claude-opus-5-5", "openrouter:a/b"'
)
EXAMPLES: dict[str, dict[str, Any]] = {
    "paid": {"prompt": "Name the capital of France", "force_cloud": True},
    "planned": {"prompt": "Name the capital of France", "dry_run": True},
    "an agent's task": {
        "prompt": "Refactor this and explain step by step why it deadlocks",
        "task_type": "code_review",
    },
}


def nobody() -> App:
    raise AssertionError("a list needs no application")


@pytest.mark.parametrize("era", ERAS)
async def test_the_list_is_small_and_the_same_each_time(era: Era):
    async with Client(build_server(nobody), mode=era) as mcp:
        listed = await mcp.list_tools()
    async with Client(build_server(nobody), mode=era) as mcp:
        again = await mcp.list_tools()
    text = listed.model_dump_json(by_alias=True, exclude_none=True)
    assert len(text.encode()) < LIST_BYTES
    assert again.model_dump_json(by_alias=True, exclude_none=True) == text
    assert [tool.name for tool in listed.tools] == [
        "route_completion", "check_allowed", "add_to_whitelist", "budget_status", "get_completion", "report_outcome",
    ]  # fmt: skip
    for tool in listed.tools:
        assert tool.description
        assert "\n" not in tool.description
        assert len(tool.description) < 170


def test_what_answers_calls_is_not_loaded_for_the_list():
    loaded = "import sys, hybrid_mcp.server; print(*sorted(name for name in sys.modules if name.startswith('hybrid_')))"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    found = set(done.stdout.split())
    assert "hybrid_mcp.tools" in found
    assert not found & {
        f"hybrid_mcp.{name}" for name in ("app", "service", "checkup", "domain.judging", "domain.scorer")
    }


@pytest.mark.parametrize("name", EXAMPLES)
async def test_an_answer_is_small_beside_its_text(tmp_path: Path, name: str):
    async with front(tmp_path, profile=PROFILE.replace('"fake:big"', FOUR_WITHOUT_KEYS)) as one:
        result = await one.mcp.call_tool("route_completion", EXAMPLES[name])
    found = result.structured_content
    assert found is not None
    assert len(found["excluded"]) >= 4
    assert len(json.dumps({**found, "text": ""}, separators=(",", ":")).encode()) < ANSWER_BYTES
