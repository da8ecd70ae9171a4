"""What a model is told that calls a tool wrongly: what to send instead, and never what it sent."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any, cast

import pytest
from mcp import Client, MCPError
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import INVALID_PARAMS, CallToolRequest, CallToolRequestParams, CallToolResult, TextContent

from hybrid_mcp.app import App
from hybrid_mcp.server import build_server
from tests.support_front import ERAS, Era, front

pytestmark = pytest.mark.anyio

SEALED = "SEALED-4711"
GOOD: dict[str, dict[str, Any]] = {
    "route_completion": {"prompt": "Say hello", "dry_run": True},
    "check_allowed": {"resource_type": "domains", "resource_name": "docs.example.com"},
    "add_to_whitelist": {"resource_type": "domains", "resource_name": "docs.example.com"},
    "budget_status": {},
    "get_completion": {"request_id": "0123456789ab"},
    "report_outcome": {"request_id": "0123456789ab", "ok": True},
}
NEVER_FITS: tuple[Any, ...] = ([[SEALED]], [{SEALED: SEALED}], [4711])
"""No argument of a tool takes one of these."""
ODD: tuple[Any, ...] = (
    SEALED, [SEALED], {SEALED: SEALED}, 4711, -4711, 4711.4711, -(10**30), 10**400, True, "true", "4711", None, "",
    "\x00", f"{SEALED}\r\n\x1b[2J", SEALED * 1_000,
)  # fmt: skip
"""These fit here and there, and not elsewhere."""
NUMBERS = (
    ("route_completion", "max_cost"), ("route_completion", "max_output_tokens"), ("route_completion", "deadline_s"),
    ("route_completion", "temperature"), ("get_completion", "wait_s"),
)  # fmt: skip
UNKNOWN = (
    ("route_complete", "unknown tool: route_complete; did you mean route_completion? Tools: route_completion, "),
    ("zzz", "unknown tool: zzz; Tools: route_completion, check_allowed, "),
    ("x" * 500, f"unknown tool: {'x' * 40}; Tools: "),
)
LEAKS = (SEALED, "4711", "0" * 20, "\x1b", "pydantic", "https://", "Traceback", "validation error")


def nobody() -> App:
    raise AssertionError("the application was opened for a call that was wrong in itself")


def error(result: CallToolResult) -> str:
    """The text for the model; empty for a call that was answered."""
    [block] = result.content
    assert isinstance(block, TextContent)
    return block.text if result.is_error else ""


async def test_no_argument_of_any_tool_is_echoed_by_the_error_about_it(tmp_path: Path):
    leaks: list[tuple[str, str, str]] = []
    async with front(tmp_path) as one:
        for tool in (await one.mcp.list_tools()).tools:
            for argument in tool.input_schema["properties"]:
                for value in (*NEVER_FITS, *ODD):
                    text = error(await one.mcp.call_tool(tool.name, {**GOOD[tool.name], argument: value}))
                    # A model that nothing knows is repeated, so that its near ones make sense.
                    named = argument == "preferred_model" and isinstance(value, str)
                    if any(leak in text for leak in LEAKS) and not named:
                        leaks.append((tool.name, argument, text[:100]))
    assert leaks == []


async def test_what_never_fits_is_told_by_its_argument_and_opens_nothing():
    async with Client(build_server(nobody)) as mcp:
        for tool in (await mcp.list_tools()).tools:
            for argument in tool.input_schema["properties"]:
                for value in NEVER_FITS:
                    text = error(await mcp.call_tool(tool.name, {**GOOD[tool.name], argument: value}))
                    assert text.startswith((f"{argument}: must be ", f"{argument}: input should be '", f"{argument}.0"))


FIVE = "; ".join(f"{place}: must be a text" for place in ("prompt", "stop.0", "stop.1", "stop.2", "stop.3"))
NEAR = (
    "unknown argument: max_tokens; did you mean max_output_tokens? Known arguments: prompt, context, system_prompt, "
    "task_type, quality, force_local, force_cloud, confidential, preferred_model, max_cost, max_output_tokens, "
    "deadline_s, dry_run, response_schema, temperature, stop, reasoning_effort, assertions, on_deadline"
)
WRONG: tuple[tuple[dict[str, Any] | None, str], ...] = (
    ({"prompt": ["a"]}, "prompt: must be a text"),
    ({"prompt": None}, "prompt: must be a text, not null"),
    ({"prompt": "p", "context": None}, "context: must be a text, not null: leave it out instead"),
    ({"prompt": "p", "force_local": "perhaps"}, "force_local: must be true or false"),
    ({"prompt": "p", "quality": "best"}, "quality: input should be 'auto', 'low' or 'high'"),
    ({"prompt": "p", "max_output_tokens": 1.5}, "max_output_tokens: must be a whole number"),
    ({"prompt": "p", "max_output_tokens": True}, "max_output_tokens: must be a number, not true or false"),
    ({"prompt": "p", "max_cost": True}, "max_cost: must be a number, not true or false"),
    ({"prompt": "p", "max_cost": "free"}, "max_cost: must be a number"),
    ({"prompt": "p", "response_schema": "{"}, "response_schema: must be an object"),
    ({"prompt": "p", "stop": "END"}, "stop: must be a list"),
    ({"prompt": "p", "stop": ["END", 1]}, "stop.1: must be a text"),
    ({"prompt": 1, "stop": [1, 2, 3, 4, 5, 6]}, f"{FIVE}; and 2 more"),
    ({"prompt": "p", "max_tokens": 9}, NEAR),
    (None, "prompt: missing, and it is required"),
)  # fmt: skip


async def test_a_wrong_argument_is_told_with_what_it_takes():
    async with Client(build_server(nobody)) as mcp:
        for arguments, told in WRONG:
            assert error(await mcp.call_tool("route_completion", arguments)) == told


async def test_a_number_that_is_none_is_refused():
    # A client in memory makes null of these; some write NaN into their JSON.
    server = build_server(nobody)
    for tool, number in NUMBERS:
        for value in (math.nan, math.inf, -math.inf):
            with pytest.raises(ToolError, match=f"^{number}") as refused:
                await server.call_tool(tool, {**GOOD[tool], number: value})
            assert not any(word in str(refused.value).lower() for word in ("nan", "pydantic", "https://"))


async def test_a_tool_that_is_none_is_told_with_the_near_one():
    async with Client(build_server(nobody)) as mcp:
        for name, told in UNKNOWN:
            assert error(await mcp.call_tool(name, {})).startswith(told)


@pytest.mark.parametrize("era", ERAS)
async def test_arguments_that_are_no_object_are_refused_without_an_echo(era: Era):
    async with Client(build_server(nobody), mode=era) as mcp:
        for arguments in ([SEALED], SEALED, 4711, True):
            params = CallToolRequestParams.model_construct(name="check_allowed", arguments=cast("Any", arguments))
            call = CallToolRequest.model_construct(method="tools/call", params=params)
            with warnings.catch_warnings(action="ignore"), pytest.raises(MCPError) as refused:
                await mcp.session.send_request(call, CallToolResult)
            assert refused.value.error.code == INVALID_PARAMS
            assert not any(leak in f"{refused.value.error}" for leak in LEAKS)
