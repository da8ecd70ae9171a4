"""The far side of every adapter in one language: what a server says is told once, and spoken in each dialect."""

from __future__ import annotations

import importlib.machinery
import json
import os
import ssl
import sys
import threading
import traceback
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, Literal, get_args
from unittest.mock import MagicMock

import anyio
import httpx2
import ollama
import pytest

from hybrid_mcp.domain.completion import Completion, Finish, Message, Usage
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.profile import ProviderKind, ProviderSpec
from hybrid_mcp.domain.whitelist import url_host
from hybrid_mcp.ports import Provider, ProviderCall
from hybrid_mcp.providers import guard_httpx, guard_httpx2
from hybrid_mcp.providers.anthropic import AnthropicProvider
from hybrid_mcp.providers.embedded import CONTEXT_TOKENS, MODEL, Embedded
from hybrid_mcp.providers.http import Egress
from hybrid_mcp.providers.ollama import SERVED_CONTEXT, OllamaProvider
from hybrid_mcp.providers.openai import OpenAIProvider
from tests.support_embedded import SPEC, model_home
from tests.support_servers import (
    ANTHROPIC_STOP,
    CALL,
    MODEL_FILE,
    NEVER_LONGER_S,
    OLLAMA_SHOW,
    OPEN,
    SEAL,
    FakeServer,
    Received,
    Recorder,
    Reply,
    anthropic_end,
    anthropic_events,
    anthropic_start,
    anthropic_text,
    cloud_spec,
    json_reply,
    local_spec,
    ollama_end,
    ollama_part,
    openai_chunk,
    sse,
)

Adapter = Literal["chat", "responses", "anthropic", "ollama", "embedded"]
ADAPTERS: tuple[Adapter, ...] = get_args(Adapter)

KEY = "sk-secret-value-of-the-key"
"""Goes out in one header, and stands nowhere else."""
NDJSON, EVENTS = "application/x-ndjson", "text/event-stream"


# What a server says


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer, and how probable its tokens were."""

    text: str
    logprobs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Thinking:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of the tool `sum`, with its arguments as JSON."""

    arguments: str


@dataclass(frozen=True, slots=True)
class Refusing:
    """A piece of a refusal in words of its own."""

    text: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Whatever a dialect may say in between that means nothing for the answer, and what it may say in years to come."""


@dataclass(frozen=True, slots=True)
class Nonsense:
    """What no server says that speaks the dialect."""


@dataclass(frozen=True, slots=True)
class Failing:
    """An error inside of the answer, as the dialect writes what would have been this status; it quotes the prompt."""

    status: Literal[429, 500] = 500


USAGE = Usage(input_tokens=20, output_tokens=5, cached_tokens=8, reasoning_tokens=2)


@dataclass(frozen=True, slots=True)
class End:
    why: Finish = "stop"
    usage: Usage | None = USAGE


@dataclass(frozen=True, slots=True)
class Hang:
    """Nothing more comes."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection breaks."""


Step = Text | Thinking | ToolCall | Refusing | Nothing | Nonsense | Failing | End | Hang | Cut
Script = Callable[[Any], Sequence[Step]]
"""From the body of a request to what is answered."""

HELLO = (Text("Hello"), Text(" there"), End())


def always(*steps: Step) -> Script:
    return lambda _: steps


def told(adapter: Adapter, usage: Usage = USAGE) -> Usage:
    """What of the usage can be told in the dialect."""
    match adapter:
        case "ollama":
            return replace(usage, cached_tokens=0, reasoning_tokens=0)
        case "embedded":
            return replace(usage, reasoning_tokens=0)
        case _:
            return usage


# How each dialect says it


def spoken(adapter: Adapter, steps: Sequence[Step], hang: threading.Event) -> Iterator[Any]:
    """The pieces of a body."""
    if adapter == "anthropic" and not isinstance(next(iter(steps), None), Failing | Hang | Cut | None):
        usage = next((step.usage for step in steps if isinstance(step, End)), None) or Usage(
            input_tokens=0, output_tokens=0
        )
        plain = usage.input_tokens - usage.cached_tokens
        yield from anthropic_events(anthropic_start(input_tokens=plain, cache_read_input_tokens=usage.cached_tokens))
    for step in steps:
        match step:
            case Hang():
                yield hang
            case Cut():
                yield "cut"
            case _:
                yield from _DIALECTS[adapter](step)


def _chat(step: Step) -> Iterator[bytes]:
    match step:
        case Text(text, logprobs):
            scored = {"content": [{"token": "t", "logprob": value} for value in logprobs]} if logprobs else None
            yield from _raw(_choice({"content": text}, logprobs=scored))
        case Thinking(text):
            yield from _raw(_choice({"content": None, "reasoning_content": text}))
        case ToolCall(arguments):
            called = {"index": 0, "id": "c", "type": "function", "function": {"name": "sum", "arguments": arguments}}
            yield from _raw(_choice({"tool_calls": [called]}))
        case Refusing(text):
            yield from _raw(_choice({"refusal": text}))
        case Nothing():
            yield b": keep-alive\n\n"
            yield from _raw(openai_chunk(choices=()), openai_chunk(choices=None), openai_chunk(), {"object": "new"})
        case Nonsense():
            yield from _raw({"choices": [{"delta": 3}]})
        case Failing(status):
            yield from _raw({"error": {"message": f"You sent: {SEAL}", "code": status}})
        case End(why, usage):
            reason = {"stop": "stop", "length": "length", "refusal": "content_filter", "other": "tool_calls"}[why]
            counts = [] if usage is None else [openai_chunk(choices=(), usage=_chat_usage(usage))]
            yield from (*_raw(openai_chunk(finish=reason), *counts), *sse("[DONE]"))
        case _:
            raise _unsaid(step)


def _choice(delta: Mapping[str, object], **more: object) -> dict[str, object]:
    return openai_chunk(choices=[{"index": 0, "delta": delta, "finish_reason": None, **more}])


def _chat_usage(usage: Usage) -> dict[str, object]:
    return {
        "prompt_tokens": usage.input_tokens, "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }  # fmt: skip


def _responses(step: Step) -> Iterator[bytes]:
    at = {"item_id": "i", "output_index": 0, "content_index": 0}
    match step:
        case Text(text, _):
            yield from response_events({"type": "response.output_text.delta", "delta": text, **at})
        case Thinking(text):
            yield from response_events({"type": "response.reasoning_text.delta", "delta": text, **at})
        case ToolCall(arguments):
            yield from response_events({"type": "response.function_call_arguments.delta", "delta": arguments, **at})
        case Refusing(text):
            yield from response_events({"type": "response.refusal.delta", "delta": text, **at})
        case Nothing():
            begun = {"id": "r", "object": "response", "status": "in_progress"}
            yield b": keep-alive\n\n"
            yield from response_events(
                *({"type": f"response.{name}", "response": begun} for name in ("created", "in_progress"))
            )
            yield from response_events({"type": "response.something.new", "value": 1})
        case Nonsense():
            yield from response_events({"type": "response.output_text.delta", "delta": 3, **at})
        case Failing(status):
            code = {429: "rate_limit_exceeded", 500: "server_error"}[status]
            yield from response_events({"type": "error", "code": code, "message": f"You sent: {SEAL}"})
        case End(why, usage):
            yield from response_events(response_end(why, usage))
        case _:
            raise _unsaid(step)


def response_end(why: Finish, usage: Usage | None, **more: object) -> dict[str, Any]:
    reasons = {"length": "max_output_tokens", "refusal": "content_filter", "other": "something_new"}
    status = "completed" if why == "stop" else "incomplete"
    counts = None if usage is None else {
        "input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }  # fmt: skip
    details = None if why == "stop" else {"reason": reasons[why]}
    response = {"id": "r", "object": "response", "status": status, "incomplete_details": details, "usage": counts}
    return {"type": f"response.{status}", "response": {**response, **more}}


def _anthropic(step: Step) -> Iterator[bytes]:
    match step:
        case Text(text, _):
            yield from response_events(anthropic_text(text))
        case Thinking(text):
            yield from response_events(_block({"type": "thinking_delta", "thinking": text}))
        case ToolCall(arguments):
            yield from response_events(_block({"type": "input_json_delta", "partial_json": arguments}))
        case Nothing():
            yield b": keep-alive\n\n"
            yield from response_events(
                {"type": "ping"},
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                {"type": "content_block_stop", "index": 0},
                _block({"type": "something_new", "value": 1}),
            )
        case Nonsense():
            yield from response_events({"type": "content_block_delta", "index": 0, "delta": 3})
        case Failing(status):
            kind = {429: "rate_limit_error", 500: "api_error"}[status]
            yield from response_events({"type": "error", "error": {"type": kind, "message": f"You sent: {SEAL}"}})
        case End(why, usage):
            reason = {"stop": "end_turn", "length": "max_tokens", "refusal": "refusal", "other": "tool_use"}[why]
            end = anthropic_end(reason)
            if usage is not None:
                thinking = {"thinking_tokens": usage.reasoning_tokens}
                end["usage"] = {"output_tokens": usage.output_tokens, "output_tokens_details": thinking}
            yield from response_events(end, ANTHROPIC_STOP)
        case _:
            raise _unsaid(step)


def response_events(*events: Mapping[str, object]) -> tuple[bytes, ...]:
    return tuple(f"event: {event['type']}\n".encode() + _raw(event)[0] for event in events)


def _block(delta: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": delta}


def _ollama(step: Step) -> Iterator[bytes]:
    match step:
        case Text(text, logprobs):
            scored = {"logprobs": [{"token": "t", "logprob": value} for value in logprobs]} if logprobs else {}
            yield from _lines(ollama_part(text, **scored))
        case Thinking(text):
            yield from _lines(ollama_part(message={"role": "assistant", "content": "", "thinking": text}))
        case ToolCall(arguments):
            called = {"function": {"name": "sum", "arguments": json.loads(arguments)}}
            yield from _lines(ollama_part(message={"role": "assistant", "content": "", "tool_calls": [called]}))
        case Nothing():
            yield from _lines(ollama_part(), ollama_part(something_new=1))
        case Nonsense():
            yield from _lines({"no": "message"})
        case Failing():
            yield from _lines({"error": f"You sent: {SEAL}"})
        case End(why, usage):
            counts = (usage.input_tokens, usage.output_tokens) if usage else (None, None)
            reason = {"stop": "stop", "length": "length", "other": "load"}[why]
            yield from _lines(ollama_end(done_reason=reason, prompt_eval_count=counts[0], eval_count=counts[1]))
        case _:
            raise _unsaid(step)


def _embedded(step: Step) -> Iterator[dict[str, Any]]:
    match step:
        case Text(text, logprobs):
            scored = {"content": [{"logprob": value} for value in logprobs]} if logprobs else None
            yield {"choices": [{"delta": {"content": text}, "logprobs": scored, "finish_reason": None}]}
        case Nothing():
            yield {"choices": ()}
            yield {"prompt_progress": {"processed": 1, "total": 2}}
            yield {"choices": [{"delta": {"content": None}}]}
            yield {"something_new": 1}
        case Failing(status):
            yield {"error": {"code": status, "type": "server_error", "message": f"You sent: {SEAL}"}}
        case End(why, usage):
            reason = {"stop": "stop", "length": "length", "other": "tool_calls"}[why]
            yield {"choices": [{"delta": {"content": None}, "finish_reason": reason}]}
            if usage is not None:
                yield {"choices": (), "usage": _chat_usage(usage)}
        case _:
            raise _unsaid(step)


_DIALECTS: Mapping[Adapter, Callable[[Step], Iterator[Any]]] = {
    "chat": _chat, "responses": _responses, "anthropic": _anthropic, "ollama": _ollama, "embedded": _embedded,
}  # fmt: skip


def _raw(*events: object) -> tuple[bytes, ...]:
    """Server-sent events whose text is not hidden in escapes."""
    return tuple(f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode() for event in events)


def _lines(*parts: object) -> tuple[bytes, ...]:
    return tuple(json.dumps(part, ensure_ascii=False).encode() + b"\n" for part in parts)


def _unsaid(step: Step) -> NotImplementedError:
    return NotImplementedError(f"the dialect has no way to say {step}")


# What is asked in each dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, whatever its dialect. `schema` and `effort` as they were sent; None: nothing was said of it."""

    model: str | None
    messages: tuple[Message, ...]
    output_cap: int
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    schema: object = None
    effort: object = None
    logprobs: bool = False


def asked(adapter: Adapter, body: Any) -> Asked:
    system = {"responses": "instructions", "anthropic": "system"}.get(adapter, "")
    first = (Message("system", body[system]),) if system in body else ()
    turns = body["input" if adapter == "responses" else "messages"]
    options = body.get("options", {}) if adapter == "ollama" else body
    caps = ("max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict")
    return Asked(
        model=body.get("model"),
        messages=(*first, *(Message(turn["role"], turn["content"]) for turn in turns)),
        output_cap=next(options[cap] for cap in caps if cap in options),
        temperature=options.get("temperature"),
        stop=tuple(options.get("stop") or options.get("stop_sequences") or ()),
        schema=_schema_in(adapter, body),
        effort=_effort_in(adapter, body),
        logprobs=bool(body.get("logprobs")),
    )


def _schema_in(adapter: Adapter, body: Any) -> object:
    match adapter:
        case "chat" | "embedded":
            return body.get("response_format", {}).get("json_schema", {}).get("schema")
        case "responses":
            return body.get("text", {}).get("format", {}).get("schema")
        case "anthropic":
            return body.get("output_config", {}).get("format", {}).get("schema")
        case "ollama":
            return body.get("format")


def _effort_in(adapter: Adapter, body: Any) -> object:
    match adapter:
        case "chat" | "embedded":
            return body.get("reasoning_effort")
        case "responses":
            return body.get("reasoning", {}).get("effort")
        case "anthropic":
            return body.get("output_config", {}).get("effort")
        case "ollama":
            return body.get("think")


# Scenes


class FakeEngine:
    """llama.cpp inside of this process, scripted. `left`: the caller wanted no more."""

    def __init__(self, script: Script) -> None:
        self.bodies: list[Any] = []
        self.left = threading.Event()
        self.hang = threading.Event()
        self._script = script

    def handle_chat_completions(self, body: Any, take: Callable[[dict[str, Any]], bool]) -> None:
        self.bodies.append(body)
        for chunk in spoken("embedded", self._script(body), self.hang):
            if self._is_left_at(chunk, take):
                self.left.set()
                return

    def _is_left_at(self, chunk: Any, take: Callable[[dict[str, Any]], bool]) -> bool:
        if chunk is not self.hang:
            return take(chunk)
        while not self.hang.wait(0.01):
            if take({}):
                return True
        return False


@dataclass(kw_only=True)
class Scene:
    """An adapter before its scripted far side. `heard`: what its progress was told."""

    adapter: Adapter
    provider: Provider
    left: threading.Event
    heard: Recorder = field(default_factory=Recorder)
    server: FakeServer | None = None
    engine: FakeEngine | None = None

    async def ask(self, call: ProviderCall = CALL, heard: Recorder | None = None) -> Completion:
        return await self.provider.complete(self.named(call), heard or self.heard)

    def named(self, call: ProviderCall) -> ProviderCall:
        """With the one name that the embedded provider knows."""
        return replace(call, model=MODEL) if self.adapter == "embedded" else call

    @property
    def requests(self) -> Sequence[Received]:
        """Every request that came in over the network."""
        return self.server.requests if self.server else ()

    @property
    def asked(self) -> list[Asked]:
        """What the model was asked, call by call."""
        bodies = self.engine.bodies if self.engine else [one.json for one in self.requests if _is_for_model(one)]
        return [asked(self.adapter, body) for body in bodies]


def _is_for_model(received: Received) -> bool:
    return received.method == "POST" and received.path != "/api/show"


_KINDS: Mapping[Adapter, ProviderKind] = {
    "chat": "openai", "responses": "openai", "anthropic": "anthropic", "ollama": "ollama", "embedded": "embedded",
}  # fmt: skip


def spec_for(adapter: Adapter, url: str, *, local: bool = False, **declared: Any) -> ProviderSpec:
    make = local_spec if local else cloud_spec
    spec = make(url, _KINDS[adapter])
    return replace(spec, api="responses" if adapter == "responses" else "chat", **declared)


def provider_for(
    adapter: Adapter,
    spec: ProviderSpec,
    *,
    egress: Egress = OPEN,
    first_byte_s: float = NEVER_LONGER_S,
    idle_s: float = NEVER_LONGER_S,
) -> Provider:
    if adapter == "ollama":
        return OllamaProvider(
            spec=spec, egress=egress, api_key=lambda: KEY, timeout_s=first_byte_s, idle_timeout_s=idle_s
        )
    make = AnthropicProvider if adapter == "anthropic" else OpenAIProvider
    return make(spec=spec, api_key=lambda: KEY, egress=egress, first_byte_timeout_s=first_byte_s, idle_timeout_s=idle_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Far:
    """How a scripted far side differs from a good one.

    `reply` stands in for the answer, `everywhere` for whatever is asked. `shown`: what Ollama tells of a model.
    `shredded`: each byte comes alone. `mute`: not even headers come.
    """

    reply: Reply | None = None
    everywhere: Reply | None = None
    listing: Reply | None = None
    shown: Mapping[str, Any] = field(default_factory=lambda: OLLAMA_SHOW)
    shredded: bool = False
    mute: bool = False


@asynccontextmanager
async def scene(
    adapter: Adapter,
    script: Script,
    far: Far | None = None,
    *,
    local: bool = False,
    egress: Egress = OPEN,
    first_byte_s: float = NEVER_LONGER_S,
    idle_s: float = NEVER_LONGER_S,
    **declared: Any,
) -> AsyncGenerator[Scene]:
    """An adapter that stands before the script. `declared`: what the profile says of its provider."""
    if adapter == "embedded":
        async with _inside(script) as inner:
            yield inner
        return
    with FakeServer(lambda _: Reply()) as server, pytest.MonkeyPatch.context() as patch:
        for module in (guard_httpx, guard_httpx2):
            # Loading the authorities takes most of the time where nothing is encrypted.
            patch.setattr(module, "plain_tls", _no_authorities)
        server.script = _server_script(adapter, script, far or Far(), server)
        spec = spec_for(adapter, server.url, local=local, **declared)
        provider = provider_for(adapter, spec, egress=egress, first_byte_s=first_byte_s, idle_s=idle_s)
        try:
            yield Scene(adapter=adapter, provider=provider, server=server, left=server.client_left)
        finally:
            await provider.aclose()


def _no_authorities(_: ProviderSpec) -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _server_script(adapter: Adapter, script: Script, far: Far, server: FakeServer) -> Callable[[Received], Reply]:
    listing = far.listing or json_reply(LISTINGS.get(adapter, {}))
    content_type = NDJSON if adapter == "ollama" else EVENTS

    def answer(received: Received) -> Reply:
        if far.mute:
            server.hang.wait(NEVER_LONGER_S)
        if far.everywhere:
            return far.everywhere
        if received.method == "GET":
            return listing
        if received.path == "/api/show":
            return json_reply(far.shown)
        pieces = spoken(adapter, script(received.json), server.hang)
        return far.reply or Reply(content_type=content_type, body=_shredded(pieces) if far.shredded else pieces)

    return answer


def _shredded(pieces: Iterator[Any]) -> Iterator[Any]:
    for piece in pieces:
        if isinstance(piece, bytes):
            yield from (piece[at : at + 1] for at in range(len(piece)))
        else:
            yield piece


LISTINGS: Mapping[Adapter, object] = {
    "chat": {"object": "list", "data": [{"id": "m-2b", "owned_by": "llamacpp"}, {"id": "m-1b"}]},
    "responses": {"object": "list", "data": [{"id": "m-2b", "owned_by": "llamacpp"}, {"id": "m-1b"}]},
    "ollama": {"models": [{"name": "m-2b"}, {"name": "m-1b"}]},
}


@asynccontextmanager
async def _inside(script: Script) -> AsyncGenerator[Scene]:
    engine = FakeEngine(script)
    library = ModuleType("xllamacpp")
    library.__spec__ = importlib.machinery.ModuleSpec("xllamacpp", None)
    vars(library).update(CommonParams=MagicMock, Server=lambda _params: engine)  # pyright: ignore[reportUnknownLambdaType]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "xllamacpp", library)
        async with Embedded(spec=SPEC, home=model_home()) as provider:
            try:
                yield Scene(adapter="embedded", provider=provider, engine=engine, left=engine.left)
            finally:
                engine.hang.set()


async def failure_of(
    adapter: Adapter, script: Script, far: Far | None = None, call: ProviderCall = CALL, **how: Any
) -> HybridError:
    """The error of a call that fails, which holds neither prompt nor key."""
    async with scene(adapter, script, far, **how) as stage:
        with pytest.raises(HybridError) as caught:
            await stage.ask(call)
    assert_tells_nothing(caught.value)
    return caught.value


def assert_tells_nothing(error: BaseException) -> None:
    """Neither the prompt nor the key stands in the error, or in what is printed of where it came from."""
    printed = "".join(traceback.format_exception(error))
    for text in (str(error), repr(error), str(vars(error)), printed):
        assert SEAL not in text
        assert KEY not in text


def is_billed(error: HybridError) -> bool | None:
    return vars(error).get("billed")


def refused(adapter: Adapter, status: int, code: str = "some_code", words: str = SEAL, **headers: str) -> Reply:
    """An answer with this status and an error that quotes the prompt."""
    document: dict[str, Any] = {"type": "error", "error": {"type": code, "message": words}}
    return json_reply({"error": words} if adapter == "ollama" else document, status=status, **headers)


# Real models


@dataclass(frozen=True, slots=True, kw_only=True)
class Real:
    """An adapter before a real model. `context_tokens`: what `models()` is to tell of it. `slots_url`: whether it is
    idle, where a server tells that. `bound_s`: far above the time of a few tokens, far below that of 1,900."""

    open: Callable[[], AbstractAsyncContextManager[Provider]]
    model: str
    context_tokens: int
    slots_url: str | None = None
    bound_s: float = NEVER_LONGER_S

    def opened(self) -> AbstractAsyncContextManager[Provider]:
        return self.open()

    def named(self, call: ProviderCall) -> ProviderCall:
        return replace(call, model=self.model)

    async def is_idle(self) -> None:
        """Return as soon as the server says that none of its slots is at work."""
        if self.slots_url is None:
            return
        async with httpx2.AsyncClient(trust_env=False) as client:
            while True:
                slots = (await client.get(self.slots_url)).json()
                if not any(slot["is_processing"] for slot in slots):
                    return
                await anyio.sleep(0.02)


@pytest.fixture
def real(request: pytest.FixtureRequest) -> Real:
    adapter: Adapter = request.param
    if adapter == "embedded":
        shared: Embedded = request.getfixturevalue("embedded_model")
        return Real(open=lambda: nullcontext(shared), model=MODEL, context_tokens=CONTEXT_TOKENS)
    if adapter == "ollama":
        spec: ProviderSpec = request.getfixturevalue("ollama_spec")
        return Real(
            open=lambda: _opened("ollama", spec), model=OLLAMA_MODEL, context_tokens=SERVED_CONTEXT, bound_s=120.0
        )
    server: str = request.getfixturevalue("llama_server")
    spec = spec_for(adapter, server if adapter == "anthropic" else f"{server}/v1", local=True)
    return Real(
        open=lambda: _opened(adapter, spec), model="smollm2-135m", context_tokens=2048, slots_url=f"{server}/slots"
    )


@asynccontextmanager
async def _opened(adapter: Adapter, spec: ProviderSpec) -> AsyncGenerator[Provider]:
    patience_s = 120.0 if adapter == "ollama" else NEVER_LONGER_S
    provider = provider_for(adapter, spec, first_byte_s=patience_s, idle_s=patience_s)
    try:
        yield provider
    finally:
        await provider.aclose()


@pytest.fixture(scope="session")
def embedded_model() -> Generator[Embedded]:
    """One loaded model for the tests that leave it as it was."""
    provider = Embedded(spec=SPEC, home=model_home())
    yield provider
    anyio.run(provider.aclose)


OLLAMA = os.environ.get("HYBRID_MCP_TEST_OLLAMA", "")
OLLAMA_MODEL = "hybrid-mcp-test:135m"


@pytest.fixture(scope="session")
def ollama_spec() -> ProviderSpec:
    """A running Ollama with the test model, on one thread: more of them starve each other on a busy machine."""
    if not OLLAMA:
        pytest.skip("HYBRID_MCP_TEST_OLLAMA names no running Ollama")
    client = ollama.Client(host=OLLAMA, trust_env=False)
    model = model_home() / "models" / MODEL_FILE
    client.create(model=OLLAMA_MODEL, files={MODEL_FILE: client.create_blob(model)}, parameters={"num_thread": 1})
    client.close()
    return replace(local_spec(OLLAMA, "ollama"), host=url_host(OLLAMA))
