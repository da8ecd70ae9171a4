from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.budget import EMPTY, Balance, Balances, BudgetView, Caps, Overbilled
from hybrid_mcp.domain.completion import Quality, Request
from hybrid_mcp.domain.eligibility import Breaker, Candidate, Situation
from hybrid_mcp.domain.errors import BudgetExceeded, ContextTooLong, EgressDenied, NoRoute, SensitiveContent
from hybrid_mcp.domain.memory import GB
from hybrid_mcp.domain.money import ZERO, Usd
from hybrid_mcp.domain.profile import Fallback, Profile, RoutingRules
from hybrid_mcp.domain.routing import Decision, decide, is_premium, refusal
from hybrid_mcp.domain.whitelist import Whitelist
from tests.support_ledger import NOON
from tests.support_routing import CAPS, LADDER, PAID, SMALL, WHITELIST, local, paid, situation, spent

ALL = (*LADDER, *PAID)
BREAKER_STATES: tuple[Breaker, ...] = ("closed", "half_open", "open")
QUALITIES: tuple[Quality, ...] = ("auto", "low", "high")
FALLBACKS: tuple[Fallback, ...] = ("local_with_cot", "local_best_effort", "local")
LOCAL_FIRST = RoutingRules(threshold=60, always_try_local_first=True)


def order(decision: Decision) -> list[str]:
    return [step.spec.model for step in decision.steps]


def left_out(decision: Decision) -> dict[str, str]:
    return {one.model.split(":")[1]: one.cause for one in decision.excluded}


@pytest.mark.parametrize(
    ("hundredths", "expected"),
    [
        (0, ["cheap", "premium", "fast", "quality", "best"]),
        (29, ["cheap", "premium", "fast", "quality", "best"]),
        (30, ["cheap", "premium", "quality", "best", "fast"]),
        (59, ["cheap", "premium", "quality", "best", "fast"]),
        (60, ["cheap", "premium", "best", "quality", "fast"]),
        (79, ["cheap", "premium", "best", "quality", "fast"]),
        (80, ["premium", "cheap", "best", "quality", "fast"]),
        (100, ["premium", "cheap", "best", "quality", "fast"]),
    ],
)
def test_bands_are_half_open_and_paid_models_come_first_where_the_threshold_is_met(
    hundredths: int, expected: list[str]
):
    assert order(decide(situation(hundredths), ALL)) == expected


@pytest.mark.parametrize(
    ("hundredths", "expected"),
    [
        (0, ["fast", "quality", "best"]),
        (30, ["quality", "best", "fast"]),
        (60, ["best", "quality", "fast", "cheap", "premium"]),
        (80, ["best", "quality", "fast", "premium", "cheap"]),
    ],
)
def test_local_models_come_first_when_the_profile_says_so(hundredths: int, expected: list[str]):
    assert order(decide(situation(hundredths, rules=LOCAL_FIRST), ALL)) == expected


@pytest.mark.parametrize(("hundredths", "paid_may_run"), [(59, False), (60, True)])
def test_the_threshold_is_inclusive(hundredths: int, paid_may_run: bool):
    decision = decide(situation(hundredths, rules=LOCAL_FIRST), ALL)
    assert ("cheap" in order(decision)) is paid_may_run
    if not paid_may_run:
        assert left_out(decision) == {"cheap": "threshold", "premium": "threshold"}
        assert "0.59 is below the profile's complexity_threshold 0.60" in decision.excluded[0].reason


@pytest.mark.parametrize(
    ("quality", "hundredths", "month_spent", "first"),
    [
        ("high", 0, "0", "quality"),
        ("high", 45, "0", "best"),
        ("high", 45, "40", "quality"),
        ("high", 45, "39.999", "best"),
        ("low", 45, "0", "fast"),
        ("low", 60, "0", "quality"),
        ("low", 10, "0", "fast"),
    ],
)
def test_quality_lifts_or_drops_the_score_by_a_band(quality: Quality, hundredths: int, month_spent: str, first: str):
    request = Request(prompt="p", quality=quality)
    found = decide(situation(hundredths, request=request, rules=LOCAL_FIRST, budget=spent(month_spent)), LADDER)
    assert order(found)[0] == first


def test_high_quality_asks_the_paid_models_first_and_in_the_profiles_order():
    first, second, third = paid("first", 1), paid("second", 100), paid("third", 10)
    candidates = (*LADDER, first, second, third, SMALL)
    request = Request(prompt="p", quality="high")
    expected = ["first", "second", "third", "best", "quality", "fast", "smollm2"]
    assert order(decide(situation(60, request=request, rules=LOCAL_FIRST), candidates)) == expected
    tired = replace(first, slow=True)
    found = decide(situation(60, request=request, rules=LOCAL_FIRST), (*LADDER, tired, second, third, SMALL))
    assert order(found)[:3] == ["second", "third", "first"]


def test_the_best_that_may_be_asked_is_the_dearest_that_is_not_left_out_for_good():
    cheap, premium = PAID

    def best(*candidates: Candidate) -> list[bool]:
        decision = decide(situation(90), candidates)
        return [is_premium(one.spec.name, candidates, decision) for one in candidates]

    assert best(*ALL) == [False] * len(LADDER) + [False, True]
    assert best(SMALL, cheap, replace(premium, has_key=False)) == [False, True, True]
    assert best(SMALL, cheap, replace(premium, absent="not there")) == [False, True, True]
    assert best(cheap, replace(premium, breaker="open")) == [False, True]
    only_cheap = [replace(one, spec=replace(one.spec, tier="cheap")) for one in PAID]
    assert best(*only_cheap) == [True, True]


def test_high_quality_below_the_threshold_stays_local():
    request = Request(prompt="p", quality="high")
    assert order(decide(situation(20, request=request, rules=LOCAL_FIRST), ALL)) == ["quality", "best", "fast"]


def test_under_five_percent_only_the_cheapest_paid_model_is_left_forced_or_not():
    for request in (Request(prompt="p"), Request(prompt="p", force_cloud=True)):
        found = decide(situation(90, request=request, budget=spent("47.51", replace(CAPS, month=Usd.limit(50)))), PAID)
        assert order(found) == ["cheap"]
        assert "under 5 %" in found.excluded[0].reason
    assert order(decide(situation(90, budget=spent("47.50")), PAID)) == ["premium", "cheap"]


def test_a_preferred_model_is_no_way_around_the_cheapest_only():
    request = Request(prompt="p", preferred_model="cloud:premium")
    names, poor = frozenset({"cloud:premium"}), spent("49")
    found = decide(situation(0, request=request, rules=LOCAL_FIRST, preferred=names, budget=poor), ALL)
    assert order(found) == ["fast", "quality", "best"]
    assert "only the cheapest paid model, cloud:cheap" in found.reason


def test_the_floors_keep_the_last_dollars_for_calls_that_insist():
    low = spent("46", replace(CAPS, month=Usd.limit(50)))
    assert order(decide(situation(70, budget=low), ALL))[:2] == ["cheap", "premium"]
    held = decide(situation(85, budget=low), ALL)
    assert order(held) == ["best", "quality", "fast"]
    assert all(step.step_by_step for step in held.steps)
    insisting = Request(prompt="p", force_cloud=True)
    assert order(decide(situation(85, request=insisting, budget=low), ALL)) == ["premium", "cheap"]
    small_cap = BudgetView(caps=replace(CAPS, month=Usd.limit(5)))
    assert order(decide(situation(85, budget=small_cap), ALL))[0] == "premium"
    last_dollar = decide(situation(70, budget=spent("49.10")), ALL)
    assert order(last_dollar) == ["best", "quality", "fast"]
    assert not any(step.step_by_step for step in last_dollar.steps)


def test_a_floor_never_locks_out_money_that_is_left_when_nothing_local_may_run():
    assert order(decide(situation(85, budget=spent("46")), PAID)) == ["premium", "cheap"]


def test_force_cloud_lifts_the_threshold_but_no_filter():
    request = Request(prompt="p", force_cloud=True)
    found = decide(situation(0, request=request, rules=LOCAL_FIRST), ALL)
    assert order(found) == ["cheap", "premium"]
    secret = decide(situation(0, request=request, rules=LOCAL_FIRST, sensitive="prompt holds a private key"), ALL)
    assert order(secret) == []
    assert isinstance(refusal(secret), SensitiveContent)
    assert "holds a private key" in str(refusal(secret))


def test_force_local_keeps_to_local_models():
    found = decide(situation(90, request=Request(prompt="p", force_local=True)), ALL)
    assert order(found) == ["best", "quality", "fast"]
    assert left_out(found) == {"cheap": "forced", "premium": "forced"}


def test_a_preferred_model_comes_first_and_its_threshold_is_lifted():
    request = Request(prompt="p", preferred_model="cloud:premium")
    names = frozenset({"cloud:premium"})
    found = decide(situation(0, request=request, rules=LOCAL_FIRST, preferred=names), ALL)
    assert order(found) == ["premium", "fast", "quality", "best"]
    assert left_out(found) == {"cheap": "threshold"}


def test_a_preferred_model_that_is_filtered_out_is_told_in_the_reason():
    request = Request(prompt="p", preferred_model="cloud:premium")
    keyless = (*LADDER, paid("premium", 10, has_key=False))
    found = decide(situation(0, request=request, preferred=frozenset({"cloud:premium"})), keyless)
    assert order(found) == ["fast", "quality", "best"]
    assert "preferred cloud:premium is left out: no API key: set CLOUD_KEY" in found.reason


@pytest.mark.parametrize(
    ("fallback", "first", "by_steps"),
    [("local_with_cot", "best", True), ("local_best_effort", "best", False), ("local", "fast", False)],
)
def test_the_fallback_answers_when_the_band_wants_a_paid_model_and_none_may_run(
    fallback: Fallback, first: str, by_steps: bool
):
    rules = RoutingRules(threshold=90, fallback=fallback)
    found = decide(situation(85, rules=rules), ALL)
    assert order(found)[0] == first
    assert found.steps[0].step_by_step is by_steps
    below = decide(situation(40, rules=rules), ALL)
    assert order(below)[0] == "quality"
    assert not below.steps[0].step_by_step


def test_the_embedded_model_is_the_last_resort_above_the_first_band():
    assert order(decide(situation(10), (SMALL,))) == ["smollm2"]
    assert order(decide(situation(10), (SMALL, *LADDER))) == ["fast", "quality", "best", "smollm2"]
    assert order(decide(situation(40), (SMALL, *ALL)))[-1] == "smollm2"
    alone = decide(situation(40), (SMALL, paid("cheap", 1, has_key=False)))
    assert order(alone) == ["smollm2"]
    assert alone.steps[0].note is not None
    assert "install Ollama" in alone.steps[0].note


def rungs(*loaded: int, unhealthy: Sequence[int] = (), gone: Sequence[int] = ()) -> list[Candidate]:
    """Five local models, r0 the fastest and r4 the best."""
    return [
        local(f"r{rung}", loaded=rung in loaded, slow=rung in unhealthy, breaker="open" if rung in gone else "closed")
        for rung in range(5)
    ]


@pytest.mark.parametrize(
    ("hundredths", "models", "expected", "told"),
    [
        (10, rungs(), "r0 r1 r2 r3 r4", None),
        (10, rungs(0), "r0 r1 r2 r3 r4", None),
        (10, rungs(3), "r3 r0 r1 r2 r4", "here:r3 is loaded already, so it goes before here:r0"),
        (10, rungs(2, 4), "r2 r4 r0 r1 r3", "here:r2 is loaded already, so it goes before here:r0"),
        (40, rungs(), "r1 r2 r0 r3 r4", None),
        (40, rungs(0), "r1 r2 r0 r3 r4", None),
        (40, rungs(0, 4), "r4 r1 r2 r0 r3", "here:r4 is loaded already, so it goes before here:r1"),
        (40, rungs(1, 4), "r1 r4 r2 r0 r3", "here:r4 is loaded already, so it goes before here:r2"),
        (40, rungs(0, gone=[1, 2, 3, 4]), "r0", None),
        (40, rungs(3, unhealthy=[3]), "r1 r2 r0 r4 r3", None),
        (70, rungs(0, 1, 2, 3), "r4 r3 r2 r1 r0", None),
        (70, rungs(0, gone=[4]), "r3 r2 r1 r0", None),
    ],
)  # fmt: skip
def test_a_loaded_model_goes_before_one_that_would_have_to_be_loaded_but_never_a_weaker_one(
    hundredths: int, models: Sequence[Candidate], expected: str, told: str | None
):
    found = decide(situation(hundredths, rules=LOCAL_FIRST), models)
    assert order(found) == expected.split()
    assert [part for part in found.reason.split("; ") if "loaded" in part] == ([] if told is None else [told])


@given(data=st.data(), level=st.integers(0, 100))
def test_being_loaded_never_brings_a_model_before_a_stronger_one_that_the_band_wants_more(
    data: st.DataObject, level: int
):
    count = data.draw(st.integers(1, 6))
    models = [local(f"r{rung}", loaded=data.draw(st.booleans())) for rung in range(count)]
    target = 0 if level < 30 else min(1, count - 1) if level < 60 else count - 1
    found = order(decide(situation(level, rules=LOCAL_FIRST), models))
    plain = order(decide(situation(level, rules=LOCAL_FIRST), [replace(one, loaded=False) for one in models]))
    assert sorted(found) == sorted(plain)
    for rung in range(target):
        assert set(plain[: plain.index(f"r{rung}")]) <= set(found[: found.index(f"r{rung}")])
    assert int(found[0][1:]) >= target


def test_a_preferred_model_comes_first_whatever_is_loaded():
    request = Request(prompt="p", preferred_model="here:r1")
    found = decide(situation(10, request=request, rules=LOCAL_FIRST, preferred=frozenset({"here:r1"})), rungs(4))
    assert order(found) == ["r1", "r4", "r0", "r2", "r3"]


def big(name: str, gigabytes: int, memory_gb: int | None = None, **changes: Any) -> Candidate:
    """A local model with a file of so many GB; `memory_gb`: what the owner declares."""
    candidate = local(name, **changes)
    declared = None if memory_gb is None else memory_gb * GB
    provider = replace(candidate.spec.provider, memory_bytes=declared)
    spec = replace(candidate.spec, provider=provider, file_bytes=gigabytes * GB)
    return replace(candidate, spec=spec, memory_bytes=declared or candidate.memory_bytes)


def test_a_model_that_does_not_fit_into_memory_is_left_out_with_the_numbers_and_what_to_do():
    found = decide(situation(70, rules=LOCAL_FIRST), (big("qwen:7b", 5, 12), big("yi:33b", 19, 12)))
    assert order(found) == ["qwen:7b"]
    assert left_out(found) == {"yi": "memory"}
    assert found.excluded[0].reason == (
        "it needs about 21.4 GB of memory, and the models of here may take 12.0 GB (its memory_gb): use a smaller "
        "quantisation or model, or raise memory_gb"
    )
    alone = decide(situation(70), (big("yi:33b", 19, memory_bytes=16 * GB),))
    error = refusal(alone)
    assert isinstance(error, NoRoute)
    assert "this machine has 16.0 GB" in str(error)
    assert "set `memory_gb` of provider here" in str(error)


def test_what_nobody_knows_keeps_no_model_out():
    unknown = local("unknown", memory_bytes=1)
    assert order(decide(situation(10), (big("a", 99), unknown))) == ["a", "unknown"]


def test_a_model_that_runs_partly_on_the_processor_comes_after_those_that_do_not():
    models = (local("fast"), local("quality", loaded=True, split=True), local("best"))
    assert order(decide(situation(40, rules=LOCAL_FIRST), models)) == ["best", "fast", "quality"]


def test_a_listed_embedded_model_is_like_any_other():
    listed = replace(SMALL, last_resort=False)
    assert order(decide(situation(40, rules=RoutingRules(threshold=100)), (listed,))) == ["smollm2"]
    assert decide(situation(40), (listed,)).steps[0].note is None


@pytest.mark.parametrize(
    ("candidate", "cause", "told"),
    [
        (paid("m", 1, has_key=False), "key", "set CLOUD_KEY"),
        (paid("m", 1, quote=None), "price", "declare `price"),
        (paid("m", 1, breaker="open"), "breaker", "failed several times"),
        (paid("m", 10_000), "budget", "$10.00 may be spent now (max_cost is $10.00)"),
    ],
)
def test_each_filter_says_what_to_do(candidate: Candidate, cause: str, told: str):
    found = decide(situation(90), (candidate,))
    assert left_out(found) == {"m": cause}
    assert told in found.excluded[0].reason


def test_a_host_that_is_not_whitelisted_is_left_out_with_the_way_to_allow_it():
    found = decide(situation(90, whitelist=Whitelist()), PAID)
    assert order(found) == []
    told = "api.cloud.com is not listed in cloud_apis or domains: ask with add_to_whitelist"
    assert found.excluded[0].reason == told
    assert isinstance(refusal(found), EgressDenied)


def test_airgap_keeps_everything_on_this_machine():
    profile = Profile(name="t", airgap=True)
    lan = local("lan")
    spec = replace(lan.spec, provider=replace(lan.spec.provider, name="lan", host="10.0.0.5", loopback=False))
    allowed = replace(WHITELIST, domains=("10.0.0.5",))
    found = decide(situation(90, profile=profile, whitelist=allowed), (*ALL, replace(lan, spec=spec)))
    assert order(found) == ["best", "quality", "fast"]
    assert set(left_out(found).values()) == {"airgap"}


@pytest.mark.parametrize(("task", "stays"), [
    ("anything_at_all", True), ("  ", True), (None, True), ("Simple-Completion", True), ("simple completion", True),
    ("code_review", False), ("CODE REVIEW", False),
])  # fmt: skip
def test_a_given_task_that_the_list_does_not_know_is_no_way_around_the_inferred_one(task: str | None, *, stays: bool):
    found = decide(situation(90, task="simple_completion", request=Request(prompt="p", task_type=task)), ALL)
    assert (set(left_out(found).values()) == {"task"}) is stays


def test_only_a_given_task_counts_for_a_forced_call_whatever_its_spelling():
    for task, causes in (("anything", {"forced"}), ("Simple-Completion", {"forced", "task"})):
        request = Request(prompt="p", task_type=task, force_cloud=True)
        found = decide(situation(90, task="simple_completion", request=request), ALL)
        assert set(left_out(found).values()) == causes


def test_a_task_that_the_owner_keeps_local_stays_local():
    inferred = situation(90, task="simple_completion")
    assert order(decide(inferred, ALL)) == ["best", "quality", "fast"]
    forced = situation(90, task="simple_completion", request=Request(prompt="p", force_cloud=True))
    assert order(decide(forced, ALL)) == ["premium", "cheap"]
    given_too = Request(prompt="p", force_cloud=True, task_type="simple_completion")
    told = decide(situation(90, task="simple_completion", request=given_too), ALL)
    assert order(told) == []
    assert set(left_out(told).values()) == {"forced", "task"}


def test_a_context_window_that_is_too_small_is_left_out_and_a_tight_one_shrinks_the_answer():
    tight, small = local("tight"), local("small")
    tight = replace(tight, spec=replace(tight.spec, context_tokens=410))
    small = replace(small, spec=replace(small.spec, context_tokens=200))
    found = decide(situation(10, rules=LOCAL_FIRST), (small, tight))
    assert [(step.spec.model, step.output_cap) for step in found.steps] == [("tight", 400)]
    assert "context window of 200" in found.excluded[0].reason
    assert isinstance(refusal(decide(situation(10), (small,))), ContextTooLong)


def test_an_output_cap_shrinks_to_what_the_caps_allow_but_not_below_the_minimum():
    price = paid("m", 1000)
    caps = Caps(request=Usd.limit("1.5"))
    found = decide(situation(90, budget=BudgetView(caps=caps)), (price,))
    assert found.steps[0].output_cap == 500
    assert found.steps[0].bound == Usd.limit("1.5")
    tighter = decide(situation(90, budget=BudgetView(caps=Caps(request=Usd.limit("1.2")))), (price,))
    assert order(tighter) == []
    assert isinstance(refusal(tighter), BudgetExceeded)


def test_a_cap_of_zero_means_never_spend_and_leaves_local_models_alone():
    found = decide(situation(90, budget=BudgetView(caps=Caps(month=ZERO))), ALL)
    assert order(found) == ["best", "quality", "fast"]
    assert set(left_out(found).values()) == {"budget"}


def test_a_local_answer_in_place_of_a_paid_one_says_which_budget_is_gone():
    spent_month: Balances = {**EMPTY, "month": Balance(spent=Usd.limit(50))}
    held_month: Balances = {**EMPTY, "month": Balance(reserved=Usd.limit(50))}
    for view, told in (
        (BudgetView(caps=Caps(month=ZERO)), "the monthly budget is $0.00"),
        (BudgetView(caps=Caps(day=ZERO, month=Usd.limit(50))), "the daily budget is $0.00"),
        (BudgetView(caps=Caps(client=ZERO)), "this client's budget is $0.00"),
        (BudgetView(caps=Caps(project=ZERO)), "this project's monthly budget is $0.00"),
        (BudgetView(caps=CAPS, balances=spent_month), "the monthly budget of $50.00 is spent"),
        (BudgetView(caps=CAPS, balances=held_month), "the monthly budget of $50.00 is spent or set aside for calls u"),
    ):
        wanted = decide(situation(90, budget=view), ALL).reason
        assert f"no paid model may run ({told}" in wanted
        assert ", so a local one answers" in wanted
        assert f"nothing may be spent: {told}" in decide(situation(10, budget=view), ALL).reason


def test_money_that_is_only_reserved_is_another_reason_than_money_that_is_spent():
    one = paid("m", 1000)
    for balance, cause in ((Balance(reserved=Usd.limit(50)), "reserved"), (Balance(spent=Usd.limit(50)), "budget")):
        view = BudgetView(caps=CAPS, balances={**EMPTY, "month": balance})
        found = decide(situation(90, budget=view), (one,))
        assert left_out(found) == {"m": cause}
        error = refusal(found)
        assert isinstance(error, BudgetExceeded)
        assert error.passing is (cause == "reserved")


def test_a_model_that_charged_more_than_its_bound_is_left_out_until_the_owner_lets_it_in():
    one = paid("m", 1)
    blocked = Overbilled(model=one.spec.name, bound=Usd.limit(1), cost=Usd.limit(2), at=NOON)
    found = decide(situation(90, budget=BudgetView(caps=CAPS, blocked={one.spec.name: blocked})), (one, *LADDER))
    assert left_out(found)["m"] == "blocked"
    assert "hybrid-mcp models unblock" in found.reason


@pytest.mark.parametrize(
    ("models", "cheap"),
    [
        ((paid("a", 1), paid("b", 4), paid("c", 16)), ["a"]),
        ((paid("a", 1), paid("b", 3), paid("c", 16)), ["a", "b"]),
        ((paid("a", 1, "premium"), paid("b", 16, "cheap")), ["b"]),
        ((paid("a", 3), paid("b", 3)), []),
    ],
)
def test_the_geometric_middle_of_the_prices_divides_cheap_from_premium(models: Sequence[Candidate], cheap: list[str]):
    wanted = order(decide(situation(70), models))
    assert wanted[: len(cheap)] == cheap
    premium = order(decide(situation(90), models))
    assert premium[: len(models) - len(cheap)] == [name for name in wanted if name not in cheap]


def test_slow_models_come_last_in_their_tier_and_one_that_may_be_well_again_where_it_was():
    models = (paid("a", 2, slow=True), paid("b", 1, breaker="half_open"), paid("c", 1), paid("d", 50))
    assert order(decide(situation(70), models)) == ["b", "c", "a", "d"]


def test_nothing_known_is_told_as_such():
    error = refusal(decide(situation(50), ()))
    assert isinstance(error, NoRoute)
    assert "hybrid-mcp doctor" in str(error)


@st.composite
def candidate(draw: st.DrawFn) -> Candidate:
    kind, name = draw(st.sampled_from(["local", "paid", "small"])), f"m{draw(st.integers(0, 99))}"
    base = SMALL if kind == "small" else local(name) if kind == "local" else paid(name, draw(st.integers(0, 5_000)))
    if kind == "paid":
        base = replace(base, has_key=draw(st.booleans()), quote=draw(st.sampled_from([base.quote, None])))
    spec = replace(base.spec, context_tokens=draw(st.sampled_from([None, 5, 300, 100_000])))
    breaker = draw(st.sampled_from(BREAKER_STATES))
    loaded, memory = draw(st.booleans()), draw(st.sampled_from([None, 9 * GB]))
    spec = replace(spec, file_bytes=draw(st.sampled_from([None, 5 * GB, 50 * GB])))
    return replace(base, spec=spec, breaker=breaker, slow=draw(st.booleans()), loaded=loaded, memory_bytes=memory)


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    force, task = draw(st.sampled_from(["", "local", "cloud"])), draw(st.sampled_from([None, "simple_completion"]))
    request = Request(
        prompt="p", force_local=force == "local", force_cloud=force == "cloud", task_type=task,
        quality=draw(st.sampled_from(QUALITIES)),
    )  # fmt: skip
    dollars = st.none() | st.integers(0, 60).map(Usd.limit)
    return situation(
        draw(st.integers(0, 100)), request=request, task=task,
        budget=spent(str(draw(st.integers(0, 60))), Caps(request=draw(dollars), month=draw(dollars))),
        rules=RoutingRules(
            threshold=draw(st.integers(0, 100)), always_try_local_first=draw(st.booleans()),
            fallback=draw(st.sampled_from(FALLBACKS)),
        ),
        profile=Profile(name="t", airgap=draw(st.booleans())),
        sensitive=draw(st.sampled_from([None, "prompt holds a private key"])),
        preferred=frozenset(draw(st.sets(st.sampled_from(["cloud:m1", "here:m2"])))),
    )  # fmt: skip


candidates = st.lists(candidate(), max_size=7, unique_by=lambda one: one.spec.name)


@given(situation=situations(), candidates=candidates)
def test_every_candidate_is_either_a_step_or_left_out_with_a_reason(situation: Situation, candidates: list[Candidate]):
    decision = decide(situation, candidates)
    steps = [step.spec.name for step in decision.steps]
    out = [one.model for one in decision.excluded]
    assert sorted(steps + out) == sorted(candidate.spec.name for candidate in candidates)
    assert all(one.reason for one in decision.excluded)
    assert decision.reason


@given(situation=situations(), candidates=candidates)
def test_no_step_breaks_a_promise(situation: Situation, candidates: list[Candidate]):
    by_name = {candidate.spec.name: candidate for candidate in candidates}
    limit = situation.budget.affordable()
    for step in decide(situation, candidates).steps:
        candidate = by_name[step.spec.name]
        assert candidate.breaker != "open"
        assert candidate.memory_bytes is None or candidate.spec.file_bytes != 50 * GB
        assert 1 <= step.output_cap <= situation.request.max_output_tokens
        if step.spec.local:
            assert step.bound == ZERO
            assert not situation.request.force_cloud
            continue
        assert situation.sensitive is None
        assert not situation.profile.airgap
        assert not situation.request.force_local
        assert candidate.has_key
        assert candidate.quote is not None
        assert limit is None or step.bound <= limit
        assert step.bound == candidate.quote.bound(step.output_cap)
