from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, cast

import anyio
import pytest
from dirty_equals import IsDict, IsInstance, IsInt, IsList, IsPartialDict, IsPositiveInt, IsStr
from mcp import Client, MCPError
from mcp.types import CallToolResult, TextContent

from hybrid_mcp import heartbeat
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.scorer import score
from hybrid_mcp.wire import score_result
from tests.support_e2e import FRESH, session, write_profile
from tests.support_embedded import home_with_model
from tests.test_pending import bench

pytestmark = pytest.mark.anyio

Era = Literal["auto", "legacy"]
ERAS: tuple[Era, ...] = ("auto", "legacy")
TOOLS = [
    "route_completion", "check_allowed", "add_to_whitelist", "budget_status", "get_completion", "report_outcome",
]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = home_with_model(tmp_path)
    write_profile(folder)
    return folder


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> Era:
    return request.param


def client(home: Path, era: Era = "auto", **env: str) -> Client:
    return session(home, "--profile", "test", mode=era, **env)


def content(result: CallToolResult) -> dict[str, Any]:
    """The object of a successful call, after checking that text and structured content say the same."""
    [block] = result.content
    assert isinstance(block, TextContent)
    assert not result.is_error, block.text
    assert json.loads(block.text) == result.structured_content
    return cast("dict[str, Any]", result.structured_content)


def error(result: CallToolResult) -> str:
    [block] = result.content
    assert isinstance(block, TextContent)
    assert result.is_error
    return block.text


async def test_a_real_model_on_this_machine_answers(home: Path, era: Era):
    scored = score(Request(prompt="What is the capital of France?"))
    async with client(home, era, **FRESH) as mcp:
        answer = content(await mcp.call_tool("route_completion", {"prompt": "What is the capital of France?"}))
        spent = content(await mcp.call_tool("budget_status", {}))
    assert answer == {
        "request_id": IsStr(min_length=8), "status": "completed", "text": IsStr(regex=r"(?s).*Paris.*"),
        "model": "embedded:smollm2", "provider": "embedded", "local": True, "cached": False, "escalated": False,
        "reasoning": None, "judged": "good", "judging_ms": 0, "complexity": score_result(scored).model_dump(),
        "reason": f"score {scored.score:.2f} wants a fast local model",
        "plan": [{"model": "embedded:smollm2", "local": True, "bound_usd": 0.0}],
        "excluded": [{"model": "gemini:gemini-3.8-flash", "reason": IsStr(min_length=10)}],
        "attempts": [
            {"model": "embedded:smollm2", "outcome": "ok", "reason": "", "cost_usd": 0.0, "latency_ms": IsPositiveInt}
        ],
        "usage": {"input_tokens": IsPositiveInt, "output_tokens": IsPositiveInt}, "cost_usd": 0.0,
        "saved_usd": IsInstance(float), "latency_ms": IsPositiveInt,
        "budget": {"month_remaining_usd": 5.0, "day_remaining_usd": None, "alerts": []},
    }  # fmt: skip
    assert spent == {
        "period": "month", "cap_usd": 5.0, "spent_usd": 0.0, "reserved_usd": 0.0, "remaining_usd": 5.0,
        "local_requests": 1, "cloud_requests": 0, "cached_requests": 0, "saved_usd": IsInstance(float),
        "baseline_model": "gemini:gemini-3.8-flash",
        "by_model": [{"model": "embedded:smollm2", "requests": 1, "cost_usd": 0.0}], "alerts": [],
        "caps": [{"scope": "month", "cap_usd": 5.0, "remaining_usd": 5.0}], "affordable_calls": None,
    }  # fmt: skip


async def test_the_tools_are_small_and_fully_annotated(home: Path, era: Era):
    async with client(home, era) as mcp:
        listed = await mcp.list_tools()
    text = listed.model_dump_json(by_alias=True, exclude_none=True)
    assert [tool.name for tool in listed.tools] == TOOLS
    assert len(text.encode()) < 6_000
    assert '"title":' not in text.replace('"title":"Hybrid MCP"', "")
    for tool in listed.tools:
        assert tool.annotations is not None
        assert None not in tool.annotations.model_dump(exclude={"title"}).values()
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema is not None


async def test_a_dry_run_calls_nothing(home: Path):
    async with client(home) as mcp:
        plan = content(await mcp.call_tool("route_completion", {"prompt": "Refactor it", "dry_run": True}))
        spent = content(await mcp.call_tool("budget_status", {"period": "day"}))
    assert plan == IsPartialDict({
        "status": "planned", "text": None, "model": None, "attempts": [], "cost_usd": 0.0,
        "plan": [{"model": "embedded:smollm2", "local": True, "bound_usd": 0.0}],
        "excluded": IsList(IsDict({"model": IsStr(), "reason": IsStr()}), length=1),
    })  # fmt: skip
    assert spent["local_requests"] == 0


REFUSED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("route_completion", {}, "prompt: missing, and it is required"),
    ("route_completion", {"promt": "SECRET"}, "unknown argument: promt; did you mean prompt?"),
    (
        "route_completion",
        {"prompt": "SECRET", "quality": "best"},
        "quality: input should be 'auto', 'low' or 'high'",
    ),
    ("route_completion", {"prompt": "SECRET", "max_cost": -1}, "max_cost: an amount of money must be between $0"),
    ("route_completion", {"prompt": " "}, "prompt is empty"),
    ("route_completion", {"prompt": "SECRET\x00"}, "prompt holds a NUL character"),
    (
        "route_completion",
        {"prompt": "SECRET" * 800_000},
        "the limit for prompt, context and system prompt together",
    ),
    ("route_completion", {"prompt": "SECRET", "context": "word " * 50_000}, "context window of 8,192"),
    ("route_completion", {"prompt": "SECRET", "force_local": True, "force_cloud": True}, "exclude each other"),
    ("route_completion", {"prompt": "SECRET", "force_cloud": True}, "no API key: set GEMINI_API_KEY"),
    ("route_completion", {"prompt": "SECRET", "preferred_model": "gemni:x"}, "did you mean one of: gemini"),
    ("check_allowed", {"resource_type": "domains"}, "resource_name: missing"),
    ("add_to_whitelist", {"resource_type": "files", "resource_name": "x"}, "use one of cloud_apis"),
    ("add_to_whitelist", {"resource_type": "domains", "resource_name": "com"}, "a single label"),
    ("budget_status", {"period": "year"}, "period: input should be 'month' or 'day'"),
)


async def test_bad_input_is_an_error_that_says_what_to_do(home: Path):
    async with client(home) as mcp:
        for tool, arguments, told in REFUSED:
            text = error(await mcp.call_tool(tool, arguments))
            assert told in text, (tool, told)
            assert "SECRET" not in text, (tool, told)
            assert "pydantic" not in text, (tool, told)
            spent = content(await mcp.call_tool("budget_status", {}))
            assert spent == IsPartialDict({"reserved_usd": 0.0, "spent_usd": 0.0, "local_requests": 0}), (tool, told)


async def test_the_whitelist_is_asked_and_changes_only_through_the_owner(home: Path):
    wish = {"resource_type": "domain", "resource_name": "https://docs.example.com/x", "reason": "docs"}
    async with client(home) as mcp:
        before = content(
            await mcp.call_tool("check_allowed", {"resource_type": "api", "resource_name": "api.openai.com"})
        )
        asked = content(await mcp.call_tool("add_to_whitelist", wish))
        again = content(await mcp.call_tool("add_to_whitelist", wish))
        known = content(await mcp.call_tool("add_to_whitelist", {**wish, "resource_name": "github.com"}))
    assert before == {"allowed": True, "reason": "listed in cloud_apis", "matched_rule": "cloud_apis: openai.com"}
    assert asked == {
        "status": "pending_approval", "approval_id": IsStr(min_length=8),
        "how_to_approve": f"the owner runs `hybrid-mcp approve {asked['approval_id']}` in a terminal",
    }  # fmt: skip
    assert again == asked
    assert known["status"] == "already_allowed"
    assert not (home / "whitelist.json").exists()


@pytest.mark.parametrize(("mode", "status"), [("allow", "added"), ("deny", "denied"), ("terminal", "pending_approval")])
async def test_the_owners_approval_mode_decides(home: Path, mode: str, status: str):
    async with client(home, HYBRID_MCP_APPROVAL=mode) as mcp:
        wish = {"resource_type": "cloud_apis", "resource_name": "api.example.com"}
        assert content(await mcp.call_tool("add_to_whitelist", wish))["status"] == status
        allowed = content(await mcp.call_tool("check_allowed", wish))["allowed"]
    assert allowed is (mode == "allow")


async def test_the_resources_can_be_read(home: Path, era: Era):
    async with client(home, era) as mcp:
        uris = [resource.uri for resource in (await mcp.list_resources()).resources]
        texts = {uri: (await mcp.read_resource(uri)).contents for uri in uris}
    assert uris == [
        "hybrid://whitelist", "hybrid://profile", "hybrid://models", "hybrid://usage/month", "hybrid://usage/day",
        "hybrid://health",
    ]  # fmt: skip
    found = {uri: json.loads(getattr(contents[0], "text", "")) for uri, contents in texts.items()}
    assert found["hybrid://whitelist"]["cloud_apis"] == ["openai.com", "anthropic.com", "googleapis.com"]
    assert found["hybrid://profile"]["monthly_budget"] == 5.0
    assert [row["model"] for row in found["hybrid://models"]] == ["embedded:smollm2", "gemini:gemini-3.8-flash"]
    assert {row["state"] for row in found["hybrid://health"]} <= {"ok", "note"}
    assert found["hybrid://usage/day"]["period"] == "day"


async def test_a_period_that_is_none_is_told_with_the_two_that_are(home: Path):
    async with client(home) as mcp:
        with pytest.raises(MCPError, match="hybrid://usage/month, hybrid://usage/day"):
            await mcp.read_resource("hybrid://usage/year")


async def test_calls_at_the_same_time_are_all_answered(home: Path):
    answers: list[dict[str, Any]] = []

    async def ask(number: int) -> None:
        arguments = {"prompt": f"What is {number} plus one?", "max_output_tokens": 16}
        answers.append(content(await mcp.call_tool("route_completion", arguments)))

    async with client(home) as mcp:
        async with anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(ask, number)
        spent = content(await mcp.call_tool("budget_status", {}))
    assert len({answer["request_id"] for answer in answers}) == 4
    assert spent == IsPartialDict({"local_requests": 4, "reserved_usd": 0.0})


async def test_a_cancelled_call_frees_the_model_for_the_next_one(home: Path):
    long = {"prompt": "Write a very long story about a ship.", "max_output_tokens": 4_000}

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        assert (progress, total) == (1, None)
        assert message
        patience.cancel()

    async with client(home) as mcp:
        with anyio.CancelScope() as patience:
            await mcp.call_tool("route_completion", long, progress_callback=heard)
        answer = content(await mcp.call_tool("route_completion", {"prompt": "Say hello.", "max_output_tokens": 8}))
    assert patience.cancelled_caught
    assert answer["status"] == "completed"
    assert answer["latency_ms"] == IsInt(lt=20_000)


async def test_progress_grows_while_a_call_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(heartbeat, "HEARTBEAT_S", 0.02)
    beats: list[float] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        assert total is None
        assert message
        beats.append(progress)
        if len(beats) == 3:
            one.slow.go_on.set()

    async with bench(tmp_path) as one:
        asked = {"prompt": "Say hello", "force_cloud": True}
        content(await one.mcp.call_tool("route_completion", asked, progress_callback=heard))
    assert len(beats) >= 3
    assert beats == sorted(set(beats))
