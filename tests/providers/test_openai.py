from __future__ import annotations

import json
import math
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import repeat
from typing import Literal

import anyio
import pytest

from hybrid_mcp.domain.completion import Completion, Usage
from hybrid_mcp.domain.errors import (
    ContextTooLong,
    HybridError,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import Bill, ModelSpec, ProviderSpec, Resident
from hybrid_mcp.domain.vendors import VENDORS
from hybrid_mcp.providers.failures import Refusal, failure_of_refusal, retry_after_s
from hybrid_mcp.providers.openai import OpenAIProvider
from tests.support_servers import (
    CALL,
    CLOSED,
    NEVER_LONGER_S,
    OPEN,
    OPENAI_USAGE,
    SEAL,
    FakeServer,
    Received,
    Recorder,
    Reply,
    closed_port_url,
    cloud_spec,
    full_backlog,
    json_reply,
    local_spec,
    openai_chunk,
    openai_reply,
    reply_always,
    sse,
)

pytestmark = pytest.mark.anyio

KEY = "sk-secret-value-of-the-key"


@asynccontextmanager
async def opened(
    spec: ProviderSpec, *, first_byte_s: float = NEVER_LONGER_S, idle_s: float = NEVER_LONGER_S
) -> AsyncGenerator[OpenAIProvider]:
    provider = OpenAIProvider(
        spec=spec, api_key=lambda: KEY, egress=OPEN, first_byte_timeout_s=first_byte_s, idle_timeout_s=idle_s
    )
    try:
        yield provider
    finally:
        await provider.aclose()


async def ask(script: Callable[[Received], Reply]) -> Completion:
    """One call to a stand-in for a far server that follows the script."""
    with FakeServer(script) as server:
        async with opened(cloud_spec(server.url)) as provider:
            return await provider.complete(CALL, Recorder())


async def failure_of(script: Callable[[Received], Reply]) -> tuple[type[HybridError], bool | None, str]:
    """The error's type, whether it may have been billed, and its text."""
    with pytest.raises(HybridError) as caught:
        await ask(script)
    error, text = caught.value, str(caught.value)
    assert SEAL not in text
    assert KEY not in text
    return type(error), error.billed if isinstance(error, ProviderError) else None, text


def thinking(text: str, name: str = "reasoning_content") -> dict[str, object]:
    """A chunk with a piece of what some servers show of their thinking."""
    return openai_chunk(choices=[{"index": 0, "delta": {"content": None, name: text}, "finish_reason": None}])


def streamed(*body: str) -> Callable[[Received], Reply]:
    return reply_always(Reply(content_type="text/event-stream", body=sse(*body)))


async def test_what_is_sent_is_streamed_capped_and_has_our_key():
    with FakeServer(reply_always(openai_reply())) as server:
        async with opened(cloud_spec(f"{server.url}/v1/")) as provider:
            await provider.complete(CALL, Recorder())
        [received] = server.requests
    assert received.path == "/v1/chat/completions"
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert received.json == {
        "model": "some-model",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": f"Say hello. {SEAL}"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 64,
        "temperature": 0,
    }


@pytest.mark.parametrize("odd", ["NaN", "-1e308", "1e308", "-Infinity", "-1001", "5", "null", '"x"'])
async def test_a_log_probability_that_cannot_be_is_left_out(odd: str):
    tokens = [{"token": "H", "logprob": -0.5}, {"token": "i", "logprob": "ODD"}, {"token": "!", "logprob": "ODD"}]
    chunk = openai_chunk(
        choices=[{"index": 0, "delta": {"content": "Hi"}, "logprobs": {"content": tokens}, "finish_reason": "stop"}]
    )
    completion = await ask(streamed(json.dumps(chunk).replace('"ODD"', odd), "[DONE]"))
    assert (completion.text, completion.confidence) == ("Hi", -0.7)


async def test_a_log_probability_too_large_to_read_is_no_chat_answer():
    logprobs = {"content": [{"token": "H", "logprob": 10**400}]}
    chunk = openai_chunk(choices=[{"index": 0, "delta": {"content": "Hi"}, "logprobs": logprobs}])
    kind, billed, text = await failure_of(reply_always(openai_reply(chunk)))
    assert (kind, billed) == (ProviderUnavailable, True)
    assert "no chat answer" in text


@pytest.mark.parametrize("code", ["9" * 5000, "²", 9 * 10**400, 503])
async def test_an_error_inside_the_stream_may_have_any_code(code: object):
    kind, billed, _ = await failure_of(reply_always(openai_reply({"error": {"code": code, "message": SEAL}})))
    assert (kind, billed) == (ProviderUnavailable, True)


async def test_an_endless_run_of_blanks_is_broken_off_too():
    with FakeServer(reply_always(Reply())) as server:
        blanks = repeat(b"".join(sse(openai_chunk(" " * 100))), 20_000)
        server.script = reply_always(Reply(content_type="text/event-stream", body=blanks))
        async with opened(cloud_spec(server.url)) as provider:
            with anyio.fail_after(NEVER_LONGER_S), pytest.raises(ProviderUnavailable, match="ignored the output cap"):
                await provider.complete(replace(CALL, max_output_tokens=16), Recorder())


async def test_an_answer_as_long_as_its_cap_allows_is_whole():
    text = "words " * ((32 * 16 + 1_024) // 6 - 1) + "-" * 10_000
    with FakeServer(reply_always(openai_reply(openai_chunk(text, "stop")))) as server:
        async with opened(cloud_spec(server.url)) as provider:
            completion = await provider.complete(replace(CALL, max_output_tokens=16), Recorder())
    assert completion.text == text


async def test_a_server_without_a_key_gets_none():
    with FakeServer(reply_always(openai_reply())) as server:
        provider = OpenAIProvider(spec=local_spec(server.url), api_key=lambda: None, egress=CLOSED)
        await provider.complete(CALL, Recorder())
        await provider.aclose()
        assert all("authorization" not in received.headers for received in server.requests)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        ({}, None),
        ({"prompt_tokens": None, "completion_tokens": None}, None),
        ({"prompt_tokens": "many", "completion_tokens": -1}, None),
        ({"prompt_tokens": 0, "completion_tokens": 5, "total_tokens": 5}, None),
        ({"prompt_tokens": 10, "completion_tokens": 2}, Usage(input_tokens=10, output_tokens=2)),
        (  # thinking that is billed and counted in the total alone
            {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 512},
            Usage(input_tokens=10, output_tokens=502),
        ),
        (OPENAI_USAGE, Usage(input_tokens=20, output_tokens=5, cached_tokens=8, reasoning_tokens=2)),
    ],
)
async def test_usage_is_what_was_reported_or_none(usage: object, expected: Usage | None):
    last: dict[str, object] = {**openai_chunk(), "choices": [], "usage": usage}
    completion = await ask(reply_always(openai_reply(openai_chunk("Hi"), openai_chunk(finish="stop"), last)))
    assert (completion.text, completion.usage) == ("Hi", expected)


TOLD = [
    ("dollars", {"cost": 0.00014}, 140_000),
    ("dollars", {"cost": 1e-10}, 1),
    ("dollars", {"cost": 0.1}, 100_000_000),
    ("dollars", {"cost": 2}, 2_000_000_000),
    ("dollars", {"cost": "0.5"}, 500_000_000),
    ("dollars", {"cost": 0}, 0),
    ("dollars", {"cost": 0.95, "cost_details": {"upstream_inference_cost": 19}}, 950_000_000),
    ("dollars_and_upstream", {"cost": 0.95, "cost_details": {"upstream_inference_cost": 19}}, 19_950_000_000),
    (
        "dollars_and_upstream",
        {"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.0360795}},
        36_079_500,
    ),
    (
        "dollars_and_upstream",
        {"cost": 0.5, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.5}},
        500_000_000,
    ),
    ("dollars_and_upstream", {"cost": 0.5, "cost_details": {"upstream_inference_cost": None}}, 500_000_000),
    ("dollars_and_upstream", {"cost": 0.5, "cost_details": "none"}, 500_000_000),
    ("ticks", {"cost_in_usd_ticks": 37_756_000}, 3_775_600),
    ("ticks", {"cost_in_usd_ticks": 1}, 1),
    ("ticks", {"cost_in_usd_ticks": 0}, 0),
]
NOT_TOLD = [
    (None, {"cost": 0.5, "cost_in_usd_ticks": 5}),
    ("dollars", {"cost_in_usd_ticks": 5}),
    ("ticks", {"cost": 0.5}),
    *(
        ("dollars", {"cost": odd})
        for odd in (None, "free", "-0.5", "٣", "1e999", True, -1e-9, 10_001, 1e300, math.nan, math.inf, 10**400, [1])
    ),
    *(("ticks", {"cost_in_usd_ticks": odd}) for odd in (None, "5", True, -1, 5.0, 10**18)),
    ("dollars_and_upstream", {"cost": 0.5, "is_byok": True, "cost_details": {"upstream_inference_cost": -1}}),
    ("dollars_and_upstream", {"is_byok": True, "cost_details": {"upstream_inference_cost": 1}}),
]


@pytest.mark.parametrize(("bill", "told", "nanos"), [*TOLD, *((*untold, None) for untold in NOT_TOLD)])
async def test_what_the_vendor_says_it_charged_is_read_exactly_or_not_at_all(
    bill: Bill | None, told: dict[str, object], nanos: int | None
):
    usage = {"prompt_tokens": 10, "completion_tokens": 2, **told}
    with FakeServer(reply_always(openai_reply(openai_chunk("Hi", "stop"), openai_chunk(usage=usage)))) as server:
        async with opened(replace(cloud_spec(server.url), bill=bill)) as provider:
            completion = await provider.complete(CALL, Recorder())
    charged = None if nanos is None else Usd(nanos)
    assert completion.usage == Usage(input_tokens=10, output_tokens=2, billed=charged)


@pytest.mark.parametrize(
    "script",
    [
        streamed(json.dumps(openai_chunk("Hal")), "{broken"),
        streamed(json.dumps(openai_chunk("Hal")), '"text"'),
        streamed(json.dumps(openai_chunk("Hal")), '{"choices": "none"}'),
        streamed(json.dumps(openai_chunk("Hal")), '{"choices": [{"delta": 3}]}'),
        reply_always(Reply(content_type="text/html", body=(b"<html>It works!</html>",))),
        reply_always(Reply(content_type="text/event-stream", body=(b"\xff\xfe",))),
        reply_always(Reply()),
        reply_always(json_reply([])),
    ],
)
async def test_what_is_no_chat_answer_is_an_unavailable_provider(script: Callable[[Received], Reply]):
    kind, billed, text = await failure_of(script)
    assert (kind, billed) == (ProviderUnavailable, True)
    assert "no chat answer" in text


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize(
    "end",
    [
        ("cut",),
        (),
        sse("[DONE]"),
        sse("{broken"),
        sse({"error": {"message": SEAL, "code": 429}}),
        None,
    ],
)
async def test_a_failure_tells_how_much_of_answer_and_thinking_came_before(
    end: tuple[bytes | Literal["cut"], ...] | None, name: str
):
    heard = Recorder()
    with FakeServer(reply_always(Reply())) as server:
        begun = sse(openai_chunk(""), thinking("hm", name), openai_chunk("Grüße"))
        after = (server.hang,) if end is None else end
        server.script = reply_always(Reply(content_type="text/event-stream", body=(*begun, *after)))
        async with opened(cloud_spec(server.url), idle_s=0.1 if end is None else NEVER_LONGER_S) as provider:
            with pytest.raises(ProviderError) as caught:
                await provider.complete(CALL, heard)
    assert (caught.value.billed, heard.written_bytes) == (True, 2 + 7)


async def test_thinking_tool_calls_and_other_choices_are_no_part_of_the_answer_but_count_as_written():
    tool = {"index": 0, "function": {"name": "sum", "arguments": "{}"}}
    called = openai_chunk(choices=[{"index": 0, "delta": {"tool_calls": [tool]}}])
    twice = openai_chunk(choices=[{"index": n, "delta": {"content": f"Hi{n}"}} for n in range(2)])
    completion = await ask(reply_always(openai_reply(thinking("hm"), called, twice, openai_chunk("", "stop"))))
    assert completion.text == "Hi0"
    assert completion.written.bytes == len("hm" + "sum{}" + "Hi0" + "Hi1")


@pytest.mark.parametrize(
    ("status", "error", "kind", "billed", "told"),
    [
        (400, {"code": "invalid_value"}, ProviderRejected, True, "HTTP 400, invalid_value"),
        (408, {}, ProviderTimeout, True, "gave up waiting"),
        (422, {}, ProviderRejected, True, "HTTP 422"),
        (429, {"code": "insufficient_quota"}, ProviderRejected, False, "no credit left"),
        (500, {"type": "server_error"}, ProviderUnavailable, True, "HTTP 500, server_error"),
        (400, {"code": "context_length_exceeded"}, ContextTooLong, None, "too long"),
    ],
)
async def test_each_status_has_its_error(
    status: int, error: dict[str, str], kind: type[HybridError], billed: bool | None, told: str
):
    body = {"error": {"message": f"You sent: {SEAL}", **error}}
    found = await failure_of(reply_always(json_reply(body, status=status)))
    assert found[:2] == (kind, billed)
    assert found[2].startswith("the request is too long" if kind is ContextTooLong else "cloudx:some-model ")
    assert told in found[2]


@pytest.mark.parametrize(("name", "status"), [("openai", 400), ("anthropic", 422), ("gemini", 400)])
def test_a_vendor_refuses_for_nothing_what_a_stranger_may_bill(name: str, status: int):
    refusal = Refusal(status=status, headers={}, body={})
    vendor = VENDORS[name]
    assert vars(failure_of_refusal(vendor, "m", refusal))["billed"] is False
    renamed = replace(vendor, name="mine")
    assert vars(failure_of_refusal(renamed, "m", refusal))["billed"] is False
    elsewhere = replace(vendor, host="api.example.com")
    assert vars(failure_of_refusal(elsewhere, "m", refusal))["billed"] is True


async def test_an_error_inside_a_good_status_counts_as_what_it_says():
    stated = reply_always(openai_reply({"error": {"message": SEAL, "code": 402}}))
    assert (await failure_of(stated))[:2] == (ProviderRejected, True)
    bare = reply_always(openai_reply({"error": {"message": SEAL}}))
    assert (await failure_of(bare))[:2] == (ProviderUnavailable, True)


async def test_a_code_that_could_hold_a_prompt_is_not_repeated():
    body = {"error": {"message": SEAL, "code": f"your text was: {SEAL}", "type": "x" * 200}}
    _, _, text = await failure_of(reply_always(json_reply(body, status=400)))
    assert "(HTTP 400)" in text


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
         "9,000 tokens, and its context window holds 8,192"),
        ("prompt is too long: 208310 tokens > 200000 maximum", "208,310 tokens, and its context window holds 200,000"),
        ("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", "1,200,000 tokens"),
        ("input is too long", "too long for far:m (HTTP 400); send less context"),
    ],
)  # fmt: skip
def test_an_overflow_is_told_with_its_numbers(message: str, told: str):
    refusal = Refusal(status=400, headers={}, body=[{"error": {"message": message}}])
    error = failure_of_refusal(ProviderSpec(name="far", kind="openai"), "m", refusal)
    assert isinstance(error, ContextTooLong)
    assert told in str(error)


def test_an_unknown_key_variable_says_how_to_declare_one():
    refusal = Refusal(status=401, headers={}, body="Unauthorized")
    error = failure_of_refusal(ProviderSpec(name="far", kind="openai"), "m", refusal)
    assert "api_key_env" in str(error)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e308"}, 3_600.0),
        ({"retry-after": "Fri, 21 Oct 2028 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 3_600.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:28:30 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "today"}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(headers: dict[str, str], seconds: float | None):
    assert retry_after_s(headers) == seconds


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux leaves a connection to a full queue unanswered")
async def test_a_connection_that_never_comes_about_was_not_billed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hybrid_mcp.providers.http.CONNECT_TIMEOUT_S", 0.1)
    with full_backlog() as url:
        async with opened(cloud_spec(url)) as provider:
            with pytest.raises(ProviderUnavailable, match="could not be reached") as caught:
                await provider.complete(CALL, Recorder())
    assert caught.value.billed is False


def listing(*entries: object) -> Reply:
    return json_reply({"object": "list", "data": entries})


async def models_of(script: Callable[[Received], Reply]) -> list[tuple[str, int | None, int | None]]:
    with FakeServer(script) as server:
        async with opened(local_spec(server.url)) as provider:
            return [(spec.model, spec.context_tokens, spec.parameters) for spec in await provider.models()]


async def test_local_models_come_smallest_first_with_what_is_told_of_them():
    entries = listing(
        {"id": "mystery", "object": "model"},
        {"id": "qwen2.5-7b-instruct", "object": "model", "max_model_len": 32_768},
        {"id": "text-embedding-nomic-embed-text-v1.5", "object": "model"},
        {"id": "tiny", "object": "model", "meta": {"n_ctx": 512, "n_ctx_train": 8192, "n_params": 134_515_008}},
        {"id": "gemma-0.5b", "object": "model", "meta": {"n_ctx_train": 8192}},
        {"id": "llama-3.2-1b", "object": "model", "context_length": 4096},
    )
    assert await models_of(reply_always(entries)) == [
        ("tiny", 512, 134_515_008),
        ("gemma-0.5b", 8192, 500_000_000),
        ("llama-3.2-1b", 4096, 1_000_000_000),
        ("qwen2.5-7b-instruct", 32_768, 7_000_000_000),
        ("mystery", None, None),
    ]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(content_type="text/html", body=(b"<html>It works!</html>",)),
        Reply(status=404),
        json_reply({"data": [{"id": 3}]}),
        json_reply({"data": [{"id": "users", "name": "x"}]}),
        json_reply({"data": "none"}),
        json_reply([1, 2]),
        Reply(body=(b"[" * 100_000,)),
        Reply(body=(b"\xff",)),
        Reply(body=("cut",)),
    ],
)
async def test_whatever_else_is_served_there_is_not_a_model(reply: Reply):
    assert await models_of(reply_always(reply)) == []


async def test_a_dead_server_has_no_models():
    async with opened(local_spec(closed_port_url())) as provider:
        assert list(await provider.models()) == []


async def test_a_cloud_is_not_asked_for_its_models():
    with FakeServer(reply_always(listing({"id": "m", "object": "model"}))) as server:
        async with opened(cloud_spec(server.url)) as provider:
            assert list(await provider.models()) == []
        assert server.requests == []


async def test_a_declared_context_wins():
    with FakeServer(reply_always(listing({"id": "m-1b", "max_model_len": 4096}))) as server:
        spec = replace(local_spec(server.url), context_tokens=2048)
        async with opened(spec) as provider:
            assert list(await provider.models()) == [
                ModelSpec(provider=spec, model="m-1b", context_tokens=2048, parameters=1_000_000_000)
            ]


@pytest.mark.parametrize(
    ("more", "loaded"),
    [
        ({"owned_by": "llamacpp"}, True),
        ({"owned_by": "vllm"}, True),
        ({"owned_by": "organization_owner"}, False),
        ({}, False),
        ({"owned_by": "llamacpp", "status": {"value": "loaded", "args": []}}, True),
        ({"owned_by": "llamacpp", "status": {"value": "unloaded"}}, False),
        ({"owned_by": "llamacpp", "status": {"value": "loading"}}, False),
        ({"owned_by": "vllm", "status": "ready"}, True),
        ({"owned_by": "vllm", "status": {"value": None}}, False),
    ],
)
async def test_a_model_counts_as_loaded_where_its_server_lists_what_is_in_memory(more: dict[str, object], loaded: bool):
    with FakeServer(reply_always(listing({"id": "m", **more}))) as server:
        async with opened(local_spec(server.url)) as provider:
            assert [spec.resident for spec in await provider.models()] == [Resident() if loaded else None]


async def test_the_real_server_counts_as_loaded(llama_server: str):
    async with opened(local_spec(f"{llama_server}/v1")) as provider:
        assert [spec.resident for spec in await provider.models()] == [Resident()]


@pytest.mark.parametrize(("owner", "asked"), [("llamacpp", True), ("vllm", True), ("somebody", False)])
async def test_log_probabilities_are_asked_only_of_servers_that_give_them(owner: str, asked: bool):
    def script(received: Received) -> Reply:
        if received.method == "GET":
            return listing({"id": "m", "owned_by": owner})
        tokens = [{"token": "H", "logprob": -0.25}, {"token": "i", "logprob": -0.75}]
        return openai_reply(
            openai_chunk("Hi", choices=[{"index": 0, "delta": {"content": "Hi"}, "logprobs": {"content": tokens}}]),
            openai_chunk(finish="stop"),
        )

    with FakeServer(script) as server:
        async with opened(local_spec(server.url)) as provider:
            first = await provider.complete(CALL, Recorder())
            await provider.complete(CALL, Recorder())
        sent = [received for received in server.requests if received.method == "POST"]
    assert len(server.requests) == 3
    assert ["logprobs" in received.json for received in sent] == [asked, asked]
    assert first.confidence == pytest.approx(-0.5 + 0.4 * -0.75)
