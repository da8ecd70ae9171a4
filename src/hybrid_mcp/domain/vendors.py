"""The built-in providers as rows of data, and the names by which people know their models."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hybrid_mcp.domain.profile import Bill, ModelName, ProviderKind, ProviderSpec
from hybrid_mcp.domain.whitelist import url_host

EMBEDDED = ProviderSpec(name="embedded", kind="embedded", loopback=True, local=True, default_model="smollm2")


def _here(name: str, base_url: str, kind: ProviderKind = "openai") -> ProviderSpec:
    return ProviderSpec(name=name, kind=kind, base_url=base_url, host=url_host(base_url), loopback=True, local=True)


def _cloud(
    name: str,
    base_url: str,
    *keys: str,
    prices: str | None = None,
    default: str | None = None,
    kind: ProviderKind = "openai",
    bill: Bill | None = None,
    key_path: str | None = None,
) -> ProviderSpec:
    return ProviderSpec(
        name=name, kind=kind, base_url=base_url, host=url_host(base_url), api_key_env=keys, key_needed=True,
        price_provider=prices, default_model=default, bill=bill, key_path=key_path,
    )  # fmt: skip


_ROWS = (
    EMBEDDED,
    # Each address stands once. LocalAI's own port is llama-server's too, so `llamacpp` finds either of them.
    _here("ollama", "http://127.0.0.1:11434", "ollama"),
    _here("llamacpp", "http://127.0.0.1:8080/v1"),
    _here("lmstudio", "http://127.0.0.1:1234/v1"),
    _here("vllm", "http://127.0.0.1:8000/v1"),
    _cloud(
        "gemini", "https://generativelanguage.googleapis.com/v1beta/openai/", "GEMINI_API_KEY", "GOOGLE_API_KEY",
        prices="google", default="gemini-3.8-flash",
    ),
    _cloud("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", prices="openai", default="gpt-6.1-sol"),
    _cloud(
        "anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY",
        prices="anthropic", default="claude-opus-5-5", kind="anthropic",
    ),
    _cloud(
        "openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY",
        prices="openrouter", default="openai/gpt-6.1-sol", bill="dollars_and_upstream", key_path="key",
    ),
    # Requesty and AkashML have no price list of their own here: the profile declares a `price`.
    _cloud("requesty", "https://router.requesty.ai/v1", "REQUESTY_API_KEY", bill="dollars"),
    _cloud("akashml", "https://api.akashml.com/v1", "AKASHML_API_KEY"),
    _cloud("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", prices="deepseek"),
    _cloud(
        "groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY",
        prices="groq", default="openai/gpt-oss-120b",
    ),
    _cloud(
        "mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY",
        prices="mistral", default="mistral-medium-latest",
    ),
    _cloud("xai", "https://api.x.ai/v1", "XAI_API_KEY", prices="x-ai", bill="ticks"),
    _cloud(
        "together", "https://api.together.xyz/v1", "TOGETHER_API_KEY",
        prices="together", default="openai/gpt-oss-120b",
    ),
)  # fmt: skip

VENDORS: Mapping[str, ProviderSpec] = MappingProxyType({row.name: row for row in _ROWS})
"""Built-in providers by name, the ones on this machine first. `price_provider` is the id that genai-prices uses, `bill`
what the vendor documents: openrouter.ai/docs (Usage Accounting), docs.requesty.ai (Create Chat Completion), docs.x.ai
(Cost Tracking). `key_path`: openrouter.ai/docs (Limits): it also tells what is left of the key's own limit."""


def is_vendor(spec: ProviderSpec) -> bool:
    """Whether a built-in cloud vendor answers at this provider's host, whatever name and price the profile gives it."""
    return any(row.host == spec.host and row.kind == spec.kind and not row.local for row in VENDORS.values())


ALIASES: Mapping[str, str] = MappingProxyType({"gemini": "gemini", "claude": "anthropic", "openai": "openai"})
"""What `preferred_model` may say instead of `provider:model`, and the provider that it means."""

_FLASH = ModelName(provider="gemini", model="gemini-3.8-flash")
_SOL = ModelName(provider="openai", model="gpt-6.1-sol")
_LUNA = ModelName(provider="openai", model="gpt-6-luna")
_OPUS = ModelName(provider="anthropic", model="claude-opus-5-5")
_SONNET = ModelName(provider="anthropic", model="claude-sonnet-5-5")
_HAIKU = ModelName(provider="anthropic", model="claude-haiku-5-5")

PRESENT_NAMES: Mapping[str, ModelName] = MappingProxyType({
    "gemini-pro": _FLASH,
    "gpt-4": _SOL, "gpt-4-turbo": _SOL, "gpt-4o": _SOL,
    "gpt-4o-mini": _LUNA, "gpt-3.5-turbo": _LUNA,
    "claude-3-opus": _OPUS, "claude-opus": _OPUS,
    "claude-3-sonnet": _SONNET, "claude-sonnet": _SONNET,
    "claude-3-haiku": _HAIKU, "claude-haiku": _HAIKU,
})  # fmt: skip
"""Old model names that stand without a provider, and the model that does their work now."""
