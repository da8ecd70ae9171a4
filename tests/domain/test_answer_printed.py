"""Answers to what a piece of code prints: only those that nowhere say it are doubted."""

from __future__ import annotations

import pytest

from hybrid_mcp.domain.answer_signs import signs
from hybrid_mcp.domain.completion import Request

MISSED = "it does not say what the code in the prompt prints"


def fenced(code: str, ask: str = "What does this Python code print?", language: str = "python") -> str:
    return f"{ask}\n```{language}\n{code}\n```"


SUM = fenced("x = 15\ny = 8\nprint(x + y)")
LEN = "What does `print(len([9, 1, 3, 5, 7]))` print in Python?"
LOOP = fenced("for i in range(3):\n    print(i)", "What is the output of this code?", "")
ITEM = fenced("items = ['castle', 'rabbit', 'ticket']\nprint(items[1])")
FLOOR = "What does `print(51 // 7)` print in Python?"
LIST = fenced("a = [3, 1, 2]\na.sort()\nprint(a)")
UPPER = 'What does `print("pear".upper())` print in Python?'
QUOTIENT = "What does `print(10 / 4)` print in Python?"
NEGATIVE = "What is the output of print(3 - 10) in Python?"
LARGE = "What does `print(1250 * 4)` print in Python?"
FUNCTION = fenced("def f(x):\n    return 2 * x + 1", "What does f(3) return?")
TRUTH = "What does `3 in [1, 2, 3]` evaluate to in Python?"
GREETING = fenced('name = "Ada"\nprint(f"Hello, {name}!")')
STARS = "What does this print?\n\nprint('*' * 5)"
PAIRS = fenced("for a, b in zip('ab', [1, 2]):\n    print(a, b)")
FORTY = "What does `print(6 * 7)` output in Python?"

GOOD = [
    (SUM, "23"),
    (SUM, "This Python code will output: `15 + 8 = 23`"),
    (SUM, "It prints **23**."),
    (SUM, "1. `x` is 15\n2. `y` is 8\n3. `x + y` is 23\n\nSo the output is:\n```\n23\n```"),
    (SUM, "Twenty-three."),
    (SUM, "```python\nx = 15\ny = 8\nprint(x + y)  # Output: 23\n```"),
    (LEN, "5"),
    (LEN, "The list `[9, 1, 3, 5, 7]` has five elements, so five is printed."),
    (LEN, "`print(len([9, 1, 3, 5, 7]))` prints 5 because there are 5 elements."),
    (LOOP, "0\n1\n2"),
    (LOOP, "0, 1, 2"),
    (LOOP, "It prints the numbers 0, 1 and 2, each on a line of its own."),
    (LOOP, "```\n0\n1\n2\n```\nbecause `range(3)` ends before 3."),
    (LOOP, "First i is 0, so it prints `0`. Then it prints `1`, and at last `2`."),
    (LOOP, "The output is `0\\n1\\n2\\n`."),
    (ITEM, "'rabbit'"),
    (ITEM, "Rabbit"),
    (ITEM, "The index 1 is the second item of `['castle', 'rabbit', 'ticket']`, which is \"rabbit\"."),
    (FLOOR, "7"),
    (FLOOR, "`51 // 7` is floor division. 51 / 7 = 7.29, rounded down: **7**."),
    (FLOOR, "seven"),
    (FLOOR, "\\[ 51 // 7 = 7 \\]"),
    (LIST, "[1, 2, 3]"),
    (LIST, "[1,2,3]"),
    (LIST, "It prints the sorted list: 1, 2, 3."),
    (LIST, "After `a.sort()`, a = [1, 2, 3]"),
    (UPPER, "PEAR"),
    (UPPER, "It prints `PEAR`, in capital letters."),
    (UPPER, '"pear".upper() -> "PEAR"'),
    (QUOTIENT, "2.5"),
    (QUOTIENT, "It prints 2.50."),
    (QUOTIENT, "Es wird 2,5 ausgegeben."),
    (NEGATIVE, "-7"),
    (NEGATIVE, "The output is \u22127."),
    (NEGATIVE, "It prints minus seven."),
    (LARGE, "5,000"),
    (LARGE, "5000"),
    (LARGE, "1250 * 4 = 5 000"),
    (LARGE, "Five thousand."),
    (FUNCTION, "7"),
    (FUNCTION, "f(3) = 2 * 3 + 1 = 7"),
    (TRUTH, "It evaluates to true, because 3 is in the list."),
    (TRUTH, "`True`"),
    (GREETING, "Hello, Ada!"),
    (GREETING, 'It greets: "Hello Ada!"'),
    (STARS, "*****"),
    (STARS, "It prints five stars: `*****`"),
    (PAIRS, "a 1\nb 2"),
    (PAIRS, "It prints 'a 1' and then 'b 2'."),
    (FORTY, "forty-two"),
    (NEGATIVE, "It is \u20137."),
    (fenced("x, y = 1, 2\nx, y = y, x\nprint(x, y)"), "x is 2, y is 1"),
    (fenced("print([1, 2][5:])"), "It prints an empty list."),
    (fenced("print('-' * 3)"), "Three dashes."),
    (fenced("d = {'a': 1, 'b': 2}\nfor k in d:\n    print(k)"), "It prints the keys: a and b."),
    (fenced("for i in range(1, 4):\n    print('*' * i)"), "```\n*\n**\n***\n```"),
    (fenced("print([i ** 2 for i in range(4)])"), "- 0**2 = 0\n- 1**2 = 1\n- 2**2 = 4\n\nSo: `[0, 1, 4, 9]`"),
    (fenced("print(10 / 2)"), "5"),
    (fenced("print('Hi')"), "`print('Hi')` prints `Hi`"),
    (fenced("x = 5\nx += 3\nprint(x)"), "x = 8"),
    ("What does this print?\n\nprint('a-b')", "a-b"),
    (fenced("print('3 + 4 =', 3 + 4)"), "3 + 4 = 7"),
    (fenced("x = [1, 2]\ny = x\nprint(y)"), "`x = [1, 2]` and y is x."),
    (fenced("def f():\n    return 7\nprint(f())"), "It will return 7 and print it."),
    (fenced("x = 8\nprint(x ** 0.5)"), "About 2.83"),
]  # fmt: skip

BAD = [
    (SUM, "This Python code will output: `x + 22`"),
    (SUM, "`15 + 8 = 21`"),
    (SUM, "It prints 123."),
    (SUM, "23.5"),
    (LEN, "The length of the list `[9, 1, 3, 5, 7]` is 10."),
    (LEN, "It will print the length of `[9, 1, 3, 5, 7]` to the console."),
    (LOOP, "1\n2\n3"),
    (LOOP, "2, 1, 0"),
    (ITEM, "It prints the first item, which is 'castle'."),
    (ITEM, "```python\nitems = ['castle', 'rabbit', 'ticket']\nprint(items[1])\n```\nprints ticket."),
    (FLOOR, "print(51 // 7) prints 8."),
    (FLOOR, "51 // 7 is 7.28"),
    (LIST, "[3, 1, 2]"),
    (UPPER, "It prints pear."),
    (QUOTIENT, "2"),
    (NEGATIVE, "7"),
    (FUNCTION, "f(3) returns 2 * 3 = 6"),
    (TRUTH, "It is false."),
    (GREETING, "Hello, name!"),
    (STARS, "****"),
    (PAIRS, "a b\n1 2"),
    (FORTY, "It outputs forty-three."),
    ("What does print(17 % 5) print in Python?", "The remainder is 3."),
    ("Tell me the output of this program:\n\nx = 4\nwhile x > 1:\n    x -= 1\nprint(x)", "It prints 4."),
    (fenced("x, y, z = 1, 2, 3\nprint(z, y, x)"), "It prints 1, 2, 3."),
    (fenced("print(7 // 2, 7 % 2)"), "It prints 3, and then as the rest of it 2."),
    ("What is printed when I run this?\n```py\nprint('ab' * 2)\n```", "It prints ab ab."),
]  # fmt: skip

NOT_ASKED = [
    fenced("x = 15\ny = 8\nprint(x + y)", "Explain what this Python code prints."),
    fenced("x = 15\ny = 8\nprint(x + y)", "What does this Python code print, and why?"),
    fenced("x = 15\ny = 8\nprint(x + y)", "What is the type of what this Python code prints?"),
    fenced("x = 15\ny = 8\nprint(x + y)", "What is the value of y after this Python code?"),
    fenced("x = 15\ny = 8\nprint(x + y)", "How many lines does this Python code print?"),
    fenced("x = 15\ny = 8\nprint(x + y)", "What does this Python 2 code print?"),
    fenced("x = 15\ny = 8\nprint(x + y)", "What does this Lua code print?", ""),
    fenced("x = 15\ny = 8\nprint(x + y)", language="ruby"),
    fenced("x = 15\ny = 8\nprint(x + y)") + "\n" + fenced("print(1)"),
    fenced("x = input()\nprint(x)"),
    fenced("import os\nprint(os.name)"),
    fenced("x = 1"),
    fenced("print('ab' * 200)"),
    fenced("print({'a', 'b'})"),
    fenced("def f(x):\n    return 2 * x", "What does this function return?"),
    fenced("print(1, x)"),
    "What does `x` print?",
    "What is the output of `7 // 2`?",
    "What does `print(5)` return in Python?",
    "Does `print(3)` print in Python?" * 8,
    "What does Python print?",
    fenced("def f(n):\n    print(n)\nf(3)", "What does f(3) print?"),
]


def is_missed(prompt: str, text: str, context: str = "", system_prompt: str = "") -> bool:
    asked = Request(prompt=prompt, context=context, system_prompt=system_prompt)
    return MISSED in {sign.reason for sign in signs(asked, text)}


@pytest.mark.parametrize(("prompt", "text"), GOOD)
def test_an_answer_that_says_it_is_not_doubted(prompt: str, text: str):
    assert not is_missed(prompt, text)
    assert is_missed(prompt, "I do not know.")  # the question is one that is looked at


@pytest.mark.parametrize(("prompt", "text"), BAD)
def test_an_answer_that_nowhere_says_it_is_doubted(prompt: str, text: str):
    assert is_missed(prompt, text)


@pytest.mark.parametrize("prompt", NOT_ASKED)
def test_where_more_is_asked_or_the_output_is_not_known_nothing_is_doubted(prompt: str):
    assert not is_missed(prompt, "I do not know.")


def test_what_else_was_sent_may_change_what_is_right():
    assert is_missed(SUM, "42")
    assert not is_missed(SUM, "42", system_prompt="You are brief.")
    assert not is_missed(SUM, "42", context="x is 34")
    assert not is_missed(SUM, "Look at the plus sign.", system_prompt="You are a tutor: give hints.")
