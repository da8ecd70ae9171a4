from __future__ import annotations

import json
import logging
import math
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import chain, repeat
from typing import Any, Literal

import anyio
import pytest

from hybrid_mcp.domain.completion import Completion, Message, Usage
from hybrid_mcp.domain.errors import (
    ContextTooLong,
    HybridError,
    ProviderError,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.domain.tokens import extent
from hybrid_mcp.ports import ProviderCall
from hybrid_mcp.providers.anthropic import AnthropicProvider
from hybrid_mcp.providers.streaming import COUNT_LIMIT
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
    closed_port_url,
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


async def test_absurd_counts_are_cut_to_a_bound():
    huge = 10**18
    script = reply_always(
        anthropic_reply(
            anthropic_start(input_tokens=huge, cache_read_input_tokens=huge),
            anthropic_text("Hi"), anthropic_end("end_turn", output_tokens=huge), ANTHROPIC_STOP,
        )
    )  # fmt: skip
    usage = (await ask(script)).usage
    assert usage == Usage(input_tokens=2 * COUNT_LIMIT, output_tokens=COUNT_LIMIT, cached_tokens=COUNT_LIMIT)


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


async def test_a_history_keeps_its_roles_and_an_absent_system_prompt_is_not_sent():
    call = replace(CALL, messages=(Message("user", "a"), Message("assistant", "b"), Message("user", "c")))
    with FakeServer(reply_always(anthropic_reply())) as server:
        async with opened(cloud_spec(server.url, "anthropic")) as provider:
            await provider.complete(call, Recorder())
        [received] = server.requests
    assert [message["role"] for message in received.json["messages"]] == ["user", "assistant", "user"]
    assert "system" not in received.json


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


async def test_thinking_is_no_part_of_the_answer_but_of_its_price():
    end: dict[str, Any] = anthropic_end("end_turn", output_tokens=9)
    end["usage"]["output_tokens_details"] = {"thinking_tokens": 6}
    completion = await ask(
        reply_always(anthropic_reply(START, thinking("hm"), anthropic_text("Hi"), end, ANTHROPIC_STOP))
    )
    assert completion.text == "Hi"
    assert completion.usage == Usage(input_tokens=10, output_tokens=9, reasoning_tokens=6)


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


@pytest.mark.parametrize("piece", [anthropic_text("words " * 100), thinking("words " * 100)], ids=["words", "thinking"])
async def test_an_answer_longer_than_its_cap_is_broken_off_and_tells_how_much_came(piece: dict[str, Any]):
    heard = Recorder()
    with FakeServer(reply_always(Reply())) as server:
        far_too_long = chain(anthropic_events(START), repeat(anthropic_events(piece)[0], 20_000))
        server.script = reply_always(Reply(content_type="text/event-stream", body=far_too_long))
        async with opened(cloud_spec(server.url, "anthropic")) as provider:
            with anyio.fail_after(NEVER_LONGER_S), pytest.raises(ProviderUnavailable) as caught:
                await provider.complete(replace(CALL, max_output_tokens=16), heard)
        assert await anyio.to_thread.run_sync(server.client_left.wait, NEVER_LONGER_S)
    assert (caught.value.billed, heard.written_bytes) == (True, 1_800)


@pytest.mark.parametrize(
    "script",
    [
        streamed(*anthropic_events(START, anthropic_text("Hal")), "cut"),
        streamed(*anthropic_events(START, anthropic_text("Hal"))),
        streamed(*anthropic_events(START, {"type": "error", "error": {"type": "overloaded_error", "message": SEAL}})),
    ],
)
async def test_an_answer_that_breaks_off_may_have_been_billed(script: Callable[[Received], Reply]):
    kind, billed, text = await failure_of(script)
    assert (kind, billed) == (ProviderUnavailable, True)
    assert "broke off" in text


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


async def test_a_prompt_that_is_too_long_is_told_with_its_numbers():
    error = {"type": "invalid_request_error", "message": "prompt is too long: 208310 tokens > 200000 maximum"}
    kind, _, text = await failure_of(reply_always(json_reply({"type": "error", "error": error}, status=400)))
    assert kind is ContextTooLong
    assert "208,310 tokens, and its context window holds 200,000" in text


async def test_a_rate_limit_says_how_long_to_wait():
    body = {"type": "error", "error": {"type": "rate_limit_error", "message": ""}}
    with pytest.raises(ProviderRateLimited) as caught:
        await ask(reply_always(json_reply(body, status=429, Retry_After="20")))
    assert caught.value.retry_after_s == 20.0


async def test_a_refused_connection_was_not_billed():
    async with opened(cloud_spec(closed_port_url(), "anthropic")) as provider:
        with pytest.raises(ProviderUnavailable, match="could not be reached") as caught:
            await provider.complete(CALL, Recorder())
    assert caught.value.billed is False


@pytest.mark.parametrize(
    ("begun", "first_byte_s", "idle_s"),
    [((), 0.1, math.inf), (anthropic_events(START), math.inf, 0.1)],
)
async def test_silence_is_a_time_out_that_may_have_been_billed(
    begun: tuple[bytes, ...], first_byte_s: float, idle_s: float
):
    with FakeServer(reply_always(Reply())) as server:
        server.script = reply_always(Reply(content_type="text/event-stream", body=(*begun, server.hang)))
        async with opened(cloud_spec(server.url, "anthropic"), first_byte_s=first_byte_s, idle_s=idle_s) as provider:
            with (
                pytest.raises(ProviderTimeout, match="sent nothing in time") as caught,
                anyio.fail_after(NEVER_LONGER_S),
            ):
                await provider.complete(CALL, Recorder())
    assert caught.value.billed is True


async def test_a_server_that_sends_nonsense_is_hung_up_on():
    with FakeServer(reply_always(Reply())) as server:
        body = (*sse({"type": "message_start", "message": 3}, names=["message_start"]), server.hang)
        server.script = reply_always(Reply(content_type="text/event-stream", body=body))
        async with opened(cloud_spec(server.url, "anthropic")) as provider:
            with pytest.raises(ProviderUnavailable, match="no chat answer"):
                await provider.complete(CALL, Recorder())
            assert await anyio.to_thread.run_sync(server.client_left.wait, NEVER_LONGER_S)


async def test_a_cancelled_call_hangs_up():
    with FakeServer(reply_always(Reply())) as server:
        body = (*anthropic_events(START), server.hang)
        server.script = reply_always(Reply(content_type="text/event-stream", body=body))
        spec = cloud_spec(server.url, "anthropic")
        async with opened(spec) as provider, anyio.create_task_group() as group:
            group.start_soon(provider.complete, CALL, Recorder())
            await anyio.to_thread.run_sync(server.wait_for_requests, 1)
            group.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(server.client_left.wait, NEVER_LONGER_S)


async def test_a_failed_call_is_sent_once():
    with FakeServer(reply_always(json_reply({}, status=529))) as server:
        async with opened(cloud_spec(server.url, "anthropic")) as provider:
            with pytest.raises(ProviderUnavailable):
                await provider.complete(CALL, Recorder())
        assert len(server.requests) == 1


async def test_no_prompt_is_logged_even_when_the_sdk_was_told_to(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="anthropic"):
        await ask(reply_always(anthropic_reply()))
    assert SEAL not in caplog.text
    assert KEY not in caplog.text


async def test_models_come_from_the_profile_alone():
    with FakeServer(reply_always(json_reply({"data": [{"id": "m", "object": "model"}]}))) as server:
        async with opened(local_spec(server.url, "anthropic")) as provider:
            assert list(await provider.models()) == []
        assert server.requests == []


async def test_the_real_server_answers_with_usage(llama_server: str):
    heard = Recorder()
    async with opened(local_spec(llama_server, "anthropic")) as provider:
        completion = await provider.complete(replace(CALL, max_output_tokens=8), heard)
    assert completion.text == "".join(heard.deltas) != ""
    assert completion.finish in {"stop", "length"}
    assert completion.usage is not None
    assert 0 < completion.usage.output_tokens <= 8 < completion.usage.input_tokens


async def test_the_real_server_counts_a_cached_prompt_as_input(llama_server: str):
    call = replace(CALL, max_output_tokens=2, messages=(Message("user", "One two three four five six seven."),))
    async with opened(local_spec(llama_server, "anthropic")) as provider:
        first = (await provider.complete(call, Recorder())).usage
        second = (await provider.complete(call, Recorder())).usage
    assert first is not None
    assert second is not None
    assert first.input_tokens == second.input_tokens
    assert second.cached_tokens > 0


async def test_the_real_server_refuses_what_does_not_fit(llama_server: str):
    call = ProviderCall(model="m", messages=(Message("user", "hello " * 3000),), max_output_tokens=8)
    async with opened(local_spec(llama_server, "anthropic")) as provider:
        with pytest.raises(ContextTooLong, match=r"its context window holds 2,048"):
            await provider.complete(call, Recorder())


def test_the_events_of_the_fake_are_what_the_wire_carries():
    [event] = anthropic_events(anthropic_text("Hi"))
    head, data = event.decode().strip().split("\n")
    assert head == "event: content_block_delta"
    assert json.loads(data.removeprefix("data: "))["delta"] == {"type": "text_delta", "text": "Hi"}
