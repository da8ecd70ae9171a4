from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.calibrating import load_questions
from hybrid_mcp.domain.questions import KINDS, Question, parse_questions

QUESTIONS = load_questions()
CAPITAL = Question(kind="fact", prompt="What is the capital of Sweden?", accepted=("Stockholm",))
MINUTES = Question(kind="number", prompt="How many minutes are there in a day?", accepted=("1440",))
PRIME = Question(kind="yesno", prompt="Is 91 prime? Answer yes or no.", accepted=("no",))
TOPIC = Question(kind="label", prompt="Cooking or sport? 'Simmer it.'", accepted=("cooking",), rejected=("sport",))
REPTILE = Question(kind="choice", prompt="A reptile? A) frog B) bat C) turtle", accepted=("C",))


@pytest.mark.parametrize(
    ("question", "text", "right"),
    [
        (CAPITAL, "The capital of Sweden is **Stockholm**.", True),
        (CAPITAL, "stockholm", True),
        (CAPITAL, "The capital of Sweden is Oslo.", False),
        (CAPITAL, "It is Oslo. That is in Norway. Stockholm is in Sweden.", False),
        (CAPITAL, "Stockholmers know.", False),
        (MINUTES, "There are 1,440 minutes in a day.", True),
        (MINUTES, "24 hours of 60 minutes are 1440.0", True),
        (MINUTES, "1440 minutes. That is 24 hours.", True),
        (MINUTES, "There are 24 hours in a day.", False),
        (MINUTES, "Many.", False),
        (PRIME, "No, 91 is 7 times 13. Yes, really.", True),
        (PRIME, "Yes, it is. No doubt.", False),
        (PRIME, "Nobody knows", False),
        (TOPIC, "It is about cooking, not sport.", True),
        (TOPIC, "Cooking", True),
        (TOPIC, "It is about cooking and sport.", False),
        (TOPIC, "It is not about cooking", False),
        (REPTILE, "C", True),
        (REPTILE, "C) turtle", True),
        (REPTILE, "The answer is: **C**", True),
        (REPTILE, "the correct answer is C.", True),
        (REPTILE, "B) bat", False),
        (REPTILE, "A) frog\n\nThe answer is C.", False),
        (REPTILE, "turtle", False),
    ],
)
def test_an_answer_is_right_where_it_says_what_is_right_and_nothing_else(question: Question, text: str, right: bool):
    assert question.is_answered_by(text) is right


@given(st.sampled_from(QUESTIONS), st.text())
def test_any_text_can_be_checked(question: Question, text: str):
    assert question.is_answered_by(text) in {True, False}


def test_the_questions_that_come_with_the_program_are_short_of_every_kind_and_none_stands_twice():
    assert len({question.prompt for question in QUESTIONS}) == len(QUESTIONS) == 80
    assert set(Counter(question.kind for question in QUESTIONS)) == set(KINDS)
    assert max(len(question.prompt) for question in QUESTIONS) < 160


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.prompt[:40])
def test_what_is_accepted_passes_and_what_is_rejected_does_not(question: Question):
    assert all(question.is_answered_by(text) for text in question.accepted)
    assert not any(question.is_answered_by(text) for text in (*question.rejected, "", question.prompt))


def test_the_sums_among_them_are_right():
    sums = [(re.match(r"What is ([\d +*/-]+)\?", one.prompt), one.accepted[0]) for one in QUESTIONS]
    found = [(eval(one[1]), float(right)) for one, right in sums if one]  # noqa: S307 - digits and signs alone
    assert len(found) > 8
    assert all(value == right for value, right in found)


@pytest.mark.parametrize("line", ["", "fact\tOnly a question", "riddle\tWhat?\tThat", "fact\ta\tb\tc\td", "fact\t\tb"])
def test_a_line_that_is_no_question_is_told_by_its_number(line: str):
    with pytest.raises(ValueError, match="line 2 is no question"):
        parse_questions(f"fact\tWho?\tMe\n{line}\n")
