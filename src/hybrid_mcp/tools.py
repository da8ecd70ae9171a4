"""The tools: parse, ask the application, format."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from mcp.server import MCPServer
from mcp.server.elicitation import AcceptedElicitation, DeclinedElicitation, ElicitationResult
from mcp.server.mcpserver import Elicit, Resolve
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel, Field

from hybrid_mcp.brief import brief_result
from hybrid_mcp.domain.completion import MAX_DEADLINE_S, Effort, Quality, Request
from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.face.mcp_app import TOOL_META, for_the_page
from hybrid_mcp.heartbeat import fetched, started, with_heartbeat
from hybrid_mcp.host import Calls, Host, caller_id, in_words
from hybrid_mcp.wire import (
    AllowedResult,
    BudgetResult,
    CompletionResult,
    ReportResult,
    WhitelistResult,
    Wire,
    allowed_result,
    budget_result,
    report_result,
    whitelist_result,
)


def add_tools(server: MCPServer[Host], host: Host) -> None:
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
        response_schema: Annotated[dict[str, Any] | None, Field(description="JSON schema of the answer")] = None,
        temperature: float | None = None,
        stop: list[str] | None = None,
        reasoning_effort: Effort | None = None,
        assertions: Annotated[str, Field(description="Python, run on its code")] = "",
        on_deadline: Annotated[
            Literal["fail", "continue"], Field(description="continue: then fetch it with get_completion")
        ] = "fail",
    ) -> Annotated[CallToolResult, CompletionResult]:
        request = _request(
            prompt=prompt, context=context, system_prompt=system_prompt, task_type=task_type, quality=quality,
            force_local=force_local, force_cloud=force_cloud, confidential=confidential,
            preferred_model=preferred_model, max_cost=max_cost, max_output_tokens=max_output_tokens,
            deadline_s=deadline_s, dry_run=dry_run, response_schema=_schema_text(response_schema),
            temperature=temperature, stop=tuple(stop or ()), reasoning_effort=reasoning_effort, assertions=assertions,
        )  # fmt: skip
        if on_deadline == "continue":
            return _result(brief_result(await started(host, request, ctx)))
        return _result(brief_result(await with_heartbeat(host, request, ctx)))

    @server.tool(
        description="Whether the owner allows a resource. Types: cloud_apis, domains, mcp_servers, allowed_for_cloud.",
        annotations=_hints(read_only=True, destructive=False, idempotent=True, open_world=False),
    )
    async def check_allowed(resource_type: str, resource_name: str) -> Annotated[CallToolResult, AllowedResult]:
        with in_words():
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
        with in_words():
            asked = await host.app().gatekeeper.ask(
                resource_type, resource_name, reason=reason, client=_client_name(ctx), consent=_consent(owner)
            )
            return _result(whitelist_result(asked))

    @server.tool(
        description="What was spent, what is left and what was saved this month or day (UTC).",
        annotations=_hints(read_only=True, destructive=False, idempotent=True, open_world=False),
        meta=TOOL_META,
    )
    async def budget_status(
        ctx: Calls, period: Literal["month", "day"] = "month"
    ) -> Annotated[CallToolResult, BudgetResult]:
        with in_words():
            app, account = host.app(), host.account()
            status = budget_result(await app.reports.budget(period, account))
            return _result(status, for_the_page(ctx, app, account))

    @server.tool(
        description='The answer of a route_completion call with on_deadline="continue" that was still running.',
        annotations=_hints(read_only=True, destructive=False, idempotent=True, open_world=False),
    )
    async def get_completion(
        ctx: Calls, request_id: str, wait_s: Annotated[float, Field(ge=0, le=MAX_DEADLINE_S)] = 45
    ) -> CallToolResult:
        with in_words():
            work = host.pending.find(request_id, host.account())
        return _result(brief_result(await fetched(host.app(), work, wait_s, ctx)))

    @server.tool(
        description="Say whether an answer was right: routing learns from it. note is not kept.",
        annotations=_hints(read_only=False, destructive=False, idempotent=True, open_world=False),
    )
    async def report_outcome(request_id: str, ok: bool, note: str = "") -> Annotated[CallToolResult, ReportResult]:
        with in_words():
            experience, client = host.app().service.experience, host.account().client
            # Who came with a token is not alone here; processes of this home are all its owner's.
            told = await experience.report(request_id, ok=ok, client=client, own_only=caller_id() is not None)
            return _result(report_result(told))


def _request(*, max_cost: float | None, **arguments: Any) -> Request:
    with in_words():
        return Request(max_cost=None if max_cost is None else _limit(max_cost), **arguments)


def _schema_text(schema: dict[str, Any] | None) -> str:
    return "" if schema is None else json.dumps(schema, ensure_ascii=False, separators=(",", ":"))


def _limit(max_cost: float) -> Usd:
    try:
        return Usd.limit(max_cost)
    except ValueError as error:
        raise InvalidRequest(f"max_cost: {error}") from None


def _result(wire: Wire, meta: dict[str, Any] | None = None) -> CallToolResult:
    """The same object as structured content and as JSON text, because clients show the one or the other."""
    structured = wire.model_dump(mode="json")
    text = TextContent(type="text", text=wire.to_json())
    return CallToolResult(content=[text], structured_content=structured, _meta=meta)


def _hints(*, read_only: bool, destructive: bool, idempotent: bool, open_world: bool) -> ToolAnnotations:
    return ToolAnnotations(
        read_only_hint=read_only, destructive_hint=destructive, idempotent_hint=idempotent, open_world_hint=open_world
    )


def owner_says(ctx: Calls, resource_type: str, resource_name: str, reason: str) -> Elicit[Consent] | None:
    """The question for the owner; None where the client cannot show one, or there is nothing to ask.

    Over HTTP it goes to the owner's inbox: whoever holds a token could answer it himself, and for all others.
    """
    capabilities = ctx.client_capabilities
    if capabilities is None or capabilities.elicitation is None or caller_id() is not None:
        return None
    with in_words():
        question = ctx.request_context.lifespan_context.app().gatekeeper.question(
            resource_type, resource_name, reason=reason, client=_client_name(ctx),
            again=ctx.input_responses is not None,
        )  # fmt: skip
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
    """Over HTTP whose token it is, which is sure, and then what the client calls itself."""
    params = ctx.request_context.session.client_params
    said = params.client_info.name if params is not None else "unknown"
    return " ".join(filter(None, (caller_id(), said)))
