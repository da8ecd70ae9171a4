from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hybrid_mcp.domain.completion import Completion
from hybrid_mcp.domain.confidence import CALIBRATIONS, LONGEST_COMPARED, agreement, calibration, doubt, is_doubtful

MODELS = ["SmolLM2-135M-Instruct", "qwen2.5-coder:1.5b", "some-other-model"]
logprobs = st.floats(-12.0, 0.0)
scores = st.floats(0.0, 1.0)
texts = st.text(max_size=300)


def said(text: str = "Paris.", mean: float | None = -0.2) -> Completion:
    return Completion(text=text, finish="stop", usage=None, mean_logprob=mean)


@given(st.sampled_from(MODELS), texts, logprobs, scores)
def test_doubt_is_a_probability(model: str, text: str, mean: float, score: float):
    found = doubt(said(text, mean), model=model, score=score)
    assert found is not None
    assert 0 <= found <= 1


@given(st.sampled_from(MODELS), logprobs, scores, scores)
def test_the_answer_to_a_harder_prompt_is_doubted_at_least_as_much(model: str, mean: float, one: float, other: float):
    easy, hard = (doubt(said(mean=mean), model=model, score=score) for score in sorted((one, other)))
    assert easy is not None
    assert hard is not None
    assert easy <= hard


@given(st.sampled_from(MODELS), texts, logprobs, logprobs, scores)
def test_an_answer_of_less_likely_tokens_is_doubted_at_least_as_much(
    model: str, text: str, one: float, other: float, score: float
):
    low, high = sorted((one, other))
    doubts = [doubt(said(text, mean), model=model, score=score) for mean in (high, low)]
    assert doubts[0] is not None
    assert doubts[1] is not None
    assert doubts[0] <= doubts[1]


@pytest.mark.parametrize("model", MODELS)
def test_where_no_probabilities_are_known_nothing_is_doubted(model: str):
    assert doubt(said(mean=None), model=model, score=0.9) is None
    assert not is_doubtful(said(mean=None), model=model, score=0.9)


@pytest.mark.parametrize("model", MODELS)
def test_a_sure_short_answer_to_a_simple_prompt_is_kept_and_an_unsure_one_is_not(model: str):
    assert not is_doubtful(said(mean=-0.01), model=model, score=0.05)
    assert is_doubtful(said("word " * 60, mean=-3.0), model=model, score=0.6)


@pytest.mark.parametrize(
    ("spelled", "same"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "ollama:smollm2:135m"),
        ("embedded:smollm2", "smollm2:135m-instruct-q4_1"),
    ],
)
def test_a_model_is_known_however_its_provider_spells_it(spelled: str, same: str):
    assert calibration(spelled) == calibration(same)
    assert calibration(spelled) in [found for _, found in CALIBRATIONS]


@pytest.mark.parametrize("other", ["smollm2:1.7b", "ollama:smollm2", "smollm2:360m", "llama3.2:1b", ""])
def test_another_model_of_the_family_counts_as_not_measured(other: str):
    assert calibration(other) not in [found for _, found in CALIBRATIONS]


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
