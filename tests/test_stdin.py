from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.completion import HALF_PAIR_MARK
from hybrid_mcp.stdin import mended


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (rb'"a\ud800b"', f"a{HALF_PAIR_MARK}b"),
        (rb'"\uDFFF"', HALF_PAIR_MARK),
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\ud83d\ud83d\ude00"', f"{HALF_PAIR_MARK}\U0001f600"),
        (rb'"\\ud800"', r"\ud800"),
        (rb'"\\\ud800"', f"\\{HALF_PAIR_MARK}"),
        (rb'"plain \n"', "plain \n"),
    ],
)
def test_only_a_half_that_stands_alone_is_marked(line: bytes, text: str):
    assert json.loads(mended(line)) == text


@given(
    st.lists(st.sampled_from(["\ud83d", "\ude00", "\\", "u", "d", "8", "\U0001f600", "\u00e9", '"', "\n"])).map("".join)
)
def test_every_line_can_be_read_and_whole_characters_stay(text: str):
    line = json.dumps(text).encode()
    read = json.loads(mended(line))
    assert read.encode("utf-16", "surrogatepass").decode("utf-16") == read
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    assert read.replace(HALF_PAIR_MARK, "") == whole


@given(st.text())
def test_a_line_of_whole_characters_is_not_touched(text: str):
    line = json.dumps(text).encode()
    assert mended(line) == line
