from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.completion import STEP_BY_STEP, Completion
from hybrid_mcp.domain.reasoning import separated


def completion(text: str) -> Completion:
    return Completion(text=text, finish="stop", usage=None)


@pytest.mark.parametrize(
    ("text", "answer", "reasoning"),
    [
        ("17 and 4 are 21.\nFinal answer: 21", "21", "17 and 4 are 21."),
        ("17 and 4 are 21.\n\n**Final Answer:** 21\n", "21", "17 and 4 are 21."),
        ("Steps.\n### Final answer\nA\nB", "A\nB", "Steps."),
        ("I will write a line:\nFinal answer: soon.\nNow.\nfinal answer: 4", "4", None),
        ("Final answer: 4", "Final answer: 4", ""),
        ("Steps.\nFinal answer:", "Steps.\nFinal answer:", ""),
        ("Just 4", "Just 4", ""),
        ("The final answer: 4", "The final answer: 4", ""),
        ("<think>\nhm\n</think>\n\nSteps.\nFinal answer: 4", "4", "hm\nSteps."),
    ],
)
def test_the_answer_is_told_apart_from_the_steps_to_it(text: str, answer: str, reasoning: str | None):
    found = separated(completion(text), step_by_step=True)
    assert found.text == answer
    assert reasoning is None or found.reasoning == reasoning


@pytest.mark.parametrize(
    ("text", "answer", "reasoning"),
    [
        ("<think>\nhm\n</think>\n\n4", "4", "hm"),
        ("hm, what?\n</think>\n\n4", "4", "hm, what?"),
        ("<think>hm</think>4", "4", "hm"),
        ("<think>hm", "<think>hm", ""),
        ("<think>hm</think>", "<think>hm</think>", ""),
        ("Write `</think>` to close it", "Write `</think>` to close it", ""),
        ("Use <think> and\n</think>\nso", "Use <think> and\n</think>\nso", ""),
        ("Steps.\nFinal answer: 4", "Steps.\nFinal answer: 4", ""),
    ],
)
def test_thinking_aloud_that_nobody_asked_for_is_told_apart_too(text: str, answer: str, reasoning: str):
    found = separated(completion(text), step_by_step=False)
    assert (found.text, found.reasoning) == (answer, reasoning)


@given(st.lists(st.sampled_from(["<think>", "</think>", "Final answer:", "\n", " ", "#*_>", "4", STEP_BY_STEP])))
def test_nothing_but_marks_and_blanks_is_lost(parts: list[str]):
    text = "".join(parts)
    found = separated(completion(text), step_by_step=True)
    assert (found.text + found.reasoning).count("4") == text.count("4")
