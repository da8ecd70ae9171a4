"""Flags, environment and profile as one value: a flag wins over the environment, the environment over the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hybrid_mcp.config.confidence_file import CONFIDENCE_FILE, ConfidenceFile
from hybrid_mcp.config.environment import Environment, read_environment, read_keys
from hybrid_mcp.config.home import find_home
from hybrid_mcp.config.keyring_keys import KeyringReader
from hybrid_mcp.config.ollama_host import with_ollama_at
from hybrid_mcp.config.profile_file import LoadedProfile, read_profile
from hybrid_mcp.config.profile_lookup import DEFAULT_PROFILE, find_profile
from hybrid_mcp.config.project import find_project
from hybrid_mcp.config.text_file import named
from hybrid_mcp.domain.errors import ConfigError
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import Profile, ProviderSpec

if TYPE_CHECKING:
    from pydantic import SecretStr

WHITELIST_FILE = "whitelist.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that an owner can set, checked. Keys are hidden when it is printed. `notices`: one line each.

    `project`: whose `project_budget` is spent, a name or a folder's whole path. `thresholds`: of confidence, by
    `provider:model`, as they were calibrated in this home.
    """

    home: Path
    profile: Profile
    profile_path: Path
    whitelist_path: Path
    project: str
    ollama_timeout_s: float
    ollama_model: str | None
    breaker_failure_threshold: int
    breaker_recovery_s: float
    api_keys: Mapping[str, SecretStr]
    notices: tuple[str, ...]
    thresholds: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def confidence_file(self) -> ConfidenceFile:
        return ConfidenceFile(path=self.home / CONFIDENCE_FILE)

    def key_for(self, spec: ProviderSpec) -> str | None:
        """The provider's API key in the clear, None where none of its variables is set."""
        keys = (self.api_keys.get(name) for name in spec.api_key_env)
        return next((key.get_secret_value() for key in keys if key is not None), None)


def load_settings(
    *,
    environ: Mapping[str, str],
    home: Path | None = None,
    profile: str | None = None,
    project: str | None = None,
    airgap: bool = False,
) -> Settings:
    """Read everything that was set. Nothing is created, so a home that is read-only or absent will do.

    Raises:
        ConfigError: a file, key or variable cannot be used as it stands.
    """
    variables = read_environment(environ)
    folder = find_home(home if home is not None else variables.home)
    loaded = read_profile(find_profile(profile or variables.profile or DEFAULT_PROFILE, folder))
    chosen = _overridden(loaded.profile, variables, airgap=airgap)
    notices = loaded.notices
    if variables.ollama_host is not None:
        chosen, told = with_ollama_at(variables.ollama_host, chosen, loaded.declared_local)
        notices += told
    thresholds, untold = _thresholds(ConfidenceFile(path=folder / CONFIDENCE_FILE))
    names = {name: None for spec in chosen.providers for name in spec.api_key_env}
    return Settings(
        home=folder,
        profile=chosen,
        profile_path=loaded.path,
        whitelist_path=folder / WHITELIST_FILE,
        project=find_project(project, variables.project),
        ollama_timeout_s=variables.ollama_timeout_s,
        ollama_model=variables.ollama_model,
        breaker_failure_threshold=variables.breaker_failure_threshold,
        breaker_recovery_s=variables.breaker_recovery_s,
        api_keys=read_keys(environ, names, "environment"),
        notices=notices + _no_cap_notice(chosen, loaded.path) + _unpaid_notices(loaded) + untold,
        thresholds=thresholds,
    )


def with_keyring(settings: Settings, read: KeyringReader) -> Settings:
    """With the keys from the keyring of paid providers that have none yet; in airgap none are needed.

    Raises:
        ConfigError: a value cannot be sent as a key.
    """
    if settings.profile.airgap:
        return settings
    without = [spec for spec in settings.profile.providers if settings.api_keys.keys().isdisjoint(spec.api_key_env)]
    missing = {name: None for spec in without for name in spec.api_key_env}
    kept, trouble = read(missing)
    return replace(
        settings,
        api_keys={**settings.api_keys, **read_keys(kept, missing, "keyring")},
        notices=settings.notices if trouble is None else (*settings.notices, trouble),
    )


def _overridden(profile: Profile, variables: Environment, *, airgap: bool) -> Profile:
    """The profile with what the environment and the flag say instead."""
    return replace(
        profile,
        monthly_budget=_first(variables.monthly_budget, profile.monthly_budget),
        daily_budget=_first(variables.daily_budget, profile.daily_budget),
        client_budget=_first(variables.client_budget, profile.client_budget),
        project_budget=_first(variables.project_budget, profile.project_budget),
        approval=variables.approval or profile.approval,
        airgap=airgap or (profile.airgap if variables.airgap is None else variables.airgap),
    )


def _first(variable: Usd | None, in_file: Usd | None) -> Usd | None:
    """The variable wins, also with $0."""
    return in_file if variable is None else variable


def _thresholds(file: ConfidenceFile) -> tuple[Mapping[str, float], tuple[str, ...]]:
    """Those of this home. Without them answers are judged by what else there is, so that no call fails for the file."""
    try:
        return {name: one.threshold for name, one in file.calibrated().items()}, ()
    except ConfigError as error:
        return {}, (f"{error}; meanwhile no calibrated threshold of confidence holds",)


def _no_cap_notice(profile: Profile, path: Path) -> tuple[str, ...]:
    if profile.monthly_budget is not None or profile.daily_budget is not None or not profile.rules.cloud_models:
        return ()
    return (f"{named(path)}: paid models are listed, and no monthly_budget or daily_budget limits them; set one",)


def _unpaid_notices(loaded: LoadedProfile) -> tuple[str, ...]:
    """Providers with a price that is never charged, because nobody said that they are not this machine's own."""
    priced = [spec for spec in loaded.profile.providers if spec.price is not None and spec.price.output_nanos]
    return tuple(
        f"{named(loaded.path)}: providers: {spec.name}: it runs on this machine, so it counts as free and its price is "
        "not charged: say `local: false` if its calls cost money (a gateway), or `local: true` if they do not"
        for spec in priced
        if spec.local and spec.name not in loaded.declared_local
    )
