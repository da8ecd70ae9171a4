"""Words, lists, labels, letters and keys of short prompts: what is doubted, and good answers that are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.answer_signs import signs
from hybrid_mcp.domain.completion import Request

LABEL = "it is not one of the labels that were given"
LETTER = "its letter stands before the words of another choice"
WORD = "it does not spell or count the word as was asked for"
ITEM = "it names another item of the list than was asked for"
ORDER = "the list is not in the order that was asked for"
REPEATED = "it is not the word that was to be repeated"
KEYS = "it lacks keys that the prompt names for its JSON"
SUM = "its number is not what the prompt's own sum comes to"
OWN_SUM = "a sum in it is wrong"

REVIEW = "Is this review positive or negative? 'Great phone.'"
TUNA = "Is 'tuna' a bird, a fish, or a mammal?"
TOPIC = "Which topic fits best: sports, politics, or technology? 'The minister resigned.'"
TICKET = "Is this ticket a bug, a feature request, or a question? 'Please add a dark mode.'"
FRUIT = "Which is a fruit? A) apple B) chair C) table. Answer with the letter."
FIRST = "Which of these words comes first in the alphabet: market, yellow, dragon, kitten?"
SORTED = "Put these words into alphabetical order: pillow, dragon, yellow"
LARGEST = "Which is the largest of these numbers: 495, 281, 327?"
KEYED = 'Return JSON with the keys "item" and "quantity" for: 3 pens'

DOUBTFUL: list[tuple[str, str, str]] = [
    ("Is this review positive or negative? 'It broke after two days.'", "It broke after two days.", LABEL),
    ("Is this message spam or not spam? 'Hi Tom'", "It is spam or not spam.", LABEL),
    (TOPIC, "Sports or technology.", LABEL),
    (TOPIC, "The topic that best fits is sports, politics, or technology.", LABEL),
    (TUNA, 'The answer is "bird" or "fish" or "mammal"', LABEL),
    (TICKET, "This ticket is a bug. It is a feature request.", LABEL),
    ("Classify the sentiment as positive or negative: 'Oh no'", "Oh no", LABEL),
    (FRUIT, "A) chair", LETTER),
    (FRUIT, "The correct answer is B) apple.", LETTER),
    ("Which number is the largest? A) 19 B) 91 C) 9", "A) 91", LETTER),
    ("Write the word 'plum' in capital letters.", 'The word "plum" is a word that requires a capital letter.', WORD),
    ("Write the word 'pillow' in upper case.", "Pillow", WORD),
    ("Spell the word 'banana' backwards.", "banana", WORD),
    ("Reverse the word 'stone'.", "enost", WORD),
    ("How many letters does the word 'desert' have?", "The word 'desert' has 2 letters.", WORD),
    ("How many letters are in the word 'plum'?", "Fourteen", WORD),
    ("How many times does the letter r appear in 'strawberry'?", "2", WORD),
    ("How many r's are in the word 'strawberry'?", "There are two r's in it.", WORD),
    (FIRST, 'The word "yellow" is the first word in the alphabet.', ITEM),
    (FIRST, "None of these.", ITEM),
    (FIRST, "Of market, yellow, dragon, kitten it is market.", ITEM),
    (
        "What is the last word of this list: lemon, orange, desert? Answer with that word only.",
        "The last is 'tree'.",
        ITEM,
    ),
    ("Sort these words alphabetically: pillow, dragon, yellow", "A, B, C", ORDER),
    ("Which of these words comes last in the alphabet: market, yellow, dragon?", "dragon", ITEM),
    ("What is the last word of this list: lemon, orange, desert?", "orange", ITEM),
    ("What is the second item of this list: lemon, orange, desert?", "lemon", ITEM),
    (SORTED, "pillow, dragon, yellow", ORDER),
    ("Sort these words alphabetically: pillow, dragon, yellow", "dragon, yellow", ORDER),
    (LARGEST, "The largest is 327.", ITEM),
    ("What is the smallest of these numbers: 495, 281, 327?", "495", ITEM),
    ("Which word is the longest: plum, photograph, pear?", "plum", ITEM),
    ("Repeat this word exactly, and write nothing else: pear", "Pier.", REPEATED),
    ("Repeat this word exactly, and write nothing else: pear", "I like to eat a pear every day.", REPEATED),
    (KEYED, '{"name": "pens", "quantity": 3}', KEYS),
    (KEYED, "The order is three pens.", KEYS),
    ('Extract "from" and "to" as a JSON object: from Rome to Oslo', '{"start": "Rome", "end": "Oslo"}', KEYS),
    ("Give me JSON with the fields `city` and `room`: Oslo, room 12", '```json\n{"city": "Oslo"}\n```', KEYS),
    ("What is 12 squared?", "24", SUM),
    ("What is 3 cubed?", "9", SUM),
    ("What is half of 90?", "40", SUM),
    ("What is twice 35?", "60", SUM),
    ("What is the remainder when 17 is divided by 5?", "3", SUM),
    ("How many pages are left?", "They sell 11 of them, so 59 - 11 = 40 pens are left.", OWN_SUM),
    ("How many pages are left?", "127 pages * 3 days = 394 pages", OWN_SUM),
    ("How far is it?", "6 hours * 12 hours = 64 hours", OWN_SUM),
]


@pytest.mark.parametrize(("prompt", "text", "reason"), DOUBTFUL)
def test_what_can_be_worked_out_and_is_wrong_is_doubted(prompt: str, text: str, reason: str):
    assert reason in [sign.reason for sign in signs(Request(prompt=prompt), text)]


GOOD: list[tuple[str, str]] = [
    ("Is this review positive or negative? 'Great phone, poor battery.'", "Mixed: it praises and criticises."),
    (REVIEW, "The review is positive, but it is also somewhat negative."),
    (TUNA, "It lives in the sea."),
    (TUNA, "Bird, fish or mammal? A fish."),
    (TICKET, "This ticket is a bug. It is a question of taste whether to call it one."),
    (REVIEW, "Positive"),
    (REVIEW, "The review is positive, because it calls the phone great. A negative one would not."),
    ("Is this message spam or not spam? 'Hi Tom'", "Not spam."),
    ("Is this message spam or not spam? 'Hi Tom'", "This is not spam, just a greeting."),
    (TUNA, "Tuna is a fish. Unlike birds, it lives in water."),
    (TUNA, "A fish"),
    (TUNA, "Of bird, fish, or mammal, it is a fish."),
    (TOPIC, "It is a political topic."),
    (TOPIC, "Politics"),
    (TICKET, "Feature request"),
    (TICKET, "It asks for something new, so I would call it a feature request."),
    ("Is this code safe or should I use a lock?", "Use a lock, because two threads write to it."),
    ("Is the word 'run' a noun or a verb?", "It can be both: a noun ('a run') and a verb ('to run')."),
    ("Is the word 'run' a noun or a verb?", "'Run' is usually a verb, although it is a noun in 'a long run'."),
    ("Is this a question, a command, or a statement? 'Go!'", "A command: a statement or question would not order."),
    ("Is this function pure or not?", "Yes, it is free of side effects."),
    ("Is this statement correct or not?", "Yes."),
    ("Is this the right way to read a file or is there a better one?", "There is a better one: use pathlib."),
    ("Are the tests run before or after the build?", "After."),
    ("Is there a cheaper or faster option?", "Yes, there are several; the train costs less."),
    ("Which language is faster, Python or C?", "C is faster than Python for most loops."),
    ("Are these numbers even or odd: 2, 4, 6?", "They are all even."),
    ("Is it better to use tabs or spaces?", "Spaces, by most style guides. Tabs let each reader choose the width."),
    (FRUIT, "A"),
    (FRUIT, "A) apple"),
    (FRUIT, "The answer is **A) Apple**."),
    ("Which is larger? A) 10 B) 100 C) 1", "B) 100"),
    ("Which is larger? A) 1 B) 10 C) 100", "C) 100"),
    ("Pick one:\nA) the cat\nB) the cat and the dog\nC) none", "B) the cat and the dog"),
    (
        "Pick one:\nA) a stack\nB) a queue\nC) a tree",
        "A) The first thing to notice is that the last one in leaves first.",
    ),
    ("Write the word 'plum' in capital letters.", "PLUM"),
    ("Write the word 'plum' in capital letters.", "P-L-U-M"),
    ("Spell the word 'banana' backwards.", "ananab"),
    ("Spell the word 'banana' backwards.", "A N A N A B"),
    ("Reverse the string 'hello' in Python.", "Use slicing: 'hello'[::-1]."),
    ("How many letters does the word 'desert' have?", "Six."),
    ("How many letters does the word 'desert' have?", "It has 6 letters: d, e, s, e, r, t."),
    ("How many times does the letter r appear in 'strawberry'?", "3"),
    ("How many r's are in the word 'strawberry'?", "There are three r's in strawberry."),
    ("How many times does the letter 'z' occur in the word 'apple'?", "It does not: zero times."),
    ("How many times does the letter 'z' occur in the word 'apple'?", "None."),
    (FIRST, "dragon"),
    (FIRST, "Dragon comes before kitten, market and yellow."),
    ("Which of these words comes last in the alphabet: market, yellow, dragon?", "Dragon, market, yellow: yellow."),
    ("What is the last word of this list: lemon, orange, desert?", "desert"),
    (SORTED, "dragon, pillow, yellow"),
    (SORTED, "1. Dragon\n2. Pillow\n3. Yellow"),
    (LARGEST, "495"),
    (LARGEST, "Comparing 495, 281 and 327, the largest is 495."),
    ("Which word is the longest: plum, photograph, pear?", '"photograph" with 10 letters'),
    ("Which word is the longest: plum, pear?", "Both have four letters."),
    ("Repeat this word exactly, and write nothing else: pear", "pear"),
    ("Repeat this word exactly, and write nothing else: pear", '"pear".'),
    (KEYED, '{"item": "pens", "quantity": 3}'),
    ('Extract "from" and "to" as a JSON object: from Rome to Oslo', '```json\n{"from": "Rome", "to": "Oslo"}\n```'),
    ('Return JSON with the keys "name" and "age" (age is optional): Bob', '{"name": "Bob"}'),
    ('Write a Python function that returns JSON with the keys "a" and "b"', "```python\nprint(dict(a=1, b=2))\n```"),
    ("What is half of 90?", "45"),
    ("What is 12 squared?", "12² = 144"),
    ("What is the remainder when 17 is divided by 5?", "17 = 3 * 5 + 2, so the remainder is 2."),
    ("How far is it?", "5 hours * 60 km/h = 300 km"),
    ("How many minutes?", "2 hours * 60 = 120 minutes"),
    ("How many eggs?", "3 dozen * 12 = 36 eggs"),
    ("What does it cost?", "4 pens * 50 cents = 2 dollars"),
]


@pytest.mark.parametrize(("prompt", "text"), GOOD)
def test_a_good_answer_is_not_doubted(prompt: str, text: str):
    assert [sign.reason for sign in signs(Request(prompt=prompt), text)] == []


@given(word=st.from_regex(r"[a-z]{2,12}", fullmatch=True))
def test_a_word_that_is_spelled_as_was_asked_for_is_never_doubted(word: str):
    for prompt, right in (
        (f"Write the word '{word}' in capital letters.", word.upper()),
        (f"Spell the word '{word}' backwards.", word[::-1]),
        (f"How many letters does the word '{word}' have?", str(len(word))),
        (f"How many times does the letter a appear in '{word}'?", str(word.count("a"))),
    ):
        assert WORD not in [sign.reason for sign in signs(Request(prompt=prompt), right)]


@given(words=st.lists(st.from_regex(r"[a-z]{3,9}", fullmatch=True), min_size=2, max_size=8, unique=True))
def test_the_right_item_of_a_list_is_never_doubted(words: list[str]):
    listed = ", ".join(words)
    for prompt, right in (
        (f"Which of these words comes first in the alphabet: {listed}?", min(words)),
        (f"What is the last word of this list: {listed}?", words[-1]),
        (f"Which word is the longest: {listed}?", max(words, key=len)),
        (f"Put these words into alphabetical order: {listed}", ", ".join(sorted(words))),
    ):
        assert ITEM not in [sign.reason for sign in signs(Request(prompt=prompt), right)]
