"""One call of OpenAI's chat completions: map in, map out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from openai import AsyncOpenAI, AsyncStream, omit
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from openai.types.chat.chat_completion_chunk import Choice, ChoiceDelta
from openai.types.chat.completion_create_params import ResponseFormat

from hybrid_mcp.domain.completion import Finish, Message, Usage
from hybrid_mcp.domain.json_schema import SCHEMA_NAME, is_strict, parsed
from hybrid_mcp.domain.profile import Bill
from hybrid_mcp.ports import ProviderCall
from hybrid_mcp.providers.bills import billed
from hybrid_mcp.providers.dialects import Dialect
from hybrid_mcp.providers.streaming import Answer, count

_FINISH: Mapping[str, Finish] = {"stop": "stop", "length": "length", "content_filter": "refusal"}


@asynccontextmanager
async def opened(
    sdk: AsyncOpenAI, call: ProviderCall, dialect: Dialect, *, logprobs: bool
) -> AsyncGenerator[AsyncStream[ChatCompletionChunk]]:
    cap, effort, temperature = dialect.output_cap, call.reasoning_effort, dialect.temperature_for(call.temperature)
    response_format = _response_format(call.response_schema, dialect)
    # Under a grammar the probabilities of tokens say nothing about how sure the model is.
    logprobs = logprobs and response_format is None
    stream = await sdk.chat.completions.create(
        model=call.model,
        messages=[_message(message) for message in call.messages],
        stream=True,
        stream_options={"include_usage": True},
        max_tokens=call.max_output_tokens if cap == "max_tokens" else omit,
        max_completion_tokens=call.max_output_tokens if cap == "max_completion_tokens" else omit,
        temperature=omit if temperature is None else temperature,
        stop=list(call.stop) if call.stop and dialect.stop else omit,
        response_format=response_format or omit,
        reasoning_effort=effort if effort and dialect.effort == "reasoning_effort" else omit,
        extra_body={"reasoning": {"effort": effort}} if effort and dialect.effort == "reasoning" else None,
        service_tier=dialect.service_tier or omit,
        logprobs=True if logprobs else omit,
        top_logprobs=1 if logprobs else omit,
    )
    async with stream:
        yield stream


def take(answer: Answer, chunk: ChatCompletionChunk, bill: Bill | None) -> None:
    """Add one chunk. The SDK does not validate chunks, so any attribute may be missing or of another type."""
    try:
        choices = chunk.choices or []
        for choice in choices[:1]:
            _take_choice(answer, choice)
        for choice in choices[1:]:
            answer.aside(choice.delta.content)
            answer.aside(choice.delta.refusal)
            _take_asides(answer, choice.delta)
        if chunk.usage is not None:
            answer.tell(_usage(chunk.usage, bill))
    except (AttributeError, TypeError) as error:
        raise ValueError("not a chat chunk") from error


def _message(message: Message) -> ChatCompletionMessageParam:
    match message.role:
        case "system":
            return {"role": "system", "content": message.content}
        case "user":
            return {"role": "user", "content": message.content}
        case "assistant":
            return {"role": "assistant", "content": message.content}


def _response_format(schema: str, dialect: Dialect) -> ResponseFormat | None:
    """How the server is held to the schema; None where it cannot be, and the words in the messages must do."""
    held_to = dialect.native_schema(schema)
    if held_to is None:
        return None
    if held_to == "json":
        return {"type": "json_object"}
    wanted = dict(parsed(schema))
    if is_strict(wanted):
        return {"type": "json_schema", "json_schema": {"name": SCHEMA_NAME, "schema": wanted, "strict": True}}
    return {"type": "json_schema", "json_schema": {"name": SCHEMA_NAME, "schema": wanted}}


def _take_choice(answer: Answer, choice: Choice) -> None:
    answer.add(choice.delta.content)
    _take_asides(answer, choice.delta)
    if choice.delta.refusal:
        answer.add(choice.delta.refusal)
        answer.finish = "refusal"
    if choice.logprobs is not None:
        answer.add_logprobs(token.logprob for token in choice.logprobs.content or [])
    if choice.finish_reason and answer.finish is None:
        answer.finish = _FINISH.get(choice.finish_reason, "other")


def _take_asides(answer: Answer, delta: ChoiceDelta) -> None:
    """What is written, and billed, beside the answer. Some servers send the same thinking under both names."""
    more = delta.model_extra or {}
    thinking = [more.get("reasoning_content"), more.get("reasoning")]
    answer.aside(max((text for text in thinking if isinstance(text, str)), key=len, default=""))
    calls = [call.function for call in delta.tool_calls or []]
    for function in [*calls, delta.function_call]:
        if function is not None:
            answer.aside(function.name)
            answer.aside(function.arguments)


def _usage(usage: CompletionUsage, bill: Bill | None) -> Usage:
    """Token counts. Some servers leave the thinking out of `completion_tokens`, fewer out of `total_tokens` too."""
    tokens_in, tokens_out, total = count(usage.prompt_tokens), count(usage.completion_tokens), count(usage.total_tokens)
    details_in, details_out = usage.prompt_tokens_details, usage.completion_tokens_details
    reasoning = count(details_out and details_out.reasoning_tokens)
    return Usage(
        input_tokens=tokens_in,
        output_tokens=max(tokens_out, total - tokens_in, tokens_out + reasoning if reasoning > tokens_out else 0),
        cached_tokens=count(details_in and details_in.cached_tokens),
        reasoning_tokens=reasoning,
        billed=billed(bill, usage.model_extra or {}),
    )
