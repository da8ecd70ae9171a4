"""One profile from its YAML file, checked whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hybrid_mcp.config import fields, scalars
from hybrid_mcp.config.fields import Field, Fields, take
from hybrid_mcp.config.model_lists import judging_model, listed_models, without_repeats
from hybrid_mcp.config.private_patterns import MAX_PATTERNS, matcher
from hybrid_mcp.config.provider_rows import ProviderRows, provider_rows
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import ApprovalMode, CodeCheck, Fallback, ModelName, PrivacyMode, Profile, RoutingRules

KEYS = (
    "profile", "monthly_budget", "daily_budget", "client_budget", "project_budget", "max_cost", "routing_rules",
    "providers", "approval", "airgap", "personal_data", "privacy", "private_patterns", "code_check",
)  # fmt: skip
RULE_KEYS = ("complexity_threshold", "always_try_local_first", "local_models", "cloud_models", "fallback", "judge")
FALLBACKS: tuple[Fallback, ...] = ("local_with_cot", "local_best_effort", "local")
APPROVALS: tuple[ApprovalMode, ...] = ("ask", "terminal", "deny", "allow")
PERSONAL_DATA = ("stay_local", "allow_cloud")
PRIVACY: tuple[PrivacyMode, ...] = ("local", "redact")
CODE_CHECKS: tuple[CodeCheck, ...] = ("off", "bubblewrap")

DEFAULT_MAX_COST = Usd.limit(10)
"""The most that one request may cost where a profile has no `max_cost`, in dollars."""

_DEFAULTS = Profile(name="")
_DEFAULT_RULES = RoutingRules()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedProfile:
    """A profile that was read. `declared_local`: what it says about `local`, by provider; `notices`: one line each."""

    path: Path
    profile: Profile
    declared_local: Mapping[str, bool]
    notices: tuple[str, ...] = ()


def read_profile(path: Path) -> LoadedProfile:
    """The profile of a YAML file.

    Raises:
        ConfigError: `FILE:LINE: KEY: what is wrong; what to do`, for the first thing that is wrong.
    """
    # Loading PyYAML takes longer than all else here, and not every command reads a profile.
    from hybrid_mcp.config.yaml_lines import read_yaml  # noqa: PLC0415

    root = read_yaml(path)
    given = fields.table(Field(path=path, line=root.line, key="", node=root), KEYS)
    rows = provider_rows(given.get("providers"))
    rules, notices = take(given, "routing_rules", lambda field: _rules(field, rows), (_DEFAULT_RULES, ()))
    return LoadedProfile(
        path=path, profile=_profile(path, given, rules, rows), declared_local=rows.declared_local, notices=notices
    )


def _profile(path: Path, given: Fields, rules: RoutingRules, rows: ProviderRows) -> Profile:
    personal = take(given, "personal_data", lambda field: fields.choice(field, PERSONAL_DATA), PERSONAL_DATA[0])
    return Profile(
        name=take(given, "profile", _name, path.stem),
        monthly_budget=take(given, "monthly_budget", _cap, None),
        daily_budget=take(given, "daily_budget", _cap, None),
        client_budget=take(given, "client_budget", _cap, None),
        project_budget=take(given, "project_budget", _cap, None),
        max_cost=take(given, "max_cost", _cap, DEFAULT_MAX_COST),
        rules=rules,
        providers=tuple(rows.specs.values()),
        approval=take(given, "approval", lambda field: fields.choice(field, APPROVALS), _DEFAULTS.approval),
        airgap=take(given, "airgap", fields.boolean, _DEFAULTS.airgap),
        personal_data_stays_local=personal == "stay_local",
        privacy=take(given, "privacy", lambda field: fields.choice(field, PRIVACY), _DEFAULTS.privacy),
        private_patterns=take(given, "private_patterns", _patterns, ()),
        code_check=take(given, "code_check", lambda field: fields.choice(field, CODE_CHECKS), _DEFAULTS.code_check),
    )


def _rules(field: Field, rows: ProviderRows) -> tuple[RoutingRules, tuple[str, ...]]:
    given = fields.table(field, RULE_KEYS)
    models, notices = _models(given, rows)
    rules = RoutingRules(
        threshold=take(given, "complexity_threshold", _threshold, _DEFAULT_RULES.threshold),
        always_try_local_first=take(
            given, "always_try_local_first", fields.boolean, _DEFAULT_RULES.always_try_local_first
        ),
        local_models=tuple(name for name in models if rows.specs[name.provider].local),
        cloud_models=tuple(name for name in models if not rows.specs[name.provider].local),
        fallback=take(given, "fallback", lambda value: fields.choice(value, FALLBACKS), _DEFAULT_RULES.fallback),
        judge=take(given, "judge", lambda value: judging_model(value, rows.specs), None),
    )
    return rules, notices


def _models(given: Fields, rows: ProviderRows) -> tuple[tuple[ModelName, ...], tuple[str, ...]]:
    local = take(given, "local_models", lambda field: listed_models(field, rows.specs, local=True), ())
    cloud = take(given, "cloud_models", lambda field: listed_models(field, rows.specs, local=False), ())
    return without_repeats((*local, *cloud))


def _name(field: Field) -> str:
    name = fields.text(field)
    if not name.isprintable() or not 0 < len(name) <= 64:
        raise field.wrong(f"{scalars.shown(name)} is not a name; use 1 to 64 visible characters")
    return name


def _patterns(field: Field) -> tuple[str, ...]:
    given = fields.items(field)
    if len(given) > MAX_PATTERNS:
        raise field.wrong(f"has {len(given)} patterns; at most {MAX_PATTERNS} are looked for in each request")
    return tuple(fields.parsed(item, _pattern) for item in given)


def _pattern(text: str) -> str:
    matcher(text)
    return text


def _cap(field: Field) -> Usd | None:
    return fields.number_or_null(field, scalars.money)


def _threshold(field: Field) -> int:
    return fields.number(field, scalars.hundredths)
