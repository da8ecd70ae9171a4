"""Answers that say nothing, choose nothing, or lack what was asked for: each with the reason that is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.answer_signs import signs
from hybrid_mcp.domain.completion import Request
from tests.domain.good_to_the_point import TO_THE_POINT

NOTHING = "it says nothing that the question does not hold"
STOPS = "it stops where the answer should stand"
TWICE = "it says the same twice as if it were two things"
ALIKE = "it repeats the choices and makes none"
NO_CHOICE = "it names none of the choices that were given"
WHOLE = "it gives the whole text back, and a part was asked for"
LEFT_OUT = "it leaves out most of what was to be put in order"
UNTRANSLATED = "it is not translated"
KEPT = "it still holds what was to be taken out"
UNCHANGED = "it gives the text back unchanged"
NO_NUMBER = "a number was asked for and there is none"
NO_VALUE = "a value was to be worked out, and there is no number"
NO_KIND = "it names nothing of the kind that was asked for"
NO_FORM = "it has not the form that was asked for"

BAD: list[tuple[str, str, str]] = [
    ("What is the largest part of a tree called?", "The largest part of a tree is called the tree.", NOTHING),
    ("The engine of the car is the", "The engine of the car is the car itself.", NOTHING),
    ("Which animal has the longest neck?", "The animal that has the longest neck is an animal.", NOTHING),
    ("What is the name of the bird that cannot fly?", "The bird that cannot fly is called a bird.", NOTHING),
    ("What is the chemical symbol for lead?", "The chemical symbol for lead is Lead.", NOTHING),
    ("What do you call the front of a ship?", "You call it the front of a ship.", NOTHING),
    ("Where do penguins live in the wild?", "Penguins live in the wild.", NOTHING),
    ("A doctor for children is called a ...", "A doctor for children is called a doctor for children.", NOTHING),
    ("How many grams are 2.5 kilos?", "2.5 kilos are 2.5 kilos.", NOTHING),
    ("Solve y - 4 = 11 for y", "The answer is: y - 4 = 11.", NOTHING),
    ("3, 6, 9, 12, ...", "The answer is 3, 6, 9, 12.", NOTHING),
    ("Rearrange the letters to get an animal: T A C", "An animal.", NOTHING),
    ("How old is the bridge?", "The answer is:", NOTHING),
    ("Which gas do we breathe?", "The gas we breathe is everywhere.\n\nThe correct answer is:", STOPS),
    ("What is a heap?", "A heap is a kind of tree, specifically a kind of tree.", TWICE),
    ("What is a heap?", 'It is known as "free store" or "free store" in C++.', TWICE),
    ("Is a spider an insect or an arachnid?", "A spider is an insect or an arachnid.", ALIKE),
    ("Newts: fish, reptiles or amphibians?", "Newts are fish, reptiles or amphibians.", ALIKE),
    ("Solid or liquid: mercury", "It is a solid or liquid.", ALIKE),
    ("Is 'i.e.' short for 'that is' or 'for example'?", "It is short for 'that is' or 'for example'.", ALIKE),
    ("Fact or claim?\n'Tea is better than milk.'", "Fact or claim?", ALIKE),
    ("Pick the opposite of 'loud': quiet, big, old, new.", "Quiet, big, old, new are all opposites.", ALIKE),
    ("Three towns: Rome, Bonn, Oslo. Say only the last.", "Rome, Bonn, Oslo.", ALIKE),
    ("Category (food / sport / art): They scored late", "They scored late", NO_CHOICE),
    ("Choose a topic from {rent, food, fun}: I saw a film", "This text is on an evening out.", NO_CHOICE),
    ("Which is older, Quito or Lima?", "The town by the sea is older.", NO_CHOICE),
    ("If x is odd, reply LEFT, otherwise reply RIGHT. x = 3", "The number x is odd.", NO_CHOICE),
    ("Which tool drives nails: a saw, a hammer or a drill?", "It is a thing that is of use to a carpenter.", NO_CHOICE),
    (
        '"The rooms were cold, the food was late and the band was loud." What was late?',
        'The answer is "The rooms were cold, the food was late and the band was loud."', WHOLE,
    ),
    (
        "Take the host out of https://shop.example.org/cart/item?id=9",
        "The host is https://shop.example.org/cart/item?id=9", WHOLE,
    ),
    ("Sort ascending: 12, 7, 30", "The answer is 12.", LEFT_OUT),
    ("Order from lightest to heaviest: feather, brick, apple, car", "The lightest way is the heaviest.", LEFT_OUT),
    ("Translate to English: 'Wo ist denn hier der alte Bahnhof'", "Der alte Bahnhof ist denn hier.", UNTRANSLATED),
    ("Delete all the digits: x9y8z7", "X9y8z.", KEPT),
    ("Remove the word 'really': It was a really long day.", "It was a really nice day.", KEPT),
    ("Put this into the passive: The dog ate it.", "The dog ate it.", UNCHANGED),
    ("Paraphrase: The sun rose late.", '"The sun rose late."', UNCHANGED),
    ("How many legs does a crab have?", "A crab is an animal that lives in the sea and on the shore.", NO_NUMBER),
    ("It doubles daily and is full on day 9. On which day is it half?", "It is half on the day it is full.", NO_NUMBER),
    ("Hands of a clock - number of them?", "The hands of a clock are to show the time of the day.", NO_NUMBER),
    ("What does =SUM(B1:B2) show if they hold 3 and 8?", "It shows the sum of the cells B1 and B2.", NO_VALUE),
    ("Which month has the fewest days?", "It is a part of the calendar that has few.", NO_KIND),
    ("Which planet is the hottest?", "The hottest is the star in the middle of it.", NO_KIND),
    ("Find the email address: mail ann@example.org today", "The address is to be found in the mail.", NO_FORM),
    ("Write half past six in the morning as HH:MM", "It is half past six in the morning.", NO_FORM),
    ("Join the words with hyphens: mother in law", "She is the mother of the wife.", NO_FORM),
    ("Put square brackets around the word tea", "The word tea is a drink.", NO_FORM),
    ("Reply with a digit: how many sides has a square?", "100", NO_FORM),
]  # fmt: skip


def reasons(prompt: str, text: str, **more: str) -> list[str]:
    return [sign.reason for sign in signs(Request(prompt=prompt, **more), text)]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(("prompt", "text", "reason"), BAD)
def test_an_answer_that_misses_the_point_is_doubted_and_the_reason_told(prompt: str, text: str, reason: str):
    assert reason in reasons(prompt, text)


@pytest.mark.parametrize(("prompt", "text", "reason"), BAD)
def test_beside_a_context_or_a_system_prompt_none_of_them_is(prompt: str, text: str, reason: str):
    assert reason not in reasons(prompt, text, context="Answers of yesterday: ...")
    assert reason not in reasons(prompt, text, system_prompt="You play a game: say it back.")


@pytest.mark.parametrize(("prompt", "text"), TO_THE_POINT)
def test_a_good_answer_that_comes_close_is_not_doubted(prompt: str, text: str):
    assert reasons(prompt, text) == []


KNOWN = ["the", "of", "cell", "what", "is", "which", "called", "a", "or", "and", "moon", "tea"]
WORDS = st.lists(st.sampled_from(KNOWN), max_size=12)


@given(WORDS, WORDS, st.sampled_from(["?", ".", "", ": a, b or c?", " or 'a'?"]))
def test_an_answer_with_a_word_of_its_own_never_says_nothing(asked: list[str], said: list[str], end: str):
    assert NOTHING not in reasons(" ".join(asked) + end or "x", " ".join((*said, "zirconium")))
