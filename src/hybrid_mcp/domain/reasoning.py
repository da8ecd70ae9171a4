"""Reasoning that a model writes before its answer, told apart from the answer."""

from __future__ import annotations

import re
from dataclasses import replace

from hybrid_mcp.domain.completion import FINAL_ANSWER, Completion

_FINAL = re.compile(
    rf"^[ \t#*_>-]{{0,20}}{re.escape(FINAL_ANSWER)}[ \t*_]{{0,20}}:?[ \t*_]{{0,20}}", re.I | re.MULTILINE
)
_OPENING, _CLOSING = "<think>", "</think>"


def separated(completion: Completion, *, step_by_step: bool) -> Completion:
    """The same completion, its text without the reasoning before the answer; as it is where no answer is marked.

    Reasoning models that a server runs without a parser for them write it before `</think>`, and their templates often
    open it themselves.
    """
    reasoning, answer = _after_thinking(completion.text)
    if step_by_step:
        steps, answer = _after_steps(answer)
        reasoning = "\n".join(filter(None, (reasoning, steps)))
    says_something = any(map(str.isalnum, answer))
    return replace(completion, text=answer, reasoning=reasoning) if reasoning and says_something else completion


def answer_alone(completion: Completion) -> Completion:
    """The same completion, its text the answer alone; empty where the model never came to one."""
    answer = separated(completion, step_by_step=False)
    return replace(answer, text="") if answer.text.lstrip().startswith(_OPENING) else answer


def _after_thinking(text: str) -> tuple[str, str]:
    before, closing, after = text.partition(_CLOSING)
    opened = before.lstrip().startswith(_OPENING)
    alone = before.endswith("\n") and after.startswith("\n") and _OPENING not in before and "```" not in before
    if not closing or not (opened or alone):
        return "", text
    return before.strip().removeprefix(_OPENING).strip(), after.strip()


def _after_steps(text: str) -> tuple[str, str]:
    """The last mark counts: a model may say beforehand what it is going to write."""
    marks = list(_FINAL.finditer(text))
    if not marks:
        return "", text
    return text[: marks[-1].start()].strip(), text[marks[-1].end() :].strip()
