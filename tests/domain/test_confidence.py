from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hybrid_mcp.domain.confidence import LONGEST_COMPARED, agreement, floor_at, floor_of

texts = st.text(max_size=300)


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
    assert floor_at(-2.0, score) == pytest.approx(min(-1.0, score - 2.27))


@pytest.mark.parametrize("other", ["smollm2:1.7b", "ollama:smollm2", "smollm2:360m", "llama3.2:1b", ""])
def test_another_model_of_the_family_counts_as_not_measured(other: str):
    assert floor_of(other) is None


@pytest.mark.parametrize(
    ("one", "other", "agreed"),
    [
        ("Paris", "paris.", 1.0),
        ("Yes, it is.", "**Yes**", 1.0),
        ("Yes, 17 is a prime number.", "No, 17 is not a prime number.", 0.0),
        ("B) dolphin", "The answer is B.", 1.0),
        ("B", "C) trout", 0.0),
        ("3 * 4 = 12", "The result is 12.", 1.0),
        ("It is 1,440.", "1440 minutes", 1.0),
        ("12.0", "12", 1.0),
        ("2 + 2 = 4", "2 + 2 = 5", 0.0),
        ("The capital is Paris.", "Berlin", 0.0),
        ("", "", 1.0),
        ("", "Paris", 0.0),
        ("the", "the", 1.0),
    ],
)
def test_two_short_answers_agree_in_what_they_turn_on(one: str, other: str, agreed: float):
    assert agreement(one, other) == agreed


def test_answers_that_share_some_of_their_words_agree_in_part():
    found = agreement("The river is the Danube", "The river Rhine")
    assert found is not None
    assert 0 < found < 1


@pytest.mark.parametrize("place", [0, 1])
def test_long_answers_are_not_compared(place: int):
    pair = ["short", "short"]
    pair[place] = "x" * (LONGEST_COMPARED + 1)
    assert agreement(*pair) is None


@given(texts, texts)
def test_agreement_is_the_same_both_ways_and_never_outside_0_to_1(one: str, other: str):
    found = agreement(one, other)
    assert found == agreement(other, one)
    assert found is not None
    assert 0 <= found <= 1


@given(texts)
def test_an_answer_agrees_with_itself(text: str):
    assume(len(text) <= LONGEST_COMPARED)
    assert agreement(text, text) == 1
