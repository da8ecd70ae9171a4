from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.agreement import (
    EXAMPLES,
    LONGEST_ANSWER,
    LONGEST_COMPARED,
    SHARE_OF_REPEATED,
    agreement,
    borne_out,
    briefly,
    has_one_answer,
)
from hybrid_mcp.domain.completion import Message, Request

texts = st.text(max_size=300)


@pytest.mark.parametrize(
    ("prompt", "one", "other", "agreed"),
    [
        ("What is the capital of France?", "Paris", "paris.", 1.0),
        ("What is the capital of France?", "The capital of France is Paris.", "Paris", 1.0),
        ("What is the capital of France?", "The capital of France is Paris.", "The capital of France is Lyon.", 0.0),
        ("Is 17 prime?", "Yes, it is.", "**Yes**", 1.0),
        ("Is 17 prime?", "Yes, 17 is a prime number.", "No, 17 is not a prime number.", 0.0),
        ("Which one? A) trout B) dolphin", "B) dolphin", "The answer is B.", 1.0),
        ("Which one? A) trout B) dolphin", "B", "A) trout", 0.0),
        ("What is 3 * 4?", "3 * 4 = 12", "It is 12.", 1.0),
        ("What is 2 + 2?", "2 + 2 = 4", "2 + 2 = 5", 0.0),
        ("Minutes in a day?", "It is 1,440.", "1440", 1.0),
        ("Half of 24?", "12.0", "twelve", 1.0),
        ("How many legs has a spider?", "A spider has eight legs.", "8", 1.0),
        ("Is ice hot or cold?", "Cold.", "Ice is cold.", 0.6),
        ("Who wrote The Trial?", "It was written by Franz Kafka, in 1914 and 1915, in Prague.", "Franz Kafka", 1.0),
        ("Which port has PostgreSQL?", "By default it listens on TCP port 5432 of the host.", "5432", 1.0),
        ("Is ice hot or cold?", "Hot.", "Cold.", 0.0),
        ("澳大利亚的首都是哪里？", "澳大利亚的首都是堪培拉。", "堪培拉", 1.0),
        ("澳大利亚的首都是哪里？", "澳大利亚的首都是悉尼。", "堪培拉", 0.0),
        ("호주의 수도는 어디입니까?", "캔버라입니다.", "캔버라", 1.0),
        ("オーストラリアの首都はどこ？", "首都はキャンベラです。", "キャンベラ", 1.0),
        ("Name it", "", "Paris", 0.0),
        ("Name it", "", "", 0.6),
    ],
)
def test_two_short_answers_agree_in_what_they_bring_beside_the_question(
    prompt: str, one: str, other: str, agreed: float
):
    assert agreement(one, other, prompt) == pytest.approx(agreed)


def test_answers_that_share_some_of_their_words_agree_in_part():
    assert 0 < agreement("It is the Danube in Vienna", "The Danube of Budapest", "Which river?") < 1


@given(texts, texts, texts)
def test_agreement_is_the_same_both_ways_and_never_outside_0_to_1(one: str, other: str, prompt: str):
    found = agreement(one, other, prompt)
    assert found == agreement(other, one, prompt)
    assert 0 <= found <= 1


CAPITAL = "Which city is the capital of Australia?"


@pytest.mark.parametrize(
    ("prompt", "text", "reference", "borne"),
    [
        (CAPITAL, "The capital is Canberra, not Sydney.", "Canberra", 1.0),
        (CAPITAL, "The capital is Sydney.", "Canberra", 0.0),
        (CAPITAL, "The capital is Sydney.", "The city of Canberra", 0.0),
        ("Who wrote Faust?", "It is by Goethe.", "Johann Goethe", 0.5),
        ("Is 17 prime?", "No, it is not.", "Yes", 0.0),
        ("Is ice hot or cold?", "It is cold.", "Cold", 0.6),
        ("澳大利亚的首都是哪里？", "澳大利亚的首都是堪培拉。", "堪培拉", 1.0),
        (CAPITAL, "", "Canberra", 0.0),
        (CAPITAL, "Canberra", "?", None),
        (CAPITAL, "Canberra", "", None),
    ],
)
def test_a_short_answer_bears_out_what_has_its_words(prompt: str, text: str, reference: str, borne: float | None):
    assert borne_out(text, reference, prompt) == pytest.approx(borne)


@given(texts, texts, texts)
def test_an_answer_is_borne_out_by_0_to_1_and_by_itself_most(text: str, reference: str, prompt: str):
    found, itself = borne_out(text, reference, prompt), borne_out(text, text, prompt)
    assert found is None or 0 <= found <= 1
    assert itself is None or itself in {SHARE_OF_REPEATED, 1.0}


@pytest.mark.parametrize(
    "prompt",
    [
        "Which city is the capital of Australia?", "capital of peru", "Translate 'bread' to Spanish.", "17% of 350?",
        "Positive or negative? 'I loved it.'", "Rewrite 'first name' in snake_case.", "Is a whale a fish?",
    ],
)  # fmt: skip
def test_one_answer_is_right_to_a_short_question_after_a_fact_or_a_result(prompt: str):
    assert has_one_answer(prompt, "Yes")


@pytest.mark.parametrize(
    "prompt",
    [
        "Suggest a name for my cat", "Write a haiku about rain", "Explain recursion", "Why is the sky blue?",
        "Give me an example of a simile", "Summarise this: it rained.", "What do you think of Rust?",
        "How do I sort a dict by value?", "Ideas for a birthday present", "Should I learn Go?", "Describe a tree",
        "List some fruit", "Plan a weekend in Rome", "Refactor: x = x + 1", "Which city? " + "x" * LONGEST_COMPARED,
    ],
)  # fmt: skip
def test_what_may_be_answered_in_many_ways_has_not_one_answer(prompt: str):
    assert not has_one_answer(prompt, "Yes")


def test_a_long_answer_is_not_compared():
    assert has_one_answer("capital of peru", "x" * LONGEST_ANSWER)
    assert not has_one_answer("capital of peru", "x" * (LONGEST_ANSWER + 1))


def test_examples_stand_between_the_system_prompt_and_the_question():
    messages = briefly(Request(prompt="Who wrote Faust?", system_prompt="Be kind.").messages())
    assert messages[0] == Message("system", "Be kind.")
    assert messages[-1].content == "Who wrote Faust?"
    assert [one.role for one in messages[1:-1]] == ["user", "assistant"] * len(EXAMPLES)
