"""The MCP face: parse, ask the service, format."""

from __future__ import annotations

import difflib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import anyio
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ToolError, UnexpectedToolError
from mcp.types import CallToolResult, InputRequiredResult, Resource, Tool
from pydantic import ValidationError

from hybrid_mcp import __version__, resources
from hybrid_mcp.app import App
from hybrid_mcp.face.mcp_app import URI, budget_app
from hybrid_mcp.host import Host, in_words
from hybrid_mcp.schemas import compact_input, compact_output
from hybrid_mcp.tools import add_tools
from hybrid_mcp.wire import budget_result

INSTRUCTIONS = (
    "Hand sub-tasks to route_completion: it answers with the cheapest model that can do it, on this machine when "
    "possible, within the owner's budget. Put the task into `prompt` and the material into `context`. Set "
    "confidential=true for anything that must not leave the machine; dry_run=true shows the plan and its price."
)
CLEAN_UP_S = 5.0


def build_server(open_app: Callable[[], App]) -> HybridServer:
    """The server with its tools and resources; the application is opened by the first call that needs it."""
    host = Host(open_app)
    server = HybridServer(
        "hybrid-mcp", title="Hybrid MCP", instructions=INSTRUCTIONS, version=__version__, lifespan=host.lifespan,
        log_level="WARNING", extensions=[budget_app()],
    )  # fmt: skip
    server.host = host
    add_tools(server, host)
    _add_resources(server, host)
    return server


class HybridServer(MCPServer[Host]):
    """Small schemas, unknown arguments refused, errors that a model can act on, and an end when one is asked for."""

    host: Host

    async def run_stdio_async(self) -> None:
        """Serve until the client goes away, or Ctrl-C or SIGTERM ends it."""
        async with anyio.create_task_group() as group:
            if sys.platform != "win32":
                group.start_soon(self._leave_on_signal)
            await super().run_stdio_async()
            group.cancel_scope.cancel()

    async def _leave_on_signal(self) -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for number in signals:
                with anyio.move_on_after(CLEAN_UP_S):
                    await self.host.aclose()
                # The SDK's reader sits in a thread that waits for input and cannot be told to stop.
                os._exit(128 + number)

    async def list_tools(self) -> list[Tool]:
        tools = await super().list_tools()
        return [tool.model_copy(update=_small_schemas(tool)) for tool in tools]

    async def list_resources(self) -> list[Resource]:
        # Whoever shows the page finds it by its tool, and nobody else can make use of it.
        return [one for one in await super().list_resources() if one.uri != URI]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Host, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        for tool in await super().list_tools():
            if tool.name == name:
                _refuse_unknown(arguments, list(tool.input_schema["properties"]))
        try:
            return await super().call_tool(name, arguments, context)
        except UnexpectedToolError:
            raise
        except ToolError as error:
            raise ToolError(_readable(error, name)) from error.__cause__


def _add_resources(server: MCPServer[Host], host: Host) -> None:
    def resource(uri: str, description: str) -> Callable[[Any], Any]:
        return server.resource(uri, description=description, mime_type="application/json")

    @resource("hybrid://whitelist", "What the owner allows")
    def whitelist() -> str:
        with in_words(ResourceError):
            return resources.whitelist_json(host.app())

    @resource("hybrid://profile", "The profile in force")
    def profile() -> str:
        return resources.profile_json(host.app())

    @resource("hybrid://models", "Models that may be used, and why some may not")
    async def models() -> str:
        with in_words(ResourceError):
            return await resources.models_json(host.app())

    @resource("hybrid://usage/{period}", "Spending of this month or day (UTC)")
    async def usage(period: str) -> str:
        if period not in ("month", "day"):
            raise ResourceError("the usage of a month or a day can be read: hybrid://usage/month, hybrid://usage/day")
        with in_words(ResourceError):
            return budget_result(await host.app().reports.budget(period, host.account())).to_json()

    @resource("hybrid://health", "What works and what does not")
    async def health() -> str:
        with in_words(ResourceError):
            return await resources.health_json(host.app())


def _small_schemas(tool: Tool) -> dict[str, Any]:
    return {
        "input_schema": compact_input(tool.input_schema),
        "output_schema": compact_output(tool.output_schema or {}),
    }


def _refuse_unknown(arguments: dict[str, Any], known: list[str]) -> None:
    unknown = sorted(set(arguments) - set(known))
    if not unknown:
        return
    near = difflib.get_close_matches(unknown[0], known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    names = ", ".join(name[:40] for name in unknown[:5])
    raise ToolError(f"unknown argument: {names}; {hint}Known arguments: {', '.join(known)}")


def _readable(error: ToolError, tool: str) -> str:
    """The text without the SDK's prefix; a validation error without the input and without pydantic's address."""
    if not isinstance(error.__cause__, ValidationError):
        return str(error).removeprefix(f"Error executing tool {tool}: ")
    found = error.__cause__.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {_expected(one['type'], one['msg'])}" for one in found)


def _expected(kind: str, message: str) -> str:
    return "missing, and it is required" if kind == "missing" else message[0].lower() + message[1:]
