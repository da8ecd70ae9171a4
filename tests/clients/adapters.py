"""Each client library in one shape. Runs in an environment that has that library, and nothing of ours."""

# pyright: basic, reportMissingImports=false

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

NAME = "hybrid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A server to start, or one that runs."""

    command: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] | None = None
    url: str = ""
    headers: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`call` returns the text of an answer, and raises Refused for an error of the tool."""

    tools: Callable[[], Awaitable[list[str]]]
    call: Callable[[str, dict[str, Any]], Awaitable[str]]


class Refused(Exception):
    """The tool said no; the text is what a model would read."""


Connect = Callable[..., AbstractAsyncContextManager[Session]]
"""From where, the client's time-out in seconds (None: its own), and whether an owner who says yes sits there."""


@asynccontextmanager
async def fastmcp(where: Where, timeout_s: float | None, *, owner: bool) -> AsyncGenerator[Session]:
    from fastmcp import Client  # noqa: PLC0415

    more: dict[str, Any] = {} if timeout_s is None else {"timeout": timeout_s}
    if owner:
        more["elicitation_handler"] = _yes_to_fastmcp
    async with Client(_fastmcp_transport(where), **more) as client:

        async def call(name: str, arguments: dict[str, Any]) -> str:
            return _text(await client.call_tool(name, arguments, raise_on_error=False))

        yield Session(tools=lambda: _names(client.list_tools()), call=call)


@asynccontextmanager
async def pydantic_ai(where: Where, timeout_s: float | None, *, owner: bool) -> AsyncGenerator[Session]:
    from fastmcp.exceptions import ToolError  # noqa: PLC0415
    from pydantic_ai.mcp import MCPToolset  # noqa: PLC0415

    # The 5 seconds that it gives a server to start are too few on a busy machine.
    more: dict[str, Any] = {"init_timeout": 60} | ({} if timeout_s is None else {"read_timeout": timeout_s})
    if owner:
        more["elicitation_handler"] = _yes_to_fastmcp
    async with MCPToolset(_fastmcp_transport(where), tool_error_behavior="error", **more) as toolset:

        async def call(name: str, arguments: dict[str, Any]) -> str:
            try:
                answer = await toolset.direct_call_tool(name, arguments)
            except ToolError as error:
                raise Refused(str(error)) from error
            return answer if isinstance(answer, str) else json.dumps(answer)

        yield Session(tools=lambda: _names(toolset.list_tools()), call=call)


@asynccontextmanager
async def langchain(where: Where, timeout_s: float | None, *, owner: bool) -> AsyncGenerator[Session]:
    from langchain_mcp_adapters.callbacks import Callbacks  # noqa: PLC0415
    from langchain_mcp_adapters.client import MultiServerMCPClient  # noqa: PLC0415
    from langchain_mcp_adapters.tools import load_mcp_tools  # noqa: PLC0415

    server: dict[str, Any] = {"transport": "streamable_http", "url": where.url, "headers": where.headers}
    if where.command:
        server = {"transport": "stdio", "command": where.command, "args": [*where.args], "env": where.env}
    if timeout_s is not None:
        server["session_kwargs"] = {"read_timeout_seconds": timedelta(seconds=timeout_s)}
    callbacks = Callbacks(on_elicitation=_yes_to_langchain) if owner else None
    async with MultiServerMCPClient({NAME: server}, callbacks=callbacks).session(NAME) as session:
        tools = {tool.name: tool for tool in await load_mcp_tools(session)}

        async def names() -> list[str]:
            return [*tools]

        async def call(name: str, arguments: dict[str, Any]) -> str:
            message = await tools[name].ainvoke({"type": "tool_call", "id": "1", "name": name, "args": arguments})
            parts = [message.content] if isinstance(message.content, str) else message.content
            words = "".join(part if isinstance(part, str) else part.get("text", "") for part in parts)
            if message.status == "error":
                raise Refused(words)
            return words

        yield Session(tools=names, call=call)


@asynccontextmanager
async def openai_agents(where: Where, timeout_s: float | None, *, owner: bool) -> AsyncGenerator[Session]:
    from agents.mcp import MCPServerStdio, MCPServerStreamableHttp  # noqa: PLC0415

    assert not owner, "it has no way to ask"
    more = {} if timeout_s is None else {"client_session_timeout_seconds": timeout_s}
    if where.command:
        server = MCPServerStdio({"command": where.command, "args": [*where.args], "env": where.env or {}}, **more)
    else:
        server = MCPServerStreamableHttp({"url": where.url, "headers": where.headers or {}}, **more)
    async with server:

        async def call(name: str, arguments: dict[str, Any]) -> str:
            return _text(await server.call_tool(name, arguments))

        yield Session(tools=lambda: _names(server.list_tools()), call=call)


CLIENTS: dict[str, Connect] = {
    "fastmcp": fastmcp,
    "pydantic-ai": pydantic_ai,
    "langchain": langchain,
    "openai-agents": openai_agents,
}


def _fastmcp_transport(where: Where) -> Any:
    from fastmcp.client.transports import StdioTransport, StreamableHttpTransport  # noqa: PLC0415

    if where.command:
        return StdioTransport(where.command, [*where.args], env=where.env, keep_alive=False)
    return StreamableHttpTransport(where.url, headers=where.headers)


async def _yes_to_fastmcp(_message: str, response_type: Any, *_: Any) -> Any:
    return response_type(allow=True)


async def _yes_to_langchain(*_: Any) -> Any:
    from mcp.types import ElicitResult  # noqa: PLC0415

    return ElicitResult(action="accept", content={"allow": True})


async def _names(listing: Awaitable[list[Any]]) -> list[str]:
    return [tool.name for tool in await listing]


def _text(result: Any) -> str:
    words = "".join(getattr(block, "text", "") for block in result.content)
    if getattr(result, "is_error", False) or getattr(result, "isError", False):
        raise Refused(words)
    return words
