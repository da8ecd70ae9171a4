"""The prompts that a user picks in a client."""

from __future__ import annotations

import re

import pytest
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS, TextContent

from hybrid_mcp.app import App
from hybrid_mcp.server import build_server
from tests.support_front import ERAS, Era

pytestmark = pytest.mark.anyio


def nobody() -> App:
    raise AssertionError("a prompt needs no application")


async def text(mcp: Client, name: str, **arguments: str) -> str:
    [message] = (await mcp.get_prompt(name, arguments)).messages
    assert message.role == "user"
    assert isinstance(message.content, TextContent)
    return message.content.text


@pytest.mark.parametrize("era", ERAS)
async def test_they_are_listed_with_what_they_take(era: Era):
    async with Client(build_server(nobody), mode=era) as mcp:
        prompts = (await mcp.list_prompts()).prompts
        again = (await mcp.list_prompts()).prompts
    arguments = {
        prompt.name: [(one.name, one.required) for one in prompt.arguments or ()] for prompt in prompts
    }  # fmt: skip
    assert list(arguments.items()) == [
        ("delegate", [("task", True), ("context", False), ("model", False)]),
        ("review_spend", [("period", False)]),
        ("ask_to_allow", [("resource_type", True), ("resource_name", True), ("reason", False)]),
    ]
    assert all(prompt.title and prompt.description for prompt in prompts)
    assert all(one.description for prompt in prompts for one in prompt.arguments or ())
    assert again == prompts


@pytest.mark.parametrize("era", ERAS)
async def test_delegating_tells_the_whole_use_of_the_tool_and_ends_with_the_task(era: Era):
    async with Client(build_server(nobody), mode=era) as mcp:
        plain = await text(mcp, "delegate", task="Name the capital.")
        full = await text(mcp, "delegate", task="Name the capital.", context="France", model="local")
    for word in ("route_completion", "prompt:", "context:", "confidential", "dry_run", "max_cost", "report_outcome"):
        assert word in plain
    assert plain.endswith("<task>\nName the capital.\n</task>")
    assert full.endswith("<task>\nName the capital.\n</task>\n<context>\nFrance\n</context>")
    assert 'preferred_model="local"' in full
    assert "Leave preferred_model out" in plain


async def test_the_review_reads_the_period_that_was_asked_for():
    async with Client(build_server(nobody)) as mcp:
        month = await text(mcp, "review_spend")
        day = await text(mcp, "review_spend", period="day")
    assert 'budget_status with period="month"' in month
    assert "hybrid://usage/month" in month
    assert day == month.replace("month", "day")


async def test_asking_for_an_entry_leaves_the_decision_to_the_owner():
    async with Client(build_server(nobody)) as mcp:
        asked = await text(
            mcp, "ask_to_allow", resource_type="domains", resource_name="docs.example.com", reason="docs"
        )
    assert 'resource_type="domains" and resource_name="docs.example.com"' in asked
    assert "check_allowed" in asked
    assert "add_to_whitelist" in asked
    assert "how_to_approve" in asked


async def test_the_tools_and_arguments_that_they_name_exist():
    async with Client(build_server(nobody)) as mcp:
        tools = {tool.name: tool for tool in (await mcp.list_tools()).tools}
        delegate = await text(mcp, "delegate", task="t", model="local")
        review = await text(mcp, "review_spend")
    named = set(re.findall(r"\b(confidential|dry_run|max_cost|preferred_model|prompt|context)\b", delegate))
    assert named <= tools["route_completion"].input_schema["properties"].keys()
    assert set(re.findall(r"\b(?:route_completion|report_outcome|budget_status)\b", delegate + review)) <= tools.keys()


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("SEALED", {}, "unknown prompt; there are delegate, review_spend, ask_to_allow"),
        ("delegate", {"context": "SEALED"}, "task: missing, and it is required"),
        ("delegate", {"task": " "}, "task: missing, and it is required"),
        ("delegate", {"task": "t", "SEALED": "SEALED"}, "unknown argument; this prompt takes task, context, model"),
        ("review_spend", {"period": "SEALED"}, "period: use one of month, day"),
    ],
)
async def test_a_wrong_wish_is_told_without_an_echo(name: str, arguments: dict[str, str], told: str):
    async with Client(build_server(nobody)) as mcp:
        with pytest.raises(MCPError) as refused:
            await mcp.get_prompt(name, arguments)
    assert (refused.value.error.code, refused.value.error.message) == (INVALID_PARAMS, told)
