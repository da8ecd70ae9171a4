from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.completion import Completion, Request, Usage
from hybrid_mcp.domain.judging import believable, judge
from hybrid_mcp.domain.money import ZERO
from hybrid_mcp.domain.profile import ModelSpec
from hybrid_mcp.domain.routing import Repair, Step
from hybrid_mcp.domain.vendors import EMBEDDED

LONG = "The price is reserved before the request is sent, and settled afterwards. " * 50
LONG_TOKENS = 701
"""What `LONG` is with the tokenizers of GPT-2, Claude 2, GPT-4 and GPT-4o alike."""


def usage(tokens_in: int, tokens_out: int) -> Usage:
    return Usage(input_tokens=tokens_in, output_tokens=tokens_out)


@pytest.mark.parametrize(
    ("request_", "text", "reported", "holds"),
    [
        (Request(prompt="Do it"), "Done", usage(24, 1), True),
        (Request(prompt=LONG), LONG, usage(LONG_TOKENS, LONG_TOKENS), True),
        (Request(prompt="Do it"), "", usage(24, 0), False),
        (Request(prompt="Do it"), "", usage(24, 5), True),
        (Request(prompt="Do it"), "Done", None, False),
        (Request(prompt="Do it"), "Done", usage(0, 1), False),
        (Request(prompt="Do it"), "Done", usage(24, 0), False),
        (Request(prompt=LONG), "Done", usage(1, 1), False),
        (Request(prompt="Do it", context=LONG), "Done", usage(LONG_TOKENS // 5, 1), False),
        (Request(prompt="Do it", system_prompt=LONG), "Done", usage(LONG_TOKENS // 5, 1), False),
        (Request(prompt="Do it"), LONG, usage(24, LONG_TOKENS // 5), False),
        # Blanks and rules are few tokens.
        (Request(prompt="Do it", context=" " * 1_000_000), "-" * 10_000, usage(1_000, 40), True),
    ],
)  # fmt: skip
def test_counts_too_low_for_what_was_sent_and_written_are_not_believed(
    request_: Request, text: str, reported: Usage | None, holds: bool
):
    said = Completion(text=text, finish="stop", usage=reported)
    assert believable(said, sent=request_.messages(), output_cap=1_024) is holds


@pytest.mark.parametrize(("told", "holds"), [(1, False), (499, False), (500, True), (1_000, True), (5_000, True)])
def test_an_answer_that_was_cut_at_its_cap_has_about_as_many_tokens_as_that(told: int, holds: bool):
    hidden = Completion(text="", finish="length", usage=usage(24, told))
    assert believable(hidden, sent=Request(prompt="Do it").messages(), output_cap=1_000) is holds


@given(st.text(min_size=1), st.integers(1, 10_000), st.integers(1, 10_000))
def test_higher_counts_are_believed_where_lower_ones_are(text: str, tokens_in: int, tokens_out: int):
    fewer = Completion(text=text, finish="stop", usage=usage(tokens_in, tokens_out))
    more = replace(fewer, usage=usage(tokens_in + 1, tokens_out + 1))
    if believable(fewer, sent=Request(prompt=LONG).messages(), output_cap=1_024):
        assert believable(more, sent=Request(prompt=LONG).messages(), output_cap=1_024)


def test_what_was_added_to_have_an_answer_mended_must_be_counted_too():
    said = Completion(text="{}", finish="stop", usage=Usage(input_tokens=60, output_tokens=5))
    asked = Request(prompt="Do it")
    longer = Step(
        spec=ModelSpec(provider=EMBEDDED, model="m"),
        output_cap=64,
        bound=ZERO,
        repair=Repair(answer="word and " * 6_000, what="no"),
    )
    assert believable(said, sent=asked.messages(), output_cap=64)
    assert not believable(said, sent=longer.messages(asked), output_cap=64)


def test_a_model_that_was_measured_is_held_to_its_threshold_by_name():
    spec = ModelSpec(provider=replace(EMBEDDED, name="ollama"), model="qwen2.5-coder:1.5b")
    unsure = Completion(text="Paris.", finish="stop", usage=None, confidence=-0.7)
    told = judge(Request(prompt="Tell me"), unsure, spec, shrunk=False)
    assert told.reason == "confidence -0.70 is below the threshold -0.65"
    assert judge(Request(prompt="Tell me"), unsure, replace(spec, model="other"), shrunk=False).good
