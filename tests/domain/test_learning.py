"""What is learned from outcomes, and what it may do to a score."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.learning import (
    OVERALL,
    SEEN_BY_JUDGE,
    SHARE_OF_OVERALL,
    WEIGHTS,
    Label,
    Learned,
    Outcome,
    add,
    limit,
    parts,
    summed,
)
from hybrid_mcp.domain.learning_quality import prequential
from hybrid_mcp.domain.scorer import OUTCOMES, score, traits_of
from hybrid_mcp.domain.scorer_features import NAMES
from hybrid_mcp.domain.traits import MARKS, MOST_MARKS, Traits, unpacked

SECRET = b"0123456789abcdef"
WORDS = st.sampled_from(("cat", "dog", "train", "poem", "proof", "the", "of", "seven", "tax", "law", "heart", "12"))
PROMPTS = st.lists(WORDS, min_size=1, max_size=80).map(" ".join)
LABELS: st.SearchStrategy[Label] = st.sampled_from(get_args(Label))


def outcome(prompt: str, label: Label, hundredths: int = 40) -> Outcome:
    return Outcome(traits=traits_of(prompt, SECRET), hundredths=hundredths, label=label)


SCORES = st.integers(min_value=0, max_value=100)
OUTCOMES_OF = st.builds(outcome, PROMPTS, LABELS, SCORES)
FEW = settings(max_examples=25)
LOGS = st.lists(OUTCOMES_OF, max_size=6)


def learned(log: list[Outcome], times: int = 1) -> Learned:
    """From these outcomes, each so many times."""
    sums = {place: (above * times, weight * times) for place, (above, weight) in summed(log).items()}
    return Learned(secret=SECRET, sums=sums)


def test_nothing_was_learned_so_the_score_is_as_it_comes():
    request = Request(prompt="Prove that the sum of two odd integers is even.")
    assert score(request, learned([])) == score(request)


def test_failures_on_one_kind_raise_that_kind_and_not_the_other():
    log = [outcome(f"Which tax law holds for case {n} of the estate?", "failed") for n in range(40)]
    log += [outcome(f"Write a cheerful poem about river stone {n}", "held") for n in range(40)]
    known = learned(log)
    law = score(Request(prompt="Which tax law holds for the estate of a child?"), known)
    poem = score(Request(prompt="Write a cheerful poem about my river"), known)
    assert law.signals[OUTCOMES] >= 10
    assert poem.signals[OUTCOMES] <= -10
    assert law.unlearned == score(Request(prompt="Which tax law holds for the estate of a child?")).hundredths


def test_what_better_models_cannot_do_either_is_paid_for_last():
    law, river = "Which tax law holds for case {} of the estate?", "Who crossed river stone {} by night?"
    log = [outcome(each.format(n), "failed" if n % 2 else "held") for each in (law, river) for n in range(40)]
    before = learned(log)
    log += [outcome(law.format(n), "paid_held") for n in range(40)]
    log += [outcome(river.format(n), "paid_failed") for n in range(40)]
    after = learned(log)
    here, there = traits_of(law, SECRET), traits_of(river, SECRET)
    assert after.shift(here, 40) >= before.shift(here, 40) + 10
    assert after.shift(there, 40) <= before.shift(there, 40) - 10
    assert after.local_shift(there, 40) == before.local_shift(there, 40), "a local model fails as often as before"


@FEW
@given(st.lists(PROMPTS, min_size=1, max_size=6), st.sampled_from(("paid_held", "paid_failed")), PROMPTS)
def test_better_models_that_are_always_good_or_always_bad_move_no_score_of_prompts_alike(
    many: list[str], label: Label, prompt: str
):
    assert learned([outcome(one, label) for one in many]).shift(traits_of(prompt, SECRET), 40) == 0


@FEW
@given(LOGS, PROMPTS, SCORES, st.integers(min_value=1, max_value=1_000))
def test_no_score_moves_further_than_the_evidence_allows_or_out_of_0_to_100(
    log: list[Outcome], prompt: str, hundredths: int, times: int
):
    known = learned(log, times)
    shift = known.shift(traits_of(prompt, SECRET), hundredths)
    assert abs(shift) <= limit(known.outcomes) <= 40
    assert 0 <= hundredths + shift <= 100


@FEW
@given(LOGS, PROMPTS, SCORES, SCORES)
def test_of_two_prompts_with_the_same_words_the_one_with_the_higher_score_keeps_it(
    log: list[Outcome], prompt: str, one: int, other: int
):
    known, found = learned(log, 50), traits_of(prompt, SECRET)
    low, high = sorted((one, other))
    assert low + known.shift(found, low) <= high + known.shift(found, high)


@FEW
@given(SCORES, PROMPTS)
def test_without_an_outcome_no_score_moves(hundredths: int, prompt: str):
    found = traits_of(prompt, SECRET)
    assert learned([]).shift(found, hundredths) == learned([]).local_shift(found, hundredths) == 0


LAW, RIVER, OTHER = (Traits((0,) * len(NAMES), tuple(range(start, start + 9))) for start in (100, 200, 300))
"""Three kinds of prompts that have no word in common."""


def told(traits: Traits, *, failed: int, held: int, hundredths: int) -> list[Outcome]:
    bad, good = (Outcome(traits=traits, hundredths=hundredths, label=label) for label in ("failed", "held"))
    return [bad] * failed + [good] * held


@pytest.mark.parametrize("failing", [75, 95])
@FEW
@given(st.integers(min_value=20, max_value=80), st.integers(min_value=5, max_value=200))
def test_words_order_prompts_where_a_model_nearly_always_fails(failing: int, hundredths: int, times: int):
    log = told(LAW, failed=20, held=0, hundredths=hundredths)
    log += told(RIVER, failed=(2 * failing - 100) // 5, held=(200 - 2 * failing) // 5, hundredths=hundredths)
    known = learned(log, times)
    assert known.shift(LAW, hundredths) > known.shift(RIVER, hundredths)


@pytest.mark.parametrize("failing", [5, 25])
@FEW
@given(st.integers(min_value=20, max_value=80), st.integers(min_value=5, max_value=200))
def test_words_order_prompts_where_a_model_hardly_ever_fails(failing: int, hundredths: int, times: int):
    log = told(LAW, failed=2 * failing // 5, held=(100 - 2 * failing) // 5, hundredths=hundredths)
    log += told(RIVER, failed=0, held=20, hundredths=hundredths)
    known = learned(log, times)
    assert known.shift(LAW, hundredths) > known.shift(RIVER, hundredths)


@FEW
@given(SCORES, SCORES, st.integers(min_value=2, max_value=200), st.integers(min_value=1, max_value=10))
def test_the_more_outcomes_say_so_the_further_a_score_moves(said: int, hundredths: int, times: int, more: int):
    for failed in (True, False):
        log = told(LAW, failed=failed, held=not failed, hundredths=said)
        few, many = (learned(log, count).shift(OTHER, hundredths) for count in (times, times + more))
        assert 0 <= few <= many if failed else many <= few <= 0


@FEW
@given(SCORES, st.integers(min_value=1, max_value=100), st.integers(min_value=1, max_value=10))
def test_the_more_outcomes_tell_two_kinds_apart_the_further_apart_their_scores_move(
    hundredths: int, times: int, more: int
):
    log = told(LAW, failed=1, held=0, hundredths=50) + told(RIVER, failed=0, held=1, hundredths=50)
    few, many = learned(log, times), learned(log, times + more)
    assert 0 <= few.shift(LAW, hundredths) <= many.shift(LAW, hundredths)
    assert 0 >= few.shift(RIVER, hundredths) >= many.shift(RIVER, hundredths)


HEAVY = Request(prompt="Redesign, implement and debug the distributed architecture: fix it", context="{x};" * 20_000)


def test_what_was_learned_moves_a_score_that_its_signals_would_take_beyond_the_bounds():
    alone = score(HEAVY)
    assert sum(alone.signals.values()) > 120
    known = learned([outcome(HEAVY.prompt, "held", 100)], 200)
    after = score(HEAVY, known)
    assert (alone.hundredths, after.unlearned) == (100, 100)
    assert after.hundredths == 100 + known.shift(traits_of(HEAVY.prompt, SECRET), 100) < 80


def test_where_a_model_always_fails_half_of_the_outcomes_still_leave_words_room():
    log = told(LAW, failed=100, held=0, hundredths=40)
    assert learned(log).shift(OTHER, 40) <= SHARE_OF_OVERALL * limit(100)


@FEW
@given(LOGS.flatmap(lambda log: st.tuples(st.just(log), st.permutations(log))))
def test_the_order_of_outcomes_does_not_matter(logs: tuple[list[Outcome], list[Outcome]]):
    assert summed(logs[0]) == summed(logs[1])


@FEW
@given(LOGS, OUTCOMES_OF)
def test_an_outcome_that_is_taken_back_leaves_nothing_behind(log: list[Outcome], one: Outcome):
    sums = summed(log)
    add(sums, parts(one))
    add(sums, parts(one), -1)
    assert {place: pair for place, pair in sums.items() if any(pair)} == {
        place: pair for place, pair in summed(log).items() if any(pair)
    }


def test_a_judge_alone_moves_no_score_on_average():
    for hundredths in range(101):
        up, down = parts(outcome("a", "doubted", hundredths)), parts(outcome("a", "accepted", hundredths))
        seen = SEEN_BY_JUDGE * hundredths / 100
        drift = up[OVERALL][0] * seen + down[OVERALL][0] * (1 - seen)
        assert down[OVERALL][0] <= 0 <= up[OVERALL][0]
        assert abs(drift) <= WEIGHTS["accepted"] / 2, "more than the rounding of a hundredth"


@FEW
@given(PROMPTS)
def test_traits_are_few_and_come_back_from_their_bytes(prompt: str):
    found = traits_of(prompt, SECRET)
    assert unpacked(found.packed()) == found
    assert len(found.marks) == len(set(found.marks)) <= MOST_MARKS
    assert all(0 <= mark < MARKS for mark in found.marks)
    assert all(-48 <= number <= 48 for number in found.numbers)


def test_another_secret_gives_other_marks():
    prompt = "Which river runs through the town of the stone bridge"
    here, there = traits_of(prompt, SECRET), traits_of(prompt, bytes(16))
    assert here.numbers == there.numbers
    assert len(set(here.marks) & set(there.marks)) <= 2


def test_sums_that_were_tampered_with_still_move_a_score_within_the_limit():
    log = [outcome("cat dog train", "failed")] * 30
    broken = {place: (10**15 * (-1) ** place, weight * (-1) ** place) for place, (_, weight) in summed(log).items()}
    for place in list(broken)[::3]:
        broken[place] = 5, -160
    assert abs(Learned(secret=SECRET, sums=broken).shift(traits_of("cat dog train bread", SECRET), 40)) <= 40


def test_learning_is_judged_on_outcomes_that_it_has_not_seen():
    log = [outcome(f"tax law number {n}", "failed") for n in range(30)]
    log = [each for pair in zip(log, [outcome("a poem", "held")] * 30, strict=True) for each in pair]
    found = prequential(log)
    assert (found.reports, found.verdicts, found.failed) == (60, 0, 30)
    assert found.ranked_before == 0.5
    assert (found.ranked_after or 0) > 0.9
    assert (found.loss_after or 9) < (found.loss_before or 0)
    assert prequential(log[:1]).ranked_after is None


def test_the_order_of_words_leaves_marks_and_the_words_do_in_any_order():
    one, other = (set(traits_of(prompt, SECRET).marks) for prompt in ("dog bites man", "man bites dog"))
    assert len(one) == len(other) == 5
    assert len(one & other) == 3


def test_a_prompt_has_the_same_traits_after_more_words_than_are_remembered():
    before = traits_of("Which tax law holds for the estate?", SECRET)
    for start in range(0, 20_000, 2_000):
        traits_of(" ".join(f"w{number}" for number in range(start, start + 2_000)), SECRET)
    assert traits_of("Which tax law holds for the estate?", SECRET) == before


def test_the_longest_prompt_of_the_shortest_words_has_the_marks_of_a_short_one():
    assert set(traits_of("x y " + "b " * 16_384 + "e f", SECRET).marks) == set(traits_of("x y b b e f", SECRET).marks)


def test_reports_on_better_models_are_counted_apart_and_judge_no_forecast_of_local_ones():
    log = [outcome("a tax law", "failed"), outcome("a poem", "held"), outcome("a poem", "accepted")]
    more = [outcome("a tax law", "paid_failed"), outcome("a poem", "paid_held"), outcome("a poem", "both_failed")]
    alone, found = prequential(log), prequential([*more[:2], *log, more[2]])
    assert (found.reports, found.paid, found.verdicts, found.failed) == (2, 3, 1, 1)
    assert (found.ranked_after, found.loss_after) == (alone.ranked_after, alone.loss_after)
