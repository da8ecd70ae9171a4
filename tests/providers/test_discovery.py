from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from itertools import repeat

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.completion import Completion
from hybrid_mcp.domain.errors import EgressDenied
from hybrid_mcp.domain.profile import ModelSpec, ProviderSpec
from hybrid_mcp.ports import Progress, Provider, ProviderCall
from hybrid_mcp.providers.discovery import MODELS_KEPT, discover, parameters_in, size_key
from hybrid_mcp.providers.http import answers
from hybrid_mcp.providers.ollama import SERVED_CONTEXT, OllamaProvider
from hybrid_mcp.providers.openai import OpenAIProvider
from tests.support_servers import (
    CLOSED,
    NEVER_LONGER_S,
    FakeServer,
    Received,
    Reply,
    closed_port_url,
    json_reply,
    local_spec,
    ollama_script,
    reply_always,
)

pytestmark = pytest.mark.anyio

HERE = ProviderSpec(name="here", kind="openai", local=True, loopback=True)


def openai_models(*ids: str) -> Callable[[Received], Reply]:
    return reply_always(json_reply({"object": "list", "data": [{"id": name, "object": "model"} for name in ids]}))


def ollama_models(**sizes: str) -> Callable[[Received], Reply]:
    tags = [{"name": name, "details": {"parameter_size": size}} for name, size in sizes.items()]
    return ollama_script(tags=json_reply({"models": tags}))


async def found_at(*specs: ProviderSpec, limit_s: float = 0.3) -> list[str]:
    async with AsyncExitStack() as stack:

        def open_provider(spec: ProviderSpec) -> Provider:
            provider = (
                OllamaProvider(spec=spec, egress=CLOSED)
                if spec.kind == "ollama"
                else OpenAIProvider(spec=spec, api_key=lambda: None, egress=CLOSED)
            )
            stack.push_async_callback(provider.aclose)
            return provider

        return [
            model.name for model in await discover(specs, lambda spec: answers(spec, CLOSED), open_provider, limit_s)
        ]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left out because the machine is slow."""
    monkeypatch.setattr("hybrid_mcp.providers.ollama._SHOW_BUDGET_S", NEVER_LONGER_S)
    monkeypatch.setattr("hybrid_mcp.providers.discovery.HERE_S", NEVER_LONGER_S)


@pytest.mark.usefixtures("patient")
async def test_models_of_all_servers_come_in_one_order_smallest_first():
    with (
        FakeServer(openai_models("big-70b", "small-1b", "mystery")) as one,
        FakeServer(ollama_models(middle="7.6B", tiny="134.52M")) as two,
    ):
        specs = local_spec(f"{one.url}/v1", name="vllm"), local_spec(two.url, "ollama", name="ollama")
        names = await found_at(*specs, limit_s=NEVER_LONGER_S)
    assert names == ["ollama:tiny", "vllm:small-1b", "ollama:middle", "vllm:big-70b", "vllm:mystery"]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    "reply",
    [
        Reply(content_type="text/html", body=(b"<html>It works!</html>",)),
        Reply(status=404),
        Reply(status=500),
        Reply(status=307, headers={"Location": "http://127.0.0.1:9/"}),
        json_reply({"data": [{"id": 1, "name": "a user"}]}),
        json_reply({"models": [{"title": "a car"}]}),
        Reply(body=("cut",)),
        Reply(body=repeat(b"x" * 1000)),
        Reply(content_type="application/json", body=repeat(b"[" * 1000)),
    ],
)
async def test_something_else_on_a_well_known_port_is_harmless(reply: Reply):
    with FakeServer(reply_always(reply)) as other, FakeServer(openai_models("good-1b")) as good:
        specs = (
            local_spec(f"{other.url}/v1", name="other"),
            local_spec(other.url, "ollama", name="otherollama"),
            local_spec(f"{good.url}/v1", name="good"),
        )
        assert await found_at(*specs, limit_s=NEVER_LONGER_S) == ["good:good-1b"]


@pytest.mark.usefixtures("patient")
async def test_a_server_that_never_answers_does_not_hold_the_others_up():
    with FakeServer(reply_always(Reply())) as silent, FakeServer(openai_models("good-1b")) as good:
        silent.script = reply_always(Reply(body=(silent.hang,)))
        specs = [local_spec(f"{silent.url}/v1", name=f"silent{number}") for number in range(4)]
        with anyio.fail_after(NEVER_LONGER_S):
            names = await found_at(*specs, local_spec(f"{good.url}/v1", name="good"), limit_s=3.0)
        assert names == ["good:good-1b"]
        assert len(silent.requests) == 2 * len(specs)


async def test_where_nothing_listens_nothing_is_found():
    assert await found_at(local_spec(closed_port_url()), local_spec(closed_port_url(), "ollama")) == []


async def listens(spec: ProviderSpec) -> bool:
    return spec.kind == "openai"


class Scripted:
    """A provider whose models come out of a function."""

    def __init__(self, look: Callable[[], Awaitable[Sequence[ModelSpec]]]) -> None:
        self.look = look

    async def complete(self, call: ProviderCall, progress: Progress) -> Completion:
        raise AssertionError(call, progress)

    async def models(self) -> Sequence[ModelSpec]:
        return await self.look()

    async def aclose(self) -> None: ...


async def test_a_provider_that_is_refused_or_slow_is_absent():
    async def refuse() -> Sequence[ModelSpec]:
        raise EgressDenied("not on the whitelist")

    async def sleep() -> Sequence[ModelSpec]:
        await anyio.sleep_forever()
        return []

    async def answer() -> Sequence[ModelSpec]:
        return [good]

    good = ModelSpec(provider=HERE, model="good")
    providers = {"refused": Scripted(refuse), "slow": Scripted(sleep), "good": Scripted(answer)}
    specs = [ProviderSpec(name=name, kind="openai") for name in providers]
    with anyio.fail_after(NEVER_LONGER_S):
        assert await discover(specs, listens, lambda spec: providers[spec.name]) == [good]


async def test_a_server_that_does_not_answer_is_never_opened():
    async def silent(spec: ProviderSpec) -> bool:
        await anyio.sleep_forever()
        return spec.local

    async def denied(spec: ProviderSpec) -> bool:
        raise EgressDenied(spec.name)

    def never(spec: ProviderSpec) -> Provider:
        raise AssertionError(spec.name)

    for nobody in (silent, denied):
        assert await discover([HERE], nobody, never, 0.01) == []


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("qwen2.5:7b", 7_000_000_000),
        ("Qwen2.5-Coder-0.5B-Instruct-Q4_K_M", 500_000_000),
        ("/models/SmolLM2-135M-Instruct.Q4_1.gguf", 135_000_000),
        ("mixtral-8x7b", 56_000_000_000),
        ("qwen3-30b-a3b", 30_000_000_000),
        ("gemma-3n-E4B-it", 4_000_000_000),
        ("134.52M", 134_520_000),
        ("7.6 B", 7_600_000_000),
        ("phi3:mini", None),
        ("llama3.2:latest", None),
        ("model-4bit", None),
        ("abc7b2", None),
        (f"model-{'9' * 400}b", None),
        (f"{'9' * 400}x7b", None),
        (f"model-7.{'0' * 400}b", None),
        ("999x999999b", None),
        ("", None),
    ],
)
def test_a_models_size_is_read_from_its_name(name: str, parameters: int | None):
    assert parameters_in(name) == parameters


ABSURD = 10**400


async def test_absurd_numbers_of_a_server_count_as_unknown():
    meta = {"n_ctx": ABSURD, "n_ctx_train": -1, "n_params": ABSURD}
    entries = [{"id": "odd", "object": "model", "meta": meta, "max_model_len": ABSURD, "context_length": 1.5e300}]
    tags = [{"name": f"x{'9' * 400}b", "size": ABSURD}, {"name": "m", "details": {"parameter_size": f"{ABSURD}B"}}]
    shown = json_reply({"parameters": f"num_ctx {ABSURD}", "model_info": {"x.context_length": ABSURD}})
    with (
        FakeServer(reply_always(json_reply({"object": "list", "data": entries}))) as one,
        FakeServer(ollama_script(tags=json_reply({"models": tags}), show=shown)) as two,
    ):
        openai = OpenAIProvider(spec=local_spec(one.url), api_key=lambda: None, egress=CLOSED)
        ollama = OllamaProvider(spec=local_spec(two.url, "ollama"), egress=CLOSED)
        found = [*await openai.models(), *await ollama.models()]
        await openai.aclose()
        await ollama.aclose()
    assert [model.parameters for model in found] == [None, None, None]
    assert {model.context_tokens for model in found} <= {None, SERVED_CONTEXT}


@pytest.mark.usefixtures("patient")
async def test_of_one_server_no_more_models_are_kept_than_a_person_has():
    names = [f"m{number:04}" for number in range(MODELS_KEPT + 50)]
    with FakeServer(openai_models(*names)) as one, FakeServer(ollama_models(**dict.fromkeys(names, "1B"))) as two:
        specs = local_spec(f"{one.url}/v1", name="a"), local_spec(two.url, "ollama", name="b")
        found = await found_at(*specs, limit_s=NEVER_LONGER_S)
    assert sorted(found) == [f"{server}:{name}" for server in "ab" for name in names[:MODELS_KEPT]]


@pytest.mark.usefixtures("patient")
async def test_a_name_that_a_terminal_would_obey_is_left_out():
    names = "\x1b[2Jgone", "two\nlines", "\u202ebackwards", "m" * 501, "", "good"
    with FakeServer(openai_models(*names)) as one, FakeServer(ollama_models(**dict.fromkeys(names, "1B"))) as two:
        specs = local_spec(f"{one.url}/v1", name="a"), local_spec(two.url, "ollama", name="b")
        found = await found_at(*specs, limit_s=NEVER_LONGER_S)
    assert sorted(found) == ["a:good", "b:good"]


@given(st.lists(st.one_of(st.none(), st.integers(1, 10**12)), min_size=1))
def test_known_sizes_come_in_order_and_unknown_ones_last(sizes: list[int | None]):
    models = [ModelSpec(provider=HERE, model=f"m{number}", parameters=size) for number, size in enumerate(sizes)]
    ordered = [model.parameters for model in sorted(models, key=size_key)]
    known = [size for size in ordered if size is not None]
    assert known == sorted(known)
    assert ordered[: len(known)] == known
