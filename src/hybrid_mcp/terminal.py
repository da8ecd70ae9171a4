"""What a person sees: streamed text on stdout, everything about it on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from hybrid_mcp.domain.answer import Answer


class TerminalProgress:
    """Implements `Progress`: the answer streams to stdout, and one line on stderr tells what is being waited for."""

    def __init__(self, *, stream: bool) -> None:
        self._stream = stream
        self._line = ""
        self._streamed = False
        self._live = sys.stderr.isatty()

    def delta(self, text: str) -> None:
        if not self._stream:
            return
        self._clear()
        sys.stdout.write(text)
        sys.stdout.flush()
        self._streamed = True

    def status(self, text: str) -> None:
        if self._streamed:
            # A second model starts over: what was streamed so far is not the answer.
            sys.stdout.write("\n")
            sys.stdout.flush()
            sys.stderr.write(f"[the answer above was not good enough; {text}]\n")
            self._streamed = False
        elif self._live:
            self._clear()
            sys.stderr.write(text)
            sys.stderr.flush()
            self._line = text
        elif text != self._line:
            sys.stderr.write(f"{text}\n")
            self._line = text

    def finish(self) -> None:
        self._clear()

    def _clear(self) -> None:
        if self._live and self._line:
            sys.stderr.write("\r" + " " * len(self._line) + "\r")
            self._line = ""


def told(answer: Answer) -> str:
    """One line under an answer: who, why, how much, how long."""
    kind = "cached" if answer.cached else "on this machine" if answer.local else "cloud"
    tokens = f"{answer.usage.input_tokens} + {answer.usage.output_tokens} tokens, " if answer.usage else ""
    return f"{answer.model} ({kind}), {tokens}{answer.cost}, {answer.latency_ms} ms: {answer.reason}"


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Aligned columns on stdout, under headings. Nothing is cut or wrapped, so that it can be read by programs too."""
    lines = [tuple(headings), *(tuple(map(str, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
