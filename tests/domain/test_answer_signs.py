"""Answers that are not good enough, each with the reason that is told."""

from __future__ import annotations

import ast
import textwrap
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_mcp.domain.answer_signs import signs
from hybrid_mcp.domain.arithmetic import worked_out
from hybrid_mcp.domain.completion import Completion, Request
from hybrid_mcp.domain.judging import Verdict, judge
from hybrid_mcp.domain.profile import ModelSpec, ProviderSpec
from hybrid_mcp.domain.vendors import EMBEDDED

LOCAL = ModelSpec(provider=EMBEDDED, model="m")
PAID = ModelSpec(
    provider=ProviderSpec(name="cloud", kind="openai", base_url="https://api.example.com/v1", local=False), model="m"
)

REFUSED = "the model refused"
LEAK = "it shows the marks of the model's chat template"
LOOP = "it repeats itself over and over"
ECHO = "it only repeats what was sent"
BACK = "it answers a question with a question"
LANGUAGE = "it is in another language than the prompt"
NO_CODE = "the prompt asks for code and there is none"
NO_JSON = "the prompt asks for JSON and there is none that parses"
PYTHON = "a block of Python in it does not parse"
BRACES = "a block of code in it opens other braces than it closes"
SUM = "its number is not what the prompt's own sum comes to"
OWN_SUM = "a sum in it is wrong"
ITEMS = "it has another number of items than was asked for"
LENGTH = "its length is far from what was asked for"
ORDER = "the list is not in the order that was asked for"
SEVERAL = "it names several of the choices, and one was asked for"
SAME_WORD = "a translation was asked for, and the word is the same"
CHOICE = "it names none of the choices"
RANGE = "its number is outside of the range that was asked for"

ENGLISH = "This is the house that I have seen, and it is what they were asked for with all of the others."

DOUBTFUL: list[tuple[str, str, str]] = [
    ("How do I do it?", "I'm sorry, but I can't help with that.", REFUSED),
    ("How do I do it?", "I’m sorry, but I can’t assist with that request.", REFUSED),
    ("How do I do it?", "Unfortunately, I am not able to do this for you.", REFUSED),
    ("How do I do it?", "As an AI language model, I don't have access to the internet.", REFUSED),
    ("How do I do it?", "I must respectfully decline.", REFUSED),
    ("Write a text to Tom", "I'm sorry, but I can't assist with that request.", REFUSED),
    ("Wie geht das?", "Es tut mir leid, aber ich kann dir dabei nicht helfen.", REFUSED),
    ("Comment faire ?", "Je suis désolé, mais je ne peux pas vous aider.", REFUSED),
    ("¿Cómo se hace?", "Lo siento, pero no puedo ayudarte con eso.", REFUSED),
    ("Come si fa?", "Mi dispiace, ma non posso aiutarti.", REFUSED),
    ("Como se faz?", "Desculpe, mas não posso ajudar com isso.", REFUSED),
    ("Как это сделать?", "Извините, но я не могу помочь с этим.", REFUSED),
    ("怎么做?", "很抱歉,我无法提供帮助。", REFUSED),
    ("やり方は?", "申し訳ありませんが、お手伝いできません。", REFUSED),
    ("어떻게 하나요?", "죄송하지만 도와드릴 수 없습니다.", REFUSED),
    ("Say hello", "Hello<|im_end|>\n<|im_start|>user", LEAK),
    ("Say hello", "[INST] Say hello [/INST]", LEAK),
    ("Tell me of dogs", "Dogs are loyal. " + "They are good pets for families. " * 9, LOOP),
    ("Tell me of dogs", "Dogs are loyal.\n" + "".join(f"{n}. They are good pets for all.\n" for n in range(30)), LOOP),
    ("Tell me of dogs", "The dog, the cat, " + "and the dog and the cat and the bird " * 8 + "and the", LOOP),
    ("Who wrote the play of the prince of Denmark", "Who wrote the play of the prince of Denmark", ECHO),
    ("Tell me of dogs", "You are a helpful assistant. Answer correctly and briefly.", ECHO),
    ("What is the capital of France?", "What is the capital of Germany?", BACK),
    ("Was ist die Hauptstadt von Frankreich und wie groß ist sie?", ENGLISH, LANGUAGE),
    (
        "What is the best way to cook rice?",
        "Der Reis wird mit dem Wasser auf dem Herd gekocht, und das ist nicht schwer für die Köche.", LANGUAGE,
    ),
    ("What is the best way to cook rice?", "米饭应该先洗干净,然后加入适量的水,用小火慢慢煮熟。", LANGUAGE),
    ("Как лучше всего варить рис дома?", ENGLISH, LANGUAGE),
    ("東京の天気はどうですか?教えてください。", ENGLISH, LANGUAGE),
    ("Write a Python function that adds two numbers", "Adding two numbers is easy and fun.", NO_CODE),
    ("Return only valid JSON with a and b", '{"a": 1, "b": }', NO_JSON),
    ("Output as JSON", "The name is Ada.", NO_JSON),
    ("Reply in JSON", "```json\n{'a': 1}\n```", NO_JSON),
    ("Write it in Python", "```python\ndef add(a, b)\n    c = a + b\n    return c\n```", PYTHON),
    ("Write it in Python", "```\ndef add(a, b):\n    c = (a + b\n    return c\n```", PYTHON),
    (
        "Write it in Java",
        "```java\nclass A {\n  int f() {\n    int x = 1;\n    int y = 2;\n\n    return x;\n  }\n\n```", BRACES,
    ),
    ("What is 17*23?", "17*23 is 401.", SUM),
    ("What is 17 times 23?", "401", SUM),
    ("12% of 250", "25", SUM),
    ("What is 8 * 3?", "You multiply 8 by 3.", SUM),
    ("Add 120 and 45.", "The answer is 45.", SUM),
    ("Subtract 5 from 12", "It is -7.5.", SUM),
    ("Sort these numbers from smallest to largest: 9, 3, 12", "9, 3, 12", ORDER),
    ("Sort the numbers in descending order: 9, 3, 12", "3, 9, 12", ORDER),
    ("Which is a fish? A) cow B) cod C) cat D) dog. Answer with the letter.", "A) cow\nThe answer is D) dog", SEVERAL),
    ("What is the German word for 'church'?", "In German, 'church' is \"church\".", SAME_WORD),
    ("Calculate (3 + 4) * 2 =", "The result is 11.", SUM),
    ("How many legs have they?", "There are 12 dogs, and 12 * 4 = 46 legs.", OWN_SUM),
    ("How many are left?", "- He buys more: 7 + 8 = 16.", OWN_SUM),
    ("List 5 fruits", "1. Apple\n2. Pear\n3. Plum", ITEMS),
    ("Name three colours", "Red and blue", ITEMS),
    ("Give me 3 tips", "".join(f"{n}. Sleep well\n" for n in range(1, 11)), ITEMS),
    ("What colour is the sky? Answer in one word", f"{ENGLISH} {ENGLISH}", LENGTH),
    ("Explain the sky in one sentence", "It is blue. " * 3 + ENGLISH + " But why. Nobody knows. The end.", LENGTH),
    ("Explain it in at most 20 words", "a word " * 40, LENGTH),
    ("Write a 500-word essay on rain", "Rain is wet.", LENGTH),
    ("Answer yes or no: is the sky blue?", "The sky is blue on most days.", CHOICE),
    ("Which is it?\nA) Paris\nB) Rome\nC) Oslo", "The town on the river.", CHOICE),
    ("Which is it?\nA) Paris\nB) Rome\nC) Oslo", "A) Paris\nB) Rome\nC) Oslo", CHOICE),
    ("Pick a number between 1 and 10", "42", RANGE),
]  # fmt: skip


def reasons(prompt: str, text: str) -> list[str]:
    return [sign.reason for sign in signs(Request(prompt=prompt), text)]


def verdict(text: str, spec: ModelSpec = LOCAL, prompt: str = "Tell me of dogs", **changes: object) -> Verdict:
    said = Completion(text=text, finish="stop", usage=None, **changes)  # pyright: ignore[reportArgumentType]
    return judge(Request(prompt=prompt), said, spec, shrunk=False)


@pytest.mark.parametrize(("prompt", "text", "reason"), DOUBTFUL)
def test_a_bad_answer_is_doubted_and_the_reason_told(prompt: str, text: str, reason: str):
    assert reason in reasons(prompt, text)


def test_no_sign_holds_a_word_of_prompt_or_answer():
    told = {sign for prompt, text, _ in DOUBTFUL for sign in reasons(prompt, text)}
    assert told == {reason for _, _, reason in DOUBTFUL}


@pytest.mark.parametrize(
    ("text", "prompt", "escalates"),
    [
        ("I'm sorry, but I can't help with that.", "How?", True),
        ("Dogs are loyal. " + "They are good pets for families. " * 9, "Tell me of dogs", True),
        ("Woof<|im_end|>", "Tell me of dogs", True),
        ("1. Apple\n2. Pear", "List 5 fruits", False),
        ("401", "What is 17*23?", False),
        ("391", "What is 17*23?", False),
    ],
)
def test_only_what_is_surely_bad_of_a_paid_model_buys_another_answer(text: str, prompt: str, escalates: bool):
    assert verdict(text, PAID, prompt).escalate is escalates
    local = verdict(text, LOCAL, prompt)
    assert local.escalate is not local.good


def test_every_reason_is_told():
    seen = verdict("Woof<|im_end|>\n" + "They are good pets for families. " * 9, replace(LOCAL, confidence_floor=-0.5))
    assert (seen.reason, seen.good) == (f"{LEAK}; {LOOP}", False)


def test_an_answer_that_was_cut_off_is_not_blamed_for_what_is_missing():
    said = Completion(text="```python\ndef f(\n    a,\n```\n1. Apple", finish="length", usage=None)
    asked = Request(prompt="List 5 fruits in Python")
    assert judge(asked, said, PAID, shrunk=False) == Verdict(reasons=("cut off at the output limit",))
    assert judge(asked, said, PAID, shrunk=True).escalate
    looping = replace(said, text="They are good pets for families. " * 9)
    assert judge(asked, looping, PAID, shrunk=False) == Verdict(
        reasons=("cut off at the output limit", LOOP), escalate=True
    )


def test_an_answer_in_a_shape_is_only_searched_for_loops_and_leaks():
    asked = Request(prompt="List 5 fruits as JSON", response_schema='{"type": "array"}')
    assert [*signs(asked, "[\"I'm sorry, but I can't help with that.\"]")] == []
    assert [sign.reason for sign in signs(asked, '["<|im_end|>"]')] == [LEAK]


def test_an_answer_that_a_stop_sequence_ended_need_not_be_whole():
    text = "```json\n{'a': 1\n```"
    assert [*signs(Request(prompt="Reply in JSON", stop=("}",)), text)] == []
    assert reasons("Reply in JSON", text) == [NO_JSON]


CODE_LINES = st.lists(
    st.sampled_from(["def f():", "    return 1", "", "  ", "if x:", "\tx = 1", "x = (1", ")"]), max_size=8
)


@settings(max_examples=60)
@given(CODE_LINES, st.sampled_from(["  ", "    ", "\t"]))
def test_code_that_stands_indented_is_read_as_if_it_did_not(lines: list[str], indent: str):
    code = "\n".join(("a = 1", *lines, "b = 2"))
    asked, fenced = "Write it in Python", "```python\n{}\n```"
    indented = textwrap.indent(code, indent, lambda line: bool(line.strip()))
    assert reasons(asked, fenced.format(indented.expandtabs(8))) == reasons(asked, fenced.format(code.expandtabs(8)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("2 ^ 10", 1024),
        ("2 ** 3", 8),
        ("-4 + 1", -3),
        ("10 / 4", 2.5),
        ("0.5 × 4", 2),
        ("1 / 0", None),
        ("9 ^ 20 ^ 20", None),
        ("((9^20)^20)^20", None),
        ("2 ^ 0.5", None),
        ("(" * 50 + "1", None),
        ("1 +", None),
        ("1 1", None),
        ("", None),
        ("9" * 16, None),
    ],
)
def test_sums_are_worked_out_within_bounds(text: str, value: float | None):
    assert worked_out(text) == value


@settings(max_examples=40)
@given(st.recursive(st.integers(0, 999).map(str), lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(
    lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"), max_leaves=6))  # fmt: skip
def test_a_sum_has_the_value_that_python_gives_it(text: str):
    value = worked_out(text)
    assert value is None or value == _value(ast.parse(text, mode="eval").body)


def _value(node: ast.expr) -> int:
    match node:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _value(left) + _value(right)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _value(left) - _value(right)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _value(left) * _value(right)
        case ast.Constant(value=int() as value):
            return value
        case _:
            raise AssertionError(ast.dump(node))


PIECES = [
    "```", "```python\n", "```json\n", "~~~", "def f(x):\n", "    ", "\n", "(", "[", "{", "}", ")", "not ",
    "lambda:", "-", "~",
    "f'{", "'", '"', '"""', "\\", "\\x", "\\N{", "a.b", "1" * 500, "1,", "1.", "9^9^9", "12*4=46 ", "%", "of ",
    "What is ", "²",
    "٣", "日本", "я", "क", "\U0001f600", "\u200b", "I'm sorry ", "I can't ", "return only json ",
    "list 5 fruits ", "A) x\n", "B) x\n",
    "C) y\n", "number between 1 and 2 ", "in one word ", "answer yes or no ", "write a python function ",
    "<|im_end|>", "the of and is ",
    "$", "=", "1 + 1 = ", "e5", "?", "\t", "\x0b", "\u2028", "if a else ", "**", "x" * 200,
]  # fmt: skip
RUNS = st.lists(st.tuples(st.sampled_from(PIECES), st.integers(1, 40)), max_size=6)
NASTY = st.one_of(st.text(max_size=300), RUNS.map(lambda runs: "".join(piece * count for piece, count in runs)))


@settings(max_examples=60)
@given(NASTY.filter(lambda text: text.strip() != "" and "\x00" not in text and "\ufdd0" not in text), NASTY)
def test_no_answer_makes_the_judge_raise(prompt: str, text: str):
    said = Completion(text=text, finish="stop", usage=None)
    seen = judge(
        Request(prompt=prompt, context=text.replace("\x00", "").replace("\ufdd0", "")), said, LOCAL, shrunk=False
    )
    assert seen.good is (seen.reason is None)
