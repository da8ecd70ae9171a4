"""What a client offers while its user types an argument."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS, Completion, PromptReference, ResourceTemplateReference

from hybrid_mcp import completions
from hybrid_mcp.app import App
from hybrid_mcp.domain.errors import ConfigError
from hybrid_mcp.server import build_server
from tests.support_front import ERAS, PROFILE, Era, front

pytestmark = pytest.mark.anyio

DELEGATE, REVIEW, ALLOW = (PromptReference(name=name) for name in ("delegate", "review_spend", "ask_to_allow"))
USAGE = ResourceTemplateReference(uri="hybrid://usage/{period}")
ALIASES = ["gemini", "claude", "openai", "local"]


async def offered(mcp: Client, ref: PromptReference | ResourceTemplateReference, name: str, typed: str) -> Completion:
    return (await mcp.complete(ref, {"name": name, "value": typed})).completion


@pytest.mark.parametrize("era", ERAS)
async def test_each_argument_is_offered_what_it_takes(tmp_path: Path, era: Era):
    async with front(tmp_path, era) as one:
        models = await offered(one.mcp, DELEGATE, "model", "")
        assert models == Completion(values=[*ALIASES, "ollama:none", "fake:big"], total=6, has_more=False)
        for ref in (USAGE, REVIEW):
            assert (await offered(one.mcp, ref, "period", "")).values == ["month", "day"]
        types = await offered(one.mcp, ALLOW, "resource_type", "")
        assert types.values == ["cloud_apis", "domains", "mcp_servers", "allowed_for_cloud"]


@pytest.mark.parametrize(
    ("typed", "values"),
    [("FA", ["fake:big"]), ("fake:B", ["fake:big"]), ("bi", ["fake:big"]), ("c", ["claude"]), ("ake", [])],
)
async def test_what_was_typed_is_the_beginning_in_any_case(tmp_path: Path, typed: str, values: list[str]):
    async with front(tmp_path) as one:
        assert (await offered(one.mcp, DELEGATE, "model", typed)).values == values


async def test_an_argument_that_may_hold_anything_is_offered_nothing():
    def nobody() -> App:
        raise AssertionError("opened")

    async with Client(build_server(nobody)) as mcp:
        for ref, name in ((DELEGATE, "task"), (DELEGATE, "nothing"), (ALLOW, "reason"), (USAGE, "model")):
            assert (await offered(mcp, ref, name, "s")) == Completion(values=[], total=0, has_more=False)


async def test_a_name_that_nothing_has_is_refused_without_an_echo():
    def nobody() -> App:
        raise AssertionError("opened")

    async with Client(build_server(nobody)) as mcp:
        for ref in (PromptReference(name="SEALED"), ResourceTemplateReference(uri="hybrid://SEALED")):
            with pytest.raises(MCPError, match="there are delegate, review_spend") as refused:
                await offered(mcp, ref, "model", "SEALED")
            assert refused.value.error.code == INVALID_PARAMS
            assert "SEALED" not in f"{refused.value.error}"


async def test_at_most_a_hundred_are_offered_and_the_rest_is_counted(tmp_path: Path):
    many = ", ".join(f'"fake:m{number}"' for number in range(150))
    async with front(tmp_path, profile=PROFILE.replace('"fake:big"', many)) as one:
        found = await offered(one.mcp, DELEGATE, "model", "fake:")
    assert found == Completion(values=[f"fake:m{number}" for number in range(100)], total=150, has_more=True)


async def test_what_is_found_here_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(completions, "WAIT_S", 0.0)
    async with front(tmp_path, profile=PROFILE.replace('"ollama:none"', "")) as one:
        assert (await offered(one.mcp, DELEGATE, "model", "")).values == [*ALIASES, "fake:big"]
        assert "embedded:smollm2" in [entry.spec.name for entry in await one.app.catalog.listed(0.01)]


async def test_a_home_that_cannot_be_opened_offers_the_aliases_and_says_nothing():
    def broken() -> App:
        raise ConfigError("SEALED/profile.yaml: line 3: SEALED")

    async with Client(build_server(broken)) as mcp:
        assert (await offered(mcp, DELEGATE, "model", "")).values == ALIASES
