from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from hybrid_mcp.domain.completion import Usage
from hybrid_mcp.providers.streaming import Answer, StopAt
from tests.support_servers import Recorder

SMALL = st.text("ab\n", max_size=12)
STOPS = st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=4)


def split(text: str, cuts: Sequence[int]) -> list[str]:
    """The text in pieces, some of them empty."""
    ends = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[start:end] for start, end in pairwise(ends)]


def cut_at_first(text: str, stops: Sequence[str]) -> tuple[str, bool]:
    """The text before the sequence that is whole first, the longest of several, and whether there is one: by trying."""
    for end in range(len(text) + 1):
        if whole := [len(stop) for stop in stops if text[:end].endswith(stop)]:
            return text[: end - max(whole)], True
    return text, False


@given(text=SMALL, stops=STOPS, cuts=st.lists(st.integers(0, 12), max_size=6))
@example(text="abab", stops=["b", "aba"], cuts=[])
@example(text="abab", stops=["b", "aba"], cuts=[2])
@example(text="abab", stops=["b", "ab"], cuts=[1])
def test_a_text_ends_before_the_first_stop_sequence_whatever_pieces_it_comes_in(
    text: str, stops: list[str], cuts: list[int]
):
    stop_at = StopAt(stops)
    kept, dropped = "", ""
    for piece in split(text, cuts):
        kept += stop_at.take(piece)
        dropped += stop_at.dropped()
    kept += stop_at.rest()
    assert (kept, stop_at.is_over) == cut_at_first(text, stops)
    assert stop_at.text == kept
    assert kept + dropped == text


@given(text=SMALL, stops=STOPS, cuts=st.lists(st.integers(0, 12), max_size=6))
def test_what_cannot_begin_a_stop_sequence_is_shown_at_once(text: str, stops: list[str], cuts: list[int]):
    stop_at = StopAt(stops)
    shown, seen = "", ""
    for piece in split(text, cuts):
        seen += piece
        shown += stop_at.take(piece)
        if stop_at.is_over:
            return
        held = seen[len(shown) :]
        assert held == "" or any(stop.startswith(held) for stop in stops)


@given(text=SMALL, stops=STOPS, cuts=st.lists(st.integers(0, 12), max_size=6))
def test_every_byte_that_was_written_is_told_once_as_answer_or_as_aside(text: str, stops: list[str], cuts: list[int]):
    heard = Recorder()
    answer = Answer(heard, name="x:y", output_cap=64, stop=stops)
    for piece in split(text, cuts):
        answer.add(piece)
    completion = answer.completion()
    assert "".join(heard.deltas) == completion.text
    assert heard.written_bytes == len(text)


def test_a_text_without_stop_sequences_is_passed_on_as_it_comes():
    stop_at = StopAt(())
    assert [stop_at.take("Hello"), stop_at.take(" there"), stop_at.rest()] == ["Hello", " there", ""]


def test_an_answer_is_full_when_it_has_all_the_tokens_that_were_asked_for():
    answer = Answer(Recorder(), name="x:y", output_cap=8)
    assert not answer.is_full
    answer.tell(Usage(input_tokens=9, output_tokens=7))
    assert not answer.is_full
    answer.tell(Usage(input_tokens=9, output_tokens=8))
    assert answer.is_full
