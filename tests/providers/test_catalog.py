"""What the catalog says of models in memory, from an Ollama that tells it."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import pytest

from hybrid_mcp.domain.memory import GB
from hybrid_mcp.domain.profile import ModelName, ModelSpec, Profile, ProviderSpec, Resident, RoutingRules
from hybrid_mcp.providers.catalog import FOUND_FOR_S, ProfileCatalog
from hybrid_mcp.providers.guarded import Breakers
from hybrid_mcp.providers.ollama import OllamaProvider
from tests.support_servers import (
    CLOSED,
    NEVER_LONGER_S,
    FakeServer,
    Received,
    Reply,
    json_reply,
    local_spec,
    ollama_script,
)
from tests.support_service import StillClock

pytestmark = pytest.mark.anyio

TAGS = json_reply({
    "models": [
        {"name": "small:1b", "size": GB}, {"name": "middle:7b", "size": 5 * GB}, {"name": "large:33b", "size": 19 * GB},
    ]
})  # fmt: skip


def running(*models: tuple[str, float, float]) -> Reply:
    """What /api/ps answers: names with GB in all and on the graphics card."""
    told = [{"name": name, "size": int(size * GB), "size_vram": int(card * GB)} for name, size, card in models]
    return json_reply({"models": told})


@asynccontextmanager
async def catalog(
    spec: ProviderSpec, clock: StillClock, machine_bytes: int | None = None, rules: RoutingRules | None = None
) -> AsyncGenerator[ProfileCatalog]:
    async def answers(_: ProviderSpec) -> bool:
        return True

    made = ProfileCatalog(
        profile=Profile(name="t", providers=(spec,), rules=rules or RoutingRules()), has_key=lambda _: True,
        answers=answers, open_provider=lambda one: OllamaProvider(spec=one, egress=CLOSED),
        breakers=Breakers(clock=clock), clock=clock, machine_bytes=machine_bytes,
    )  # fmt: skip
    try:
        yield made
    finally:
        await made.aclose()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hybrid_mcp.providers.ollama._SHOW_BUDGET_S", NEVER_LONGER_S)
    monkeypatch.setattr("hybrid_mcp.providers.discovery.HERE_S", NEVER_LONGER_S)


async def test_who_has_no_time_finds_less_and_the_next_one_looks_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hybrid_mcp.providers.http.LISTING_TIMEOUT_S", 2 * NEVER_LONGER_S)
    slow = threading.Event()

    def script(received: Received) -> Reply:
        reply = ollama_script(tags=TAGS)(received)
        return replace(reply, body=(slow, *reply.body)) if received.path == "/api/tags" else reply

    with FakeServer(script) as server:
        async with catalog(local_spec(server.url, "ollama"), StillClock()) as made:
            with anyio.fail_after(NEVER_LONGER_S):
                assert await made.listed(patience_s=0.05) == []
            slow.set()
            assert len(await made.listed()) == 3


async def test_what_is_loaded_is_known_and_looked_for_again_after_some_seconds():
    loaded = running(("middle:7b", 6, 2), ("small:1b", 2, 2))
    clock = StillClock()

    def script(received: Received) -> Reply:
        return ollama_script(tags=TAGS, ps=loaded)(received)

    with FakeServer(script) as server:
        async with catalog(local_spec(server.url, "ollama"), clock) as made:
            first = [(entry.spec.model, entry.loaded, entry.split) for entry in await made.listed()]
            loaded = running()
            clock.seconds += FOUND_FOR_S
            same = [entry.loaded for entry in await made.listed()]
            clock.seconds += 0.1
            after = [entry.loaded for entry in await made.listed()]
    assert first == [("small:1b", True, False), ("middle:7b", True, True), ("large:33b", False, False)]
    assert (same, after) == ([True, True, False], [False, False, False])


async def test_a_listed_model_is_known_as_loaded_too():
    rules = RoutingRules(local_models=(ModelName(provider="here", model="middle:7b"),))
    with FakeServer(ollama_script(tags=TAGS, ps=running(("middle:7b", 6, 6)))) as server:
        async with catalog(local_spec(server.url, "ollama"), StillClock(), rules=rules) as made:
            [entry] = await made.listed()
    assert (entry.spec.model, entry.loaded, entry.spec.file_bytes) == ("middle:7b", True, 5 * GB)


def as_it_is(spec: ProviderSpec) -> ProviderSpec:
    return spec


def declared(spec: ProviderSpec) -> ProviderSpec:
    return replace(spec, memory_bytes=12 * GB)


def in_the_lan(spec: ProviderSpec) -> ProviderSpec:
    return replace(spec, loopback=False)


def declared_in_the_lan(spec: ProviderSpec) -> ProviderSpec:
    return in_the_lan(declared(spec))


@pytest.mark.parametrize(
    ("change", "resident", "there"),
    [
        (as_it_is, None, 16 * GB),
        (as_it_is, Resident(memory_bytes=20 * GB), None),
        (declared, None, 12 * GB),
        (declared, Resident(memory_bytes=20 * GB), 12 * GB),
        (in_the_lan, None, None),
        (declared_in_the_lan, None, 12 * GB),
    ],
)
async def test_there_is_as_much_memory_as_the_owner_says_else_as_this_machine_has(
    change: Callable[[ProviderSpec], ProviderSpec], resident: Resident | None, there: int | None
):
    spec = change(local_spec("http://127.0.0.1:9", "ollama"))
    async with catalog(spec, StillClock(), machine_bytes=16 * GB) as made:
        assert made.entry(ModelSpec(provider=spec, model="m", resident=resident)).memory_bytes == there
