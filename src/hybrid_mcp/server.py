"""The MCP face: parse, ask the service, format."""

from __future__ import annotations

import difflib
import os
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any, Literal

import anyio
from mcp.server import MCPServer
from mcp.server.elicitation import AcceptedElicitation, DeclinedElicitation, ElicitationResult
from mcp.server.mcpserver import Context, Elicit, Resolve
from mcp.server.mcpserver.exceptions import ResourceError, ToolError, UnexpectedToolError
from mcp.types import CallToolResult, InputRequiredResult, TextContent, Tool, ToolAnnotations
from pydantic import BaseModel, Field, ValidationError

from hybrid_mcp import __version__, resources
from hybrid_mcp.app import App
from hybrid_mcp.domain.answer import Answer
from hybrid_mcp.domain.budget import PeriodName
from hybrid_mcp.domain.completion import Quality, Request
from hybrid_mcp.domain.errors import HybridError, InvalidRequest
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.schemas import compact_input, compact_output
from hybrid_mcp.wire import (
    AllowedResult,
    BudgetResult,
    CompletionResult,
    WhitelistResult,
    Wire,
    allowed_result,
    budget_result,
    completion_result,
    whitelist_result,
)

INSTRUCTIONS = (
    "Hand sub-tasks to route_completion: it answers with the cheapest model that can do it, on this machine when "
    "possible, within the owner's budget. Put the task into `prompt` and the material into `context`. Set "
    "confidential=true for anything that must not leave the machine; dry_run=true shows the plan and its price."
)
CLEAN_UP_S = 5.0
HEARTBEAT_S = 2.0
"""Clients reset their time-outs on progress; the promise is one notification at least every 3 seconds."""


class Host:
    """Holds the application from its first use to the end of the server."""

    def __init__(self, open_app: Callable[[], App]) -> None:
        self._open_app = open_app
        self._app: App | None = None

    def app(self) -> App:
        if self._app is None:
            self._app = self._open_app()
        return self._app

    @asynccontextmanager
    async def lifespan(self, _: MCPServer[Host]) -> AsyncGenerator[Host]:
        try:
            yield self
        finally:
            with anyio.CancelScope(shield=True):
                await self.aclose()

    async def aclose(self) -> None:
        app, self._app = self._app, None
        if app is not None:
            await app.aclose()


Calls = Context[Host, Any]


def build_server(open_app: Callable[[], App]) -> MCPServer[Host]:
    """The server with its tools and resources; the application is opened by the first call that needs it."""
    host = Host(open_app)
    server = HybridServer(
        "hybrid-mcp", title="Hybrid MCP", instructions=INSTRUCTIONS, version=__version__, lifespan=host.lifespan,
        log_level="WARNING",
    )  # fmt: skip
    server.on_signal = host.aclose
    _add_tools(server, host)
    _add_resources(server, host)
    return server


class HybridServer(MCPServer[Host]):
    """Small schemas, unknown arguments refused, errors that a model can act on, and an end when one is asked for."""

    on_signal: Callable[[], Awaitable[None]]

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
                    await self.on_signal()
                # The SDK's reader sits in a thread that waits for input and cannot be told to stop.
                os._exit(128 + number)

    async def list_tools(self) -> list[Tool]:
        tools = await super().list_tools()
        return [tool.model_copy(update=_small_schemas(tool)) for tool in tools]

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


def _add_tools(server: MCPServer[Host], host: Host) -> None:
    @server.tool(
        description="Answer a sub-task with the cheapest model that can do it: local and free when possible, else paid "
        "within budget. Returns the answer, why this model, and the cost.",
        annotations=_hints(read_only=False, destructive=False, idempotent=False, open_world=True),
    )
    async def route_completion(  # noqa: PLR0917 - these are the arguments of the tool
        ctx: Calls,
        prompt: Annotated[str, Field(description="The task")],
        context: Annotated[str, Field(description="Material to work on")] = "",
        system_prompt: str = "",
        task_type: Annotated[str | None, Field(description="e.g. code_review, simple_completion")] = None,
        quality: Quality = "auto",
        force_local: bool = False,
        force_cloud: Annotated[bool, Field(description="A paid model or an error")] = False,
        confidential: Annotated[bool, Field(description="Never leaves this machine")] = False,
        preferred_model: Annotated[
            str | None, Field(description="provider:model, or gemini, claude, openai, local")
        ] = None,
        max_cost: Annotated[float | None, Field(description="USD")] = None,
        max_output_tokens: int = 1024,
        deadline_s: float = 50,
        dry_run: Annotated[bool, Field(description="Plan and price only")] = False,
    ) -> Annotated[CallToolResult, CompletionResult]:
        request = _request(
            prompt=prompt, context=context, system_prompt=system_prompt, task_type=task_type, quality=quality,
            force_local=force_local, force_cloud=force_cloud, confidential=confidential,
            preferred_model=preferred_model, max_cost=max_cost, max_output_tokens=max_output_tokens,
            deadline_s=deadline_s, dry_run=dry_run,
        )  # fmt: skip
        return _result(completion_result(await _with_heartbeat(host.app(), request, ctx)))

    @server.tool(
        description="Whether the owner allows a resource. Types: cloud_apis, domains, mcp_servers, allowed_for_cloud.",
        annotations=_hints(read_only=True, destructive=False, idempotent=True, open_world=False),
    )
    async def check_allowed(resource_type: str, resource_name: str) -> Annotated[CallToolResult, AllowedResult]:
        with _told():
            return _result(allowed_result(host.app().gatekeeper.check(resource_type, resource_name)))

    @server.tool(
        description="Ask the owner to allow a resource. Usually waits for their approval: tell them how_to_approve.",
        annotations=_hints(read_only=False, destructive=False, idempotent=True, open_world=False),
    )
    async def add_to_whitelist(
        ctx: Calls,
        resource_type: str,
        resource_name: str,
        owner: Annotated[ElicitationResult[Consent], Resolve(owner_says)],
        reason: str = "",
    ) -> Annotated[CallToolResult, WhitelistResult]:
        with _told():
            asked = await host.app().gatekeeper.ask(
                resource_type, resource_name, reason=reason, client=_client_name(ctx), consent=_consent(owner)
            )
            return _result(whitelist_result(asked))

    @server.tool(
        description="What was spent, what is left and what was saved this month or day (UTC).",
        annotations=_hints(read_only=True, destructive=False, idempotent=True, open_world=False),
    )
    async def budget_status(period: Literal["month", "day"] = "month") -> Annotated[CallToolResult, BudgetResult]:
        with _told():
            return _result(await _budget(host.app(), period))


def _add_resources(server: MCPServer[Host], host: Host) -> None:
    def resource(uri: str, description: str) -> Callable[[Any], Any]:
        return server.resource(uri, description=description, mime_type="application/json")

    @resource("hybrid://whitelist", "What the owner allows")
    def whitelist() -> str:
        with _told(ResourceError):
            return resources.whitelist_json(host.app())

    @resource("hybrid://profile", "The profile in force")
    def profile() -> str:
        return resources.profile_json(host.app())

    @resource("hybrid://models", "Models that may be used, and why some may not")
    async def models() -> str:
        with _told(ResourceError):
            return await resources.models_json(host.app())

    @resource("hybrid://usage/{period}", "Spending of this month or day (UTC)")
    async def usage(period: str) -> str:
        if period not in ("month", "day"):
            raise ResourceError("the usage of a month or a day can be read: hybrid://usage/month, hybrid://usage/day")
        with _told(ResourceError):
            return (await _budget(host.app(), period)).to_json()

    @resource("hybrid://health", "What works and what does not")
    async def health() -> str:
        with _told(ResourceError):
            return await resources.health_json(host.app())


async def _budget(app: App, period: PeriodName) -> BudgetResult:
    return budget_result(await app.reports.budget(period, app.account))


async def _with_heartbeat(app: App, request: Request, ctx: Calls) -> Answer:
    """Run the call and tell the client every few seconds that it is alive."""
    pulse = _Pulse()
    outcomes: list[Answer | HybridError] = []
    async with anyio.create_task_group() as group:
        group.start_soon(pulse.beat, ctx)
        try:
            outcomes.append(await app.service.complete(request, pulse, app.account))
        except HybridError as error:
            # Raised inside the group it would reach the client as a group of errors.
            outcomes.append(error)
        group.cancel_scope.cancel()
    outcome = outcomes[0]
    if isinstance(outcome, HybridError):
        raise ToolError(str(outcome)) from outcome
    return outcome


class _Pulse:
    """Implements `Progress`: remembers what to tell, and tells it at each beat with a value that always grows."""

    def __init__(self) -> None:
        self._characters = 0
        self._words = "routing"

    def asking(self, model: str) -> None:
        self._characters, self._words = 0, f"asking {model}"

    def delta(self, text: str) -> None:
        self._characters += len(text)
        self._words = f"answering, {self._characters:,} characters so far"

    def status(self, text: str) -> None:
        self._words = text

    async def beat(self, ctx: Calls) -> None:
        count = 0
        while True:
            await anyio.sleep(HEARTBEAT_S)
            count += 1
            await ctx.report_progress(count, None, self._words)


def _request(*, max_cost: float | None, **arguments: Any) -> Request:
    with _told():
        return Request(max_cost=None if max_cost is None else _limit(max_cost), **arguments)


def _limit(max_cost: float) -> Usd:
    try:
        return Usd.limit(max_cost)
    except ValueError as error:
        raise InvalidRequest(f"max_cost: {error}") from None


@contextmanager
def _told(kind: type[ToolError | ResourceError] = ToolError) -> Generator[None]:
    """Only the text of these errors reaches the model; anything else would be hidden from it."""
    try:
        yield
    except HybridError as error:
        raise kind(str(error)) from error


def _result(wire: Wire) -> CallToolResult:
    """The same object as structured content and as JSON text, because clients show the one or the other."""
    structured = wire.model_dump(mode="json")
    return CallToolResult(content=[TextContent(type="text", text=wire.to_json())], structured_content=structured)


def _hints(*, read_only: bool, destructive: bool, idempotent: bool, open_world: bool) -> ToolAnnotations:
    return ToolAnnotations(
        read_only_hint=read_only, destructive_hint=destructive, idempotent_hint=idempotent, open_world_hint=open_world
    )


def owner_says(ctx: Calls, resource_type: str, resource_name: str, reason: str) -> Elicit[Consent] | None:
    """The question for the owner; None where the client cannot show one, or there is nothing to ask."""
    capabilities = ctx.client_capabilities
    if capabilities is None or capabilities.elicitation is None:
        return None
    with _told():
        question = ctx.request_context.lifespan_context.app().gatekeeper.question(
            resource_type, resource_name, reason=reason, client=_client_name(ctx)
        )
    return None if question is None else Elicit(question, Consent)


class Consent(BaseModel):
    """What the owner is asked through a client that can do so."""

    allow: bool = Field(description="Allow it")


def _consent(outcome: ElicitationResult[Consent]) -> bool | None:
    """None where nobody was asked, or the question was closed without an answer."""
    match outcome:
        case AcceptedElicitation(data=Consent() as consent):
            return consent.allow
        case DeclinedElicitation():
            return False
        case _:
            return None


def _client_name(ctx: Calls) -> str:
    params = ctx.request_context.session.client_params
    return params.client_info.name if params is not None else "unknown"


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
