"""Models behind an OpenAI-style chat API: OpenAI itself, the vendors that speak its dialect, and local servers."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import httpx2
from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, AsyncStream, OpenAIError, omit
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from openai.types.chat.chat_completion_chunk import Choice, ChoiceDelta
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from hybrid_mcp.domain.completion import Completion, Finish, Message, Usage
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.profile import Bill, ModelSpec, ProviderSpec
from hybrid_mcp.ports import Progress, ProviderCall
from hybrid_mcp.providers.bills import billed
from hybrid_mcp.providers.discovery import MODELS_KEPT, is_name, known, parameters_in, size_key
from hybrid_mcp.providers.failures import Refusal, broke_off, failure_of_connection, failure_of_refusal, malformed
from hybrid_mcp.providers.http import Egress, base_url_of, bearer, client_httpx2, fetch_listing, listing_url
from hybrid_mcp.providers.streaming import IDLE_S, Answer, count, patience_for, read_stream

_FINISH: Mapping[str, Finish] = {"stop": "stop", "length": "length", "content_filter": "refusal"}
_LOGPROB_SERVERS = frozenset({"llamacpp", "vllm"})
"""Servers, as they call themselves in `owned_by`, that give log-probabilities; others may refuse the request."""
_NOT_CHAT = ("embed", "rerank", "whisper", "tts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What differs between servers. None: not sent."""

    output_cap: Literal["max_tokens", "max_completion_tokens"]
    temperature: float | None = None
    service_tier: Literal["default"] | None = None


OPENAI_ITSELF = Dialect(output_cap="max_completion_tokens", service_tier="default")
"""Its reasoning models refuse `max_tokens` and every temperature but the default. Without a tier a request is
served, and billed, at the one that is set for the owner's project, which may cost twice the listed price."""
OPENAI_ELSEWHERE = replace(OPENAI_ITSELF, service_tier=None)
"""Its models at another address, whose tiers and prices are that host's."""
EVERYONE_ELSE = Dialect(output_cap="max_tokens", temperature=0.0)


_Size = Annotated[int | None, BeforeValidator(known)]
"""Absurd numbers count as unknown, and the list stays readable."""


class _Meta(BaseModel):
    """What llama.cpp's server tells of a model. `n_ctx` is what it serves, `n_ctx_train` what the model could."""

    model_config = ConfigDict(frozen=True)
    n_ctx: _Size = None
    n_ctx_train: _Size = None
    n_params: _Size = None


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True)
    id: str
    object: str | None = None
    owned_by: str | None = None
    meta: _Meta | None = None
    max_model_len: _Size = None
    context_length: _Size = None


class _Listing(BaseModel):
    model_config = ConfigDict(frozen=True)
    object: str | None = None
    data: tuple[_Entry, ...]


def dialect_of(spec: ProviderSpec) -> Dialect:
    host = spec.host or ""
    if host == "api.openai.com" or host.endswith(".api.openai.com"):
        return OPENAI_ITSELF
    return OPENAI_ELSEWHERE if spec.price_provider == "openai" else EVERYONE_ELSE


class OpenAIProvider:
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
        self._dialect = dialect_of(spec)
        self._patience = patience_for(spec, first_byte_timeout_s, idle_timeout_s)
        self._gives_logprobs: bool | None = None if spec.local else False
        self._http = client_httpx2(spec, egress, lambda: bearer(api_key()))
        self._sdk = _sdk_client(base_url_of(spec), self._http)

    async def complete(self, call: ProviderCall, progress: Progress) -> Completion:
        answer = Answer(progress, name=f"{self._spec.name}:{call.model}", output_cap=call.max_output_tokens)
        logprobs = await self._server_gives_logprobs()
        await self._read(answer, call, logprobs=logprobs)
        return answer.completion()

    async def models(self) -> Sequence[ModelSpec]:
        """What a local server offers for chat; cloud models come from the profile."""
        if not self._spec.local:
            return ()
        entries = _entries(await fetch_listing(self._http, listing_url(self._spec)))
        self._gives_logprobs = any(entry.owned_by in _LOGPROB_SERVERS for entry in entries)
        chat = [entry for entry in entries if _is_for_chat(entry)][:MODELS_KEPT]
        return sorted((_model(self._spec, entry) for entry in chat), key=size_key)

    async def aclose(self) -> None:
        await self._sdk.close()

    async def _read(self, answer: Answer, call: ProviderCall, *, logprobs: bool) -> None:
        def take(chunk: ChatCompletionChunk) -> None:
            _take(answer, chunk, self._spec.bill)

        try:
            await read_stream(self._opened(call, logprobs=logprobs), take, answer, self._patience)
        except (OpenAIError, httpx2.HTTPError, TimeoutError, OSError, ValueError) as error:
            raise _failure(self._spec, call.model, error, begun=answer.begun) from None
        if not answer.begun:
            raise malformed(self._spec, call.model)
        if answer.finish is None:
            raise broke_off(self._spec, call.model)

    async def _server_gives_logprobs(self) -> bool:
        if self._gives_logprobs is None:
            await self.models()
        return bool(self._gives_logprobs)

    @asynccontextmanager
    async def _opened(self, call: ProviderCall, *, logprobs: bool) -> AsyncGenerator[AsyncStream[ChatCompletionChunk]]:
        cap, temperature, tier = self._dialect.output_cap, self._dialect.temperature, self._dialect.service_tier
        stream = await self._sdk.chat.completions.create(
            model=call.model,
            messages=[_message(message) for message in call.messages],
            stream=True,
            stream_options={"include_usage": True},
            max_tokens=call.max_output_tokens if cap == "max_tokens" else omit,
            max_completion_tokens=call.max_output_tokens if cap == "max_completion_tokens" else omit,
            temperature=omit if temperature is None else temperature,
            service_tier=omit if tier is None else tier,
            logprobs=True if logprobs else omit,
            top_logprobs=1 if logprobs else omit,
        )
        async with stream:
            yield stream


def _sdk_client(base_url: str, http: httpx2.AsyncClient) -> AsyncOpenAI:
    return AsyncOpenAI(
        base_url=base_url,
        http_client=http,
        max_retries=0,
        # Whatever is not given here the SDK reads from the environment. The transport adds the real key.
        api_key="added-by-the-transport",
        admin_api_key="",
        organization="",
        project="",
        webhook_secret="",
    )


def _message(message: Message) -> ChatCompletionMessageParam:
    match message.role:
        case "system":
            return {"role": "system", "content": message.content}
        case "user":
            return {"role": "user", "content": message.content}
        case "assistant":
            return {"role": "assistant", "content": message.content}


def _take(answer: Answer, chunk: ChatCompletionChunk, bill: Bill | None) -> None:
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


def _failure(spec: ProviderSpec, model: str, error: Exception, *, begun: bool) -> HybridError:
    match error:
        case ValueError():
            return malformed(spec, model)
        case APIStatusError():
            headers = {name.lower(): value for name, value in error.response.headers.items()}
            return failure_of_refusal(spec, model, Refusal(status=error.status_code, headers=headers, body=error.body))
        case APIConnectionError():
            return failure_of_connection(spec, model, error)
        case APIError() if begun:
            return broke_off(spec, model)
        case APIError():
            return failure_of_refusal(spec, model, _stated(error))
        case _:
            return failure_of_connection(spec, model, error)


def _stated(error: APIError) -> Refusal:
    """An error inside a 200 answer, with the status that it gives itself; 500 where it gives none."""
    stated = str(error.code)
    status = int(stated) if re.fullmatch(r"[45][0-9]{2}", stated) else 500
    return Refusal(status=status, headers={}, body=error.body, inside=True)


def _entries(body: bytes | None) -> list[_Entry]:
    """The entries of a real model list; nothing for whatever else may be served there."""
    try:
        listing = _Listing.model_validate_json(body or b"")
    except ValidationError:
        return []
    return [entry for entry in listing.data if listing.object == "list" or entry.object == "model"]


def _is_for_chat(entry: _Entry) -> bool:
    return is_name(entry.id) and not any(word in entry.id.lower() for word in _NOT_CHAT)


def _model(spec: ProviderSpec, entry: _Entry) -> ModelSpec:
    meta = entry.meta or _Meta()
    contexts = (spec.context_tokens, meta.n_ctx, entry.max_model_len, entry.context_length, meta.n_ctx_train)
    return ModelSpec(
        provider=spec,
        model=entry.id,
        context_tokens=next((size for size in contexts if size), None),
        parameters=meta.n_params or parameters_in(entry.id),
    )
