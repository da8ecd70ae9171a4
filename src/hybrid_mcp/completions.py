"""What a client offers its user while an argument of a prompt, or the open part of a resource's address, is typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anyio
from mcp import MCPError
from mcp.types import INVALID_PARAMS, Completion, PromptReference, ResourceTemplateReference

from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.vendors import ALIASES
from hybrid_mcp.domain.whitelist import RESOURCE_TYPES
from hybrid_mcp.host import Host
from hybrid_mcp.prompts import ALLOW, DELEGATE, PROMPTS, REVIEW
from hybrid_mcp.resources import PERIODS, USAGE

MOST_VALUES = 100
"""The protocol's limit for one answer."""
WAIT_S = 0.8
"""Somebody is typing: local servers that do not answer in that time are left out."""
PATIENCE_S = 0.3

Reference = PromptReference | ResourceTemplateReference

_COMPLETED = (*PROMPTS, USAGE)
_CHOICES: Mapping[tuple[str, str], Sequence[str]] = {
    (REVIEW.name, "period"): PERIODS,
    (USAGE, "period"): PERIODS,
    (ALLOW.name, "resource_type"): tuple(dict.fromkeys(RESOURCE_TYPES.values())),
}


async def completion(host: Host, ref: Reference, argument: str, typed: str) -> Completion:
    """At most 100 values that begin with what was typed, in any case; none for an argument that may hold anything.

    A model is also found by its own name, without its provider.

    Raises:
        MCPError: there is no such prompt or resource template.
    """
    values = await _values(host, ref, argument)
    found = [value for value in values if _begins(value, typed.casefold())]
    return Completion(values=found[:MOST_VALUES], total=len(found), has_more=len(found) > MOST_VALUES)


async def _values(host: Host, ref: Reference, argument: str) -> Sequence[str]:
    name = ref.name if isinstance(ref, PromptReference) else ref.uri
    if name not in _COMPLETED:
        raise MCPError(INVALID_PARAMS, f"nothing of this name is completed; there are {', '.join(_COMPLETED)}")
    if (name, argument) == (DELEGATE.name, "model"):
        return await _models(host)
    return _CHOICES.get((name, argument), ())


async def _models(host: Host) -> list[str]:
    """Aliases first, then the models that the profile lists or that are found here in a moment."""
    names: list[str] = []
    # A profile that is broken is told by the call that needs it, and not to somebody who types.
    try:
        app = host.app()
        rules = app.settings.profile.rules
        names = [str(model) for model in (*rules.local_models, *rules.cloud_models)]
        with anyio.move_on_after(WAIT_S):
            names = [entry.spec.name for entry in await app.catalog.listed(PATIENCE_S)]
    except HybridError:
        pass
    return [*ALIASES, "local", *names]


def _begins(value: str, typed: str) -> bool:
    whole = value.casefold()
    return whole.startswith(typed) or whole.partition(":")[2].startswith(typed)
