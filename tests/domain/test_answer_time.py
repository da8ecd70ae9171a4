"""How long the judge and the scorer may take: 5 ms for 64 KB, whatever stands there."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_mcp.domain.completion import Completion, Request
from hybrid_mcp.domain.judging import judge
from hybrid_mcp.domain.scorer import score
from tests import support_speed
from tests.domain.test_answer_printed import fenced
from tests.domain.test_answer_signs import LOCAL
from tests.support_speed import grows_evenly, takes_at_most

LIMIT_MS = 5
"""Of processor time."""
SIZE = 65_536
UNITS = [
    "word ", "a", " ", "\n", "(", "1", "1,", "12 * 4 = 48\n", "1,1.1,1 * ", "`", "```\n",
    "```python\na\n```\n", '"', "“", "> x\n",
    "数", "ひ", "def f(x):\n    return x\n", "a;", "{", "[[],", '{"a":1},', "A) x\n", "return json ",
    "I'm sorry ", "<|", "- x\n", "1. x\n",
    "number between 1 and 2 ", "the of and is ", "write python ", "in 5 words ", "\t", "x = f(a, b)\n",
    "ab" * 1_000 + "b", "1 + 1 = ",
]  # fmt: skip
SHORT = [
    "is this ", "is this a, b, c, d or ", "classify ", "is the a,", "or a, ", "which topic ", "how many r ",
    "how many letters in ", "'ab' ", '"a" and ', 'keys "a" and ', 'return "a", json ', "A) a B) b C) c ", "sort: a, ",
    "repeat this word: ", "which word is longest: a, b", "'ab' in all capitals ", "5 pages * 5 pages = 5 ",
    "half of 5 ", "the remainder of 5 ", "is 'x' , , , ", "x, or y ", "this is a ", "What does print(a) print? ",
    "A) x ,; ,; ,; ", " ,;", "prints\n```a\n", "sort the numbers: 1, ", "classify this text as a or b: ",
    "return JSON as ", "extract \"a\" and \"b\" as JSON: ", "which topic fits: aaa, or bbb? 'x' ",
    "sort words alphabetically: a, ", "or a ", "which or ", "how many 1 ", "a, b or c: ", "'a' or 'b' ", "sort up: a, ",
    "who is Ab, Cd or Ef? ", "2 or ", "how many a are 2 a? ", "1, 2, 3, ", "write a with commas ", "find it: A b, c. ",
]  # fmt: skip
SHORT_UNITS = [
    "1 ",
    "1, ",
    "a ",
    "a, ",
    "'a' ",
    "half ",
    "one ",
    "and ",
    "the ",
    "of ",
    "in ",
    "to ",
    "12:30 ",
    "m ",
    "how many ",
    "what is the ",
    "1/2 ",
    "x ",
    "= ",
    "replace 'a' with ",
    "remove the word ",
    "sort ascending: 1, ",
    "the last word of ",
    "square ",
    "average of 1, ",
    "January 1 ",
    "? ",
    ". only ",
    "please ",
    "every ",
    "one hundred ",
    "(",
    "\u03c0",
    "10^",
    "1 . ",
    "3 days after ",
    "is 7 even ",
    "1 m is ",
    "½",
    "reverse ",
    "_",
    "- ",
]
PIECES = st.sampled_from([*UNITS, *SHORT, *SHORT_UNITS])
SETTINGS = [
    "",
    "Write a Python function that adds.",
    "Return only valid JSON.",
    "What is 17*23?",
    "List 5 fruits: yes or no?",
]
STARTS = [
    "",
    "How many m are in 7 ",
    "Sort ascending: 3, 2, 1",
    "average of 4, 5",
    "Join these words with hyphens: a",
    "next number: 2, 4, 6, 8",
    "Replace 'a' with 'b' in 'aa'",
    "Which is larger, 1 or 2",
]
BEGINNINGS = st.sampled_from([*SETTINGS, *STARTS])
ENDS = st.sampled_from(["", "?", " or a?"])
DENSE = f"def f():\n  {'match ' * 280}\na\n\n\ndef g():\n    return 1\n"
"""What Python's parser takes longest for, of as much as it is given."""
BLOCKS = st.sampled_from(
    ["{0}", "```python\n{0:.8000}\n```\n{0}", f"```python\n{DENSE.replace('{', '{{')}\n```\n{{0}}", "{{{0:.8000}}}"]
)


def filled(unit: str, size: int) -> str:
    return (unit * (size // len(unit) + 1))[:size]


def judged(prompt: str, text: str, context: str = "") -> None:
    asked = Request(prompt=prompt.strip() or "?", context=context)
    judge(asked, Completion(text=text, finish="stop", usage=None), LOCAL, shrunk=False)


@settings(max_examples=200)
@given(
    BEGINNINGS, PIECES, ENDS, st.sampled_from([0, 300, 990, SIZE]), PIECES, BLOCKS, st.sampled_from([1, 3_000, SIZE])
)
def test_nothing_makes_the_judge_take_longer(
    start: str, unit: str, end: str, asked: int, said: str, block: str, size: int
):
    prompt, text = (start + filled(unit, asked))[: asked or None].strip() + end or "?", block.format(filled(said, size))
    assert takes_at_most(LIMIT_MS, lambda: judged(prompt, text))


SLOW: list[tuple[str, str]] = [
    (fenced("a = 1\n" + "a = a + 1; " * 45 + "\nprint(a)"), "a = a + 1 " * 300),
    (fenced("print([" + "[1,2]," * 45 + "])"), "[1,2]," * 500),
    (fenced("while True: pass"), "twenty " * 400),
    ("What does print(" + "is )" * 70 + " print?", "1 " * 1_500),
    ("What is " * 30 + "(" * 200, "- " * 1_500),
    ("`print" * 160, "1,000 " * 500),
    ("What does this print?" + "\n:?" * 300, "a and " * 500),
    ("What does " + "a " * 100 + ")" * 100 + " print", "1 " * 1_500),
    (f"{'W' * 100}: x", "x"),
    (f"Convert {'A' * 280} 'x'", "x"),
    ("supercalifragilisticexpialidocious: what does this word mean?", "Very good."),
    ("What is 1/3 as a decimal?", f"0.{'3' * 2_998}"),
    ("1/3 + 1/6", f"0.{'3' * 2_998}"),
    (f"Contents {'.' * 280} 12", "x"),
    (f"well{'…' * 280}ok", "x"),
    (f"well{'!' * 280}ok", "x"),
    (f"{'-' * 490}", "x"),
    ("What is what percentage of 230 is 1", "1," * 300),
    ("Convert 90 minutes to hours.", "a hour and a " * 230),
    ("Convert 3 mm to inches.", "".join(f"1{unit} " for unit in ("ab", "cd", "m", "cm", "km", "yd")) * 150),
    ("What is what percentage of 230 is 1", "".join(f"1,2,3,{n}," for n in range(100, 400))),
]


@pytest.mark.parametrize(("prompt", "text"), SLOW)
def test_a_long_run_of_one_kind_takes_no_time(prompt: str, text: str):
    assert takes_at_most(LIMIT_MS, lambda: judged(prompt, text))


@settings(max_examples=30)
@given(BEGINNINGS, PIECES, PIECES)
def test_judging_takes_as_much_longer_as_there_is_more_to_read(start: str, unit: str, said: str):
    assert grows_evenly(lambda size: judged(start + filled(unit, size), "x"), 240)
    assert grows_evenly(lambda size: judged(start + filled(unit, 240), filled(said, size)), 740)
    assert grows_evenly(
        lambda size: judged(filled(unit, size), filled(said, size), context=filled(unit, size)), SIZE // 4
    )


@settings(max_examples=30)
@given(PIECES)
def test_nothing_makes_the_scorer_take_longer(unit: str):
    assert takes_at_most(LIMIT_MS, lambda: score(Request(prompt=f"x{filled(unit, SIZE - 1)}")))
    assert grows_evenly(lambda size: score(Request(prompt=f"x{filled(unit, size)}")), SIZE // 4)


@pytest.fixture
def slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that it does takes it five times as long."""
    real = support_speed.time.thread_time
    monkeypatch.setattr(support_speed.time, "thread_time", lambda: 5 * real())


QUADRATIC = re.compile(r"a+b")


@pytest.mark.usefixtures("slow_machine")
def test_a_slow_machine_keeps_the_promises_and_a_quadratic_expression_does_not():
    assert takes_at_most(LIMIT_MS, lambda: judged(f"1{' 1' * 149}", filled("a hour and a ", 3_000)))
    assert grows_evenly(lambda size: score(Request(prompt="a " * size)), SIZE // 8)
    assert not takes_at_most(LIMIT_MS, lambda: QUADRATIC.search("a" * 8_000))
    assert not grows_evenly(lambda size: QUADRATIC.search("a" * size), 400, times=8)
