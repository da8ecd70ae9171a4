"""What a text costs, and texts that are made to cost no more than they may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.brevity import abridged, cost, cut, ending, few, fitting

MEASURED = (
    (21, "nvidia/llama-3.3-nemotron-super-49b-v1.5"),
    (10, "gemini:gemini-3.8-flash"),
    (11, "anthropic:claude-opus-5-5"),
    (28, "ollama:hf.co/bartowski/Qwen2.5-Coder-32B-Instruct-GGUF:Q4_K_M"),
    (25, "bedrock:us.anthropic.claude-3-7-sonnet-20250219-v1:0"),
    (25, "c557067cbbe80c46d1fb6dfbdb0ae0755281220e087835b925"),
    (10, "模型:通义千问-大"),
    (24, "airgap is on: only models on this machine may run (AIRGAP_MODE, profile key `airgap`)"),
    (30, "needs up to $0.012345678 and $0.001 may be spent now (the monthly budget of $5.00 is spent)"),
    (31, '{"model":"a:b","outcome":"rate_limited","reason":"","cost_usd":0.001234567,"latency_ms":12345}'),
)
"""Tokens of cl100k_base, and the text."""
TEXTS = st.text(st.sampled_from('ab eé模7_-.,;:"{} \n'), max_size=200)


@pytest.mark.parametrize(("tokens", "text"), MEASURED)
def test_a_text_is_said_to_cost_what_a_tokenizer_makes_of_it_or_a_little_more(tokens: int, text: str):
    assert tokens <= cost(text) <= max(1.3 * tokens, tokens + 13)


@given(text=TEXTS, most=st.integers(2, 40))
def test_what_is_cut_costs_no_more_than_it_may_and_holds_nothing_new(text: str, most: int):
    for shorter in (cut(text, most), ending(text, most), abridged(text, most)):
        assert cost(shorter) <= max(most, cost("..."))
    assert text.startswith(cut(text, most).removesuffix("..."))
    assert text.endswith(ending(text, most).removeprefix("..."))


def test_a_list_says_how_many_more_there_are():
    names = [f"vendor:model-{number}" for number in range(20)]
    assert few(names, 1_000) == ", ".join(names)
    assert few(names, 20) == "vendor:model-0, vendor:model-1 and 18 more"
    assert few(["vendor:" + "x" * 400, "b"], 8).endswith("... and 1 more")
    assert few([], 8) == ""
    assert fitting(names, 0) == []


def test_a_text_that_is_cut_keeps_its_first_and_its_last_part():
    parts = ["score 0.71 wants a cheap cloud model", *["a word or two"] * 20, "the answer is doubtful"]
    short = abridged("; ".join(parts), 40)
    assert short.startswith("score 0.71 wants a cheap cloud model; ...; a word or two; ")
    assert short.endswith("; the answer is doubtful")
