from __future__ import annotations

import json
import logging
import math
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import repeat
from typing import Literal

import anyio
import httpx2
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
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import Bill, ModelSpec, ProviderSpec, Resident
from hybrid_mcp.domain.tokens import extent
from hybrid_mcp.domain.vendors import VENDORS
from hybrid_mcp.domain.whitelist import Whitelist
from hybrid_mcp.ports import ProviderCall
from hybrid_mcp.providers.dialects import OPENAI_ITSELF, UNKNOWN, Dialect, dialect_of
from hybrid_mcp.providers.failures import Refusal, failure_of_refusal, retry_after_s
from hybrid_mcp.providers.http import Egress
from hybrid_mcp.providers.openai import OpenAIProvider
from hybrid_mcp.providers.streaming import COUNT_LIMIT
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


async def test_a_streamed_answer_comes_out_whole_with_its_usage():
    with FakeServer(reply_always(openai_reply())) as server:
        heard = Recorder()
        async with opened(cloud_spec(server.url)) as provider:
            completion = await provider.complete(CALL, heard)
    assert completion == Completion(
        text="Hello there",
        finish="stop",
        usage=Usage(input_tokens=20, output_tokens=5, cached_tokens=8, reasoning_tokens=2),
        streamed=extent("Hello there"),
    )
    assert heard.deltas == ["Hello", " there"]


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


async def test_openai_itself_gets_its_own_cap_and_no_temperature():
    with FakeServer(reply_always(openai_reply())) as server:
        async with opened(replace(cloud_spec(server.url), price_provider="openai")) as provider:
            await provider.complete(CALL, Recorder())
        [received] = server.requests
    assert received.json["max_completion_tokens"] == 64
    assert {"max_tokens", "temperature", "logprobs", "service_tier"}.isdisjoint(received.json)


async def test_openai_at_its_own_host_is_asked_for_the_tier_whose_price_is_listed(monkeypatch: pytest.MonkeyPatch):
    sent: list[dict[str, object]] = []
    answer = sse(openai_chunk("Hi", "stop"), "[DONE]")

    async def far(_: object, request: httpx2.Request) -> httpx2.Response:
        sent.append(json.loads(await request.aread()))
        return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, content=b"".join(answer))

    monkeypatch.setattr(httpx2.AsyncHTTPTransport, "handle_async_request", far)
    everything = Egress(whitelist=lambda: Whitelist(cloud_apis=("api.openai.com",)))
    provider = OpenAIProvider(spec=VENDORS["openai"], api_key=lambda: KEY, egress=everything)
    assert (await provider.complete(CALL, Recorder())).text == "Hi"
    await provider.aclose()
    assert [request["service_tier"] for request in sent] == ["default"]


@pytest.mark.parametrize(
    ("host", "dialect"),
    [
        ("api.openai.com", OPENAI_ITSELF),
        ("eu.api.openai.com", OPENAI_ITSELF),
        ("api.openai.com.example.com", UNKNOWN),
        ("api.groq.com", Dialect(schema="json", effort="reasoning_effort")),
    ],
)
def test_the_dialect_goes_by_the_host(host: str, dialect: object):
    assert dialect_of(ProviderSpec(name="x", kind="openai", host=host)) == dialect


HUGE = 10**18


async def test_absurd_counts_are_cut_to_a_bound():
    usage = {"prompt_tokens": HUGE, "completion_tokens": HUGE, "total_tokens": 2 * HUGE,
             "prompt_tokens_details": {"cached_tokens": HUGE}, "completion_tokens_details": None}  # fmt: skip
    completion = await ask(reply_always(openai_reply(openai_chunk("Hi", "stop", usage=usage))))
    assert completion.usage == Usage(input_tokens=COUNT_LIMIT, output_tokens=COUNT_LIMIT, cached_tokens=COUNT_LIMIT)


@pytest.mark.parametrize("odd", ["NaN", "-1e308", "1e308", "-Infinity", "-1001", "5", "null", '"x"'])
async def test_a_log_probability_that_cannot_be_is_left_out_of_the_mean(odd: str):
    tokens = [{"token": "H", "logprob": -0.5}, {"token": "i", "logprob": "ODD"}, {"token": "!", "logprob": "ODD"}]
    chunk = openai_chunk(
        choices=[{"index": 0, "delta": {"content": "Hi"}, "logprobs": {"content": tokens}, "finish_reason": "stop"}]
    )
    completion = await ask(streamed(json.dumps(chunk).replace('"ODD"', odd), "[DONE]"))
    assert (completion.text, completion.mean_logprob) == ("Hi", -0.5)


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


@pytest.mark.parametrize("piece", [openai_chunk("words " * 100), thinking("words " * 100)], ids=["words", "thinking"])
async def test_an_answer_longer_than_its_cap_is_broken_off_and_tells_how_much_came(piece: object):
    heard = Recorder()
    with FakeServer(reply_always(Reply())) as server:
        far_too_long = repeat(b"".join(sse(piece)), 20_000)
        server.script = reply_always(Reply(content_type="text/event-stream", body=far_too_long))
        async with opened(cloud_spec(server.url)) as provider:
            with anyio.fail_after(NEVER_LONGER_S), pytest.raises(ProviderUnavailable) as caught:
                await provider.complete(replace(CALL, max_output_tokens=16), heard)
        assert await anyio.to_thread.run_sync(server.client_left.wait, NEVER_LONGER_S)
    assert (caught.value.billed, heard.written_bytes) == (True, 1_800)
    assert str(caught.value) == (
        "cloudx:some-model ignored the output cap: it wrote on past 1,800 bytes though at most 16 tokens were asked "
        "for, and was broken off; use another model"
    )
    assert len("".join(heard.deltas)) <= 32 * 16 + 1_024


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


async def test_the_history_of_a_chat_keeps_its_roles():
    roles = ("system", "user", "assistant", "user")
    call = replace(CALL, messages=tuple(Message(role, role) for role in roles))
    with FakeServer(reply_always(openai_reply())) as server:
        async with opened(cloud_spec(server.url)) as provider:
            await provider.complete(call, Recorder())
        [received] = server.requests
    assert [message["role"] for message in received.json["messages"]] == list(roles)


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("stop", "stop"), ("length", "length"), ("content_filter", "refusal"), ("tool_calls", "other"), ("eos", "other")],
)
async def test_each_way_to_finish_has_its_name(reason: str, finish: str):
    completion = await ask(reply_always(openai_reply(openai_chunk("Hi"), openai_chunk(finish=reason))))
    assert (completion.text, completion.finish, completion.usage) == ("Hi", finish, None)


async def test_a_refusal_in_words_counts_as_a_refusal():
    refusing = openai_chunk(finish="stop", choices=[{"index": 0, "delta": {"refusal": "I cannot"}}])
    completion = await ask(reply_always(openai_reply(refusing, openai_chunk(finish="stop"))))
    assert (completion.text, completion.finish) == ("I cannot", "refusal")


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


async def test_chunks_without_choices_are_skipped():
    empty: list[object] = [{**openai_chunk(), "choices": []}, {**openai_chunk(), "choices": None}]
    completion = await ask(reply_always(openai_reply(*empty, openai_chunk("Hi", "stop"))))
    assert completion.text == "Hi"


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


@pytest.mark.parametrize(
    "script",
    [
        reply_always(Reply(content_type="text/event-stream", body=(*sse(openai_chunk("Hal")), "cut"))),
        streamed(json.dumps(openai_chunk("Hal"))),
        streamed(json.dumps(openai_chunk("Hal")), "[DONE]"),
        streamed(json.dumps(openai_chunk("Hal")), json.dumps({"error": {"message": SEAL, "code": 429}})),
    ],
)
async def test_an_answer_that_breaks_off_may_have_been_billed(script: Callable[[Received], Reply]):
    kind, billed, text = await failure_of(script)
    assert (kind, billed) == (ProviderUnavailable, True)
    assert "broke off" in text


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
        (401, {"code": "invalid_api_key"}, ProviderRejected, False, "check CLOUDX_KEY"),
        (403, {}, ProviderRejected, False, "check CLOUDX_KEY"),
        (402, {}, ProviderRejected, False, "no credit left"),
        (404, {"code": "model_not_found"}, ProviderRejected, False, "see `hybrid-mcp models`"),
        (408, {}, ProviderTimeout, True, "gave up waiting"),
        (422, {}, ProviderRejected, True, "HTTP 422"),
        (429, {"code": "insufficient_quota"}, ProviderRejected, False, "no credit left"),
        (429, {"code": "rate_limit_exceeded"}, ProviderRateLimited, False, "rate limited"),
        (500, {"type": "server_error"}, ProviderUnavailable, True, "HTTP 500, server_error"),
        (503, {}, ProviderUnavailable, True, "HTTP 503"),
        (413, {}, ContextTooLong, None, "too long"),
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


async def test_a_rate_limit_says_how_long_to_wait():
    with pytest.raises(ProviderRateLimited, match="try again in 13 s") as caught:
        await ask(reply_always(json_reply({"error": {}}, status=429, Retry_After="12.5")))
    assert caught.value.retry_after_s == 12.5


async def test_a_refused_connection_was_not_billed():
    async with opened(cloud_spec(closed_port_url())) as provider:
        with pytest.raises(ProviderUnavailable, match="could not be reached") as caught:
            await provider.complete(CALL, Recorder())
    assert caught.value.billed is False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux leaves a connection to a full queue unanswered")
async def test_a_connection_that_never_comes_about_was_not_billed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hybrid_mcp.providers.http.CONNECT_TIMEOUT_S", 0.1)
    with full_backlog() as url:
        async with opened(cloud_spec(url)) as provider:
            with pytest.raises(ProviderUnavailable, match="could not be reached") as caught:
                await provider.complete(CALL, Recorder())
    assert caught.value.billed is False


async def test_a_connection_closed_before_any_answer_may_have_been_billed():
    kind, billed, _ = await failure_of(reply_always(Reply(body=("cut",))))
    assert (kind, billed) == (ProviderUnavailable, True)


@pytest.mark.parametrize(
    ("begun", "first_byte_s", "idle_s"),
    [((), 0.1, math.inf), (sse(openai_chunk("Hal")), math.inf, 0.1)],
)
async def test_silence_is_a_time_out_that_may_have_been_billed(
    begun: tuple[bytes, ...], first_byte_s: float, idle_s: float
):
    with FakeServer(reply_always(Reply())) as server:
        server.script = reply_always(Reply(content_type="text/event-stream", body=(*begun, server.hang)))
        async with opened(cloud_spec(server.url), first_byte_s=first_byte_s, idle_s=idle_s) as provider:
            with (
                pytest.raises(ProviderTimeout, match="sent nothing in time") as caught,
                anyio.fail_after(NEVER_LONGER_S),
            ):
                await provider.complete(CALL, Recorder())
    assert caught.value.billed is True


async def test_a_server_that_sends_nonsense_is_hung_up_on():
    with FakeServer(reply_always(Reply())) as server:
        body = (*sse({"choices": 3}), server.hang)
        server.script = reply_always(Reply(content_type="text/event-stream", body=body))
        async with opened(cloud_spec(server.url)) as provider:
            with pytest.raises(ProviderUnavailable, match="no chat answer"):
                await provider.complete(CALL, Recorder())
            assert await anyio.to_thread.run_sync(server.client_left.wait, NEVER_LONGER_S)


async def test_a_whole_answer_whose_stream_stays_open_is_an_answer():
    with FakeServer(reply_always(Reply())) as server:
        body = (*sse(openai_chunk("Hi"), openai_chunk(finish="stop")), server.hang)
        server.script = reply_always(Reply(content_type="text/event-stream", body=body))
        async with opened(cloud_spec(server.url), idle_s=0.5) as provider:
            completion = await provider.complete(CALL, Recorder())
    assert (completion.text, completion.finish, completion.usage) == ("Hi", "stop", None)


async def test_a_cancelled_call_hangs_up():
    with FakeServer(reply_always(Reply())) as server:
        body = (*sse(openai_chunk("Hal")), server.hang)
        server.script = reply_always(Reply(content_type="text/event-stream", body=body))
        async with opened(cloud_spec(server.url)) as provider, anyio.create_task_group() as group:
            group.start_soon(provider.complete, CALL, Recorder())
            await anyio.to_thread.run_sync(server.wait_for_requests, 1)
            group.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(server.client_left.wait, NEVER_LONGER_S)


async def test_a_failed_call_is_sent_once():
    with FakeServer(reply_always(json_reply({"error": {}}, status=503, Retry_After="0"))) as server:
        async with opened(cloud_spec(server.url)) as provider:
            with pytest.raises(ProviderUnavailable):
                await provider.complete(CALL, Recorder())
        assert len(server.requests) == 1


async def test_no_prompt_is_logged_even_when_the_sdk_was_told_to(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="openai"):
        await ask(reply_always(openai_reply()))
    assert SEAL not in caplog.text
    assert KEY not in caplog.text


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
    assert first.mean_logprob == -0.5


async def test_the_real_server_answers_with_usage_and_confidence(llama_server: str):
    heard = Recorder()
    async with opened(local_spec(f"{llama_server}/v1")) as provider:
        completion = await provider.complete(replace(CALL, max_output_tokens=8), heard)
        [model] = await provider.models()
    assert completion.text == "".join(heard.deltas) != ""
    assert completion.usage is not None
    assert 0 < completion.usage.output_tokens <= 8 < completion.usage.input_tokens
    assert completion.mean_logprob is not None
    assert completion.mean_logprob < 0
    assert (model.model, model.context_tokens, model.parameters) == ("smollm2-135m", 2048, 134_515_008)


async def test_the_real_server_refuses_what_does_not_fit(llama_server: str):
    call = ProviderCall(model="m", messages=(Message("user", "hello " * 3000),), max_output_tokens=8)
    async with opened(local_spec(f"{llama_server}/v1")) as provider:
        with pytest.raises(ContextTooLong, match=r"its context window holds 2,048"):
            await provider.complete(call, Recorder())


async def test_a_cancelled_call_frees_the_real_server_at_once(llama_server: str):
    call = replace(CALL, messages=(Message("user", "Write a very long story."),), max_output_tokens=1900)
    async with opened(local_spec(f"{llama_server}/v1")) as provider, anyio.create_task_group() as group:
        writing = anyio.Event()
        heard = Recorder()

        async def write() -> None:
            await provider.complete(call, heard)

        heard.delta = lambda text: writing.set()
        group.start_soon(write)
        with anyio.fail_after(NEVER_LONGER_S):
            await writing.wait()
        group.cancel_scope.cancel()
    async with httpx2.AsyncClient(trust_env=False) as client:
        for _ in range(200):
            slots = (await client.get(f"{llama_server}/slots")).json()
            if not any(slot["is_processing"] for slot in slots):
                return
            await anyio.sleep(0.02)
    pytest.fail("the server went on writing")
