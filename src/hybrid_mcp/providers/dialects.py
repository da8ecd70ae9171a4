"""What differs between servers that speak OpenAI's chat dialect, as rows of data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from hybrid_mcp.domain.json_schema import can_be_held, is_object, parsed
from hybrid_mcp.domain.profile import ProviderSpec
from hybrid_mcp.domain.vendors import VENDORS


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """`temperature`: what is sent where a caller names none; None: no temperature is sent at all.

    `schema`: whether the server can be held to a JSON schema (by a grammar: to one that is not too large), or to JSON
    alone. `effort`: how it is told how much to
    think. `stop`: whether it takes stop sequences; they are kept in any case.
    """

    output_cap: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: float | None = 0.0
    stop: bool = True
    schema: Literal["schema", "grammar", "json", "no"] = "no"
    effort: Literal["reasoning_effort", "reasoning", "no"] = "no"
    service_tier: Literal["default"] | None = None

    def native_schema(self, schema: str) -> Literal["schema", "json"] | None:
        """What the server is held to for this schema (empty: none); None: the words in the messages must do."""
        if not schema or self.schema == "no" or not is_object(parsed(schema)):
            return None
        if self.schema == "grammar":
            return "schema" if can_be_held(schema) else None
        return self.schema

    def temperature_for(self, wished: float | None) -> float | None:
        """None: none may be sent."""
        return self.temperature if wished is None or self.temperature is None else wished


OPENAI_ITSELF = Dialect(
    output_cap="max_completion_tokens", temperature=None, stop=False, schema="schema", effort="reasoning_effort",
    service_tier="default",
)  # fmt: skip
"""Its reasoning models refuse `max_tokens`, `stop` and every temperature but the default. Without a tier a request is
served, and billed, at the one that is set for the owner's project, which may cost twice the listed price."""
OPENAI_ELSEWHERE = replace(OPENAI_ITSELF, service_tier=None)
"""Its models at another address, whose tiers and prices are that host's."""
LOCAL = Dialect(schema="grammar")
"""llama.cpp's server, LocalAI, LM Studio and vLLM all take a schema; LM Studio refuses `json_object`."""
UNKNOWN = Dialect()
"""Any other address gets what the first version of the API had, because one word too many may be refused."""

_VENDORS: Mapping[str, Dialect] = MappingProxyType({
    "gemini": Dialect(schema="schema", effort="reasoning_effort"),
    "openrouter": Dialect(schema="schema", effort="reasoning"),
    "requesty": Dialect(schema="schema", effort="reasoning_effort"),
    "deepseek": Dialect(schema="json"),
    "groq": Dialect(schema="json", effort="reasoning_effort"),
    "mistral": Dialect(schema="schema"),
    "xai": Dialect(schema="schema"),
    "together": Dialect(schema="schema", effort="reasoning_effort"),
})  # fmt: skip
"""As the vendors document it: ai.google.dev (OpenAI compatibility), openrouter.ai/docs (Structured Outputs, Reasoning
Tokens), docs.requesty.ai, api-docs.deepseek.com (JSON Output), console.groq.com/docs (Structured Outputs: a schema for
some models, JSON for all), docs.mistral.ai, docs.x.ai, docs.together.ai."""


def is_openai(spec: ProviderSpec) -> bool:
    """Whether OpenAI itself answers there."""
    host = spec.host or ""
    return host == "api.openai.com" or host.endswith(".api.openai.com")


def dialect_of(spec: ProviderSpec) -> Dialect:
    """By the host that answers, whatever name the profile gives it."""
    if is_openai(spec):
        return OPENAI_ITSELF
    if spec.price_provider == "openai":
        return OPENAI_ELSEWHERE
    if spec.local:
        return LOCAL
    return next((row for name, row in _VENDORS.items() if VENDORS[name].host == spec.host), UNKNOWN)
