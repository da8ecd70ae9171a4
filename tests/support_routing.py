"""Builders for routing and service tests: plain values, no files, no network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hybrid_mcp.domain.budget import EMPTY, FREE, Balance, BudgetView, Caps, Quote
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.eligibility import Candidate, Situation
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import ModelSpec, Profile, ProviderSpec, RoutingRules, Tier
from hybrid_mcp.domain.scorer import Complexity
from hybrid_mcp.domain.vendors import EMBEDDED
from hybrid_mcp.domain.whitelist import Whitelist

HERE = ProviderSpec(
    name="here", kind="openai", base_url="http://127.0.0.1:1/v1", host="127.0.0.1", loopback=True, local=True
)
CLOUD = ProviderSpec(
    name="cloud", kind="openai", base_url="https://api.cloud.com/v1", host="api.cloud.com", api_key_env=("CLOUD_KEY",),
    key_needed=True,
)  # fmt: skip
WHITELIST = Whitelist(
    cloud_apis=("cloud.com",),
    allowed_for_cloud={"simple_completion": False, "code_review": True, "reasoning_tasks": True},
)
CAPS = Caps(request=Usd.limit(10), day=None, month=Usd.limit(50))


def local(name: str, **changes: Any) -> Candidate:
    return Candidate(spec=ModelSpec(provider=HERE, model=name), quote=FREE, **changes)


def paid(name: str, mtok: int, tier: Tier | None = None, **changes: Any) -> Candidate:
    """A cloud model at the same price for a million tokens in and out."""
    nanos = mtok * 1000
    quote = Quote(input=Usd(nanos * 1000), output_token_nanos=nanos)
    given: dict[str, Any] = {"quote": quote, "blended_nanos": 4 * nanos, **changes}
    return Candidate(spec=ModelSpec(provider=CLOUD, model=name, tier=tier), **given)


SMALL = Candidate(spec=ModelSpec(provider=EMBEDDED, model="smollm2"), quote=FREE, last_resort=True)
LADDER = (local("fast"), local("quality"), local("best"))
PAID = (paid("cheap", 1), paid("premium", 10))


def situation(
    hundredths: int,
    *,
    request: Request | None = None,
    rules: RoutingRules | None = None,
    budget: BudgetView | None = None,
    task: str | None = None,
    **changes: Any,
) -> Situation:
    given: dict[str, Any] = {"sensitive": None, "whitelist": WHITELIST, **changes}
    profile = given.pop("profile", Profile(name="test", monthly_budget=Usd.limit(50)))
    return Situation(
        request=request or Request(prompt="p"),
        complexity=Complexity(hundredths=hundredths, signals={}, task=task, tokens=10, inferred=task),
        profile=replace(profile, rules=rules or RoutingRules(threshold=0, always_try_local_first=False)),
        budget=budget or BudgetView(caps=CAPS),
        **given,
    )


def spent(dollars: str, caps: Caps = CAPS) -> BudgetView:
    """A month in which so much is spent."""
    return BudgetView(caps=caps, balances={**EMPTY, "month": Balance(spent=Usd.limit(dollars))})
