from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.answer import Answer, Attempt, Outcome
from hybrid_mcp.domain.budget import Account, BudgetView, Caps, Keys
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.scorer import score
from hybrid_mcp.recent import MOST_CALLS, MOST_CLIENTS, REASON_CHARACTERS, Recent, RecentCall
from tests.support_service import Notes, StillClock

SCORED = score(Request(prompt="Do it"))


def answer(number: int, client: str = "me") -> Answer:
    return Answer(
        request_id=f"r{number}", status="completed", complexity=SCORED, reason=f"reason {number}", model="m:1",
        text="SEALED", budget=BudgetView(caps=Caps(), keys=Keys(day="", month="", client=client, project="")),
        cost=Usd(number), attempts=(Attempt(model="m:1", outcome="ok"),),
    )  # fmt: skip


@given(st.lists(st.sampled_from("abc"), max_size=3 * MOST_CALLS))
def test_each_client_sees_its_own_last_answers_the_newest_first(clients: list[str]):
    notes = Notes()
    recent = Recent(notes, StillClock())
    answers = [answer(number, client) for number, client in enumerate(clients)]
    for one in answers:
        recent.answered(one)
    for client in "abcd":
        own = [one.reason for one in answers if one.budget.keys.client == client]
        assert [one.reason for one in recent.of(Account(client=client))] == own[::-1][:MOST_CALLS]
    assert notes.answers == answers


def test_the_client_that_was_answered_the_longest_ago_is_forgotten():
    recent = Recent(Notes(), StillClock())
    for number in range(MOST_CLIENTS):
        recent.answered(answer(number, f"client {number}"))
    recent.answered(answer(1, "client 0"))
    recent.answered(answer(1, "one more"))
    kept = [number for number in range(MOST_CLIENTS) if recent.of(Account(client=f"client {number}"))]
    assert kept == [0, *range(2, MOST_CLIENTS)]


def test_a_call_is_told_without_its_text_and_a_long_reason_is_cut():
    clock = StillClock()
    recent = Recent(Notes(), clock)
    attempts: tuple[tuple[str, Outcome], ...] = (("m:0", "doubtful"), ("m:1", "doubtful"))
    tried = tuple(Attempt(model=model, outcome=outcome) for model, outcome in attempts)
    long = replace(answer(7), reason="x" * 9_999, escalated=True, attempts=tried, latency_ms=12)
    recent.answered(long)
    assert recent.of(Account(client="me")) == (
        RecentCall(
            at=clock.now(), model="m:1", local=False, cached=False, escalated=True, doubtful=True, attempts=2,
            cost=Usd(7), latency_ms=12, score=SCORED.score, reason="x" * (REASON_CHARACTERS - 3) + "...",
        ),
    )  # fmt: skip


def test_what_is_not_an_answer_is_passed_on():
    notes = Notes()
    recent, attempt = Recent(notes, StillClock()), Attempt(model="m:1", outcome="failed")
    recent.attempted("r1", attempt)
    recent.alerted("half of it is gone")
    assert (notes.attempts, notes.alerts, recent.of(Account(client="me"))) == ([attempt], ["half of it is gone"], ())
