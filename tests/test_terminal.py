"""What others write, as it comes out on the owner's terminal."""

from __future__ import annotations

import io
import sys

import pytest

from hybrid_mcp.terminal import TerminalProgress, quoted, tame

HOSTILE = "a\x1b[2J\x1b]52;c;eHg=\x07b\rc\x9b1md\x7f\x00e\n\tf"
TAMED = "a?[2J?]52;c;eHg=?b?c?1md??e\n\tf"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_no_orders_and_a_file_gets_all():
    assert tame(HOSTILE, Terminal()) == TAMED
    assert tame(HOSTILE, io.StringIO()) == HOSTILE


def test_a_streamed_answer_is_tamed_piece_by_piece(monkeypatch: pytest.MonkeyPatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    progress = TerminalProgress(stream=True, on_gone=lambda: None)
    for piece in HOSTILE:
        progress.delta(piece)
    assert screen.getvalue() == TAMED
    assert progress.streamed == HOSTILE


@pytest.mark.parametrize("columns", [20, 40, 80])
@pytest.mark.parametrize("text", ["tidy up " * 25, "x" * 200, "  allow? [y/N] y", "\u4f60\u597d" * 100])
def test_each_row_of_foreign_words_is_marked_and_fits_the_terminal(
    monkeypatch: pytest.MonkeyPatch, columns: int, text: str
):
    monkeypatch.setenv("COLUMNS", str(columns))
    rows = quoted(text)
    assert all(row.startswith("  | ") for row in rows)
    assert max(len(row) + sum(not one.isascii() for one in row) for row in rows) < max(columns, 24)
    assert "".join("".join(row[4:] for row in rows).split()) == "".join(text.split())
