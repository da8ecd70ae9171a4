"""Which models may answer, and in which order: filter, then order.

    score   0 ........ 0.3 ........ 0.6 ........ 0.8 ........ 1
    wants     fast local   quality local  cheap cloud  premium cloud

Every model that is left out keeps its reason. Nothing here calls anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hybrid_mcp.domain.alerts import overbilled_first
from hybrid_mcp.domain.brevity import abridged, cost, few
from hybrid_mcp.domain.budget import FREE, Quote
from hybrid_mcp.domain.completion import Message, Request
from hybrid_mcp.domain.eligibility import (
    BANDS,
    Candidate,
    Cause,
    Excluded,
    Situation,
    exclusion,
    least_output,
    room,
    tightest,
)
from hybrid_mcp.domain.errors import (
    BudgetExceeded,
    ContextTooLong,
    EgressDenied,
    HybridError,
    NoRoute,
    SensitiveContent,
    StorageError,
)
from hybrid_mcp.domain.left_out import in_a_row
from hybrid_mcp.domain.money import NANOS_PER_USD, ZERO, Usd
from hybrid_mcp.domain.profile import ModelSpec, Tier

CHEAP_FLOOR = Usd(1 * NANOS_PER_USD)
PREMIUM_FLOOR = Usd(5 * NANOS_PER_USD)
CHEAPEST_ONLY_BELOW_PERCENT = 5
LEAST_TO_THINK_TOKENS = 256
"""With less to write, a model that thinks aloud comes to no answer."""
WEAK_MODEL_NOTE = (
    "answered by the small embedded model because nothing else may run: a larger local model (install Ollama and "
    "`ollama pull` one) or an API key (see `hybrid-mcp doctor`) would do better"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """An answer, as the model wrote it, that is not as it was asked for.

    `what` is wrong with it, without a word of it; `place`: where in it, for the model's own eyes. `mendable`: the model
    can do something about it.
    """

    answer: str
    what: str
    place: str = ""
    mendable: bool = True

    def messages(self) -> tuple[Message, ...]:
        """What is added to the chat to have it mended."""
        where = f" at {self.place}" if self.place else ""
        wrong = f"That does not match the JSON schema: {self.what}{where}. Answer with the mended JSON alone."
        return (Message("assistant", self.answer), Message("user", wrong))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One model to try: at most `output_cap` tokens out, and at most `bound` to pay.

    `quote` is what the bound was made of. `note`: what the caller should know when this model is the one that answers.
    `repair`: the model's own answer before, which it is asked to mend.
    """

    spec: ModelSpec
    output_cap: int
    bound: Usd
    quote: Quote = FREE
    step_by_step: bool = False
    note: str | None = None
    repair: Repair | None = None

    def messages(self, request: Request) -> tuple[Message, ...]:
        """The chat to send."""
        mended = self.repair.messages() if self.repair is not None else ()
        return (*request.messages(step_by_step=self.step_by_step), *mended)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`steps` in the order to try them; `excluded` holds all the others."""

    steps: tuple[Step, ...]
    excluded: tuple[Excluded, ...]
    reason: str


ERROR_TOKENS, LEFT_OUT_TOKENS = 336, 90
"""The most that an error may take, and what of it is free for the models that were left out."""
WHY_TOKENS, OVERBILLED_TOKENS, ALERTS_TOKENS, PART_TOKENS = 50, 80, 45, 80
"""What other parts of a text may take: all of it is paid for in the context of the client's model."""
NOTHING_LEFT = "no model may run this"
REMEDIES: Mapping[Cause, str] = {
    "budget": "To pay for it, the owner raises that budget in the profile or in the environment (MONTHLY_BUDGET, "
    "DAILY_BUDGET, PROJECT_BUDGET, CLIENT_BUDGET; max_cost for one request), or waits for the next day or month (UTC); "
    "a local model costs nothing.",
    "reserved": "Other calls have set money aside: call again when they are done.",
    "sensitive": "Take it out of the request, or have a local model ready (`hybrid-mcp doctor` says how).",
    "forced": "Without force_local and force_cloud the other models may run too; the profile lists cloud models as "
    "cloud_models.",
    "threshold": 'quality="high" lifts the score by a band; with force_cloud the threshold does not count.',
}
"""What to change, by the cause for which a model was left out, where its own reason does not say it."""


def decide(situation: Situation, candidates: Sequence[Candidate]) -> Decision:
    """Order the candidates that may run; `candidates` come in profile order, local ones from fast to best."""
    judged = [(candidate, exclusion(situation, candidate)) for candidate in candidates]
    left = [candidate for candidate, excluded in judged if excluded is None]
    out = [excluded for _, excluded in judged if excluded is not None]
    left, held_back, notes = _spare_money(situation, left, _cheapest(judged))
    out.extend(held_back)
    tiers = _tiers(candidates)
    ordered, loaded_first = _ordered(situation, candidates, left, tiers)
    notes.extend(loaded_first)
    by_steps = _thinks_aloud(situation, left)
    steps = tuple(_step(situation, candidate, step_by_step=by_steps) for candidate in ordered)
    return Decision(steps=steps, excluded=tuple(out), reason=_reason(situation, ordered, out, notes))


def shortened(step: Step, limit: Usd | None, request: Request) -> Step | None:
    """The step with an output cap so low that its bound fits the limit; None where it fits, or nothing useful does."""
    if limit is None or step.bound <= limit:
        return None
    cap = step.quote.largest_output(limit)
    if cap < least_output(request):
        return None
    return replace(step, output_cap=cap, bound=step.quote.bound(cap))


def refusal(decision: Decision, alerts: Sequence[str] = ()) -> HybridError:
    """The error for a decision that leaves no model: of the one cause where there is only one, else NoRoute."""
    causes = {excluded.cause for excluded in decision.excluded}
    remedies = " ".join(text for cause, text in REMEDIES.items() if cause in causes)
    why = abridged(decision.reason.replace(f"; {NOTHING_LEFT}", ""), WHY_TOKENS)
    first, last = f"{NOTHING_LEFT} ({why}).", " ".join(filter(None, (remedies, warnings(alerts))))
    room = max(LEFT_OUT_TOKENS, ERROR_TOKENS - cost(first) - cost(last))
    told = in_a_row(decision.excluded, room) or "No model is known: run `hybrid-mcp doctor`"
    message = f"{first} {told}. {last}".rstrip()
    if "sensitive" in causes:
        return SensitiveContent(message)
    main = causes - {"forced", "threshold"}
    if main and main <= {"budget", "reserved"}:
        return BudgetExceeded(message, passing="reserved" in main)
    if main == {"context"}:
        return ContextTooLong(message)
    if main == {"ledger"}:
        return StorageError(message)
    return EgressDenied(message) if main and main <= {"airgap", "whitelist"} else NoRoute(message)


def warnings(alerts: Sequence[str]) -> str:
    """What an error tells of money: every charge above its bound, and as many other alerts as there is room for."""
    charges, others = overbilled_first(alerts, OVERBILLED_TOKENS)
    return ". ".join(filter(None, (*charges, few(others, ALERTS_TOKENS, ". "))))


def _cheapest(judged: Sequence[tuple[Candidate, Excluded | None]]) -> str | None:
    """The cheapest paid model that may run, whatever the score: only the threshold is overlooked."""
    able = [one for one, excluded in judged if excluded is None or excluded.cause == "threshold"]
    paid = [candidate for candidate in able if not candidate.spec.local and candidate.blended_nanos is not None]
    return min(paid, key=lambda candidate: candidate.blended_nanos or 0).spec.name if paid else None


def _spare_money(
    situation: Situation, left: list[Candidate], cheapest: str | None
) -> tuple[list[Candidate], list[Excluded], list[str]]:
    """Hold paid models back when little money is left: the floors of a band, and the cheapest only below 5 %."""
    paid = [candidate for candidate in left if not candidate.spec.local]
    stands_in = any(candidate.spec.local and not candidate.last_resort for candidate in left)
    floor, month_left = _active_floor(situation), situation.budget.remaining("month")
    if paid and floor is not None and stands_in:
        reason = f"{month_left} of the month is left, under the floor of {floor} for this score: local models answer"
        out = [Excluded(model=candidate.spec.name, cause="budget", fact=reason) for candidate in paid]
        return [candidate for candidate in left if candidate.spec.local], out, [reason]
    dearer = [candidate.spec.name for candidate in paid if candidate.spec.name != cheapest]
    if dearer and situation.budget.month_left_under(CHEAPEST_ONLY_BELOW_PERCENT):
        reason = (
            f"under {CHEAPEST_ONLY_BELOW_PERCENT} % of the month's budget is left: only the cheapest paid model, "
            f"{cheapest}, is eligible"
        )
        out = [Excluded(model=name, cause="budget", fact=reason) for name in dearer]
        return [candidate for candidate in left if candidate.spec.name not in dearer], out, [reason]
    return left, [], []


def _active_floor(situation: Situation) -> Usd | None:
    """The floor that holds paid models back now, for calls that force nothing, where the cap is larger than it."""
    cap, left = situation.budget.caps.month, situation.budget.remaining("month")
    floor = PREMIUM_FLOOR if situation.level >= BANDS[2] else CHEAP_FLOOR
    if cap is None or left is None or situation.request.forces or cap <= floor or left >= floor:
        return None
    return floor


_OUT_FOR_GOOD: frozenset[Cause] = frozenset(
    {"absent", "key", "whitelist", "airgap", "sensitive", "task", "forced", "price", "context", "blocked"}
)


def is_premium(name: str, candidates: Sequence[Candidate], decision: Decision) -> bool:
    """Whether it is a paid model of the highest tier of those that may be asked, now or when there is money."""
    tiers = _tiers(candidates)
    out = {one.model for one in decision.excluded if one.cause in _OUT_FOR_GOOD}
    better = any("premium" in found for other, found in tiers.items() if other != name and other not in out)
    return name in tiers and ("premium" in tiers[name] or not better)


def _tiers(candidates: Sequence[Candidate]) -> dict[str, frozenset[Tier]]:
    """Cheap or premium for each paid model: as declared, else by the geometric middle of the listed prices."""
    paid = [candidate for candidate in candidates if not candidate.spec.local]
    if len(paid) == 1:
        return {paid[0].spec.name: frozenset(("cheap", "premium"))}
    prices = [candidate.blended_nanos for candidate in paid if candidate.blended_nanos is not None]
    middle_squared = min(prices) * max(prices) if prices else 0
    tiers: dict[str, frozenset[Tier]] = {}
    for candidate in paid:
        price = candidate.blended_nanos or 0
        tier: Tier = candidate.spec.tier or ("premium" if price * price >= middle_squared else "cheap")
        tiers[candidate.spec.name] = frozenset((tier,))
    return tiers


def _ordered(
    situation: Situation,
    candidates: Sequence[Candidate],
    left: Sequence[Candidate],
    tiers: dict[str, frozenset[Tier]],
) -> tuple[list[Candidate], list[str]]:
    """The order, and why it is another one than the bands alone would give."""
    paid = _ordered_paid(situation, [candidate for candidate in left if not candidate.spec.local], tiers)
    local, notes = _ordered_local(situation, candidates, left, paid_may_run=bool(paid))
    resort = [candidate for candidate in left if candidate.last_resort]
    if situation.level < BANDS[0]:
        local, resort = [*local, *resort], []
    local_first = _local_first(situation)
    order = [*local, *paid, *resort] if local_first else [*paid, *local, *resort]
    return sorted(order, key=lambda candidate: candidate.spec.name not in situation.preferred), notes


def _local_first(situation: Situation) -> bool:
    if not situation.threshold_met:
        return True
    return situation.profile.rules.always_try_local_first and situation.request.quality != "high"


def _ordered_paid(
    situation: Situation, paid: Sequence[Candidate], tiers: dict[str, frozenset[Tier]]
) -> list[Candidate]:
    """The wanted tier first, and in it the profile's order; for high quality that order alone."""
    if situation.request.quality == "high":
        return sorted(paid, key=lambda candidate: candidate.unhealthy)
    wanted: Tier = "premium" if situation.level >= BANDS[2] else "cheap"
    return sorted(paid, key=lambda candidate: (wanted not in tiers[candidate.spec.name], candidate.unhealthy))


def _ordered_local(
    situation: Situation, candidates: Sequence[Candidate], left: Sequence[Candidate], *, paid_may_run: bool
) -> tuple[list[Candidate], list[str]]:
    """Local models, the nearest to what the band wants first; of two as near, the better one.

    One that is loaded goes before those that would have to be loaded, unless it is weaker than what the band wants.
    """
    ladder = [candidate for candidate in candidates if candidate.spec.local and not candidate.last_resort]
    if not ladder:
        return [], []
    falls_back = situation.level >= BANDS[1] and not paid_may_run
    if situation.level < BANDS[0] or (falls_back and situation.profile.rules.fallback == "local"):
        target = 0
    else:
        target = min(1, len(ladder) - 1) if situation.level < BANDS[1] else len(ladder) - 1
    rungs = {candidate.spec.name: rung for rung, candidate in enumerate(ladder)}
    names = {candidate.spec.name for candidate in left}
    may_run = [candidate for candidate in ladder if candidate.spec.name in names]

    def nearness(candidate: Candidate) -> tuple[bool, int, int]:
        rung = rungs[candidate.spec.name]
        return candidate.unhealthy, abs(rung - target), -rung

    def goes_before(candidate: Candidate) -> bool:
        return candidate.loaded and not candidate.unhealthy and rungs[candidate.spec.name] >= target

    nearest = sorted(may_run, key=nearness)
    order = sorted(nearest, key=lambda candidate: not goes_before(candidate))
    moved = next(((first, other) for first, other in zip(order, nearest, strict=True) if first is not other), None)
    if moved is None:
        return order, []
    return order, [f"{moved[0].spec.name} is loaded already, so it goes before {moved[1].spec.name}"]


def _thinks_aloud(situation: Situation, left: Sequence[Candidate]) -> bool:
    """Whether local models are asked to go step by step: the band wanted a paid model and none may run."""
    if situation.level < BANDS[1] or any(not candidate.spec.local for candidate in left):
        return False
    if situation.request.max_output_tokens < LEAST_TO_THINK_TOKENS or situation.request.response_schema:
        return False
    premium_held_back = situation.level >= BANDS[2] and _active_floor(situation) is not None
    return premium_held_back or situation.profile.rules.fallback == "local_with_cot"


def _step(situation: Situation, candidate: Candidate, *, step_by_step: bool) -> Step:
    cap = min(situation.request.max_output_tokens, room(situation, candidate))
    limit, quote = situation.budget.affordable(), candidate.quote
    if candidate.spec.local or quote is None:
        note = WEAK_MODEL_NOTE if candidate.last_resort and situation.level >= BANDS[0] else None
        return Step(spec=candidate.spec, output_cap=cap, bound=ZERO, step_by_step=step_by_step, note=note)
    if limit is not None:
        cap = min(cap, quote.largest_output(limit))
    return Step(spec=candidate.spec, output_cap=cap, bound=quote.bound(cap), quote=quote)


def _wants(level: int) -> str:
    names = ("a fast local model", "a quality local model", "a cheap cloud model", "a premium cloud model")
    return names[sum(level >= edge for edge in BANDS)]


def _reason(situation: Situation, ordered: Sequence[Candidate], out: Sequence[Excluded], notes: Sequence[str]) -> str:
    score, level = situation.complexity.hundredths, situation.level
    lifted = f" (quality={situation.request.quality}: {level / 100:.2f})" if level != score else ""
    parts = [f"score {score / 100:.2f}{lifted} wants {_wants(level)}", *notes]
    if situation.request.force_cloud:
        parts.append("force_cloud asks for a paid model")
    if not ordered:
        parts.append(NOTHING_LEFT)
    missing = [excluded for excluded in out if excluded.model in situation.preferred]
    if missing:
        parts.append(few([f"preferred {one.model} is left out: {one.reason}" for one in missing], PART_TOKENS, "; "))
    if situation.sensitive is not None:
        parts.append(f"{situation.sensitive}, so it stays local")
    if ordered and ordered[0].spec.local and level >= BANDS[1]:
        paid_follow = any(not candidate.spec.local for candidate in ordered)
        why = few(list(dict.fromkeys(one.reason for one in out if one.cause in _ABOUT_MONEY)), PART_TOKENS, "; ")
        parts.append(
            "local models are tried first"
            if paid_follow
            else f"no paid model may run{f' ({why})' if why else ''}, so a local one answers"
        )
    elif situation.budget.affordable() == ZERO:
        parts.append(f"nothing may be spent: {tightest(situation.budget)}")
    return "; ".join(parts)


_ABOUT_MONEY = frozenset({"blocked", "ledger", "budget", "reserved"})
