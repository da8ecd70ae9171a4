"""Of the handshake era alone: asking the client in the middle of a call, logging to it, and subscriptions."""

from __future__ import annotations

from typing import Any

import anyio
from mcp.server.context import ServerRequestContext
from mcp.types import (
    ElicitRequestedSchema,
    EmptyResult,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    UnsubscribeRequestParams,
)

from hybrid_mcp.host import Calls
from hybrid_mcp.server import HybridServer

DEFAULTS: ElicitRequestedSchema = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    },
}
OPTIONS, TITLED = ["option1", "option2", "option3"], ["value1", "value2", "value3"]
ENUMS: ElicitRequestedSchema = {
    "type": "object",
    "properties": {
        "untitledSingle": {"type": "string", "enum": OPTIONS},
        "titledSingle": {"type": "string", "oneOf": [{"const": one, "title": f"Title of {one}"} for one in TITLED]},
        "legacyEnum": {
            "type": "string", "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": OPTIONS}},
        "titledMulti": {
            "type": "array", "items": {"anyOf": [{"const": one, "title": f"Title of {one}"} for one in TITLED]},
        },
    },
}  # fmt: skip
PERSON: ElicitRequestedSchema = {
    "type": "object",
    "properties": {
        "username": {"type": "string", "description": "User's response"},
        "email": {"type": "string", "description": "User's email address"},
    },
    "required": ["username", "email"],
}


def add_handshake(server: HybridServer) -> None:
    _add_questions(server)
    _add_methods(server)

    @server.tool(description="Logs three lines")
    async def test_tool_with_logging(ctx: Calls) -> str:
        for line in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            await ctx.info(line)  # pyright: ignore[reportDeprecated]
            await anyio.sleep(0.05)
        return "Logged"


def _add_questions(server: HybridServer) -> None:
    @server.tool(description="Asks the client's model")
    async def test_sampling(ctx: Calls, prompt: str) -> str:
        asked = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
        answer = await ctx.session.create_message(  # pyright: ignore[reportDeprecated]
            [asked], max_tokens=100, related_request_id=ctx.request_id
        )
        return f"LLM response: {answer.content}"

    @server.tool(description="Asks who the user is")
    async def test_elicitation(ctx: Calls, message: str) -> str:
        return f"User response: {await _answer(ctx, message, PERSON)}"

    @server.tool(description="Asks with a default for each kind of value")
    async def test_elicitation_sep1034_defaults(ctx: Calls) -> str:
        return f"Elicitation completed: {await _answer(ctx, 'Please review these', DEFAULTS)}"

    @server.tool(description="Asks with each kind of choice")
    async def test_elicitation_sep1330_enums(ctx: Calls) -> str:
        return f"Elicitation completed: {await _answer(ctx, 'Please choose', ENUMS)}"


async def _answer(ctx: Calls, message: str, schema: ElicitRequestedSchema) -> str:
    answer = await ctx.session.elicit_form(message, schema, related_request_id=ctx.request_id)
    return f"action={answer.action}, content={answer.content}"


def _add_methods(server: HybridServer) -> None:
    """Methods that the SDK's server has no decorator for."""
    subscribed: set[str] = set()

    async def subscribe(_: ServerRequestContext[Any, Any], params: SubscribeRequestParams) -> EmptyResult:
        subscribed.add(str(params.uri))
        return EmptyResult()

    async def unsubscribe(_: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams) -> EmptyResult:
        subscribed.discard(str(params.uri))
        return EmptyResult()

    async def set_level(_: ServerRequestContext[Any, Any], params: SetLevelRequestParams) -> EmptyResult:
        assert params.level
        return EmptyResult()

    lower = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
    lower.add_request_handler("resources/subscribe", SubscribeRequestParams, subscribe)
    lower.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, unsubscribe)
    lower.add_request_handler("logging/setLevel", SetLevelRequestParams, set_level)
