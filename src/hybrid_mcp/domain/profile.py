"""A profile: what the owner wants, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from hybrid_mcp.domain.money import Usd

ProviderKind = Literal["embedded", "ollama", "openai", "anthropic"]
Api = Literal["chat", "responses"]
"""Through which of OpenAI's two APIs a provider of kind `openai` is asked."""
Tier = Literal["cheap", "premium"]
Fallback = Literal["local_with_cot", "local_best_effort", "local"]
ApprovalMode = Literal["ask", "terminal", "deny", "allow"]
PrivacyMode = Literal["local", "redact"]
"""What happens to a request that holds a secret: it stays local, or placeholders stand for the secret outside."""
CodeCheck = Literal["off", "bubblewrap"]
"""Whether the code of an answer is run with a caller's assertions, and in which sandbox."""
Bill = Literal["dollars", "dollars_and_upstream", "ticks"]
"""How an answer's usage tells what was charged: `cost` in dollars, the same and in `cost_details` the bill for a key of
one's own at the vendor behind, or `cost_in_usd_ticks`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Declared price: nano-dollars for one token in and one token out."""

    input_nanos: int
    output_nanos: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """Where models run.

    `local`: no money and no data leaves the owner's machines. `host` is None for the embedded provider. `loopback`:
    the address is this machine. `price` and `context_tokens` are declared by the owner for all of its models. `bill`:
    None where answers do not tell what was charged. `key_path`: below `base_url`, what only a good key gets to see, for
    a vendor who shows the model list to everybody. `concurrency`: calls at once. `memory_bytes`: what its models may
    take. `keep_alive`: how long Ollama keeps a model loaded after a call, in its own spelling. None: not declared.
    """

    name: str
    kind: ProviderKind
    base_url: str | None = None
    host: str | None = None
    loopback: bool = False
    local: bool = False
    api_key_env: tuple[str, ...] = ()
    key_needed: bool = False
    price_provider: str | None = None
    bill: Bill | None = None
    api: Api = "chat"
    key_path: str | None = None
    price: Price | None = None
    context_tokens: int | None = None
    default_model: str | None = None
    concurrency: int | None = None
    memory_bytes: int | None = None
    keep_alive: str | None = None

    @property
    def must_be_whitelisted(self) -> bool:
        """Everything but this machine's own models: a LAN host too, and a loopback one declared as paid."""
        return self.kind != "embedded" and not (self.loopback and self.local)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """What a loaded model takes: bytes of memory in all, and those of them on graphics cards; None where unknown."""

    memory_bytes: int | None = None
    card_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model of one provider, named `provider:model`.

    `context_tokens`: None where unknown. `parameters` order discovered local models. `confidence_floor`: the
    confidence below which an answer is doubtful, None where not calibrated. `file_bytes`: None where unknown.
    `resident`: None where it is not loaded, or its server does not tell.
    """

    provider: ProviderSpec
    model: str
    tier: Tier | None = None
    context_tokens: int | None = None
    parameters: int | None = None
    confidence_floor: float | None = None
    file_bytes: int | None = None
    resident: Resident | None = None

    @property
    def name(self) -> str:
        return f"{self.provider.name}:{self.model}"

    @property
    def local(self) -> bool:
        return self.provider.local


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelName:
    """A model as a profile lists it."""

    provider: str
    model: str
    tier: Tier | None = None

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRules:
    """`threshold`: hundredths of the score from which paid models are eligible, 0 to 100.

    `judge`: the local model that judges the answers of other local ones, None for none.
    """

    threshold: int = 60
    always_try_local_first: bool = True
    local_models: tuple[ModelName, ...] = ()
    cloud_models: tuple[ModelName, ...] = ()
    fallback: Fallback = "local_best_effort"
    judge: ModelName | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Caps of None mean: no such cap.

    `client_budget`: what one client may spend while its server process lives, or as long as its HTTP token exists.
    `project_budget`: what one project may spend in a month (UTC). `private_patterns`: globs, and `re:` expressions, of
    what stays local.
    """

    name: str
    monthly_budget: Usd | None = None
    daily_budget: Usd | None = None
    client_budget: Usd | None = None
    project_budget: Usd | None = None
    max_cost: Usd | None = None
    rules: RoutingRules = field(default_factory=RoutingRules)
    providers: tuple[ProviderSpec, ...] = ()
    approval: ApprovalMode = "ask"
    airgap: bool = False
    personal_data_stays_local: bool = True
    privacy: PrivacyMode = "local"
    private_patterns: tuple[str, ...] = ()
    code_check: CodeCheck = "off"

    def provider(self, name: str) -> ProviderSpec | None:
        return next((provider for provider in self.providers if provider.name == name), None)
