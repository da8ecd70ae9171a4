"""What a person sees: streamed text on stdout, everything about it on stderr."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable
from typing import TextIO

from hybrid_mcp.domain.answer import Answer, Attempt
from hybrid_mcp.domain.completion import Usage

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""C0, DEL and C1, but neither line ends nor tabs."""
_NARROW = 24


class TerminalProgress:
    """Implements `Progress`: the answer streams to stdout, and one line on stderr tells what is being waited for.

    `on_gone` is called once when nobody reads stdout any more. `streamed` is what the last model wrote.
    """

    def __init__(self, *, stream: bool, on_gone: Callable[[], None]) -> None:
        self.streamed = ""
        self._stream = stream
        self._on_gone = on_gone
        self._line = ""
        self._live = sys.stderr.isatty()

    def asking(self, model: str) -> None:
        if self.streamed:
            self._write("\n")
            sys.stderr.write(f"[that answer was not good enough; asking {model}]\n")
            self.streamed = ""
        else:
            self.status(f"asking {model}")

    def delta(self, text: str) -> None:
        if self._stream:
            self.clear()
            self.streamed += text
            self._write(text)

    def aside(self, text: str) -> None:
        self.status("thinking")

    def told(self, usage: Usage) -> None:
        pass

    def status(self, text: str) -> None:
        if self.streamed or text == self._line:
            return
        self.clear()
        sys.stderr.write(tame(text, sys.stderr) if self._live else f"{text}\n")
        sys.stderr.flush()
        self._line = text

    def clear(self) -> None:
        """Take the line on stderr away."""
        if self._live and self._line:
            sys.stderr.write("\r" + " " * len(self._line) + "\r")
            self._line = ""

    def _write(self, text: str) -> None:
        try:
            sys.stdout.write(tame(text, sys.stdout))
            sys.stdout.flush()
        except OSError:
            forget_stdout()
            self._stream = False
            self._on_gone()


class Heard:
    """Implements `Observer`: keeps alerts until the answer is out, and also where none comes; each is given once."""

    def __init__(self) -> None:
        self._alerts: list[str] = []

    def attempted(self, request_id: str, attempt: Attempt) -> None:
        pass

    def answered(self, answer: Answer) -> None:
        pass

    def alerted(self, alert: str) -> None:
        self._alerts.append(alert)

    def tell(self) -> None:
        """One line each on stderr."""
        for alert in self._alerts:
            sys.stderr.write(f"hybrid-mcp: {tame(alert, sys.stderr)}\n")


def tame(text: str, stream: TextIO) -> str:
    """What others wrote, as a terminal may get it: nothing in it moves the cursor or gives the terminal orders."""
    return _CONTROLS.sub("?", text) if stream.isatty() else text


def quoted(text: str) -> list[str]:
    """Foreign words in rows that the terminal does not break, each with a mark before it."""
    columns = max(_NARROW, shutil.get_terminal_size().columns) - len("  | ") - 1
    # Other scripts may take two columns a character.
    wide = columns if text.isascii() else columns // 2
    return [f"  | {row}" for row in textwrap.wrap(text, wide)]


def forget_stdout() -> None:
    """Nobody reads it any more (`| head`): nothing is wrong, but Python would complain when it flushes at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def told(answer: Answer) -> str:
    """One line under an answer: who, why, how much, how long."""
    kind = "cached" if answer.cached else "on this machine" if answer.local else "cloud"
    tokens = f"{answer.usage.input_tokens} + {answer.usage.output_tokens} tokens, " if answer.usage else ""
    return f"{answer.model} ({kind}), {tokens}{answer.cost}, {answer.latency_ms} ms: {answer.reason}"
