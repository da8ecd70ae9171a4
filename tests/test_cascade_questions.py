"""The questions of the cascade's benchmark, and the checker that says which answers to them are right."""

from __future__ import annotations

from pathlib import Path

import bench.cascade
from bench.cascade.questions import all_questions
from pydantic import BaseModel

QUESTIONS = all_questions()


class Example(BaseModel):
    """Answers to one question, as models give them."""

    id: str
    right: list[str]
    wrong: list[str]


def _examples() -> list[Example]:
    path = Path(bench.cascade.__file__).with_name("examples.jsonl")
    return [Example.model_validate_json(line) for line in path.read_text("utf-8").splitlines()]


def test_no_question_is_asked_twice_not_even_in_the_other_set():
    prompts = [" ".join(one.prompt.lower().split()) for one in QUESTIONS]
    assert len({one.id for one in QUESTIONS}) == len(set(prompts)) == len(QUESTIONS)


def test_each_set_is_of_many_kinds_and_none_of_them_rules():
    for part in ("tuning", "evaluation"):
        kinds = [one.kind for one in QUESTIONS if one.part == part]
        assert len(set(kinds)) >= 12
        assert max(map(kinds.count, set(kinds))) <= len(kinds) / 8


def test_right_and_wrong_answers_are_told_apart():
    by_id = {one.id: one for one in QUESTIONS}
    examples = _examples()
    assert {one.id for one in examples} == by_id.keys()
    told = [
        (is_right, one.id, text)
        for one in examples
        for is_right, texts in ((True, one.right), (False, one.wrong))
        for text in texts
        if by_id[one.id].is_answered_by(text) is not is_right
    ]
    assert told == []


def test_the_question_said_again_and_no_answer_are_never_right():
    for one in QUESTIONS:
        assert not any(map(one.is_answered_by, ("", " \n", "I don't know.", one.prompt)))
