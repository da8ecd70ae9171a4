"""Of the revision 2026-07-28: tools and a prompt that answer with questions, and go on when they are called again."""

from __future__ import annotations

from mcp.server.mcpserver import UserMessage
from mcp.types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    TextContent,
)

from hybrid_mcp.host import Calls
from hybrid_mcp.server import HybridServer

PREFIX = "test_input_required_result_"


def add_asking(server: HybridServer) -> None:
    _add_one_question(server)
    _add_able(server)
    _add_states(server)
    _add_rounds(server)

    @server.prompt(name=f"{PREFIX}prompt", description="Asks for its context")
    async def prompt(ctx: Calls) -> list[UserMessage] | InputRequiredResult:
        found = _said(ctx, "user_context", "context")
        if found is None:
            return InputRequiredResult(
                input_requests={"user_context": form("What context should the prompt use?", "context")}
            )
        return [UserMessage(f"In the context of: {found}")]


def _add_one_question(server: HybridServer) -> None:
    @server.tool(name=f"{PREFIX}elicitation", description="Asks for a name")
    async def elicitation(ctx: Calls) -> str | InputRequiredResult:
        name = _said(ctx, "user_name", "name")
        if name is None:
            return InputRequiredResult(input_requests={"user_name": form("What is your name?", "name")})
        return f"Hello, {name}!"

    @server.tool(name=f"{PREFIX}sampling", description="Asks the client's model")
    async def sampling(ctx: Calls) -> str | InputRequiredResult:
        if not _answered(ctx, "capital_question"):
            return InputRequiredResult(input_requests={"capital_question": _sample("What is the capital of France?")})
        return f"The model said: {(ctx.input_responses or {})['capital_question']}"

    @server.tool(name=f"{PREFIX}list_roots", description="Asks for the client's folders")
    async def list_roots(ctx: Calls) -> str | InputRequiredResult:
        if not _answered(ctx, "client_roots"):
            return InputRequiredResult(input_requests={"client_roots": ListRootsRequest()})
        return f"The roots: {(ctx.input_responses or {})['client_roots']}"


def _add_able(server: HybridServer) -> None:
    @server.tool(name=f"{PREFIX}capabilities", description="Asks only what the client can answer")
    async def capabilities(ctx: Calls) -> str | InputRequiredResult:
        can = ctx.client_capabilities
        questions: dict[str, InputRequest] = {}
        if can is not None and can.elicitation is not None:
            questions["user_name"] = form("What is your name?", "name")
        if can is not None and can.sampling is not None:
            questions["greeting"] = _sample("Generate a greeting")
        if not questions or _answered(ctx, *questions):
            return "Done"
        return InputRequiredResult(input_requests=questions)


def _add_states(server: HybridServer) -> None:
    """The SDK seals a state, so that one which comes back is one that was given."""

    def confirming(name: str, state: str) -> None:
        @server.tool(name=f"{PREFIX}{name}", description="Asks for a yes, and keeps a state")
        async def confirmed(ctx: Calls) -> str | InputRequiredResult:
            if not _answered(ctx, "confirm"):
                question = form("Please confirm", "ok", kind="boolean")
                return InputRequiredResult(input_requests={"confirm": question}, request_state=state)
            return "state-ok" if ctx.request_state == state else "another state"

    confirming("request_state", "one")
    confirming("tampered_state", "another")


def _add_rounds(server: HybridServer) -> None:
    @server.tool(name=f"{PREFIX}multiple_inputs", description="Asks three things at once")
    async def multiple_inputs(ctx: Calls) -> str | InputRequiredResult:
        questions: dict[str, InputRequest] = {
            "user_name": form("What is your name?", "name"),
            "greeting": _sample("Generate a greeting"),
            "client_roots": ListRootsRequest(),
        }
        if not _answered(ctx, *questions):
            return InputRequiredResult(input_requests=questions, request_state="three")
        return "All three were answered"

    @server.tool(name=f"{PREFIX}multi_round", description="Asks twice")
    async def multi_round(ctx: Calls) -> str | InputRequiredResult:
        name, color = _said(ctx, "step1", "name"), _said(ctx, "step2", "color")
        if ctx.request_state is None or (ctx.request_state == "" and name is None):
            question = form("Step 1: What is your name?", "name")
            return InputRequiredResult(input_requests={"step1": question}, request_state="first")
        if color is None:
            question = form("Step 2: What is your favorite color?", "color")
            return InputRequiredResult(input_requests={"step2": question}, request_state=f"second {name}")
        return f"{ctx.request_state.removeprefix('second ')} likes {color}"


def form(message: str, name: str, kind: str = "string") -> ElicitRequest:
    schema = {"type": "object", "properties": {name: {"type": kind}}, "required": [name]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def _sample(prompt: str) -> CreateMessageRequest:
    asked = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[asked], max_tokens=100))


def _answered(ctx: Calls, *keys: str) -> bool:
    return set(keys) <= set(ctx.input_responses or {})


def _said(ctx: Calls, key: str, field: str) -> str | None:
    """What the user wrote into a form; None where it was not answered."""
    answer = (ctx.input_responses or {}).get(key)
    if not isinstance(answer, ElicitResult) or answer.content is None or field not in answer.content:
        return None
    return str(answer.content[field])
