"""Which models does a caller's `preferred_model` mean?"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence

from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.domain.profile import ModelSpec, Profile
from hybrid_mcp.domain.vendors import ALIASES, PRESENT_NAMES

_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,99}")
"""What vendors call their models. A caller's own words must not reach one as a name."""


def preferred_models(
    name: str, listed: Sequence[ModelSpec], profile: Profile, known: Callable[[ModelSpec], bool]
) -> tuple[ModelSpec, ...]:
    """The models meant by `provider:model`, by an alias (gemini, claude, openai, local), or by an old name.

    A model that is not listed is taken where `known` (a price) vouches for a cloud one, and where its provider is a
    local OpenAI-compatible server: llama-server answers to any name. It must look like the name of a model.

    Raises:
        InvalidRequest: nothing knows the name; the message lists near ones.
    """
    if name == "local":
        return tuple(spec for spec in listed if spec.local)
    wanted = _unaliased(name, profile)
    found = tuple(spec for spec in listed if spec.name == wanted)
    return found or (_unlisted(name, wanted, listed, profile, known),)


def _unaliased(name: str, profile: Profile) -> str:
    if name in PRESENT_NAMES:
        return str(PRESENT_NAMES[name])
    vendor = ALIASES.get(name)
    if vendor is None:
        return name
    first = next((str(model) for model in profile.rules.cloud_models if model.provider == vendor), None)
    provider = profile.provider(vendor)
    default = provider.default_model if provider is not None else None
    return first or (f"{vendor}:{default}" if default else name)


def _unlisted(
    name: str, wanted: str, listed: Sequence[ModelSpec], profile: Profile, known: Callable[[ModelSpec], bool]
) -> ModelSpec:
    provider_name, _, model = wanted.partition(":")
    provider = profile.provider(provider_name)
    if provider is not None and _MODEL.fullmatch(model):
        spec = ModelSpec(provider=provider, model=model, context_tokens=provider.context_tokens)
        if (provider.local and provider.kind == "openai") or (not provider.local and known(spec)):
            return spec
    names = [spec.name for spec in listed] + [*ALIASES, "local"]
    near = difflib.get_close_matches(wanted, names, n=5, cutoff=0.4) or sorted(names)
    raise InvalidRequest(f"preferred_model {name[:80]!r} is not known; did you mean one of: {', '.join(near)}?")
