"""What the service does with money: waits for it, warns of its end, and never needs it for a model on this machine."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from hybrid_mcp.domain.budget import Account, Balance, BudgetView, Caps
from hybrid_mcp.domain.completion import Completion, Request, Usage
from hybrid_mcp.domain.errors import BudgetExceeded, EgressDenied, NoRoute, ProviderUnavailable, StorageError
from hybrid_mcp.domain.money import ZERO, Usd
from hybrid_mcp.domain.profile import ModelSpec, Profile, RoutingRules
from hybrid_mcp.domain.reservation import LOST, Hold
from hybrid_mcp.ports import Progress, ProviderCall
from tests.support_service import ME, NANOS_PER_TOKEN, Bench, Notes, bench, says

pytestmark = pytest.mark.anyio

ASK = Request(prompt="Go on")
OTHER = Account(client="client-2", project="project-2")


def profile(**caps: str) -> Profile:
    return Profile(name="t", rules=RoutingRules(threshold=0), **{name: Usd.limit(cap) for name, cap in caps.items()})  # pyright: ignore[reportArgumentType]


async def balance(used: Bench) -> Balance:
    return (await used.ledger.report("month")).balance


async def broken(*_: object, **__: object) -> Any:
    raise StorageError("ledger.db: it is locked")


def break_ledger(monkeypatch: pytest.MonkeyPatch, used: Bench, name: str) -> None:
    monkeypatch.setattr(used.ledger, name, broken)


async def test_a_call_waits_for_money_that_another_one_holds_and_does_not_need():
    release = anyio.Event()

    async def slow(call: ProviderCall, progress: Progress) -> Completion:
        await release.wait()
        return says("first")

    used = bench(cloud=["big"], profile=profile(monthly_budget="1.3"), big=[slow, says("second")])
    answers: list[str | None] = []

    async def call(prompt: str, notes: Notes) -> None:
        answers.append((await used.complete(Request(prompt=prompt), notes)).text)

    waiting = ReleasesWhenToldToWait(release)
    async with anyio.create_task_group() as group:
        group.start_soon(call, "one", Notes())
        await reserved(used)
        group.start_soon(call, "two", waiting)
    assert sorted(map(str, answers)) == ["first", "second"]
    assert "waiting for money that other calls have set aside" in waiting.words
    assert (await balance(used)).reserved == ZERO


class ReleasesWhenToldToWait(Notes):
    def __init__(self, event: anyio.Event) -> None:
        super().__init__()
        self._event = event

    def status(self, text: str) -> None:
        self.words.append(text)
        self._event.set()


async def reserved(used: Bench) -> None:
    while (await balance(used)).reserved == ZERO:
        await anyio.lowlevel.checkpoint()


async def test_a_call_that_waits_for_money_in_vain_says_who_has_it():
    used = bench(cloud=["big"], profile=profile(monthly_budget="1.5"), big=[says("x")])
    await used.ledger.reserve(hold("1.4"), Caps())

    class Late(Notes):
        def status(self, text: str) -> None:
            used.clock.seconds += 60

    with pytest.raises(BudgetExceeded, match=r"Other calls have set money aside: call again when they are done"):
        await used.complete(ASK, Late())
    assert used.scripted.called == []


def hold(dollars: str) -> Hold:
    return Hold(request_id="other", model="cloud:big", bound=Usd.limit(dollars), lease_s=600, account=ME)


async def test_a_local_model_answers_at_once_where_a_paid_one_would_have_to_wait():
    rules = RoutingRules(threshold=0, always_try_local_first=False)
    chosen = replace(profile(monthly_budget="1.5"), rules=rules)
    used = bench(local=["small"], cloud=["big"], profile=chosen, big=[says("x")], small=[says("here")])
    await used.ledger.reserve(hold("1.4"), Caps())
    answer = await used.complete(ASK)
    assert (answer.text, answer.local) == ("here", True)
    assert "waiting for money that other calls have set aside" not in used.notes.words


async def test_a_spent_budget_leaves_a_local_model_that_says_why():
    used = bench(
        local=["small"], cloud=["big"], profile=profile(monthly_budget="0"), small=[says("x")], big=[says("y")]
    )
    answer = await used.complete(ASK)
    assert answer.local
    assert [(one.model, one.cause) for one in answer.excluded] == [("cloud:big", "budget")]
    assert answer.excluded[0].reason == "the monthly budget is $0.00"


@pytest.mark.parametrize("scope", ["client", "project"])
async def test_each_client_and_each_project_has_a_budget_of_its_own(scope: str):
    used = bench(cloud=["big"], profile=profile(**{f"{scope}_budget": "1.2"}), big=[says("x", tokens=(100, 900))])
    await used.complete(Request(prompt="one"))
    with pytest.raises(BudgetExceeded, match=rf"this {scope}'s"):
        await used.complete(Request(prompt="two"))
    answer = await used.service.complete(Request(prompt="three"), used.notes, OTHER)
    assert answer.text == "x"


async def test_each_alert_is_told_once_in_an_answer_and_in_the_log():
    used = bench(cloud=["big"], profile=profile(monthly_budget="2"), big=[says("x", tokens=(100, 250))])
    told = [(await used.complete(Request(prompt=f"call {number}"))).alerts for number in range(3)]
    assert told == [(), (), ("50 % of the monthly budget of $2.00 is spent ($1.05)",)]
    await used.complete(Request(prompt="once more", max_output_tokens=256))
    assert used.notes.alerts == ["50 % of the monthly budget of $2.00 is spent ($1.05)"]


async def test_what_a_call_that_was_broken_off_has_spent_is_told_by_the_next_one_whatever_that_costs():
    async def hangs(call: ProviderCall, progress: Progress) -> Completion:
        await anyio.sleep_forever()
        raise AssertionError

    used = bench(local=["small"], cloud=["big"], profile=profile(monthly_budget="2"), big=[hangs], small=[says("here")])
    async with anyio.create_task_group() as group:
        group.start_soon(used.complete, Request(prompt="Go on", force_cloud=True))
        await reserved(used)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert used.notes.alerts == []
    spent = (await balance(used)).spent
    answer = await used.complete(Request(prompt="And then?", force_local=True))
    assert (answer.local, answer.cost) == (True, ZERO)
    assert answer.alerts == (f"50 % of the monthly budget of $2.00 is spent ({spent})",)
    assert used.notes.alerts == list(answer.alerts)
    assert (await used.complete(Request(prompt="And now?", force_local=True))).alerts == ()


async def test_levels_passed_in_one_step_are_all_told():
    used = bench(
        cloud=["big"], profile=profile(monthly_budget="2", daily_budget="4"), big=[says("x", tokens=(900, 800))]
    )
    answer = await used.complete(Request(prompt="Go on with " + "this " * 200))
    assert answer.alerts == tuple(f"{level} % of the monthly budget of $2.00 is spent ($1.70)" for level in (50, 80))


async def test_a_provider_that_charges_more_than_its_bound_is_charged_in_full_told_and_not_paid_again():
    used = bench(cloud=["big"], profile=profile(monthly_budget="50"), big=[says("x", tokens=(100, 9_000))])
    answer = await used.complete(ASK)
    assert answer.cost == Usd(9_100 * NANOS_PER_TOKEN)
    [alert] = answer.alerts
    assert "cloud:big cost $9.10 where at most $1.1" in alert
    assert used.notes.alerts == [alert]
    with pytest.raises(NoRoute, match=r"runs `hybrid-mcp models unblock cloud:big`"):
        await used.complete(Request(prompt="again"))
    assert await used.ledger.unblock("cloud:big")
    assert (await used.complete(Request(prompt="again"))).text == "x"


async def test_a_server_that_ignores_its_output_cap_and_reports_nothing_is_charged_for_what_came():
    text = "word " * 4_000
    used = bench(cloud=["big"], profile=profile(monthly_budget="50"), big=[replace(says(text), usage=None)])
    answer = await used.complete(ASK)
    assert answer.cost > Usd(len(text) * NANOS_PER_TOKEN)
    assert "cloud:big" in (await used.ledger.view(Caps(), ME)).blocked


@pytest.mark.parametrize(("billed", "charged"), [("2.5", "2.5"), ("0.001", "0.015"), (None, "0.015")])
async def test_what_the_provider_says_it_charged_counts_where_it_is_more(billed: str | None, charged: str):
    usage = Usage(input_tokens=10, output_tokens=5, billed=None if billed is None else Usd.limit(billed))
    used = bench(cloud=["big"], big=[says("x", usage=usage)])
    answer = await used.complete(ASK)
    assert answer.cost == (await balance(used)).spent == Usd.limit(charged)
    drifts = await used.ledger.notices()
    assert [line.startswith("cloud:big says that it charged") for line in drifts] == ([] if billed is None else [True])


async def test_without_a_ledger_nothing_is_paid_and_a_model_on_this_machine_answers(monkeypatch: pytest.MonkeyPatch):
    rules = RoutingRules(threshold=0, always_try_local_first=False)
    chosen = replace(profile(monthly_budget="50"), rules=rules)
    used = bench(local=["small"], cloud=["big"], profile=chosen, small=[says("here")] * 2, big=[says("there")])
    break_ledger(monkeypatch, used, "view")
    answer = await used.complete(replace(ASK, force_cloud=False))
    assert (answer.text, used.scripted.called) == ("here", ["small"])
    assert "nothing can be paid, because ledger.db: it is locked" in {each.reason for each in answer.excluded}
    assert answer.budget.remaining("month") is None
    with pytest.raises(StorageError, match="nothing can be paid, because ledger"):
        await used.complete(replace(ASK, force_cloud=True))
    assert used.scripted.called == ["small"]


async def test_a_local_answer_is_not_lost_when_the_ledger_cannot_write_it_down(monkeypatch: pytest.MonkeyPatch):
    used = bench(local=["small"], small=[says("here")])
    break_ledger(monkeypatch, used, "record")
    answer = await used.complete(ASK)
    assert answer.text == "here"
    assert "this answer stands in no report, because ledger.db: it is locked" in answer.reason


@pytest.mark.parametrize("step", ["reserve", "dispatch"])
async def test_a_ledger_that_breaks_during_a_call_sends_nothing_and_the_next_local_model_answers(
    step: str, monkeypatch: pytest.MonkeyPatch
):
    rules = RoutingRules(threshold=0, always_try_local_first=False)
    chosen = replace(profile(monthly_budget="50"), rules=rules)
    used = bench(local=["small"], cloud=["big"], profile=chosen, small=[says("here")], big=[says("there")])
    break_ledger(monkeypatch, used, step)
    answer = await used.complete(ASK)
    assert (answer.text, used.scripted.called) == ("here", ["small"])
    assert [one.outcome for one in answer.attempts] == ["failed", "ok"]
    assert "nothing was sent, because ledger.db: it is locked" in answer.attempts[0].reason
    assert await balance(used) == Balance()


def turns(used: Bench, monkeypatch: pytest.MonkeyPatch, enter: Callable[[], Any]) -> None:
    @asynccontextmanager
    async def turn(spec: ModelSpec, progress: Progress) -> AsyncGenerator[None]:
        assert spec.name
        progress.status("waiting for cloud: 32 requests are running there")
        await enter()
        yield

    def of(_: object, spec: ModelSpec, progress: Progress) -> AbstractAsyncContextManager[None]:
        return turn(spec, progress)

    monkeypatch.setattr(type(used.service.attempting.catalog), "turn", of)


async def test_a_call_that_gets_no_turn_in_time_reserves_nothing(monkeypatch: pytest.MonkeyPatch):
    used = bench(cloud=["big"], big=[says("x")])
    turns(used, monkeypatch, anyio.sleep_forever)
    with pytest.raises(NoRoute, match=r"no turn within 0\.05 s \(last: waiting for cloud: 32 requests"):
        await used.complete(replace(ASK, deadline_s=0.05))
    assert (used.scripted.called, await balance(used)) == ([], Balance())


async def test_a_provider_that_is_left_alone_is_not_queued_for(monkeypatch: pytest.MonkeyPatch):
    async def refuses() -> None:
        raise ProviderUnavailable("cloud:big failed several times", billed=False)

    used = bench(cloud=["big"], big=[says("x")])
    turns(used, monkeypatch, refuses)
    with pytest.raises(NoRoute, match="cloud:big failed several times"):
        await used.complete(ASK)
    assert await balance(used) == Balance()


async def test_while_a_model_answers_other_processes_hear_of_this_one(monkeypatch: pytest.MonkeyPatch):
    heard = anyio.Event()

    async def beat() -> None:
        heard.set()
        raise StorageError("locked just now")

    async def slow(call: ProviderCall, progress: Progress) -> Completion:
        await heard.wait()
        return says("x")

    used = bench(cloud=["big"], big=[slow])
    monkeypatch.setattr(used.ledger, "beat", beat)
    monkeypatch.setattr("hybrid_mcp.attempting.BEAT_S", 0.0)
    assert (await used.complete(ASK)).text == "x"


async def test_a_refused_host_costs_nothing_and_is_no_reason_to_try_the_next():
    used = bench(cloud=["big", "other"], big=[EgressDenied("evil.com is not listed")], other=[says("x")])
    with pytest.raises(EgressDenied):
        await used.complete(ASK)
    assert (used.scripted.called, await balance(used)) == (["big"], Balance())


async def test_a_bound_that_no_longer_fits_is_made_smaller_before_the_money_is_refused(monkeypatch: pytest.MonkeyPatch):
    used = bench(cloud=["big"], profile=profile(monthly_budget="2"), big=[says("x")])

    async def somebody_pays() -> None:
        spent = await used.ledger.reserve(hold("1.2"), Caps())
        await used.ledger.dispatch(spent)
        await used.ledger.forfeit(spent, LOST)

    turns(used, monkeypatch, somebody_pays)
    assert (await used.complete(ASK)).text == "x"
    [call] = used.scripted.calls
    assert 256 <= call.max_output_tokens < 1024


async def test_an_escalation_asks_for_a_shorter_answer_where_the_whole_one_no_longer_fits_max_cost():
    used = bench(
        cloud=["cheap", "big"], cheap=[replace(says("x", tokens=(100, 500)), finish="refusal")], big=[says("y")]
    )
    answer = await used.complete(replace(ASK, max_cost=Usd.limit("1.25")))
    assert [(one.model, one.outcome) for one in answer.attempts] == [("cloud:cheap", "doubtful"), ("cloud:big", "ok")]
    assert used.scripted.calls[1].max_output_tokens < used.scripted.calls[0].max_output_tokens


async def test_a_call_that_fails_tells_its_alerts_too():
    used = bench(
        cloud=["big"], profile=profile(monthly_budget="2"), big=[ProviderUnavailable("it broke off", billed=True)]
    )
    with pytest.raises(NoRoute, match=r"50 % of the monthly budget of \$2\.00 is spent"):
        await used.complete(ASK)
    assert len(used.notes.alerts) == 1


async def test_a_call_that_no_model_may_take_tells_what_one_before_it_has_spent():
    async def hangs(call: ProviderCall, progress: Progress) -> Completion:
        await anyio.sleep_forever()
        raise AssertionError

    used = bench(cloud=["big"], profile=profile(monthly_budget="1.2"), big=[hangs])
    async with anyio.create_task_group() as group:
        group.start_soon(used.complete, ASK)
        await reserved(used)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    with pytest.raises(BudgetExceeded, match=r"80 % of the monthly budget of \$1\.20 is spent"):
        await used.complete(replace(ASK, prompt="Once more"))
    assert used.scripted.called == ["big"]


async def test_a_call_without_time_says_so(monkeypatch: pytest.MonkeyPatch):
    used = bench(cloud=["big"], big=[says("x")])
    look = used.ledger.view

    async def slow(caps: Caps, account: Account) -> BudgetView:
        used.clock.seconds += 60
        return await look(caps, account)

    monkeypatch.setattr(used.ledger, "view", slow)
    with pytest.raises(NoRoute, match=r"Not tried for lack of time: cloud:big"):
        await used.complete(ASK)
