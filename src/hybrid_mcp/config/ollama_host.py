"""Moves the provider `ollama` to where OLLAMA_HOST says it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hybrid_mcp.config.endpoint import Endpoint, whitelist_problem
from hybrid_mcp.config.provider_rows import plain_http_problem, port_of, without_doubles
from hybrid_mcp.domain.errors import ConfigError
from hybrid_mcp.domain.profile import Profile, ProviderSpec
from hybrid_mcp.domain.vendors import VENDORS

_BUILT_IN = VENDORS["ollama"]


def with_ollama_at(
    endpoint: Endpoint, profile: Profile, declared_local: Mapping[str, bool]
) -> tuple[Profile, tuple[str, ...]]:
    """The profile with Ollama at this address, and what the owner should know about it, one line each.

    On another machine it is local only where the profile says so; else it has no price, and so gets no prompt.

    Raises:
        ConfigError: prompts would go there unencrypted, or no whitelist entry can name it.
    """
    spec = profile.provider(_BUILT_IN.name) or _BUILT_IN
    if spec.kind != _BUILT_IN.kind:
        return profile, ("OLLAMA_HOST is not used: the profile gives the provider ollama another kind",)
    taken = next((other.name for other in profile.providers if _is_own_at(other, endpoint)), None)
    if taken is not None:
        return profile, (f"OLLAMA_HOST is not used: the profile gives that address to the provider {taken}",)
    local = declared_local.get(spec.name, endpoint.loopback)
    moved = replace(spec, base_url=endpoint.url, host=endpoint.host, loopback=endpoint.loopback, local=local)
    notices = _checked(endpoint, moved)
    specs = {each.name: each for each in profile.providers} | {moved.name: moved}
    specs = without_doubles(specs, _listed(profile) | {moved.name})
    return replace(profile, providers=tuple(specs.values())), notices


def _is_own_at(spec: ProviderSpec, endpoint: Endpoint) -> bool:
    own = spec.name != _BUILT_IN.name and spec != VENDORS.get(spec.name)
    return own and endpoint.loopback and spec.loopback and port_of(spec) == endpoint.port


def _listed(profile: Profile) -> frozenset[str]:
    """Providers whose models the profile lists: they stay, whatever port Ollama has."""
    return frozenset(model.provider for model in (*profile.rules.local_models, *profile.rules.cloud_models))


def _checked(endpoint: Endpoint, spec: ProviderSpec) -> tuple[str, ...]:
    if spec.loopback:
        return ()
    if not spec.local and spec.price is None:
        notice = (
            f"OLLAMA_HOST: {spec.host} is not this machine, so no prompt is sent there; if it is yours, write "
            f"`providers: {{ollama: {{local: true}}}}` into the profile and {spec.host} into the whitelist"
        )
        return (notice,)
    problem = plain_http_problem(endpoint, local=spec.local) or whitelist_problem(endpoint.host, local=spec.local)
    if problem is not None:
        raise ConfigError(f"environment: OLLAMA_HOST: {problem}")
    return ()
