from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal

import pytest

from hybrid_mcp.domain.completion import Completion, Message, Usage
from hybrid_mcp.domain.errors import (
    ContextTooLong,
    HybridError,
    ProviderError,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from hybrid_mcp.domain.profile import Price, ProviderSpec
from hybrid_mcp.domain.tokens import extent
from hybrid_mcp.providers.anthropic import AnthropicProvider
from hybrid_mcp.providers.reuse import LEAST_CHARACTERS
from tests.support_servers import (
    ANTHROPIC_STOP,
    CALL,
    NEVER_LONGER_S,
    OPEN,
    SEAL,
    FakeServer,
    Received,
    Recorder,
    Reply,
    anthropic_end,
    anthropic_events,
    anthropic_reply,
    anthropic_start,
    anthropic_text,
    cloud_spec,
    json_reply,
    local_spec,
    reply_always,
    sse,
)

pytestmark = pytest.mark.anyio

KEY = "sk-ant-secret-value-of-the-key"
START = anthropic_start(input_tokens=10)


@asynccontextmanager
async def opened(
    spec: ProviderSpec, *, first_byte_s: float = NEVER_LONGER_S, idle_s: float = NEVER_LONGER_S
) -> AsyncGenerator[AnthropicProvider]:
    provider = AnthropicProvider(
        spec=spec, api_key=lambda: KEY, egress=OPEN, first_byte_timeout_s=first_byte_s, idle_timeout_s=idle_s
    )
    try:
        yield provider
    finally:
        await provider.aclose()


async def ask(script: Callable[[Received], Reply]) -> Completion:
    with FakeServer(script) as server:
        async with opened(cloud_spec(server.url, "anthropic")) as provider:
            return await provider.complete(CALL, Recorder())


async def failure_of(script: Callable[[Received], Reply]) -> tuple[type[HybridError], bool | None, str]:
    """The error's type, whether it may have been billed, and its text."""
    with pytest.raises(HybridError) as caught:
        await ask(script)
    error, text = caught.value, str(caught.value)
    assert SEAL not in text
    assert KEY not in text
    return type(error), error.billed if isinstance(error, ProviderError) else None, text


def streamed(*pieces: bytes | Literal["cut"]) -> Callable[[Received], Reply]:
    return reply_always(Reply(content_type="text/event-stream", body=pieces))


async def test_a_streamed_answer_comes_out_whole_and_cache_tokens_count_as_input():
    with FakeServer(reply_always(anthropic_reply())) as server:
        heard = Recorder()
        async with opened(cloud_spec(server.url, "anthropic")) as provider:
            completion = await provider.complete(CALL, heard)
    assert completion == Completion(
        text="Hello there",
        finish="stop",
        usage=Usage(input_tokens=20, output_tokens=5, cached_tokens=6, cache_write_tokens=2),
        streamed=extent("Hello there"),
    )
    assert heard.deltas == ["Hello", " there"]


async def test_what_is_sent_is_streamed_capped_and_has_our_key():
    with FakeServer(reply_always(anthropic_reply())) as server:
        async with opened(cloud_spec(f"{server.url}/", "anthropic")) as provider:
            await provider.complete(CALL, Recorder())
        [received] = server.requests
    assert received.path == "/v1/messages"
    assert received.headers["x-api-key"] == KEY
    assert "authorization" not in received.headers
    assert received.headers["anthropic-version"]
    assert received.json == {
        "model": "some-model",
        "system": "Be brief.",
        "messages": [{"role": "user", "content": f"Say hello. {SEAL}"}],
        "max_tokens": 64,
        "stream": True,
    }


async def test_the_vendor_itself_is_asked_for_its_plain_tier_and_tells_where_it_answered():
    start = anthropic_start(input_tokens=10)
    start["message"]["usage"]["inference_geo"] = "us"
    reply = streamed(*anthropic_events(start, anthropic_text("Hi"), anthropic_end("end_turn", output_tokens=2)))
    with FakeServer(reply) as server:
        spec = replace(cloud_spec(server.url, "anthropic"), price_provider="anthropic")
        async with opened(spec) as provider:
            completion = await provider.complete(CALL, Recorder())
        assert server.requests[0].json["service_tier"] == "standard_only"
    assert completion.usage == Usage(input_tokens=10, output_tokens=2, surcharge_percent=10)


async def test_a_context_that_comes_again_is_marked_for_the_cache_and_nothing_else_is():
    """Writing to the cache costs more than reading plainly, so what comes once is not written."""
    context = "x" * LEAST_CHARACTERS
    history = (Message("user", f"{context}\n\nFirst?", reusable=len(context)), Message("assistant", context))
    call = replace(CALL, messages=(*CALL.messages[:1], *history, Message("user", "Again?")))
    with FakeServer(reply_always(anthropic_reply())) as server:
        async with opened(cloud_spec(server.url, "anthropic")) as provider:
            await provider.complete(call, Recorder())
            await provider.complete(call, Recorder())
        first, second = (received.json for received in server.requests)
    plain = [{"role": "user", "content": f"{context}\n\nFirst?"}, {"role": "assistant", "content": context},
             {"role": "user", "content": "Again?"}]  # fmt: skip
    marked = [
        {"type": "text", "text": context, "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "\n\nFirst?"},
    ]
    assert (first["system"], first["messages"]) == ("Be brief.", plain)
    assert (second["system"], second["messages"]) == ("Be brief.", [{"role": "user", "content": marked}, *plain[1:]])


async def test_a_declared_price_has_none_for_writing_to_the_cache_so_nothing_is_marked():
    context = "Some long material. " * 1_000
    call = replace(CALL, messages=(Message("user", f"{context}Question?", reusable=len(context)),))
    priced = replace(cloud_spec("", "anthropic"), price=Price(input_nanos=1, output_nanos=1))
    with FakeServer(reply_always(anthropic_reply())) as server:
        async with opened(replace(priced, base_url=server.url)) as provider:
            for _ in range(2):
                await provider.complete(call, Recorder())
        assert all("cache_control" not in str(received.json) for received in server.requests)


CLOSED_OBJECT: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("wishes", "config"),
    [
        ({}, None),
        ({"response_schema": json.dumps(CLOSED_OBJECT)}, {"format": {"type": "json_schema", "schema": CLOSED_OBJECT}}),
        ({"response_schema": '{"type": "object"}'}, None),
        ({"response_schema": '{"type": "array"}', "reasoning_effort": "low"}, {"effort": "low"}),
    ],
)
async def test_only_a_schema_is_sent_that_the_api_does_not_refuse(wishes: dict[str, Any], config: object):
    with FakeServer(reply_always(anthropic_reply())) as server:
        async with opened(cloud_spec(server.url, "anthropic")) as provider:
            await provider.complete(replace(CALL, **wishes), Recorder())
        assert server.requests[0].json.get("output_config") == config


async def test_a_stop_sequence_of_blanks_which_the_api_refuses_is_kept_here():
    answer = anthropic_reply(START, anthropic_text("one\n"), anthropic_text("\ntwo"), anthropic_end("end_turn"))
    with FakeServer(reply_always(answer)) as server:
        async with opened(cloud_spec(server.url, "anthropic")) as provider:
            completion = await provider.complete(replace(CALL, stop=("\n\n", "END")), Recorder())
            await provider.complete(replace(CALL, stop=("\n",)), Recorder())
        first, second = (received.json for received in server.requests)
    assert (completion.text, completion.finish) == ("one", "stop")
    assert first["stop_sequences"] == ["END"]
    assert "stop_sequences" not in second


async def test_usage_that_only_the_beginning_told_of_is_dropped_when_its_end_does_not_come(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("hybrid_mcp.providers.streaming.USAGE_S", 0.1)
    end = {name: value for name, value in anthropic_end("end_turn").items() if name != "usage"}
    with FakeServer(reply_always(Reply())) as server:
        body = (*anthropic_events(START, anthropic_text("Hi"), end), server.hang)
        server.script = reply_always(Reply(content_type="text/event-stream", body=body))
        async with opened(cloud_spec(server.url, "anthropic")) as provider:
            completion = await provider.complete(CALL, Recorder())
    assert (completion.text, completion.finish, completion.usage) == ("Hi", "stop", None)


async def test_an_end_without_any_usage_is_an_end():
    end = {name: value for name, value in anthropic_end("end_turn").items() if name != "usage"}
    completion = await ask(reply_always(anthropic_reply(anthropic_text("Hi"), end, ANTHROPIC_STOP)))
    assert (completion.text, completion.finish, completion.usage) == ("Hi", "stop", None)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "refusal"),
        ("tool_use", "other"),
    ],
)
async def test_each_way_to_finish_has_its_name(reason: str, finish: str):
    events = START, anthropic_text("Hi"), anthropic_end(reason, output_tokens=2), ANTHROPIC_STOP
    completion = await ask(reply_always(anthropic_reply(*events)))
    assert (completion.text, completion.finish) == ("Hi", finish)


async def test_later_counts_replace_earlier_ones():
    last = anthropic_end("end_turn", input_tokens=11, cache_read_input_tokens=4, output_tokens=7)
    completion = await ask(reply_always(anthropic_reply(START, last, ANTHROPIC_STOP)))
    assert completion.usage == Usage(input_tokens=15, output_tokens=7, cached_tokens=4)


async def test_the_output_that_the_first_event_tells_of_is_not_all_of_it():
    end = anthropic_end("end_turn")
    completion = await ask(reply_always(anthropic_reply(START, anthropic_text("Hi there"), end, ANTHROPIC_STOP)))
    assert completion.usage == Usage(input_tokens=10, output_tokens=0)


# llama.cpp's server leaves message_start out when the first token is half a character.
@pytest.mark.parametrize("start", [(), (anthropic_start(input_tokens=0),)])
async def test_usage_without_any_input_counts_as_not_reported(start: tuple[dict[str, Any], ...]):
    events = *start, anthropic_text("Hi"), anthropic_end("end_turn", output_tokens=2)
    completion = await ask(reply_always(anthropic_reply(*events)))
    assert (completion.text, completion.usage) == ("Hi", None)


def thinking(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": text}}


@pytest.mark.parametrize(
    "end",
    [
        ("cut",),
        (),
        anthropic_events(ANTHROPIC_STOP),
        sse("[1]", names=["message_delta"]),
        anthropic_events({"type": "error", "error": {"type": "rate_limit_error", "message": SEAL}}),
        None,
    ],
)
async def test_a_failure_tells_how_much_of_answer_and_thinking_came_before(
    end: tuple[bytes | Literal["cut"], ...] | None,
):
    heard = Recorder()
    with FakeServer(reply_always(Reply())) as server:
        begun = anthropic_events(START, thinking("hm"), anthropic_text("Grüße"))
        after = (server.hang,) if end is None else end
        server.script = reply_always(Reply(content_type="text/event-stream", body=(*begun, *after)))
        spec = cloud_spec(server.url, "anthropic")
        async with opened(spec, idle_s=0.1 if end is None else NEVER_LONGER_S) as provider:
            with pytest.raises(ProviderError) as caught:
                await provider.complete(CALL, heard)
    assert (caught.value.billed, heard.written_bytes) == (True, 2 + 7)


@pytest.mark.parametrize(
    "script",
    [
        reply_always(Reply(content_type="text/html", body=(b"<html>It works!</html>",))),
        reply_always(Reply()),
        streamed(*sse("{broken", names=["message_start"])),
        streamed(*sse({"type": "message_start", "message": 3}, names=["message_start"])),
        streamed(*sse("[1]", names=["message_delta"])),
    ],
)
async def test_what_is_no_chat_answer_is_an_unavailable_provider(script: Callable[[Received], Reply]):
    kind, billed, text = await failure_of(script)
    assert (kind, billed) == (ProviderUnavailable, True)
    assert "no chat answer" in text


@pytest.mark.parametrize(
    ("status", "error", "kind", "billed", "told"),
    [
        (400, "invalid_request_error", ProviderRejected, True, "HTTP 400, invalid_request_error"),
        (401, "authentication_error", ProviderRejected, False, "check CLOUDX_KEY"),
        (404, "not_found_error", ProviderRejected, False, "see `hybrid-mcp models`"),
        (413, "request_too_large", ContextTooLong, None, "too long"),
        (429, "rate_limit_error", ProviderRateLimited, False, "rate limited"),
        (529, "overloaded_error", ProviderUnavailable, True, "HTTP 529, overloaded_error"),
    ],
)
async def test_the_same_error_comes_with_the_status_or_inside_the_stream(
    status: int, error: str, kind: type[HybridError], billed: bool | None, told: str
):
    body: dict[str, Any] = {"type": "error", "error": {"type": error, "message": f"You sent: {SEAL}"}}
    answered, inside = reply_always(json_reply(body, status=status)), streamed(*anthropic_events(body))
    # What began with 200 may have cost something by then.
    for script, may_cost in ((answered, billed), (inside, billed if billed is None else True)):
        found = await failure_of(script)
        assert found[:2] == (kind, may_cost)
        assert told in found[2]


async def test_models_come_from_the_profile_alone():
    with FakeServer(reply_always(json_reply({"data": [{"id": "m", "object": "model"}]}))) as server:
        async with opened(local_spec(server.url, "anthropic")) as provider:
            assert list(await provider.models()) == []
        assert server.requests == []


async def test_the_real_server_counts_a_cached_prompt_as_input(llama_server: str):
    call = replace(CALL, max_output_tokens=2, messages=(Message("user", "One two three four five six seven."),))
    async with opened(local_spec(llama_server, "anthropic")) as provider:
        first = (await provider.complete(call, Recorder())).usage
        second = (await provider.complete(call, Recorder())).usage
    assert first is not None
    assert second is not None
    assert first.input_tokens == second.input_tokens
    assert second.cached_tokens > 0


def test_the_events_of_the_fake_are_what_the_wire_carries():
    [event] = anthropic_events(anthropic_text("Hi"))
    head, data = event.decode().strip().split("\n")
    assert head == "event: content_block_delta"
    assert json.loads(data.removeprefix("data: "))["delta"] == {"type": "text_delta", "text": "Hi"}
