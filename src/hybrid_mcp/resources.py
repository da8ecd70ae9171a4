"""The `hybrid://` resources and the texts behind them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.domain.confidence import threshold_of
from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.domain.memory import GB, misfit, needed_bytes, split_note
from hybrid_mcp.host import Host, in_words
from hybrid_mcp.wire import budget_result, dollars

if TYPE_CHECKING:
    from hybrid_mcp.app import App
    from hybrid_mcp.domain.profile import ModelName
    from hybrid_mcp.ports import Listed

WHITELIST = "hybrid://whitelist"
PROFILE = "hybrid://profile"
MODELS = "hybrid://models"
USAGE = "hybrid://usage/{period}"
PERIODS = ("month", "day")
HEALTH = "hybrid://health"
ADDRESSES = (WHITELIST, PROFILE, MODELS, *(USAGE.format(period=period) for period in PERIODS), HEALTH)
"""In the order in which they are listed."""


def add_resources(server: MCPServer[Host], host: Host) -> None:
    def resource(uri: str, title: str, description: str) -> Callable[[Any], Any]:
        name = uri.removeprefix("hybrid://").partition("/{")[0]
        return server.resource(uri, name=name, title=title, description=description, mime_type="application/json")

    @resource(WHITELIST, "Whitelist", "What the owner allows: hosts, MCP servers, and tasks for cloud models")
    def whitelist() -> str:
        with in_words(ResourceError):
            return whitelist_json(host.app())

    @resource(PROFILE, "Profile", "The profile in force: caps, rules and models")
    def profile() -> str:
        with in_words(ResourceError):
            return profile_json(host.app())

    @resource(MODELS, "Models", "Models that may be used, and why some may not")
    async def models() -> str:
        with in_words(ResourceError):
            return await models_json(host.app())

    async def usage(period: str) -> str:
        if period not in PERIODS:
            raise ResourceNotFoundError
        with in_words(ResourceError):
            return budget_result(await host.app().reports.budget(period, host.account())).to_json()

    resource(USAGE, "Usage", "Spending of this month or day (UTC): caps, what is left, models, alerts")(usage)
    for period in PERIODS:
        about = f"Spending of this {period} (UTC): caps, what is left, models, alerts"
        resource(USAGE.format(period=period), f"Usage of this {period}", about)(partial(usage, period))

    @resource(HEALTH, "Health", "What works, what does not, and what to do")
    async def health() -> str:
        with in_words(ResourceError):
            return await health_json(host.app())


def whitelist_json(app: App) -> str:
    whitelist = app.whitelist()
    return _json({
        "cloud_apis": whitelist.cloud_apis, "domains": whitelist.domains, "mcp_servers": whitelist.mcp_servers,
        "allowed_for_cloud": dict(whitelist.allowed_for_cloud),
    })  # fmt: skip


def profile_json(app: App) -> str:
    profile, rules = app.settings.profile, app.settings.profile.rules
    return _json({
        "profile": profile.name, "monthly_budget": dollars(profile.monthly_budget),
        "daily_budget": dollars(profile.daily_budget), "client_budget": dollars(profile.client_budget),
        "project_budget": dollars(profile.project_budget), "max_cost": dollars(profile.max_cost),
        "routing_rules": {
            "complexity_threshold": rules.threshold / 100, "always_try_local_first": rules.always_try_local_first,
            "local_models": _names(rules.local_models), "cloud_models": _names(rules.cloud_models),
            "fallback": rules.fallback,
            "judge": None if rules.judge is None else str(rules.judge),
        },
        "approval": profile.approval, "airgap": profile.airgap, "notices": app.settings.notices,
    })  # fmt: skip


async def models_json(app: App) -> str:
    return _json(await model_rows(app))


async def health_json(app: App) -> str:
    from hybrid_mcp.checkup import checkup

    findings = await checkup(app, whole_ledger=False)
    return _json([{"what": one.what, "state": one.state, "detail": one.detail} for one in findings])


async def model_rows(app: App) -> list[dict[str, Any]]:
    """The models as `models --json` and `hybrid://models` show them.

    `confidence_threshold`: below it a local answer is doubtful; None where its confidence says nothing.
    `blended_usd_per_mtok`: three parts input and one part output. `blocked`: it charged above its bound and gets no
    paid call; None where the ledger cannot tell. `memory_gb`: what it takes in units of 10^9 bytes, told by its server
    where `loaded`, else estimated; None where unknown. `note`: why it cannot run here, or runs slowly.
    """
    try:
        blocked = (await app.ledger.view(Caps(), app.account)).blocked
    except StorageError:
        blocked = None
    return [
        {**_model_row(app, entry), "blocked": None if blocked is None else entry.spec.name in blocked}
        for entry in await app.catalog.listed()
    ]


def _model_row(app: App, entry: Listed) -> dict[str, Any]:
    spec = entry.spec
    facts = None if spec.local else app.prices.facts(spec, app.service.clock.now())
    memory, threshold = needed_bytes(spec), threshold_of(spec)
    context = spec.context_tokens or (facts.context_tokens if facts else None)
    return {
        "model": spec.name, "local": spec.local, "context_tokens": context, "has_key": entry.has_key,
        "breaker": entry.breaker, "last_resort": entry.last_resort,
        "confidence_threshold": None if threshold is None else round(threshold, 3),
        "loaded": entry.loaded, "memory_gb": None if memory is None else round(memory / GB, 1),
        "note": entry.absent or misfit(spec, entry.memory_bytes) or split_note(spec.resident),
        "blended_usd_per_mtok": facts.blended_nanos / 4 / 1000 if facts else (0.0 if spec.local else None),
    }  # fmt: skip


def _names(models: tuple[ModelName, ...]) -> list[str]:
    return [str(model) for model in models]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
