"""What the tools cost a client's context: their list before anything is asked, and each answer beside its text."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import TextContent

from hybrid_mcp.app import App
from hybrid_mcp.domain.brevity import cost
from hybrid_mcp.server import build_server
from tests.support_front import ERAS, PROFILE, USAGE, Era, front
from tests.support_servers import Received, Reply, openai_chunk, openai_reply

pytestmark = pytest.mark.anyio

LIST_BYTES = 6_000
"""1,500 tokens or less with the tokenizers of 2026, which read more than four bytes of such JSON as one."""
ANSWER_BYTES = 1_300
"""Where names are as they are in use, answers of this size had 2.9 bytes or more a token of cl100k, so that bytes alone
do not prove 400 tokens; `cost` is looked at too."""
FOUR_WITHOUT_KEYS = (
    '"fake:big", "gemini:gemini-3.8-flash", "openai:gpt-6.1-sol", "anthropic:claude-opus-5-5", "openrouter:a/b"'
)
DOUBTFUL = openai_reply(
    openai_chunk("def f(:\n```python\ndef f(:\n```\n" + "Nein, ich kann das nicht. 2 + 2 = 5. " * 40),
    openai_chunk(None, "stop"), {"choices": [], "usage": USAGE},
)  # fmt: skip
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


def stubborn(received: Received) -> Reply:
    """Each model fails in another way; only the last one answers, at length and with much to be doubted."""
    name = received.json["model"]
    if name.endswith("-7"):
        return DOUBTFUL
    status = (500, 429, 401, 404, 402)[int(name[-1]) % 5]
    return Reply(
        status=status, body=(json.dumps({"error": {"code": "some_long_code", "message": "m" * 900}}).encode(),)
    )


@pytest.mark.parametrize(
    "more", [{}, {"dry_run": True}, {"confidential": True}], ids=["answered", "planned", "refused"]
)
@pytest.mark.parametrize("count", [4, 20])
async def test_the_worst_answers_and_errors_are_small_too(tmp_path: Path, count: int, more: dict[str, Any]):
    able = ", ".join(f'"fake:meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo-{number}"' for number in range(8))
    unable = ", ".join(f'"openrouter:nvidia/llama-3.3-nemotron-super-49b-v1.5-{number}"' for number in range(count))
    profile = PROFILE.replace('"fake:big"', f"{able}, {unable}, {FOUR_WITHOUT_KEYS}")
    async with front(tmp_path, profile=profile, script=stubborn) as one:
        asked = {"prompt": 'Answer yes or no, as JSON: is 2 + 2 = 5? {"a": 1}', "force_cloud": True, **more}
        result = await one.mcp.call_tool("route_completion", asked)
    text = "".join(block.text for block in result.content if isinstance(block, TextContent))
    if result.is_error:
        assert "must stay on this machine" in text
        beside = text
    else:
        beside = json.dumps({**json.loads(text), "text": ""}, separators=(",", ":"), ensure_ascii=False)
        assert f"nemotron-super-49b-v1.5-{count - 1}" in text or "more" in text
    assert len(beside.encode()) < ANSWER_BYTES
    assert cost(beside) <= 405


@pytest.mark.parametrize("name", EXAMPLES)
async def test_an_answer_is_small_beside_its_text(tmp_path: Path, name: str):
    async with front(tmp_path, profile=PROFILE.replace('"fake:big"', FOUR_WITHOUT_KEYS)) as one:
        result = await one.mcp.call_tool("route_completion", EXAMPLES[name])
    found = result.structured_content
    assert found is not None
    left_out = " ".join(one["model"] for one in found["excluded"])
    assert all(name in left_out for name in ("gemini:", "openai:", "anthropic:", "openrouter:"))
    assert len(json.dumps({**found, "text": ""}, separators=(",", ":")).encode()) < ANSWER_BYTES
