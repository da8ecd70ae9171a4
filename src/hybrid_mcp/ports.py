"""What the service asks of the outside, as small protocols."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from hybrid_mcp.domain.alerts import Alert
from hybrid_mcp.domain.answer import Answer, Attempt
from hybrid_mcp.domain.budget import Account, BudgetView, Caps, Overbilled, PeriodName, Quote
from hybrid_mcp.domain.code_check import CodeRun
from hybrid_mcp.domain.completion import Completion, Effort, Message, Request, Usage
from hybrid_mcp.domain.learning import Learned, Lesson, Outcome, Reported
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.privacy import Finding
from hybrid_mcp.domain.profile import ModelSpec
from hybrid_mcp.domain.reservation import Free, Hold, Reservation, Settlement
from hybrid_mcp.domain.usage import By, PeriodReport, UsageRow


class Clock(Protocol):
    def now(self) -> datetime:
        """The time in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for measuring."""
        ...


class Progress(Protocol):
    """Told while a call runs. The methods return at once and never raise."""

    def asking(self, model: str) -> None:
        """A model is asked now: what was streamed before, if anything, is not the answer."""
        ...

    def delta(self, text: str) -> None:
        """The next piece of the answer."""
        ...

    def aside(self, text: str) -> None:
        """The next piece of what a model writes beside its answer: thinking, a tool call, another choice."""
        ...

    def told(self, usage: Usage) -> None:
        """What the provider has said so far of the answer's usage."""
        ...

    def status(self, text: str) -> None:
        """What is being waited for, in words for a person."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCall:
    """One attempt, ready to send. `model` is the provider's own name for it.

    `response_schema`: JSON text that the messages already ask for; a server that can is held to it, too. `temperature`
    and `reasoning_effort` are sent where they exist, `stop` is kept by every adapter. `counts`: whether it tells of the
    model's health; a question beside the call's own, which may be broken off at any time, does not.
    """

    model: str
    messages: tuple[Message, ...]
    max_output_tokens: int
    response_schema: str = ""
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    reasoning_effort: Effort | None = None
    counts: bool = True


class Provider(Protocol):
    async def complete(self, call: ProviderCall, progress: Progress) -> Completion:
        """The model's whole answer, streamed inside. Cancelling it frees the model at once.

        Raises:
            ProviderError: this attempt failed.
            ContextTooLong: the request would have been cut.
            EgressDenied: the host may not be contacted.
        """
        ...

    async def models(self) -> Sequence[ModelSpec]:
        """What can run there now, smallest first; empty when nothing answers. Never raises ProviderError."""
        ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A model of the catalog as it stands now. `retry_in_s`: how long an open breaker stays so.

    `absent`: why it cannot be had on this machine. `last_resort`: the embedded model that nobody listed. `loaded`: it
    lies in memory already. `split`: not as a whole on the graphics card. `memory_bytes`: what is there for it, None
    where unknown or beyond doubt.
    """

    spec: ModelSpec
    has_key: bool = True
    absent: str | None = None
    breaker: Literal["closed", "half_open", "open"] = "closed"
    retry_in_s: float = 0.0
    slow: bool = False
    last_resort: bool = False
    loaded: bool = False
    split: bool = False
    memory_bytes: int | None = None


class Catalog(Protocol):
    async def listed(self, patience_s: float = math.inf) -> Sequence[Listed]:
        """Every model in profile order: local ones from fast to best, then the cloud ones.

        What must be asked for is waited for twice for `patience_s` seconds at the most.
        """
        ...

    def entry(self, spec: ModelSpec) -> Listed:
        """The state of a model that the profile does not list."""
        ...

    def provider(self, spec: ModelSpec) -> Provider: ...

    def turn(self, spec: ModelSpec, progress: Progress) -> AbstractAsyncContextManager[None]:
        """A place among the calls that its provider serves at once; waits for it, and says so.

        Raises:
            ProviderUnavailable: it is left alone now, so nobody queues for it.
        """
        ...


class Ledger(Protocol):
    """The book of money. All methods raise StorageError when it cannot be read or written.

    Its time never goes back: where the clock does, what happens counts to the latest period that the book has seen.
    """

    async def reserve(self, hold: Hold, caps: Caps) -> Reservation:
        """Set `hold.bound` aside in every scope of its account, all or nothing, durably.

        Raises:
            BudgetExceeded: it does not fit a cap, or its model is blocked. Nothing is reserved.
        """
        ...

    async def dispatch(self, reservation: Reservation) -> None:
        """Durable before the first byte leaves. From here on it can be settled or forfeited, no longer voided."""
        ...

    async def beat(self) -> None:
        """Tell other processes that this one lives. Leases of one that is silent for long end early."""
        ...

    async def settle(self, reservation: Reservation, settlement: Settlement) -> None:
        """Charge the true cost and free the rest. A cost above the bound is charged in full, and blocks the model.

        Where it cannot be written, it is kept and written with the next change.
        """
        ...

    async def void(self, reservation: Reservation) -> None:
        """Free all of it: it was never sent."""
        ...

    async def forfeit(self, reservation: Reservation, settlement: Settlement) -> None:
        """Charge the whole bound, or `settlement.cost` where that is more: what was billed is unknown."""
        ...

    async def record(self, free: Free) -> None:
        """Write down an attempt that cost nothing."""
        ...

    async def view(self, caps: Caps, account: Account) -> BudgetView: ...

    async def raise_alerts(self, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """Those of them that nobody has raised before: each is given once, to one process."""
        ...

    async def unblock(self, model: str, billed: Usd | None = None) -> Overbilled | None:
        """Let a model be paid again that had charged above its bound: what it was blocked for, None where it was not.

        `billed`: what these calls were billed in truth. What was charged above that is taken back in every scope of
        theirs, by one more entry for each. It can also be told later, until the model is blocked again.

        Raises:
            InvalidRequest: it is more than was charged. Nothing is changed.
        """
        ...

    async def report(self, period: PeriodName) -> PeriodReport:
        """This day or month."""
        ...

    async def usage(self, by: By, month: str | None = None) -> Sequence[UsageRow]:
        """The answers of a month (`2026-11`, in UTC), grouped; None means this month."""
        ...

    async def notices(self) -> Sequence[str]:
        """What the owner should know of this month's book, in words: providers that charge other prices than the price
        book's, and a copy that was put in the ledger's place."""
        ...

    async def check(self) -> Sequence[str]:
        """What is wrong with the book, one line each; empty when every balance is the sum of its entries."""
        ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """`context_tokens` is None where unknown.

    `blended_nanos`: the list price now (lowest tier) of three input tokens and one output token together, in
    nano-dollars, by which models are called cheap or premium; a declared price counts as the list price.
    """

    context_tokens: int | None
    blended_nanos: int


class PriceBook(Protocol):
    def quote(self, model: ModelSpec, request_bytes: int, start: datetime, end: datetime) -> Quote | None:
        """A bound that holds for any tokenizer and any price valid from `start` to `end`; None: no known price."""
        ...

    def cost(self, model: ModelSpec, usage: Usage, at: datetime) -> Usd | None:
        """What the reported usage costs; None: no known price."""
        ...

    def facts(self, model: ModelSpec, at: datetime) -> ModelFacts | None:
        """What the book knows of the model at a time; None: it does not know it or its price."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedAnswer:
    """A good answer kept for a while, and what the same tokens cost or would cost (`value`)."""

    completion: Completion
    model: str
    provider: str
    local: bool
    value: Usd


class Cache(Protocol):
    async def get(self, fingerprint: str) -> CachedAnswer | None: ...

    async def put(self, fingerprint: str, answer: CachedAnswer) -> None: ...


class Outcomes(Protocol):
    """What became of local models' answers in this home. All methods raise StorageError."""

    async def learned(self) -> Learned | None:
        """What all processes of this home have learned by now, None before the first call."""
        ...

    async def remember(self, lesson: Lesson) -> None:
        """Keep what can be learned from a call, and learn what its judge said."""
        ...

    async def report(self, request_id: str, *, ok: bool, client: str, own_only: bool = False) -> Reported:
        """A user's word on a call's answer; of several on one call the last one counts. `own_only`: no call of another
        client's is known to this one.

        Raises:
            InvalidRequest: no such call is remembered.
        """
        ...

    async def log(self) -> Sequence[Outcome]:
        """Every outcome that counts, the oldest first."""
        ...

    async def relearn(self) -> bool:
        """Learn everything anew from the log; whether that was known already."""
        ...

    async def reset(self) -> int:
        """Forget everything: how many outcomes were known."""
        ...

    async def aclose(self) -> None: ...


class CodeRunner(Protocol):
    """Runs code that nobody trusts where it can reach nothing. Neither method raises."""

    async def run(self, code: str, assertions: str, limit_s: float) -> CodeRun:
        """Run the code, then the assertions on what it has defined; given up after `limit_s` seconds."""
        ...

    async def trouble(self) -> str | None:
        """Why no code can be run here, and what the owner does; None after one was run."""
        ...


class SecretScanner(Protocol):
    def scan(self, request: Request) -> Sequence[Finding]:
        """Kinds of secrets and personal data in prompt, context and system prompt."""
        ...


class Observer(Protocol):
    """Told after the fact, for logs and metrics. Never sees a prompt or an answer's text."""

    def attempted(self, request_id: str, attempt: Attempt) -> None: ...

    def answered(self, answer: Answer) -> None: ...

    def alerted(self, alert: str) -> None:
        """A budget comes to its end, or a provider charged more than it may."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """Somebody (`client`) asks that the owner allows a resource, and says why."""

    id: str
    resource_type: str
    resource_name: str
    reason: str
    client: str


class Approvals(Protocol):
    """The owner's inbox and audit trail. All methods raise StorageError."""

    def record(
        self,
        event: Literal["requested", "opening", "granted", "refused", "added", "denied"],
        request: ApprovalRequest,
        state: str | None = None,
    ) -> None:
        """Write it down. `state`: what the whitelist says of the resource then."""
        ...

    def file(self, request: ApprovalRequest, limit: int) -> ApprovalRequest | None:
        """The request for the same that waits already, else this one, filed; None where `limit` others wait."""
        ...

    def pending(self) -> Sequence[ApprovalRequest]: ...

    def is_refused(self, request: ApprovalRequest) -> bool:
        """Whether the owner has said no to the same lately."""
        ...
