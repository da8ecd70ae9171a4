"""In airgap the whole program, with every vendor's key set, says nothing to anybody but this machine."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hybrid_mcp.app import App, open_app
from hybrid_mcp.checkup import checkup
from hybrid_mcp.config import load_settings
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.errors import EgressDenied, HybridError, ProviderUnavailable
from hybrid_mcp.domain.profile import ModelSpec, ProviderSpec
from hybrid_mcp.domain.vendors import VENDORS
from hybrid_mcp.observe.silent import Silent
from hybrid_mcp.providers.prices import GenaiPrices
from tests.socket_guard.sitecustomize import is_here
from tests.support_config import write
from tests.support_e2e import run
from tests.support_network import guarded_programs, network_use, offences_expected
from tests.support_servers import CALL, FakeServer, Recorder, json_reply, ollama_script

pytestmark = pytest.mark.anyio

CLOUDS = [row for row in VENDORS.values() if not row.local]
TAGS = json_reply({"models": [{"name": "tiny:1b", "size": 1_000_000_000, "details": {"family": "llama"}}]})
PRICED = "price: {input_per_mtok: 1, output_per_mtok: 2, context: 100000}"


def profile() -> str:
    models = [f'"{row.name}:{row.default_model or "some-model"}"' for row in CLOUDS]
    rows = [f"  {row.name}: {{{PRICED}}}" for row in CLOUDS]
    return f"""\
profile: everything
monthly_budget: 1000
routing_rules:
  complexity_threshold: 0
  always_try_local_first: false
  local_models: ["ollama:tiny:1b", "lanbox:m", "gpubox:m"]
  cloud_models: [{", ".join(models)}, "mycloud:m"]
  fallback: local
providers:
{chr(10).join(rows)}
  lanbox: {{kind: openai, base_url: "http://192.168.77.7:8000/v1", local: true}}
  gpubox: {{kind: openai, base_url: "http://gpubox:8000/v1", local: true}}
  mycloud: {{kind: openai, base_url: "https://cloud.example.com/v1", {PRICED}}}
"""


def everything_set(ollama: str) -> Mapping[str, str]:
    keys = {name: "sk-of-a-vendor" for row in CLOUDS for name in row.api_key_env}
    elsewhere = dict.fromkeys(("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "HTTPS_PROXY", "ALL_PROXY"), "http://192.0.2.1")
    return {**keys, **elsewhere, "OLLAMA_HOST": ollama}


@pytest.fixture(autouse=True)
def in_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the vendors' own libraries would look."""
    for name, value in everything_set("http://192.0.2.1:11434").items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name.lower(), value)


@asynccontextmanager
async def everything(home: Path, ollama: str, *, airgap: bool) -> AsyncGenerator[App]:
    write(home / "profiles" / "everything.yaml", profile())
    hosts = [row.host for row in CLOUDS] + ["192.168.77.7", "gpubox", "cloud.example.com"]
    write(home / "whitelist.json", json.dumps({"cloud_apis": hosts}))
    settings = load_settings(environ=everything_set(ollama), home=home, profile="everything", airgap=airgap)
    app = open_app(settings, Silent())
    try:
        yield app
    finally:
        await app.aclose()


async def use_all_of(app: App) -> list[str]:
    """Every way to make the program talk; the texts of the answers."""
    requests = [
        Request(prompt="Say hello"),
        Request(prompt="Prove it, step by step", quality="high"),
        Request(prompt="Say hello again", force_cloud=True),
        *(Request(prompt=f"To {row.name}", preferred_model=f"{row.name}:m") for row in CLOUDS),
        *(Request(prompt=f"To {alias}", preferred_model=alias) for alias in ("claude", "gemini", "openai")),
        Request(prompt="Plan", force_cloud=True, dry_run=True),
    ]
    answers: list[str] = []
    for request in requests:
        try:
            answers.append((await app.service.complete(request, Recorder(), app.account)).text or "")
        except HybridError as error:
            answers.append(type(error).__name__)
    await checkup(app, whole_ledger=True)
    await app.reports.budget("month", app.account)
    return answers


def far_providers(app: App) -> list[ProviderSpec]:
    return [spec for spec in app.settings.profile.providers if not (spec.loopback and spec.local)]


async def test_in_airgap_nothing_but_this_machine_is_contacted(tmp_path: Path):
    with FakeServer(ollama_script(tags=TAGS)) as here, network_use() as seen:
        async with everything(tmp_path, here.url, airgap=True) as app:
            answers = await use_all_of(app)
        assert "Hello there" in answers
        assert "EgressDenied" in answers
        assert here.requests
    assert seen
    assert [event for event in seen if not is_here(event.split()[1])] == []


async def test_the_same_without_airgap_would_have_been_seen(tmp_path: Path):
    with offences_expected() as found:
        async with everything(tmp_path, "http://127.0.0.1:9", airgap=False) as app:
            for spec in far_providers(app):
                with pytest.raises(ProviderUnavailable):
                    await app.catalog.provider(ModelSpec(provider=spec, model="m")).complete(CALL, Recorder())
    assert {offence.split()[1] for offence in found} == {spec.host for spec in far_providers(app)}


async def test_in_airgap_an_adapter_that_is_asked_all_the_same_refuses(tmp_path: Path):
    """As if routing had made a mistake: for every provider that is not this machine."""
    with network_use() as seen:
        async with everything(tmp_path, "http://127.0.0.1:9", airgap=True) as app:
            assert len(far_providers(app)) == len(CLOUDS) + 3
            for spec in far_providers(app):
                with pytest.raises(EgressDenied, match="airgap is on"):
                    await app.catalog.provider(ModelSpec(provider=spec, model="m")).complete(CALL, Recorder())
    assert seen == []


@pytest.mark.parametrize("airgap", [True, False])
def test_the_installed_program_keeps_to_it_too(tmp_path: Path, airgap: bool):
    """Without airgap the same command goes out, and the guard inside of the program sees it."""
    write(tmp_path / "profiles" / "everything.yaml", profile())
    write(tmp_path / "whitelist.json", json.dumps({"cloud_apis": ["api.openai.com"]}))
    offences = tmp_path / "offences"
    with FakeServer(ollama_script(tags=TAGS)) as here:
        env = {**everything_set(here.url), **guarded_programs(offences), "AIRGAP_MODE": str(airgap)}
        done = run(tmp_path, "ask", "Say hello", "--profile", "everything", "--preferred-model", "openai", **env)
    if airgap:
        assert (done.returncode, offences.exists()) == (0, False), done.stderr
        assert "Hello there" in done.stdout
    else:
        assert "socket.getaddrinfo api.openai.com in " in offences.read_text(encoding="utf-8")


async def test_prices_are_not_fetched():
    with network_use() as seen:
        model = ModelSpec(provider=VENDORS["openai"], model="gpt-6.1-sol")
        assert GenaiPrices().facts(model, datetime(2026, 11, 20, tzinfo=UTC)) is not None
    assert seen == []
