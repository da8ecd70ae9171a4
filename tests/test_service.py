from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import anyio
import pytest

from hybrid_mcp.domain.budget import Balance
from hybrid_mcp.domain.completion import STEP_BY_STEP, Completion, Request
from hybrid_mcp.domain.errors import (
    BudgetExceeded,
    ContextTooLong,
    EgressDenied,
    InvalidRequest,
    NoRoute,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
    SensitiveContent,
    StorageError,
)
from hybrid_mcp.domain.money import ZERO, Usd
from hybrid_mcp.domain.profile import Profile, RoutingRules
from hybrid_mcp.ports import Progress, ProviderCall
from tests.support_routing import CLOUD, HERE
from tests.support_service import ME, NANOS_PER_TOKEN, Bench, Notes, bench, says

pytestmark = pytest.mark.anyio

Look = Callable[..., Awaitable[Any]]

ASK = Request(prompt="Go on")
BROKEN = ProviderUnavailable("connection refused", billed=False)


async def balance(used: Bench) -> Balance:
    return (await used.ledger.report("month")).balance


async def test_a_local_answer_is_free_and_is_recorded():
    used = bench(local=["small"], small=[says("Paris")])
    answer = await used.complete(ASK)
    assert (answer.text, answer.model, answer.local, answer.cost) == ("Paris", "here:small", True, ZERO)
    assert [attempt.outcome for attempt in answer.attempts] == ["ok"]
    report = await used.ledger.report("month")
    assert (report.local_requests, report.cloud_requests, report.balance) == (1, 0, Balance())
    assert used.notes.deltas == ["Paris"]


async def test_a_paid_answer_is_charged_what_its_usage_costs_and_the_rest_is_freed():
    used = bench(cloud=["big"], big=[says("ok", tokens=(30, 12))])
    answer = await used.complete(ASK)
    assert answer.cost == Usd(42 * NANOS_PER_TOKEN)
    assert await balance(used) == Balance(spent=answer.cost)
    assert answer.budget.remaining("month") == Usd.limit(50).minus(answer.cost)


async def test_a_dry_run_plans_and_prices_and_calls_nothing():
    used = bench(local=["small"], cloud=["big"], small=[says("x")], big=[says("y")])
    answer = await used.complete(replace(ASK, dry_run=True))
    assert (answer.status, answer.text, answer.attempts, answer.cost) == ("planned", None, (), ZERO)
    assert [step.spec.model for step in answer.plan] == ["small", "big"]
    assert answer.plan[1].bound > ZERO
    assert used.scripted.calls == []
    assert await balance(used) == Balance()


async def test_a_failed_model_gives_way_to_the_next_one():
    used = bench(local=["small"], cloud=["big"], small=[BROKEN], big=[says("fine")])
    answer = await used.complete(ASK)
    assert (answer.model, answer.escalated) == ("cloud:big", False)
    assert [(one.model, one.outcome) for one in answer.attempts] == [("here:small", "failed"), ("cloud:big", "ok")]


async def test_a_doubtful_answer_escalates_and_weaker_models_are_passed_over():
    used = bench(
        local=["fast", "quality"], cloud=["big"], confidence=-0.5, fast=[says("x")],
        quality=[says("hm", confidence=-0.9)], big=[says("sure")],
    )  # fmt: skip
    request = Request(prompt="Refactor it", task_type="code_review")
    answer = await used.complete(request)
    assert used.scripted.called == ["quality", "big"]
    assert (answer.text, answer.escalated) == ("sure", True)
    assert answer.attempts[0].outcome == "doubtful"
    assert "confidence -0.90 is below the threshold -0." in answer.attempts[0].reason


async def test_a_local_model_does_not_answer_over_a_paid_one_whose_answer_was_doubted():
    rules = RoutingRules(threshold=0, always_try_local_first=False)
    profile = Profile(name="t", monthly_budget=Usd.limit(50), rules=rules, providers=(HERE, CLOUD))
    used = bench(
        local=["small"], cloud=["big", "other"], profile=profile, small=[says("small talk")],
        big=[says("I'm sorry, I cannot help with that.")], other=[ProviderUnavailable("other is down", billed=False)],
    )  # fmt: skip
    answer = await used.complete(Request(prompt="Compare the two and choose one"))
    assert used.scripted.called == ["big", "other"]
    assert (answer.model, answer.attempts[0].outcome) == ("cloud:big", "doubtful")


@pytest.mark.parametrize(
    ("doubtful", "why"),
    [
        (says("I'm sorry, but I cannot help with that."), "the model refused"),
        (says("no", finish="refusal"), "the model refused"),
        (says("Once upon", finish="length"), "cut off at the output limit"),
    ],
)
async def test_the_only_answer_is_returned_even_when_it_is_doubtful(doubtful: Completion, why: str):
    used = bench(local=["small"], small=[doubtful])
    answer = await used.complete(ASK)
    assert (answer.text, answer.attempts[0].outcome, answer.attempts[0].reason) == (doubtful.text, "doubtful", why)
    assert f"the answer is doubtful ({why})" in answer.reason


async def test_a_paid_answer_cut_off_at_the_callers_own_limit_does_not_buy_another():
    used = bench(cloud=["a", "b"], a=[says("Once", finish="length")], b=[says("Twice")])
    answer = await used.complete(ASK)
    assert used.scripted.called == ["a"]
    assert answer.attempts[0].outcome == "doubtful"


async def test_an_empty_answer_is_a_failure():
    used = bench(local=["small"], small=[says(" \n")])
    with pytest.raises(NoRoute, match="the answer is empty"):
        await used.complete(ASK)


@pytest.mark.parametrize(
    ("error", "charged"),
    [
        (ProviderUnavailable("cut in the stream"), True),
        (ProviderUnavailable("connection refused", billed=False), False),
        (ProviderTimeout("hung"), True),
        (ContextTooLong("cut, but answered", billed=True), True),
        (ContextTooLong("refused before it was sent"), False),
        (ProviderRejected("401"), False),
        (ProviderRateLimited("429"), False),
    ],
)
async def test_an_unknown_outcome_is_charged_in_full_and_a_certain_one_not_at_all(error: Exception, charged: bool):
    used = bench(cloud=["big"], big=[error])
    with pytest.raises(NoRoute, match="cloud:big"):
        await used.complete(ASK)
    found = await balance(used)
    assert found.reserved == ZERO
    assert (found.spent > ZERO) is charged


@pytest.mark.parametrize("tokens", [(0, 5), (10, 0)])
async def test_usage_that_cannot_be_true_or_is_missing_charges_the_reservation(tokens: tuple[int, int]):
    lying = bench(cloud=["big"], big=[says("word " * 100, tokens=tokens)])
    silent = bench(cloud=["big"], big=[says("word " * 100, usage=None)])
    for used in (lying, silent):
        answer = await used.complete(ASK)
        assert answer.cost == answer.plan[0].bound > ZERO
        assert await balance(used) == Balance(spent=answer.cost)


async def test_all_failures_are_told_in_one_error():
    used = bench(
        local=["small"], cloud=["big", "unknown"], small=[BROKEN], big=[ProviderRejected("402: no credit left")]
    )
    with pytest.raises(NoRoute) as caught:
        await used.complete(ASK)
    message = str(caught.value)
    for part in (
        "here:small: failed, connection refused",
        "cloud:big: refused, 402",
        "cloud:unknown: its price is unknown",
    ):
        assert part in message
    assert "Go on" not in message


async def test_a_denied_host_ends_the_call_instead_of_trying_the_next():
    used = bench(cloud=["a", "b"], a=[EgressDenied("redirected")], b=[says("x")])
    with pytest.raises(EgressDenied):
        await used.complete(ASK)
    assert used.scripted.called == ["a"]
    assert await balance(used) == Balance()


async def test_a_secret_stays_local_or_the_call_is_refused():
    request = Request(prompt="deploy with AKIAIOSFODNN7EXAMPLE")
    used = bench(local=["small"], cloud=["big"], small=[BROKEN], big=[says("leaked")])
    with pytest.raises(NoRoute, match="an AWS access key"):
        await used.complete(request)
    only_cloud = bench(cloud=["big"], big=[says("leaked")])
    with pytest.raises(SensitiveContent) as caught:
        await only_cloud.complete(replace(request, force_cloud=True))
    assert "AKIA" not in str(caught.value)
    assert used.scripted.called + only_cloud.scripted.called == ["small"]


async def test_the_smaller_of_the_two_per_request_caps_holds():
    profile = Profile(name="t", max_cost=Usd.limit("9"), rules=RoutingRules(threshold=0))
    used = bench(cloud=["big"], profile=profile, big=[says("x")])
    with pytest.raises(BudgetExceeded, match=r"max_cost is \$0\.01"):
        await used.complete(replace(ASK, max_cost=Usd.limit("0.01")))


async def test_what_an_attempt_cost_counts_against_the_cap_of_the_request():
    profile = Profile(name="t", rules=RoutingRules(threshold=0))
    cut = ProviderUnavailable("cut in the stream")
    used = bench(cloud=["a", "b"], profile=profile, a=[cut], b=[says("x")])
    plan = await used.complete(replace(ASK, dry_run=True))
    tight = replace(ASK, max_cost=plan.plan[0].bound + Usd(1))
    with pytest.raises(NoRoute, match="b: refused"):
        await used.complete(tight)
    assert used.scripted.called == ["a"]
    assert (await balance(used)).spent == plan.plan[0].bound


async def test_good_answers_are_kept_and_doubtful_ones_are_not():
    used = bench(cloud=["big"], big=[says("first", finish="length"), says("second"), says("third")])
    answers = [await used.complete(ASK) for _ in range(3)]
    assert [answer.text for answer in answers] == ["first", "second", "second"]
    answer = answers[-1]
    assert (answer.cached, answer.cost, answer.attempts, answer.model) == (True, ZERO, (), "cloud:big")
    assert answer.saved > ZERO
    report = await used.ledger.report("month")
    assert (report.cloud_requests, report.cached_requests) == (2, 1)


async def test_savings_are_measured_against_the_dearest_cloud_model():
    used = bench(local=["small"], cloud=["big"], small=[says("x", tokens=(30, 12))], big=[says("y")])
    answer = await used.complete(ASK)
    assert answer.saved == Usd(42 * NANOS_PER_TOKEN)
    assert (await used.ledger.report("month")).saved == answer.saved


async def test_savings_do_not_grow_with_the_price_of_a_model_that_was_only_named():
    used = bench(local=["small"], small=[says("x", tokens=(30, 12))])
    answer = await used.complete(replace(ASK, preferred_model="local"))
    other = bench(local=["small"], small=[says("x", tokens=(30, 12))])
    wish = replace(ASK, preferred_model="cloud:dear", force_local=True)
    named = await other.complete(wish)
    assert answer.saved == named.saved == ZERO


async def test_an_answer_that_came_by_a_detour_is_not_kept():
    used = bench(local=["small"], cloud=["big"], small=[BROKEN, says("as usual")], big=[says("detour")])
    first = await used.complete(ASK)
    second = await used.complete(ASK)
    third = await used.complete(ASK)
    assert [first.text, second.text, third.text] == ["detour", "as usual", "as usual"]
    assert [first.cached, second.cached, third.cached] == [False, False, True]


async def test_a_paid_answer_is_not_lost_when_the_ledger_cannot_close_its_reservation(monkeypatch: pytest.MonkeyPatch):
    async def full(*_: object) -> None:
        raise StorageError("ledger.db: the disk is full")

    used = bench(cloud=["big"], big=[says("paid words")])
    monkeypatch.setattr(used.ledger, "settle", full)
    monkeypatch.setattr(used.ledger, "view", after_the_first_look(used.ledger.view, full))
    answer = await used.complete(ASK)
    assert answer.text == "paid words"
    assert "the whole reservation stays charged until the ledger works, because ledger.db: the disk is full" in (
        answer.reason
    )
    assert (await balance(used)).reserved == answer.plan[0].bound


def after_the_first_look(look: Look, then: Look) -> Look:
    looks = iter([look])

    async def view(*arguments: Any) -> Any:
        return await next(looks, then)(*arguments)

    return view


async def test_a_preferred_model_that_fails_is_told_in_the_reason():
    used = bench(local=["small"], cloud=["big"], small=[says("plan b")], big=[ProviderRejected("404")])
    answer = await used.complete(replace(ASK, preferred_model="cloud:big"))
    assert (answer.text, used.scripted.called) == ("plan b", ["big", "small"])
    assert "preferred cloud:big: refused, 404" in answer.reason


@pytest.mark.parametrize("name", ["clood:big", "cloud:unknown-bug", "", "nothing"])
async def test_a_name_that_nothing_knows_is_repeated_with_near_ones(name: str):
    used = bench(local=["small"], cloud=["big"], small=[says("x")])
    with pytest.raises(InvalidRequest) as caught:
        await used.complete(replace(ASK, preferred_model=name))
    assert repr(name) in str(caught.value)
    assert "cloud:big" in str(caught.value)


async def test_a_cancelled_call_is_charged_and_leaves_nothing_reserved():
    started = anyio.Event()

    async def hangs(call: ProviderCall, progress: Progress) -> Completion:
        started.set()
        await anyio.sleep_forever()
        raise AssertionError(call, progress)

    used = bench(cloud=["big"], big=[hangs])
    async with anyio.create_task_group() as group:
        group.start_soon(used.complete, ASK)
        await started.wait()
        assert (await balance(used)).reserved > ZERO
        group.cancel_scope.cancel()
    found = await balance(used)
    assert found.reserved == ZERO
    assert found.spent > ZERO


async def test_a_call_cancelled_before_it_was_sent_costs_nothing():
    used = bench(cloud=["big"], big=[says("x")])
    with anyio.CancelScope() as scope:
        scope.cancel()
        await used.complete(ASK)
    assert used.scripted.called == []
    assert await balance(used) == Balance()


async def test_a_timed_out_attempt_tells_what_was_being_waited_for():
    async def fetching(call: ProviderCall, progress: Progress) -> Completion:
        progress.status("fetching the embedded model: 34 % of 93 MB")
        await anyio.sleep_forever()
        raise AssertionError(call)

    used = bench(local=["small"], small=[fetching])
    with pytest.raises(NoRoute, match=r"timeout, .*34 % of 93 MB"):
        await used.complete(replace(ASK, deadline_s=0.05))


async def test_a_waiting_candidate_leaves_the_first_one_half_of_the_time():
    limits: list[float] = []

    async def measures(call: ProviderCall, progress: Progress) -> Completion:
        limits.append(anyio.current_effective_deadline() - anyio.current_time())
        raise BROKEN

    used = bench(local=["a"], cloud=["b"], a=[measures], b=[measures])
    with pytest.raises(NoRoute):
        await used.complete(replace(ASK, deadline_s=40))
    assert limits == [pytest.approx(20, abs=1), pytest.approx(40, abs=1)]


async def test_a_call_that_may_take_long_still_leaves_a_model_that_does_not_come_to_an_end():
    limits: list[float] = []

    async def measures(call: ProviderCall, progress: Progress) -> Completion:
        limits.append(anyio.current_effective_deadline() - anyio.current_time())
        raise BROKEN

    used = bench(local=["a"], cloud=["b"], a=[measures], b=[measures])
    with pytest.raises(NoRoute):
        await used.service.complete(replace(ASK, deadline_s=3_600), used.notes, ME, attempt_s=5)
    assert limits == [pytest.approx(5, abs=1), pytest.approx(3_600, abs=1)]


async def test_a_retry_after_is_waited_for_once_when_nobody_else_is_left():
    limited = ProviderRateLimited("429", retry_after_s=0.0)
    used = bench(cloud=["big"], big=[limited, says("now")])
    answer = await used.complete(ASK)
    assert [one.outcome for one in answer.attempts] == ["rate_limited", "ok"]
    for ever in (limited, ProviderRateLimited("429", retry_after_s=3600)):
        used = bench(cloud=["big"], big=[ever])
        with pytest.raises(NoRoute):
            await used.complete(ASK)
        assert len(used.scripted.calls) == (2 if ever is limited else 1)


async def test_concurrent_calls_together_never_exceed_the_cap():
    profile = Profile(name="t", monthly_budget=Usd.limit("3"), rules=RoutingRules(threshold=0))
    used = bench(cloud=["big"], profile=profile, big=[says("x", tokens=(100, 900))])
    outcomes: list[str] = []

    async def one(number: int) -> None:
        try:
            await used.complete(Request(prompt=f"Go on {number}"), Notes())
            outcomes.append("ok")
        except (BudgetExceeded, NoRoute):
            outcomes.append("refused")

    async with anyio.create_task_group() as group:
        for number in range(30):
            group.start_soon(one, number)
    found = await balance(used)
    assert found.committed <= Usd.limit("3")
    assert found.reserved == ZERO
    assert 0 < outcomes.count("ok") < 30


async def begins(call: ProviderCall, progress: Progress) -> Completion:
    """Writes the beginning of an answer, and never its end."""
    progress.delta("Half of ")
    progress.delta("an answer")
    await anyio.sleep_forever()
    raise AssertionError


async def test_at_the_deadline_comes_what_was_written_so_far_and_says_so():
    answer = await bench(local=["small"], small=[begins]).complete(replace(ASK, deadline_s=0.05))
    assert (answer.status, answer.text, answer.model) == ("completed", "Half of an answer", "here:small")
    assert [one.outcome for one in answer.attempts] == ["timeout"]
    assert "the answer is doubtful (cut off at the deadline)" in answer.reason


async def test_a_whole_answer_goes_before_a_beginning():
    used = bench(local=["small", "large"], confidence=-0.5, small=[says("Whole", confidence=-2)], large=[begins])
    answer = await used.complete(replace(ASK, deadline_s=0.2))
    assert (answer.text, answer.model) == ("Whole", "here:small")


async def test_a_beginning_is_not_kept_for_the_next_time():
    used = bench(local=["small"], small=[begins, says("Whole")])
    await used.complete(replace(ASK, deadline_s=0.05))
    assert (await used.complete(ASK)).text == "Whole"


async def test_half_a_json_value_is_no_answer():
    used = bench(local=["small"], small=[begins])
    with pytest.raises(NoRoute, match="no answer within"):
        await used.complete(replace(ASK, deadline_s=0.05, response_schema='{"type": "object"}'))


async def test_a_local_model_thinks_aloud_where_the_profile_says_so_and_the_answer_comes_alone():
    rules = RoutingRules(threshold=0, fallback="local_with_cot")
    profile = Profile(name="t", rules=rules, providers=(HERE, CLOUD))
    steps = says("3 boxes of 4 are 12.\nFinal answer: 12")
    ready = bench(local=["best"], profile=profile, best=[steps])
    hard = Request(prompt="Prove and derive it: analyse, design and optimise the algorithm", task_type="reasoning")
    answer = await ready.complete(hard)
    assert (answer.text, answer.reasoning) == ("12", "3 boxes of 4 are 12.")
    assert ready.notes.deltas == ["12"]
    assert STEP_BY_STEP in ready.scripted.calls[0].messages[0].content
    assert (await ready.complete(replace(hard, max_output_tokens=100))).text == steps.text
    assert STEP_BY_STEP not in ready.scripted.calls[1].messages[0].content
