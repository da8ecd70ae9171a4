"""Models of an Ollama server. It would cut a long prompt without a word; here such a prompt is refused."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Annotated, cast

import anyio
import httpx
import ollama
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from hybrid_mcp.domain.completion import Completion, Effort, Finish, Usage
from hybrid_mcp.domain.errors import ContextTooLong, EgressDenied, HybridError, ProviderRejected, ProviderUnavailable
from hybrid_mcp.domain.json_schema import can_be_held, parsed
from hybrid_mcp.domain.profile import ModelSpec, ProviderSpec, Resident
from hybrid_mcp.domain.scorer import english_characters
from hybrid_mcp.ports import Progress, ProviderCall
from hybrid_mcp.providers.discovery import MODELS_KEPT, is_name, known, parameters_in, size_key
from hybrid_mcp.providers.failures import Refusal, broke_off, failure_of_connection, failure_of_refusal, malformed
from hybrid_mcp.providers.http import (
    CONNECT_TIMEOUT_S,
    LINE_LIMIT_BYTES,
    Egress,
    base_url_of,
    fetch_listing,
    guarded_httpx,
    key_headers,
    listing_url,
    read_document,
)
from hybrid_mcp.providers.streaming import IDLE_S, Answer, Patience, count, read_stream

SERVED_CONTEXT = 4096
"""Tokens of context that Ollama serves by default (its FAQ, since 0.6). More costs memory, so the owner decides:
`PARAMETER num_ctx` in the Modelfile, or `price: {context: ...}` of the provider in the profile."""

_CHARACTERS_PER_TOKEN = 3
"""English has four and more, program text about three: an estimate that is rather too high."""
_MESSAGE_OVERHEAD = 16  # tokens of the chat template around a message
_LEAST_OUTPUT = 256  # an answer's cap is shrunk to fit the context, but not below this
_MOST_CHARACTERS_PER_TOKEN = 8  # no running text reaches it: a prompt counted lower has lost whole messages
_SHOW_BUDGET_S = 0.5
_SHOW_AT_ONCE = 4
_NUM_CTX = re.compile(r"^num_ctx\s+(\d{1,15})\s*$", re.MULTILINE | re.ASCII)
_EMBEDDING_FAMILIES = frozenset({"bert", "nomic-bert", "nomic-bert-moe", "xlm-roberta", "gemma-embedding"})
_BYTES_PER_PARAMETER = 0.6  # four-bit files, the usual ones; only orders models whose size is not told
# The SDK reads answers without checking their shape, hence the last three.
_SDK_ERRORS = (ollama.ResponseError, httpx.HTTPError, OSError, ValueError, AttributeError, TypeError)
_FINISH: Mapping[str, Finish] = {"stop": "stop", "length": "length"}


class _Details(BaseModel):
    model_config = ConfigDict(frozen=True)
    family: str = ""
    parameter_size: str = ""


class _Tag(BaseModel):
    model_config = ConfigDict(frozen=True)
    name: str
    size: Annotated[int | None, BeforeValidator(known)] = None
    details: _Details = _Details()
    remote_host: str = ""
    remote_model: str = ""


class _Tags(BaseModel):
    model_config = ConfigDict(frozen=True)
    models: tuple[_Tag, ...]


class _Running(BaseModel):
    """What /api/ps tells of a loaded model, in bytes."""

    model_config = ConfigDict(frozen=True)
    name: str
    size: Annotated[int | None, BeforeValidator(known)] = None
    size_vram: Annotated[int | None, BeforeValidator(known)] = None


class _AllRunning(BaseModel):
    model_config = ConfigDict(frozen=True)
    models: tuple[_Running, ...]


class _Shown(BaseModel):
    """What /api/show tells. `remote_host`: the model only seems to be here, Ollama sends its prompts on to there."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())
    parameters: str = ""
    model_info: Mapping[str, object] | None
    capabilities: tuple[str, ...] = ()
    remote_host: str = ""
    remote_model: str = ""

    @property
    def is_remote(self) -> bool:
        return bool(self.remote_host or self.remote_model)

    @property
    def thinks(self) -> bool:
        return "thinking" in self.capabilities


class OllamaProvider:
    """One Ollama server. Each call states its context size, so that what fits is known for certain."""

    def __init__(
        self,
        *,
        spec: ProviderSpec,
        egress: Egress,
        api_key: Callable[[], str | None] | None = None,
        timeout_s: float = 120.0,
        idle_timeout_s: float = IDLE_S,
    ) -> None:
        self._spec = spec
        self._patience = Patience(first_byte_s=timeout_s, idle_s=min(timeout_s, idle_timeout_s))
        self._contexts: dict[str, int] = {}
        self._thinkers: set[str] = set()
        credentials = dict[str, str] if api_key is None else lambda: key_headers(spec, api_key())
        transport, url = guarded_httpx(spec, egress, credentials), base_url_of(spec)
        timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT_S)
        self._http = httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False, timeout=timeout)
        self._sdk = ollama.AsyncClient(
            host=url, transport=transport, trust_env=False, follow_redirects=False, timeout=timeout
        )

    async def complete(self, call: ProviderCall, progress: Progress) -> Completion:
        answer = Answer(
            progress, name=f"{self._spec.name}:{call.model}", output_cap=call.max_output_tokens, stop=call.stop
        )
        context = await self._read(answer, call)
        _refuse_if_cut(self._spec, call, answer.usage, context)
        return answer.completion()

    async def _read(self, answer: Answer, call: ProviderCall) -> int:
        """The whole answer; the result is the context size that was asked for."""
        try:
            with anyio.fail_after(self._patience.first_byte_s):
                context = await self._context_of(call.model)
            opened = self._opened(call, context, _output_cap(self._spec, call, context))
            await read_stream(opened, lambda part: _take(answer, part), answer, self._patience)
        except _SDK_ERRORS as error:
            raise _failure(self._spec, call.model, error, begun=answer.begun) from None
        if answer.finish is None:
            raise broke_off(self._spec, call.model)
        return context

    async def models(self) -> Sequence[ModelSpec]:
        """The models that can chat, with their context sizes where Ollama tells them quickly."""
        if not self._spec.local:
            return ()
        tags = [tag for tag in await self._tags() if is_name(tag.name) and not _is_embedding(tag)]
        tags = [tag for tag in tags if not _is_remote(tag)][:MODELS_KEPT]
        shown: dict[str, _Shown] = {}
        running: dict[str, Resident] = {}
        limiter = anyio.CapacityLimiter(_SHOW_AT_ONCE)

        async def look_what_runs() -> None:
            running.update(await self._running())

        async def show(name: str) -> None:
            async with limiter:
                try:
                    shown[name] = await self._show(name)
                except _SDK_ERRORS:
                    return

        with anyio.move_on_after(_SHOW_BUDGET_S):
            async with anyio.create_task_group() as group:
                if tags:
                    group.start_soon(look_what_runs)
                for tag in tags:
                    group.start_soon(show, tag.name)
        self._contexts |= {name: _context(self._spec, answer) for name, answer in shown.items() if not answer.is_remote}
        self._thinkers |= {name for name, answer in shown.items() if answer.thinks}
        chat = [tag for tag in tags if _can_chat(shown.get(tag.name))]
        # What a server that is busy now does not tell was told before, and is what a call will ask for.
        contexts = {tag.name: self._contexts.get(tag.name, self._spec.context_tokens) for tag in chat}
        found = [_model(self._spec, tag, contexts[tag.name], running.get(tag.name)) for tag in chat]
        return sorted(found, key=size_key)

    async def aclose(self) -> None:
        await self._http.aclose()
        await self._sdk.close()

    async def _tags(self) -> Sequence[_Tag]:
        try:
            listing = await fetch_listing(self._http, listing_url(self._spec))
            return _Tags.model_validate_json(listing or b"").models
        except ValidationError:
            return ()

    async def _running(self) -> Mapping[str, Resident]:
        """The models that are loaded now, by name; none where the server does not tell."""
        try:
            listing = await fetch_listing(self._http, f"{base_url_of(self._spec)}/api/ps")
            models = _AllRunning.model_validate_json(listing or b"").models
        except ValidationError:
            return {}
        return {one.name: Resident(memory_bytes=one.size, card_bytes=one.size_vram) for one in models}

    async def _context_of(self, model: str) -> int:
        if model not in self._contexts:
            shown = await self._show(model)
            if self._spec.local and (shown.is_remote or _named_remote(model)):
                raise EgressDenied(
                    f"{self._spec.name}:{model} does not run on this machine: Ollama would send the prompt on to its "
                    "cloud. Choose a model that was pulled, without -cloud in its name"
                )
            self._contexts[model] = _context(self._spec, shown)
            self._thinkers |= {model} if shown.thinks else set()
        return self._contexts[model]

    async def _show(self, model: str) -> _Shown:
        """Asked without the SDK, which leaves out where a model runs."""
        url = f"{base_url_of(self._spec)}/api/show"
        async with self._http.stream("POST", url, json={"model": model}) as answer:
            document = await read_document(answer, LINE_LIMIT_BYTES)
        if document is None:
            raise ValueError("larger than any model's description")
        if answer.status_code != 200:
            refused = httpx.HTTPStatusError("", request=answer.request, response=answer)
            raise ollama.ResponseError(document.decode(errors="replace"), answer.status_code) from refused
        return _Shown.model_validate_json(document)

    def _think(self, call: ProviderCall) -> bool | Effort | None:
        """How much the model is told to think; None where it cannot, or nobody wishes anything."""
        if call.reasoning_effort is None or call.model not in self._thinkers:
            return None
        # Only gpt-oss knows levels; the others can be told to think or not to.
        return call.reasoning_effort if "gpt-oss" in call.model else call.reasoning_effort != "low"

    @asynccontextmanager
    async def _opened(
        self, call: ProviderCall, context: int, output_cap: int
    ) -> AsyncGenerator[AsyncIterator[ollama.ChatResponse]]:
        held = can_be_held(call.response_schema)
        answered = await self._sdk.chat(  # pyright: ignore[reportUnknownMemberType]  # its `tools` are not typed
            model=call.model,
            messages=[{"role": message.role, "content": message.content} for message in call.messages],
            stream=True,
            # Servers that know nothing of log-probabilities ignore the wish.
            logprobs=not held,
            format=dict(parsed(call.response_schema)) if held else None,
            think=self._think(call),
            keep_alive=_keep_alive(self._spec),
            options=_options(call, context, output_cap),
        )
        async with aclosing(cast("AsyncGenerator[ollama.ChatResponse]", answered)) as parts:
            yield parts


def _options(call: ProviderCall, context: int, output_cap: int) -> Mapping[str, object]:
    stops = {"stop": list(call.stop)} if call.stop else {}
    return {"num_ctx": context, "num_predict": output_cap, "temperature": call.temperature or 0, **stops}


def _take(answer: Answer, part: ollama.ChatResponse) -> None:
    answer.add(part.message.content)
    answer.aside(part.message.thinking)
    for call in part.message.tool_calls or ():
        answer.aside(f"{call.function.name}{json.dumps(dict(call.function.arguments))}")
    answer.add_logprobs(token.logprob for token in part.logprobs or ())
    if part.done:
        answer.finish = _FINISH.get(part.done_reason or "stop", "other")
        if part.prompt_eval_count is not None:
            answer.tell(Usage(input_tokens=count(part.prompt_eval_count), output_tokens=count(part.eval_count)))


def _keep_alive(spec: ProviderSpec) -> int | str | None:
    """As it is sent: Ollama reads a text only with a unit, and `0` and `-1` only as numbers. None: its own default."""
    return int(spec.keep_alive) if spec.keep_alive in {"0", "-1"} else spec.keep_alive


def _context(spec: ProviderSpec, shown: _Shown) -> int:
    """Tokens of context to ask for: as declared, else as the Modelfile says, else Ollama's default; what the model
    can at the most."""
    set_there = _NUM_CTX.search(shown.parameters)
    wanted = spec.context_tokens or (known(int(set_there[1])) if set_there else None) or SERVED_CONTEXT
    lengths = [known(value) for key, value in (shown.model_info or {}).items() if key.endswith(".context_length")]
    return min([wanted, *(length for length in lengths if length)])


def _characters(call: ProviderCall) -> int:
    return sum(english_characters(message.content) for message in call.messages)


def _output_cap(spec: ProviderSpec, call: ProviderCall, context: int) -> int:
    """The most tokens to generate so that prompt and answer stay within the context.

    Raises:
        ContextTooLong: the prompt alone would not leave room, by an estimate that is rather too high.
    """
    estimate = _characters(call) // _CHARACTERS_PER_TOKEN + _MESSAGE_OVERHEAD * (len(call.messages) + 1)
    room = context - estimate
    if room < min(call.max_output_tokens, _LEAST_OUTPUT):
        raise ContextTooLong(_too_long(spec, call, f"about {estimate:,} tokens (estimated)", context))
    return min(call.max_output_tokens, room)


def _refuse_if_cut(spec: ProviderSpec, call: ProviderCall, usage: Usage | None, context: int) -> None:
    """Catch what the estimate missed. Ollama cuts a long last message to exactly the context, leaves whole earlier
    messages out, and drops the middle when the answer runs over.

    Raises:
        ContextTooLong: the model did not see the whole request.
    """
    if usage is None:
        return
    ran_over = usage.input_tokens >= context or usage.input_tokens + usage.output_tokens > context
    has_history = len(call.messages) > 2
    lost_messages = has_history and usage.input_tokens * _MOST_CHARACTERS_PER_TOKEN < _characters(call)
    if ran_over or lost_messages:
        raise ContextTooLong(_too_long(spec, call, "more tokens than were read", context), billed=True)


def _too_long(spec: ProviderSpec, call: ProviderCall, size: str, context: int) -> str:
    return (
        f"the request is too long for {spec.name}:{call.model}: {size}, and its context window is set to {context:,}. "
        f"Send less context, or raise the window (`price: {{context: ...}}` of provider {spec.name} in the profile, or "
        "`PARAMETER num_ctx` in the Modelfile)"
    )


def _failure(spec: ProviderSpec, model: str, error: Exception, *, begun: bool) -> HybridError:
    match error:
        case ValueError() | AttributeError() | TypeError():
            return malformed(spec, model)
        case ollama.ResponseError(status_code=404):
            return ProviderRejected(f"{spec.name} has no model {model}: run `ollama pull {model}`, or name another one")
        case ollama.ResponseError() if "more system memory" in str(error.error):
            return ProviderUnavailable(
                f"{spec.name}:{model} needs more memory than is free: close something, or use a smaller model"
            )
        case ollama.ResponseError(status_code=-1) if begun:
            return broke_off(spec, model)
        case ollama.ResponseError():
            inside = error.status_code <= 0
            status, body = 500 if inside else error.status_code, {"error": error.error}
            refusal = Refusal(status=status, headers=_headers(error), body=body, inside=inside)
            return failure_of_refusal(spec, model, refusal)
        case _:
            return failure_of_connection(spec, model, error)


def _headers(error: ollama.ResponseError) -> Mapping[str, str]:
    """Those of the answer, in lower case. The SDK's own error has none, but it was raised from one that does."""
    origin = error.__cause__ or error.__context__
    if not isinstance(origin, httpx.HTTPStatusError):
        return {}
    return {name.lower(): value for name, value in origin.response.headers.items()}


def _is_embedding(tag: _Tag) -> bool:
    return tag.details.family in _EMBEDDING_FAMILIES or "embed" in tag.name.lower()


def _is_remote(tag: _Tag) -> bool:
    return bool(tag.remote_host or tag.remote_model) or _named_remote(tag.name)


def _named_remote(model: str) -> bool:
    """Ollama's cloud models are named so: `gpt-oss:120b-cloud`, `deepseek-v3:cloud`."""
    return model.endswith(("-cloud", ":cloud"))


def _can_chat(shown: _Shown | None) -> bool:
    if shown is None:
        return True
    return not shown.is_remote and (not shown.capabilities or "completion" in shown.capabilities)


def _model(spec: ProviderSpec, tag: _Tag, context: int | None, resident: Resident | None) -> ModelSpec:
    told = parameters_in(tag.details.parameter_size) or parameters_in(tag.name)
    return ModelSpec(
        provider=spec,
        model=tag.name,
        context_tokens=context,
        parameters=told or (round(tag.size / _BYTES_PER_PARAMETER) if tag.size else None),
        file_bytes=tag.size,
        resident=resident,
    )
