from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from hybrid_mcp.domain.breaker import (
    CLOSED,
    MAX_WAIT_S,
    Breaker,
    Failed,
    Outcome,
    Policy,
    admit,
    is_slow,
    retry_in_s,
    settle,
    state,
)

POLICY = Policy(threshold=3, recovery_s=60.0)


def after(*outcomes: Outcome, at: float = 0.0, breaker: Breaker = CLOSED) -> Breaker:
    """The state after attempts one after the other, all admitted."""
    for outcome in outcomes:
        admitted = admit(breaker, at)
        assert admitted is not None
        breaker = settle(admitted, admitted.generation, outcome, at, POLICY)
    return breaker


def test_exactly_the_threshold_of_failures_opens_it():
    assert state(after(Failed(), Failed()), 0.0) == "closed"
    opened = after(Failed(), Failed(), Failed())
    assert (state(opened, 0.0), retry_in_s(opened, 0.0)) == ("open", 60.0)
    assert admit(opened, 59.9) is None


def test_a_success_in_between_starts_the_count_anew():
    assert state(after(Failed(), Failed(), "succeeded", Failed(), Failed()), 0.0) == "closed"


def test_cancelled_and_refused_attempts_change_nothing():
    assert after("neutral", "neutral", "neutral", "neutral") == CLOSED
    assert state(after(Failed(), Failed(), "neutral", Failed()), 0.0) == "open"


def test_one_probe_at_a_time_and_its_success_closes():
    opened = after(Failed(), Failed(), Failed())
    probing = admit(opened, 60.0)
    assert probing is not None
    assert state(probing, 60.0) == "half_open"
    assert admit(probing, 60.0) is None
    closed = settle(probing, probing.generation, "succeeded", 61.0, POLICY)
    assert (state(closed, 61.0), closed.failures) == ("closed", 0)


def test_a_failed_probe_opens_it_again_and_a_neutral_one_lets_the_next_try():
    opened = after(Failed(), Failed(), Failed())
    assert retry_in_s(after(Failed(), at=60.0, breaker=opened), 60.0) == 60.0
    undecided = after("neutral", at=60.0, breaker=opened)
    assert state(undecided, 60.0) == "half_open"
    assert admit(undecided, 60.0) is not None


def test_a_server_that_asks_to_wait_is_left_alone_for_just_so_long():
    assert retry_in_s(after(Failed(wait_s=7.0)), 0.0) == 7.0
    assert retry_in_s(after(Failed(wait_s=1e9)), 0.0) == MAX_WAIT_S
    assert state(after(Failed(wait_s=0.0)), 0.0) == "closed"
    assert state(after(Failed(wait_s=0.0), Failed(), Failed()), 59.0) == "open"


def test_outcomes_of_calls_from_before_it_opened_change_nothing():
    opened = after(Failed(), Failed(), Failed())
    for outcome in (Failed(), Failed(wait_s=500.0), "succeeded", "neutral"):
        assert settle(opened, 0, outcome, 10.0, POLICY) == opened
    probing = admit(opened, 60.0)
    assert probing is not None
    assert settle(probing, 0, Failed(), 61.0, POLICY) == probing


def test_slow_is_told_by_a_models_own_history():
    assert not is_slow(())
    assert not is_slow((1.0, 1.0, 9.0, 9.0, 9.0))
    assert is_slow((1.0, 1.0, 1.0, 3.1, 9.0, 4.0))
    assert not is_slow((1.0, 1.0, 1.0, 3.0, 9.0, 4.0))
    assert not is_slow((1.0, 1.0, 1.0, 9.0, 9.0, 1.0))
    assert not is_slow((9.0,) * 10)


@given(st.lists(st.floats(0.001, 100.0), min_size=1, max_size=10), st.floats(0.01, 100.0))
def test_slow_does_not_depend_on_how_fast_the_machine_is(latencies: list[float], factor: float):
    powers = [2.0 ** round(latency / 10) for latency in latencies]
    scale = 2.0 ** round(factor / 10)
    assert is_slow(powers) == is_slow([power * scale for power in powers])


class AnyHistory(RuleBasedStateMachine):
    """Calls that start, end and overlap in any way, against what is promised."""

    running = Bundle("running")

    def __init__(self) -> None:
        super().__init__()
        self.breaker = CLOSED
        self.now = 0.0
        self.in_a_row = 0
        self.probes: set[int] = set()
        self.next_call = 0

    @rule(target=running)
    def start(self) -> tuple[int, int] | None:
        before = state(self.breaker, self.now)
        admitted = admit(self.breaker, self.now)
        assert (admitted is not None) == (before == "closed" or (before == "half_open" and not self.probes))
        if admitted is None:
            return None
        self.breaker = admitted
        self.next_call += 1
        if before == "half_open":
            self.probes.add(self.next_call)
        return self.next_call, admitted.generation

    @rule(call=consumes(running), outcome=st.sampled_from(["succeeded", "neutral", "failed", "told_to_wait"]))
    def end(self, call: tuple[int, int] | None, outcome: str) -> None:
        if call is None:
            return
        number, generation = call
        counts, was = generation == self.breaker.generation, state(self.breaker, self.now)
        outcomes: dict[str, Outcome] = {
            "succeeded": "succeeded", "neutral": "neutral", "failed": Failed(), "told_to_wait": Failed(wait_s=5.0),
        }  # fmt: skip
        self.breaker = settle(self.breaker, generation, outcomes[outcome], self.now, POLICY)
        is_now = state(self.breaker, self.now)
        if not counts:
            assert is_now == was
        elif outcome == "succeeded":
            self.in_a_row = 0
            assert is_now == "closed"
        elif outcome == "neutral":
            assert is_now == was
        else:
            self.in_a_row += 1
            opens = was == "half_open" or outcome == "told_to_wait" or self.in_a_row >= POLICY.threshold
            assert is_now == ("open" if opens else "closed")
        self.probes.discard(number)

    @rule(seconds=st.integers(0, 100))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @invariant()
    def never_more_than_one_probe(self) -> None:
        assert len(self.probes) <= 1
        assert self.breaker.probing == bool(self.probes)

    @invariant()
    def never_open_for_longer_than_the_recovery(self) -> None:
        assert 0.0 <= retry_in_s(self.breaker, self.now) <= POLICY.recovery_s


TestAnyHistory = AnyHistory.TestCase
