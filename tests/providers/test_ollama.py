from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import repeat
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.completion import Completion, Effort, Message, Usage
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
from hybrid_mcp.ports import ProviderCall
from hybrid_mcp.providers.ollama import SERVED_CONTEXT, OllamaProvider
from tests.support_contract import OLLAMA_MODEL
from tests.support_servers import (
    CALL,
    CLOSED,
    NEVER_LONGER_S,
    OLLAMA_SHOW,
    SEAL,
    FakeServer,
    Received,
    Recorder,
    Reply,
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


async def test_more_tokens_than_the_context_holds_are_an_answer_that_was_cut():
    end = ollama_end(prompt_eval_count=20, eval_count=10**18)
    kind, billed, _ = await failure_of(ollama_script(chat(ollama_part("Hi"), end)))
    assert (kind, billed) == (ContextTooLong, True)


@pytest.mark.parametrize(
    ("model", "can_think", "sent"),
    [
        ("qwen3:4b", True, [None, False, True, True]),
        ("gpt-oss:20b", True, [None, "low", "medium", "high"]),
        ("smollm2:135m", False, [None, None, None, None]),
    ],
)
async def test_only_a_model_that_can_think_is_told_how_much(model: str, can_think: bool, sent: list[object]):
    efforts: tuple[Effort | None, ...] = (None, "low", "medium", "high")
    capabilities = ["completion", "thinking"] if can_think else ["completion"]
    with FakeServer(ollama_script(show=json_reply({**OLLAMA_SHOW, "capabilities": capabilities}))) as server:
        async with opened(local_spec(server.url, "ollama")) as provider:
            for effort in efforts:
                await provider.complete(replace(CALL, model=model, reasoning_effort=effort), Recorder())
        assert [received.json.get("think") for received in server.requests[1:]] == sent


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


async def real_model(spec: ProviderSpec) -> ModelSpec:
    async with opened(spec) as provider:
        return next(model for model in await provider.models() if model.model == OLLAMA_MODEL)


@pytest.mark.ollama
@pytest.mark.usefixtures("patient")
async def test_the_real_ollama_lists_its_model(ollama_spec: ProviderSpec):
    found = await real_model(ollama_spec)
    assert found == ModelSpec(
        provider=ollama_spec, model=OLLAMA_MODEL, context_tokens=SERVED_CONTEXT, parameters=134_520_000,
        file_bytes=found.file_bytes, resident=found.resident,
    )  # fmt: skip


@pytest.mark.ollama
@pytest.mark.usefixtures("patient")
async def test_the_real_ollama_tells_what_is_loaded_and_keeps_it_as_long_as_it_is_told_to(ollama_spec: ProviderSpec):
    call = replace(CALL, model=OLLAMA_MODEL, max_output_tokens=2)
    async with opened(replace(ollama_spec, keep_alive="-1"), timeout_s=120) as provider:
        await provider.complete(call, Recorder())
    loaded = await real_model(ollama_spec)
    async with opened(replace(ollama_spec, keep_alive="0"), timeout_s=120) as provider:
        await provider.complete(call, Recorder())
    with anyio.fail_after(NEVER_LONGER_S):
        while (unloaded := await real_model(ollama_spec)).resident is not None:
            await checkpoint()
    # On the processor: nothing lies on a graphics card. The estimate of what it takes is no smaller than the truth.
    assert loaded.resident == Resident(memory_bytes=loaded.resident and loaded.resident.memory_bytes)
    estimate, truth = needed_bytes(unloaded), needed_bytes(loaded)
    assert unloaded.file_bytes is not None
    assert estimate is not None
    assert truth is not None
    assert unloaded.file_bytes < truth <= estimate


@pytest.mark.ollama
@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("keep_alive", ["30m", "1h30m", "90s", "1h0m0s"])
async def test_the_real_ollama_reads_each_spelling_of_a_duration(ollama_spec: ProviderSpec, keep_alive: str):
    async with opened(replace(ollama_spec, keep_alive=keep_alive), timeout_s=120) as provider:
        await provider.complete(replace(CALL, model=OLLAMA_MODEL, max_output_tokens=2), Recorder())
    assert (await real_model(ollama_spec)).resident is not None


@pytest.mark.ollama
async def test_the_real_ollama_is_caught_when_it_cuts(ollama_spec: ProviderSpec):
    dense = "".join(chr(0x21 + number * 7 % 90) for number in range(700))  # about one token a character
    call = ProviderCall(model=OLLAMA_MODEL, messages=(Message("user", dense),), max_output_tokens=8)
    async with opened(replace(ollama_spec, context_tokens=300), timeout_s=120) as provider:
        with pytest.raises(ContextTooLong, match="more tokens than were read"):
            await provider.complete(call, Recorder())


@pytest.mark.ollama
async def test_the_real_ollama_says_what_to_pull(ollama_spec: ProviderSpec):
    async with opened(ollama_spec) as provider:
        with pytest.raises(ProviderRejected, match="ollama pull no-such-model"):
            await provider.complete(replace(CALL, model="no-such-model"), Recorder())
