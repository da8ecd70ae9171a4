from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.tokens import ASCII_PER_TOKEN, SPARE_BYTES, Written, can_be, extent

MEASURED = {
    "English": ("The price is reserved before the request is sent, and settled afterwards. " * 50, 701),
    "German": ("Donaudampfschifffahrtsgesellschaftskapitäne beschweren sich über Geschwindigkeitsbegrenzungen. " * 50,
               1_152),
    "Chinese": ("这个程序会把一个子任务交给最便宜而又能胜任的模型来回答。" * 50, 1_100),
    "code, indented by 40 blanks": ((" " * 40 + "return self.value\n") * 200, 1_000),
    "JSON, indented by 8": (json.dumps([{"name": f"user{n}", "on": True} for n in range(500)], indent=8), 8_503),
    "a table, mostly empty": (f"|{' yes':<40}|{'-' * 60}|{'':<80}|\n" * 200, 1_800),
    "a megabyte of blanks": (" " * 1_000_000, 978),
    "dashes": ("-" * 100_000, 392),
}  # fmt: skip
"""Texts and how few tokens they are: the least of GPT-2's, Claude 2's, GPT-4's and GPT-4o's tokenizers."""


@pytest.mark.parametrize(("text", "tokens"), MEASURED.values(), ids=MEASURED.keys())
def test_no_true_count_is_doubted(text: str, tokens: int):
    assert can_be(text, tokens)


@pytest.mark.parametrize("language", ["English", "German"])
def test_half_of_the_true_count_is_doubted(language: str):
    text, tokens = MEASURED[language]
    assert not can_be(text, tokens // 2)


@given(st.text())
def test_dense_bytes_are_never_more_than_the_bytes_and_few_for_a_run(text: str):
    assert extent(text).bytes <= len(text.encode(errors="surrogatepass"))
    assert extent(text + "-" * 1_000).bytes <= extent(text).bytes + 3
    assert extent("ab" * 50 + text).bytes >= 100


@given(st.lists(st.text(alphabet="a- \né语", max_size=9)))
def test_pieces_are_counted_like_the_whole(pieces: list[str]):
    written = Written()
    for piece in pieces:
        written.add(piece)
    whole = "".join(pieces)
    assert (written.extent, written.raw) == (extent(whole), len(whole.encode()))


@given(st.text(), st.integers(0, 100))
def test_more_tokens_can_be_every_text_that_fewer_can_be(text: str, tokens: int):
    assert can_be(text, tokens) <= can_be(text, tokens + 1)
    assert can_be(text, len(text.encode(errors="surrogatepass")))


def test_a_short_text_may_be_one_long_token():
    assert can_be(" สำนักเลขานุการองค์กร", 1)
    assert can_be("ab" * (SPARE_BYTES // 2), 0)
    assert not can_be("ab" * (SPARE_BYTES // 2) + "cd" * ASCII_PER_TOKEN, 0)
