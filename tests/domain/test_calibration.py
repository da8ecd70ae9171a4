from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hybrid_mcp.domain.calibration import LEAST_AUC, LEAST_OF_EACH, Calibrated, Checked, calibrate
from hybrid_mcp.domain.confidence import TYPICAL_SCORE, floor_at, typical

confidences = st.floats(-1400, 0.0014) | st.sampled_from([-3.0, -2.0, -1.0, -0.5, 0.0])
scores = st.integers(0, 100).map(lambda hundredths: hundredths / 100)
KEPT = Calibrated(threshold=-1.0, asked=8000, right=40, auc=0.7, at=datetime(2026, 11, 20, tzinfo=UTC))
answers = st.lists(st.builds(Checked, confidence=confidences, score=scores, right=st.booleans()), max_size=60)
rich = st.lists(st.builds(Checked, confidence=st.floats(-3, 0), score=scores, right=st.just(value=True)), min_size=8)
"""At least so many right ones as are needed."""


def plain(*confidences: float, right: bool) -> list[Checked]:
    return [Checked(confidence=one, score=TYPICAL_SCORE, right=right) for one in confidences]


def shares(answers: Sequence[Checked], threshold: float) -> tuple[float, float]:
    """Of the right and of the wrong ones, those that the judge would doubt."""
    found: list[float] = []
    for right in (True, False):
        of_kind = [one for one in answers if one.right is right]
        doubted = [one for one in of_kind if one.confidence < floor_at(threshold, one.score)]
        found.append(len(doubted) / len(of_kind))
    return found[0], found[1]


@given(confidence=confidences, score=scores, threshold=st.floats(-1400, -0.001))
def test_what_an_answer_is_worth_on_a_typical_prompt_is_compared_as_the_judge_does(
    confidence: float, score: float, threshold: float
):
    worth = typical(confidence, score)
    assume(abs(worth - threshold) > 1e-9)  # there it is a matter of rounding
    assert (worth < threshold) is (confidence < floor_at(threshold, score))


def test_the_threshold_lies_midway_where_it_tells_best():
    found = calibrate([*plain(*[-0.5] * 9, -2.0, right=True), *plain(*[-1.5] * 9, -0.2, right=False)])
    assert found.threshold == pytest.approx(-1.0)
    assert (found.asked, found.right, found.doubted_right, found.doubted_wrong) == (20, 10, 0.1, 0.9)
    assert found.auc == pytest.approx((9 * 9 + 0) / 100)
    assert found.why_none is None


def test_of_thresholds_that_are_as_good_the_lowest_is_chosen():
    # One more on either side: the second half of the wrong ones costs as many right ones.
    found = calibrate([
        *plain(*[-0.5] * 8, *[-1.5] * 8, right=True), *plain(*[-1.0] * 8, *[-2.0] * 8, right=False),
    ])  # fmt: skip
    assert found.threshold == pytest.approx(-1.75)


@given(answers)
def test_it_never_fails_and_keeps_nothing_that_is_too_little_to_tell(answers: list[Checked]):
    found = calibrate(answers)
    right = sum(one.right for one in answers)
    assert (found.asked, found.right) == (len(answers), right)
    if min(right, len(answers) - right) < LEAST_OF_EACH or found.auc is None or found.auc < LEAST_AUC:
        assert found.threshold is None
    if found.threshold is None:
        assert found.why_none
        assert found.doubted_right is found.doubted_wrong is None
    else:
        assert found.auc is not None
        assert replace(KEPT, threshold=found.threshold, asked=found.asked, right=right, auc=found.auc) != KEPT


@given(answers, st.randoms(use_true_random=False))
def test_the_order_of_the_answers_does_not_matter(answers: list[Checked], dice: object):
    shuffled = list(answers)
    dice.shuffle(shuffled)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    assert calibrate(shuffled) == calibrate(answers)


@given(rich, st.lists(st.floats(-3, 0), min_size=8), st.lists(scores, min_size=1), st.floats(-4, -0.01))
def test_no_other_threshold_tells_better(right: list[Checked], wrong: list[float], their: list[float], other: float):
    answers = [
        *right, *(Checked(confidence=one, score=their[at % len(their)], right=False) for at, one in enumerate(wrong)),
    ]  # fmt: skip
    found = calibrate(answers)
    if found.threshold is not None:
        assert found.doubted_right is not None
        assert found.doubted_wrong is not None
        of_right, of_wrong = shares(answers, other)
        assert found.doubted_wrong - found.doubted_right >= of_wrong - of_right - 1e-9


@given(answers, st.integers(0), st.floats(0, 3))
def test_a_right_answer_that_was_surer_makes_confidence_worth_no_less(answers: list[Checked], at: int, more: float):
    right = [one for one in answers if one.right]
    assume(right)
    one = right[at % len(right)]
    place = answers.index(one)
    surer = [*answers]
    surer[place] = replace(one, confidence=min(one.confidence + more, 0.0014))
    before, after = calibrate(answers).auc, calibrate(surer).auc
    assert (before is None) is (after is None)
    assert before is None or after is None or after >= before


@given(answers, st.lists(st.floats(-5, -0.01), min_size=2))
def test_a_higher_threshold_doubts_no_fewer(answers: list[Checked], thresholds: list[float]):
    assume({one.right for one in answers} == {True, False})
    seen = [shares(answers, one) for one in sorted(thresholds)]
    assert all(low[0] <= high[0] and low[1] <= high[1] for low, high in pairwise(seen))


@pytest.mark.parametrize(("wrong", "right", "kept"), [(-1200.0, -40.0, -50.0), (-0.0015, 0.0, -0.001)])
def test_a_threshold_midway_that_would_be_absurd_moves_to_the_nearest_that_is_not(
    wrong: float, right: float, kept: float
):
    found = calibrate([*plain(*[right] * 8, right=True), *plain(*[wrong] * 8, right=False)])
    assert (found.threshold, found.doubted_right, found.doubted_wrong) == (kept, 0.0, 1.0)


@pytest.mark.parametrize(("wrong", "right"), [(-1200.0, -60.0), (-0.0009, -0.0001)])
def test_where_only_absurd_thresholds_would_tell_there_is_none(wrong: float, right: float):
    found = calibrate([*plain(*[right] * 8, right=True), *plain(*[wrong] * 8, right=False)])
    assert found.why_none == "no threshold from -50 to -0.001 lies between its right answers and its wrong ones"


def test_it_is_told_why_there_is_no_threshold():
    few = calibrate([*plain(*[-0.5] * 30, right=True), *plain(*[-2.0] * 7, right=False)])
    blind = calibrate([*plain(*[-1.0] * 10, right=True), *plain(*[-1.0] * 10, right=False)])
    assert few.why_none == "not enough to tell: 30 of 37 right, and at least 8 right and 8 wrong answers are needed"
    assert blind.why_none
    assert "(AUC 0.50, 0.6 is needed)" in blind.why_none


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0.0}, {"threshold": float("nan")}, {"threshold": float("-inf")}, {"threshold": -1e-320},
        {"threshold": -1e308}, {"threshold": -50.1}, {"asked": 39}, {"asked": 47}, {"asked": 0, "right": 0},
        {"right": 7}, {"right": -1}, {"auc": 1.1}, {"auc": float("nan")}, {"at": datetime(2026, 11, 20)},  # noqa: DTZ001
        {"at": datetime(2026, 11, 20, tzinfo=timezone(timedelta(hours=2)))},
    ],
)  # fmt: skip
def test_what_no_calibration_comes_to_is_none(wrong: dict[str, object]):
    with pytest.raises(ValueError, match="must be"):
        replace(KEPT, **wrong)  # pyright: ignore[reportArgumentType]
