"""Standard input of the stdio server, with one flaw of JSON mended: half a UTF-16 pair, which it can spell.

A parser that builds UTF-8 cannot read such a line, and the SDK drops a line that it cannot read, so the caller would
wait for ever. Here the half is marked, and the request is refused with words.
"""

from __future__ import annotations

import io
import os
import re
import sys
from typing import BinaryIO

from hybrid_mcp.domain.completion import HALF_PAIR_MARK

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""One escape of a JSON string, so that a backslash that is itself escaped begins nothing."""
_MARK = f"\\u{ord(HALF_PAIR_MARK):04x}".encode()


def mended(line: bytes) -> bytes:
    """The line with each half of a pair that stands alone replaced by the mark."""
    if b"\\ud" not in line and b"\\uD" not in line:
        return line
    return _ESCAPE.sub(lambda found: _MARK if found["half"] else found[0], line)


def take_stdin() -> None:
    """Put a mending reader in the place of `sys.stdin`; for whoever else reads it, descriptor 0 is empty now."""
    source = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(_Mended(source)), encoding="utf-8", errors="replace")


class _Mended(io.RawIOBase):
    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._line = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The next piece of the line; 0 at the end of the input."""
        self._line = self._line or memoryview(mended(self._source.readline()))
        size = min(len(buffer), len(self._line))
        buffer[:size] = self._line[:size]
        self._line = self._line[size:]
        return size
