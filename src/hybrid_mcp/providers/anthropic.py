"""Models behind the Anthropic messages API."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx2
from anthropic import AnthropicError, APIStatusError, AsyncAnthropic, AsyncStream, omit
from anthropic.types import MessageDeltaUsage, MessageParam, OutputConfigParam, RawMessageStreamEvent
from anthropic.types import Usage as ReportedUsage

from hybrid_mcp.domain.completion import Completion, Finish, Message, Usage
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.json_schema import is_strict, parsed
from hybrid_mcp.domain.profile import ModelSpec, ProviderSpec
from hybrid_mcp.ports import Progress, ProviderCall
from hybrid_mcp.providers.failures import Refusal, broke_off, failure_of_connection, failure_of_refusal, malformed
from hybrid_mcp.providers.http import Egress, base_url_of, client_httpx2, key_headers
from hybrid_mcp.providers.prices import US_PERCENT
from hybrid_mcp.providers.reuse import SeenBefore
from hybrid_mcp.providers.streaming import IDLE_S, Answer, count, patience_for, read_stream

_FINISH: Mapping[str, Finish] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}
_STATUS_OF_TYPE: Mapping[str, int] = {
    "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
    "not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "timeout_error": 504,
    "overloaded_error": 529,
}  # fmt: skip
"""The statuses that the API documents for its error types, for errors that come inside a 200 answer."""


class AnthropicProvider:
    """One server that speaks the dialect. The key is read for each request and never kept."""

    def __init__(
        self,
        *,
        spec: ProviderSpec,
        api_key: Callable[[], str | None],
        egress: Egress,
        first_byte_timeout_s: float | None = None,
        idle_timeout_s: float = IDLE_S,
    ) -> None:
        self._spec = spec
        self._patience = patience_for(spec, first_byte_timeout_s, idle_timeout_s)
        self._seen = SeenBefore()
        http = client_httpx2(spec, egress, lambda: key_headers(spec, api_key()))
        self._sdk = _sdk_client(base_url_of(spec), http)

    async def complete(self, call: ProviderCall, progress: Progress) -> Completion:
        answer = Answer(
            progress, name=f"{self._spec.name}:{call.model}", output_cap=call.max_output_tokens, stop=call.stop
        )
        await self._read(answer, call)
        return answer.completion()

    async def models(self) -> Sequence[ModelSpec]:
        """Nothing: models of this kind come from the profile."""
        return ()

    async def aclose(self) -> None:
        await self._sdk.close()

    async def _read(self, answer: Answer, call: ProviderCall) -> None:
        try:
            await read_stream(self._opened(call), lambda event: _take(answer, event), answer, self._patience)
        except (AnthropicError, httpx2.HTTPError, TimeoutError, OSError, ValueError) as error:
            raise _failure(self._spec, call.model, error, begun=answer.begun) from None
        if not answer.begun:
            raise malformed(self._spec, call.model)
        if answer.finish is None:
            raise broke_off(self._spec, call.model)

    def _message(self, message: Message) -> MessageParam:
        """With a mark behind what was sent before and so may come again: the API charges less for reading that."""
        if message.role == "assistant":
            return {"role": "assistant", "content": message.content}
        reusable, rest = message.content[: message.reusable], message.content[message.reusable :]
        # A declared price has none for what is written to the cache, which costs a quarter more.
        if self._spec.price is not None or not self._seen.comes_again(reusable):
            return {"role": "user", "content": message.content}
        return {
            "role": "user",
            "content": [
                {"type": "text", "text": reusable, "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": rest},
            ],
        }

    @asynccontextmanager
    async def _opened(self, call: ProviderCall) -> AsyncGenerator[AsyncStream[RawMessageStreamEvent]]:
        system = "\n\n".join(message.content for message in call.messages if message.role == "system")
        stream = await self._sdk.messages.create(
            model=call.model,
            system=system or omit,
            messages=[self._message(message) for message in call.messages if message.role != "system"],
            max_tokens=call.max_output_tokens,
            stop_sequences=[text for text in call.stop if text.strip()] or omit,
            output_config=_output_config(call) or omit,
            # A priority tier is sold at prices of its own.
            service_tier="standard_only" if self._spec.price_provider == "anthropic" else omit,
            stream=True,
        )
        async with stream:
            yield stream


def _sdk_client(base_url: str, http: httpx2.AsyncClient) -> AsyncAnthropic:
    # ANTHROPIC_LOG=debug would have the SDK log prompts.
    logging.getLogger("anthropic").setLevel(logging.WARNING)
    return AsyncAnthropic(
        base_url=base_url,
        http_client=http,
        max_retries=0,
        # Whatever is not given here the SDK reads from the environment or from files. The transport adds the real key.
        api_key="added-by-the-transport",
        webhook_key="",
        open_telemetry=False,
    )


def _output_config(call: ProviderCall) -> OutputConfigParam:
    """Only a strict schema: of the others the API refuses some for one keyword."""
    config: OutputConfigParam = {}
    if call.reasoning_effort is not None:
        config["effort"] = call.reasoning_effort
    if call.response_schema and is_strict(schema := parsed(call.response_schema)):
        config["format"] = {"type": "json_schema", "schema": dict(schema)}
    return config


def _take(answer: Answer, event: RawMessageStreamEvent) -> None:
    """Add one event. The SDK does not validate events, so any attribute may be missing or of another type."""
    try:
        match event.type:
            case "message_start":
                # Its output is what was written so far: only the end tells of all of it.
                started = _usage(event.message.usage, Usage(input_tokens=0, output_tokens=0))
                answer.tell(replace(started, output_tokens=0))
            case "content_block_delta" if event.delta.type == "text_delta":
                answer.add(event.delta.text)
            case "content_block_delta" if event.delta.type == "thinking_delta":
                answer.aside(event.delta.thinking)
            case "content_block_delta" if event.delta.type == "input_json_delta":
                answer.aside(event.delta.partial_json)
            case "message_delta":
                if event.delta.stop_reason:
                    answer.finish = _FINISH.get(event.delta.stop_reason, "other")
                if event.usage is not None and event.usage.output_tokens is not None:  # pyright: ignore[reportUnnecessaryComparison]
                    answer.tell(_usage(event.usage, answer.usage or Usage(input_tokens=0, output_tokens=0)))
            case _:
                pass
    except (AttributeError, TypeError) as error:
        raise ValueError("not a message event") from error


def _usage(reported: ReportedUsage | MessageDeltaUsage, before: Usage) -> Usage:
    """The counts so far: of each the largest that any event states.

    The API leaves what was read from and written to its cache out of `input_tokens`; ours counts all of the input.
    """
    plain = before.input_tokens - before.cached_tokens - before.cache_write_tokens
    read = _stated(reported.cache_read_input_tokens, before.cached_tokens)
    written = _stated(reported.cache_creation_input_tokens, before.cache_write_tokens)
    thinking = reported.output_tokens_details
    return Usage(
        input_tokens=_stated(reported.input_tokens, plain) + read + written,
        output_tokens=_stated(reported.output_tokens, before.output_tokens),
        cached_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=count(thinking and thinking.thinking_tokens) or before.reasoning_tokens,
        surcharge_percent=US_PERCENT if getattr(reported, "inference_geo", None) == "us" else before.surcharge_percent,
    )


def _stated(value: object, before: int) -> int:
    return max(count(value), before)


def _failure(spec: ProviderSpec, model: str, error: Exception, *, begun: bool) -> HybridError:
    match error:
        case ValueError():
            return malformed(spec, model)
        case APIStatusError() if not begun:
            headers = {name.lower(): value for name, value in error.response.headers.items()}
            return failure_of_refusal(spec, model, _refusal(error, headers))
        case APIStatusError():
            return broke_off(spec, model)
        case _:
            return failure_of_connection(spec, model, error)


def _refusal(error: APIStatusError, headers: Mapping[str, str]) -> Refusal:
    """With the HTTP status, or for an error inside a 200 answer the one that its type stands for."""
    inside = error.status_code == 200
    status = _STATUS_OF_TYPE.get(str(error.type), 500) if inside else error.status_code
    return Refusal(status=status, headers=headers, body=error.body, inside=inside)
