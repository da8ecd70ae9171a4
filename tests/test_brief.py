"""Answers and errors stay small in the context of a client's model, whatever the profile holds and whatever failed.

400 tokens of cl100k are the most beside the text. `cost` stands in for them: it counts rather too many where names are
as they are in use. docs/benchmarks.md has the tokens that were counted.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_mcp.brief import OTHERS, SHORTENED, brief_result
from hybrid_mcp.domain.alerts import overbilled_first
from hybrid_mcp.domain.answer import Answer, Attempt, Outcome
from hybrid_mcp.domain.attempts import Tried, no_answer, told
from hybrid_mcp.domain.brevity import cost
from hybrid_mcp.domain.budget import Account, BudgetView, Caps, Keys, Overbilled
from hybrid_mcp.domain.completion import Completion, Usage
from hybrid_mcp.domain.eligibility import Cause, Excluded
from hybrid_mcp.domain.judging import Verdict
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import ModelSpec
from hybrid_mcp.domain.routing import WEAK_MODEL_NOTE, Decision, Step
from hybrid_mcp.domain.scorer import Complexity
from hybrid_mcp.wire import CompletionResult, completion_result
from tests.support_routing import CLOUD

MOST = 405
ANSWER_BYTES, ERROR_BYTES = 1_300, 1_400
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEYS = Keys.at(Account(client="c", project="p"), AT)
NAMES = (
    "gemini-3.8-flash", "claude-opus-5-5", "a/b", "nvidia/llama-3.3-nemotron-super-49b-v1.5",
    "hf.co/bartowski/Qwen2.5-Coder-32B-Instruct-GGUF:Q4_K_M", "accounts/fireworks/models/deepseek-v3p1-terminus",
    "us.anthropic.claude-3-7-sonnet-20250219-v1:0", "meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo", "通义千问-大",
)  # fmt: skip
FACTS: tuple[tuple[Cause, str, str], ...] = (
    ("whitelist", "api.{}.example.com is not listed in cloud_apis or domains", "ask with add_to_whitelist"),
    ("key", "no API key", "set VENDOR_{}_API_KEY"),
    ("context", "about 123,456 tokens and at least 256 for the answer do not fit its context window of {},000",
     "send less context, or a model with a larger window"),
    ("price", "its price is unknown",
     "declare `price: {{input_per_mtok: ..., output_per_mtok: ...}}` for its provider in the profile"),
    ("budget", "needs up to $0.{}456789 and $0.01 may be spent now ($0.01 is left of the monthly budget of $5.00)", ""),
    ("sensitive", "prompt holds a private key (PEM), so it must stay on this machine", ""),
    ("airgap", "airgap is on", "only models on this machine may run (AIRGAP_MODE, profile key `airgap`)"),
    ("breaker", "it failed several times in a row or asked for a pause, and is tried again in {} s", ""),
    ("memory", "it needs about {}.5 GB of memory, and this machine has 8.2 GB: use a smaller model", ""),
    ("blocked", "cost $0.{} where at most $0.01 was expected (2026-11-20 12:00 UTC)",
     "it gets no paid call until the owner runs `hybrid-mcp models unblock {}`"),
)  # fmt: skip
FAILURES = (
    "{} could not be reached at http://127.0.0.1:11434: is it running? `hybrid-mcp doctor` looks",
    "the request is too long for {} (HTTP 400, context_length_exceeded): send less context, or use a larger model",
    "no answer within 12.5 s (last: answering, 12,345 characters so far): call again, or give a larger deadline_s",
    "{} refused the request (HTTP 401, invalid_api_key): the key is wrong, or not allowed to do this; check VENDOR_KEY",
)
SIGNS = (
    "it repeats itself over and over", "a sum in it is wrong", "the prompt asks for code and there is none",
    "it is in another language than the prompt", "it names several of the choices, and one was asked for",
    "its number is not what the prompt's own sum comes to", "it names none of the choices",
    "it has another number of items than was asked for", "its length is far from what was asked for",
)  # fmt: skip
SIGNALS = (
    "base", "length", "numbers", "maths", "code", "reasoning", "wording", "words", "code_block", "context_length",
    "debugging_words", "redesign_words", "explain_large_context", "over_8000_tokens", "outcomes",
)  # fmt: skip
UNBLOCK = "`hybrid-mcp models unblock "
WISHED = "preferred openai:gpt-6.1-sol is left out: no API key: set OPENAI_API_KEY"
REDACTED = "placeholders were sent in place of what was found (an IBAN in prompt)"
seeds = st.integers(0, 2**32).map(Random)
"""Of values whose parts would take Hypothesis long to draw one by one."""


def name(some: Random) -> str:
    return f"{some.choice(NAMES)}-{some.randrange(100)}"


def money(some: Random) -> Usd:
    return Usd(some.randrange(10 ** some.choice((1, 9, 12))))


def step(some: Random) -> Step:
    return Step(spec=ModelSpec(provider=CLOUD, model=name(some)), output_cap=100, bound=money(some))


def left_out(some: Random) -> Excluded:
    cause, fact, remedy = some.choice(FACTS)
    number = some.randrange(1, 100)
    model = f"cloud:{name(some)}"
    what = model if cause == "blocked" else number
    return Excluded(model=model, cause=cause, fact=fact.format(number), remedy=remedy.format(what))


def failed(some: Random) -> Tried:
    asked = step(some)
    outcome: Outcome = some.choice(("failed", "timeout", "rate_limited", "refused"))
    reason = some.choice(FAILURES).format(asked.spec.name)
    attempt = Attempt(model=asked.spec.name, outcome=outcome, reason=reason, cost=money(some), latency_ms=12_345)
    return Tried(step=asked, attempt=attempt, ending="void")


def doubtful(some: Random) -> Tried:
    asked = replace(step(some), note=some.choice((None, WEAK_MODEL_NOTE)))
    verdict = Verdict(reasons=tuple(some.sample(SIGNS, some.randrange(1, len(SIGNS) + 1))), escalate=True)
    attempt = Attempt(model=asked.spec.name, outcome="ok", cost=money(some), latency_ms=54_321)
    completion = Completion(text="t", finish="stop", usage=None)
    return Tried(step=asked, attempt=attempt, ending="settle", completion=completion).judged(verdict)


def decision_of(some: Random) -> Decision:
    return Decision(
        steps=tuple(step(some) for _ in range(some.randrange(20))),
        excluded=tuple(left_out(some) for _ in range(some.choice((0, 1, 4, 8, 20)))),
        reason=f"score 0.71 (quality=high: 0.80) wants a premium cloud model{some.choice(('', f'; {WISHED}'))}",
    )


def warnings(some: Random) -> tuple[str, ...]:
    spent = [f"{percent} % of the monthly budget of $5.00 is spent ($4.80)" for percent in (50, 80, 95)]
    charges = [str(Overbilled(model=name(some), bound=money(some), cost=money(some), at=AT)) for _ in range(3)]
    return tuple(some.sample((*spent, *charges), some.randrange(4)))


def answer_of(some: Random) -> Answer:
    decision, chosen = decision_of(some), doubtful(some)
    tried = [*(failed(some) for _ in range(some.randrange(12))), chosen]
    redaction = some.choice((None, REDACTED))
    why = told(decision, tried, chosen, frozenset(), redaction)
    gist = told(decision, tried, chosen, frozenset(), redaction, beside_attempts=True)
    signals = {signal: some.randrange(1, 40) for signal in some.sample(SIGNALS, some.randrange(len(SIGNALS)))}
    done = Answer(
        request_id="0f8fad5bd9cb", status="completed", text="the answer", judged="doubtful", judging_ms=12_345,
        reasoning=some.choice(("", "so the answer has to be a list of words. " * 30)), reason=why, gist=gist,
        complexity=Complexity(hundredths=71, signals=signals, task=None, tokens=10),
        budget=BudgetView(caps=Caps(month=money(some), day=money(some)), keys=KEYS),
        model=chosen.step.spec.name, provider="cloud", escalated=True, plan=decision.steps,
        excluded=decision.excluded, attempts=tuple(one.attempt for one in tried),
        usage=Usage(input_tokens=123_456, output_tokens=65_432), cost=money(some), saved=money(some),
        latency_ms=98_765, alerts=warnings(some),
    )  # fmt: skip
    planned = replace(
        done, status="planned", text=None, reasoning="", model=None, provider=None, attempts=(), reason=decision.reason,
        gist=None, judged=None, usage=None,
    )  # fmt: skip
    return some.choice((done, planned))


@settings(max_examples=150, deadline=None)
@given(answer=seeds.map(answer_of))
def test_an_answer_is_small_beside_its_text_and_holds_what_matters(answer: Answer):
    brief, whole = brief_result(answer), completion_result(answer)
    beside = brief.model_copy(update={"text": ""}).to_json()
    assert cost(beside) <= MOST
    assert len(beside.encode()) < ANSWER_BYTES
    assert CompletionResult.model_validate_json(brief.to_json()) == brief
    shortened = {"reason", "reasoning", "plan", "excluded", "attempts", "complexity", "budget"}
    assert brief.model_dump(exclude=shortened) == whole.model_dump(exclude=shortened)
    assert brief.reason.startswith("score 0.71")
    assert bool(brief.excluded) is bool(whole.excluded)
    assert bool(brief.budget.alerts) is bool(whole.budget.alerts)
    assert brief.budget.month_remaining_usd == whole.budget.month_remaining_usd
    assert abs(sum(brief.complexity.signals.values()) - sum(whole.complexity.signals.values())) < 0.01
    if answer.attempts:
        assert brief.attempts[-1].outcome == "doubtful"
        assert brief.attempts[-1].reason[:20] == answer.attempts[-1].reason[:20]
    assert all((part in brief.reason) is (part in whole.reason) for part in (WISHED[:16], REDACTED[:16]))
    assert (UNBLOCK in "".join(brief.budget.alerts[:1])) is any(UNBLOCK in one for one in whole.budget.alerts)
    listed = ("plan", "attempts", "excluded")
    is_shorter = any(len(getattr(brief, part)) < len(getattr(whole, part)) for part in listed)
    is_shorter |= (brief.budget, brief.reasoning) != (whole.budget, whole.reasoning)
    assert brief.reason.endswith(SHORTENED) or not is_shorter


@settings(max_examples=150, deadline=None)
@given(some=seeds)
def test_an_error_is_small_and_still_says_what_to_do(some: Random):
    decision, tried = decision_of(some), [failed(some) for _ in range(some.choice((0, 0, 1, 3, 12)))]
    alerts = warnings(some)
    if not tried:
        decision = replace(decision, steps=())
    error = str(no_answer(decision, tried, 50, alerts))
    assert cost(error) <= MOST
    assert len(error.encode()) < ERROR_BYTES
    if tried:
        assert tried[0].attempt.model[:12] in error
        assert f": {tried[0].attempt.outcome}, " in error
    assert (UNBLOCK in error) >= any(UNBLOCK in one for one in alerts)
    assert error.count("`") % 2 == 0
    if not tried and any(one.cause == "blocked" for one in decision.excluded):
        assert UNBLOCK in error
    if not tried and any(one.cause == "budget" for one in decision.excluded):
        assert "MONTHLY_BUDGET" in error


@given(answer=seeds.map(answer_of))
@settings(max_examples=30, deadline=None)
def test_an_answer_that_is_small_as_it_is_loses_nothing(answer: Answer):
    small = replace(
        answer, plan=answer.plan[:1], excluded=answer.excluded[:1], attempts=(), alerts=(), reasoning="", gist=None,
        reason="score 0.71", complexity=replace(answer.complexity, signals={"base": 71}),
    )  # fmt: skip
    assert brief_result(small) == completion_result(small)


def test_small_signals_are_summed_up_under_one_name():
    signals = {name: 30 - number for number, name in enumerate(SIGNALS)}
    large = tuple(
        Excluded(model=f"cloud:{name}", cause="key", fact="no API key", remedy=f"set {name}") for name in NAMES
    )
    answer = Answer(
        request_id="0f8fad5bd9cb", status="planned", reason="score 0.71 wants a premium cloud model",
        complexity=Complexity(hundredths=71, signals=signals, task=None, tokens=10),
        budget=BudgetView(caps=Caps(), keys=KEYS), excluded=large * 3,
    )  # fmt: skip
    found = brief_result(answer).complexity.signals
    assert next(iter(found)) == "base"
    assert list(found)[-1] == OTHERS
    assert round(sum(found.values()), 2) == round(sum(signals.values()) / 100, 2)


def charge(model: str) -> str:
    return str(Overbilled(model=model, bound=Usd.limit("0.01"), cost=Usd.limit("1.53"), at=AT))


def test_a_charge_above_its_bound_comes_before_other_alerts_and_in_few_words():
    spent = "80 % of the monthly budget of $5.00 is spent ($4.10)"
    told = "openai:x cost $1.53, $0.01 was expected: `hybrid-mcp models unblock openai:x`"
    assert overbilled_first((spent, charge("openai:x")), 60) == ([told], [spent])
    assert overbilled_first((charge("openai:x"),), cost(told) - 1) == ([told.replace("k openai:x", "k MODEL")], [])
    assert overbilled_first((charge("openai:x"), charge("a:b")), 50) == (
        ["openai:x, a:b cost more than was expected: `hybrid-mcp models unblock MODEL` for each"], [],
    )  # fmt: skip
    assert overbilled_first((), 50) == ([], [])


def test_an_attempt_that_is_cut_in_an_error_still_says_what_to_do():
    def refused(number: int) -> Tried:
        spec = ModelSpec(provider=CLOUD, model=f"model-{number}")
        reason = FAILURES[3].format(spec.name).replace("VENDOR", f"VENDOR_{number}")
        attempt = Attempt(model=spec.name, outcome="refused", reason=reason)
        return Tried(step=Step(spec=spec, output_cap=100, bound=Usd(5)), attempt=attempt, ending="void")

    error = str(no_answer(Decision(steps=(), excluded=(), reason=""), [refused(one) for one in range(9)], 50, ()))
    assert all(f"; check VENDOR_{number}_KEY" in error for number in range(6))
    assert "..." in error
