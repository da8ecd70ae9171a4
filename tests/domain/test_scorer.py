from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.scorer import Complexity, english_characters, score

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufdd0"), max_size=300)
prompts = text.filter(lambda value: value.strip() != "")


@pytest.mark.parametrize(
    ("prompt", "hundredths", "signals"),
    [
        ("What is the capital of France?", 0, snapshot({"length": 6, "simple_words": -10, "task_type": -10})),
        (
            "Refactor this module and design the tests",
            snapshot(53),
            snapshot({"length": 8, "complex_words": 15, "redesign_words": 30}),
        ),
        ("fix the bug in ```f(x)```", snapshot(55), snapshot({"length": 5, "code": 30, "debugging_words": 20})),
        ("Write a poem about autumn", snapshot(25), snapshot({"length": 5, "task_type": 20})),
    ],
)
def test_the_signals_of_a_score_are_named_and_add_up(prompt: str, hundredths: int, signals: dict[str, int]):
    complexity = score(Request(prompt=prompt))
    assert complexity.hundredths == hundredths
    assert dict(complexity.signals) == signals
    assert complexity.hundredths == max(0, min(100, sum(complexity.signals.values())))


def test_only_whole_words_count_in_any_case():
    assert "redesign_words" not in score(Request(prompt="the refactorings of refactoria")).signals
    assert "debugging_words" not in score(Request(prompt="a debugger prefix, terrors")).signals
    assert score(Request(prompt="please REFACTOR: it")).signals["redesign_words"] == 30


def test_length_counts_smoothly_instead_of_in_steps():
    shares = [score(Request(prompt="x" * size)).signals.get("length", 0) for size in range(1, 1200)]
    assert shares == sorted(shares)
    assert max(after - before for before, after in pairwise(shares)) == 1
    assert shares[-1] == 50


def test_context_counts():
    short, long = Request(prompt="explain this"), Request(prompt="explain this", context="word " * 2_000)
    assert dict(score(long).signals) == {"length": 2, "context_length": 30, "explain_large_context": 30}
    assert score(short).hundredths == 2
    assert score(Request(prompt="go", context="word " * 8_000)).signals["over_8000_tokens"] == 40


def test_a_given_task_type_replaces_the_inferred_one():
    assert score(Request(prompt="Go on", task_type="reasoning_tasks")).signals["task_type"] == 20
    assert score(Request(prompt="Go on", task_type="Code_Review")).task == "code_review"
    assert score(Request(prompt="Go on", task_type="of my own")).task == "of my own"


@pytest.mark.parametrize(
    ("prompt", "task"),
    [
        ("What is the capital of France?", "simple_completion"),
        ("Review this pull request", "code_review"),
        ("Redesign the billing service", "architecture_design"),
        ("Complete this line: for i in", "inline_completion"),
        ("Why does this hold? Prove it.", "reasoning_tasks"),
        ("Write a haiku", "creative"),
        ("Send it", None),
    ],
)
def test_the_task_is_inferred_where_the_prompt_shows_it(prompt: str, task: str | None):
    assert score(Request(prompt=prompt)).task == task


@pytest.mark.parametrize(
    ("text", "tokens_at_least"),
    [
        # One token or more a character is what common tokenizers make of these scripts, within a factor of two.
        ("请解释量子力学的基本原理并且设计一个实验来验证它", 24),
        ("量子力学の基本原理を説明してください", 18),
        ("양자역학의 기본 원리를 설명해 주세요", 15),
        ("Объясните основные принципы квантовой механики", 20),
    ],
)
def test_tokens_of_other_scripts_are_not_divided_by_four(text: str, tokens_at_least: int):
    assert english_characters(text) // 4 >= tokens_at_least


def test_the_same_prompt_scores_the_same_in_any_process():
    prompt = "Analyze the distributed design, then list what is wrong: {'a': 1}"
    code = (
        "import sys; from hybrid_mcp.domain.scorer import score; from hybrid_mcp.domain.completion import Request;"
        "c = score(Request(prompt=sys.argv[1])); print(c.hundredths, list(c.signals.items()))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code, prompt],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    here = score(Request(prompt=prompt))
    assert outputs == {f"{here.hundredths} {list(here.signals.items())}\n"}


@given(prompt=prompts, context=text, system_prompt=text, task=st.sampled_from([None, "question", "math", "x"]))
def test_the_score_stays_within_zero_and_one(prompt: str, context: str, system_prompt: str, task: str | None):
    found = score(Request(prompt=prompt, context=context, system_prompt=system_prompt, task_type=task))
    assert 0 <= found.hundredths <= 100
    assert found.score == found.hundredths / 100
    assert 0 not in found.signals.values()


@given(prompt=prompts, context=text, more=text, at=st.integers(0, 300), times=st.sampled_from([1, 7, 400]))
def test_more_context_never_lowers_the_score(prompt: str, context: str, more: str, at: int, times: int):
    def scored(material: str) -> Complexity:
        return score(Request(prompt=prompt, context=material))

    grown = context[:at] + more * times + context[at:]
    assert scored(context).hundredths <= scored(grown).hundredths
    assert scored(context).tokens <= scored(grown).tokens


@given(left=text, right=text)
def test_size_is_additive(left: str, right: str):
    assert english_characters(left + right) == english_characters(left) + english_characters(right)
