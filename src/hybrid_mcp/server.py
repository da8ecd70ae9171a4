"""The MCP face: parse, ask the service, format."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server import MCPServer
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError, UnexpectedToolError
from mcp.types import (
    CallToolResult,
    Completion,
    CompletionArgument,
    CompletionContext,
    GetPromptResult,
    InputRequiredResult,
    Resource,
    Tool,
)
from pydantic import AnyUrl, ValidationError

from hybrid_mcp import __version__
from hybrid_mcp.bad_input import misfits, unknown_tool, wrong_arguments
from hybrid_mcp.completions import Reference, completion
from hybrid_mcp.face.mcp_app import URI, budget_app
from hybrid_mcp.host import Host
from hybrid_mcp.prompts import PROMPTS, checked_prompt
from hybrid_mcp.resources import ADDRESSES, add_resources
from hybrid_mcp.schemas import compact_input, compact_output
from hybrid_mcp.tools import add_tools
from hybrid_mcp.updates import changed_by

if TYPE_CHECKING:
    # What answers calls comes with the first of them: a client waits for the list of the tools.
    from hybrid_mcp.app import App

INSTRUCTIONS = (
    "Hand sub-tasks to route_completion: it answers with the cheapest model that can do it, on this machine when "
    "possible, within the owner's budget. Put the task into `prompt` and the material into `context`. Set "
    "confidential=true for anything that must not leave the machine; dry_run=true shows the plan and its price."
)
CLEAN_UP_S = 5.0


def build_server(open_app: Callable[[], App]) -> HybridServer:
    """The server with all that it offers; the application is opened by the first call that needs it."""
    host = Host(open_app)
    server = HybridServer(
        "hybrid-mcp", title="Hybrid MCP", instructions=INSTRUCTIONS, version=__version__, lifespan=host.lifespan,
        log_level="WARNING", extensions=[budget_app()],
    )  # fmt: skip
    server.host = host
    add_tools(server, host)
    add_resources(server, host)
    for prompt in PROMPTS.values():
        server.add_prompt(prompt)

    @server.completion()
    async def complete(  # pyright: ignore[reportUnusedFunction] - the decorator keeps it
        ref: Reference, argument: CompletionArgument, _: CompletionContext | None
    ) -> Completion:
        return await completion(host, ref, argument.name, argument.value)

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
        schemas = {tool.name: tool.input_schema for tool in await super().list_tools()}
        wrong = unknown_tool(name, list(schemas)) or misfits(arguments, schemas[name])
        if wrong is not None:
            raise ToolError(wrong)
        try:
            result = await super().call_tool(name, arguments, context)
        except UnexpectedToolError:
            raise
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                raise ToolError(wrong_arguments(error.__cause__, schemas[name])) from error.__cause__
            await _tell(context, changed_by(name, None))
            raise ToolError(str(error).removeprefix(f"Error executing tool {name}: ")) from error.__cause__
        if isinstance(result, CallToolResult):
            await _tell(context, changed_by(name, result.structured_content or {}))
        return result

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Host, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        try:
            return await super().read_resource(uri, context)
        except ResourceNotFoundError:
            raise ResourceNotFoundError(f"there is no such resource; there are {', '.join(ADDRESSES)}") from None

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Host, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        checked_prompt(await self.list_prompts(), name, arguments or {})
        return await super().get_prompt(name, arguments, context)


async def _tell(context: Context[Host, Any] | None, addresses: Iterable[str]) -> None:
    """Clients of the protocol of 2026-07-28 that listen to them.

    In the eras before, the SDK shows a server no connection that could be told, and none that has ended; so
    `resources/subscribe` is not offered there.
    """
    if context is None:
        return
    for address in addresses:
        await context.notify_resource_updated(address)


def _small_schemas(tool: Tool) -> dict[str, Any]:
    return {
        "input_schema": compact_input(tool.input_schema),
        "output_schema": compact_output(tool.output_schema or {}),
    }
