"""What a caller may name as a model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.naming import preferred_models
from hybrid_mcp.domain.profile import ModelSpec, Profile
from tests.support_routing import CLOUD, HERE

PROFILE = Profile(name="t", monthly_budget=Usd.limit(5), providers=(CLOUD, replace(HERE, kind="openai")))


def meant(name: str) -> tuple[ModelSpec, ...]:
    return preferred_models(name, [], PROFILE, lambda _: True)


@pytest.mark.parametrize("model", ["big-1", "meta-llama/Llama-3.1-8B", "hf.co/a/b:Q4_K_M", "m@20250929", "x+y"])
@pytest.mark.parametrize("provider", [CLOUD.name, HERE.name])
def test_a_model_that_is_not_listed_may_be_named(provider: str, model: str):
    assert [spec.name for spec in meant(f"{provider}:{model}")] == [f"{provider}:{model}"]


@pytest.mark.parametrize("model", ["password is Gr8Pa55zz", "a\tb", "m" * 101, "ключ", "{a}", "a,b", "-x", ""])
@pytest.mark.parametrize("provider", [CLOUD.name, HERE.name])
def test_words_are_no_name_of_a_model(provider: str, model: str):
    with pytest.raises(InvalidRequest, match="is not known"):
        meant(f"{provider}:{model}")
