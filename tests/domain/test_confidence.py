from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.confidence import can_turn, confirmed, floor_at, floor_of


@pytest.mark.parametrize(
    ("spelled", "same"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "ollama:smollm2:135m"),
        ("llamacpp:smollm2-135m", "smollm2:135m-instruct-q4_1"),
    ],
)
def test_a_model_is_known_however_its_provider_spells_it(spelled: str, same: str):
    assert floor_of(spelled) == floor_of(same) == -1.1


@given(floor=st.floats(-5, 0), score=st.floats(0, 1))
def test_the_threshold_rises_with_the_score_and_never_reaches_certainty(floor: float, score: float):
    assert floor_at(floor, score) <= floor / 2
    assert floor_at(floor, score) <= floor_at(floor, min(1.0, score + 0.1))
    assert floor_at(-2.0, score) == pytest.approx(min(-1.0, 2 * (score - 0.27) - 2))


@pytest.mark.parametrize("other", ["smollm2:1.7b", "ollama:smollm2", "smollm2:360m", "llama3.2:1b", ""])
def test_another_model_of_the_family_counts_as_not_measured(other: str):
    assert floor_of(other) is None


@given(confidence=st.floats(-5, 0), floor=st.floats(-3, 0), agreed=st.floats(0, 1))
def test_asking_again_is_worth_it_only_where_it_can_turn_the_verdict(confidence: float, floor: float, agreed: float):
    if (confirmed(confidence, agreed) >= floor) != (confidence >= floor):
        assert can_turn(confidence, floor)


@given(confidence=st.floats(-5, 0), one=st.floats(0, 1), other=st.floats(0, 1))
def test_the_more_others_agree_the_surer_an_answer_counts(confidence: float, one: float, other: float):
    low, high = sorted((one, other))
    assert confirmed(confidence, low) <= confirmed(confidence, high)
    assert confirmed(confidence, 0.0) < confidence < confirmed(confidence, 1.0)
