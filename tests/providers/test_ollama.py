from __future__ import annotations

import os
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import repeat
from typing import Any

import anyio
import ollama
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.completion import Completion, Message, Usage
from hybrid_mcp.domain.errors import (
    ContextTooLong,
    EgressDenied,
    HybridError,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from hybrid_mcp.domain.memory import needed_bytes
from hybrid_mcp.domain.profile import ModelSpec, ProviderSpec, Resident
from hybrid_mcp.domain.tokens import extent
from hybrid_mcp.domain.whitelist import url_host
from hybrid_mcp.ports import ProviderCall
from hybrid_mcp.providers.ollama import SERVED_CONTEXT, OllamaProvider
from tests.support_embedded import model_home
from tests.support_servers import (
    CALL,
    CLOSED,
    MODEL_FILE,
    NEVER_LONGER_S,
    OLLAMA_SHOW,
    SEAL,
    FakeServer,
    Received,
    Recorder,
    Reply,
    closed_port_url,
    json_lines,
    json_reply,
    local_spec,
    ollama_end,
    ollama_part,
    ollama_script,
    reply_always,
)

pytestmark = pytest.mark.anyio

NDJSON = "application/x-ndjson"


@asynccontextmanager
async def opened(spec: ProviderSpec, *, timeout_s: float = NEVER_LONGER_S) -> AsyncGenerator[OllamaProvider]:
    provider = OllamaProvider(spec=spec, egress=CLOSED, timeout_s=timeout_s)
    try:
        yield provider
    finally:
        await provider.aclose()


async def ask(script: Callable[[Received], Reply], call: ProviderCall = CALL, **declared: Any) -> Completion:
    with FakeServer(script) as server:
        async with opened(replace(local_spec(server.url, "ollama"), **declared)) as provider:
            return await provider.complete(call, Recorder())


async def failure_of(
    script: Callable[[Received], Reply], call: ProviderCall = CALL, **declared: Any
) -> tuple[type[HybridError], bool | None, str]:
    """The error's type, whether it may have been billed, and its text."""
    with pytest.raises(HybridError) as caught:
        await ask(script, call, **declared)
    error, text = caught.value, str(caught.value)
    assert SEAL not in text
    return type(error), error.billed if isinstance(error, (ProviderError, ContextTooLong)) else None, text


def chat(*parts: object) -> Reply:
    return Reply(content_type=NDJSON, body=json_lines(*parts))


def show(parameters: str = "", **info: object) -> Reply:
    """What /api/show answers; `info` is about an architecture called x."""
    model_info = {f"x.{name}": value for name, value in info.items()}
    return json_reply({"parameters": parameters, "model_info": model_info, "capabilities": ["completion"]})


async def test_a_streamed_answer_comes_out_whole_with_its_usage():
    with FakeServer(ollama_script()) as server:
        heard = Recorder()
        async with opened(local_spec(server.url, "ollama")) as provider:
            completion = await provider.complete(CALL, heard)
    usage = Usage(input_tokens=20, output_tokens=5)
    assert completion == Completion(text="Hello there", finish="stop", usage=usage, streamed=extent("Hello there"))
    assert heard.deltas == ["Hello", " there"]


async def test_every_call_states_its_context_and_its_cap():
    with FakeServer(ollama_script()) as server:
        async with opened(local_spec(server.url, "ollama")) as provider:
            await provider.complete(CALL, Recorder())
            await provider.complete(CALL, Recorder())
        assert [received.path for received in server.requests] == ["/api/show", "/api/chat", "/api/chat"]
        sent = server.requests[1].json
    assert sent["options"] == {"num_ctx": SERVED_CONTEXT, "num_predict": 64, "temperature": 0}
    assert sent["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": f"Say hello. {SEAL}"},
    ]
    assert (sent["model"], sent["stream"]) == ("some-model", True)


@pytest.mark.parametrize(("declared", "sent"), [(None, None), ("1h30m", "1h30m"), ("0", 0), ("-1", -1)])
async def test_how_long_a_model_stays_loaded_is_sent_as_ollama_reads_it(declared: str | None, sent: object):
    with FakeServer(ollama_script()) as server:
        async with opened(replace(local_spec(server.url, "ollama"), keep_alive=declared)) as provider:
            await provider.complete(CALL, Recorder())
        assert server.requests[-1].json.get("keep_alive") == sent


@pytest.mark.parametrize(
    ("declared", "shown", "context"),
    [
        (None, show(), SERVED_CONTEXT),
        (None, show(context_length=2048), 2048),
        (None, show(context_length=131_072), SERVED_CONTEXT),
        (None, show('stop "x"\nnum_ctx                        16384', context_length=131_072), 16_384),
        (None, show("num_ctx 16384", context_length=8192), 8192),
        (32_768, show("num_ctx 16384", context_length=131_072), 32_768),
        (32_768, show(context_length=8192, other="text"), 8192),
        (None, show(context_length=None), SERVED_CONTEXT),
    ],
)
async def test_the_context_is_the_owners_then_the_models_then_ollamas(declared: int | None, shown: Reply, context: int):
    with FakeServer(ollama_script(show=shown)) as server:
        spec = replace(local_spec(server.url, "ollama"), context_tokens=declared)
        async with opened(spec) as provider:
            await provider.complete(CALL, Recorder())
        assert server.requests[-1].json["options"]["num_ctx"] == context


async def test_a_prompt_that_would_be_cut_is_not_sent():
    call = replace(CALL, messages=(Message("user", "hello " * 3000),))
    with FakeServer(ollama_script()) as server:
        async with opened(local_spec(server.url, "ollama")) as provider:
            with pytest.raises(ContextTooLong, match=r"about 6,032 tokens .* is set to 4,096.* num_ctx") as caught:
                await provider.complete(call, Recorder())
        assert caught.value.billed is False
        assert [received.path for received in server.requests] == ["/api/show"]


async def test_an_answer_gets_no_more_room_than_is_left():
    call = replace(CALL, messages=(Message("user", "x" * 9000),), max_output_tokens=4000)
    with FakeServer(ollama_script()) as server:
        async with opened(local_spec(server.url, "ollama")) as provider:
            await provider.complete(call, Recorder())
        assert server.requests[-1].json["options"]["num_predict"] == SERVED_CONTEXT - 3000 - 32


@given(size=st.integers(0, 20_000), asked=st.integers(1, 8000), context=st.integers(256, 8192))
def test_prompt_and_answer_never_run_over_the_context_by_the_estimate(size: int, asked: int, context: int):
    async def run() -> None:
        call = replace(CALL, messages=(Message("user", "x" * size),), max_output_tokens=asked)
        with FakeServer(ollama_script(show=show(f"num_ctx {context}"))) as server:
            async with opened(local_spec(server.url, "ollama")) as provider:
                try:
                    await provider.complete(call, Recorder())
                except ContextTooLong:
                    assert size // 3 + 32 + min(asked, 256) > context
                else:
                    cap = server.requests[-1].json["options"]["num_predict"]
                    assert min(asked, 256) <= cap <= asked
                    assert size // 3 + cap <= context

    anyio.run(run)


@pytest.mark.parametrize(
    ("prompt_tokens", "output_tokens", "cut"),
    [(SERVED_CONTEXT, 0, True), (SERVED_CONTEXT, 1, True), (4000, 97, True), (4000, 96, False), (20, 5, False)],
)
async def test_what_ollama_cut_silently_is_no_answer(prompt_tokens: int, output_tokens: int, cut: bool):
    script = ollama_script(
        chat(ollama_part("Hi"), ollama_end(prompt_eval_count=prompt_tokens, eval_count=output_tokens))
    )
    if cut:
        kind, billed, text = await failure_of(script)
        assert (kind, billed) == (ContextTooLong, True)
        assert "more tokens than were read" in text
    else:
        assert (await ask(script)).text == "Hi"


async def test_a_history_of_which_messages_were_dropped_is_no_answer():
    history = (Message("user", "one two " * 200), Message("assistant", "ok"), Message("user", "three"))
    call = replace(CALL, messages=history)
    kind, _, _ = await failure_of(ollama_script(chat(ollama_part("Hi"), ollama_end(prompt_eval_count=30))), call)
    assert kind is ContextTooLong
    whole = await ask(ollama_script(chat(ollama_part("Hi"), ollama_end(prompt_eval_count=410))), call)
    assert whole.text == "Hi"


@pytest.mark.parametrize(
    ("end", "finish", "usage"),
    [
        (ollama_end(done_reason="length"), "length", Usage(input_tokens=20, output_tokens=5)),
        (ollama_end(done_reason="load"), "other", Usage(input_tokens=20, output_tokens=5)),
        (ollama_end(done_reason=None, prompt_eval_count=None), "stop", None),
        (ollama_end(eval_count=None), "stop", Usage(input_tokens=20, output_tokens=0)),
    ],
)
async def test_each_way_to_finish_has_its_name(end: dict[str, object], finish: str, usage: Usage | None):
    completion = await ask(ollama_script(chat(ollama_part("Hi"), end)))
    assert (completion.text, completion.finish, completion.usage) == ("Hi", finish, usage)


async def test_confidence_is_kept_where_it_is_given():
    tokens = [{"token": "H", "logprob": -0.25}, {"token": "i", "logprob": -0.75}]
    completion = await ask(ollama_script(chat(ollama_part("Hi", logprobs=tokens), ollama_end())))
    assert completion.mean_logprob == -0.5


async def test_absurd_numbers_are_cut_or_left_out():
    tokens = [{"token": "H", "logprob": -0.5}, {"token": "i", "logprob": -1e308}, {"token": "!", "logprob": -1e308}]
    part, end = ollama_part("Hi", logprobs=tokens), ollama_end(prompt_eval_count=20, eval_count=10**18)
    kind, billed, _ = await failure_of(ollama_script(chat(part, end)))
    assert (kind, billed) == (ContextTooLong, True)
    completion = await ask(ollama_script(chat(part, ollama_end())))
    assert completion.mean_logprob == -0.5


async def test_the_key_of_a_server_that_has_one_goes_with_every_request():
    with FakeServer(ollama_script(tags=json_reply({"models": [tag("m:1b")]}))) as server:
        spec = local_spec(server.url, "ollama")
        keys = iter(["1", "2", "3", "4", "5"])
        provider = OllamaProvider(spec=spec, egress=CLOSED, api_key=lambda: next(keys))
        await provider.models()
        await provider.complete(CALL, Recorder())
        await provider.aclose()
        sent = [(received.path, received.headers["authorization"]) for received in server.requests]
    assert sorted(key for _, key in sent) == [f"Bearer {number}" for number in range(1, 6)]
    assert sorted(path for path, _ in sent) == ["/api/chat", "/api/ps", "/api/show", "/api/show", "/api/tags"]


async def test_a_server_whose_key_is_not_set_gets_none():
    with FakeServer(ollama_script()) as server:
        provider = OllamaProvider(spec=local_spec(server.url, "ollama"), egress=CLOSED, api_key=lambda: None)
        await provider.complete(CALL, Recorder())
        await provider.aclose()
        assert ["authorization" in received.headers for received in server.requests] == [False, False]


async def test_an_answer_far_longer_than_was_asked_for_is_broken_off():
    far_too_long = Reply(content_type=NDJSON, body=repeat(json_lines(ollama_part("words " * 200))[0], 20_000))
    kind, billed, text = await failure_of(ollama_script(far_too_long))
    assert (kind, billed) == (ProviderUnavailable, True)
    assert "ignored the output cap: it wrote on past 3,600 bytes though at most 64 tokens were asked for" in text


@pytest.mark.parametrize("piece", [b" " * 65_536, b" " * 65_535 + b"\n"], ids=["one line", "many lines"])
@pytest.mark.parametrize("status", [200, 500])
async def test_a_huge_description_of_a_model_is_not_read(status: int, piece: bytes):
    with FakeServer(ollama_script(show=Reply(status=status, body=repeat(piece, 1000)))) as server:
        async with opened(local_spec(server.url, "ollama")) as provider:
            with pytest.raises(ProviderUnavailable):
                await provider.complete(CALL, Recorder())
        assert await anyio.to_thread.run_sync(server.client_left.wait, NEVER_LONGER_S)


@pytest.mark.parametrize(
    "script",
    [
        ollama_script(Reply(content_type=NDJSON, body=(*json_lines(ollama_part("Hal")), "cut"))),
        ollama_script(chat(ollama_part("Hal"))),
        ollama_script(chat(ollama_part("Hal"), {"error": SEAL})),
    ],
)
async def test_an_answer_that_breaks_off_is_an_unavailable_provider(script: Callable[[Received], Reply]):
    kind, billed, text = await failure_of(script)
    assert (kind, billed) == (ProviderUnavailable, True)
    assert "broke off" in text


@pytest.mark.parametrize(
    "script",
    [
        ollama_script(show=Reply(content_type="text/html", body=(b"<html>It works!</html>",))),
        ollama_script(show=json_reply({"unknown": 1})),
        ollama_script(show=json_reply([1])),
        ollama_script(Reply(content_type="text/html", body=(b"<html>It works!</html>",))),
        ollama_script(chat({"no": "message"})),
        ollama_script(chat([1])),
    ],
)
async def test_what_is_no_ollama_is_an_unavailable_provider(script: Callable[[Received], Reply]):
    kind, billed, text = await failure_of(script)
    assert (kind, billed) == (ProviderUnavailable, True)
    assert "no chat answer" in text


@pytest.mark.parametrize(
    ("status", "error", "kind", "told"),
    [
        (404, f"model {SEAL} not found", ProviderRejected, "run `ollama pull some-model`"),
        (400, f"the input length exceeds the context length: {SEAL}", ContextTooLong, "too long"),
        (400, SEAL, ProviderRejected, "HTTP 400"),
        (500, SEAL, ProviderUnavailable, "HTTP 500"),
        (500, "model requires more system memory (5.6 GiB) than is available (1.2 GiB)", ProviderUnavailable,
         "more memory than is free"),
    ],
)  # fmt: skip
async def test_each_status_has_its_error(status: int, error: str, kind: type[HybridError], told: str):
    for script in (
        ollama_script(json_reply({"error": error}, status=status)),
        ollama_script(show=json_reply({"error": error}, status=status)),
    ):
        found = await failure_of(script)
        assert found[0] is kind
        assert told in found[2]


async def test_a_server_that_is_down_was_not_billed():
    async with opened(local_spec(closed_port_url(), "ollama")) as provider:
        with pytest.raises(ProviderUnavailable, match="could not be reached") as caught:
            await provider.complete(CALL, Recorder())
        assert caught.value.billed is False
        assert list(await provider.models()) == []


async def test_a_server_that_went_down_in_between_was_not_billed():
    with FakeServer(ollama_script()) as server:
        provider = OllamaProvider(spec=local_spec(server.url, "ollama"), egress=CLOSED)
        await provider.complete(CALL, Recorder())
    with pytest.raises(ProviderUnavailable, match="could not be reached") as caught:
        await provider.complete(CALL, Recorder())
    await provider.aclose()
    assert caught.value.billed is False


@pytest.mark.parametrize("silent_path", ["/api/show", "/api/chat"])
async def test_silence_is_a_time_out(silent_path: str):
    with FakeServer(reply_always(Reply())) as server:
        good, silent = ollama_script(), Reply(content_type=NDJSON, body=(server.hang,))

        def script(received: Received) -> Reply:
            return silent if received.path == silent_path else good(received)

        server.script = script
        async with opened(local_spec(server.url, "ollama"), timeout_s=0.1) as provider:
            with pytest.raises(ProviderTimeout, match="sent nothing in time"):
                await provider.complete(CALL, Recorder())


async def test_a_cancelled_call_hangs_up():
    with FakeServer(reply_always(Reply())) as server:
        server.script = ollama_script(Reply(content_type=NDJSON, body=(*json_lines(ollama_part("Hal")), server.hang)))
        async with opened(local_spec(server.url, "ollama")) as provider, anyio.create_task_group() as group:
            group.start_soon(provider.complete, CALL, Recorder())
            await anyio.to_thread.run_sync(server.wait_for_requests, 2)
            group.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(server.client_left.wait, NEVER_LONGER_S)


def tag(name: str, size: int = 0, **details: str) -> dict[str, Any]:
    return {"name": name, "size": size, "details": details}


async def models_of(script: Callable[[Received], Reply]) -> list[tuple[str, int | None, int | None]]:
    with FakeServer(script) as server:
        async with opened(local_spec(server.url, "ollama")) as provider:
            return [(spec.model, spec.context_tokens, spec.parameters) for spec in await provider.models()]


async def test_models_come_smallest_first_without_those_that_only_embed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hybrid_mcp.providers.ollama._SHOW_BUDGET_S", NEVER_LONGER_S)
    tags = [
        tag("qwen2.5:7b", parameter_size="7.6B"),
        tag("nomic-embed-text:latest", parameter_size="137M", family="nomic-bert"),
        tag("bge-m3:latest", parameter_size="567M", family="bert"),
        tag("quiet:latest", size=600_000_000),
        tag("smollm2:135m", parameter_size="134.52M", family="llama"),
        tag("ranker:latest", parameter_size="300M", family="qwen3"),
    ]

    def script(received: Received) -> Reply:
        if received.path == "/api/show" and received.json["model"] == "ranker:latest":
            return json_reply({**OLLAMA_SHOW, "capabilities": ["embedding"]})
        return ollama_script(tags=json_reply({"models": tags}))(received)

    assert await models_of(script) == [
        ("smollm2:135m", SERVED_CONTEXT, 134_520_000),
        ("quiet:latest", SERVED_CONTEXT, 1_000_000_000),
        ("qwen2.5:7b", SERVED_CONTEXT, 7_600_000_000),
    ]


REMOTE = {**OLLAMA_SHOW, "remote_host": "https://far.example:443", "remote_model": "big:120b"}


async def test_models_that_run_in_ollamas_cloud_are_not_local_ones(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hybrid_mcp.providers.ollama._SHOW_BUDGET_S", NEVER_LONGER_S)
    tags = [
        tag("gpt-oss:120b-cloud"), tag("deepseek:cloud"), tag("copied:1b"), {**tag("told:1b"), "remote_host": "x"},
        tag("here:1b"),
    ]  # fmt: skip

    def script(received: Received) -> Reply:
        if received.path == "/api/show" and received.json["model"] == "copied:1b":
            return json_reply(REMOTE)
        return ollama_script(tags=json_reply({"models": tags}))(received)

    assert [model for model, _, _ in await models_of(script)] == ["here:1b"]


@pytest.mark.parametrize(("model", "shown"), [("copied", REMOTE), ("gpt-oss:120b-cloud", OLLAMA_SHOW)])
async def test_no_prompt_goes_through_ollama_to_its_cloud(model: str, shown: dict[str, Any]):
    with FakeServer(ollama_script(show=json_reply(shown))) as server:
        async with opened(local_spec(server.url, "ollama")) as provider:
            with pytest.raises(EgressDenied, match="does not run on this machine"):
                await provider.complete(replace(CALL, model=model), Recorder())
        assert [received.path for received in server.requests] == ["/api/show"]


async def test_models_do_not_wait_for_slow_details():
    tags = json_reply({"models": [tag(f"m{number}:1b", parameter_size="1B") for number in range(30)]})
    with FakeServer(reply_always(Reply())) as server:
        server.script = ollama_script(tags=tags, show=Reply(body=(server.hang,)))
        async with opened(local_spec(server.url, "ollama")) as provider:
            with anyio.fail_after(NEVER_LONGER_S):
                found = await provider.models()
        assert len(server.requests) <= 2 + 4
    assert [spec.context_tokens for spec in found] == [None] * 30


async def test_a_context_that_was_told_once_is_known_while_the_server_is_busy(monkeypatch: pytest.MonkeyPatch):
    tags = json_reply({"models": [tag("m:1b")]})
    with FakeServer(ollama_script(tags=tags, show=show("num_ctx 2048"))) as server:
        async with opened(local_spec(server.url, "ollama")) as provider:
            monkeypatch.setattr("hybrid_mcp.providers.ollama._SHOW_BUDGET_S", NEVER_LONGER_S)
            [first] = await provider.models()
            server.script = ollama_script(tags=tags, show=Reply(body=(server.hang,)))
            monkeypatch.setattr("hybrid_mcp.providers.ollama._SHOW_BUDGET_S", 0.1)
            [second] = await provider.models()
    assert (first.context_tokens, second.context_tokens) == (2048, 2048)


async def loaded_of(ps: Reply) -> dict[str, Resident | None]:
    """What is known of three models when /api/ps answers so."""
    tags = json_reply({"models": [tag("whole:1b", size=900), tag("split:2b", size=1900), tag("idle:3b")]})
    with FakeServer(ollama_script(tags=tags, ps=ps)) as server:
        async with opened(local_spec(server.url, "ollama")) as provider:
            found = await provider.models()
    assert [spec.file_bytes for spec in found] == [900, 1900, None]
    return {spec.model: spec.resident for spec in found}


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hybrid_mcp.providers.ollama._SHOW_BUDGET_S", NEVER_LONGER_S)


@pytest.mark.usefixtures("patient")
async def test_ollama_tells_which_models_are_loaded_and_how_much_of_them_lies_on_the_graphics_card():
    running = [
        {"name": "whole:1b", "size": 1000, "size_vram": 1000, "expires_at": "2026-11-20T12:00:00Z"},
        {"name": "split:2b", "size": 2000, "size_vram": 0},
        {"name": "elsewhere:4b"},
    ]
    assert await loaded_of(json_reply({"models": running})) == {
        "whole:1b": Resident(memory_bytes=1000, card_bytes=1000), "split:2b": Resident(memory_bytes=2000),
        "idle:3b": None,
    }  # fmt: skip
    odd = [{"name": "whole:1b", "size": "much", "size_vram": -1}]
    assert (await loaded_of(json_reply({"models": odd})))["whole:1b"] == Resident()


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    "ps",
    [
        Reply(status=404),
        Reply(status=500),
        Reply(content_type="text/html", body=(b"<html>It works!</html>",)),
        json_reply({"models": None}),
        json_reply({"models": [{"size": 3}]}),
        Reply(body=("cut",)),
    ],
)
async def test_a_server_that_does_not_tell_what_is_loaded_still_has_its_models(ps: Reply):
    assert await loaded_of(ps) == {"whole:1b": None, "split:2b": None, "idle:3b": None}


@pytest.mark.parametrize(
    "tags",
    [
        Reply(content_type="text/html", body=(b"<html>It works!</html>",)),
        Reply(status=404),
        json_reply({"models": None}),
        json_reply({"models": [{"model": 3}]}),
        json_reply([]),
    ],
)
async def test_whatever_else_is_served_there_is_not_a_model(tags: Reply):
    assert await models_of(ollama_script(tags=tags)) == []


async def test_a_far_server_is_not_asked_for_its_models():
    with FakeServer(ollama_script(tags=json_reply({"models": [tag("m:1b")]}))) as server:
        async with opened(replace(local_spec(server.url, "ollama"), local=False)) as provider:
            assert list(await provider.models()) == []
        assert server.requests == []


REAL = os.environ.get("HYBRID_MCP_TEST_OLLAMA", "")
real = pytest.mark.skipif(not REAL, reason="HYBRID_MCP_TEST_OLLAMA names no running Ollama")
TEST_MODEL = "hybrid-mcp-test:135m"


@pytest.fixture(scope="module")
def real_spec() -> ProviderSpec:
    """A running Ollama with the test model, on one thread: more of them starve each other on a busy machine."""
    client = ollama.Client(host=REAL, trust_env=False)
    model = model_home() / "models" / MODEL_FILE
    client.create(model=TEST_MODEL, files={MODEL_FILE: client.create_blob(model)}, parameters={"num_thread": 1})
    client.close()
    return replace(local_spec(REAL, "ollama"), host=url_host(REAL))


async def real_model(spec: ProviderSpec) -> ModelSpec:
    async with opened(spec) as provider:
        return next(model for model in await provider.models() if model.model == TEST_MODEL)


@real
@pytest.mark.ollama
@pytest.mark.usefixtures("patient")
async def test_the_real_ollama_lists_its_model(real_spec: ProviderSpec):
    found = await real_model(real_spec)
    assert found == ModelSpec(
        provider=real_spec, model=TEST_MODEL, context_tokens=SERVED_CONTEXT, parameters=134_520_000,
        file_bytes=found.file_bytes, resident=found.resident,
    )  # fmt: skip


@real
@pytest.mark.ollama
@pytest.mark.usefixtures("patient")
async def test_the_real_ollama_tells_what_is_loaded_and_keeps_it_as_long_as_it_is_told_to(real_spec: ProviderSpec):
    call = replace(CALL, model=TEST_MODEL, max_output_tokens=2)
    async with opened(replace(real_spec, keep_alive="-1"), timeout_s=120) as provider:
        await provider.complete(call, Recorder())
    loaded = await real_model(real_spec)
    async with opened(replace(real_spec, keep_alive="0"), timeout_s=120) as provider:
        await provider.complete(call, Recorder())
    with anyio.fail_after(NEVER_LONGER_S):
        while (unloaded := await real_model(real_spec)).resident is not None:
            await checkpoint()
    # On the processor: nothing lies on a graphics card. The estimate of what it takes is no smaller than the truth.
    assert loaded.resident == Resident(memory_bytes=loaded.resident and loaded.resident.memory_bytes)
    estimate, truth = needed_bytes(unloaded), needed_bytes(loaded)
    assert unloaded.file_bytes is not None
    assert estimate is not None
    assert truth is not None
    assert unloaded.file_bytes < truth <= estimate


@real
@pytest.mark.ollama
@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("keep_alive", ["30m", "1h30m", "90s", "1h0m0s"])
async def test_the_real_ollama_reads_each_spelling_of_a_duration(real_spec: ProviderSpec, keep_alive: str):
    async with opened(replace(real_spec, keep_alive=keep_alive), timeout_s=120) as provider:
        await provider.complete(replace(CALL, model=TEST_MODEL, max_output_tokens=2), Recorder())
    assert (await real_model(real_spec)).resident is not None


@real
@pytest.mark.ollama
async def test_the_real_ollama_answers_with_usage(real_spec: ProviderSpec):
    heard = Recorder()
    async with opened(real_spec, timeout_s=120) as provider:
        completion = await provider.complete(replace(CALL, model=TEST_MODEL, max_output_tokens=8), heard)
    assert completion.text == "".join(heard.deltas) != ""
    assert completion.usage is not None
    assert 0 < completion.usage.output_tokens <= 8 < completion.usage.input_tokens


@real
@pytest.mark.ollama
async def test_the_real_ollama_is_caught_when_it_cuts(real_spec: ProviderSpec):
    dense = "".join(chr(0x21 + number * 7 % 90) for number in range(700))  # about one token a character
    call = ProviderCall(model=TEST_MODEL, messages=(Message("user", dense),), max_output_tokens=8)
    async with opened(replace(real_spec, context_tokens=300), timeout_s=120) as provider:
        with pytest.raises(ContextTooLong, match="more tokens than were read"):
            await provider.complete(call, Recorder())


@real
@pytest.mark.ollama
async def test_the_real_ollama_says_what_to_pull(real_spec: ProviderSpec):
    async with opened(real_spec) as provider:
        with pytest.raises(ProviderRejected, match="ollama pull no-such-model"):
            await provider.complete(replace(CALL, model="no-such-model"), Recorder())


@real
@pytest.mark.ollama
async def test_the_real_ollama_stops_writing_when_cancelled(real_spec: ProviderSpec):
    call = ProviderCall(model=TEST_MODEL, messages=(Message("user", "Count to 900."),), max_output_tokens=900)
    writing = threading.Event()
    heard = Recorder()
    heard.delta = lambda text: writing.set()
    async with opened(real_spec, timeout_s=120) as provider:
        async with anyio.create_task_group() as group:
            group.start_soon(provider.complete, call, heard)
            assert await anyio.to_thread.run_sync(writing.wait, 120)
            group.cancel_scope.cancel()
        # The one slot is free again: a short call does not queue behind nine hundred tokens.
        with anyio.fail_after(NEVER_LONGER_S):
            await provider.complete(replace(CALL, model=TEST_MODEL, max_output_tokens=2), Recorder())
