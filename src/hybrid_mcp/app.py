"""The composition root: settings in, one wired application out. Heavy imports happen here, and only when needed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hybrid_mcp.attempting import Attempting
from hybrid_mcp.candidates import Candidates
from hybrid_mcp.config import LiveWhitelist, Settings, add_entry
from hybrid_mcp.config.private_patterns import matchers
from hybrid_mcp.discretion import Discretion
from hybrid_mcp.domain.budget import Account
from hybrid_mcp.domain.detectors import PatternScanner
from hybrid_mcp.domain.learning import Learned
from hybrid_mcp.domain.profile import ModelSpec, Profile, ProviderSpec
from hybrid_mcp.experience import Experience
from hybrid_mcp.gatekeeper import Dialogs, Gatekeeper
from hybrid_mcp.observe.clock import SystemClock
from hybrid_mcp.observe.memory import machine_memory_bytes
from hybrid_mcp.ports import Clock, CodeRunner, Ledger, Observer, Outcomes, PriceBook, Provider
from hybrid_mcp.purse import Purse
from hybrid_mcp.recent import Recent
from hybrid_mcp.reports import Reports
from hybrid_mcp.second_look import SecondLook
from hybrid_mcp.service import Service

if TYPE_CHECKING:
    from hybrid_mcp.providers.catalog import ProfileCatalog
    from hybrid_mcp.providers.embedded import Embedded
    from hybrid_mcp.providers.guarded import Breakers
    from hybrid_mcp.providers.http import Egress


OUTCOMES_FILE = "learning.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Everything a face needs. Nothing is opened before its first use; `aclose` closes what was.

    `account`: who pays where a face knows no one better, which is this process for the project it was started for.
    """

    settings: Settings
    account: Account
    service: Service
    reports: Reports
    recent: Recent
    gatekeeper: Gatekeeper
    whitelist: LiveWhitelist
    catalog: ProfileCatalog
    prices: PriceBook
    ledger: Ledger
    outcomes: Outcomes

    async def aclose(self) -> None:
        await self.catalog.aclose()
        await self.ledger.aclose()
        await self.outcomes.aclose()


def open_app(settings: Settings, observer: Observer) -> App:
    """Wire the application. No file is created and no connection made until it is used."""
    from hybrid_mcp.providers.catalog import ProfileCatalog
    from hybrid_mcp.providers.guarded import Breakers
    from hybrid_mcp.providers.http import Egress, answers
    from hybrid_mcp.providers.prices import GenaiPrices
    from hybrid_mcp.storage.approvals import AuditTrail
    from hybrid_mcp.storage.breaker_file import BreakerFile
    from hybrid_mcp.storage.memory import MemoryCache
    from hybrid_mcp.storage.outcomes import SqliteOutcomes
    from hybrid_mcp.storage.sqlite import SqliteLedger

    clock, profile = SystemClock(), settings.profile
    whitelist = LiveWhitelist(settings.whitelist_path)
    breakers = Breakers(
        threshold=settings.breaker_failure_threshold, recovery_s=settings.breaker_recovery_s, clock=clock,
        shared=BreakerFile(
            path=settings.home / "breakers.json", clock=clock,
            addresses={spec.name: spec.base_url or "" for spec in profile.providers},
        ),
    )  # fmt: skip
    egress = Egress(whitelist=whitelist, airgap=profile.airgap)
    opener = _Opener(settings=settings, egress=egress, breakers=breakers, clock=clock)
    catalog = ProfileCatalog(
        profile=profile, has_key=lambda spec: not spec.key_needed or settings.key_for(spec) is not None,
        answers=lambda spec: answers(spec, egress), open_provider=opener, breakers=breakers, clock=clock,
        ollama_model=settings.ollama_model, machine_bytes=machine_memory_bytes(), thresholds=settings.thresholds,
    )  # fmt: skip
    ledger, prices = SqliteLedger(settings.home / "ledger.db", clock=clock), GenaiPrices()
    outcomes = SqliteOutcomes(settings.home / OUTCOMES_FILE, clock)
    scanner = PatternScanner(private=matchers(profile.private_patterns))
    recent = Recent(observer, clock)
    candidates = Candidates(profile=profile, catalog=catalog, prices=prices, clock=clock)
    return App(
        settings=settings, account=Account(client=new_id(), project=settings.project), whitelist=whitelist,
        catalog=catalog, prices=prices, ledger=ledger, outcomes=outcomes,
        service=Service(
            profile=profile, whitelist=whitelist, ledger=ledger,
            candidates=candidates,
            purse=Purse(profile=profile, ledger=ledger, observer=recent, clock=clock),
            attempting=Attempting(
                ledger=ledger, catalog=catalog, prices=prices, clock=clock, code_runner=_code_runner(profile),
            ),
            second_look=SecondLook(catalog=catalog, clock=clock, judge=_judge_of(profile)),
            cache=MemoryCache(clock=clock), discretion=Discretion(profile=profile, scanner=scanner),
            experience=Experience(outcomes, observer=recent, clock=clock), observer=recent, clock=clock,
            new_id=new_id, scope=f"{profile}",
        ),
        recent=recent, reports=Reports(profile=profile, ledger=ledger, candidates=candidates, breakers=breakers),
        gatekeeper=Gatekeeper(
            whitelist=whitelist, add_entry=partial(add_entry, settings.whitelist_path),
            approvals=AuditTrail(path=settings.home / "audit.jsonl", clock=clock), mode=profile.approval,
            new_id=new_id, dialogs=Dialogs(clock),
        ),
    )  # fmt: skip


def _judge_of(profile: Profile) -> ModelSpec | None:
    name = profile.rules.judge
    provider = None if name is None else profile.provider(name.provider)
    return None if name is None or provider is None else ModelSpec(provider=provider, model=name.model)


async def learned_in(home: Path) -> Learned | None:
    """What a home has learned. Nothing is created.

    Raises:
        StorageError: it cannot be read.
    """
    if not (home / OUTCOMES_FILE).exists():
        return None
    from hybrid_mcp.storage.outcomes import SqliteOutcomes

    outcomes = SqliteOutcomes(home / OUTCOMES_FILE, SystemClock())
    try:
        return await outcomes.learned()
    finally:
        await outcomes.aclose()


def _code_runner(profile: Profile) -> CodeRunner | None:
    if profile.code_check == "off":
        return None
    from hybrid_mcp.sandbox.bubblewrap import Bubblewrap

    return Bubblewrap()


def new_id() -> str:
    """A short random name for a request: 48 bits, readable over the phone."""
    return secrets.token_hex(6)


def embedded_model(app: App) -> Embedded | None:
    """The embedded model, None where the profile does not use it."""
    from hybrid_mcp.providers.embedded import Embedded

    listed = {model.provider for model in app.settings.profile.rules.local_models}
    for spec in app.settings.profile.providers:
        if spec.kind == "embedded" and (not listed or spec.name in listed):
            provider = app.catalog.provider_of(spec)
            return provider if isinstance(provider, Embedded) else None
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opener:
    """Opens the adapter for a provider, behind its breaker."""

    settings: Settings
    egress: Egress
    breakers: Breakers
    clock: Clock

    def __call__(self, spec: ProviderSpec) -> Provider:
        from hybrid_mcp.providers.guarded import Guarded

        if spec.kind == "embedded":
            # No server that could be down stands behind it, and it queues its callers itself.
            return self._embedded(spec)
        return Guarded(self._adapter(spec), spec=spec, breakers=self.breakers, clock=self.clock)

    def _embedded(self, spec: ProviderSpec) -> Provider:
        from hybrid_mcp.providers.embedded import Embedded

        return Embedded(spec=spec, home=self.settings.home, airgap=self.settings.profile.airgap)

    def _adapter(self, spec: ProviderSpec) -> Provider:
        key = partial(self.settings.key_for, spec)
        if spec.kind == "ollama":
            from hybrid_mcp.providers.ollama import OllamaProvider

            return OllamaProvider(spec=spec, egress=self.egress, api_key=key, timeout_s=self.settings.ollama_timeout_s)
        if spec.kind == "anthropic":
            from hybrid_mcp.providers.anthropic import AnthropicProvider

            return AnthropicProvider(spec=spec, api_key=key, egress=self.egress)
        from hybrid_mcp.providers.openai import OpenAIProvider

        return OpenAIProvider(spec=spec, api_key=key, egress=self.egress)
