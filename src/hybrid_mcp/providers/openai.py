"""Models behind an OpenAI-style API: OpenAI itself, the vendors that speak its dialect, and local servers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated

import httpx2
from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, OpenAIError
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from hybrid_mcp.domain.completion import Completion
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.profile import ModelSpec, ProviderSpec, Resident
from hybrid_mcp.ports import Progress, ProviderCall
from hybrid_mcp.providers import openai_chat, openai_responses
from hybrid_mcp.providers.dialects import dialect_of, is_openai
from hybrid_mcp.providers.discovery import MODELS_KEPT, is_name, known, parameters_in, size_key
from hybrid_mcp.providers.failures import Refusal, broke_off, failure_of_connection, failure_of_refusal, malformed
from hybrid_mcp.providers.http import (
    Egress,
    base_url_of,
    client_httpx2,
    fetch_listing,
    key_headers,
    listing_url,
    without_key,
)
from hybrid_mcp.providers.openai_responses import ResponseFailed
from hybrid_mcp.providers.streaming import IDLE_S, Answer, patience_for, read_stream

_LOGPROB_SERVERS = frozenset({"llamacpp", "vllm"})
"""Servers, as they call themselves in `owned_by`, that give log-probabilities; others may refuse the request."""
_LIST_WHAT_IS_LOADED = frozenset({"llamacpp", "vllm"})
"""Servers whose models lie in memory, unless they say otherwise of one."""
_NOT_CHAT = ("embed", "rerank", "whisper", "tts")


_ONLY_RESPONSES = re.compile(r"(?:^|[-/])(?:codex|pro|deep-research)(?:-|$)")
"""OpenAI's models that its chat API refuses (platform.openai.com/docs/models): o3-pro, gpt-5-codex and the like."""

_Size = Annotated[int | None, BeforeValidator(known)]
"""Absurd numbers count as unknown, and the list stays readable."""


class _Meta(BaseModel):
    """What llama.cpp's server tells of a model. `n_ctx` is what it serves, `n_ctx_train` what the model could."""

    model_config = ConfigDict(frozen=True)
    n_ctx: _Size = None
    n_ctx_train: _Size = None
    n_params: _Size = None


class _Status(BaseModel):
    """llama-server without a model of its own lists those that it would load, and tells which of them are."""

    model_config = ConfigDict(frozen=True)
    value: object = "loaded"


def _as_status(told: object) -> object:
    """Other servers may mean something else by the word."""
    return told if isinstance(told, dict) else {}  # pyright: ignore[reportUnknownVariableType]  # pydantic reads it


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True)
    id: str
    object: str | None = None
    owned_by: str | None = None
    meta: _Meta | None = None
    max_model_len: _Size = None
    context_length: _Size = None
    status: Annotated[_Status, BeforeValidator(_as_status)] = _Status()

    @property
    def loaded(self) -> bool:
        return self.owned_by in _LIST_WHAT_IS_LOADED and self.status.value == "loaded"


class _Listing(BaseModel):
    model_config = ConfigDict(frozen=True)
    object: str | None = None
    data: tuple[_Entry, ...]


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
        self._api_key = api_key
        self._dialect = dialect_of(spec)
        self._patience = patience_for(spec, first_byte_timeout_s, idle_timeout_s)
        self._gives_logprobs: bool | None = None if spec.local else False
        self._http = client_httpx2(spec, egress, lambda: key_headers(spec, api_key()))
        self._sdk = _sdk_client(base_url_of(spec), self._http)

    async def complete(self, call: ProviderCall, progress: Progress) -> Completion:
        answer = Answer(
            progress, name=f"{self._spec.name}:{call.model}", output_cap=call.max_output_tokens, stop=call.stop
        )
        try:
            if needs_responses(self._spec, call.model):
                opened = openai_responses.opened(self._sdk, call, self._dialect)
                await read_stream(opened, partial(openai_responses.take, answer), answer, self._patience)
            else:
                logprobs = await self._server_gives_logprobs()
                opened = openai_chat.opened(self._sdk, call, self._dialect, logprobs=logprobs)
                take = partial(openai_chat.take, answer, bill=self._spec.bill)
                await read_stream(opened, take, answer, self._patience)
        except (OpenAIError, httpx2.HTTPError, TimeoutError, OSError, ValueError) as error:
            raise _failure(self._spec, call.model, error, begun=answer.begun) from None
        if not answer.begun:
            raise malformed(self._spec, call.model)
        if answer.finish is None:
            raise broke_off(self._spec, call.model)
        return answer.completion()

    async def models(self) -> Sequence[ModelSpec]:
        """What a local server offers for chat; cloud models come from the profile."""
        if not self._spec.local:
            return ()
        listing = await fetch_listing(self._http, listing_url(self._spec))
        entries = _entries(without_key(listing or b"", self._api_key()))
        self._gives_logprobs = any(entry.owned_by in _LOGPROB_SERVERS for entry in entries)
        chat = [entry for entry in entries if _is_for_chat(entry)][:MODELS_KEPT]
        return sorted((_model(self._spec, entry) for entry in chat), key=size_key)

    async def aclose(self) -> None:
        await self._sdk.close()

    async def _server_gives_logprobs(self) -> bool:
        if self._gives_logprobs is None:
            await self.models()
        return bool(self._gives_logprobs)


def needs_responses(spec: ProviderSpec, model: str) -> bool:
    """Whether the model is asked through the Responses API: as the owner says, or because OpenAI serves it so alone."""
    return spec.api == "responses" or (is_openai(spec) and _ONLY_RESPONSES.search(model) is not None)


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


def _failure(spec: ProviderSpec, model: str, error: Exception, *, begun: bool) -> HybridError:
    match error:
        case ValueError():
            return malformed(spec, model)
        case APIStatusError():
            headers = {name.lower(): value for name, value in error.response.headers.items()}
            return failure_of_refusal(spec, model, Refusal(status=error.status_code, headers=headers, body=error.body))
        case ResponseFailed():
            return failure_of_refusal(spec, model, error.refusal)
        case APIError() if not isinstance(error, APIConnectionError):
            return broke_off(spec, model) if begun else failure_of_refusal(spec, model, _stated(error))
        case _:
            return failure_of_connection(spec, model, error)


def _stated(error: APIError) -> Refusal:
    """An error inside a 200 answer, with the status that it gives itself; 500 where it gives none."""
    stated = str(error.code)
    status = int(stated) if re.fullmatch(r"[45][0-9]{2}", stated) else 500
    return Refusal(status=status, headers={}, body=error.body, inside=True)


def _entries(body: bytes) -> list[_Entry]:
    """The entries of a real model list; nothing for whatever else may be served there."""
    try:
        listing = _Listing.model_validate_json(body)
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
        resident=Resident() if entry.loaded else None,
    )
