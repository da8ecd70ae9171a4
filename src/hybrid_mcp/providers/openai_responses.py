"""One call of OpenAI's Responses API: map in, map out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from openai import AsyncOpenAI, AsyncStream, OpenAIError, omit
from openai.types.responses import (
    EasyInputMessageParam,
    Response,
    ResponseFormatTextConfigParam,
    ResponseStreamEvent,
    ResponseUsage,
)

from hybrid_mcp.domain.completion import Finish, Message, Usage
from hybrid_mcp.domain.json_schema import SCHEMA_NAME, is_strict, parsed
from hybrid_mcp.ports import ProviderCall
from hybrid_mcp.providers.dialects import Dialect
from hybrid_mcp.providers.failures import Refusal
from hybrid_mcp.providers.streaming import Answer, count

_STATUS_OF_CODE: Mapping[str, int] = {"rate_limit_exceeded": 429, "invalid_prompt": 400}
"""What the codes of a failed response would be as HTTP statuses; all others are the server's own failures."""
_CUT: Mapping[str, Finish] = {"max_output_tokens": "length", "content_filter": "refusal"}


class ResponseFailed(OpenAIError):
    """The server says inside of an answer that it failed. `code`: in its own words."""

    def __init__(self, code: str | None) -> None:
        super().__init__()
        status = _STATUS_OF_CODE.get(code or "", 500)
        self.refusal = Refusal(status=status, headers={}, body={"code": code}, inside=True)


@asynccontextmanager
async def opened(
    sdk: AsyncOpenAI, call: ProviderCall, dialect: Dialect
) -> AsyncGenerator[AsyncStream[ResponseStreamEvent]]:
    system = "\n\n".join(message.content for message in call.messages if message.role == "system")
    shape = _format(call.response_schema, dialect)
    temperature = dialect.temperature_for(call.temperature)
    stream = await sdk.responses.create(
        model=call.model,
        instructions=system or omit,
        input=[_message(message) for message in call.messages if message.role != "system"],
        stream=True,
        # Else the vendor keeps prompt and answer for a month.
        store=False,
        max_output_tokens=call.max_output_tokens,
        temperature=omit if temperature is None else temperature,
        reasoning={"effort": call.reasoning_effort} if call.reasoning_effort and dialect.effort != "no" else omit,
        text={"format": shape} if shape else omit,
        service_tier=dialect.service_tier or omit,
    )
    async with stream:
        yield stream


def take(answer: Answer, event: ResponseStreamEvent) -> None:
    """Add one event. The SDK does not validate events, so any attribute may be missing or of another type."""
    try:
        match event.type:
            case "response.output_text.delta":
                answer.add(event.delta)
            case "response.refusal.delta":
                answer.add(event.delta)
                answer.finish = "refusal"
            case "response.reasoning_text.delta" | "response.reasoning_summary_text.delta":
                answer.aside(event.delta)
            case "response.function_call_arguments.delta":
                answer.aside(event.delta)
            case "response.completed":
                _finish(answer, event.response)
            case "response.incomplete":
                details = event.response.incomplete_details
                answer.finish = _CUT.get(str(details and details.reason), "other")
                _tell(answer, event.response)
            case "response.failed":
                _tell(answer, event.response)
                error = event.response.error
                raise ResponseFailed(error.code if error is not None else None)
            case "error":
                raise ResponseFailed(event.code)
            case _:
                pass
    except (AttributeError, TypeError) as error:
        raise ValueError("not a response event") from error


def _message(message: Message) -> EasyInputMessageParam:
    return {"role": message.role, "content": message.content, "type": "message"}


def _format(schema: str, dialect: Dialect) -> ResponseFormatTextConfigParam | None:
    held_to = dialect.native_schema(schema)
    if held_to is None:
        return None
    if held_to == "json":
        return {"type": "json_object"}
    wanted = dict(parsed(schema))
    return {"type": "json_schema", "name": SCHEMA_NAME, "schema": wanted, "strict": is_strict(wanted)}


def _finish(answer: Answer, response: Response) -> None:
    """llama.cpp's server calls an answer complete that it cut at the cap; its usage tells."""
    refused = answer.finish is not None
    answer.finish = answer.finish or "stop"
    _tell(answer, response)
    if answer.is_full and not refused:
        answer.finish = "length"


def _tell(answer: Answer, response: Response) -> None:
    if response.usage is not None:
        answer.tell(_usage(response.usage))


def _usage(usage: ResponseUsage) -> Usage:
    details_in, details_out = usage.input_tokens_details, usage.output_tokens_details
    return Usage(
        input_tokens=count(usage.input_tokens),
        output_tokens=max(count(usage.output_tokens), count(usage.total_tokens) - count(usage.input_tokens)),
        cached_tokens=count(details_in and details_in.cached_tokens),
        reasoning_tokens=count(details_out and details_out.reasoning_tokens),
    )
